package classify_test

import (
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/thanosleak/thanosleak/classify"
)

// TestVersionFromDump judges profiles without metrics and without what the
// process says of itself: the release that the frames tell is right, or among
// those that are named.
func TestVersionFromDump(t *testing.T) {
	looked := 0
	for key, want := range truths(t) {
		scenario, _, _ := strings.Cut(key, "/")
		if strings.Contains(key, "#") {
			continue
		}
		looked++
		t.Run(key, func(t *testing.T) {
			t.Parallel()
			version := releaseOf(scenario)
			files := unpacked(t, scenario)
			for _, encoding := range []string{"debug0", "debug2"} {
				if path.Ext(key) == ".gz" && encoding == "debug2" {
					continue // a single file is of one encoding
				}
				target := judge(t, staged(t, files, key, way{encoding: encoding, bare: true}, want)).Targets[0]
				checkVersion(t, encoding, target, version, want.Advisory != nil && *want.Advisory == "TL-2024-001")
			}
		})
	}
	if looked < 18 {
		t.Errorf("%d captures looked at", looked)
	}
}

// releaseOf returns the release in the name of a scenario: "v0.35.1-healthy",
// "steady-v0.42.4".
func releaseOf(scenario string) string {
	for part := range strings.SplitSeq(scenario, "-") {
		if strings.HasPrefix(part, "v0.") {
			return part[1:]
		}
	}
	return ""
}

func checkVersion(t *testing.T, encoding string, target classify.TargetResult, want string, exact bool) {
	t.Helper()
	if target.VersionSource != "dump" {
		t.Errorf("%s: version from %s, want dump", encoding, target.VersionSource)
	}
	switch {
	case target.ThanosVersion == want && len(target.VersionCandidates) == 0:
	case exact:
		t.Errorf("%s: %q from %s, or one of %v; want %s exactly", encoding, target.ThanosVersion, target.VersionSource, target.VersionCandidates, want)
	case target.ThanosVersion != "":
		t.Errorf("%s: %q from %s, want %s", encoding, target.ThanosVersion, target.VersionSource, want)
	case !slices.Contains(target.VersionCandidates, want) || len(target.VersionCandidates) > 5:
		t.Errorf("%s: one of %v, want %s", encoding, target.VersionCandidates, want)
	}
}

package classify_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/thanosleak/thanosleak/classify"
	"github.com/thanosleak/thanosleak/classify/advisory"
	"github.com/thanosleak/thanosleak/profile"
)

// everywhere returns what is known as if every release and component had every
// leak, without conditions, and all were seen in real processes: what no healthy
// process may be suspected of even then.
func everywhere(t *testing.T) *advisory.DB {
	t.Helper()
	db := *knowledge(t)
	db.Advisories = slices.Clone(db.Advisories)
	for i, a := range db.Advisories {
		if a.Class == advisory.Generic {
			continue
		}
		loose := *a
		loose.Affected, loose.Components, loose.Preconditions, loose.KnownFrom = []advisory.Range{{}}, nil, nil, advisory.Captured
		loose.Culprits = slices.Clone(a.Culprits)
		for p := range loose.Culprits {
			loose.Culprits[p].Releases = nil
		}
		db.Advisories[i] = &loose
	}
	return &db
}

// TestCleanCapturesByAll runs every pattern over every capture of a healthy
// process, whole and in each encoding: nothing above a note.
func TestCleanCapturesByAll(t *testing.T) {
	db := everywhere(t)
	looked := 0
	for key, want := range truths(t) {
		if want.Advisory != nil || want.MaxLevel != classify.Note {
			continue
		}
		looked++
		t.Run(key, func(t *testing.T) {
			t.Parallel()
			scenario, _, _ := strings.Cut(key, "/")
			files := unpacked(t, scenario)
			for _, w := range ways {
				if strings.HasSuffix(key, ".gz") && w.encoding == "debug2" {
					continue // a single file is of one encoding
				}
				targets := staged(t, files, key, w, want)
				for i := range targets {
					targets[i].Facts.Version = "0.42.4"
				}
				noneAbove(t, classify.Note, judgeBy(db, targets))
			}
		})
	}
	if looked < 13 {
		t.Errorf("%d clean captures", looked)
	}
}

func judgeBy(db *advisory.DB, targets []profile.Target) *classify.Result {
	return classify.Judge(targets, classify.Options{Thresholds: classify.DefaultThresholds(), Advisories: db})
}

package classify

import (
	"slices"
	"strings"
	"testing"

	"github.com/thanosleak/thanosleak/profile"
)

// TestVanished: goroutines that never end are gone, so that another process answered.
// Its samples are no more of the series, and hide nothing.
func TestVanished(t *testing.T) {
	forever := stack{state: profile.StateSelectNoCases, frames: foreign}
	waits := stack{state: profile.StateSelect, frames: foreign}
	untold := stack{frames: eagerCulprit} // as debug=1 gives them
	for _, tt := range []struct {
		name    string
		version string
		starts  []float64
		samples [][]stack
		cut     int // sample that was cut; 0 for none
		lives   int
		want    string // of the surest finding
	}{
		{"a known leak", "0.35.1", nil, counts(leaked, 40, 80, 0, 0, 0, 0, 0), 0, 2, "confirmed 0"},
		{"fewer of it", "0.35.1", nil, counts(leaked, 80, 39), 0, 2, "confirmed 39"},
		{"a known leak, states unknown", "0.35.1", nil, counts(untold, 80, 0), 0, 2, "likely 0"},
		{"twice", "0.35.1", nil, counts(leaked, 40, 0, 40, 0), 0, 3, "confirmed 0"},
		{"half of it", "0.35.1", nil, counts(leaked, 80, 40), 0, 1, "confirmed 40"},
		{"one goroutine", "0.35.1", nil, counts(leaked, 1, 0), 0, 1, ""},
		{"of any stack", "0.42.4", nil, counts(forever, 40, 0), 0, 2, ""},
		{"that can end", "0.35.1", nil, counts(waits, 400, 0), 0, 1, ""},
		{"in a sample that was cut", "0.35.1", nil, counts(leaked, 80, 0), 1, 1, ""},
		{"start times tell better", "0.35.1", []float64{100, 100}, counts(leaked, 80, 0), 0, 1, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			target := made{component: "query", version: tt.version, starts: tt.starts, samples: tt.samples}.target()
			if tt.cut > 0 {
				target.Samples[tt.cut].Goroutines.Truncated = true
			}
			r := judgedTargets(t, target)
			if got := r.Targets[0].Restarts + 1; got != tt.lives {
				t.Errorf("%d lives, want %d", got, tt.lives)
			}
			got := ""
			if len(r.Findings) > 0 && r.Findings[0].Level.AtLeast(Likely) {
				got = levelAndCulprits(r.Findings[0])
			}
			if got != tt.want {
				t.Errorf("found %q, want %q", got, tt.want)
			}
			told := slices.ContainsFunc(r.Warnings, func(w string) bool { return strings.Contains(w, "which never end, are gone in the sample of") })
			if told != (tt.lives > 1) {
				t.Errorf("told %t: %q", told, r.Warnings)
			}
		})
	}
}

package classify

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// TestOver restarts a process that leaked, in the same release: what it showed is
// over when it cannot come back, or did not for longer than it took before.
func TestOver(t *testing.T) {
	clean := func(n int) []int { return make([]int, n) }
	const quarter = 15 * time.Minute
	// Processes begin a minute before they are first seen.
	starts := func(lives ...int) []float64 {
		var all []float64
		n := 0
		for _, samples := range lives {
			began := start.Add(time.Duration(n)*quarter - time.Minute)
			for range samples {
				all = append(all, float64(began.Unix()))
			}
			n += samples
		}
		return all
	}
	for _, tt := range []struct {
		name string
		m    made
		want string // in the warnings; empty where the leak lasts
	}{
		{"just restarted", made{samples: counts(leaked, append(rising(8), clean(2)...)...), starts: starts(8, 2)}, ""},
		{"clean for an hour and a half", made{samples: counts(leaked, append(rising(8), clean(7)...)...), starts: starts(8, 7)},
			"TL-2024-001 was there up to 2026-11-22 08:30:22 UTC; since the restart none was seen in 1h30m, longer than it took before"},
		{"it took three hours before", made{samples: counts(leaked, slices.Concat(clean(12), rising(8), clean(7))...), starts: starts(20, 7)}, ""},
		{"it took three hours before, and none for four", made{samples: counts(leaked, slices.Concat(clean(12), rising(8), clean(17))...), starts: starts(20, 17)},
			"none was seen in 4h0m"},
		{"it comes back", made{samples: counts(leaked, slices.Concat(rising(8), clean(7), []int{3})...), starts: starts(8, 8)}, ""},
		{"mitigated", made{samples: counts(leaked, append(rising(8), 0)...), starts: starts(8, 1), flags: map[string]string{"store.response-timeout": "0s"}},
			"what it needs does not hold since the restart (--store.response-timeout=0s)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.m.component, tt.m.version, tt.m.every = "query", "0.35.1", quarter
			r := judged(t, tt.m)
			warnings := strings.Join(r.Warnings, "\n")
			if lasts := len(r.Findings) > 0; lasts != (tt.want == "") || !strings.Contains(warnings, tt.want) {
				t.Errorf("found %s, warnings %q", summary(r), warnings)
			}
		})
	}
}

package classify

import (
	"testing"
	"time"

	"github.com/thanosleak/thanosleak/classify/advisory"
	"github.com/thanosleak/thanosleak/profile"
)

// TestAccept: a baseline accepts a leak that left as many in the release before,
// and rose by as many; not what hides among healthy goroutines, and not what stood
// in another process.
func TestAccept(t *testing.T) {
	db, err := advisory.Default()
	if err != nil {
		t.Fatal(err)
	}
	baselineOf := func(rests ...int) *Baseline {
		targets := []profile.Target{soaked(leftBehind, each(rests...)...)}
		return NewBaseline(InventoryBefore(targets), InventoryAtRest(targets), "v0.1.0", time.Time{})
	}
	two := func(rests ...int) []profile.Target {
		small, large := soaked(leftBehind, each(0, 1, 2, 3)...), soaked(leftBehind, each(rests...)...)
		large.Name = "two"
		return []profile.Target{small, large}
	}
	for _, tt := range []struct {
		name     string
		baseline *Baseline
		targets  []profile.Target
		accepted bool
	}{
		{"the same leak", baselineOf(0, 1, 2, 3), []profile.Target{soaked(leftBehind, each(0, 1, 2, 3)...)}, true},
		{"one more", baselineOf(0, 1, 2, 3), []profile.Target{soaked(leftBehind, each(0, 1, 2, 4)...)}, false},
		{"one fewer", baselineOf(0, 1, 2, 4), []profile.Target{soaked(leftBehind, each(0, 1, 2, 3)...)}, true},
		{"among healthy ones", baselineOf(50, 50, 50, 50), []profile.Target{soaked(leftBehind, each(10, 20, 30, 40)...)}, false},
		{"no such stack", baselineOf(0, 0, 0, 0), []profile.Target{soaked(leftBehind, each(0, 1, 2, 3)...)}, false},
		{"one that no sample at the last rest had", baselineOf(0, 0, 0, 0), []profile.Target{passing()}, false},
		{"in both processes", baselineOf(0, 1, 2, 3), two(0, 1, 2, 3), true},
		{"more in another process", baselineOf(0, 1, 2, 3), two(0, 100, 200, 300), false},
		{"more in one that ended", baselineOf(0, 1, 2, 3), func() []profile.Target {
			all := two(0, 100, 200, 300)
			first := soaked(leftBehind, each(0, 1, 2, 3, 3)...)
			return []profile.Target{first, all[1]}
		}(), false},
	} {
		r := Judge(tt.targets, Options{Thresholds: DefaultThresholds(), Advisories: db, Soak: true, Baseline: tt.baseline})
		if got := len(r.Findings) == 0; got != tt.accepted {
			t.Errorf("%s: accepted %v\n%s %v", tt.name, got, summary(r), r.Warnings)
		}
	}
}

// passing is a soak at whose end a goroutine of a known leak stands in the newest
// sample only.
func passing() profile.Target {
	return soaked(stack{state: profile.StateChanReceiveNil, frames: eagerCulprit}, []int{0}, []int{0}, []int{0}, []int{0, 0, 1})
}

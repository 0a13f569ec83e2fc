package classify

import (
	"strings"
	"testing"
	"time"

	"github.com/thanosleak/thanosleak/classify/advisory"
	"github.com/thanosleak/thanosleak/profile"
)

// soakedIn makes the samples of a soak in which stacks of several functions stand,
// each with a count for each rest.
func soakedIn(requests float64, stacks map[string][]int) profile.Target {
	rests := 0
	for _, counts := range stacks {
		rests = len(counts)
	}
	target := soaked(leftBehind, each(make([]int, rests)...)...)
	for i := range target.Samples {
		all := []stack{{n: 1, state: profile.StateSelect, frames: mains["query"]}}
		for name, counts := range stacks {
			all = append(all, stack{n: counts[i/3], state: profile.StateChanReceive, frames: []string{"github.com/acme/widget." + name, "github.com/acme/widget.run"}})
		}
		target.Samples[i].Goroutines = snapshot(all...)
	}
	return withPages(target, func(i int) profile.Metrics { return page(requests*float64(i/3), 0, 0, 0) })
}

// judgedWith judges what somebody has accepted parts of.
func judgedWith(t *testing.T, o Options, target profile.Target) *Result {
	t.Helper()
	db, err := advisory.Default()
	if err != nil {
		t.Fatal(err)
	}
	o.Thresholds, o.Advisories, o.Soak, o.Now = DefaultThresholds(), db, true, time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC)
	return Judge([]profile.Target{target}, o)
}

// TestSoakOfSeveralStacks: what each round leaves may stand in another stack each
// time.
func TestSoakOfSeveralStacks(t *testing.T) {
	r := judgedWith(t, Options{}, soakedIn(100, map[string][]int{"a": {0, 2, 2, 2}, "b": {0, 0, 2, 2}, "c": {0, 0, 0, 2}}))
	if r.Verdict != VerdictUndecided || !strings.Contains(r.Targets[0].Undecided, "rise from rest to rest (1 → 3 → 5 → 7)") {
		t.Errorf("%s: %s", r.Verdict, r.Targets[0].Undecided)
	}
	r = judgedWith(t, Options{}, soakedIn(100, map[string][]int{"a": {0, 2, 0, 1}, "b": {3, 0, 2, 2}, "c": {1, 1, 2, 1}}))
	if r.Verdict != VerdictClean {
		t.Errorf("what comes and goes: %s: %s", r.Verdict, r.Targets[0].Undecided)
	}
}

// TestNewBesideAccepted: a new leak that grows together with an accepted one is
// not taken for its victims.
func TestNewBesideAccepted(t *testing.T) {
	old := map[string][]int{"a": {0, 2, 4, 6}}
	both := map[string][]int{"a": {0, 2, 4, 6}, "b": {0, 1, 2, 3}}
	ignore := func(functions ...string) *Ignore {
		t.Helper()
		var b strings.Builder
		for _, f := range functions {
			b.WriteString("- top_frame: github.com/acme/widget." + f + "\n  reason: known\n  expires: 2027-01-31\n")
		}
		ig, err := ParseIgnore("ignore.yaml", []byte(b.String()))
		if err != nil {
			t.Fatal(err)
		}
		return ig
	}
	accepted := func(stacks map[string][]int) *Baseline {
		targets := []profile.Target{soakedIn(100, stacks)}
		b := NewBaseline(InventoryBefore(targets), InventoryAtRest(targets), "thanosleak test", time.Now())
		b.CountWork(targets)
		return b
	}
	for _, tt := range []struct {
		name   string
		o      Options
		target map[string][]int
		want   Verdict
	}{
		{"the baseline has it", Options{Baseline: accepted(old)}, old, VerdictClean},
		{"the baseline has one of two", Options{Baseline: accepted(old)}, both, VerdictUndecided},
		{"the baseline has both", Options{Baseline: accepted(both)}, both, VerdictClean},
		{"it is ignored", Options{Ignore: ignore("a")}, old, VerdictClean},
		{"one of two is ignored", Options{Ignore: ignore("a")}, both, VerdictUndecided},
		{"one is ignored, and the other rises late", Options{Ignore: ignore("a")}, map[string][]int{"a": {0, 40, 80, 120}, "b": {0, 0, 30, 60}}, VerdictUndecided},
		{"one is ignored, and the other rises in two rounds", Options{Ignore: ignore("a")}, map[string][]int{"a": {0, 9, 18, 27}, "b": {0, 4, 8, 8}}, VerdictUndecided},
		{"both are ignored", Options{Ignore: ignore("a", "b")}, both, VerdictClean},
	} {
		r := judgedWith(t, tt.o, soakedIn(100, tt.target))
		if r.Verdict != tt.want {
			t.Errorf("%s: %s, want %s: %q %q", tt.name, r.Verdict, tt.want, r.Targets[0].Undecided, r.Warnings)
		}
		for _, w := range r.Warnings {
			if strings.Contains(w, "accepts nothing") {
				t.Errorf("%s: %s", tt.name, w)
			}
		}
	}
}

// TestBaselineOfMoreLoad: a baseline accepts as many for as much load.
func TestBaselineOfMoreLoad(t *testing.T) {
	long := []profile.Target{soakedIn(100, map[string][]int{"a": {0, 1, 2, 3, 4, 5, 6}})}
	b := NewBaseline(InventoryBefore(long), InventoryAtRest(long), "thanosleak test", time.Now())
	b.CountWork(long)
	if got := b.Components[0].Completed; got != 600 {
		t.Errorf("%d completed, want 600", got)
	}
	for _, tt := range []struct {
		requests float64
		counts   []int
		want     Verdict
		load     string // what is said of it
	}{
		{100, []int{0, 1, 2, 3}, VerdictClean, "300 completed requests by each process, in the baseline's soak 600: 0.5 times the load"},
		{25, []int{0, 2, 4, 6}, VerdictLeak, "75 completed requests by each process, in the baseline's soak 600: 0.12 times the load"},
		{100, []int{0, 2, 4, 6}, VerdictLeak, "0.5 times the load"},
		{200, []int{0, 2, 4, 6}, VerdictClean, ""},
		{800, []int{0, 2, 4, 6}, VerdictClean, "4 times the load"},
	} {
		r := judgedWith(t, Options{Baseline: b}, soakedIn(tt.requests, map[string][]int{"a": tt.counts}))
		if r.Verdict != tt.want {
			t.Errorf("%v requests, %v: %s, want %s", tt.requests, tt.counts, r.Verdict, tt.want)
		}
		said := strings.Join(r.Warnings, "\n")
		if !strings.Contains(said, tt.load) || tt.load == "" && strings.Contains(said, "the load") {
			t.Errorf("%v requests: %s, want %q", tt.requests, said, tt.load)
		}
	}
}

// TestLeakOfTooLittle: a finding does not hide that too little was seen, for it may
// be one that fails no run.
func TestLeakOfTooLittle(t *testing.T) {
	leak := map[string][]int{"a": {0, 2, 4, 6}}
	r := judgedWith(t, Options{}, soakedIn(5, leak))
	if r.Verdict != VerdictLeak || !strings.Contains(r.Targets[0].Undecided, "a round had 5 completed requests") {
		t.Errorf("%s: %q", r.Verdict, r.Targets[0].Undecided)
	}
	if r := judgedWith(t, Options{}, soakedIn(100, leak)); r.Verdict != VerdictLeak || r.Targets[0].Undecided != "" {
		t.Errorf("enough: %s: %q", r.Verdict, r.Targets[0].Undecided)
	}
}

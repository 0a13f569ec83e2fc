package classify

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/thanosleak/thanosleak/profile"
)

// inFlightMetrics is a page that tells so many queries in flight, and health
// checks that count for nothing.
func inFlightMetrics(n float64) profile.Metrics {
	return profile.Metrics{"http_inflight_requests": {
		{Labels: map[string]string{"handler": "query"}, Value: n},
		{Labels: map[string]string{"handler": "status_flags"}, Value: 7},
	}}
}

// withLoad gives every sample of a target the same number of requests in flight.
func withLoad(t profile.Target, n float64) profile.Target {
	for i := range t.Samples {
		t.Samples[i].Metrics = inFlightMetrics(n)
	}
	return t
}

// inventory is that of made-up targets of one component.
func inventory(t *testing.T, targets ...profile.Target) Inventory {
	t.Helper()
	all := InventoryOf(targets, nil)
	if len(all) != 1 {
		t.Fatalf("%d inventories, want 1", len(all))
	}
	return all[0]
}

// standingOf returns the entry of a stack.
func standingOf(t *testing.T, inv Inventory, functions ...string) Standing {
	t.Helper()
	i := slices.IndexFunc(inv.Stacks, func(s Standing) bool { return slices.Equal(s.Functions, functions) })
	if i < 0 {
		t.Fatalf("no stack %v among %+v", functions, inv.Stacks)
	}
	return inv.Stacks[i]
}

func TestInventoryCounts(t *testing.T) {
	pump := stack{state: profile.StateSelect, frames: foreign}
	busy := withLoad(made{name: "a", component: "query", version: "0.36.0", samples: counts(pump, 4, 6, 100)}.target(), 10)
	idle := withLoad(made{name: "b", component: "query", version: "0.35.1", samples: counts(pump, 0, 0, 2, 0)}.target(), 0)
	inv := inventory(t, busy, idle)
	got := standingOf(t, inv, foreign...)
	want := Standing{PortableID: profile.Signature(foreign[0] + ";" + foreign[1]).ID(), Functions: foreign, Frames: got.Frames, State: "select",
		Typical: 3, Usual: true, Mean: (110.0/3 + 0.5) / 2, Least: 4, Seen: 4,
		Most: Holding{Typical: 6, Mean: 110.0 / 3, InFlight: new(10.0), Samples: 3}}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	if inv.Processes != 2 || inv.Samples != 7 || *inv.InFlight != 5 || inv.Goroutines != (7+1)/2 {
		t.Errorf("%d processes, %d samples, %v in flight, %v goroutines", inv.Processes, inv.Samples, *inv.InFlight, inv.Goroutines)
	}
	if d := cmp.Diff([]string{"0.35.1", "0.36.0"}, inv.Versions); d != "" {
		t.Error(d)
	}
}

// Closure numbers and vendored paths are what a build changes: such stacks are
// one.
func TestInventoryFoldsPortably(t *testing.T) {
	a := []string{"github.com/acme/widget.New.func1", "github.com/acme/widget.run"}
	b := []string{"github.com/thanos-io/thanos/vendor/github.com/acme/widget.New.func4", "github.com/acme/widget.run"}
	inv := inventory(t, made{component: "query", samples: [][]stack{{
		{n: 2, state: profile.StateSelect, frames: a, by: "widget.Start"}, {n: 5, state: profile.StateChanReceive, frames: b, by: "widget.Begin"},
	}}}.target())
	s := standingOf(t, inv, "github.com/acme/widget.New.func*", "github.com/acme/widget.run")
	if s.Typical != 7 || s.State != "chan receive" || s.CreatedBy != "" || s.Frames[0].Func != b[0] {
		t.Errorf("%+v", s)
	}
}

func TestInventoryLeavesOut(t *testing.T) {
	unbegun := stack{n: 3, frames: []string{unborn}}
	own := stack{n: 1, state: profile.StateRunning, frames: []string{"runtime/pprof.writeGoroutine", "net/http/pprof.handler.ServeHTTP"}}
	inv := inventory(t, made{component: "query", samples: [][]stack{{unbegun, own}}}.target())
	if len(inv.Stacks) != 1 || inv.Goroutines != 5 {
		t.Errorf("%v goroutines, stacks %+v", inv.Goroutines, inv.Stacks)
	}
}

// Of a process that was restarted the new one counts, which has the version that
// is told.
func TestInventoryOfTheNewestLife(t *testing.T) {
	m := made{component: "query", starts: []float64{100, 100, 9000}, samples: counts(stack{state: profile.StateSelect, frames: foreign}, 50, 50, 2)}
	inv := inventory(t, m.target())
	if s := standingOf(t, inv, foreign...); s.Typical != 2 || inv.Samples != 1 {
		t.Errorf("%d samples, %+v", inv.Samples, s)
	}
}

func TestInventoryOfSomeSamples(t *testing.T) {
	query := made{component: "query", samples: counts(stack{state: profile.StateSelect, frames: foreign}, 50, 3, 4)}.target()
	store := made{component: "store", samples: counts(stack{}, 0)}.target()
	nothing := profile.Target{Name: "down"}
	all := InventoryOf([]profile.Target{store, query, nothing}, nil)
	if len(all) != 2 || all[0].Component != "query" || all[1].Component != "store" || all[1].InFlight != nil {
		t.Fatalf("%+v", all)
	}
	rest := InventoryOf([]profile.Target{query, store}, func(s *profile.Sample) bool { return s.Time.After(start) })
	if len(rest) != 1 || rest[0].Samples != 2 {
		t.Fatalf("%+v", rest)
	}
	if s := standingOf(t, rest[0], foreign...); s.Least != 3 {
		t.Errorf("%+v", s)
	}
}

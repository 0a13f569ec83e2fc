package classify

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/thanosleak/thanosleak/profile"
)

// pumps is a querier with one stack besides its main function.
func pumps(load float64, n ...int) Inventory {
	target := made{component: "query", samples: counts(stack{state: profile.StateSelect, frames: foreign}, n...)}.target()
	if load >= 0 {
		target = withLoad(target, load)
	}
	return InventoryOf([]profile.Target{target}, nil)[0]
}

// told is a comparison in a line.
func (c ComponentComparison) told() string {
	var parts []string
	for _, d := range c.Differences {
		parts = append(parts, fmt.Sprintf("%s %g → %g", d.Kind, d.Base, d.New))
	}
	if c.RareNew+c.RareGone > 0 {
		parts = append(parts, fmt.Sprintf("rare %d+%d", c.RareNew, c.RareGone))
	}
	return strings.Join(parts, ", ")
}

// TestDifferences: what is a difference, at its edges. A load of -1 is not
// known.
func TestDifferences(t *testing.T) {
	for _, tt := range []struct {
		name      string
		base, now Inventory
		want      string
	}{
		{"the same", pumps(10, 20, 20, 20), pumps(10, 20, 20, 20), ""},
		{"1.5 times as many, and 8 more", pumps(10, 16, 16, 16), pumps(10, 24, 24, 24), ""}, // the base may have had 18
		{"twice as many", pumps(10, 16, 16, 16), pumps(10, 36, 36, 36), "grown 16 → 36"},
		{"half as many", pumps(10, 36, 36, 36), pumps(10, 16, 16, 16), "shrunk 36 → 16"},
		{"three times as many, but 7 more", pumps(10, 3, 3, 3), pumps(10, 10, 10, 10), ""},
		{"twice the load, twice as many", pumps(10, 20, 20, 20), pumps(20, 40, 40, 40), ""},
		{"twice the load, four times as many", pumps(10, 20, 20, 20), pumps(20, 80, 80, 80), "grown 20 → 80"},
		{"half the load, as many", pumps(20, 30, 30, 30), pumps(10, 30, 30, 30), ""},
		{"half the load, half as many", pumps(20, 40, 40, 40), pumps(10, 20, 20, 20), ""},
		{"load unknown in the base", pumps(-1, 16, 16, 16), pumps(10, 24, 24, 24), "grown 16 → 24"},
		{"load unknown now", pumps(10, 16, 16, 16), pumps(-1, 24, 24, 24), "grown 16 → 24"},
		{"load unknown, too few", pumps(-1, 16, 16, 16), pumps(-1, 23, 23, 23), ""},
		{"no load in the base", pumps(0, 16, 16, 16), pumps(10, 24, 24, 24), "grown 16 → 24"},
		{"new", pumps(10, 0, 0, 0), pumps(10, 1, 1, 1), "new 0 → 1"},
		{"new in half of the samples", pumps(10, 0, 0, 0), pumps(10, 0, 0, 2, 2), "new 0 → 1"},
		{"new in a few samples", pumps(10, 0, 0, 0), pumps(10, 0, 9, 0), "rare 1+0"},
		{"seen once in the base", pumps(10, 0, 1, 0), pumps(10, 3, 3, 3), ""},
		{"gone", pumps(10, 5, 5, 5), pumps(10, 0, 0, 0), "gone 5 → 0"},
		{"gone from a few samples", pumps(10, 5, 0, 0), pumps(10, 0, 0, 0), "rare 0+1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := Compare([]Inventory{tt.base}, []Inventory{tt.now}, nil)
			if len(c.Components) != 1 || c.Components[0].Component != "query" {
				t.Fatalf("%+v", c)
			}
			if got := c.Components[0].told(); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

// TestGrownInOneOfMany: a mean over a fleet hides the one process that leaks, and
// the one that has all the load is no leak.
func TestGrownInOneOfMany(t *testing.T) {
	fleet := func(loads []float64, n ...int) []Inventory {
		var targets []profile.Target
		for i, n := range n {
			m := made{name: fmt.Sprint(i), component: "query", samples: counts(stack{state: profile.StateSelect, frames: foreign}, n, n, n)}
			targets = append(targets, withLoad(m.target(), loads[i%len(loads)]))
		}
		return InventoryOf(targets, nil)
	}
	even := []float64{10}
	base := fleet(even, slices.Repeat([]int{4}, 60)...)
	for _, tt := range []struct {
		name string
		now  []Inventory
		want string
	}{
		{"all alike", fleet(even, slices.Repeat([]int{5}, 60)...), ""},
		{"one leaks", fleet(even, append(slices.Repeat([]int{4}, 59), 124)...), "grown 4 → 6 (4 → 124)"},
		{"one leaks, and they are fewer", fleet(even, 4, 4, 30), "grown 4 → 12.666666666666666 (4 → 30)"},
		{"one has all the load", fleet([]float64{10, 300}, 4, 120), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := Compare(base, tt.now, nil).Components[0]
			got := c.told()
			for _, d := range c.Differences {
				got += fmt.Sprintf(" (%g → %g)", d.BaseMost, d.NewMost)
			}
			if got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

// Stuck requests are in flight themselves: they must not excuse the leak that
// they are stuck in.
func TestGrowthOfAFinding(t *testing.T) {
	base, now := pumps(2, 2, 2, 2), pumps(200, 150, 150, 150)
	if got := Compare([]Inventory{base}, []Inventory{now}, nil).Components[0].told(); got != "" {
		t.Fatalf("%q: the case shows nothing", got)
	}
	id := standingOf(t, now, foreign...).PortableID
	finding := func(key string, level Level) Finding {
		return Finding{Key: key, Level: level, Stacks: []Stack{{Role: RoleVictim, PortableID: id}}}
	}
	c := Compare([]Inventory{base}, []Inventory{now}, []Finding{finding("TL-2024-001", Likely), finding("other", Suspect)}).Components[0]
	if c.told() != "grown 2 → 150" || c.Differences[0].Finding != "TL-2024-001" {
		t.Errorf("%s of finding %q", c.told(), c.Differences[0].Finding)
	}
	if c := Compare([]Inventory{base}, []Inventory{now}, []Finding{finding("k", Note)}).Components[0]; c.told() != "" {
		t.Errorf("%s: a note explains nothing", c.told())
	}
}

// TestMoved renames functions of a stack between the captures.
func TestMoved(t *testing.T) {
	old := []string{"poll.wait", "acme.(*Old).read", "acme.loop"}
	for _, tt := range []struct {
		name       string
		now        []string
		n          int
		before, by string // creators
		want       string
	}{
		{"one of three functions", []string{"poll.wait", "acme.(*New).read", "acme.loop"}, 6, "", "", "moved 5 → 6"},
		{"by the same creator", []string{"poll.wait", "acme.(*New).read", "acme.loop"}, 6, "acme.Start.func1", "acme.Start.func2", "moved 5 → 6"},
		{"by another creator", []string{"poll.wait", "acme.(*New).read", "acme.loop"}, 6, "acme.Start", "acme.Begin", "new 0 → 6, gone 5 → 0"},
		{"two of three functions", []string{"poll.wait", "acme.(*New).read", "acme.run"}, 6, "", "", "new 0 → 6, gone 5 → 0"},
		{"and many more of them", []string{"poll.wait", "acme.(*New).read", "acme.loop"}, 60, "", "", "new 0 → 60, gone 5 → 0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			of := func(frames []string, by string, n int) []Inventory {
				return InventoryOf([]profile.Target{made{component: "query", samples: counts(stack{state: profile.StateIOWait, frames: frames, by: by}, n, n, n)}.target()}, nil)
			}
			c := Compare(of(old, tt.before, 5), of(tt.now, tt.by, tt.n), nil).Components[0]
			if c.told() != tt.want {
				t.Fatalf("%q, want %q", c.told(), tt.want)
			}
			if d := c.Differences[0]; d.Kind == DifferenceMoved && (d.MovedFrom != old[1] || d.Frames[1].Func != tt.now[1]) {
				t.Errorf("moved from %q to %v", d.MovedFrom, d.Frames)
			}
		})
	}
}

// TestDifferencesInOrder: kinds in their order, most goroutines first.
func TestDifferencesInOrder(t *testing.T) {
	of := func(n map[string]int) []Inventory {
		var stacks []stack
		for name, c := range n {
			stacks = append(stacks, stack{n: c, state: profile.StateSelect, frames: []string{"acme." + name}})
		}
		return InventoryOf([]profile.Target{made{component: "query", samples: [][]stack{stacks, stacks, stacks}}.target()}, nil)
	}
	c := Compare(of(map[string]int{"shrinks": 40, "gone": 3, "goneMost": 30, "grows": 10, "growsMost": 30, "same": 4}),
		of(map[string]int{"shrinks": 4, "grows": 30, "growsMost": 90, "new": 2, "newMost": 20, "same": 5}), nil).Components[0]
	var got []string
	for _, d := range c.Differences {
		got = append(got, strings.TrimPrefix(d.Frames[0].Func, "acme."))
	}
	if d := cmp.Diff([]string{"growsMost", "grows", "newMost", "new", "goneMost", "gone", "shrinks"}, got); d != "" {
		t.Error(d)
	}
}

// What moved did not change its number: all that there are now count.
func TestWeight(t *testing.T) {
	for kind, want := range map[DifferenceKind]float64{DifferenceGrown: 7, DifferenceShrunk: 7, DifferenceMoved: 3} {
		if got := (&Difference{Kind: kind, Base: 10, New: 3}).Weight(); got != want {
			t.Errorf("%s: %v, want %v", kind, got, want)
		}
	}
}

func TestComparedComponents(t *testing.T) {
	of := func(components ...string) []Inventory {
		var targets []profile.Target
		for _, c := range components {
			targets = append(targets, made{component: c, samples: [][]stack{{{n: 1, frames: foreign}}}}.target())
		}
		return InventoryOf(targets, nil)
	}
	c := Compare(of("store", "query", ""), of("query", "receive"), nil)
	if len(c.Components) != 1 || c.Components[0].Component != "query" {
		t.Fatalf("%+v", c.Components)
	}
	if d := cmp.Diff([][]string{{"unknown", "store"}, {"receive"}}, [][]string{c.OnlyBase, c.OnlyNew}); d != "" {
		t.Error(d)
	}
}

// TestDoubts: what may mislead is said, and nothing where nothing does.
func TestDoubts(t *testing.T) {
	one := func(f profile.Facts, load float64, samples int) Inventory {
		target := made{component: "query", samples: counts(stack{state: profile.StateSelect, frames: foreign}, slices.Repeat([]int{1}, samples)...)}.target()
		target.Facts = f
		if load >= 0 {
			target = withLoad(target, load)
		}
		return InventoryOf([]profile.Target{target}, nil)[0]
	}
	old := profile.Facts{Version: "0.35.1", Revision: "086a698b2195adb6f3463ebbd032e780f39d2050", GoVersion: "go1.26.8"}
	newer := profile.Facts{Version: "0.36.0", Revision: "cfff5518d37756715a1cee43c42b21f4afccfbf2", GoVersion: "go1.26.1"}
	two := func(a, b profile.Facts) Inventory {
		var targets []profile.Target
		for _, f := range []profile.Facts{a, b} {
			t := withLoad(made{component: "query", samples: [][]stack{{}, {}, {}}}.target(), 10)
			t.Facts = f
			targets = append(targets, t)
		}
		return InventoryOf(targets, nil)[0]
	}
	for _, tt := range []struct {
		name      string
		base, now Inventory
		want      []string
	}{
		{"nothing", one(old, 10, 3), one(newer, 49, 3), []string{}},
		{"the same commit", one(old, 10, 3), one(old, 10, 3), []string{"both are the same build (revision 086a698b2195)"}},
		{"the same release, commits unknown", one(profile.Facts{Version: "0.35.1"}, 10, 3), one(profile.Facts{Version: "0.35.1"}, 10, 3),
			[]string{"both are the same build (v0.35.1)"}},
		{"the same release, one commit unknown", one(profile.Facts{Version: "0.35.1"}, 10, 3), one(old, 10, 3), []string{}},
		{"another Go", one(profile.Facts{GoVersion: "go1.21.13"}, 10, 3), one(newer, 10, 3), []string{"built with go1.21, this with go1.26"}},
		{"two releases on one side", two(old, newer), one(newer, 10, 3), []string{"the base is of v0.35.1, v0.36.0"}},
		{"few samples", one(old, 10, 2), one(newer, 10, 1), []string{"the base has 2 samples only", "this capture has 1 sample only"}},
		{"load unknown", one(old, -1, 3), one(newer, 10, 3), []string{"not known how many requests"}},
		{"no load at all", one(old, 0, 3), one(newer, 0, 3), []string{}},
		{"load in one of them", one(old, 0, 3), one(newer, 10, 3), []string{"the load differs, requests in flight: 0 in the base and 10 now"}},
		{"five times the load", one(old, 10, 3), one(newer, 50, 3), []string{"the load differs, requests in flight: 10 in the base and 50 now"}},
		{"a fifth of the load", one(old, 50, 3), one(newer, 10, 3), []string{"the load differs, requests in flight: 50 in the base and 10 now"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := Compare([]Inventory{tt.base}, []Inventory{tt.now}, nil).Warnings
			if len(got) != len(tt.want) || got == nil {
				t.Fatalf("%q, want %q", got, tt.want)
			}
			for i, w := range tt.want {
				mustContain(t, got[i], w)
			}
		})
	}
}

// What holds for some of several components names them; what holds for all does
// not.
func TestDoubtsOfComponents(t *testing.T) {
	of := func(load float64) []Inventory {
		query := withLoad(made{component: "query", samples: [][]stack{{}, {}, {}}}.target(), load)
		store := withLoad(made{component: "store", samples: [][]stack{{}, {}}}.target(), load)
		return InventoryOf([]profile.Target{query, store}, nil)
	}
	got := Compare(of(1), of(10), nil).Warnings
	want := []string{"the load differs, requests in flight: 1 in the base and 10 now", "store: the base has 2 samples", "store: this capture has 2 samples"}
	if len(got) != len(want) {
		t.Fatalf("%q", got)
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("%q, want %q", got[i], want[i])
		}
	}
}

func TestAmount(t *testing.T) {
	for n, want := range map[float64]string{0: "0", 0.004: "<0.01", 0.01: "0.01", 0.04: "0.04", 0.1: "0.1", 0.5: "0.5", 1: "1", 1.04: "1", 9.94: "9.9", 9.96: "10", 10.4: "10", 285.75: "286"} {
		if got := Amount(n); got != want {
			t.Errorf("Amount(%v) = %s, want %s", n, got, want)
		}
	}
}

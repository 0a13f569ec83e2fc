package classify_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/thanosleak/thanosleak/classify"
	"github.com/thanosleak/thanosleak/profile"
)

// comparedCaptures compares two real captures as the command does.
func comparedCaptures(t *testing.T, base, newer string) *classify.Comparison {
	t.Helper()
	targets := read(t, unpacked(t, newer), newer)
	return classify.Compare(classify.InventoryOf(read(t, unpacked(t, base), base), nil),
		classify.InventoryOf(targets, nil), judge(t, targets).Findings)
}

// kindsOf counts the differences of each kind in all components.
func kindsOf(c *classify.Comparison) map[classify.DifferenceKind]int {
	n := map[classify.DifferenceKind]int{}
	for _, component := range c.Components {
		for _, d := range component.Differences {
			n[d.Kind]++
		}
	}
	return n
}

// TestCompareCorpus: what differs between real captures. Other loads of the same
// release are no growth.
func TestCompareCorpus(t *testing.T) {
	const healthy = "v0.35.1-healthy"
	for _, tt := range []struct {
		base, newer string
		want        map[classify.DifferenceKind]int
	}{
		{healthy, healthy, map[classify.DifferenceKind]int{}},
		{"steady-v0.42.4", "steady-v0.42.4", map[classify.DifferenceKind]int{}},
		{healthy, "v0.35.1-risingload-noleak", map[classify.DifferenceKind]int{"new": 4}}, // shapes of queries
		{healthy, "v0.36.1-slowstore-eager", map[classify.DifferenceKind]int{"new": 1}},   // keepalive
		{healthy, "v0.36.0-slowstore-lazy", map[classify.DifferenceKind]int{"new": 10}},
		{"v0.36.0-slowstore-lazy", healthy, map[classify.DifferenceKind]int{"gone": 10}},
	} {
		t.Run(tt.base+" and "+tt.newer, func(t *testing.T) {
			t.Parallel()
			c := comparedCaptures(t, tt.base, tt.newer)
			if d := cmp.Diff(tt.want, kindsOf(c)); d != "" {
				t.Errorf("(-want +got)\n%s", d)
			}
			if len(c.Components) == 0 || len(c.OnlyBase)+len(c.OnlyNew) > 0 {
				t.Errorf("%d components, %v and %v on one side", len(c.Components), c.OnlyBase, c.OnlyNew)
			}
		})
	}
}

// TestTheGrowthIsTheLeak: of what is new, nearly all is the finding's.
func TestTheGrowthIsTheLeak(t *testing.T) {
	c := comparedCaptures(t, "v0.35.1-healthy", "v0.36.0-slowstore-lazy")
	found, all := 0.0, 0.0
	for _, d := range c.Components[0].Differences {
		all += d.New - d.Base
		if d.Finding == "TL-2024-001" {
			found += d.New - d.Base
		}
	}
	if all < 200 || found < 0.95*all {
		t.Errorf("%.0f of %.0f goroutines that are new are the leak's", found, all)
	}
}

// TestBaselineOfCorpus: what a release had at rest is accepted by its own
// baseline, read again from its file, and a leak is beyond it. Every portable form
// stays what it is, which the reader insists on.
func TestBaselineOfCorpus(t *testing.T) {
	inventories := map[string][]classify.Inventory{}
	for _, scenario := range []string{"v0.35.1-healthy", "steady-v0.42.4", "v0.36.0-slowstore-lazy", "v0.35.1-risingload-noleak", "v0.35.0-receive-issue6948-leak"} {
		targets := read(t, unpacked(t, scenario), scenario)
		last := targets[0].Samples[len(targets[0].Samples)-1].Time
		inventories[scenario] = classify.InventoryOf(targets, func(s *profile.Sample) bool { return last.Sub(s.Time) < 20*time.Second })
		content, err := classify.NewBaseline(nil, inventories[scenario], "v0.1.0", last).Marshal()
		if err != nil {
			t.Fatal(err)
		}
		b, err := classify.ParseBaseline(scenario, content)
		if err != nil {
			t.Fatal(err)
		}
		for _, inv := range inventories[scenario] {
			if beyond := b.Beyond(inv); len(beyond) > 0 {
				t.Errorf("%s, %s: %d stacks are beyond their own baseline", scenario, inv.Component, len(beyond))
			}
		}
	}
	beyond := classify.NewBaseline(nil, inventories["v0.35.1-healthy"], "", time.Time{}).Beyond(inventories["v0.36.0-slowstore-lazy"][0])
	i := slices.IndexFunc(beyond, func(s classify.Beyond) bool {
		return s.Functions[0] == "github.com/thanos-io/thanos/pkg/store.newLazyRespSet.func*.*"
	})
	if i < 0 || beyond[i].Least != 144 || beyond[i].Accepted != 0 {
		t.Errorf("the leak is not beyond the baseline: %s", fmt.Sprint(beyond))
	}
}

package classify

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/thanosleak/thanosleak/classify/advisory"
	"github.com/thanosleak/thanosleak/profile"
)

// TestExposed looks at processes that do not show the leak.
func TestExposed(t *testing.T) {
	timeout := func(v string) map[string]string { return map[string]string{"store.response-timeout": v} }
	for _, tt := range []struct {
		name, component, version string
		flags                    map[string]string
		want                     []string
	}{
		{"all that it needs", "query", "0.35.1", timeout("2s"), []string{"TL-2024-001", "TL-2024-006", "TL-2026-002"}},
		{"no time-out", "query", "0.35.1", timeout("0s"), []string{"TL-2024-006", "TL-2026-002"}},
		{"flags unknown", "query", "0.35.1", nil, []string{"TL-2024-006", "TL-2026-002"}},
		{"the fixed release", "query", "0.36.1", timeout("2s"), []string{"TL-2026-002"}},
		{"the release before", "query", "0.35.0", timeout("2s"), []string{"TL-2024-006", "TL-2026-002"}},
		{"another's build", "query", "0.35.1-acme.2", timeout("2s"), []string{}},
		{"version unknown", "query", "", timeout("2s"), []string{}},
		{"component unknown", "", "0.35.1", timeout("2s"), []string{}},
		{"a receiver", "receive", "0.35.0", nil, []string{"TL-2024-002", "TL-2024-008"}},
		{"a receiver of the next release", "receive", "0.35.1", nil, []string{"TL-2024-008"}},
		{"a receiver that ends in a crash", "receive", "0.38.0", nil, []string{"TL-2025-004", "TL-2026-005"}},
		{"a store gateway that has both", "store", "0.30.1", nil, []string{"TL-2023-002"}},
		{"a flag that is at its default", "store", "0.42.4", nil, []string{"TL-2026-001"}},
		{"a flag that was set", "store", "0.42.4", map[string]string{"block-discovery-strategy": "recursive"}, []string{}},
		{"a setting that no process tells", "receive", "0.39.0", nil, []string{"TL-2026-005"}},
		{"none", "query", "0.42.4", timeout("2s"), []string{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := judged(t, made{component: tt.component, version: tt.version, flags: tt.flags, samples: counts(pump, 1)})
			if d := cmp.Diff(tt.want, r.Targets[0].Exposed); d != "" {
				t.Error(d)
			}
		})
	}
	r := judged(t, made{component: "query", version: "0.35.1", flags: timeout("2s"), samples: counts(leaked, 1)})
	if e := r.Targets[0].Exposed; slices.Contains(e, "TL-2024-001") {
		t.Errorf("exposed to what was found: %v", e)
	}
}

func TestPrecondition(t *testing.T) {
	no, met := new(bool), yes()
	above := advisory.Precondition{Text: "t", Flag: "f", Above: "0s"}
	oneOf := advisory.Precondition{Text: "t", Flag: "f", Is: []string{"eager", ""}}
	chained := advisory.Precondition{Text: "t", Topology: advisory.ChainedQueriers, Optional: true}
	dead := advisory.Precondition{Text: "t", Topology: advisory.DeadEndpoint}
	flag := func(v string) profile.Facts { return profile.Facts{Flags: map[string]string{"f": v}} }
	endpoints := func(e ...profile.Endpoint) profile.Facts { return profile.Facts{Endpoints: e} }
	for _, tt := range []struct {
		name     string
		c        advisory.Precondition
		facts    profile.Facts
		met      *bool
		observed string
	}{
		{"above", above, flag("2s"), met, "--f=2s"},
		{"not above", above, flag("0s"), no, "--f=0s"},
		{"below", above, flag("-1s"), no, "--f=-1s"},
		{"a day, as Thanos spells it", above, flag("1d"), met, "--f=1d"},
		{"two units", above, flag("1m30s"), met, "--f=1m30s"},
		{"no duration", above, flag("much"), nil, "--f=much"},
		{"flag unknown", above, profile.Facts{}, nil, ""},
		{"another flag", above, profile.Facts{Flags: map[string]string{"g": "1s"}}, nil, ""},
		{"one of", oneOf, flag("eager"), met, "--f=eager"},
		{"one of, empty", oneOf, flag(""), met, "--f="},
		{"none of", oneOf, flag("lazy"), no, "--f=lazy"},
		{"endpoints unknown", chained, profile.Facts{}, nil, ""},
		{"no endpoints", chained, endpoints([]profile.Endpoint{}...), no, "no querier among the endpoints"},
		{"stores", chained, endpoints(profile.Endpoint{Type: "store", Name: "s"}), no, "no querier among the endpoints"},
		{"a dead endpoint", dead, endpoints(profile.Endpoint{Name: "a", Down: true}, profile.Endpoint{Name: "b"}), met, "cannot be reached: a"},
		{"none that is known to be dead", dead, endpoints(profile.Endpoint{Name: "b"}), nil, ""},
		{"queriers", chained, endpoints(profile.Endpoint{Type: "query", Name: "b"}, profile.Endpoint{Type: "query", Name: "a"}), met, "queries a and b"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := newProcess(&profile.Target{Facts: tt.facts}).precondition(tt.c)
			want := PreconditionState{Text: "t", Met: tt.met, Observed: tt.observed, Optional: tt.c.Optional}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestOptionalExcludesNothing: a leak that fires without it too is not excluded where
// it does not hold.
func TestOptionalExcludesNothing(t *testing.T) {
	no := new(bool)
	if !excluded([]PreconditionState{{Met: yes()}, {Met: no}}) {
		t.Error("what is needed does not hold, and nothing is excluded")
	}
	if excluded([]PreconditionState{{Met: no, Optional: true}, {Met: yes()}, {}}) {
		t.Error("excluded by what is not needed, or not known")
	}
}

// TestScales: which rows explain growth by something else than a leak.
func TestScales(t *testing.T) {
	for _, tt := range []struct {
		row  *advisory.Benign
		want bool
	}{
		{nil, false},
		{&advisory.Benign{ScalesWith: "connections"}, true},
		{&advisory.Benign{ScalesWith: advisory.Constant}, false},
		{&advisory.Benign{ScalesWith: "requests", InFlight: true}, false},
	} {
		if got := (&column{benign: tt.row}).scales(); got != tt.want {
			t.Errorf("%+v: %t, want %t", tt.row, got, tt.want)
		}
	}
}

// TestPreconditionsInResult: what an advisory needs is told as met, not met or
// unknown; what is optional never speaks against it.
func TestPreconditionsInResult(t *testing.T) {
	f := only(t, judged(t, made{component: "query", version: "0.35.1", samples: counts(leaked, 3),
		flags: map[string]string{"store.response-timeout": "0s"}, endpoints: []profile.Endpoint{{Type: "store", Name: "s"}}}))
	got := ""
	for _, p := range f.Occurrences[0].Preconditions {
		if p.Met == nil {
			got += "unknown; "
			continue
		}
		got += fmt.Sprintf("%v %s; ", *p.Met, p.Observed)
	}
	if want := "false --store.response-timeout=0s; false no querier among the endpoints; unknown; "; got != want {
		t.Errorf("got %q", got)
	}
	contrary := 0
	for _, e := range f.Occurrences[0].Evidence {
		if e.Strength == Contrary {
			contrary++
			mustContain(t, e.Text, "--store.response-timeout=0s", "cannot fire")
		}
	}
	if contrary != 1 {
		t.Errorf("%d pieces of contrary evidence, want 1", contrary)
	}
}

func TestWarnings(t *testing.T) {
	for _, tt := range []struct {
		name, version string
		change        func(*profile.Target)
		want          []string
	}{
		{"nothing", "0.35.1", func(*profile.Target) {}, []string{}},
		{"a candidate", "0.36.0-rc.1", func(*profile.Target) {}, []string{}},
		{"another's build", "0.35.1-acme.2", func(*profile.Target) {}, []string{"one: v0.35.1-acme.2 is not an official release: what it has patched is not known"}},
		{"no release", "main-2f1", func(*profile.Target) {}, []string{`one: version "main-2f1" is no Thanos release: judged as of unknown version`}},
		{"of the target and of its newest sample", "", func(x *profile.Target) {
			x.Warnings = []string{"one file was passed over"}
			x.Samples[0].Goroutines.Warnings = []string{"old"}
			x.Samples[1].Goroutines.Warnings = []string{"the dump is cut"}
		}, []string{"one: one file was passed over", "one: the dump is cut"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			x := made{version: tt.version, samples: counts(pump, 1, 1)}.target()
			tt.change(&x)
			if d := cmp.Diff(tt.want, judgedTargets(t, x).Warnings); d != "" {
				t.Error(d)
			}
		})
	}
}

// TestTargetResult checks the numbers that are told of a target.
func TestTargetResult(t *testing.T) {
	x := made{name: "q", url: "http://q", component: "query", version: "0.42.4", starts: restarted(1, 2),
		samples: side(counts(pump, 3, 90, 5), counts(other, 1, 1, 2))}.target()
	x.Samples[2].Metrics["process_resident_memory_bytes"] = []profile.Value{{Value: 1 << 30}}
	r := judgedTargets(t, x).Targets[0]
	if r.Goroutines != (Goroutines{First: 5, Last: 8, Max: 92}) || r.Restarts != 1 || r.Component != "query" {
		t.Errorf("%+v", r)
	}
	if r.ResidentBytes == nil || *r.ResidentBytes != 1<<30 || r.StackBytes != nil {
		t.Errorf("bytes %v, %v", r.ResidentBytes, r.StackBytes)
	}
	if !r.FirstSample.Equal(x.Samples[0].Time) || !r.LastSample.Equal(x.Samples[2].Time) {
		t.Errorf("samples from %v to %v", r.FirstSample, r.LastSample)
	}
	if len(r.Top) != 3 || r.Top[0].Count != 5 || r.Top[0].Frames[0].Func != foreign[0] {
		t.Errorf("top %+v", r.Top)
	}
	if got := fmt.Sprint(r.Totals[0].Life, r.Totals[1].Life, r.Totals[2].Life); got != "0 1 1" {
		t.Errorf("lives %s", got)
	}
	none := judgedTargets(t, profile.Target{Name: "x", Err: "connection refused"}).Targets[0]
	if none.Judged != JudgedNo || none.Error != "connection refused" || none.FirstSample != nil || none.VersionSource != "unknown" {
		t.Errorf("%+v", none)
	}
}

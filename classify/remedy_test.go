package classify

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/thanosleak/thanosleak/classify/advisory"
	"github.com/thanosleak/thanosleak/profile"
)

// steps is a line for each step of a remedy.
func steps(r Remedy) string {
	var lines []string
	for _, s := range r.Steps {
		line := s.Kind + ": " + s.Text
		if s.Command != "" {
			line += " | " + s.Command
		}
		if s.Cost != "" {
			line += " | cost: " + s.Cost
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func yes() *bool { b := true; return &b }

// A version that is not known is no reason to go back to before the leak.
func TestRemedyOfOpenLeak(t *testing.T) {
	for _, version := range []string{"", "0.35.0", "0.42.4", "0.42.4-acme.1"} {
		f := only(t, judged(t, made{component: "store", version: version, samples: listings([]int{320})}))
		r := f.Remedies[0]
		if r.GoTo != "" || r.Newest != "0.42.4" {
			t.Errorf("%q: go to %q, newest %q", version, r.GoTo, r.Newest)
		}
		mustContain(t, steps(r), "no release without it is known (newest v0.42.4): mitigate", "--block-discovery-strategy=recursive", "every object of the bucket is listed")
	}
}

// kinds are the kinds of the steps in their order.
func kinds(r Remedy) string {
	var all []string
	for _, s := range r.Steps {
		all = append(all, s.Kind)
	}
	return strings.Join(all, " ")
}

func TestRemedy(t *testing.T) {
	base := made{component: "query", version: "0.35.1", samples: counts(leaked, 5)}
	const (
		unset = " | --store.response-timeout=0s | cost: a silent store holds its query until --query.timeout (2m)"
		fix   = "upgrade: go to v0.36.1, the first without it; newest v0.42.4"
	)
	for _, tt := range []struct {
		name     string
		change   func(*made)
		affected *bool
		goTo     string
		steps    []string // parts
		avoid    int
	}{
		{"affected", func(*made) {}, yes(), "0.36.1", []string{"save: ", "and all queriers that query it or that it queries", unset, fix, "verify: verify under load", "thanosleak scan http://HOST:10902"}, 3},
		{"the next release", func(m *made) { m.version = "0.36.0" }, yes(), "0.36.1", []string{unset, fix}, 2},
		{"an unknown version", func(m *made) { m.version = "" }, nil, "", []string{unset,
			"upgrade: affected are v0.35.1 up to before v0.36.1: find out the version", "--thanos-version; newest is v0.42.4"}, 3},
		{"another's build", func(m *made) { m.version = "0.35.1-acme.2" }, nil, "0.36.1", []string{unset, fix}, 3},
		{"a candidate", func(m *made) { m.version = "0.36.0-rc.1" }, yes(), "0.36.1", []string{unset, fix}, 2},
		{"its own time-out", func(m *made) { m.flags = map[string]string{"query.timeout": "30s"} }, yes(), "0.36.1",
			[]string{"until --query.timeout (30s)"}, 3},
		{"an address", func(m *made) { m.url = "http://q:10902" }, yes(), "0.36.1",
			[]string{"| thanosleak scan http://q:10902 --dir incident.tar.gz\n", "| thanosleak scan http://q:10902"}, 3},
		{"an address with signs", func(m *made) { m.url = "http://[::1]:10902/a b" }, yes(), "0.36.1",
			[]string{"| thanosleak scan 'http://[::1]:10902/a b' --dir incident.tar.gz\n"}, 3},
		{"stores only", func(m *made) { m.endpoints = []profile.Endpoint{{Type: "store", Name: "s:1"}} }, yes(), "0.36.1",
			[]string{"and the queriers that query it, if there are any"}, 3},
		{"chained", func(m *made) {
			m.endpoints = []profile.Endpoint{{Type: "query", Name: "leaf-b:1"}, {Type: "query", Name: "leaf-a:1"}, {Type: "store", Name: "s:1"}}
		}, yes(), "0.36.1", []string{"restart both tiers", "leaf-a:1 and leaf-b:1"}, 3},
		{"a store gateway", func(m *made) { m.component = "store" }, yes(), "0.36.1", []string{
			"mitigate: restart the store gateway", "cost: queries through this store gateway fail while it loads its blocks", fix}, 1},
		{"an unknown component is taken for a querier", func(m *made) { m.component = "" }, yes(), "0.36.1", []string{unset, fix}, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := base
			tt.change(&m)
			f := only(t, judged(t, m))
			if len(f.Remedies) != 1 {
				t.Fatalf("%d remedies", len(f.Remedies))
			}
			r := f.Remedies[0]
			mustContain(t, steps(r), tt.steps...)
			if got, want := kinds(r), "save mitigate restart upgrade verify"; got != want {
				t.Errorf("steps %s, want %s", got, want)
			}
			want := Remedy{Targets: []string{"one"}, Version: m.version, Affected: tt.affected, GoTo: tt.goTo, Newest: "0.42.4", Steps: r.Steps, Avoid: r.Avoid}
			if d := cmp.Diff(want, r); d != "" {
				t.Error(d)
			}
			if len(r.Avoid) != tt.avoid {
				t.Errorf("to avoid: %q", r.Avoid)
			}
		})
	}
}

// What is kept already need not be saved again.
func TestRemedyKept(t *testing.T) {
	db, err := advisory.Default()
	if err != nil {
		t.Fatal(err)
	}
	m := made{url: "http://q:10902", component: "query", version: "0.35.1", samples: counts(leaked, 5)}
	r := Judge([]profile.Target{m.target()}, Options{Thresholds: DefaultThresholds(), Advisories: db, Kept: "history"})
	save := only(t, r).Remedies[0].Steps[0]
	if save.Kind != StepSave || save.Command != "" {
		t.Errorf("%+v", save)
	}
	mustContain(t, save.Text, "history")
}

// Not the first fixed release, but the first that brings nothing as bad.
func TestRemedySkips(t *testing.T) {
	f := only(t, judged(t, made{component: "receive", version: "0.35.0", samples: counts(sending, rising(8)...)}))
	mustContain(t, steps(f.Remedies[0]),
		"go to v0.36.1; newest v0.42.4. Not to v0.35.1 and v0.36.0: without this leak, but bring TL-2024-001")
	if f.Remedies[0].GoTo != "0.36.1" {
		t.Errorf("go to %q", f.Remedies[0].GoTo)
	}
}

// A pile-up has no release without it; without an advisory there is nothing to
// do but to look on.
func TestRemedyWithoutRelease(t *testing.T) {
	for _, tt := range []struct {
		name string
		st   stack
		want string
	}{
		{"open", reading, "upgrade: no release without it is known (newest v0.42.4): mitigate"},
		{"unknown", pump, "verify: see whether it goes on | thanosleak scan http://HOST:10902"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := only(t, judged(t, made{component: "query", version: "0.42.4", samples: counts(tt.st, rising(8)...)}))
			mustContain(t, steps(f.Remedies[0]), tt.want)
			if f.Remedies[0].GoTo != "" {
				t.Errorf("go to %q", f.Remedies[0].GoTo)
			}
		})
	}
}

// TestRemedies judges several processes in one run.
func TestRemedies(t *testing.T) {
	leaf := []profile.Endpoint{{Type: "query", Name: "leaf:10901"}}
	q := func(name, version string, endpoints []profile.Endpoint) made {
		return made{name: name, component: "query", version: version, endpoints: endpoints, samples: counts(leaked, 5)}
	}
	none := []profile.Endpoint{}
	for _, tt := range []struct {
		name    string
		targets []made
		want    []string // for each remedy its targets and, behind a colon, parts of its first mitigation
	}{
		{"two tiers", []made{q("upper", "0.35.1", leaf), q("leaf", "0.35.1", none)}, []string{
			"upper leaf: set --store.response-timeout=0s, both tiers, upper, leaf"}},
		{"two tiers, one of them well", []made{q("upper", "0.35.1", leaf),
			{name: "leaf", component: "query", version: "0.36.1", endpoints: none, samples: counts(pump, 3)}}, []string{
			"upper: set --store.response-timeout=0s, both tiers, leaf:10901"}},
		{"several versions", []made{q("q-a", "0.35.1", none), q("q-b", "0.36.0", none), q("q-c", "0.35.1", none)}, []string{
			"q-a q-c: set --store.response-timeout=0s, q-a and q-c", "q-b: set --store.response-timeout=0s, and restart"}},
		{"several components", []made{q("q-a", "0.35.1", none), {name: "s", component: "store", version: "0.35.1", samples: counts(leaked, 1)}}, []string{
			"q-a: set --store.response-timeout=0s", "s: restart the store gateway"}},
		{"known and unknown versions", []made{q("q-a", "", none), q("q-b", "0.36.0", none)}, []string{
			"q-a: set --store.response-timeout=0s", "q-b: set --store.response-timeout=0s"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := only(t, judged(t, tt.targets...))
			if len(f.Remedies) != len(tt.want) {
				t.Fatalf("%d remedies, want %d", len(f.Remedies), len(tt.want))
			}
			for i, r := range f.Remedies {
				targets, parts, _ := strings.Cut(tt.want[i], ": ")
				if got := strings.Join(r.Targets, " "); got != targets {
					t.Errorf("remedy for %s, want %s", got, targets)
				}
				mustContain(t, r.Steps[1].Text, strings.Split(parts, ", ")...)
			}
		})
	}
}

// One finding over many targets, with an occurrence for each in their order.
func TestOccurrences(t *testing.T) {
	var targets []made
	for _, name := range []string{"q-2", "q-0", "q-1"} {
		targets = append(targets, made{name: name, component: "query", version: "0.35.1",
			flags: map[string]string{"store.response-timeout": map[string]string{"q-2": "2s", "q-0": "1s", "q-1": "2s"}[name]}, samples: counts(leaked, 5)})
	}
	targets = append(targets, made{name: "well", component: "query", version: "0.36.1", samples: counts(pump, 1)})
	f := only(t, judged(t, targets...))
	got := ""
	for _, o := range f.Occurrences {
		got += o.Target + " "
	}
	if got != "q-2 q-0 q-1 " || f.Culprits != 15 {
		t.Errorf("%d on %s", f.Culprits, got)
	}
	if len(f.Stacks) != 1 || f.Stacks[0].Count != 15 {
		t.Errorf("%d stacks: %+v", len(f.Stacks), f.Stacks)
	}
	mustContain(t, f.Why, "(here 2s and 1s)")
}

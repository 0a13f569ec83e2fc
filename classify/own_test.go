package classify

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/thanosleak/thanosleak/classify/advisory"
	"github.com/thanosleak/thanosleak/profile"
)

// ownAdvisory has the fields by which a process is exposed, as a user writes
// them.
const ownAdvisory = `id: OWN-1
title: Widgets leak
why: The pump is never told to stop.
summary: A story.
components: [query, store]
class: leak
severity: high
affected:
  - introduced: 0.35.0
    fixed: 0.37.0
    except: [0.36.0-rc.1]
known_from: captured
culprits:
  - name: pump
    frames: [acme.pump]
    in_health: never
preconditions:
  - text: widgets are pumped
    flag: widgets
    is: [pumped, "on"]
    components: [store]
  - text: a pump stops
    look: the log of the pump
    event: true
symptoms: [The pump is hot.]
mitigate:
  - text: pump by hand
    command: --widgets=off
    releases: {introduced: 0.36.0, fixed: 0.37.0}
  - text: do not pump
    releases: {introduced: 0.35.0, fixed: 0.36.0}
restart: restart it before it is hot
avoid:
  - text: a second pump
verify: with a pump
`

// TestToldOfOwn: what a user's advisory says reaches whoever reads the finding.
func TestToldOfOwn(t *testing.T) {
	db := &advisory.DB{}
	if err := db.Load(fstest.MapFS{"own.yaml": {Data: []byte(ownAdvisory)}}); err != nil {
		t.Fatal(err)
	}
	m := made{component: "query", version: "0.35.1", samples: counts(stack{frames: []string{"acme.pump"}}, 3)}
	f := only(t, Judge([]profile.Target{m.target()}, Options{Thresholds: DefaultThresholds(), Advisories: db}))
	if d := cmp.Diff([]string{"The pump is hot."}, f.Symptoms); d != "" {
		t.Error(d)
	}
	r := f.Remedies[0]
	mustContain(t, steps(r), "mitigate: do not pump", "restart: restart it before it is hot", "verify: verify with a pump")
	if strings.Contains(steps(r), "pump by hand") {
		t.Errorf("a mitigation of another release:\n%s", steps(r))
	}
	if d := cmp.Diff([]string{"a second pump"}, r.Avoid); d != "" {
		t.Error(d)
	}
	if looks := f.Occurrences[0].Preconditions; len(looks) != 1 || looks[0].Look != "the log of the pump" || looks[0].Text != "a pump stops" {
		t.Errorf("%+v", looks)
	}
}

// TestExposedToOwn: what a user's advisory says of releases, components and flags
// decides who is exposed.
func TestExposedToOwn(t *testing.T) {
	db := &advisory.DB{}
	if err := db.Load(fstest.MapFS{"own.yaml": {Data: []byte(ownAdvisory)}}); err != nil {
		t.Fatal(err)
	}
	widgets := func(v string) map[string]string { return map[string]string{"widgets": v} }
	for _, tt := range []struct {
		name, component, version string
		flags                    map[string]string
		want                     bool
	}{
		{"no flag is needed here", "query", "0.36.0", nil, true},
		{"the flag is not known", "store", "0.36.0", nil, false},
		{"the flag as it is needed", "store", "0.36.0", widgets("on"), true},
		{"another value", "store", "0.36.0", widgets("off"), false},
		{"a release candidate without the leak", "query", "0.36.0-rc.1", nil, false},
		{"one with it", "query", "0.36.0-rc.0", nil, true},
		{"another component", "receive", "0.36.0", nil, false},
		{"the fixed release", "query", "0.37.0", nil, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := made{component: tt.component, version: tt.version, flags: tt.flags, samples: counts(pump, 1)}
			r := Judge([]profile.Target{m.target()}, Options{Thresholds: DefaultThresholds(), Advisories: db})
			if got := slices.Contains(r.Targets[0].Exposed, "OWN-1"); got != tt.want {
				t.Errorf("exposed %t, want %t", got, tt.want)
			}
		})
	}
}

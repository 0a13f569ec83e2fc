package advisory

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseRelease(t *testing.T) {
	for _, tt := range []struct {
		version  string
		want     Release
		official bool
	}{
		{"0.35.1", Release{Number: "v0.35.1"}, true},
		{"v0.35.1", Release{Number: "v0.35.1"}, true},
		{" v0.35.1\n", Release{Number: "v0.35.1"}, true},
		{"0.36.1-rc.0", Release{Number: "v0.36.1", Suffix: "-rc.0"}, true},
		{"0.36.1-rc.12", Release{Number: "v0.36.1", Suffix: "-rc.12"}, true},
		{"0.35.1-acme.2", Release{Number: "v0.35.1", Suffix: "-acme.2"}, false},
		{"0.43.0-dev", Release{Number: "v0.43.0", Suffix: "-dev"}, false},
		{"0.36.1-rc.0.acme", Release{Number: "v0.36.1", Suffix: "-rc.0.acme"}, false},
		{"0.35.1+build7", Release{Number: "v0.35.1", Suffix: "+build7"}, false},
		{"10.20.30", Release{Number: "v10.20.30"}, true},
	} {
		t.Run(tt.version, func(t *testing.T) {
			got, err := ParseRelease(tt.version)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
			if got.Official() != tt.official {
				t.Errorf("official: %v", got.Official())
			}
		})
	}
	for _, version := range []string{"", "v", "0.35", "0.35.1.2", "main", "vv0.35.1", "0.35.x", "v0.35.1 ours", "-0.35.1", "2.50.0beta", "2024.06.1"} {
		t.Run("not "+version, func(t *testing.T) {
			if got, err := ParseRelease(version); err == nil {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// TestVetted: which numbers are none of the project's.
func TestVetted(t *testing.T) {
	db := embeddedDB(t)
	for version, own := range map[string]bool{
		"0.35.1": false, "0.36.1-rc.0": false, "0.35.1-acme": false, "0.0.1": true, "0.35.9": true, "0.43.0": false, "1.0.0": false,
		"2.0.0": true, "2024.6.1": true, "0.35.9-rc.1": true,
	} {
		rel, err := ParseRelease(version)
		if err != nil {
			t.Fatal(err)
		}
		if got := db.Vetted(rel); got.Own != own || own && got.Official() {
			t.Errorf("%s: own %t, official %t, want own %t", version, got.Own, got.Official(), own)
		}
	}
	if (&DB{}).Vetted(Release{Number: "v0.35.1"}).Own {
		t.Error("own where no release is known")
	}
}

func TestRangeContains(t *testing.T) {
	candidates := []string{"0.36.1-rc.0", "0.35.1-rc.1"}
	for _, tt := range []struct {
		interval string
		r        Range
		version  string
		want     bool
	}{
		{"[0.35.1, 0.36.1)", Range{Introduced: "0.35.1", Fixed: "0.36.1"}, "0.35.0", false},
		{"[0.35.1, 0.36.1)", Range{Introduced: "0.35.1", Fixed: "0.36.1"}, "0.35.1", true},
		{"[0.35.1, 0.36.1)", Range{Introduced: "0.35.1", Fixed: "0.36.1"}, "v0.36.0", true},
		{"[0.35.1, 0.36.1)", Range{Introduced: "0.35.1", Fixed: "0.36.1"}, "0.36.1", false},
		{"[0.35.1, 0.36.1)", Range{Introduced: "0.35.1", Fixed: "0.36.1"}, "0.4.0", false},
		{"[0.35.1, 0.36.1)", Range{Introduced: "0.35.1", Fixed: "0.36.1"}, "0.100.0", false},
		{"[0.35.1, 0.36.1)", Range{Introduced: "0.35.1", Fixed: "0.36.1"}, "1.35.1", false},
		{"[0.35.1, 0.36.1)", Range{Introduced: "0.35.1", Fixed: "0.36.1"}, "0.35.1-acme.2", true},
		{"[0.35.1, 0.36.1)", Range{Introduced: "0.35.1", Fixed: "0.36.1"}, "0.36.1-rc.0", false},
		{"[0.35.1, 0.36.1)", Range{Introduced: "0.35.1", Fixed: "0.36.1"}, "0.35.1-rc.1", true},
		{"[0.35.1, 0.36.1) except 0.36.1-rc.0, 0.35.1-rc.1", Range{"0.35.1", "0.36.1", candidates}, "0.36.1-rc.0", true},
		{"[0.35.1, 0.36.1) except 0.36.1-rc.0, 0.35.1-rc.1", Range{"0.35.1", "0.36.1", candidates}, "v0.36.1-rc.0", true},
		{"[0.35.1, 0.36.1) except 0.36.1-rc.0, 0.35.1-rc.1", Range{"0.35.1", "0.36.1", candidates}, "0.36.1-rc.1", false},
		{"[0.35.1, 0.36.1) except 0.36.1-rc.0, 0.35.1-rc.1", Range{"0.35.1", "0.36.1", candidates}, "0.36.1", false},
		{"[0.35.1, 0.36.1) except 0.36.1-rc.0, 0.35.1-rc.1", Range{"0.35.1", "0.36.1", candidates}, "0.35.1-rc.1", false},
		{"[0.35.1, 0.36.1) except 0.36.1-rc.0, 0.35.1-rc.1", Range{"0.35.1", "0.36.1", candidates}, "0.35.1", true},
		{"[0.10.0, )", Range{Introduced: "0.10.0"}, "0.43.0-dev", true},
		{"[0.10.0, )", Range{Introduced: "0.10.0"}, "0.9.0", false},
		{"( , 0.31.0)", Range{Fixed: "0.31.0"}, "0.1.0", true},
		{"( , 0.31.0)", Range{Fixed: "0.31.0"}, "0.31.0-rc.0", false},
		{"( , )", Range{}, "0.43.0-dev", true},
	} {
		t.Run(tt.version+" in "+tt.interval, func(t *testing.T) {
			rel, err := ParseRelease(tt.version)
			if err != nil {
				t.Fatal(err)
			}
			if got := tt.r.Contains(rel); got != tt.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestRangesForPeople(t *testing.T) {
	a := &Advisory{Affected: []Range{
		{}, {Introduced: "0.4.0"}, {Fixed: "0.31.0"}, {Introduced: "0.35.1", Fixed: "0.36.1"},
	}}
	want := "all releases, v0.4.0 and later, before v0.31.0, v0.35.1 up to before v0.36.1"
	if got := a.Ranges(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Two separate ranges: a leak that was fixed, came back and was fixed again.
func TestAffects(t *testing.T) {
	a := &Advisory{Affected: []Range{{Introduced: "0.4.0", Fixed: "0.6.0"}, {Introduced: "0.8.0"}}}
	for version, want := range map[string]bool{"0.3.2": false, "0.5.0": true, "0.6.0": false, "0.7.9": false, "0.8.0": true, "0.42.4": true} {
		if got := a.Affects(Release{Number: "v" + version}); got != want {
			t.Errorf("%s: %v", version, got)
		}
	}
}

func TestGoTo(t *testing.T) {
	db := embeddedDB(t)
	flagship := []string{"TL-2024-001"}
	for _, tt := range []struct {
		name, id, version string
		to                string    // empty: there is none
		skipped           []Skipped // those before to
		least             string    // where there is none: the release with the fewest others, and these
	}{
		{"not to the one that brings worse", "TL-2024-002", "0.35.0", "0.36.1",
			[]Skipped{{"0.35.1", flagship}, {"0.36.0", flagship}}, ""},
		{"none, where all that are without it bring another", "TL-2024-002", "0.34.1", "", nil, "0.42.0 TL-2026-001"},
		{"the fix", "TL-2024-001", "0.35.1", "0.36.1", nil, ""},
		{"the fix, from the next", "TL-2024-001", "v0.36.0", "0.36.1", nil, ""},
		{"from a candidate", "TL-2024-001", "0.36.0-rc.1", "0.36.1", nil, ""},
		{"from another's build", "TL-2024-001", "0.35.1-acme.2", "0.36.1", nil, ""},
		{"from another's build of the fix", "TL-2024-001", "0.36.1-acme", "0.36.1", nil, ""},
		{"from the fix", "TL-2024-001", "0.36.1", "0.37.0", nil, ""},
		{"what both have does not count", "TL-2023-002", "0.30.1", "0.30.2", nil, ""},
		{"not back to before the leak", "TL-2023-002", "0.30.0", "0.30.2", nil, ""},
		{"an open one", "TL-2026-101", "0.42.4", "", nil, ""},
		{"an open one, long ago", "TL-2022-005", "0.30.0", "", nil, ""},
		{"from the newest", "TL-2024-001", "0.42.4", "", nil, ""},
		{"from the future", "TL-2024-001", "9.0.0", "", nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rel, err := ParseRelease(tt.version)
			if err != nil {
				t.Fatal(err)
			}
			way := db.GoTo(db.ByID(tt.id), rel)
			if way.To != tt.to {
				t.Errorf("to %q, want %q", way.To, tt.to)
			}
			if d := cmp.Diff(tt.skipped, way.Skipped); d != "" && tt.least == "" {
				t.Error(d)
			}
			least, _ := way.Least()
			if got := strings.TrimSpace(least.Release + " " + strings.Join(least.Brings, " ")); tt.to == "" && got != tt.least {
				t.Errorf("at best %q, want %q", got, tt.least)
			}
		})
	}
}

// A leak that is less severe, or a way of leaking that every program may have,
// does not stand in the way of a fix; one of another component does.
func TestGoToWeighs(t *testing.T) {
	fixed := &Advisory{ID: "X-1", Class: Leak, Severity: High, Affected: []Range{{Introduced: "0.1.0", Fixed: "0.2.0"}}}
	db := &DB{Releases: []string{"0.1.0", "0.2.0", "0.3.0"}}
	for _, tt := range []struct {
		name string
		in2  Advisory // what 0.2.0 brings
		want string
	}{
		{"less severe", Advisory{Class: Leak, Severity: Medium}, "0.2.0"},
		{"as severe", Advisory{Class: Leak, Severity: High}, "0.3.0"},
		{"as severe, in another component", Advisory{Class: Leak, Severity: High, Components: []string{"rule"}}, "0.3.0"},
		{"worse", Advisory{Class: Deadlock, Severity: Critical}, "0.3.0"},
		{"generic", Advisory{Class: Generic, Severity: Critical}, "0.2.0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.in2.ID, tt.in2.Affected = "X-2", []Range{{Introduced: "0.2.0", Fixed: "0.3.0"}}
			db.Advisories = []*Advisory{fixed, &tt.in2}
			if way := db.GoTo(fixed, Release{Number: "v0.1.0"}); way.To != tt.want {
				t.Errorf("to %q, want %q", way.To, tt.want)
			}
		})
	}
}

func TestSpan(t *testing.T) {
	db := embeddedDB(t)
	for _, tt := range []struct {
		r    Range
		want string
	}{
		{Range{Introduced: "0.35.1", Fixed: "0.36.1"}, "v0.35.1 to v0.36.0"},
		{Range{Introduced: "0.36.0", Fixed: "0.36.1"}, "v0.36.0"},
		{Range{Introduced: "0.41.0"}, "v0.41.0 and later"},
		{Range{Fixed: "0.2.1"}, "v0.1.0 to v0.2.0"},
		{Range{}, "all releases"},
		{Range{Introduced: "9.0.0"}, "v9.0.0 and later"},
	} {
		if got := db.Span(tt.r); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.r, got, tt.want)
		}
	}
}

func TestDescribe(t *testing.T) {
	for text, want := range map[string]string{
		"none":                                "none",
		"a timer (here ${a:not known}) fires": "a timer fires",
		"late (--a, here ${a:5m}, or more)":   "late (--a, or more)",
		"until --a (${a:2m})":                 "until --a (2m)",
		"restart ${tiers}":                    "restart it (of chained queriers both tiers)",
	} {
		if got := Describe(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// TestGoToFromSeveral goes where none of the releases that a process may be of
// gets another leak.
func TestGoToFromSeveral(t *testing.T) {
	db := embeddedDB(t)
	a := db.ByID("TL-2024-002")
	for want, from := range map[string][]Release{
		"0.36.1": {{Number: "v0.35.0"}},
		"0.36.0": {{Number: "v0.35.1"}}, // has what v0.36.0 would bring
		"":       {{Number: "v0.34.1"}, {Number: "v0.35.0"}},
	} {
		if way := db.GoTo(a, from...); way.To != want {
			t.Errorf("from %v to %q, want %q", from, way.To, want)
		}
	}
	if way := db.GoTo(a, Release{Number: "v0.35.0"}, Release{Number: "v0.35.1"}); way.To != "0.36.1" {
		t.Errorf("from either to %q", way.To)
	}
}

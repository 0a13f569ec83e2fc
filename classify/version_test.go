package classify

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/thanosleak/thanosleak/classify/advisory"
	"github.com/thanosleak/thanosleak/classify/origin"
)

// of makes a process whose version is known or not, and whose dump tells what o
// says.
func of(version, source string, o origin.Origin) *process {
	p := newProcess(ptr(made{version: version, component: "query", samples: counts(pump, 1)}.target()))
	p.target.Facts.VersionSource = source
	p.lookAtDump(o)
	return p
}

func ptr[T any](v T) *T { return &v }

// TestLookAtDump takes over what a dump tells, and no more than that.
func TestLookAtDump(t *testing.T) {
	for _, tt := range []struct {
		name, version string
		o             origin.Origin
		want          string   // version and source
		candidates    []string // named where there is no version
		releases      string   // that decide
		notes         int
	}{
		{"one, surely", "", origin.Origin{Thanos: []string{"0.35.1"}, Sure: true}, "0.35.1 dump", nil, "v0.35.1", 0},
		{"one, perhaps", "", origin.Origin{Thanos: []string{"0.35.1"}}, " ", []string{"0.35.1"}, "", 0},
		{"two, surely", "", origin.Origin{Thanos: []string{"0.37.1", "0.37.2"}, Sure: true}, " ", []string{"0.37.1", "0.37.2"}, "v0.37.1 or v0.37.2", 0},
		{"a fork", "", origin.Origin{Warnings: []string{"a fork?"}}, " ", nil, "", 1},
		{"nothing", "", origin.Origin{}, " ", nil, "", 0},
		{"what the process says holds", "0.35.1", origin.Origin{Thanos: []string{"0.35.0", "0.35.1"}, Sure: true}, "0.35.1 ", nil, "v0.35.1", 0},
		{"its suffix does not contradict", "0.35.1-acme.2", origin.Origin{Thanos: []string{"0.35.1"}, Sure: true}, "0.35.1-acme.2 ", nil, "v0.35.1-acme.2", 0},
		{"another than the process says", "0.35.1", origin.Origin{Thanos: []string{"0.36.0"}, Sure: true}, "0.35.1 ", nil, "v0.35.1", 1},
		{"another, perhaps", "0.35.1", origin.Origin{Thanos: []string{"0.36.0"}}, "0.35.1 ", nil, "v0.35.1", 0},
		{"the candidate of the next release", "0.43.0-rc.0", origin.Origin{Thanos: []string{"0.42.4"}, Sure: true}, "0.43.0-rc.0 ", nil, "v0.43.0-rc.0", 0},
		{"no release", "main-2f1ab3", origin.Origin{Thanos: []string{"0.36.0"}, Sure: true}, "main-2f1ab3 ", nil, "", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := of(tt.version, "", tt.o)
			f := p.target.Facts
			if got := f.Version + " " + f.VersionSource; got != tt.want {
				t.Errorf("version %q, want %q", got, tt.want)
			}
			if d := cmp.Diff(tt.candidates, p.candidates); d != "" {
				t.Errorf("candidates (-want +got)\n%s", d)
			}
			if got := p.releaseNames(); got != tt.releases || len(p.notes) != tt.notes {
				t.Errorf("releases %q with %d notes %q; want %q with %d", got, len(p.notes), p.notes, tt.releases, tt.notes)
			}
		})
	}
}

// TestAffectedByCandidates decides where all releases that a dump may be from
// agree, and only there.
func TestAffectedByCandidates(t *testing.T) {
	for _, tt := range []struct {
		releases []string
		want     Affected
	}{
		{[]string{"0.35.1", "0.36.0"}, AffectedYes},
		{[]string{"0.35.0", "0.35.1"}, AffectedUnknown},
		{[]string{"0.36.1", "0.37.0"}, AffectedNo},
		{nil, AffectedUnknown},
	} {
		p := of("", "", origin.Origin{Thanos: tt.releases, Sure: true})
		if got := p.affected(advisoryOf(t, "TL-2024-001")); got != tt.want {
			t.Errorf("%v: %v, want %v", tt.releases, got, tt.want)
		}
	}
}

// TestContradiction tells that frames are not of the version that was given.
func TestContradiction(t *testing.T) {
	for source, want := range map[string]string{
		"flag":      "v0.35.1, as given by --thanos-version, is not what its frames are of: they are those of v0.36.0 or v0.36.1",
		"buildinfo": "v0.35.1, as the process says, is not what its frames are of: they are those of v0.36.0 or v0.36.1",
	} {
		p := newProcess(ptr(made{version: "0.35.1", component: "query", samples: counts(pump, 1)}.target()))
		p.target.Facts.VersionSource = source
		p.lookAtDump(origin.Origin{Thanos: []string{"0.36.0", "0.36.1"}, Sure: true})
		if !slices.Contains(p.warnings(), "one: "+want) {
			t.Errorf("%q is not in %q", want, p.warnings())
		}
	}
}

// advisoryOf returns an advisory that is embedded.
func advisoryOf(t *testing.T, id string) *advisory.Advisory {
	t.Helper()
	db, err := advisory.Default()
	if err != nil {
		t.Fatal(err)
	}
	a := db.ByID(id)
	if a == nil {
		t.Fatalf("no advisory %s", id)
	}
	return a
}

// A release that is newer than the knowledge is told: that no leak of it is
// known says little.
func TestNewerThanKnown(t *testing.T) {
	for version, want := range map[string]bool{"0.42.4": false, "0.43.0": true, "1.0.0-rc.1": true, "main-2f1ab3": false, "": false} {
		r := judged(t, made{version: version, component: "query", samples: counts(pump, 1)})
		told := slices.ContainsFunc(r.Warnings, func(w string) bool { return strings.Contains(w, "is newer than what is known here (up to v0.42.4)") })
		if told != want {
			t.Errorf("%q: told %v: %q", version, told, r.Warnings)
		}
	}
}

// TestOwnNumber: a build with a number that the project never gave is of an unknown
// release, and its frames tell what it is made from.
func TestOwnNumber(t *testing.T) {
	for version, want := range map[string]string{"0.0.1": "confirmed 64", "2024.6.1": "confirmed 64", "2024.06.1": "confirmed 64"} {
		r := judged(t, made{component: "query", version: version, samples: counts(leaked, rising(8)...)})
		if got := levelAndCulprits(r.Findings[0]); got != want {
			t.Errorf("%s: %s, want %s", version, got, want)
		}
		for _, s := range r.Findings[0].Remedies[0].Steps {
			if s.Kind == StepUpgrade {
				mustContain(t, s.Text, "affected are v0.35.1 up to before v0.36.1: find out the version")
			}
		}
	}
}

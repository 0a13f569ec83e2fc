package advisory

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

// good is the smallest advisory.
const good = `id: OWN-1
title: Widgets leak
why: The pump is never told to stop.
summary: A story.
components: [query]
class: leak
severity: high
affected:
  - introduced: 0.30.0
    fixed: 0.31.0
known_from: captured
culprits:
  - name: pump
    frames: [acme.pump]
    in_health: never
`

func load(t *testing.T, files map[string]string) (*DB, error) {
	t.Helper()
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	db := &DB{}
	return db, db.Load(fsys)
}

func TestLoad(t *testing.T) {
	db, err := load(t, map[string]string{"b.yaml": good, "README.md": "no advisory",
		"a.yaml": strings.Replace(good, "OWN-1", "OWN-2", 1), "knowledge.yaml": "no advisory"})
	if err != nil {
		t.Fatal(err)
	}
	if len(db.Advisories) != 2 || db.Advisories[0].ID != "OWN-1" || db.ByID("OWN-2") == nil || db.ByID("OWN-3") != nil {
		t.Errorf("%d advisories", len(db.Advisories))
	}
}

// TestLoadErrors makes one mistake at a time in an advisory that is good
// without. Every error names the file and what would be right.
func TestLoadErrors(t *testing.T) {
	for _, tt := range []struct {
		name, old, new string // old becomes new
		want           string
	}{
		{"unknown field", "title:", "titel:", `own.yaml:2: there is no field titel: want some of id, title, why, summary`},
		{"unknown field inside", "in_health:", "in_helth:", `own.yaml:15: there is no field in_helth: want some of name, frames, state`},
		{"a number for a list", "[acme.pump]", "7", "own.yaml:14: cannot unmarshal !!int"},
		{"field twice", "class: leak", "class: leak\nclass: leak", `"class" already defined`},
		{"not YAML", "id: OWN-1", "id: [", "did not find expected"},
		{"id", "OWN-1", "own", `id "own": want the form TL-2024-001`},
		{"no title", "title: Widgets leak\n", "", "title is missing"},
		{"no why", "why: The pump is never told to stop.\n", "", "why is missing"},
		{"blank summary", "summary: A story.", "summary: ' '", "summary is missing"},
		{"class", "class: leak", "class: leek", `class "leek": want leak, deadlock, pile-up, stuck, crash or pattern`},
		{"severity", "severity: high", "severity: bad", `severity "bad": want critical, high, medium, low or info`},
		{"known_from", "captured", "hearsay", `known_from "hearsay": want captured, reproduced or source`},
		{"no components", "components: [query]\n", "", "components is missing"},
		{"component", "components: [query]", "components: [query, querier]", `components: "querier": want some of compact, query`},
		{"no releases", "affected:\n  - introduced: 0.30.0\n    fixed: 0.31.0\n", "", "affected is missing"},
		{"not a release", "0.30.0", "v0.30.0", `affected: "v0.30.0" is not a release such as 0.35.1`},
		{"words for a release", "0.31.0", "soon", `affected: "soon" is not a release such as 0.35.1`},
		{"backwards", "0.31.0", "0.29.0", "affected: introduced 0.30.0 is not before fixed 0.29.0"},
		{"an empty range", "0.31.0", "0.30.0", "affected: introduced 0.30.0 is not before fixed 0.30.0"},
		{"an exception that is a release", "fixed: 0.31.0", "fixed: 0.31.0\n    except: [0.30.1]", `affected: except "0.30.1" is not a release candidate`},
		{"exception", "fixed: 0.31.0", "fixed: 0.31.0\n    except: [v0.31.0-rc.0]", `affected: except "v0.31.0-rc.0"`},
		{"no frames", "[acme.pump]", "[]", "culprits: a pattern needs frames, leaf first"},
		{"an empty frame", "[acme.pump]", "[acme.pump, '']", "culprits: a pattern needs frames, leaf first"},
		{"a frame of a dump", "[acme.pump]", "[acme.pump, 'acme.(*T).run(0xc000, 0x1)']", `own.yaml:14: culprits: "acme.(*T).run(0xc000, 0x1)" is no name of a function`},
		{"a creator of a dump", "    in_health", "    created_by: acme.run in goroutine 7\n    in_health", `own.yaml:15: culprits: created_by "acme.run in goroutine 7" is no name of a function`},
		{"a gap at the end", "[acme.pump]", "[acme.pump, '...']", `culprits: "..." at the end of the frames says nothing`},
		{"in_health is missing", "    in_health: never\n", "", `culprits: in_health "": culprits want never, briefly or always`},
		{"in_health", "in_health: never", "in_health: sometimes", `culprits: in_health "sometimes": culprits want`},
		{"in_health of victims", "culprits:", "victims:", `victims: in_health "never": culprits want never, briefly or always, victims none`},
		{"in_health of victims, not even a wrong one", "culprits:\n  - name: pump\n    frames: [acme.pump]\n    in_health: never", "victims:\n  - {frames: [a], in_health: sometimes}", `victims: in_health "sometimes"`},
		{"releases of a pattern", "    in_health", "    releases: {fixed: now}\n    in_health", `culprits.releases: "now" is not a release`},
		{"neither flag nor topology", "culprits:", "preconditions:\n  - text: x\nculprits:", "preconditions: want either flag, topology or look"},
		{"flag and topology", "culprits:", "preconditions:\n  - {flag: f, is: [a], topology: chained-queriers}\nculprits:", "preconditions: want either flag, topology or look"},
		{"a flag alone", "culprits:", "preconditions:\n  - flag: f\nculprits:", "preconditions: flag f wants either is or above"},
		{"is and above", "culprits:", "preconditions:\n  - {flag: f, is: [a], above: 1s}\nculprits:", "preconditions: flag f wants either is or above"},
		{"no duration", "culprits:", "preconditions:\n  - {flag: f, above: much}\nculprits:", `preconditions: above "much" is not a duration`},
		{"an event without a look", "culprits:", "preconditions:\n  - {flag: f, is: [a], event: true}\nculprits:", "preconditions: event goes with look"},
		{"flag and look", "culprits:", "preconditions:\n  - {flag: f, is: [a], look: there}\nculprits:", "preconditions: want either flag, topology or look"},
		{"a default of no flag", "culprits:", "preconditions:\n  - {look: there, default: a}\nculprits:", "preconditions: default goes with flag"},
		{"a component of a precondition", "culprits:", "preconditions:\n  - {look: there, components: [querier]}\nculprits:", `own.yaml:13: components: "querier"`},
		{"topology", "culprits:", "preconditions:\n  - topology: ring\nculprits:", `preconditions: topology "ring": want chained-queriers or dead-endpoint`},
		{"releases of a mitigation", "culprits:", "mitigate:\n  - {text: x, releases: {introduced: v1}}\nculprits:", `mitigate.releases: "v1" is not a release`},
		{"releases of an advice", "culprits:", "avoid:\n  - {text: x, releases: {introduced: v1}}\nculprits:", `avoid.releases: "v1" is not a release`},
		{"a leak that settles", "class: leak", "class: leak\nsettles_within: 10m", "settles_within: a leak does not settle, only a pile-up does"},
		{"settles before it begins", "class: leak", "class: pile-up\nsettles_within: -10m", "settles_within -10m0s: want a positive duration"},
		{"settles at no time", "class: leak", "class: pile-up\nsettles_within: soon", "own.yaml:7: cannot unmarshal !!str `soon` into time.Duration"},
		{"settles without a unit", "class: leak", "class: pile-up\nsettles_within: 600", "own.yaml:7: cannot unmarshal !!int `600` into time.Duration"},
		{"a duration below nothing", "class: leak", "class: leak\nlasts: -1h", "own.yaml:7: lasts -1h0m0s: want a positive duration"},
		{"a bound below nothing", "in_health: never", "in_health: briefly\n    at_most: -1", "own.yaml:16: culprits: at_most -1: want a positive number"},
		{"a bound of what cannot be", "in_health: never", "in_health: never\n    at_most: 1", "own.yaml:16: culprits: at_most goes with in_health briefly"},
		{"each without a number", "in_health: never", "in_health: briefly\n    each: [[acme.tank]]", "own.yaml:16: culprits: each goes with at_most"},
		{"each of nothing", "in_health: never", "in_health: briefly\n    at_most: 1\n    each: [['']]", "own.yaml:17: culprits.each: a pattern needs frames"},
		{"the same as nothing", "[acme.pump]", "['=']", `own.yaml:14: culprits: "=" stands for the function above it, and there is none`},
		{"the same as any number", "[acme.pump]", "['...', '~']", `own.yaml:14: culprits: "~" stands for the function above it`},
		{"a crash with goroutines", "class: leak", "class: crash", "own.yaml:12: culprits: a crash shows no goroutines that tell"},
		{"victims of nobody", "culprits:\n  - name: pump\n    frames: [acme.pump]\n    in_health: never", "victims:\n  - frames: [acme.pipe]", "own.yaml:12: victims: there are no culprits"},
		{"components of a mitigation", "culprits:", "mitigate:\n  - {text: x, components: [querier]}\nculprits:", `own.yaml:13: components: "querier"`},
		{"a second document", "    in_health: never\n", "    in_health: never\n---\nid: OWN-2\n", "one advisory a file"},
		{"an empty file", good, "", "the file is empty"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.Replace(good, tt.old, tt.new, 1)
			if text == good {
				t.Fatalf("%q is not in the advisory", tt.old)
			}
			db, err := load(t, map[string]string{"own.yaml": text})
			if err == nil {
				t.Fatalf("no error, want %q", tt.want)
			}
			if !strings.HasPrefix(err.Error(), "own.yaml:") || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%q does not name the file and %q", err, tt.want)
			}
			if len(db.Advisories) != 0 {
				t.Error("it was added all the same")
			}
		})
	}
}

// All files are looked at, and the good ones are there in spite of the bad.
func TestLoadTellsAll(t *testing.T) {
	db, err := load(t, map[string]string{
		"a.yaml": strings.Replace(good, "class: leak", "class: leek", 1),
		"b.yaml": good,
		"c.yaml": strings.NewReplacer("severity: high", "severity: bad", "title: Widgets leak\n", "").Replace(good),
	})
	if err == nil || len(db.Advisories) != 1 {
		t.Fatalf("%d advisories, error %v", len(db.Advisories), err)
	}
	for _, want := range []string{`a.yaml:6: class "leek"`, "c.yaml:1: title is missing", "c.yaml:6: ", `severity "bad"`, "title is missing"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q lacks %q", err, want)
		}
	}
}

func TestLoadTwice(t *testing.T) {
	db, err := load(t, map[string]string{"a.yaml": good, "b.yaml": good})
	if want := "b.yaml:1: there is an advisory OWN-1 already"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %q", err, want)
	}
	if len(db.Advisories) != 1 {
		t.Errorf("%d advisories", len(db.Advisories))
	}
}

// What is benign is built in: a user's own rows would hide leaks.
func TestLoadBenign(t *testing.T) {
	db, err := load(t, map[string]string{"benign.yaml": good})
	if want := "benign.yaml: what is benign is built in; call an advisory by another name"; err == nil || err.Error() != want {
		t.Errorf("error %v, want %q", err, want)
	}
	if len(db.Advisories) != 0 || len(db.Benign) != 0 {
		t.Errorf("%d advisories, %d benign rows", len(db.Advisories), len(db.Benign))
	}
}

func TestLoadSettling(t *testing.T) {
	text := strings.NewReplacer("class: leak", "class: pile-up\nsettles_within: 1h30m", "culprits:",
		"preconditions:\n  - topology: dead-endpoint\nculprits:").Replace(good)
	db, err := load(t, map[string]string{"a.yaml": text})
	if err != nil {
		t.Fatal(err)
	}
	a := db.Advisories[0]
	if a.SettlesWithin != 90*time.Minute || a.Preconditions[0].Topology != DeadEndpoint {
		t.Errorf("settles within %s, %+v", a.SettlesWithin, a.Preconditions)
	}
}

// A pattern of leaking that any program may have needs neither components nor
// releases.
func TestLoadGeneric(t *testing.T) {
	text := strings.NewReplacer("OWN-1", "G-own-way", "class: leak", "class: pattern", "components: [query]\n", "",
		"affected:\n  - introduced: 0.30.0\n    fixed: 0.31.0\n", "").Replace(good)
	if _, err := load(t, map[string]string{"a.yaml": text}); err != nil {
		t.Error(err)
	}
}

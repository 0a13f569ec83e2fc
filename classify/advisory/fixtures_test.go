package advisory

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/thanosleak/thanosleak/profile"
	"github.com/thanosleak/thanosleak/profile/capture"
)

// TestFixtures checks the embedded advisories as people check their own: each
// pattern is seen in the fixture of its advisory, and nothing there belongs to
// another or to a healthy process.
func TestFixtures(t *testing.T) {
	db := embeddedDB(t)
	checked, err := db.Check(os.DirFS("."))
	if err != nil {
		t.Error(err)
	}
	shown := 0
	for _, a := range db.Advisories {
		if len(a.Culprits) > 0 {
			shown++
		}
	}
	if checked.Advisories != len(db.Advisories) || checked.Fixtures < shown {
		t.Errorf("%d advisories and %d fixtures checked of %d, %d of them with goroutines", checked.Advisories, checked.Fixtures, len(db.Advisories), shown)
	}
}

// fixtureMarks are how a fixture says where it is from.
var fixtureMarks = []string{"synthetic: ", "captured: "}

// TestFixturesSayWhatTheyAre holds made-up dumps apart from real ones, and every
// fixture to an advisory.
func TestFixturesSayWhatTheyAre(t *testing.T) {
	entries, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	c := checker{own: embeddedDB(t)}
	for _, e := range entries {
		if e.IsDir() {
			continue // what fuzzing found
		}
		if c.idOf(e.Name()) == "" {
			t.Errorf("%s is of no advisory", e.Name())
		}
		raw, err := os.ReadFile(filepath.Join("testdata", e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(fixtureMarks, func(mark string) bool { return strings.HasPrefix(string(raw), mark) }) {
			t.Errorf("%s begins with neither of %q", e.Name(), fixtureMarks)
		}
	}
}

// shownIn are the advisories whose goroutines no healthy process has, by the
// scenario of a real capture that shows them.
var shownIn = map[string]string{
	"v0.35.1-go121-slowstore-eager": "TL-2024-001",
	"v0.36.0-slowstore-lazy":        "TL-2024-001",
}

// TestPatternsInCaptures runs every pattern over every goroutine of every
// capture: where a pattern says that no healthy goroutine stands, only captures
// of the leak may have one.
func TestPatternsInCaptures(t *testing.T) {
	db := embeddedDB(t)
	archives, err := filepath.Glob(filepath.Join("..", "..", "testdata", "captures", "*.tar.gz"))
	if err != nil || len(archives) < 12 {
		t.Fatalf("%d captures: %v", len(archives), err)
	}
	for _, name := range archives {
		scenario := strings.TrimSuffix(filepath.Base(name), ".tar.gz")
		t.Run(scenario, func(t *testing.T) {
			t.Parallel()
			seen := map[string]bool{}
			eachGroup(t, name, func(file string, g *profile.Group) {
				for _, id := range strict(db, g) {
					seen[id] = true
					if id != shownIn[scenario] {
						t.Errorf("%s: %d goroutines of %s: %s", file, g.Count, id, g.Signature)
					}
				}
			})
			if want := shownIn[scenario]; want != "" && !seen[want] {
				t.Errorf("no goroutine of %s", want)
			}
		})
	}
}

// strict returns the advisories of which the group has a pattern that no healthy
// goroutine has.
func strict(db *DB, g *profile.Group) []string {
	var ids []string
	for _, a := range db.Advisories {
		for i := range a.Culprits {
			if p := &a.Culprits[i]; p.InHealth == Never && p.Is(g) {
				ids = append(ids, a.ID)
			}
		}
	}
	return ids
}

// eachGroup calls f for the groups of every profile in an archive that tells
// states: debug=1 does not, and every pattern with a state would match.
func eachGroup(t *testing.T, archive string, f func(file string, g *profile.Group)) {
	t.Helper()
	r, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	files, err := capture.Unpack(r)
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	err = fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.Contains(name, "metrics") || strings.HasSuffix(name, ".json") {
			return err
		}
		raw, err := files.Open(name)
		if err != nil {
			return err
		}
		defer raw.Close()
		snapshots, err := profile.Read(raw, profile.Options{})
		if errors.As(err, new(*profile.UnsupportedError)) {
			return nil // a form that is refused
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return nil
		}
		for _, s := range snapshots {
			read++
			for i := range s.Groups {
				if s.Encoding != profile.Debug1 {
					f(name, &s.Groups[i])
				}
			}
		}
		return nil
	})
	if err != nil || read == 0 {
		t.Fatalf("%d profiles: %v", read, err)
	}
}

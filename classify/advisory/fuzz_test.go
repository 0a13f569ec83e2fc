package advisory

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.yaml.in/yaml/v3"
)

// FuzzAdvisory checks that each line of an error begins with the file's name, and
// that an advisory that is accepted can be used: it reads the same again once it
// is written, and its patterns and ranges answer.
func FuzzAdvisory(f *testing.F) {
	names, err := filepath.Glob("*-*.yaml")
	if err != nil || len(names) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte(good))
	f.Add([]byte("lasts: \"a\\nb\"\n"))
	f.Add([]byte(good + "preconditions: [{flag: \"a\\nb\"}]\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		db, err := loadOne(data)
		if err != nil {
			if len(db.Advisories) > 0 {
				t.Errorf("%d advisories and error %v", len(db.Advisories), err)
			}
			checkError(t, err)
			return
		}
		if len(db.Advisories) != 1 {
			t.Fatalf("%d advisories", len(db.Advisories))
		}
		a := db.Advisories[0]
		raw, err := yaml.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(string(raw), "\r\u0085\u2028\u2029") {
			return // line ends that the YAML library reads and does not write
		}
		if yaml.Unmarshal(raw, &Advisory{}) != nil {
			return // or text that it writes and cannot read again
		}
		fields, err := Fields(db.Advisories)
		if err != nil {
			t.Fatal(err)
		}
		written, err := yaml.Marshal(fields[0])
		if err != nil {
			t.Fatal(err)
		}
		again, err := loadOne(written)
		if err != nil {
			t.Fatalf("%v\n%s", err, written)
		}
		if d := cmp.Diff(a, again.Advisories[0], cmpopts.EquateEmpty()); d != "" {
			t.Errorf("-read +read again:\n%s", d)
		}
		use(t, db, a)
	})
}

// loadOne reads one file.
func loadOne(data []byte) (*DB, error) {
	db := &DB{Releases: []string{"0.34.1", "0.35.1", "0.36.1"}}
	return db, db.Load(fstest.MapFS{"own.yaml": {Data: data}})
}

func checkError(t *testing.T, err error) {
	t.Helper()
	for l := range strings.SplitSeq(err.Error(), "\n") {
		if !strings.HasPrefix(l, "own.yaml:") {
			t.Errorf("%q does not begin with the file", l)
		}
	}
}

// use asks everything of an advisory that is asked of one in a diagnosis.
func use(t *testing.T, db *DB, a *Advisory) {
	t.Helper()
	if db.ByID(a.ID) != a || db.Find(strings.ToLower(a.ID)) != a {
		t.Errorf("%s is not found", a.ID)
	}
	db.Flags()
	for _, r := range a.Affected {
		db.Span(r)
	}
	rel, err := ParseRelease("v0.35.1")
	if err != nil {
		t.Fatal(err)
	}
	if way := db.GoTo(a, rel); way.To != "" && a.Affects(Release{Number: "v" + way.To}) {
		t.Errorf("%s affects %s, and one is sent there", a.ID, way.To)
	}
	stack := strings.Split(strings.Repeat("acme.(*T).a,acme.(*T).b,", 12)+"acme.end", ",")
	for _, p := range append(a.Culprits, a.Victims...) {
		p.Match(stack)
		if own := plain(p.Frames); own != nil && !p.Match(own) {
			t.Errorf("%q does not match %q", p.Frames, own)
		}
	}
	db.Like(stack, "select", "acme.(*T).Start")
	Describe(a.Why)
}

// plain is a stack that a pattern of plain names is about; nil of others.
func plain(frames []string) []string {
	var stack []string
	for _, f := range frames {
		switch {
		case f == gap:
			stack = append(stack, "acme.between")
		case strings.ContainsAny(f, "*=~"):
			return nil
		default:
			stack = append(stack, f)
		}
	}
	return stack
}

// TestManyGaps: a pattern with many gaps that a stack almost has takes no longer
// than looking at each function for each of its frames.
func TestManyGaps(t *testing.T) {
	frames := strings.Split(strings.Repeat("...,a.f,", 12)+"...,a.end", ",")
	stack := strings.Split(strings.Repeat("a.f,", 40)+"a.last", ",")
	p := Pattern{Frames: frames}
	if p.Match(stack) {
		t.Errorf("%q matches %q", frames, stack)
	}
	if stack[40] = "a.end"; !p.Match(stack) {
		t.Errorf("%q does not match %q", frames, stack)
	}
}

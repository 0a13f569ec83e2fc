package classify

import (
	"bytes"
	"encoding/json"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/thanosleak/thanosleak/profile/capture"
)

// FuzzIgnore checks that an error begins with the file's name, and that every
// entry of a file that is accepted counts, for a reason, for a time, and for less
// than everything.
func FuzzIgnore(f *testing.F) {
	f.Add([]byte(accepted))
	f.Add([]byte("- {any_frame: 'a.*.b', reason: r, expires: 2026-11-30}\n- {created_by: a, reason: r, expires: 2027-01-31}\n"))
	f.Add([]byte("- &a {top_frame: f, reason: r, expires: 2026-11-30}\n- <<: *a\n  reason: s\n"))
	f.Add([]byte("- {key: A, reason: r, expires: 2026-11-30}\n---\n- {key: B, reason: r, expires: 2026-11-30}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		ig, err := ParseIgnore("x.yml", data)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "x.yml:") {
				t.Errorf("%q does not begin with the file", err)
			}
			return
		}
		if n := entriesOf(t, data); n != len(ig.entries) {
			t.Errorf("%d entries count of %d", len(ig.entries), n)
		}
		for _, e := range ig.entries {
			if strings.Trim(e.Key+e.TopFrame+e.AnyFrame+e.CreatedBy, "* ") == "" || strings.TrimSpace(e.Reason) == "" || e.until.IsZero() {
				t.Errorf("%+v", e)
			}
		}
		r := resultOf("KEY=likely:10@q1", "OTHER=likely:10@q1")
		for key := range ig.apply(r, firstRun) {
			if key != "KEY" && key != "OTHER" {
				t.Errorf("%q is dropped", key)
			}
		}
	})
}

// entriesOf is the number of entries in all lists of a file.
func entriesOf(t *testing.T, data []byte) int {
	t.Helper()
	n := 0
	for dec := yaml.NewDecoder(bytes.NewReader(data)); ; {
		var list []yaml.Node
		switch err := dec.Decode(&list); {
		case err != nil && strings.Contains(err.Error(), "EOF"):
			return n
		case err != nil:
			t.Fatalf("accepted, but: %v", err)
		}
		n += len(list)
	}
}

// FuzzBaseline checks that an error begins with the file's name, and that what is
// accepted is all that stands in the file, reads the same again once it is
// written, and accepts just as many goroutines as it says.
func FuzzBaseline(f *testing.F) {
	archives, err := filepath.Glob(filepath.Join("..", "testdata", "captures", "v*-slowstore-*.tar.gz"))
	if err != nil || len(archives) == 0 {
		f.Fatalf("no captures: %v", err)
	}
	for _, archive := range archives {
		f.Add(smallBaseline(f, archive))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := ParseBaseline("b.json", data)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "b.json: ") {
				t.Errorf("%q does not begin with the file", err)
			}
			return
		}
		content, err := b.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseBaseline("b.json", content)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(b, again); d != "" {
			t.Errorf("-read +read again:\n%s", d)
		}
		for _, c := range b.Components {
			for _, s := range c.Stacks {
				if !b.Accepts(c.Component, s.PortableID, s.Count, s.Rise, 0) || s.Count < math.MaxInt && b.Accepts(c.Component, s.PortableID, s.Count+1, s.Rise, 0) {
					t.Errorf("%s of %q: not %d", s.PortableID, c.Component, s.Count)
				}
			}
		}
	})
}

// smallBaseline is a baseline of some stacks of a capture.
func smallBaseline(f *testing.F, archive string) []byte {
	f.Helper()
	in, err := capture.Open([]string{archive}, nil, capture.Options{})
	if err != nil {
		f.Fatal(err)
	}
	rest := InventoryOf(in.Targets, nil)
	for i := range rest {
		rest[i].Stacks = rest[i].Stacks[:min(len(rest[i].Stacks), 4)]
	}
	content, err := NewBaseline(nil, rest, "v0.1.0", acceptedDay).Marshal()
	if err != nil {
		f.Fatal(err)
	}
	return content
}

// FuzzMemory checks that what earlier runs saw reads the same again once it is
// written, and that a run can go on from it, whatever times stand there.
func FuzzMemory(f *testing.F) {
	m := &Memory{}
	for i, words := range [][]string{{"A=likely:10@q1", "!q2"}, {"q1", "!q2"}, {"B=confirmed:3@q2"}} {
		now := m.Now(firstRun.Add(time.Duration(i)*time.Hour), firstRun)
		r := resultOf(words...)
		m.Recall(r, now)
		m.Tell(m.Changes(r, Suspect, now), now)
		b, err := m.JSON()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := ParseMemory(data)
		if err != nil {
			if m != nil || !strings.HasPrefix(err.Error(), "it is ") {
				t.Errorf("%v and error %q", m, err)
			}
			return
		}
		if len(data) > 0 {
			if d := cmp.Diff(m, again(t, m)); d != "" {
				t.Errorf("-read +read again:\n%s", d)
			}
		}
		for _, now := range []time.Time{firstRun, m.Now(time.Time{}, firstRun)} {
			r := resultOf("A=likely:10@q1", "q2", "!q3")
			m.Recall(r, now)
			m.Tell(m.Changes(r, Suspect, now), now)
			checkRecalled(t, r)
			m = again(t, m)
		}
	})
}

// checkRecalled checks what [Memory.Recall] promises of a result.
func checkRecalled(t *testing.T, r *Result) {
	t.Helper()
	seen := map[string]bool{}
	for _, f := range r.Findings {
		if seen[f.Key] || f.FirstSeen == nil || (f.Status == StatusGone) != (f.Key != "A") {
			t.Errorf("%q: %s, first seen %v", f.Key, f.Status, f.FirstSeen)
		}
		seen[f.Key] = true
	}
	if _, err := json.Marshal(r); err != nil {
		t.Error(err)
	}
}

package profile

import (
	"bytes"
	"fmt"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
)

// triples are real profiles in the three encodings.
var triples = []string{
	"triples/go121-eager-upper.debug0.pb.gz", "triples/go126-steady-store.debug0.pb.gz",
	"triples/go126-steady-compact.debug0.pb.gz",
}

func TestInternSnapshot(t *testing.T) {
	in := NewIntern()
	for _, name := range triples {
		first, second, untouched := readFile(t, name), readFile(t, name), readFile(t, name)
		in.Snapshot(first)
		in.Snapshot(second)
		for _, s := range []*Snapshot{first, second} {
			if diff := cmp.Diff(untouched, s); diff != "" {
				t.Errorf("%s: interned: -want +got:\n%s", name, diff)
			}
		}
		for i := range first.Groups {
			a, b := &first.Groups[i], &second.Groups[i]
			if &a.Frames[0] != &b.Frames[0] || &a.Places[0] != &b.Places[0] || !sameString(string(a.Signature), string(b.Signature)) {
				t.Errorf("%s: %s is not shared", name, a.Signature.Leaf())
			}
			if len(a.Frames) != cap(a.Frames) || len(a.Places) != cap(a.Places) {
				t.Errorf("%s: %s takes more than it needs", name, a.Signature.Leaf())
			}
		}
		if !sameString(first.BuildID, second.BuildID) {
			t.Errorf("%s: the build id is not shared", name)
		}
	}
}

func sameString(a, b string) bool { return a == b && unsafe.StringData(a) == unsafe.StringData(b) }

// TestInternKeepsNothingElse checks that what is remembered is no part of the
// text that it was read from.
func TestInternKeepsNothingElse(t *testing.T) {
	text := strings.Repeat("goroutine 1 [some new state]:\nmain.f()\n\t/app/main.go:7 +0x1d\n\n", 2)
	within := func(s string) bool {
		at, start := uintptr(unsafe.Pointer(unsafe.StringData(s))), uintptr(unsafe.Pointer(unsafe.StringData(text)))
		return at >= start && at < start+uintptr(len(text))
	}
	line := strings.Index(text, "main.f")
	s := &Snapshot{Total: 1, BuildID: text[:9], Groups: []Group{{
		Signature: Signature(text[line : line+6]), Count: 1, CreatedBy: text[line : line+4],
		Frames: []Frame{{Func: text[line : line+6], File: text[line+10 : line+22], Line: 7}},
		Places: []Place{{Line: 7, State: State(text[13:27]), Count: 1}},
	}}}
	NewIntern().Snapshot(s)
	g := s.Groups[0]
	for _, kept := range []string{s.BuildID, string(g.Signature), g.CreatedBy, g.Frames[0].Func, g.Frames[0].File, string(g.Places[0].State)} {
		if within(kept) {
			t.Errorf("%q lies in the text", kept)
		}
	}
}

// TestInternAnnotate checks that a sample that learns more does not tell the
// others.
func TestInternAnnotate(t *testing.T) {
	in := NewIntern()
	const text1 = "goroutine profile: total 1\n1 @ 0x10 0x11\n#\t0x10\tmain.f+0x1\t/app/main.go:7\n\n"
	a, b := readString(t, text1), readString(t, text1)
	in.Snapshot(a)
	in.Snapshot(b)
	a.Annotate(readString(t, "goroutine 5 [select]:\nmain.f()\n\t/app/main.go:7 +0x1d\n\n"))
	if got := a.Groups[0].State(); got != StateSelect {
		t.Errorf("state %q, want that of the full stacks", got)
	}
	if got := b.Groups[0].State(); got != StateUnknown {
		t.Errorf("the other sample has the state %q", got)
	}
}

func TestInternMetrics(t *testing.T) {
	in := NewIntern()
	read := func(from func(*bytes.Reader) (Metrics, error)) Metrics {
		m, err := from(bytes.NewReader([]byte(metricsPage)))
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	first := read(func(r *bytes.Reader) (Metrics, error) { return in.ReadMetrics(r) })
	again := read(func(r *bytes.Reader) (Metrics, error) { return in.ReadMetrics(r) })
	want := read(func(r *bytes.Reader) (Metrics, error) { return ReadMetrics(r) })
	if diff := cmp.Diff(want, again); diff != "" {
		t.Errorf("interned: -want +got:\n%s", diff)
	}
	first["go_info"][0].Labels["version"] = "changed" // a map says in no other way that it is the same
	if got := again["go_info"][0].Labels["version"]; got != "changed" {
		t.Errorf("labels are not shared: %q", got)
	}
}

// TestInternBounded feeds more than is remembered: all is right all the same.
func TestInternBounded(t *testing.T) {
	in := NewIntern()
	long := strings.Repeat("x", maxInterned/50)
	for i := range 200 {
		s := &Snapshot{Total: 1, Groups: []Group{{
			Signature: Signature(fmt.Sprintf("main.f%d", i%40)), Count: 1,
			Frames: []Frame{{Func: fmt.Sprintf("main.f%d%s", i%60, long), Line: i}},
			Places: []Place{{Line: i, Count: 1}},
		}}}
		in.Snapshot(s)
		if g := s.Groups[0]; g.Frames[0].Line != i || g.Places[0].Line != i || string(g.Signature) != fmt.Sprintf("main.f%d", i%40) {
			t.Fatalf("sample %d became %+v", i, g)
		}
		if in.kept > maxInterned {
			t.Fatalf("%d bytes are kept", in.kept)
		}
	}
}

// TestInternTogether has several goroutines use it at the same time.
func TestInternTogether(t *testing.T) {
	in := NewIntern()
	var all sync.WaitGroup
	for range 4 {
		for _, name := range triples {
			s := readFile(t, name)
			all.Go(func() {
				in.Snapshot(s)
				if _, err := in.ReadMetrics(strings.NewReader(metricsPage)); err != nil {
					t.Error(err)
				}
			})
		}
	}
	all.Wait()
}

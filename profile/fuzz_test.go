package profile

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// seed adds the files of testdata that match; there must be some.
func seed(f *testing.F, patterns ...string) {
	f.Helper()
	for _, pattern := range patterns {
		names, err := filepath.Glob(filepath.Join("testdata", pattern))
		if err != nil || len(names) == 0 {
			f.Fatalf("no seeds %s: %v", pattern, err)
		}
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data[:min(len(data), 8<<10)]) // larger seeds make mutation slow
		}
	}
}

var headerRE = regexp.MustCompile(`(?m)^[ >]*goroutine [0-9]+ (\[|gp=)`)

// FuzzRead checks that no input breaks the reader and that no goroutine of a
// text dump is lost: headers = goroutines read + goroutines reported as
// unreadable. In a log with debug=1 dumps the sum does not hold, since debug=2
// only annotates them.
func FuzzRead(f *testing.F) {
	seed(f, "flavours/*", "triples/go121-deadlock-store.*", "triples/go126-leakprof*", "triples/go126-steady-compact.*", "logs/*")
	f.Add([]byte(debug1Text))
	f.Add([]byte("> > goroutine 7 [select]:\n> > main.wait()\n> > \t/app/main.go:7 +0x1d\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		snaps, err := Read(bytes.NewReader(data), Options{})
		if err != nil {
			if len(snaps) > 0 || err.Error() == "" {
				t.Fatalf("%d snapshots and error %v", len(snaps), err)
			}
			return
		}
		if len(snaps) == 0 {
			t.Fatal("neither a snapshot nor an error")
		}
		read, counted := 0, false
		for _, s := range snaps {
			checkInvariants(t, s)
			read += s.Total + s.Unreadable
			counted = counted || s.Encoding != Debug2
		}
		if headers := len(headerRE.FindAllIndex(data, -1)); !counted && !bytes.HasPrefix(data, []byte("\x1f\x8b")) && read != headers {
			t.Errorf("%d goroutines read or reported, %d headers", read, headers)
		}
	})
}

// FuzzMetrics checks that what is kept of a page reads the same again.
func FuzzMetrics(f *testing.F) {
	seed(f, "metrics.txt")
	f.Add([]byte(metricsPage))
	for _, page := range simplePages {
		f.Add([]byte(page.text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		sameMetrics(t, data)
		m, err := ReadMetrics(bytes.NewReader(data))
		if err != nil {
			return
		}
		for name := range m {
			if _, ok := families[name]; !ok {
				t.Errorf("family %q passed", name)
			}
		}
		var page bytes.Buffer
		if err := m.Write(&page); err != nil {
			t.Fatal(err)
		}
		again, err := ReadMetrics(&page)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(m, again, equalNaN); diff != "" {
			t.Errorf("-read +read again:\n%s", diff)
		}
	})
}

// FuzzFacts checks that facts read the same again once they are written, and
// that no other flag passes than those asked for.
func FuzzFacts(f *testing.F) {
	seed(f, "*.json")
	keep := FlagFilter([]string{"query.timeout", "objstore.config"})
	f.Fuzz(func(t *testing.T, data []byte) {
		var facts Facts
		infoErr := facts.ReadBuildInfo(bytes.NewReader(data))
		flagsErr := facts.ReadFlags(bytes.NewReader(data), keep)
		storesErr := facts.ReadStores(bytes.NewReader(data))
		for name := range facts.Flags {
			if name != "query.timeout" {
				t.Errorf("flag %q passed", name)
			}
		}
		if infoErr != nil || flagsErr != nil || storesErr != nil {
			return
		}
		if diff := cmp.Diff(facts, roundTrip(t, facts)); diff != "" {
			t.Errorf("-read +read again:\n%s", diff)
		}
	})
}

// TestGenerated writes dumps of random stacks, states and labels and reads
// them: counts, ids and states must be those that were written.
func TestGenerated(t *testing.T) {
	for s := range uint64(200) {
		t.Run(fmt.Sprint(s), func(t *testing.T) {
			g := generator{rand.New(rand.NewPCG(s, 1))}
			text, want := g.dump()
			snap := readString(t, text)
			got := map[string]int{}
			for _, g := range snap.Groups {
				for _, p := range g.Places {
					got[fmt.Sprintf("%s:%d %s", g.Signature, p.Line, p.State)] = p.Count
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-written +read:\n%s\n%s", diff, text)
			}
			if headers := len(headerRE.FindAllString(text, -1)); snap.Total != headers || snap.Unreadable > 0 {
				t.Errorf("%d goroutines and %d unreadable of %d", snap.Total, snap.Unreadable, headers)
			}
		})
	}
}

// generator makes debug=2 dumps.
type generator struct{ *rand.Rand }

func pick[T any](g generator, from ...T) T { return from[g.IntN(len(from))] }

// dump returns a dump and how many goroutines stand in "signature:line state".
func (g generator) dump() (text string, want map[string]int) {
	var b strings.Builder
	want = map[string]int{}
	stacks := make([][]Frame, 1+g.IntN(6))
	for i := range stacks {
		stacks[i] = g.stack()
	}
	for id := range 1 + g.IntN(50) {
		frames := pick(g, stacks...)
		state := pick(g, StateSelect, StateChanReceive, StateChanReceiveNil, StateSelectNoCases, StateIOWait, StateSleep, "runnable", "GC worker (idle)")
		b.WriteString(g.header(id+1, state))
		for _, f := range frames {
			fmt.Fprintf(&b, "%s(%s)\n\t%s:%d%s\n", f.Func, pick(g, "", "...", "0xc000634eb0", "{0x1, 0x2?}, 0x3, ..."), f.File, f.Line, pick(g, "", " +0x1d", " +0x1d fp=0xc0 sp=0xc1 pc=0x4"))
		}
		b.WriteString(pick(g, "", "...additional frames elided...\n", "...7 frames elided...\n"))
		b.WriteString(pick(g, "", "created by a.main\n\t/a.go:1 +0x1\n", "created by a.New[...] in goroutine 1\n\t/a b.go:1 +0x1\n"))
		b.WriteString(pick(g, "", "", "[originating from goroutine 1]:\na.main(...)\n\t/a.go:34 +0x2c9\ncreated by a.main\n\t/a.go:1\n"))
		b.WriteString("\n")
		want[fmt.Sprintf("%s:%d %s", NewSignature(frames), leafLine(frames), state)]++
	}
	return b.String(), want
}

// stack returns random frames of which one at least is not the runtime's.
func (g generator) stack() []Frame {
	var frames []Frame
	for range 1 + g.IntN(40) {
		frames = append(frames, Frame{
			Func: pick(g, "a.f", "a.(*T).Method", "a/b.New[...]", "a.f.func1.2", "runtime.gopark", "sync.(*Mutex).Lock", "gopkg.in/yaml%2ev3.Unmarshal"),
			File: pick(g, "/app/a.go", "C:/a b/x.go", "github.com/a/b@v1.2.3/x.go", "_cgo_gotypes.go"),
			Line: 1 + g.IntN(3),
		})
	}
	return slices.Insert(frames, g.IntN(len(frames)), Frame{Func: "a.leaf", File: "/a.go", Line: 1 + g.IntN(3)})
}

// header returns a header in the spelling of some Go release.
func (g generator) header(id int, state State) string {
	marks := pick(g, "", " (leaked)") + pick(g, "", " (scan)") + pick(g, "", " (durable)")
	attributes := pick(g, "", ", 5 minutes") + pick(g, "", ", locked to thread") + pick(g, "", ", synctest bubble 3")
	inside, behind := "", ""
	switch g.IntN(3) {
	case 0:
		inside = fmt.Sprintf(" labels:{%q: %q}", pick(g, "k", "a b"), pick(g, "v", "x]: y", `"q"`, "(leaked)", "ü"))
	case 1:
		behind = fmt.Sprintf(" {%q: %q}", pick(g, "k", "a b"), pick(g, "v", "x]: y [", `"q"`, " labels:{"))
	}
	return fmt.Sprintf("goroutine %d%s [%s%s%s%s]%s:\n", id, pick(g, "", " gp=0xc000102e00 m=nil"), state, marks, attributes, inside, behind)
}

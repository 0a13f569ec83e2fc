package profile

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	pprof "github.com/google/pprof/profile"
)

// maxSeed bounds a seed in bytes: larger ones make mutation slow.
const maxSeed = 8 << 10

// seed adds the beginnings of the files of testdata that match, unpacked; there
// must be some for each pattern.
func seed(f *testing.F, patterns ...string) {
	f.Helper()
	for _, pattern := range patterns {
		for _, name := range glob(f, filepath.Join("testdata", pattern)) {
			data := plainFile(f, name)
			f.Add(data[:min(len(data), maxSeed)])
		}
	}
}

// glob returns the names of the files that match, of which there must be some.
func glob(f *testing.F, pattern string) []string {
	f.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) == 0 {
		f.Fatalf("no seeds %s: %v", pattern, err)
	}
	return names
}

// plainFile returns the content of a file, unpacked.
func plainFile(f *testing.F, name string) []byte {
	f.Helper()
	data, err := os.ReadFile(name)
	if err == nil && bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
		data, err = gunzipped(bytes.NewReader(data))
	}
	if err != nil {
		f.Fatal(err)
	}
	return data
}

func gunzipped(r io.Reader) ([]byte, error) {
	zr, err := gzip.NewReader(r)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(zr)
}

// captured hands over one file of each recorded process whose name matches,
// unpacked; there must be some.
func captured(f *testing.F, pattern string, use func(data []byte)) {
	f.Helper()
	found := map[string]bool{} // folders
	for _, archive := range glob(f, filepath.Join("..", "testdata", "captures", "*.tar.gz")) {
		files := tar.NewReader(bytes.NewReader(plainFile(f, archive)))
		for {
			h, err := files.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				f.Fatal(err)
			}
			dir, base := path.Split(h.Name)
			if match, err := path.Match(pattern, base); err != nil || !match || found[dir] {
				continue
			}
			found[dir] = true
			var data []byte
			if data, err = io.ReadAll(files); err == nil && strings.HasSuffix(base, ".gz") {
				data, err = gunzipped(bytes.NewReader(data))
			}
			if err != nil {
				f.Fatal(err)
			}
			use(data)
		}
	}
	if len(found) == 0 {
		f.Fatalf("no seeds %s in the captures", pattern)
	}
}

// seedCaptured adds the beginnings of files of captures.
func seedCaptured(f *testing.F, pattern string) {
	f.Helper()
	captured(f, pattern, func(data []byte) { f.Add(data[:min(len(data), maxSeed)]) })
}

// seedProtobuf adds the first samples of a debug=0 profile, which is of no use
// when it is cut.
func seedProtobuf(f *testing.F, data []byte) {
	f.Helper()
	p, err := pprof.ParseUncompressed(data)
	if err != nil {
		f.Fatal(err)
	}
	p.Sample = p.Sample[:min(len(p.Sample), 4)]
	var b bytes.Buffer
	if err := p.Compact().WriteUncompressed(&b); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
}

// FuzzDebug0 checks the reader of debug=0 against a plain sum: what the samples
// count is read or reported as unreadable, and whatever is a valid goroutine
// profile, of an instant, is read.
func FuzzDebug0(f *testing.F) {
	for _, name := range glob(f, filepath.Join("testdata", "triples", "*.pb.gz")) {
		seedProtobuf(f, plainFile(f, name))
	}
	captured(f, "*.pb.gz", func(data []byte) { seedProtobuf(f, data) })
	f.Fuzz(func(t *testing.T, data []byte) {
		if !isBinary(data[:min(len(data), 512)]) || binaryForm(data) != nil {
			return
		}
		snaps := readAll(t, data)
		p, err := pprof.ParseUncompressed(data)
		if err == nil {
			err = p.CheckValid()
		}
		if err != nil || len(p.SampleType) == 0 || !strings.HasPrefix(p.SampleType[0].Type, "goroutine") {
			return // readAll has seen that the error says something
		}
		if p.DurationNanos > 0 || bytes.HasPrefix(data, []byte("HTTP/")) {
			return // a difference, or an answer with its headers: refused
		}
		total, unreadable := 0, 0
		for _, s := range p.Sample {
			if n := s.Value[0]; n < 0 || n > maxCount {
				unreadable++
			} else {
				total += int(n)
			}
		}
		if len(snaps) != 1 {
			if kind := p.SampleType[0].Type; kind == "goroutine" && total+unreadable > 0 || kind == "goroutineleak" {
				t.Fatalf("%d snapshots of a valid profile", len(snaps))
			}
			return // one without goroutines is refused: no process is without any
		}
		if s := snaps[0]; s.Encoding != Debug0 || s.Total != total || s.Unreadable != unreadable {
			t.Errorf("%v: %d goroutines and %d unreadable, want %d and %d", s.Encoding, s.Total, s.Unreadable, total, unreadable)
		}
	})
}

// What begins a record of debug=1 and a goroutine of debug=2: on a line of its
// own, and behind whatever a log has before it.
var (
	countRE     = regexp.MustCompile(`(?m)^[ >]*(\d+) @(?: 0x[0-9a-f]+)+[ \t\r\f]*$`)
	anyCountRE  = regexp.MustCompile(`(\d+) @ 0x`)
	headerRE    = regexp.MustCompile(`(?m)^[ >]*goroutine [0-9]+ (\[|gp=)`)
	anyHeaderRE = regexp.MustCompile(`goroutine [0-9]+ (\[|gp=)`)
)

// FuzzDebug1 checks that no goroutine of a debug=1 dump is lost: what was read is
// what the lines count, unless something is reported as unreadable.
func FuzzDebug1(f *testing.F) {
	seed(f, "triples/*.debug1.txt.gz", "logs/*.debug1.txt.gz")
	seedCaptured(f, "*debug1.txt*")
	f.Add([]byte(debug1Text))
	f.Fuzz(func(t *testing.T, data []byte) {
		snaps := readAll(t, data)
		checkSize(t, snaps, len(data))
		if len(snaps) == 0 || snaps[0].Encoding != Debug1 || anyHeaderRE.Match(data) {
			return
		}
		read, unreadable := 0, 0
		for _, s := range snaps {
			read, unreadable = read+s.Total, unreadable+s.Unreadable
		}
		if least, most := counted(countRE, data), counted(anyCountRE, data); read > most || unreadable == 0 && read < least {
			t.Errorf("%d goroutines and %d unreadable groups, the lines count %d to %d", read, unreadable, least, most)
		}
	})
}

// counted is the sum of the counts that match and are possible.
func counted(re *regexp.Regexp, data []byte) int {
	sum := 0
	for _, m := range re.FindAllSubmatch(data, -1) {
		if n, err := strconv.Atoi(string(m[1])); err == nil && n <= maxCount {
			sum += n
		}
	}
	return sum
}

// FuzzDebug2 checks that no goroutine of a text dump is lost: headers =
// goroutines read + goroutines reported as unreadable. In a log with debug=1
// dumps the sum does not hold, since debug=2 only annotates them.
func FuzzDebug2(f *testing.F) {
	seed(f, "flavours/*", "triples/*.debug2.txt.gz", "logs/*")
	seedCaptured(f, "*debug2.txt*")
	f.Add([]byte("> > goroutine 7 [select]:\n> > main.wait()\n> > \t/app/main.go:7 +0x1d\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		snaps := readAll(t, data)
		checkSize(t, snaps, len(data))
		read := 0
		for _, s := range snaps {
			if read += s.Total + s.Unreadable + s.Repeated + s.LeftOut; s.Encoding != Debug2 {
				return
			}
		}
		least, most := len(headerRE.FindAllIndex(data, -1)), len(anyHeaderRE.FindAllIndex(data, -1))
		if len(snaps) > 0 && !bytes.HasPrefix(data, []byte("\x1f\x8b")) && (read < least || read > most) {
			t.Errorf("%d goroutines read or reported, %d to %d headers", read, least, most)
		}
	})
}

// readAll reads the input and checks what holds for all: there are snapshots or
// an error that says something, and the snapshots are as documented.
func readAll(t *testing.T, data []byte) []*Snapshot {
	t.Helper()
	snaps, err := Read(bytes.NewReader(data), Options{})
	switch {
	case err != nil && (len(snaps) > 0 || err.Error() == ""):
		t.Fatalf("%d snapshots and error %v", len(snaps), err)
	case err == nil && len(snaps) == 0:
		t.Fatal("neither a snapshot nor an error")
	}
	for _, s := range snaps {
		checkInvariants(t, s)
	}
	return snaps
}

// checkSize checks that what is kept of a text is bounded by its length: a line
// of a few bytes becomes a frame.
func checkSize(t *testing.T, snaps []*Snapshot, length int) {
	t.Helper()
	kept := 0
	for _, s := range snaps {
		kept += 200 + len(strings.Join(s.Warnings, ""))
		for _, g := range s.Groups {
			kept += len(g.Signature) + size(g.Frames) + len(g.Places)*placeSize + len(g.Goroutines)*goroutineSize
		}
	}
	if most := 64*length + 1000; kept > most {
		t.Errorf("%d bytes are kept of %d", kept, length)
	}
}

// FuzzMetrics checks that what is kept of a page reads the same again, and is
// not larger than the page.
func FuzzMetrics(f *testing.F) {
	seed(f, "metrics.txt")
	seedCaptured(f, "*metrics.txt*")
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
		kept := 0
		for name, values := range m {
			if _, ok := families[name]; !ok {
				t.Errorf("family %q passed", name)
			}
			for _, v := range values {
				kept++
				for label, text := range v.Labels {
					if kept += len(text); !slices.Contains(families[name], label) {
						t.Errorf("label %q of %s passed", label, name)
					}
				}
			}
		}
		if kept > len(data) {
			t.Errorf("%d bytes are kept of %d", kept, len(data))
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

// FuzzFacts checks of each answer of the status API that what is kept reads the
// same again once it is written, that no other flag passes than those asked for,
// and no credentials in an address.
func FuzzFacts(f *testing.F) {
	seed(f, "*.json")
	seedCaptured(f, "status-*.json")
	seedCaptured(f, "stores.json")
	keep := FlagFilter([]string{"query.timeout", "objstore.config", "a"})
	f.Add([]byte(`{"status":"success","data":{"query.timeout":"2m","objstore.config":"secret","a":""}}`))
	f.Add([]byte(`{"status":"success","data":{"query":[{"name":"u:p@h:1","lastError":{}}],"":[{}]}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		for name, read := range map[string]func(*Facts) error{
			"buildinfo": func(f *Facts) error { return f.ReadBuildInfo(bytes.NewReader(data)) },
			"flags":     func(f *Facts) error { return f.ReadFlags(bytes.NewReader(data), keep) },
			"stores":    func(f *Facts) error { return f.ReadStores(bytes.NewReader(data)) },
		} {
			var facts Facts
			if err := read(&facts); err != nil {
				continue
			}
			for flag := range facts.Flags {
				if flag != "query.timeout" && flag != "a" {
					t.Errorf("flag %q passed", flag)
				}
			}
			for _, e := range facts.Endpoints {
				if strings.Contains(e.Name, "@") {
					t.Errorf("the name %q passed", e.Name)
				}
			}
			again := roundTrip(t, facts)
			if facts.Endpoints == nil {
				again.Endpoints = nil // written, none are an empty list
			}
			if diff := cmp.Diff(facts, again); diff != "" {
				t.Errorf("%s: -read +read again:\n%s", name, diff)
			}
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

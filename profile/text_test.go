package profile

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestFlavours reads dumps of one small program in every variant of header
// and frame.
func TestFlavours(t *testing.T) {
	want := map[string]int{"synctest.txt": 9, "truncated.txt": 5}
	names, err := filepath.Glob("testdata/flavours/*")
	if err != nil || len(names) < 14 {
		t.Fatalf("%d fixtures: %v", len(names), err)
	}
	for _, name := range names {
		name := filepath.Base(name)
		t.Run(name, func(t *testing.T) {
			n := want[name]
			if n == 0 {
				n = 6
			}
			s := readFile(t, "flavours/"+name)
			if s.Total != n || s.Unreadable != 0 {
				t.Errorf("%d goroutines and %d unreadable, want %d and 0", s.Total, s.Unreadable, n)
			}
			if truncated := name == "truncated.txt"; s.Truncated != truncated || (len(s.Warnings) > 0) != truncated {
				t.Errorf("truncated %t, warnings %q", s.Truncated, s.Warnings)
			}
			if name != "synctest.txt" && s.Groups[0].State() != StateChanReceive {
				t.Errorf("state %q, want %q", s.Groups[0].State(), StateChanReceive)
			}
		})
	}
}

func readRaw(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// wantUnsupported checks that data is named for what it is.
func wantUnsupported(t *testing.T, data []byte, form string) {
	t.Helper()
	snaps, err := Read(bytes.NewReader(data), Options{})
	var u *UnsupportedError
	if !errors.As(err, &u) {
		t.Fatalf("%d snapshots and error %v, want an UnsupportedError", len(snaps), err)
	}
	if !strings.Contains(u.Form, form) || u.Hint == "" || !strings.Contains(err.Error(), u.Hint) {
		t.Errorf("form %q, hint %q, want a form with %q", u.Form, u.Hint, form)
	}
}

func TestHeader(t *testing.T) {
	for _, tt := range []struct {
		line  string
		want  Goroutine
		state State
		bad   bool
	}{
		{line: "goroutine 1 [running]:", want: Goroutine{ID: 1}, state: StateRunning},
		{line: "goroutine 19 [chan receive, 12 minutes]:", want: Goroutine{ID: 19, WaitMinutes: 12}, state: StateChanReceive},
		{line: "goroutine 19 [chan receive, 12 minutes, locked to thread]: ", want: Goroutine{ID: 19, WaitMinutes: 12}, state: StateChanReceive},
		{line: "goroutine 19 [chan receive (nil chan), 12 minutes]:", want: Goroutine{ID: 19, WaitMinutes: 12}, state: StateChanReceiveNil},
		{line: "goroutine 19 [chan receive (nil chan) (leaked), 3 minutes]:", want: Goroutine{ID: 19, WaitMinutes: 3, Leaked: true}, state: StateChanReceiveNil},
		{line: "goroutine 19 [select (no cases) (leaked) (scan)]:", want: Goroutine{ID: 19, Leaked: true}, state: StateSelectNoCases},
		{line: "goroutine 19 [select (scan) (durable), synctest bubble 4]:", want: Goroutine{ID: 19}, state: StateSelect},
		{line: `goroutine 19 [IO wait, 2 minutes labels:{"a": "x]:, 9 minutes", "b": "y"}]:`, want: Goroutine{ID: 19, WaitMinutes: 2}, state: StateIOWait},
		{line: `goroutine 19 [sync.WaitGroup.Wait labels:{"a": "(leaked)"}]:`, want: Goroutine{ID: 19}, state: StateWaitGroup},
		// Go 1.27 prints labels behind the brackets.
		{line: `goroutine 19 [chan receive] {tenant: "team, a"}:`, want: Goroutine{ID: 19}, state: StateChanReceive},
		{line: `goroutine 19 [chan receive, 7 minutes] {"a b": "[x]: labels:{", path: /x}:`, want: Goroutine{ID: 19, WaitMinutes: 7}, state: StateChanReceive},
		// A crash, and GOTRACEBACK=system.
		{line: "goroutine 19 gp=0xc000104e00 m=nil [semacquire, 5 minutes]:", want: Goroutine{ID: 19, WaitMinutes: 5}, state: StateSemacquire},
		{line: "goroutine 0 gp=0x5dcb00 m=3 mp=0xc000080008 [idle]:", want: Goroutine{}, state: "idle"},
		{line: "goroutine 19 gp=0xc0 m=nil [chan send (leaked), 1 minutes, locked to thread] {a: b}:", want: Goroutine{ID: 19, WaitMinutes: 1, Leaked: true}, state: StateChanSend},

		{line: "goroutine 19 [chan rec", bad: true},
		{line: "goroutine 19 [chan receive", bad: true},
		{line: "goroutine 19 chan receive:", bad: true},
		{line: "goroutine 99999999999999999999 [running]:", bad: true},
		{line: "goroutine x [running]:", bad: true},
		{line: "goroutine 19", bad: true},
		{line: "goroutine profile: total 5", bad: true},
	} {
		t.Run(tt.line, func(t *testing.T) {
			got, state, ok := parseHeader([]byte(tt.line))
			if ok == tt.bad {
				t.Fatalf("readable %t", ok)
			}
			if tt.bad {
				return
			}
			if got != tt.want || state != tt.state {
				t.Errorf("%+v in %q, want %+v in %q", got, state, tt.want, tt.state)
			}
		})
	}
}

func TestTraceback(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       []Group
	}{{
		name: "crash with pc, and frames elided in both forms",
		text: `panic: boom [recovered]
	panic: boom

goroutine 7 gp=0xc000102e00 m=4 mp=0xc000100008 [running]:
panic({0x4d2a60?, 0x523b18?})
	/usr/local/go/src/runtime/panic.go:787 +0x132 fp=0xc00006af10 sp=0xc00006ae60 pc=0x46ee12
main.(*T).crash(0x0, {0x1, 0x2})
	/src/a b/main.go:12 +0x1d fp=0xc00006af38 sp=0xc00006af10 pc=0x4b3a1d
...17 frames elided...
main.main.gowrap1()
	/src/a b/main.go:20 +0x1d fp=0xc00006af38 sp=0xc00006af10 pc=0x4b3a1d
...additional frames elided...
created by main.main
	/src/a b/main.go:20 +0x5d

goroutine 8 gp=0xc000102fc0 m=5 mp=0xc000100408 [running]:
	goroutine running on other thread; stack unavailable
created by main.main in goroutine 1
	/src/a b/main.go:30 +0x5d
rax    0xca
rip    0x46f0a1
exit status 2
`,
		want: []Group{
			{
				Signature: "(stack unavailable)", Count: 1,
				Frames:     []Frame{{Func: "(stack unavailable)"}},
				Places:     []Place{{State: StateRunning, Count: 1}},
				CreatedBy:  "main.main",
				Goroutines: []Goroutine{{ID: 8, Creator: 1}},
			},
			{
				Signature: "main.(*T).crash;main.main.gowrap1", Count: 1,
				Frames:     []Frame{{"main.(*T).crash", "/src/a b/main.go", 12}, {"main.main.gowrap1", "/src/a b/main.go", 20}},
				Places:     []Place{{Line: 12, State: StateRunning, Count: 1}},
				CreatedBy:  "main.main",
				Goroutines: []Goroutine{{ID: 7}},
			},
		},
	}, {
		name: "WaitGroup before and after Go 1.24, other semaphores",
		text: `goroutine 2 [semacquire, 4 minutes]:
sync.runtime_Semacquire(0xc000012d08?)
	/usr/local/go/src/runtime/sema.go:62 +0x25
sync.(*WaitGroup).Wait(0x2697f60?)
	/usr/local/go/src/sync/waitgroup.go:116 +0x48
main.f()
	/src/main.go:3

goroutine 3 [sync.WaitGroup.Wait]:
sync.runtime_SemacquireWaitGroup(0xc000012d08?)
	/usr/local/go/src/runtime/sema.go:114 +0x25
sync.(*WaitGroup).Wait(0x2697f60?)
	/usr/local/go/src/sync/waitgroup.go:116 +0x48
main.f()
	/src/main.go:3 +0x2

goroutine 4 [semacquire]:
internal/poll.runtime_Semacquire(0xc000012d08?)
	/usr/local/go/src/runtime/sema.go:62 +0x25
main.g()
	C:/src/main.go:4 +0x2
`,
		want: []Group{
			{
				Signature: "sync.(*WaitGroup).Wait;main.f", Count: 2,
				Frames:     []Frame{{"sync.(*WaitGroup).Wait", "/usr/local/go/src/sync/waitgroup.go", 116}, {"main.f", "/src/main.go", 3}},
				Places:     []Place{{Line: 116, State: StateWaitGroup, Count: 2}},
				Goroutines: []Goroutine{{ID: 2, WaitMinutes: 4}, {ID: 3}},
			},
			{
				Signature: "main.g", Count: 1,
				Frames:     []Frame{{"main.g", "C:/src/main.go", 4}},
				Places:     []Place{{Line: 4, State: StateSemacquire, Count: 1}},
				Goroutines: []Goroutine{{ID: 4}},
			},
		},
	}, {
		name: "labels and creators do not split a group",
		text: `goroutine 2 [select labels:{"tenant": "a"}]:
main.f()
	/src/main.go:3 +0x2
created by main.one in goroutine 1
	/src/main.go:9 +0x2

goroutine 3 [select, 1 minutes] {tenant: b}:
main.f()
	/src/main.go:5 +0x2
created by main.two in goroutine 2
	/src/main.go:9 +0x2
[originating from goroutine 2]:
main.f(...)
	/src/main.go:34 +0x2c9
created by main.main
	/src/main.go:34 +0x2c9
`,
		want: []Group{{
			Signature: "main.f", Count: 2,
			Frames:     []Frame{{"main.f", "/src/main.go", 3}},
			Places:     []Place{{Line: 3, State: StateSelect, Count: 1}, {Line: 5, State: StateSelect, Count: 1}},
			Goroutines: []Goroutine{{ID: 2, Creator: 1}, {ID: 3, Creator: 2, WaitMinutes: 1}},
		}},
	}} {
		t.Run(tt.name, func(t *testing.T) {
			for _, lineEnd := range []string{"\n", "\r\n"} {
				s := readString(t, strings.ReplaceAll(tt.text, "\n", lineEnd))
				if diff := cmp.Diff(tt.want, s.Groups); diff != "" {
					t.Errorf("line end %q: -want +got:\n%s", lineEnd, diff)
				}
				if s.Truncated || s.Unreadable > 0 || len(s.Warnings) > 0 {
					t.Errorf("truncated %t, unreadable %d, warnings %q", s.Truncated, s.Unreadable, s.Warnings)
				}
			}
		})
	}
}

// TestCut cuts a dump at every byte: no goroutine that has begun is lost, and
// wherever the cut can be seen, it is told.
func TestCut(t *testing.T) {
	whole := string(readRaw(t, "flavours/generic.txt"))
	for i := 1; i < len(whole); i++ {
		text := whole[:i]
		headers := strings.Count("\n"+text, "\ngoroutine ")
		last := text[strings.LastIndexByte(text, '\n')+1:]
		begun := strings.Count("\n"+text, "\ngoroutine ") - strings.Count(text, "]:\n")
		snaps, err := Read(strings.NewReader(text), Options{})
		if err != nil {
			var u *UnsupportedError
			if !errors.As(err, &u) || strings.Contains(text, "[") {
				t.Fatalf("cut at %d: %v", i, err)
			}
			continue
		}
		s := snaps[0]
		if got := s.Total + s.Unreadable; len(snaps) != 1 || got > headers || got < headers-begun {
			t.Fatalf("cut at %d, behind %q: %d goroutines and %d unreadable in %d snapshots, of %d", i, last, s.Total, s.Unreadable, len(snaps), headers)
		}
		_, _, position := cutPosition([]byte(strings.TrimSpace(last)))
		if want := last != "" && !position; s.Truncated != want {
			t.Fatalf("cut at %d, behind %q: truncated %t, want %t", i, last, s.Truncated, want)
		}
	}
}

// TestRuntimeLimit checks the size at which the runtime cuts debug=2, also
// where the cut falls between two goroutines.
func TestRuntimeLimit(t *testing.T) {
	record := "\ngoroutine 5 [select]:\nmain.f(0x1)\n\t/src/main.go:3 +0x2\n\n"
	filler := cutSize - len(record)
	for _, tt := range []struct {
		name string
		size int
		want bool
	}{{"at the limit", filler, true}, {"below", filler - 1, false}} {
		t.Run(tt.name, func(t *testing.T) {
			r := &repeated{text: strings.Repeat("x", 1000) + "\n", left: tt.size}
			s, err := Read(newMultiReader(r, record), Options{})
			if err != nil {
				t.Fatal(err)
			}
			if s[0].Total != 1 || s[0].Truncated != tt.want {
				t.Errorf("%d goroutines, truncated %t, want 1, %t", s[0].Total, s[0].Truncated, tt.want)
			}
		})
	}
}

const debug1Text = `goroutine profile: total 12
7 @ 0x43f90e 0x40abf9 0x1d11152
# labels: {"tenant":"team, a", "x":"7 @ 0x1"}
#	0x1d11151	example.org/a.(*T).wait[...]+0x1d1	/app/a b/a.go:627
#	0x1d10e56	example.org/a.New.func1+0x256		/app/a.go:663

2 @ 0x43f90e 0x40abf9 0x1d11152
#	0x1d11151	example.org/a.(*T).wait[...]+0x1d1	/app/a b/a.go:627
#	0x1d10e56	example.org/a.New.func1+0x256		/app/a.go:663

2 @ 0x43f90e 0x40abf9
#	0x43f90d	time.Sleep+0x12d	/usr/local/go/src/runtime/time.go:195
#	0x40abf8	example.org/a.tick+0x1	/app/a.go:9

1 @ 0x472e01
`

func debug1Want() []Group {
	return []Group{
		{
			Signature: "example.org/a.(*T).wait[...];example.org/a.New.func1", Count: 9,
			Frames: []Frame{{"example.org/a.(*T).wait[...]", "/app/a b/a.go", 627}, {"example.org/a.New.func1", "/app/a.go", 663}},
			Places: []Place{{Line: 627, Count: 9}},
		},
		{
			Signature: "time.Sleep;example.org/a.tick", Count: 2,
			Frames: []Frame{{"time.Sleep", "/usr/local/go/src/runtime/time.go", 195}, {"example.org/a.tick", "/app/a.go", 9}},
			Places: []Place{{Line: 195, Count: 2}},
		},
		{Signature: goexit, Count: 1, Frames: []Frame{{Func: goexit}}, Places: []Place{{Count: 1}}},
	}
}

func TestDebug1(t *testing.T) {
	markdown := strings.NewReplacer("#\t", "", "# labels", "labels", "\t", " ")
	spaces := strings.NewReplacer("#\t", " ", "\t", "    ")
	for _, tt := range []struct{ name, text string }{
		{"as served", debug1Text},
		{"CRLF", strings.ReplaceAll(debug1Text, "\n", "\r\n")},
		{"# and tabs eaten", markdown.Replace(debug1Text)},
		{"# turned to a space", spaces.Replace(debug1Text)},
		{"without header", debug1Text[strings.IndexByte(debug1Text, '\n')+1:]},
		{"without last line end", strings.TrimSpace(debug1Text)},
		{"indented by t.Log", "=== RUN   TestX\n    x_test.go:46: " + strings.ReplaceAll(debug1Text, "\n", "\n        ") + "\n--- FAIL: TestX (0.01s)\nFAIL\n"},
		{"in a log", "ts=2026-11-22 caller=main.go msg=x\n" + debug1Text + "FAIL\texample.org/a\t0.01s\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := readString(t, tt.text)
			if s.Encoding != Debug1 || s.Truncated != (tt.name == "without header") || s.Unreadable > 0 {
				t.Errorf("%v, truncated %t, unreadable %d: %q", s.Encoding, s.Truncated, s.Unreadable, s.Warnings)
			}
			if diff := cmp.Diff(debug1Want(), s.Groups); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestDebug1Damaged(t *testing.T) {
	for _, tt := range []struct {
		name, text        string
		total, unreadable int
		truncated         bool
	}{
		{"cut behind the second record", debug1Text[:strings.Index(debug1Text, "2 @ 0x43f90e 0x40abf9\n")], 9, 0, true},
		{"cut inside a record", debug1Text[:strings.Index(debug1Text, "#	0x40abf8")], 11, 0, true},
		{"cut before the first record", "goroutine profile: total 12\n7 @ 0x43", 0, 7, true},
		{"addresses only", "goroutine profile: total 9\n7 @ 0x43f90e 0x40abf9 0x1d11152\n\n2 @ 0x43f90e 0x40abf9\n\n", 0, 9, false},
		{"a count that no machine reaches", "99999999999999 @ 0x43f90e 0x40abf9\n#\t0x1\tmain.f+0x1\t/a.go:1\n\n1 @ 0x1 0x2\n#\t0x1\tmain.f+0x1\t/a.go:1\n", 1, 1, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := readString(t, tt.text)
			if s.Total != tt.total || s.Unreadable != tt.unreadable || s.Truncated != tt.truncated {
				t.Errorf("%d goroutines, %d unreadable, truncated %t; want %d, %d, %t: %q",
					s.Total, s.Unreadable, s.Truncated, tt.total, tt.unreadable, tt.truncated, s.Warnings)
			}
			if len(s.Warnings) == 0 {
				t.Error("nothing is said")
			}
		})
	}
}

// TestLogs reads what go test -v printed with dumps inside.
func TestLogs(t *testing.T) {
	for _, tt := range []struct {
		file   string
		totals []int
	}{
		{"v0.42.4-concurrentlister-leak-go1.26.txt.gz", []int{616}},
		{"v0.42.4-inflight-and-clean-go1.26.txt.gz", []int{13, 22, 43, 64}},
		{"tsdb-failed-open.debug1.txt.gz", []int{52}},
	} {
		t.Run(tt.file, func(t *testing.T) {
			var totals []int
			for _, s := range readFiles(t, "logs/"+tt.file) {
				checkInvariants(t, s)
				totals = append(totals, s.Total)
			}
			if diff := cmp.Diff(tt.totals, totals); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestDumpsInLog checks that the last goroutine of a dump is not spoilt by
// what a test prints behind it, and that a second dump is one of its own.
func TestDumpsInLog(t *testing.T) {
	dump := "goroutine 5 [running]:\nmain.dump()\n\t/src/main.go:3 +0x2\n\n" +
		"goroutine 6 [select]:\nmain.f()\n\t/src/main.go:3 +0x2\ncreated by main.g in goroutine 5\n\t/src/main.go:9 +0x2\n"
	log := "=== RUN   TestX\n" + dump + "--- FAIL: TestX (0.01s)\n=== RUN   TestY\n" + dump + "--- PASS: TestY (0.00s)\nexit status 1"
	snaps, err := Read(strings.NewReader(log), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(snaps) != 2 {
		t.Fatalf("%d snapshots, want 2", len(snaps))
	}
	want := []Group{
		{Signature: "main.dump", Count: 1, Frames: []Frame{{"main.dump", "/src/main.go", 3}}, Places: []Place{{3, StateRunning, 1}}, Goroutines: []Goroutine{{ID: 5}}},
		{Signature: "main.f", Count: 1, Frames: []Frame{{"main.f", "/src/main.go", 3}}, Places: []Place{{3, StateSelect, 1}}, CreatedBy: "main.g", Goroutines: []Goroutine{{ID: 6, Creator: 5}}},
	}
	for i, s := range snaps {
		checkInvariants(t, s)
		if diff := cmp.Diff(want, s.Groups); diff != "" {
			t.Errorf("snapshot %d: -want +got:\n%s", i, diff)
		}
		if s.Truncated {
			t.Errorf("snapshot %d counts as truncated", i)
		}
	}
}

// TestRecordsBehindDump: records of debug=1 that lost their header are none of
// the stacks of the dump before them, and none is lost.
func TestRecordsBehindDump(t *testing.T) {
	text := "goroutine 5 [select]:\nmain.f()\n\t/src/main.go:3 +0x2\n\n" +
		"3 @ 0x43f90e 0x40abf9\n#\t0x1\tmain.g+0x1\t/src/main.go:7\n"
	snaps, err := Read(strings.NewReader(text), Options{})
	if err != nil {
		t.Fatal(err)
	}
	var totals []int
	for _, s := range snaps {
		totals = append(totals, s.Total)
	}
	if diff := cmp.Diff([]int{1, 3}, totals); diff != "" {
		t.Errorf("goroutines of the snapshots: -want +got:\n%s", diff)
	}
}

// TestGzip checks that compressed input gives the same, and how broken
// compression is told.
func TestGzip(t *testing.T) {
	plain := readRaw(t, "flavours/generic.txt")
	packed := pack(t, plain)
	s, err := Read(bytes.NewReader(packed), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(readString(t, string(plain)), s[0]); diff != "" {
		t.Error(diff)
	}
	for _, tt := range []struct {
		name, want string
		data       []byte
	}{
		{"cut", "ends in the middle", packed[:len(packed)-12]},
		{"header only", "damaged gzip", packed[:5]},
		{"debug=0 cut", "ends in the middle", readRaw(t, "triples/go121-eager-leaf.debug0.pb.gz")[:2000]},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := Read(bytes.NewReader(tt.data), Options{}); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

func pack(t testing.TB, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestDeep checks that stacks longer than any real one are bounded, in text
// and in one goroutine of many calls.
func TestDeep(t *testing.T) {
	for _, tt := range []struct{ name, text string }{
		{"debug=2", "goroutine 1 [select]:\n" + strings.Repeat("main.f()\n\t/a.go:1 +0x1\n", 100_000)},
		{"debug=1", "1 @ 0x1 0x2\n" + strings.Repeat("#\t0x1\tmain.f+0x1\t/a.go:1\n", 100_000)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := readString(t, tt.text)
			want := Signature(strings.Repeat("main.f;", SignatureDepth-1) + "main.f")
			if s.Total != 1 || s.Groups[0].Signature != want {
				t.Errorf("%d goroutines in %q", s.Total, s.Groups[0].Signature)
			}
		})
	}
}

// TestManyLines checks that an input made to be slow is not: one signature
// with a hundred thousand lines and ids.
func TestManyLines(t *testing.T) {
	const n = 100_000
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "goroutine %d [select]:\nmain.f()\n\t/a.go:%d +0x1\n\n", i+1, i+1)
	}
	s := readString(t, b.String())
	if s.Total != n || len(s.Groups) != 1 || len(s.Groups[0].Places) != n {
		t.Errorf("%d goroutines in %d groups", s.Total, len(s.Groups))
	}
}

// TestRunningOthers checks that a second running goroutine does not split a
// dump: from Go 1.26 those that return from a system call count as running.
// The one that writes the dump for pprof does.
func TestRunningOthers(t *testing.T) {
	writer := "goroutine 5 [running]:\nruntime/pprof.writeGoroutineStacks({0x1, 0x2})\n\t/src/pprof.go:3 +0x2\n\n"
	other := "goroutine 6 [running]:\nsyscall.Syscall(0x0)\n\t/src/syscall.go:3 +0x2\n\n"
	third := strings.Replace(other, "6", "7", 1)
	for _, tt := range []struct {
		text   string
		totals []int
	}{
		{writer + other, []int{2}},
		{writer + other + writer + other + third, []int{2, 3}},
		{writer + writer + writer, []int{1, 1, 1}},
		{other + writer + third, []int{3}},
	} {
		if diff := cmp.Diff(tt.totals, totals(t, tt.text)); diff != "" {
			t.Errorf("%s: -want +got:\n%s", tt.text, diff)
		}
	}
}

// TestNoRoom checks that goroutines in more stacks than a snapshot keeps are
// reported, and that those in stacks that are known still count.
func TestNoRoom(t *testing.T) {
	for _, tt := range []struct {
		name     string
		dump     textDump
		builder  func(textDump) *builder
		one, two string
	}{
		{"debug=1", newDebug1(nil), func(d textDump) *builder { return d.(*debug1).b },
			"1 @ 0x1 0x2\n#\t0x1\tmain.f+0x1\t/a.go:1\n", "1 @ 0x1 0x2\n#\t0x1\tmain.g+0x1\t/a.go:1\n"},
		{"debug=2", newDebug2(), func(d textDump) *builder { return d.(*debug2).b },
			"goroutine 1 [select]:\nmain.f()\n\t/a.go:1\n", "goroutine 1 [select]:\nmain.g()\n\t/a.go:1\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for i, text := range []string{tt.one, tt.two, tt.one} {
				for _, l := range strings.Split(strings.Replace(text, "goroutine 1", fmt.Sprint("goroutine ", 7+i), 1), "\n") {
					tt.dump.line([]byte(l))
				}
				if d, ok := tt.dump.(*debug1); ok {
					d.endRecord()
				}
				if i == 0 {
					tt.builder(tt.dump).kept = maxKept
				}
			}
			s := tt.dump.end(false)[0]
			if s.Total != 2 || len(s.Groups) != 1 || s.Unreadable != 1 || len(s.Warnings) == 0 || !strings.Contains(s.Warnings[len(s.Warnings)-1], tooMany) {
				t.Errorf("%d goroutines in %d groups, %d unreadable, warnings %q", s.Total, len(s.Groups), s.Unreadable, s.Warnings)
			}
		})
	}
}

package profile

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	pprof "github.com/google/pprof/profile"
)

// TestHandedOn reads both forms of a dump as people hand them on. Nothing may differ
// from the bare one.
func TestHandedOn(t *testing.T) {
	numbered := func(form string) func(string) string {
		return func(text string) string {
			var b strings.Builder
			n := 0
			for l := range strings.Lines(text) {
				n++
				fmt.Fprintf(&b, form, n, l)
			}
			return b.String()
		}
	}
	before := func(prefix string) func(string) string {
		return func(text string) string { return prefixAll(prefix, text) }
	}
	link := regexp.MustCompile(`(github\.com/[^\s(+]+)`)
	ways := map[string]func(string) string{
		"kubectl --timestamps":  before("2026-11-22T06:45:22.12345678%dZ "),
		"CRI":                   before("2026-11-22T06:45:22.00%dZ stderr F "),
		"stern":                 before("thanos-query-0 query "),
		"journalctl short-iso":  before("2026-11-22T06:45:22+0000 host thanos[123]: "),
		"an added part of diff": before("+"),
		"journalctl monotonic":  before("[12345.67890%d] host thanos[12]: "),
		"journalctl unix":       before("1764201922.12345%d host thanos[12]: "),
		"milliseconds":          before("176420192212%d stdout "),
		"less -N":               numbered("%7d %s"),
		"less -N, trimmed": func(text string) string {
			return regexp.MustCompile(` +\n`).ReplaceAllString(numbered("%7d %s")(text), "\n")
		},
		"bat":               numbered("%4d   │ %s"),
		"cat -n":            numbered("%6d\t%s"),
		"doubled line ends": func(text string) string { return strings.ReplaceAll(text, "\n", "\n\n") },
		"links of Slack":    func(text string) string { return link.ReplaceAllString(text, "<http://$1|$1>") },
	}
	dump := "goroutine 1 [select]:\nmain.main()\n\t/src/main.go:9 +0x1\n\n" +
		"goroutine 7 [chan receive (nil chan), 4 minutes]:\ngithub.com/a/b.(*T).Wait(0xc0001)\n\t/go/pkg/mod/github.com/a/b@v1.0.0/t.go:12 +0x1d\n" +
		"created by github.com/a/b.New in goroutine 1\n\t/go/pkg/mod/github.com/a/b@v1.0.0/t.go:4 +0x2\n"
	counts := "goroutine profile: total 5\n4 @ 0x43f90e 0x40abf9\n#\t0x43f90d\tgithub.com/a/b.(*T).Wait+0x1d\t/go/pkg/mod/github.com/a/b@v1.0.0/t.go:12\n" +
		"#\t0x40abf8\tmain.main+0x1\t/src/main.go:9\n\n1 @ 0x43f90e\n#\t0x43f90d\tmain.main+0x1\t/src/main.go:10\n"
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			for form, text := range map[string]string{"debug=2": dump, "debug=1": counts} {
				if diff := cmp.Diff(readString(t, text), readString(t, way(text))); diff != "" {
					t.Errorf("%s: -bare +pasted\n%s", form, diff)
				}
			}
		})
	}
}

// TestTraceBesideDump: a trace beside a whole dump is no sample, before it or
// behind it; traces alone are all that there is.
func TestTraceBesideDump(t *testing.T) {
	dump := "goroutine 1 [running]:\nmain.main()\n\t/a.go:9 +0x1\n\n"
	for id := range 9 {
		dump += fmt.Sprintf("goroutine %d [select]:\nmain.f()\n\t/a.go:1 +0x1\n\n", 10+id)
	}
	trace := "http: panic serving 10.0.0.7:5: boom\ngoroutine 90123 [running]:\nnet/http.(*conn).serve.func1()\n\t/usr/local/go/src/net/http/server.go:1868 +0xb9\n\n"
	stuck := "goroutine 7 [running]:\nmain.g()\n\t/a.go:2 +0x1\n\ngoroutine 8 [select]:\nmain.g()\n\t/a.go:2 +0x1\n\n"
	for text, want := range map[string][]int{dump + trace: {10}, trace + "level=info\n" + dump: {10}, trace + "\nlevel=info\n" + trace: {1, 1}, dump + "x\n" + stuck + "x\n" + trace: {10, 2}, dump + "x\n" + trace + "x\n" + dump: {10, 10}} {
		snaps, err := Read(strings.NewReader(text), Options{})
		if err != nil {
			t.Fatal(err)
		}
		var got []int
		for _, s := range snaps {
			got = append(got, s.Total)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%v goroutines, want %v in\n%s", got, want, text)
		}
		if last := snaps[len(snaps)-1]; strings.Contains(text, "main.main") && !slices.ContainsFunc(last.Warnings, func(w string) bool {
			return strings.HasPrefix(w, "1 traces of a single goroutine are left out")
		}) {
			t.Errorf("warnings %q", last.Warnings)
		}
	}
}

// TestLongLine reads a dump from one line of a log: of several MiB whole, and of a
// longer one what there is room for, which is said.
func TestLongLine(t *testing.T) {
	inLine := func(goroutines int) string {
		text := strings.Repeat("goroutine 7 [select]:\nmain.f()\n\t/a.go:1 +0x1\n\n", goroutines)
		b, err := json.Marshal(map[string]string{"msg": "goroutine 1 [select]:\nmain.main()\n\t/a.go:9 +0x1\n\n" + text})
		if err != nil {
			t.Fatal(err)
		}
		return string(b) + "\n"
	}
	if s := readString(t, inLine(100_000)); s.Total != 100_001 || s.Truncated || len(s.Warnings) > 0 {
		t.Errorf("%d goroutines, cut %t, %q", s.Total, s.Truncated, s.Warnings)
	}
	s := readString(t, inLine(500_000))
	if s.Total < 100_000 || s.Total > 499_999 || !s.Truncated || !slices.ContainsFunc(s.Warnings, func(w string) bool {
		return strings.Contains(w, "1 lines of more than 16 MiB were cut")
	}) {
		t.Errorf("%d goroutines, cut %t, %q", s.Total, s.Truncated, s.Warnings)
	}
}

// TestDelta: what net/http/pprof returns for ?seconds=2 is no snapshot.
func TestDelta(t *testing.T) {
	p, err := pprof.Parse(strings.NewReader(livePprof(t, "goroutine")))
	if err != nil {
		t.Fatal(err)
	}
	p.DurationNanos = int64(2 * time.Second)
	var b strings.Builder
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	wantUnsupported(t, []byte(b.String()), "what changed in 2s (?seconds=N), or a sum")
}

// TestPanic: a panic below the reader is an error of this input alone.
func TestPanic(t *testing.T) {
	snaps, err := Read(panicking{}, Options{})
	if snaps != nil || err == nil || !strings.Contains(err.Error(), "a defect in thanosleak, please report it: boom") {
		t.Errorf("%v, %v", snaps, err)
	}
}

type panicking struct{}

func (panicking) Read([]byte) (int, error) { panic("boom") }

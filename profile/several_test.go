package profile

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/unicode"
)

// TestSeveralDumps: of dumps in one text each is a sample of its own, and none is
// lost or added to another.
func TestSeveralDumps(t *testing.T) {
	crash := string(readRaw(t, "crashes/sigquit.txt")) // 12 goroutines
	healthy := "goroutine profile: total 3\n3 @ 0x1 0x2\n#\t0x1\tmain.f+0x1\t/a.go:1\n\n"
	dump := "goroutine 1 [running]:\nmain.main()\n\t/a.go:9 +0x1\n\n"
	for id := range 30 {
		dump += fmt.Sprintf("goroutine %d [select]:\nmain.f()\n\t/a.go:1 +0x1\n\n", 10+id)
	}
	excerpt := "goroutine 20 [select]:\nmain.f()\n\t/a.go:1 +0x1\n\n"
	running := "goroutine 1 [running]:\nmain.main()\n\t/a.go:9 +0x1\n\n"
	thread := "goroutine 99 [syscall]:\nmain.f()\n\t/a.go:1 +0x1\n\n"
	for name, tt := range map[string]struct {
		text   string
		totals []int
	}{
		"three crashes":              {crash + "level=info\n" + crash + "level=info\n" + crash, []int{12, 12, 12}},
		"one twice":                  {dump + dump, []int{31, 31}},
		"debug=2 hours later":        {"before:\n" + healthy + "two hours later:\n" + dump, []int{3, 31}},
		"debug=2 of the instant":     {strings.Replace(healthy, "3", "30", 2) + dump, []int{30}},
		"debug=1 behind a debug=2":   {dump + healthy, []int{31, 3}},
		"debug=2 of another process": {strings.Replace(healthy, "3", "30", 2) + "pod B:\n" + strings.ReplaceAll(dump, "main.f", "main.leak"), []int{30, 31}},
		"an excerpt before it":       {excerpt + dump, []int{31}},
		"an excerpt of several":      {excerpt + strings.ReplaceAll(excerpt, "goroutine 20", "goroutine 33") + dump, []int{31}},
		"an excerpt and words":       {"this one is stuck:\n\n" + excerpt + "and here is all:\n\n" + strings.Replace(dump, "running", "select", 1), []int{31}},
		"the same twice":             {strings.TrimPrefix(dump, running) + strings.TrimPrefix(dump, running), []int{30, 30}},
		"crashes of one thread":      {thread + dump + "SIGQUIT: quit\n\n" + thread + dump, []int{32, 32}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := totals(t, tt.text); !slices.Equal(got, tt.totals) {
				t.Errorf("%v goroutines, want %v", got, tt.totals)
			}
		})
	}
}

// grepped is a text as grep -n writes it of a file among several.
func grepped(file, text string) string {
	var b strings.Builder
	n := 0
	for l := range strings.Lines(text) {
		n++
		fmt.Fprintf(&b, "%s:%d:%s", file, n, l)
	}
	return b.String()
}

// TestGreppedFiles: the first goroutine of each file has its names.
func TestGreppedFiles(t *testing.T) {
	dump := "goroutine 1 [running]:\nmain.main()\n\t/a.go:9 +0x1\n\ngoroutine 5 [select]:\nmain.f()\n\t/a.go:1 +0x1\n\n"
	snaps, err := Read(strings.NewReader(grepped("a.txt", dump)+grepped("b.txt", dump)), Options{})
	if err != nil || len(snaps) != 2 {
		t.Fatalf("%d snapshots, %v", len(snaps), err)
	}
	for _, s := range snaps {
		if diff := cmp.Diff(readString(t, dump).Groups, s.Groups); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	}
}

// totals returns the goroutines of each dump in a text.
func totals(t *testing.T, text string) (all []int) {
	t.Helper()
	snaps, err := Read(strings.NewReader(text), Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range snaps {
		checkInvariants(t, s)
		all = append(all, s.Total)
	}
	return all
}

// TestMaxDumps: a text of endless tiny dumps does not take the memory of the
// machine, and says what it left out.
func TestMaxDumps(t *testing.T) {
	for name, one := range map[string]string{
		"debug=1": "goroutine profile: total 1\n1 @ 0x1 0x2\n#\t0x1\tmain.f+0x1\t/a.go:1\n\n",
		"debug=2": "goroutine 1 [select]:\nmain.f()\n\t/a.go:1 +0x1\n\n",
	} {
		snaps, err := Read(strings.NewReader(strings.Repeat(one, maxDumps+7)), Options{})
		if err != nil {
			t.Fatal(err)
		}
		last := snaps[len(snaps)-1]
		if len(snaps) != maxDumps || !last.Truncated || !strings.Contains(strings.Join(last.Warnings, " "), "more than 10000 dumps") {
			t.Errorf("%s: %d dumps, warnings %q", name, len(snaps), last.Warnings)
		}
	}
	if _, err := Read(strings.NewReader(strings.Repeat("goroutine profile: total 0\n", maxDumps+7)), Options{}); err == nil {
		t.Error("dumps without a goroutine are taken for some")
	}
}

// TestPasted: what terminals and editors do to a dump costs no goroutine.
func TestPasted(t *testing.T) {
	full := "goroutine 7 [select, 3 minutes]:\nmain.(*T).f(0xc000012345, {0x1, 0x2})\n\t/app/a.go:12 +0x1d\ncreated by main.run in goroutine 1\n\t/app/a.go:3 +0x2\n\n" +
		"goroutine 8 [select]:\nmain.g()\n\t/app/a.go:7 +0x1d\n"
	counts := "goroutine profile: total 5\n4 @ 0x1 0x2\n#\t0x1\tmain.f+0x1\t/app/a.go:12\n\n1 @ 0x3\n#\t0x3\tmain.g+0x1\t/app/a.go:7\n\n"
	for name, paste := range map[string]func(string) string{
		"white space behind lines": func(s string) string { return strings.ReplaceAll(s, "\n", "  \t\n") },
		"a word in colour":         func(s string) string { return strings.ReplaceAll(s, "main.", "\x1b[01;31m\x1b[Kmain\x1b[m\x1b[K.") },
		"a state in colour":        func(s string) string { return strings.ReplaceAll(s, "select", "\x1b[31mselect\x1b[0m") },
		"the same number": func(s string) string {
			return "7:" + strings.ReplaceAll(strings.TrimSuffix(s, "\n"), "\n", "\n7:") + "\n"
		},
		"lines in colour": func(s string) string { return "\x1b[38;5;9m" + strings.ReplaceAll(s, "\n", "\x1b[0m\n\x1b[38;5;9m") },
		"a link": func(s string) string {
			return strings.ReplaceAll(s, "/app", "\x1b]8;;http://x\x1b\\/app\x1b]8;;\x1b\\")
		},
		"a mark of UTF-8": func(s string) string { return "\ufeff" + s },
		"UTF-16, as PowerShell's > writes it": func(s string) string {
			return toUTF16(t, unicode.LittleEndian, strings.ReplaceAll(s, "\n", "\r\n"))
		},
		"UTF-16, the other way":            func(s string) string { return toUTF16(t, unicode.BigEndian, s) },
		"of a file, as grep -n of several": func(s string) string { return grepped("logs/thanos-query-0.txt", s) },
		"numbers of lines, as grep -n": func(s string) string {
			lines := strings.Split(strings.TrimSuffix(s, "\n"), "\n")
			for i := range lines {
				lines[i] = fmt.Sprintf("%d:%s", 95+i, lines[i])
			}
			return strings.Join(lines, "\n") + "\n"
		},
	} {
		for form, text := range map[string]string{"debug=2": full, "debug=1": counts} {
			want, got := readString(t, text), readString(t, paste(text))
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s, %s: -want +got\n%s", name, form, diff)
			}
		}
	}
	heap := "heap profile: 1: 2 [3: 4] @ heap/1048576\n1: 2 [3: 4] @ 0x5\n#\t0x5\tmain.alloc+0x1\t/app/a.go:9\n"
	if diff := cmp.Diff(readString(t, counts).Groups, readString(t, counts+heap).Groups); diff != "" {
		t.Errorf("before another profile: -want +got\n%s", diff)
	}
	doubled := readString(t, strings.ReplaceAll(counts, "\n", "\n\n"))
	if doubled.Total != 5 || doubled.Unreadable != 0 {
		t.Errorf("line ends doubled: %d goroutines, %d unreadable", doubled.Total, doubled.Unreadable)
	}
}

// toUTF16 returns the text in UTF-16, with a mark before it.
func toUTF16(t *testing.T, order unicode.Endianness, text string) string {
	t.Helper()
	coded, err := unicode.UTF16(order, unicode.UseBOM).NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	return coded
}

// TestBeginningMissing: a dump whose beginning is missing says so, whatever stands
// before its lines; a log before it is no beginning.
func TestBeginningMissing(t *testing.T) {
	whole := "goroutine 8 [select]:\nmain.g()\n\t/app/a.go:7 +0x1d\n\ngoroutine 9 [select]:\nmain.g()\n\t/app/a.go:7 +0x1d\n"
	beheaded := "main.f()\n\t/app/a.go:12 +0x1d\n\n" + whole
	for name, write := range map[string]func(line string) string{
		"nothing":         func(l string) string { return l },
		"tabs are spaces": func(l string) string { return strings.ReplaceAll(l, "\t", "        ") },
		"CRI":             func(l string) string { return "2026-11-22T06:45:22.123456789Z stderr F " + l },
		"journald":        func(l string) string { return "Nov 22 06:45:22 host thanos[123]: " + l },
		"compose":         func(l string) string { return "thanos-query  | " + l },
		"docker's file": func(l string) string {
			return fmt.Sprintf(`{"log":%q,"stream":"stderr","time":"2026-11-22T06:45:22.1Z"}`, l+"\n")
		},
		"numbers, grep -n": numbered(),
	} {
		for text, missing := range map[string]bool{beheaded: true, whole: false, "level=info caller=a.go:12\n" + whole: false} {
			var b strings.Builder
			for l := range strings.Lines(text) {
				b.WriteString(write(strings.TrimSuffix(l, "\n")) + "\n")
			}
			s := readString(t, b.String())
			told := slices.ContainsFunc(s.Warnings, func(w string) bool { return strings.Contains(w, "the beginning of the dump is missing") })
			if s.Total != 2 || s.Truncated != missing || told != missing {
				t.Errorf("%s: %d goroutines, truncated %t, warnings %q, want missing %t", name, s.Total, s.Truncated, s.Warnings, missing)
			}
		}
	}
}

// numbered returns what writes a number before each line.
func numbered() func(string) string {
	n := 94
	return func(l string) string {
		n++
		return fmt.Sprintf("%d:%s", n, l)
	}
}

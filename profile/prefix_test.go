package profile

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestPrefixed reads one dump behind the prefixes of all sorts of log
// collectors, and inside their lines. Nothing may differ from the bare dump.
func TestPrefixed(t *testing.T) {
	want := readFile(t, "crashes/panic.txt")
	if want.Total != 6 || want.Unreadable > 0 || len(want.Warnings) > 0 {
		t.Fatalf("%d goroutines, %d unreadable, warnings %q", want.Total, want.Unreadable, want.Warnings)
	}
	names, err := filepath.Glob("testdata/prefixed/*.txt")
	if err != nil || len(names) < 20 {
		t.Fatalf("%d fixtures: %v", len(names), err)
	}
	for _, name := range names {
		name := filepath.Base(name)
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(want, readFile(t, "prefixed/"+name)); diff != "" {
				t.Errorf("-bare +prefixed:\n%s", diff)
			}
		})
	}
}

// prefixAll puts the prefix, in which %d is the number of the line, before all
// lines of a text.
func prefixAll(prefix, text string) string {
	var b strings.Builder
	for i, l := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		b.WriteString(strings.ReplaceAll(prefix, "%d", fmt.Sprint(i%10)) + l + "\n")
	}
	return b.String()
}

// TestPrefixedFlavours checks that every form of a header and a frame is read
// behind a prefix, and that a cut is told there too.
func TestPrefixedFlavours(t *testing.T) {
	names, err := filepath.Glob("testdata/flavours/*.txt")
	if err != nil || len(names) < 12 {
		t.Fatalf("%d fixtures: %v", len(names), err)
	}
	for _, name := range names {
		name := filepath.Base(name)
		t.Run(name, func(t *testing.T) {
			bare := string(readRaw(t, "flavours/"+name))
			text := prefixAll("2026-11-22T06:45:22.00%dZ stderr F ", bare)
			if name == "truncated.txt" {
				text = strings.TrimSuffix(text, "\n")
			}
			want, got := readString(t, bare), readString(t, text)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-bare +prefixed:\n%s", diff)
			}
		})
	}
}

// TestMixedSources checks that the lines of several writers are kept apart.
func TestMixedSources(t *testing.T) {
	dump := string(readRaw(t, "crashes/panic.txt"))
	want := readString(t, dump)
	for _, tt := range []struct{ name, one, two string }{
		{"pods of stern", "thanos-query-0 thanos ", "thanos-query-1 thanos "},
		{"pods of kubectl", "[pod/thanos-query-0/thanos] 2026-11-22T06:45:22.00%dZ ", "[pod/thanos-query-1/thanos] 2026-11-22T06:45:22.00%dZ "},
		{"streams of CRI", "2026-11-22T06:45:22.00%dZ stdout F ", "2026-11-22T06:45:22.00%dZ stderr F "},
		{"lives of a unit", "Nov 22 06:45:2%d host thanos[12]: ", "Nov 22 06:45:2%d host thanos[13]: "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			one := strings.SplitAfter(prefixAll(tt.one, dump), "\n")
			two := strings.SplitAfter(prefixAll(tt.two, dump), "\n")
			var mixed strings.Builder
			for i := range one {
				mixed.WriteString(one[i] + two[i])
			}
			snaps, err := Read(strings.NewReader(mixed.String()), Options{})
			if err != nil {
				t.Fatal(err)
			}
			if last := snaps[len(snaps)-1]; len(last.Warnings) != 1 || !strings.Contains(last.Warnings[0], "2 writers") {
				t.Errorf("warnings %q", last.Warnings)
			} else {
				last.Warnings = nil
			}
			if diff := cmp.Diff([]*Snapshot{want, want}, snaps); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestNoPrefix checks text in which a goroutine is only spoken of.
func TestNoPrefix(t *testing.T) {
	dump := string(readRaw(t, "crashes/panic.txt"))
	want := readString(t, dump)
	for _, mention := range []string{
		"see goroutine 5 [select]:\n",
		"goroutine goroutine 7 [select]:\n",
		"as in `goroutine 5 [select]:`\nand so on\n",
	} {
		wantUnsupported(t, []byte(mention), "text without a goroutine")
		if diff := cmp.Diff(want, readString(t, mention+"\n"+dump)); diff != "" {
			t.Errorf("behind %q: -want +got:\n%s", mention, diff)
		}
	}
}

// TestManySources checks that goroutines behind more prefixes than are kept
// apart are reported.
func TestManySources(t *testing.T) {
	var b strings.Builder
	for i := range maxSources + 3 {
		b.WriteString(prefixAll(fmt.Sprintf("pod-%d | ", i), "goroutine 5 [select]:\nmain.f()\n\t/src/main.go:3 +0x2\n"))
	}
	snaps, err := Read(strings.NewReader(b.String()), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if last := snaps[len(snaps)-1]; len(snaps) != maxSources || last.Unreadable != 3 || len(last.Warnings) != 2 {
		t.Errorf("%d snapshots, %d unreadable: %q", len(snaps), last.Unreadable, last.Warnings)
	}
}

// TestCrashes reads what a real process writes when it crashes or is sent
// SIGQUIT.
func TestCrashes(t *testing.T) {
	for _, tt := range []struct {
		file   string
		totals []int
	}{
		{"panic.txt", []int{6}},
		{"panic-system-ancestors.txt", []int{11}},
		{"sigquit.txt", []int{12}},
		{"sigquit-crash.txt", []int{15}}, // with those of the other threads
		{"recovered.txt", []int{1, 1}},   // in logfmt and in JSON
	} {
		t.Run(tt.file, func(t *testing.T) {
			var totals []int
			for _, s := range readFiles(t, "crashes/"+tt.file) {
				checkInvariants(t, s)
				totals = append(totals, s.Total)
				if s.Truncated || s.Unreadable > 0 || len(s.Warnings) > 0 {
					t.Errorf("truncated %t, unreadable %d, warnings %q", s.Truncated, s.Unreadable, s.Warnings)
				}
			}
			if diff := cmp.Diff(tt.totals, totals); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestBareEscaped reads a dump that was copied out of a JSON string.
func TestBareEscaped(t *testing.T) {
	dump := string(readRaw(t, "crashes/panic.txt"))
	dump = dump[strings.Index(dump, "goroutine 1 "):]
	text := strings.NewReplacer("\n", `\n`, "\t", `\t`).Replace(dump)
	if diff := cmp.Diff(readString(t, dump), readString(t, text)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestLeftOut checks that a panic that was recovered is told, and no sample,
// beside a dump of the whole process.
func TestLeftOut(t *testing.T) {
	s := readString(t, string(readRaw(t, "crashes/recovered.txt"))+string(readRaw(t, "crashes/sigquit.txt")))
	if s.Total != 12 || len(s.Warnings) != 1 || !strings.Contains(s.Warnings[0], "2 stacks inside log lines") {
		t.Errorf("%d goroutines, warnings %q", s.Total, s.Warnings)
	}
}

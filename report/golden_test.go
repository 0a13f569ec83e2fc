package report_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/thanosleak/thanosleak/classify"
	"github.com/thanosleak/thanosleak/report"
)

// golden is one report and how it is printed.
type golden struct {
	name    string
	result  *classify.Result
	options report.TextOptions
}

// goldens are the results in all widths; the width that is used where the
// terminal does not tell one is 100.
func goldens(t *testing.T) []golden {
	t.Helper()
	var all []golden
	judged := results(t)
	for name, r := range judged {
		for _, width := range []int{80, 120, 200} {
			all = append(all, golden{fmt.Sprintf("%s.%d", name, width), r, report.TextOptions{Width: width}})
		}
	}
	for _, width := range []int{80, 120, 200} {
		all = append(all, golden{fmt.Sprintf("verbose.%d", width), judged["deadlock"], report.TextOptions{Width: width, Verbose: true}})
	}
	return append(all,
		golden{"colour", judged["flagship"], report.TextOptions{Color: true}},
		golden{"verbose-fleet", judged["fleet"], report.TextOptions{Verbose: true}},
		golden{"verbose-flagship", judged["flagship"], report.TextOptions{Verbose: true}})
}

// TestGolden compares reports with those that were looked at; run it with
// -update to write them, and look at them.
func TestGolden(t *testing.T) {
	all := goldens(t)
	for _, g := range all {
		t.Run(g.name, func(t *testing.T) {
			var b bytes.Buffer
			if err := report.Text(&b, theRun(), g.result, g.options); err != nil {
				t.Fatal(err)
			}
			checkLines(t, b.String(), g.options, commands(g.result))
			if strings.Contains(b.String(), " \n") {
				t.Error("there are spaces at the end of a line")
			}
			compare(t, g.name+".golden", b.Bytes())
		})
	}
	checkComplete(t, all)
}

// compare holds what was written against a file in testdata.
func compare(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v: write it with -update", err)
	}
	if d := cmp.Diff(string(want), string(got)); d != "" {
		t.Errorf("(-golden +report)\n%s", d)
	}
}

// checkComplete fails for golden files that no case writes: what they promise
// is not looked at any more.
func checkComplete(t *testing.T, all []golden) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "*.golden"))
	if err != nil || len(files) < 30 {
		t.Fatalf("%d golden files: %v", len(files), err)
	}
	for _, f := range files {
		name := strings.TrimSuffix(filepath.Base(f), ".golden")
		if !slices.ContainsFunc(all, func(g golden) bool { return g.name == name }) {
			t.Errorf("%s is of no case: remove it", f)
		}
	}
}

// commands are those that a report tells to type.
func commands(r *classify.Result) []string {
	all := []string{"thanosleak scan "}
	for _, f := range r.Findings {
		for _, m := range f.Remedies {
			for _, s := range m.Steps {
				all = append(all, s.Command)
			}
		}
	}
	return all
}

// checkLines fails for lines that are wider than the page, but for those that
// hold nothing but a command to be copied.
func checkLines(t *testing.T, text string, o report.TextOptions, commands []string) {
	t.Helper()
	width := min(o.Width, 130)
	if o.Width == 0 {
		width = 100
	}
	if o.Color {
		return // the same text without colours is checked
	}
	for i, l := range strings.Split(text, "\n") {
		isCommand := slices.ContainsFunc(commands, func(c string) bool {
			return c != "" && strings.HasPrefix(strings.TrimSpace(l), c)
		})
		if n := utf8.RuneCountInString(l); n > width && !isCommand {
			t.Errorf("line %d is %d columns wide on a page of %d: %q", i+1, n, width, l)
		}
	}
}

// TestColours: colours add nothing but escape sequences.
func TestColours(t *testing.T) {
	for name, r := range results(t) {
		t.Run(name, func(t *testing.T) {
			var plain, coloured bytes.Buffer
			if err := report.Text(&plain, theRun(), r, report.TextOptions{}); err != nil {
				t.Fatal(err)
			}
			if err := report.Text(&coloured, theRun(), r, report.TextOptions{Color: true}); err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(plain.Bytes(), []byte("\x1b")) || !bytes.Contains(coloured.Bytes(), []byte("\x1b")) {
				t.Error("escape sequences belong where colours are asked for, and only there")
			}
			if d := cmp.Diff(plain.String(), sgr.ReplaceAllString(coloured.String(), "")); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestHeadline(t *testing.T) {
	all := results(t)
	for _, tt := range []struct{ result, want string }{
		{"flagship", "LEAK confirmed  TL-2024-001 on 1 of 1 querier (thanos 0.35.1): 144 goroutines blocked for ever"},
		{"fleet", "LEAK confirmed  TL-2024-001 on 7 of 58 queriers (thanos 0.35.1, 0.36.0): 1008 goroutines blocked for ever"},
		{"clean", "CLEAN  2 queriers (thanos 0.35.1), 18 samples each: no known leak, and no stack grows"},
		{"undecided", "UNDECIDED  1 querier (thanos 0.42.0 to 0.42.4), 1 sample: no known leak; growth needs more samples (1 of at least 6)"},
		{"incomplete", "INCOMPLETE  1 of 2 targets gave no sample; the others: no known leak"},
		{"empty", "INCOMPLETE  there was nothing to look at"},
	} {
		t.Run(tt.result, func(t *testing.T) {
			if got := report.Headline(all[tt.result], 0); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

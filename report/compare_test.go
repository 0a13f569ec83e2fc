package report_test

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/thanosleak/thanosleak/classify"
	"github.com/thanosleak/thanosleak/report"
)

// manyDifferences is a comparison with so many stacks of each kind.
func manyDifferences(n int) *classify.Result {
	one := 1.0
	inv := classify.Inventory{Component: "query", Processes: 1, Samples: 3, Goroutines: 30, InFlight: &one}
	c := classify.ComponentComparison{Component: "query", Base: inv, New: inv}
	for _, kind := range []classify.DifferenceKind{classify.DifferenceGrown, classify.DifferenceNew, classify.DifferenceGone} {
		for i := range n {
			c.Differences = append(c.Differences, classify.Difference{Kind: kind, New: float64(100 - i),
				Frames: []classify.Frame{{Func: fmt.Sprintf("github.com/acme/widget.%s%d", kind, i), File: "/src/widget.go", Line: i + 1}}})
		}
	}
	return &classify.Result{Verdict: classify.VerdictClean, Comparison: &classify.Comparison{Base: "old", Components: []classify.ComponentComparison{c}}}
}

// TestComparisonIsCapped: a list of differences says how many it leaves out, and
// what it shows are the first.
func TestComparisonIsCapped(t *testing.T) {
	stacks := regexp.MustCompile(`widget\.(grown|new|gone)\d+`)
	for _, tt := range []struct {
		format  string
		n       int
		verbose bool
		shown   int
		more    string
	}{
		{"text", 10, false, 30, ""},
		{"text", 12, false, 30, "and 2 more new stacks (-v shows all)"},
		{"text", 11, false, 30, "and 1 more gone stack (-v shows all)"},
		{"text", 12, true, 36, ""},
		{"markdown", 10, false, 30, ""},
		{"markdown", 12, false, 30, "| and 2 more new |"},
		{"markdown", 12, true, 36, ""},
	} {
		t.Run(fmt.Sprintf("%s of %d, verbose %t", tt.format, tt.n, tt.verbose), func(t *testing.T) {
			var b bytes.Buffer
			if err := writers[tt.format](&b, theRun(), manyDifferences(tt.n), report.TextOptions{Verbose: tt.verbose}); err != nil {
				t.Fatal(err)
			}
			got := stacks.FindAllString(b.String(), -1)
			slices.Sort(got)
			if got = slices.Compact(got); len(got) != tt.shown || slices.Contains(got, "widget.new11") != tt.verbose {
				t.Errorf("%d stacks: %s", len(got), got)
			}
			if !strings.Contains(b.String(), tt.more) || tt.more == "" && strings.Contains(b.String(), "more ") {
				t.Errorf("does not say %q\n%s", tt.more, b.String())
			}
		})
	}
}

// TestComparisonMarkdown: every line of the text has its row.
func TestComparisonMarkdown(t *testing.T) {
	got := written(t, "markdown", results(t)["compared"])
	_, got, found := strings.Cut(got, "### Compared with `release.tar.gz`, ")
	if !found {
		t.Fatal("there is no section")
	}
	for _, want := range []string{
		"| grown | 10 | 102 | sync.WaitGroup.Wait | `store.(*eagerRespSet).Next` proxy\\_merge.go:734 | 2 stacks; in TL-2024-001 |",
		"| new | 0 | 98 | chan receive (nil chan) | `store.newEagerRespSet.func2.3` proxy\\_merge.go:627 | in TL-2024-001 |",
		"| gone | 0.5 | 0 |", "| shrunk | 14 | 0.2 | select |", "was promql.(\\*evaluator).rangeEval",
		"- warning: both are the same build (revision 086a698b2195)",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("lacks %q\n%s", want, got)
		}
	}
}

// TestComparisonOfOneOfMany: where a mean hides the process that grew, its own
// number is told; where it does not, it is not.
func TestComparisonOfOneOfMany(t *testing.T) {
	for _, tt := range []struct {
		d    classify.Difference
		want bool
	}{
		{classify.Difference{Kind: classify.DifferenceGrown, Base: 4, New: 6, BaseMost: 4, NewMost: 124}, true},
		{classify.Difference{Kind: classify.DifferenceGrown, Base: 4, New: 90, BaseMost: 4, NewMost: 124}, false},
		{classify.Difference{Kind: classify.DifferenceShrunk, Base: 90, New: 6, BaseMost: 4, NewMost: 124}, false},
	} {
		r := manyDifferences(0)
		tt.d.Frames = []classify.Frame{{Func: "github.com/acme/widget.run"}}
		r.Comparison.Components[0].Differences = []classify.Difference{tt.d}
		for _, format := range []string{"text", "markdown", "html"} {
			if got := strings.Contains(written(t, format, r), "4 → 124 in the process that has most"); got != tt.want {
				t.Errorf("%s, %+v: said %t, want %t", format, tt.d, got, tt.want)
			}
		}
	}
}

// TestComparisonIsForReaders: formats for machines that know no comparison are
// the same with it and without.
func TestComparisonIsForReaders(t *testing.T) {
	with := *results(t)["compared"]
	without := with
	without.Comparison = nil
	for format, write := range map[string]func(io.Writer, report.Run, *classify.Result, report.TextOptions) error{
		"junit": report.JUnit, "github": report.GitHub, "prometheus": report.Prometheus, "pprof": report.Pprof,
	} {
		var a, b bytes.Buffer
		if err := write(&a, theRun(), &with, report.TextOptions{}); err != nil {
			t.Fatal(err)
		}
		if err := write(&b, theRun(), &without, report.TextOptions{}); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(b.String(), a.String()); d != "" {
			t.Errorf("%s: %s", format, d)
		}
	}
}

// TestComparisonNamesFindings: a stack of a finding that no advisory knows is told
// by its title, for its key says nothing to people.
func TestComparisonNamesFindings(t *testing.T) {
	r := manyDifferences(1)
	r.Findings = []classify.Finding{{Key: "0123456789ab", Level: classify.Suspect, Title: "growing: widget.new0"}}
	r.Comparison.Components[0].Differences[1].Finding = "0123456789ab"
	for _, format := range []string{"text", "markdown"} {
		if got := written(t, format, r); !strings.Contains(plainText(got), "1 gone; 1 of them in the finding above: growing: widget.new0") || strings.Contains(got, "0123456789ab") {
			t.Errorf("%s: %s", format, got)
		}
	}
	r.Findings = append(r.Findings, classify.Finding{Key: "TL-2024-001", Level: classify.Note, Advisory: "TL-2024-001"})
	r.Comparison.Components[0].Differences[2].Finding = "TL-2024-001"
	if got := plainText(written(t, "text", r)); !strings.Contains(got, "1 gone; 2 of them in the findings above") {
		t.Error(got)
	}
}

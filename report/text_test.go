package report

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/thanosleak/thanosleak/classify"
)

// on is a finding of a level on targets; growing says that it grows there.
func on(level classify.Level, advisory string, growing bool, targets ...string) classify.Finding {
	f := classify.Finding{Level: level, Advisory: advisory, Class: "leak", Title: advisory + " explained", Culprits: 7}
	for _, name := range targets {
		o := classify.Occurrence{Target: name, Level: level}
		if growing {
			o.Growth.Verdict = classify.Growing
		}
		f.Occurrences = append(f.Occurrences, o)
	}
	return f
}

// judgedAs is a target with samples.
func judgedAs(name string, j classify.Judged, first, last int) classify.TargetResult {
	return classify.TargetResult{Name: name, Component: "query", Judged: j, Samples: 6, Goroutines: classify.Goroutines{First: first, Last: last}}
}

// printed returns the lines of a report.
func printed(t *testing.T, r *classify.Result, width int) []string {
	t.Helper()
	var b bytes.Buffer
	if err := Text(&b, Run{}, r, TextOptions{Width: width}); err != nil {
		t.Fatal(err)
	}
	return strings.Split(b.String(), "\n")
}

// Several findings are listed before the first is told, whose headline stays
// the first line; one finding has no list.
func TestOverview(t *testing.T) {
	for _, n := range []int{1, 2, maxRows + 3} {
		r := &classify.Result{Verdict: classify.VerdictLeak}
		for i := range n {
			name := fmt.Sprintf("t%02d", i)
			r.Targets = append(r.Targets, judgedAs(name, classify.JudgedYes, 1, 9))
			r.Findings = append(r.Findings, on(classify.Confirmed, fmt.Sprintf("TL-%02d", i), true, name))
		}
		lines := printed(t, r, 100)
		if !strings.HasPrefix(lines[0], "LEAK confirmed  TL-00 on 1 of") {
			t.Errorf("%d findings: the first line is %q", n, lines[0])
		}
		told := 0
		for i, l := range lines {
			if !strings.HasPrefix(l, "  goroutines  ") && !strings.HasPrefix(l, "  target  ") {
				continue
			}
			for _, l := range lines[1:i] {
				if strings.HasPrefix(l, "  LEAK confirmed  TL-") {
					told++
				}
			}
			break
		}
		if want := min(n-1, maxRows); told != want {
			t.Errorf("%d findings: %d of the others are listed before the first is told, want %d", n, told, want)
		}
		if hidden := mentions(lines, "and 2 more findings (-v shows all)"); hidden != (n > maxRows) {
			t.Errorf("%d findings: says that some are not listed: %v", n, hidden)
		}
	}
}

func mentions(lines []string, part string) bool {
	return strings.Contains(strings.Join(lines, "\n"), part)
}

// What is to be done stands before the reasons.
func TestAdviceBeforeReasons(t *testing.T) {
	f := on(classify.Confirmed, "TL-1", true, "q")
	f.Why = "a cause"
	f.Occurrences[0].Evidence = []classify.Evidence{{Strength: classify.Strong, Text: "a reason"}}
	f.Remedies = []classify.Remedy{{Targets: []string{"q"}, Steps: []classify.Step{{Text: "a step"}}, Avoid: []string{"a mistake"}}}
	text := strings.Join(printed(t, &classify.Result{Findings: []classify.Finding{f}, Targets: []classify.TargetResult{judgedAs("q", classify.JudgedYes, 1, 9)}}, 80), "\n")
	at := -1
	for _, want := range []string{"a cause", "a step", "a mistake", "a reason"} {
		i := strings.Index(text, want)
		if i <= at {
			t.Fatalf("%q is missing or too early\n%s", want, text)
		}
		at = i
	}
}

func TestMerged(t *testing.T) {
	upgrade, restart := []classify.Step{{Text: "upgrade"}}, []classify.Step{{Text: "restart"}}
	for _, tt := range []struct {
		name     string
		remedies []classify.Remedy
		want     []string
	}{
		{"none", nil, nil},
		{"one", []classify.Remedy{{Targets: []string{"a", "b"}, Version: "0.35.1", Steps: upgrade}}, []string{"a, b (thanos 0.35.1)"}},
		{"the same for two", []classify.Remedy{{Targets: []string{"a"}, Version: "0.35.1", Steps: upgrade}, {Targets: []string{"b"}, Candidates: []string{"0.35.0", "0.35.1"}, Steps: upgrade}},
			[]string{"a (thanos 0.35.1), b (thanos 0.35.0 or 0.35.1)"}},
		{"other steps between", []classify.Remedy{{Targets: []string{"a"}, Steps: upgrade}, {Targets: []string{"b"}, Steps: restart}, {Targets: []string{"c"}, Steps: upgrade}},
			[]string{"a (unknown version), c (unknown version)", "b (unknown version)"}},
		{"other mistakes", []classify.Remedy{{Targets: []string{"a"}, Steps: upgrade}, {Targets: []string{"b"}, Steps: upgrade, Avoid: []string{"going back"}}},
			[]string{"a (unknown version)", "b (unknown version)"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, a := range merged(tt.remedies) {
				got = append(got, a.whom)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

// The worst targets stand first, others in the order given.
func TestOutcomes(t *testing.T) {
	r := &classify.Result{
		Targets: []classify.TargetResult{
			judgedAs("well", classify.JudgedYes, 9, 9), judgedAs("noted", classify.JudgedYes, 9, 9), judgedAs("unsure", classify.JudgedUndecided, 9, 9),
			{Name: "down", Judged: classify.JudgedNo, Error: "refused"}, {Name: "silent", Judged: classify.JudgedNo},
			judgedAs("nameless", classify.JudgedYes, 9, 9), judgedAs("both", classify.JudgedYes, 9, 9), judgedAs("over", classify.JudgedYes, 9, 9),
		},
		Findings: []classify.Finding{on(classify.Confirmed, "TL-1", true, "both"), on(classify.Confirmed, "TL-2", true, "both"),
			on(classify.Suspect, "", true, "nameless"), on(classify.Note, "TL-3", false, "noted", "unsure", "both"), on(classify.Note, "", false, "well")},
	}
	gone := on(classify.Confirmed, "TL-4", true, "over")
	gone.Status = classify.StatusGone
	r.Findings = append(r.Findings, gone)
	var got []string
	for _, o := range outcomes(r) {
		got = append(got, o.Name+": "+o.result(wide)+" / "+o.result(tight))
	}
	want := []string{"both: confirmed TL-1, TL-2 / confirmed", "nameless: suspect / suspect", "down: see error / see error", "silent: no sample / no sample",
		"unsure: undecided / undecided", "noted: note TL-3 / note", "well: clean / clean", "over: clean / clean"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// A first line that says that nothing was found tells of goroutines that rose
// all the same, and never that nothing grows where a note says that it does.
func TestRise(t *testing.T) {
	for _, tt := range []struct {
		name    string
		verdict classify.Verdict
		targets []classify.TargetResult
		note    []classify.Finding
		want    string
	}{
		{"steady", classify.VerdictClean, []classify.TargetResult{judgedAs("a", classify.JudgedYes, 9, 30)}, nil,
			"CLEAN  1 querier, 6 samples: no known leak, and no stack grows"},
		{"undecided", classify.VerdictUndecided, []classify.TargetResult{judgedAs("a", classify.JudgedUndecided, 9, 90), judgedAs("b", classify.JudgedUndecided, 1, 10), judgedAs("c", classify.JudgedYes, 5, 50)}, nil,
			"UNDECIDED  3 queriers, 6 samples each, goroutines 10 → 100: no known leak; growth needs more samples"},
		{"undecided and falling", classify.VerdictUndecided, []classify.TargetResult{judgedAs("a", classify.JudgedUndecided, 90, 9)}, nil,
			"UNDECIDED  1 querier, 6 samples: no known leak; growth needs more samples"},
		{"a note of growth", classify.VerdictClean, []classify.TargetResult{judgedAs("a", classify.JudgedYes, 9, 90), judgedAs("b", classify.JudgedYes, 5, 6)}, []classify.Finding{on(classify.Note, "TL-1", true, "a")},
			"CLEAN  2 queriers, 6 samples each, goroutines 9 → 90: nothing proven, see the note; what rose is told there"},
		{"notes of what stands", classify.VerdictClean, []classify.TargetResult{judgedAs("a", classify.JudgedYes, 9, 9)}, []classify.Finding{on(classify.Note, "TL-1", false, "a"), on(classify.Note, "TL-2", false, "a")},
			"CLEAN  1 querier, 6 samples: nothing proven, see the 2 notes, and no stack grows"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := Headline(&classify.Result{Verdict: tt.verdict, Targets: tt.targets, Findings: tt.note}, 0); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func TestExposures(t *testing.T) {
	exposed := func(name string, ids ...string) classify.TargetResult {
		x := judgedAs(name, classify.JudgedYes, 9, 9)
		x.Exposed = ids
		return x
	}
	for _, tt := range []struct {
		name    string
		targets []classify.TargetResult
		want    string
	}{
		{"none", []classify.TargetResult{exposed("a")}, ""},
		{"one", []classify.TargetResult{exposed("a", "TL-1")}, "TL-1 can hit a: the release has it and nothing rules it out, but it was not seen (yet); for more: thanosleak advisories TL-1"},
		{"the same targets", []classify.TargetResult{exposed("a", "TL-1", "TL-2"), exposed("b", "TL-1", "TL-2")},
			"TL-1, TL-2 can hit a, b: the release has them and nothing rules them out, but they were not seen (yet); for more: thanosleak advisories ID"},
		{"others and many", []classify.TargetResult{exposed("a", "TL-1", "TL-2"), exposed("b", "TL-1"), exposed("c", "TL-1"), exposed("d", "TL-1")},
			"TL-1 can hit 4 targets; TL-2 can hit a: the release has them and nothing rules them out, but they were not seen (yet); for more: thanosleak advisories ID"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := &page{width: 500}
			p.exposures(&classify.Result{Targets: tt.targets})
			got := strings.TrimPrefix(strings.TrimSpace(p.buf.String()), "exposed  ")
			if got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

// Tables tell less before names are cut: a chart first, then what the findings
// tell as well.
func TestFit(t *testing.T) {
	r := &classify.Result{Findings: []classify.Finding{on(classify.Confirmed, "TL-2024-001", true, "thanos-query-0.monitoring:10902"), on(classify.Likely, "TL-2024-002", true, "thanos-query-1.monitoring:10902")}}
	for i := range 2 {
		x := judgedAs(fmt.Sprintf("thanos-query-%d.monitoring:10902", i), classify.JudgedYes, 18, 450)
		x.ThanosVersion = "0.35.1"
		x.Totals = lives([]int{18, 90, 180, 270, 360, 450})
		r.Targets = append(r.Targets, x)
	}
	for _, tt := range []struct {
		width int
		want  string
	}{
		{90, "  thanos-query-0.monitoring:10902  query      0.35.1  18 ▁▂▃▅▆█ 450  confirmed TL-2024-001"},
		{88, "  thanos-query-0.monitoring:10902  query      0.35.1  18 → 450    confirmed TL-2024-001"},
		{80, "  thanos-query-0.monitoring:10902  query      0.35.1  18 → 450    confirmed"},
		{71, "  thanos-query-…itoring:10902  query      0.35.1  18 → 450    confirmed"},
	} {
		p := &page{width: tt.width}
		p.targetTable(r, false)
		if !strings.Contains(p.buf.String(), tt.want+"\n") {
			t.Errorf("%d columns: %q is no line of\n%s", tt.width, tt.want, p.buf.String())
		}
	}
}

// Where it is undecided whether what rose is a leak, the stacks that rose are
// told, of one target or of the one that rose most.
func TestRisenStacks(t *testing.T) {
	stack := func(leaf string, first, count int) classify.Stack {
		return classify.Stack{Frames: []classify.Frame{{Func: "main." + leaf}}, First: first, Count: count}
	}
	less, most := judgedAs("less", classify.JudgedUndecided, 9, 20), judgedAs("most", classify.JudgedUndecided, 9, 90)
	less.Top = []classify.Stack{stack("little", 1, 9)}
	most.Top = []classify.Stack{stack("steady", 50, 50), stack("risen", 2, 42), stack("more", 0, 41)}
	text := strings.Join(printed(t, &classify.Result{Verdict: classify.VerdictUndecided, Targets: []classify.TargetResult{less, most}}, 100), "\n")
	for _, want := range []string{"on most\n", "    41  state unknown            main.more", "    40  state unknown            main.risen"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	for _, other := range []string{"main.steady", "main.little"} {
		if strings.Contains(text, other) {
			t.Errorf("%s did not rise most\n%s", other, text)
		}
	}
}

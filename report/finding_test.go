package report

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/thanosleak/thanosleak/classify"
)

func TestVersions(t *testing.T) {
	for _, tt := range []struct {
		versions []string
		want     string
	}{
		{nil, " (version unknown)"},
		{[]string{""}, " (version unknown)"},
		{[]string{"0.35.1", "0.35.1"}, " (thanos 0.35.1)"},
		{[]string{"0.35.10", "0.35.1", "0.36.0"}, " (thanos 0.35.10, 0.35.1, 0.36.0)"},
		{[]string{"", "0.35.1"}, " (thanos 0.35.1, others unknown)"},
	} {
		f := &classify.Finding{}
		for _, v := range tt.versions {
			f.Remedies = append(f.Remedies, classify.Remedy{Version: v})
		}
		if got := versions(f); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.versions, got, tt.want)
		}
	}
}

func TestWhere(t *testing.T) {
	targets := []classify.TargetResult{{Name: "q0", Component: "query"}, {Name: "q1", Component: "query"},
		{Name: "s0", Component: "store"}, {Name: "x"}}
	for _, tt := range []struct {
		found, want string
	}{
		{"q1", "1 of 2 queriers"},
		{"q0 q1", "2 of 2 queriers"},
		{"s0", "1 of 1 store gateway"},
		{"q0 s0", "2 of 3 processes"},
		{"x", "1 of 1 process"},
	} {
		f := &classify.Finding{}
		for name := range strings.FieldsSeq(tt.found) {
			f.Occurrences = append(f.Occurrences, classify.Occurrence{Target: name})
		}
		if got := where(f, &classify.Result{Targets: targets}); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.found, got, tt.want)
		}
	}
}

func TestSurest(t *testing.T) {
	occurrence := func(name string, l classify.Level, culprits int) classify.Occurrence {
		return classify.Occurrence{Target: name, Level: l, Culprits: culprits}
	}
	for _, tt := range []struct {
		want        string
		occurrences []classify.Occurrence
	}{
		{"only", []classify.Occurrence{occurrence("only", classify.Note, 0)}},
		{"sure", []classify.Occurrence{occurrence("many", classify.Likely, 200), occurrence("sure", classify.Confirmed, 2)}},
		{"sure", []classify.Occurrence{occurrence("sure", classify.Confirmed, 2), occurrence("many", classify.Likely, 200)}},
		{"more", []classify.Occurrence{occurrence("less", classify.Likely, 2), occurrence("more", classify.Likely, 3)}},
		{"first", []classify.Occurrence{occurrence("first", classify.Likely, 2), occurrence("second", classify.Likely, 2)}},
	} {
		if got := surest(tt.occurrences).Target; got != tt.want {
			t.Errorf("%s, want %s", got, tt.want)
		}
	}
	if got := surest(nil); got != nil {
		t.Errorf("%v of no occurrence", got)
	}
}

// big is a result with more of everything than a screen holds.
func big() *classify.Result {
	r := &classify.Result{Verdict: classify.VerdictLeak, Findings: []classify.Finding{
		{Level: classify.Confirmed, Advisory: "TL-1", Title: "known"}, {Level: classify.Note, Title: "noted"}}}
	for i := range maxRows + 4 {
		name := fmt.Sprintf("t%02d", i)
		r.Targets = append(r.Targets, classify.TargetResult{Name: name, Samples: 1, Judged: classify.JudgedYes})
		r.Findings[0].Occurrences = append(r.Findings[0].Occurrences, classify.Occurrence{Target: name})
	}
	for i := range maxErrors + 2 {
		r.Targets = append(r.Targets, classify.TargetResult{Name: fmt.Sprintf("e%02d", i), Judged: classify.JudgedNo, Error: "broken"})
	}
	for i := range maxWarnings + 3 {
		r.Warnings = append(r.Warnings, fmt.Sprintf("w%02d", i))
	}
	return r
}

// A fleet does not push the advice off the screen; -v shows all.
func TestLimits(t *testing.T) {
	var brief, verbose bytes.Buffer
	if err := Text(&brief, Run{}, big(), TextOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := Text(&verbose, Run{}, big(), TextOptions{Verbose: true}); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ last, hidden, hint string }{
		{"t19", "t20", "and 4 more targets (-v shows all)"},
		{"e04", "e05", "and 2 more errors (-v shows all)"},
		{"w09", "w10", "and 3 more warnings (-v shows all)"},
		{"known", "noted", "1 note not shown (-v shows all)"},
	} {
		for _, want := range []string{tt.last, tt.hint} {
			if !strings.Contains(brief.String(), want) {
				t.Errorf("the brief report lacks %q", want)
			}
		}
		if strings.Contains(brief.String(), tt.hidden) || !strings.Contains(verbose.String(), tt.hidden) {
			t.Errorf("%s belongs into the verbose report only", tt.hidden)
		}
	}
	if strings.Contains(verbose.String(), "(-v") {
		t.Error("the verbose report refers to -v")
	}
}

func TestDecidingCommand(t *testing.T) {
	undecided := func(urls ...string) *classify.Result {
		r := &classify.Result{}
		for _, u := range urls {
			r.Targets = append(r.Targets, classify.TargetResult{URL: u, Judged: classify.JudgedUndecided})
		}
		return r
	}
	for _, tt := range []struct {
		result *classify.Result
		want   string
	}{
		{undecided(), ""},
		{undecided(""), "thanosleak scan http://HOST:10902 --samples 10 --interval 30s"},
		{undecided("http://a:1", "http://b:2"), "thanosleak scan http://a:1 http://b:2 --samples 10 --interval 30s"},
		{undecided("http://a:1/x;reboot"), "thanosleak scan 'http://a:1/x;reboot' --samples 10 --interval 30s"},
		{undecided(strings.Fields("a b c d e f")...), "thanosleak scan http://HOST:10902 --samples 10 --interval 30s"},
	} {
		if got := decidingCommand(tt.result); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}

package report_test

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/thanosleak/thanosleak/classify"
	"github.com/thanosleak/thanosleak/report"
)

// hostile is what a target may send to take over a terminal: titles and
// screens of xterm, CSI as one character, overrides of the writing direction,
// invisible characters, forged lines, invalid UTF-8.
const hostile = "\x1b]0;title\x07\x1b[2J\x9b31m\u009b2J\u0085\u202eevil\u2066\u2069\u200b\u200f\u2028\ufeff\U000e0041" +
	"\nFORGED line\r\tFORGED\x00\x08\x7f\xff\xfe\xed\xa0\x80 "

// hostiles are results of which every free string begins with its path and is
// hostile. In each some other values of verdict, level, role … are used.
func hostiles() []*classify.Result {
	var all []*classify.Result
	for shift := range int64(5) {
		for _, tail := range []string{"", strings.Repeat("long", 5_000)} {
			n := map[string]int64{}
			f := filler{
				text:   func(path string) string { return path + hostile + tail },
				length: func(string) int { return 2 },
				number: func(path string) int64 { n[path]++; return n[path] + shift },
			}
			if tail != "" {
				f.length = func(string) int { return 1 }
			}
			all = append(all, f.result())
		}
	}
	return all
}

// unsafe returns the first character that does not belong on a terminal.
func unsafe(out []byte) (rune, bool) {
	for s := out; len(s) > 0; {
		r, n := utf8.DecodeRune(s)
		if r == utf8.RuneError && n == 1 || r != '\n' && !unicode.IsPrint(r) {
			return r, true
		}
		s = s[n:]
	}
	return 0, false
}

// shownFields are the fields that the text shows, with -v. The test would say
// little if what is hostile were not shown at all.
var shownFields = []string{
	"Targets.Name", "Targets.URL", "Targets.Component", "Targets.ThanosVersion", "Targets.Error", "Targets.Exposed",
	"Targets.Top.State", "Targets.Top.Frames.Func", "Findings.Advisory", "Findings.Title", "Findings.Why",
	"Findings.Stacks.State", "Findings.Stacks.CreatedBy", "Findings.Stacks.Frames.Func", "Findings.Stacks.Frames.File",
	"Findings.Occurrences.Target", "Findings.Occurrences.Evidence.Text", "Findings.Occurrences.Preconditions.Text",
	"Findings.Occurrences.Preconditions.Observed", "Findings.Remedies.Targets", "Findings.Remedies.Version",
	"Findings.Remedies.Steps.Text", "Findings.Remedies.Steps.Command", "Findings.Remedies.Steps.Cost",
	"Findings.Remedies.Avoid", "Warnings",
	"Comparison.Base", "Comparison.Components.Component", "Comparison.Components.Base.Versions", "Comparison.Components.New.GoVersions",
	"Comparison.Components.Differences.Kind", "Comparison.Components.Differences.State", "Comparison.Components.Differences.Frames.Func",
	"Comparison.Components.Differences.Frames.File", "Comparison.Components.Differences.CreatedBy", "Comparison.Components.Differences.Finding",
	"Comparison.Components.Differences.MovedFrom", "Comparison.OnlyBase", "Comparison.OnlyNew", "Comparison.Warnings",
}

// maxLines is more than the report of a few targets has, and less than a flood.
const maxLines = 2000

func TestTextOfHostileTargets(t *testing.T) {
	var seen strings.Builder
	run := theRun()
	run.Version, run.AdvisoriesVersion = "Version"+hostile, "AdvisoriesVersion"+hostile
	for i, r := range append(hostiles(), alone()...) {
		for _, o := range []report.TextOptions{{Width: 80, Verbose: true}, {Width: 80}, {Width: 200, Color: true, Verbose: true}} {
			var b bytes.Buffer
			if err := report.Text(&b, run, r, o); err != nil {
				t.Fatal(err)
			}
			plain := sgr.ReplaceAll(b.Bytes(), nil)
			if !o.Color && len(plain) != b.Len() {
				t.Errorf("result %d: escape sequences without colours", i)
			}
			if c, bad := unsafe(plain); bad {
				t.Fatalf("result %d, %+v: %U reaches the terminal", i, o, c)
			}
			if bytes.Contains(plain, []byte("\nFORGED")) {
				t.Errorf("result %d: a target can begin a line of the report", i)
			}
			if n := bytes.Count(plain, []byte("\n")); n > maxLines {
				t.Errorf("result %d: %d lines, however long a text of a target is", i, n)
			}
			checkLines(t, string(plain), o, []string{"Findings.Remedies.Steps.Command", "thanosleak scan "})
			seen.Write(plain)
		}
	}
	for _, f := range append(shownFields, "Version", "AdvisoriesVersion") {
		if !strings.Contains(seen.String(), f) {
			t.Errorf("%s is shown nowhere", f)
		}
	}
}

// alone are results of one hostile target where nothing was found.
func alone() []*classify.Result {
	var all []*classify.Result
	for _, r := range hostiles() {
		r.Findings, r.Targets, r.Soak = nil, r.Targets[:1], nil
		r.Targets[0].Judged, r.Verdict = classify.JudgedUndecided, classify.VerdictUndecided
		all = append(all, r)
	}
	return all
}

// The values in JSON are those that came, but for invalid UTF-8, of which JSON
// has none.
func TestJSONOfHostileTargets(t *testing.T) {
	for i, r := range hostiles() {
		var b bytes.Buffer
		if err := report.JSON(&b, theRun(), r, report.TextOptions{}); err != nil {
			t.Fatal(err)
		}
		if c, bad := unsafe(b.Bytes()); bad {
			t.Fatalf("result %d: %U reaches the terminal", i, c)
		}
		got := &classify.Result{}
		if err := json.Unmarshal(b.Bytes(), got); err != nil {
			t.Fatal(err)
		}
		mapStrings(reflect.ValueOf(r).Elem(), func(s string) string { return string([]rune(s)) })
		if d := cmp.Diff(r, got, unencoded); d != "" {
			t.Errorf("result %d: (-want +decoded)\n%s", i, d)
		}
	}
}

// unencoded leaves out the fields that the JSON form does not have.
var unencoded = cmp.FilterPath(func(p cmp.Path) bool {
	field, ok := p.Last().(cmp.StructField)
	if !ok || p.Index(-2).Type().Kind() != reflect.Struct {
		return false
	}
	f, _ := p.Index(-2).Type().FieldByName(field.Name())
	return f.Tag.Get("json") == "-"
}, cmp.Ignore())

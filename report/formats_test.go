package report_test

import (
	"bytes"
	"encoding/xml"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/pprof/profile"

	"github.com/thanosleak/thanosleak/classify"
	"github.com/thanosleak/thanosleak/report"
)

// writers are the formats that tell of findings in words.
var writers = map[string]func(io.Writer, report.Run, *classify.Result, report.TextOptions) error{
	"text": report.Text, "json": report.JSON, "markdown": report.Markdown, "junit": report.JUnit, "github": report.GitHub,
	"prometheus": report.Prometheus, "html": report.HTML,
}

// written is what a format makes of a result, in a run that fails from likely
// on.
func written(t *testing.T, format string, r *classify.Result) string {
	t.Helper()
	run := theRun()
	run.FailOn = classify.Likely
	var b bytes.Buffer
	if err := writers[format](&b, run, r, report.TextOptions{}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// plainText undoes what formats do to characters and lines, so that words can be
// found.
func plainText(s string) string {
	s = regexp.MustCompile(`\\([^u"n])`).ReplaceAllString(s, "$1")
	s = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&amp;", "&", "&#34;", `"`, "&#39;", "'", "\\u0026", "&", "\\u003c", "<", "\\u003e", ">", `\"`, `"`,
		"%0A", "\n", "%3A", ":", "%2C", ",", "%25", "%", "@\u200b", "@").Replace(s)
	return strings.Join(strings.Fields(s), " ")
}

// TestFormatsAgree: the same findings come out of every format, with their
// targets and levels, and none where there is none.
func TestFormatsAgree(t *testing.T) {
	for name, r := range results(t) {
		for format := range writers {
			t.Run(name+"/"+format, func(t *testing.T) {
				got := plainText(written(t, format, r))
				for _, f := range r.Findings {
					if !f.Level.AtLeast(classify.Suspect) {
						continue
					}
					wants := []string{f.Advisory, string(f.Level)}
					if f.Advisory == "" && format != "prometheus" { // there the key stands for it
						wants[0] = plainText(f.Title)
					}
					if len(f.Occurrences) == 1 && format != "github" && format != "text" { // which leave it out where it is the only one
						wants = append(wants, f.Occurrences[0].Target)
					}
					if format == "markdown" || format == "html" || format == "github" || format == "json" { // junit: of those that fail
						leaf := f.Stacks[0].Frames[0]
						wants = append(wants, plainText(leaf.Func), plainText(leaf.File))
					}
					for _, want := range wants {
						if !strings.Contains(strings.ToLower(got), strings.ToLower(want)) {
							t.Errorf("does not say %q of %s", want, f.Key)
						}
					}
				}
				if r.Verdict == classify.VerdictClean && strings.Contains(got, "LEAK") {
					t.Errorf("tells of a leak where none is\n%s", got)
				}
			})
		}
	}
}

// TestFormatsAgreeOnSoaks: what a soak exercised and what not, and that it lacks
// what is required, comes out of every format that people read.
func TestFormatsAgreeOnSoaks(t *testing.T) {
	yes, no := true, false
	r := *results(t)["clean"]
	r.Soak = &classify.Soak{Rounds: 3, Targets: []classify.SoakTarget{{Target: "leaf", AtRest: []int{25, 25, 26, 25}, Requests: []int{400, 410, 405}}},
		Conditions: []classify.Condition{
			{Name: "requests", Text: "enough of them", Exercised: &yes, Affected: true},
			{Name: "silent-store", Text: "a store says nothing", Exercised: &no, Observed: "none", Affected: true, Required: true},
			{Name: "TL-2099-001", Text: "something", Observed: "nothing shows it", Look: "the log", Affected: true},
			{Name: "TL-2099-002", Text: "of other releases", Exercised: &no},
		}}
	for format := range writers {
		got := plainText(written(t, format, &r))
		for _, want := range map[string][]string{
			"prometheus": nil,
			"github":     {"silent-store", "TL-2099-001"},
			"junit":      {"silent-store", "TL-2099-001", "requests"},
		}[format] {
			if !strings.Contains(got, want) {
				t.Errorf("%s does not say %q\n%s", format, want, got)
			}
		}
		if format != "json" && strings.Contains(got, "TL-2099-002") {
			t.Errorf("%s tells of a leak that the release does not have", format)
		}
		if format == "text" || format == "markdown" || format == "html" {
			for _, want := range []string{"25 → 25 → 26 → 25", "required", "silent-store", "TL-2099-001", "the log", "requests"} {
				if !strings.Contains(got, want) {
					t.Errorf("%s does not say %q", format, want)
				}
			}
		}
	}
	ended := r
	ended.Soak = &classify.Soak{Targets: append(r.Soak.Targets, classify.SoakTarget{Target: "upper", AtRest: []int{25}}), Conditions: r.Soak.Conditions}
	if got := report.SoakLines(&ended, 3, nil)[1]; !strings.HasPrefix(got, "at rest: leaf 25 → ") {
		t.Errorf("a target that ended makes the others' rests %q", got)
	}
	ended.Soak.UnderLoad = true
	if got := report.SoakLines(&ended, 3, nil)[1]; !strings.HasPrefix(got, "under load: ") {
		t.Errorf("without rests: %q", got)
	}
	lines := strings.Join(report.SoakLines(&r, 3, []string{"soak.tar.gz"}), "\n")
	if want := `verdict: CLEAN 2 queriers (thanos 0.35.1), 18 samples each: no known leak, and no stack grows; required, but not exercised: silent-store (exit status 3)
at rest: 25 → 25 → 26 → 25 (400, 410, 405 requests)
exercised: requests
not exercised: silent-store (none); TL-2099-001 (nothing shows it)
artefacts: soak.tar.gz`; lines != want {
		t.Errorf("got\n%s\nwant\n%s", lines, want)
	}
}

// TestJUnit reads the result as a CI system does.
func TestJUnit(t *testing.T) {
	type counts struct{ tests, failures, errors, skipped int }
	for name, want := range map[string]counts{
		"clean":      {6, 0, 0, 0}, // two targets, three things each
		"flagship":   {3, 1, 0, 0},
		"undecided":  {3, 0, 0, 1},
		"incomplete": {4, 0, 1, 0},
	} {
		var doc struct {
			Tests    int `xml:"tests,attr"`
			Failures int `xml:"failures,attr"`
			Errors   int `xml:"errors,attr"`
			Skipped  int `xml:"skipped,attr"`
			Suites   []struct {
				Cases []struct {
					Name    string    `xml:"name,attr"`
					Failure *struct{} `xml:"failure"`
				} `xml:"testcase"`
			} `xml:"testsuite"`
		}
		text := written(t, "junit", results(t)[name])
		if err := xml.Unmarshal([]byte(text), &doc); err != nil {
			t.Fatal(err)
		}
		if got := (counts{doc.Tests, doc.Failures, doc.Errors, doc.Skipped}); got != want {
			t.Errorf("%s: %+v, want %+v\n%s", name, got, want, text)
		}
	}
	if text := written(t, "junit", results(t)["flagship"]); !strings.Contains(text, "store.newEagerRespSet.func2.3  /app/pkg/store/proxy_merge.go:627") {
		t.Errorf("a failure does not say where\n%s", text)
	}
	if text := written(t, "junit", &classify.Result{}); !strings.Contains(text, `errors="1"`) {
		t.Errorf("nothing looked at is no error\n%s", text)
	}
}

// TestGitHubCommands: each line is a command, whatever targets say.
func TestGitHubCommands(t *testing.T) {
	all := hostiles()
	for _, r := range results(t) {
		all = append(all, r)
	}
	command := regexp.MustCompile(`^::(error|warning|notice) title=[^:,]*::.+$`)
	for _, r := range all {
		for _, l := range strings.Split(strings.TrimSuffix(written(t, "github", r), "\n"), "\n") {
			if !command.MatchString(l) {
				t.Errorf("no workflow command: %.200q", l)
			}
		}
	}
	if text := written(t, "github", results(t)["clean"]); !strings.HasPrefix(text, "::notice title=thanosleak%3A clean::") {
		t.Errorf("%q", text)
	}
}

// TestMarkdownIsInert: nothing that a target says becomes markup, and tables keep
// their columns.
func TestMarkdownIsInert(t *testing.T) {
	fleet := *results(t)["fleet"]
	fleet.Targets = slices.Clone(fleet.Targets)
	for _, r := range append(hostiles(), &fleet) {
		if len(r.Targets) > 0 {
			r.Targets[0].Name = "<img src=x>|@team ![x](http://evil) `tick` " + r.Targets[0].Name
		}
		text := written(t, "markdown", r)
		if c, is := unsafe([]byte(strings.ReplaceAll(text, "\u200b", ""))); is || !utf8.ValidString(text) {
			t.Errorf("%q gets through", c)
		}
		inCode := regexp.MustCompile("(?s)(`+).*?`+")
		for _, l := range strings.Split(text, "\n") {
			rest := inCode.ReplaceAllString(l, "")
			if strings.HasPrefix(l, "    ") {
				continue // frames, as they are
			}
			if strings.Contains(rest, "<") || strings.Contains(rest, "@team") || strings.Contains(rest, "![") || strings.HasPrefix(l, "FORGED") {
				t.Errorf("markup: %.300q", l)
			}
		}
	}
}

// TestPprof: go tool pprof opens what grew, with its counts.
func TestPprof(t *testing.T) {
	for name, r := range results(t) {
		var b bytes.Buffer
		if err := report.Pprof(&b, theRun(), r, report.TextOptions{}); err != nil {
			t.Fatal(err)
		}
		p, err := profile.Parse(&b)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		now, culprits := 0, 0
		for _, s := range p.Sample {
			if s.Value[2] != s.Value[1]-s.Value[0] {
				t.Errorf("%s: %v", name, s.Value)
			}
			if s.Label["role"][0] == classify.RoleCulprit {
				now += int(s.Value[1])
			}
		}
		for _, f := range r.Findings {
			culprits += f.Culprits
		}
		if now != culprits {
			t.Errorf("%s: %d culprits in the profile, %d in the findings", name, now, culprits)
		}
		if name == "flagship" && (len(p.Sample) < 3 || p.Sample[0].Value[0] != 0 || p.Sample[0].Value[2] != 144) {
			t.Errorf("%v", p)
		}
	}
	for _, r := range hostiles() {
		if err := report.Pprof(io.Discard, theRun(), r, report.TextOptions{}); err != nil {
			t.Error(err)
		}
	}
}

package report_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/thanosleak/thanosleak/classify"
	"github.com/thanosleak/thanosleak/report"
)

// htmlPage is a page as it is read: names of elements and attributes, and all
// text.
type htmlPage struct {
	raw        string
	text       string
	elements   map[string]int
	attributes map[string]bool
	links      []string
	ids        map[string]bool
}

// htmlOf writes a page and reads it. The page is written so that a strict
// reader of XML takes it: all tags are closed, all attributes quoted.
func htmlOf(t *testing.T, r *classify.Result, o report.TextOptions) htmlPage {
	t.Helper()
	var b bytes.Buffer
	if err := report.HTML(&b, theRun(), r, o); err != nil {
		t.Fatal(err)
	}
	if b.Len() >= 1_000_000 {
		t.Errorf("%d bytes", b.Len())
	}
	p := htmlPage{raw: b.String(), elements: map[string]int{}, attributes: map[string]bool{}, ids: map[string]bool{}}
	var text strings.Builder
	d := xml.NewDecoder(&b)
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("not well formed: %v", err)
		}
		switch x := token.(type) {
		case xml.CharData:
			text.Write(x)
		case xml.StartElement:
			p.elements[x.Name.Local]++
			for _, a := range x.Attr {
				p.attributes[a.Name.Local] = true
				p.read(t, x, a)
			}
		}
	}
	p.text = text.String()
	return p
}

func (p *htmlPage) read(t *testing.T, x xml.StartElement, a xml.Attr) {
	t.Helper()
	switch a.Name.Local {
	case "href":
		p.links = append(p.links, a.Value)
		if strings.HasPrefix(a.Value, "https://") && !slices.ContainsFunc(x.Attr, func(a xml.Attr) bool { return a.Name.Local == "rel" && a.Value == "noreferrer" }) {
			t.Errorf("%s tells where the reader comes from", a.Value)
		}
	case "id":
		if p.ids[a.Value] {
			t.Errorf("two elements are %q", a.Value)
		}
		p.ids[a.Value] = true
	}
}

// htmlElements and htmlAttributes are all that a page has: nothing that runs or
// loads is among them.
var (
	htmlElements = strings.Fields(`html head meta title style body header main section footer h1 h2 h3 h4 p a b strong span div
		ul ol li dl dt dd code details summary table thead tbody tr th td figure figcaption
		svg line polyline circle path rect text`)
	htmlAttributes = strings.Fields(`lang charset http-equiv content name class id href rel role scope tabindex open aria-label aria-labelledby aria-hidden
		width height viewBox preserveAspectRatio x y x1 x2 y1 y2 cx cy r d dx dy points text-anchor`)
)

// checkInert fails for what could run, load or lead elsewhere.
func checkInert(t *testing.T, p htmlPage) {
	t.Helper()
	for e := range p.elements {
		if !slices.Contains(htmlElements, e) {
			t.Errorf("there is an element <%s>", e)
		}
	}
	for a := range p.attributes {
		if !slices.Contains(htmlAttributes, a) {
			t.Errorf("there is an attribute %s", a)
		}
	}
	for _, l := range p.links {
		if anchor, inner := strings.CutPrefix(l, "#"); inner && !p.ids[anchor] || !inner && !strings.HasPrefix(l, "https://") {
			t.Errorf("a link leads to %q", l)
		}
	}
	if c, bad := unsafe([]byte(p.raw)); bad {
		t.Errorf("%U is in the page", c)
	}
	for _, never := range []string{"<script", "url(", "@import", "ZgotmplZ"} {
		if strings.Contains(p.raw, never) {
			t.Errorf("there is %q in the page", never)
		}
	}
	if !strings.Contains(p.raw, `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'" />`) {
		t.Error("there is no content security policy")
	}
}

func TestHTML(t *testing.T) {
	for name, r := range results(t) {
		t.Run(name, func(t *testing.T) {
			for _, o := range []report.TextOptions{{}, {Verbose: true}} {
				p := htmlOf(t, r, o)
				checkInert(t, p)
				checkFirstScreen(t, p, r)
				for _, f := range r.Findings {
					if f.Level.AtLeast(classify.Suspect) {
						checkHTMLFinding(t, p, f)
					}
				}
				for _, x := range r.Targets {
					contains(t, p.text, x.Name, x.Error)
				}
			}
		})
	}
}

// checkFirstScreen: the header answers the three questions, before anything
// else.
func checkFirstScreen(t *testing.T, p htmlPage, r *classify.Result) {
	t.Helper()
	header, _, ok := strings.Cut(p.raw, "</header>")
	if !ok {
		t.Fatal("the page has no header")
	}
	contains(t, header, "Is it leaking?", "Which component?", "What do I do?")
	word, _, _ := strings.Cut(report.Headline(r, 0), "  ")
	contains(t, header, ">"+word+"<")
}

func checkHTMLFinding(t *testing.T, p htmlPage, f classify.Finding) {
	t.Helper()
	contains(t, p.text, f.Advisory, f.Title, f.Why, string(f.Level))
	for _, o := range f.Occurrences {
		contains(t, p.text, o.Target)
	}
	for _, m := range f.Remedies {
		contains(t, p.text, m.Steps[0].Text, m.Steps[0].Command)
	}
	for _, u := range f.References {
		if !slices.Contains(p.links, u) {
			t.Errorf("no link to %s", u)
		}
	}
}

func contains(t *testing.T, text string, all ...string) {
	t.Helper()
	for _, s := range all {
		if !strings.Contains(text, s) {
			t.Errorf("the page does not tell %q", s)
		}
	}
}

// TestHTMLDiagrams: a leak that was watched has a chart with its onset, a chain
// in the order of those that wait, and an icicle.
func TestHTMLDiagrams(t *testing.T) {
	p := htmlOf(t, results(t)["flagship"], report.TextOptions{})
	contains(t, p.raw, `<polyline class="culprit"`, `<polyline class="victim"`, `<line class="onset"`, "<title>144 culprits at 2026-")
	_, chain, _ := strings.Cut(p.raw, `<div class="chain">`)
	at := -1
	for _, name := range []string{"store.newEagerRespSet.func2.3", "store.(*eagerRespSet).Next", "query.(*querier).Select.func2"} {
		next := strings.Index(chain, name)
		if next <= at {
			t.Errorf("%s is not in its place in the chain", name)
		}
		at = next
	}
	contains(t, p.raw, `<div class="icicle"`, "store.newEagerRespSet.func2.3: 144 culprits</title>")
}

// TestHTMLOfReleases: of a fleet with several releases the first screen has the
// steps for most of the targets, and a line for each of the others.
func TestHTMLOfReleases(t *testing.T) {
	r := results(t)["fleet"]
	header, _, _ := strings.Cut(htmlOf(t, r, report.TextOptions{}).raw, "</header>")
	first, folded, ok := strings.Cut(header, "<details>")
	if !ok || strings.Count(first, `<ol class="steps">`) != 1 || strings.Count(folded, `<ol class="steps">`) != len(r.Findings[0].Remedies)-1 {
		t.Errorf("the steps are not folded:\n%s", header)
	}
	contains(t, first, "(thanos 0.35.1)", "2 of 60 gave no sample")
	summary, _, _ := strings.Cut(folded, "</summary>")
	contains(t, summary, "(thanos 0.36.0)", "5 steps, go to v0.36.1")
}

// TestHTMLOfASoak: what a soak was required to try and did not stands on the
// first screen, since it fails the soak.
func TestHTMLOfASoak(t *testing.T) {
	yes, no := true, false
	r := *results(t)["clean"]
	r.Soak = &classify.Soak{Rounds: 2, Targets: []classify.SoakTarget{{Target: "leaf", AtRest: []int{25, 26, 25}, Requests: []int{400, 410}}},
		Conditions: []classify.Condition{{Name: "requests", Text: "enough requests", Exercised: &yes, Affected: true},
			{Name: "silent-store", Text: "a store that is silent", Exercised: &no, Affected: true, Required: true, Observed: "no store was slow"}}}
	p := htmlOf(t, &r, report.TextOptions{})
	checkInert(t, p)
	header, _, _ := strings.Cut(p.raw, "</header>")
	contains(t, header, "required, but not exercised:", "silent-store")
	contains(t, p.text, "25 → 26 → 25", "not exercised, required", "silent-store: a store that is silent; no store was slow", "requests: enough requests")
}

// restarted is a finding over two lives of a process, seen from the beginning.
func restarted() *classify.Result {
	at := time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)
	x := classify.TargetResult{Name: "thanos-store:10902", Samples: 1000, Restarts: 1, Judged: classify.JudgedYes}
	o := classify.Occurrence{Target: x.Name, Level: classify.Likely, Culprits: 500}
	for i := range 1000 {
		now := at.Add(time.Duration(i) * time.Minute)
		x.Totals = append(x.Totals, classify.Total{Time: now, Life: i / 500, Goroutines: 20 + i%500})
		o.Points = append(o.Points, classify.Point{Time: now, Culprits: i % 500})
	}
	return &classify.Result{Verdict: classify.VerdictLeak, Targets: []classify.TargetResult{x}, Findings: []classify.Finding{
		{Key: "k", Level: classify.Likely, Title: "they grow", Class: "leak", Culprits: 500, Occurrences: []classify.Occurrence{o}},
		{Key: "g", Level: classify.Likely, Title: "they grew", Class: "leak", Status: classify.StatusGone},
	}}
}

func TestHTMLOfRestarts(t *testing.T) {
	p := htmlOf(t, restarted(), report.TextOptions{})
	checkInert(t, p)
	if n := strings.Count(p.raw, `<line class="restart"`); n != 1 {
		t.Errorf("%d restarts are drawn", n)
	}
	if n := strings.Count(p.raw, `<polyline class="culprit"`); n != 2 {
		t.Errorf("%d lives are drawn", n)
	}
	for l := range strings.Lines(p.raw) {
		if strings.Contains(l, "<polyline") && strings.Count(l, ",") > 300 {
			t.Error("too many points are drawn")
		}
	}
	contains(t, p.text, "they grew, which earlier runs found")
	if strings.Count(p.text, "they grew") != 1 {
		t.Error("what is gone is told as if it were there")
	}
}

// markup is what a target may send to be more than text in a page.
const markup = `"'><script>alert(1)</script><img src=x onerror=alert(1)></title></style><a href="javascript:alert(1)">` + "`{{.}}<!--"

func TestHTMLOfHostileTargets(t *testing.T) {
	all := append(hostiles(), alone()...)
	for _, text := range []string{markup, "javascript:alert(1)", "https://evil.example/\"onclick=x "} {
		f := filler{
			text:   func(path string) string { return text + path },
			length: func(string) int { return 2 },
			number: func(path string) int64 { return int64(len(path)) },
		}
		all = append(all, f.result())
	}
	for i, r := range all {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			for _, o := range []report.TextOptions{{}, {Verbose: true}} {
				checkInert(t, htmlOf(t, r, o))
			}
		})
	}
}

// TestHTMLOfManyTargets: however much there is, the page stays small enough for
// a mail, and begins with the advice.
func TestHTMLOfManyTargets(t *testing.T) {
	for _, name := range []string{"t", strings.Repeat("long-name.", 100)} {
		one := restarted()
		r := &classify.Result{Verdict: classify.VerdictLeak}
		for n := range 13 { // more than are told in full
			f := one.Findings[0]
			f.Key, f.Title, f.Occurrences = fmt.Sprint(n), fmt.Sprintf("finding %d of %s", n, name), nil
			for i := range 100 {
				o := one.Findings[0].Occurrences[0]
				o.Target = fmt.Sprintf("%s-%d", name, i)
				o.Evidence = []classify.Evidence{{Kind: classify.KindGrowing, Strength: classify.Strong, Text: name}}
				f.Occurrences = append(f.Occurrences, o)
			}
			for i := range 40 {
				s := classify.Stack{Role: classify.RoleVictim, Count: 3, State: name}
				for d := range 60 {
					s.Frames = append(s.Frames, classify.Frame{Func: fmt.Sprintf("%s.f%d_%d", name, i, d), File: name})
				}
				f.Stacks = append(f.Stacks, s)
			}
			r.Findings = append(r.Findings, f)
		}
		for i := range 1000 {
			x := one.Targets[0]
			x.Name = fmt.Sprintf("%s-%d", name, i)
			r.Targets = append(r.Targets, x)
			r.Warnings = append(r.Warnings, name)
		}
		p := htmlOf(t, r, report.TextOptions{})
		checkInert(t, p)
		checkFirstScreen(t, p, r)
	}
}

package report

import (
	"bytes"
	_ "embed" // for htmlSource
	"html/template"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/thanosleak/thanosleak/classify"
)

// maxHTML is what the page may have in bytes: it is attached to tickets and
// mails.
const maxHTML = 1_000_000

// HTML writes the result as one static page that loads nothing and runs
// nothing: the verdict and the advice first, then for each finding charts, the
// chain of those that wait, the stacks and the evidence, then the processes.
// With o.Verbose all notes are told in full. The page has less than 1 MB: of
// results that are too large it tells less.
func HTML(w io.Writer, run Run, r *classify.Result, o TextOptions) error {
	byName := map[string]*classify.TargetResult{}
	for i := range r.Targets {
		byName[r.Targets[i].Name] = &r.Targets[i]
	}
	all := outcomes(r)
	var b bytes.Buffer
	for limits := fullHTML; ; limits = limits.half() {
		b.Reset()
		v := htmlWriter{htmlLimits: limits, result: r, run: run, verbose: o.Verbose, byName: byName, outcomes: all}
		if err := htmlTemplate().Execute(&b, v.view()); err != nil {
			return err
		}
		if b.Len() < maxHTML || limits == limits.half() {
			break
		}
	}
	_, err := b.WriteTo(w)
	return err
}

// htmlLimits bound what the page tells in full.
type htmlLimits struct {
	full   int // findings with all that is known of them
	more   int // occurrences of each, beside the surest, with a chart and evidence
	points int // of one chart
	boxes  int // of one icicle
	rows   int // of a table
	items  int // of a list
	text   int // characters of one text
}

var fullHTML = htmlLimits{full: 12, more: 5, points: 300, boxes: 160, rows: 120, items: 30, text: 1600}

// half returns the next smaller limits; the smallest are their own half.
func (l htmlLimits) half() htmlLimits {
	return htmlLimits{full: max(l.full/2, 1), more: l.more / 2, points: max(l.points/2, 10), boxes: max(l.boxes/2, 10),
		rows: max(l.rows/2, 5), items: max(l.items/2, 3), text: max(l.text/2, 50)}
}

//go:embed html.tmpl
var htmlSource string

// htmlTemplate is parsed when it is needed: it would cost every start of
// thanosleak a twentieth of its time.
var htmlTemplate = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("html").Funcs(template.FuncMap{"pieces": pieces, "plural": plural}).Parse(htmlSource))
})

// htmlPiece is a part of a text: a word that is whole stays on one line if the
// line is long enough, whatever is in it.
type htmlPiece struct {
	Text  string
	Whole bool
}

// pieces finds the flags, addresses and functions in a text: a browser would
// break them at their hyphens, slashes and parentheses, and half a flag misleads.
func pieces(s string) []htmlPiece {
	var all []htmlPiece
	between := "" // since the last whole word
	for word := range strings.SplitAfterSeq(s, " ") {
		text := strings.TrimSuffix(word, " ")
		if len(text) < 2 || !strings.ContainsAny(text[1:], "-/(*") {
			between += word
			continue
		}
		all = append(all, htmlPiece{Text: between}, htmlPiece{text, true})
		between = word[len(text):]
	}
	return append(all, htmlPiece{Text: between})
}

// htmlWriter makes the view of a result for the template. All texts of the
// result go through its clean, so that none reorders or hides what is read;
// the template escapes them.
type htmlWriter struct {
	htmlLimits
	result  *classify.Result
	run     Run
	verbose bool

	byName   map[string]*classify.TargetResult
	outcomes []outcome
}

// target returns the process of an occurrence.
func (w *htmlWriter) target(name string) *classify.TargetResult {
	if t := w.byName[name]; t != nil {
		return t
	}
	return &classify.TargetResult{Name: name}
}

func (w *htmlWriter) clean(s string) string { return cut(printable(s), w.text) }

// htmlView is what the template shows.
type htmlView struct {
	Title            string
	Tone, Word, What string // the headline
	Sub              string
	Answers          []htmlFact
	Do               []htmlRemedy // empty if there is nothing to do
	Next             string       // the command that would decide
	Nothing          string       // why there is nothing to do
	Index            []htmlFinding
	IndexTitle       string
	Findings         []htmlFinding
	Brief            []htmlBrief
	More             int // findings that are not told at all
	Gone             []string
	Exposed          []string
	Warnings         []string
	MoreWarnings     int
	Soak             *htmlSoak
	Comparison       *htmlComparison
	Targets          htmlTargets
	Command          string
	Footer           string
}

// htmlBrief is a finding that is told in a line.
type htmlBrief struct{ Word, What, Title string }

func (w *htmlWriter) view() htmlView {
	r := w.result
	shown := shownFindings(r, w.verbose)
	v := htmlView{}
	isFound := len(shown) > 0 && shown[0].Level.AtLeast(classify.Suspect)
	if isFound {
		w.findingFirst(&v, &shown[0])
	} else {
		w.verdictFirst(&v, len(shown) > 0)
	}
	v.Title = v.Word + " " + v.What
	if names := unmet(r); names != "" {
		v.Answers = append(v.Answers, htmlFact{askMissing, w.clean("required, but not exercised: " + names)})
		v.Nothing = "Have the load do what is missing, and run it again."
	}
	v.Soak, v.Comparison = w.soak(), w.comparison()
	w.findings(&v, shown, isFound)
	if len(v.Findings) > 1 {
		v.Index, v.IndexTitle = v.Findings, plural(len(v.Findings), "finding")
	}
	w.remarks(&v)
	v.Targets = w.targets(!isFound)
	v.Command = w.clean(w.run.Command)
	v.Footer = w.clean("thanosleak " + w.run.Version + ", knowledge of " + w.run.AdvisoriesVersion + age(w.run))
	if !w.run.Finished.IsZero() {
		v.Footer += "; looked at " + utc(w.run.Finished)
	}
	return v
}

// findings tells as many findings in full as the page bears, the others in a
// line.
func (w *htmlWriter) findings(v *htmlView, shown []classify.Finding, isFound bool) {
	full := min(len(shown), w.full)
	for i := range shown[:full] {
		v.Findings = append(v.Findings, w.finding(i, &shown[i], i == 0 && isFound))
	}
	brief := slices.Clone(shown[full:])
	if !w.verbose {
		brief = append(brief, w.otherNotes()...)
	}
	for i := range brief[:min(len(brief), w.rows)] {
		f := &brief[i]
		word, what, _ := headlineOf(f, w.result)
		b := htmlBrief{Word: word, What: w.clean(what)}
		if f.Advisory != "" {
			b.Title = w.clean(f.Title)
		}
		v.Brief = append(v.Brief, b)
	}
	v.More = len(brief) - len(v.Brief)
}

// otherNotes are the findings that are not shown unless all are asked for.
func (w *htmlWriter) otherNotes() []classify.Finding {
	shown := map[string]bool{}
	for _, f := range shownFindings(w.result, false) {
		shown[f.Key] = true
	}
	return slices.DeleteFunc(shownFindings(w.result, true), func(f classify.Finding) bool { return shown[f.Key] })
}

// remarks tells what is no finding.
func (w *htmlWriter) remarks(v *htmlView) {
	r := w.result
	for _, f := range goneFindings(r) {
		if len(v.Gone) < w.items {
			v.Gone = append(v.Gone, w.clean(joined(f.Advisory, f.Title)))
		}
	}
	for _, said := range saidLines(func(p *page) { p.exposures(r) }) {
		if len(v.Exposed) < w.items {
			v.Exposed = append(v.Exposed, w.clean(said[1]))
		}
	}
	for _, warning := range r.Warnings[:min(len(r.Warnings), w.items)] {
		v.Warnings = append(v.Warnings, w.clean(warning))
	}
	v.MoreWarnings = len(r.Warnings) - len(v.Warnings)
}

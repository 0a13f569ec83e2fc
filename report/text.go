package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/thanosleak/thanosleak/classify"
)

// TextOptions tell Text about the terminal.
type TextOptions struct {
	// Width is the number of columns, 80 at least; 0 for 100.
	Width int
	// Color says whether to use colours.
	Color bool
	// Verbose adds notes, all evidence and all stacks.
	Verbose bool
}

// Widths in columns: what the report needs, and what it is written for where
// the width is not known.
const (
	minWidth     = 80
	defaultWidth = 100
	maxWidth     = 130 // wider lines are hard to read
)

// Text writes the result for people: the verdict and the advice first, so that
// the first screen is enough in an incident.
func Text(w io.Writer, run Run, r *classify.Result, o TextOptions) error {
	p := &page{width: min(max(cmp.Or(o.Width, defaultWidth), minWidth), maxWidth), color: o.Color}
	p.report(run, r, o)
	return p.writeTo(w)
}

// report writes the result.
func (p *page) report(run Run, r *classify.Result, o TextOptions) {
	gone := goneFindings(r)
	shown := shownFindings(r, o.Verbose)
	found := len(shown) > 0 && shown[0].Level.AtLeast(classify.Suspect)
	if !found {
		p.nothingFound(r, len(shown) > 0, o.Verbose)
	}
	for i := range shown {
		if i > 0 || !found {
			p.blank()
		}
		p.headline(&shown[i], r)
		if i == 0 && found {
			if s := silent(r); s != "" {
				p.paragraph(styled("  missing", yellow), 11, s, plain)
			}
			p.overview(shown[1:], r, o.Verbose)
		}
		p.finding(&shown[i], r, o.Verbose)
	}
	p.gone(gone)
	if n := len(r.Findings) - len(shown) - len(gone); n > 0 {
		p.blank()
		p.line(styled(fmt.Sprintf("  %s not shown (-v shows all)", plural(n, "note")), dim))
	}
	p.targetTable(r, o.Verbose)
	if found && slices.ContainsFunc(r.Targets, failed) {
		p.blank()
		p.failures(r, o.Verbose)
	}
	if p.soak(r, o.Verbose); r.Soak == nil { // which tells more of them
		p.exposures(r)
	}
	p.comparison(r, o.Verbose)
	p.closing(run, r, o.Verbose)
}

// shownFindings leaves out notes unless asked for, or nothing else was found.
func shownFindings(r *classify.Result, verbose bool) []classify.Finding {
	return slices.DeleteFunc(slices.Clone(r.Findings), func(f classify.Finding) bool {
		return f.Status == classify.StatusGone ||
			!verbose && !f.Level.AtLeast(classify.Suspect) && f.Advisory == "" && !recalls(&f)
	})
}

// goneFindings returns what earlier runs saw and this one does not.
func goneFindings(r *classify.Result) []classify.Finding {
	return slices.DeleteFunc(slices.Clone(r.Findings), func(f classify.Finding) bool { return f.Status != classify.StatusGone })
}

// overview lists the findings below the first in a line each: the details of
// one fill a screen.
func (p *page) overview(others []classify.Finding, r *classify.Result, verbose bool) {
	if len(others) == 0 {
		return
	}
	p.blank()
	p.line(styled(fmt.Sprintf("  and %d more, told below", len(others)), dim))
	shown := others
	if !verbose {
		shown = others[:min(len(others), maxRows)]
	}
	longest := 0
	for i := range shown {
		word, _, _ := headlineOf(&shown[i], r)
		longest = max(longest, columns(word))
	}
	for i := range shown {
		word, what, st := headlineOf(&shown[i], r)
		p.paragraph(styled("  "+word, st), 2+longest+2, what, plain)
	}
	p.more(len(others)-len(shown), "finding", verbose)
}

// gone names what earlier runs saw.
func (p *page) gone(findings []classify.Finding) {
	if len(findings) > 0 {
		p.blank()
	}
	for _, f := range findings {
		p.paragraph(styled("  gone", green), 11, joined(f.Advisory, f.Title)+", which earlier runs found", plain)
	}
}

// recalls reports whether a known leak of another release looks like the
// finding.
func recalls(f *classify.Finding) bool {
	for _, o := range f.Occurrences {
		for _, e := range o.Evidence {
			if e.Kind == classify.KindKnownSignature {
				return true
			}
		}
	}
	return false
}

// maxErrors is the number of errors that are told, and maxWarnings that of
// warnings, unless all are asked for.
const (
	maxErrors   = 5
	maxWarnings = 10
)

// failed reports whether there is an error to tell. That of a target that gave
// some samples is among the warnings.
func failed(t classify.TargetResult) bool { return t.Judged == classify.JudgedNo && t.Error != "" }

// failures tells why targets gave no sample.
func (p *page) failures(r *classify.Result, verbose bool) {
	n := 0
	for _, t := range r.Targets {
		if !failed(t) {
			continue
		}
		if n++; n > maxErrors && !verbose {
			continue
		}
		what := t.Error
		if !strings.Contains(what, t.Name) {
			what = t.Name + ": " + what
		}
		p.paragraph(styled("  error", yellow), labelWidth, what, plain)
	}
	p.more(n-maxErrors, "error", verbose)
}

// more says that n lines are not shown, unless all are.
func (p *page) more(n int, noun string, verbose bool) {
	if n > 0 && !verbose {
		p.line(styled(fmt.Sprintf("  and %s (-v shows all)", plural(n, "more "+noun)), dim))
	}
}

// looked says what was looked at: "2 queriers (thanos 0.42.4), 18 samples each".
func looked(r *classify.Result) string {
	judged, fewest, most := 0, 0, 0
	for _, t := range r.Targets {
		if t.Samples > 0 {
			judged++
			most = max(most, t.Samples)
			if fewest == 0 || t.Samples < fewest {
				fewest = t.Samples
			}
		}
	}
	s := fmt.Sprintf("%d of %s", judged, processes(r.Targets))
	if judged == len(r.Targets) {
		s = processes(r.Targets)
	}
	s += releasesOf(r.Targets)
	switch {
	case judged == 0:
		return s
	case fewest == most:
		return fmt.Sprintf("%s, %s%s", s, classify.Count(most, "sample"), each(judged))
	}
	return fmt.Sprintf("%s, %d to %d samples each", s, fewest, most)
}

func each(n int) string {
	if n > 1 {
		return " each"
	}
	return ""
}

// nouns are how people call the components.
var nouns = map[string]string{
	"query": "querier", "store": "store gateway", "receive": "receiver", "rule": "ruler",
	"sidecar": "sidecar", "compact": "compactor", "query-frontend": "query frontend",
}

// processes counts targets by what they have in common: "60 queriers".
func processes(targets []classify.TargetResult) string {
	noun := "process"
	for i, t := range targets {
		if n := nouns[t.Component]; i == 0 && n != "" {
			noun = n
		} else if nouns[t.Component] != noun {
			noun = "process"
			break
		}
	}
	return plural(len(targets), noun)
}

func plural(n int, noun string) string {
	switch {
	case n == 1:
		return "1 " + noun
	case strings.HasSuffix(noun, "s"):
		return fmt.Sprintf("%d %ses", n, noun)
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// process writes the line of a single target.
func (p *page) process(t *classify.TargetResult) {
	g := t.Goroutines
	span := ""
	if t.FirstSample != nil && t.LastSample != nil && t.LastSample.After(*t.FirstSample) {
		span = " in " + classify.Span(t.LastSample.Sub(*t.FirstSample))
	}
	lives := ""
	if t.Restarts > 0 {
		lives = ", " + plural(t.Restarts, "restart")
	}
	series := fmt.Sprintf("%d", g.Last)
	if t.Samples > 1 {
		series = fmt.Sprintf("%d %s %d", g.First, sparkline(t.Totals), g.Last)
	}
	p.flow(processColumn, text(pad("  goroutines", processColumn)), text(series),
		styled(fmt.Sprintf("   %s%s%s", classify.Count(t.Samples, "sample"), span, lives), dim))
	if m := memory(t); m != "" {
		p.paragraph(text("  memory"), processColumn, m, plain)
	}
}

// processColumn is the column at which the facts of a process begin.
const processColumn = 14

// memory tells how much memory a process holds; empty if it does not tell.
func memory(t *classify.TargetResult) string {
	if t.ResidentBytes == nil {
		return ""
	}
	s := mebibytes(*t.ResidentBytes) + " resident"
	if t.FirstResidentBytes != nil && t.Samples > 1 {
		s = mebibytes(*t.FirstResidentBytes) + " → " + s
	}
	if t.StackBytes != nil {
		s += ", " + mebibytes(*t.StackBytes) + " of it stacks"
	}
	return s
}

func mebibytes(n int64) string {
	if n < 10<<20 {
		return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20))
	}
	return fmt.Sprintf("%d MiB", n>>20)
}

// Headline returns the first sentence of the text report on one line, cut at the
// width in columns; 0 does not cut it.
func Headline(r *classify.Result, width int) string {
	p := &page{width: maxText}
	p.report(Run{}, r, TextOptions{})
	line, _, _ := strings.Cut(p.buf.String(), "\n")
	if width > 0 {
		return cut(line, width)
	}
	return line
}

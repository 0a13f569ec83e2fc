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
	p.exposures(r)
	p.closing(run, r, o.Verbose)
	return p.writeTo(w)
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

// nothingFound says that there is no leak, or why that cannot be said, and
// shows what stands in the process. notes says that notes follow.
func (p *page) nothingFound(r *classify.Result, notes, verbose bool) {
	known := noLeak(r)
	if notes {
		known = "nothing proven, see the note"
	}
	switch {
	case r.Verdict == classify.VerdictClean:
		p.verdict("CLEAN", green, looked(r)+": "+known+", and no stack grows")
	case r.Verdict == classify.VerdictUndecided:
		p.verdict("UNDECIDED", yellow, looked(r)+": "+known+"; "+undecided(r))
	case len(r.Targets) == 0:
		p.verdict("INCOMPLETE", yellow, "there was nothing to look at")
	default:
		p.verdict("INCOMPLETE", yellow, missing(r, known))
	}
	p.failures(r, verbose)
	if len(r.Targets) == 1 && r.Targets[0].Samples > 0 && !notes {
		p.blank()
		p.process(&r.Targets[0])
		p.past(&r.Targets[0])
		p.topStacks(&r.Targets[0])
	}
	for i := range r.Targets {
		p.crowd(&r.Targets[i])
	}
	if cmd := decidingCommand(r); cmd != "" {
		p.blank()
		p.deciding(cmd)
	}
}

// noLeak says that nothing was found, and what was not counted.
func noLeak(r *classify.Result) string {
	if n := len(r.Ignored); n > 0 {
		return fmt.Sprintf("no known leak beside %s, see the warnings", plural(n, "ignored finding"))
	}
	return "no known leak"
}

// undecided says why nothing is decided, where all undecided targets have the
// same reason.
func undecided(r *classify.Result) string {
	reasons := map[string]bool{}
	for _, t := range r.Targets {
		if t.Judged == classify.JudgedUndecided && t.Undecided != "" {
			reasons[t.Undecided] = true
		}
	}
	if len(reasons) == 1 {
		for reason := range reasons {
			return reason
		}
	}
	return "growth needs more samples"
}

// crowdMin is the number of goroutines in one stack from which it is told that
// they are most of a process.
const crowdMin = 100

// crowd points at a stack that most goroutines of a process stand in: with one
// sample nothing is known of it but that.
func (p *page) crowd(t *classify.TargetResult) {
	if t.Judged != classify.JudgedUndecided || len(t.Top) == 0 || t.Top[0].Count < crowdMin || 2*t.Top[0].Count < t.Goroutines.Last {
		return
	}
	leaf, position := telling(t.Top[0].Frames)
	p.blank()
	p.paragraph(styled("  look", bold), labelWidth, fmt.Sprintf("%d of %d goroutines of %s stand in one stack: %s %s",
		t.Top[0].Count, t.Goroutines.Last, t.Name, leaf, position), plain)
}

// missing says how many targets gave no sample, and what is known of the
// others.
func missing(r *classify.Result, known string) string {
	n := 0
	for _, t := range r.Targets {
		if t.Judged == classify.JudgedNo {
			n++
		}
	}
	switch {
	case n == len(r.Targets) && n == 1 && r.Targets[0].Samples > 0:
		return fmt.Sprintf("the target gave no new sample; of %d earlier ones: %s", r.Targets[0].Samples, known)
	case n == len(r.Targets) && n == 1:
		return "the target gave no sample"
	case n == len(r.Targets):
		return fmt.Sprintf("none of %d targets gave a sample", n)
	}
	return fmt.Sprintf("%d of %d targets gave no sample; the others: %s", n, len(r.Targets), known)
}

func (p *page) verdict(word string, st style, s string) {
	p.paragraph(styled(word, st), columns(word)+2, s, plain)
}

// deciding writes the command that would decide, whole.
func (p *page) deciding(command string) {
	spans := []span{styled(pad("  next", labelWidth), bold), text("to decide:"), styled(" "+command, bold)}
	if labelWidth+columns("to decide: "+command) <= p.width {
		p.line(spans...)
		return
	}
	p.line(spans[:2]...)
	p.command(command)
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

// looked says what was looked at: "2 queriers, 18 samples each".
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

// decidingCommand is the one command that would decide what is undecided.
func decidingCommand(r *classify.Result) string {
	var urls []string
	undecided := false
	for _, t := range r.Targets {
		if t.Judged != classify.JudgedUndecided {
			continue
		}
		undecided = true
		if t.URL != "" {
			urls = append(urls, classify.ShellQuote(t.URL))
		}
	}
	if !undecided {
		return ""
	}
	if len(urls) == 0 || len(urls) > 5 {
		urls = []string{"http://HOST:10902"}
	}
	return "thanosleak scan " + strings.Join(urls, " ") + " --samples 10 --interval 30s"
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

// topStacks lists the most numerous stacks.
func (p *page) topStacks(t *classify.TargetResult) {
	p.blank()
	p.line(styled("  most goroutines", bold))
	bundles := alike(t.Top, false)
	slices.SortStableFunc(bundles, func(a, b bundle) int { return b.Count - a.Count })
	for _, b := range bundles {
		p.stack("", b.Stack, b.stacks)
	}
}

// Headline returns the first line of the text report, cut at the width in
// columns; 0 does not cut it.
func Headline(r *classify.Result, width int) string {
	var b strings.Builder
	if err := Text(&b, Run{}, r, TextOptions{Width: maxWidth}); err != nil {
		return err.Error()
	}
	line, _, _ := strings.Cut(b.String(), "\n")
	if width > 0 {
		return cut(line, width)
	}
	return line
}

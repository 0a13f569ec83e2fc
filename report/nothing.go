package report

import (
	"fmt"
	"slices"
	"strings"

	"github.com/thanosleak/thanosleak/classify"
)

// nothingFound says that there is no leak, or why that cannot be said, and
// shows what stands in the process. notes says that notes follow.
func (p *page) nothingFound(r *classify.Result, notes, verbose bool) {
	known := noLeak(r)
	switch n := len(shownFindings(r, verbose)); {
	case notes && n == 1:
		known = "nothing proven, see the note"
	case notes:
		known = fmt.Sprintf("nothing proven, see the %d notes", n)
	}
	switch {
	case r.Verdict == classify.VerdictClean:
		p.verdict("CLEAN", green, looked(r)+rise(r)+": "+known+noGrowth(r))
	case r.Verdict == classify.VerdictUndecided:
		p.verdict("UNDECIDED", yellow, looked(r)+rise(r)+": "+known+"; "+undecided(r))
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
	} else if t := risen(r); t != nil && !notes {
		p.topStacks(t)
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
		return fmt.Sprintf("no known leak beside %s, see the warnings", accepted(n))
	}
	return "no known leak"
}

func accepted(n int) string {
	if n == 1 {
		return "one that is accepted"
	}
	return fmt.Sprintf("%d that are accepted", n)
}

// noGrowth says that nothing grows, unless a note says of something that it
// does, or findings are accepted.
func noGrowth(r *classify.Result) string {
	switch {
	case len(growingOn(r)) > 0:
		return "; what rose is told there"
	case len(r.Ignored) > 0:
		return "" // what is accepted may grow
	}
	return ", and no stack grows"
}

// growingOn returns the names of the targets on which something that is told
// grows.
func growingOn(r *classify.Result) map[string]bool {
	names := map[string]bool{}
	for _, f := range shownFindings(r, false) {
		for _, o := range f.Occurrences {
			if o.Growth.Verdict == classify.Growing {
				names[o.Target] = true
			}
		}
	}
	return names
}

// rise says by how much goroutines rose where that is not explained, in all such
// targets together, so that the first line tells it; empty if they did not.
func rise(r *classify.Result) string {
	first, last := 0, 0
	growing := growingOn(r)
	for _, t := range r.Targets {
		if t.Judged == classify.JudgedUndecided || growing[t.Name] {
			first, last = first+t.Goroutines.First, last+t.Goroutines.Last
		}
	}
	if last <= first {
		return ""
	}
	return fmt.Sprintf(", goroutines %d → %d", first, last)
}

// undecided says why nothing is decided: the reason that all undecided targets
// have; of a soak, whose reasons say what to change, the first of several.
func undecided(r *classify.Result) string {
	var reasons []string
	for _, t := range r.Targets {
		if t.Judged == classify.JudgedUndecided && t.Undecided != "" && !slices.Contains(reasons, t.Undecided) {
			reasons = append(reasons, t.Undecided)
		}
	}
	switch {
	case len(reasons) == 1:
		return reasons[0]
	case len(reasons) > 1 && r.Soak != nil:
		return reasons[0] + "; others for other reasons"
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
	if !undecided || r.Soak != nil { // of a soak the reason says what to change
		return ""
	}
	if len(urls) == 0 || len(urls) > 5 {
		urls = []string{"http://HOST:10902"}
	}
	return "thanosleak scan " + strings.Join(urls, " ") + r.Reach + " --samples 10 --interval 30s"
}

// risen returns the undecided target whose goroutines rose most; nil if none
// did.
func risen(r *classify.Result) *classify.TargetResult {
	var most *classify.TargetResult
	by := 0
	for i := range r.Targets {
		t := &r.Targets[i]
		if rose := t.Goroutines.Last - t.Goroutines.First; t.Judged == classify.JudgedUndecided && rose > by {
			most, by = t, rose
		}
	}
	return most
}

// topStacks lists the stacks that rose most, with what they rose by; where
// nothing is undecided or rose, the most numerous.
func (p *page) topStacks(t *classify.TargetResult) {
	top, title := slices.Clone(t.Top), "  most goroutines"
	if t.Judged == classify.JudgedUndecided && t.Samples > 1 && t.Goroutines.Last > t.Goroutines.First {
		top = slices.DeleteFunc(top, func(s classify.Stack) bool { return s.Count <= s.First })
		for i := range top {
			top[i].Count -= top[i].First
		}
		title = fmt.Sprintf("  rose most, from the first sample to the last, on %s", t.Name)
	}
	if len(top) == 0 {
		return
	}
	p.blank()
	p.line(styled(title, bold))
	bundles := alike(top, false)
	slices.SortStableFunc(bundles, func(a, b bundle) int { return b.Count - a.Count })
	for _, b := range bundles {
		p.stack("", b.Stack, b.stacks)
	}
}

package report

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/thanosleak/thanosleak/classify"
)

// pastTargets is the number of targets whose past is shown unless all are asked
// for: those with most goroutines.
const pastTargets = 3

// past shows what the target's monitoring tells of the time before the samples,
// if it does.
func (p *page) past(t *classify.TargetResult) {
	past := t.Past
	if past == nil || len(past.Points) == 0 {
		return
	}
	p.pastChart("  before", "", past, past.WindowText()+" in Prometheus, "+past.RestartsText())
	restarts := "restarts "
	if past.Restarts == 0 {
		restarts = ""
	}
	p.paragraph(text(""), processColumn, past.Rise()+"; "+restarts+past.Rhythm(), plain)
}

// pasts shows the past of the worst of the targets that have the finding: those
// that rise, then those with most goroutines. What is the same of one target
// after the other is said once.
func (p *page) pasts(f *classify.Finding, r *classify.Result, verbose bool) {
	var known []*classify.TargetResult
	for _, o := range f.Occurrences {
		if t := target(r, o.Target); t.Past != nil && len(t.Past.Points) > 0 {
			known = append(known, t)
		}
	}
	if len(known) == 0 {
		return
	}
	level := func(t *classify.TargetResult) int {
		if t.Past.Onset.IsZero() {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(known, func(a, b *classify.TargetResult) int {
		return cmp.Or(level(a)-level(b), b.Past.Max-a.Past.Max)
	})
	p.blank()
	shown := known
	if !verbose {
		shown = known[:min(len(known), pastTargets)]
	}
	label := "  before"
	for i, t := range shown {
		p.pastChart(label, cutMiddle(t.Name, 2*minName)+"  ", t.Past, t.Past.RestartsText())
		label = ""
		if rise := t.Past.Rise(); i == len(shown)-1 || shown[i+1].Past.Rise() != rise {
			p.paragraph(text(""), processColumn, t.Past.WindowText()+" in Prometheus: "+rise, plain)
		}
	}
	p.more(len(known)-len(shown), "target", verbose)
}

// pastChart writes a line with a past's chart between name, which may be empty,
// and note.
func (p *page) pastChart(label, name string, past *classify.PastResult, note string) {
	first, last := past.Points[0].Goroutines, past.Points[len(past.Points)-1].Goroutines
	p.flow(processColumn, text(pad(label, processColumn)), text(name),
		text(fmt.Sprintf("%d %s %d", first, sparkline(pastBars(past.Points)), last)),
		styled("   "+note, dim))
}

// pastBars makes one total of the points of each bar: the largest of the life
// that has most of them. So a bar in which a process was killed does not show
// the height of that one and the beginning of the next, and teeth stay apart.
func pastBars(points []classify.Total) []classify.Total {
	n := min(len(points), sparkWidth)
	bars := make([]classify.Total, 0, n)
	for i := range n {
		part := points[i*len(points)/n : (i+1)*len(points)/n]
		size, best := map[int]int{}, part[0].Life
		for _, t := range part {
			if size[t.Life]++; size[t.Life] > size[best] {
				best = t.Life
			}
		}
		bar := classify.Total{Life: best}
		for _, t := range part {
			if t.Life == best {
				bar.Time, bar.Goroutines = t.Time, max(bar.Goroutines, t.Goroutines)
			}
		}
		bars = append(bars, bar)
	}
	for i, first := len(bars)-1, bars[0].Life; i >= 0; i-- {
		bars[i].Life -= first // a chart begins with life 0
	}
	return bars
}

package report

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/thanosleak/thanosleak/classify"
)

// Heights in a chart in pixels. Widths are parts of the chart's, so that its
// texts stay readable on a telephone.
const (
	chartTop    = 24
	chartBottom = 184
	chartHeight = 208
)

// maxDots is the number of samples up to which each of them is marked and
// tells its numbers.
const maxDots = 40

// htmlSample is what a chart shows of one time: a value for each line, and the
// number of the process life.
type htmlSample struct {
	time   time.Time
	life   int
	values []int
}

// htmlLine is a kind of line: its CSS class, its name, and its first and last
// value, in words.
type htmlLine struct{ Class, Name, Range string }

var (
	occurrenceLines = []htmlLine{{Class: "culprit", Name: "culprits"}, {Class: "victim", Name: "victims"}}
	totalLines      = []htmlLine{{Class: "total", Name: "goroutines"}}
)

// htmlChart is a chart of goroutines over time. X is a part of the width in
// per cent, Y in pixels; the points of polylines are in thousandths.
type htmlChart struct {
	Caption, Label string
	Lines          []htmlLine
	Curves         []htmlCurve
	Dots           []htmlMark
	Grid           []htmlMark
	Times          []htmlMark
	Restarts       []htmlMark
	More           int // restarts that are not drawn
	Onset          *htmlMark
	Note           string
}

type htmlCurve struct{ Class, Points string }

type htmlMark struct {
	X, Y   string
	Class  string
	Text   string
	Anchor string
}

// htmlAxes turns times and counts into places.
type htmlAxes struct {
	first time.Time
	span  time.Duration // 0 if the times are not known
	n     int           // samples
	top   int           // the count at the upper edge
}

// x returns the place of sample i in parts of the width. Samples whose times
// are not known stand side by side in their order.
func (a htmlAxes) x(i int, at time.Time) float64 {
	switch {
	case a.span > 0:
		return min(max(float64(at.Sub(a.first))/float64(a.span), 0), 1)
	case a.n > 1:
		return float64(i) / float64(a.n-1)
	}
	return 0.5
}

func (a htmlAxes) y(count int) float64 {
	return chartBottom - float64(chartBottom-chartTop)*min(max(float64(count)/float64(a.top), 0), 1)
}

// newChart draws samples, which are not empty; more than points of them are
// thinned.
func newChart(label string, lines []htmlLine, samples []htmlSample, onset time.Time, points int) *htmlChart {
	samples = thinned(samples, points)
	first, last := samples[0].time, samples[len(samples)-1].time
	a := htmlAxes{first: first, span: last.Sub(first), n: len(samples), top: 2}
	for _, s := range samples {
		for _, v := range s.values {
			a.top = max(a.top, roundTop(v))
		}
	}
	c := &htmlChart{Label: label}
	for n, l := range lines {
		l.Range = firstToLast(samples[0].values[n], samples[len(samples)-1].values[n])
		c.Lines = append(c.Lines, l)
		c.Label += ", " + l.Name + " " + l.Range
		c.curves(a, l, n, samples)
	}
	for _, count := range []int{0, a.top / 2, a.top} {
		c.Grid = append(c.Grid, htmlMark{Y: number(a.y(count)), Text: roundCount(count)})
	}
	c.restarts(a, samples)
	c.times(a, last)
	if !onset.IsZero() && a.span > 0 && !onset.Before(first) && !onset.After(last) {
		c.onset(a, onset)
	}
	return c
}

// thinned returns at most n samples: of those that share a place the one with
// the highest first value, so that no peak is lost.
func thinned(samples []htmlSample, n int) []htmlSample {
	if len(samples) <= n {
		return samples
	}
	out := make([]htmlSample, 0, n)
	for i := range n {
		part := samples[i*len(samples)/n : (i+1)*len(samples)/n]
		best := part[0]
		for _, s := range part {
			if s.values[0] > best.values[0] {
				best = s
			}
		}
		out = append(out, best)
	}
	return out
}

// roundTop returns an even round number that is not below n.
func roundTop(n int) int {
	for unit := 1; ; unit *= 10 {
		for _, f := range []int{2, 4, 6, 8, 10} {
			if f*unit >= n || unit > 1e15 {
				return f * unit
			}
		}
	}
}

// roundCount writes a round number in the few characters that stand beside a
// chart.
func roundCount(n int) string {
	for _, unit := range []struct {
		size int
		sign string
	}{{1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if n >= 10*unit.size {
			return strconv.Itoa(n/unit.size) + unit.sign
		}
	}
	return strconv.Itoa(n)
}

// firstToLast tells how a number developed.
func firstToLast(first, last int) string {
	if first == last {
		return strconv.Itoa(last)
	}
	return fmt.Sprintf("%d → %d", first, last)
}

func number(f float64) string { return strconv.FormatFloat(f, 'f', 1, 64) }

func percent(part float64) string { return number(100 * part) }

// curves draws line n, broken where a process ended.
func (c *htmlChart) curves(a htmlAxes, l htmlLine, n int, samples []htmlSample) {
	var b strings.Builder
	life := samples[0].life
	for i, s := range samples {
		x, y := a.x(i, s.time), a.y(s.values[n])
		if s.life != life {
			c.Curves = append(c.Curves, htmlCurve{l.Class, b.String()})
			b.Reset()
			life = s.life
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		fmt.Fprintf(&b, "%s,%s", number(1000*x), number(y))
		if len(samples) <= maxDots {
			c.Dots = append(c.Dots, htmlMark{X: percent(x), Y: number(y), Class: l.Class,
				Text: fmt.Sprintf("%d %s%s", s.values[n], l.Name, a.at(s.time))})
		}
	}
	c.Curves = append(c.Curves, htmlCurve{l.Class, b.String()})
}

// at tells a time for people; empty if it is not known.
func (a htmlAxes) at(t time.Time) string {
	if a.span == 0 {
		return ""
	}
	return " at " + utc(t)
}

// maxRestarts is the number of restarts that are drawn: more of them hide the
// curves.
const maxRestarts = 60

func (c *htmlChart) restarts(a htmlAxes, samples []htmlSample) {
	for i, s := range samples {
		switch {
		case i == 0 || s.life == samples[i-1].life:
		case len(c.Restarts) >= maxRestarts:
			c.More++
		default:
			c.Restarts = append(c.Restarts, htmlMark{X: percent(a.x(i, s.time)), Text: "restart: a new process" + a.at(s.time)})
		}
	}
}

// times labels both ends of the time axis.
func (c *htmlChart) times(a htmlAxes, last time.Time) {
	switch {
	case a.span > 0:
		layout := "15:04:05 UTC"
		if a.first.UTC().YearDay() != last.UTC().YearDay() || a.span > 24*time.Hour {
			layout = "2006-01-02 15:04 UTC"
		}
		c.Times = []htmlMark{
			{X: "0", Anchor: "start", Text: a.first.UTC().Format("2006-01-02 15:04:05")},
			{X: "100", Anchor: "end", Text: last.UTC().Format(layout)},
		}
	case a.n > 1:
		c.Times = []htmlMark{{X: "0", Anchor: "start", Text: "first sample"}, {X: "100", Anchor: "end", Text: "last sample"}}
	default:
		c.Times = []htmlMark{{X: "50", Anchor: "middle", Text: utc(last)}}
	}
}

// onset marks since when they rise. Its text stands on the side that has room.
func (c *htmlChart) onset(a htmlAxes, at time.Time) {
	x := a.x(0, at)
	m := htmlMark{X: percent(x), Anchor: "start", Text: "onset " + at.UTC().Format("15:04:05")}
	if a.span > 24*time.Hour {
		m.Text = "onset " + at.UTC().Format("2006-01-02 15:04")
	}
	if x > 0.6 {
		m.Anchor = "end"
	}
	c.Onset = &m
}

// occurrenceChart draws the culprits and victims of one occurrence; nil
// without samples.
func occurrenceChart(label string, o *classify.Occurrence, t *classify.TargetResult, points int) *htmlChart {
	if len(o.Points) == 0 {
		return nil
	}
	lives := map[time.Time]int{}
	for _, total := range t.Totals {
		lives[total.Time.UTC()] = total.Life
	}
	var onset time.Time
	life := 0
	samples := make([]htmlSample, 0, len(o.Points))
	for i, p := range o.Points {
		if n, ok := lives[p.Time.UTC()]; ok {
			life = n
		}
		if onset.IsZero() && p.Culprits > 0 && i > 0 {
			onset = p.Time
		}
		samples = append(samples, htmlSample{p.Time, life, []int{p.Culprits, p.Victims}})
	}
	atFirst := o.Points[0].Culprits > 0
	if atFirst {
		onset = time.Time{}
	}
	if t.Past != nil && !t.Past.Onset.IsZero() {
		onset = t.Past.Onset
	}
	c := newChart(label, occurrenceLines, samples, onset, points)
	if atFirst && c.Onset == nil && len(samples) > 1 {
		c.Note = "The culprits stood there at the first sample already: they came before it."
	}
	return c
}

// pastChartOf draws what monitoring knows of a process; nil if nothing.
func pastChartOf(label string, past *classify.PastResult, points int) *htmlChart {
	if past == nil || len(past.Points) == 0 {
		return nil
	}
	c := newChart(label, totalLines, totalSamples(past.Points), past.Onset, points)
	c.Note = past.WindowText() + " in Prometheus, " + past.RestartsText() + ": " + past.Rise()
	return c
}

// totalsChart draws the goroutines of a process; nil with fewer than two
// samples, of which the number says all.
func totalsChart(label string, totals []classify.Total, points int) *htmlChart {
	if len(totals) < 2 {
		return nil
	}
	return newChart(label, totalLines, totalSamples(totals), time.Time{}, points)
}

// htmlSpark is how the goroutines of a process developed, in the height of a
// line: a number, and where there are several samples, curves and the last
// number.
type htmlSpark struct {
	First, Last string
	Curves      []htmlCurve
}

func sparkOf(t *classify.TargetResult) htmlSpark {
	if t.Samples < 2 || len(t.Totals) < 2 {
		return htmlSpark{First: goroutines(t, true)}
	}
	return htmlSpark{count(t.Goroutines.First), count(t.Goroutines.Last),
		newChart("", totalLines, totalSamples(t.Totals), time.Time{}, 2*sparkWidth).Curves}
}

func totalSamples(totals []classify.Total) []htmlSample {
	samples := make([]htmlSample, len(totals))
	for i, t := range totals {
		samples[i] = htmlSample{t.Time, t.Life, []int{t.Goroutines}}
	}
	return samples
}

// utc is how the page writes a time.
func utc(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

package classify

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"text/tabwriter"
)

// harmlessTable shows what is falsely reported.
func harmlessTable(classes []*classWork) string {
	rows := [][]string{{"harmless", "runs", "months", "likely", "per 100 months [95 %]", "runs hit", "suspect per 100",
		"likely of 1000 scans of 5", "suspect", "likely of 1000 scans of 20", "suspect", "10,000 per 100", "last>first per 100"}}
	sum := &classWork{simClass: &simClass{name: "all"}}
	row := func(c *classWork) {
		o := &c.outcome
		per := 100 / o.months
		r := []string{c.name, fmt.Sprint(o.runs), fmt.Sprintf("%.1f", o.months), fmt.Sprint(o.likely), poissonText(o.likely, per),
			fmt.Sprintf("%d", o.hit), fmt.Sprintf("%.0f", per*float64(o.suspect))}
		for _, s := range o.scans {
			per := 1000 / float64(s.scans)
			r = append(r, poissonText(s.likely, per), fmt.Sprintf("%.1f", per*float64(s.suspect)))
		}
		rows = append(rows, append(r, fmt.Sprintf("%.0f", per*float64(o.leakProf.wrong)), fmt.Sprintf("%.0f", per*float64(o.risen.wrong))))
	}
	for _, c := range classes {
		if !c.leaks() && c.outcome.runs > 0 {
			row(c)
			sum.outcome.add(c.outcome)
		}
	}
	if sum.outcome.runs > 0 {
		row(sum)
	}
	return aligned(rows)
}

// leakTable shows which leaks are found, and when.
func leakTable(classes []*classWork) string {
	rows := [][]string{{"leak", "runs", "in a day", "recall [95 %]", "median h", "in the run", "recall [95 %]",
		"findings when found", "false likely", "10,000 in a day", "last>first in a day"}}
	for _, c := range classes {
		o := &c.outcome
		if !c.leaks() || o.runs == 0 {
			continue
		}
		inDay, inRun := o.found(withinDay), o.found(math.MaxFloat64)
		rows = append(rows, []string{c.name, fmt.Sprint(o.runs), fmt.Sprint(inDay), shareText(inDay, o.runs), hoursText(median(o.hours)),
			fmt.Sprint(inRun), shareText(inRun, o.runs), fmt.Sprintf("%.1f", float64(o.cases)/float64(max(inRun, 1))),
			fmt.Sprint(o.likely), fmt.Sprintf("%.2f", share(o.leakProf.found, o.runs)), fmt.Sprintf("%.2f", share(o.risen.found, o.runs))})
	}
	return aligned(rows)
}

// hoursText is a median time; it is infinite where most leaks are missed.
func hoursText(h float64) string {
	if math.IsInf(h, 1) {
		return "missed"
	}
	return fmt.Sprintf("%.1f", h)
}

// aligned sets rows as a table; empty where there is nothing but a heading.
func aligned(rows [][]string) string {
	if len(rows) < 2 {
		return ""
	}
	var b bytes.Buffer
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	for _, r := range rows {
		fmt.Fprintln(w, strings.Join(r, "\t"))
	}
	w.Flush()
	return b.String()
}

func share(n, of int) float64 { return float64(n) / float64(of) }

// poissonText is a number of events as a rate, with its interval.
func poissonText(n int, per float64) string {
	low, high := garwood(n)
	return fmt.Sprintf("%.1f [%.1f, %.1f]", per*float64(n), per*low, per*high)
}

// shareText is n of so many as a share, with its interval.
func shareText(n, of int) string {
	low, high := clopperPearson(n, of)
	return fmt.Sprintf("%.2f [%.2f, %.2f]", share(n, of), low, high)
}

// garwood returns the exact 95 % interval of the mean of a Poisson distribution
// of which n events were seen. It takes events to be independent; several false
// findings of one process are not quite.
func garwood(n int) (low, high float64) {
	most := float64(n) + 10*math.Sqrt(float64(n)+1) + 10
	if n > 0 {
		low = bisect(0, most, func(mean float64) bool { return 1-poissonCDF(n-1, mean) < 0.025 })
	}
	return low, bisect(0, most, func(mean float64) bool { return poissonCDF(n, mean) > 0.025 })
}

// clopperPearson returns the exact 95 % interval of a share of which n of so
// many were seen.
func clopperPearson(n, of int) (low, high float64) {
	high = 1
	if n > 0 {
		low = bisect(0, 1, func(p float64) bool { return 1-binomialCDF(n-1, of, p) < 0.025 })
	}
	if n < of {
		high = bisect(0, 1, func(p float64) bool { return binomialCDF(n, of, p) > 0.025 })
	}
	return low, high
}

// bisect returns where a condition that holds from low on ceases to hold.
func bisect(low, high float64, holds func(float64) bool) float64 {
	for range 60 {
		if mid := (low + high) / 2; holds(mid) {
			low = mid
		} else {
			high = mid
		}
	}
	return low
}

// poissonCDF is the probability of at most n events of which mean are to be
// expected.
func poissonCDF(n int, mean float64) float64 {
	p := 0.0
	for k := range n + 1 {
		faculty, _ := math.Lgamma(float64(k) + 1)
		p += math.Exp(float64(k)*math.Log(mean) - mean - faculty)
	}
	return p
}

// binomialCDF is the probability of at most n of so many, each with chance p.
func binomialCDF(n, of int, p float64) float64 {
	sum := 0.0
	all, _ := math.Lgamma(float64(of) + 1)
	for k := range n + 1 {
		a, _ := math.Lgamma(float64(k) + 1)
		b, _ := math.Lgamma(float64(of-k) + 1)
		sum += math.Exp(all - a - b + float64(k)*math.Log(p) + float64(of-k)*math.Log1p(-p))
	}
	return sum
}

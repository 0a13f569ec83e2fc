package classify

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/thanosleak/thanosleak/profile"
)

// MinRounds is the least number of rounds of load after which a soak is judged:
// with fewer, what is made once and kept cannot be told from a leak.
const MinRounds = 3

// rests returns the samples of each rest of a soak, by their numbers in the
// life; nil where the newest sample is of no soak. The first rest is that before
// any load; a process that was started during the soak has later ones only.
func (l life) rests() [][]int {
	if l.last().Rest == 0 {
		return nil
	}
	var rests [][]int
	number := 0
	for i := range l.samples {
		n := l.samples[i].Rest
		switch {
		case n == 0 || n < number: // of another soak, or of none
			rests, number = nil, n
			if n == 0 {
				continue
			}
			fallthrough
		case n != number || rests == nil:
			rests, number = append(rests, nil), n
		}
		rests[len(rests)-1] = append(rests[len(rests)-1], i)
	}
	return rests
}

// An ascent is how a count developed from one rest of a soak to the next. Of
// each rest the least count stands for it: what comes and goes is not counted.
type ascent struct {
	floors []int // one for each rest
	// requests is how many were completed in each round; nil if not known.
	requests []int
	// over is the time from the first sample after the first round to the
	// newest: what that round left has stood there for as long.
	over  time.Duration
	trend ascentTrend
	// doubt says what would settle an unsettled trend.
	doubt string
}

// ascentTrend is what an ascent shows.
type ascentTrend int

const (
	flat      ascentTrend = iota // it does not rise, or fell again
	unsettled                    // it rises, and more rounds would tell
	everyTime                    // each round left some, and they stayed
)

// ascentOf looks at a count over the rests of a life. What rises is not settled
// while the requests of the first round may still be running.
func (p *process) ascentOf(l life, rests [][]int, counts []float64) ascent {
	a := ascent{requests: roundRequests(l, rests, p.component)}
	var most []int
	for _, r := range rests {
		a.floors = append(a.floors, int(least(counts, r)))
		highest := counts[r[0]]
		for _, i := range r {
			highest = max(highest, counts[i])
		}
		most = append(most, int(highest))
	}
	a.over = l.last().Time.Sub(l.samples[rests[1][0]].Time)
	a.trend, a.doubt = trendOf(a.floors, most), "more rounds tell whether that goes on"
	d, m := p.deadlineOf(requestHTTP), l.last().Metrics
	if a.trend == everyTime && a.over <= d.after && (m == nil || inFlight(m) > 0) {
		a.trend, a.doubt = unsettled, fmt.Sprintf("what the first round left may still be running (%s): a longer --settle tells", d.text)
	}
	return a
}

// trendOf decides about the floors of a count, and about the most of each rest
// where it is known. With five rounds or more one in five may leave nothing: a
// rare leak does not happen in each, and one that falls a little where others
// come and go is none the less. A count that rises by ever less may be something
// that is made once and fills up, and one whose rests overlap may be that of
// whatever else is going on.
func trendOf(floors, most []int) ascentTrend {
	if len(floors) > 2 && floors[1] < floors[0] { // the first was taken before the process was at rest
		if floors = floors[1:]; most != nil {
			most = most[1:]
		}
	}
	n := len(floors) - 1
	total := floors[n] - floors[0]
	steps, rose, fell, apart := make([]int, n), 0, 0, true
	for i := range steps {
		steps[i] = floors[i+1] - floors[i]
		fell += max(-steps[i], 0)
		if steps[i] > 0 {
			rose++
			apart = apart && (most == nil || floors[i+1] > most[i])
		}
	}
	first, late := floors[1]-floors[0], floors[n]-floors[1] // what is made once has come by the first round
	steady := float64(fell) <= maxBackwards*float64(total)
	switch {
	case total <= 0:
		return flat
	case steady && n >= MinRounds && rose >= n-n/5 && apart && !slowing(steps):
		return everyTime
	case steady && steps[n-1] > 0 && rose > 1, late >= max(suddenRise, first/10):
		return unsettled
	case fell == 0 && first > 0 && 2*late >= first: // it may leave some in two rounds of three
		return unsettled
	}
	return flat
}

// maxBackwards is the share of the whole rise by which a count that rises may
// fall on the way.
const maxBackwards = 0.2

// suddenRise is the number of goroutines from which a rise after the first round
// is not taken for one of the few that are made once.
const suddenRise = 3

// slowing reports whether the later half of the steps is at most half of the
// earlier, or any less where the first step is several times theirs, as it is of a
// pool that fills. The first is left out otherwise, for it has all that is made
// once.
func slowing(steps []int) bool {
	later := steps[1:]
	half := len(later) / 2
	mean := func(s []int) float64 {
		sum := 0
		for _, v := range s {
			sum += v
		}
		return float64(sum) / float64(len(s))
	}
	if half == 0 {
		return false
	}
	before, after := mean(later[:half]), mean(later[half:])
	return 2*after <= before && before-after >= 2 || after < before && float64(steps[0]) >= 3*before
}

// roundRequests returns how many requests the process completed from the
// beginning of one rest, or part of the time, to that of the next. It is nil if
// a page of /metrics is missing.
func roundRequests(l life, parts [][]int, component string) []int {
	n := []int{}
	page := func(part []int) profile.Metrics {
		for _, i := range part {
			if l.samples[i].Metrics != nil {
				return l.samples[i].Metrics
			}
		}
		return nil
	}
	for k := 1; k < len(parts); k++ {
		before, after := page(parts[k-1]), page(parts[k])
		if before == nil || after == nil {
			return nil
		}
		n = append(n, int(work(after, component)-work(before, component)))
	}
	return n
}

// verdict is the ascent as the growth of a case.
func (a ascent) verdict() Trend {
	switch a.trend {
	case everyTime:
		return Growing
	case unsettled:
		return Undecided
	}
	return Steady
}

// evidence says what the rounds left; nothing if they left nothing.
func (a ascent) evidence() []Evidence {
	if a.trend == flat {
		return nil
	}
	n := len(a.floors) - 1
	left := fmt.Sprintf("%s of load left more each time", Count(n, "round"))
	if more := a.roundsThatLeft(); more < n {
		left = fmt.Sprintf("%d of %d rounds of load left more", more, n)
	}
	e := Evidence{Kind: KindRetained, Strength: Strong,
		Text: fmt.Sprintf("at rest %s: %s, and they stayed for the %s that were looked at", arrows(a.floors), left, Span(a.over))}
	if a.trend == unsettled {
		e.Strength = Medium
		e.Text = fmt.Sprintf("at rest %s over %s of load; %s", arrows(a.floors), Count(n, "round"), a.doubt)
	}
	if a.requests != nil {
		e.Text += fmt.Sprintf(" (%s requests)", Counts(a.requests, ", "))
	}
	return []Evidence{e}
}

// roundsThatLeft is the number of rounds after which there were more than before.
func (a ascent) roundsThatLeft() int {
	n := 0
	for i := 1; i < len(a.floors); i++ {
		if a.floors[i] > a.floors[i-1] {
			n++
		}
	}
	return n
}

// arrows writes counts that follow one another: "25 → 25 → 26".
func arrows(counts []int) string { return Counts(counts, " → ") }

// Counts writes numbers with this between them.
func Counts(counts []int, between string) string {
	s := make([]string, len(counts))
	for i, n := range counts {
		s[i] = fmt.Sprint(n)
	}
	return strings.Join(s, between)
}

// series is a count over the samples of a life, which may be those of a soak.
func (p *process) series(l life, counts []float64) series {
	s := series{times: l.times(), counts: counts}
	if rests := l.rests(); len(rests) > 1 {
		a := p.ascentOf(l, rests, counts)
		s.soak = &a
	}
	return s
}

// steepest returns what the first of the series of a soak shows that rises; the
// zero ascent if none does.
func steepest(all ...series) ascent {
	for _, s := range all {
		if s.soak != nil && s.soak.trend != flat {
			return *s.soak
		}
	}
	return ascent{}
}

// soakColumns returns the signatures that stand in more goroutines from rest to
// rest, in the order of movingColumns. Growth over time is not looked at: what
// follows the load has gone, and what is made once has come by the first round.
func (j *judge) soakColumns(p *process, l life, columns map[profile.Signature][]float64, used map[profile.Signature]bool) []column {
	var rising []column
	for sig, counts := range columns {
		s := p.series(l, counts)
		if used[sig] || s.soak.trend == flat {
			continue
		}
		c := column{sig: sig, counts: counts, soak: *s.soak, group: l.last().Goroutines.Group(sig)}
		c.benign = j.Advisories.BenignOf(sig.Functions(), p.component)
		if c.scales() && forever(c) == 0 && p.series(l, c.inAll(columns)).soak.trend == flat {
			continue
		}
		c.growth = Growth{Verdict: c.soak.verdict(), First: int(counts[0]), Last: int(counts[len(counts)-1]), Lives: len(p.lives)}
		rising = append(rising, c)
	}
	slices.SortFunc(rising, columnOrder)
	return rising
}

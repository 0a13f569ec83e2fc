package classify

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/thanosleak/thanosleak/classify/advisory"
	"github.com/thanosleak/thanosleak/profile"
)

// together is the correlation of two counts from which they are taken to move
// together.
const together = 0.85

// minMove is the number of goroutines that a count must have moved by, and that
// must stand there, to be compared with others.
const minMove = 3

// column is the count of one signature over the newest life, and what it shows.
type column struct {
	sig    profile.Signature
	counts []float64
	growth Growth
	group  *profile.Group // in the newest sample
	benign *advisory.Benign

	climb    climb
	kept     retention
	blame    blame
	turnover turnover
	soak     ascent
}

// grows reports whether the count grows and nothing else explains that.
func (c *column) grows() bool {
	return c.growth.Verdict == Growing && c.blame == blameNone && !c.passes()
}

// passes reports whether the goroutines come and go. Few that stay in a stack
// that many pass through may be a leak all the same.
func (c *column) passes() bool {
	return c.turnover.comesAndGoes() && 2*float64(c.turnover.stayed) < thirds(c.counts)
}

// scales reports whether the goroutines are known to be as many as something
// that others decide about: clients, endpoints, tenants.
func (c *column) scales() bool {
	return c.benign != nil && !c.benign.InFlight && c.benign.ScalesWith != advisory.Constant
}

// leads reports whether the column is reason enough for a case of its own.
func (c *column) leads() bool {
	return c.grows() || c.climb.found || c.kept.found || c.soak.trend != flat
}

// movingColumns returns the signatures whose counts move and that still stand
// there, with what they show: those blocked for ever first, then by their last
// count.
func (j *judge) movingColumns(p *process, l life, columns map[profile.Signature][]float64, used map[profile.Signature]bool) []column {
	if len(l.rests()) > 1 {
		return j.soakColumns(p, l, columns, used)
	}
	if len(l.samples) < j.Thresholds.MinSamples {
		return nil
	}
	var moving []column
	last := l.last().Goroutines
	for sig, counts := range columns {
		if !used[sig] && counts[len(counts)-1] >= minMove && slices.Max(counts)-slices.Min(counts) >= minMove {
			moving = append(moving, column{sig: sig, counts: counts, group: last.Group(sig)})
		}
	}
	slices.SortFunc(moving, columnOrder)
	times, work := l.times(), loadOf(l)
	for i := range moving {
		j.look(p, l, &moving[i], columns, times, work)
		if moving[i].growth.Verdict == Growing && moving[i].blame == blameTie {
			p.tied = true
		}
	}
	j.lookRetained(moving, l, times, work)
	return moving
}

// columnOrder puts those that are blocked for ever first, then those with the
// most goroutines.
func columnOrder(a, b column) int {
	return cmp.Or(cmp.Compare(forever(b), forever(a)), cmp.Compare(b.counts[len(b.counts)-1], a.counts[len(a.counts)-1]), cmp.Compare(a.sig, b.sig))
}

// look fills in how the count of a column developed. Most counts do not rise:
// that is seen at once, and spares the tests.
func (j *judge) look(p *process, l life, c *column, columns map[profile.Signature][]float64, times []time.Time, work load) {
	n := len(c.counts)
	c.growth = Growth{Verdict: Steady, First: int(c.counts[0]), Last: int(c.counts[n-1]), Lives: len(p.lives)}
	if !j.Thresholds.rises(c.counts) && forever(*c) == 0 || c.counts[n-1] < j.Thresholds.MinRise {
		return
	}
	c.benign = j.Advisories.BenignOf(c.sig.Functions(), p.component)
	if c.scales() && forever(*c) == 0 && !j.Thresholds.rises(c.inAll(columns)) {
		return
	}
	c.growth.Verdict, c.growth.P = j.Thresholds.trend(series{times: times, counts: c.counts})
	if forever(*c) == 1 {
		if j.onlyRises(c.counts) {
			c.growth.Verdict = Growing // what never leaves needs no look for a plateau
		}
		return
	}
	c.climb = j.Thresholds.sustained(times, c.counts, work)
	if c.growth.Verdict != Growing && !c.climb.found {
		return
	}
	c.turnover = turnoverOf(l, func(g *profile.Group) bool { return g.Signature == c.sig })
	if c.blame = work.blameFor(c.counts); c.blame != blameNone {
		c.climb = climb{}
	}
}

// inAll counts the goroutines of a column with those that began in the same
// function and stand elsewhere: the keep-alive of a connection waits in one place
// while streams are open, and in another while none is.
func (c *column) inAll(columns map[profile.Signature][]float64) []float64 {
	begun := func(sig profile.Signature) string { f := sig.Functions(); return f[len(f)-1] }
	sum := make([]float64, len(c.counts))
	for sig, counts := range columns {
		if begun(sig) == begun(c.sig) {
			for i, n := range counts {
				sum[i] += n
			}
		}
	}
	return sum
}

// lookRetained fills in which columns stayed when the work was over. The
// goroutines of connections stay as well, until the clients close them.
func (j *judge) lookRetained(moving []column, l life, times []time.Time, work load) {
	for i := range moving {
		c := &moving[i]
		if c.growth.P == nil || c.scales() || c.passes() {
			continue
		}
		others := make([]float64, len(l.samples))
		for k := range l.samples {
			others[k] = float64(l.samples[k].Goroutines.Total) - c.counts[k]
		}
		for k := range moving {
			if k != i && correlation(moving[k].counts, c.counts) >= together {
				for n, v := range moving[k].counts {
					others[n] -= v
				}
			}
		}
		c.kept = j.Thresholds.retained(times, c.counts, others, work)
	}
}

// onlyRises reports whether a count rises by enough, and not by chance.
func (j *judge) onlyRises(counts []float64) bool {
	th := j.Thresholds
	return len(counts) >= th.MinSamples && counts[len(counts)-1]-counts[0] >= th.MinRise && mannKendall(counts) < th.MaxP
}

// blockedForever returns how many goroutines of a group no event can free, and
// what they wait for.
func blockedForever(g *profile.Group) (n int, state profile.State) {
	for _, p := range g.Places {
		if p.State.BlockedForever() {
			n += p.Count
			state = p.State
		}
	}
	return n, state
}

// forever is 1 for a column most of whose goroutines are blocked for ever, else
// 0: one select {} among them says nothing of the others.
func forever(c column) int {
	if n, _ := blockedForever(c.group); n > 0 && 2*n >= c.group.Count {
		return 1
	}
	return 0
}

// correlation is Pearson's coefficient of two series of the same length, from
// -1 to 1; 0 where one of them does not change.
func correlation(a, b []float64) float64 {
	cov, va, vb := moments(a, b)
	if va == 0 || vb == 0 {
		return 0
	}
	return cov / math.Sqrt(va*vb)
}

// moments returns the covariance of two series of the same length and their
// variances, each times that length.
func moments(a, b []float64) (cov, va, vb float64) {
	var sa, sb float64
	for i := range a {
		sa += a[i]
		sb += b[i]
	}
	ma, mb := sa/float64(len(a)), sb/float64(len(b))
	for i := range a {
		cov += (a[i] - ma) * (b[i] - mb)
		va += (a[i] - ma) * (a[i] - ma)
		vb += (b[i] - mb) * (b[i] - mb)
	}
	return cov, va, vb
}

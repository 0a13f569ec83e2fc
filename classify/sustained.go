package classify

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// A climb is growth that neither a day's rhythm nor the load explains. It is
// what growth alone needs to be more than a suspicion.
type climb struct {
	found bool
	// rise is goroutines from the first to the last quarter, load taken out.
	rise float64
	// over is the time looked at: of one life, or the longest uptime of
	// several.
	over time.Duration
	// lives is the number of lives in which the count was looked at; 1 for
	// growth within one.
	lives int
	// loadKnown says that the load was looked at.
	loadKnown bool
}

// sustained looks for growth over a whole day within one life. Whatever
// follows the hours of the day stands at the end where it stood at the
// beginning, and has fallen in between: no count that comes back or falls can
// pass. The least of the last third must stand above the most of the first, and
// each quarter above the one before, which a step or a warm-up does not. That
// must hold for the count as it is and with what the load explains taken out.
func (th Thresholds) sustained(times []time.Time, counts []float64, l load) climb {
	n := len(counts)
	if n < th.MinSamples || times[n-1].Sub(times[0]) < th.Day || thirds(counts) < th.MinRise {
		return climb{}
	}
	rest := withoutLoad(counts, l)
	rise, ok := th.quarters(rest, th.QuarterShare, 3)
	_, asItIs := th.quarters(counts, th.QuarterShare, 3)
	if !ok || !asItIs || !th.apart(rest) || fall(counts) > th.MaxFall*rise ||
		mannKendall(rest[n/2:]) >= th.LateP || mannKendall(rest) >= th.SustainedP {
		return climb{}
	}
	return climb{found: true, rise: rise, over: times[n-1].Sub(times[0]), lives: 1, loadKnown: l.known()}
}

// apart reports whether the least of the last third stands clearly above the
// most of the first. Single outliers do not count.
func (th Thresholds) apart(counts []float64) bool {
	third := max(len(counts)/3, 1)
	ceiling, floor := slices.Max(calmed(counts[:third])), slices.Min(calmed(counts[len(counts)-third:]))
	return floor-ceiling >= th.rise(ceiling, floor)
}

// fall is the most that a count falls below where it stood before, but for
// outliers.
func fall(counts []float64) float64 {
	high, most := math.Inf(-1), 0.0
	for i := range counts {
		v := median(counts[max(i-2, 0):min(i+3, len(counts))])
		high = max(high, v)
		most = max(most, high-v)
	}
	return most
}

// rise is the least rise from low to high that matters.
func (th Thresholds) rise(low, high float64) float64 {
	return max(th.MinRise, th.MinRiseShare*low, 3*math.Sqrt(max(low, high, 0)))
}

// quarters returns the rise of the median from the first to the last quarter,
// and whether it matters and each quarter has its share of it. scatter is how
// many times the root of the count a rise must be.
func (th Thresholds) quarters(counts []float64, share, scatter float64) (rise float64, ok bool) {
	var medians [4]float64
	if len(counts) < len(medians) {
		return 0, false
	}
	for q := range medians {
		medians[q] = median(counts[q*len(counts)/4 : (q+1)*len(counts)/4])
	}
	rise = medians[3] - medians[0]
	if rise < max(th.MinRise, th.MinRiseShare*medians[0], scatter*math.Sqrt(max(medians[0], medians[3], 0))) {
		return rise, false
	}
	for q := 1; q < len(medians); q++ {
		// A median of n counts scatters by 1.25/√n of what one does.
		chance := 2.5 * math.Sqrt(max(medians[q], 0)*4/float64(len(counts)))
		if medians[q]-medians[q-1] < max(share*rise, chance) {
			return rise, false
		}
	}
	return rise, true
}

// calmed returns the medians of each three neighbours: single outliers decide
// nothing.
func calmed(values []float64) []float64 {
	c := make([]float64, len(values))
	for i := range values {
		c[i] = median(values[max(i-1, 0):min(i+2, len(values))])
	}
	return c
}

// loadLag is by how many samples counts and loads are compared to learn how the
// one follows the other. Over such a short time a leak moves little.
const loadLag = 4

// withoutLoad takes out of a count what follows the load: its slope over short
// times, in which a leak only adds a constant. Where the count does not follow,
// or the load is not known, it stays as it is.
func withoutLoad(counts []float64, l load) []float64 {
	return loadTakenOut([][]float64{counts}, []load{l})[0]
}

// loadTakenOut is withoutLoad for the counts of several lives, which follow the
// load in one way.
func loadTakenOut(counts [][]float64, loads []load) [][]float64 {
	var dx, dy []float64
	for k, l := range loads {
		for i := loadLag; i < len(l); i++ {
			if x := l[i] - l[i-loadLag]; !math.IsNaN(x) {
				dx = append(dx, x)
				dy = append(dy, counts[k][i]-counts[k][i-loadLag])
			}
		}
	}
	if len(dx) < loadLag || correlation(dx, dy) < 0.3 {
		return counts
	}
	slope := throughLoad(dx, dy)
	rest := make([][]float64, len(counts))
	last := 0.0
	for k, l := range loads {
		rest[k] = slices.Clone(counts[k])
		for i, v := range l {
			if !math.IsNaN(v) {
				last = v
			}
			rest[k][i] -= slope * last
		}
	}
	return rest
}

// overLives looks for growth with uptime that starts anew in each of several
// lives, as that of a process which is killed for its memory again and again.
// The samples of all lives are put in the order of their uptime: a warm-up that
// is over leaves the longer uptimes flat. Two or three lives within a day pass
// through each hour of it about once, so that they must stand the test for a
// single one.
func (th Thresholds) overLives(lives []livedCount) climb {
	var all []upPoint
	for _, lc := range lives {
		all = append(all, lc.points()...)
	}
	if len(lives) < 2 || len(all) < 4*th.MinLives || spanOf(lives) < th.Day {
		return climb{}
	}
	slices.SortStableFunc(all, func(a, b upPoint) int { return cmp.Compare(a.up, b.up) })
	counts, work := make([]float64, len(all)), make(load, len(all))
	for i, p := range all {
		counts[i], work[i] = p.count, p.work
	}
	c := climb{lives: len(lives), over: all[len(all)-1].up}
	if len(lives) < th.MinLives {
		rise, ok := th.quarters(counts, th.QuarterShare, 3)
		c.rise, c.found = rise, ok && looked(lives) >= th.Day-time.Hour && th.apart(counts) && fall(counts) <= th.MaxFall*rise
	} else {
		scatter := 3.0
		if len(lives) >= 4*th.MinLives {
			scatter = 2 // so many lives are as many independent counts
		}
		rise, ok := th.quarters(counts, th.LifeShare, scatter)
		c.rise, c.found = rise, ok && agree(lives) && quarterApart(counts) && th.straight(all) &&
			mannKendall(counts[len(counts)/2:]) < th.LateP
	}
	c.found = c.found && mannKendall(counts) < th.SustainedP && work.blameFor(counts) == blameNone
	c.loadKnown = work.known()
	return c
}

// straight reports whether the last quarter of the points rises by uptime
// about as fast as the first: a warm-up gets slower.
func (th Thresholds) straight(points []upPoint) bool {
	var up, count [4]float64
	for q := range up {
		part := points[q*len(points)/4 : (q+1)*len(points)/4]
		ups, counts := make([]float64, len(part)), make([]float64, len(part))
		for i, p := range part {
			ups[i], counts[i] = p.up.Hours(), p.count
		}
		up[q], count[q] = medianInPlace(ups), medianInPlace(counts)
	}
	first, last := up[1]-up[0], up[3]-up[2]
	return (count[3]-count[2])*first >= th.LateSlope*(count[1]-count[0])*last
}

// quarterApart reports whether three in four of the last quarter stand above
// three in four of the first.
func quarterApart(counts []float64) bool {
	quarter := len(counts) / 4
	first := slices.Sorted(slices.Values(counts[:quarter]))
	last := slices.Sorted(slices.Values(counts[len(counts)-quarter:]))
	return last[quarter/4] > first[quarter-1-quarter/4]
}

// livedCount is the count of one stack over one life.
type livedCount struct {
	started time.Time
	times   []time.Time
	counts  []float64
	work    load
}

// upPoint is a count at an uptime.
type upPoint struct {
	up    time.Duration
	count float64
	work  float64 // load, NaN where it is not known
}

func (lc livedCount) points() []upPoint {
	points := make([]upPoint, len(lc.counts))
	for i, t := range lc.times {
		points[i] = upPoint{t.Sub(lc.started), lc.counts[i], math.NaN()}
		if i < len(lc.work) {
			points[i].work = lc.work[i]
		}
	}
	return points
}

// spanOf is the time from the first sample of the first life to the last of the
// last.
func spanOf(lives []livedCount) time.Duration {
	last := lives[len(lives)-1].times
	return last[len(last)-1].Sub(lives[0].times[0])
}

// lateShare is the part of the rise of one life that lies between its middle
// and its last third; of a straight line it is half.
const lateShare = 0.35

// looked is the time that the samples of all lives span, gaps between the lives
// left out.
func looked(lives []livedCount) time.Duration {
	var sum time.Duration
	for _, lc := range lives {
		sum += lc.times[len(lc.times)-1].Sub(lc.times[0])
	}
	return sum
}

// agree reports whether nearly all lives that are long enough to tell rise, and
// still do in their last third: a daily load rises in some and falls in others,
// and a warm-up ends.
func agree(lives []livedCount) bool {
	told, rise := 0, 0
	for _, lc := range lives {
		third := len(lc.counts) / 3
		if third < 2 {
			continue
		}
		first, last := median(lc.counts[:third]), median(lc.counts[len(lc.counts)-third:])
		middle := median(lc.counts[third : len(lc.counts)-third])
		told++
		if last > first && last-middle >= lateShare*(last-first) {
			rise++
		}
	}
	return 8*rise >= 7*told
}

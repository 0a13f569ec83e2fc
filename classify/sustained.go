package classify

import (
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
}

// sustained looks for growth over a whole day within one life. Whatever
// follows the hours of the day stands at the end where it stood at the
// beginning, so that no count that comes back to its start can pass: the least
// of the last third must stand above the most of the first. Each quarter must
// stand above the one before, which a step or a warm-up does not. What the load
// explains is taken out first.
func (th Thresholds) sustained(times []time.Time, counts []float64, l load) climb {
	n := len(counts)
	if n < th.MinSamples || times[n-1].Sub(times[0]) < th.Day || thirds(counts) < th.MinRise {
		return climb{}
	}
	counts = withoutLoad(counts, l)
	third := n / 3
	ceiling, floor := slices.Max(calmed(counts[:third])), slices.Min(calmed(counts[n-third:]))
	rise, ok := th.quarters(counts)
	if !ok || floor-ceiling < th.rise(ceiling, floor)/2 || mannKendall(counts) >= th.SustainedP {
		return climb{}
	}
	return climb{found: true, rise: rise, over: times[n-1].Sub(times[0]), lives: 1}
}

// rise is the least rise from low to high that matters.
func (th Thresholds) rise(low, high float64) float64 {
	return max(th.MinRise, th.MinRiseShare*low, 3*math.Sqrt(max(low, high, 0)))
}

// quarters returns the rise of the median from the first to the last quarter,
// and whether it matters and each quarter takes its part in it.
func (th Thresholds) quarters(counts []float64) (rise float64, ok bool) {
	var medians [4]float64
	for q := range medians {
		medians[q] = median(counts[q*len(counts)/4 : (q+1)*len(counts)/4])
	}
	rise = medians[3] - medians[0]
	if rise < th.rise(medians[0], medians[3]) {
		return rise, false
	}
	for q := 1; q < len(medians); q++ {
		if medians[q]-medians[q-1] < th.QuarterShare*rise {
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
	if !l.known() {
		return counts
	}
	var dx, dy []float64
	for i := loadLag; i < len(counts); i++ {
		if x := l[i] - l[i-loadLag]; !math.IsNaN(x) {
			dx = append(dx, x)
			dy = append(dy, counts[i]-counts[i-loadLag])
		}
	}
	if len(dx) < loadLag || correlation(dx, dy) < 0.3 {
		return counts
	}
	slope := throughLoad(dx, dy)
	rest := slices.Clone(counts)
	last := 0.0
	for i, v := range l {
		if !math.IsNaN(v) {
			last = v
		}
		rest[i] -= slope * last
	}
	return rest
}

// overLives looks for growth with uptime that starts anew in each of several
// lives, as that of a process which is killed for its memory again and again.
// The samples of all lives are put in the order of their uptime: a warm-up that
// is over leaves the longer uptimes flat.
func (th Thresholds) overLives(lives []livedCount) climb {
	var all []upPoint
	for _, lc := range lives {
		all = append(all, lc.points()...)
	}
	if len(lives) < th.MinLives || len(all) < 4*th.MinLives || spanOf(lives) < th.Day {
		return climb{}
	}
	slices.SortStableFunc(all, func(a, b upPoint) int { return int(math.Copysign(1, float64(a.up-b.up))) })
	counts := make([]float64, len(all))
	for i, p := range all {
		counts[i] = p.count
	}
	rise, ok := th.quarters(counts)
	if !ok || mannKendall(counts) >= th.SustainedP || !agree(lives) {
		return climb{}
	}
	return climb{found: true, rise: rise, over: all[len(all)-1].up, lives: len(lives)}
}

// livedCount is the count of one stack over one life.
type livedCount struct {
	started time.Time
	times   []time.Time
	counts  []float64 // load taken out
}

// upPoint is a count at an uptime.
type upPoint struct {
	up    time.Duration
	count float64
}

func (lc livedCount) points() []upPoint {
	points := make([]upPoint, len(lc.counts))
	for i, t := range lc.times {
		points[i] = upPoint{t.Sub(lc.started), lc.counts[i]}
	}
	return points
}

// spanOf is the time from the first sample of the first life to the last of the
// last.
func spanOf(lives []livedCount) time.Duration {
	last := lives[len(lives)-1].times
	return last[len(last)-1].Sub(lives[0].times[0])
}

// agree reports whether three in four of the lives rise that are long enough to
// tell: a daily load rises in some lives and falls in others.
func agree(lives []livedCount) bool {
	told, rise := 0, 0
	for _, lc := range lives {
		if n := len(lc.counts); n >= 6 {
			told++
			if median(lc.counts[n-n/2:]) > median(lc.counts[:n/2]) {
				rise++
			}
		}
	}
	return 4*rise >= 3*told
}

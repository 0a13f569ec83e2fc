package classify

import (
	"slices"
	"time"
)

// onset returns since when goroutines rise until the end: over lives that rise
// one after the other since the first of them, within one since it left its
// level. The lives are oldest first. What follows the hours of the day, a
// warm-up, or a step to another level is no rise, and neither is one that is too
// short to tell.
func (th Thresholds) onset(lives []pastLife) (time.Time, bool) {
	from := th.firstRising(lives)
	rising := slices.Clone(lives[from:])
	rising[0] = th.left(rising[0])
	if len(rising) >= 2 && (th.overLives(livedOf(rising)).found || th.toothAbove(lives, from)) {
		// The leak may have begun when the process before was old already.
		if from > 0 {
			if tail := th.left(lives[from-1]); len(tail.points) < len(lives[from-1].points) {
				return tail.began(), true
			}
		}
		return rising[0].began(), true
	}
	last := lives[len(lives)-1]
	tail := th.left(last)
	if th.sustained(tail.times(), tail.counts(), nil).found || th.above(lives, len(last.points)-len(tail.points)) {
		return tail.began(), true
	}
	return time.Time{}, false
}

// left returns the part of a life from where its count left its level; all of
// it if it never had one.
func (th Thresholds) left(l pastLife) pastLife {
	if k := th.hinge(l.counts()); k > 0 {
		return pastLife{start: l.points[k].Time, points: l.points[k:]}
	}
	return l
}

// tendency is what a life shows by itself.
type tendency int

const (
	tooShort tendency = iota
	staysLevel
	keepsRising
)

// tendencyOf tells whether a life rises, and still does in its last third: a
// warm-up ends. With a few points, a life can rise but not show that it does
// not.
func (th Thresholds) tendencyOf(l pastLife) tendency {
	counts := l.counts()
	n := len(counts)
	if n < th.MinSamples {
		if first, last := counts[0], counts[n-1]; n > 1 && last-first >= th.rise(first, last) {
			return keepsRising
		}
		return tooShort
	}
	if th.climbs(counts, th.MaxP) {
		return keepsRising
	}
	return staysLevel
}

// climbs reports whether a count rises by as much as matters, still does in its
// last third, and not by chance.
func (th Thresholds) climbs(counts []float64, maxP float64) bool {
	third := len(counts) / 3
	first, last := median(counts[:third]), median(counts[len(counts)-third:])
	middle := median(counts[third : len(counts)-third])
	return last-first >= th.rise(first, last) && last-middle >= lateShare*(last-first) && mannKendall(counts) < maxP
}

// firstRising returns the first of the lives that may rise one after the other
// up to the newest. One in eight may be level: on some days a process has
// nothing to do. Where all are too short to tell by themselves, it is the first
// of those.
func (th Thresholds) firstRising(lives []pastLife) int {
	newest := len(lives) - 1
	rising, short, levels := -1, newest, 0
	for i := newest; i >= 0; i-- {
		switch th.tendencyOf(lives[i]) {
		case staysLevel:
			if i == newest {
				return newest
			}
			levels++
		case keepsRising:
			if 8*levels <= newest-i+1 {
				rising = i
			}
		case tooShort:
			if levels == 0 {
				short = i
			}
		}
	}
	if rising < 0 {
		return short
	}
	return rising
}

// above reports whether the newest life rises from its point k on to twice of
// whatever was seen before, for a day at least: so the hours of the day do not
// explain a rise that is shorter.
func (th Thresholds) above(lives []pastLife, k int) bool {
	last := lives[len(lives)-1]
	counts := last.counts()[k:]
	n := len(counts)
	if n < th.PlateauSamples || !th.climbs(counts, th.SustainedP) {
		return false
	}
	end := median(counts[n-n/3:])
	return fall(counts) <= th.MaxFall*(end-counts[0]) && th.doubled(before(lives, len(lives)-1, k), end)
}

// toothAbove is above for the lives from one on: several of them rise, and half
// of them reach twice of what was seen before.
func (th Thresholds) toothAbove(lives []pastLife, from int) bool {
	var peaks []float64
	rising := 0
	for _, l := range lives[from:] {
		peaks = append(peaks, slices.Max(l.counts()))
		if th.tendencyOf(l) == keepsRising {
			rising++
		}
	}
	return rising >= th.MinLives && th.doubled(before(lives, from, 0), median(peaks))
}

// before returns the points before point k of a life.
func before(lives []pastLife, life, k int) pastLife {
	var all pastLife
	for _, l := range lives[:life] {
		all.points = append(all.points, l.points...)
	}
	all.points = append(all.points, lives[life].points[:k]...)
	return all
}

// doubled reports whether a count is twice of what was seen before, over a day
// or longer.
func (th Thresholds) doubled(past pastLife, count float64) bool {
	n := len(past.points)
	return n >= th.MinSamples && past.points[n-1].Time.Sub(past.points[0].Time) >= th.Day &&
		count >= 2*slices.Max(calmed(past.counts()))+th.MinRise
}

// hingeGain is the part of the errors of a straight line that a line with a
// hinge may leave: a line that bends a little is no reason to see a hinge.
const hingeGain = 0.5

// hinge returns the index from which a count rises that was level before; 0 if
// it has no such place. It fits a level and a straight line that leaves it,
// with the least squares, for each place.
func (th Thresholds) hinge(counts []float64) int {
	counts = calmed(counts)
	n := len(counts)
	if n < 2*th.MinSamples || slices.Max(counts)-slices.Min(counts) < th.MinRise {
		return 0 // most do not rise, and trying all places takes time
	}
	straight := hingeError(counts, 0)
	best, least := 0, hingeGain*straight
	for k := th.MinSamples; k <= n-th.MinSamples; k++ {
		if e := hingeError(counts, k); e < least {
			best, least = k, e
		}
	}
	if best == 0 || !th.climbs(counts[best:], th.MaxP) || slices.Max(counts[best:])-slices.Max(counts[:best]) < th.MinRise {
		return 0
	}
	return best
}

// hingeError returns the sum of the squared errors of the best line that is
// level up to index k and straight from there.
func hingeError(counts []float64, k int) float64 {
	ramp := make([]float64, len(counts))
	for i := k + 1; i < len(counts); i++ {
		ramp[i] = float64(i - k)
	}
	cov, vr, vc := moments(ramp, counts)
	if vr == 0 {
		return vc
	}
	if cov <= 0 {
		return vc // it falls: a level is the better line
	}
	return vc - cov*cov/vr
}

// counts returns the goroutines of the points.
func (l pastLife) counts() []float64 {
	counts := make([]float64, len(l.points))
	for i, p := range l.points {
		counts[i] = float64(p.Goroutines)
	}
	return counts
}

// times returns the times of the points.
func (l pastLife) times() []time.Time {
	times := make([]time.Time, len(l.points))
	for i, p := range l.points {
		times[i] = p.Time
	}
	return times
}

// livedOf brings lives into the form in which the samples' lives are looked at.
func livedOf(lives []pastLife) []livedCount {
	var lived []livedCount
	for _, l := range lives {
		lived = append(lived, livedCount{started: l.began(), times: l.times(), counts: l.counts()})
	}
	return lived
}

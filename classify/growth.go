package classify

import (
	"slices"
	"time"
)

// Thresholds are the numbers that growth is decided by. They were chosen on
// simulated processes; what they make of others is in the documentation of the
// package. Growth that only the first of them find is no more than a suspicion;
// from Day on they are those of growth that stands by itself.
type Thresholds struct {
	// MinSamples is the number of samples below which nothing is said about
	// growth: with 5, even a series that always rises has p = 1/120.
	MinSamples int
	// MinSpan is the time that samples must span before growth is ruled out:
	// a leak of one goroutine a minute does not show in seconds.
	MinSpan time.Duration
	// MaxP is the largest p-value of the one-sided Mann–Kendall test at which
	// a series grows, in (0, 1).
	MaxP float64
	// MinRise is the smallest rise in goroutines, of the median from the
	// first to the last third and of the minimum of the thirds, at which a
	// series grows.
	MinRise float64
	// MinRiseShare is the same as a share of the value in the first third.
	MinRiseShare float64
	// PlateauP is the p-value of the second half above which it is flat, in
	// (0, 1). It is asked of PlateauSamples samples or more: with fewer, one
	// dip or tie makes a steep rise look like chance.
	PlateauP       float64
	PlateauSamples int
	// PlateauSlope is the share of the slope of the first half or of the
	// whole below which the second half is flat.
	PlateauSlope float64
	// PlateauRise and PlateauRiseShare are the rise in the second half, in
	// goroutines and as a share of the whole rise, below which it is flat.
	PlateauRise, PlateauRiseShare float64

	// MaxDip is the part of the rise by which a series that grows may fall on
	// the way; MinRise is always allowed.
	MaxDip float64

	// Day is the time that growth must span to be more than a suspicion by
	// itself: a little less than a day, after which whatever follows the
	// hours of the day has come back.
	Day time.Duration
	// QuarterShare is the part of the rise over a day that each quarter of it
	// must have; LifeShare is the same of a rise over uptime, which ends where
	// a warm-up does.
	QuarterShare, LifeShare float64
	// MaxFall is the part of the rise over a day by which the count may fall
	// on the way: whatever follows requests falls at night.
	MaxFall float64
	// SustainedP is MaxP for growth over a day or over several lives, which
	// some 80 stacks of a process are looked at for at every run.
	SustainedP float64
	// LateP is the same for the second half of a day, or the longer half of
	// the uptimes of several lives; LateSlope the part of their first slope
	// that these must still rise with.
	LateP, LateSlope float64
	// MinLives is the number of lives from which they are looked at
	// together, whatever their hours of the day.
	MinLives int
}

// DefaultThresholds returns the thresholds that Judge uses unless told others.
func DefaultThresholds() Thresholds {
	return Thresholds{
		MinSamples: 6, MinSpan: 10 * time.Second, MaxP: 0.005, MinRise: 8, MinRiseShare: 0.25,
		PlateauP: 0.05, PlateauSamples: 8, PlateauSlope: 0.2, PlateauRise: 5, PlateauRiseShare: 0.1,
		MaxDip: 0.5, Day: 23 * time.Hour, QuarterShare: 0.05, LifeShare: 0.2, MaxFall: 0.2, SustainedP: 1e-4, LateP: 1e-3, LateSlope: 0.4, MinLives: 4,
	}
}

// Trend is the verdict on a series.
type Trend string

// The trends.
const (
	Growing   Trend = "growing"
	Steady    Trend = "steady"
	Shrinking Trend = "shrinking"
	Undecided Trend = "undecided" // too few samples
)

// Growth is how a count developed over the samples.
type Growth struct {
	Verdict Trend `json:"verdict"`
	First   int   `json:"first"`
	Last    int   `json:"last"`
	// PerHour is the Theil–Sen slope of the newest life in goroutines per
	// hour; nil with fewer than two samples or where times are not known.
	PerHour *float64 `json:"per_hour"`
	// P is the one-sided p-value of the Mann–Kendall test for growth; nil
	// with too few samples.
	P *float64 `json:"p"`
	// Lives is the number of process lives looked at.
	Lives int `json:"lives"`
}

// series is a count over time within one process life.
type series struct {
	times  []time.Time
	counts []float64
	// soak is what the count shows from rest to rest; nil if the samples are
	// of no soak.
	soak *ascent
}

// hours returns the times in hours since the first.
func (s series) hours() []float64 {
	h := make([]float64, len(s.times))
	for i, t := range s.times {
		h[i] = t.Sub(s.times[0]).Hours()
	}
	return h
}

// perHour is the slope of the series; nil where the times are not known:
// such samples stand a moment apart, in their order.
func (s series) perHour() *float64 {
	if s.times[len(s.times)-1].Sub(s.times[0]) < time.Second {
		return nil
	}
	slope := theilSen(s.hours(), s.counts)
	return &slope
}

// maxPoints bounds the samples that a trend is computed from: a week of one
// every 15 minutes has 672. The time that the tests take rises by the square.
const maxPoints = 700

// thinned returns a series of at most maxPoints points, evenly chosen, with the
// newest among them.
func (s series) thinned() series {
	n := len(s.counts)
	step := (n + maxPoints - 1) / maxPoints
	if step <= 1 {
		return s
	}
	var thin series
	for i := (n - 1) % step; i < n; i += step {
		thin.times = append(thin.times, s.times[i])
		thin.counts = append(thin.counts, s.counts[i])
	}
	return thin
}

// trend decides whether the series grows. The costly tests come last: most
// series do not rise by enough.
func (th Thresholds) trend(s series) (Trend, *float64) {
	if s.soak != nil {
		return s.soak.verdict(), nil
	}
	if len(s.counts) < th.MinSamples {
		return Undecided, nil
	}
	s = s.thinned()
	p := mannKendall(s.counts)
	switch {
	case p < th.MaxP && th.rises(s.counts) && fall(s.counts) <= max(th.MinRise, th.MaxDip*(s.counts[len(s.counts)-1]-s.counts[0])) && th.keepsRising(s):
		return Growing, &p
	case mannKendall(negated(s.counts)) < th.MaxP:
		return Shrinking, &p
	}
	return Steady, &p
}

// keepsRising reports whether the series rises as a whole, and still does in
// its second half.
func (th Thresholds) keepsRising(s series) bool {
	hours := s.hours()
	slope := theilSen(hours, s.counts)
	return slope > 0 && !th.plateau(hours, s.counts, slope)
}

// rises reports whether the rise is large enough to matter: of the typical
// count, and of the floor that a count never goes below.
func (th Thresholds) rises(counts []float64) bool {
	third := max(len(counts)/3, 1)
	first, last := counts[:third], counts[len(counts)-third:]
	low, high := median(first), median(last)
	floor := max(th.MinRise, th.MinRiseShare*slices.Min(first))
	return high-low >= th.rise(low, high) && slices.Min(last)-slices.Min(first) >= floor
}

// plateau reports whether the second half of the series is flat: a warm-up or
// a load that has settled. overall is the slope of the whole.
func (th Thresholds) plateau(hours, counts []float64, overall float64) bool {
	// With fewer than 4 samples no series is ever seen to rise (p ≥ 1/6).
	half := max(min(len(counts)/2, len(counts)-4), 0)
	lateHours, late := hours[half:], counts[half:]
	if len(late) >= th.PlateauSamples && mannKendall(late) > th.PlateauP {
		return true
	}
	slope := theilSen(lateHours, late)
	reference := max(theilSen(hours[:half], counts[:half]), overall)
	rise := late[len(late)-1] - late[0]
	return slope < th.PlateauSlope*reference ||
		rise < max(th.PlateauRise, th.PlateauRiseShare*(counts[len(counts)-1]-counts[0]))
}

func negated(values []float64) []float64 {
	n := make([]float64, len(values))
	for i, v := range values {
		n[i] = -v
	}
	return n
}

// median returns the median of values, which must not be empty.
func median(values []float64) float64 { return medianInPlace(slices.Clone(values)) }

// medianInPlace is median for values whose order does not matter any more.
func medianInPlace(values []float64) float64 {
	half := len(values) / 2
	high := nth(values, half)
	if len(values)%2 == 1 {
		return high
	}
	return (slices.Max(values[:half]) + high) / 2
}

// nth brings the n-th smallest of values, from 0, to its place, all that are
// not larger before it, and returns it: what sorting does for all (quickselect).
func nth(values []float64, n int) float64 {
	for low, high := 0, len(values)-1; low < high; {
		pivot := values[(low+high)/2]
		i, j := low, high
		for i <= j {
			for values[i] < pivot {
				i++
			}
			for values[j] > pivot {
				j--
			}
			if i <= j {
				values[i], values[j] = values[j], values[i]
				i++
				j--
			}
		}
		switch {
		case n <= j:
			high = j
		case n >= i:
			low = i
		default:
			return values[n]
		}
	}
	return values[n]
}

// theilSen returns the median of the slopes between all pairs of points: a
// trend that single outliers do not move. Pairs without time between them are
// left out; without any pair the slope is 0. Long series are thinned to fewer
// than 600 points, which moves the median by less than its own noise.
func theilSen(x, y []float64) float64 {
	step := max(1, len(x)/300)
	n := (len(x) + step - 1) / step
	slopes := make([]float64, 0, n*(n-1)/2)
	for i := 0; i < len(x); i += step {
		for j := i + step; j < len(x); j += step {
			if dx := x[j] - x[i]; dx > 0 {
				slopes = append(slopes, (y[j]-y[i])/dx)
			}
		}
	}
	if len(slopes) == 0 {
		return 0
	}
	return medianInPlace(slopes)
}

package classify

import (
	"math"
	"slices"
	"time"
)

// retention is a count that stayed though the work that made it is over.
type retention struct {
	found bool
	count int           // goroutines that stayed
	over  time.Duration // time that it has been quiet
	// byLoad says that the rate of requests fell; else only the rest of the
	// process came to rest, or (resting) the count never falls.
	byLoad, resting bool
}

// What a count must keep to be retained.
const (
	keptShare = 0.9 // of its largest count
	keptRange = 0.4 // of its range, by which the floor must have risen
)

// retained looks whether the count rose and stayed when the load went. Where
// no metrics tell the load, the rest of the goroutines do: they rise with
// requests and fall with them. A count that has never fallen at all is told
// too where nothing tells the load.
func (th Thresholds) retained(times []time.Time, counts, others []float64, l load) retention {
	n := len(counts)
	if n < th.MinSamples {
		return retention{}
	}
	if l.known() {
		from, ok := l.quiet(times)
		return th.kept(times, counts, from, ok, retention{byLoad: true})
	}
	from, ok := cameToRest(others)
	if r := th.kept(times, counts, from, ok, retention{}); r.found {
		return r
	}
	ratchet := mannKendall(counts) < th.MaxP && fallsLittle(counts)
	return th.kept(times, counts, n-n/3, ratchet, retention{resting: true})
}

// kept completes the retention if the count stands from a sample on where it
// stood at its most, and stood lower before.
func (th Thresholds) kept(times []time.Time, counts []float64, from int, quiet bool, r retention) retention {
	if !quiet || from < 2 || len(counts)-from < quietSamples {
		return retention{}
	}
	most, least := slices.Max(counts), slices.Min(counts)
	floor := slices.Min(counts[from:])
	before := median(counts[:max(from/3, 1)])
	if floor < keptShare*most || floor-before < max(th.MinRise, th.MinRiseShare*before, keptRange*(most-least)) {
		return retention{}
	}
	r.found, r.count = true, int(counts[len(counts)-1])
	r.over = times[len(times)-1].Sub(times[from])
	return r
}

// cameToRest returns from which sample on all other goroutines stand near the
// least that there were, after they had been clearly more.
func cameToRest(others []float64) (from int, ok bool) {
	least, most := slices.Min(others), slices.Max(others)
	if most-least < max(restRise, 3*math.Sqrt(least)/2) {
		return 0, false
	}
	from = len(others)
	for from > 0 && others[from-1] <= least+quietShare*(most-least) {
		from--
	}
	return from, len(others)-from >= quietSamples && from > 0
}

// restRise is by how many goroutines the rest of a process must have moved to
// tell that there was load.
const restRise = 6

// fallsLittle reports whether the count never fell by more than a tenth of its
// largest.
func fallsLittle(counts []float64) bool {
	high := counts[0]
	for _, v := range counts {
		if v < high-0.1*slices.Max(counts) {
			return false
		}
		high = max(high, v)
	}
	return true
}

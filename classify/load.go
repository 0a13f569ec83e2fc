package classify

import (
	"math"
	"strings"
	"time"

	"github.com/thanosleak/thanosleak/profile"
)

// load is how much a process had to do, sample by sample: requests completed a
// second. Requests in flight are no witness against a leak, as stuck requests
// are in flight themselves.
type load []float64 // NaN where it is not known; nil if it is nowhere known

// known reports whether enough is known of the load to judge by it.
func (l load) known() bool {
	n := 0
	for _, v := range l {
		if !math.IsNaN(v) {
			n++
		}
	}
	return n > 0 && 5*n >= 4*len(l)
}

// idle are HTTP handlers and gRPC methods that work for nobody: those that this
// tool asks, health checks, and what queriers ask each endpoint every few
// seconds.
func idle(name string) bool {
	switch name {
	case "Info", "Check", "Watch", "stores":
		return true
	}
	return strings.HasPrefix(name, "status_")
}

// sumWork sums a family up over the handlers or methods that work for somebody.
func sumWork(m profile.Metrics, family, label string) float64 {
	sum := 0.0
	for _, v := range m[family] {
		if !idle(v.Labels[label]) {
			sum += v.Value
		}
	}
	return sum
}

// completed is the number of requests of all kinds that the process has ever
// completed. A family that the page does not show yet is 0.
func completed(m profile.Metrics) float64 {
	return ended(m, requestHTTP) + ended(m, requestGRPC)
}

// loadOf returns the load over the samples of one life: of each the rate since
// the sample before, of the first that of the second.
func loadOf(l life) load {
	rates := make(load, len(l.samples))
	for i := range rates {
		rates[i] = math.NaN()
		if i == 0 {
			continue
		}
		before, now := l.samples[i-1], l.samples[i]
		if d := now.Time.Sub(before.Time); d > 0 && before.Metrics != nil && now.Metrics != nil {
			rates[i] = max(completed(now.Metrics)-completed(before.Metrics), 0) / d.Seconds()
		}
	}
	if len(rates) > 1 {
		rates[0] = rates[1]
	}
	return rates
}

// smooth returns the means of each three neighbours that are known: requests
// that are counted when they end stood there in the sample before.
func (l load) smooth() load {
	s := make(load, len(l))
	for i := range l {
		sum, n := 0.0, 0
		for _, v := range l[max(i-1, 0):min(i+2, len(l))] {
			if !math.IsNaN(v) {
				sum += v
				n++
			}
		}
		s[i] = sum / float64(n) // NaN where nothing is known
	}
	return s
}

// blame is what load has to do with a count that grows.
type blame int

const (
	blameNone    blame = iota // load does not explain it, or is not known
	blameTie                  // load rose as well: the two cannot be told apart yet
	blameExplain              // the count follows the load, also where it falls
)

// blameFor tells whether the load explains the growth of a count: it must
// itself rise, and the count must follow it. It is proven only where the load
// fell and the count fell with it.
func (l load) blameFor(counts []float64) blame {
	if !l.known() || len(l) != len(counts) {
		return blameNone
	}
	rate, y := known(l.smooth(), counts)
	slope := throughLoad(rate, y)
	if slope <= 0 || correlation(rate, y) < loadFollowed {
		return blameNone
	}
	rest := make([]float64, len(y))
	for i := range y {
		rest[i] = y[i] - slope*rate[i]
	}
	if thirds(rest) >= 0.5*thirds(y) {
		return blameNone
	}
	if fallsWith(rate, y) {
		return blameExplain
	}
	return blameTie
}

// loadFollowed is the correlation from which a count is taken to follow the
// load.
const loadFollowed = 0.75

// known returns the loads that are known, with their counts.
func known(l load, counts []float64) (rate, y []float64) {
	for i, v := range l {
		if !math.IsNaN(v) {
			rate = append(rate, v)
			y = append(y, counts[i])
		}
	}
	return rate, y
}

// throughLoad is the least-squares slope of the counts over the load.
func throughLoad(rate, y []float64) float64 {
	cov, loads, _ := moments(rate, y)
	if loads == 0 {
		return 0
	}
	return cov / loads
}

// thirds is the rise of the median from the first to the last third.
func thirds(y []float64) float64 {
	third := max(len(y)/3, 1)
	return median(y[len(y)-third:]) - median(y[:third])
}

// fallsWith reports whether the load fell by a good part of its range after its
// peak, and the count with it.
func fallsWith(rate, y []float64) bool {
	peak, most := 0, 0
	for i := range rate {
		if rate[i] > rate[peak] {
			peak = i
		}
		if y[i] > y[most] {
			most = i
		}
	}
	fell := func(v []float64, from int) bool {
		low, high := v[0], v[from]
		for _, x := range v {
			low = min(low, x)
		}
		return high-v[len(v)-1] >= 0.3*(high-low)
	}
	return fell(rate, peak) && fell(y, most)
}

// quiet returns from which sample on the load has been a small part of what it
// was before; ok is false if it has not fallen or was never worth the name.
func (l load) quiet(times []time.Time) (from int, ok bool) {
	if !l.known() || len(l) < 3 {
		return 0, false
	}
	peak, total := 0.0, 0.0
	for i, v := range l {
		if !math.IsNaN(v) {
			peak = max(peak, v)
			if i > 0 {
				total += v * times[i].Sub(times[i-1]).Seconds()
			}
		}
	}
	from = len(l)
	for from > 1 && l[from-1] <= quietShare*peak { // not where it is unknown
		from--
	}
	return from, total >= quietRequests && len(l)-from >= quietSamples
}

// What counts as quiet: at most this share of the peak rate, over so many
// samples, after at least so many requests.
const (
	quietShare    = 0.2
	quietSamples  = 2
	quietRequests = 20
)

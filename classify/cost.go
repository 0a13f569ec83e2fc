package classify

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/thanosleak/thanosleak/profile"
)

// A cost is the memory that a leak takes, told by how the memory of the process
// moved with the number of culprits. It is an estimate throughout.
type cost struct {
	// perLeak is the bytes that come with each culprit: stacks, its victims'
	// too, and the heap where it moves with the culprits. stackPerLeak is
	// the part that is stacks.
	perLeak, stackPerLeak int64
	// retained is the bytes that the culprits of the newest sample hold.
	retained int64
	// limit is the bytes that the process may have; 0 if there is no limit
	// or none is known.
	limit int64
	// until is how many more culprits fit below the limit; nil if unknown.
	until *int64
	// time is how long that takes at the present rate; nil if unknown or
	// longer than anybody can tell.
	time *time.Duration
}

// The families that the memory is read from. Resident memory tells less: it
// keeps what the heap once needed.
const (
	stackInUse = "go_memstats_stack_inuse_bytes"
	heapInUse  = "go_memstats_heap_inuse_bytes"
	memLimit   = "go_gc_gomemlimit_bytes"
)

// What is asked of the samples before memory is put down to the culprits.
const (
	costSamples     = 6   // with the metric
	costRange       = 10  // by which the culprits must have moved
	costCorrelation = 0.8 // of bytes with culprits
	// bytesEndless is a number of bytes that is no limit: the runtime says
	// math.MaxInt64 where none is set.
	bytesEndless = 1 << 60
	// bytesAbsurd is more than any goroutine holds.
	bytesAbsurd = 1 << 36
	// maxForecast is beyond what any rate is good for.
	maxForecast = 365 * 24 * time.Hour
)

// costOf returns the cost by the samples of one life and the culprits in each;
// nil where the data do not support one. perHour is the present rate of
// culprits, nil if unknown; memoryLimit the limit of the process in bytes, 0 to
// take the one that the runtime tells.
func costOf(samples []profile.Sample, culprits []float64, perHour *float64, memoryLimit int64) *cost {
	stack := bytesPerCulprit(samples, culprits, stackInUse)
	if stack == 0 {
		return nil
	}
	c := &cost{stackPerLeak: stack, perLeak: stack + bytesPerCulprit(samples, culprits, heapInUse)}
	c.retained = c.perLeak * int64(culprits[len(culprits)-1])
	c.limit = limitOf(samples, memoryLimit)
	c.forecast(peakInUse(samples), perHour)
	return c
}

// bytesPerCulprit returns by how much a metric rises with each culprit; 0 if it
// does not, or if the samples do not show that it does.
func bytesPerCulprit(samples []profile.Sample, culprits []float64, family string) int64 {
	type point struct{ culprits, bytes float64 }
	var points []point
	for i, s := range samples {
		if s.Metrics.Has(family) {
			points = append(points, point{culprits[i], s.Metrics.Sum(family)})
		}
	}
	// By culprits and not by time: theilSen leaves out pairs that go back.
	slices.SortStableFunc(points, func(a, b point) int { return cmp.Compare(a.culprits, b.culprits) })
	x, y := make([]float64, len(points)), make([]float64, len(points))
	for i, p := range points {
		x[i], y[i] = p.culprits, p.bytes
	}
	if len(x) < costSamples || x[len(x)-1]-x[0] < costRange || correlation(x, y) < costCorrelation {
		return 0
	}
	if slope := theilSen(x, y); slope >= 1 && slope < bytesAbsurd {
		return int64(slope)
	}
	return 0
}

// limitOf returns the limit in bytes: the one given, else the newest that the
// runtime tells; 0 for none.
func limitOf(samples []profile.Sample, given int64) int64 {
	if given > 0 {
		return given
	}
	for _, s := range slices.Backward(samples) {
		if !s.Metrics.Has(memLimit) {
			continue
		}
		if v := s.Metrics.Sum(memLimit); v >= 1 && v < bytesEndless {
			return int64(v)
		}
		return 0
	}
	return 0
}

// peakInUse returns the most bytes of heap and stacks in a sample of the newest
// third; 0 if unknown. Garbage and requests come and go, and the peaks are what
// meets a limit.
func peakInUse(samples []profile.Sample) int64 {
	peak := 0.0
	for _, s := range samples[len(samples)-max(len(samples)/3, 1):] {
		if s.Metrics.Has(stackInUse) && s.Metrics.Has(heapInUse) {
			peak = max(peak, s.Metrics.Sum(stackInUse)+s.Metrics.Sum(heapInUse))
		}
	}
	if peak >= 1 && peak < bytesEndless {
		return int64(peak)
	}
	return 0
}

// forecast fills in how many culprits fit below the limit, and how long that
// takes.
func (c *cost) forecast(inUse int64, perHour *float64) {
	if c.limit == 0 || inUse == 0 {
		return
	}
	n := max(c.limit-inUse, 0) / c.perLeak
	c.until = &n
	if perHour == nil || *perHour <= 0 || n == 0 {
		return
	}
	if hours := float64(n) / *perHour; hours <= maxForecast.Hours() {
		d := time.Duration(hours * float64(time.Hour))
		c.time = &d
	}
}

// text says it for people; empty for no cost.
func (c *cost) text() string {
	if c == nil {
		return ""
	}
	// The heap holds garbage too, so that what rose with them is a bound.
	about, of := "about", "stacks alone"
	if c.perLeak > c.stackPerLeak {
		about, of = "up to", byteSize(c.stackPerLeak)+" of it stacks, the rest heap that rose with them"
	}
	s := fmt.Sprintf("each holds %s %s (%s), %s in all now", about, byteSize(c.perLeak), of, byteSize(c.retained))
	switch {
	case c.until == nil:
		return s
	case *c.until == 0:
		return s + fmt.Sprintf("; the limit of %s is reached", byteSize(c.limit))
	}
	more, in := "about", "in"
	if c.perLeak > c.stackPerLeak {
		more, in = "at least", "no sooner than in"
	}
	s += fmt.Sprintf("; %s %d more", more, twoDigits(*c.until))
	if c.time != nil {
		s += fmt.Sprintf(", %s %s at this rate,", in, shortSpan(max(c.time.Round(time.Minute), time.Minute)))
	}
	return s + " until the limit of " + byteSize(c.limit)
}

// twoDigits rounds a whole number down to two digits: an estimate has no more.
func twoDigits(n int64) int64 {
	unit := int64(1)
	for n/unit >= 100 {
		unit *= 10
	}
	return n / unit * unit
}

// byteSize returns a number of bytes for people: "38 KiB", "5.4 MiB".
func byteSize(n int64) string {
	if n < 1<<10 {
		return fmt.Sprintf("%d B", n)
	}
	v, unit := float64(n), 0
	// What would be rounded to 1024 belongs to the next unit.
	for ; math.Round(v) >= 1<<10 && unit < 4; unit++ {
		v /= 1 << 10
	}
	digits := 0
	if v < 9.95 {
		digits = 1
	}
	return fmt.Sprintf("%.*f %s", digits, v, []string{"B", "KiB", "MiB", "GiB", "TiB"}[unit])
}

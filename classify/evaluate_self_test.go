package classify

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/thanosleak/thanosleak/profile"
)

// TestIntervals compares the exact intervals with those of published tables.
func TestIntervals(t *testing.T) {
	for _, tt := range []struct {
		n, of     int
		low, high float64
	}{
		{0, 0, 0, 3.689}, {1, 0, 0.0253, 5.572}, {10, 0, 4.795, 18.390}, {100, 0, 81.36, 121.63}, {1000, 0, 938.97, 1063.95},
		{0, 10, 0, 0.3085}, {5, 10, 0.1871, 0.8129}, {10, 10, 0.6915, 1}, {95, 100, 0.8872, 0.9836}, {0, 1, 0, 0.975},
	} {
		name, f := "garwood", func() (float64, float64) { return garwood(tt.n) }
		if tt.of > 0 {
			name, f = "clopperPearson", func() (float64, float64) { return clopperPearson(tt.n, tt.of) }
		}
		low, high := f()
		if math.Abs(low-tt.low) > 0.0005*max(1, tt.low) || math.Abs(high-tt.high) > 0.0005*max(1, tt.high) {
			t.Errorf("%s of %d, %d: %.4f to %.4f, want %.4f to %.4f", name, tt.n, tt.of, low, high, tt.low, tt.high)
		}
	}
}

// TestBaselines looks at the rules of others.
func TestBaselines(t *testing.T) {
	a, b := []string{"a"}, []string{"b"}
	window := func(first, last [2]int) []profile.Sample {
		sample := func(n [2]int) profile.Sample {
			return profile.Sample{Goroutines: snapshot(stack{n: n[0], frames: a}, stack{n: n[1], frames: b})}
		}
		return []profile.Sample{sample(first), sample([2]int{90_000, 0}), sample(last)}
	}
	for _, tt := range []struct {
		first, last [2]int
		huge, risen string
	}{
		{[2]int{1, 0}, [2]int{20, 20}, "", "b"},
		{[2]int{100, 0}, [2]int{120, 19}, "", "a"},
		{[2]int{101, 20}, [2]int{121, 1}, "", ""},
		{[2]int{10_000, 9_990}, [2]int{9_999, 10_000}, "b", ""},
	} {
		w := window(tt.first, tt.last)
		huge, risen := hugeStacks(w), risenStacks(w)
		if fmt.Sprint(huge) != "["+tt.huge+"]" || fmt.Sprint(risen) != "["+tt.risen+"]" {
			t.Errorf("%v → %v: %v and %v, want %q and %q", tt.first, tt.last, huge, risen, tt.huge, tt.risen)
		}
	}
}

// TestDayBefore looks at what a cron still has: a day, however many looks
// failed.
func TestDayBefore(t *testing.T) {
	at := func(hours ...float64) []profile.Sample {
		var samples []profile.Sample
		for _, h := range hours {
			samples = append(samples, profile.Sample{Time: start.Add(time.Duration(h * float64(time.Hour)))})
		}
		return samples
	}
	var even []float64
	for k := range 3 * perCron {
		even = append(even, float64(k)/4)
	}
	for _, tt := range []struct {
		name  string
		hours []float64
		i     int
		want  int
	}{
		{"the first", even, 0, 0},
		{"a day on", even, perCron, 0},
		{"two days on", even, 2 * perCron, perCron},
		{"with gaps", []float64{0, 1, 20, 24.5, 30}, 3, 1},
		{"with wide gaps", []float64{0, 1, 20, 24.5, 60}, 4, 4},
	} {
		if got := dayBefore(at(tt.hours...), tt.i); got != tt.want {
			t.Errorf("%s: from %d, want %d", tt.name, got, tt.want)
		}
	}
}

// TestQueue looks at who is evaluated next.
func TestQueue(t *testing.T) {
	work := func() []*classWork {
		return []*classWork{
			{simClass: &simClass{name: "slow"}, begun: 1, done: 1, spent: 9 * time.Second},
			{simClass: &simClass{name: "quick"}, begun: 8, done: 8, spent: 8 * time.Second},
			{simClass: &simClass{name: "leak", perHour: 1}, begun: 7, done: 7, spent: time.Second},
		}
	}
	later := time.Now().Add(time.Hour)
	for _, tt := range []struct {
		name  string
		queue *queue
		want  string
	}{
		{"by time", &queue{only: -1, until: later, leaks: 100}, "leak 7"},
		{"by time, leaks enough", &queue{only: -1, until: later, leaks: 7}, "quick 8"},
		{"by time that is over", &queue{only: -1, leaks: 100}, ""},
		{"by number", &queue{only: -1, runs: 8}, "slow 1"},
		{"by number that is reached", &queue{only: -1, runs: 1}, ""},
	} {
		tt.queue.classes = work()
		if tt.name == "by number that is reached" {
			tt.queue.classes = tt.queue.classes[:1]
		}
		got := ""
		if c, run := tt.queue.next(); c != nil {
			got = fmt.Sprint(c.name, " ", run)
		}
		if got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	q := &queue{only: 17, classes: []*classWork{{simClass: &simClasses[0]}}}
	if _, run := q.next(); run != 17 {
		t.Errorf("run %d, want 17", run)
	}
	if c, _ := q.next(); c != nil {
		t.Errorf("the only run twice")
	}
}

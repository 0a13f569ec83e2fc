package classify

import (
	"math"
	"testing"
	"time"
)

// hoursOf makes a count of each quarter of an hour.
func hoursOf(hours float64, f func(h float64) float64) (times []time.Time, counts []float64) {
	for i := range int(4*hours) + 1 {
		h := float64(i) / 4
		times = append(times, start.Add(time.Duration(h*float64(time.Hour))))
		counts = append(counts, math.Round(f(h)))
	}
	return times, counts
}

// daily is a load by the hour with a peak of 1.8 and a trough of 0.2.
func daily(h float64) float64 { return 1 + 0.8*math.Cos((h-15)/24*2*math.Pi) }

// requestsBy is the load that has passed since midnight, in hours of the mean.
func requestsBy(h float64) float64 {
	turn := func(h float64) float64 { return math.Sin((h - 15) / 24 * 2 * math.Pi) }
	return h + 0.8*24/2/math.Pi*(turn(h)-turn(0))
}

func TestSustained(t *testing.T) {
	flat := func(float64) float64 { return 1 }
	for _, tt := range []struct {
		name  string
		hours float64
		load  func(h float64) float64
		count func(h float64) float64
		want  bool
	}{
		{"50 an hour for a day", 24, flat, func(h float64) float64 { return 20 + 50*h }, true},
		{"5 an hour for a day", 24, flat, func(h float64) float64 { return 20 + 5*h }, true},
		{"50 an hour for half a day", 12, flat, func(h float64) float64 { return 20 + 50*h }, false},
		{"too little to matter", 24, flat, func(h float64) float64 { return 40 + h/4 }, false},
		{"a leak beside requests, under daily load", 24, daily, func(h float64) float64 { return 5*daily(h) + 50*h }, true},
		{"a leak that comes with the requests", 24, daily, func(h float64) float64 { return 20 + 50*requestsBy(h) }, true},
		{"requests over a day, from the trough", 27, daily, func(h float64) float64 { return 100 * daily(h) }, false},
		{"a day of more requests than the day before", 24, func(h float64) float64 { return daily(h) * (1 + h/24) }, func(h float64) float64 { return 100 * daily(h) * (1 + h/24) }, false},
		{"a step that stays", 24, flat, func(h float64) float64 { return 50 + 100*math.Floor(h/11) }, false},
		{"a warm-up of hours", 24, flat, func(h float64) float64 { return 400 * (1 - math.Exp(-h/3)) }, false},
		{"a pool that is dropped", 24, flat, func(h float64) float64 { return 300 * math.Mod(h/17, 1) }, false},
		{"a burst at the end", 24, flat, func(h float64) float64 { return 50 + 500*math.Floor(h/20) }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			times, counts := hoursOf(tt.hours, tt.count)
			work := make(load, len(counts))
			for i := range work {
				work[i] = tt.load(float64(i) / 4)
			}
			for name, l := range map[string]load{"known": work, "unknown": nil} {
				got := DefaultThresholds().sustained(times, counts, l)
				if got.found != tt.want {
					t.Errorf("load %s: %+v, want %v", name, got, tt.want)
				}
				if got.found && (got.rise < 8 || got.over < 23*time.Hour || got.lives != 1) {
					t.Errorf("load %s: %+v", name, got)
				}
			}
		})
	}
}

// livesOver cuts a day into lives of so many hours, sampled every quarter of an
// hour; f is the count at an uptime and an hour of the day.
func livesOver(hours float64, f func(up, h float64) float64) []livedCount {
	var lives []livedCount
	for i := range 97 {
		h := float64(i) / 4
		n := int((h + 1e-9) / hours)
		born := start.Add(time.Duration(float64(n) * hours * float64(time.Hour)))
		if len(lives) == 0 || !lives[len(lives)-1].started.Equal(born) {
			lives = append(lives, livedCount{started: born})
		}
		at := start.Add(time.Duration(h * float64(time.Hour)))
		lc := &lives[len(lives)-1]
		lc.times = append(lc.times, at)
		lc.counts = append(lc.counts, math.Round(f(at.Sub(born).Hours(), h)))
	}
	return lives
}

func TestOverLives(t *testing.T) {
	leak := func(perHour float64) func(up, h float64) float64 {
		return func(up, _ float64) float64 { return perHour * up }
	}
	for _, tt := range []struct {
		name  string
		hours float64
		count func(up, h float64) float64
		want  bool
	}{
		{"killed every 20 minutes", 0.34, leak(500), true},
		{"killed every 6 hours", 6, leak(50), true},
		{"killed once in the day", 13, leak(50), true},
		{"killed every 6 hours, under daily load", 6, func(up, h float64) float64 { return 20*daily(h) + 50*up }, true},
		{"no leak", 6, func(_, _ float64) float64 { return 50 }, false},
		{"daily load", 6, func(_, h float64) float64 { return 100 * daily(h) }, false},
		{"daily load, one restart", 13, func(_, h float64) float64 { return 100 * daily(h) }, false},
		{"a warm-up after each start", 6, func(up, _ float64) float64 { return 200 * (1 - math.Exp(-up)) }, false},
		{"a warm-up that takes half of each life", 2.2, func(up, _ float64) float64 { return 191 * (1 - math.Exp(-up/0.85)) }, false},
		{"one life of many is higher", 6, func(_, h float64) float64 { return 50 + 300*math.Floor(h/18) }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := DefaultThresholds().overLives(livesOver(tt.hours, tt.count))
			if got.found != tt.want {
				t.Errorf("%+v, want %v", got, tt.want)
			}
		})
	}
	if c := DefaultThresholds().overLives(livesOver(25, leak(50))); c.found {
		t.Errorf("one life: %+v", c)
	}
}

// nth brings all that is not larger before it.
func TestNth(t *testing.T) {
	for n := range 50 {
		values := make([]float64, 50)
		for i := range values {
			values[i] = float64(i * 7919 % 31)
		}
		got := nth(values, n)
		for i, v := range values {
			if i < n && v > got || i > n && v < got {
				t.Fatalf("n = %d: %v at %d of %v", n, v, i, values)
			}
		}
	}
}

// A life at the weekend and one before it: the count follows the load, which
// fell between them.
func TestOverLivesWithLoad(t *testing.T) {
	lives := livesOver(13, func(up, h float64) float64 { return 50 * up })
	if !DefaultThresholds().overLives(lives).found {
		t.Fatal("not found where the load is not known")
	}
	for k := range lives {
		for _, n := range lives[k].counts {
			lives[k].work = append(lives[k].work, n/10)
		}
	}
	if c := DefaultThresholds().overLives(lives); c.found {
		t.Errorf("found though the load explains it: %+v", c)
	}
}

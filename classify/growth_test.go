package classify

import (
	"fmt"
	"math"
	"testing"
	"time"
)

// evenly puts counts 15 seconds apart.
func evenly(counts ...float64) series {
	s := series{counts: counts}
	for i := range counts {
		s.times = append(s.times, start.Add(time.Duration(i)*15*time.Second))
	}
	return s
}

// by makes n counts by a function of the sample's number.
func by(n int, f func(i float64) float64) series {
	counts := make([]float64, n)
	for i := range counts {
		counts[i] = math.Round(f(float64(i)))
	}
	return evenly(counts...)
}

// noise is the same for every run, between -1 and 1.
func noise(i float64) float64 { return math.Sin(i*12.9898) * math.Cos(i*78.233) }

// changed returns the series with some counts set to others.
func (s series) changed(to float64, at ...int) series {
	for _, i := range at {
		s.counts[i] = to
	}
	return s
}

var trends = []struct {
	name string
	s    series
	want Trend
}{
	{"one sample", evenly(9), Undecided},
	{"five that rise", evenly(10, 30, 50, 70, 90), Undecided},
	{"six that rise", evenly(10, 30, 50, 70, 90, 110), Growing},
	{"six, the last lower", evenly(10, 30, 50, 70, 110, 90), Steady},
	{"seven that rise", evenly(10, 30, 50, 70, 90, 110, 130), Growing},
	{"nothing", by(20, func(float64) float64 { return 0 }), Steady},
	{"constant", by(20, func(float64) float64 { return 400 }), Steady},
	{"noise", by(30, func(i float64) float64 { return 100 + 20*noise(i) }), Steady},
	{"a leak", by(18, func(i float64) float64 { return 8 * i }), Growing},
	{"a leak in noise", by(30, func(i float64) float64 { return 100 + 10*i + 30*noise(i) }), Growing},
	{"a slow leak over a day", by(96, func(i float64) float64 { return 200 + i + 5*noise(i) }), Growing},
	{"a leak that gets faster", by(20, func(i float64) float64 { return 10 + i*i/2 }), Growing},
	{"a leak in bursts", by(24, func(i float64) float64 { return 48 * math.Floor(i/4) }), Growing},
	{"too little to matter", by(18, func(i float64) float64 { return 100 + i/3 }), Steady},
	{"too little to matter, but faster and faster", by(20, func(i float64) float64 { return 100 + i*i/50 }), Steady},
	{"a small share of many", by(20, func(i float64) float64 { return 1000 + 6*i }), Steady},
	{"within the noise of few", by(20, func(i float64) float64 { return 16 + i/2 }), Steady},
	{"a warm-up, then a plateau", by(24, func(i float64) float64 { return 300 * (1 - math.Exp(-i/3)) }), Steady},
	{"a warm-up in noise", by(40, func(i float64) float64 { return 300*(1-math.Exp(-i/4)) + 5*noise(i) }), Steady},
	{"a step of load", by(24, func(i float64) float64 { return 50 + 200*math.Floor(i/12) + 5*noise(i) }), Steady},
	{"an early step of load", by(24, func(i float64) float64 { return 50 + 200*min(1, math.Floor(i/6)) + 5*noise(i) }), Steady},
	{"a day of load", by(96, func(i float64) float64 { return 300 - 250*math.Cos(2*math.Pi*i/96) }), Steady},
	{"two days of load", by(192, func(i float64) float64 { return 300 - 250*math.Cos(2*math.Pi*i/96) }), Steady},
	{"a saw-tooth", by(40, func(i float64) float64 { return 20 * math.Mod(i, 10) }), Steady},
	{"a single outlier", by(20, func(float64) float64 { return 30 }).changed(5000, 10), Steady},
	{"an outlier at the end", by(20, func(float64) float64 { return 30 }).changed(5000, 19), Steady},
	{"an outlier at the start of a leak", by(20, func(i float64) float64 { return 20 * i }).changed(5000, 0), Growing},
	{"a gap in a leak", by(20, func(i float64) float64 { return 20 * i }).changed(0, 12), Growing},
	{"all gone now and then", by(30, func(i float64) float64 { return 20 + 15*i }).changed(20, 5, 11, 17, 23), Steady},
	{"falling", by(18, func(i float64) float64 { return 200 - 8*i }), Shrinking},
	{"falling off", by(18, func(i float64) float64 { return 200 * math.Exp(-i/4) }), Shrinking},
}

func TestTrend(t *testing.T) {
	for _, tt := range trends {
		t.Run(tt.name, func(t *testing.T) {
			got, p := DefaultThresholds().trend(tt.s)
			if got != tt.want {
				t.Errorf("%s, want %s: %v", got, tt.want, tt.s.counts)
			}
			if (p == nil) != (tt.want == Undecided) {
				t.Errorf("p = %v", p)
			}
			if p != nil && (*p < 0 || *p > 1) {
				t.Errorf("p = %v is no probability", *p)
			}
		})
	}
}

// What is asked of a trend does not hang on the unit of time or the time of
// day, and the p-value not on what stands there anyway.
func TestTrendInvariance(t *testing.T) {
	for _, tt := range trends {
		t.Run(tt.name, func(t *testing.T) {
			want, p := DefaultThresholds().trend(tt.s)
			for _, scale := range []float64{0.01, 7, 5000} {
				s := series{counts: tt.s.counts}
				for _, at := range tt.s.times {
					s.times = append(s.times, start.AddDate(0, 1, 0).Add(time.Duration(scale*float64(at.Sub(start)))))
				}
				got, q := DefaultThresholds().trend(s)
				if got != want || p != nil && *q != *p {
					t.Errorf("%s, scaled by %v: %s", want, scale, got)
				}
			}
			more := series{times: tt.s.times}
			for _, c := range tt.s.counts {
				more.counts = append(more.counts, c+1000)
			}
			if p != nil {
				if q := mannKendall(more.counts); !near(q, *p, tiny) {
					t.Errorf("p = %v, with 1000 more %v", *p, q)
				}
			}
			if a, b := theilSen(tt.s.hours(), tt.s.counts), theilSen(more.hours(), more.counts); !near(a, b, 1e-6) {
				t.Errorf("slope %v, with 1000 more %v", a, b)
			}
			if got, _ := DefaultThresholds().trend(more); want != Growing && got != want {
				t.Errorf("%s, with 1000 more %s", want, got)
			}
		})
	}
}

// TestTrendIrregular leaves out samples at random distances, as a scrape that
// fails now and then does.
func TestTrendIrregular(t *testing.T) {
	for _, tt := range []struct {
		name string
		f    func(hours float64) float64
		want Trend
	}{
		{"a leak", func(h float64) float64 { return 20 + 100*h }, Growing},
		{"no leak", func(h float64) float64 { return 120 + 10*noise(h) }, Steady},
		{"a warm-up", func(h float64) float64 { return 300 * (1 - math.Exp(-4*h)) }, Steady},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var s series
			for i := range 40 {
				if noise(float64(i)) > 0.3 {
					continue
				}
				hours := float64(i)/8 + noise(float64(i))/20
				s.times = append(s.times, start.Add(time.Duration(hours*float64(time.Hour))))
				s.counts = append(s.counts, math.Round(tt.f(hours)))
			}
			if len(s.counts) < 20 || len(s.counts) > 36 {
				t.Fatalf("%d samples", len(s.counts))
			}
			if got, _ := DefaultThresholds().trend(s); got != tt.want {
				t.Errorf("%s, want %s: %v", got, tt.want, s.counts)
			}
		})
	}
}

func TestTheilSen(t *testing.T) {
	for _, tt := range []struct {
		name string
		x, y []float64
		want float64
	}{
		{"one point", []float64{0}, []float64{7}, 0},
		{"a line", []float64{0, 1, 2, 3}, []float64{1, 3, 5, 7}, 2},
		{"a line, irregular", []float64{0, 0.1, 5, 100}, []float64{1, 1.2, 11, 201}, 2},
		{"falling", []float64{0, 1, 2}, []float64{4, 2, 0}, -2},
		{"an outlier does not move it", []float64{0, 1, 2, 3, 4, 5, 6}, []float64{0, 2, 4, 1000, 8, 10, 12}, 2},
		{"no time between", []float64{1, 1, 1}, []float64{1, 5, 9}, 0},
		{"some without time between", []float64{0, 0, 1}, []float64{0, 0, 3}, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := theilSen(tt.x, tt.y); !near(got, tt.want, 1e-9) {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// A week of samples is thinned, which leaves the slope as it is.
func TestTheilSenLong(t *testing.T) {
	s := by(5000, func(i float64) float64 { return 3*i + 100*noise(i) })
	got := theilSen(s.hours(), s.counts)
	if want := 3 * 240.; !near(got, want, want/50) {
		t.Errorf("%v an hour, want about %v", got, want)
	}
}

func TestMedian(t *testing.T) {
	for _, tt := range []struct {
		values []float64
		want   float64
	}{{[]float64{3}, 3}, {[]float64{4, 1}, 2.5}, {[]float64{9, 1, 5}, 5}, {[]float64{1, 9, 3, 5}, 4}} {
		if got := median(tt.values); got != tt.want {
			t.Errorf("%v: %v", tt.values, got)
		}
	}
}

func TestCorrelation(t *testing.T) {
	for _, tt := range []struct {
		a, b []float64
		want float64
	}{
		{[]float64{1, 2, 3}, []float64{10, 20, 30}, 1},
		{[]float64{1, 2, 3}, []float64{30, 20, 10}, -1},
		{[]float64{1, 2, 3}, []float64{5, 5, 5}, 0},
		{[]float64{0, 1, 0, 1}, []float64{0, 0, 1, 1}, 0},
	} {
		if got := correlation(tt.a, tt.b); !near(got, tt.want, tiny) {
			t.Errorf("%v and %v: %v", tt.a, tt.b, got)
		}
	}
}

// The words of numbers, for people.
func TestWords(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{Count(1, "goroutine"), "1 goroutine"},
		{Count(0, "sample"), "0 samples"},
		{Count(2, "sample"), "2 samples"},
		{Span(0), "0s"},
		{Span(100 * time.Second), "1m40s"},
		{Span(1400 * time.Millisecond), "1s"},
		{Span(time.Hour - time.Millisecond), "1h0m"},
		{Span(3*time.Hour + 20*time.Minute), "3h20m"},
		{Span(47 * time.Hour), "47h0m"},
		{Span(52 * time.Hour), "2d4h"},
		{Rate(5184), "+5184"},
		{Rate(-3.25), "-3.2"},
		{Rate(0), "+0.0"},
		{probability(0.00139), "0.0014"},
		{probability(0.00001), "0.0001 or less"},
		{joinAnd(nil), ""},
		{joinAnd([]string{"a"}), "a"},
		{joinAnd([]string{"a", "b", "c"}), "a, b and c"},
		{ShortFunc(store + ".(*eagerRespSet).Next"), "store.(*eagerRespSet).Next"},
		{ShortFunc("main.main"), "main.main"},
	} {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
}

func TestShellQuote(t *testing.T) {
	for word, want := range map[string]string{
		"http://thanos-query:10902": "http://thanos-query:10902",
		"http://[::1]:10902":        "'http://[::1]:10902'",
		"http://h/?a=b&c=d":         "'http://h/?a=b&c=d'",
		"a b":                       "'a b'",
		"$(reboot)":                 "'$(reboot)'",
		"it's":                      `'it'\''s'`,
	} {
		t.Run(fmt.Sprintf("%q", word), func(t *testing.T) {
			if got := ShellQuote(word); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
}

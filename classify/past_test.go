package classify

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/thanosleak/thanosleak/profile"
)

// old makes a past of a week, in points of 34 minutes up to start.
type old struct {
	hours float64 // with points, up to the end; 0 for all of the week
	// count is the number of goroutines at an hour of the week in a process
	// that began at another.
	count func(h, began float64) float64
	// starts are the hours at which processes began, oldest first; the first
	// may be before the week.
	starts []float64
	// blind leaves start times out.
	blind bool
	// versions by hour; each begins with the process of that time.
	versions map[float64]string
}

const week = 7 * 24

// weekAgo is hour 0 of an old past.
var weekAgo = start.Add(-week * time.Hour)

func atHour(h float64) time.Time { return weekAgo.Add(time.Duration(h * float64(time.Hour))) }

func (o old) past() *profile.Past {
	p := &profile.Past{Instance: "10.0.0.1:10902", From: weekAgo, To: start, Step: 34 * time.Minute}
	version := ""
	for at := weekAgo; !at.After(start); at = at.Add(p.Step) {
		h := at.Sub(weekAgo).Hours()
		if o.hours > 0 && h < week-o.hours {
			continue
		}
		began := o.starts[0]
		for _, s := range o.starts {
			if s <= h {
				began = s
			}
		}
		point := profile.PastPoint{Time: at, Goroutines: int(math.Round(o.count(h, began)))}
		if !o.blind {
			point.Started = atHour(began)
		}
		p.Points = append(p.Points, point)
		for from, v := range o.versions {
			if began >= from && v != version && (version == "" || from == began) {
				version = v
				p.Versions = append(p.Versions, profile.PastVersion{Time: at, Version: v})
			}
		}
	}
	return p
}

// eachHours are the hours from one on, some hours apart, to the end of the week.
func eachHours(from, apart float64, before ...float64) []float64 {
	all := before
	for h := from; h < week; h += apart {
		all = append(all, h)
	}
	return all
}

// noisy is a count that scatters as requests that come by chance do.
func noisy(count func(h, began float64) float64) func(h, began float64) float64 {
	rng := rand.New(rand.NewPCG(1, 2))
	return func(h, began float64) float64 {
		mean := count(h, began)
		return max(mean+rng.NormFloat64()*math.Sqrt(mean), 0)
	}
}

// day is a load that is 20 at night and 400 at day.
func day(h float64) float64 { return 210 + 190*math.Cos((h-15)/24*2*math.Pi) }

func leakFrom(from, perHour float64) func(h, began float64) float64 {
	return func(h, began float64) float64 { return 22 + perHour*max(h-max(from, began), 0) }
}

func TestPast(t *testing.T) {
	upgrade := map[float64]string{-100: "0.34.1", 30: "0.35.1"}
	const none = "show no lasting rise"
	for _, tt := range []struct {
		name string
		old  old
		want string // the beginning of the text
	}{
		{"a saw-tooth from an upgrade on",
			old{starts: eachHours(30, 18, -100), count: noisy(leakFrom(30, 2600)), versions: upgrade},
			"rise since 2026-11-16 12:45 UTC, when v0.34.1 became v0.35.1; 8 restarts in 7d, about every 18h, at up to 4"},
		{"a saw-tooth, first with little to do",
			old{starts: eachHours(30, 18, -100), count: noisy(leakFrom(32, 2600)), versions: upgrade},
			"rise since 2026-11-16 1"},
		{"a saw-tooth without start times",
			old{starts: eachHours(30, 18, -100), count: noisy(leakFrom(30, 2600)), blind: true},
			"rise since 2026-11-16 1"},
		{"a saw-tooth under the load of the days",
			old{starts: eachHours(30, 18, -100), count: noisy(func(h, began float64) float64 {
				return 22 + day(h)/2 + 1000*(requestsBy(max(h, 30))-requestsBy(max(began, 30)))
			})}, "rise since 2026-11-16 12:45 UTC"},
		{"a saw-tooth all week", old{starts: eachHours(-5, 20), count: noisy(leakFrom(-100, 500)), versions: map[float64]string{-100: "0.35.1"}},
			"rise over all of the 7d, on v0.35.1; 8 restarts in 7d, about every 20h, at up to 9,"},
		{"a saw-tooth, from the middle of a life on",
			old{starts: eachHours(60, 18, -100), count: noisy(leakFrom(30, 2600))}, "rise since 2026-11-16 1"},
		{"a saw-tooth, from the end of a life on",
			old{starts: eachHours(60, 18, -100), count: noisy(leakFrom(56, 2600))}, "rise since 2026-11-17 1"},
		{"killed every two hours", old{starts: eachHours(100, 2, -100), count: noisy(leakFrom(100, 5000))},
			"rise since 2026-11-19 10:45 UTC; 34 restarts in 7d, about every 2h, at up to "},
		{"killed faster than the points", old{starts: eachHours(100, 0.5, -100), count: noisy(leakFrom(100, 50000))},
			"rise since 2026-11-19 10:45 UTC; at least "},
		{"killed every hour since the upgrade of this morning", old{starts: eachHours(week-9, 1.5, -100), count: noisy(leakFrom(week-9, 5000)), versions: map[float64]string{-100: "0.34.1", week - 9: "0.35.1"}},
			"rise since 2026-11-21 21:45 UTC, when v0.34.1 became v0.35.1; 6 restarts in 7d, about every 1h30m, at up to "},
		{"one life with a hinge", old{starts: []float64{-100}, count: noisy(leakFrom(80, 50))},
			"rise since 2026-11-18 1"},
		{"a hinge hours after an upgrade", old{starts: []float64{-100, 78}, count: noisy(leakFrom(80, 80)), versions: map[float64]string{-100: "0.34.1", 78: "0.35.1"}},
			"rise since 2026-11-18 1"},
		{"one life, this morning", old{starts: []float64{-100}, count: noisy(leakFrom(week-9, 400))},
			"rise since 2026-11-21 2"},
		{"one life, this morning, level before", old{starts: []float64{-100}, count: leakFrom(week-9, 400)},
			"rise since 2026-11-21 2"},
		{"it begins and rises", old{hours: 40, starts: []float64{week - 40}, count: noisy(leakFrom(0, 100)), versions: map[float64]string{week - 40: "0.35.1"}},
			"rise since they begin there, 2026-11-20 14:45 UTC, on v0.35.1; no restart in 7d, at most 4"},
		{"it rises all the time", old{starts: []float64{-100}, count: noisy(func(h, _ float64) float64 { return 100 + 20*h })},
			"rise over all of the 7d; no restart"},

		{"nothing happens", old{starts: []float64{-100}, count: noisy(func(_, _ float64) float64 { return 40 })}, none + "; no restart in 7d, at most "},
		{"constant", old{starts: []float64{-100}, count: func(_, _ float64) float64 { return 40 }}, none},
		{"a warm-up", old{starts: []float64{-100, 50}, count: noisy(func(h, began float64) float64 { return 20 + 400*(1-math.Exp(-(h-began))) })}, none},
		{"warm-ups after restarts", old{starts: eachHours(30, 18, -100), count: noisy(func(h, began float64) float64 { return 20 + 400*(1-math.Exp(-(h-began))) })}, none + "; 8 restarts in 7d, about every 18h"},
		{"the load of the days", old{starts: []float64{-100}, count: noisy(func(h, _ float64) float64 { return day(h) })}, none},
		{"the load of the days, up to its peak", old{starts: []float64{-100}, count: noisy(func(h, _ float64) float64 { return day(h + 9) })}, none},
		{"the load of the days without start times", old{blind: true, starts: []float64{-100}, count: noisy(func(h, _ float64) float64 { return day(h) })}, none + "; no fall like that of a restart in 7d"},
		{"restarts each night under the load of the days", old{starts: eachHours(3, 24, -21), count: noisy(func(h, _ float64) float64 { return day(h) })}, none},
		{"a first Monday morning", old{hours: 20, starts: []float64{-100}, count: noisy(func(h, _ float64) float64 { return day(h + 9) })}, none},
		{"a step", old{starts: []float64{-100}, count: noisy(func(h, _ float64) float64 { return 50 + 300*math.Floor(h/90) })}, none},
		{"a step with an upgrade", old{starts: []float64{-100, 90}, versions: map[float64]string{-100: "0.34.1", 90: "0.35.1"}, count: noisy(func(h, _ float64) float64 { return 50 + 300*math.Floor(h/90) })}, none},
		{"a saw-tooth that an upgrade ended", old{starts: eachHours(1e9, 1, -10, 8, 26, 44, 62, 80), count: noisy(func(h, began float64) float64 {
			if began == 80 {
				return 25
			}
			return 22 + 500*(h-began)
		})}, none},
		{"a burst in the end", old{starts: []float64{-100}, count: noisy(func(h, _ float64) float64 { return 50 + 500*math.Floor(h/(week-1)) })}, none},
		{"two points", old{hours: 1, starts: []float64{-100}, count: leakFrom(0, 1000)}, none},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := DefaultThresholds().judgePast(tt.old.past())
			if got := r.Text(); !strings.HasPrefix(got, tt.want) {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// TestPastOfNothing: no past, and one without points, is none.
func TestPastOfNothing(t *testing.T) {
	if r := DefaultThresholds().judgePast(nil); r != nil {
		t.Errorf("%+v", r)
	}
	if r := DefaultThresholds().judgePast(&profile.Past{}); r != nil {
		t.Errorf("%+v", r)
	}
}

// TestNoOnsetByChance: of many pasts in which nothing leaks, few show a rise.
func TestNoOnsetByChance(t *testing.T) {
	found := 0
	const tries = 300
	for seed := range uint64(tries) {
		rng := rand.New(rand.NewPCG(seed, 7))
		base, swing, phase := 20+300*rng.Float64(), rng.Float64(), 24*rng.Float64()
		o := old{starts: []float64{-100}, count: func(h, began float64) float64 {
			mean := base * (1 + swing*math.Cos((h-phase)/24*2*math.Pi)) * (1 - 0.9*math.Exp(-3*(h-began)))
			return max(mean+rng.NormFloat64()*3*math.Sqrt(mean), 1)
		}}
		for range rng.IntN(12) {
			o.starts = append(o.starts, o.starts[len(o.starts)-1]+100+rng.ExpFloat64()*24)
		}
		if r := DefaultThresholds().judgePast(o.past()); !r.Onset.IsZero() {
			found++
			t.Logf("seed %d: %s", seed, r.Text())
		}
	}
	if found > tries/50 {
		t.Errorf("%d of %d pasts without a leak rise", found, tries)
	}
}

// TestPastMovesNoLevel: a past is told beside findings, and changes neither
// verdict nor level, stacks and targets.
func TestPastMovesNoLevel(t *testing.T) {
	tooth := old{starts: eachHours(30, 18, -100), count: leakFrom(30, 2600), versions: map[float64]string{-100: "0.34.1", 30: "0.35.1"}}.past()
	quiet := old{starts: []float64{-100}, count: func(_, _ float64) float64 { return 40 }}.past()
	for name, m := range map[string]made{
		"a leak":     {component: "query", version: "0.35.1", samples: counts(leaked, 3, 5, 9, 20, 30, 50)},
		"growth":     {component: "query", samples: counts(pump, rising(12)...)},
		"nothing":    {component: "query", samples: counts(pump, 5, 5, 5, 5, 5, 5, 5)},
		"one sample": {component: "query", samples: counts(pump, 5)},
		"no sample":  {},
	} {
		for _, past := range []*profile.Past{tooth, quiet} {
			bare := m.target()
			with := bare
			with.Past = past
			want, got := judgedTargets(t, bare), judgedTargets(t, with)
			history := 0
			for i := range got.Findings {
				for k := range got.Findings[i].Occurrences {
					o := &got.Findings[i].Occurrences[k]
					if n := len(o.Evidence); o.Level.AtLeast(Suspect) && o.Evidence[n-1].Kind == KindHistory {
						history++
						o.Evidence = o.Evidence[:n-1]
					}
				}
			}
			if past == tooth && history == 0 {
				mustContain(t, strings.Join(got.Warnings, "\n"), "one: nothing is found now, but its go_goroutines in Prometheus rise since", "thanosleak scan TARGET --samples 60 --interval 1m")
			} else if d := cmp.Diff(want.Warnings, got.Warnings); d != "" {
				t.Errorf("%s: %s", name, d)
			}
			if got.Targets[0].Past == nil {
				t.Errorf("%s: no past in the result", name)
			}
			got.Targets[0].Past, got.Warnings = nil, want.Warnings
			if d := cmp.Diff(want, got); d != "" {
				t.Errorf("%s: %s", name, d)
			}
		}
	}
}

// TestPastNotes: of a fleet the worst few are told, the rest are counted.
func TestPastNotes(t *testing.T) {
	var all []profile.Target
	for i := range 60 {
		x := made{name: string(rune('A'+i/26)) + string(rune('a'+i%26)), samples: counts(pump, 5, 5, 5, 5, 5, 5, 5)}.target()
		x.Past = old{starts: eachHours(30, 18, -100), count: leakFrom(30, float64(100+i))}.past()
		all = append(all, x)
	}
	w := judgedTargets(t, all...).Warnings
	if len(w) != 4 {
		t.Fatalf("%d warnings: %q", len(w), w)
	}
	mustContain(t, w[0], "Ch: nothing is found now")
	mustContain(t, w[3], "57 more targets", "Ce among them")
}

// TestUpgradeBeforeOnset: a release that began shortly before the rise is told
// with it.
func TestUpgradeBeforeOnset(t *testing.T) {
	for _, tt := range []struct {
		name  string
		hours map[float64]string // in which the release began, without restart
		want  string
	}{
		{"none known", nil, ""},
		{"long before", map[float64]string{0: "0.34.1", 20: "0.35.1"}, ", on v0.35.1"},
		{"ten minutes before", map[float64]string{0: "0.34.1", 49.83: "0.35.1"}, ", 10m after v0.34.1 became v0.35.1"},
		{"at that time", map[float64]string{0: "0.34.1", 50: "0.35.1"}, ", when v0.34.1 became v0.35.1"},
		{"seen a point later", map[float64]string{0: "0.34.1", 50.01: "0.35.1"}, ", when v0.34.1 became v0.35.1"},
		{"long after", map[float64]string{0: "0.34.1", 60: "0.35.1"}, ", on v0.34.1"},
	} {
		p := &profile.Past{Step: time.Minute}
		for h, v := range tt.hours {
			p.Versions = append(p.Versions, profile.PastVersion{Time: atHour(h), Version: v})
		}
		slices.SortFunc(p.Versions, func(a, b profile.PastVersion) int { return a.Time.Compare(b.Time) })
		r := &PastResult{Onset: atHour(50)}
		r.setVersions(p, nil)
		if got, want := r.Rise(), "rise since 2026-11-17 08:45 UTC"+tt.want; got != want {
			t.Errorf("%s: %q, want %q", tt.name, got, want)
		}
	}
}

// TestHistoryEvidence: the evidence names the process as its series do.
func TestHistoryEvidence(t *testing.T) {
	p := old{starts: eachHours(30, 18, -100), count: leakFrom(30, 2600), versions: map[float64]string{-100: "0.34.1", 30: "0.35.1"}}.past()
	p.Pod = "thanos-query-0"
	got := DefaultThresholds().judgePast(p).historyEvidence()
	want := Evidence{KindHistory, Link, "go_goroutines of 10.0.0.1:10902 (pod thanos-query-0) in Prometheus rise since 2026-11-16 12:45 UTC, when v0.34.1 became v0.35.1; " +
		"8 restarts in 7d, about every 18h, at up to 46,475 goroutines, from about 585 again each time"}
	if got != want {
		t.Errorf("%+v", got)
	}
}

func TestRoughly(t *testing.T) {
	for d, want := range map[time.Duration]string{
		20 * time.Second: "20s", 10 * time.Minute: "10m", 100 * time.Minute: "1h40m", 2*time.Hour + 33*time.Minute: "2h30m", 3 * time.Hour: "3h",
		18*time.Hour + 20*time.Minute: "18h", 50 * time.Hour: "50h", 7 * 24 * time.Hour: "7d", 30 * time.Hour * 24: "30d",
	} {
		if got := roughly(d); got != want {
			t.Errorf("%s: %s, want %s", d, got, want)
		}
	}
}

func TestGrouped(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 48210: "48,210", 1234567: "1,234,567"} {
		if got := grouped(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

package classify

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// Simulated processes are what the decision about unknown growth is measured
// on. All times in a simulation are hours since its first look, all rates are
// per hour.

// TestSimulatedProcesses looks whether processes of all classes are what the
// judge expects of real ones.
func TestSimulatedProcesses(t *testing.T) {
	for i := range simClasses {
		c := &simClasses[i]
		t.Run(c.name, func(t *testing.T) {
			p := newSimulated(c, 3*hoursADay, 1, 0)
			times := p.cron()
			samples := p.take(times)
			if least := 3 * perCron; p.missing == 0 && len(samples) != least || len(samples) < least*2/3 {
				t.Errorf("%d samples", len(samples))
			}
			if n := len(p.stacks); n < 81 || n > 95 {
				t.Errorf("%d stacks, want some 80", n)
			}
			keys := map[string]bool{}
			for _, s := range p.stacks {
				keys[s.key] = true
			}
			if len(keys) != len(p.stacks) {
				t.Errorf("%d keys of %d stacks", len(keys), len(p.stacks))
			}
			if p.metrics != metricsNone || p.releases {
				seen := map[int]bool{}
				for _, h := range times {
					seen[p.startBefore(h)] = true
				}
				if n := len(livesOf(samples)); n != len(seen) {
					t.Errorf("%d lives are told apart, want %d", n, len(seen))
				}
			}
			for _, l := range livesOf(samples) {
				mustBeOneLife(t, p, l)
			}
		})
	}
}

// mustBeOneLife checks the samples of a life, each by itself and with the one
// before.
func mustBeOneLife(t *testing.T, p *simulated, l life) {
	t.Helper()
	requests := -1.0
	for _, s := range l.samples {
		total := 0
		for i, g := range s.Goroutines.Groups {
			total += g.Count
			if g.Count < 1 || g.Places[0].Count != g.Count || i > 0 && g.Count > s.Goroutines.Groups[i-1].Count {
				t.Fatalf("group %d of %d goroutines, %v", i, g.Count, g.Places)
			}
		}
		if total != s.Goroutines.Total {
			t.Fatalf("%d goroutines in groups, %d in all", total, s.Goroutines.Total)
		}
		if s.Metrics == nil {
			continue
		}
		if n := int(s.Metrics.Sum("go_goroutines")); n != total+2 {
			t.Fatalf("go_goroutines %d beside %d", n, total)
		}
		now := s.Metrics.Sum("http_requests_total")
		if now <= requests {
			t.Fatalf("%.0f requests completed after %.0f", now, requests)
		}
		requests = now
		uptime := s.Time.Sub(l.started()).Hours()
		if most := 10 * p.load.mean * uptime / p.latency; uptime > 0.1 && now > most {
			t.Fatalf("%.0f requests in %.1f h, want %.0f at most", now, uptime, most)
		}
	}
}

// TestSimulatedSeeds looks whether a seed and a number make the same process
// again, and another number another one.
func TestSimulatedSeeds(t *testing.T) {
	totals := func(seed, run uint64) string {
		p := newSimulated(&simClasses[0], hoursADay, seed, run)
		var counts []int
		for _, s := range p.take(p.cron()) {
			counts = append(counts, s.Goroutines.Total)
		}
		return fmt.Sprint(counts)
	}
	first := totals(1, 0)
	if again := totals(1, 0); again != first {
		t.Error("the same seed makes two processes")
	}
	if totals(1, 1) == first || totals(2, 0) == first {
		t.Error("different seeds make the same process")
	}
}

// TestSimulatedScatter looks whether the number of goroutines that live for
// half a minute scatters as it should, and forgets its past within minutes.
func TestSimulatedScatter(t *testing.T) {
	const mean = 100
	rng := rand.New(rand.NewPCG(1, 1))
	for _, tt := range []struct{ every, want float64 }{
		{15.0 / 3600, math.Exp(-0.5)},
		{0.25, 0},
	} {
		s := &simStack{life: 1.0 / 120, expect: func(simMoment) float64 { return mean }}
		s.step(rng, simMoment{}, math.Inf(1))
		counts := make([]float64, 20_000)
		for i := range counts {
			s.step(rng, simMoment{}, tt.every)
			counts[i] = float64(s.goroutines())
		}
		m, v := momentsOf(counts)
		r := correlation(counts[:len(counts)-1], counts[1:])
		if math.Abs(m-mean) > 1 || math.Abs(v-mean) > 7 || math.Abs(r-tt.want) > 0.03 {
			t.Errorf("every %.4f h: mean %.1f, variance %.1f, correlation %.2f; want %d, %d, %.2f", tt.every, m, v, r, mean, mean, tt.want)
		}
	}
}

// momentsOf returns the mean and the variance.
func momentsOf(values []float64) (mean, variance float64) {
	for _, v := range values {
		mean += v / float64(len(values))
	}
	for _, v := range values {
		variance += (v - mean) * (v - mean) / float64(len(values))
	}
	return mean, variance
}

// TestDraws looks at both ways in which numbers are drawn, for few and for
// many.
func TestDraws(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, tt := range []struct {
		name           string
		mean, variance float64
		draw           func() int
	}{
		{"poisson of few", 0.3, 0.3, func() int { return poisson(rng, 0.3) }},
		{"poisson", 40, 40, func() int { return poisson(rng, 40) }},
		{"poisson of many", 400, 400, func() int { return poisson(rng, 400) }},
		{"binomial", 30, 21, func() int { return binomial(rng, 100, 0.3) }},
		{"binomial of many", 300, 210, func() int { return binomial(rng, 1000, 0.3) }},
	} {
		values := make([]float64, 20_000)
		for i := range values {
			values[i] = float64(tt.draw())
		}
		m, v := momentsOf(values)
		if math.Abs(m-tt.mean) > 4*math.Sqrt(tt.variance/20_000) || math.Abs(v/tt.variance-1) > 0.05 {
			t.Errorf("%s: mean %.2f, variance %.2f; want %.2f, %.2f", tt.name, m, v, tt.mean, tt.variance)
		}
	}
}

// TestSimLoad looks at the load without noise.
func TestSimLoad(t *testing.T) {
	daily := simLoad{mean: 10, amplitude: 0.5, weekend: 0.4}
	for _, tt := range []struct {
		name     string
		load     simLoad
		at, want float64
	}{
		{"flat", simLoad{mean: 10, weekend: 1}, 5, 10},
		{"high noon", daily, 6, 10 * (1 + 0.5/1.1)},
		{"night", daily, 18, 10 * (1 - 0.5/1.1)},
		{"Saturday", daily, 5*24 + 12, 4},
		{"Monday after", daily, 7*24 + 12, 10},
		{"a week later", simLoad{mean: 10, weekend: 1, weekly: 0.2}, 7 * 24, 12},
		{"before a step", simLoad{mean: 10, weekend: 1, changes: []loadChange{{5, 7, 3}}}, 4, 10},
		{"in a step", simLoad{mean: 10, weekend: 1, changes: []loadChange{{5, 7, 3}}}, 6, 30},
		{"after a step", simLoad{mean: 10, weekend: 1, changes: []loadChange{{5, 7, 3}}}, 8, 10},
		{"in the last of two", simLoad{mean: 10, weekend: 1, changes: []loadChange{{1, math.Inf(1), 3}, {5, 7, 2}}}, 6, 20},
		{"never nothing", simLoad{mean: 10, amplitude: 2, weekend: 1}, 18, 0.2},
	} {
		if got := tt.load.at(tt.at); math.Abs(got-tt.want) > 1e-9 {
			t.Errorf("%s: %.3f, want %.3f", tt.name, got, tt.want)
		}
	}
}

// TestSimLeaks looks at how many goroutines leak in a day, each of which leaves
// some in the stacks of its victims.
func TestSimLeaks(t *testing.T) {
	for name, want := range map[string]float64{
		"leak 5/h": 5 * 24, "leak 500/h": 500 * 24, "leak 500/h by load": 500 * 24,
		"leak 500/h fading": 500 * 12 * (1 - math.Exp(-2)), "leak 500/h in 20m lives": 0,
	} {
		i := slices.IndexFunc(simClasses, func(c simClass) bool { return c.name == name })
		p := newSimulated(&simClasses[i], hoursADay+1, 1, 0)
		p.load.weekend = 1
		samples := p.take(p.cron())[:perCron+1]
		if want == 0 {
			if n := p.leak.leaked; n > 250 {
				t.Errorf("%s: %d after a day of short lives", name, n)
			}
			continue
		}
		for _, s := range p.stacks {
			if s.leak == nil {
				continue
			}
			n := float64(s.times) * want
			if got := float64(samples[perCron].Goroutines.Group(s.group.Signature).Count); math.Abs(got-n) > max(40, 0.15*n) {
				t.Errorf("%s: %.0f in the %s after a day, want about %.0f", name, got, s.kind, n)
			}
		}
	}
}

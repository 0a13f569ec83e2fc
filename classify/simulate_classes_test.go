package classify

import (
	"fmt"
	"math"
	"slices"
)

// Simulated processes are what the decision about unknown growth is measured
// on. All times in a simulation are hours since its first look, all rates are
// per hour.

// A simClass is a kind of process.
type simClass struct {
	name    string
	perHour float64 // goroutines that leak; 0 for a harmless process
	// make turns a process under a steady load into one of the class.
	make func(p *simulated)
}

// leaks reports whether the processes of the class leak.
func (c *simClass) leaks() bool { return c.perHour > 0 }

// simClasses are the kinds of processes, harmless ones first.
var simClasses = []simClass{
	{name: "steady", make: func(*simulated) {}},
	{name: "pools", make: func(p *simulated) { p.daily(0, 0.6); p.pools() }},
	{name: "warm-up", make: func(p *simulated) {
		p.daily(0, 0.6)
		p.restart(uniform(p.rng, 72, 168), 0.5)
		p.warmUps(1.0/12, 3)
	}},
	{name: "load steps", make: func(p *simulated) { p.daily(0, 0.6); p.loadSteps() }},
	{name: "daily load", make: func(p *simulated) { p.daily(0.5, 0.9) }},
	{name: "bursts", make: func(p *simulated) { p.daily(0, 0.6); p.bursts() }},
	{name: "restarts", make: func(p *simulated) {
		p.daily(0, 0.6)
		p.restart(logUniform(p.rng, 3, 96), 0.5)
		p.warmUps(1.0/12, 1)
	}},
	{name: "rollouts", make: func(p *simulated) {
		p.daily(0, 0.6)
		p.releases = true
		p.restart(uniform(p.rng, 12, 96), 0.5)
		p.warmUps(1.0/12, 1)
	}},
	{name: "missing samples", make: func(p *simulated) { p.daily(0.5, 0.9); p.missing = uniform(p.rng, 0.1, 0.3) }},
	{name: "no in-flight", make: func(p *simulated) { p.daily(0.5, 0.9); p.metrics = metricsCompleted }},
	{name: "loosely tied", make: func(p *simulated) {
		p.daily(0.5, 0.9)
		p.metrics = metricsLoose
		memory := logUniform(p.rng, 0.1, 3)
		p.loose = [2]simNoise{{sd: 0.3, memory: memory}, {sd: 0.5, memory: memory}}
	}},
	{name: "no metrics", make: func(p *simulated) { p.daily(0.5, 0.9); p.metrics = metricsNone }},
	{name: "slow trend", make: func(p *simulated) { p.daily(0.2, 0.8); p.load.weekly = uniform(p.rng, 0.05, 0.2) }},

	leakClass("leak 5/h", 5, constantly),
	leakClass("leak 50/h", 50, constantly),
	leakClass("leak 500/h", 500, constantly),
	leakClass("leak 50/h by load", 50, byLoad),
	leakClass("leak 500/h by load", 500, byLoad),
	leakClass("leak 50/h in 20m lives", 50, overLives(1.0/3, 0.2)),
	leakClass("leak 500/h in 20m lives", 500, overLives(1.0/3, 0.2)),
	leakClass("leak 50/h in 6h lives", 50, overLives(6, 0.05)),
	leakClass("leak 500/h in 6h lives", 500, overLives(6, 0.05)),
	leakClass("leak 50/h in 24h lives", 50, overLives(24, 0.05)),
	leakClass("leak 500/h in 24h lives", 500, overLives(24, 0.05)),
	leakClass("leak 50/h fading", 50, fading),
	leakClass("leak 500/h fading", 500, fading),
}

// leakClass is a class of processes that leak so many goroutines an hour, in
// some way.
func leakClass(name string, perHour float64, way func(*simulated, *simLeak)) simClass {
	return simClass{name: name, perHour: perHour, make: func(p *simulated) {
		l := &simLeak{perHour: perHour}
		way(p, l)
		p.addLeak(l)
	}}
}

// Ways to leak.

func constantly(*simulated, *simLeak) {}

// byLoad leaks with each request, under a daily load.
func byLoad(p *simulated, l *simLeak) {
	p.daily(0.2, 0.9)
	l.byLoad = true
}

// overLives leaks until the process is killed, again and again, after so many
// hours each.
func overLives(hours, irregular float64) func(*simulated, *simLeak) {
	return func(p *simulated, l *simLeak) {
		l.always = true
		p.restart(hours, irregular)
	}
}

// fading leaks less and less: what leaks runs dry.
func fading(_ *simulated, l *simLeak) { l.fades = 12 }

// daily makes the load that of people: more by day than by night, less at the
// weekend.
func (p *simulated) daily(least, most float64) {
	p.load.amplitude = uniform(p.rng, least, most)
	p.load.weekend = uniform(p.rng, 0.4, 0.95)
}

// restart has the process started anew after a number of hours on average, each
// time longer or shorter by a share that is irregular.
func (p *simulated) restart(hours, irregular float64) {
	next := func() float64 { return hours * uniform(p.rng, 1-irregular, 1+irregular) }
	p.starts = nil
	for h := -next() * p.rng.Float64(); h < p.span; h += next() {
		p.starts = append(p.starts, h)
	}
}

// warmUps adds stacks that fill up after each start, with a time constant
// between two numbers of hours.
func (p *simulated) warmUps(least, most float64) {
	for range 3 + p.rng.IntN(6) {
		height, constant := logUniform(p.rng, 20, 500), logUniform(p.rng, least, most)
		s := &simStack{kind: fmt.Sprintf("warm-up to %.0f in %.2fh", height, constant),
			expect: func(m simMoment) float64 { return height * (1 - math.Exp(-m.uptime/constant)) }}
		if p.rng.IntN(2) == 0 {
			s.life = 1.0 / 60
		}
		p.add(s)
	}
}

// pools adds stacks that grow and are dropped at once, again and again. Half of
// them do so by the clock.
func (p *simulated) pools() {
	for range 3 + p.rng.IntN(4) {
		period, height := logUniform(p.rng, 1.0/3, 8), logUniform(p.rng, 20, 300)
		jitter := 0.2 * float64(p.rng.IntN(2))
		drops := []float64{-period * p.rng.Float64()}
		for drops[len(drops)-1] < p.span {
			drops = append(drops, drops[len(drops)-1]+period*uniform(p.rng, 1-jitter, 1+jitter))
		}
		p.add(&simStack{kind: fmt.Sprintf("pool up to %.0f in %.2fh", height, period), expect: func(m simMoment) float64 {
			n, _ := slices.BinarySearch(drops, m.at)
			if n == 0 {
				return 0
			}
			return height * (m.at - drops[n-1]) / period
		}})
	}
}

// loadSteps adds a few changes of the load a week, which last for hours or for
// ever.
func (p *simulated) loadSteps() {
	for h := 48 * p.rng.ExpFloat64(); h < p.span; h += 48 * p.rng.ExpFloat64() {
		c := loadChange{from: h, to: math.Inf(1), factor: logUniform(p.rng, 0.4, 2.5)}
		if p.rng.IntN(2) == 0 {
			c.to = h + logUniform(p.rng, 1, 24)
		}
		p.load.changes = append(p.load.changes, c)
	}
}

// bursts adds a load of several times the usual one, several times a day.
func (p *simulated) bursts() {
	every := uniform(p.rng, 2.5, 6)
	for h := every * p.rng.ExpFloat64(); h < p.span; h += every * (0.3 + p.rng.ExpFloat64()) {
		p.load.changes = append(p.load.changes, loadChange{from: h, to: h + uniform(p.rng, 0.25, 1), factor: uniform(p.rng, 3, 8)})
	}
}

// cron returns the times of looks every 15 minutes, which a cron keeps to a few
// seconds. Where looks fail the times are irregular as well.
func (p *simulated) cron() []float64 {
	times := []float64{0}
	for k := 1.0; k/4 < p.span; k++ {
		late := 3.0 / 3600
		if p.missing > 0 {
			late = 5.0 / 60
			if p.rng.Float64() < p.missing {
				continue
			}
		}
		times = append(times, k/4+late*p.rng.Float64())
	}
	return times
}

// scan returns the times of n looks 15 seconds apart, at a random time.
func (p *simulated) scan(n int) []float64 {
	from := p.span * p.rng.Float64()
	times := make([]float64, n)
	for i := range times {
		times[i] = from + 15*float64(i)/3600
	}
	return times
}

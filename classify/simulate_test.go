package classify

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/thanosleak/thanosleak/profile"
)

// Simulated processes are what the decision about unknown growth is measured
// on. All times in a simulation are hours since its first look, all rates are
// per hour.

// simMoment is what the goroutines of a simulated process hang on at one instant.
type simMoment struct {
	at       float64 // hours since the first look
	uptime   float64 // hours since the process was started
	inFlight float64 // requests in flight to be expected, noise of the load in it
	release  int     // number of the start, from 0
}

// simLoad is how many requests are in flight on average over time.
type simLoad struct {
	mean      float64 // over a day, in flight
	amplitude float64 // of the day, as a share of the mean
	phase     float64 // hours by which the day is shifted
	weekend   float64 // factor on two days of seven; 1 for none
	monday    float64 // hours from Monday, 0:00, to the first look
	weekly    float64 // growth a week, as a share
	changes   []loadChange
}

// A loadChange is a step or a burst: the load times a factor for a time. Of several
// that hold at once the last that began counts.
type loadChange struct{ from, to, factor float64 }

// at returns the requests in flight, without noise.
func (c *simLoad) at(h float64) float64 {
	day := 2 * math.Pi * (h - c.phase) / 24
	v := c.mean * (1 + c.amplitude*(math.Sin(day)+0.25*math.Sin(2*day))/1.1)
	v *= 1 - (1-c.weekend)*weekendness(math.Mod(c.monday+h, hoursAWeek))
	v *= 1 + c.weekly*h/hoursAWeek
	factor := 1.0
	for _, ch := range c.changes {
		if ch.from > h {
			break
		}
		if h < ch.to {
			factor = ch.factor
		}
	}
	return max(v*factor, 0.02*c.mean)
}

// hoursAWeek is the hours of a week.
const hoursAWeek = 7 * 24

// weekendness is 0 on weekdays and 1 at weekends, of which it takes six hours
// to come and to go. It is given the hours since Monday.
func weekendness(h float64) float64 {
	const friday, ramp = 5 * 24, 6
	return min(max((h-friday)/ramp, 0), 1) * min((hoursAWeek-h)/ramp, 1)
}

// simNoise is noise that wanders about 0 and forgets its past (an
// Ornstein–Uhlenbeck process).
type simNoise struct {
	sd     float64
	memory float64 // hours in which it forgets all but 1/e
	now    float64
}

// step moves the noise on by dt hours and returns the factor exp(noise).
func (d *simNoise) step(rng *rand.Rand, dt float64) float64 {
	if d.sd == 0 {
		return 1
	}
	keep := math.Exp(-dt / d.memory)
	d.now = keep*d.now + d.sd*math.Sqrt(1-keep*keep)*rng.NormFloat64()
	return math.Exp(d.now)
}

// simStack is the goroutines of one stack.
type simStack struct {
	kind    string // for people who look into a false finding
	request bool   // the goroutines work for requests
	group   profile.Group
	key     string // that a finding led by it has
	// expect is the number of goroutines to be expected.
	expect func(simMoment) float64
	// life is the hours that a goroutine lives on average; 0 if their number
	// is exactly as expected.
	life  float64
	noise simNoise
	count int
	// Of each leaked goroutine this stack has times.
	leak  *simLeak
	times int
}

// step moves the stack on by dt hours: goroutines end by chance and others
// begin, so that the number scatters as that of requests does.
func (s *simStack) step(rng *rand.Rand, now simMoment, dt float64) {
	want := s.expect(now) * s.noise.step(rng, dt)
	if s.life == 0 {
		s.count = int(math.Round(want))
		return
	}
	stay := math.Exp(-dt / s.life)
	s.count = binomial(rng, s.count, stay) + poisson(rng, want*(1-stay))
}

// goroutines is how many stand in the stack.
func (s *simStack) goroutines() int {
	if s.leak == nil {
		return s.count
	}
	return s.count + s.times*s.leak.leaked
}

// simLeak is goroutines that come and never go.
type simLeak struct {
	perHour float64
	byLoad  bool    // the rate is that at the mean load and follows the load
	fades   float64 // hours in which the rate falls to 1/e; 0 for a constant one
	always  bool    // it leaked before the first look as well
	leaked  int
}

// step lets dt hours of leaking pass.
func (l *simLeak) step(rng *rand.Rand, now simMoment, mean, dt float64) {
	rate := l.perHour
	if l.byLoad {
		rate *= now.inFlight / mean
	}
	if l.fades > 0 {
		rate *= math.Exp(-now.at / l.fades)
	}
	l.leaked += poisson(rng, rate*dt)
}

// metricsKind is what the /metrics of a simulated process tell of its load.
type metricsKind int

const (
	metricsAll metricsKind = iota
	metricsCompleted
	metricsLoose // in flight and completed follow the load from afar
	metricsNone
)

// simulated is a made-up process: some 80 stacks under one load.
type simulated struct {
	rng    *rand.Rand
	span   float64 // hours of its looks
	load   simLoad
	slow   simNoise    // of the load, over hours
	fast   simNoise    // of the load, over a minute
	loose  [2]simNoise // of the metrics of completed requests and of those in flight
	stacks []*simStack
	leak   *simLeak // nil for a harmless process
	// starts are when it was started, oldest first, the first of them before
	// the first look.
	starts   []float64
	releases bool    // each start is that of another binary
	latency  float64 // hours that a request takes
	metrics  metricsKind
	missing  float64 // share of looks that fail

	completed float64 // requests since the start
}

// newSimulated makes up a process of a class. The same seeds make the same
// process.
func newSimulated(c *simClass, span float64, seed, run uint64) *simulated {
	rng := rand.New(rand.NewPCG(seed, hashOf(c.name)^run))
	p := &simulated{rng: rng, span: span, latency: logUniform(rng, 0.05, 5) / 3600}
	p.load = simLoad{mean: logUniform(rng, 2, 200), weekend: 1, phase: 24 * rng.Float64(), monday: hoursAWeek * rng.Float64()}
	p.slow = simNoise{sd: uniform(rng, 0.02, 0.15), memory: 1}
	p.fast = simNoise{sd: uniform(rng, 0.02, 0.15), memory: 1.0 / 60}
	p.starts = []float64{-logUniform(rng, 1, 30*24)}
	c.make(p)
	p.everyday()
	return p
}

// hashOf makes a number of a name (FNV-1a), so that a class keeps its processes
// when others are added.
func hashOf(name string) uint64 {
	h := uint64(14695981039346656037)
	for _, b := range []byte(name) {
		h = (h ^ uint64(b)) * 1099511628211
	}
	return h
}

// everyday adds the stacks that every process has: constant ones, those with a
// little noise, and those that follow the load.
func (p *simulated) everyday() {
	p.addStack(&simStack{kind: "main", expect: func(simMoment) float64 { return 1 }}, mains["query"])
	for range 35 {
		n := p.perRelease(func() float64 { return float64(1 + p.rng.IntN(6)) })
		p.add(&simStack{kind: "constant", expect: func(m simMoment) float64 { return n[m.release] }})
	}
	for range 15 {
		n := uniform(p.rng, 2, 10)
		p.add(&simStack{kind: fmt.Sprintf("noise about %.1f", n), life: logUniform(p.rng, 1.0/120, 2),
			expect: func(simMoment) float64 { return n }})
	}
	for range 30 {
		p.addFollower()
	}
}

// addFollower adds a stack of goroutines that work for requests.
func (p *simulated) addFollower() {
	each := p.perRelease(func() float64 { return logUniform(p.rng, 0.05, 4) })
	power := 1.0
	if p.rng.Float64() < 0.3 {
		power = uniform(p.rng, 1, 1.3)
	}
	mean := p.load.mean
	s := &simStack{request: true, life: logUniform(p.rng, 5, 60) / 3600,
		noise:  simNoise{sd: uniform(p.rng, 0.02, 0.2), memory: logUniform(p.rng, 1.0/120, 1)},
		expect: func(m simMoment) float64 { return each[m.release] * mean * math.Pow(m.inFlight/mean, power) }}
	s.kind = fmt.Sprintf("%.2f per request, power %.2f, noise %.2f over %.2fh", each[0], power, s.noise.sd, s.noise.memory)
	p.add(s)
}

// perRelease draws a number for each start: another one only where each start
// is that of another release.
func (p *simulated) perRelease(draw func() float64) []float64 {
	n := make([]float64, len(p.starts))
	for i := range n {
		if i == 0 || p.releases {
			n[i] = draw()
		} else {
			n[i] = n[0]
		}
	}
	return n
}

// Parts of made-up function names.
var (
	simPackages = []string{"server", "query", "store", "cache", "ingest", "ring", "rules", "sync", "pool", "discovery"}
	simTypes    = []string{"(*Manager)", "(*Worker)", "(*Client)", "(*Loop)", "(*Fetcher)", "(*Batch)", "(*Session)", "(*Reader)"}
	simMethods  = []string{"run", "wait", "recv", "flush", "Next", "Do", "watch", "fetch.func1", "handle", "select"}
)

// add gives the stack frames of its own. Half of those that work for requests
// say so, as handlers of net/http do.
func (p *simulated) add(s *simStack) {
	pick := func(of []string) string { return of[p.rng.IntN(len(of))] }
	frames := []string{fmt.Sprintf("example.com/app/internal/part%d.(*Part).block", len(p.stacks))}
	for range 2 + p.rng.IntN(6) {
		frames = append(frames, "example.com/app/pkg/"+pick(simPackages)+"."+pick(simTypes)+"."+pick(simMethods))
	}
	if s.request && p.rng.IntN(2) == 0 {
		frames = append(frames, "net/http.HandlerFunc.ServeHTTP", "net/http.(*conn).serve")
	}
	p.addStack(s, frames)
}

// addStack adds a stack with the given frames.
func (p *simulated) addStack(s *simStack, frames []string) {
	for i, f := range frames {
		s.group.Frames = append(s.group.Frames, profile.Frame{Func: f, File: "example.com/app/part.go", Line: 7 + i})
	}
	s.group.Signature = profile.NewSignature(s.group.Frames)
	s.key = s.group.Signature.Portable().ID()
	p.stacks = append(p.stacks, s)
}

// addLeak adds a leak: a culprit and one to three stacks of goroutines that
// wait for it.
func (p *simulated) addLeak(l *simLeak) {
	p.leak = l
	none := func(simMoment) float64 { return 0 }
	p.add(&simStack{kind: "culprit", expect: none, leak: l, times: 1})
	for range 1 + p.rng.IntN(3) {
		base := uniform(p.rng, 0, 4)
		p.add(&simStack{kind: "victim", life: 1.0 / 120, leak: l, times: 1 + p.rng.IntN(2),
			expect: func(simMoment) float64 { return base }})
	}
}

// moment returns the state of the process at h, dt hours after the one before.
func (p *simulated) moment(h, dt float64) simMoment {
	n := p.startBefore(h)
	load := p.load.at(h) * p.slow.step(p.rng, dt) * p.fast.step(p.rng, dt)
	return simMoment{at: h, uptime: h - p.starts[n], inFlight: load, release: n}
}

// startBefore is the number of the start by which the process runs at h.
func (p *simulated) startBefore(h float64) int {
	n, _ := slices.BinarySearch(p.starts, math.Nextafter(h, math.Inf(1)))
	return n - 1
}

// take returns what looks at the given times see, oldest first, beginning with
// a process that runs as it always did.
func (p *simulated) take(times []float64) []profile.Sample {
	samples := make([]profile.Sample, 0, len(times))
	var m simMoment
	for i, h := range times {
		dt, release := math.Inf(1), m.release
		if i > 0 {
			dt = h - times[i-1]
		}
		m = p.moment(h, dt)
		if i == 0 || m.release != release {
			p.begin()
			dt = min(dt, m.uptime)
		}
		p.step(m, dt)
		samples = append(samples, p.sample(m))
	}
	return samples
}

// begin forgets what ended with the process before.
func (p *simulated) begin() {
	p.completed = 0
	for _, s := range p.stacks {
		s.count = 0
	}
	if p.leak != nil {
		p.leak.leaked = 0
	}
}

// step lets dt hours of the same process pass. A leak begins at the first look,
// or with each start.
func (p *simulated) step(m simMoment, dt float64) {
	if p.leak != nil {
		leaking := dt
		if !p.leak.always {
			leaking = min(dt, m.at)
		}
		p.leak.step(p.rng, m, p.load.mean, leaking)
	}
	for _, s := range p.stacks {
		s.step(p.rng, m, dt)
	}
	steps := math.Ceil(min(60*dt, 60))
	inFlight := 0.0
	for k := range int(steps) {
		inFlight += p.load.at(m.at-dt*(float64(k)+0.5)/steps) / steps
	}
	inFlight *= math.Exp(p.slow.now) * p.loose[0].step(p.rng, dt)
	p.loose[1].step(p.rng, dt)
	p.completed += float64(poisson(p.rng, inFlight*dt/p.latency))
}

// sample is what a look at this moment sees.
func (p *simulated) sample(m simMoment) profile.Sample {
	at := start.Add(time.Duration(m.at * float64(time.Hour)))
	s := profile.Sample{Time: at, Goroutines: p.snapshot()}
	s.Goroutines.Time, s.Goroutines.BuildID = at, "first"
	if p.releases {
		s.Goroutines.BuildID = fmt.Sprintf("release %d", m.release)
	}
	if p.metrics != metricsNone {
		s.Metrics = p.page(m, s.Goroutines.Total)
	}
	return s
}

// snapshot is the goroutines that stand there now, in the order of package
// profile. Frames are shared between samples, which spares most of the time
// that the helper for few stacks takes.
func (p *simulated) snapshot() *profile.Snapshot {
	s := &profile.Snapshot{Groups: make([]profile.Group, 0, len(p.stacks))}
	places := make([]profile.Place, 0, len(p.stacks))
	for _, st := range p.stacks {
		n := st.goroutines()
		if n == 0 {
			continue
		}
		g := st.group
		g.Count = n
		places = append(places, profile.Place{Line: g.Frames[0].Line, Count: n})
		g.Places = places[len(places)-1 : len(places) : len(places)]
		s.Groups = append(s.Groups, g)
		s.Total += n
	}
	slices.SortFunc(s.Groups, func(a, b profile.Group) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Signature, b.Signature))
	})
	return s
}

// rangeQueries labels the metrics of the only handler that a simulated process
// has.
var rangeQueries = map[string]string{"handler": "query_range"}

// page is the /metrics of the process. Two goroutines answer it and the
// profile.
func (p *simulated) page(m simMoment, goroutines int) profile.Metrics {
	began := float64(start.Unix()) + 0.51 + math.Round(3600*p.starts[m.release])
	page := profile.Metrics{
		"process_start_time_seconds": {{Value: began}},
		"go_goroutines":              {{Value: float64(goroutines + 2)}},
		"http_requests_total":        {{Labels: rangeQueries, Value: p.completed}},
	}
	inFlight := m.inFlight
	switch p.metrics {
	case metricsCompleted:
		return page
	case metricsLoose:
		inFlight = math.Pow(inFlight, 0.3) * math.Exp(p.loose[1].now)
	}
	page["http_inflight_requests"] = []profile.Value{{Labels: rangeQueries, Value: float64(poisson(p.rng, inFlight))}}
	return page
}

// uniform draws a number between two.
func uniform(rng *rand.Rand, from, to float64) float64 { return from + (to-from)*rng.Float64() }

// logUniform draws a number between two whose logarithm is evenly spread.
func logUniform(rng *rand.Rand, from, to float64) float64 {
	return from * math.Pow(to/from, rng.Float64())
}

// poisson draws a number of events of which mean are to be expected. Many are
// drawn from the normal distribution.
func poisson(rng *rand.Rand, mean float64) int {
	if mean > 60 {
		return max(0, int(math.Round(mean+math.Sqrt(mean)*rng.NormFloat64())))
	}
	n, limit := 0, math.Exp(-mean)
	for product := rng.Float64(); product > limit; product *= rng.Float64() {
		n++
	}
	return n
}

// binomial draws how many of n are left if each stays by the given chance.
func binomial(rng *rand.Rand, n int, chance float64) int {
	mean := float64(n) * chance
	if spread := mean * (1 - chance); spread > 30 {
		left := int(math.Round(mean + math.Sqrt(spread)*rng.NormFloat64()))
		return min(max(left, 0), n)
	}
	if mean < 1e-6 {
		return 0
	}
	left := 0
	for range n {
		if rng.Float64() < chance {
			left++
		}
	}
	return left
}

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

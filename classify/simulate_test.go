package classify

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/thanosleak/thanosleak/profile"
)

// Simulated processes are what the decision about unknown growth is measured
// on. All times in a simulation are hours since its first look, all rates are
// per hour.

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

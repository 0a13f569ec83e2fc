package classify

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/common/model"

	"github.com/thanosleak/thanosleak/classify/advisory"
	"github.com/thanosleak/thanosleak/profile"
)

// process is a target with what the judgement of all its findings needs.
type process struct {
	target    *profile.Target
	component string
	// releases are those that the process may be of, oldest first: one if its
	// version is known, several where only the dump tells, none if nothing
	// does.
	releases []advisory.Release
	// versioned says that the version is known.
	versioned bool
	lives     []life
	notes     []string     // for the warnings, in full sentences
	db        *advisory.DB // which tells the releases that there are; nil until they are vetted
	// candidates are the releases that the dump may be from, where it does not
	// tell one; without "v".
	candidates []string
	// callers are the processes of the same run that query this one.
	callers []*process
	// tied says that counts rose and the load with them.
	tied bool
	// lastRest is the last rest of the soak that its samples are of; 0 for none.
	lastRest int
}

func newProcess(t *profile.Target) *process {
	target := *t
	if n := len(t.Samples); n > 0 {
		target.Facts.Adopt(t.Samples[n-1].Metrics)
	}
	t = &target
	p := &process{target: t, component: t.Component(), lives: livesOf(t.Samples)}
	p.setReleases()
	return p
}

// newest is the life under way. There is one if there is a sample.
func (p *process) newest() life { return p.lives[len(p.lives)-1] }

// samples is the number of samples in all lives.
func (p *process) samples() int { return len(p.target.Samples) }

// chained returns the queriers among the endpoints, sorted; nil if the
// endpoints are not known.
func (p *process) chained() []string {
	if p.target.Facts.Endpoints == nil {
		return nil
	}
	queriers := []string{}
	for _, e := range p.target.Facts.Endpoints {
		if e.Type == "query" {
			queriers = append(queriers, e.Name)
		}
	}
	slices.Sort(queriers)
	return queriers
}

// precondition looks whether a precondition holds on the process.
func (p *process) precondition(c advisory.Precondition) PreconditionState {
	s := PreconditionState{Text: c.Text, Optional: c.Optional, Event: c.Event}
	if c.Topology == advisory.ChainedQueriers {
		if queriers := p.chained(); queriers != nil {
			met := len(queriers) > 0
			s.Met = &met
			s.Observed = "no querier among the endpoints"
			if met {
				s.Observed = "queries " + joinAnd(queriers)
			}
		}
		return s
	}
	if c.Topology == advisory.DeadEndpoint {
		return p.deadEndpoint(s)
	}
	if c.Witness != "" {
		if n, told := p.witnessed(c.Witness); told && n > 0 { // that it did not happen since is no sign that it never did
			met := true
			s.Met, s.Observed = &met, fmt.Sprintf("%.0f times by /metrics", n)
			return s
		}
	}
	value, ok := p.target.Facts.Flags[c.Flag]
	if !ok {
		s.ByDefault, s.Look = c.Default != "", c.Look
		if s.ByDefault {
			s.Look = fmt.Sprintf("--%s, which is %s unless it was set", c.Flag, c.Default)
		}
		return s
	}
	s.Observed = "--" + c.Flag + "=" + value
	if c.Above == "" {
		met := slices.Contains(c.Is, value)
		s.Met = &met
		return s
	}
	have, err := parseDuration(value)
	bound, err2 := parseDuration(c.Above)
	if err == nil && err2 == nil {
		met := have > bound
		s.Met = &met
	}
	return s
}

// deadEndpoint looks for endpoints that could not be reached. That there are
// none in the list says nothing: a querier drops a dead endpoint from it before
// its connections go.
func (p *process) deadEndpoint(s PreconditionState) PreconditionState {
	var down []string
	for _, e := range p.target.Facts.Endpoints {
		if e.Down {
			down = append(down, e.Name)
		}
	}
	if len(down) > 0 {
		met := true
		s.Met, s.Observed = &met, "cannot be reached: "+joinAnd(down)
	}
	return s
}

// parseDuration reads the durations of flags: Go's, and those of Prometheus,
// which has days ("1d").
func parseDuration(s string) (time.Duration, error) {
	if d, err := time.ParseDuration(s); err == nil {
		return d, nil
	}
	d, err := model.ParseDuration(s)
	return time.Duration(d), err
}

// preconditions looks at all preconditions that the advisory has for the
// process's component.
func (p *process) preconditions(a *advisory.Advisory) []PreconditionState {
	states := []PreconditionState{}
	for _, c := range a.Preconditions {
		if advisory.AppliesTo(c.Components, p.component) {
			states = append(states, p.precondition(c))
		}
	}
	return states
}

// exposed reports whether the process has all that the leak needs. An unknown
// component or version is no exposure, and neither is a flag that the process
// does not tell, unless its default is what the leak needs.
func (p *process) exposed(a *advisory.Advisory) bool {
	if a.Class == advisory.PileUp || a.Class == advisory.Generic || p.component == "" ||
		!advisory.AppliesTo(a.Components, p.component) || p.affected(a) != AffectedYes {
		return false
	}
	states := p.preconditions(a)
	if len(states) == 0 && len(a.Preconditions) > 0 {
		return false // what the leak needs is not told of this component
	}
	return !slices.ContainsFunc(states, func(s PreconditionState) bool {
		return !s.Optional && !s.Event && (s.Met == nil && !s.ByDefault || s.Met != nil && !*s.Met)
	})
}

// excluded reports whether something that the leak needs is known not to hold.
func excluded(states []PreconditionState) bool {
	return slices.ContainsFunc(states, func(s PreconditionState) bool { return !s.Optional && s.Met != nil && !*s.Met })
}

// result returns what is known of the target, before it is judged.
func (p *process) result() TargetResult {
	t := p.target
	r := TargetResult{
		Name: t.Name, URL: t.URL, Labels: t.Labels, Component: p.component,
		ThanosVersion: t.Facts.Version, VersionSource: cmp.Or(t.Facts.VersionSource, "unknown"),
		VersionCandidates: append([]string{}, p.candidates...), GoVersion: t.Facts.GoVersion, Restarts: max(len(p.lives)-1, 0),
		Samples: p.samples(), ChainedQueriers: p.chained(), Flags: t.Facts.Flags,
		Exposed: []string{}, Judged: JudgedNo, Error: t.Err, Unreached: t.Unreached, Kept: t.Kept, FailedSamples: t.FailedSamples,
	}
	if len(p.candidates) > 0 {
		r.VersionSource = "dump"
	}
	if p.samples() == 0 {
		return r
	}
	first, last := t.Samples[0], t.Samples[len(t.Samples)-1]
	r.FirstSample, r.LastSample = &first.Time, &last.Time
	r.Goroutines = Goroutines{First: first.Goroutines.Total, Last: last.Goroutines.Total}
	for n, l := range p.lives {
		for _, s := range l.samples {
			r.Goroutines.Max = max(r.Goroutines.Max, s.Goroutines.Total)
			r.Totals = append(r.Totals, Total{Time: s.Time, Life: n, Goroutines: s.Goroutines.Total})
		}
	}
	r.FirstResidentBytes = metricBytes(first.Metrics, "process_resident_memory_bytes")
	r.ResidentBytes = metricBytes(last.Metrics, "process_resident_memory_bytes")
	r.StackBytes = metricBytes(last.Metrics, "go_memstats_stack_inuse_bytes")
	for _, g := range last.Goroutines.Groups[:min(topStacks, len(last.Goroutines.Groups))] {
		s := stackOf(&g, "", g.Count)
		if before := p.newest().samples[0].Goroutines.Group(g.Signature); before != nil {
			s.First = before.Count
		}
		r.Top = append(r.Top, s)
	}
	return r
}

// topStacks is the number of stacks listed of a target where nothing is found.
const topStacks = 10

// metricBytes returns a metric as a whole number; nil if the page had none.
func metricBytes(m profile.Metrics, name string) *int64 {
	if !m.Has(name) {
		return nil
	}
	n := int64(m.Sum(name))
	return &n
}

// stackOf returns a group in the form of a result.
func stackOf(g *profile.Group, role string, count int) Stack {
	s := Stack{
		Role: role, SignatureID: g.Signature.ID(), PortableID: g.Signature.Portable().ID(),
		Frames: []Frame{}, State: string(g.State()), CreatedBy: g.CreatedBy, Count: count,
	}
	for _, f := range g.Frames {
		s.Frames = append(s.Frames, Frame(f))
	}
	return s
}

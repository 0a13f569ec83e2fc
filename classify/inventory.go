package classify

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/thanosleak/thanosleak/profile"
)

// An Inventory is what stands in the processes of one component: what two
// releases are compared by. Of a target with several process lives only the
// newest counts, for the versions are of that one.
type Inventory struct {
	// Component is the Thanos component; empty if unknown.
	Component string `json:"component"`
	// Versions are the releases of the processes without "v", Revisions the
	// commits that they were built from, GoVersions their Go releases ("go1.26.8"):
	// each sorted, and empty if no process tells.
	Versions   []string `json:"versions"`
	Revisions  []string `json:"revisions"`
	GoVersions []string `json:"go_versions"`
	// Processes is the number of processes with a sample that counts, at least
	// 1; Samples is how many such samples they have in all.
	Processes int `json:"processes"`
	Samples   int `json:"samples"`
	// Goroutines is the typical number of goroutines of a process: of each the
	// median over its samples, of these the mean. A leak in one process of many
	// moves a mean, but no median over all of them.
	Goroutines float64 `json:"goroutines"`
	// InFlight is the mean number of requests in flight in a process, health
	// checks and the like left out; nil if no process tells. It is a mean so that
	// it is not 0 where requests are short.
	InFlight *float64 `json:"in_flight"`
	// Stacks are most goroutines first, then by ID; without those of goroutines
	// that have not begun to run, or that serve the profile itself.
	Stacks []Standing `json:"-"`
}

// A Standing is a stack that stands in the processes of an inventory. Stacks
// that differ only in what a new build may change have one portable signature
// and are one Standing.
type Standing struct {
	// PortableID identifies Functions.
	PortableID string
	// Functions are those of the portable signature, leaf first.
	Functions []string
	// Frames are the calls of one member as the release spells them, leaf first.
	Frames []Frame
	// State is what most of the goroutines wait for; empty if unknown.
	State string
	// CreatedBy is the function that started them; empty if no dump tells, or
	// if not all have the same.
	CreatedBy string
	// Typical is the number of goroutines of a process: of each the median over
	// its samples, of these the mean.
	Typical float64
	// Usual says that the median of a process is 1 or more: there the stack
	// stands in half of the samples at least.
	Usual bool
	// Mean is the mean number of goroutines of a process, to be held against
	// InFlight.
	Mean float64
	// Least is the fewest goroutines in any sample of a process, in that process
	// which has most of them: so many do not go away.
	Least int
	// Seen is the number of samples in which the stack stands, at least 1.
	Seen int
	// Most is what the process has that has most of them.
	Most Holding
}

// A Holding is what processes have of a stack, under what load.
type Holding struct {
	// Typical and Mean are those of a [Standing].
	Typical, Mean float64
	// InFlight is the mean number of requests in flight; nil if it is not known.
	InFlight *float64
	// Samples is the number of samples that tell, at least 1.
	Samples int
}

// InventoryOf returns what stands in the processes of the targets: one inventory
// for each component, sorted by it. Only the samples for which counted is true
// count; nil counts all. Targets without such a sample are left out.
func InventoryOf(targets []profile.Target, counted func(*profile.Sample) bool) []Inventory {
	byComponent := map[string]*stocktaking{}
	for i := range targets {
		p := newProcess(&targets[i])
		l := countedLife(p, counted)
		if len(l.samples) == 0 {
			continue
		}
		st := byComponent[p.component]
		if st == nil {
			st = &stocktaking{stacks: map[profile.Signature]*tallied{}, portable: map[profile.Signature]profile.Signature{}}
			byComponent[p.component] = st
		}
		st.take(p, l)
	}
	var all []Inventory
	for _, component := range slices.Sorted(maps.Keys(byComponent)) {
		all = append(all, byComponent[component].inventory(component))
	}
	return all
}

// countedLife returns the newest life of a process with the samples that count.
func countedLife(p *process, counted func(*profile.Sample) bool) life {
	var l life
	if p.samples() == 0 {
		return l
	}
	for _, s := range p.newest().samples {
		if counted == nil || counted(&s) {
			l.samples = append(l.samples, s)
		}
	}
	return l
}

// stocktaking adds up the processes of one component.
type stocktaking struct {
	facts      []profile.Facts
	samples    int
	goroutines []float64 // of each process
	inFlight   []float64 // of each process that tells
	stacks     map[profile.Signature]*tallied
	// portable are the portable forms of signatures, which all samples have
	// again and again.
	portable map[profile.Signature]profile.Signature
}

// tallied is what is counted of one portable signature.
type tallied struct {
	typical   float64 // medians, added up over processes
	usual     bool    // one of the medians is 1 or more
	mean      float64 // means, likewise
	least     int
	seen      int
	most      Holding         // of the process that has most
	frames    []profile.Frame // of the largest group
	largest   int             // goroutines of that
	states    map[profile.State]int
	createdBy map[string]bool
}

// take adds a process.
func (st *stocktaking) take(p *process, l life) {
	st.facts = append(st.facts, p.target.Facts)
	st.samples += len(l.samples)
	var totals, inFlights []float64
	columns := map[profile.Signature][]float64{}
	for i := range l.samples {
		s := &l.samples[i]
		totals = append(totals, float64(s.Goroutines.Total))
		if s.Metrics != nil {
			inFlights = append(inFlights, max(inFlight(s.Metrics), 0))
		}
		for g := range s.Goroutines.Groups {
			group := &s.Goroutines.Groups[g]
			if saysNothing(group) {
				continue
			}
			sig := st.look(group)
			if columns[sig] == nil {
				columns[sig] = make([]float64, len(l.samples))
			}
			columns[sig][i] += float64(group.Count)
		}
	}
	st.goroutines = append(st.goroutines, median(totals))
	var inFlight *float64
	if len(inFlights) > 0 {
		n := mean(inFlights)
		inFlight, st.inFlight = &n, append(st.inFlight, n)
	}
	for sig, counts := range columns {
		st.stacks[sig].add(counts, inFlight)
	}
}

// saysNothing reports whether the goroutines are the same in every release, or
// differ by what asked for them: those that have not begun to run, and those that
// serve the profile itself, which each encoding does in a way of its own.
func saysNothing(g *profile.Group) bool {
	return g.Signature == unborn || slices.ContainsFunc(g.Frames, func(f profile.Frame) bool { return strings.HasPrefix(f.Func, "net/http/pprof.") })
}

// unborn is the signature of goroutines that have not begun to run.
const unborn = "runtime.goexit"

// look takes over what a group tells beside its number, and returns its portable
// signature.
func (st *stocktaking) look(g *profile.Group) profile.Signature {
	sig, ok := st.portable[g.Signature]
	if !ok {
		sig = g.Signature.Portable()
		st.portable[g.Signature] = sig
	}
	t := st.stacks[sig]
	if t == nil {
		t = &tallied{states: map[profile.State]int{}, createdBy: map[string]bool{}}
		st.stacks[sig] = t
	}
	if g.Count > t.largest {
		t.largest, t.frames = g.Count, g.Frames
	}
	for _, p := range g.Places {
		t.states[p.State] += p.Count
	}
	if g.CreatedBy != "" {
		t.createdBy[g.CreatedBy] = true
	}
	return sig
}

// add takes in the counts of one process, sample by sample, and its requests in
// flight, nil if they are not known.
func (t *tallied) add(counts []float64, inFlight *float64) {
	own := Holding{Typical: median(counts), Mean: mean(counts), InFlight: inFlight, Samples: len(counts)}
	if t.seen == 0 || own.Typical > t.most.Typical {
		t.most = own
	}
	t.typical += own.Typical
	t.usual = t.usual || own.Typical >= 1
	t.mean += own.Mean
	t.least = max(t.least, int(slices.Min(counts)))
	for _, n := range counts {
		if n > 0 {
			t.seen++
		}
	}
}

// inventory returns what was taken.
func (st *stocktaking) inventory(component string) Inventory {
	inv := Inventory{
		Component:  component,
		Versions:   told(st.facts, func(f profile.Facts) string { return f.Version }),
		Revisions:  told(st.facts, func(f profile.Facts) string { return f.Revision }),
		GoVersions: told(st.facts, func(f profile.Facts) string { return f.GoVersion }),
		Processes:  len(st.facts), Samples: st.samples, Goroutines: mean(st.goroutines), Stacks: []Standing{},
	}
	if len(st.inFlight) > 0 {
		n := mean(st.inFlight)
		inv.InFlight = &n
	}
	for sig, t := range st.stacks {
		inv.Stacks = append(inv.Stacks, t.standing(sig, len(st.facts)))
	}
	slices.SortFunc(inv.Stacks, func(a, b Standing) int {
		return cmp.Or(cmp.Compare(b.Typical, a.Typical), cmp.Compare(a.PortableID, b.PortableID))
	})
	return inv
}

// standing returns what was counted of a signature in so many processes.
func (t *tallied) standing(sig profile.Signature, processes int) Standing {
	s := Standing{PortableID: sig.ID(), Functions: sig.Functions(), Frames: []Frame{}, State: t.state(),
		Typical: t.typical / float64(processes), Usual: t.usual, Mean: t.mean / float64(processes), Least: t.least, Seen: t.seen, Most: t.most}
	for _, f := range t.frames {
		s.Frames = append(s.Frames, Frame(f))
	}
	if len(t.createdBy) == 1 {
		s.CreatedBy = slices.Collect(maps.Keys(t.createdBy))[0]
	}
	return s
}

// state returns the state that most goroutines stand in, of those that are
// known.
func (t *tallied) state() string {
	best := profile.StateUnknown
	for _, s := range slices.Sorted(maps.Keys(t.states)) {
		if s != profile.StateUnknown && (best == profile.StateUnknown || t.states[s] > t.states[best]) {
			best = s
		}
	}
	return string(best)
}

// told returns what the processes tell, each once and sorted.
func told(facts []profile.Facts, of func(profile.Facts) string) []string {
	values := []string{}
	for _, f := range facts {
		if v := of(f); v != "" && !slices.Contains(values, v) {
			values = append(values, v)
		}
	}
	slices.Sort(values)
	return values
}

// mean is the mean of at least one value.
func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

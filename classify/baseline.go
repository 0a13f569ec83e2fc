package classify

import (
	"cmp"
	"encoding/json"
	"math"
	"slices"
	"time"

	"github.com/thanosleak/thanosleak/profile"
)

// BaselineSchema names the form of a [Baseline] on disk.
const BaselineSchema = "thanosleak-baseline/v1"

// A Baseline is what stood in the processes of a release at rest, accepted by
// somebody. It is a file that is kept beside the code, so that what a release
// adds to it is reviewed like the code. Make one with [NewBaseline], read one with
// [ParseBaseline].
type Baseline struct {
	Schema string `json:"schema"`
	// Tool is the version of thanosleak that wrote it.
	Tool string `json:"tool"`
	// Created is when it was written, in UTC, to the second.
	Created time.Time `json:"created"`
	// Components are sorted by name, at least one.
	Components []BaselineComponent `json:"components"`
}

// A BaselineComponent is what stood in the processes of one component.
type BaselineComponent struct {
	Component string `json:"component"` // empty if unknown
	// Versions, Revisions and GoVersions are as in [Inventory].
	Versions   []string `json:"versions"`
	Revisions  []string `json:"revisions"`
	GoVersions []string `json:"go_versions"`
	// Processes is the number of processes that were looked at, at least 1.
	Processes int `json:"processes"`
	// Completed is how many requests (iterations of a compactor, evaluations of a
	// ruler) a process completed during the soak, on average; 0 if unknown.
	Completed int `json:"completed"`
	// Stacks are sorted by their functions from the outermost on, so that those
	// of one part of Thanos stand together and stay where they are when their
	// counts change.
	Stacks []BaselineStack `json:"stacks"`
}

// A BaselineStack is a stack that stood in a process at rest.
type BaselineStack struct {
	// PortableID identifies Functions.
	PortableID string `json:"portable_id"`
	// Count is goroutines of a process, at least 1; of several processes the
	// most. All samples at rest had as many or more.
	Count int `json:"count"`
	// Rise is by how many they were more than before any load; 0 if not.
	Rise int `json:"rise"`
	// Functions are those of the portable signature, leaf first.
	Functions []string `json:"functions"`
	// CreatedBy is the portable name of the function that started them; empty if
	// unknown.
	CreatedBy string `json:"created_by"`
}

// NewBaseline returns the baseline of inventories that were taken at rest: of
// each stack the goroutines that were there in every sample ([Standing.Least]).
// Stacks that came and went are left out. before are those of the rest before any
// load. tool is the version of thanosleak, and
// now the time.
func NewBaseline(before, rest []Inventory, tool string, now time.Time) *Baseline {
	b := &Baseline{Schema: BaselineSchema, Tool: tool, Created: now.UTC().Truncate(time.Second), Components: []BaselineComponent{}}
	for _, inv := range rest {
		c := BaselineComponent{Component: inv.Component, Versions: inv.Versions, Revisions: inv.Revisions,
			GoVersions: inv.GoVersions, Processes: inv.Processes, Stacks: []BaselineStack{}}
		first := map[string]*Standing{}
		if i := slices.IndexFunc(before, func(b Inventory) bool { return b.Component == inv.Component }); i >= 0 {
			first = byPortable(before[i].Stacks)
		}
		for _, s := range inv.Stacks {
			rise := s.Least
			if was := first[s.PortableID]; was != nil {
				rise = max(s.Least-was.Least, 0)
			}
			if s.Least > 0 {
				c.Stacks = append(c.Stacks, BaselineStack{PortableID: s.PortableID, Count: s.Least, Rise: rise, Functions: s.Functions, CreatedBy: portable(s.CreatedBy)})
			}
		}
		b.Components = append(b.Components, c)
	}
	b.sort()
	return b
}

// sort brings components and stacks into the documented order.
func (b *Baseline) sort() {
	slices.SortFunc(b.Components, func(x, y BaselineComponent) int { return cmp.Compare(x.Component, y.Component) })
	for _, c := range b.Components {
		slices.SortFunc(c.Stacks, func(x, y BaselineStack) int { return slices.Compare(outermostFirst(x), outermostFirst(y)) })
	}
}

// outermostFirst returns the functions of a stack in the order of the calls.
func outermostFirst(s BaselineStack) []string {
	functions := slices.Clone(s.Functions)
	slices.Reverse(functions)
	return functions
}

// Marshal returns the baseline in the form that [ParseBaseline] reads: indented,
// one value a line, the same for the same baseline.
func (b *Baseline) Marshal() ([]byte, error) {
	content, err := json.MarshalIndent(b, "", "  ")
	return append(content, '\n'), err
}

// Of returns what the baseline has of a component; false if it has nothing.
func (b *Baseline) Of(component string) (*BaselineComponent, bool) {
	for i := range b.Components {
		if b.Components[i].Component == component {
			return &b.Components[i], true
		}
	}
	return nil, false
}

// Accepts reports whether the baseline has so many goroutines of the stack, or
// more, at rest in a process of the component, and whether they rose by as many
// during its soak. Of a process that completed less than the baseline's did, they
// may have risen by less: completed is its number, and 0 if that is unknown.
func (b *Baseline) Accepts(component, portableID string, count, rise, completed int) bool {
	c, ok := b.Of(component)
	if !ok {
		return false
	}
	s := c.stack(portableID)
	most := float64(s.Rise)
	if share := float64(completed) / float64(max(c.Completed, 1)); completed > 0 && share < asMuch {
		most = math.Ceil(most * share)
	}
	return count <= s.Count && float64(rise) <= most
}

// asMuch is the share of the work of a baseline's soak from which another counts
// as one of as much.
const asMuch = 0.8

// CountWork adds to the baseline how much the processes completed that it was
// taken of.
func (b *Baseline) CountWork(targets []profile.Target) {
	completed := meanCompleted(targets)
	for i := range b.Components {
		c := &b.Components[i]
		c.Completed = completed[c.Component]
	}
}

// meanCompleted returns how much a process completed, by component, on average.
func meanCompleted(targets []profile.Target) map[string]int {
	sums, processes := map[string]int{}, map[string]int{}
	for i := range targets {
		if p := newProcess(&targets[i]); p.samples() > 0 {
			sums[p.component] += p.completed(p.newest())
			processes[p.component]++
		}
	}
	for component, n := range processes {
		sums[component] /= n
	}
	return sums
}

// completed is how much the process completed in a life, of what its component
// does; 0 if /metrics do not tell.
func (p *process) completed(l life) int {
	first, last := l.samples[0].Metrics, l.last().Metrics
	if first == nil || last == nil {
		return 0
	}
	return max(int(work(last, p.component)-work(first, p.component)), 0)
}

// stack returns what the baseline has of a stack; nothing if it does not have it.
func (c *BaselineComponent) stack(portableID string) BaselineStack {
	for _, s := range c.Stacks {
		if s.PortableID == portableID {
			return s
		}
	}
	return BaselineStack{}
}

// SameBuild reports whether the baseline was taken of the same build of the
// component, by the commit that both tell. Then it says nothing of what is new in
// a release.
func (b *Baseline) SameBuild(component, revision string) bool {
	c, ok := b.Of(component)
	return ok && revision != "" && slices.Contains(c.Revisions, revision)
}

// A Beyond is a stack of which more goroutines stand at rest than a baseline has.
type Beyond struct {
	Standing
	// Accepted is the number of goroutines that the baseline has of it in a
	// process; 0 if it does not have the stack. It is below Standing.Least.
	Accepted int
}

// Beyond returns the stacks that stand at rest in the processes of an inventory
// and not in the baseline, or with fewer goroutines: first those of which most
// were added, then by portable ID. Where the baseline does not have the component
// they are all of them: see [Baseline.Of].
func (b *Baseline) Beyond(rest Inventory) []Beyond {
	c, ok := b.Of(rest.Component)
	if !ok {
		c = &BaselineComponent{}
	}
	var beyond []Beyond
	for _, s := range rest.Stacks {
		if accepted := c.stack(s.PortableID).Count; s.Least > accepted {
			beyond = append(beyond, Beyond{Standing: s, Accepted: accepted})
		}
	}
	slices.SortFunc(beyond, func(x, y Beyond) int {
		return cmp.Or(cmp.Compare(y.Least-y.Accepted, x.Least-x.Accepted), cmp.Compare(x.PortableID, y.PortableID))
	})
	return beyond
}

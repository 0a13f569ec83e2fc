package classify

import (
	"cmp"
	"math"
	"slices"
)

// A Comparison tells what differs between two captures. It explains a result
// and decides nothing in it.
type Comparison struct {
	// Base names the older capture.
	Base string `json:"base"`
	// Components are those that both captures have, sorted by name.
	Components []ComponentComparison `json:"components"`
	// OnlyBase and OnlyNew are the components that one capture alone has,
	// sorted. A component that is not known is "unknown" here.
	OnlyBase []string `json:"only_base"`
	OnlyNew  []string `json:"only_new"`
	// Warnings say why the comparison may mislead, in full sentences.
	Warnings []string `json:"warnings"`
}

// A ComponentComparison tells what differs in the processes of one component.
type ComponentComparison struct {
	Component string    `json:"component"` // empty if unknown
	Base      Inventory `json:"base"`
	New       Inventory `json:"new"`
	// Differences are in the order of the kinds; within a kind those of most
	// goroutines come first, then by portable ID.
	Differences []Difference `json:"differences"`
	// RareNew and RareGone are the numbers of stacks that stand on one side
	// only, and there not usually ([Standing.Usual]): chance may have shown them.
	// They are not among the differences.
	RareNew  int `json:"rare_new"`
	RareGone int `json:"rare_gone"`
}

// DifferenceKind says how a stack differs.
type DifferenceKind string

// The kinds, in the order in which they are told.
const (
	DifferenceGrown  DifferenceKind = "grown"
	DifferenceNew    DifferenceKind = "new" // in no sample of the base
	DifferenceMoved  DifferenceKind = "moved"
	DifferenceGone   DifferenceKind = "gone" // in no sample of the newer capture
	DifferenceShrunk DifferenceKind = "shrunk"
)

var differenceKinds = []DifferenceKind{DifferenceGrown, DifferenceNew, DifferenceMoved, DifferenceGone, DifferenceShrunk}

// A Difference is one stack that differs.
type Difference struct {
	Kind       DifferenceKind `json:"kind"`
	PortableID string         `json:"portable_id"`
	// Frames are of the newer capture, of the base where the stack is gone; leaf
	// first.
	Frames    []Frame `json:"frames"`
	State     string  `json:"state"` // empty if unknown
	CreatedBy string  `json:"created_by"`
	// Base and New are goroutines of a typical process: see Standing.Typical.
	Base float64 `json:"base"`
	New  float64 `json:"new"`
	// BaseMost and NewMost are goroutines of that process which has most of them:
	// the largest median over its samples. One process of many that leaks moves
	// these, and hardly New.
	BaseMost float64 `json:"base_most"`
	NewMost  float64 `json:"new_most"`
	// BaseSeen and NewSeen are the numbers of samples in which it stands.
	BaseSeen int `json:"base_seen"`
	NewSeen  int `json:"new_seen"`
	// Finding is the key of the finding, at suspect or above, that the stack is
	// part of; empty if none.
	Finding string `json:"finding"`
	// MovedFrom is the portable name of the function that stood in the base
	// where another stands now; empty unless Kind is DifferenceMoved.
	MovedFrom string `json:"moved_from"`
}

// Weight is what differences of one kind are sorted by: the goroutines by which
// they differ in a typical process, where they have grown also in the one that has
// most, and all that there are now of those that moved.
func (d *Difference) Weight() float64 {
	switch d.Kind {
	case DifferenceMoved:
		return d.New
	case DifferenceGrown:
		return max(math.Abs(d.New-d.Base), d.NewMost-d.BaseMost)
	}
	return math.Abs(d.New - d.Base)
}

// What counts as growth, of the goroutines of a typical process and of those for
// each request in flight alike.
const (
	// growFactor is how many times as many they must be: the loads of two
	// captures are never the same, and goroutines follow them only roughly.
	growFactor = 1.5
	// growGoroutines is by how many they must differ. Pools and connections come
	// and go by a few; it is MinRise of [DefaultThresholds], so that a rise is
	// worth as much between captures as within one.
	growGoroutines = 8
)

// Compare tells what differs between the inventories of two captures, each
// sorted by component. Goroutines of requests are as many as there are requests:
// a stack has grown only if both its number and its number for each request in
// flight have, so that neither twice the load nor half of it is taken for a
// change: those of a typical process, or those of the process that has most of
// them, for a mean over a fleet hides the one process that leaks. In a stack of one
// of the findings, which are those of the newer capture, the number alone counts:
// stuck requests are in flight themselves. So it does where it is not known what was
// in flight.
func Compare(base, newer []Inventory, findings []Finding) *Comparison {
	c := &Comparison{Components: []ComponentComparison{}, OnlyBase: []string{}, OnlyNew: []string{}}
	of := func(all []Inventory, component string) int {
		return slices.IndexFunc(all, func(i Inventory) bool { return i.Component == component })
	}
	for i := range base {
		at := of(newer, base[i].Component)
		if at < 0 {
			c.OnlyBase = append(c.OnlyBase, componentName(base[i].Component))
			continue
		}
		c.Components = append(c.Components, compareComponent(&base[i], &newer[at], findings))
	}
	for _, inv := range newer {
		if of(base, inv.Component) < 0 {
			c.OnlyNew = append(c.OnlyNew, componentName(inv.Component))
		}
	}
	c.Warnings = doubts(c.Components)
	return c
}

// componentName is what a component is called in lists.
func componentName(component string) string { return cmp.Or(component, "unknown") }

// compareComponent compares the processes of one component.
func compareComponent(base, newer *Inventory, findings []Finding) ComponentComparison {
	c := ComponentComparison{Component: newer.Component, Base: *base, New: *newer, Differences: []Difference{}}
	c.Base.Stacks, c.New.Stacks = nil, nil // which are many, and told by the differences
	before, part := byPortable(base.Stacks), stacksOf(findings)
	var gone, added []pairing
	for i := range newer.Stacks {
		p := pairing{new: &newer.Stacks[i], finding: part[newer.Stacks[i].PortableID]}
		p.base = before[p.new.PortableID]
		delete(before, p.new.PortableID)
		switch kind := p.kind(base, newer); {
		case kind == DifferenceNew && !p.new.Usual:
			c.RareNew++
		case kind == DifferenceNew: // perhaps it was called otherwise
			added = append(added, p)
		case kind != "":
			c.Differences = append(c.Differences, p.difference(kind))
		}
	}
	for i := range base.Stacks {
		switch s := &base.Stacks[i]; {
		case before[s.PortableID] == nil:
		case !s.Usual:
			c.RareGone++
		default:
			gone = append(gone, pairing{base: s})
		}
	}
	c.Differences = append(c.Differences, withMoves(added, gone)...)
	slices.SortStableFunc(c.Differences, func(a, b Difference) int {
		return cmp.Or(slices.Index(differenceKinds, a.Kind)-slices.Index(differenceKinds, b.Kind),
			cmp.Compare(b.Weight(), a.Weight()), cmp.Compare(a.PortableID, b.PortableID))
	})
	return c
}

// byPortable returns the stacks by their IDs.
func byPortable(stacks []Standing) map[string]*Standing {
	by := make(map[string]*Standing, len(stacks))
	for i := range stacks {
		by[stacks[i].PortableID] = &stacks[i]
	}
	return by
}

// stacksOf returns the keys of the findings at suspect or above by the portable
// IDs of their stacks; of several the first, which is the surest.
func stacksOf(findings []Finding) map[string]string {
	keys := map[string]string{}
	for _, f := range findings {
		for _, s := range f.Stacks {
			if f.Level.AtLeast(Suspect) && keys[s.PortableID] == "" {
				keys[s.PortableID] = f.Key
			}
		}
	}
	return keys
}

// pairing is a stack on both sides; nil where it does not stand.
type pairing struct {
	base, new *Standing
	finding   string
}

// kind tells how a stack that stands on the newer side differs; empty if it does
// not.
func (p pairing) kind(base, newer *Inventory) DifferenceKind {
	switch {
	case p.base == nil:
		return DifferenceNew
	case p.finding != "" && rises(p.base.Typical, p.new.Typical):
		return DifferenceGrown
	}
	before, now := p.base.holding(base), p.new.holding(newer)
	switch {
	case grown(before, now), grown(p.base.Most, p.new.Most):
		return DifferenceGrown
	case grown(now, before):
		return DifferenceShrunk
	}
	return ""
}

// holding is what a typical process of the inventory has of the stack.
func (s *Standing) holding(inv *Inventory) Holding {
	return Holding{Typical: s.Typical, Mean: s.Mean, InFlight: inv.InFlight, Samples: inv.Samples}
}

// rises reports whether a number of goroutines is so much above another that it
// tells something.
func rises(from, to float64) bool { return to >= growFactor*from && to-from >= growGoroutines }

// grown reports whether b has grown beyond a.
func grown(a, b Holding) bool {
	if !rises(a.Typical, b.Typical) {
		return false
	}
	if a.InFlight == nil || b.InFlight == nil || *a.InFlight == 0 || *b.InFlight == 0 {
		return true
	}
	// What a would be under the load of b. Where a's load was low it rests on few
	// goroutines: by twice the error of a mean, chance may have lowered it.
	mean := a.Mean + 2*math.Sqrt(a.Mean/float64(a.Samples))
	return rises(mean*(*b.InFlight)/(*a.InFlight), b.Mean)
}

// difference returns a pairing in the form of a result.
func (p pairing) difference(kind DifferenceKind) Difference {
	s := cmp.Or(p.new, p.base)
	d := Difference{Kind: kind, PortableID: s.PortableID, Frames: s.Frames, State: s.State, CreatedBy: s.CreatedBy, Finding: p.finding}
	if p.base != nil {
		d.Base, d.BaseMost, d.BaseSeen = p.base.Typical, p.base.Most.Typical, p.base.Seen
	}
	if p.new != nil {
		d.New, d.NewMost, d.NewSeen = p.new.Typical, p.new.Most.Typical, p.new.Seen
	}
	return d
}

// Package profile reads goroutine profiles and dumps of Go processes into
// snapshots that can be compared with each other.
//
// [Read] takes what the runtime writes (/debug/pprof/goroutine and
// /debug/pprof/goroutineleak with debug=0, 1 and 2), plain or gzipped, also
// inside a log, and tells the forms apart by their content. Goroutines are
// grouped by [Signature], which has the same value for the same stack in every
// encoding, so that snapshots of different encodings and samples compare.
//
// The package promises that no goroutine is lost silently: what cannot be read
// is counted in [Snapshot.Unreadable] and told in [Snapshot.Warnings]. It does
// not judge: whether a group is a leak is for package classify to say.
package profile

import (
	"cmp"
	"slices"
	"time"
)

// Encoding is the form in which a snapshot was written.
type Encoding int

// The encodings, by the value of the debug parameter that asks for them.
const (
	Debug0 Encoding = iota // protobuf: counts by stack, with line numbers
	Debug1                 // text: counts by stack, without states
	Debug2                 // text: every goroutine with id, state and creator
)

// String returns "debug=0", "debug=1" or "debug=2".
func (e Encoding) String() string {
	return [...]string{"debug=0", "debug=1", "debug=2"}[e]
}

// A Snapshot holds the goroutines of one process at one instant.
type Snapshot struct {
	// Time is when the snapshot was taken; zero if the dump does not say
	// (only debug=0 does).
	Time time.Time
	// Encoding is the form that the counts come from.
	Encoding Encoding
	// LeaksOnly says that this is a goroutineleak profile in debug=0 or 1:
	// only goroutines that the garbage collector proved to be leaked.
	LeaksOnly bool
	// Total is the number of goroutines in Groups; a lower bound where
	// Truncated or Unreadable is set.
	Total int
	// Groups are the goroutines by signature, most goroutines first, then by
	// signature.
	Groups []Group
	// BuildID identifies the binary (GNU or Go build id of the main
	// mapping); only debug=0 has it, empty otherwise.
	BuildID string
	// Unreadable is the number of goroutines that were seen but could not be
	// read.
	Unreadable int
	// Repeated is the number of goroutines that stand in the dump twice, for an
	// excerpt of it was pasted before it. They are counted once.
	Repeated int
	// LeftOut is the number of traces of a single goroutine that stand beside the
	// dump in one text: a panic that was recovered prints its own. They are no
	// sample, and not counted.
	LeftOut int
	// Truncated says that there were more than could be seen: the dump begins or
	// ends in the middle, at the 64 MiB where the runtime cuts debug=2 or where a
	// paste was cut, or a count in it is none.
	Truncated bool
	// Warnings tell what is missing or doubtful, in full sentences, in the
	// order in which it was met.
	Warnings []string
}

// A Group is all goroutines of a snapshot with the same signature.
type Group struct {
	Signature Signature
	// Count is the number of goroutines, at least 1.
	Count int
	// Frames are the calls of one member, leaf first, without the runtime's
	// own. Members may differ in lines and beyond the signature's depth.
	Frames []Frame
	// Places are the lines of the leaf and the states in which members stand
	// there, most goroutines first, then by line and state. Their counts add
	// up to Count.
	Places []Place
	// CreatedBy is the function that started the goroutines, where debug=2
	// tells and all members agree; else empty.
	CreatedBy string
	// Goroutines are the single members, by id, where debug=2 tells; else
	// nil. Their number may differ from Count, which was taken at another
	// instant.
	Goroutines []Goroutine
}

// A Frame is one call of a stack.
type Frame struct {
	// Func is the function's name as the linker spells it, with type
	// arguments folded to "[...]".
	Func string
	// File is the source file as recorded in the binary; may be empty.
	File string
	// Line is 1-based; 0 if unknown.
	Line int
}

// A Place is a line and a state in which goroutines of a group stand.
type Place struct {
	Line  int // of the leaf, 1-based; 0 if unknown
	State State
	Count int
}

// A Goroutine is one goroutine of a debug=2 dump.
type Goroutine struct {
	ID      int64 // as the runtime counts them, from 1
	Creator int64 // id of the goroutine that started it; 0 if unknown (before Go 1.21)
	// WaitMinutes is a lower bound of the time blocked: the runtime starts
	// the clock at the first garbage collection after the goroutine parked
	// and prints full minutes only. 0 says nothing.
	WaitMinutes int
	// Leaked says that the garbage collector proved it to be leaked
	// (goroutineleak profile with debug=2).
	Leaked bool
}

// State returns the state in which most goroutines of the group stand.
func (g *Group) State() State {
	if len(g.Places) == 0 {
		return StateUnknown
	}
	return g.Places[0].State
}

// MaxWaitMinutes returns the longest wait of a member in minutes, a lower
// bound; 0 if no member shows one.
func (g *Group) MaxWaitMinutes() int {
	m := 0
	for _, r := range g.Goroutines {
		m = max(m, r.WaitMinutes)
	}
	return m
}

// Group returns the group with the given signature, or nil.
func (s *Snapshot) Group(sig Signature) *Group {
	for i := range s.Groups {
		if s.Groups[i].Signature == sig {
			return &s.Groups[i]
		}
	}
	return nil
}

// Annotate adds to s what only a debug=2 dump of the same process knows:
// single goroutines, creators and states that s could not tell. The counts of
// s stay as they are, so that a series never changes its yardstick.
func (s *Snapshot) Annotate(full *Snapshot) {
	bySig := make(map[Signature]*Group, len(full.Groups))
	for i := range full.Groups {
		bySig[full.Groups[i].Signature] = &full.Groups[i]
	}
	for i := range s.Groups {
		g := &s.Groups[i]
		f := bySig[g.Signature]
		if f == nil {
			continue
		}
		g.CreatedBy, g.Goroutines = f.CreatedBy, f.Goroutines
		g.adoptStates(f.Places)
	}
	s.Warnings = append(s.Warnings, full.Warnings...)
}

// adoptStates fills in unknown states where the other dump is unanimous about
// the line.
func (g *Group) adoptStates(places []Place) {
	states := map[int]State{}
	for _, p := range places {
		if old, seen := states[p.Line]; seen && old != p.State {
			states[p.Line] = StateUnknown
			continue
		}
		states[p.Line] = p.State
	}
	g.Places = slices.Clone(g.Places) // other samples may have the same ones
	for i := range g.Places {
		if p := &g.Places[i]; p.State == StateUnknown {
			p.State = states[p.Line]
		}
	}
}

// sortGroups brings groups and their parts into the documented order.
func sortGroups(groups []Group) {
	for i := range groups {
		g := &groups[i]
		slices.SortFunc(g.Places, func(a, b Place) int {
			return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Line, b.Line), cmp.Compare(a.State, b.State))
		})
		slices.SortFunc(g.Goroutines, func(a, b Goroutine) int { return cmp.Compare(a.ID, b.ID) })
	}
	slices.SortFunc(groups, func(a, b Group) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Signature, b.Signature))
	})
}

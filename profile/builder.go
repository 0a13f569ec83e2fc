package profile

import (
	"fmt"
	"maps"
	"slices"
)

// maxFrames bounds the frames kept of a stack: the runtime's own limit in
// debug=0 and 1 since Go 1.23 (profStackDepth in runtime/mprof.go).
const maxFrames = 128

// builder groups goroutines into a snapshot.
type builder struct {
	snap    Snapshot
	groups  map[Signature]int // index into snap.Groups
	mixed   map[int]bool      // groups whose members have different creators
	dropped map[string]int    // reasons why something could not be read
}

func newBuilder(e Encoding) *builder {
	return &builder{
		snap:    Snapshot{Encoding: e},
		groups:  map[Signature]int{},
		mixed:   map[int]bool{},
		dropped: map[string]int{},
	}
}

// add counts n goroutines that stand in the stack, leaf first, and returns the
// index of their group.
func (b *builder) add(frames []Frame, state State, n int) int {
	sig := NewSignature(frames)
	i, ok := b.groups[sig]
	if !ok {
		kept := withoutRuntime(frames)
		if len(kept) > maxFrames {
			kept = kept[:maxFrames]
		}
		i = len(b.snap.Groups)
		b.groups[sig] = i
		b.snap.Groups = append(b.snap.Groups, Group{Signature: sig, Frames: kept})
	}
	b.count(i, leafLine(frames), state, n)
	return i
}

// count adds n goroutines to a place of a group that is there already.
func (b *builder) count(group, line int, state State, n int) {
	g := &b.snap.Groups[group]
	g.Count += n
	b.snap.Total += n
	for i := range g.Places {
		if p := &g.Places[i]; p.Line == line && p.State == state {
			p.Count += n
			return
		}
	}
	g.Places = append(g.Places, Place{Line: line, State: state, Count: n})
}

// member records a single goroutine of a group and who started it.
func (b *builder) member(group int, r Goroutine, createdBy string) {
	g := &b.snap.Groups[group]
	switch {
	case len(g.Goroutines) == 0:
		g.CreatedBy = createdBy
	case g.CreatedBy != createdBy:
		b.mixed[group] = true
	}
	g.Goroutines = append(g.Goroutines, r)
}

// unreadable counts something that was seen but could not be read.
func (b *builder) unreadable(reason string) {
	b.snap.Unreadable++
	b.dropped[reason]++
}

// finish returns the snapshot in its documented order.
func (b *builder) finish() *Snapshot {
	for i := range b.mixed {
		b.snap.Groups[i].CreatedBy = ""
	}
	for _, reason := range slices.Sorted(maps.Keys(b.dropped)) {
		b.snap.Warnings = append(b.snap.Warnings, fmt.Sprintf("%d could not be read: %s", b.dropped[reason], reason))
	}
	sortGroups(b.snap.Groups)
	return &b.snap
}

// leafLine returns the line of the leaf-most frame that is not the runtime's.
func leafLine(frames []Frame) int {
	for _, f := range frames {
		if !isRuntime(f.Func) {
			return f.Line
		}
	}
	return 0
}

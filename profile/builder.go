package profile

import (
	"fmt"
	"maps"
	"slices"
)

// maxFrames bounds the frames kept of a stack: the runtime's own limit in
// debug=0 and 1 since Go 1.23 (profStackDepth in runtime/mprof.go).
const maxFrames = 128

// maxStack bounds the frames read of a stack: maxFrames of debug=0 with the
// calls inlined in them, and far more than the 100 of a traceback.
const maxStack = 1024

// maxKept bounds what a snapshot keeps, in bytes. A process has some hundred
// distinct stacks of a few KiB each; an input made to have millions must not
// take the memory of the machine.
const maxKept = 256 << 20

// tooMany is why goroutines beyond maxKept are not read.
const tooMany = "more different stacks than any Go program has"

// maxExpected bounds the stacks for which room is made beforehand: a process
// has some hundred, however many samples its profile has.
const maxExpected = 256

// builder groups goroutines into a snapshot.
type builder struct {
	snap    Snapshot
	groups  map[Signature]int // index into snap.Groups
	places  map[groupPlace]int
	mixed   map[int]bool   // groups whose members have different creators
	dropped map[string]int // reasons why something could not be read
	kept    int            // bytes, about
	frames  []Frame        // scratch
	sig     []byte         // scratch
}

// groupPlace finds a place: index into snap.Groups, line and state. The value
// is the index into the group's Places.
type groupPlace struct {
	group, line int
	state       State
}

// spot is where goroutines are counted: index into snap.Groups, and into the
// group's Places.
type spot struct{ group, place int }

// newBuilder returns a builder for as many stacks as can be told beforehand; 0
// if not.
func newBuilder(e Encoding, stacks int) *builder {
	stacks = min(stacks, maxExpected)
	return &builder{
		snap:    Snapshot{Encoding: e, Groups: make([]Group, 0, stacks)},
		groups:  make(map[Signature]int, stacks),
		places:  make(map[groupPlace]int, stacks),
		mixed:   map[int]bool{},
		dropped: map[string]int{},
	}
}

// add counts n goroutines that stand in the stack, leaf first, and returns
// where they are counted; not ok if there is no room for another stack. It
// keeps nothing of the slice.
func (b *builder) add(frames []Frame, state State, n int) (at spot, ok bool) {
	b.frames = withoutRuntime(b.frames[:0], frames)
	b.sig = appendSignature(b.sig[:0], b.frames)
	i, known := b.groups[Signature(b.sig)]
	if !known {
		i = len(b.snap.Groups)
	}
	p := groupPlace{group: i, line: leafLine(b.frames), state: state}
	at.group = i
	if at.place, ok = b.places[p]; ok {
		b.count(at, n)
		return at, true
	}
	need, kept := placeSize+len(state), b.frames[:min(len(b.frames), maxFrames)]
	if !known {
		need += len(b.sig) + size(kept)
	}
	if !b.room(need) {
		return at, false
	}
	if !known {
		sig := Signature(b.sig)
		b.groups[sig] = i
		b.snap.Groups = append(b.snap.Groups, Group{Signature: sig, Frames: slices.Clone(kept)})
	}
	g := &b.snap.Groups[i]
	at.place = len(g.Places)
	b.places[p] = at.place
	g.Places = append(g.Places, Place{Line: p.line, State: state})
	b.count(at, n)
	return at, true
}

// count adds n goroutines to a place that is there already.
func (b *builder) count(at spot, n int) {
	g := &b.snap.Groups[at.group]
	g.Count += n
	g.Places[at.place].Count += n
	b.snap.Total += n
}

// Sizes in memory, in bytes, about: with what maps take for them.
const (
	frameSize     = 64
	placeSize     = 128
	goroutineSize = 40
)

func size(frames []Frame) int {
	n := 0
	for _, f := range frames {
		n += frameSize + len(f.Func) + len(f.File)
	}
	return n
}

// room takes bytes off what a snapshot may keep and reports whether they were
// left.
func (b *builder) room(bytes int) bool {
	if b.kept+bytes > maxKept {
		return false
	}
	b.kept += bytes
	return true
}

// member records a single goroutine of a group and who started it.
func (b *builder) member(group int, r Goroutine, createdBy string) {
	if !b.room(goroutineSize) {
		return // its group and count are there; only its id is lost
	}
	g := &b.snap.Groups[group]
	switch {
	case len(g.Goroutines) == 0:
		g.CreatedBy = createdBy
	case g.CreatedBy != createdBy:
		b.mixed[group] = true
	}
	if len(g.Goroutines) == cap(g.Goroutines) {
		g.Goroutines = slices.Grow(g.Goroutines, max(4, len(g.Goroutines))) // append grows by less, and copies more
	}
	g.Goroutines = append(g.Goroutines, r)
}

// unreadable counts goroutines that were seen but could not be read.
func (b *builder) unreadable(n int, reason string) {
	b.snap.Unreadable += n
	b.dropped[reason] += n
}

// beginningMissing says that the dump begins in the middle.
func (b *builder) beginningMissing() {
	b.snap.Truncated = true
	b.snap.Warnings = append(b.snap.Warnings, "the beginning of the dump is missing: counts are lower bounds")
}

// outOfRange takes a count that no process has. What it stood for is not known.
func (b *builder) outOfRange() {
	b.unreadable(1, "a count out of range")
	b.snap.Truncated = true
}

// finish returns the snapshot in its documented order.
func (b *builder) finish() *Snapshot {
	for i := range b.mixed {
		b.snap.Groups[i].CreatedBy = ""
	}
	for _, reason := range slices.Sorted(maps.Keys(b.dropped)) {
		b.snap.Warnings = append(b.snap.Warnings, fmt.Sprintf("%d could not be read: %s", b.dropped[reason], reason))
	}
	if n := b.snap.Repeated; n > 0 {
		b.snap.Warnings = append(b.snap.Warnings, fmt.Sprintf("%d stand in the dump twice, as an excerpt before it: they are counted once", n))
	}
	sortGroups(b.snap.Groups)
	snap := b.snap // of its own, or it would keep the builder
	return &snap
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

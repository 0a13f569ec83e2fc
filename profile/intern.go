package profile

import (
	"slices"
	"strings"
	"sync"
)

// An Intern lets samples share what is the same in nearly all of them, which
// is nearly all of what a sample weighs: without it a thousand processes take
// hundreds of megabytes.
//
// Several goroutines may use it at the same time. What samples share must not
// be changed in place; [Snapshot.Annotate] does not. It takes a bounded amount of
// memory, however long it is in use.
type Intern struct {
	mu     sync.Mutex
	stacks map[Signature][]stack // variants by signature
	labels map[string]labelSet   // by their text
	names  map[string]string     // functions, files and other short strings
	kept   int                   // bytes, about
}

// stack is a stack that was seen before.
type stack struct {
	signature Signature
	frames    []Frame
	places    []Place // those of the sample that had it last
}

// labelSet is labels that were seen before and their text.
type labelSet struct {
	text   string
	labels map[string]string
}

// NewIntern returns an Intern that has seen nothing yet.
func NewIntern() *Intern {
	return &Intern{stacks: map[Signature][]stack{}, labels: map[string]labelSet{}, names: map[string]string{}}
}

// maxVariants is the most stacks of one signature that are remembered. They
// differ in lines only, so that there are few.
const maxVariants = 16

// maxInterned bounds what is remembered, in bytes. A process has some hundred
// stacks of a few KiB each, whichever release it is of.
const maxInterned = 128 << 20

// Snapshot replaces the stacks and names in s by equal ones that were seen
// before, and frees what s does not need. The content of s stays the same; s
// must not be in use elsewhere.
func (in *Intern) Snapshot(s *Snapshot) {
	in.mu.Lock()
	defer in.mu.Unlock()
	s.Groups = exact(s.Groups)
	s.BuildID = in.name(s.BuildID)
	for i := range s.Groups {
		g := &s.Groups[i]
		in.stack(g)
		g.CreatedBy = in.name(g.CreatedBy)
		g.Goroutines = exact(g.Goroutines)
	}
}

// stack replaces the stack and the places of a group.
func (in *Intern) stack(g *Group) {
	known := in.stacks[g.Signature]
	for i := range known {
		k := &known[i]
		if !slices.Equal(k.frames, g.Frames) {
			continue
		}
		g.Signature, g.Frames = k.signature, k.frames
		if !slices.Equal(k.places, g.Places) {
			k.places = in.places(g.Places)
		}
		g.Places = k.places
		return
	}
	g.Frames = in.frames(g.Frames)
	g.Places = in.places(g.Places)
	if len(known) > 0 {
		g.Signature = known[0].signature
	} else {
		g.Signature = Signature(strings.Clone(string(g.Signature)))
	}
	if len(known) == maxVariants {
		return
	}
	in.keep(len(g.Signature) + size(g.Frames) + len(g.Places)*placeSize)
	in.stacks[g.Signature] = append(known, stack{g.Signature, g.Frames, g.Places})
}

// frames returns equal frames that keep nothing else in memory.
func (in *Intern) frames(frames []Frame) []Frame {
	own := make([]Frame, len(frames))
	for i, f := range frames {
		own[i] = Frame{Func: in.name(f.Func), File: in.name(f.File), Line: f.Line}
	}
	return own
}

// places returns equal places that keep nothing else in memory.
func (in *Intern) places(places []Place) []Place {
	own := make([]Place, len(places))
	for i, p := range places {
		own[i] = Place{Line: p.Line, State: State(in.name(string(p.State))), Count: p.Count}
	}
	return own
}

// name returns an equal string that is no part of a longer one.
func (in *Intern) name(s string) string {
	if s == "" {
		return ""
	}
	if known, ok := in.names[s]; ok {
		return known
	}
	in.keep(entrySize + len(s))
	s = strings.Clone(s)
	in.names[s] = s
	return s
}

// entrySize is what an entry of a map takes, in bytes, about.
const entrySize = 64

// keep makes room for bytes. What is full is emptied: what is common is there
// again with the next sample.
func (in *Intern) keep(bytes int) {
	if in.kept += bytes; in.kept > maxInterned {
		clear(in.stacks)
		clear(in.labels)
		clear(in.names)
		in.kept = bytes
	}
}

// exact returns the slice in an array of its own size.
func exact[T any](s []T) []T {
	if len(s) == cap(s) {
		return s
	}
	return append(make([]T, 0, len(s)), s...)
}

// labelSet returns the labels with the given text, as [appendLabels] writes
// it. Labels that are new are remembered.
func (in *Intern) labelSet(text []byte, labels map[string]string) labelSet {
	if known, ok := in.labels[string(text)]; ok {
		return known
	}
	own := labelSet{text: string(text)}
	if len(labels) > 0 {
		own.labels = make(map[string]string, len(labels))
	}
	for k, v := range labels {
		own.labels[in.name(k)] = in.name(v)
	}
	in.keep(entrySize + len(labels)*entrySize + len(own.text))
	in.labels[own.text] = own
	return own
}

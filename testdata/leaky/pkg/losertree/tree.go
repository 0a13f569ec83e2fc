// Package losertree stands for the merge of sorted series in Thanos: generic,
// so that its symbols carry type arguments, which the encodings of a
// goroutine profile spell differently.
package losertree

// Sequence is what is merged.
type Sequence interface {
	// Next advances and reports whether there is a value. It may block.
	Next() bool
}

// Tree holds the sequences that still have values.
type Tree[S Sequence] struct {
	live []S
}

// New advances every sequence once and keeps those that have a value.
//
//go:noinline
func New[S Sequence](sequences []S) *Tree[S] {
	t := &Tree[S]{}
	for _, s := range sequences {
		if t.moveNext(s) {
			t.live = append(t.live, s)
		}
	}
	return t
}

//go:noinline
func (t *Tree[S]) moveNext(s S) bool {
	more := s.Next()
	return more
}

// Next drops the values of the first sequence, then of the second, and so on:
// the order does not matter here.
func (t *Tree[S]) Next() bool {
	for len(t.live) > 0 {
		if t.moveNext(t.live[0]) {
			return true
		}
		t.live = t.live[1:]
	}
	return false
}

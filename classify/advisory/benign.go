package advisory

import (
	_ "embed" // for benignRaw
	"fmt"
	"strings"
)

// benignFile is the embedded file with the goroutines of healthy processes.
// There is but this one: a user's own would hide leaks without a trace.
const benignFile = "benign.yaml"

//go:embed benign.yaml
var benignRaw []byte

// Constant is what goroutines scale with that nothing makes more of.
const Constant = "nothing: constant"

// A Benign is a kind of goroutines that stand in healthy processes, with what
// their number follows. Growth of such goroutines is first a question about
// what they scale with.
type Benign struct {
	// ID is a short name: "http-conn".
	ID string `yaml:"id"`
	// Components are those in which it is so; nil for all.
	Components []string `yaml:"components"`
	// Frames are patterns of stacks, any of which is enough; see the
	// package's documentation.
	Frames [][]string `yaml:"frames"`
	// ScalesWith says in a few words what their number follows, for people:
	// "open inbound HTTP connections", or [Constant].
	ScalesWith string `yaml:"scales_with"`
	// AtMost is the number of goroutines of all the patterns together that
	// may stand in a healthy process; 0 if no bound is known. Only what is
	// [Constant] has one.
	AtMost int `yaml:"at_most"`
	// InFlight says that the goroutines work for requests: this is where
	// leaks show, so that the row explains a stack and excuses nothing.
	InFlight bool `yaml:"in_flight"`
}

// BenignOf returns the first row that knows the functions of a stack, leaf
// first, in a component; nil if none does. An unknown component ("") is not
// ruled out.
func (db *DB) BenignOf(functions []string, component string) *Benign {
	for i := range db.Benign {
		b := &db.Benign[i]
		if AppliesTo(b.Components, component) && b.match(functions) {
			return b
		}
	}
	return nil
}

// match reports whether the functions have one of the patterns.
func (b *Benign) match(functions []string) bool { return matchAny(b.Frames, functions) }

// readBenign reads rows of healthy goroutines. The error joins what is wrong
// with each.
func readBenign(name string, raw []byte) ([]Benign, error) {
	var rows []Benign
	if err := decode(name, raw, &rows); err != nil {
		return nil, err
	}
	var ps problems
	seen := map[string]bool{}
	for i := range rows {
		b := &rows[i]
		if seen[b.ID] {
			ps.add(fmt.Sprintf("[%d].id", i), "there is a row %q already", b.ID)
		}
		seen[b.ID] = true
		for _, p := range b.validate() {
			ps.add(fmt.Sprintf("[%d].%s", i, p.path), "row %q: %s", b.ID, p.text)
		}
	}
	if err := ps.in(name, raw); err != nil {
		return nil, err
	}
	return rows, nil
}

// validate checks what decoding cannot.
func (b *Benign) validate() problems {
	var ps problems
	validateComponents(&ps, "components", b.Components)
	if b.ID == "" {
		ps.add("id", "id is missing")
	}
	if strings.TrimSpace(b.ScalesWith) == "" {
		ps.add("scales_with", "scales_with is missing")
	}
	if b.AtMost < 0 || b.AtMost > 0 && b.ScalesWith != Constant {
		ps.add("at_most", "at_most %d: want a positive number, and only with scales_with %q", b.AtMost, Constant)
	}
	if b.InFlight && b.ScalesWith == Constant {
		ps.add("in_flight", "in_flight: requests are no constant")
	}
	if len(b.Frames) == 0 {
		ps.add("frames", "frames is missing")
	}
	for i, frames := range b.Frames {
		validateFrames(&ps, fmt.Sprintf("frames[%d]", i), "frames", frames)
	}
	return ps
}

package classify

import (
	"slices"

	"github.com/thanosleak/thanosleak/classify/advisory"
)

// Level is how sure a finding is.
type Level string

// The levels.
const (
	Confirmed Level = "confirmed" // page somebody
	Likely    Level = "likely"    // look today
	Suspect   Level = "suspect"   // watch
	Note      Level = "note"      // worth telling
)

// levels are ordered, surest last; the empty level is no finding.
var levels = []Level{"", Note, Suspect, Likely, Confirmed}

// AtLeast reports whether l is as sure as m or surer.
func (l Level) AtLeast(m Level) bool { return slices.Index(levels, l) >= slices.Index(levels, m) }

// Affected tells whether a release has the defect of an advisory.
type Affected int

// The values.
const (
	AffectedUnknown Affected = iota // the version is unknown or not official
	AffectedYes
	AffectedNo // never in a witness: the stack is then judged as an unknown one
)

// witness is the evidence that the level of an occurrence hangs on.
type witness struct {
	// known is set where the stack has the signature of an advisory that the
	// release may have; the next fields tell more of it.
	known      bool
	affected   Affected
	class      advisory.Class
	health     advisory.Health
	fromSource bool // known from source only

	persistent     bool // stands there for longer than health allows
	aboveBound     bool // more stand there than health allows
	blockedForever bool // no event can end the wait
	several        bool // at least two culprits
	growing        bool
	excluded       bool // something that the leak needs is known not to hold
	watched        bool // a reader of a store or block: always told of
}

// level is the table from evidence to level; empty for nothing worth telling.
// What is known from source only is never more than a suspicion.
func (w witness) level() Level {
	level := w.uncapped()
	if w.known && w.fromSource && level.AtLeast(Suspect) {
		return Suspect
	}
	return level
}

func (w witness) uncapped() Level {
	stack := w.known && w.class != advisory.PileUp && w.health != advisory.Always
	defect := stack && (!w.excluded || w.blockedForever)
	lasting := w.health == advisory.Never || w.persistent || w.aboveBound
	switch {
	case w.blockedForever && (defect || w.growing && w.several):
		return Confirmed
	case defect && w.affected == AffectedYes && w.growing:
		return Confirmed
	case defect && lasting:
		return Likely
	case w.growing, w.watched && w.blockedForever && w.several:
		return Suspect
	case w.blockedForever, stack, w.known && w.aboveBound:
		return Note
	}
	return ""
}

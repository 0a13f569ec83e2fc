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
	overstayed     bool // one has waited for longer, by its own account
	aboveBound     bool // more stand there than health allows
	bounded        bool // a pile-up that grows, but follows the load or may come to rest
	blockedForever bool // no event can end the wait
	proven         bool // the garbage collector proved it
	several        bool // at least two culprits
	excluded       bool // something that the leak needs is known not to hold
	watched        bool // a reader of a store or block: always told of

	growing   bool // within the samples, and the load does not explain it
	sustained bool // over a day or over several lives, load taken out; or with each round of a soak
	retained  bool // the work is over and the goroutines stayed
	outlived  bool // the same goroutines for longer than a request may take
	stuck     bool // requests have begun and not ended for as long
	saturated bool // everything that may run at once is taken for as long
}

// level is the table from evidence to level; empty for nothing worth telling.
// What is known from source only is never more than a suspicion by that; what
// any stack would be found for is found in one that is known as well.
func (w witness) level() Level {
	level := w.uncapped()
	if w.known && w.fromSource && level.AtLeast(Suspect) {
		level = Suspect
	}
	if w.known && w.class != advisory.PileUp {
		stranger := w
		stranger.known = false
		if other := stranger.uncapped(); other.AtLeast(level) {
			return other
		}
	}
	return level
}

func (w witness) uncapped() Level {
	pileUp := w.known && w.class == advisory.PileUp
	stack := w.known && w.class != advisory.PileUp && w.health != advisory.Always
	defect := stack && (!w.excluded || w.blockedForever)
	stands := w.health == advisory.Never || w.persistent || w.aboveBound
	moves := w.growing || w.sustained
	overdue := w.outlived || w.stuck
	switch {
	case w.proven:
		return Confirmed
	case w.blockedForever && (defect || moves && w.several):
		return Confirmed
	case defect && w.affected == AffectedYes && (moves || overdue || w.retained || w.saturated):
		return Confirmed
	case defect && stands:
		return Likely
	case !pileUp && (w.sustained || overdue && (moves || w.retained || w.saturated)):
		return Likely
	case moves, overdue, w.retained, w.saturated && !w.known, w.watched && w.blockedForever && w.several:
		return Suspect
	case w.blockedForever, stack, w.known && (w.aboveBound || w.bounded || w.overstayed && w.health != advisory.Always):
		return Note
	}
	return ""
}

// verdict sums the result up.
func verdict(r *Result) Verdict {
	worst := Level("")
	for _, f := range r.Findings {
		if f.Level.AtLeast(worst) {
			worst = f.Level
		}
	}
	judged := func(want Judged) bool {
		return slices.ContainsFunc(r.Targets, func(t TargetResult) bool { return t.Judged == want })
	}
	switch {
	case worst.AtLeast(Likely):
		return VerdictLeak
	case worst.AtLeast(Suspect):
		return VerdictSuspect
	case judged(JudgedNo) || len(r.Targets) == 0:
		return VerdictIncomplete
	case judged(JudgedUndecided):
		return VerdictUndecided
	}
	return VerdictClean
}

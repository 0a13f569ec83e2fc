package classify

import (
	"fmt"
	"slices"
	"time"

	"github.com/thanosleak/thanosleak/classify/advisory"
	"github.com/thanosleak/thanosleak/profile"
)

// seen is what the goroutines of a known leak show in one life, beside their
// number.
type seen struct {
	proven  proof
	overdue overdue
	kept    retention
	climb   climb
	blame   blame
	// keptForGood says that they stayed for longer than a request may, or
	// that none was in flight any more.
	keptForGood bool
	turnover    turnover
	// settles is the time within which a pile-up is known to come to rest;
	// 0 if none is known.
	settles time.Duration
	span    time.Duration
	// soak is how the culprits, or they and those behind them, developed from
	// rest to rest.
	soak ascent
}

// isCulprit reports whether the group is one of culprits.
func (sc *scene) isCulprit(g *profile.Group) bool {
	r := sc.role(g)
	return r != nil && r.culprit
}

// plays reports whether the group is one of culprits or victims.
func (sc *scene) plays(g *profile.Group) bool { return sc.role(g) != nil }

// seenOf looks at the goroutines of the scene over a life. all are the counts
// of culprits and victims.
func (j *judge) seenOf(sc *scene, l life, all, culprits []float64) seen {
	work := loadOf(l)
	s := seen{
		proven:  provenIn(l, sc.isCulprit),
		overdue: j.overdue(sc.process, l, sc.plays),
		climb:   j.Thresholds.sustained(l.times(), culprits, work),
		settles: sc.adv.SettlesWithin,
		span:    l.span(),
	}
	s.blame = work.blameFor(all)
	s.turnover = turnoverOf(l, sc.isCulprit)
	if sc.adv.Class != advisory.PileUp && work.known() {
		s.kept = j.Thresholds.retained(l.times(), culprits, nil, work)
		s.keptForGood = s.kept.found && (s.kept.over > sc.process.deadline() || inFlight(l.last().Metrics) == 0)
	}
	if s.blame != blameNone {
		s.climb = climb{}
	} else if !s.climb.found && l.last() == sc.process.newest().last() {
		s.climb = j.sceneOverLives(sc)
	}
	return s
}

// sceneOverLives looks whether the culprits rise in one life after the other.
func (j *judge) sceneOverLives(sc *scene) climb {
	lives := sc.process.sameBuild()
	if len(lives) < 2 {
		return climb{}
	}
	var counts []float64
	for _, l := range lives {
		for i := range l.samples {
			counts = append(counts, float64(sc.tally(l.samples[i].Goroutines).culprits))
		}
	}
	return j.Thresholds.overLives(j.lived(lives, counts))
}

// passes reports whether the culprits of a number that rises are others in
// every sample, or as many as there are requests.
func (s *seen) passes(culprits []float64) bool {
	c := column{counts: culprits, turnover: s.turnover}
	return s.blame != blameNone || c.passes()
}

// into adds what was seen to a witness. A pile-up that follows the load, or
// that may still come to rest, does not grow.
func (s *seen) into(w *witness, c *caseOf) {
	w.proven = s.proven.holds()
	w.outlived, w.stuck, w.saturated = s.overdue.lasting(), s.overdue.requests.strong(), s.overdue.jam.strong()
	w.retained, w.sustained = s.keptForGood, s.climb.found || s.soak.trend == everyTime
	if w.class != advisory.PileUp {
		return
	}
	w.bounded = w.growing && (s.blame != blameNone || s.span <= s.settles)
	w.growing = w.growing && !w.bounded
	c.bounded = w.bounded
}

// evidence says what was seen.
func (s *seen) evidence() []Evidence {
	ev := slices.Concat(s.soak.evidence(), provenEvidence(s.proven), s.overdue.evidence(), climbEvidence(s.climb), retainedEvidence(s.kept), loadEvidence(s.blame), turnoverEvidence(s.turnover))
	if s.settles > 0 && s.span <= s.settles {
		ev = append(ev, Evidence{Kind: KindGrowing, Strength: Contrary,
			Text: fmt.Sprintf("such a pile-up grows for %s at most and stays there", Span(s.settles))})
	}
	return ev
}

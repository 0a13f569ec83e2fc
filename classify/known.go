package classify

import (
	"fmt"
	"slices"

	"github.com/thanosleak/thanosleak/classify/advisory"
	"github.com/thanosleak/thanosleak/profile"
)

// role is what the groups of one signature are in an advisory.
type role struct {
	pattern *advisory.Pattern
	culprit bool
}

// scene is the culprits and victims of one cause in one process.
type scene struct {
	process *process
	// roles are by stack; those that play no role are in it as nil.
	roles map[stackKey]*role
	// partners tell by pattern which signatures have its frames of each.
	partners map[*advisory.Pattern]map[profile.Signature]bool
	adv      *advisory.Advisory
}

// stackKey is what the role of a group hangs on; the creator is empty where it
// is not known.
type stackKey struct {
	sig       profile.Signature
	createdBy string
}

func newScene(p *process, a *advisory.Advisory) *scene {
	return &scene{process: p, adv: a, roles: map[stackKey]*role{}, partners: map[*advisory.Pattern]map[profile.Signature]bool{}}
}

// role finds the role of a group by the patterns that hold for the process's
// release.
func (sc *scene) role(g *profile.Group) *role {
	key := stackKey{g.Signature, g.CreatedBy}
	if r, seen := sc.roles[key]; seen {
		return r
	}
	functions := g.Signature.Functions()
	match := func(patterns []advisory.Pattern, culprit bool) *role {
		for i := range patterns {
			p := &patterns[i]
			madeBy := p.CreatedBy == "" || g.CreatedBy == "" || advisory.MatchName(p.CreatedBy, g.CreatedBy)
			if sc.process.mayBeIn(p.Releases) && madeBy && p.Match(functions) {
				return &role{pattern: p, culprit: culprit}
			}
		}
		return nil
	}
	r := match(sc.adv.Culprits, true)
	if r == nil {
		r = match(sc.adv.Victims, false)
	}
	sc.roles[key] = r
	return r
}

// tally is what a scene has in one sample.
type tally struct {
	culprits, victims int
	forever           int           // culprits in a state that no event can end
	foreverState      profile.State // theirs
	stateUnknown      bool
	// beyond is the culprit pattern that more goroutines have than may in
	// health, and bound how many that is; nil if none has.
	beyond *advisory.Pattern
	bound  int
	// accounted are goroutines with a culprit pattern that others account
	// for (Each): they are no culprits.
	accounted map[*advisory.Pattern]int
}

func (sc *scene) tally(s *profile.Snapshot) tally {
	t := tally{accounted: map[*advisory.Pattern]int{}}
	count := map[*advisory.Pattern]int{}
	for i := range s.Groups {
		g := &s.Groups[i]
		r := sc.role(g)
		if r == nil {
			continue
		}
		for _, p := range g.Places {
			switch {
			case !r.pattern.Holds(p.State):
			case !r.culprit:
				t.victims += p.Count
			default:
				count[r.pattern] += p.Count
				t.stateUnknown = t.stateUnknown || p.State == profile.StateUnknown
				if p.State.BlockedForever() {
					t.forever += p.Count
					t.foreverState = p.State
				}
			}
		}
	}
	sc.bound(&t, count, s)
	return t
}

// bound counts the culprits of each pattern. Of those that work for other
// goroutines (Each) only what is more than these account for are culprits.
func (sc *scene) bound(t *tally, count map[*advisory.Pattern]int, s *profile.Snapshot) {
	for i := range sc.adv.Culprits {
		p := &sc.adv.Culprits[i]
		n, bound := count[p], p.AtMost
		if n > 0 && len(p.Each) > 0 {
			bound *= sc.working(p, s)
			t.accounted[p] = min(n, bound)
		}
		t.culprits += n - t.accounted[p]
		if p.AtMost > 0 && n > bound && t.beyond == nil {
			t.beyond, t.bound = p, bound
		}
	}
}

// working is the number of goroutines that culprits of the pattern work for in
// health.
func (sc *scene) working(p *advisory.Pattern, s *profile.Snapshot) int {
	known := sc.partners[p]
	if known == nil {
		known = map[profile.Signature]bool{}
		sc.partners[p] = known
	}
	n := 0
	for i := range s.Groups {
		g := &s.Groups[i]
		is, seen := known[g.Signature]
		if !seen {
			is = p.WorksFor(functionsOf(g))
			known[g.Signature] = is
		}
		if is {
			n += g.Count
		}
	}
	return n
}

// functionsOf returns all functions known of a group's stack: who works for
// whom may show below the depth of a signature.
func functionsOf(g *profile.Group) []string {
	functions := make([]string, len(g.Frames))
	for i, f := range g.Frames {
		functions[i] = f.Func
	}
	return functions
}

// known looks for the advisory in the process. It returns nil if the release
// does not have the defect (the stacks are then judged as unknown ones), and if
// the process has no culprit that is worth telling.
func (j *judge) known(p *process, a *advisory.Advisory) *caseOf {
	if len(a.Culprits) == 0 || a.Class == advisory.Generic || !advisory.AppliesTo(a.Components, p.component) {
		return nil
	}
	var best *caseOf
	for _, l := range p.lives {
		if c := j.knownInLife(newScene(p.at(l), a), l); c != nil && (best == nil || c.occurrence.Level.AtLeast(best.occurrence.Level)) {
			best = c
		}
	}
	if best == nil {
		return nil
	}
	if l := p.newest(); best.life.last() != l.last() {
		if why := j.over(newScene(p, a), best.life); why != "" {
			p.notes = append(p.notes, why)
			return nil
		}
		best.occurrence.Evidence = append(best.occurrence.Evidence, Evidence{Kind: KindKnownSignature, Strength: Link,
			Text: fmt.Sprintf("this is the run up to %s; the process was started anew since", best.life.last().Time.UTC().Format("2006-01-02 15:04:05 UTC"))})
	}
	best.process, p.tied = p, p.tied || best.tied
	best.finishScene(newScene(p, a))
	return best
}

// knownInLife judges the advisory by the samples of one life.
func (j *judge) knownInLife(sc *scene, l life) *caseOf {
	now := sc.tally(l.last().Goroutines)
	if now.culprits == 0 || sc.process.affected(sc.adv) == AffectedNo {
		return nil
	}
	tallies := make([]tally, len(l.samples))
	all := make([]float64, len(l.samples))
	for i := range l.samples {
		tallies[i] = sc.tally(l.samples[i].Goroutines)
		all[i] = float64(tallies[i].culprits + tallies[i].victims)
	}
	culprits := make([]float64, len(tallies))
	for i, t := range tallies {
		culprits[i] = float64(t.culprits)
	}
	s, both := sc.process.series(l, culprits), sc.process.series(l, all)
	growth := j.growth(s, sc.process)
	behind := Growth{}
	if g := j.growth(both, sc.process); growth.Verdict != Growing && g.Verdict == Growing {
		behind = g // few culprits may hold ever more victims
		growth.Verdict, growth.P = g.Verdict, g.P
	}
	pattern := sc.worstPattern(l.last().Goroutines)
	if pattern.InHealth == advisory.Never && j.onlyRises(culprits) {
		growth.Verdict = Growing // none of them is load: no need to look for a plateau
	}
	seen := j.seenOf(sc, l, all, culprits)
	seen.soak = steepest(s, both)
	tied := growth.Verdict == Growing && seen.blame == blameTie
	if pattern.InHealth != advisory.Never && sc.adv.Class != advisory.PileUp && seen.passes(culprits) {
		growth.Verdict, behind.Verdict = Steady, Steady
	}
	stays := j.stays(sc, l, tallies, !seen.passes(culprits))
	if now.beyond != nil && pattern.InHealth != advisory.Never {
		pattern = now.beyond
	}
	preconditions := sc.process.preconditions(sc.adv)
	w := witness{
		known: true, affected: sc.process.affected(sc.adv), class: sc.adv.Class, health: pattern.InHealth,
		fromSource: sc.adv.KnownFrom == advisory.ReadOnly,
		persistent: stays != "", overstayed: sc.overstays(l) != "",
		aboveBound:     now.beyond != nil,
		blockedForever: now.forever > 0, several: now.forever >= 2 || now.culprits >= 2,
		growing: growth.Verdict == Growing, excluded: excluded(preconditions),
	}
	c := &caseOf{process: sc.process, adv: sc.adv, life: l, tallies: tallies, culprit: sc.isCulprit, tied: tied}
	seen.into(&w, c)
	c.occurrence = Occurrence{Target: sc.process.target.Name, Level: w.level(), Growth: growth,
		Preconditions: preconditions}
	if c.occurrence.Level == "" {
		return nil
	}
	c.occurrence.Evidence = slices.Concat(
		[]Evidence{sc.signatureEvidence(w, now, pattern, l, stays)},
		foreverEvidence(now),
		growthOf(growth, behind, l),
		seen.evidence(),
		preconditionEvidence(c.occurrence.Preconditions))
	c.link(l)
	sortEvidence(c.occurrence.Evidence)
	return c
}

// growthOf says how the culprits grew or, where that is all that shows it, they
// and those behind them.
func growthOf(culprits, behind Growth, l life) []Evidence {
	if behind.Verdict != Growing {
		return growingEvidence(culprits, l.span(), len(l.samples))
	}
	ev := growingEvidence(behind, l.span(), len(l.samples))
	for i := range ev {
		ev[i].Text = "with those behind them " + ev[i].Text
	}
	return ev
}

func foreverEvidence(t tally) []Evidence {
	if t.forever == 0 {
		return nil
	}
	return []Evidence{blockedEvidence(t.forever, t.foreverState)}
}

// worstPattern returns the culprit pattern in the snapshot that is least
// expected in health.
func (sc *scene) worstPattern(s *profile.Snapshot) *advisory.Pattern {
	order := []advisory.Health{advisory.Never, advisory.Briefly, advisory.Always}
	var worst *advisory.Pattern
	for i := range s.Groups {
		r := sc.role(&s.Groups[i])
		if r == nil || !r.culprit || !slices.ContainsFunc(s.Groups[i].Places, func(p profile.Place) bool { return r.pattern.Holds(p.State) }) {
			continue
		}
		if worst == nil || slices.Index(order, r.pattern.InHealth) < slices.Index(order, worst.InHealth) {
			worst = r.pattern
		}
	}
	return worst
}

// signatureEvidence says what the stack is known for and what the version
// makes of it.
func (sc *scene) signatureEvidence(w witness, now tally, pattern *advisory.Pattern, l life, stays string) Evidence {
	e := Evidence{Kind: KindKnownSignature, Strength: Strong}
	e.Text = fmt.Sprintf("%s: %s", Count(now.culprits, "goroutine"), pattern.Name)
	switch {
	case w.health == advisory.Never:
		e.Text += ", where none stands in health"
	case w.persistent && w.class != advisory.PileUp:
		e.Text += ", and " + stays
	case w.aboveBound && len(pattern.Each) > 0 && now.bound == 0:
		e.Text += ", and what such ones work for is not there"
	case w.aboveBound && len(pattern.Each) > 0:
		e.Text += fmt.Sprintf(", beside the %d that those which they work for account for", now.bound)
	case w.aboveBound:
		e.Text += fmt.Sprintf(", more than the %d that may stand there in health", now.bound)
	case w.overstayed:
		e.Text += ", and " + sc.overstays(l)
	default:
		e.Strength = Weak
		e.Text += ", where some stand in health as well"
	}
	said, sure := sc.process.says(sc.adv)
	if !sure {
		e.Strength = weaker(e.Strength)
	}
	e.Text += "; " + said
	if now.stateUnknown && pattern.State != "" {
		e.Text += "; debug=1 does not tell what they wait for"
	}
	return e
}

// weaker caps a strength at medium.
func weaker(s Strength) Strength {
	if s == Strong {
		return Medium
	}
	return s
}

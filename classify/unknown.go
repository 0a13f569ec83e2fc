package classify

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/thanosleak/thanosleak/classify/advisory"
	"github.com/thanosleak/thanosleak/profile"
)

// unknown judges the stacks of the newest life that no case found so far
// explains. Stacks whose counts move as those of a case do are folded into it:
// a leak shows in its victims' stacks as well.
func (j *judge) unknown(p *process, used map[profile.Signature]bool, known []*caseOf) []*caseOf {
	l := p.newest()
	columns := l.columns()
	cases := j.restartCases(p, used)
	moving := foldInto(known, l, j.movingColumns(p, l, columns, used))
	for {
		i := slices.IndexFunc(moving, func(c column) bool { return c.leads() })
		if i < 0 {
			break
		}
		leader := moving[i]
		leader.growth.PerHour = series{times: l.times(), counts: leader.counts}.perHour()
		followers, rest := follows(leader.counts, slices.Delete(moving, i, i+1))
		leader, followers = atTheBottom(leader, followers)
		behind, rest := behindByIDs(l.last().Goroutines, leader, rest)
		c := j.growingCase(p, l, leader, append(followers, behind...))
		maps.Copy(used, c.used)
		cases = append(cases, c)
		moving = rest
	}
	for _, c := range known {
		if c.explains() {
			maps.Copy(used, c.used)
		}
	}
	if !slices.ContainsFunc(slices.Concat(known, cases), (*caseOf).overdue) {
		cases = append(cases, j.overdueCases(p, l, used)...)
	}
	cases = append(cases, j.provenCases(p, l, used)...)
	cases = append(cases, j.blockedCases(p, l, columns, used)...)
	return joinClosures(append(cases, j.lookalikes(p, l, columns, used)...))
}

// explains reports whether the goroutines of the case are accounted for, so
// that they are judged no further.
func (c *caseOf) explains() bool { return c.occurrence.Level.AtLeast(Suspect) || c.bounded }

// overdue reports whether the case accounts for requests that are overdue: the
// others of the process wait behind it, or a known leak is there that requests
// wait behind.
func (c *caseOf) overdue() bool {
	if c.adv != nil && len(c.adv.Victims) > 0 && c.occurrence.Level.AtLeast(Likely) {
		return true
	}
	return c.explains() && slices.ContainsFunc(c.occurrence.Evidence, func(e Evidence) bool {
		return e.Kind == KindStuck || e.Kind == KindSaturated || e.Kind == KindOutlived
	})
}

// follows splits columns into those that move as the counts do and the others.
func follows(counts []float64, columns []column) (followers, rest []column) {
	for _, c := range columns {
		if correlation(counts, c.counts) >= together {
			followers = append(followers, c)
		} else {
			rest = append(rest, c)
		}
	}
	return followers, rest
}

// joinClosures makes one case of those with the same key, which the closures
// of one function have: the surest, with the goroutines of the others.
func joinClosures(cases []*caseOf) []*caseOf {
	slices.SortStableFunc(cases, func(a, b *caseOf) int {
		return slices.Index(levels, b.occurrence.Level) - slices.Index(levels, a.occurrence.Level)
	})
	byKey := map[string]*caseOf{}
	return slices.DeleteFunc(cases, func(c *caseOf) bool {
		first := byKey[c.key]
		if first == nil {
			byKey[c.key] = c
			return false
		}
		first.join(c)
		return true
	})
}

// join adds the goroutines of another case of the same life.
func (c *caseOf) join(other *caseOf) {
	o, p := &c.occurrence, &other.occurrence
	o.Culprits += p.Culprits
	o.Victims += p.Victims
	for i := range min(len(o.Points), len(p.Points)) {
		at, more := &o.Points[len(o.Points)-1-i], p.Points[len(p.Points)-1-i]
		at.Culprits += more.Culprits
		at.Victims += more.Victims
	}
	if o.MaxWaitSeconds == nil || p.MaxWaitSeconds != nil && *p.MaxWaitSeconds > *o.MaxWaitSeconds {
		o.MaxWaitSeconds = p.MaxWaitSeconds
	}
	o.Evidence = append(o.Evidence, p.Evidence...)
	sortEvidence(o.Evidence)
	c.stacks = mergeStacks(c.stacks, other.stacks)
	maps.Copy(c.used, other.used)
}

// behindByIDs splits columns into those whose goroutines stand behind the
// leader's by id and the others.
func behindByIDs(s *profile.Snapshot, leader column, columns []column) (behind, rest []column) {
	victims := chainOf(s, func(g *profile.Group) bool { return g.Signature == leader.sig }).victims
	for _, c := range columns {
		if victims[c.sig] > 0 {
			behind = append(behind, c)
		} else {
			rest = append(rest, c)
		}
	}
	return behind, rest
}

// atTheBottom lets the stack lead that the others wait for, where ids tell.
func atTheBottom(leader column, followers []column) (column, []column) {
	all := append([]column{leader}, followers...)
	i := deepest(all)
	if i <= 0 || forever(leader) == 1 || !all[i].leads() {
		return leader, followers
	}
	bottom := all[i]
	bottom.growth.PerHour = leader.growth.PerHour // they move together
	return bottom, slices.Delete(all, i, i+1)
}

// foldInto adds columns that move as the culprits of a case do to the victims
// of that case, and returns the others.
func foldInto(cases []*caseOf, l life, columns []column) []column {
	for _, k := range cases {
		if !k.occurrence.Level.AtLeast(Suspect) || k.life.last() != l.last() {
			continue
		}
		culprits := make([]float64, len(k.tallies))
		for i, t := range k.tallies {
			culprits[i] = float64(t.culprits)
		}
		followers, rest := follows(culprits, columns)
		k.follow(followers, grewTogether)
		columns = rest
	}
	return columns
}

// grewTogether is what is said of stacks that move with the culprits: no more.
const grewTogether = "grew together with them"

// follow takes columns into the case as goroutines that grew together with its
// culprits.
func (c *caseOf) follow(columns []column, verb string) {
	goroutines := 0
	for _, col := range columns {
		offset := len(c.occurrence.Points) - len(col.counts)
		for i, v := range col.counts {
			c.occurrence.Points[offset+i].Victims += int(v)
		}
		n := int(col.counts[len(col.counts)-1])
		goroutines += n
		c.stacks = mergeStacks(c.stacks, []Stack{stackOf(col.group, RoleVictim, n)})
		c.used[col.sig] = true
	}
	c.occurrence.Victims += goroutines
	if goroutines > 0 {
		c.occurrence.Evidence = append(c.occurrence.Evidence, Evidence{Kind: KindGrowing, Strength: Link,
			Text: fmt.Sprintf("%s in %s %s", Count(goroutines, "goroutine"), Count(len(columns), "other stack"), verb)})
	}
}

// growingCase makes a case of a stack that grows or stays and of those that
// move with it. over is the samples that their counts are of: the newest life,
// or several.
func (j *judge) growingCase(p *process, over life, leader column, followers []column) *caseOf {
	l := p.newest()
	in := map[profile.Signature]bool{leader.sig: true}
	for _, f := range followers {
		in[f.sig] = true
	}
	o := j.overdue(p, l, func(g *profile.Group) bool { return in[g.Signature] })
	proven := provenIn(l, func(g *profile.Group) bool { return g.Signature == leader.sig })
	n, _ := blockedForever(leader.group)
	w := witness{blockedForever: forever(leader) == 1, several: forever(leader) == 0 || n >= 2, watched: watchedWait(leader.group) != "",
		growing: leader.grows(), sustained: leader.climb.found || leader.soak.trend == everyTime,
		retained: leader.kept.found || leader.soak.trend == unsettled, proven: proven.holds()}
	w.outlived, w.stuck, w.saturated = o.lasting(), o.requests.strong(), o.jam.strong()
	c := j.unknownCase(p, l, leader.group, w)
	if leader.scales() && !w.proven && !w.blockedForever && c.occurrence.Level.AtLeast(Suspect) {
		c.occurrence.Level = Suspect
		c.scalesWith(leader.benign)
	}
	if leader.kept.resting && !w.growing && !w.sustained {
		c.title = strings.Replace(c.title, leftOver, "rose and never fell", 1)
	}
	if leader.soak.trend == everyTime {
		rounds := "every round"
		if leader.soak.roundsThatLeft() < len(leader.soak.floors)-1 {
			rounds = "most rounds"
		}
		c.title = strings.Replace(c.title, "growing", "more with "+rounds+" of load", 1)
	}
	c.occurrence.Growth = leader.growth
	c.occurrence.Evidence = slices.Concat(c.occurrence.Evidence, provenEvidence(proven), o.evidence(),
		climbEvidence(leader.climb), leader.evidence(over), j.notAffectedEvidence(p, leader.group))
	for i, v := range leader.counts {
		c.occurrence.Points = append(c.occurrence.Points, Point{Time: over.samples[i].Time, Culprits: int(v)})
	}
	c.link(l)
	c.follow(followers, grewTogether)
	sortEvidence(c.occurrence.Evidence)
	return c
}

// evidence says what the count of a column shows within the samples.
func (c *column) evidence(l life) []Evidence {
	ev := slices.Concat(growingEvidence(c.growth, l.span(), len(l.samples)), retainedEvidence(c.kept), c.soak.evidence(),
		turnoverEvidence(c.turnover), loadEvidence(c.blame))
	if n, state := blockedForever(c.group); n > 0 {
		ev = append(ev, blockedEvidence(n, state))
	}
	return ev
}

// scalesWith says what the goroutines are known to be as many as.
func (c *caseOf) scalesWith(b *advisory.Benign) {
	c.occurrence.Evidence = append(c.occurrence.Evidence, Evidence{Kind: KindKnownSignature, Strength: Contrary,
		Text: "in health as many as there are of: " + b.ScalesWith})
}

// link tells by goroutine ids who waits for the culprits.
func (c *caseOf) link(l life) {
	chain := chainOf(l.last().Goroutines, c.culprit)
	if text := chain.text(); text != "" {
		c.occurrence.Evidence = append(c.occurrence.Evidence, Evidence{Kind: KindChain, Strength: Link, Text: text})
		c.occurrence.Chain = chain.waiters()
	}
}

// maxNotes bounds the notes on single stacks of a process: the most numerous
// are told.
const maxNotes = 20

// blockedCases makes notes of goroutines that are blocked for ever and do not
// grow: select {} and a receive from the Done channel of context.Background
// are common and harmless ways to wait for the end of a program.
func (j *judge) blockedCases(p *process, l life, columns map[profile.Signature][]float64, used map[profile.Signature]bool) []*caseOf {
	var cases []*caseOf
	groups := l.last().Goroutines.Groups
	for i := range groups {
		g := &groups[i]
		if len(cases) == maxNotes {
			break
		}
		n, state := blockedForever(g)
		if used[g.Signature] || n == 0 {
			continue
		}
		c := j.unknownCase(p, l, g, witness{blockedForever: true, several: n >= 2, watched: watchedWait(g) != ""})
		c.occurrence.Evidence = append([]Evidence{blockedEvidence(n, state)}, j.notAffectedEvidence(p, g)...)
		j.develop(c, columns[g.Signature])
		used[g.Signature] = true
		cases = append(cases, c)
	}
	return cases
}

// lookalikes makes notes of stacks that no healthy goroutine stands in and
// that belong to a leak which this release does not have: then the version may
// be wrong, or the build be another than it says.
func (j *judge) lookalikes(p *process, l life, columns map[profile.Signature][]float64, used map[profile.Signature]bool) []*caseOf {
	var cases []*caseOf
	groups := l.last().Goroutines.Groups
	for i := range groups {
		g := &groups[i]
		if used[g.Signature] || !j.looksLike(p, g) {
			continue
		}
		c := j.unknownCase(p, l, g, witness{})
		c.occurrence.Level = Note
		c.title = "looks like a known leak of another release: is the version right?"
		c.occurrence.Evidence = j.notAffectedEvidence(p, g)
		j.develop(c, columns[g.Signature])
		cases = append(cases, c)
	}
	return cases
}

// looksLike reports whether the group stands where no healthy goroutine does
// by an advisory that the release does not have.
func (j *judge) looksLike(p *process, g *profile.Group) bool {
	return slices.ContainsFunc(j.Advisories.Advisories, func(a *advisory.Advisory) bool {
		return p.affected(a) == AffectedNo && slices.ContainsFunc(a.Culprits, func(c advisory.Pattern) bool {
			return c.InHealth == advisory.Never && c.Holds(g.State()) && c.Match(g.Signature.Functions())
		})
	})
}

// develop fills in how the count of the case developed over its life.
func (j *judge) develop(c *caseOf, counts []float64) {
	c.occurrence.Growth = j.growth(c.process.series(c.life, counts), c.process)
	for i, n := range counts {
		c.occurrence.Points = append(c.occurrence.Points, Point{Time: c.life.samples[i].Time, Culprits: int(n)})
	}
}

// unknownCase begins a case that no advisory knows.
func (j *judge) unknownCase(p *process, l life, g *profile.Group, w witness) *caseOf {
	c := &caseOf{
		process: p, life: l, key: g.Signature.Portable().ID(), class: string(advisory.Leak), title: unknownTitle(g, w),
		used:    map[profile.Signature]bool{g.Signature: true},
		culprit: func(other *profile.Group) bool { return other.Signature == g.Signature },
		stacks:  []Stack{stackOf(g, RoleCulprit, g.Count)},
		like:    j.Advisories.Like(g.Signature.Functions(), string(g.State()), g.CreatedBy),
	}
	c.occurrence = Occurrence{Target: p.target.Name, Level: w.level(), Culprits: g.Count,
		MaxWaitSeconds: seconds(g.MaxWaitMinutes()), Preconditions: []PreconditionState{}, Points: []Point{}}
	return c
}

// notAffectedEvidence names the advisories that know the stack but that the
// release does not have.
func (j *judge) notAffectedEvidence(p *process, g *profile.Group) []Evidence {
	var ev []Evidence
	for _, a := range j.Advisories.Advisories {
		matches := slices.ContainsFunc(a.Culprits, func(c advisory.Pattern) bool { return c.Match(g.Signature.Functions()) })
		if matches && a.Class != advisory.Generic && p.affected(a) == AffectedNo {
			ev = append(ev, Evidence{Kind: KindKnownSignature, Strength: Contrary,
				Text: fmt.Sprintf("the stack is that of %s, which %s does not have (affected: %s)", a.ID, p.releaseNames(), a.Ranges())})
		}
	}
	return ev
}

package classify

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/thanosleak/thanosleak/classify/advisory"
	"github.com/thanosleak/thanosleak/profile"
)

// together is the correlation of two counts from which they are taken to move
// together.
const together = 0.85

// minMove is the number of goroutines that a count must have moved by, and that
// must stand there, to be compared with others.
const minMove = 3

// column is the count of one signature over a life.
type column struct {
	sig    profile.Signature
	counts []float64
	growth Growth
	group  *profile.Group // in the newest sample
}

// unknown judges the stacks of the newest life that no case found so far
// explains. Stacks whose counts move as those of a case do are folded into it:
// a leak shows in its victims' stacks as well.
func (j *judge) unknown(p *process, used map[profile.Signature]bool, known []*caseOf) []*caseOf {
	l := p.newest()
	columns := l.columns()
	moving := foldInto(known, l, j.movingColumns(p, l, columns, used))
	var cases []*caseOf
	for {
		i := slices.IndexFunc(moving, func(c column) bool { return c.growth.Verdict == Growing })
		if i < 0 {
			break
		}
		leader := moving[i]
		var rest, followers []column
		for _, c := range slices.Delete(moving, i, i+1) {
			if correlation(leader.counts, c.counts) >= together {
				followers = append(followers, c)
			} else {
				rest = append(rest, c)
			}
		}
		c := j.growingCase(p, l, leader, followers)
		for sig := range c.used {
			used[sig] = true
		}
		cases = append(cases, c)
		moving = rest
	}
	for _, c := range known {
		for sig := range c.used {
			used[sig] = used[sig] || c.occurrence.Level.AtLeast(Suspect)
		}
	}
	cases = append(cases, j.blockedCases(p, l, columns, used)...)
	return joinClosures(append(cases, j.lookalikes(p, l, columns, used)...))
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
	for i := range o.Points {
		o.Points[i].Culprits += p.Points[i].Culprits
		o.Points[i].Victims += p.Points[i].Victims
	}
	if o.MaxWaitSeconds == nil || p.MaxWaitSeconds != nil && *p.MaxWaitSeconds > *o.MaxWaitSeconds {
		o.MaxWaitSeconds = p.MaxWaitSeconds
	}
	o.Evidence = append(o.Evidence, p.Evidence...)
	sortEvidence(o.Evidence)
	c.stacks = mergeStacks(c.stacks, other.stacks)
	maps.Copy(c.used, other.used)
}

// movingColumns returns the signatures whose counts move and that still stand
// there, with how they grew: those blocked for ever first, then by their last
// count.
func (j *judge) movingColumns(p *process, l life, columns map[profile.Signature][]float64, used map[profile.Signature]bool) []column {
	if len(l.samples) < j.Thresholds.MinSamples {
		return nil
	}
	var moving []column
	last := l.last().Goroutines
	times := l.times()
	for sig, counts := range columns {
		if used[sig] || counts[len(counts)-1] < minMove || slices.Max(counts)-slices.Min(counts) < minMove {
			continue
		}
		c := column{sig: sig, counts: counts, group: last.Group(sig), growth: j.growth(series{times: times, counts: counts}, p)}
		switch n, _ := blockedForever(c.group); {
		case c.growth.Last < int(j.Thresholds.MinRise):
			c.growth.Verdict = Steady
		case n > 0 && j.onlyRises(counts):
			c.growth.Verdict = Growing // what never leaves needs no look for a plateau
		}
		moving = append(moving, c)
	}
	slices.SortFunc(moving, func(a, b column) int {
		return cmp.Or(cmp.Compare(forever(b), forever(a)), cmp.Compare(b.growth.Last, a.growth.Last), cmp.Compare(a.sig, b.sig))
	})
	return moving
}

// onlyRises reports whether a count rises by enough, and not by chance.
func (j *judge) onlyRises(counts []float64) bool {
	th := j.Thresholds
	return len(counts) >= th.MinSamples && counts[len(counts)-1]-counts[0] >= th.MinRise && mannKendall(counts) < th.MaxP
}

// blockedForever returns how many goroutines of a group no event can free, and
// what they wait for.
func blockedForever(g *profile.Group) (n int, state profile.State) {
	for _, p := range g.Places {
		if p.State.BlockedForever() {
			n += p.Count
			state = p.State
		}
	}
	return n, state
}

// forever is 1 for a column whose goroutines are blocked for ever, else 0.
func forever(c column) int {
	if n, _ := blockedForever(c.group); n > 0 {
		return 1
	}
	return 0
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
		var rest, followers []column
		for _, c := range columns {
			if correlation(culprits, c.counts) >= together {
				followers = append(followers, c)
			} else {
				rest = append(rest, c)
			}
		}
		k.follow(followers)
		columns = rest
	}
	return columns
}

// follow takes columns into the case as goroutines that grew together with its
// culprits.
func (c *caseOf) follow(columns []column) {
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
	if len(columns) > 0 {
		c.occurrence.Evidence = append(c.occurrence.Evidence, Evidence{Kind: KindGrowing, Strength: Link,
			Text: fmt.Sprintf("%s in %s grew together with them", Count(goroutines, "goroutine"), Count(len(columns), "other stack"))})
	}
}

// growingCase makes a case of a stack that grows and of those that grow with
// it.
func (j *judge) growingCase(p *process, l life, leader column, followers []column) *caseOf {
	w := witness{blockedForever: forever(leader) == 1, several: true, growing: true, watched: watchedWait(leader.group) != ""}
	c := j.unknownCase(p, l, leader.group, w)
	c.occurrence.Growth = leader.growth
	c.occurrence.Evidence = growingEvidence(leader.growth, l.span(), len(l.samples))
	if w.blockedForever {
		c.occurrence.Evidence = append(c.occurrence.Evidence, blockedEvidence(blockedForever(leader.group)))
	}
	c.occurrence.Evidence = append(c.occurrence.Evidence, j.notAffectedEvidence(p, leader.group)...)
	for i, v := range leader.counts {
		c.occurrence.Points = append(c.occurrence.Points, Point{Time: l.samples[i].Time, Culprits: int(v)})
	}
	c.follow(followers)
	sortEvidence(c.occurrence.Evidence)
	return c
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
		j.history(c, columns[g.Signature])
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
		j.history(c, columns[g.Signature])
		cases = append(cases, c)
	}
	return cases
}

// looksLike reports whether the group stands where no healthy goroutine does
// by an advisory that the release does not have.
func (j *judge) looksLike(p *process, g *profile.Group) bool {
	return slices.ContainsFunc(j.Advisories.Advisories, func(a *advisory.Advisory) bool {
		return p.affected(a) == AffectedNo && slices.ContainsFunc(a.Culprits, func(c advisory.Pattern) bool {
			return c.InHealth == advisory.Never && (role{pattern: &c}).holds(g.State()) && c.Match(g.Signature.Functions())
		})
	})
}

// history fills in how the count of the case developed over its life.
func (j *judge) history(c *caseOf, counts []float64) {
	c.occurrence.Growth = j.growth(series{times: c.life.times(), counts: counts}, c.process)
	for i, n := range counts {
		c.occurrence.Points = append(c.occurrence.Points, Point{Time: c.life.samples[i].Time, Culprits: int(n)})
	}
}

// unknownCase begins a case that no advisory knows.
func (j *judge) unknownCase(p *process, l life, g *profile.Group, w witness) *caseOf {
	c := &caseOf{
		process: p, life: l, key: g.Signature.Portable().ID(), class: string(advisory.Leak), title: unknownTitle(g, w),
		used:   map[profile.Signature]bool{g.Signature: true},
		stacks: []Stack{stackOf(g, RoleCulprit, g.Count)},
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
		if matches && p.affected(a) == AffectedNo {
			ev = append(ev, Evidence{Kind: KindKnownSignature, Strength: Contrary,
				Text: fmt.Sprintf("the stack is that of %s, which v%s does not have (affected: %s)", a.ID, p.target.Facts.Version, a.Ranges())})
		}
	}
	return ev
}

// correlation is Pearson's coefficient of two series of the same length, from
// -1 to 1; 0 where one of them does not change.
func correlation(a, b []float64) float64 {
	var sa, sb float64
	for i := range a {
		sa += a[i]
		sb += b[i]
	}
	ma, mb := sa/float64(len(a)), sb/float64(len(b))
	var cov, va, vb float64
	for i := range a {
		cov += (a[i] - ma) * (b[i] - mb)
		va += (a[i] - ma) * (a[i] - ma)
		vb += (b[i] - mb) * (b[i] - mb)
	}
	if va == 0 || vb == 0 {
		return 0
	}
	return cov / math.Sqrt(va*vb)
}

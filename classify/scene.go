package classify

import (
	"slices"

	"github.com/thanosleak/thanosleak/classify/advisory"
	"github.com/thanosleak/thanosleak/profile"
)

// finishScene fills in the numbers and stacks of a known case: those of the
// newest sample of the process, and the points of all its lives.
func (c *caseOf) finishScene(sc *scene) {
	c.key, c.title, c.class = sc.adv.ID, sc.adv.Title, string(sc.adv.Class)
	c.used = map[profile.Signature]bool{}
	for _, l := range sc.process.lives {
		for _, s := range l.samples {
			t := sc.tally(s.Goroutines)
			c.occurrence.Points = append(c.occurrence.Points, Point{Time: s.Time, Culprits: t.culprits, Victims: t.victims})
		}
	}
	last := sc.process.newest().last().Goroutines
	now := sc.tally(last)
	c.occurrence.Culprits, c.occurrence.Victims = now.culprits, now.victims
	c.occurrence.MaxWaitSeconds = seconds(sc.maxWait(sc.process.newest()))
	for key, r := range sc.roles {
		if r != nil {
			c.used[key.sig] = true
		}
	}
	for i := range last.Groups {
		c.stacks = append(c.stacks, sc.stacks(&last.Groups[i], now.accounted)...)
	}
	c.stacks = mergeStacks(nil, c.stacks)
}

// stacks returns the part of a group that plays a role, one stack a state. What
// others account for is taken off accounted, and is no part.
func (sc *scene) stacks(g *profile.Group, accounted map[*advisory.Pattern]int) []Stack {
	r := sc.role(g)
	if r == nil {
		return nil
	}
	name := RoleVictim
	if r.culprit {
		name = RoleCulprit
	}
	var stacks []Stack
	for _, p := range g.Places {
		if !r.pattern.Holds(p.State) {
			continue
		}
		if r.culprit {
			healthy := min(accounted[r.pattern], p.Count)
			accounted[r.pattern] -= healthy
			p.Count -= healthy
		}
		if p.Count == 0 {
			continue
		}
		if i := slices.IndexFunc(stacks, func(s Stack) bool { return s.State == string(p.State) }); i >= 0 {
			stacks[i].Count += p.Count
			continue
		}
		s := stackOf(g, name, p.Count)
		s.State = string(p.State)
		stacks = append(stacks, s)
	}
	return stacks
}

// seconds returns minutes as seconds; nil for none.
func seconds(minutes int) *int64 {
	if minutes == 0 {
		return nil
	}
	n := int64(minutes) * 60
	return &n
}

// countFirst fills in how many goroutines the stacks of the case had in the first
// sample of the life that the counts are of.
func (c *caseOf) countFirst() {
	first := c.process.newest().samples[0].Goroutines
	alike := map[string]int{} // stacks of the case by signature: several states are one each
	for _, s := range c.stacks {
		alike[s.SignatureID]++
	}
	for i := range first.Groups {
		g := &first.Groups[i]
		id := g.Signature.ID()
		if alike[id] == 0 {
			continue
		}
		for k := range c.stacks {
			s := &c.stacks[k]
			if s.SignatureID != id {
				continue
			}
			if alike[id] == 1 {
				s.First = g.Count
				continue
			}
			for _, p := range g.Places {
				if string(p.State) == s.State {
					s.First += p.Count
				}
			}
		}
	}
}

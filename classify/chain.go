package classify

import (
	"fmt"
	"strings"

	"github.com/thanosleak/thanosleak/profile"
)

// chain is who waits for the culprits of one dump, by goroutine ids: the
// creator of a culprit that is alive and blocked waits for it, its own creator
// for that one, up to one that is not blocked.
type chain struct {
	links []link // the way that most culprits have, theirs first
	// victims are the goroutines behind the culprits by stack; a stack
	// belongs where at least half of its goroutines do.
	victims map[profile.Signature]int
	// culprits are those with ids, tied those whose creator waits for them.
	culprits, tied int
}

// link is one step of a chain.
type link struct {
	function string
	state    profile.State
}

// maxLinks bounds the steps that are told.
const maxLinks = 6

// waitsForNobody are the states of goroutines that are not blocked behind
// another.
func waitsForNobody(s profile.State) bool {
	switch s {
	case profile.StateIOWait, profile.StateRunning, "runnable", profile.StateSyscall, profile.StateSleep:
		return true
	}
	return false
}

// chainOf follows the culprits of a dump upwards, and from the goroutines met
// there down to all that they started.
func chainOf(s *profile.Snapshot, culprit func(*profile.Group) bool) chain {
	ids := idsOf(s)
	c := chain{victims: map[profile.Signature]int{}}
	behind := map[int64]bool{}
	next := map[*profile.Group]map[*profile.Group]int{} // how often a step was met
	var first *profile.Group
	for i := range s.Groups {
		g := &s.Groups[i]
		if !culprit(g) || len(g.Goroutines) == 0 {
			continue
		}
		if first == nil {
			first = g
		}
		for _, r := range g.Goroutines {
			c.culprits++
			if climbFrom(ids, person{r, g}, culprit, behind, next) {
				c.tied++
			}
		}
	}
	addDescendants(ids, culprit, behind)
	c.count(s, behind)
	c.links = linksFrom(first, next)
	return c
}

// climbFrom marks the goroutines above a culprit that wait for it. It reports
// whether there are any.
func climbFrom(ids map[int64]person, at person, culprit func(*profile.Group) bool, behind map[int64]bool, next map[*profile.Group]map[*profile.Group]int) bool {
	tied := false
	met := map[int64]bool{} // a damaged dump may go round in circles
	for !met[at.ID] {
		met[at.ID] = true
		above, ok := ids[at.Creator]
		if !ok || above.ID == 1 {
			break
		}
		if next[at.group] == nil {
			next[at.group] = map[*profile.Group]int{}
		}
		next[at.group][above.group]++
		if waitsForNobody(above.group.State()) {
			break
		}
		tied = true
		if !culprit(above.group) {
			behind[above.ID] = true
		}
		at = above
	}
	return tied
}

// addDescendants marks all goroutines that a goroutine behind the culprits has
// started, and those that these have.
func addDescendants(ids map[int64]person, culprit func(*profile.Group) bool, behind map[int64]bool) {
	children := map[int64][]int64{}
	for id, p := range ids {
		if p.Creator > 0 {
			children[p.Creator] = append(children[p.Creator], id)
		}
	}
	var todo []int64
	for id := range behind {
		todo = append(todo, id)
	}
	for len(todo) > 0 {
		id := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, child := range children[id] {
			if !behind[child] && !culprit(ids[child].group) {
				behind[child] = true
				todo = append(todo, child)
			}
		}
	}
}

// count adds the stacks of which at least half stand behind the culprits.
func (c *chain) count(s *profile.Snapshot, behind map[int64]bool) {
	for i := range s.Groups {
		g := &s.Groups[i]
		n := 0
		for _, r := range g.Goroutines {
			if behind[r.ID] {
				n++
			}
		}
		if n > 0 && 2*n >= len(g.Goroutines) {
			c.victims[g.Signature] = n
		}
	}
}

// linksFrom follows the steps that were met most often.
func linksFrom(at *profile.Group, next map[*profile.Group]map[*profile.Group]int) []link {
	var links []link
	met := map[*profile.Group]bool{}
	for at != nil && !met[at] && len(links) < maxLinks {
		met[at] = true
		links = append(links, link{tellingFunction(at), at.State()})
		var most *profile.Group
		for g, n := range next[at] {
			if most == nil || n > next[at][most] || n == next[at][most] && g.Signature < most.Signature {
				most = g
			}
		}
		at = most
	}
	return links
}

// tellingFunction is the leaf-most function of a group that is not of the
// standard library, else the leaf.
func tellingFunction(g *profile.Group) string {
	for _, f := range g.Frames {
		if first, _, deep := strings.Cut(f.Func, "/"); deep && strings.Contains(first, ".") || strings.HasPrefix(f.Func, "main.") {
			return f.Func
		}
	}
	return g.Signature.Leaf()
}

// text says how the culprits are tied to those that wait; empty if they are
// not.
func (c chain) text() string {
	if c.tied == 0 {
		return ""
	}
	var steps []string
	for _, l := range c.links {
		step := ShortFunc(l.function)
		if l.state != profile.StateUnknown {
			step += " (" + string(l.state) + ")"
		}
		steps = append(steps, step)
	}
	return fmt.Sprintf("%d of %d were started by a goroutine that is still there and waits: %s", c.tied, c.culprits, strings.Join(steps, " ← "))
}

// deepest returns the index of the stack that the others wait for: that whose
// goroutines were started by those of the others and that started none of
// them. It is -1 where ids do not tell.
func deepest(columns []column) int {
	at := map[int64]int{} // column of a goroutine
	for i, c := range columns {
		for _, r := range c.group.Goroutines {
			at[r.ID] = i
		}
	}
	below, above := make([]int, len(columns)), make([]int, len(columns))
	for i, c := range columns {
		for _, r := range c.group.Goroutines {
			if creator, ok := at[r.Creator]; ok && creator != i {
				below[i]++
				above[creator]++
			}
		}
	}
	best := -1
	for i, c := range columns {
		started := 2*below[i] > len(c.group.Goroutines) && 4*above[i] < len(c.group.Goroutines)
		if started && (best < 0 || len(c.group.Goroutines) > len(columns[best].group.Goroutines)) {
			best = i
		}
	}
	return best
}

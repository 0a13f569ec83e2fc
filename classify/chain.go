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
	// root is the function that started the last goroutine of the way and is
	// not blocked itself, short; empty if that is not in the dump.
	root string
}

// link is one step of a chain.
type link struct {
	function string // leaf-most that is not of the standard library
	state    profile.State
}

// maxLinks bounds the steps that are told.
const maxLinks = 6

// mainID is the id of the goroutine that runs main: it waits for the end of
// the program, not for a culprit.
const mainID = 1

// waitsForNobody are the states of goroutines that are not blocked behind
// another.
func waitsForNobody(s profile.State) bool {
	switch s {
	case profile.StateIOWait, profile.StateRunning, "runnable", profile.StateSyscall, profile.StateSleep:
		return true
	}
	return false
}

// climber goes up and down the goroutines of one dump.
type climber struct {
	ids      map[int64]person
	culprits map[*profile.Group]bool
}

// chainOf follows the culprits of a dump upwards, and from the goroutines met
// there down to all that they started.
func chainOf(s *profile.Snapshot, culprit func(*profile.Group) bool) chain {
	c := chain{victims: map[profile.Signature]int{}}
	w := climber{ids: idsOf(s), culprits: map[*profile.Group]bool{}}
	for i := range s.Groups {
		if g := &s.Groups[i]; len(g.Goroutines) > 0 && culprit(g) {
			w.culprits[g] = true
			c.culprits += len(g.Goroutines)
		}
	}
	var tied []person
	for i := range s.Groups {
		if g := &s.Groups[i]; w.culprits[g] {
			for _, r := range g.Goroutines {
				if _, ok := w.waiting(person{r, g}); ok {
					tied = append(tied, person{r, g})
				}
			}
		}
	}
	c.tied = len(tied)
	c.count(s, w.behind(tied))
	c.links, c.root = w.way(tied)
	return c
}

// waiting returns the creator of a goroutine if it is behind it: alive,
// blocked, and no culprit itself.
func (w climber) waiting(at person) (person, bool) {
	above, ok := w.ids[at.Creator]
	return above, ok && w.blocked(above)
}

// blocked reports whether a goroutine may wait for one that it started.
func (w climber) blocked(p person) bool {
	return p.ID != mainID && !w.culprits[p.group] && !waitsForNobody(p.group.State())
}

// behind returns the ids of the goroutines above the culprits that wait for
// them, and of all that these have started.
func (w climber) behind(tied []person) map[int64]bool {
	behind := map[int64]bool{}
	var todo []int64
	mark := func(id int64) bool {
		if behind[id] {
			return false // also where a damaged dump goes round in circles
		}
		behind[id] = true
		todo = append(todo, id)
		return true
	}
	for _, at := range tied {
		above, ok := w.waiting(at)
		for ok && mark(above.ID) {
			above, ok = w.waiting(above)
		}
	}
	children := w.children()
	for len(todo) > 0 {
		id := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, child := range children[id] {
			if !w.culprits[w.ids[child].group] {
				mark(child)
			}
		}
	}
	return behind
}

// children are the ids of the goroutines that each has started.
func (w climber) children() map[int64][]int64 {
	children := map[int64][]int64{}
	for id, p := range w.ids {
		if p.Creator > 0 {
			children[p.Creator] = append(children[p.Creator], id)
		}
	}
	return children
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

// way returns the steps that most of the goroutines go, and where they end.
func (w climber) way(tied []person) (links []link, root string) {
	at := most(tied)
	for len(at) > 0 && len(links) < maxLinks {
		g := at[0].group
		links = append(links, link{tellingFunction(g), g.State()})
		above := make([]person, len(at))
		for i, p := range at {
			above[i] = w.ids[p.Creator] // of no group if it is gone
		}
		at = most(above)
		switch {
		case at[0].group == nil:
			return links, ""
		case !w.blocked(at[0]):
			return links, rootName(g, at[0].group)
		}
	}
	return links, ""
}

// rootName is the function in the unblocked goroutine that started the last
// step, else what that goroutine does.
func rootName(last, root *profile.Group) string {
	if last.CreatedBy != "" {
		return ShortFunc(last.CreatedBy)
	}
	return ShortFunc(tellingFunction(root))
}

// most returns those of the goroutines that stand in the group where most do;
// of two the one with the first goroutine.
func most(of []person) []person {
	byGroup := map[*profile.Group][]person{}
	for _, p := range of {
		byGroup[p.group] = append(byGroup[p.group], p)
	}
	var most []person
	for _, p := range of {
		if in := byGroup[p.group]; len(in) > len(most) {
			most = in
		}
	}
	return most
}

// tellingFunction is the leaf-most function of a group that is not of the
// standard library, else the outermost.
func tellingFunction(g *profile.Group) string {
	for _, f := range g.Frames {
		if !isStandard(f.Func) {
			return f.Func
		}
	}
	return outermost(g)
}

// isStandard reports whether a function is of the standard library: only there
// the first element of an import path has no dot.
func isStandard(function string) bool {
	first, _, deep := strings.Cut(function, "/")
	if !deep {
		return !strings.HasPrefix(function, "main.")
	}
	return !strings.Contains(first, ".")
}

// waiters are the steps of the chain, culprits first.
func (c chain) waiters() []Waiter {
	var all []Waiter
	for _, l := range c.links {
		w := Waiter{Func: ShortFunc(l.function)}
		if l.state != profile.StateUnknown {
			w.State = string(l.state)
		}
		all = append(all, w)
	}
	return all
}

// text says how the culprits are tied to those that wait; empty if they are
// not.
func (c chain) text() string {
	if c.tied == 0 {
		return ""
	}
	var steps []string
	for i, l := range c.links {
		step := ShortFunc(l.function)
		if i > 0 && l.state != profile.StateUnknown {
			step += " (" + string(l.state) + ")"
		}
		steps = append(steps, step)
	}
	if c.root != "" {
		steps = append(steps, c.root)
	}
	verb := "were"
	if c.tied == 1 {
		verb = "was"
	}
	return fmt.Sprintf("%d of %d %s started by a goroutine that is still there and blocked: %s",
		c.tied, c.culprits, verb, strings.Join(steps, " ← "))
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

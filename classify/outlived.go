package classify

import (
	"time"

	"github.com/thanosleak/thanosleak/profile"
)

// overstay is goroutines of one life that were there for longer than requests
// may take.
type overstay struct {
	goroutines int
	// atLeast is the longest time that one of them was seen to stand there.
	atLeast time.Duration
	kind    requestKind
	oldest  int64 // id of that one
}

// maxCreators is how far up a request is looked for: a goroutine of a query is
// few steps below its handler.
const maxCreators = 5

// person is a goroutine with the group that it stands in.
type person struct {
	profile.Goroutine
	group *profile.Group
}

// idsOf indexes the goroutines of a dump; empty without ids.
func idsOf(s *profile.Snapshot) map[int64]person {
	ids := map[int64]person{}
	for i := range s.Groups {
		for _, r := range s.Groups[i].Goroutines {
			ids[r.ID] = person{r, &s.Groups[i]}
		}
	}
	return ids
}

// requestOfPerson is the kind of request that a goroutine works for: by its
// own stack or by that of a live creator.
func requestOfPerson(ids map[int64]person, at person) requestKind {
	for range maxCreators + 1 {
		if kind := requestOf(at.group.Frames); kind != requestNone {
			return kind
		}
		next, ok := ids[at.Creator]
		if !ok {
			break
		}
		at = next
	}
	return requestNone
}

// dumps are the samples of a life that have ids, oldest first.
func (l life) dumps() []*profile.Sample {
	var dumps []*profile.Sample
	for i := range l.samples {
		for g := range l.samples[i].Goroutines.Groups {
			if len(l.samples[i].Goroutines.Groups[g].Goroutines) > 0 {
				dumps = append(dumps, &l.samples[i])
				break
			}
		}
	}
	return dumps
}

// outlived counts the goroutines that stand in the newest sample for longer
// than a request of the kind may take: the same ids in the same stack, or by
// the wait that they show. Those that stood in the first sample already count
// only by their wait: what began with the process may stay as long as it.
func outlived(l life, member func(*profile.Group) bool, kind requestKind, deadline time.Duration) overstay {
	dumps := l.dumps()
	if len(dumps) == 0 || dumps[len(dumps)-1] != l.last() {
		return overstay{}
	}
	now := idsOf(l.last().Goroutines)
	since, newborn := standingSince(dumps)
	var o overstay
	for id, p := range now {
		if !member(p.group) || serves(p.group) {
			continue
		}
		stood := time.Duration(p.WaitMinutes) * time.Minute
		if id > newborn {
			stood = max(stood, l.last().Time.Sub(since[id]))
		}
		if stood <= deadline || requestOfPerson(now, p) != kind {
			continue
		}
		o.goroutines++
		if stood > o.atLeast || stood == o.atLeast && id < o.oldest {
			o.atLeast, o.oldest, o.kind = stood, id, kind
		}
	}
	return o
}

// standingSince returns since when each goroutine of the newest dump has stood
// in its stack in every dump, and the highest id of the first dump: ids rise
// with time.
func standingSince(dumps []*profile.Sample) (since map[int64]time.Time, newborn int64) {
	type stand struct {
		sig   profile.Signature
		since time.Time
	}
	standing := map[int64]stand{}
	for i, d := range dumps {
		next := make(map[int64]stand, len(standing))
		for g := range d.Goroutines.Groups {
			group := &d.Goroutines.Groups[g]
			for _, r := range group.Goroutines {
				s, ok := standing[r.ID]
				if !ok || s.sig != group.Signature {
					s = stand{group.Signature, d.Time}
				}
				next[r.ID] = s
				if i == 0 {
					newborn = max(newborn, r.ID)
				}
			}
		}
		standing = next
	}
	since = make(map[int64]time.Time, len(standing))
	for id, s := range standing {
		since[id] = s.since
	}
	return since, newborn
}

// turnover tells whether the goroutines of a stack are the same ones: how many
// were born after the first dump and seen before the newest, and how many of
// those are still there.
type turnover struct{ born, stayed int }

// Born and stayed goroutines from which a stack is said to come and go.
const (
	turnoverMin   = 10
	turnoverShare = 0.2
)

// comesAndGoes reports whether hardly any goroutine stays.
func (t turnover) comesAndGoes() bool {
	return t.born >= turnoverMin && float64(t.stayed) < turnoverShare*float64(t.born)
}

// turnoverOf compares the goroutines of groups over the dumps of a life. It
// takes three of them.
func turnoverOf(l life, member func(*profile.Group) bool) turnover {
	dumps := l.dumps()
	if len(dumps) < 3 {
		return turnover{}
	}
	var newborn int64
	for id := range idsOf(dumps[0].Goroutines) {
		newborn = max(newborn, id)
	}
	seen := map[int64]bool{}
	for _, d := range dumps[1 : len(dumps)-1] {
		for id := range membersOf(d.Goroutines, member) {
			if id > newborn {
				seen[id] = true
			}
		}
	}
	t := turnover{born: len(seen)}
	for id := range membersOf(dumps[len(dumps)-1].Goroutines, member) {
		if seen[id] {
			t.stayed++
		}
	}
	return t
}

// membersOf returns the ids of the goroutines in the groups that are meant.
func membersOf(s *profile.Snapshot, member func(*profile.Group) bool) map[int64]bool {
	ids := map[int64]bool{}
	for i := range s.Groups {
		if g := &s.Groups[i]; len(g.Goroutines) > 0 && member(g) {
			for _, r := range g.Goroutines {
				ids[r.ID] = true
			}
		}
	}
	return ids
}

package classify

import (
	"time"

	"github.com/thanosleak/thanosleak/profile"
)

// overstay is goroutines of one life that were there for longer than requests
// may take. The zero value is none.
type overstay struct {
	goroutines int
	// atLeast is the longest time that one of them was seen to stand there.
	atLeast time.Duration
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
	ids := make(map[int64]person, named(s))
	for i := range s.Groups {
		for _, r := range s.Groups[i].Goroutines {
			ids[r.ID] = person{r, &s.Groups[i]}
		}
	}
	return ids
}

// named is the number of goroutines whose ids are known.
func named(s *profile.Snapshot) int {
	n := 0
	for i := range s.Groups {
		n += len(s.Groups[i].Goroutines)
	}
	return n
}

// requestOfPerson is the kind of request that a goroutine works for: by its
// own stack or by that of a live creator, the nearest first.
func requestOfPerson(ids map[int64]person, at person) requestKind {
	for range maxCreators + 1 {
		if kind := requestOfGroup(at.group); kind != requestNone {
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
		if named(l.samples[i].Goroutines) > 0 {
			dumps = append(dumps, &l.samples[i])
		}
	}
	return dumps
}

// outlived counts the goroutines that stand in the newest sample for longer
// than a request of the kind may take: the same ids in the same stack, or by
// the wait that they show. Those that stood in the first sample already and
// show no wait are left out: what began with the process may stay as long as
// it.
func outlived(l life, member func(*profile.Group) bool, kind requestKind, deadline time.Duration) overstay {
	dumps := l.dumps()
	if len(dumps) == 0 || dumps[len(dumps)-1] != l.last() {
		return overstay{}
	}
	ids := idsOf(l.last().Goroutines)
	highest := highestID(dumps[0].Goroutines)
	var o overstay
	for id, since := range standingSince(dumps, member) {
		p := ids[id]
		wait := time.Duration(p.WaitMinutes) * time.Minute
		stood := max(wait, l.last().Time.Sub(since))
		if stood <= deadline || id <= highest && wait == 0 || requestOfPerson(ids, p) != kind {
			continue
		}
		o.goroutines++
		o.atLeast = max(o.atLeast, stood)
	}
	return o
}

// highestID is the highest id of a dump: goroutines born later have higher
// ones. Processors draw ids in blocks of 16, so that a few born later have
// lower ones and pass for older.
func highestID(s *profile.Snapshot) int64 {
	var highest int64
	for i := range s.Groups {
		for _, r := range s.Groups[i].Goroutines {
			highest = max(highest, r.ID)
		}
	}
	return highest
}

// standingSince returns since when each member of the newest dump has stood in
// its stack in every dump. Connections are no members: see serves.
func standingSince(dumps []*profile.Sample, member func(*profile.Group) bool) map[int64]time.Time {
	type stand struct {
		sig  profile.Signature
		from int // index of the dump
	}
	newest := len(dumps) - 1
	stands := map[int64]*stand{}
	looked := map[profile.Signature]bool{}
	groups := dumps[newest].Goroutines.Groups
	for i := range groups {
		g := &groups[i]
		if len(g.Goroutines) == 0 || serves(g) || !member(g) {
			continue
		}
		looked[g.Signature] = true
		for _, r := range g.Goroutines {
			stands[r.ID] = &stand{g.Signature, newest}
		}
	}
	for d := newest - 1; d >= 0; d-- {
		for _, g := range dumps[d].Goroutines.Groups {
			if !looked[g.Signature] {
				continue
			}
			for _, r := range g.Goroutines {
				if s := stands[r.ID]; s != nil && s.sig == g.Signature && s.from == d+1 {
					s.from = d
				}
			}
		}
	}
	since := make(map[int64]time.Time, len(stands))
	for id, s := range stands {
		since[id] = dumps[s.from].Time
	}
	return since
}

// turnover tells whether the goroutines of a stack are the same ones: how many
// were born after the first dump and seen before the newest, and how many of
// those are still there. The zero value is unknown.
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
	newest := dumps[len(dumps)-1].Goroutines
	if 2*named(newest) < newest.Total {
		return turnover{} // it was cut: who is missing in it has not ended
	}
	seen := map[int64]bool{}
	for _, d := range dumps[1 : len(dumps)-1] {
		for id := range membersOf(d.Goroutines, member) {
			seen[id] = true
		}
	}
	for i := range dumps[0].Goroutines.Groups {
		for _, r := range dumps[0].Goroutines.Groups[i].Goroutines {
			delete(seen, r.ID)
		}
	}
	t := turnover{born: len(seen)}
	for id := range membersOf(newest, member) {
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

package classify

import (
	"fmt"
	"slices"
	"time"

	"github.com/thanosleak/thanosleak/classify/advisory"
	"github.com/thanosleak/thanosleak/profile"
)

// endless are the goroutines of a sample that end with their process only: the
// culprits of advisories that none in health stands with, by advisory, and all that
// no event can end, where the dump tells that.
type endless struct {
	culprits map[string]int
	forever  int
	encoding profile.Encoding
}

// A fall by which goroutines that never end show another process.
const (
	vanishedMin   = 2
	vanishedShare = 0.5
)

// partWhereEndlessEnd parts the lives in which goroutines are gone that never end:
// that was another process, or the process was started anew. Start times tell
// better, so that it looks only where a sample has none.
func (j *judge) partWhereEndlessEnd(p *process) {
	var parted []life
	of := endlessStacks{p: p, db: j.Advisories, ids: map[profile.Signature][]string{}}
	for _, l := range p.lives {
		from := 0
		before := endless{}
		for i := range l.samples {
			s := &l.samples[i]
			if s.Metrics.Sum("process_start_time_seconds") > 0 || s.Goroutines.Truncated || s.Goroutines.Unreadable > 0 {
				before = endless{}
				continue
			}
			now := of.in(s.Goroutines)
			if n, what := before.vanished(now); n > 0 {
				parted = append(parted, life{samples: l.samples[from:i]})
				from = i
				p.notes = append(p.notes, vanishedNote(p, n, what, s.Time))
			}
			before = now
		}
		parted = append(parted, life{samples: l.samples[from:]})
	}
	p.lives = parted
}

// vanishedNote says what shows another process.
func vanishedNote(p *process, n int, what string, at time.Time) string {
	note := fmt.Sprintf("%s of %s, which never end, are gone in the sample of %s: the process was started anew, or the sample is of another one",
		Count(n, "goroutine"), what, at.UTC().Format("2006-01-02 15:04:05 UTC"))
	if p.target.URL == "" {
		note += "; judge files of several processes with --each"
	}
	return note
}

// endlessStacks tells of which advisories goroutines of a process are that never
// end. It remembers the stacks, which all samples have again and again.
type endlessStacks struct {
	p   *process
	db  *advisory.DB
	ids map[profile.Signature][]string
}

// in counts the goroutines of a snapshot that never end.
func (of *endlessStacks) in(s *profile.Snapshot) endless {
	e := endless{culprits: map[string]int{}, encoding: s.Encoding}
	for i := range s.Groups {
		g := &s.Groups[i]
		n, _ := blockedForever(g)
		e.forever += n
		for _, id := range of.advisories(g.Signature) {
			e.culprits[id] += g.Count
		}
	}
	return e
}

// advisories returns the IDs of those that have the stack among their culprits.
func (of *endlessStacks) advisories(sig profile.Signature) []string {
	ids, known := of.ids[sig]
	if known {
		return ids
	}
	functions := sig.Functions()
	for _, a := range of.db.Advisories {
		if a.Class != advisory.Generic && advisory.AppliesTo(a.Components, of.p.component) && of.p.affected(a) != AffectedNo &&
			slices.ContainsFunc(a.Culprits, func(c advisory.Pattern) bool {
				return c.InHealth == advisory.Never && of.p.mayBeIn(c.Releases) && c.Match(functions)
			}) {
			ids = append(ids, a.ID)
		}
	}
	of.ids[sig] = ids
	return ids
}

// vanished returns how many goroutines that never end were there and are not now,
// and of what; 0 if so few that something else may explain it.
func (e endless) vanished(now endless) (n int, what string) {
	for id, before := range e.culprits {
		if gone(before, now.culprits[id]) && before-now.culprits[id] > n {
			n, what = before-now.culprits[id], id
		}
	}
	if n == 0 && e.encoding == now.encoding && gone(e.forever, now.forever) {
		return e.forever - now.forever, "those that no event can end"
	}
	return n, what
}

func gone(before, now int) bool {
	return before-now >= vanishedMin && float64(now) < vanishedShare*float64(before)
}

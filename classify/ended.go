package classify

import (
	"fmt"
	"time"
)

// quietFor is how long a process has to be seen without a leak, at least, before
// what its predecessor showed is over.
const quietFor = time.Hour

// over says why a leak of an earlier life is none of the process that runs now;
// empty if it may well come back, as where a process is killed by its leak again
// and again.
func (j *judge) over(sc *scene, was life) string {
	p, a := sc.process, sc.adv
	until := fmt.Sprintf("%s was there up to %s", a.ID, was.last().Time.UTC().Format("2006-01-02 15:04:05 UTC"))
	if p.affected(a) == AffectedNo {
		return fmt.Sprintf("%s, in another release; %s, which runs since, does not have it", until, p.releaseNames())
	}
	for _, s := range p.preconditions(a) {
		if !s.Optional && s.Met != nil && !*s.Met {
			return fmt.Sprintf("%s; what it needs does not hold since the restart (%s)", until, s.Observed)
		}
	}
	now := p.newest()
	if len(now.samples) < j.Thresholds.MinSamples || now.span() < max(quietFor, sc.took(was)) || sc.first(now) >= 0 {
		return ""
	}
	return fmt.Sprintf("%s; since the restart none was seen in %s, longer than it took before", until, Span(now.span()))
}

// first returns the index of the first sample of a life with culprits; -1 if none
// has.
func (sc *scene) first(l life) int {
	for i := range l.samples {
		if sc.tally(l.samples[i].Goroutines).culprits > 0 {
			return i
		}
	}
	return -1
}

// took returns how old a process was when its first culprits were seen, by its
// start time or, where that is not known, since it was first seen.
func (sc *scene) took(l life) time.Duration {
	s := l.samples[max(sc.first(l), 0)]
	return max(s.Time.Sub(l.samples[0].Time), s.Time.Sub(l.started()))
}

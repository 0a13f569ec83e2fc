package classify

import (
	"fmt"
	"slices"
	"time"

	"github.com/thanosleak/thanosleak/classify/advisory"
	"github.com/thanosleak/thanosleak/profile"
)

// What culprits must show before they count as staying, where requests stand
// in the same place for a moment.
const (
	// heldSamples is the least number of samples, heldMin of goroutines.
	heldSamples = 6
	heldMin     = 8
	// heldShare is the share of the largest count below which no count may
	// fall. Requests that come and go scatter by the root of their number:
	// fewer than about 100 of them fall below it now and then.
	heldShare = 0.8
	// defaultDeadline is Thanos' default for --query.timeout.
	defaultDeadline = 2 * time.Minute
)

// stays says why the culprits of a life stand there for longer than requests
// do; empty if nothing shows that they do. byNumber lets their number be a
// reason: it is none where as many requests explain it.
func (j *judge) stays(sc *scene, l life, tallies []tally, byNumber bool) string {
	counts := make([]float64, len(tallies))
	for i, t := range tallies {
		counts[i] = float64(t.culprits + t.victims)
	}
	if text := sc.overstays(l); text != "" {
		return text
	}
	deadline := sc.deadline()
	if text, told := sc.sameGoroutines(l, deadline); told {
		return text
	}
	if !byNumber {
		return ""
	}
	if j.onlyRises(counts) {
		return fmt.Sprintf("their number rises, over %s in %s", Count(len(counts), "sample"), Span(l.span()))
	}
	enough := heldMin
	if sc.adv.Class == advisory.Deadlock {
		enough = 1 // a single one holds up all others
	}
	if least, span := held(l, counts, deadline); least >= enough {
		return fmt.Sprintf("never fewer than %d stood there in %s, longer than any query may take (%s)", least, Span(span), Span(deadline))
	}
	return ""
}

// overstays says that a culprit has waited for longer than it may in health;
// empty if no wait shows it.
func (sc *scene) overstays(l life) string {
	deadline, what := sc.deadline(), "longer than any query may take"
	if sc.adv.Lasts > 0 {
		what = "far longer than it may take"
	}
	if wait := time.Duration(sc.maxWait(l)) * time.Minute; wait > deadline {
		return fmt.Sprintf("one has waited for at least %s, %s (%s)", Span(wait), what, Span(deadline))
	}
	return ""
}

// deadline is the time after which the culprits are gone in health.
func (sc *scene) deadline() time.Duration { return max(sc.process.deadline(), sc.adv.Lasts) }

// held returns the smallest count of the newest samples, heldSamples of them or
// as many more as span the deadline, and their span; 0 if they are too few or
// scatter as requests do.
func held(l life, counts []float64, deadline time.Duration) (int, time.Duration) {
	from := len(counts) - 1
	span := func() time.Duration { return l.last().Time.Sub(l.samples[from].Time) }
	for from > 0 && (span() <= deadline || len(counts)-from < heldSamples) {
		from--
	}
	window := counts[from:]
	least, most := slices.Min(window), slices.Max(window)
	if span() <= deadline || len(window) < heldSamples || least < heldShare*most {
		return 0, 0
	}
	return int(least), span()
}

// sameGoroutines compares the ids of the culprits in the newest sample with
// those of samples before the deadline. told is false where ids are missing.
func (sc *scene) sameGoroutines(l life, deadline time.Duration) (text string, told bool) {
	now := sc.culpritIDs(l.last().Goroutines)
	if len(now) == 0 {
		return "", false
	}
	for i := len(l.samples) - 2; i >= 0; i-- {
		span := l.last().Time.Sub(l.samples[i].Time)
		before := sc.culpritIDs(l.samples[i].Goroutines)
		if span <= deadline || len(before) == 0 {
			continue
		}
		same := 0
		for id := range before {
			if now[id] {
				same++
			}
		}
		if same == 0 {
			return "", true
		}
		return fmt.Sprintf("%d of them were there %s before already, longer than any query may take (%s)", same, Span(span), Span(deadline)), true
	}
	return "", false
}

// culpritIDs are the ids of the culprits in a snapshot; empty where they are
// not known.
func (sc *scene) culpritIDs(s *profile.Snapshot) map[int64]bool {
	ids := map[int64]bool{}
	for i := range s.Groups {
		if r := sc.role(&s.Groups[i]); r != nil && r.culprit {
			for _, g := range s.Groups[i].Goroutines {
				ids[g.ID] = true
			}
		}
	}
	return ids
}

// maxWait is the longest wait of a culprit in the newest sample, in minutes.
func (sc *scene) maxWait(l life) int {
	longest := 0
	groups := l.last().Goroutines.Groups
	for i := range groups {
		if r := sc.role(&groups[i]); r != nil && r.culprit {
			longest = max(longest, groups[i].MaxWaitMinutes())
		}
	}
	return longest
}

// deadline is the time after which a query of the process has ended or timed
// out: its own --query.timeout, but no less than the default, as callers may
// allow more.
func (p *process) deadline() time.Duration {
	d, err := parseDuration(p.target.Facts.Flags["query.timeout"])
	if err != nil {
		return defaultDeadline
	}
	return max(d, defaultDeadline)
}

package classify

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/thanosleak/thanosleak/profile"
)

// InventoryAtRest returns what stands in the processes at the last rest of a
// soak, or in all samples where there was none. See [InventoryOf].
func InventoryAtRest(targets []profile.Target) []Inventory {
	last := 0
	for _, t := range targets {
		if n := len(t.Samples); n > 0 {
			last = max(last, t.Samples[n-1].Rest)
		}
	}
	return InventoryOf(targets, func(s *profile.Sample) bool { return s.Rest == last })
}

// InventoryBefore is InventoryAtRest for the rest before any load.
func InventoryBefore(targets []profile.Target) []Inventory {
	return InventoryOf(targets, func(s *profile.Sample) bool { return s.Rest <= 1 })
}

// accept takes the findings out of the result that the baseline accepts: those
// whose culprits stand there as often, or more so. It returns their keys and
// says what it did, and what else stands at rest beyond the baseline.
func (j *judge) accept(r *Result, targets []profile.Target, cases []*caseOf) (dropped map[string]bool) {
	b, rest := j.Baseline, InventoryAtRest(targets)
	accepted, dropped := map[string]bool{}, map[string]bool{}
	for _, c := range cases {
		before, seen := accepted[c.key]
		accepted[c.key] = b.acceptsCase(c) && (before || !seen)
	}
	r.Findings = slices.DeleteFunc(r.Findings, func(f Finding) bool {
		if accepted[f.Key] {
			dropped[f.Key] = true
			r.Warnings = append(r.Warnings, fmt.Sprintf("accepted, for the baseline has as many of them at rest: %s, %s", called(f.Advisory, f.Title), Count(f.Culprits, "goroutine")))
		}
		return accepted[f.Key]
	})
	completed := meanCompleted(targets)
	for _, inv := range rest {
		r.Warnings = append(r.Warnings, j.baselineNotes(inv, completed[inv.Component])...)
	}
	return dropped
}

// acceptsCase reports whether the baseline has all culprits of a case: as many in
// a process at rest, which rose by as many during its soak, for as much load. So
// many goroutines of a stack that healthy ones stand in excuse no leak among them.
func (b *Baseline) acceptsCase(c *caseOf) bool {
	before := restingIn(c.life, c.process, false)
	now := restingIn(c.life, c.process, true)
	return !slices.ContainsFunc(c.stacks, func(s Stack) bool {
		n := max(now[s.PortableID], 1) // one that stood in the newest sample alone stands there all the same
		return s.Role == RoleCulprit && !b.Accepts(c.process.component, s.PortableID, n, n-before[s.PortableID], c.process.completed(c.life))
	})
}

// restingIn returns how many goroutines of each stack, by portable ID, stand in the
// life at its last rest, or at its first.
func restingIn(l life, p *process, last bool) map[string]int {
	rest := l.samples[0].Rest
	if last {
		rest = l.last().Rest
	}
	t := *p.target
	t.Samples = l.samples
	counts := map[string]int{}
	for _, inv := range InventoryOf([]profile.Target{t}, func(s *profile.Sample) bool { return s.Rest == rest }) {
		for _, s := range inv.Stacks {
			counts[s.PortableID] = s.Least
		}
	}
	return counts
}

// baselineNotes say what people should know of a component beside its findings.
// Goroutines that are as many as there are connections are left out: the one that
// the samples are taken over is among them. completed is how much a process of the
// component completed, 0 if that is unknown.
func (j *judge) baselineNotes(inv Inventory, completed int) []string {
	b := j.Baseline
	name := componentName(inv.Component)
	c, ok := b.Of(inv.Component)
	if !ok {
		return []string{fmt.Sprintf("the baseline has no %s: nothing of it is accepted. Write one with --write-baseline", name)}
	}
	var notes []string
	for _, revision := range inv.Revisions {
		if b.SameBuild(inv.Component, revision) {
			notes = append(notes, fmt.Sprintf("%s: the baseline is of the same build (revision %s): it shows nothing of what is new in a release", name, revision))
		}
	}
	notes = append(notes, fmt.Sprintf("%s: held against the baseline of %s, of %s", name, versionNames(c.Versions), b.Created.Format(time.DateOnly)))
	if other := otherLoad(c.Completed, completed); other != "" {
		_, what := enoughWork(inv.Component)
		notes = append(notes, fmt.Sprintf("%s: %s by each process, in the baseline's soak %d: %s the load, with which what rests may differ as well",
			name, Count(completed, "completed "+what), c.Completed, other))
	}
	beyond := slices.DeleteFunc(b.Beyond(inv), func(s Beyond) bool {
		c := column{benign: j.Advisories.BenignOf(s.Functions, inv.Component)}
		return c.scales()
	})
	if len(beyond) == 0 {
		return notes
	}
	var parts []string
	for _, s := range beyond {
		parts = append(parts, fmt.Sprintf("%s (%d, was %d)", ShortFunc(s.Functions[0]), s.Least, s.Accepted))
	}
	return append(notes, fmt.Sprintf("%s: %s more at rest than in the baseline of %s: %s", name,
		stacksStand(len(beyond)), versionNames(c.Versions), Few(parts)))
}

// otherLoad says how much more or less was completed than for the baseline; empty
// if it was about as much, or if one of them is not known.
func otherLoad(baseline, now int) string {
	if baseline == 0 || now == 0 {
		return ""
	}
	switch times := float64(now) / float64(baseline); {
	case times > 10:
		return fmt.Sprintf("%.0f times", times)
	case times < asMuch || times > 1/asMuch:
		return fmt.Sprintf("%.2g times", times)
	}
	return ""
}

func stacksStand(n int) string {
	if n == 1 {
		return "1 stack stands"
	}
	return fmt.Sprintf("%d stacks stand", n)
}

// versionNames writes releases for people.
func versionNames(versions []string) string {
	if len(versions) == 0 {
		return "an unknown release"
	}
	return "v" + strings.Join(versions, ", v")
}

package classify

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// A ChangeKind says how a result differs from what people were told.
type ChangeKind string

// The kinds, in the order in which changes are told.
const (
	ChangeNew    ChangeKind = "new"   // a finding that nobody was told of
	ChangeWorse  ChangeKind = "worse" // surer, on more targets, or twice as many goroutines
	ChangeDown   ChangeKind = "down"  // a target gives no sample
	ChangeStill  ChangeKind = "still" // the daily reminder of a finding
	ChangeAbsent ChangeKind = "still down"
	ChangeGone   ChangeKind = "gone" // a finding that was told is not there any more
	ChangeBack   ChangeKind = "back" // a target gives samples again
)

var changeKinds = []ChangeKind{ChangeNew, ChangeWorse, ChangeDown, ChangeStill, ChangeAbsent, ChangeGone, ChangeBack}

// A Change is one thing to tell people who were told of earlier results.
type Change struct {
	Kind ChangeKind
	// Key is that of the finding; empty where it is about a target.
	Key string
	// Name is what the finding is called where the result does not hold it any
	// more: ID and title.
	Name string
	// Target is the name of the target; empty where it is about a finding.
	Target string
	// Text says what is different, in a phrase; empty where Kind says it all.
	Text string
}

// remindAfter is how long people hear nothing of what lasts: a day, less the
// time by which runs once a day may lie nearer together.
const remindAfter = 23 * time.Hour

// Changes returns what is to be told of a result that [Memory.Recall] has seen,
// in the order of the kinds; nothing if all is as it was told. Findings count
// from the level floor on, and until they are gone once they were told.
func (m *Memory) Changes(r *Result, floor Level, now time.Time) []Change {
	var all []Change
	for i := range r.Findings {
		if c, ok := m.change(&r.Findings[i], floor, now); ok {
			all = append(all, c)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(m.Findings)) {
		if s := m.Findings[key]; s.Gone != nil && s.Told != nil {
			all = append(all, Change{Kind: ChangeGone, Key: key, Name: called(s.Advisory, s.Title), Text: "first seen " + stamp(s.FirstSeen)})
		}
	}
	for _, t := range r.Targets {
		if c, ok := m.outage(&t, now); ok {
			all = append(all, c)
		}
	}
	slices.SortStableFunc(all, func(a, b Change) int {
		return slices.Index(changeKinds, a.Kind) - slices.Index(changeKinds, b.Kind)
	})
	return all
}

// change compares a finding with what was told of it.
func (m *Memory) change(f *Finding, floor Level, now time.Time) (Change, bool) {
	s := m.Findings[f.Key]
	switch {
	case s == nil || s.Gone != nil:
		return Change{}, false
	case s.Told == nil:
		return Change{Kind: ChangeNew, Key: f.Key}, f.Level.AtLeast(floor)
	}
	if worse := s.worse(s.Told.Extent); worse != "" && f.Level.AtLeast(floor) {
		return Change{Kind: ChangeWorse, Key: f.Key, Text: worse}, true
	}
	return Change{Kind: ChangeStill, Key: f.Key, Text: "first seen " + stamp(s.FirstSeen)},
		due(s.Told.Time, now) && f.Level.AtLeast(floor)
}

// outage compares a target that gives no sample, or does again, with what was
// told of it.
func (m *Memory) outage(t *TargetResult, now time.Time) (Change, bool) {
	o := m.Outages[t.Name]
	switch {
	case o == nil || t.Kept:
		return Change{}, false
	case o.Over:
		return Change{Kind: ChangeBack, Target: t.Name}, true
	case o.Told.IsZero():
		return Change{Kind: ChangeDown, Target: t.Name, Text: t.Error}, true
	}
	return Change{Kind: ChangeAbsent, Target: t.Name,
		Text: fmt.Sprintf("for %s. %s", Span(now.Sub(o.Since).Abs()), t.Error)}, due(o.Told, now)
}

// called is what people call a finding: ID and title, as far as they are known.
func called(advisory, title string) string {
	if advisory == "" {
		return title
	}
	return advisory + ", " + title
}

// due reports whether it is time for a reminder. A clock that jumped back a
// day or more makes it so as well.
func due(told, now time.Time) bool { return now.Sub(told).Abs() >= remindAfter }

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// worse says in which way an extent is worse than what was told; empty if it is
// not.
func (e Extent) worse(told Extent) string {
	var ways []string
	if e.Level != told.Level && e.Level.AtLeast(told.Level) {
		ways = append(ways, fmt.Sprintf("%s, not %s any more", e.Level, told.Level))
	}
	var more []string
	for _, t := range e.Targets {
		if !slices.Contains(told.Targets, t) {
			more = append(more, t)
		}
	}
	if len(more) > 0 {
		ways = append(ways, "also on "+Few(more))
	}
	if e.Culprits >= 2*max(told.Culprits, 1) {
		ways = append(ways, fmt.Sprintf("%s, %d when it was last told", Count(e.Culprits, "goroutine"), told.Culprits))
	}
	return strings.Join(ways, "; ")
}

// Few names the first three of several, and how many more there are.
func Few(names []string) string {
	const shown = 3
	if n := len(names) - shown; n > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:shown], ", "), n)
	}
	return strings.Join(names, ", ")
}

// Tell remembers that people were told of the changes.
func (m *Memory) Tell(changes []Change, now time.Time) {
	for _, c := range changes {
		switch s, o := m.Findings[c.Key], m.Outages[c.Target]; {
		case c.Kind == ChangeGone && s != nil:
			s.Told = nil
		case c.Kind == ChangeBack:
			delete(m.Outages, c.Target)
		case s != nil:
			s.Told = &Told{Extent: s.Extent, Time: now}
		case o != nil:
			o.Told = now
		}
	}
}

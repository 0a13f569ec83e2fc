package classify

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"
)

// MemorySchema names the form of a [Memory] on disk.
const MemorySchema = "thanosleak/seen/v1"

// The states of a finding beside what earlier runs saw.
const (
	StatusNew     = "new"
	StatusOngoing = "ongoing"
	StatusGone    = "gone"    // in earlier runs only; told once
	StatusUnknown = "unknown" // there is nothing to compare with
)

// A Memory is what runs over the same targets saw and told so far. It is kept
// in the folder of the capture (seen.json); [Memory.Recall] fills it in from a
// result. The zero Memory is that of the first run.
type Memory struct {
	Schema string `json:"schema"`
	// Findings are by key: those at suspect or above, and those that were.
	Findings map[string]*Seen `json:"findings"`
	// Outages are the targets that gave no sample in the last run, by name.
	Outages map[string]*Outage `json:"outages"`

	// Clocks are of the last run with a sample; nil before it.
	Clocks *Clocks `json:"clocks"`
}

// Clocks are the same instant by two clocks, which need not agree.
type Clocks struct {
	Samples time.Time `json:"samples"` // of the targets: when the newest sample was taken
	Here    time.Time `json:"here"`    // of this machine
}

// Now returns what time it is by the clock of the targets: that of the newest
// sample or, where this run got none (newest is zero), as much later than in the
// last run as the clock of this machine has gone on. All times in the memory are
// by that clock. If the two clocks are so far apart that no time comes out that
// can be written, it is this machine's.
func (m *Memory) Now(newest, here time.Time) time.Time {
	switch {
	case !newest.IsZero():
		m.Clocks = &Clocks{Samples: newest, Here: here}
		return newest
	case m.Clocks != nil:
		now := m.Clocks.Samples.Add(here.Sub(m.Clocks.Here))
		if y := now.Year(); y >= 1 && y <= 9999 {
			return now
		}
	}
	return here
}

// Seen is what is remembered of a finding.
type Seen struct {
	Title    string `json:"title"`
	Advisory string `json:"advisory"` // empty if no advisory knows it
	Class    string `json:"class"`
	// FirstSeen is when a run first reported it, LastSeen when the last did:
	// times of the newest sample of those runs.
	FirstSeen time.Time `json:"first_seen"`
	LastSeen  time.Time `json:"last_seen"`
	Extent
	// Gone is when a run first did not find it any more; nil while it lasts.
	Gone *time.Time `json:"gone"`
	// Told is what people were last told; nil if nothing, or that it is gone.
	Told *Told `json:"told"`
}

// Extent is how bad a finding is.
type Extent struct {
	Level    Level    `json:"level"`
	Culprits int      `json:"culprits"`
	Targets  []string `json:"targets"` // sorted
}

// Told is what people were told, and when.
type Told struct {
	Extent
	Time time.Time `json:"time"`
}

// An Outage is a target that gives no sample.
type Outage struct {
	Since time.Time `json:"since"`
	Told  time.Time `json:"told"` // zero if nobody was told
	Over  bool      `json:"over"` // it gives samples again
}

// forgetAfter is how long a finding that is gone is remembered: one that comes
// back within that time is no new one. It is the time over which the samples
// are judged by default.
const forgetAfter = 24 * time.Hour

// ParseMemory reads what [Memory.JSON] wrote. Nothing at all is the memory of
// the first run.
func ParseMemory(b []byte) (*Memory, error) {
	m := &Memory{}
	if len(b) == 0 {
		return m, nil
	}
	if err := json.Unmarshal(b, m); err != nil {
		return nil, fmt.Errorf("it is damaged: %w", err)
	}
	if m.Schema != MemorySchema {
		return nil, fmt.Errorf("it is of another form (%.40q, not %q)", m.Schema, MemorySchema)
	}
	maps.DeleteFunc(m.Findings, func(_ string, s *Seen) bool { return s == nil })
	maps.DeleteFunc(m.Outages, func(_ string, o *Outage) bool { return o == nil })
	return m, nil
}

// JSON returns the memory in the form that [ParseMemory] reads.
func (m *Memory) JSON() ([]byte, error) {
	m.Schema = MemorySchema
	b, err := json.MarshalIndent(m, "", "  ")
	return append(b, '\n'), err
}

// Recall sets Status and FirstSeen of the findings by what earlier runs saw,
// adds those that are gone to the result, at the end and as notes without
// goroutines, and remembers what the result says. now is the time of the
// newest sample.
//
// A finding is gone when it has not been at suspect or above for a while, and
// all its targets were judged or are no targets any more: a process that does
// not answer, or of which too little is known since a pause, may well leak.
func (m *Memory) Recall(r *Result, now time.Time) {
	if m.Findings == nil {
		m.Findings = map[string]*Seen{}
	}
	for _, key := range r.Ignored {
		delete(m.Findings, key) // nobody wants to hear that it is gone
	}
	found := map[string]bool{}
	for i := range r.Findings {
		f := &r.Findings[i]
		found[f.Key] = true
		m.see(f, r, now)
	}
	for _, key := range slices.Sorted(maps.Keys(m.Findings)) {
		s := m.Findings[key]
		switch {
		case s.Gone != nil && now.Sub(*s.Gone).Abs() > forgetAfter:
			delete(m.Findings, key)
		case !found[key] && s.ends(r, now):
			s.Gone = &now
			r.Findings = append(r.Findings, s.gone(key))
		}
	}
	m.recallOutages(r, now)
}

// see compares a finding with what is remembered of it, and remembers it.
func (m *Memory) see(f *Finding, r *Result, now time.Time) {
	s := m.Findings[f.Key]
	worth := f.Level.AtLeast(Suspect)
	f.Status = StatusNew
	if s != nil {
		f.Status = StatusOngoing
	} else if !worth {
		return
	}
	if s == nil {
		s = &Seen{FirstSeen: now}
		m.Findings[f.Key] = s
	}
	first := s.FirstSeen
	f.FirstSeen = &first
	if !worth {
		if s.ends(r, now) {
			s.Gone = &now
		}
		return
	}
	s.Title, s.Advisory, s.Class, s.LastSeen, s.Gone = f.Title, f.Advisory, f.Class, now, nil
	s.Extent = Extent{Level: f.Level, Culprits: f.Culprits}
	for _, o := range f.Occurrences {
		s.Targets = append(s.Targets, o.Target)
	}
	slices.Sort(s.Targets)
}

// gone returns the finding that tells of one which is not there any more.
func (s *Seen) gone(key string) Finding {
	first := s.FirstSeen
	f := Finding{
		Key: key, Level: Note, Advisory: s.Advisory, Title: s.Title, Class: s.Class,
		Status: StatusGone, FirstSeen: &first,
		Stacks: []Stack{}, Occurrences: []Occurrence{}, Remedies: []Remedy{}, References: []string{},
	}
	for _, t := range s.Targets {
		f.Occurrences = append(f.Occurrences, Occurrence{Target: t, Level: Note, Growth: Growth{Verdict: Undecided, Lives: 1},
			Evidence: []Evidence{}, Preconditions: []PreconditionState{}, Points: []Point{}})
	}
	return f
}

// goneAfter is how long a finding stays away before it is gone: one that comes
// and goes around a threshold is no news each time. It is an hour, less what
// hourly runs may lie nearer together.
const goneAfter = 50 * time.Minute

// ends reports whether a finding that is not found now is gone.
func (s *Seen) ends(r *Result, now time.Time) bool {
	return s.Gone == nil && now.Sub(s.LastSeen).Abs() >= goneAfter &&
		!slices.ContainsFunc(r.Targets, func(t TargetResult) bool { return t.Judged != JudgedYes && slices.Contains(s.Targets, t.Name) })
}

// recallOutages remembers which targets gave no sample. An outage that nobody
// was told of is forgotten when it is over, and so is one of a target that is
// none any more. Of one that this run did not look at nothing new is known.
func (m *Memory) recallOutages(r *Result, now time.Time) {
	before := m.Outages
	m.Outages = map[string]*Outage{}
	for _, t := range r.Targets {
		o := before[t.Name]
		switch {
		case t.Unreached:
			o = cmp.Or(o, &Outage{Since: now})
			o.Over = false
		case o == nil || o.Told.IsZero():
			continue
		case !t.Kept:
			o.Over = true
		}
		m.Outages[t.Name] = o
	}
}

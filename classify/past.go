package classify

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/thanosleak/thanosleak/profile"
)

// KindHistory is the kind of the evidence of a target's past. It is a Link: the
// goroutines of a whole process tell no stack, so that it moves no level.
const KindHistory = "history"

// A PastResult is what a target's past shows, beside what its samples do.
type PastResult struct {
	// Instance and Pod are those of the series; Pod is empty if it has none.
	Instance, Pod string
	// Points are oldest first, at least one. Their lives are counted from 0.
	Points []Total
	// Window is the time that was asked for, and Step that between points.
	Window, Step time.Duration
	// Onset is since when the goroutines rise until the end of the window;
	// zero if no rise stands out clearly.
	Onset time.Time
	// Throughout says that they rise from the first point on, so that Onset
	// is no more than an upper bound. Begins says that the first point is
	// later than the window.
	Throughout, Begins bool
	// From and To are the release that ended shortly before the onset and
	// the one that began, Gap by how much that was before it. From is empty
	// if none did; then To is the release of that time, empty if unknown.
	From, To string
	Gap      time.Duration
	// Restarts is their number in the window, and Every the median time
	// between them; 0 with fewer than three.
	Restarts int
	Every    time.Duration
	// More says that there may have been more restarts, as they come about as
	// fast as the points. Guessed says that no start time is known and that
	// they are deep falls.
	More, Guessed bool
	// Max is the largest number of goroutines, and Floor the median of the
	// first points after restarts, 0 without one.
	Max, Floor int
}

// pastLife is the part of a past that one process has.
type pastLife struct {
	start  time.Time // zero if unknown
	points []profile.PastPoint
}

// judgePast returns what a past shows; nil without one.
func (th Thresholds) judgePast(p *profile.Past) *PastResult {
	if p == nil || len(p.Points) == 0 {
		return nil
	}
	lives, guessed := pastLivesOf(p.Points)
	r := &PastResult{Instance: p.Instance, Pod: p.Pod, Window: p.To.Sub(p.From), Step: p.Step, Guessed: guessed, Restarts: len(lives) - 1}
	for n, l := range lives {
		for _, point := range l.points {
			r.Max = max(r.Max, point.Goroutines)
			r.Points = append(r.Points, Total{Time: point.Time, Life: n, Goroutines: point.Goroutines})
		}
	}
	r.setRhythm(lives)
	if at, ok := th.onset(lives); ok {
		first := p.Points[0].Time
		r.Onset, r.Throughout, r.Begins = at, !at.After(first), first.Sub(p.From) > 2*p.Step
		r.setVersions(p, lives)
	}
	return r
}

// pastLivesOf splits points where the process was started anew. Where no start
// time is known, that is guessed from falls.
func pastLivesOf(points []profile.PastPoint) (lives []pastLife, guessed bool) {
	guessed = !slices.ContainsFunc(points, func(p profile.PastPoint) bool { return !p.Started.IsZero() })
	floor := points[0].Goroutines
	for _, p := range points {
		floor = min(floor, p.Goroutines)
	}
	for i, p := range points {
		if i == 0 || guessed && fellTo(points[i-1].Goroutines, p.Goroutines, floor) || anew(lives[len(lives)-1].start, p.Started) {
			lives = append(lives, pastLife{})
		}
		l := &lives[len(lives)-1]
		if l.start.IsZero() {
			l.start = p.Started
		}
		l.points = append(l.points, p)
	}
	return lives, guessed
}

// anew reports whether a process started after another. Several processes
// behind one address take turns; their older starts are passed over.
func anew(before, now time.Time) bool {
	return !before.IsZero() && now.After(before) && !profile.SameStart(unix(before), unix(now))
}

func unix(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// fellTo reports whether a count fell as restarts make it fall: at once, by most
// of it, and to little more than the least that was ever seen, or by nearly all.
func fellTo(before, now, floor int) bool {
	return before-now >= 50 && (5*now <= 2*before && 2*now <= 3*floor+40 || 5*now <= before)
}

// began is when the life began: by the process's own clock, else with its first
// point.
func (l pastLife) began() time.Time {
	if l.start.IsZero() {
		return l.points[0].Time
	}
	return l.start
}

// setRhythm fills in how often and from where the process began again.
func (r *PastResult) setRhythm(lives []pastLife) {
	var floors, gaps []float64
	for i := 1; i < len(lives); i++ {
		floors = append(floors, float64(lives[i].points[0].Goroutines))
		if i > 1 {
			gaps = append(gaps, float64(lives[i].began().Sub(lives[i-1].began())))
		}
	}
	if len(floors) > 0 {
		r.Floor = int(median(floors))
	}
	if len(gaps) > 1 {
		r.Every = time.Duration(median(gaps))
		r.More = r.Every < 2*r.Step
	}
}

// nearUpgrade is the time before an onset within which a change of the release
// is told with it: under little load a leak takes a while to show.
const nearUpgrade = 3 * time.Hour

// setVersions fills in the release that came with the onset.
func (r *PastResult) setVersions(p *profile.Past, lives []pastLife) {
	for i, v := range p.Versions {
		at := v.Time
		for _, l := range lives {
			// The points are coarser than a start time.
			if !l.start.IsZero() && !l.start.After(at) && at.Sub(l.start) <= 2*p.Step {
				at = l.start
			}
		}
		gap := r.Onset.Sub(at)
		if i > 0 && gap < -p.Step {
			break
		}
		r.From, r.To, r.Gap = "", v.Version, 0
		if i > 0 && gap <= max(nearUpgrade, 2*p.Step) {
			r.From, r.Gap = p.Versions[i-1].Version, max(gap, 0)
		}
	}
}

// Text says what a past shows as the rest of a sentence about go_goroutines:
// "rise since 2026-11-20 14:05 UTC, 10m after v0.34.1 became v0.35.1; 9 restarts
// in 7d, about every 18h, at up to 48,210 goroutines, from about 22 again each
// time".
func (r *PastResult) Text() string {
	return r.Rise() + "; " + r.RestartsText() + " in " + r.WindowText() + ", " + r.Rhythm()
}

// WindowText returns the time that was asked for, to about two digits: "7d".
func (r *PastResult) WindowText() string { return roughly(r.Window) }

// Rhythm says how often the process was started anew, as far as there is a
// rhythm, and between which numbers of goroutines that was.
func (r *PastResult) Rhythm() string {
	if r.Restarts == 0 {
		return "at most " + grouped(r.Max) + " goroutines"
	}
	s := fmt.Sprintf("at up to %s goroutines, from about %s again", grouped(r.Max), grouped(r.Floor))
	if r.Restarts > 1 {
		s += " each time"
	}
	if r.Every > 0 && !r.More {
		s = "about every " + roughly(r.Every) + ", " + s
	}
	return s
}

// Rise says since when the goroutines rise, or that they do not.
func (r *PastResult) Rise() string {
	at := r.Onset.UTC().Format("2006-01-02 15:04 UTC")
	s := "rise since " + at
	switch {
	case r.Onset.IsZero():
		return "show no lasting rise"
	case r.Throughout && r.Begins:
		s = "rise since they begin there, " + at
	case r.Throughout:
		s = "rise over all of the " + roughly(r.Window)
	}
	switch {
	case r.To == "":
	case r.From == "":
		s += ", on v" + r.To
	case r.Gap < time.Minute:
		s += fmt.Sprintf(", when v%s became v%s", r.From, r.To)
	default:
		s += fmt.Sprintf(", %s after v%s became v%s", roughly(r.Gap), r.From, r.To)
	}
	return s
}

// RestartsText counts the restarts: "9 restarts".
func (r *PastResult) RestartsText() string {
	switch {
	case r.Restarts == 0 && r.Guessed:
		return "no fall like that of a restart"
	case r.Restarts == 0:
		return "no restart"
	case r.Guessed:
		return Count(r.Restarts, "fall") + " like that of a restart"
	case r.More:
		return "at least " + Count(r.Restarts, "restart")
	}
	return Count(r.Restarts, "restart")
}

// roughly returns a duration for people, to about two digits: "45m", "18h",
// "2h30m", "7d".
func roughly(d time.Duration) string {
	const day = 24 * time.Hour
	unit := time.Minute
	switch {
	case d < time.Minute:
		return Span(d)
	case d >= 3*day:
		unit = day
	case d >= 10*time.Hour:
		unit = time.Hour
	case d >= 2*time.Hour:
		unit = 10 * time.Minute
	}
	d = d.Round(unit)
	if d >= 3*day {
		return fmt.Sprintf("%dd", d/day)
	}
	s := strings.TrimSuffix(d.String(), "0s")
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// grouped writes a number with its thousands apart: "48,210".
func grouped(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// historyEvidence says what the past shows of all goroutines of the target.
func (r *PastResult) historyEvidence() Evidence {
	return Evidence{Kind: KindHistory, Strength: Link, Text: "go_goroutines of " + r.who() + " in Prometheus " + r.Text()}
}

// who names the process as the series do.
func (r *PastResult) who() string {
	if r.Pod != "" {
		return r.Instance + " (pod " + r.Pod + ")"
	}
	return r.Instance
}

// remember adds the past to what is found in a process.
func (j *judge) remember(p *process, cases []*caseOf) {
	past := j.pasts[p]
	if past == nil {
		return
	}
	for _, c := range cases {
		if c.occurrence.Level.AtLeast(Suspect) {
			c.occurrence.Evidence = append(c.occurrence.Evidence, past.historyEvidence())
		}
	}
}

// maxPastNotes is the number of targets of which it is told one by one that
// their past rises, though nothing is found.
const maxPastNotes = 3

// pastNotes tells of targets whose past rises while nothing is found in them,
// those with most goroutines first.
func (j *judge) pastNotes(processes []*process, cases []*caseOf) []string {
	var rising []*process
	for _, p := range processes {
		found := slices.ContainsFunc(cases, func(c *caseOf) bool { return c.process == p && c.occurrence.Level.AtLeast(Suspect) })
		if past := j.pasts[p]; past != nil && !past.Onset.IsZero() && !found {
			rising = append(rising, p)
		}
	}
	slices.SortStableFunc(rising, func(a, b *process) int { return j.pasts[b].Max - j.pasts[a].Max })
	var notes []string
	for i, p := range rising {
		if i == maxPastNotes {
			notes = append(notes, fmt.Sprintf("%d more targets, in which nothing is found now, have goroutines that rise in Prometheus, %s among them", len(rising)-i, p.target.Name))
			break
		}
		command := "thanosleak scan TARGET"
		if p.target.URL != "" {
			command = "thanosleak scan " + ShellQuote(p.target.URL) + j.Reach
		}
		notes = append(notes, fmt.Sprintf("%s: nothing is found now, but its go_goroutines in Prometheus %s. Look for longer, under load: %s --samples 60 --interval 1m",
			p.target.Name, j.pasts[p].Text(), command))
	}
	return notes
}

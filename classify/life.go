package classify

import (
	"fmt"
	"time"

	"github.com/thanosleak/thanosleak/profile"
)

// A life is one run of a process: addresses and names are used again, lives
// are not. Samples are oldest first, at least one.
type life struct {
	samples []profile.Sample
}

// maxBack is how many seconds a start time may move back: the boot time that it
// is computed from follows corrections of the clock.
const maxBack = 2

// livesOf splits the samples of a target where another process answers: its
// start time is another (an earlier one where an address leads to another
// process now), or the binary is. Its lines are looked at where nothing else tells.
func livesOf(samples []profile.Sample) []life {
	var lives []life
	start, build := 0.0, ""
	for i, s := range samples {
		newStart := s.Metrics.Sum("process_start_time_seconds")
		newBuild := s.Goroutines.BuildID
		another := false
		switch {
		case start > 0 && newStart > 0 && !profile.SameStart(start, newStart) && (newStart > start || start-newStart > maxBack):
			another = true
		case build != "" && newBuild != "":
			another = build != newBuild
		case i > 0 && (start == 0 || newStart == 0):
			another = profile.OtherBuild(samples[i-1].Goroutines, s.Goroutines)
		}
		if len(lives) == 0 || another {
			lives = append(lives, life{})
		}
		if newStart > 0 {
			start = newStart
		}
		if newBuild != "" {
			build = newBuild
		}
		l := &lives[len(lives)-1]
		l.samples = append(l.samples, s)
	}
	return lives
}

// last returns the newest sample of the life.
func (l life) last() *profile.Sample { return &l.samples[len(l.samples)-1] }

// span is the time from the first to the last sample.
func (l life) span() time.Duration { return l.last().Time.Sub(l.samples[0].Time) }

// unseen says that the newest sample, or more than a third of all, do not show all
// goroutines, so that what was read of them rules nothing out; empty if they do, or
// all but a few.
func (th Thresholds) unseen(l life) string {
	partial := func(s *profile.Sample) bool {
		return s.Goroutines.Truncated || float64(s.Goroutines.Unreadable) >= th.MinRise
	}
	parts := 0
	for i := range l.samples {
		if partial(&l.samples[i]) {
			parts++
		}
	}
	if !partial(l.last()) && 3*parts <= len(l.samples) {
		return ""
	}
	if len(l.samples) == 1 {
		return fmt.Sprintf("the sample does not show all goroutines (%d could be read): a whole one tells, such as debug=0 as a file", l.last().Goroutines.Total)
	}
	return fmt.Sprintf("%d of %s do not show all goroutines: whole ones tell, such as debug=0", parts, Count(len(l.samples), "sample"))
}

// times returns the times of the samples.
func (l life) times() []time.Time {
	t := make([]time.Time, len(l.samples))
	for i, s := range l.samples {
		t[i] = s.Time
	}
	return t
}

// columns returns the counts of every signature of the life, sample by sample:
// a signature that a sample does not have is 0 there.
func (l life) columns() map[profile.Signature][]float64 {
	cols := map[profile.Signature][]float64{}
	for i, s := range l.samples {
		for g := range s.Goroutines.Groups {
			group := &s.Goroutines.Groups[g]
			counts, ok := cols[group.Signature]
			if !ok {
				counts = make([]float64, len(l.samples))
				cols[group.Signature] = counts
			}
			counts[i] = float64(group.Count)
		}
	}
	return cols
}

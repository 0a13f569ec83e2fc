package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/thanosleak/thanosleak/profile"
	"github.com/thanosleak/thanosleak/profile/discover"
	"github.com/thanosleak/thanosleak/profile/scrape"
)

// watch is one target while it is sampled.
type watch struct {
	listed   discover.Target
	client   *scrape.Client
	target   profile.Target
	askAgain time.Time       // when the process is asked what it is; zero for at once
	unsaved  bool            // what it answered is not in the capture
	unknown  []string        // what it did not answer
	ended    bool            // the discovery does not list it any more
	mixed    error           // several processes answered: nothing taken can be used
	held     profile.Payload // of the newest sample, where it waits for full stacks
	isHeld   bool
	attempt
}

// attempt is what came of a run or, in serve, of a round.
type attempt struct {
	taken   int      // samples
	failed  int      // samples that could not be had
	last    error    // of the newest try, nil if it went well
	err     error    // of the newest try that failed, nil if none did
	repeats int      // samples that were those before
	notes   []string // what was met, oldest first
	notKept bool     // a sample could not be written
}

// take adds a sample, unless it is the one taken before. It reports whether it
// is new.
func (w *watch) take(s profile.Sample) bool {
	w.adopt(s)
	if w.seen(s) {
		return false
	}
	w.setAside(s.Time)
	w.target.Samples = append(w.target.Samples, s)
	w.taken++
	return true
}

// How long it takes until a process is asked again what it is: its endpoints
// change, and who did not answer may be busy.
const (
	factsEvery = time.Hour
	factsRetry = 10 * time.Minute
)

// toAsk reports whether the process is to be asked what it is. What is known of
// another process at the same address is forgotten.
func (w *watch) toAsk(s profile.Sample) bool {
	if n := len(w.target.Samples); n > 0 && otherLife(w.target.Samples[n-1], s) {
		w.target.Facts, w.askAgain = profile.Facts{}, time.Time{}
	}
	return !time.Now().Before(w.askAgain)
}

// adopt completes the facts by what the sample tells. A query frontend passes
// requests for the API on: what came back is of the querier behind it.
func (w *watch) adopt(s profile.Sample) {
	one := profile.Target{Samples: []profile.Sample{s}}
	if one.Component() == "query-frontend" {
		w.target.Facts = profile.Facts{}
	}
	w.target.Facts.Adopt(s.Metrics)
}

// seen reports whether the sample is the one taken before: a profile carries
// its time, and a cache in between may serve it twice. It would count twice.
func (w *watch) seen(s profile.Sample) bool {
	n := len(w.target.Samples)
	if n == 0 || !s.Time.Equal(w.target.Samples[n-1].Time) {
		return false
	}
	if w.repeats == 0 {
		w.warn("the same profile came again and was counted once: is there a cache in between?")
	}
	w.repeats++
	return true
}

// setAside leaves out samples that are later than the one that is taken now:
// the clock of the process jumped back. In the order of their times old and new
// ones would alternate.
func (w *watch) setAside(now time.Time) {
	samples := w.target.Samples
	n, _ := slices.BinarySearchFunc(samples, now, func(s profile.Sample, t time.Time) int { return s.Time.Compare(t) })
	if n == len(samples) {
		return
	}
	w.warn(fmt.Sprintf("the clock of the process, or of the machine, jumped back: %d earlier samples are of a later time, up to %s, than the one taken now (%s). They are kept where they are, and not judged",
		len(samples)-n, samples[len(samples)-1].Time.UTC().Format(time.DateTime), now.UTC().Format(time.DateTime)))
	w.target.Samples = samples[:n:n]
}

// inTurn is how many of the newest samples tell that several processes answer:
// few, so that it is forgotten soon where the address was set right.
const inTurn = 6

// alternates reports whether the newest sample is of a process that another one
// took turns with: what answers is a Service, say, and not a process.
func (w *watch) alternates() bool {
	samples := w.target.Samples[max(0, len(w.target.Samples)-inTurn):]
	n := len(samples) - 1
	if n < 2 {
		return false
	}
	start := func(i int) float64 { return samples[i].Metrics.Sum("process_start_time_seconds") }
	other := false
	for i := n - 1; i >= 0; i-- {
		same := profile.SameStart(start(i), start(n))
		if same && other {
			return true
		}
		other = other || !same && start(i) > 0 && start(n) > 0
	}
	return false
}

// warn adds a warning unless it is there.
func (w *watch) warn(text string) {
	if !slices.Contains(w.notes, text) {
		w.notes = append(w.notes, text)
	}
}

// trim leaves out samples of more than the window before the newest.
func trim(samples []profile.Sample, window time.Duration) []profile.Sample {
	if len(samples) == 0 {
		return samples
	}
	return since(samples, samples[len(samples)-1].Time.Add(-window))
}

// since returns the samples from a time on.
func since(samples []profile.Sample, from time.Time) []profile.Sample {
	n, _ := slices.BinarySearchFunc(samples, from, func(s profile.Sample, t time.Time) int { return s.Time.Compare(t) })
	return samples[n:]
}

// explain says what went wrong with the target in this run, in its result, and
// returns what is to be said beside it; empty for nothing.
func (w *watch) explain(interrupted bool) string {
	interrupted = interrupted && errors.Is(w.err, context.Canceled)
	w.target.Warnings = slices.Concat(w.unknown, w.client.Warnings(), w.notes)
	w.target.FailedSamples = w.failed
	w.target.Unreached, w.target.Mixed, w.target.Err = false, w.mixed != nil, ""
	switch {
	case w.target.Mixed:
		w.target.Unreached, w.target.Samples, w.target.Err = true, nil, w.mixed.Error()
		return w.target.Err
	case w.failed == 0, interrupted && w.taken > 0:
		return ""
	case w.taken == 0:
		w.target.Unreached = true
		w.target.Err = fmt.Sprint(w.err)
		if interrupted {
			w.target.Err = w.target.Name + ": interrupted before the first sample"
		}
		return w.target.Err
	}
	w.target.Err = fmt.Sprintf("%d of %d samples failed, the last with: %v", w.failed, w.failed+w.taken, w.err)
	return w.target.Name + ": " + w.target.Err
}

// sameLife reports whether the newest samples of two targets are of one
// process: it was started at the same instant and is of the same build.
func sameLife(a, b profile.Target) bool {
	if len(a.Samples) == 0 || len(b.Samples) == 0 {
		return false
	}
	x, y := a.Samples[len(a.Samples)-1], b.Samples[len(b.Samples)-1]
	started := x.Metrics.Sum("process_start_time_seconds")
	return started > 0 && profile.SameStart(started, y.Metrics.Sum("process_start_time_seconds")) &&
		x.Goroutines.BuildID != "" && x.Goroutines.BuildID == y.Goroutines.BuildID
}

// otherLife reports whether two samples show that they are of different
// processes. Where /metrics are missing only the build tells.
func otherLife(a, b profile.Sample) bool {
	x, y := a.Metrics.Sum("process_start_time_seconds"), b.Metrics.Sum("process_start_time_seconds")
	return x > 0 && y > 0 && !profile.SameStart(x, y) ||
		a.Goroutines.BuildID != "" && b.Goroutines.BuildID != "" && a.Goroutines.BuildID != b.Goroutines.BuildID
}

// lifeOf returns the samples at the end of a target that are of the process
// which the last one is of.
func lifeOf(t profile.Target) []profile.Sample {
	n := len(t.Samples)
	for n > 0 && sameLife(profile.Target{Samples: t.Samples[:n]}, t) {
		n--
	}
	return t.Samples[n:]
}

// join puts the samples of a process that was watched under another name before
// those taken now.
func (w *watch) join(before profile.Target) {
	w.target.Samples = slices.Concat(lifeOf(before), w.target.Samples)
	slices.SortStableFunc(w.target.Samples, func(a, b profile.Sample) int { return a.Time.Compare(b.Time) })
	w.warn(fmt.Sprintf("the process was watched as %s before: those samples are judged along", before.Name))
}

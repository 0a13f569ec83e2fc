package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/thanosleak/thanosleak/classify"
	"github.com/thanosleak/thanosleak/report"
)

// soak takes the samples of a soak. The error says why the load failed; it ends
// early when ctx is done, and what there is counts.
func (r *rounds) soak(ctx context.Context, s *soaker) error {
	defer r.finish(ctx)
	if len(s.load) == 0 {
		r.watchLoad(ctx, s)
		return nil
	}
	r.rest(ctx, 1)
	if ctx.Err() == nil && r.missing() {
		return errors.New("no load was run: a target gave no sample, so that the soak could not have passed")
	}
	settle, why := r.settleTime(s)
	r.say("%s", s.plan(settle, why))
	var failed error
	for n := 1; n <= s.rounds && failed == nil && ctx.Err() == nil; n++ {
		r.say("round %d of %d: %s", n, s.rounds, s.loadName())
		failed = s.round(ctx, r.std, n) // perhaps because the target leaks: what it has left is to be seen
		r.pause(ctx, settle, fmt.Sprintf("round %d of %d is over", n, s.rounds))
		r.rest(ctx, n+1)
		if silent := r.silent(); len(silent) > 0 && failed == nil && ctx.Err() == nil {
			failed = fmt.Errorf("%s gave no sample after round %d: did it crash? No more load was run", classify.Few(silent), n)
		}
	}
	if ctx.Err() == nil && failed == nil && r.rises() {
		r.pause(ctx, settle, "something is left; it gets the same time once more to go away")
		r.rest(ctx, s.rounds+1)
	}
	if ctx.Err() == nil {
		r.round(ctx, true)
	}
	return failed
}

// watchLoad samples while something else makes the load.
func (r *rounds) watchLoad(ctx context.Context, s *soaker) {
	r.interval = max(s.interval, s.duration/maxWatchSamples)
	n := int(s.duration/r.interval) + 1
	r.say("%d samples in %s, under load that something else makes", n, &s.duration)
	r.run(ctx, n)
}

// maxWatchSamples bounds the samples of a soak by the clock; more tell no more.
const maxWatchSamples = 240

// say tells on standard error how far the soak is.
func (r *rounds) say(format string, args ...any) {
	r.progress.clear()
	if !r.quiet {
		fmt.Fprintf(r.std.err, "thanosleak: "+format+"\n", args...)
	}
}

// rest takes the samples of one rest.
func (r *rounds) rest(ctx context.Context, number int) {
	r.resting = number
	for n := range restSamples {
		started := time.Now()
		r.progress.show("rest %d: sample %d of %d of %s", number, n+1, restSamples, countTargets(len(r.watches)))
		r.round(ctx, false)
		if n == restSamples-1 || !r.wait(ctx, started) {
			break
		}
	}
	if ctx.Err() != nil {
		return
	}
	silent := r.silent()
	line := fmt.Sprintf("at rest: %s in %s", classify.Count(r.standing(), "goroutine"), countTargets(len(r.watches)-len(silent)))
	if len(silent) > 0 {
		line += ", and no sample of " + classify.Few(silent)
	}
	r.say("%s", line)
}

// missing reports whether a target that the soak is about gave no sample yet.
func (r *rounds) missing() bool {
	return len(r.lost) > 0 || slices.ContainsFunc(r.watches, func(w *watch) bool { return w.taken == 0 })
}

// standing is the number of goroutines in the newest samples of this rest.
func (r *rounds) standing() int {
	sum := 0
	for _, w := range r.watches {
		if r.restsIn(w) {
			sum += w.target.Samples[len(w.target.Samples)-1].Goroutines.Total
		}
	}
	return sum
}

// silent are the targets that gave no sample at this rest.
func (r *rounds) silent() (names []string) {
	for _, w := range r.watches {
		if !r.restsIn(w) {
			names = append(names, w.target.Name)
		}
	}
	return names
}

// restsIn reports whether the target gave a sample at this rest.
func (r *rounds) restsIn(w *watch) bool {
	n := len(w.target.Samples)
	return n > 0 && w.target.Samples[n-1].Rest == r.resting
}

// pause lets the processes settle.
func (r *rounds) pause(ctx context.Context, settle time.Duration, what string) {
	r.progress.show("%s, %s to settle", what, typed(settle))
	timer := time.NewTimer(settle)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// rises reports whether something is left of the rounds that may yet go away.
func (r *rounds) rises() bool {
	targets, _ := r.targets()
	for _, f := range r.judge(targets, r.db, "").Findings {
		if f.Level.AtLeast(classify.Suspect) && f.Level != classify.Confirmed {
			return true
		}
	}
	return false
}

// settleTime returns how long the processes get to settle, and by what.
func (r *rounds) settleTime(s *soaker) (settle time.Duration, why string) {
	if s.settle > 0 {
		return time.Duration(s.settle), "--settle"
	}
	for _, w := range r.watches {
		if d, text, _ := classify.QueryTimeout(w.target.Facts); d+settleMore > settle {
			settle, why = d+settleMore, text
		}
	}
	if settle > maxSettle {
		return maxSettle, fmt.Sprintf("less than %s; --settle makes it longer", why)
	}
	return settle, why
}

// plan says before anything is run how much it will be at most.
func (s *soaker) plan(settle time.Duration, why string) string {
	each, long := s.partOf(), "at most"
	if s.duration > 0 {
		long = "under load"
	}
	// A sample may take the whole time that it has, and once more where a target
	// refuses the connection at first.
	rest := settle + restSamples*max(time.Duration(s.interval), 2*time.Duration(s.timeout))
	// What is left gets the time to settle once more.
	most := time.Duration(s.rounds)*(each+loadGrace) + time.Duration(s.rounds+1)*rest
	if s.fullStacks != "never" {
		most += time.Duration(s.timeout)
	}
	return fmt.Sprintf("%d rounds, each %s %s, then %s to settle (%s) and %d samples; %s in all at most",
		s.rounds, typed(each), long, typed(settle), why, restSamples, typed(most.Round(time.Second)))
}

// partOf is the time that one round of load may take.
func (s *soaker) partOf() time.Duration {
	if s.duration > 0 {
		return time.Duration(s.duration) / time.Duration(s.rounds)
	}
	return maxLoad
}

// round runs the load command once. That it was stopped because its time was
// over is no failure if a time was given.
func (s *soaker) round(ctx context.Context, std streams, n int) error {
	stopped, err := runLoad(ctx, std.err, n, s.partOf(), s.load)
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return nil
	case stopped && s.duration == 0:
		return fmt.Errorf("round %d: the load command had not ended after %s and was stopped: --duration gives it a time", n, typed(maxLoad))
	case stopped || err == nil:
		return nil
	case errors.As(err, &exit):
		return fmt.Errorf("round %d: the load command failed (%w): see what it printed on standard error", n, err)
	}
	return fmt.Errorf("round %d: the load command could not be run: %w", n, err)
}

// report judges what there is, prints it, and sums it up in the last lines.
func (s *soaker) report(ctx context.Context, r *rounds, run report.Run, failed error) error {
	switch {
	case failed != nil:
		s.aborted = failed.Error()
	case ctx.Err() != nil:
		s.aborted = "the soak was interrupted before its end"
	}
	complaints := r.explain(ctx.Err() != nil)
	result, notKept := r.judged(ctx)
	targets, _ := r.targets()
	unsaved := s.saveBaseline(targets, result, failed == nil && ctx.Err() == nil)
	run.Finished = now()
	_, unwritten := s.print(r.std, run, result, nil)
	for _, text := range complaints {
		r.complain(text)
	}
	if unsaved == nil {
		s.warnBaseline(r.std, result)
	}
	status := s.status(r.std, result, notKept, unwritten, unsaved, failed)
	if s.quiet && status == nil {
		return nil
	}
	for _, line := range report.SoakLines(result, statusOf(status), s.artefacts(notKept == nil, unsaved == nil)) {
		fmt.Fprintln(r.std.err, line)
	}
	return status
}

// artefacts are the files that the soak leaves.
func (s *soaker) artefacts(kept, saved bool) []string {
	var files []string
	if kept {
		files = append(files, s.dir)
	}
	for _, file := range s.outputFiles() {
		if !slices.ContainsFunc(s.unwritten, func(o string) bool { return strings.HasSuffix(o, "="+file) }) {
			files = append(files, file)
		}
	}
	if saved {
		files = append(files, s.writeBaseline)
	}
	return slices.DeleteFunc(files, func(file string) bool {
		_, err := os.Stat(file) // which there is none of for ""
		return err != nil
	})
}

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/thanosleak/thanosleak/classify/advisory"
	"github.com/thanosleak/thanosleak/profile"
	"github.com/thanosleak/thanosleak/profile/scrape"
)

// watch is one target while it is sampled.
type watch struct {
	client  *scrape.Client
	target  profile.Target
	taken   int // samples of this run
	failed  int
	repeats int             // samples that were those before
	last    error           // of the newest attempt, nil if it went well
	err     error           // of the newest attempt that failed, nil if none did
	mixed   error           // several processes answered: nothing taken can be used
	held    profile.Payload // of the newest sample, not written yet
	unsent  bool            // held is to be written
	notKept bool            // a sample of the target could not be written
}

// rounds samples all targets again and again.
type rounds struct {
	*scanner
	std      streams
	db       *advisory.DB
	store    *store
	watches  []*watch
	progress *progress
	notKept  []error // why samples are missing in the capture, once a target
}

// run takes the samples. It ends early when ctx is done: what there is counts.
func (r *rounds) run(ctx context.Context) {
	for n := range r.samples {
		started := time.Now()
		r.progress.show("sample %d of %d of %s", n+1, r.samples, countTargets(len(r.watches)))
		r.sampleAll(ctx, r.watches)
		r.sampleAll(ctx, r.refused())
		r.keep(n == r.samples-1)
		if n == 0 && r.samples > 1 && ctx.Err() == nil {
			r.progress.firstLook(r.judge(r.targets(), r.db, r.dir))
		}
		if n == r.samples-1 || !r.wait(ctx, n, started) {
			break
		}
	}
	r.progress.clear()
}

// wait waits for the next round. It reports whether there is one.
func (r *rounds) wait(ctx context.Context, n int, started time.Time) bool {
	left := time.Duration(r.interval) - time.Since(started)
	if ctx.Err() == nil && left > 0 {
		if left >= time.Second {
			r.progress.show("%d of %d samples, next in %s (Ctrl-C reports what there is)", n+1, r.samples, left.Round(time.Second))
		}
		timer := time.NewTimer(left)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	return ctx.Err() == nil
}

// sampleAll takes one sample of each target.
func (r *rounds) sampleAll(ctx context.Context, watches []*watch) {
	var g errgroup.Group
	g.SetLimit(r.concurrency)
	for _, w := range watches {
		g.Go(func() error {
			r.sample(ctx, w)
			return nil
		})
	}
	_ = g.Wait() // failures stay with their target
}

// refused are the targets that refused the connection: a restarting process
// gets a second chance at the end of the round.
func (r *rounds) refused() []*watch {
	var again []*watch
	for _, w := range r.watches {
		if scrape.IsRefused(w.last) {
			w.failed-- // the second try counts in place of the first
			again = append(again, w)
		}
	}
	return again
}

// sample takes one sample of a target and, the first time, its facts.
func (r *rounds) sample(ctx context.Context, w *watch) {
	if w.mixed != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(r.timeout))
	defer cancel()
	s, payload, err := w.client.Sample(ctx)
	w.last = err
	if err != nil {
		w.err = err
		w.failed++
		if errors.Is(err, scrape.ErrSeveralProcesses) {
			w.mixed = err
		}
		return
	}
	if w.taken == 0 {
		facts, warnings, err := w.client.Facts(ctx)
		if err != nil {
			warnings = append(warnings, err.Error())
		}
		w.target.Facts = facts
		w.target.Warnings = append(w.target.Warnings, warnings...)
	}
	w.adopt(s)
	if w.seen(s) {
		return
	}
	if r.fullStacks == "always" {
		payload.Debug2, err = r.annotate(ctx, w, &s)
		if err != nil {
			w.target.Warnings = append(w.target.Warnings, err.Error())
		}
	}
	w.target.Samples = append(w.target.Samples, s)
	w.held, w.unsent = payload, true
	w.taken++
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
		w.target.Warnings = append(w.target.Warnings,
			"the same profile came again and was counted once: is there a cache in between?")
	}
	w.repeats++
	return true
}

// annotate takes full stacks for a sample.
func (r *rounds) annotate(ctx context.Context, w *watch, s *profile.Sample) ([]byte, error) {
	full, raw, err := w.client.FullStacks(ctx, s.Goroutines.Total)
	if err != nil {
		return nil, fmt.Errorf("no full stacks: %w", err)
	}
	s.Goroutines.Annotate(full)
	return raw, nil
}

// keep writes the samples of a round into the capture. Those of the last round
// wait for full stacks, if some are to be taken.
func (r *rounds) keep(lastRound bool) {
	if lastRound && r.fullStacks == "once" {
		return
	}
	for _, w := range r.watches {
		r.write(w)
	}
}

func (r *rounds) write(w *watch) {
	if !w.unsent {
		return
	}
	w.unsent = false
	if r.store.writer == nil {
		w.held = profile.Payload{}
		return
	}
	var err error
	if w.taken == 1 {
		err = r.store.writer.Facts(w.target.Name, w.target.Facts)
	}
	err = errors.Join(err, r.store.writer.Add(w.target.Name, w.target.Samples[len(w.target.Samples)-1], w.held))
	if err != nil && !w.notKept {
		w.notKept = true
		r.notKept = append(r.notKept, fmt.Errorf("%s: %w", w.target.Name, err))
	}
	w.held = profile.Payload{}
}

// kept ends the capture and returns where the samples are kept: nowhere, and
// why, if one of them is missing. People restart a process on this word.
func (r *rounds) kept() (string, error) {
	err := errors.Join(errors.Join(r.notKept...), r.store.close())
	if err != nil {
		return "", fmt.Errorf("what was scraped is not kept, or not all of it: %w", err)
	}
	return r.dir, nil
}

// finish takes full stacks, where asked for, writes what is left and says what
// went wrong.
func (r *rounds) finish(ctx context.Context) {
	if r.fullStacks == "once" && ctx.Err() == nil {
		r.fullStacksOnce(ctx)
	}
	for _, w := range r.watches {
		r.write(w)
		w.client.Close()
		w.target.Warnings = append(w.target.Warnings, w.client.Warnings()...)
		r.explain(ctx, w)
	}
}

// fullStacksOnce takes full stacks of the target with the most goroutines.
func (r *rounds) fullStacksOnce(ctx context.Context) {
	var most *watch
	total := 0
	for _, w := range r.watches {
		if n := len(w.target.Samples); w.taken > 0 && w.target.Samples[n-1].Goroutines.Total > total {
			most, total = w, w.target.Samples[n-1].Goroutines.Total
		}
	}
	if most == nil {
		return
	}
	each, passes := scrape.PauseEstimate(total)
	fmt.Fprintf(r.std.err, "thanosleak: full stacks of %s: %d goroutines, stops the process for about %s\n",
		most.target.Name, total, (each * time.Duration(passes)).Round(time.Millisecond))
	raw, err := r.annotate(ctx, most, &most.target.Samples[len(most.target.Samples)-1])
	if err != nil {
		most.target.Warnings = append(most.target.Warnings, err.Error())
	}
	most.held.Debug2 = raw
}

// explain says what went wrong with a target, in its result and on standard
// error.
func (r *rounds) explain(ctx context.Context, w *watch) {
	interrupted := ctx.Err() != nil && errors.Is(w.err, context.Canceled)
	switch {
	case w.failed == 0, interrupted && w.taken > 0:
	case w.taken == 0 || w.mixed != nil:
		w.target.Unreached = true
		w.target.Err = fmt.Sprint(w.err)
		if interrupted {
			w.target.Err = w.target.Name + ": interrupted before the first sample"
		}
		if w.mixed != nil {
			w.target.Samples = nil
		}
		r.complain(w.target.Err)
	default:
		w.target.Err = fmt.Sprintf("%d of %d samples failed, the last with: %v", w.failed, w.failed+w.taken, w.err)
		r.complain(w.target.Name + ": " + w.target.Err)
	}
}

// complain writes an error to standard error, unless the report that tells it
// goes to the same terminal.
func (r *rounds) complain(text string) {
	_, outIsTerminal := terminal(r.std.out)
	_, errIsTerminal := terminal(r.std.err)
	if !outIsTerminal || !errIsTerminal || r.quiet {
		fmt.Fprintf(r.std.err, "thanosleak: %s\n", text)
	}
}

// targets returns the targets with what was taken so far.
func (r *rounds) targets() []profile.Target {
	var targets []profile.Target
	for _, w := range r.watches {
		targets = append(targets, w.target)
	}
	return targets
}

func countTargets(n int) string {
	if n == 1 {
		return "1 target"
	}
	return fmt.Sprintf("%d targets", n)
}

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/thanosleak/thanosleak/classify/advisory"
	"github.com/thanosleak/thanosleak/profile"
	"github.com/thanosleak/thanosleak/profile/capture"
	"github.com/thanosleak/thanosleak/profile/discover"
	"github.com/thanosleak/thanosleak/profile/scrape"
	"github.com/thanosleak/thanosleak/report"
)

// rounds samples all targets again and again.
type rounds struct {
	*scraping
	std      streams
	db       *advisory.DB
	store    *store
	source   *source
	config   *scrape.HTTPConfig // nil for none
	table    *profile.Intern
	watches  []*watch         // in the order in which they were found
	lost     []profile.Target // names that were not found in the last round
	troubles []string         // what else went wrong when targets were looked up
	progress *progress
	tidied   time.Time // when samples that are too old were last looked for
	resting  int       // the number of the rest of a soak that samples are of; 0 for none

	mu      sync.Mutex
	notKept []error // why samples are missing in the capture, once a target
}

// begin prepares a command over what the command line names and what is kept of
// it. The store has to be closed.
func (s *scraping) begin(ctx context.Context, std streams, command string, args []string) (*rounds, report.Run, error) {
	run := report.Run{Version: version(), Started: now()}
	// Whoever reads may go before the end: an error then, and no signal, for what
	// was found is still to be kept and to be the exit status.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)
	db, err := knowledge(s.advisories)
	if err != nil {
		return nil, run, err
	}
	r, err := s.newRounds(ctx, std, db, args)
	if err != nil {
		return nil, run, err
	}
	run.AdvisoriesVersion = db.Version
	run.Command = asTyped(command, r.source.named) + s.given
	st, err := s.open(db)
	if err != nil {
		return nil, run, err
	}
	r.keepIn(st)
	return r, run, nil
}

// newRounds prepares the sampling of what the command line names. Mistakes in
// it are found here; a name that is not found is a target without a sample.
func (s *scraping) newRounds(ctx context.Context, std streams, db *advisory.DB, args []string) (*rounds, error) {
	src, err := newSource(args, s.targetFiles, s.resolver)
	if err != nil {
		return nil, err
	}
	r := &rounds{scraping: s, std: std, db: db, source: src, store: &store{}, table: profile.NewIntern(), progress: newProgress(std, s.quiet)}
	if s.httpConfig != "" {
		if r.config, err = scrape.LoadHTTPConfig(s.httpConfig); err != nil {
			return nil, usageError{fmt.Errorf("--http.config.file: %w", err)}
		}
	}
	r.refresh(ctx)
	return r, nil
}

// refresh finds out which targets there are now.
func (r *rounds) refresh(ctx context.Context) {
	ctx, cancel := r.within(ctx)
	defer cancel()
	var found []discover.Target
	found, r.lost, r.troubles = r.source.find(ctx)
	listed := map[string]bool{}
	for _, t := range found {
		listed[t.Name] = true
		i := slices.IndexFunc(r.watches, func(w *watch) bool { return w.target.Name == t.Name })
		if i < 0 {
			r.watches = append(r.watches, r.newWatch(t))
			continue
		}
		r.relist(r.watches[i], t)
	}
	for _, w := range r.watches {
		if !listed[w.target.Name] && !w.ended {
			w.ended = true
			w.client.Close()
		}
	}
}

// relist continues with a target that is listed still, or again. What its file
// says of it may have changed.
func (r *rounds) relist(w *watch, t discover.Target) {
	w.ended = false
	w.target.Labels = t.Labels
	if w.listed.URL.String() != t.URL.String() {
		w.client.Close()
		w.client = r.newClient(t)
	}
	w.listed = t
}

// newWatch begins with what is kept of the target.
func (r *rounds) newWatch(t discover.Target) *watch {
	w := &watch{listed: t, client: r.newClient(t), target: profile.Target{Name: t.Name, URL: t.String(), Labels: t.Labels}}
	r.resume(w)
	return w
}

func (r *rounds) newClient(t discover.Target) *scrape.Client {
	o := scrape.Options{
		Timeout: time.Duration(r.timeout), Force: r.force, LeakProfile: r.leakProfile,
		Flags: flagNames(r.db), Intern: r.table, UserAgent: "thanosleak/" + version(),
	}
	if r.config != nil {
		o.Transport = r.config.Transport()
	}
	return scrape.New(t.Name, t.URL, o)
}

// resume puts what is kept of the target before what will be taken.
func (r *rounds) resume(w *watch) {
	if old, ok := r.store.take(w.target.Name); ok {
		w.target.Samples, w.target.Facts = old.Samples, old.Facts
		w.notes = append(w.notes, old.Warnings...)
	}
}

// keepIn makes the store the one that samples go to and are continued from.
func (r *rounds) keepIn(st *store) {
	r.store = st
	if r.quiet {
		for _, text := range st.damaged {
			fmt.Fprintf(r.std.err, "thanosleak: %s\n", text)
		}
	}
	for _, w := range r.watches {
		r.resume(w)
	}
}

// round takes one sample of each target. Those of the last round are held back
// where full stacks are to be added to one.
func (r *rounds) round(ctx context.Context, last bool) {
	r.sampleAll(ctx, r.live(), last)
	r.sampleAll(ctx, r.refused(), last)
	clock := r.clock()
	for _, w := range r.watches {
		if w.taken == 0 {
			w.target.Samples = since(w.target.Samples, clock.Add(-time.Duration(r.window)))
			continue
		}
		if w.alternates() {
			w.mixed = scrape.SeveralProcesses(w.target.Name, w.listed.URL)
			continue
		}
		w.target.Samples = trim(w.target.Samples, time.Duration(r.window))
		if moved, ok := r.store.moved(w.target); ok {
			w.join(moved)
		}
	}
}

// live are the targets that are to be sampled.
func (r *rounds) live() []*watch {
	return slices.DeleteFunc(slices.Clone(r.watches), func(w *watch) bool { return w.ended })
}

// wait waits until the time from one round to the next is over. It reports
// whether there is a next one.
func (r *rounds) wait(ctx context.Context, started time.Time) bool {
	if left := time.Duration(r.interval) - time.Since(started); ctx.Err() == nil && left > 0 {
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
func (r *rounds) sampleAll(ctx context.Context, watches []*watch, last bool) {
	var g errgroup.Group
	g.SetLimit(r.concurrency)
	for _, w := range watches {
		g.Go(func() error {
			r.sampleOrSayWhy(ctx, w, last)
			return nil
		})
	}
	_ = g.Wait() // failures stay with their target
}

// sampleOrSayWhy takes one sample of a target. A panic fails that target alone.
func (r *rounds) sampleOrSayWhy(ctx context.Context, w *watch, last bool) {
	defer func() {
		if p := recover(); p != nil {
			r.mu.Lock()
			defer r.mu.Unlock()
			w.err = defect(r.std.err, p)
			w.failed++
		}
	}()
	r.sample(ctx, w, last)
}

// refused are the targets that refused the connection: a restarting process
// gets a second chance at the end of the round.
func (r *rounds) refused() []*watch {
	var again []*watch
	for _, w := range r.live() {
		if scrape.IsRefused(w.last) {
			w.failed-- // the second try counts in place of the first
			again = append(again, w)
		}
	}
	return again
}

// sample takes one sample of a target and, the first time, its facts.
func (r *rounds) sample(ctx context.Context, w *watch, last bool) {
	if w.mixed != nil {
		return
	}
	ctx, cancel := r.within(ctx)
	defer cancel()
	s, payload, err := w.client.Sample(ctx)
	w.last, s.Rest = err, r.resting
	switch {
	case errors.Is(err, scrape.ErrSeveralProcesses):
		w.mixed = err
		fallthrough
	case err != nil:
		w.err = err
		w.failed++
		return
	}
	if w.toAsk(s) {
		r.facts(ctx, w)
	}
	if !w.take(s) {
		return
	}
	if r.fullStacks == "always" {
		payload.Debug2, err = r.annotate(ctx, w)
		if err != nil {
			w.warn(err.Error())
		}
	}
	if last && r.fullStacks == "once" {
		w.held, w.isHeld = payload, true
		return
	}
	r.write(w, payload)
	if last {
		w.client.Close() // a thousand open connections weigh
	}
}

// facts asks the process what it is.
func (r *rounds) facts(ctx context.Context, w *watch) {
	facts, warnings, err := w.client.Facts(ctx)
	if err != nil {
		warnings = append(warnings, err.Error())
	} else {
		w.target.Facts, w.unsaved = facts, true
	}
	w.unknown, w.askAgain = warnings, time.Now().Add(factsEvery)
	if len(warnings) > 0 {
		w.askAgain = time.Now().Add(factsRetry)
	}
}

// annotate takes full stacks for the newest sample.
func (r *rounds) annotate(ctx context.Context, w *watch) ([]byte, error) {
	s := &w.target.Samples[len(w.target.Samples)-1]
	full, raw, err := w.client.FullStacks(ctx, s.Goroutines.Total)
	if err != nil {
		return nil, fmt.Errorf("no full stacks: %w", err)
	}
	s.Goroutines.Annotate(full)
	return raw, nil
}

// targets returns what there is to judge: what is watched, the names that were
// not found, and what else is kept. Where a discovery tells which targets there
// are, those that it does not list any more have ended: what they leaked went
// with them, and they are left out. Where it fails that is not known.
func (r *rounds) targets() (targets []profile.Target, ended []string) {
	for _, w := range r.watches {
		targets = append(targets, w.target)
	}
	if newest := r.newest(); !newest.IsZero() {
		r.store.forget(newest.Add(-time.Duration(r.window)))
	}
	others := r.store.others()
	if r.source.Discovers() && len(r.lost) == 0 {
		for _, t := range others {
			ended = append(ended, t.Name)
		}
		others = nil
	}
	return slices.Concat(targets, r.lost, others), ended
}

// newest returns the time that stands for that of the run: of the newest samples
// the one in the middle, so that no single wrong clock decides what is old; zero
// if no target gave a sample.
func (r *rounds) newest() time.Time {
	var times []time.Time
	for _, w := range r.watches {
		if w.taken > 0 && len(w.target.Samples) > 0 {
			times = append(times, w.target.Samples[len(w.target.Samples)-1].Time)
		}
	}
	return capture.Middle(times)
}

// clock returns the time by the clock of the targets, as far as it is known; see
// [classify.Memory.Now].
func (r *rounds) clock() time.Time {
	newest, m := r.newest(), r.store.memory
	if newest.IsZero() && m != nil && m.Clocks != nil {
		return m.Now(newest, now())
	}
	return newest
}

func countTargets(n int) string {
	if n == 1 {
		return "1 target"
	}
	return fmt.Sprintf("%d targets", n)
}

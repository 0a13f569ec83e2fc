package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/thanosleak/thanosleak/classify"
	"github.com/thanosleak/thanosleak/profile/capture"
	"github.com/thanosleak/thanosleak/profile/scrape"
	"github.com/thanosleak/thanosleak/report"
)

// scanner holds the flags of the command.
type scanner struct {
	scraping
	samples int
}

func newScanCommand(std streams) *cobra.Command {
	s := &scanner{scraping: newScraping(15 * time.Second)}
	c := &cobra.Command{
		Use:   "scan TARGET...",
		Short: "Scrape live processes and judge",
		Long: `Scrape /debug/pprof/goroutine of running Thanos processes several times and judge.
It asks for counts by stack (debug=0), which costs a process well under a
millisecond of standstill, and first looks at /metrics whether even that would be
too much. TARGET is host:port or a URL of the HTTP port (10902 by default), or
dns+host:port, dnssrv+name, dnssrvnoa+name as in Thanos.

With --dir FOLDER the run adds to what earlier runs kept there and judges all of
the last day; that is the way for cron, with --samples 1 and -q.

` + exitHelp,
		Example: `  thanosleak scan localhost:10902                                a port-forward, 6 samples in 75s
  thanosleak scan dns+thanos-query.monitoring:10902 -o json      all pods of a headless service
  thanosleak scan http://thanos-query:10902 --samples 40 --interval 30s --dir incident.tar.gz
  thanosleak scan http://thanos-query:10902 --samples 1 --dir /var/lib/thanosleak -q`,
		Args: s.targetArgs,
		RunE: func(c *cobra.Command, args []string) error {
			s.given = givenFlags(c)
			return s.run(c.Context(), std, args)
		},
	}
	s.add(c)
	f := c.Flags()
	f.IntVar(&s.samples, "samples", 6, "`NUMBER` of samples of each target; with fewer than 6 growth stays undecided")
	f.StringVar(&s.fullStacks, "full-stacks", "never", "take debug=2, which stops the process while it lasts; `MODE` is never, once (at the end, of one target) or always")
	return c
}

func (s *scanner) check() error {
	if s.samples < 1 {
		return usagef("--samples %d: want at least 1", s.samples)
	}
	return s.scraping.check()
}

func (s *scanner) run(ctx context.Context, std streams, args []string) error {
	if err := s.check(); err != nil {
		return err
	}
	rounds, run, err := s.begin(ctx, std, "scan", args)
	if err != nil {
		return err
	}
	defer rounds.store.close() // what can go wrong has by then
	rounds.run(ctx, s.samples)
	rounds.finish(ctx)
	return rounds.report(ctx, run)
}

// run takes the samples. It ends early when ctx is done: what there is counts.
func (r *rounds) run(ctx context.Context, samples int) {
	for n := range samples {
		started := time.Now()
		last := n == samples-1
		r.progress.show("sample %d of %d of %s", n+1, samples, countTargets(len(r.watches)))
		r.round(ctx, last)
		if n == 0 && !last && ctx.Err() == nil {
			targets, _ := r.targets()
			r.progress.firstLook(r.judge(targets, r.db, r.dir))
		}
		if last {
			break
		}
		if left := time.Duration(r.interval) - time.Since(started); left >= time.Second {
			r.progress.show("%d of %d samples, next in %s (Ctrl-C reports what there is)", n+1, samples, left.Round(time.Second))
		}
		if !r.wait(ctx, started) {
			break
		}
		r.refresh(ctx)
	}
}

// finish takes full stacks where they are wanted once, writes what waited for
// them, and lets go of the targets.
func (r *rounds) finish(ctx context.Context) {
	r.progress.clear()
	if r.fullStacks == "once" && ctx.Err() == nil {
		r.fullStacksOnce(ctx)
	}
	for _, w := range r.watches {
		if w.isHeld {
			r.write(w, w.held)
		}
		w.client.Close()
	}
}

// fullStacksOnce takes full stacks of the target with the most goroutines.
func (r *rounds) fullStacksOnce(ctx context.Context) {
	var most *watch
	total := 0
	for _, w := range r.watches {
		if n := len(w.target.Samples); w.isHeld && w.target.Samples[n-1].Goroutines.Total > total {
			most, total = w, w.target.Samples[n-1].Goroutines.Total
		}
	}
	if most == nil {
		return
	}
	each, passes := scrape.PauseEstimate(total)
	fmt.Fprintf(r.std.err, "thanosleak: full stacks of %s: %d goroutines, stops the process for about %s\n",
		most.target.Name, total, (each * time.Duration(passes)).Round(time.Millisecond))
	raw, err := r.annotate(ctx, most)
	if err != nil {
		most.warn(err.Error())
	}
	most.held.Debug2 = raw
}

// report judges what there is, prints it, and keeps what the next run needs.
func (r *rounds) report(ctx context.Context, run report.Run) error {
	interrupted := ctx.Err() != nil
	complaints := r.explain(interrupted)
	result, notKept := r.judged(ctx)
	run.Finished = now()
	news := r.store.compare(result, r.floor(), r.newest(), run.Finished)
	told, unwritten := r.print(r.std, run, result, news)
	// Behind the report, whose first line is the subject of a mail.
	if !r.quiet || news == nil || len(news.changes) > 0 {
		for _, text := range complaints {
			r.complain(text)
		}
	}
	switch {
	case interrupted:
		news = nil // targets were not asked: there is nothing to compare with
	case news != nil && !(told && r.quiet):
		news.changes = nil // those who are to be told by quiet runs were not
	}
	return r.status(r.std, result, notKept, unwritten, r.tidy(news))
}

// judged judges what there is. The error says that samples are not kept.
func (r *rounds) judged(ctx context.Context) (*classify.Result, error) {
	kept, notKept := r.kept()
	targets, ended := r.targets()
	troubles := slices.Concat(r.troubles, r.store.warnings, r.addPast(ctx, targets))
	result := r.judge(targets, r.db, kept)
	result.Warnings = append(result.Warnings, troubles...)
	if len(ended) > 0 {
		result.Warnings = append(result.Warnings, fmt.Sprintf("not judged along, since the discovery does not list them any more: %s. thanosleak analyze %s judges all that is kept",
			classify.Few(ended), classify.ShellQuote(r.dir)))
	}
	if notKept != nil {
		result.Warnings = append(result.Warnings, notKept.Error())
	}
	return result, notKept
}

// explain says in the results of the targets what went wrong with them, and
// returns it.
func (r *rounds) explain(interrupted bool) []string {
	var complaints []string
	for _, w := range r.watches {
		if text := w.explain(interrupted); text != "" {
			complaints = append(complaints, text)
		}
	}
	for _, t := range r.lost {
		complaints = append(complaints, t.Err)
	}
	return complaints
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

// tidyEvery is how often samples that are too old are looked for: serve has its
// folder for itself, and to look through it takes a second.
const tidyEvery = time.Hour

// tidy keeps what people were told, removes samples that are too old, and says
// so.
func (r *rounds) tidy(n *news) error {
	var keep capture.Retention
	if r.tidied.IsZero() || time.Since(r.tidied) >= tidyEvery {
		keep, r.tidied = r.keeping(), time.Now()
	}
	removed, err := r.store.remember(n, keep)
	if text := removed.String(); text != "" && !r.quiet {
		fmt.Fprintf(r.std.err, "thanosleak: removed from %s: %s\n", r.dir, text)
	}
	return err
}

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/thanosleak/thanosleak/classify"
	"github.com/thanosleak/thanosleak/profile"
	"github.com/thanosleak/thanosleak/report"
)

// server holds the flags of the command.
type server struct {
	scraping
	address string
}

func newServeCommand(std streams) *cobra.Command {
	s := &server{scraping: newScraping(time.Minute)}
	c := &cobra.Command{
		Use:   "serve TARGET...",
		Short: "Scan in a loop and serve the findings, for Kubernetes",
		Long: `Scan the targets again and again, one sample of each every --interval, and serve
what is found of the last --window:

  /metrics     findings and targets for Prometheus (docs/metrics.md)
  /            the current findings as a page
  /-/healthy   200 while it runs
  /-/ready     200 from the first round on

TARGET is as for scan; names and target files are looked up again in each round.
Standard output tells what is new, once. Without --dir nothing outlives a restart.
It ends on SIGTERM or Ctrl-C, with exit status 0; 2 is a wrong command line, 3 an
address or folder that cannot be used.`,
		Example: `  thanosleak serve dns+thanos-query.monitoring:10902
  thanosleak serve --target-file '/etc/thanosleak/*.yaml' --interval 5m --dir /data`,
		Args: s.targetArgs,
		RunE: func(c *cobra.Command, args []string) error {
			s.given = givenFlags(c)
			return s.run(c.Context(), std, args)
		},
	}
	s.add(c)
	f := c.Flags()
	f.StringVar(&s.address, "http-address", ":10999", "`ADDRESS` to serve on")
	f.Lookup("fail-on").Usage = "tell of new findings of this `LEVEL` or above: confirmed, likely, suspect, never (which is likely here)"
	f.Lookup("dir").Usage = "keep what was scraped in a folder, which is added to and judged as a whole"
	f.Lookup("quiet").Hidden = true // it always is
	return c
}

func (s *server) check() error {
	if s.interval < duration(time.Second) {
		return usagef("--interval %s: want at least 1s", &s.interval)
	}
	if _, _, err := net.SplitHostPort(s.address); err != nil {
		return usagef("--http-address %s: want HOST:PORT or :PORT", s.address)
	}
	if strings.HasSuffix(s.dir, ".tar.gz") || strings.HasSuffix(s.dir, ".tgz") {
		return usagef("--dir %s: serve keeps samples in a folder, not in an archive", s.dir)
	}
	s.sparse = thinTo
	s.quiet = true // what is new goes to standard output, and nothing else
	return s.scraping.check()
}

func (s *server) run(ctx context.Context, std streams, args []string) error {
	if err := s.check(); err != nil {
		return err
	}
	rounds, run, err := s.begin(ctx, std, "serve", args)
	if err != nil {
		return err
	}
	defer rounds.store.close() // what can go wrong has by then
	rounds.store.memory = cmp.Or(rounds.store.memory, &classify.Memory{})
	l, err := net.Listen("tcp", s.address)
	if err != nil {
		return fmt.Errorf("--http-address %s: %w. Choose another address", s.address, err)
	}
	fmt.Fprintf(std.err, "thanosleak: %s, one sample every %s, served at http://%s\n", countTargets(len(rounds.watches)), &s.interval, l.Addr())
	board := &board{run: run}
	return serveWhile(l, board.handler(), func() { s.loop(ctx, rounds, board, run) })
}

// serveWhile serves until work is done.
func serveWhile(l net.Listener, h http.Handler, work func()) error {
	web := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second, MaxHeaderBytes: 64 << 10}
	served := make(chan error, 1)
	go func() { served <- web.Serve(l) }()
	work()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	if web.Shutdown(ctx) != nil {
		_ = web.Close() // somebody reads slowly: all is said
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// loop scans until ctx is done.
func (s *server) loop(ctx context.Context, r *rounds, b *board, run report.Run) {
	for {
		run.Started = now()
		r.begin()
		r.round(ctx, false)
		if ctx.Err() != nil {
			break // a round that was broken off says nothing
		}
		s.publish(ctx, r, b, run)
		r.shorten()
		if !r.wait(ctx, run.Started) {
			break
		}
		r.refresh(ctx)
		r.drop()
	}
	for _, w := range r.watches {
		w.client.Close()
	}
}

// publish judges what there is, shows it, and tells what is new.
func (s *server) publish(ctx context.Context, r *rounds, b *board, run report.Run) {
	r.explain(false)
	result, notKept := r.judged(ctx)
	run.Finished = now()
	news := r.store.compare(result, r.floor(), r.newest(), run.Finished)
	told, unwritten := r.print(r.std, run, result, news)
	b.show(run, result)
	if !told {
		news.changes = nil
	}
	b.complain(r.std, notKept, unwritten, r.tidy(news))
}

// begin forgets what went wrong in the last round. Where several processes
// answered, it begins anew: the address may have been set right.
func (r *rounds) begin() {
	r.notKept = nil
	for _, w := range r.watches {
		w.attempt = attempt{}
		if w.mixed != nil {
			w.client.Close()
			w.client, w.mixed = r.newClient(w.listed), nil
		}
	}
}

// drop lets go of targets that have ended. What was seen of them is kept while
// it may be needed: their process may appear under another name.
func (r *rounds) drop() {
	r.watches = slices.DeleteFunc(r.watches, func(w *watch) bool {
		if w.ended {
			r.store.old[w.target.Name] = w.target
		}
		return w.ended
	})
	if newest := r.newest(); !newest.IsZero() {
		r.store.forget(newest.Add(-time.Duration(r.window)))
	}
}

// shorten keeps memory bounded over days: of samples older than an hour, one
// every quarter of an hour stays.
func (r *rounds) shorten() {
	for _, w := range r.watches {
		w.target.Samples = thinned(w.target.Samples)
	}
}

const (
	thinAfter = time.Hour
	thinTo    = 15 * time.Minute
)

// thinned leaves out samples that are older than thinAfter and less than thinTo
// apart from the one before. The first of a new process stays.
func thinned(samples []profile.Sample) []profile.Sample {
	if len(samples) == 0 {
		return samples
	}
	recent := samples[len(samples)-1].Time.Add(-thinAfter)
	var slot time.Time
	started := 0.0
	// A new slice: the old array would hold on to what is left out.
	kept := make([]profile.Sample, 0, len(samples))
	for _, s := range samples {
		this, start := s.Time.Truncate(thinTo), s.Metrics.Sum("process_start_time_seconds")
		if s.Time.Before(recent) && this.Equal(slot) && (start == started || profile.SameStart(start, started)) {
			continue
		}
		slot, started = this, start
		kept = append(kept, s)
	}
	return kept
}

package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/thanosleak/thanosleak/classify/advisory"
	"github.com/thanosleak/thanosleak/profile"
	"github.com/thanosleak/thanosleak/profile/capture"
	"github.com/thanosleak/thanosleak/profile/discover"
	"github.com/thanosleak/thanosleak/profile/scrape"
	"github.com/thanosleak/thanosleak/report"
)

// scanner holds the flags of the command.
type scanner struct {
	shared
	samples     int
	interval    duration
	timeout     duration
	fullStacks  string
	force       bool
	leakProfile bool
	dir         string
	concurrency int
	resolver    discover.Resolver
}

func newScanCommand(std streams) *cobra.Command {
	s := &scanner{interval: duration(15 * time.Second), timeout: duration(10 * time.Second), resolver: net.DefaultResolver}
	c := &cobra.Command{
		Use:   "scan TARGET...",
		Short: "Scrape live processes and judge",
		Long: `Scrape /debug/pprof/goroutine of running Thanos processes several times and judge.
It asks for counts by stack (debug=0), which costs a process well under a
millisecond of standstill, and first looks at /metrics whether even that would be
too much. TARGET is host:port or a URL of the HTTP port (10902 by default), or
dns+host:port, dnssrv+name, dnssrvnoa+name as in Thanos.

` + exitHelp,
		Example: `  thanosleak scan localhost:10902                                a port-forward, 6 samples in 75s
  thanosleak scan dns+thanos-query.monitoring:10902 -o json      all pods of a headless service
  thanosleak scan http://thanos-query:10902 --samples 40 --interval 30s --dir incident.tar.gz`,
		Args: atLeast("a target", "http://thanos-query:10902"),
		RunE: func(c *cobra.Command, args []string) error {
			s.given = givenFlags(c)
			return s.run(c.Context(), std, args)
		},
	}
	s.add(c)
	f := c.Flags()
	f.IntVar(&s.samples, "samples", 6, "`NUMBER` of samples of each target; with fewer than 6 growth stays undecided")
	f.Var(&s.interval, "interval", "time between samples")
	f.Var(&s.timeout, "timeout", "how long one sample of one target may take")
	f.StringVar(&s.fullStacks, "full-stacks", "never", "take debug=2, which stops the process while it lasts; `MODE` is never, once (at the end, of one target) or always")
	f.BoolVar(&s.force, "force", false, "take profiles even of processes for which they are costly")
	f.BoolVar(&s.leakProfile, "leak-profile", false, "also take the goroutineleak profile, where there is one (costs a full garbage collection)")
	f.StringVar(&s.dir, "dir", "", "keep what was scraped in a folder, which is added to and judged as a whole, or in a new .tar.gz")
	f.IntVar(&s.concurrency, "concurrency", 32, "`NUMBER` of targets that are asked at the same time")
	return c
}

func (s *scanner) check() error {
	switch {
	case s.samples < 1:
		return usagef("--samples %d: want at least 1", s.samples)
	case s.concurrency < 1:
		return usagef("--concurrency %d: want at least 1", s.concurrency)
	case s.timeout <= 0:
		return usagef("--timeout: want more than 0s")
	case !slices.Contains([]string{"never", "once", "always"}, s.fullStacks):
		return usagef("--full-stacks %s: want never, once or always", s.fullStacks)
	}
	if err := checkDir(s.dir); err != nil {
		return err
	}
	return s.shared.check()
}

// checkDir refuses names of archives of another kind, which would become
// folders, and folders that are not there, which are typing mistakes.
func checkDir(dir string) error {
	if info, err := os.Stat(filepath.Dir(dir)); dir != "" && (err != nil || !info.IsDir()) {
		return usagef("--dir %s: there is no folder %s to put it into", dir, filepath.Dir(dir))
	}
	switch ext := filepath.Ext(dir); ext {
	case ".zip", ".gz", ".tar", ".tgz", ".bz2", ".xz", ".zst":
		if !strings.HasSuffix(dir, ".tar.gz") && ext != ".tgz" {
			return usagef("--dir %s: want a folder or a name that ends in .tar.gz", dir)
		}
	}
	return nil
}

func (s *scanner) run(ctx context.Context, std streams, args []string) error {
	if err := s.check(); err != nil {
		return err
	}
	db, err := knowledge(s.advisories)
	if err != nil {
		return err
	}
	run := report.Run{Version: version(), AdvisoriesVersion: db.Version, Started: now()}
	targets, lost, err := s.discover(ctx, args)
	if err != nil {
		return err
	}
	run.Command = "thanosleak scan " + names(targets) + s.given
	store, err := s.open(db)
	if err != nil {
		return err
	}
	rounds := s.rounds(std, db, targets, store)
	rounds.run(ctx)
	rounds.finish(ctx)
	for _, t := range lost {
		rounds.complain(t.Err)
	}
	kept, notKept := rounds.kept()
	r := s.judge(slices.Concat(rounds.targets(), lost, store.others(targets)), db, kept)
	r.Warnings = append(r.Warnings, store.warnings...)
	if notKept != nil {
		r.Warnings = append(r.Warnings, notKept.Error())
		fmt.Fprintf(std.err, "thanosleak: %v\n", notKept)
	}
	run.Finished = now()
	if err := s.print(std, run, r); err != nil || notKept == nil {
		return err
	}
	return failedError{}
}

// discover finds the targets of all arguments. Lost are those whose names were
// not found: they are reported like processes that do not answer.
func (s *scanner) discover(ctx context.Context, args []string) (targets []discover.Target, lost []profile.Target, err error) {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(s.timeout))
	defer cancel()
	var errs []error
	for _, arg := range args {
		found, err := discover.Parse(ctx, arg, s.resolver)
		lookup, isLookup := errors.AsType[*discover.LookupError](err)
		switch {
		case isLookup:
			lost = append(lost, profile.Target{Name: arg, Unreached: true, Err: arg + ": " + lookup.Cause})
		case err != nil:
			errs = append(errs, err)
		}
		targets = append(targets, found...)
	}
	if len(errs) > 0 {
		return nil, nil, usageError{errors.Join(errs...)}
	}
	return discover.Merge(targets), lost, nil
}

func names(targets []discover.Target) string {
	var n []string
	for _, t := range targets {
		n = append(n, t.String())
	}
	return strings.Join(n, " ")
}

// store is the capture that a scan keeps; the zero store keeps nothing.
type store struct {
	writer *capture.Writer
	// old are the samples that were in the folder before, by target name.
	old      map[string]profile.Target
	warnings []string // about what was there before
}

// open prepares --dir: what is in the folder already is judged along.
func (s *scanner) open(db *advisory.DB) (*store, error) {
	st := &store{old: map[string]profile.Target{}}
	if s.dir == "" {
		return st, nil
	}
	w, err := capture.Create(s.dir)
	if err != nil {
		return nil, err
	}
	st.writer = w
	entries, err := os.ReadDir(s.dir)
	if err != nil || len(entries) == 0 {
		return st, nil // a new folder or archive: nothing to read yet
	}
	in, err := capture.Open([]string{s.dir}, nil, capture.Options{Flags: profile.FlagFilter(flagNames(db))})
	if err != nil {
		st.warnings = []string{"what is in the folder already is not judged along: " + err.Error()}
		return st, nil
	}
	st.warnings = in.Warnings
	for _, t := range in.Targets {
		st.old[t.Name] = t
	}
	return st, nil
}

// others are the targets that are in the folder and not scanned now.
func (st *store) others(scanned []discover.Target) []profile.Target {
	var others []profile.Target
	for _, name := range slices.Sorted(maps.Keys(st.old)) {
		if !slices.ContainsFunc(scanned, func(t discover.Target) bool { return t.Name == name }) {
			others = append(others, st.old[name])
		}
	}
	return others
}

func (st *store) close() error {
	if st.writer == nil {
		return nil
	}
	return st.writer.Close()
}

// rounds prepares the sampling of the targets.
func (s *scanner) rounds(std streams, db *advisory.DB, targets []discover.Target, st *store) *rounds {
	r := &rounds{scanner: s, std: std, db: db, store: st, progress: newProgress(std, s.quiet)}
	for _, t := range targets {
		base := *t.URL
		shown := base
		shown.User = nil
		w := &watch{
			client: scrape.New(t.Name, &base, scrape.Options{
				Timeout: time.Duration(s.timeout), Force: s.force, LeakProfile: s.leakProfile,
				Flags: flagNames(db), UserAgent: fmt.Sprintf("thanosleak/%s", version()),
			}),
			target: profile.Target{Name: t.Name, URL: shown.String(), Labels: t.Labels},
		}
		old := st.old[t.Name]
		w.target.Samples, w.target.Facts = old.Samples, old.Facts
		r.watches = append(r.watches, w)
	}
	return r
}

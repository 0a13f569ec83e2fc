package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/thanosleak/thanosleak/profile"
	"github.com/thanosleak/thanosleak/profile/capture"
	"github.com/thanosleak/thanosleak/report"
)

// analyzer holds the flags of the command.
type analyzer struct {
	shared
	each   bool
	window duration
	// base is the older capture to compare with; empty for none.
	base      string
	givenBase bool
}

func newAnalyzeCommand(std streams) *cobra.Command {
	a := &analyzer{}
	c := &cobra.Command{
		Use:   "analyze PATH...",
		Short: "Judge captures, profiles and dumps",
		Long: `Judge captures (folders or .tar.gz), folders of captures, and profiles or dumps of
any form: debug=0, 1 or 2, gzipped or not, also inside a log. "-" reads standard
input. Files given by name are samples of one process, unless --each.

--base tells what differs from an older capture, such as that of the release
before, for as many requests in flight. It changes nothing in what is found; a
base that cannot be compared is exit status 3.

` + exitHelp,
		Example: `  thanosleak analyze goroutine.txt                     a dump from a ticket
  thanosleak analyze before.pb.gz after.pb.gz          two samples of one process
  thanosleak analyze --each pod-*.pb.gz                one sample of many processes
  thanosleak analyze rc.tar.gz --base release.tar.gz   what a new release changed
  curl -s http://HOST:10902/debug/pprof/goroutine | thanosleak analyze -`,
		Args: atLeast("a file, a folder or - for standard input", "goroutine.pb.gz"),
		RunE: func(c *cobra.Command, args []string) error {
			a.given = givenFlags(c)
			a.givenBase = c.Flags().Changed("base")
			return a.run(c.Context(), std, args)
		},
	}
	a.add(c)
	c.Flags().BoolVar(&a.each, "each", false, "every file is a process of its own")
	c.Flags().Var(&a.window, "window", "leave out samples from more than `DURATION` before the newest (0s: none)")
	c.Flags().StringVar(&a.base, "base", "", "`PATH` of an older capture: tell which stacks are new, gone or grown since")
	return c
}

func (a *analyzer) run(ctx context.Context, std streams, args []string) error {
	if err := errors.Join(a.check(), a.checkBase(args)); err != nil {
		return err
	}
	db, err := knowledge(a.advisories)
	if err != nil {
		return err
	}
	run := report.Run{Version: version(), AdvisoriesVersion: db.Version, Started: now(),
		Command: asTyped("analyze", args) + a.given}
	o := capture.Options{Each: a.each, Flags: profile.FlagFilter(flagNames(db)), Now: run.Started, Window: time.Duration(a.window)}
	in, err := read(ctx, distinct(args), std, o)
	switch {
	case err != nil:
		fmt.Fprintf(std.err, "thanosleak: %v\n", err)
		in = &capture.Input{Targets: []profile.Target{{Name: strings.Join(args, " "), Unreached: true, Err: err.Error()}}}
	case !a.quiet:
		fmt.Fprintf(std.err, "thanosleak: read %s\n", in.Description)
	}
	r := a.judge(in.Targets, db, "")
	r.Warnings = append(r.Warnings, in.Warnings...)
	uncompared := a.compare(ctx, std, in.Targets, r, o)
	run.Finished = now()
	_, unwritten := a.print(std, run, r, nil)
	return a.status(std, r, uncompared, unwritten)
}

// read reads the input, or gives up when ctx is done: standard input may never
// end.
func read(ctx context.Context, args []string, std streams, o capture.Options) (*capture.Input, error) {
	type result struct {
		in  *capture.Input
		err error
	}
	done := make(chan result, 1)
	go func() {
		var r result
		defer func() {
			if p := recover(); p != nil {
				r.err = defect(std.err, p)
			}
			done <- r
		}()
		r.in, r.err = capture.Open(args, std.in, o)
	}()
	select {
	case r := <-done:
		return r.in, r.err
	case <-ctx.Done():
		return nil, errors.New("interrupted before the input was read")
	}
}

// distinct drops arguments that were given before: a file named twice would
// count twice.
func distinct(args []string) []string {
	seen := map[string]bool{}
	return slices.DeleteFunc(slices.Clone(args), func(arg string) bool {
		clean := filepath.Clean(arg)
		again := seen[clean]
		seen[clean] = true
		return again
	})
}

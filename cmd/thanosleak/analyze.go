package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/thanosleak/thanosleak/profile"
	"github.com/thanosleak/thanosleak/profile/capture"
	"github.com/thanosleak/thanosleak/report"
)

// analyzer holds the flags of the command.
type analyzer struct {
	shared
	each bool
}

func newAnalyzeCommand(std streams) *cobra.Command {
	a := &analyzer{}
	c := &cobra.Command{
		Use:   "analyze PATH...",
		Short: "Judge captures, profiles and dumps",
		Long: `Judge captures (folders or .tar.gz), folders of captures, and profiles or dumps of
any form: debug=0, 1 or 2, gzipped or not, also inside a log. "-" reads standard
input. Files given by name are samples of one process, unless --each.

` + exitHelp,
		Example: `  thanosleak analyze goroutine.txt                     a dump from a ticket
  thanosleak analyze before.pb.gz after.pb.gz          two samples of one process
  thanosleak analyze --each pod-*.pb.gz                one sample of many processes
  curl -s http://HOST:10902/debug/pprof/goroutine | thanosleak analyze -`,
		Args: atLeast("a file, a folder or - for standard input", "goroutine.pb.gz"),
		RunE: func(c *cobra.Command, args []string) error {
			a.given = givenFlags(c)
			return a.run(std, args)
		},
	}
	a.add(c)
	c.Flags().BoolVar(&a.each, "each", false, "every file is a process of its own")
	return c
}

func (a *analyzer) run(std streams, args []string) error {
	if err := a.check(); err != nil {
		return err
	}
	db, err := a.knowledge()
	if err != nil {
		return err
	}
	run := report.Run{Version: version(), AdvisoriesVersion: db.Version, Started: now(),
		Command: "thanosleak analyze " + strings.Join(args, " ") + a.given}
	in, err := capture.Open(args, std.in, capture.Options{Each: a.each, Flags: profile.FlagFilter(flagNames(db)), Now: run.Started})
	if err != nil {
		return err
	}
	if !a.quiet {
		fmt.Fprintf(std.err, "thanosleak: read %s\n", in.Description)
	}
	r := a.judge(in.Targets, db, "")
	r.Warnings = append(r.Warnings, in.Warnings...)
	run.Input, run.Finished = in.Description, now()
	return a.print(std, run, r)
}

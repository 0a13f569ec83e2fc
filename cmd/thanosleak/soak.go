package main

import (
	"context"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/thanosleak/thanosleak/classify"
	"github.com/thanosleak/thanosleak/classify/advisory"
)

// soaker holds the flags of the command.
type soaker struct {
	scraping
	// settle is the time from the end of a load to the rest; 0 for what the
	// processes allow a query.
	settle duration
	// duration is the time under load in all; 0 for as long as the load takes.
	duration duration

	baselineFile  string
	writeBaseline string

	// load is the command that makes the load, with its arguments; nil if
	// something else makes it.
	load []string
}

// Bounds of a soak.
const (
	maxRounds = 100
	// maxSettle bounds the time to settle that is taken from the processes: a
	// --query.timeout of an hour is no reason to wait for one.
	maxSettle = 5 * time.Minute
	// settleMore is added to --query.timeout: what ended takes a moment to go.
	settleMore = 5 * time.Second
	// maxLoad is how long one round of load may take where --duration does not
	// say.
	maxLoad = time.Hour
	// restSamples are taken at each rest, so that what just passes does not
	// count.
	restSamples = 3
)

func newSoakCommand(std streams) *cobra.Command {
	s := &soaker{scraping: newScraping(time.Second)}
	s.window, s.retention = duration(366*24*time.Hour), 0 // all samples are of this run
	c := &cobra.Command{
		Use:   "soak TARGET... [flags] -- LOAD-COMMAND [ARGUMENT...]",
		Short: "Put load on a release, and judge what stays when it is over",
		Long: `Run a load command in rounds, let the processes settle after each, and judge what
stays: what grows with every round and does not go away is a leak, however little
it is. Made for CI on release candidates; the last five lines sum it up.

A release with a leak is clean as long as the load does not do what the leak needs:
the report says what was not exercised, and --require makes that a failure.
CONDITION is ` + conditionHelp + `.

Without a load command something else makes the load for --duration. There is no
rest then, and growth alone stays undecided.

Exit status: 0 clean; 1 found at or above --fail-on; 2 wrong command line; 3 too
little evidence, a condition that was required and not met, a load command that
failed, a target that gave no sample, or thanosleak failed.`,
		Example: `  thanosleak soak http://localhost:10902 -- ./load.sh
  thanosleak soak http://localhost:10902 --rounds 5 --duration 10m -- ./forever.sh
  thanosleak soak http://localhost:10902 --require silent-store -- ./load.sh
  thanosleak soak http://localhost:10902 --dir soak.tar.gz -o text -o junit=soak.xml --baseline v0.42.4.json -- ./load.sh`,
		Args: s.args,
		RunE: func(c *cobra.Command, args []string) error {
			s.given = givenFlags(c)
			if c.Flags().Changed("settle") && s.settle == 0 {
				return usagef("--settle 0s: what has ended needs a moment to go, and would count as left; leave it out for the default")
			}
			return s.run(c.Context(), std, args[:len(args)-len(s.load)])
		},
	}
	s.shared.add(c)
	s.addTargets(c)
	f := c.Flags()
	f.Lookup("target-file").Usage = "targets in files of Prometheus' file_sd form, JSON or YAML, which are read once; `GLOB` may be repeated"
	f.Lookup("interval").Usage = "time between the samples of a rest or, without a load command, the least between all"
	f.IntVar(&s.rounds, "rounds", classify.MinRounds, "`NUMBER` of rounds of load, 3 to 100")
	f.Var(&s.settle, "settle", "time from the end of a load to the rest (default: --query.timeout of the processes and 5s, at most 5m)")
	f.Var(&s.duration, "duration", "time under load in all: the load command is stopped when its part is over (default: until it ends, an hour a round at most)")
	f.StringArrayVar(&s.require, "require", nil, "fail unless the soak exercised this `CONDITION`; may be repeated")
	f.StringVar(&s.baselineFile, "baseline", "", "`FILE` of --write-baseline: what stood at rest in the last release is accepted")
	f.StringVar(&s.writeBaseline, "write-baseline", "", "write what stands at rest to `FILE`")
	f.StringVar(&s.dir, "dir", "", "keep what was scraped in a new folder or .tar.gz, `DIR`")
	f.StringVar(&s.fullStacks, "full-stacks", "never", "take debug=2, which stops the process while it lasts; `MODE` is never or once (at the end, of one target)")
	s.soak = true
	return c
}

// conditionHelp names what --require takes.
const conditionHelp = "requests, cancelled, silent-store, or the ID of an advisory of which /metrics tell whether it was exercised, such as TL-2024-001"

// args splits the load command off.
func (s *soaker) args(c *cobra.Command, args []string) error {
	targets := args
	if n := c.ArgsLenAtDash(); n >= 0 {
		targets, s.load = args[:n], args[n:]
	}
	if len(s.load) == 0 && s.duration <= 0 {
		return usagef("soak needs a load command behind --, or --duration for load that something else makes. For example: thanosleak soak http://thanos-query:10902 -- ./load.sh")
	}
	return s.targetArgs(c, targets)
}

// check finds mistakes before anything is done.
func (s *soaker) check() error {
	switch {
	case s.rounds > maxRounds:
		return usagef("--rounds %d: want at most %d", s.rounds, maxRounds)
	case s.rounds < classify.MinRounds:
		return usagef("--rounds %d: want at least %d: after fewer, what is made once cannot be told from a leak", s.rounds, classify.MinRounds)
	case s.settle < 0 || s.duration < 0:
		return usagef("--settle and --duration: want no negative time")
	case s.interval <= 0:
		return usagef("--interval: want more than 0s")
	case s.fullStacks == "always":
		return usagef("--full-stacks always: want never or once: the rests are compared by counts")
	}
	if entries, err := os.ReadDir(s.dir); s.dir != "" && err == nil && len(entries) > 0 {
		return usagef("--dir %s: it is not empty. A soak is judged by its own samples: name a new folder or .tar.gz", s.dir)
	}
	if err := checkCommand(s.load); err != nil {
		return err
	}
	if err := s.checkBaseline(); err != nil {
		return err
	}
	return s.scraping.check()
}

// checkRequired refuses conditions that no soak can be seen to meet.
func (s *soaker) checkRequired() error {
	db, err := knowledge(s.advisories)
	if err != nil {
		return err
	}
	names := conditionNames(db)
	for _, name := range s.require {
		if !slices.Contains(names, name) {
			return usagef("--require %s: want one of %s; whether others were exercised no process tells", name, strings.Join(names, ", "))
		}
	}
	return nil
}

// conditionNames are the conditions that a soak can be seen to meet.
func conditionNames(db *advisory.DB) []string {
	names := slices.Clone(classify.ConditionNames)
	for _, a := range db.Advisories {
		if classify.Witnessed(a) {
			names = append(names, a.ID)
		}
	}
	return names
}

func (s *soaker) run(ctx context.Context, std streams, args []string) error {
	if err := s.check(); err != nil {
		return err
	}
	if err := s.checkRequired(); err != nil {
		return err
	}
	rounds, run, err := s.begin(ctx, std, "soak", args)
	if err != nil {
		return err
	}
	defer rounds.store.close() // what can go wrong has by then
	if len(s.load) > 0 {
		run.Command += " -- " + s.loadName()
	}
	failed := rounds.soak(ctx, s)
	return s.report(ctx, rounds, run, failed)
}

// loadName is what reports call the load command: its arguments may hold
// passwords, and reports are passed on.
func (s *soaker) loadName() string {
	if len(s.load) == 1 {
		return classify.ShellQuote(s.load[0])
	}
	return classify.ShellQuote(s.load[0]) + " …"
}

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/thanosleak/thanosleak/report"
)

// Exit statuses; see the command's documentation.
const (
	exitOK     = 0
	exitFound  = 1
	exitUsage  = 2
	exitFailed = 3
)

// streams are what the program reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
	env      func(string) string
}

// usageError is a mistake on the command line.
type usageError struct{ err error }

func (e usageError) Error() string { return e.err.Error() }
func (e usageError) Unwrap() error { return e.err }

func usagef(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// foundError says that there is a finding at or above --fail-on. It is no
// failure: nothing is printed for it.
type foundError struct{}

func (foundError) Error() string { return "found" }

// failedError says that the report is there, but that some input gave no sample
// or that a sample is not kept. Its text was printed already.
type failedError struct{}

func (failedError) Error() string { return "not all was done" }

// run is the program: it returns the exit status.
func run(ctx context.Context, args []string, std streams) (status int) {
	defer func() {
		if p := recover(); p != nil {
			fmt.Fprintf(std.err, "thanosleak: %v\n", defect(std.err, p))
			status = exitFailed
		}
	}()
	std.err = cleaner{std.err}
	root := newRootCommand(std)
	root.SetArgs(args)
	root.SetIn(std.in)
	root.SetOut(std.out)
	root.SetErr(std.err)
	err := root.ExecuteContext(ctx)
	status = statusOf(err)
	if err != nil && !errors.As(err, &foundError{}) && !errors.As(err, &failedError{}) {
		fmt.Fprintf(std.err, "thanosleak: %v\n", err)
	}
	return status
}

// defect returns the error for a panic, of which it writes the stack.
func defect(to io.Writer, p any) error {
	fmt.Fprintf(to, "%s\n", debug.Stack())
	return fmt.Errorf("a defect in thanosleak, please report it with the stack above: %v", p)
}

// statusOf is the exit status of a command that ended with the error.
func statusOf(err error) int {
	var usage usageError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &foundError{}):
		return exitFound
	case errors.As(err, &usage):
		return exitUsage
	}
	return exitFailed
}

func newRootCommand(std streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "thanosleak",
		Short: "Find goroutine leaks in Thanos, name them and say what to do",
		Example: `In an incident: six samples in 75 seconds, through a port-forward
  thanosleak scan localhost:10902
From cron: add a sample to a history, and tell what is new
  thanosleak scan thanos-query:10902 --samples 1 -q --dir /var/lib/thanosleak
In CI: put load on a release, and fail if anything stays when it is over
  thanosleak soak localhost:10902 -o junit=soak.xml -- ./load.sh`,
		SilenceUsage: true, SilenceErrors: true, SuggestionsMinimumDistance: 2,
		Version: version(),
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usagef("unknown command %q%s", args[0], didYouMean(c, args[0]))
			}
			return nil
		},
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetHelpFunc(help(std))
	root.SetVersionTemplate("thanosleak {{.Version}}\n")
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usagef("%w. Run '%s --help' for the flags", err, c.CommandPath())
	})
	root.AddCommand(newScanCommand(std), newAnalyzeCommand(std), newSoakCommand(std), newServeCommand(std), newAdvisoriesCommand(std), newDemoCommand(std), newVersionCommand(std))
	complete(root)
	return root
}

// didYouMean helps people who mistype the command or leave it out.
func didYouMean(c *cobra.Command, arg string) string {
	if near := c.SuggestionsFor(arg); len(near) > 0 {
		return ". Did you mean: thanosleak " + near[0]
	}
	if _, err := os.Stat(arg); err == nil {
		return ". Did you mean: thanosleak analyze " + arg
	}
	if strings.Contains(arg, ":") {
		return ". Did you mean: thanosleak scan " + arg
	}
	return ""
}

// newVersionCommand makes "thanosleak version" do what people expect.
func newVersionCommand(std streams) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version", Hidden: true, Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintf(std.out, "thanosleak %s\n", version())
			return err
		},
	}
}

// noArgs refuses arguments as a mistake on the command line.
func noArgs(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("%s takes no arguments, not %q", c.Name(), args[0])
	}
	return nil
}

// version returns the version that the binary was built as.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}

// exitHelp tells the exit statuses in the help of the commands.
const exitHelp = `Exit status: 0 nothing found at or above --fail-on, or undecided; 1 found;
2 wrong command line; 3 a target or input gave no sample, or thanosleak failed.`

// cleaner makes messages printable: names of targets and files, and what they
// answer, stand in them.
type cleaner struct{ io.Writer }

// Write writes whole lines at a time, as all messages are.
func (c cleaner) Write(b []byte) (int, error) {
	lines := strings.Split(string(b), "\n")
	for i := range lines {
		lines[i] = report.Printable(lines[i])
	}
	if _, err := io.WriteString(c.Writer, strings.Join(lines, "\n")); err != nil {
		return 0, err
	}
	return len(b), nil
}

// atLeast makes a check of arguments that says what is missing.
func atLeast(what, example string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return usagef("%s needs %s. For example: thanosleak %s %s", c.Name(), what, c.Name(), example)
		}
		return nil
	}
}

// terminal reports whether the stream is a terminal, and its width in columns.
func terminal(stream any) (width int, ok bool) {
	if c, isCleaner := stream.(cleaner); isCleaner {
		stream = c.Writer
	}
	f, isFile := stream.(*os.File)
	if !isFile || !term.IsTerminal(int(f.Fd())) {
		return 0, false
	}
	width, _, err := term.GetSize(int(f.Fd()))
	if err != nil {
		width = 0
	}
	return width, true
}

// now is the clock of the program, in UTC.
func now() time.Time { return time.Now().UTC() }

package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/renameio/v2/maybe"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/thanosleak/thanosleak/classify"
	"github.com/thanosleak/thanosleak/classify/advisory"
	"github.com/thanosleak/thanosleak/profile"
	"github.com/thanosleak/thanosleak/profile/discover"
	"github.com/thanosleak/thanosleak/report"
)

// formats are the writers, by the name that -o takes.
var formats = map[string]func(io.Writer, report.Run, *classify.Result, report.TextOptions) error{
	"text":       report.Text,
	"json":       report.JSON,
	"markdown":   report.Markdown,
	"html":       report.HTML,
	"junit":      report.JUnit,
	"github":     report.GitHub,
	"pprof":      report.Pprof,
	"prometheus": report.Prometheus,
}

// formatNames are the names in formats, for messages.
const formatNames = "text, json, markdown, html, junit, github, prometheus or pprof=FILE"

// shared are the flags that all judging commands have.
type shared struct {
	look
	outputs    []string
	failOn     string
	advisories string
	quiet      bool
	verbose    bool
	// given are the flags of the command line, as they were typed.
	given string
	// reach are those of them that printed commands need; see [classify.Options].
	reach string
	// unwritten are those of outputs that could not be written.
	unwritten []string
	// thanosVersion is for targets that do not tell theirs.
	thanosVersion string
	// memory is the limit of each process as it was typed, memoryLimit the
	// same in bytes; 0 if not given.
	memory      string
	memoryLimit int64
	// ignoreFile lists findings that are accepted, ignore is what it says.
	ignoreFile string
	ignore     *classify.Ignore
	// soak says that the samples are of a soak: what is undecided then fails.
	// require are the conditions that it must have exercised.
	soak    bool
	require []string
	// rounds are those that a soak is to have; aborted says why it has not.
	rounds  int
	aborted string
	// baseline is what stood at rest in another release; nil for none.
	baseline *classify.Baseline
}

func (s *shared) add(c *cobra.Command) {
	f := c.Flags()
	f.StringArrayVarP(&s.outputs, "output", "o", nil, "`FORMAT[=FILE]`: "+formatNames+", to standard output or a file; may be repeated (default text)")
	f.StringVar(&s.failOn, "fail-on", "likely", "exit 1 for findings of this `LEVEL` or above: confirmed, likely, suspect, never")
	addAdvisories(f, &s.advisories)
	f.StringVar(&s.thanosVersion, "thanos-version", "", "`VERSION` of Thanos, such as 0.35.1, for processes and dumps that do not tell theirs")
	f.StringVar(&s.memory, "memory-limit", "", "`SIZE` of memory that each process may have, such as 8GB, to tell how long it lasts (default: its GOMEMLIMIT)")
	f.StringVar(&s.ignoreFile, "ignore", "", "`FILE` with findings that are accepted, each with a reason and the day on which that expires")
	s.look.add(f)
	f.BoolVarP(&s.quiet, "quiet", "q", false, "print nothing while the exit status is 0; files of -o are written")
	f.BoolVarP(&s.verbose, "verbose", "v", false, "all stacks, all evidence, notes")
}

// check finds mistakes before anything is done.
func (s *shared) check() error {
	if err := s.checkOutputs(); err != nil {
		return err
	}
	if !slices.Contains([]string{"confirmed", "likely", "suspect", "never"}, s.failOn) {
		return usagef("--fail-on %s: want confirmed, likely, suspect or never", s.failOn)
	}
	if _, err := advisory.ParseRelease(s.thanosVersion); err != nil && s.thanosVersion != "" {
		return usagef("--thanos-version: %v", err)
	}
	if err := s.look.check(); err != nil {
		return err
	}
	if err := s.readIgnore(); err != nil {
		return err
	}
	return s.checkMemory()
}

// checkOutputs refuses formats that there are not, and files that cannot be written.
func (s *shared) checkOutputs() error {
	toStdout := 0
	for _, o := range s.outputs {
		name, file, toFile := strings.Cut(o, "=")
		if formats[name] == nil || name == "pprof" && !toFile { // which no terminal shows
			return usagef("-o %s: want %s", o, formatNames)
		}
		if !toFile {
			toStdout++
			continue
		}
		if file == "" {
			return usagef("-o %s: each format needs a file of its own: -o FORMAT=FILE", o)
		}
		if err := checkFile("-o "+o, file); err != nil {
			return err
		}
	}
	if toStdout > 1 {
		return usagef("only one -o goes to standard output; give the others a file: -o FORMAT=FILE")
	}
	return checkDistinct(s.outputFiles())
}

// outputFiles are the files of -o.
func (s *shared) outputFiles() []string {
	var files []string
	for _, o := range s.outputs {
		if _, file, toFile := strings.Cut(o, "="); toFile {
			files = append(files, file)
		}
	}
	return files
}

// checkFile refuses a file to be written whose folder is not there, or that is a
// folder itself.
func checkFile(flag, file string) error {
	if info, err := os.Stat(filepath.Dir(file)); err != nil || !info.IsDir() {
		return usagef("%s: there is no folder %s to write to", flag, filepath.Dir(file))
	}
	if info, err := os.Stat(file); err == nil && info.IsDir() {
		return usagef("%s: %s is a folder: name a file in it", flag, file)
	}
	return nil
}

// checkDistinct refuses to write two things to one file; empty names are left out.
func checkDistinct(files []string) error {
	seen := map[string]bool{}
	for _, file := range files {
		name := filepath.Clean(file)
		if file != "" && seen[name] {
			return usagef("%s is to be written twice: each needs a file of its own", file)
		}
		seen[name] = true
	}
	return nil
}

// readIgnore reads --ignore.
func (s *shared) readIgnore() error {
	if s.ignoreFile == "" {
		return nil
	}
	content, err := os.ReadFile(s.ignoreFile)
	if err == nil {
		s.ignore, err = classify.ParseIgnore(s.ignoreFile, content)
	}
	if err != nil {
		return usagef("--ignore: %w", err)
	}
	return nil
}

// checkMemory reads --memory-limit.
func (s *shared) checkMemory() error {
	if s.memory == "" {
		return nil
	}
	n, err := bytesOf(s.memory)
	if err != nil {
		return usagef("--memory-limit %s: want a size, such as 8GB or 512Mi", s.memory)
	}
	s.memoryLimit = n
	return nil
}

// givenFlags returns the flags that were given, each behind a space, by name;
// credentials in URLs are left out.
func givenFlags(c *cobra.Command) string {
	var b strings.Builder
	c.Flags().Visit(func(f *pflag.Flag) {
		values := []string{f.Value.String()}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
		}
		for _, v := range values {
			if f.NoOptDefVal != "" && v == "true" {
				fmt.Fprintf(&b, " --%s", f.Name)
				continue
			}
			if strings.Contains(v, "://") {
				v = discover.Plain(v)
			}
			fmt.Fprintf(&b, " --%s=%s", f.Name, classify.ShellQuote(v))
		}
	})
	return b.String()
}

// asTyped is a command with its arguments, as a shell takes them.
func asTyped(command string, args []string) string {
	words := []string{"thanosleak", command}
	for _, arg := range args {
		words = append(words, classify.ShellQuote(arg))
	}
	return strings.Join(words, " ")
}

// flagNames are the flags of a process that a judgement by db reads.
func flagNames(db *advisory.DB) []string { return append(db.Flags(), classify.Flags()...) }

// judge decides about the targets with the options of the command line. kept
// is where the samples are kept already, empty if nowhere.
func (s *shared) judge(targets []profile.Target, db *advisory.DB, kept string) *classify.Result {
	for i := range targets {
		if f := &targets[i].Facts; s.thanosVersion != "" && f.Version == "" {
			f.Version, f.VersionSource = strings.TrimPrefix(s.thanosVersion, "v"), "flag"
		}
	}
	return classify.Judge(targets, classify.Options{
		Thresholds: classify.DefaultThresholds(), Advisories: db, Kept: kept, Reach: s.reach, MemoryLimit: s.memoryLimit, Ignore: s.ignore,
		Soak: s.soak, Rounds: s.rounds, Aborted: s.aborted, Require: s.require, Baseline: s.baseline, Now: now(),
	})
}

// print writes the result in all formats asked for, and in quiet runs what is
// new in it: nothing if nothing is. Where there is nothing to compare with (n
// is nil) all is new that the exit status tells of. told says that all is on
// standard output that belongs there, whatever failed.
func (s *shared) print(std streams, run report.Run, r *classify.Result, n *news) (told bool, failed error) {
	told = true
	outputs := s.outputs
	// What is new is told, whatever files are written beside it.
	if toStdout := func(o string) bool { return !strings.Contains(o, "=") }; len(outputs) == 0 ||
		s.quiet && n != nil && !slices.ContainsFunc(outputs, toStdout) {
		outputs = append(slices.Clone(outputs), "text")
	}
	silent := s.quiet && (n == nil && s.outcome(r) == nil || n != nil && len(n.changes) == 0)
	for _, o := range outputs {
		toFile := strings.Contains(o, "=")
		if silent && !toFile {
			continue // files that were asked for by name are written all the same
		}
		if err := s.write(std, o, run, r, n); err != nil {
			failed = errors.Join(failed, fmt.Errorf("write %s: %w", o, err))
			s.unwritten = append(s.unwritten, o)
			told = told && toFile
		}
	}
	return told, failed
}

// status returns what the exit status hangs on: the result and what failed
// beside it, which is told here.
func (s *shared) status(std streams, r *classify.Result, failures ...error) error {
	failed := errors.Join(failures...)
	for _, err := range failures {
		if err != nil {
			fmt.Fprintf(std.err, "thanosleak: %v\n", err)
		}
	}
	status := s.outcome(r)
	if failed != nil && !errors.As(status, &foundError{}) {
		return failedError{}
	}
	return status
}

// floor is the level from which findings are news.
func (s *shared) floor() classify.Level {
	if s.failOn == "never" {
		return classify.Likely
	}
	return classify.Level(s.failOn)
}

// outcome returns what the exit status hangs on: nil, foundError or
// failedError.
func (s *shared) outcome(r *classify.Result) error {
	if s.failOn != "never" {
		for _, f := range r.Findings {
			if f.Level.AtLeast(classify.Level(s.failOn)) {
				return foundError{}
			}
		}
	}
	for _, t := range r.Targets {
		if t.Judged == classify.JudgedNo || s.soak && t.Undecided != "" {
			return failedError{}
		}
	}
	if r.Soak != nil && len(r.Soak.Unmet()) > 0 {
		return failedError{}
	}
	return nil
}

// write writes the result to standard output or, whole or not at all, to a
// file.
func (s *shared) write(std streams, output string, run report.Run, r *classify.Result, n *news) error {
	if s.failOn != "never" {
		run.FailOn = classify.Level(s.failOn)
	}
	run.Strict = s.soak
	name, file, toFile := strings.Cut(output, "=")
	if !toFile {
		o := s.look.options(std)
		o.Verbose = s.verbose
		if s.quiet && n != nil && name == "text" {
			return report.Changes(std.out, run, r, n.changes, o)
		}
		return formats[name](std.out, run, r, o)
	}
	var b strings.Builder
	if err := formats[name](&b, run, r, report.TextOptions{Verbose: s.verbose, Color: s.color == "always"}); err != nil {
		return err
	}
	return writeFile(file, []byte(b.String()))
}

// writeFile writes a file whole or not at all. What is there and is no file (a
// pipe, a device) is written into; a link is followed.
func writeFile(name string, content []byte) error {
	if target, err := filepath.EvalSymlinks(name); err == nil {
		name = target
	}
	info, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.Mode().IsRegular() {
		return maybe.WriteFile(name, content, 0o644)
	}
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Close())
}

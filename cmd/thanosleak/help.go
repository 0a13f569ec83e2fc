package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/thanosleak/thanosleak/report"
)

// Columns of the help: what it is written for where the width of the terminal
// is not known, and what is the least and the most that it uses.
const (
	helpWidth    = 80
	minHelpWidth = 60
	maxHelpWidth = 100 // wider lines are hard to read
)

// flagGroups are the headings under which the help lists flags, in this order,
// where a command has many. Flags of no group stand under "Other flags".
var flagGroups = []struct {
	title string
	flags []string
}{
	{"Sampling", []string{"samples", "interval", "full-stacks", "leak-profile", "force", "rounds", "settle", "duration"}},
	{"Reaching the targets", []string{"target-file", "http.config.file", "timeout", "concurrency", "http-address"}},
	{"Keeping samples", []string{"dir", "retention", "retention-size"}},
	{"The time before the samples", []string{"prometheus.url", "prometheus.window", "prometheus.http.config.file"}},
	{"Judging", []string{"window", "each", "base", "thanos-version", "memory-limit", "advisories", "ignore", "require", "baseline", "write-baseline", "fail-on"}},
	{"Output", []string{"output", "quiet", "verbose", "color", "help"}},
}

// manyFlags is the number of flags from which they are listed in groups.
const manyFlags = 16

// helper writes the help of all commands in the width of the terminal.
type helper struct {
	strings.Builder
	width int
}

// help writes the help of a command.
func help(std streams) func(*cobra.Command, []string) {
	return func(c *cobra.Command, _ []string) {
		h := &helper{width: terminalWidth(std)}
		h.about(c)
		if c.HasParent() {
			usage := c.UseLine()
			if !c.Runnable() {
				usage = c.CommandPath() + " COMMAND"
			}
			fmt.Fprintf(h, "\nUsage: %s\n", usage)
			h.examples(c.Example)
		}
		h.commands(c)
		if c.HasParent() {
			h.flags(c.LocalFlags())
		} else {
			h.ending()
		}
		// Nobody is there to be told that the help cannot be written.
		_, _ = fmt.Fprint(c.OutOrStdout(), h)
	}
}

// terminalWidth returns the columns to write help in.
func terminalWidth(std streams) int {
	width, _ := terminal(std.out)
	if width == 0 {
		width, _ = strconv.Atoi(std.env("COLUMNS"))
	}
	if width == 0 {
		width = helpWidth
	}
	return min(max(width, minHelpWidth), maxHelpWidth)
}

// about writes what a command does; the root shows it by examples, which have
// to fit the first screen together with the commands.
func (h *helper) about(c *cobra.Command) {
	if c.Long != "" {
		h.text(c.Long)
		return
	}
	h.text(c.Short)
	if !c.HasParent() {
		fmt.Fprintf(h, "\n%s\n", c.Example)
	}
}

// text writes paragraphs anew in the width of the terminal; indented lines,
// which are lists and commands, stay as they are.
func (h *helper) text(s string) {
	for paragraph := range strings.SplitSeq(s, "\n\n") {
		if h.Len() > 0 {
			h.WriteByte('\n')
		}
		var flowing []string
		flush := func() {
			if len(flowing) > 0 {
				h.WriteString(strings.Join(report.Wrap(strings.Join(flowing, " "), h.width), "\n") + "\n")
			}
			flowing = nil
		}
		for line := range strings.SplitSeq(strings.Trim(paragraph, "\n"), "\n") {
			if strings.HasPrefix(line, " ") || strings.HasPrefix(line, "\t") {
				flush()
				h.WriteString(line + "\n")
				continue
			}
			flowing = append(flowing, line)
		}
		flush()
	}
}

// example is a command and what it is for, which may be empty.
type example struct{ command, what string }

// examples writes what stands behind commands below them where it does not fit.
func (h *helper) examples(s string) {
	if s == "" {
		return
	}
	var all []example
	column, fits := 0, true
	for line := range strings.Lines(s) {
		if n := len(all); n > 0 && strings.HasSuffix(all[n-1].command, `\`) {
			all[n-1].command += "\n" + strings.TrimRight(line, "\n")
			continue
		}
		command, what, _ := strings.Cut(strings.TrimSpace(line), "   ")
		all = append(all, example{command, strings.TrimSpace(what)})
		if what != "" {
			column = max(column, len(command)+4)
		}
	}
	for _, e := range all {
		fits = fits && (e.what == "" || column+len(e.what) <= h.width)
	}
	h.WriteString("\nExamples:\n")
	for _, e := range all {
		switch {
		case e.what == "":
			h.command(e.command)
		case fits:
			fmt.Fprintf(h, "  %-*s%s\n", column-2, e.command, e.what)
		default:
			h.command(e.command)
			fmt.Fprintf(h, "      %s\n", e.what)
		}
	}
}

// command writes a command so that it can be pasted whole: one that is too long
// is continued before a flag, unless that stands in quotes.
func (h *helper) command(c string) {
	line, more, _ := strings.Cut("  "+c, "\n")
	for len(line) > h.width {
		at := strings.LastIndex(line[:h.width-2], " -")
		before := line[:max(at, 0)]
		if strings.TrimSpace(before) == "" || strings.Count(before, "'")%2 != 0 || strings.Count(before, `"`)%2 != 0 {
			break
		}
		h.WriteString(before + " \\\n")
		line = "     " + line[at:]
	}
	h.WriteString(line + "\n")
	if more != "" { // what is continued by hand stays so
		h.WriteString(more + "\n")
	}
}

// commands lists the commands below a command.
func (h *helper) commands(c *cobra.Command) {
	longest := 0
	shown := slices.DeleteFunc(slices.Clone(c.Commands()), func(c *cobra.Command) bool { return !c.IsAvailableCommand() })
	for _, sub := range shown {
		longest = max(longest, len(sub.Name()))
	}
	if len(shown) == 0 {
		return
	}
	h.WriteString("\nCommands:\n")
	for _, sub := range shown {
		fmt.Fprintf(h, "  %-*s  %s\n", longest, sub.Name(), sub.Short)
	}
}

// flags lists flags, many of them in groups.
func (h *helper) flags(all *pflag.FlagSet) {
	left := pflag.NewFlagSet("", pflag.ContinueOnError)
	left.SortFlags = false
	n := 0
	all.VisitAll(func(f *pflag.Flag) {
		if f.Hidden {
			return
		}
		shown := *f
		if shown.DefValue == "0s" {
			shown.DefValue = "" // the usage tells what it stands for
		}
		left.AddFlag(&shown)
		n++
	})
	if n < manyFlags {
		h.group("Flags", left)
		return
	}
	listed := map[string]bool{}
	for _, g := range flagGroups {
		set := pflag.NewFlagSet("", pflag.ContinueOnError)
		set.SortFlags = false
		for _, name := range g.flags {
			if f := left.Lookup(name); f != nil {
				set.AddFlag(f)
				listed[name] = true
			}
		}
		h.group(g.title, set)
	}
	others := pflag.NewFlagSet("", pflag.ContinueOnError)
	left.VisitAll(func(f *pflag.Flag) {
		if !listed[f.Name] {
			others.AddFlag(f)
		}
	})
	h.group("Other flags", others)
}

// group lists flags below a heading.
func (h *helper) group(title string, flags *pflag.FlagSet) {
	if flags.HasFlags() {
		fmt.Fprintf(h, "\n%s:\n%s", title, flags.FlagUsagesWrapped(h.width))
	}
}

// ending tells of the program as a whole what is the same for all commands.
func (h *helper) ending() {
	h.text(exitHelp + "\n\nthanosleak COMMAND --help tells more. thanosleak --version names the release.")
}

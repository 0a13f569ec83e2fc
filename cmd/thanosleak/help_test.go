package main

import (
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// allCommands are the arguments that lead to each command that the help lists.
func allCommands() [][]string {
	root := newRootCommand(streams{env: os.Getenv})
	root.InitDefaultCompletionCmd()
	return commandPaths(root)
}

func commandPaths(c *cobra.Command) [][]string {
	paths := [][]string{strings.Fields(c.CommandPath())[1:]}
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			paths = append(paths, commandPaths(sub)...)
		}
	}
	return paths
}

// helpOf returns the help of a command on a terminal of a width; 0 for none.
func helpOf(t *testing.T, width int, path []string) string {
	t.Helper()
	var out, errOut strings.Builder
	env := func(name string) string {
		if name == "COLUMNS" && width > 0 {
			return strconv.Itoa(width)
		}
		return os.Getenv(name)
	}
	status := run(t.Context(), append(path, "--help"), streams{out: &out, err: &errOut, env: env})
	if status != exitOK || errOut.Len() > 0 || out.Len() == 0 {
		t.Fatalf("status %d, %q, %d bytes of help", status, errOut.String(), out.Len())
	}
	return out.String()
}

// TestHelpFits: no line of a help is wider than the terminal but commands that
// cannot be broken and lists of somebody else's.
func TestHelpFits(t *testing.T) {
	paths := allCommands()
	if len(paths) < 8 {
		t.Fatalf("%d commands", len(paths))
	}
	for _, path := range paths {
		for _, width := range []int{0, 80, 100, 200} {
			limit := min(width, maxHelpWidth)
			if width == 0 {
				limit = helpWidth
			}
			for line := range strings.Lines(helpOf(t, width, path)) {
				line = strings.TrimRight(line, "\n")
				if n := utf8.RuneCountInString(line); n > limit && !unbreakable(line) {
					t.Errorf("%v at %d: %d columns: %q", path, width, n, line)
				}
				if strings.HasSuffix(line, " ") {
					t.Errorf("%v: there are spaces at the end of %q", path, line)
				}
			}
		}
	}
}

// unbreakable reports whether a line is a command with nowhere to break it.
func unbreakable(line string) bool {
	return strings.Contains(line, "brew --prefix") || strings.HasPrefix(line, "      ") && strings.Contains(line, "'")
}

// screen is the height of the smallest terminal in use, in lines; the line that
// was typed and the next prompt stand on it, too.
const screen = 24 - 2

// TestHelpIsOneScreen: who types nothing but the name sees how to begin.
func TestHelpIsOneScreen(t *testing.T) {
	text := helpOf(t, 80, nil)
	if n := strings.Count(text, "\n"); n > screen {
		t.Errorf("%d lines, want %d at most\n%s", n, screen, text)
	}
	if n := strings.Count(text, "\n  thanosleak "); n != 3 {
		t.Errorf("%d examples, want 3\n%s", n, text)
	}
}

// continued is where a command goes on in the next line.
var continued = regexp.MustCompile(` \\\n +`)

// TestHelpExamples: every example is a command line that the program takes.
func TestHelpExamples(t *testing.T) {
	n := 0
	for _, path := range allCommands() {
		text := continued.ReplaceAllString(helpOf(t, 80, path), " ")
		for line := range strings.Lines(text) {
			_, command, found := strings.Cut(line, "  thanosleak ")
			if !found || strings.Contains(strings.Join(path, " "), "completion") {
				continue
			}
			command, _, _ = strings.Cut(strings.TrimSpace(command), "  ")
			root := newRootCommand(streams{env: os.Getenv})
			c, args, err := root.Find(strings.Fields(command))
			if err != nil || c == root {
				t.Errorf("%q: no such command", command)
				continue
			}
			n++
			if err := c.ParseFlags(args); err != nil {
				t.Errorf("%q: %v", command, err)
				continue
			}
			if err := c.ValidateArgs(c.Flags().Args()); err != nil {
				t.Errorf("%q: %v", command, err)
			}
		}
	}
	if n < 10 {
		t.Errorf("%d examples: want those of all commands", n)
	}
}

// TestHelpListsEveryFlag: groups leave no flag out, and name none twice.
func TestHelpListsEveryFlag(t *testing.T) {
	for _, path := range allCommands() {
		if len(path) == 0 {
			continue // its flags are told in a sentence
		}
		if path[0] == "completion" {
			continue // not ours
		}
		before, text, _ := strings.Cut(helpOf(t, 80, path), "\nExamples:\n")
		if _, behind, hasExamples := strings.Cut(text, "\n\n"); hasExamples {
			text = behind
		} else {
			text = before
		}
		c, _, err := newRootCommand(streams{env: os.Getenv}).Find(path)
		if err != nil {
			t.Fatal(err)
		}
		c.Flags().VisitAll(func(f *pflag.Flag) {
			want := 1
			if f.Hidden {
				want = 0
			}
			n := 0
			for line := range strings.Lines(text) {
				if name, _, _ := strings.Cut(strings.TrimLeft(line, " ")+" ", " "); name == "--"+f.Name ||
					strings.HasPrefix(strings.TrimLeft(line, " "), "-"+f.Shorthand+", --"+f.Name+" ") {
					n++
				}
			}
			if n != want {
				t.Errorf("%v: --%s is listed %d times, want %d", path, f.Name, n, want)
			}
		})
		if strings.Contains(text, "Other flags:") {
			t.Errorf("%v: flags without a group", path)
		}
	}
}

// TestFlagTables: the groups of the help and the values of the completion name
// flags that there are.
func TestFlagTables(t *testing.T) {
	known := map[string]bool{"help": true}
	for _, c := range newRootCommand(streams{env: os.Getenv}).Commands() {
		c.Flags().VisitAll(func(f *pflag.Flag) { known[f.Name] = true })
	}
	for _, g := range flagGroups {
		for _, name := range g.flags {
			if !known[name] {
				t.Errorf("group %q: no command has --%s", g.title, name)
			}
		}
	}
	for name := range flagValues {
		if !known[name] {
			t.Errorf("completion: no command has --%s", name)
		}
	}
}

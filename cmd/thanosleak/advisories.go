package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/thanosleak/thanosleak/classify/advisory"
	"github.com/thanosleak/thanosleak/report"
)

// lister holds the flags of the command advisories.
type lister struct {
	look
	output        string
	advisories    string
	component     string
	thanosVersion string
	// release is thanosVersion understood; nil for all releases.
	release *advisory.Release
}

// advisoryFormats are the values of -o.
var advisoryFormats = []string{"text", "json", "markdown"}

func newAdvisoriesCommand(std streams) *cobra.Command {
	l := &lister{}
	c := &cobra.Command{
		Use:   "advisories [ID...]",
		Short: "List and explain the leaks that are known",
		Long: `List the leaks, deadlocks and pile-ups of Thanos that are known, or explain
those named. With --thanos-version and --component: what can hit me here, where
to go from there, and what the leak needs; the worst first.`,
		Example: `  thanosleak advisories                                  all that is known
  thanosleak advisories TL-2024-001                      one, explained
  thanosleak advisories --thanos-version 0.35.1 --component query
  thanosleak advisories check mydir                      check your own`,
		RunE: func(_ *cobra.Command, args []string) error { return l.run(std, args) },
	}
	f := c.Flags()
	f.StringVar(&l.component, "component", "", "only those of this `COMPONENT`: "+strings.Join(advisory.Components(), ", "))
	f.StringVar(&l.thanosVersion, "thanos-version", "", "only those that this `VERSION` has, such as 0.35.1")
	f.StringVarP(&l.output, "output", "o", "text", "`FORMAT[=FILE]`: "+strings.Join(advisoryFormats, ", ")+"; to standard output or a file")
	addAdvisories(f, &l.advisories)
	l.look.add(f)
	c.AddCommand(newCheckCommand(std))
	return c
}

// check finds mistakes on the command line.
func (l *lister) check() error {
	format, file, toFile := strings.Cut(l.output, "=")
	if !slices.Contains(advisoryFormats, format) || toFile && file == "" {
		return usagef("-o %s: want %s, or FORMAT=FILE", l.output, strings.Join(advisoryFormats, ", "))
	}
	if l.component != "" && !slices.Contains(advisory.Components(), l.component) {
		return usagef("--component %s: want one of %s", l.component, strings.Join(advisory.Components(), ", "))
	}
	if l.thanosVersion != "" {
		rel, err := advisory.ParseRelease(l.thanosVersion)
		if err != nil {
			return usagef("--thanos-version: %v", err)
		}
		l.release = &rel
	}
	return l.look.check()
}

func (l *lister) run(std streams, ids []string) error {
	if err := l.check(); err != nil {
		return err
	}
	db, err := knowledge(l.advisories)
	if err != nil {
		return err
	}
	list, err := l.choose(db, ids)
	if err != nil {
		return err
	}
	l.doubt(std, db)
	format, file, toFile := strings.Cut(l.output, "=")
	if !toFile {
		return l.write(std.out, db, list, format, len(ids) > 0, l.look.options(std))
	}
	var b strings.Builder
	if err := l.write(&b, db, list, format, len(ids) > 0, report.TextOptions{}); err != nil {
		return err
	}
	return writeFile(file, []byte(b.String()))
}

// doubt says why the list for a release may not be the whole truth.
func (l *lister) doubt(std streams, db *advisory.DB) {
	switch {
	case l.release == nil:
	case db.TooNew(*l.release):
		fmt.Fprintf(std.err, "thanosleak: %s is newer than what is known here (up to v%s): a newer thanosleak may know more\n", l.release.Number, db.Newest())
	case !l.release.Official():
		fmt.Fprintf(std.err, "thanosleak: %s%s is not an official release: this is what %s has; what else was patched is not known\n",
			l.release.Number, l.release.Suffix, l.release.Number)
	}
}

// choose returns the advisories asked for: those named, in the order given, or
// all, newest first; those of a release with the worst first.
func (l *lister) choose(db *advisory.DB, ids []string) ([]*advisory.Advisory, error) {
	list := report.Newest(db.Advisories)
	if l.release != nil {
		list = report.Worst(db.Advisories)
	}
	if len(ids) > 0 {
		list = nil
	}
	for _, id := range ids {
		a := db.Find(id)
		if a == nil {
			return nil, usagef("there is no advisory %s%s; thanosleak advisories lists all", id, alike(db, id))
		}
		list = append(list, a)
	}
	return slices.DeleteFunc(list, func(a *advisory.Advisory) bool {
		return l.component != "" && !slices.Contains(a.Components, l.component) || l.release != nil && !a.Affects(*l.release)
	}), nil
}

// alike names an advisory with nearly the same ID; empty if there is none.
func alike(db *advisory.DB, id string) string {
	for _, a := range db.Advisories {
		if strings.HasSuffix(a.ID, strings.ToUpper(id)) || strings.Trim(a.ID, "TLG-") == strings.Trim(strings.ToUpper(id), "TLG-") {
			return fmt.Sprintf(". Did you mean %s?", a.ID)
		}
	}
	return ""
}

// write writes the advisories in one format; explained says to explain each to
// a person.
func (l *lister) write(w io.Writer, db *advisory.DB, list []*advisory.Advisory, format string, explained bool, o report.TextOptions) error {
	switch {
	case format == "json":
		return report.AdvisoryJSON(w, list)
	case format == "markdown":
		return report.AdvisoryMarkdown(w, db, list)
	case explained:
		for i, a := range list {
			if i > 0 {
				fmt.Fprintln(w)
			}
			if err := report.AdvisoryText(w, db, a, o); err != nil {
				return err
			}
		}
		return nil
	}
	if err := report.AdvisoryList(w, db, list, l.release, o); err != nil {
		return err
	}
	return l.summary(w, db, list, o)
}

// summary closes a list for people; programs in a pipe get none.
func (l *lister) summary(w io.Writer, db *advisory.DB, list []*advisory.Advisory, o report.TextOptions) error {
	if o.Width == 0 && len(list) > 0 {
		return nil
	}
	what := plural(len(list), "advisory", "advisories")
	if l.release != nil {
		what += " for thanos " + l.release.Number + l.release.Suffix
	}
	if l.component != "" {
		what += " in " + l.component
	}
	_, err := fmt.Fprintf(w, "\n%s. 'thanosleak advisories ID' explains one.\nKnowledge of %s, when the newest release was v%s.\n", what, db.Version, db.Newest())
	return err
}

func newCheckCommand(std streams) *cobra.Command {
	return &cobra.Command{
		Use:   "check DIR",
		Short: "Check your own advisories and run their fixtures",
		Long: `Check the advisories in DIR (*.yaml): their form, and that each is seen in its
fixture, a dump in DIR/testdata that begins with its ID. Every problem is a line
FILE:LINE: what is wrong and what would be right.

Exit status: 0 all is well; 1 there are problems; 2 wrong command line; 3 failed.`,
		Example: `  thanosleak advisories check mydir        mydir/OWN-1.yaml, mydir/testdata/OWN-1.txt`,
		Args:    atLeast("a folder", "mydir"),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("check takes one folder, not %d", len(args))
			}
			return checkAdvisories(std, args[0])
		},
	}
}

// checkAdvisories checks a folder and prints what is wrong.
func checkAdvisories(std streams, dir string) error {
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return usagef("check: there is no folder %s", dir)
	}
	db, err := advisory.Default()
	if err != nil {
		return err
	}
	checked, err := db.Check(os.DirFS(dir))
	if err != nil {
		fmt.Fprintln(cleaner{std.out}, err)
		return foundError{}
	}
	if checked.Advisories == 0 {
		return fmt.Errorf("there is no advisory (*.yaml) in %s", dir)
	}
	_, err = fmt.Fprintf(std.out, "%s, %s: all is well\n", plural(checked.Advisories, "advisory", "advisories"), plural(checked.Fixtures, "fixture", "fixtures"))
	return err
}

// plural counts things for people.
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

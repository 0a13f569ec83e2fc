package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/thanosleak/thanosleak/classify"
)

// Changes writes what differs from what people were told, for a mail: the first
// line is its subject, in one line however long; then one line for each change;
// then the report of the findings that are new, worse or told again. changes
// are in the order of [classify.Memory.Changes], at least one.
func Changes(w io.Writer, run Run, r *classify.Result, changes []classify.Change, o TextOptions) error {
	groups := grouped(r, changes)
	var b strings.Builder
	subject := "thanosleak: " + groups[0].line
	if n := len(groups) - 1; n > 0 {
		subject += fmt.Sprintf(" (and %s)", plural(n, "more change"))
	}
	fmt.Fprintf(&b, "%s\n\n", printable(subject))
	if at := newest(r); !at.IsZero() {
		fmt.Fprintf(&b, "  as of %s\n", at.UTC().Format("2006-01-02 15:04:05 UTC"))
	}
	for _, g := range groups {
		if len(groups) > 1 {
			fmt.Fprintf(&b, "  %s\n", printable(g.line))
		}
		for _, text := range g.texts {
			fmt.Fprintf(&b, "    %s\n", printable(text))
		}
	}
	if _, err := io.WriteString(w, b.String()); err != nil {
		return err
	}
	told := *r
	told.Findings = slices.DeleteFunc(slices.Clone(r.Findings), func(f classify.Finding) bool { return !reports(changes, f.Key) })
	if len(told.Findings) == 0 {
		return nil
	}
	if _, err := io.WriteString(w, "\n"); err != nil {
		return err
	}
	return Text(w, run, &told, o)
}

// newest returns the time of the newest sample; zero if there is none.
func newest(r *classify.Result) time.Time {
	var at time.Time
	for _, t := range r.Targets {
		if t.LastSample != nil && t.LastSample.After(at) {
			at = *t.LastSample
		}
	}
	return at
}

// group is what is told in one line: a finding, or all targets of which the same
// is to be told.
type group struct {
	line  string
	texts []string
}

// maxTexts is how many causes are told of many targets: where a whole fleet
// cannot be reached, the first ones tell enough.
const maxTexts = 5

// grouped puts targets together of which the same is to be told.
func grouped(r *classify.Result, changes []classify.Change) []group {
	var groups []group
	for len(changes) > 0 {
		n := 1
		for n < len(changes) && changes[0].Target != "" && changes[n].Kind == changes[0].Kind {
			n++
		}
		g := group{line: changeLine(r, changes[:n])}
		for i, c := range changes[:n] {
			text := strings.TrimPrefix(c.Text, c.Target+": ")
			if text == "" || slices.Contains(g.texts, text) {
				continue
			}
			if len(g.texts) == maxTexts {
				g.texts = append(g.texts, fmt.Sprintf("and of %s more", plural(n-i, "target")))
				break
			}
			g.texts = append(g.texts, text)
		}
		groups, changes = append(groups, g), changes[n:]
	}
	return groups
}

// reports reports whether the finding is to be told in full.
func reports(changes []classify.Change, key string) bool {
	return slices.ContainsFunc(changes, func(c classify.Change) bool {
		return c.Key == key && c.Kind != classify.ChangeGone
	})
}

// changeLine says in one line what changed; several changes are of targets.
func changeLine(r *classify.Result, changes []classify.Change) string {
	c := changes[0]
	switch c.Kind {
	case classify.ChangeDown, classify.ChangeAbsent:
		return fmt.Sprintf("%s: no sample of %s", c.Kind, targetNames(changes))
	case classify.ChangeBack:
		return "back: samples of " + targetNames(changes)
	case classify.ChangeGone:
		return fmt.Sprintf("%s: %s", c.Kind, c.Name)
	}
	i := slices.IndexFunc(r.Findings, func(f classify.Finding) bool { return f.Key == c.Key })
	if i < 0 {
		return fmt.Sprintf("%s: %s", c.Kind, c.Key)
	}
	word, text, _ := headlineOf(&r.Findings[i], r)
	return fmt.Sprintf("%s: %s %s", c.Kind, word, text)
}

// targetNames names the targets that changes are about: their number and the
// first of them, where there are many.
func targetNames(changes []classify.Change) string {
	var names []string
	for _, c := range changes {
		names = append(names, c.Target)
	}
	few := classify.Few(names)
	if few != strings.Join(names, ", ") {
		return plural(len(names), "target") + ": " + few
	}
	return few
}

// joined puts what is known of two texts behind each other.
func joined(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + ", " + b
}

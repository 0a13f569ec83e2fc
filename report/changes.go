package report

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/thanosleak/thanosleak/classify"
)

// Changes writes what differs from what people were told, for a mail: the first
// line is its subject, in one line however long; then one line for each change;
// then the report of the findings that are new, worse or told again. changes
// are in the order of [classify.Memory.Changes], at least one.
func Changes(w io.Writer, run Run, r *classify.Result, changes []classify.Change, o TextOptions) error {
	var b strings.Builder
	subject := "thanosleak: " + changeLine(r, changes[0])
	if n := len(changes) - 1; n > 0 {
		subject += fmt.Sprintf(" (and %s)", plural(n, "more change"))
	}
	fmt.Fprintf(&b, "%s\n", printable(subject))
	if len(changes) > 1 || changes[0].Text != "" {
		b.WriteString("\n")
	}
	for i, c := range changes {
		if i == maxChanges {
			fmt.Fprintf(&b, "  and %s\n", plural(len(changes)-i, "more change"))
			break
		}
		if len(changes) > 1 {
			fmt.Fprintf(&b, "  %s\n", printable(changeLine(r, c)))
		}
		if c.Text != "" {
			fmt.Fprintf(&b, "    %s\n", printable(c.Text))
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

// maxChanges is the number of changes that are listed: where a whole fleet is
// unreachable, the first ones tell enough.
const maxChanges = 25

// reports reports whether the finding is to be told in full.
func reports(changes []classify.Change, key string) bool {
	return slices.ContainsFunc(changes, func(c classify.Change) bool {
		return c.Key == key && c.Kind != classify.ChangeGone
	})
}

// changeLine says what changed, in one line.
func changeLine(r *classify.Result, c classify.Change) string {
	switch c.Kind {
	case classify.ChangeDown, classify.ChangeAbsent:
		return fmt.Sprintf("%s: no sample of %s", c.Kind, c.Target)
	case classify.ChangeBack:
		return "back: samples of " + c.Target
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

// joined puts what is known of two texts behind each other.
func joined(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + ", " + b
}

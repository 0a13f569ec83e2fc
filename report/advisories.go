package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/thanosleak/thanosleak/classify"
	"github.com/thanosleak/thanosleak/classify/advisory"
)

// noWrap is the width of a page whose lines are not broken: one advisory a line
// for grep and awk.
const noWrap = 10_000

// Columns of the list of advisories behind the ids, and the width from which a
// title has room behind them.
const (
	severityColumn = 10
	classColumn    = 10
	spanColumn     = 20
	wideList       = 110
)

// AdvisoryList writes a line for each advisory, in the order given: id,
// severity, class, releases and title. For one release (nil for all) it says
// instead where to go from there and what the leak needs. On a page narrower
// than 110 columns titles stand on lines of their own; with a width of 0 each
// advisory stays on one line.
func AdvisoryList(w io.Writer, db *advisory.DB, list []*advisory.Advisory, rel *advisory.Release, o TextOptions) error {
	p := &page{width: cmp.Or(o.Width, noWrap), color: o.Color}
	ids := len("id")
	for _, a := range list {
		ids = max(ids, columns(a.ID))
	}
	column := "affected"
	if rel != nil {
		column = "go to"
	}
	if len(list) > 0 {
		p.titled(pad("id", ids+2)+pad("severity", severityColumn)+pad("class", classColumn)+pad(column, spanColumn), "title", dim, dim)
	}
	for _, a := range list {
		label := pad(a.ID, ids+2) + pad(string(a.Severity), severityColumn) + pad(string(a.Class), classColumn) + pad(destination(db, a, rel), spanColumn)
		p.titled(label, a.Title, bold, plain)
		if rel != nil {
			p.needs(a, columns(label))
		}
	}
	return p.writeTo(w)
}

// titled writes the columns of an advisory and its title.
func (p *page) titled(label, title string, labelStyle, titleStyle style) {
	if p.width < wideList {
		p.line(styled(strings.TrimRight(label, " "), labelStyle))
		p.paragraph(text(""), listIndent, title, titleStyle)
		return
	}
	p.paragraph(styled(label, labelStyle), columns(label), title, titleStyle)
}

// listIndent is the column of titles that stand on lines of their own.
const listIndent = 4

// destination says which releases an advisory is about or, for one release,
// where to go from there.
func destination(db *advisory.DB, a *advisory.Advisory, rel *advisory.Release) string {
	if len(a.Affected) == 0 {
		return "any program"
	}
	if rel != nil {
		way := db.GoTo(a, *rel)
		if least, ok := way.Least(); way.To == "" && ok {
			return "v" + least.Release + " at best"
		}
		return cmp.Or(version(way.To), "none: mitigate")
	}
	s := db.Span(a.Affected[0])
	if n := len(a.Affected) - 1; n > 0 {
		s = fmt.Sprintf("%s +%d", s, n)
	}
	return s + " "
}

// needs says what must hold for a leak to fire, below its title.
func (p *page) needs(a *advisory.Advisory, indent int) {
	var needs []string
	for _, c := range a.Preconditions {
		if !c.Optional {
			needs = append(needs, c.Text)
		}
	}
	if p.width < wideList {
		indent = listIndent
	}
	if len(needs) > 0 && p.width < noWrap {
		p.paragraph(text(""), indent, "needs "+strings.Join(needs, "; and "), dim)
	}
}

// AdvisoryText explains one advisory to a person: what happens, whom it hits,
// how to see it and what to do.
func AdvisoryText(w io.Writer, db *advisory.DB, a *advisory.Advisory, o TextOptions) error {
	p := &page{width: min(max(cmp.Or(o.Width, defaultWidth), minWidth), maxWidth), color: o.Color}
	p.paragraph(styled(a.ID, bold), columns(a.ID)+2, fmt.Sprintf("%s, %s%s", a.Class, a.Severity, in(a.Components)), plain)
	p.paragraph(text(""), 2, a.Title, bold)
	p.blank()
	p.item("why", advisory.Describe(a.Why))
	for _, paragraph := range strings.Split(strings.TrimSpace(a.Summary), "\n\n") {
		p.blank()
		p.paragraph(text(""), explainColumn, paragraph, plain)
	}
	p.blank()
	p.items("symptoms", a.Symptoms)
	p.affected(db, a)
	p.conditions(a)
	p.patterns(a)
	p.steps(db, a)
	p.items("references", a.References)
	return p.writeTo(w)
}

// explainColumn is the column at which what stands behind a label begins.
const explainColumn = 14

// item writes a text behind a label; nothing for an empty one.
func (p *page) item(label, s string) {
	if s != "" {
		p.paragraph(styled("  "+label, bold), explainColumn, s, plain)
	}
}

// items writes texts, each on lines of its own.
func (p *page) items(label string, all []string) {
	for _, s := range all {
		p.item(label, s)
		label = ""
	}
}

// in names the components.
func in(components []string) string {
	if len(components) == 0 {
		return ", any program"
	}
	return ", in " + strings.Join(components, ", ")
}

// sources say how an advisory came to be known, and what that means.
var sources = map[advisory.Source]string{
	advisory.Captured:   "profiles of processes that had it",
	advisory.Reproduced: "a test that makes it happen",
	advisory.ReadOnly:   "the source only: what matches is never more than a suspicion by that alone",
}

// affected tells the releases and how it came to be known.
func (p *page) affected(db *advisory.DB, a *advisory.Advisory) {
	p.item("affected", spans(db, a))
	p.items("go to", wayOut(db, a))
	p.item("known from", sources[a.KnownFrom])
}

// spans names the affected releases.
func spans(db *advisory.DB, a *advisory.Advisory) string {
	var all []string
	for _, r := range a.Affected {
		all = append(all, db.Span(r))
	}
	return strings.Join(all, ", ")
}

// wayOut says for the affected releases where to go from them, those with the
// same answer together.
func wayOut(db *advisory.DB, a *advisory.Advisory) []string {
	var answers []string
	var from [][]string // releases, by answer
	for _, version := range db.Releases {
		rel, err := advisory.ParseRelease(version)
		if err != nil || !a.Affects(rel) {
			continue
		}
		answer := classify.WayText(db, db.GoTo(a, rel))
		if n := len(answers); n > 0 && answers[n-1] == answer {
			from[n-1] = append(from[n-1], version)
			continue
		}
		answers, from = append(answers, answer), append(from, []string{version})
	}
	for i, releases := range from {
		if len(from) > 1 {
			answers[i] = fromReleases(releases) + ": " + answers[i]
		}
	}
	return answers
}

// fromReleases names releases that follow each other.
func fromReleases(releases []string) string {
	if len(releases) == 1 {
		return "from v" + releases[0]
	}
	return "from v" + releases[0] + " to v" + releases[len(releases)-1]
}

// version returns a release as people write it; empty for none.
func version(release string) string {
	if release == "" {
		return ""
	}
	return "v" + release
}

// conditions list what must hold.
func (p *page) conditions(a *advisory.Advisory) {
	label := "needs"
	for _, c := range a.Preconditions {
		s := c.Text
		if c.Optional {
			s = "likelier if: " + s
		}
		if look := c.Look; look != "" {
			s += " (look at " + look + ")"
		}
		p.item(label, s)
		label = ""
	}
}

// patterns list how the goroutines look.
func (p *page) patterns(a *advisory.Advisory) {
	if len(a.Culprits) == 0 && a.Class != advisory.Generic {
		p.item("goroutines", "none that tell: it cannot be seen in a profile")
		return
	}
	for role, patterns := range [][]advisory.Pattern{a.Culprits, a.Victims} {
		label := []string{"culprits", "victims"}[role]
		for i := range patterns {
			p.pattern(label, &patterns[i])
			label = ""
		}
	}
}

func (p *page) pattern(label string, pattern *advisory.Pattern) {
	p.item(label, describe(pattern))
	for _, l := range frameLines(pattern) {
		p.line(styled(strings.Repeat(" ", explainColumn+2)+l, dim))
	}
}

// describe says in words what a pattern is about.
func describe(pattern *advisory.Pattern) string {
	about := []string{pattern.Name}
	if pattern.State != "" {
		about = append(about, "in "+pattern.State)
	}
	if s := inHealth(pattern); s != "" {
		about = append(about, s)
	}
	if pattern.Releases != nil {
		about = append(about, "names of "+pattern.Releases.String())
	}
	return strings.Join(about, "; ")
}

// frameLines are the frames of a pattern, leaf first, and the creator.
func frameLines(pattern *advisory.Pattern) []string {
	lines := slices.Clone(pattern.Frames)
	if pattern.CreatedBy != "" {
		lines = append(lines, "created by "+pattern.CreatedBy)
	}
	return lines
}

// inHealth says how the pattern occurs in a process that is well; empty for
// victims.
func inHealth(pattern *advisory.Pattern) string {
	switch {
	case pattern.InHealth == advisory.Never:
		return "in health none"
	case pattern.InHealth == advisory.Always:
		return "in health too: only growth tells"
	case pattern.InHealth == "":
		return ""
	case len(pattern.Each) > 0:
		return fmt.Sprintf("in health at most %d for each goroutine in %s", pattern.AtMost, partners(pattern))
	case pattern.AtMost > 0:
		return fmt.Sprintf("in health briefly, at most %d", pattern.AtMost)
	}
	return "in health briefly"
}

// partners names the functions of the goroutines that culprits work for.
func partners(pattern *advisory.Pattern) string {
	var names []string
	for _, frames := range pattern.Each {
		names = append(names, classify.ShortFunc(frames[len(frames)-1]))
	}
	return strings.Join(names, " or ")
}

// steps list what to do and what not.
func (p *page) steps(db *advisory.DB, a *advisory.Advisory) {
	label := "do"
	for _, m := range a.Mitigate {
		s := advisory.Describe(m.Text)
		if m.Releases != nil {
			s += " (" + db.Span(*m.Releases) + ")"
		}
		p.item(label, s)
		if m.Cost != "" {
			p.paragraph(text(""), explainColumn+2, "cost: "+advisory.Describe(m.Cost), dim)
		}
		label = ""
	}
	p.item("restart", a.Restart)
	if a.Verify != "" {
		p.item("verify", a.Verify)
	}
	var avoid []string
	for _, v := range a.Avoid {
		avoid = append(avoid, v.Text)
	}
	p.items("not", avoid)
}

// AdvisoryJSON writes advisories as an array of objects with the fields of
// their files, all of which are there; unset ones are empty or null.
func AdvisoryJSON(w io.Writer, list []*advisory.Advisory) error {
	fields, err := advisory.Fields(list)
	if err != nil {
		return err
	}
	return writeJSON(w, fields)
}

// Newest returns the advisories with the newest first, patterns last.
func Newest(list []*advisory.Advisory) []*advisory.Advisory {
	sorted := slices.Clone(list)
	slices.SortStableFunc(sorted, func(a, b *advisory.Advisory) int {
		generic := func(a *advisory.Advisory) int {
			if a.Class == advisory.Generic {
				return 1
			}
			return 0
		}
		if c := cmp.Compare(generic(a), generic(b)); c != 0 || generic(a) == 1 {
			return cmp.Or(c, cmp.Compare(a.ID, b.ID))
		}
		return cmp.Compare(b.ID, a.ID)
	})
	return sorted
}

// Worst returns the advisories with the most severe first, of the same severity
// the newest.
func Worst(list []*advisory.Advisory) []*advisory.Advisory {
	sorted := Newest(list)
	slices.SortStableFunc(sorted, func(a, b *advisory.Advisory) int {
		switch {
		case a.Severity == b.Severity:
			return 0
		case a.Severity.AtLeast(b.Severity):
			return -1
		}
		return 1
	})
	return sorted
}

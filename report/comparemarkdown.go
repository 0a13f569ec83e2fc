package report

import (
	"cmp"
	"strings"

	"github.com/thanosleak/thanosleak/classify"
)

// comparison tells what differs from an older capture, if there is one.
func (m *markdown) comparison(r *classify.Result, verbose bool) {
	c := r.Comparison
	if c == nil {
		return
	}
	m.line("")
	m.line("### Compared with %s, %s", code(c.Base), md(differenceSum(r)))
	listed, same := listedComponents(c, verbose)
	for _, component := range listed {
		m.compared(component, r, verbose)
	}
	m.line("")
	if len(same) > 0 {
		m.line("- nothing differs in %s", md(strings.Join(same, ", ")))
	}
	for _, side := range onlySides(c) {
		m.line("- only %s", md(side))
	}
	for _, w := range c.Warnings {
		m.line("- warning: %s", md(w))
	}
}

// compared tells what differs in the processes of one component.
func (m *markdown) compared(c *classify.ComponentComparison, r *classify.Result, verbose bool) {
	m.line("")
	m.line("**%s**: %s", md(comparedBuild(c)), md(comparedLoad(c)))
	if len(c.Differences) > 0 {
		m.line("")
		m.line("| stack | base | now | waits for | function | |")
		m.line("|---|---:|---:|---|---|---|")
	}
	for kind, of := range byKind(differences(c, verbose)) {
		for i, d := range of {
			if i == differenceLines && !verbose {
				m.line("| and %d more %s | | | | | |", len(of)-i, md(kind))
				break
			}
			m.differs(kind, d, r)
		}
	}
	if s := rarely(c); s != "" {
		m.line("")
		m.line("%s", md(s))
	}
}

// differs writes one row of the table of differences.
func (m *markdown) differs(kind string, d difference, r *classify.Result) {
	leaf, position := telling(d.Frames)
	notes := d.notes()
	if d.Finding != "" {
		notes = append(notes, partOf(d.Finding, r))
	}
	m.line("| %s | %s | %s | %s | %s | %s |", md(kind), classify.Amount(d.Base), classify.Amount(d.New),
		md(cmp.Or(d.State, "state unknown")), strings.TrimSpace(cell(leaf)+" "+md(position)), md(strings.Join(notes, "; ")))
}

package report

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"

	"github.com/thanosleak/thanosleak/classify"
)

// maxRows is the number of targets that a table lists unless all are asked for.
// The advice would scroll off the screen behind a whole fleet.
const maxRows = 20

// occurrences lists the targets that have the finding.
func (p *page) occurrences(f *classify.Finding, r *classify.Result, verbose bool) {
	shown := f.Occurrences
	if !verbose {
		shown = shown[:min(len(shown), maxRows)]
	}
	p.table([]string{"target", "level", "culprits", "victims", "goroutines", "culprits over time"}, func(narrow bool) [][]string {
		var rows [][]string
		for _, o := range shown {
			rows = append(rows, []string{o.Target, string(o.Level), count(o.Culprits), count(o.Victims), goroutines(target(r, o.Target), narrow), trend(o.Growth)})
		}
		return rows
	})
	p.more(len(f.Occurrences)-len(shown), "target", verbose)
}

// targetTable lists the targets where there are several, in the order given; a
// fleet is summed up.
func (p *page) targetTable(r *classify.Result, verbose bool) {
	if len(r.Targets) < 2 || len(r.Findings) == 1 && len(r.Findings[0].Occurrences) == len(r.Targets) {
		return // the finding lists them all
	}
	p.blank()
	if len(r.Targets) > maxRows && !verbose {
		p.kindTable(r)
		return
	}
	p.table([]string{"target", "component", "thanos", "goroutines", "judged"}, func(narrow bool) [][]string {
		var rows [][]string
		for i := range r.Targets {
			t := &r.Targets[i]
			rows = append(rows, []string{t.Name, t.Component, cmp.Or(t.ThanosVersion, candidates(t.VersionCandidates), "?"), goroutines(t, narrow), judged(t.Judged)})
		}
		return rows
	})
}

// kindTable sums targets up by component, release and how far they were judged,
// in the order in which the first of each kind is given.
func (p *page) kindTable(r *classify.Result) {
	type kind struct {
		component, version string
		judged             classify.Judged
	}
	members := map[kind][]*classify.TargetResult{}
	var kinds []kind
	for i := range r.Targets {
		t := &r.Targets[i]
		k := kind{t.Component, cmp.Or(t.ThanosVersion, candidates(t.VersionCandidates), "?"), t.Judged}
		if members[k] == nil {
			kinds = append(kinds, k)
		}
		members[k] = append(members[k], t)
	}
	p.table([]string{"targets", "component", "thanos", "goroutines", "judged"}, func(bool) [][]string {
		var rows [][]string
		for _, k := range kinds {
			rows = append(rows, []string{count(len(members[k])), k.component, k.version, totals(members[k]), judged(k.judged)})
		}
		return rows
	})
	p.line(styled("  (-v lists every target)", dim))
}

// totals tells the goroutines of several targets: "18 to 450".
func totals(targets []*classify.TargetResult) string {
	low, high, samples := targets[0].Goroutines.Last, 0, 0
	for _, t := range targets {
		low, high, samples = min(low, t.Goroutines.Last), max(high, t.Goroutines.Last), samples+t.Samples
	}
	switch {
	case samples == 0:
		return "-"
	case low == high:
		return count(low)
	}
	return fmt.Sprintf("%d to %d", low, high)
}

// judged tells how far a target was judged. Errors are too long for a table.
func judged(j classify.Judged) string {
	if j == classify.JudgedNo {
		return "no: see error"
	}
	return string(j)
}

func count(n int) string { return fmt.Sprint(n) }

// goroutines tells how the number of goroutines of a target developed; narrow
// without a chart.
func goroutines(t *classify.TargetResult, narrow bool) string {
	switch {
	case t.Samples == 0:
		return "-"
	case t.Samples == 1:
		return count(t.Goroutines.Last)
	case narrow:
		return fmt.Sprintf("%d → %d", t.Goroutines.First, t.Goroutines.Last)
	}
	return fmt.Sprintf("%d %s %d", t.Goroutines.First, sparkline(t.Totals), t.Goroutines.Last)
}

// trend tells how the culprits developed, and the rate where they grow.
func trend(g classify.Growth) string {
	s := fmt.Sprintf("%d → %d", g.First, g.Last)
	if g.Verdict == classify.Undecided && g.First == g.Last {
		s = count(g.Last)
	}
	if g.Verdict == classify.Growing && g.PerHour != nil {
		s += ", " + classify.Rate(*g.PerHour) + "/h"
	}
	return s
}

// minName is the number of columns that the name of a target keeps in a table.
const minName = 20

// fitted returns rows that fit the page, as far as they can: narrow ones where
// the wide do not, then with shorter names.
func (p *page) fitted(header []string, rows func(narrow bool) [][]string) [][]string {
	cells, excess := p.clean(header, rows(false))
	if excess > 0 {
		cells, excess = p.clean(header, rows(true))
	}
	if excess > 0 {
		longest := 0
		for _, row := range cells {
			longest = max(longest, columns(row[0]))
		}
		for _, row := range cells {
			row[0] = cutMiddle(row[0], max(longest-excess, minName))
		}
	}
	return cells
}

// clean makes rows printable and returns by how many columns they are wider
// than the page.
func (p *page) clean(header []string, rows [][]string) (cells [][]string, excess int) {
	widths := make([]int, len(header))
	for i, h := range header {
		widths[i] = columns(h)
	}
	for _, row := range rows {
		for i := range row {
			row[i] = cut(printable(row[i]), maxWidth)
			widths[i] = max(widths[i], columns(row[i]))
		}
	}
	excess = -p.width
	for _, w := range widths {
		excess += 2 + w
	}
	return rows, excess
}

// table writes rows under a header without lines.
func (p *page) table(header []string, rows func(narrow bool) [][]string) {
	var out strings.Builder
	t := tablewriter.NewTable(&out,
		tablewriter.WithRenderer(renderer.NewBlueprint(tw.Rendition{
			Borders:  tw.BorderNone,
			Settings: tw.Settings{Separators: tw.SeparatorsNone, Lines: tw.LinesNone},
		})),
		tablewriter.WithConfig(tablewriter.Config{
			Header: tw.CellConfig{
				Formatting: tw.CellFormatting{AutoFormat: tw.Off},
				Alignment:  tw.CellAlignment{Global: tw.AlignLeft},
				Padding:    tw.CellPadding{Global: tw.Padding{Left: "  ", Overwrite: true}},
			},
			Row: tw.CellConfig{
				Formatting: tw.CellFormatting{AutoWrap: tw.WrapNone},
				Alignment:  tw.CellAlignment{Global: tw.AlignLeft},
				Padding:    tw.CellPadding{Global: tw.Padding{Left: "  ", Overwrite: true}},
			},
		}))
	t.Header(header)
	for _, row := range p.fitted(header, rows) {
		if err := t.Append(row); err != nil {
			p.line(text(strings.Join(row, "  ")))
		}
	}
	if err := t.Render(); err != nil {
		p.line(text("(table: " + err.Error() + ")"))
		return
	}
	for i, l := range strings.Split(strings.TrimRight(out.String(), "\n"), "\n") {
		st := plain
		if i == 0 {
			st = dim
		}
		p.line(styled(strings.TrimRight(l, " "), st))
	}
}

// exposures tells of leaks that targets have all for but the leak itself, those
// of the same targets together.
func (p *page) exposures(r *classify.Result) {
	byID := map[string][]string{} // names of targets
	byWho := map[string][]string{}
	var ids, all []string
	for _, t := range r.Targets {
		for _, id := range t.Exposed {
			if byID[id] == nil {
				ids = append(ids, id)
			}
			byID[id] = append(byID[id], t.Name)
		}
	}
	for _, id := range ids {
		who := strings.Join(byID[id], ", ")
		if len(byID[id]) > 3 {
			who = fmt.Sprintf("%d targets", len(byID[id]))
		}
		if byWho[who] == nil {
			all = append(all, who)
		}
		byWho[who] = append(byWho[who], id)
	}
	for i, who := range all {
		if i == 0 {
			p.blank()
		}
		seen := "they were"
		if len(byWho[who]) == 1 {
			seen = "it was"
		}
		p.paragraph(styled("  exposed", yellow), 11, fmt.Sprintf("%s can hit %s: release and preconditions fit, but %s not seen (yet)",
			strings.Join(byWho[who], ", "), who, seen), plain)
	}
}

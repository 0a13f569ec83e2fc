package report

import (
	"fmt"
	"strings"

	"github.com/olekukonko/tablewriter"
	"github.com/olekukonko/tablewriter/renderer"
	"github.com/olekukonko/tablewriter/tw"

	"github.com/thanosleak/thanosleak/classify"
)

// occurrences lists the targets that have the finding.
func (p *page) occurrences(f *classify.Finding, r *classify.Result) {
	rows := [][]string{}
	for _, o := range f.Occurrences {
		t := target(r, o.Target)
		rows = append(rows, []string{o.Target, string(o.Level), count(o.Culprits), count(o.Victims), goroutines(t), trend(o.Growth)})
	}
	p.table([]string{"target", "level", "culprits", "victims", "goroutines", "trend"}, rows)
}

// targetTable lists the targets where there are several, in the order given.
func (p *page) targetTable(r *classify.Result) {
	if len(r.Targets) < 2 || len(r.Findings) == 1 && len(r.Findings[0].Occurrences) == len(r.Targets) {
		return // the finding lists them all
	}
	rows := [][]string{}
	for i := range r.Targets {
		t := &r.Targets[i]
		version := t.ThanosVersion
		if version == "" {
			version = "?"
		}
		judged := string(t.Judged)
		if t.Judged == classify.JudgedNo {
			judged = "no: " + t.Error
		}
		rows = append(rows, []string{t.Name, t.Component, version, goroutines(t), judged})
	}
	p.blank()
	p.table([]string{"target", "component", "thanos", "goroutines", "judged"}, rows)
}

func count(n int) string { return fmt.Sprint(n) }

func goroutines(t *classify.TargetResult) string {
	switch t.Samples {
	case 0:
		return "-"
	case 1:
		return count(t.Goroutines.Last)
	}
	return fmt.Sprintf("%d %s %d", t.Goroutines.First, sparkline(t.Totals), t.Goroutines.Last)
}

// trend is the rate where the count grows, else a word.
func trend(g classify.Growth) string {
	if g.Verdict != classify.Growing || g.PerHour == nil {
		return string(g.Verdict)
	}
	return classify.Rate(*g.PerHour) + "/h"
}

// table writes rows under a header without lines, cut at the page's width.
func (p *page) table(header []string, rows [][]string) {
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
	for _, row := range rows {
		for i := range row {
			row[i] = printable(row[i])
		}
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

// exposures tells of leaks that targets have all for but the leak itself.
func (p *page) exposures(r *classify.Result) {
	byID := map[string][]string{}
	var ids []string
	for _, t := range r.Targets {
		for _, id := range t.Exposed {
			if byID[id] == nil {
				ids = append(ids, id)
			}
			byID[id] = append(byID[id], t.Name)
		}
	}
	for i, id := range ids {
		if i == 0 {
			p.blank()
		}
		who := strings.Join(byID[id], ", ")
		if len(byID[id]) > 3 {
			who = fmt.Sprintf("%d targets", len(byID[id]))
		}
		p.paragraph(styled("  exposed", yellow), 11, fmt.Sprintf("%s can hit %s: release and preconditions fit, but it was not seen (yet)", id, who), plain)
	}
}

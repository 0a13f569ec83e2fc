package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

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
	p.table([]string{"target", "level", "culprits", "victims", "goroutines"}, func(fit int) [][]string {
		var rows [][]string
		for _, o := range shown {
			rows = append(rows, []string{o.Target, string(o.Level), trend(o.Growth), count(o.Victims), goroutines(target(r, o.Target), fit != wide)})
		}
		return rows
	})
	p.more(len(f.Occurrences)-len(shown), "target", verbose)
}

// targetTable lists the targets where there are several, the worst first, else
// in the order given; a fleet is summed up.
func (p *page) targetTable(r *classify.Result, verbose bool) {
	if len(r.Targets) < 2 || len(r.Findings) == 1 && len(r.Findings[0].Occurrences) == len(r.Targets) {
		return // the finding lists them all
	}
	if len(r.Targets) <= maxErrors && !slices.ContainsFunc(r.Targets, func(t classify.TargetResult) bool { return t.Samples > 0 || !failed(t) }) {
		return // the errors list them all
	}
	rows := outcomes(r)
	p.blank()
	if len(r.Targets) > maxRows && !verbose {
		p.kindTable(rows)
		return
	}
	p.table([]string{"target", "component", "thanos", "goroutines", "result"}, func(fit int) [][]string {
		var cells [][]string
		for _, o := range rows {
			cells = append(cells, []string{o.Name, o.component(), o.version(), goroutines(o.TargetResult, fit != wide), o.result(fit)})
		}
		return cells
	})
}

// outcome is a target and what came out for it.
type outcome struct {
	*classify.TargetResult
	// rank sorts: the worst first, from 0.
	rank int
	// word is the level of the worst that was found, or what else there is to
	// say; advisories are the IDs of that level, nil if none knows it.
	word       string
	advisories []string
}

// result says what came out; tight without the names, which the findings tell.
func (o outcome) result(fit int) string {
	if fit == tight || len(o.advisories) == 0 {
		return o.word
	}
	return o.word + " " + strings.Join(o.advisories, ", ")
}

func (o outcome) component() string { return cmp.Or(o.Component, "?") }
func (o outcome) version() string {
	return cmp.Or(o.ThanosVersion, candidates(o.VersionCandidates), "?")
}

// outcomes returns what came out for the targets, the worst first: what was
// found, then errors, which are to be seen to, then what is undecided.
func outcomes(r *classify.Result) []outcome {
	var all []outcome
	for i := range r.Targets {
		all = append(all, outcomeOf(&r.Targets[i], r.Findings))
	}
	slices.SortStableFunc(all, func(a, b outcome) int { return a.rank - b.rank })
	return all
}

// serious are the levels of findings, worst first, that come before whatever
// else there is to say of a target.
var serious = []classify.Level{classify.Confirmed, classify.Likely, classify.Suspect}

// outcomeOf tells what came out for a target.
func outcomeOf(t *classify.TargetResult, findings []classify.Finding) outcome {
	rank := len(serious)
	for i, level := range serious {
		if found, ids := foundOn(t, findings, level); found {
			return outcome{t, i, string(level), ids}
		}
	}
	found, ids := foundOn(t, findings, classify.Note)
	switch {
	case failed(*t):
		return outcome{t, rank, "see error", nil}
	case t.Judged == classify.JudgedNo:
		return outcome{t, rank, "no sample", nil}
	case t.Judged == classify.JudgedUndecided:
		return outcome{t, rank + 1, "undecided", nil}
	case found && len(ids) > 0: // of others there is nothing to look up
		return outcome{t, rank + 2, string(classify.Note), ids}
	}
	return outcome{t, rank + 3, "clean", nil}
}

// foundOn reports whether something of a level was found on a target, and the
// IDs of the advisories that know it.
func foundOn(t *classify.TargetResult, findings []classify.Finding, level classify.Level) (found bool, ids []string) {
	for _, f := range findings {
		if f.Status == classify.StatusGone || !slices.ContainsFunc(f.Occurrences, func(o classify.Occurrence) bool {
			return o.Target == t.Name && o.Level == level
		}) {
			continue
		}
		found = true
		if f.Advisory != "" {
			ids = append(ids, f.Advisory)
		}
	}
	return found, ids
}

// kindTable sums targets up by component, release and what came out for them,
// in the order in which the first of each kind is given.
func (p *page) kindTable(all []outcome) {
	type kind struct{ component, version, result string }
	members := map[kind][]*classify.TargetResult{}
	var kinds []kind
	for _, o := range all {
		k := kind{o.component(), o.version(), o.result(wide)}
		if members[k] == nil {
			kinds = append(kinds, k)
		}
		members[k] = append(members[k], o.TargetResult)
	}
	p.table([]string{"targets", "component", "thanos", "goroutines", "result"}, func(int) [][]string {
		var rows [][]string
		for _, k := range kinds {
			rows = append(rows, []string{count(len(members[k])), k.component, k.version, totals(members[k]), k.result})
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

func count(n int) string { return fmt.Sprint(n) }

// How much of a row is told: all of it, no chart, or only what stands nowhere
// else. The first that fits the page is taken.
const (
	wide = iota
	narrow
	tight
)

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
// the wide do not, then tight ones, then with shorter names.
func (p *page) fitted(header []string, rows func(fit int) [][]string) [][]string {
	cells, excess := p.clean(header, rows(wide))
	for fit := narrow; fit <= tight && excess > 0; fit++ {
		cells, excess = p.clean(header, rows(fit))
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
func (p *page) table(header []string, rows func(fit int) [][]string) {
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	for _, row := range append([][]string{header}, p.fitted(header, rows)...) {
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	w.Flush() // to a strings.Builder, which takes all
	for i, l := range strings.Split(strings.TrimRight(out.String(), "\n"), "\n") {
		st := plain
		if i == 0 {
			st = dim
		}
		p.line(styled("  "+strings.TrimRight(l, " "), st))
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
	if len(ids) == 0 {
		return
	}
	for i, who := range all {
		all[i] = strings.Join(byWho[who], ", ") + " can hit " + who
	}
	they, them, what := "they were", "them", "ID"
	if len(ids) == 1 {
		they, them, what = "it was", "it", ids[0]
	}
	p.blank()
	p.paragraph(styled("  exposed", yellow), 11, fmt.Sprintf("%s: the release has %s and nothing rules %s out, but %s not seen (yet); for more: thanosleak advisories %s",
		strings.Join(all, "; "), them, them, they, what), plain)
}

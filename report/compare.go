package report

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/thanosleak/thanosleak/classify"
)

// differenceLines is the number of stacks of each kind that are shown unless all
// are asked for.
const differenceLines = 10

// changedColumn is the column at which, in a list of differences, states begin.
// In front of them stand what happened and "base → now".
const changedColumn = labelWidth + 15

// comparison tells what differs from an older capture, if there is one.
func (p *page) comparison(r *classify.Result, verbose bool) {
	c := r.Comparison
	if c == nil {
		return
	}
	p.blank()
	p.paragraph(styled("COMPARED", bold), columns("COMPARED")+2, "with "+c.Base+", "+differenceSum(r), plain)
	listed, same := listedComponents(c, verbose)
	for _, component := range listed {
		p.compared(component, r, verbose)
	}
	if len(same) > 0 {
		p.blank()
		p.paragraph(styled("  same", bold), labelWidth, "nothing differs in "+strings.Join(same, ", "), plain)
	}
	for _, side := range onlySides(c) {
		p.paragraph(styled("  only", bold), labelWidth, side, plain)
	}
	for _, w := range c.Warnings {
		p.paragraph(styled("  warning", yellow), 11, w, plain)
	}
}

// listedComponents returns the components that are told of one by one, and the
// names of those in which nothing differs: they would push the others off the
// screen. All are listed with verbose, and so is the only one.
func listedComponents(c *classify.Comparison, verbose bool) (listed []*classify.ComponentComparison, same []string) {
	for i := range c.Components {
		component := &c.Components[i]
		if len(component.Differences) > 0 || len(c.Components) == 1 || verbose {
			listed = append(listed, component)
			continue
		}
		same = append(same, componentNoun(component))
	}
	return listed, same
}

// componentNoun is what people call the processes of a component.
func componentNoun(c *classify.ComponentComparison) string {
	return cmp.Or(nouns[c.Component], c.Component, "unknown component")
}

// compared tells what differs in the processes of one component.
func (p *page) compared(c *classify.ComponentComparison, r *classify.Result, verbose bool) {
	p.blank()
	p.paragraph(text(""), 2, comparedBuild(c), bold)
	p.paragraph(text(""), 2, comparedLoad(c), plain)
	all := differences(c, verbose)
	for kind, of := range byKind(all) {
		shown := of
		if !verbose {
			shown = of[:min(len(of), differenceLines)]
		}
		for i, d := range shown {
			p.differs(kind, i == 0, d, r)
			if verbose {
				p.frames(classify.Stack{Frames: d.Frames, CreatedBy: d.CreatedBy})
			}
		}
		p.more(len(of)-len(shown), kind+" stack", verbose)
	}
	if s := rarely(c); s != "" {
		p.paragraph(text(""), labelWidth, s, dim)
	}
}

// differs writes one line of a list: kind, counts, state and function. Where the
// page is too narrow the function stands on a line of its own.
func (p *page) differs(kind string, first bool, d difference, r *classify.Result) {
	label := ""
	if first {
		label = "  " + kind
	}
	leaf, position := telling(d.Frames)
	state := cmp.Or(d.State, "state unknown")
	front := []span{styled(pad(label, labelWidth), bold), text(counted(d))}
	function := []span{text(leaf), styled(strings.TrimRight("  "+position, " "), dim)}
	var notes []span
	for _, note := range d.notes() {
		notes = append(notes, styled("  "+note, dim))
	}
	if d.Finding != "" {
		notes = append(notes, styled("  "+partOf(d.Finding, r), red))
	}
	whole := slices.Concat(front, []span{styled(pad(state, stateWidth+2), dim)}, function, notes)
	if width(whole) <= p.width {
		p.line(whole...)
		return
	}
	p.flow(changedColumn, slices.Concat(front, []span{styled(state, dim)}, notes)...)
	p.flow(changedColumn, slices.Concat([]span{text(pad("", changedColumn))}, function)...)
}

// width is the number of columns that spans take.
func width(spans []span) int {
	n := 0
	for _, s := range spans {
		n += columns(s.text)
	}
	return n
}

// notes say what else is to be known of a line.
func (d *difference) notes() []string {
	var notes []string
	if d.stacks > 1 {
		notes = append(notes, fmt.Sprintf("%d stacks", d.stacks))
	}
	if d.Kind == classify.DifferenceGrown && d.NewMost >= 2*max(d.New, 1) {
		notes = append(notes, fmt.Sprintf("%s → %s in the process that has most", classify.Amount(d.BaseMost), classify.Amount(d.NewMost)))
	}
	if d.MovedFrom != "" {
		notes = append(notes, "was "+classify.ShortFunc(d.MovedFrom))
	}
	return notes
}

// counted tells the goroutines before and now, as wide as its columns.
func counted(d difference) string {
	return pad(fmt.Sprintf("%5s → %s", classify.Amount(d.Base), classify.Amount(d.New)), changedColumn-labelWidth)
}

// partOf says which finding a stack is part of.
func partOf(key string, r *classify.Result) string {
	for _, f := range r.Findings {
		if f.Key == key && f.Advisory == "" {
			return "in the finding above: " + f.Title
		}
	}
	return "in " + key
}

// difference is stacks that stand on one line.
type difference struct {
	classify.Difference
	stacks int
}

// differences puts stacks together that differ only in callers, as [alike] does,
// and whose kinds and findings are the same.
func differences(c *classify.ComponentComparison, verbose bool) []difference {
	type line struct {
		kind                                classify.DifferenceKind
		name, position, state, part, before string
	}
	var all []difference
	at := map[line]int{}
	for _, d := range c.Differences {
		name, position := telling(d.Frames)
		l := line{d.Kind, name, position, d.State, d.Finding, d.MovedFrom}
		i, again := at[l]
		if !again || verbose {
			at[l] = len(all)
			all = append(all, difference{Difference: d, stacks: 1})
			continue
		}
		all[i].Base += d.Base
		all[i].New += d.New
		all[i].BaseMost = max(all[i].BaseMost, d.BaseMost)
		all[i].NewMost = max(all[i].NewMost, d.NewMost)
		all[i].stacks++
	}
	return all
}

// byKind yields the differences of each kind, most goroutines first, in the order
// of the kinds.
func byKind(all []difference) iter.Seq2[string, []difference] {
	return func(yield func(string, []difference) bool) {
		for rest := all; len(rest) > 0; {
			n := slices.IndexFunc(rest, func(d difference) bool { return d.Kind != rest[0].Kind })
			if n < 0 {
				n = len(rest)
			}
			of := slices.SortedStableFunc(slices.Values(rest[:n]), func(a, b difference) int { return cmp.Compare(b.Weight(), a.Weight()) })
			if rest = rest[n:]; !yield(string(of[0].Kind), of) {
				return
			}
		}
	}
}

// differenceSum counts what differs in all components: "12 stacks differ: 1 grown,
// 11 new; 9 of them in TL-2024-001".
func differenceSum(r *classify.Result) string {
	n := map[classify.DifferenceKind]int{}
	var kinds []classify.DifferenceKind
	var found []string
	total := 0
	for _, c := range r.Comparison.Components {
		for _, d := range c.Differences {
			if n[d.Kind]++; n[d.Kind] == 1 {
				kinds = append(kinds, d.Kind)
			}
			if d.Finding != "" {
				found = append(found, d.Finding)
			}
			total++
		}
	}
	if total == 0 {
		return "no difference: no stack is new or gone, none has grown or shrunk"
	}
	var parts []string
	for _, kind := range kinds {
		parts = append(parts, fmt.Sprintf("%d %s", n[kind], kind))
	}
	sum := "1 stack differs: " + strings.Join(parts, ", ")
	if total > 1 {
		sum = fmt.Sprintf("%d stacks differ: %s", total, strings.Join(parts, ", "))
	}
	switch where := slices.Compact(slices.Sorted(slices.Values(found))); len(where) {
	case 0:
		return sum
	case 1:
		return fmt.Sprintf("%s; %d of them %s", sum, len(found), partOf(where[0], r))
	default:
		return fmt.Sprintf("%s; %d of them in the findings above", sum, len(found))
	}
}

// comparedBuild says which releases of which component are compared.
func comparedBuild(c *classify.ComponentComparison) string {
	golang := ""
	if len(c.Base.GoVersions)+len(c.New.GoVersions) > 0 {
		golang = ", " + changed("", releases(c.Base.GoVersions), releases(c.New.GoVersions))
	}
	return componentNoun(c) + changed(", thanos ", releases(c.Base.Versions), releases(c.New.Versions)) + golang
}

// comparedLoad says how the processes as a whole differ, and how much of them was
// looked at.
func comparedLoad(c *classify.ComponentComparison) string {
	inFlight := func(inv classify.Inventory) string {
		if inv.InFlight == nil {
			return "?"
		}
		return classify.Amount(*inv.InFlight)
	}
	load := ""
	if c.Base.InFlight != nil || c.New.InFlight != nil {
		load = fmt.Sprintf(" and %s → %s requests in flight", inFlight(c.Base), inFlight(c.New))
	}
	return fmt.Sprintf("a typical process had %s → %s goroutines%s (%s)", classify.Amount(c.Base.Goroutines),
		classify.Amount(c.New.Goroutines), load, changed("", looks(&c.Base), looks(&c.New)))
}

// looks says how much of a side was looked at.
func looks(inv *classify.Inventory) string {
	return plural(inv.Processes, "process") + ", " + classify.Count(inv.Samples, "sample")
}

// releases names several releases; "?" if none is known.
func releases(names []string) string { return cmp.Or(classify.Few(names), "?") }

// changed tells two values behind what, once where they are the same.
func changed(what, before, now string) string {
	if before == now {
		return what + now
	}
	return what + before + " → " + now
}

// rarely counts the stacks that are not listed because chance may have shown
// them; empty if there are none.
func rarely(c *classify.ComponentComparison) string {
	var parts []string
	if c.RareNew > 0 {
		parts = append(parts, fmt.Sprintf("%d new", c.RareNew))
	}
	if c.RareGone > 0 {
		parts = append(parts, fmt.Sprintf("%d gone", c.RareGone))
	}
	if len(parts) == 0 {
		return ""
	}
	return "not listed, as they stood in few samples: " + strings.Join(parts, ", ")
}

// onlySides says which components one capture alone has.
func onlySides(c *classify.Comparison) []string {
	var sides []string
	for _, s := range []struct {
		name       string
		components []string
	}{{"in the base, so that they are not compared: ", c.OnlyBase}, {"in this capture, so that they are not compared: ", c.OnlyNew}} {
		if len(s.components) > 0 {
			sides = append(sides, s.name+strings.Join(s.components, ", "))
		}
	}
	return sides
}

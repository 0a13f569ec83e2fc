package report

import (
	"cmp"
	"strings"

	"github.com/thanosleak/thanosleak/classify"
)

// htmlComparison is what differs from an older capture.
type htmlComparison struct {
	Sum        string
	Components []htmlCompared
	Notes      []string
}

// htmlCompared is what differs in the processes of one component.
type htmlCompared struct {
	Build, Load string
	Rows        []htmlDifference
	More        int // stacks that are not listed
	Rare        string
}

// htmlDifference is a stack of which there are more or fewer goroutines.
type htmlDifference struct{ Kind, From, To, State, Func, Note string }

// comparison tells what differs; nil if there is nothing to compare with.
func (w *htmlWriter) comparison() *htmlComparison {
	c := w.result.Comparison
	if c == nil {
		return nil
	}
	v := &htmlComparison{Sum: w.clean("with " + c.Base + ": " + differenceSum(w.result))}
	listed, same := listedComponents(c, false)
	for _, component := range listed[:min(len(listed), w.items)] {
		v.Components = append(v.Components, w.compared(component))
	}
	if len(same) > 0 {
		v.Notes = append(v.Notes, w.clean("nothing differs in "+strings.Join(same, ", ")))
	}
	for _, s := range append(onlySides(c), c.Warnings...) {
		v.Notes = append(v.Notes, w.clean(s))
	}
	return v
}

func (w *htmlWriter) compared(c *classify.ComponentComparison) htmlCompared {
	v := htmlCompared{Build: w.clean(comparedBuild(c)), Load: w.clean(comparedLoad(c)), Rare: w.clean(rarely(c))}
	for kind, of := range byKind(differences(c, false)) {
		shown := of[:min(len(of), differenceLines)]
		v.More += len(of) - len(shown)
		for _, d := range shown {
			leaf, position := telling(d.Frames)
			row := htmlDifference{Kind: w.clean(kind), From: classify.Amount(d.Base), To: classify.Amount(d.New),
				State: w.clean(cmp.Or(d.State, "state unknown")), Func: w.clean(leaf + "  " + position)}
			notes := d.notes()
			if d.Finding != "" {
				notes = append(notes, partOf(d.Finding, w.result))
			}
			row.Note = w.clean(strings.Join(notes, ", "))
			v.Rows = append(v.Rows, row)
		}
	}
	return v
}

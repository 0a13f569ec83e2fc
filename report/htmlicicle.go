package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/thanosleak/thanosleak/classify"
)

// icicleRow is the height of a call in an icicle in pixels.
const icicleRow = 20

// htmlIcicle shows stacks from their first call, at the top, to where they
// stand; the width of a call is the number of goroutines below it.
type htmlIcicle struct {
	Height int
	Label  string
	Boxes  []htmlBox
	Hidden int // calls that are too narrow, or too many
}

type htmlBox struct {
	X, Width string // per cent
	Y        int
	Class    string
	Text     string
	Title    string
}

// call is a function in a tree of callers.
type call struct {
	frame             classify.Frame
	culprits, victims int
	callees           []*call
}

func (c *call) count() int { return c.culprits + c.victims }

// class says whose goroutines stand below the call.
func (c *call) class() string {
	switch {
	case c.victims == 0:
		return "culprit"
	case c.culprits == 0:
		return "victim"
	}
	return "both"
}

// callTree puts stacks together from their first calls on.
func callTree(stacks []classify.Stack) *call {
	root := &call{}
	for _, s := range stacks {
		at := root
		at.add(s)
		for _, f := range slices.Backward(s.Frames) {
			i := slices.IndexFunc(at.callees, func(c *call) bool { return c.frame.Func == f.Func })
			if i < 0 {
				i = len(at.callees)
				at.callees = append(at.callees, &call{frame: f})
			}
			at = at.callees[i]
			at.add(s)
		}
	}
	return root
}

func (c *call) add(s classify.Stack) {
	if s.Role == classify.RoleCulprit {
		c.culprits += max(s.Count, 0)
	} else {
		c.victims += max(s.Count, 0)
	}
}

// icicle draws the stacks of a finding; nil if there is nothing to draw.
func (w *htmlWriter) icicle(stacks []classify.Stack) *htmlIcicle {
	root := callTree(stacks)
	if root.count() == 0 || len(root.callees) == 0 {
		return nil
	}
	ice := &htmlIcicle{Label: fmt.Sprintf("Stacks of %s, callers above, width by count", plural(root.count(), "goroutine"))}
	w.callees(ice, root, 0, 0, float64(root.count()))
	ice.Height += icicleRow
	return ice
}

// narrowest is the part of the width below which a call is not drawn.
const narrowest = 0.004

// untold is the part of the width below which no more than a letter or two of
// a name would be seen.
const untold = 0.03

// callees draws the calls below c from x on: those of most culprits first, then
// those of most goroutines.
func (w *htmlWriter) callees(ice *htmlIcicle, c *call, row int, x, all float64) {
	slices.SortStableFunc(c.callees, func(a, b *call) int {
		return cmp.Or(b.culprits-a.culprits, b.count()-a.count())
	})
	for _, callee := range c.callees {
		width := float64(callee.count()) / all
		if width < narrowest || len(ice.Boxes) >= w.boxes {
			ice.Hidden++
			continue
		}
		last, below := w.unbranched(ice, callee, row, x, width)
		w.callees(ice, last, below, x, all)
		x += width
	}
}

// foldedRun is the number of calls in a row without branches from which those
// in the middle share a box.
const foldedRun = 5

// unbranched draws a call and those below it as far as all its goroutines go
// the same way; it returns the last of them and the row below it.
func (w *htmlWriter) unbranched(ice *htmlIcicle, c *call, row int, x, width float64) (last *call, below int) {
	run := []*call{c}
	for len(c.callees) == 1 && c.callees[0].count() == c.count() {
		c = c.callees[0]
		run = append(run, c)
	}
	box := htmlBox{X: percent(x), Width: percent(width), Class: c.class()}
	draw := func(text, title string) {
		box.Y, box.Text, box.Title = row*icicleRow, text, title
		if width < untold {
			box.Text = ""
		}
		ice.Boxes = append(ice.Boxes, box)
		ice.Height = max(ice.Height, box.Y)
		row++
	}
	single := func(c *call) { draw(w.name(c.frame.Func), w.callTitle(c)) }
	if len(run) < foldedRun {
		for _, c := range run {
			single(c)
		}
		return c, row
	}
	middle := run[1 : len(run)-2]
	var names []string
	for _, c := range middle[:min(len(middle), w.items)] {
		names = append(names, w.name(c.frame.Func))
	}
	single(run[0])
	draw(fmt.Sprintf("… %d calls", len(middle)), strings.Join(names, " → "))
	single(run[len(run)-2])
	single(c)
	return c, row
}

// maxName is the number of characters of a function's name that the diagrams
// show.
const maxName = 120

func (w *htmlWriter) name(function string) string {
	return cut(printable(classify.ShortFunc(function)), maxName)
}

// callTitle is what the pointer shows of a call.
func (w *htmlWriter) callTitle(c *call) string {
	s := cutLeft(printable(c.frame.Func), maxName) + ": "
	switch c.class() {
	case "culprit":
		return s + plural(c.culprits, "culprit")
	case "victim":
		return s + plural(c.victims, "victim")
	}
	return s + fmt.Sprintf("%s, %s", plural(c.culprits, "culprit"), plural(c.victims, "victim"))
}

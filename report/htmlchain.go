package report

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"github.com/thanosleak/thanosleak/classify"
)

// htmlChain is who waits for whom: culprits first, then stage by stage those
// that wait for the one before.
type htmlChain struct {
	Stages []htmlStage
	// Told says that goroutine ids tell the order; else the victims only
	// grew together with the culprits, or an advisory names them.
	Told bool
}

type htmlStage struct {
	Arrow string // how it hangs on the stage before; empty for the first
	Boxes []htmlChainBox
	Rest  int // goroutines of stacks that are not shown
}

type htmlChainBox struct {
	Class, State, Leaf, Position string
	Count, Stacks                int
}

// stageBoxes is the number of boxes that a stage shows.
const stageBoxes = 3

// chain draws the stacks of a finding; nil without any.
func (w *htmlWriter) chain(f *classify.Finding) *htmlChain {
	if len(f.Stacks) == 0 {
		return nil
	}
	told := chainsTold(f)
	var culprits []bundle
	stages := map[int][]bundle{}
	for _, b := range alike(f.Stacks, false) {
		if b.Role == classify.RoleCulprit {
			culprits = append(culprits, b)
		} else {
			n := stageIn(told, b)
			stages[n] = append(stages[n], b)
		}
	}
	v := &htmlChain{Stages: []htmlStage{w.stage("", culprits)}}
	for _, n := range slices.Sorted(maps.Keys(stages)) {
		if n == notTold {
			v.Stages = append(v.Stages, w.stage("behind them", stages[n]))
			continue
		}
		v.Told = true
		v.Stages = append(v.Stages, w.stage("wait for them", stages[n]))
	}
	return v
}

// chainsTold returns what ids tell of who waits for whom, the surest first.
func chainsTold(f *classify.Finding) [][]classify.Waiter {
	var all [][]classify.Waiter
	for _, o := range bySurety(f.Occurrences) {
		all = append(all, o.Chain)
	}
	return all
}

// notTold is the stage of stacks that no chain names: the last.
const notTold = math.MaxInt

// stageIn returns how many steps a stack is away from the culprit in the first
// of the chains that names it.
func stageIn(chains [][]classify.Waiter, b bundle) int {
	name, _ := telling(b.Frames)
	for _, c := range chains {
		if at := slices.IndexFunc(c, func(w classify.Waiter) bool { return w.Func == name }); at >= 0 {
			return at
		}
	}
	return notTold
}

func (w *htmlWriter) stage(arrow string, bundles []bundle) htmlStage {
	s := htmlStage{Arrow: arrow}
	for i, b := range bundles {
		if i >= stageBoxes {
			s.Rest += b.Count
			continue
		}
		leaf, position := telling(b.Frames)
		class := "victim"
		if b.Role == classify.RoleCulprit {
			class = "culprit"
		}
		s.Boxes = append(s.Boxes, htmlChainBox{Class: class, Count: b.Count, Stacks: b.stacks,
			State: cut(printable(cmp.Or(b.State, "state unknown")), maxName), Leaf: w.name(leaf), Position: cut(printable(position), maxName)})
	}
	return s
}

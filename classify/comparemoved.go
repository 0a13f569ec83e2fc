package classify

import (
	"slices"

	"github.com/thanosleak/thanosleak/profile"
)

// withMoves returns the differences of stacks that stand on one side only. A
// function that was renamed makes one of each: the two are one difference where
// nothing but that seems to have changed. Both slices are most goroutines first.
func withMoves(added, gone []pairing) []Difference {
	var differences []Difference
	for _, a := range added {
		i := slices.IndexFunc(gone, func(g pairing) bool { return sameWork(g.base, a.new) })
		if i < 0 {
			differences = append(differences, a.difference(DifferenceNew))
			continue
		}
		a.base = gone[i].base
		gone = slices.Delete(gone, i, i+1)
		d := a.difference(DifferenceMoved)
		d.MovedFrom = renamed(a.base.Functions, a.new.Functions)
		differences = append(differences, d)
	}
	for _, g := range gone {
		differences = append(differences, g.difference(DifferenceGone))
	}
	return differences
}

// movedShare is the part of the functions that two stacks must share to be one
// that moved: in the short stacks of background work one of three may differ.
const movedShare = 2.0 / 3

// sameWork reports whether two stacks of different releases look like one whose
// functions were renamed: the same creator as far as it is known, mostly the same
// functions, and about as many goroutines, for a stack that leaks now is no old
// one.
func sameWork(old, now *Standing) bool {
	creators := old.CreatedBy != "" && now.CreatedBy != "" && portable(old.CreatedBy) != portable(now.CreatedBy)
	if creators || rises(old.Typical, now.Typical) || rises(now.Typical, old.Typical) {
		return false
	}
	shared := 0
	for _, f := range now.Functions {
		if slices.Contains(old.Functions, f) {
			shared++
		}
	}
	return float64(shared) >= movedShare*float64(max(len(old.Functions), len(now.Functions)))
}

// portable is the name of a function in the form in which releases compare.
func portable(function string) string { return string(profile.Signature(function).Portable()) }

// renamed returns the leaf-most of the old functions that the new stack does not
// have; the leaf if it has them all.
func renamed(old, now []string) string {
	i := slices.IndexFunc(old, func(f string) bool { return !slices.Contains(now, f) })
	return old[max(i, 0)]
}

package profile

// OtherBuild reports whether two snapshots are of different binaries: by their build
// ids or, where one has none, by the lines at which the same functions stand. Two
// releases that differ little may pass for one.
func OtherBuild(a, b *Snapshot) bool {
	if a.BuildID != "" && b.BuildID != "" {
		return a.BuildID != b.BuildID
	}
	return linesOf(a).differ(linesOf(b))
}

// lines are the lines at which each function of a snapshot stands: a function that
// calls or waits in several places has several.
type lines map[string]map[int]bool

func linesOf(s *Snapshot) lines {
	lines := lines{}
	for i := range s.Groups {
		for _, f := range s.Groups[i].Frames {
			if f.Line == 0 {
				continue
			}
			if lines[f.Func] == nil {
				lines[f.Func] = map[int]bool{}
			}
			lines[f.Func][f.Line] = true
		}
	}
	return lines
}

// What tells two builds apart: so many functions must stand in both, and more than
// one in otherShare without a line in common. Among captures of one process it was
// one in 19 at most, of those that were caught in another place; among those of two
// Go releases, or of v0.36.0 and v0.42.4, two in 9 at least.
const (
	leastFunctions = 10
	otherShare     = 5
)

// differ reports whether too many functions that stand in both have no line in common.
func (l lines) differ(other lines) bool {
	both, apart := 0, 0
	for name, here := range l {
		there := other[name]
		if there == nil {
			continue
		}
		both++
		apart++
		for line := range here {
			if there[line] {
				apart--
				break
			}
		}
	}
	return both >= leastFunctions && otherShare*apart > both
}

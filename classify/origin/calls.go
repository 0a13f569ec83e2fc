package origin

import (
	"strings"

	"github.com/thanosleak/thanosleak/profile"
)

// A call is a frame and what it waits for.
type call struct {
	profile.Frame // the file with slashes, also on Windows
	// waits is the function that was called, at the leaf the state; empty if
	// that is unknown.
	waits string
	// cut says that the dump may end in the middle of the line number, as 20
	// of 2092: it refutes nothing.
	cut bool
}

// pkg returns the import path of the function's package: what stands before
// the first dot behind the last slash.
func (c call) pkg() string { return packageOf(c.Func) }

func packageOf(fn string) string {
	start := strings.LastIndexByte(fn, '/') + 1
	if i := strings.IndexByte(fn[start:], '.'); i >= 0 {
		return fn[:start+i]
	}
	return fn
}

// callsOf returns each distinct call of the snapshots once, those that have a
// position. A stack that several snapshots have is looked at in the first.
func callsOf(snapshots []*profile.Snapshot) []call {
	var calls []call
	seen := map[call]bool{}
	add := func(c call) {
		f := c.Frame
		if f.Line <= 0 || f.File == "" || seen[c] {
			return
		}
		seen[c] = true
		c.File = strings.ReplaceAll(f.File, `\`, "/")
		calls = append(calls, c)
	}
	stacks := map[profile.Signature]int{} // the snapshot, from 1
	for n, s := range snapshots {
		if s == nil {
			continue
		}
		for i := range s.Groups {
			g := &s.Groups[i]
			if first := stacks[g.Signature]; first == 0 || first == n+1 {
				stacks[g.Signature] = n + 1
				addGroup(g, s.Truncated, add)
			}
		}
	}
	return calls
}

// addGroup adds the frames of one member, and the leaf's lines of all.
func addGroup(g *profile.Group, truncated bool, add func(call)) {
	for i, f := range g.Frames {
		c := call{Frame: f, cut: truncated && g.Count == 1 && i == len(g.Frames)-1}
		if i > 0 {
			c.waits = g.Frames[i-1].Func
		}
		if i > 0 || len(g.Places) == 0 {
			add(c)
			continue
		}
		for _, p := range g.Places {
			c.Line, c.waits = p.Line, string(p.State)
			add(c)
		}
	}
}

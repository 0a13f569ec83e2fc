package capture

import (
	"maps"
	"slices"
	"strings"

	"github.com/thanosleak/thanosleak/profile"
)

// intern lets samples share what is the same in nearly all of them, which is
// nearly all of what a sample weighs: without it a thousand processes take
// hundreds of megabytes.
type intern struct {
	stacks map[profile.Signature][]stack
	labels map[string]map[string]string // by their text
}

type stack struct {
	signature profile.Signature
	frames    []profile.Frame
}

func newIntern() intern {
	return intern{stacks: map[profile.Signature][]stack{}, labels: map[string]map[string]string{}}
}

// Bounds on what is remembered. Stacks of one signature differ in lines only,
// so that there are few; labels are many only where somebody means harm.
const (
	maxVariants = 16
	maxLabels   = 100_000
)

// snapshot replaces the stacks of s by equal ones that were seen before.
func (in intern) snapshot(s *profile.Snapshot) {
	for i := range s.Groups {
		g := &s.Groups[i]
		known := in.stacks[g.Signature]
		n := slices.IndexFunc(known, func(k stack) bool { return slices.Equal(k.frames, g.Frames) })
		if n >= 0 {
			g.Signature, g.Frames = known[n].signature, known[n].frames
			continue
		}
		g.Frames = slices.Clip(g.Frames)
		if len(known) < maxVariants {
			in.stacks[g.Signature] = append(known, stack{g.Signature, g.Frames})
		}
	}
}

// metrics replaces the labels of m by equal ones that were seen before.
func (in intern) metrics(m profile.Metrics) {
	var key strings.Builder
	for _, values := range m {
		for i, v := range values {
			if v.Labels == nil {
				continue
			}
			key.Reset()
			for _, name := range slices.Sorted(maps.Keys(v.Labels)) {
				key.WriteString(name + "\x00" + v.Labels[name] + "\x00")
			}
			if known, ok := in.labels[key.String()]; ok {
				values[i].Labels = known
			} else if len(in.labels) < maxLabels {
				in.labels[key.String()] = v.Labels
			}
		}
	}
}

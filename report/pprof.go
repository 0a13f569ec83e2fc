package report

import (
	"fmt"
	"io"

	"github.com/google/pprof/profile"

	"github.com/thanosleak/thanosleak/classify"
)

// Pprof writes the stacks of the findings as a profile for go tool pprof, which
// draws them: how many goroutines stand in each now, how many stood there in the
// first sample, and by how many they have grown, which is what is shown unless
// -sample_index says otherwise. Each sample has the labels finding and role.
// Findings that are gone have no stacks. The output is binary.
func Pprof(w io.Writer, run Run, r *classify.Result, _ TextOptions) error {
	b := pprofBuilder{
		profile: &profile.Profile{
			SampleType:        []*profile.ValueType{{Type: "first", Unit: "goroutines"}, {Type: "now", Unit: "goroutines"}, {Type: "grown", Unit: "goroutines"}},
			DefaultSampleType: "grown",
			Comments:          []string{"thanosleak " + run.Version, run.Command},
			TimeNanos:         run.Finished.UnixNano(),
		},
		functions: map[[2]string]*profile.Function{}, locations: map[classify.Frame]*profile.Location{},
	}
	for _, f := range r.Findings {
		for _, s := range f.Stacks {
			b.add(&f, s)
		}
	}
	if err := b.profile.CheckValid(); err != nil {
		return fmt.Errorf("pprof: %w", err)
	}
	return b.profile.Write(w)
}

// pprofBuilder gives each function and place of a profile once.
type pprofBuilder struct {
	profile   *profile.Profile
	functions map[[2]string]*profile.Function // by name and file
	locations map[classify.Frame]*profile.Location
}

func (b *pprofBuilder) add(f *classify.Finding, s classify.Stack) {
	sample := &profile.Sample{
		Value: []int64{int64(s.First), int64(s.Count), int64(s.Count - s.First)},
		Label: map[string][]string{"finding": {f.Key}, "role": {s.Role}},
	}
	if s.State != "" {
		sample.Label["state"] = []string{s.State}
	}
	for _, frame := range s.Frames {
		sample.Location = append(sample.Location, b.location(frame))
	}
	b.profile.Sample = append(b.profile.Sample, sample)
}

func (b *pprofBuilder) location(frame classify.Frame) *profile.Location {
	if l := b.locations[frame]; l != nil {
		return l
	}
	l := &profile.Location{ID: uint64(len(b.locations) + 1),
		Line: []profile.Line{{Function: b.function(frame), Line: int64(frame.Line)}}}
	b.locations[frame] = l
	b.profile.Location = append(b.profile.Location, l)
	return l
}

func (b *pprofBuilder) function(frame classify.Frame) *profile.Function {
	key := [2]string{frame.Func, frame.File}
	if f := b.functions[key]; f != nil {
		return f
	}
	f := &profile.Function{ID: uint64(len(b.functions) + 1), Name: frame.Func, SystemName: frame.Func, Filename: frame.File}
	b.functions[key] = f
	b.profile.Function = append(b.profile.Function, f)
	return f
}

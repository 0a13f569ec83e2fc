package profile

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	pprof "github.com/google/pprof/profile"
)

// maxCount bounds the goroutines of one sample: more than fit into the memory
// of any machine, and far from overflowing a sum.
const maxCount = 1 << 32

// parseDebug0 reads an uncompressed protobuf profile. It does not use
// pprof.Parse, which would gunzip again and without a bound.
func parseDebug0(data []byte, o Options) (*Snapshot, error) {
	if len(data) > smallProfile && unpackedSize(data) > maxUnpacked {
		return nil, fmt.Errorf("the pprof profile would take more than %d MiB of memory: no goroutine profile does", maxUnpacked>>20)
	}
	p, err := pprof.ParseUncompressed(data)
	switch {
	case err == nil:
	case strings.Contains(err.Error(), "concatenated profiles"):
		return nil, &UnsupportedError{Form: "several pprof profiles in one file", Hint: "Hand each in as a file of its own."}
	default:
		return nil, fmt.Errorf("neither a text dump nor a pprof profile: %w", err)
	}
	if err := p.CheckValid(); err != nil {
		return nil, fmt.Errorf("damaged pprof profile: %w", err)
	}
	for _, f := range p.Function { // here, for a function stands in many stacks
		f.Name = foldTypeArgs(f.Name)
	}
	b := newBuilder(Debug0, len(p.Sample))
	if err := b.setKind(p); err != nil {
		return nil, err
	}
	if p.DurationNanos > 0 {
		return nil, &UnsupportedError{Form: fmt.Sprintf("what changed in %s (?seconds=N), or a sum", time.Duration(p.DurationNanos).Round(time.Millisecond)),
			Hint: "Take it without seconds: " + strings.TrimPrefix(getProfile, "Take the profile with: ")}
	}
	if p.TimeNanos > 0 {
		b.snap.Time = time.Unix(0, p.TimeNanos).UTC()
	}
	if len(p.Mapping) > 0 {
		b.snap.BuildID = p.Mapping[0].BuildID
	}
	known := channelsKnown(p, o.GoVersion)
	if !known {
		b.snap.Warnings = append(b.snap.Warnings,
			"the Go release of this process is not known to this version of thanosleak: whether a channel is nil cannot be told from debug=0")
	}
	b.samples(p.Sample, known)
	if b.snap.Total == 0 && b.snap.Unreadable == 0 && !b.snap.LeaksOnly {
		return nil, errors.New("a pprof profile without a goroutine in it: no process is without any")
	}
	return b.finish(), nil
}

// samples counts the goroutines of samples. Those that differ in nothing but
// labels have the same locations, which are looked at once.
func (b *builder) samples(samples []*pprof.Sample, channelsKnown bool) {
	var frames []Frame
	var locations []byte
	seen := map[string]spot{} // of samples with labels, by locations
	for _, s := range samples {
		n := s.Value[0]
		if n < 0 || n > maxCount {
			b.outOfRange()
			continue
		}
		if n == 0 {
			continue
		}
		locations = locations[:0]
		if len(s.Label) > 0 {
			locations = appendLocations(locations, s)
			if at, ok := seen[string(locations)]; ok {
				b.count(at, int(n))
				continue
			}
		}
		var state State
		frames, state = stackOf(frames[:0], s, channelsKnown)
		at, ok := b.add(frames, state, int(n))
		if !ok {
			b.unreadable(int(n), tooMany)
		} else if len(s.Label) > 0 && b.room(entrySize+len(locations)) {
			seen[string(locations)] = at
		}
	}
}

// appendLocations appends the ids of a sample's locations.
func appendLocations(ids []byte, s *pprof.Sample) []byte {
	for _, l := range s.Location {
		ids = binary.AppendUvarint(ids, l.ID)
	}
	return ids
}

// setKind accepts goroutine and goroutineleak profiles only.
func (b *builder) setKind(p *pprof.Profile) error {
	if len(p.SampleType) == 0 {
		return fmt.Errorf("damaged pprof profile: it does not say what it counts")
	}
	switch kind := p.SampleType[0].Type; kind {
	case "goroutine":
	case "goroutineleak":
		b.snap.LeaksOnly = true
	case "inuse_objects", "inuse_space", "alloc_objects", "alloc_space", "objects", "space":
		return &UnsupportedError{Form: "a heap profile", Hint: getProfile}
	case "samples", "cpu":
		return &UnsupportedError{Form: "a CPU profile", Hint: getProfile}
	default:
		return &UnsupportedError{Form: fmt.Sprintf("a profile of %q", kind), Hint: getProfile}
	}
	return nil
}

// stackOf appends the frames of a sample, leaf first, to the empty slice, and
// returns the state that the runtime's part of them tells. The names of functions
// are without type arguments.
func stackOf(frames []Frame, s *pprof.Sample, channelsKnown bool) ([]Frame, State) {
	state := StateUnknown
	inRuntime := true // no frame of the program has been seen yet
	for _, loc := range s.Location {
		if len(frames) >= maxStack {
			break
		}
		for _, l := range loc.Line[:min(len(loc.Line), maxStack)] {
			if l.Function == nil {
				continue
			}
			name := l.Function.Name
			if name == "" {
				name = fmt.Sprintf("%#x", loc.Address) // a signature is never empty
			}
			if inRuntime && state == StateUnknown {
				state = stateAt(name, l.Line-l.Function.StartLine, channelsKnown)
				inRuntime = isRuntime(name)
			}
			frames = append(frames, Frame{Func: name, File: l.Function.Filename, Line: int(l.Line)})
		}
		if len(loc.Line) == 0 {
			frames, inRuntime = append(frames, Frame{Func: fmt.Sprintf("%#x", loc.Address)}), false
		}
	}
	if len(frames) == 0 {
		return append(frames, Frame{Func: goexit}), StateUnknown
	}
	if state == StateUnknown {
		state = syncState(frames)
	}
	return frames, state
}

// stateAt returns the state told by one function of the runtime and the
// distance of the line from its start.
func stateAt(fn string, offset int64, channelsKnown bool) State {
	if _, channel := chanOffsets[fn]; channel {
		if !channelsKnown {
			return StateUnknown
		}
		return chanState(fn, offset)
	}
	return leafStates[fn]
}

// channelsKnown reports whether the table of channel offsets holds for the
// process: its Go release is in the table or, where the release is not known,
// no goroutine stands at a distance that the table does not have.
func channelsKnown(p *pprof.Profile, goVersion string) bool {
	if minor, ok := goMinor(goVersion); ok {
		_, known := chanOffsets["runtime.chanrecv"].blocked[minor]
		return known
	}
	for _, loc := range p.Location {
		for _, l := range loc.Line {
			if l.Function == nil || !strings.HasPrefix(l.Function.Name, "runtime.") {
				continue
			}
			if _, channel := chanOffsets[l.Function.Name]; channel &&
				chanState(l.Function.Name, l.Line-l.Function.StartLine) == StateUnknown {
				return false
			}
		}
	}
	return true
}

// goMinor returns the minor release of "go1.26.8" and the like.
func goMinor(version string) (int, bool) {
	rest, ok := strings.CutPrefix(strings.TrimPrefix(version, "go"), "1.")
	if !ok {
		return 0, false
	}
	if i := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' }); i >= 0 {
		rest = rest[:i]
	}
	minor, err := strconv.Atoi(rest)
	return minor, err == nil
}

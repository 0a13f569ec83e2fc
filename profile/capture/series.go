package capture

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/thanosleak/thanosleak/profile"
)

// listing reads the targets of a folder.
func (r *reader) listing(l *listing) {
	if len(l.stems) > 0 {
		r.capture(l)
		return
	}
	r.looseFolder(l)
}

// capture reads a folder of samples: one target.
func (r *reader) capture(l *listing) {
	l.sort()
	warnings := len(r.warnings)
	f := r.facts(l.facts)
	stems, gone := r.recent(l.stems)
	pages := make([]profile.Metrics, len(stems))
	each(r, stems, func(r *reader, i int, s *stem) {
		if s.hasProfile() {
			pages[i] = r.metrics(s)
		}
	})
	var last profile.Metrics
	for _, m := range pages {
		if m != nil {
			last = m
		}
	}
	adopt(&f, last)
	newest := newestProfile(stems)
	parts := r.parts(stems, func(r *reader, i int, s *stem) part {
		own := profile.Facts{}
		own.Adopt(pages[i])
		return r.sample(s, pages[i], cmp.Or(own.GoVersion, f.GoVersion))
	})
	loose, _ := r.recent(l.loose)
	parts = r.join(parts, loose, f.GoVersion)
	switch {
	case len(parts) > 0:
		r.target(l.elems, f, parts)
		if newest != nil && !slices.ContainsFunc(parts, func(p part) bool { return p.stem == newest }) {
			t := &r.targets[len(r.targets)-1]
			t.Unreached, t.FailedSamples, t.Err = true, 1, fmt.Sprintf("the newest sample, %s, cannot be read: %v", newest.name, newest.why)
		}
	case !gone:
		r.fail(l.label, l.elems, fmt.Errorf("no goroutine profile that can be read in %s.%s",
			plural(len(stems), "sample", "s"), r.cause(warnings)))
	}
}

// newestProfile returns the newest of the stems, oldest first, that should hold
// goroutines; nil if none does.
func newestProfile(stems []*stem) *stem {
	for _, s := range slices.Backward(stems) {
		if s.hasProfile() {
			return s
		}
	}
	return nil
}

// parts reads the stems and returns what those gave that gave samples.
func (r *reader) parts(stems []*stem, read func(*reader, int, *stem) part) []part {
	all := make([]part, len(stems))
	each(r, stems, func(r *reader, i int, s *stem) { all[i] = read(r, i, s) })
	return slices.DeleteFunc(all, func(p part) bool { return len(p.samples) == 0 })
}

// join adds profiles of other names in the folder of a target, if they are of
// the same process.
func (r *reader) join(parts []part, loose []*stem, goVersion string) []part {
	for _, s := range loose {
		p := r.sample(s, nil, goVersion)
		if len(p.samples) == 0 {
			continue
		}
		if reason := differ(append(slices.Clip(parts), p)); reason != "" {
			for _, f := range s.files {
				if f != nil {
					r.skip(f, errors.New(reason))
				}
			}
			continue
		}
		parts = append(parts, p)
	}
	return parts
}

// looseFolder reads a folder of profiles with names of all sorts. Each is a
// process: sixty dumps of sixty pods look like sixty of one, and to take the
// former for the latter would invent growth. Only files whose names differ in
// nothing but a time are samples of one process, unless their content differs.
func (r *reader) looseFolder(l *listing) {
	f := r.facts(l.facts)
	adopt(&f, nil)
	stems, _ := r.recent(l.loose)
	all := r.parts(stems, func(r *reader, _ int, s *stem) part {
		s.among = true
		return r.sample(s, nil, f.GoVersion)
	})
	series := map[string][]part{}
	for _, p := range all {
		if name := seriesName(p.stem.name); name != "" && !r.o.Each {
			series[name] = append(series[name], p)
		}
	}
	alone := 0
	for _, p := range all {
		group := series[seriesName(p.stem.name)]
		if len(group) < 2 || differ(group) != "" {
			r.target(append(slices.Clip(l.elems), p.stem.label()), f, []part{p})
			alone++
		} else if group[0].stem == p.stem {
			r.target(append(slices.Clip(l.elems), label(group)), f, group)
		}
	}
	r.tellLost(stems, series)
	if alone > 1 && !r.o.Each && differ(all) == "" {
		r.warn("%s: each of %d files is taken for a process of its own; if they are samples of one process, name the files instead of the folder",
			l.label, alone)
	}
}

// tellLost says which files among many could not be read. Each is a process that is
// not judged, unless a later one of its series could be read.
func (r *reader) tellLost(stems []*stem, series map[string][]part) {
	for _, s := range stems {
		if s.lost == nil {
			continue
		}
		later := func(p part) bool { return p.stem.time.After(s.time) }
		if name := seriesName(s.name); name != "" && slices.ContainsFunc(series[name], later) {
			r.skip(s.lost, s.why)
		} else {
			r.failFile(s.lost, s.why)
		}
	}
}

// looseSeries reads the files that the user named: samples of one process.
func (r *reader) looseSeries(l *listing) error {
	f := r.facts(l.facts)
	adopt(&f, nil)
	stems, _ := r.recent(slices.Concat(l.stems, l.loose))
	parts := r.parts(stems, func(r *reader, _ int, s *stem) part {
		p := r.sample(s, r.metrics(s), f.GoVersion)
		if r.o.Each && len(p.samples) > 0 {
			r.target(append(slices.Clip(l.elems), s.label()), f, []part{p})
		}
		return p
	})
	if len(parts) == 0 || r.o.Each {
		return nil
	}
	if reason := differ(parts); reason != "" {
		return fmt.Errorf("%s. Use --each to judge each file on its own, or give the files of one process only", reason)
	}
	r.target(append(slices.Clip(l.elems), label(parts)), f, parts)
	return nil
}

// label is what a series of files is called.
func label(parts []part) string {
	first, last := parts[0].stem.label(), parts[len(parts)-1].stem.label()
	if first == last {
		return first
	}
	return first + ".." + last
}

// differ says in which way the parts show different processes; empty if they
// do not.
func differ(parts []part) string {
	var build, component identity
	var before *profile.Snapshot
	of := ""
	for _, p := range parts {
		t := profile.Target{}
		id := ""
		for _, s := range p.samples {
			t.Samples = append(t.Samples, s.Sample)
			id = cmp.Or(id, s.Goroutines.BuildID)
		}
		if other, ok := component.agrees(t.Component(), p); !ok {
			return fmt.Sprintf("%s and %s are of different processes (components %s and %s)",
				component.of, p.stem.label(), component.value, other)
		}
		if other, ok := build.agrees(id, p); !ok {
			return fmt.Sprintf("%s and %s are of different binaries (build ids %.12s and %.12s)",
				build.of, p.stem.label(), build.value, other)
		}
		if n := len(p.samples); n > 0 {
			if before != nil && profile.OtherBuild(before, p.samples[0].Goroutines) {
				return fmt.Sprintf("%s and %s are of different binaries (the same functions stand at other lines)", of, p.stem.label())
			}
			before, of = p.samples[n-1].Goroutines, p.stem.label()
		}
	}
	return ""
}

// identity is what tells processes apart, and who said it first.
type identity struct{ value, of string }

// agrees reports whether the part may be of the same process. A part that does
// not tell agrees with all.
func (id *identity) agrees(value string, p part) (string, bool) {
	if id.value == "" {
		id.value, id.of = value, p.stem.label()
	}
	return value, value == "" || value == id.value
}

// target records a target with the samples of the parts.
func (r *reader) target(elems []string, f profile.Facts, parts []part) {
	t := found{Target: profile.Target{Facts: f}, elems: elems}
	for _, p := range parts {
		t.taken = append(t.taken, p.samples...)
	}
	r.targets = append(r.targets, t)
}

// spread makes times strictly increasing and says which are not to be trusted.
// Unknown distances become a nanosecond, so that nothing takes them for real.
func spread(all []taken) (warnings []string) {
	doubtful := [unknown + 1]int{}
	for i := range all {
		s := &all[i]
		if i > 0 && !s.Time.After(all[i-1].Time) {
			s.Time = all[i-1].Time.Add(time.Nanosecond)
			if s.source == fromFile {
				s.source = unknown
			}
		}
		doubtful[s.source]++
	}
	if len(all) < 2 {
		return nil
	}
	if n := doubtful[unknown]; n > 0 {
		warnings = append(warnings, fmt.Sprintf(
			"when %d of the %d samples were taken is not known: only their order is, and growth per hour cannot be told", n, len(all)))
	}
	if n := doubtful[fromFile]; n > 0 {
		warnings = append(warnings, fmt.Sprintf(
			"the times of %d of the %d samples are those of the files, for text dumps have none: if the files were copied, growth per hour is wrong", n, len(all)))
	}
	return warnings
}

// withLeaks attaches goroutineleak profiles that came as samples of their own
// to the nearest sample without one. Where there are only leak profiles, they
// are all that is known of the process.
func withLeaks(all []taken, warnings *[]string) []taken {
	isLeak := func(s taken) bool { return s.Goroutines.LeaksOnly }
	full := slices.DeleteFunc(slices.Clone(all), isLeak)
	if len(full) == 0 {
		for i := range all {
			all[i].Leaked = all[i].Goroutines
		}
		return all
	}
	dropped := 0
	for _, leak := range all {
		if !isLeak(leak) {
			continue
		}
		if s := nearest(full, leak.Time); s != nil {
			s.Leaked = leak.Goroutines
		} else {
			dropped++
		}
	}
	if dropped > 0 {
		*warnings = append(*warnings, fmt.Sprintf("%d goroutineleak profiles have no goroutine profile of their time and are not used", dropped))
	}
	return full
}

// nearest returns the sample without a leak profile that is nearest in time;
// nil if all have one.
func nearest(all []taken, t time.Time) *taken {
	var best *taken
	for i := range all {
		s := &all[i]
		if s.Leaked == nil && (best == nil || s.Time.Sub(t).Abs() < best.Time.Sub(t).Abs()) {
			best = s
		}
	}
	return best
}

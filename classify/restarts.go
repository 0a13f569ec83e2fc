package classify

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/thanosleak/thanosleak/profile"
)

// restartCases judges stacks by their growth with uptime over several lives: a
// process that is killed for its memory every 20 minutes is sampled once or
// twice in each.
func (j *judge) restartCases(p *process, used map[profile.Signature]bool) []*caseOf {
	lives := p.sameBuild()
	if len(lives) < 2 || lives[len(lives)-1].last().Time.Sub(lives[0].samples[0].Time) < j.Thresholds.Day {
		return nil
	}
	var all life
	for _, l := range lives {
		all.samples = append(all.samples, l.samples...)
	}
	counts := all.columns()
	var rising []column
	for sig, c := range counts {
		if used[sig] || slices.Max(c) < j.Thresholds.MinRise {
			continue
		}
		if up := j.Thresholds.overLives(j.lived(lives, c)); up.found {
			rising = append(rising, j.risingOverLives(p, all, sig, c, up))
		}
	}
	slices.SortFunc(rising, func(a, b column) int {
		return cmp.Or(cmp.Compare(b.climb.rise, a.climb.rise), cmp.Compare(a.sig, b.sig))
	})
	var cases []*caseOf
	for len(rising) > 0 {
		followers, rest := follows(rising[0].counts, rising[1:])
		c := j.growingCase(p, all, rising[0], followers)
		maps.Copy(used, c.used)
		cases = append(cases, c)
		rising = rest
	}
	return cases
}

// sameBuild returns the newest lives that ran the same binary: another release
// has another number of goroutines.
func (p *process) sameBuild() []life {
	build := func(l life) string {
		var f profile.Facts
		f.Adopt(l.last().Metrics)
		return l.last().Goroutines.BuildID + " " + f.Version
	}
	from := len(p.lives) - 1
	for from > 0 && build(p.lives[from-1]) == build(p.newest()) {
		from--
	}
	return p.lives[from:]
}

// lived splits a count over all samples into the lives. With many lives the
// load is taken out; few of them must stand as they are.
func (j *judge) lived(lives []life, counts []float64) []livedCount {
	var lived []livedCount
	var parts [][]float64
	var loads []load
	for _, l := range lives {
		n, work := len(l.samples), loadOf(l)
		lived = append(lived, livedCount{started: l.started(), times: l.times(), counts: counts[:n], work: work})
		parts, loads = append(parts, counts[:n]), append(loads, work)
		counts = counts[n:]
	}
	if len(lives) >= j.Thresholds.MinLives {
		for i, rest := range loadTakenOut(parts, loads) {
			lived[i].counts = rest
		}
	}
	return lived
}

// started is when the process began to run, by its own metrics; the first
// sample where they do not tell.
func (l life) started() time.Time {
	for _, s := range l.samples {
		if at := s.Metrics.Sum("process_start_time_seconds"); at > 0 {
			return time.UnixMilli(int64(at * 1000))
		}
	}
	return l.samples[0].Time
}

// risingOverLives is a stack that rises in one life after the other. The
// goroutines of its group are those that stand there now, which may be none.
func (j *judge) risingOverLives(p *process, all life, sig profile.Signature, counts []float64, up climb) column {
	group := *newestGroup(all, sig)
	group.Count = int(counts[len(counts)-1])
	c := column{sig: sig, counts: counts, group: &group, climb: up,
		benign: j.Advisories.BenignOf(sig.Functions(), p.component)}
	c.growth = Growth{Verdict: Growing, First: int(counts[0]), Last: group.Count, Lives: up.lives, PerHour: up.perHour()}
	return c
}

// perHour is the slope over uptime: from the middle of the first quarter to
// that of the last; nil where the clocks of process and samples disagree.
func (c climb) perHour() *float64 {
	if c.over <= 0 {
		return nil
	}
	slope := c.rise / (0.75 * c.over.Hours())
	return &slope
}

// newestGroup is the group in the newest sample that has it.
func newestGroup(l life, sig profile.Signature) *profile.Group {
	for i := len(l.samples) - 1; i >= 0; i-- {
		if g := l.samples[i].Goroutines.Group(sig); g != nil {
			return g
		}
	}
	return nil
}

package classify

import (
	"fmt"
	"slices"
	"strings"

	"github.com/thanosleak/thanosleak/classify/advisory"
	"github.com/thanosleak/thanosleak/classify/origin"
	"github.com/thanosleak/thanosleak/profile"
)

// setReleases finds out the release of the process: as it says itself, as the
// user says, or as its dump tells.
func (p *process) setReleases() {
	rel, ok := parseRelease(p.target.Facts.Version)
	if p.versioned = ok; ok {
		p.releases = []advisory.Release{rel}
	}
	if p.samples() > 0 {
		p.lookAtDump(origin.Of(p.dumps()...))
	}
}

// vet looks which of the releases are none of the project's, of which nothing is
// known but their frames.
func (p *process) vet(db *advisory.DB) {
	p.db = db
	for i, r := range p.releases {
		p.releases[i] = db.Vetted(r)
	}
	if !p.versioned || !p.releases[0].Own || p.samples() == 0 {
		return
	}
	if o := origin.Of(p.dumps()...); o.Sure {
		p.notes = append(p.notes, fmt.Sprintf("%s, as %s, is no release of the Thanos project; by its frames it is made from %s",
			p.releaseNames(), said(p.target.Facts.VersionSource), joinOr(o.Thanos)))
	}
}

// dumpSamples is the number of samples whose frames are looked at for the
// release.
const dumpSamples = 3

// dumps returns the goroutines of the newest sample and, where nothing else
// tells the release, of some before it: what has ended since may tell more.
func (p *process) dumps() []*profile.Snapshot {
	samples := p.newest().samples
	n := len(samples)
	dumps := []*profile.Snapshot{samples[n-1].Goroutines}
	for i := 1; i < min(n, dumpSamples) && !p.versioned; i++ {
		dumps = append(dumps, samples[n-1-i*(n-1)/dumpSamples].Goroutines)
	}
	return dumps
}

// lookAtDump takes over what the frames tell of the program that made them, or
// says that they contradict the version that is known.
func (p *process) lookAtDump(o origin.Origin) {
	facts := &p.target.Facts
	if len(o.Go) == 1 && facts.GoVersion == "" {
		facts.GoVersion = o.Go[0]
	}
	if facts.Version != "" {
		p.contradict(o)
		return
	}
	p.notes = append(p.notes, o.Warnings...)
	p.candidates = o.Thanos
	if !o.Sure {
		return
	}
	for _, version := range o.Thanos {
		if rel, ok := parseRelease(version); ok {
			p.releases = append(p.releases, rel)
		}
	}
	if len(p.releases) == 1 {
		facts.Version, facts.VersionSource, p.versioned, p.candidates = o.Thanos[0], "dump", true, nil
	}
}

// contradict warns of a version that the frames are not of. One that the table of
// releases does not have, as the next release's candidate, may have the frames of
// any that it has.
func (p *process) contradict(o origin.Origin) {
	if !p.versioned || !o.Sure || !origin.Covers(p.releases[0].Number) || slices.ContainsFunc(o.Thanos, func(v string) bool { return "v"+v == p.releases[0].Number }) {
		return
	}
	p.notes = append(p.notes, fmt.Sprintf("%s, as %s, is not what its frames are of: they are those of %s",
		p.releaseNames(), said(p.target.Facts.VersionSource), joinOr(o.Thanos)))
}

// said tells who told a version.
func said(source string) string {
	switch source {
	case "flag":
		return "given by --thanos-version"
	case "buildinfo", "metrics":
		return "the process says"
	}
	return "was said"
}

// mayBeIn reports whether one of the releases that the process may be of is in
// the range; nil is all releases, and an unknown release is not ruled out.
func (p *process) mayBeIn(r *advisory.Range) bool {
	return r == nil || len(p.releases) == 0 || p.releases[0].Own || slices.ContainsFunc(p.releases, r.Contains)
}

// releaseNames names the releases that the process may be of: "v0.37.1 or
// v0.37.2"; empty if none is known.
func (p *process) releaseNames() string {
	var names []string
	for _, r := range p.releases {
		names = append(names, strings.TrimPrefix(r.Number, "v")+r.Suffix)
	}
	return joinOr(names)
}

// joinOr joins releases without "v" for people: "v0.37.0, v0.37.1 or v0.37.2".
func joinOr(releases []string) string {
	if len(releases) == 0 {
		return ""
	}
	last := "v" + releases[len(releases)-1]
	if len(releases) == 1 {
		return last
	}
	return "v" + strings.Join(releases[:len(releases)-1], ", v") + " or " + last
}

// affected tells whether the process's release has the defect: all that it may
// be of, or none. Of a build that is no release of the project it is not known
// what was patched.
func (p *process) affected(a *advisory.Advisory) Affected {
	yes, no := 0, 0
	for _, r := range p.releases {
		switch {
		case !r.Official():
			return AffectedUnknown
		case a.Affects(r):
			yes++
		default:
			no++
		}
	}
	switch {
	case yes > 0 && no == 0:
		return AffectedYes
	case no > 0 && yes == 0:
		return AffectedNo
	}
	return AffectedUnknown
}

// says tells what the version of the process makes of the advisory, and whether
// it is sure to have the defect.
func (p *process) says(a *advisory.Advisory) (text string, sure bool) {
	names := p.releaseNames()
	switch {
	case p.affected(a) == AffectedYes && len(p.releases) > 1:
		return fmt.Sprintf("%s is affected, whichever it is (%s)", names, a.Ranges()), true
	case p.affected(a) == AffectedYes:
		return fmt.Sprintf("%s is affected (%s)", names, a.Ranges()), true
	case len(p.releases) > 1:
		return fmt.Sprintf("the dump is from %s (affected: %s)", names, a.Ranges()), false
	case p.versioned:
		return fmt.Sprintf("%s is not an official release: what it has patched is not known (affected: %s)", names, a.Ranges()), false
	}
	if len(p.candidates) > 0 {
		return fmt.Sprintf("by its frames perhaps %s, which is not sure (affected: %s)", joinOr(p.candidates), a.Ranges()), false
	}
	return fmt.Sprintf("the version is not known (affected: %s)", a.Ranges()), false
}

// at returns the process as it was in a life: an upgrade is a restart into
// another release.
func (p *process) at(l life) *process {
	var f profile.Facts
	f.Adopt(l.last().Metrics)
	if f.Version == "" || f.Version == p.target.Facts.Version {
		return p
	}
	was, target := *p, *p.target
	target.Facts.Version = f.Version
	was.target, was.releases = &target, nil
	rel, ok := parseRelease(f.Version)
	if was.versioned = ok; ok {
		was.releases = []advisory.Release{p.db.Vetted(rel)}
	}
	return &was
}

func parseRelease(version string) (advisory.Release, bool) {
	rel, err := advisory.ParseRelease(version)
	return rel, err == nil
}

package advisory

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/mod/semver"

	"github.com/thanosleak/thanosleak/internal/lazyregexp"
)

// A Range is the releases from Introduced to before Fixed, as in "0.35.1" and
// "0.36.1". Releases compare by major, minor and patch only: Thanos cuts
// releases from branches, where a release candidate may or may not have what
// the release has.
type Range struct {
	// Introduced is the first release of the range; empty for the first of
	// all.
	Introduced string `yaml:"introduced"`
	// Fixed is the first release after the range; empty if there is none.
	Fixed string `yaml:"fixed"`
	// Except are release candidates that differ from the release that they
	// are named after.
	Except []string `yaml:"except"`
}

// A Release is a version of Thanos that was understood.
type Release struct {
	// Number is "v0.35.1", without a suffix.
	Number string
	// Suffix is what follows: "-rc.1", "-acme.2", "-dev"; empty for a
	// release.
	Suffix string
	// Own says that the project has no release of that number, so that it is
	// somebody's own; see [DB.Vetted].
	Own bool
}

var (
	versionRE   = lazyregexp.New(`^v?(\d+\.\d+\.\d+)([-+].*)?$`)
	candidateRE = lazyregexp.New(`^-rc\.\d+$`)
)

// ParseRelease reads "0.35.1", "v0.35.1", "0.36.0-rc.1" and "0.35.1-acme.2".
func ParseRelease(version string) (Release, error) {
	m := versionRE().FindStringSubmatch(strings.TrimSpace(version))
	if m == nil {
		return Release{}, fmt.Errorf("%q is not a Thanos release such as v0.35.1", version)
	}
	rel := Release{Number: "v" + m[1], Suffix: m[2]}
	if !semver.IsValid(rel.Number) { // 2024.06.1
		return Release{}, fmt.Errorf("%q is not a Thanos release such as v0.35.1", version)
	}
	return rel, nil
}

// Official reports whether the version is a release or a release candidate of
// the Thanos project; of others it is not known what was patched.
func (r Release) Official() bool {
	return !r.Own && (r.Suffix == "" || candidateRE().MatchString(r.Suffix))
}

// Contains reports whether the release is in the range.
func (r Range) Contains(rel Release) bool {
	in := (r.Introduced == "" || semver.Compare(rel.Number, "v"+r.Introduced) >= 0) &&
		(r.Fixed == "" || semver.Compare(rel.Number, "v"+r.Fixed) < 0)
	if slices.Contains(r.Except, strings.TrimPrefix(rel.Number, "v")+rel.Suffix) {
		return !in
	}
	return in
}

// String returns the range for people: "v0.35.1 up to before v0.36.1".
func (r Range) String() string {
	switch {
	case r.Introduced == "" && r.Fixed == "":
		return "all releases"
	case r.Fixed == "":
		return "v" + r.Introduced + " and later"
	case r.Introduced == "":
		return "before v" + r.Fixed
	}
	return "v" + r.Introduced + " up to before v" + r.Fixed
}

// Span returns the range for people by the releases that there are: "v0.35.1 to
// v0.36.0", "v0.36.0", "v0.41.0 and later".
func (db *DB) Span(r Range) string {
	var in []string
	for _, version := range db.Releases {
		if rel, err := ParseRelease(version); err == nil && r.Contains(rel) {
			in = append(in, version)
		}
	}
	switch {
	case len(in) == 0 || r.Introduced == "" && r.Fixed == "":
		return r.String()
	case r.Fixed == "":
		return "v" + in[0] + " and later"
	case len(in) == 1:
		return "v" + in[0]
	}
	return "v" + in[0] + " to v" + in[len(in)-1]
}

// Affects reports whether the release has the leak.
func (a *Advisory) Affects(rel Release) bool {
	return slices.ContainsFunc(a.Affected, func(r Range) bool { return r.Contains(rel) })
}

// Harms reports whether the advisory is one that a component should not be
// brought to: a leak, a deadlock or a crash of more than low severity.
func (a *Advisory) Harms(component string) bool {
	return a.Class != Generic && a.Class != PileUp && a.Severity.AtLeast(Medium) && slices.Contains(a.Components, component)
}

// Ranges returns the affected releases for people.
func (a *Advisory) Ranges() string {
	var s []string
	for _, r := range a.Affected {
		s = append(s, r.String())
	}
	return strings.Join(s, ", ")
}

// A Way is where to go from a release because of a leak.
type Way struct {
	// To is the release to go to; empty if there is none.
	To string
	// Skipped are the releases without the leak that were passed over, oldest
	// first: before To, or all where there is none.
	Skipped []Skipped
}

// Skipped is a release that fixes one leak and brings others.
type Skipped struct {
	Release string
	Brings  []string // advisory IDs, in order
}

// Least returns the release that brings the fewest others, the first of several;
// ok is false if no release was passed over.
func (w Way) Least() (least Skipped, ok bool) {
	for _, s := range w.Skipped {
		if !ok || len(s.Brings) < len(least.Brings) {
			least, ok = s, true
		}
	}
	return least, ok
}

// GoTo returns where to go because of a from those releases that a process may
// be of: to the first later one without a that brings no known leak of the same
// or a higher severity, in any component, that one of them does not have. A
// fleet runs one release, so a leak of another component counts.
func (db *DB) GoTo(a *Advisory, from ...Release) Way {
	var w Way
	for _, candidate := range db.Releases {
		c := Release{Number: "v" + candidate}
		notAfter := func(rel Release) bool { // the release of the number of one's own build may be where to go
			order := semver.Compare(c.Number, rel.Number)
			return order < 0 || order == 0 && rel.Official()
		}
		if a.Affects(c) || slices.ContainsFunc(from, notAfter) {
			continue
		}
		var brings []string
		for _, rel := range from {
			brings = append(brings, db.brings(a, rel, c)...)
		}
		if len(brings) == 0 {
			w.To = candidate
			return w
		}
		slices.Sort(brings)
		w.Skipped = append(w.Skipped, Skipped{Release: candidate, Brings: slices.Compact(brings)})
	}
	return w
}

// brings returns the IDs of the leaks at least as bad as a that are in the
// release to and not in from.
func (db *DB) brings(a *Advisory, from, to Release) []string {
	var ids []string
	for _, other := range db.Advisories {
		if other.Class != Generic && other.Severity.AtLeast(a.Severity) && other.Affects(to) && !other.Affects(from) {
			ids = append(ids, other.ID)
		}
	}
	return ids
}

// Vetted returns the release with Own set if its number is none of the project's:
// not in the list, and none of a release that may have come since.
func (db *DB) Vetted(rel Release) Release {
	major := semver.Major(rel.Number)
	next := db.TooNew(rel) && (major == "v0" || major == "v1")
	rel.Own = len(db.Releases) > 0 && !next && !slices.Contains(db.Releases, strings.TrimPrefix(rel.Number, "v"))
	return rel
}

// TooNew reports whether a release is newer than all that are known.
func (db *DB) TooNew(rel Release) bool {
	return len(db.Releases) > 0 && semver.Compare(rel.Number, "v"+db.Newest()) > 0
}

// Newest returns the newest release known, as "0.42.4"; empty if none is.
func (db *DB) Newest() string {
	if len(db.Releases) == 0 {
		return ""
	}
	return db.Releases[len(db.Releases)-1]
}

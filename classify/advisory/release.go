package advisory

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/mod/semver"
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
}

var (
	versionRE   = regexp.MustCompile(`^v?(\d+\.\d+\.\d+)([-+].*)?$`)
	candidateRE = regexp.MustCompile(`^-rc\.\d+$`)
)

// ParseRelease reads "0.35.1", "v0.35.1", "0.36.0-rc.1" and "0.35.1-acme.2".
func ParseRelease(version string) (Release, error) {
	m := versionRE.FindStringSubmatch(strings.TrimSpace(version))
	if m == nil {
		return Release{}, fmt.Errorf("%q is not a Thanos release such as v0.35.1", version)
	}
	return Release{Number: "v" + m[1], Suffix: m[2]}, nil
}

// Official reports whether the version is a release or a release candidate of
// the Thanos project; of others it is not known what was patched.
func (r Release) Official() bool { return r.Suffix == "" || candidateRE.MatchString(r.Suffix) }

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

// Affects reports whether the release has the leak.
func (a *Advisory) Affects(rel Release) bool {
	return slices.ContainsFunc(a.Affected, func(r Range) bool { return r.Contains(rel) })
}

// Ranges returns the affected releases for people.
func (a *Advisory) Ranges() string {
	var s []string
	for _, r := range a.Affected {
		s = append(s, r.String())
	}
	return strings.Join(s, ", ")
}

// GoTo returns the release to go to from rel because of a: the first later one
// without a that brings no known leak of the same or a higher severity, in any
// component, that rel does not have. A fleet runs one release, so a leak of
// another component counts. Skipped are the releases without a that were
// passed over, with the advisories that they bring; ok is false if there is no
// such release.
func (db *DB) GoTo(a *Advisory, rel Release) (to string, skipped []Skipped, ok bool) {
	for _, candidate := range db.Releases {
		c := Release{Number: "v" + candidate}
		if semver.Compare(c.Number, rel.Number) <= 0 || a.Affects(c) {
			continue
		}
		if brings := db.brings(a, rel, c); len(brings) > 0 {
			skipped = append(skipped, Skipped{Release: candidate, Brings: brings})
			continue
		}
		return candidate, skipped, true
	}
	return "", skipped, false
}

// Skipped is a release that fixes one leak and brings others.
type Skipped struct {
	Release string
	Brings  []string // advisory IDs, in order
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

// Newest returns the newest release known, as "0.42.4"; empty if none is.
func (db *DB) Newest() string {
	if len(db.Releases) == 0 {
		return ""
	}
	return db.Releases[len(db.Releases)-1]
}

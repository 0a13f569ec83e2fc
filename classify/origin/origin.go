// Package origin tells from goroutine dumps alone which Thanos release and
// which Go release made them.
//
// [Of] reads three things off the frames:
//
//  1. Modules. Paths name the versions that a binary was built with
//     (/go/pkg/mod/google.golang.org/grpc@v1.57.2/server.go), and each release
//     has its own set of them.
//  2. Lines. For a dozen source files of Thanos it is known at which lines
//     goroutines commonly stand in each release. A line that is not listed
//     says nothing, since the lists are not complete, except at an anchor: a
//     call that stands in the list of every release. One that does not is
//     from edited source.
//  3. Functions of the standard library, whose place in their file moves from
//     one minor release of Go to the next.
//
// Nothing is guessed: where several releases come into question all are named,
// and none where a fork or an own build contradicts itself. What is known
// stands in the two tables of internal/table, made by internal/maketable; a
// release newer than they are is not recognised.
package origin

import (
	"fmt"
	"slices"
	"strings"

	"github.com/thanosleak/thanosleak/profile"
)

// An Origin is what dumps tell of the program that made them.
type Origin struct {
	// Thanos are the releases that it may be, oldest first, without "v"
	// ("0.35.1"); nil if the dumps do not tell, or are of no release.
	Thanos []string
	// Sure says that several independent facts agree, so that no release of
	// the table but those in Thanos comes into question. False where Thanos
	// is nil or Warnings tell of what does not fit.
	Sure bool
	// Go are the Go releases that it may be built with, oldest first: minor
	// ones ("go1.21"), or a single exact one ("go1.21.13") where paths say
	// it; nil if the dumps do not tell.
	Go []string
	// Warnings tell what contradicts itself, each in one phrase; nil if
	// nothing does.
	Warnings []string
}

// Of returns what the snapshots tell of the program that made them. They are
// taken to be of one build; nil ones are left out.
func Of(snapshots ...*profile.Snapshot) Origin {
	known, err := knownReleases()
	if err != nil {
		return Origin{Warnings: []string{fmt.Sprintf("the table of Thanos releases cannot be read: %s", err)}}
	}
	std, err := standardLibrary()
	if err != nil {
		return Origin{Warnings: []string{fmt.Sprintf("the table of Go releases cannot be read: %s", err)}}
	}
	calls := callsOf(snapshots)
	var o Origin
	o.judge(known, collect(known, calls))
	o.Go = o.goReleases(std, calls)
	return o
}

// Covers reports whether the table has the release, as "v0.35.1": a newer one may
// be taken for any that it has.
func Covers(version string) bool {
	known, err := knownReleases()
	name := strings.TrimPrefix(version, "v")
	return err == nil && slices.ContainsFunc(known.releases, func(r *release) bool { return r.name == name })
}

// warn adds what contradicts itself.
func (o *Origin) warn(format string, args ...any) {
	o.Warnings = append(o.Warnings, fmt.Sprintf(format, args...))
}

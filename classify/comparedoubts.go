package classify

import (
	"cmp"
	"fmt"
	"go/version"
	"slices"
	"strings"
)

// compareSamples is the number of samples of a side below which a stack that is
// missing there says little. Of goroutines that stand there half of the time,
// three samples miss one in eight, two one in four.
const compareSamples = 3

// loadFactor is how many times the requests in flight may differ before it is
// said that requests alone bring new stacks.
const loadFactor = 5

// doubts says why a comparison may mislead, what holds for several components
// once.
func doubts(components []ComponentComparison) []string {
	about := map[string][]string{}
	var texts []string
	for i := range components {
		c := &components[i]
		for _, text := range c.doubts() {
			if about[text] == nil {
				texts = append(texts, text)
			}
			about[text] = append(about[text], componentName(c.Component))
		}
	}
	warnings := []string{}
	for _, text := range texts {
		if len(about[text]) < len(components) {
			text = Few(about[text]) + ": " + text
		}
		warnings = append(warnings, text)
	}
	return warnings
}

// doubts says why the comparison of a component may mislead.
func (c *ComponentComparison) doubts() []string {
	var all []string
	base, newer := &c.Base, &c.New
	if same := sameBuild(base, newer); same != "" {
		all = append(all, fmt.Sprintf("both are the same build (%s): the comparison tells nothing of a release", same))
	}
	if a, b := goReleases(base), goReleases(newer); len(a) > 0 && len(b) > 0 && !slices.Equal(a, b) {
		all = append(all, fmt.Sprintf("the base was built with %s, this with %s: stacks of the standard library may differ for that alone", joinAnd(a), joinAnd(b)))
	}
	for _, side := range []struct {
		name string
		*Inventory
	}{{"the base", base}, {"this capture", newer}} {
		if len(side.Versions) > 1 {
			all = append(all, fmt.Sprintf("%s is of %s: what differs between these is in it as well", side.name, versionNames(side.Versions)))
		}
		if side.Samples < compareSamples {
			all = append(all, fmt.Sprintf("%s has %s only: stacks that come and go look new or gone", side.name, Count(side.Samples, "sample")))
		}
	}
	if s := loadDoubt(base.InFlight, newer.InFlight); s != "" {
		all = append(all, s)
	}
	return all
}

// goReleases are the Go releases of the processes without their patches, which
// change no function, and which a dump does not tell.
func goReleases(inv *Inventory) []string {
	var all []string
	for _, v := range inv.GoVersions {
		all = append(all, cmp.Or(version.Lang(v), v))
	}
	return slices.Compact(all)
}

// sameBuild names the one build that both sides are of; empty if they are not.
// Where no commit is known, the release must do.
func sameBuild(base, newer *Inventory) string {
	one := func(a, b []string) bool { return len(a) == 1 && slices.Equal(a, b) }
	switch {
	case one(base.Revisions, newer.Revisions):
		return "revision " + shortRevision(base.Revisions[0])
	case len(base.Revisions)+len(newer.Revisions) == 0 && one(base.Versions, newer.Versions):
		return "v" + base.Versions[0]
	}
	return ""
}

// shortRevision is a commit as people write it.
func shortRevision(revision string) string { return revision[:min(len(revision), 12)] }

// loadDoubt says how the requests in flight limit a comparison; empty if they do
// not.
func loadDoubt(base, newer *float64) string {
	switch {
	case base == nil || newer == nil:
		return "it is not known how many requests were in flight: more goroutines may be more load"
	case *base == 0 && *newer == 0:
		return ""
	case *base == 0 || *newer == 0 || *newer >= loadFactor*(*base) || *base >= loadFactor*(*newer):
		return fmt.Sprintf("the load differs, requests in flight: %s in the base and %s now; stacks that are new or gone may be those of requests", Amount(*base), Amount(*newer))
	}
	return ""
}

// Amount returns a typical number for people: whole from 10 on, else with one
// digit after the point where it is not whole, two below a tenth, and "<0.01"
// below that.
func Amount(n float64) string {
	switch {
	case n >= 10:
		return fmt.Sprintf("%.0f", n)
	case n > 0 && n < 0.01:
		return "<0.01"
	case n > 0 && n < 0.1:
		return fmt.Sprintf("%.2f", n)
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", n), ".0")
}

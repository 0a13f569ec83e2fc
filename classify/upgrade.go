package classify

import (
	"fmt"
	"slices"

	"github.com/thanosleak/thanosleak/classify/advisory"
)

// upgradeStep says which release to go to, and why not to another.
func (j *judge) upgradeStep(c *caseOf) (Step, string) {
	s := Step{Kind: StepUpgrade}
	if len(c.process.releases) == 0 || c.process.releases[0].Own {
		s.Text = j.anyUpgrade(c.adv)
		return s, ""
	}
	from := slices.DeleteFunc(slices.Clone(c.process.releases), func(r advisory.Release) bool { return !c.adv.Affects(r) })
	if len(from) == 0 {
		from = c.process.releases // another's build, of which that is not known
	}
	way := j.Advisories.GoTo(c.adv, from...)
	s.Text = WayText(j.Advisories, way)
	if way.To != "" {
		s.Text = "go to " + s.Text + j.stillThere(c, from, way.To)
	}
	return s, way.To
}

// anyUpgrade says what is known of a process of any release.
func (j *judge) anyUpgrade(a *advisory.Advisory) string {
	newest := j.Advisories.Newest()
	if rel, ok := parseRelease(newest); ok && a.Affects(rel) {
		return WayText(j.Advisories, advisory.Way{})
	}
	return fmt.Sprintf("affected are %s: find out the version (thanos --version, or /api/v1/status/buildinfo) and pass it with --thanos-version; newest is v%s",
		a.Ranges(), newest)
}

// WayText says where to go: "v0.36.1, the first without it; newest v0.42.4", and
// why not to a release before it.
func WayText(db *advisory.DB, w advisory.Way) string {
	newest := "newest v" + db.Newest()
	least, ok := w.Least()
	switch {
	case w.To != "" && len(w.Skipped) > 0:
		return fmt.Sprintf("v%s; %s. Not to %s", w.To, newest, skippedText(w.Skipped))
	case w.To != "":
		return fmt.Sprintf("v%s, the first without it; %s", w.To, newest)
	case !ok:
		return fmt.Sprintf("no release without it is known (%s): mitigate", newest)
	}
	return fmt.Sprintf("every release without it brings a leak that is as bad: mitigate, or take the one with the fewest, v%s (%s), which brings %s",
		least.Release, newest, joinAnd(withRemedies(db, least)))
}

// withRemedies names the leaks that a release brings, with what to set there
// against them.
func withRemedies(db *advisory.DB, s advisory.Skipped) []string {
	rel, _ := parseRelease(s.Release)
	var names []string
	for _, id := range s.Brings {
		name := id
		for _, m := range db.ByID(id).Mitigate {
			if m.Command != "" && (m.Releases == nil || m.Releases.Contains(rel)) {
				name += " (against it " + m.Command + ")"
				break
			}
		}
		names = append(names, name)
	}
	return names
}

// stillThere names the other leaks that the release to go to has as well, of
// the same component; empty for none.
func (j *judge) stillThere(c *caseOf, from []advisory.Release, to string) string {
	rel, ok := parseRelease(to)
	component := c.component()
	if !ok || component == "" {
		return ""
	}
	var ids []string
	for _, a := range j.Advisories.Advisories {
		if a != c.adv && a.Harms(component) && a.Affects(rel) && slices.ContainsFunc(from, a.Affects) {
			ids = append(ids, a.ID)
		}
	}
	if len(ids) == 0 {
		return ""
	}
	text := fmt.Sprintf(". v%s still has %s", to, joinAnd(ids))
	if free := j.freeAfter(to, component); free != "" && len(ids) == 1 {
		text += fmt.Sprintf("; v%s has neither", free)
	} else if free != "" {
		text += fmt.Sprintf("; v%s has none of them", free)
	}
	return text
}

// freeAfter returns the first release after the given one that has nothing of what
// harms the component, without "v"; empty if there is none.
func (j *judge) freeAfter(version, component string) string {
	releases := j.Advisories.Releases
	for _, later := range releases[slices.Index(releases, version)+1:] {
		rel, ok := parseRelease(later)
		if ok && !slices.ContainsFunc(j.Advisories.Advisories, func(a *advisory.Advisory) bool { return a.Harms(component) && a.Affects(rel) }) {
			return later
		}
	}
	return ""
}

// skippedText says why releases were passed over: "v0.35.1 and v0.36.0: without
// this leak, but bring TL-2024-001".
func skippedText(skipped []advisory.Skipped) string {
	var releases, ids []string
	for _, s := range skipped {
		releases = append(releases, "v"+s.Release)
		ids = append(ids, s.Brings...)
	}
	slices.Sort(ids)
	verb := "brings"
	if len(releases) > 1 {
		verb = "bring"
	}
	if len(releases) > 3 {
		releases = []string{releases[0] + " to " + releases[len(releases)-1]}
	}
	return fmt.Sprintf("%s: without this leak, but %s %s", joinAnd(releases), verb, joinAnd(slices.Compact(ids)))
}

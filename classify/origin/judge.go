package origin

import (
	"slices"
	"strings"

	"golang.org/x/mod/module"
)

// judge tells the Thanos releases that the evidence leaves.
func (o *Origin) judge(k *known, e *evidence) {
	if !e.thanos {
		return
	}
	if o.clash(e) {
		return
	}
	var candidates []*release
	if len(e.own) > 0 {
		candidates = o.byOwnPath(k, e)
	} else if candidates = e.byModules(k.releases); len(candidates) == 0 {
		o.warn("the modules in the frames are those of no Thanos release together (%s): a fork or an own build?",
			strings.Join(e.misfits(k.releases), ", "))
	}
	if len(candidates) == 0 {
		return
	}
	standing := slices.DeleteFunc(slices.Clone(candidates), func(r *release) bool {
		_, refuted := e.refuted(r)
		return refuted
	})
	if len(standing) == 0 {
		o.warnEdited(e, candidates)
		return
	}
	o.byLines(e, standing)
}

// clash warns of modules of two versions, which one build does not have.
func (o *Origin) clash(e *evidence) bool {
	var twice []string
	add := func(name string, seen []moduleVersion) {
		if len(seen) > 1 {
			var versions []string
			for _, s := range seen {
				versions = append(versions, s.version)
			}
			slices.Sort(versions)
			twice = append(twice, name+" "+strings.Join(versions, " and "))
		}
	}
	for name, seen := range e.modules {
		add(name, seen)
	}
	add(thanosModules[0], e.own)
	slices.Sort(twice)
	if len(twice) > 0 {
		o.warn("the frames are of several versions of one module (%s): dumps of several programs?", strings.Join(twice, ", "))
	}
	return len(twice) > 0
}

// byOwnPath returns the release that Thanos' own path names, which says what
// its code is whatever it was built with.
func (o *Origin) byOwnPath(k *known, e *evidence) []*release {
	version := e.own[0].version
	i := slices.IndexFunc(k.releases, func(r *release) bool { return "v"+r.name == version })
	switch {
	case module.IsPseudoVersion(version):
		o.warn("Thanos is in it as %s, a commit that is no release", version)
	case i < 0:
		o.warn("Thanos is in it as %s, which is none of the releases that are known here (v%s to v%s)",
			version, k.releases[0].name, k.releases[len(k.releases)-1].name)
	default:
		if misfit := e.misfits(k.releases[i : i+1]); len(misfit) > 0 {
			o.warn("Thanos %s is in it with other modules than its own (%s): built into another program?",
				version, strings.Join(misfit, ", "))
		}
		return k.releases[i : i+1]
	}
	return nil
}

func (o *Origin) warnEdited(e *evidence, candidates []*release) {
	p, _ := e.refuted(candidates[len(candidates)-1])
	with := ""
	if len(e.modules) > 0 {
		with = " with these modules"
	}
	o.warn("%s is at %s:%d, where no release%s has it: an edited build?", e.anchors[p], p.file, p.line, with)
}

// What makes a set of releases sure. The lists of a big file cover lines that
// goroutines of other releases stand at as well, so that one line alone only
// makes it likely, and so does being ahead of another release by one.
const (
	sureModules = 2 // agreeing modules that are enough
	sureLines   = 3 // lines that are enough without them
	chanceLines = 1 // lines that the right release may be behind by chance
)

// byLines keeps the releases that have the most lines of the dump in their
// lists.
func (o *Origin) byLines(e *evidence, candidates []*release) {
	most := e.mostLines(candidates)
	agree := e.leastAgreeing(candidates)
	if most == 0 && agree == 0 && len(e.own) == 0 {
		return
	}
	near := false
	for _, r := range candidates {
		switch n := e.linesOf(r); {
		case n == most:
			o.Thanos = append(o.Thanos, r.name)
		case n >= most-chanceLines:
			near = true
		}
	}
	enough := agree >= sureModules || most >= sureLines || len(e.own) > 0 && agree+most > 0
	o.Sure = enough && !near && len(o.Warnings) == 0
}

// leastAgreeing returns the number of modules that agree with every release.
func (e *evidence) leastAgreeing(releases []*release) int {
	least := len(e.modules)
	for _, r := range releases {
		least = min(least, r.fit(e).agree)
	}
	return least
}

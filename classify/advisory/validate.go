package advisory

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/mod/semver"

	"github.com/thanosleak/thanosleak/internal/lazyregexp"
)

// components are the values that components may have: those of
// [profile.Target.Component], and the tools that leave no process to look at.
var components = []string{"compact", "query", "query-frontend", "receive", "rule", "sidecar", "store", "tools"}

// Components returns the names of the components that advisories are about, in
// order.
func Components() []string { return slices.Clone(components) }

var (
	idRE      = lazyregexp.New(`^[A-Z]+(-[A-Z0-9]+)*-\d+$`)
	genericRE = lazyregexp.New(`^[A-Z]+(-[A-Za-z0-9]+)+$`)
)

// The topologies that a leak may need.
const (
	ChainedQueriers = "chained-queriers" // the querier queries queriers
	DeadEndpoint    = "dead-endpoint"    // an endpoint refuses connections
)

var topologies = []string{ChainedQueriers, DeadEndpoint}

// What shows in a soak whether an event happened, by the counters of /metrics.
const (
	WitnessCancelled   = "cancelled"    // a request was cancelled or timed out
	WitnessSilentStore = "silent-store" // a querier gave up the stream of a store
)

// Witnesses are the values of a precondition's witness.
var Witnesses = []string{WitnessCancelled, WitnessSilentStore}

// Tiers is the placeholder that stands for the processes to restart: it is
// filled by what is known of query chaining, not by a flag.
const Tiers = "tiers"

// validate checks what decoding cannot.
func (a *Advisory) validate() problems {
	var ps problems
	a.validateWords(&ps)
	a.validateWhere(&ps)
	a.validateTimes(&ps)
	a.validatePatterns(&ps)
	for i, p := range a.Preconditions {
		p.validate(&ps, fmt.Sprintf("preconditions[%d]", i))
	}
	for i, m := range a.Mitigate {
		m.Releases.validate(&ps, fmt.Sprintf("mitigate[%d].releases", i), "mitigate.releases")
		validateComponents(&ps, fmt.Sprintf("mitigate[%d].components", i), m.Components)
	}
	for i, v := range a.Avoid {
		v.Releases.validate(&ps, fmt.Sprintf("avoid[%d].releases", i), "avoid.releases")
		validateComponents(&ps, fmt.Sprintf("avoid[%d].components", i), v.Components)
	}
	return ps
}

// validateWords checks what is one of few words, or must say something.
func (a *Advisory) validateWords(ps *problems) {
	switch {
	case a.Class == Generic && !genericRE().MatchString(a.ID):
		ps.add("id", "id %q: want the form G-nil-chan", a.ID)
	case a.Class != Generic && !idRE().MatchString(a.ID):
		ps.add("id", "id %q: want the form TL-2024-001", a.ID)
	}
	texts := map[string]string{"title": a.Title, "why": a.Why, "summary": a.Summary}
	for _, field := range slices.Sorted(maps.Keys(texts)) {
		if strings.TrimSpace(texts[field]) == "" {
			ps.add(field, "%s is missing", field)
		}
	}
	oneOf(ps, "class", a.Class, classes)
	oneOf(ps, "severity", a.Severity, []Severity{Critical, High, Medium, Low, Info})
	oneOf(ps, "known_from", a.KnownFrom, []Source{Captured, Reproduced, ReadOnly})
}

// oneOf checks a field that is one of some words.
func oneOf[T ~string](ps *problems, field string, value T, words []T) {
	if slices.Contains(words, value) {
		return
	}
	var names []string
	for _, w := range words {
		names = append(names, string(w))
	}
	last := len(names) - 1
	ps.add(field, "%s %q: want %s or %s", field, value, strings.Join(names[:last], ", "), names[last])
}

// validateWhere checks components and releases; what any program may have needs
// neither.
func (a *Advisory) validateWhere(ps *problems) {
	if len(a.Components) == 0 && a.Class != Generic {
		ps.add("components", "components is missing: want some of %s", strings.Join(components, ", "))
	}
	validateComponents(ps, "components", a.Components)
	if len(a.Affected) == 0 && a.Class != Generic {
		ps.add("affected", "affected is missing: want a list of {introduced: 0.35.1, fixed: 0.36.1}")
	}
	for i, r := range a.Affected {
		r.validate(ps, fmt.Sprintf("affected[%d]", i), "affected")
	}
}

// validateComponents names the components that there are not.
func validateComponents(ps *problems, path string, names []string) {
	for i, c := range names {
		if !slices.Contains(components, c) {
			ps.add(fmt.Sprintf("%s[%d]", path, i), "components: %q: want some of %s", c, strings.Join(components, ", "))
		}
	}
}

// validateTimes checks that only what ends by itself is said to settle: a leak
// with a bound would be excused until it is reached.
func (a *Advisory) validateTimes(ps *problems) {
	switch {
	case a.SettlesWithin < 0:
		ps.add("settles_within", "settles_within %s: want a positive duration", a.SettlesWithin)
	case a.SettlesWithin > 0 && a.Class != PileUp:
		ps.add("settles_within", "settles_within: a %s does not settle, only a pile-up does", a.Class)
	}
	if a.Lasts < 0 {
		ps.add("lasts", "lasts %s: want a positive duration", a.Lasts)
	}
}

// validatePatterns checks culprits and victims.
func (a *Advisory) validatePatterns(ps *problems) {
	for i := range a.Culprits {
		a.Culprits[i].validate(ps, fmt.Sprintf("culprits[%d]", i), "culprits", []Health{Never, Briefly, Always})
	}
	for i := range a.Victims {
		a.Victims[i].validate(ps, fmt.Sprintf("victims[%d]", i), "victims", []Health{""})
	}
	if len(a.Culprits) == 0 && len(a.Victims) > 0 {
		ps.add("victims", "victims: there are no culprits for them to wait for")
	}
	if len(a.Culprits) > 0 && (a.Class == Crash || a.Class == Stuck) {
		ps.add("culprits", "culprits: a %s shows no goroutines that tell", a.Class)
	}
}

func (p *Pattern) validate(ps *problems, path, field string, health []Health) {
	validateFrames(ps, path+".frames", field, p.Frames)
	if hasSpace(p.CreatedBy) {
		ps.add(path+".created_by", "%s: created_by %q is no name of a function: there is white space in it", field, p.CreatedBy)
	}
	if !slices.Contains(health, p.InHealth) {
		ps.add(path+".in_health", "%s: in_health %q: culprits want never, briefly or always, victims none", field, p.InHealth)
	}
	switch {
	case p.AtMost < 0:
		ps.add(path+".at_most", "%s: at_most %d: want a positive number", field, p.AtMost)
	case p.AtMost > 0 && p.InHealth != Briefly:
		ps.add(path+".at_most", "%s: at_most goes with in_health briefly", field)
	case len(p.Each) > 0 && p.AtMost == 0:
		ps.add(path+".each", "%s: each goes with at_most: so many culprits for each", field)
	}
	for i, frames := range p.Each {
		validateFrames(ps, fmt.Sprintf("%s.each[%d]", path, i), field+".each", frames)
	}
	p.Releases.validate(ps, path+".releases", field+".releases")
}

func hasSpace(name string) bool { return strings.ContainsFunc(name, unicode.IsSpace) }

// validateFrames checks the frames of one pattern.
func validateFrames(ps *problems, path, field string, frames []string) {
	if len(frames) == 0 || slices.Contains(frames, "") {
		ps.add(path, "%s: a pattern needs frames, leaf first", field)
		return
	}
	if frames[len(frames)-1] == gap {
		ps.add(path, "%s: %q at the end of the frames says nothing: leave it out", field, gap)
	}
	for i, f := range frames {
		if hasSpace(f) {
			ps.add(path, "%s: %q is no name of a function: there is white space in it", field, f)
		}
		if (f == again || f == sibling) && (i == 0 || frames[i-1] == gap) {
			ps.add(path, "%s: %q stands for the function above it, and there is none", field, f)
		}
	}
}

// validate checks a range; nil, which stands for all releases, is right.
func (r *Range) validate(ps *problems, path, field string) {
	if r == nil {
		return
	}
	ends := []struct{ key, version string }{{"introduced", r.Introduced}, {"fixed", r.Fixed}}
	for _, end := range ends {
		if end.version != "" && !semver.IsValid("v"+end.version) {
			ps.add(path+"."+end.key, "%s: %q is not a release such as 0.35.1", field, end.version)
		}
	}
	if r.Introduced != "" && r.Fixed != "" && semver.Compare("v"+r.Introduced, "v"+r.Fixed) >= 0 {
		ps.add(path+".fixed", "%s: introduced %s is not before fixed %s", field, r.Introduced, r.Fixed)
	}
	for _, v := range r.Except {
		if rel, err := ParseRelease(v); err != nil || !candidateRE().MatchString(rel.Suffix) || rel.Number+rel.Suffix != "v"+v {
			ps.add(path+".except", "%s: except %q is not a release candidate such as 0.36.0-rc.1", field, v)
		}
	}
}

func (p *Precondition) validate(ps *problems, path string) {
	kinds := 0
	for _, kind := range []string{p.Flag, p.Topology, p.Look} {
		if kind != "" {
			kinds++
		}
	}
	if kinds != 1 {
		ps.add(path, "preconditions: want either flag, topology or look")
	}
	if p.Flag != "" && (len(p.Is) == 0) == (p.Above == "") {
		ps.add(path+".flag", "preconditions: flag %s wants either is or above", p.Flag)
	}
	if p.Above != "" {
		if _, err := time.ParseDuration(p.Above); err != nil {
			ps.add(path+".above", "preconditions: above %q is not a duration such as 30s", p.Above)
		}
	}
	if p.Default != "" && p.Flag == "" {
		ps.add(path+".default", "preconditions: default goes with flag")
	}
	if p.Event && p.Look == "" {
		ps.add(path+".event", "preconditions: event goes with look")
	}
	if p.Witness != "" && !p.Event {
		ps.add(path+".witness", "preconditions: witness goes with event")
	}
	if p.Witness != "" && !slices.Contains(Witnesses, p.Witness) {
		ps.add(path+".witness", "preconditions: witness %q: want %s", p.Witness, strings.Join(Witnesses, " or "))
	}
	if p.Topology != "" && !slices.Contains(topologies, p.Topology) {
		ps.add(path+".topology", "preconditions: topology %q: want %s", p.Topology, strings.Join(topologies, " or "))
	}
	validateComponents(ps, path+".components", p.Components)
}

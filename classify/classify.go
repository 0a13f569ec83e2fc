package classify

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/thanosleak/thanosleak/classify/advisory"
	"github.com/thanosleak/thanosleak/profile"
)

// Options tell Judge what to judge by.
type Options struct {
	// Thresholds decide about growth.
	Thresholds Thresholds
	// Advisories is what is known.
	Advisories *advisory.DB
	// Kept is where the samples are kept already, so that nobody is told to
	// save them; empty if nowhere.
	Kept string
	// Reach are flags, each with a space before it, by which a command reaches the
	// targets as this run did; empty for none.
	Reach string
	// MemoryLimit is the memory in bytes that each process may have; 0 for
	// what its runtime tells (GOMEMLIMIT).
	MemoryLimit int64
	// Ignore are findings that are accepted; nil for none.
	Ignore *Ignore
	// Soak says that the samples are of a soak: what is undecided is told with
	// what to change in it. Those taken at its rests tell by themselves.
	Soak bool
	// Rounds is the number of rounds that the soak was to have; 0 for as many
	// as there are samples of.
	Rounds int
	// Aborted says why the soak did not come to its end; empty if it did.
	Aborted string
	// Require are the names of conditions that the soak must have exercised;
	// see [Condition].
	Require []string
	// Baseline is what stood at rest in another release and is accepted; nil for
	// none.
	Baseline *Baseline
	// Now is the day on which entries of Ignore may have expired.
	Now time.Time
}

// judge holds what stays the same over one call of Judge.
type judge struct {
	Options
	// pasts are what the pasts of the processes show; nil where there is none.
	pasts map[*process]*PastResult
	// last is the number of the last rest of the soak; 0 if there is none.
	last int
	// unmet are the conditions that the soak was required to exercise and did
	// not.
	unmet []Condition
}

// caseOf is one cause in one process, before cases become findings.
type caseOf struct {
	process    *process
	adv        *advisory.Advisory // nil if no advisory knows it
	key        string
	title      string
	class      string
	occurrence Occurrence
	stacks     []Stack
	// used are the signatures that the case explains.
	used map[profile.Signature]bool

	life    life
	tallies []tally
	// bounded says that the case is a pile-up that is known to come to rest,
	// and may still do so.
	bounded bool
	// tied says that the number rose and the load with it.
	tied bool
	// culprit tells which groups have the defect.
	culprit func(*profile.Group) bool
	// like is the generic pattern that the stack of an unknown case has; nil
	// if it has none.
	like *advisory.Advisory
}

// Judge decides about the targets. The result is complete and sorted; it is
// never nil.
func Judge(targets []profile.Target, o Options) *Result {
	j := &judge{Options: o, pasts: map[*process]*PastResult{}}
	r := &Result{Reach: o.Reach, Targets: []TargetResult{}, Findings: []Finding{}, Warnings: []string{}}
	var cases []*caseOf
	var processes []*process
	for i := range targets {
		processes = append(processes, newProcess(&targets[i]))
	}
	for _, p := range processes {
		p.vet(j.Advisories)
	}
	linkCallers(processes)
	j.last = lastRest(processes, o.Rounds)
	for _, p := range processes {
		p.lastRest = j.last
		j.partWhereEndlessEnd(p)
		j.pasts[p] = o.Thresholds.judgePast(p.target.Past)
		cases = append(cases, j.cases(p)...)
		r.Warnings = append(r.Warnings, p.warnings()...)
		if p.versioned && j.Advisories.TooNew(p.releases[0]) {
			r.Warnings = append(r.Warnings, fmt.Sprintf("%s: %s is newer than what is known here (up to v%s): a newer thanosleak may know its leaks",
				p.target.Name, p.releaseNames(), j.Advisories.Newest()))
		}
	}
	r.Warnings = append(r.Warnings, twice(processes)...)
	r.Warnings = append(r.Warnings, j.pastNotes(processes, cases)...)
	r.Findings = j.findings(cases)
	if r.Soak = j.soakOf(processes, cases); r.Soak != nil {
		j.unmet = r.Soak.Unmet()
	}
	dropped := j.drop(r, targets, cases)
	counted := slices.DeleteFunc(slices.Clone(cases), func(c *caseOf) bool { return dropped[c.key] })
	for _, p := range processes {
		r.Targets = append(r.Targets, j.targetResult(p, cases, counted))
	}
	r.Verdict = verdict(r)
	return r
}

// drop takes the findings out of the result that somebody has accepted, says so
// in it, and returns their keys.
func (j *judge) drop(r *Result, targets []profile.Target, cases []*caseOf) map[string]bool {
	dropped := map[string]bool{}
	if j.Ignore != nil {
		maps.Copy(dropped, j.Ignore.apply(r, j.Now))
	}
	if j.Baseline != nil {
		maps.Copy(dropped, j.accept(r, targets, cases))
	}
	r.Ignored = slices.Sorted(maps.Keys(dropped))
	r.IgnoredOn = map[string][]string{}
	for _, c := range cases {
		if dropped[c.key] {
			r.IgnoredOn[c.key] = append(r.IgnoredOn[c.key], c.process.target.Name)
		}
	}
	return dropped
}

// cases returns what is found in one process.
func (j *judge) cases(p *process) []*caseOf {
	if p.samples() == 0 {
		return nil
	}
	var cases []*caseOf
	used := map[profile.Signature]bool{}
	for _, a := range j.Advisories.Advisories {
		if c := j.known(p, a); c != nil {
			cases = append(cases, c)
		}
	}
	// The stacks of a pile-up that is dropped are explained all the same.
	for _, c := range cases {
		if c.explains() {
			maps.Copy(used, c.used)
		}
	}
	cases = dropExplained(cases)
	cases = append(cases, j.unknown(p, used, cases)...)
	for _, c := range cases {
		c.countFirst()
		if c.adv != nil || c.occurrence.Level.AtLeast(Suspect) {
			j.history(c)
		}
	}
	j.remember(p, cases)
	return cases
}

// history fills in since when the culprits stand there, and what they cost.
func (j *judge) history(c *caseOf) {
	l := c.process.newest()
	c.occurrence.Since = retrospectOf(l.last().Goroutines, c.culprit).text()
	n := len(c.occurrence.Points) - len(l.samples)
	if n < 0 || !c.occurrence.Level.AtLeast(Suspect) {
		return
	}
	s := series{times: l.times(), counts: make([]float64, len(l.samples))}
	for i, p := range c.occurrence.Points[n:] {
		s.counts[i] = float64(p.Culprits)
	}
	if cost := costOf(l.samples, s.counts, s.perHour(), j.MemoryLimit); cost != nil {
		c.occurrence.Cost = cost.text()
		c.occurrence.StackBytes = min(cost.stackPerLeak*int64(s.counts[len(s.counts)-1]), int64(l.last().Metrics.Sum(stackInUse)))
	}
}

// dropExplained drops pile-ups whose goroutines stand behind a leak that was
// found, or behind another pile-up: what waits is no cause of its own.
func dropExplained(cases []*caseOf) []*caseOf {
	worst := Level("")
	for _, c := range cases {
		if c.adv.Class != advisory.PileUp && c.occurrence.Level.AtLeast(worst) {
			worst = c.occurrence.Level
		}
	}
	all := slices.Clone(cases)
	return slices.DeleteFunc(cases, func(c *caseOf) bool {
		return c.adv.Class == advisory.PileUp &&
			(worst.AtLeast(Suspect) || slices.ContainsFunc(all, func(other *caseOf) bool { return other.accountsFor(c) }))
	})
}

// accountsFor reports whether the culprits of a pile-up are all victims of this
// case, which is found as surely.
func (c *caseOf) accountsFor(pileUp *caseOf) bool {
	if c == pileUp || !c.occurrence.Level.AtLeast(pileUp.occurrence.Level) {
		return false
	}
	for _, s := range pileUp.stacks {
		if s.Role == RoleCulprit && !slices.ContainsFunc(c.stacks, func(o Stack) bool { return o.Role == RoleVictim && o.SignatureID == s.SignatureID }) {
			return false
		}
	}
	return true
}

// growth decides how a count developed within a life.
func (j *judge) growth(s series, p *process) Growth {
	g := Growth{Lives: len(p.lives), First: int(s.counts[0]), Last: int(s.counts[len(s.counts)-1]), PerHour: s.perHour()}
	g.Verdict, g.P = j.Thresholds.trend(s)
	return g
}

// targetResult returns the target with how far it was judged and what it is
// exposed to. counted are the cases without those that are ignored.
func (j *judge) targetResult(p *process, cases, counted []*caseOf) TargetResult {
	r := p.result()
	r.Past = j.pasts[p]
	if p.samples() == 0 {
		return r
	}
	others := func(c *caseOf) bool { return c.process != p }
	cases, counted = slices.DeleteFunc(slices.Clone(cases), others), slices.DeleteFunc(slices.Clone(counted), others)
	decided := slices.ContainsFunc(counted, func(c *caseOf) bool { return c.occurrence.Level.AtLeast(Likely) })
	r.Judged = JudgedYes
	switch r.Undecided = j.undecided(p, cases, counted); {
	case decided && j.inSoak(p):
		r.Undecided = j.tooLittle(p) // a finding that fails no run makes no green light
	case decided:
		r.Undecided = ""
	}
	switch {
	case decided:
	case p.target.Unreached:
		r.Judged = JudgedNo
	case r.Undecided != "":
		r.Judged = JudgedUndecided
	}
	for _, a := range j.Advisories.Advisories {
		found := slices.ContainsFunc(cases, func(c *caseOf) bool { return c.key == a.ID })
		if !found && p.exposed(a) {
			r.Exposed = append(r.Exposed, a.ID)
		}
	}
	return r
}

// inSoak reports whether the newest samples of the process are of a soak.
func (j *judge) inSoak(p *process) bool { return j.Soak || p.newest().last().Rest > 0 }

// undecided says what keeps growth in a process from being ruled out, and what
// would decide it; empty for nothing. all are the cases of the process, and cases
// those that nobody has accepted.
func (j *judge) undecided(p *process, all, cases []*caseOf) string {
	l := p.newest()
	th := j.Thresholds
	// The stack of a known leak stands there, and nothing tells yet whether
	// it stays.
	known := slices.ContainsFunc(cases, func(c *caseOf) bool { return c.adv != nil && c.adv.Class != advisory.PileUp })
	rests := len(l.rests()) > 0 // then rounds count, and not time
	if j.inSoak(p) {
		if why := j.soakUndecided(p, all, cases); why != "" {
			return why
		}
	}
	switch {
	case rests && !known, th.unseen(l) != "" && !known:
		return th.unseen(l)
	case len(l.samples) < th.MinSamples:
		return fmt.Sprintf("growth needs more samples (%d of at least %d)", len(l.samples), th.MinSamples)
	case l.span() < th.MinSpan:
		return fmt.Sprintf("growth needs samples over a longer time (%s of at least %s)", Span(l.span().Truncate(time.Second)), Span(th.MinSpan))
	case known:
		return "the stack of a known leak stands there; samples over a longer time tell whether it stays"
	case p.tied:
		return "goroutines rise, and the requests with them; samples after the load has fallen tell load from leak"
	}
	return th.unseen(l)
}

// findings makes one finding of the cases with the same key.
func (j *judge) findings(cases []*caseOf) []Finding {
	byKey := map[string][]*caseOf{}
	var keys []string
	for _, c := range cases {
		if byKey[c.key] == nil {
			keys = append(keys, c.key)
		}
		byKey[c.key] = append(byKey[c.key], c)
	}
	findings := []Finding{}
	for _, k := range keys {
		findings = append(findings, j.finding(byKey[k]))
	}
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(slices.Index(levels, b.Level)-slices.Index(levels, a.Level),
			cmp.Compare(b.Culprits, a.Culprits), cmp.Compare(a.Key, b.Key))
	})
	return findings
}

// finding joins the cases of one cause, which are in the order of the targets.
func (j *judge) finding(cases []*caseOf) Finding {
	first := cases[0]
	surest := slices.MaxFunc(cases, func(a, b *caseOf) int {
		return slices.Index(levels, a.occurrence.Level) - slices.Index(levels, b.occurrence.Level)
	})
	f := Finding{
		Key: first.key, Title: surest.title, Class: first.class, Status: StatusUnknown,
		Stacks: []Stack{}, Occurrences: []Occurrence{}, References: []string{},
	}
	for _, c := range cases {
		if c.occurrence.Level.AtLeast(f.Level) {
			f.Level = c.occurrence.Level
		}
		f.Culprits += c.occurrence.Culprits
		f.Victims += c.occurrence.Victims
		if held := c.occurrence.StackBytes; held > 0 {
			held += value(f.RetainedBytes)
			f.RetainedBytes = &held
		}
		f.Occurrences = append(f.Occurrences, c.occurrence)
		f.Stacks = mergeStacks(f.Stacks, c.stacks)
	}
	if a := first.adv; a != nil {
		f.Advisory, f.Symptoms = a.ID, a.Symptoms
		f.Why = fillFlags(a.Why, cases)
		f.References = append(f.References, a.References...)
	} else if like := surest.like; like != nil {
		f.Why = fmt.Sprintf("It looks like this (%s): %s", like.ID, like.Why)
	}
	f.Remedies = j.remedies(cases)
	return f
}

// value returns what p points to, 0 for nothing.
func value(p *int64) int64 {
	if p == nil {
		return 0
	}
	return *p
}

// mergeStacks adds stacks of another target to those of a finding, in the
// documented order.
func mergeStacks(into, more []Stack) []Stack {
	type key struct{ id, role, state string }
	at := make(map[key]int, len(into))
	for i, s := range into {
		at[key{s.SignatureID, s.Role, s.State}] = i
	}
	for _, s := range more {
		k := key{s.SignatureID, s.Role, s.State}
		if i, ok := at[k]; ok {
			into[i].Count += s.Count
			into[i].First += s.First
			continue
		}
		at[k] = len(into)
		into = append(into, s)
	}
	slices.SortStableFunc(into, func(a, b Stack) int {
		return cmp.Or(cmp.Compare(a.Role, b.Role), cmp.Compare(b.Count, a.Count), cmp.Compare(a.SignatureID, b.SignatureID))
	})
	return into
}

package classify

import (
	"fmt"
	"slices"
	"strings"

	"github.com/thanosleak/thanosleak/classify/advisory"
)

// remedies returns what to do, for each version and component among the cases
// of one finding.
func (j *judge) remedies(cases []*caseOf) []Remedy {
	type kind struct{ version, candidates, component string }
	byKind := map[kind][]*caseOf{}
	var kinds []kind
	for _, c := range cases {
		k := kind{c.process.target.Facts.Version, strings.Join(c.process.candidates, " "), c.process.component}
		if byKind[k] == nil {
			kinds = append(kinds, k)
		}
		byKind[k] = append(byKind[k], c)
	}
	remedies := []Remedy{}
	for _, k := range kinds {
		remedies = append(remedies, j.remedy(byKind[k]))
	}
	return remedies
}

// strangerStep says how to learn more of a stack that no advisory knows.
func (j *judge) strangerStep(cases []*caseOf) Step {
	watch := j.verifyStep(cases, "")
	if len(cases[0].process.newest().rests()) > 0 {
		watch.Text = "run the same load against the release before: what is new is in this one; --full-stacks once tells who waits for whom"
		watch.Command = ""
		return watch
	}
	watch.Text = "see whether it goes on"
	watch.Command += " --samples 40 --interval 30s"
	return watch
}

// remedy returns what to do about cases of the same version and component.
func (j *judge) remedy(cases []*caseOf) Remedy {
	first := cases[0]
	r := Remedy{Version: first.process.target.Facts.Version, Candidates: first.process.candidates,
		Newest: j.Advisories.Newest(), Steps: []Step{}, Avoid: []string{}}
	for _, c := range cases {
		r.Targets = append(r.Targets, c.process.target.Name)
	}
	r.Steps = append(r.Steps, j.saveStep(cases))
	a := first.adv
	if a == nil {
		r.Steps = append(r.Steps, j.strangerStep(cases))
		return r
	}
	if first.process.affected(a) == AffectedYes {
		yes := true
		r.Affected = &yes
	}
	for _, m := range a.Mitigate {
		s := Step{Kind: StepMitigate, Text: fillTiers(fillFlags(m.Text, cases), cases), Command: m.Command, Cost: fillFlags(m.Cost, cases)}
		// The same advice may stand there for several ranges of releases.
		if first.covers(m.Releases, m.Components) && !first.process.isSet(m.Command) && !slices.Contains(r.Steps, s) {
			r.Steps = append(r.Steps, s)
		}
	}
	if a.Restart != "" && slices.ContainsFunc(cases, func(c *caseOf) bool { return c.occurrence.Culprits > 0 }) {
		r.Steps = append(r.Steps, Step{Kind: StepRestart, Text: a.Restart})
	}
	upgrade, to := j.upgradeStep(first)
	r.GoTo = to
	r.Steps = append(r.Steps, upgrade, j.verifyStep(cases, a.Verify))
	for _, v := range a.Avoid {
		if first.covers(v.Releases, v.Components) {
			r.Avoid = append(r.Avoid, v.Text)
		}
	}
	return r
}

// isSet reports whether the process runs with a setting ("--flag=value")
// already.
func (p *process) isSet(setting string) bool {
	name, want, ok := strings.Cut(strings.TrimPrefix(setting, "--"), "=")
	have, known := p.target.Facts.Flags[name]
	if !ok || !known {
		return false
	}
	a, errA := parseDuration(have)
	b, errB := parseDuration(want)
	return have == want || errA == nil && errB == nil && a == b
}

// covers reports whether advice for the releases and components holds for the
// case.
func (c *caseOf) covers(releases *advisory.Range, components []string) bool {
	return advisory.AppliesTo(components, c.component()) && c.process.mayBeIn(releases)
}

// component is that of the process. One that is unknown is taken for the one
// that the advisory is mostly about.
func (c *caseOf) component() string {
	if c.process.component == "" && len(c.adv.Components) > 0 {
		return c.adv.Components[0]
	}
	return c.process.component
}

// urls returns the addresses of the cases' processes that have one.
func urls(cases []*caseOf) []string {
	var u []string
	for _, c := range cases {
		if c.process.target.URL != "" {
			u = append(u, ShellQuote(c.process.target.URL))
		}
	}
	return u
}

// saveStep says how to keep the evidence before a restart destroys it.
func (j *judge) saveStep(cases []*caseOf) Step {
	s := Step{Kind: StepSave, Text: "save the evidence"}
	if j.Kept != "" {
		s.Text = "the evidence is kept in " + j.Kept
	} else if u := urls(cases); len(u) > 0 {
		s.Command = "thanosleak scan " + strings.Join(u, " ") + j.Reach + " --dir incident.tar.gz"
	} else {
		s.Text = "save the evidence: keep what was read here, a restart destroys it in the process"
	}
	return s
}

// verifyStep says how to see that the leak is gone. A soak has to do again what the
// leak needs.
func (j *judge) verifyStep(cases []*caseOf, how string) Step {
	s := Step{Kind: StepVerify, Text: "verify"}
	if how != "" {
		s.Text += " " + how
	}
	target := "http://HOST:10902"
	if u := urls(cases); len(u) > 0 {
		target = strings.Join(u, " ") + j.Reach
	}
	s.Command = "thanosleak scan " + target
	if len(cases[0].process.newest().rests()) > 0 { // it was seen under the load of a soak, and only there
		require := j.Require
		if a := cases[0].adv; a != nil && Witnessed(a) && !slices.Contains(require, a.ID) {
			require = append(slices.Clone(require), a.ID)
		}
		s.Command = "thanosleak soak " + target
		for _, name := range require {
			s.Command += " --require " + name
		}
		s.Command += " -- LOAD-CMD"
	}
	return s
}

// fillFlags fills the flags of the cases' processes into a text; where they
// differ, all values are told.
func fillFlags(text string, cases []*caseOf) string {
	flags := map[string]string{advisory.Tiers: "${" + advisory.Tiers + "}"}
	for _, c := range cases {
		for name, v := range c.process.target.Facts.Flags {
			if old := flags[name]; old == "" {
				flags[name] = v
			} else if !slices.Contains(strings.Split(old, " and "), v) {
				flags[name] = old + " and " + v
			}
		}
	}
	return advisory.Fill(text, flags)
}

// fillTiers names the processes to restart: in query chaining, both tiers.
func fillTiers(text string, cases []*caseOf) string {
	return strings.ReplaceAll(text, "${"+advisory.Tiers+"}", tiers(cases))
}

// tiers names the cases' processes and those around them that have the leak as
// well if it is query chaining. Endpoints are gRPC addresses: which of them is
// which target is not known, so they are named as they are.
func tiers(cases []*caseOf) string {
	var upper, others, endpoints []string
	known := true
	for _, c := range cases {
		name := c.process.target.Name
		if len(cases) == 1 {
			name = "this one"
		}
		chained := c.process.chained()
		known = known && chained != nil
		if len(chained) == 0 {
			others = append(others, name)
			continue
		}
		upper = append(upper, name)
		endpoints = append(endpoints, chained...)
	}
	slices.Sort(endpoints)
	whose := "it queries"
	switch {
	case len(upper) > 1:
		whose = "they query"
	case len(upper) == 1 && len(cases) > 1:
		whose = upper[0] + " queries"
	}
	below := "the queriers that " + whose + " (" + joinAnd(bounded(slices.Compact(endpoints))) + ")"
	switch {
	case len(upper) > 0:
		return "both tiers: " + joinAnd(append(bounded(slices.Concat(upper, others)), below))
	case known:
		return joinAnd(bounded(others)) + ", and the queriers that query it, if there are any"
	}
	return joinAnd(bounded(others)) + ", and all queriers that query it or that it queries"
}

// warnings are what people should know of the process's data.
func (p *process) warnings() []string {
	var w []string
	name := p.target.Name + ": "
	for _, s := range p.target.Warnings {
		w = append(w, name+s)
	}
	if p.target.Err != "" && p.samples() > 0 && !p.target.Unreached {
		w = append(w, name+p.target.Err)
	}
	for _, s := range p.notes {
		w = append(w, name+s)
	}
	if v := p.target.Facts.Version; v != "" {
		if !p.versioned {
			w = append(w, fmt.Sprintf("%sversion %q is no Thanos release: judged as of unknown version", name, v))
		} else if !p.releases[0].Official() {
			w = append(w, fmt.Sprintf("%sv%s is not an official release: what it has patched is not known", name, v))
		}
	}
	if p.samples() > 0 {
		for _, s := range p.target.Samples[p.samples()-1].Goroutines.Warnings {
			w = append(w, name+s)
		}
	}
	return w
}

// joinAnd joins words for people: "a, b and c".
func joinAnd(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
}

// bounded returns the first of many words and how many others there are, as a
// word.
func bounded(words []string) []string {
	const shown = 8
	if n := len(words) - shown; n > 1 {
		return append(slices.Clone(words[:shown]), fmt.Sprintf("%d others", n))
	}
	return slices.Clone(words)
}

// ShellQuote quotes a word for a shell where it needs it.
func ShellQuote(s string) string {
	plain := strings.IndexFunc(s, func(r rune) bool {
		return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:/[]@%+=,", r)
	}) < 0
	if plain && !strings.ContainsAny(s, "[]") {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// Flags returns the names of the flags that a judgement reads beside those of
// the advisories.
func Flags() []string { return []string{"query.timeout"} }

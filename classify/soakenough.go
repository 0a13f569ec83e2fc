package classify

import (
	"fmt"
	"slices"
	"strings"

	"github.com/thanosleak/thanosleak/profile"
)

// lastRest is the number of the last rest that a soak of so many rounds has, or
// of any process has a sample of; 0 if there is none.
func lastRest(processes []*process, rounds int) int {
	last := 0
	for _, p := range processes {
		if p.samples() > 0 && p.newest().last().Rest > 0 {
			last = max(last, p.newest().last().Rest, rounds+1)
		}
	}
	return last
}

// accepts reports whether one of the cases that are not counted is a suspicion
// or more: requests may be stuck behind it.
func accepts(cases, counted []*caseOf) bool {
	return slices.ContainsFunc(cases, func(c *caseOf) bool { return c.occurrence.Level.AtLeast(Suspect) && !slices.Contains(counted, c) })
}

// soakUndecided says why a soak is no green light for the process, and what to
// change; empty if it may be. all are the cases of the process, and counted those
// that nobody has accepted.
func (j *judge) soakUndecided(p *process, all, counted []*caseOf) string {
	if why := j.tooLittle(p); why != "" {
		return why
	}
	l := p.newest()
	rests := l.rests()
	switch {
	case slices.ContainsFunc(counted, func(c *caseOf) bool { return c.occurrence.Level == Suspect }):
		return "something rises that may not be a leak; more rounds or a longer --settle tell"
	case len(rests) > 0 && !accepts(all, counted) && inFlight(l.last().Metrics) >= stuckMin:
		return fmt.Sprintf("%.0f requests are still running at rest: a longer --settle, and nothing else that uses it", inFlight(l.last().Metrics))
	case len(j.unmet) > 0:
		return "required, but not exercised: " + Few(namesOf(j.unmet))
	case len(rests) > 0:
		return j.unaccounted(p, l, rests, accepts(all, counted))
	}
	return ""
}

// tooLittle says why too little was seen of the process for a green light, whatever
// was found; empty if enough was.
func (j *judge) tooLittle(p *process) string {
	l := p.newest()
	rests := l.rests()
	if why := j.cutShort(p, rests); why != "" {
		return why
	}
	if len(rests) == 0 {
		if why := p.underLoad(l); why != "" {
			return why
		}
	}
	parts := rests
	if len(parts) == 0 {
		parts = equalParts(len(l.samples))
	}
	requests := roundRequests(l, parts, p.component)
	fewest := 0
	if len(requests) > 0 {
		fewest = slices.Min(requests)
	}
	enough, what := enoughWork(p.component)
	switch {
	case requests == nil:
		return "its /metrics could not be read at each rest, so nothing shows that the load came here"
	case fewest == 0:
		return fmt.Sprintf("a round had no completed %s: does the load go to this process?", what)
	case fewest < enough:
		return fmt.Sprintf("a round had %s, and %d are needed: a load command that makes more", Count(fewest, "completed "+what), enough)
	}
	if n := p.restless(l, rests); n > 0 {
		return fmt.Sprintf("%s while it should have been at rest: something else uses it, or the load goes on", Count(n, "request")+" completed")
	}
	return ""
}

// restless is how many requests the process completed during its rests, if that is
// one in a rest or more; else 0. A ruler evaluates and a compactor works by itself.
func (p *process) restless(l life, rests [][]int) int {
	if _, what := enoughWork(p.component); what != "request" {
		return 0
	}
	n := 0.0
	for _, r := range rests {
		before, after := l.samples[r[0]].Metrics, l.samples[r[len(r)-1]].Metrics
		if before != nil && after != nil {
			n += max(completed(after)-completed(before), 0)
		}
	}
	if int(n) < len(rests) {
		return 0
	}
	return int(n)
}

// unaccounted says that the goroutines of the process are more from rest to rest,
// beside those that scale with its clients and those that are accepted: each round
// may leave others, and what was taken for the victims of a leak that is accepted,
// for it grew together with that, may be a leak of its own, or rise in fewer rounds.
func (j *judge) unaccounted(p *process, l life, rests [][]int, accepted bool) string {
	counts := make([]float64, len(l.samples))
	excused := map[profile.Signature]bool{}
	before, now := restingIn(l, p, false), restingIn(l, p, true)
	for i, s := range l.samples {
		for g := range s.Goroutines.Groups {
			group := &s.Goroutines.Groups[g]
			yes, known := excused[group.Signature]
			if !known {
				id := group.Signature.Portable().ID()
				yes = j.excuses(p, group) ||
					j.Baseline != nil && j.Baseline.Accepts(p.component, id, max(now[id], 1), now[id]-before[id], p.completed(l))
				excused[group.Signature] = yes
			}
			if !yes {
				counts[i] += float64(group.Count)
			}
		}
	}
	a := p.ascentOf(l, rests, counts)
	if a.trend == flat || a.trend == unsettled && !accepted {
		return ""
	}
	return fmt.Sprintf("goroutines rise from rest to rest (%s) in stacks that neither rise alone nor are accepted: more rounds tell, or --full-stacks once who waits for whom", arrows(a.floors))
}

// excuses reports whether more goroutines of a stack are no matter, however many:
// they scale with clients, or are ignored.
func (j *judge) excuses(p *process, g *profile.Group) bool {
	c := column{benign: j.Advisories.BenignOf(g.Signature.Functions(), p.component)}
	return c.scales() || j.Ignore != nil && j.Ignore.excuses(j.Advisories, g, j.Now)
}

func namesOf(conditions []Condition) []string {
	names := make([]string, len(conditions))
	for i, c := range conditions {
		names[i] = c.Name
	}
	return names
}

// cutShort says that the soak, or what was seen of the process in it, did not
// come to its end; empty if it did.
func (j *judge) cutShort(p *process, rests [][]int) string {
	l := p.newest()
	switch {
	case j.Aborted != "":
		return j.Aborted
	case len(rests) == 0 && j.last == 0:
		return ""
	case len(p.lives) > 1 && p.lives[len(p.lives)-2].last().Rest > 0:
		return "the process was started anew during the soak: find out why, and run it again"
	}
	for n := 1; n <= j.last; n++ {
		if !slices.ContainsFunc(rests, func(r []int) bool { return l.samples[r[0]].Rest == n }) {
			return fmt.Sprintf("it gave no sample at rest %d of %d: did it end, or was the soak cut short?", n, j.last)
		}
	}
	if len(rests)-1 < MinRounds {
		return fmt.Sprintf("%s of load is too little (at least %d)", Count(len(rests)-1, "round"), MinRounds)
	}
	return ""
}

// underLoad says why samples that were taken while something made load are no
// green light; empty if they may be.
func (p *process) underLoad(l life) string {
	d := p.deadlineOf(requestHTTP)
	if l.span() < 2*d.after {
		return fmt.Sprintf("%s are too short, which is less than twice as long as a query may take (%s)", Span(l.span()), d.text)
	}
	t := p.soakTarget()
	if trendOf(t.AtRest, nil) != flat {
		return fmt.Sprintf("goroutines rise under load (%s), and nothing was at rest: rounds of a load command tell", arrows(t.AtRest))
	}
	return ""
}

// enoughWork is how much a process of the component has to complete in a round to
// be judged, and of what.
func enoughWork(component string) (least int, what string) {
	switch component {
	case "compact":
		return 1, "iteration"
	case "rule":
		return 1, "evaluation"
	}
	return minRequests, "request"
}

// work is what the process has ever completed, of what its component does. A
// request that was refused for what was asked is none: a load that asks for what
// is not there shows nothing.
func work(m profile.Metrics, component string) float64 {
	switch component {
	case "compact":
		return m.Sum("thanos_compact_iterations_total")
	case "rule":
		return m.Sum("prometheus_rule_evaluations_total")
	}
	n := completed(m)
	for _, v := range m["http_requests_total"] {
		if code := v.Labels["code"]; !idle(v.Labels["handler"]) && strings.HasPrefix(code, "4") && !slices.Contains(givenUp, code) {
			n -= v.Value
		}
	}
	return n
}

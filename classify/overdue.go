package classify

import (
	"maps"
	"slices"

	"github.com/thanosleak/thanosleak/profile"
)

// overdue is what shows in a case that requests have outlived their deadline.
type overdue struct {
	ids      overstay
	deadline deadline // that of ids
	requests stuckRequests
	jam      jam
}

// overdue looks at the goroutines and requests of a case in the newest life of
// a process. Requests in flight are its own only where goroutines that answer
// requests are among its stacks.
func (j *judge) overdue(p *process, l life, member func(*profile.Group) bool) overdue {
	var o overdue
	groups := l.last().Goroutines.Groups
	for _, kind := range []requestKind{requestHTTP, requestGRPC} {
		d := p.deadlineOf(kind)
		if ids := outlived(l, member, kind, d.after); ids.goroutines > o.ids.goroutines {
			o.ids, o.deadline = ids, d
		}
		answers := slices.ContainsFunc(groups, func(g profile.Group) bool { return member(&g) && requestOfGroup(&g) == kind })
		if !answers {
			continue
		}
		if s := requestsStuck(l, kind, d); s.count > o.requests.count {
			o.requests = s
		}
		if jam := jammed(l, d); jam.slots > 0 {
			o.jam = jam
		}
	}
	return o
}

// lasting reports whether goroutines stood there beyond doubt for longer than
// their requests may take.
func (o overdue) lasting() bool {
	return o.ids.goroutines >= stuckMin && (!o.deadline.assumed || o.ids.atLeast >= beyondDoubt)
}

// strong reports whether the requests are overdue beyond doubt.
func (s stuckRequests) strong() bool {
	return s.count > 0 && (!s.deadline.assumed || s.over >= beyondDoubt)
}

// evidence says what was found.
func (o overdue) evidence() []Evidence {
	return slices.Concat(outlivedEvidence(o.ids, o.deadline), stuckEvidence(o.requests), jamEvidence(o.jam))
}

// overdueCases makes a case of the goroutines of requests that have outlived
// their deadline, where no other case explains them: counts need not move for
// that.
func (j *judge) overdueCases(p *process, l life, used map[profile.Signature]bool) []*caseOf {
	groups := l.last().Goroutines.Groups
	var late []*profile.Group
	for i := range groups {
		g := &groups[i]
		if !used[g.Signature] && g.Count >= stuckMin && requestOfGroup(g) != requestNone {
			late = append(late, g)
		}
	}
	if len(late) == 0 {
		return nil
	}
	in := map[profile.Signature]bool{}
	for _, g := range late {
		in[g.Signature] = true
	}
	o := j.overdue(p, l, func(g *profile.Group) bool { return in[g.Signature] })
	w := witness{several: true, outlived: o.lasting(), stuck: o.requests.strong(), saturated: o.jam.slots > 0}
	if !w.outlived && !w.stuck && !w.saturated {
		return nil
	}
	return []*caseOf{j.overdueCase(p, l, late, o, w)}
}

// overdueCase makes the case, led by the most numerous stack.
func (j *judge) overdueCase(p *process, l life, late []*profile.Group, o overdue, w witness) *caseOf {
	columns := l.columns()
	c := j.unknownCase(p, l, late[0], w)
	c.occurrence.Evidence = append(o.evidence(), j.notAffectedEvidence(p, late[0])...)
	j.develop(c, columns[late[0].Signature])
	var others []column
	for _, g := range late[1:] {
		others = append(others, column{sig: g.Signature, counts: columns[g.Signature], group: g})
	}
	c.link(l)
	c.follow(others)
	sortEvidence(c.occurrence.Evidence)
	return c
}

// provenCases makes a case of each stack that the garbage collector proved to
// be leaked and that no other case explains.
func (j *judge) provenCases(p *process, l life, used map[profile.Signature]bool) []*caseOf {
	stacks := provenStacks(l)
	if len(stacks) == 0 {
		return nil
	}
	var cases []*caseOf
	columns := l.columns()
	for _, sig := range slices.Sorted(maps.Keys(stacks)) {
		g := l.last().Goroutines.Group(sig)
		if used[sig] || g == nil {
			continue
		}
		proven := provenIn(l, func(g *profile.Group) bool { return g.Signature == sig })
		if !proven.holds() {
			continue
		}
		c := j.unknownCase(p, l, g, witness{proven: true, several: g.Count > 1})
		c.occurrence.Evidence = append(provenEvidence(proven), j.notAffectedEvidence(p, g)...)
		c.link(l)
		sortEvidence(c.occurrence.Evidence)
		j.develop(c, columns[sig])
		used[sig] = true
		cases = append(cases, c)
	}
	return cases
}

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
	for _, kind := range []requestKind{requestHTTP, requestGRPC} {
		d := p.deadlineOf(kind)
		o.outlive(l, member, kind, d)
		answering := answeringIn(l.last().Goroutines, member, kind)
		if s := requestsStuck(l, kind, d); s.count <= 2*answering && s.count > 0 && (s.strong() || !o.requests.strong()) {
			o.requests = s
		}
		if jam := jammed(l, d); jam.slots <= 2*answering && jam.slots > 0 {
			o.jam = jam
		}
	}
	return o
}

// outlive looks for goroutines older than their requests may be: where the
// deadline is only assumed, first for those that are so beyond doubt.
func (o *overdue) outlive(l life, member func(*profile.Group) bool, kind requestKind, d deadline) {
	ids := overstay{}
	if d.assumed {
		if ids = outlived(l, member, kind, max(d.after, beyondDoubt)); ids.goroutines >= stuckMin {
			d = deadline{after: max(d.after, beyondDoubt), text: "more than any caller is known to allow"}
		} else {
			ids = overstay{}
		}
	}
	if ids.goroutines == 0 {
		ids = outlived(l, member, kind, d.after)
	}
	better := ids.goroutines > o.ids.goroutines && d.assumed == o.deadline.assumed
	if better || ids.goroutines > 0 && (o.ids.goroutines == 0 || o.deadline.assumed && !d.assumed) {
		o.ids, o.deadline = ids, d
	}
}

// answeringIn is the number of goroutines of the groups that answer requests of
// a kind.
func answeringIn(s *profile.Snapshot, member func(*profile.Group) bool, kind requestKind) int {
	n := 0
	for i := range s.Groups {
		if g := &s.Groups[i]; member(g) && requestOfGroup(g) == kind {
			n += g.Count
		}
	}
	return n
}

// lasting reports whether goroutines stood there beyond doubt for longer than
// their requests may take.
func (o overdue) lasting() bool { return o.ids.goroutines >= stuckMin && !o.deadline.assumed }

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
	w := witness{several: true, outlived: o.lasting(), stuck: o.requests.strong(), saturated: o.jam.strong()}
	if !w.outlived && !w.stuck && !w.saturated {
		return nil
	}
	c := j.overdueCase(p, l, late, o, w)
	maps.Copy(used, c.used)
	return []*caseOf{c}
}

// overdueCase makes the case, led by the most numerous stack.
func (j *judge) overdueCase(p *process, l life, late []*profile.Group, o overdue, w witness) *caseOf {
	columns := l.columns()
	proven := provenIn(l, func(g *profile.Group) bool { return g.Signature == late[0].Signature })
	w.proven = proven.holds()
	c := j.unknownCase(p, l, late[0], w)
	c.occurrence.Evidence = slices.Concat(o.evidence(), provenEvidence(proven), j.notAffectedEvidence(p, late[0]))
	if n, state := blockedForever(late[0]); n > 0 {
		c.occurrence.Evidence = append(c.occurrence.Evidence, blockedEvidence(n, state))
	}
	j.develop(c, columns[late[0].Signature])
	var others []column
	for _, g := range late[1:] {
		others = append(others, column{sig: g.Signature, counts: columns[g.Signature], group: g})
	}
	c.link(l)
	c.follow(others, "answer requests as well")
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

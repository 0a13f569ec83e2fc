package advisory

// Like returns the generic pattern ([Generic]) that a stack has, functions leaf
// first: of several the one that says most. It is nil if there is none. A state
// or creator that is not known ("") has no pattern that needs it: a guess about
// an unknown leak must rest on what is seen.
func (db *DB) Like(functions []string, state, createdBy string) *Advisory {
	var best *Advisory
	most := 0
	for _, a := range db.Advisories {
		if a.Class != Generic {
			continue
		}
		for i := range a.Culprits {
			p := &a.Culprits[i]
			if n := p.says(); n > most && p.fits(state, createdBy) && p.Match(functions) {
				best, most = a, n
			}
		}
	}
	return best
}

// fits reports whether a known state and creator are those of the pattern.
func (p *Pattern) fits(state, createdBy string) bool {
	return (p.State == "" || p.State == state) && (p.CreatedBy == "" || createdBy != "" && MatchName(p.CreatedBy, createdBy))
}

// says is how much a pattern asks for, to compare patterns: a state that no
// event can end says more than any function.
func (p *Pattern) says() int {
	n := len(p.State)
	for _, f := range p.Frames {
		if f != gap && f != "*" {
			n += 10
		}
	}
	if p.Frames[0] != gap {
		n += 5 // it stands at the leaf
	}
	return n
}

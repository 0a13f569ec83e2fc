package classify

import "github.com/thanosleak/thanosleak/profile"

// proof is what the garbage collector says of a stack.
type proof struct {
	goroutines int // proven to be leaked, in the newest leak profile
	samples    int // in which some were
}

// holds reports whether the proof stands: one goroutine in one sample may have
// been caught in a moment.
func (p proof) holds() bool { return p.goroutines >= 2 || p.goroutines == 1 && p.samples >= 2 }

// provenIn sums up what the goroutineleak profiles of a life say of the groups
// that are meant. That they are silent says nothing: goroutines that wait for a
// lock which something live holds are never listed.
func provenIn(l life, member func(*profile.Group) bool) proof {
	var p proof
	for i := range l.samples {
		s := leakProfile(&l.samples[i])
		if s == nil {
			continue
		}
		p.goroutines = 0
		for i := range s.Groups {
			if member(&s.Groups[i]) {
				p.goroutines += leakedIn(s, &s.Groups[i])
			}
		}
		if p.goroutines > 0 {
			p.samples++
		}
	}
	return p
}

// leakProfile returns the goroutineleak profile of a sample; nil if there is
// none. One in debug=2 looks like any dump, but for its marks.
func leakProfile(s *profile.Sample) *profile.Snapshot {
	if s.Leaked != nil {
		return s.Leaked
	}
	for i := range s.Goroutines.Groups {
		if leakedIn(s.Goroutines, &s.Goroutines.Groups[i]) > 0 {
			return s.Goroutines
		}
	}
	return nil
}

// leakedIn is the number of proven goroutines in a group: in debug=0 and 1 a
// leak profile lists no others, in debug=2 it lists all and marks those.
func leakedIn(s *profile.Snapshot, g *profile.Group) int {
	if s.LeaksOnly {
		return g.Count
	}
	n := 0
	for _, r := range g.Goroutines {
		if r.Leaked {
			n++
		}
	}
	return n
}

// provenStacks returns the stacks that the newest leak profile of a life lists.
func provenStacks(l life) map[profile.Signature]bool {
	stacks := map[profile.Signature]bool{}
	for i := len(l.samples) - 1; i >= 0; i-- {
		s := leakProfile(&l.samples[i])
		if s == nil {
			continue
		}
		for g := range s.Groups {
			if leakedIn(s, &s.Groups[g]) > 0 {
				stacks[s.Groups[g].Signature] = true
			}
		}
		break
	}
	return stacks
}

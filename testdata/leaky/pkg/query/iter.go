package query

// lazySeriesSet asks for its series when the first is wanted.
type lazySeriesSet struct {
	create func() int
	left   int
	asked  bool
}

// Next waits for the query at its first call.
//
//go:noinline
func (s *lazySeriesSet) Next() bool {
	if !s.asked {
		s.left, s.asked = s.create(), true
	}
	s.left--
	return s.left >= 0
}

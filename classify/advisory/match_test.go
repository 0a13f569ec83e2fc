package advisory

import (
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestMatchName(t *testing.T) {
	for _, tt := range []struct {
		pattern, name string
		want          bool
	}{
		{"store.f", "store.f", true},
		{"store.f", "store.f.func1", false},
		{"store.f", "x/store.f", false},
		{"", "", true},
		{"", "a", false},
		{"*", "", true},
		{"*", "anything", true},
		{"store.*", "store.f", true},
		{"store.*", "store.", true},
		{"store.*", "store", false},
		{"*.f", "store.f", true},
		{"*.f", "store.f.func1", false},
		{"store.new*RespSet.func*", "store.newEagerRespSet.func2", true},
		{"store.new*RespSet.func*", "store.newLazyRespSet.func2.3", true},
		{"store.new*RespSet.func*", "store.newLazyRespSet", false},
		{"a*b*c", "abc", true},
		{"a*b*c", "aXbYc", true},
		{"a*b*c", "acb", false},
		{"a*a", "a", false}, // head and tail do not share a letter
		{"ab*bc", "abc", false},
		{"a*b", "abab", true}, // the last b, not the first
		{"a*b*b", "ab", false},
		{"a**b", "ab", true},
		{"*a*", "bab", true},
		{"(*T).f", "(*T).f", true}, // a star in Go's own spelling matches itself
		{"(*T).f", "(T).f", true},
		{"(*T).f", "(x.T).f", true},
	} {
		t.Run(tt.pattern+" "+tt.name, func(t *testing.T) {
			if got := MatchName(tt.pattern, tt.name); got != tt.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestPatternMatch(t *testing.T) {
	for _, tt := range []struct {
		name, frames, functions string
		want                    bool
	}{
		{"the same", "a b", "a b", true},
		{"callers are left open", "a b", "a b c d", true},
		{"the first is the leaf", "b c", "a b c", false},
		{"frames are adjacent", "a c", "a b c", false},
		{"the stack ends before", "a b c", "a b", false},
		{"any leaf", "... b", "a b c", true},
		{"any leaf, none above", "... b", "b c", true},
		{"any leaf, far above", "... d", "a b c d", true},
		{"any leaf, not there", "... e", "a b c d", false},
		{"a gap", "a ... d", "a b c d", true},
		{"a gap of nothing", "a ... b", "a b", true},
		{"a gap, not there", "a ... e", "a b c d", false},
		{"a gap goes back", "a ... b c", "a b x b c", true},
		{"order counts", "... c ... b", "a b c", false},
		{"two gaps", "... b ... d", "a b c d e", true},
		{"a frame counts once", "... b ... b", "a b c", false},
		{"names with stars", "... store.* ... main.*", "x store.f y main.run", true},
		{"an empty stack", "a", "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := Pattern{Frames: strings.Fields(tt.frames)}
			if got := p.Match(strings.Fields(tt.functions)); got != tt.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestAppliesTo(t *testing.T) {
	for _, tt := range []struct {
		name       string
		components []string
		component  string
		want       bool
	}{
		{"all", nil, "query", true},
		{"listed", []string{"query", "store"}, "store", true},
		{"not listed", []string{"query"}, "receive", false},
		{"unknown is not ruled out", []string{"query"}, "", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := AppliesTo(tt.components, tt.component); got != tt.want {
				t.Errorf("got %v", got)
			}
		})
	}
}

func TestSeverityAtLeast(t *testing.T) {
	order := []Severity{Info, Low, Medium, High, Critical}
	for i, a := range order {
		for j, b := range order {
			if got := a.AtLeast(b); got != (i >= j) {
				t.Errorf("%s at least %s: %v", a, b, got)
			}
		}
	}
}

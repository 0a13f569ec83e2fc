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
		{"the same again", "lock f =", "lock f f", true},
		{"the same again, far away", "lock f =", "lock f g f", false},
		{"the same again, of any", "... lock * =", "slow lock f f g", true},
		{"the same again, of another", "... lock * =", "slow lock f g", false},
		{"the same thrice", "f = =", "f f f", true},
		{"another method of the type", "lock * ~", "lock p.(*T).a p.(*T).b", true},
		{"the same method of the type", "lock * ~", "lock p.(*T).a p.(*T).a", true},
		{"a closure of a method of the type", "lock * ~", "lock p.(*T).a.func1 p.(*T).b", true},
		{"a method of another type", "lock * ~", "lock p.(*T).a p.(*U).a", false},
		{"a method of a type of that name elsewhere", "lock * ~", "lock p.(*T).a q.(*T).a", false},
		{"no method", "lock * ~", "lock p.a p.b", false},
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

// TestLike asks which way of leaking a stack looks like.
func TestLike(t *testing.T) {
	db := embeddedDB(t)
	for _, tt := range []struct{ name, stack, state, want string }{
		{"a nil channel says more than anything", "acme.run.func1", "chan receive (nil chan)", "G-nil-chan"},
		{"a closure that sends", "acme.run.func1", "chan send", "G-send-after-return"},
		{"a closure that sends, further up", "acme.run.func1.2 main.main", "chan send", "G-send-after-return"},
		{"a method that sends", "acme.(*T).run", "chan send", ""},
		{"a worker", "acme.run.func1 " + errgroup, "chan receive", "G-range-never-closed"},
		{"a lock twice", "sync.(*Mutex).lockSlow sync.(*Mutex).Lock acme.(*T).add acme.(*T).add main.main", "sync.Mutex.Lock", "G-self-deadlock"},
		{"a read lock twice", "sync.(*RWMutex).RLock acme.(*T).has acme.(*T).list main.main", "sync.RWMutex.RLock", "G-rwmutex-recursion"},
		{"a lock", "sync.(*Mutex).Lock acme.(*T).add main.main", "sync.Mutex.Lock", ""},
		{"behind a once", "sync.(*Mutex).Lock sync.(*Once).doSlow sync.(*Once).Do acme.get", "sync.Mutex.Lock", "G-once-pileup"},
		{"inside a once", "acme.load sync.(*Once).doSlow sync.(*Once).Do acme.get", "select", ""},
		{"a body that is open", "net/http.(*persistConn).readLoop", "select", "G-http-body"},
		{"an idle connection", pollRead + " bufio.(*Reader).fill bufio.(*Reader).Peek net/http.(*persistConn).readLoop", "IO wait", "G-transport-per-request"},
		{"debug=1 does not tell the state", "acme.run.func1", "", ""},
		{"nothing of the kind", "acme.run", "select", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			if a := db.Like(strings.Fields(tt.stack), tt.state, ""); a != nil {
				got = a.ID
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
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

package classify

import (
	"testing"
	"time"

	"github.com/thanosleak/thanosleak/profile"
)

// crowd is goroutines of one stack, with ids.
type crowd struct {
	frames  []string
	state   profile.State
	by      string
	members []profile.Goroutine
}

// crowdOf is goroutines with these ids, all started by one.
func crowdOf(frames []string, state profile.State, creator int64, ids ...int64) crowd {
	c := crowd{frames: frames, state: state}
	for _, id := range ids {
		c.members = append(c.members, profile.Goroutine{ID: id, Creator: creator})
	}
	return c
}

// waiting is the crowd with a wait in minutes.
func (c crowd) waiting(minutes int) crowd {
	members := make([]profile.Goroutine, len(c.members))
	for i, r := range c.members {
		r.WaitMinutes = minutes
		members[i] = r
	}
	c.members = members
	return c
}

// idDump is a snapshot of a debug=2 dump, each crowd a group, in their order.
func idDump(crowds ...crowd) *profile.Snapshot {
	s := &profile.Snapshot{Encoding: profile.Debug2}
	for _, c := range crowds {
		frames := callsOf(c.frames...)
		n := len(c.members)
		s.Groups = append(s.Groups, profile.Group{
			Signature: profile.NewSignature(frames), Frames: frames, Count: n, CreatedBy: c.by,
			Places: []profile.Place{{State: c.state, Count: n}}, Goroutines: c.members,
		})
		s.Total += n
	}
	return s
}

// bare is the snapshot without ids.
func bare(s *profile.Snapshot) *profile.Snapshot {
	b := *s
	b.Groups = nil
	for _, g := range s.Groups {
		g.Goroutines = nil
		b.Groups = append(b.Groups, g)
	}
	return &b
}

// dumpedLife takes a snapshot a minute.
func dumpedLife(snapshots ...*profile.Snapshot) life {
	var l life
	for i, s := range snapshots {
		l.samples = append(l.samples, profile.Sample{Time: start.Add(time.Duration(i) * time.Minute), Goroutines: s})
	}
	return l
}

// repeated returns a snapshot.
func repeated(n int, s *profile.Snapshot) []*profile.Snapshot {
	var all []*profile.Snapshot
	for range n {
		all = append(all, s)
	}
	return all
}

// The stacks that work for requests, and one that does not.
var (
	loopWork   = []string{"main.loop"}
	streamWork = []string{"main.work", grpcStream}
	httpWork   = []string{"main.work", httpHandler, httpConn}
	childWork  = []string{"main.child"}
	stepWork   = []string{"main.step"}
)

func anyGroup(*profile.Group) bool { return true }

func leafIs(leaf string) func(*profile.Group) bool {
	return func(g *profile.Group) bool { return g.Signature.Leaf() == leaf }
}

// stairs is goroutines that start each other: 102 is started by 101, 103 by
// 102 and so on.
func stairs(n int) crowd {
	c := crowd{frames: stepWork, state: profile.StateSelect}
	for i := range int64(n) {
		c.members = append(c.members, profile.Goroutine{ID: 102 + i, Creator: 101 + i})
	}
	return c
}

// requestLimit is the deadline of these tests.
const requestLimit = 2 * time.Minute

// overstayCase is a life and what of it has outlived requestLimit.
type overstayCase struct {
	name string
	life life
	kind requestKind
	want overstay
}

func (tt overstayCase) check(t *testing.T) {
	if got := outlived(tt.life, anyGroup, tt.kind, requestLimit); got != tt.want {
		t.Errorf("%+v, want %+v", got, tt.want)
	}
}

var (
	idleLoop    = crowdOf(loopWork, profile.StateSelect, 1, 50)
	oneStream   = crowdOf(streamWork, profile.StateChanReceive, 0, 101)
	oneHTTP     = crowdOf(httpWork, profile.StateChanReceive, 0, 101)
	twoChildren = crowdOf(childWork, profile.StateSelect, 101, 111, 112)
)

// afterLoop is a life whose first dump has the loop only.
func afterLoop(snapshots ...*profile.Snapshot) life {
	return dumpedLife(append([]*profile.Snapshot{idDump(idleLoop)}, snapshots...)...)
}

// TestOutlived looks at one goroutine of a gRPC request.
func TestOutlived(t *testing.T) {
	with, without := idDump(idleLoop, oneStream), idDump(idleLoop)
	waits := func(minutes int) *profile.Snapshot { return idDump(idleLoop, oneStream.waiting(minutes)) }
	other := func(ids ...int64) crowd {
		return crowdOf([]string{"main.other", grpcStream}, profile.StateSelect, 0, ids...)
	}
	moved := idDump(idleLoop, other(101))
	both, split := idDump(idleLoop, other(101, 201)), idDump(idleLoop, oneStream, other(201))
	late := idDump(crowdOf(loopWork, profile.StateSelect, 1, 500))
	one := overstay{1, 3 * time.Minute}
	sevenMinutes := overstay{1, 7 * time.Minute}
	for _, tt := range []overstayCase{
		{"stays", afterLoop(with, with, with, with), requestGRPC, one},
		{"no longer than the deadline", afterLoop(with, with, with), requestGRPC, overstay{}},
		{"another kind", afterLoop(with, with, with, with), requestHTTP, overstay{}},
		{"there from the first on", dumpedLife(with, with, with, with, with), requestGRPC, overstay{}},
		{"lower than an id of the first", dumpedLife(late, with, with, with, with), requestGRPC, overstay{}},
		{"shows its wait from the first on", dumpedLife(waits(7), waits(7)), requestGRPC, sevenMinutes},
		{"shows its wait in the only dump", dumpedLife(waits(7)), requestGRPC, sevenMinutes},
		{"waits no longer than the deadline", dumpedLife(waits(2)), requestGRPC, overstay{}},
		{"waited before", afterLoop(waits(7), with), requestGRPC, overstay{}},
		{"in another stack before", afterLoop(moved, moved, with, with, with), requestGRPC, overstay{}},
		{"in the stack of another before", afterLoop(both, both, split, split, split), requestGRPC, overstay{1, 4 * time.Minute}},
		{"back in its stack", afterLoop(with, moved, with, with), requestGRPC, overstay{}},
		{"not in a dump between", afterLoop(with, without, with, with), requestGRPC, overstay{}},
		{"no ids between", afterLoop(with, bare(without), bare(with), with), requestGRPC, one},
		{"no ids at first", dumpedLife(bare(without), without, with, with, with, with), requestGRPC, one},
		{"no ids in the newest", afterLoop(with, with, with, with, bare(with)), requestGRPC, overstay{}},
		{"no ids", dumpedLife(bare(waits(7)), bare(waits(7))), requestGRPC, overstay{}},
		{"gone", afterLoop(with, with, with, with, without), requestGRPC, overstay{}},
	} {
		t.Run(tt.name, tt.check)
	}
	if got := outlived(afterLoop(with, with, with, with), leafIs("main.loop"), requestGRPC, requestLimit); got != (overstay{}) {
		t.Errorf("of other groups: %+v", got)
	}
}

// TestOutlivedRequests looks for the request that goroutines work for.
func TestOutlivedRequests(t *testing.T) {
	stays := func(crowds ...crowd) life { return afterLoop(repeated(4, idDump(append(crowds, idleLoop)...))...) }
	inner := crowdOf(streamWork, profile.StateSelect, 101, 111)
	ofInner := crowdOf(childWork, profile.StateSelect, 111, 121)
	waiter := crowdOf(stepWork, profile.StateSelect, 101, 113).waiting(9)
	for _, tt := range []overstayCase{
		{"a connection never", stays(oneHTTP.waiting(7)), requestHTTP, overstay{}},
		{"children of a connection", stays(oneHTTP, twoChildren), requestHTTP, overstay{2, 3 * time.Minute}},
		{"creator gone", stays(twoChildren), requestHTTP, overstay{}},
		{"creator without a request", stays(crowdOf(childWork, profile.StateSelect, 50, 111)), requestHTTP, overstay{}},
		{"five steps below", stays(oneHTTP, stairs(5)), requestHTTP, overstay{5, 3 * time.Minute}},
		{"six steps below", stays(oneHTTP, stairs(6)), requestHTTP, overstay{5, 3 * time.Minute}},
		{"the nearest request", stays(oneHTTP, inner, ofInner), requestGRPC, overstay{2, 3 * time.Minute}},
		{"not the one above it", stays(oneHTTP, inner, ofInner), requestHTTP, overstay{}},
		{"the longest", stays(oneHTTP, twoChildren, waiter), requestHTTP, overstay{3, 9 * time.Minute}},
	} {
		t.Run(tt.name, tt.check)
	}
}

// idRange is n ids from one on.
func idRange(from int64, n int) []int64 {
	var all []int64
	for i := range int64(n) {
		all = append(all, from+i)
	}
	return all
}

func TestTurnoverOf(t *testing.T) {
	of := func(ids ...int64) *profile.Snapshot {
		return idDump(crowdOf(loopWork, profile.StateSelect, 1, 50), crowdOf(childWork, profile.StateSelect, 0, ids...))
	}
	for _, tt := range []struct {
		name string
		life life
		want turnover
	}{
		{"no ids", dumpedLife(repeated(4, bare(of(idRange(101, 12)...)))...), turnover{}},
		{"two dumps", dumpedLife(of(), of(idRange(101, 12)...)), turnover{}},
		{"two dumps with ids", dumpedLife(of(), of(idRange(101, 12)...), bare(of())), turnover{}},
		{"stay", dumpedLife(of(), of(idRange(101, 12)...), of(idRange(101, 14)...)), turnover{12, 12}},
		{"come and go", dumpedLife(of(), of(idRange(101, 12)...), of(idRange(201, 12)...), of(idRange(301, 12)...)), turnover{24, 0}},
		{"some stay", dumpedLife(of(), of(idRange(101, 12)...), of(idRange(201, 3)...), of(101, 102, 201, 301)), turnover{15, 3}},
		{"back again", dumpedLife(of(), of(101, 102), of(), of(101)), turnover{2, 1}},
		{"those of the first", dumpedLife(of(idRange(101, 12)...), of(idRange(101, 14)...), of(idRange(101, 12)...)), turnover{2, 0}},
		{"in another stack in the first", dumpedLife(idDump(crowdOf(loopWork, profile.StateSelect, 1, 50, 101)), of(101, 102), of(101, 102)), turnover{1, 1}},
		{"in another stack in the newest", dumpedLife(of(), of(101, 102), idDump(crowdOf(loopWork, profile.StateSelect, 1, 50, 101), crowdOf(childWork, profile.StateSelect, 0, 102))), turnover{2, 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := turnoverOf(tt.life, leafIs("main.child")); got != tt.want {
				t.Errorf("%+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestComesAndGoes(t *testing.T) {
	for _, tt := range []struct {
		born, stayed int
		want         bool
	}{
		{0, 0, false}, {9, 0, false}, {10, 0, true}, {10, 1, true}, {10, 2, false},
		{51, 0, true}, {52, 52, false}, {100, 19, true}, {100, 20, false},
	} {
		if got := (turnover{tt.born, tt.stayed}).comesAndGoes(); got != tt.want {
			t.Errorf("%d of %d stayed: %v, want %v", tt.stayed, tt.born, got, tt.want)
		}
	}
}

// TestOutlivedCutStacks has a connection whose stack is cut below conn.serve:
// it does not count, but its children do.
func TestOutlivedCutStacks(t *testing.T) {
	cut := crowdOf([]string{"main.work"}, profile.StateChanReceive, 0, 101)
	cut.by = "net/http.(*Server).Serve"
	overstayCase{"", afterLoop(repeated(4, idDump(idleLoop, cut, twoChildren))...), requestHTTP,
		overstay{2, 3 * time.Minute}}.check(t)
}

// TestOutlivedFirst has a goroutine of the first dump that shows a wait, but
// of less than it has stood there.
func TestOutlivedFirst(t *testing.T) {
	overstayCase{"", dumpedLife(repeated(4, idDump(idleLoop, oneStream.waiting(1)))...), requestGRPC,
		overstay{1, 3 * time.Minute}}.check(t)
}

// TestTurnoverDoubt has ids that do not rise, and a dump that was cut.
func TestTurnoverDoubt(t *testing.T) {
	of := func(ids ...int64) *profile.Snapshot {
		return idDump(crowdOf(loopWork, profile.StateSelect, 1, 500), crowdOf(childWork, profile.StateSelect, 0, ids...))
	}
	if got := turnoverOf(dumpedLife(of(), of(101, 102), of(102)), leafIs("main.child")); got != (turnover{2, 1}) {
		t.Errorf("lower ids than in the first dump: %+v", got)
	}
	cut := of()
	cut.Total = 3 // and one is named
	if got := turnoverOf(dumpedLife(of(), of(101, 102), cut), leafIs("main.child")); got != (turnover{}) {
		t.Errorf("the newest dump is cut: %+v", got)
	}
}

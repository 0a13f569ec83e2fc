package classify

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/thanosleak/thanosleak/profile"
)

// Stacks between a culprit and the door, leaf first.
var (
	acceptLoop  = []string{"internal/poll.(*pollDesc).wait", "net/http.(*Server).Serve", "main.runQuery.func10"}
	engineWork  = []string{"github.com/thanos-io/thanos/pkg/query.(*querier).Select.func2", httpHandler, httpConn}
	selectWork  = []string{"sync.(*WaitGroup).Wait", store + ".(*eagerRespSet).Next", "github.com/thanos-io/thanos/pkg/query.(*querier).Select.func1"}
	culpritWork = eagerCulprit
)

// startedBy is one goroutine under each of the given, with ids from one on.
func startedBy(above crowd, frames []string, state profile.State, from int64) crowd {
	c := crowd{frames: frames, state: state}
	for i, r := range above.members {
		c.members = append(c.members, profile.Goroutine{ID: from + int64(i), Creator: r.ID})
	}
	return c
}

// The crowds of a querier with three leaks, from the door to the culprits.
var (
	accepting     = crowdOf(acceptLoop, profile.StateIOWait, 1, 10)
	engines       = crowd{engineWork, profile.StateChanReceive, "net/http.(*Server).Serve", crowdOf(nil, "", 10, 101, 102, 103).members}
	selects       = startedBy(engines, selectWork, profile.StateWaitGroup, 201)
	leakedReaders = startedBy(selects, culpritWork, profile.StateChanReceiveNil, 301)
)

func signatureOf(functions []string) profile.Signature {
	return profile.NewSignature(callsOf(functions...))
}

func TestChainOf(t *testing.T) {
	type victims map[profile.Signature]int
	alone := func(creator int64, above crowd) *profile.Snapshot {
		return idDump(crowdOf(culpritWork, profile.StateChanReceiveNil, creator, 301), above)
	}
	var cases []chainCase
	add := func(name string, s *profile.Snapshot, culprits, tied int, v victims) {
		cases = append(cases, chainCase{name, s, culprits, tied, v})
	}
	upward := victims{signatureOf(engineWork): 3, signatureOf(selectWork): 3}
	with := func(v victims, frames []string, n int) victims {
		v = maps.Clone(v)
		v[signatureOf(frames)] = n
		return v
	}
	add("all the way up", idDump(accepting, engines, selects, leakedReaders), 3, 3, upward)
	add("no ids", bare(idDump(accepting, engines, selects, leakedReaders)), 0, 0, nil)
	add("no culprits", idDump(accepting, engines, selects), 0, 0, nil)
	add("creators gone", idDump(accepting, engines, leakedReaders), 3, 0, nil)
	add("a gap ends it", idDump(accepting, selects, leakedReaders), 3, 3, victims{signatureOf(selectWork): 3})
	add("main waits for nobody", alone(1, crowdOf(loopWork, profile.StateChanReceive, 0, 1)), 1, 0, nil)
	add("creator unknown", alone(0, crowdOf(loopWork, profile.StateChanReceive, 0, 5)), 1, 0, nil)
	for _, s := range []profile.State{profile.StateIOWait, profile.StateRunning, "runnable", profile.StateSyscall, profile.StateSleep} {
		add("creator in "+string(s), alone(5, crowdOf(loopWork, s, 0, 5)), 1, 0, nil)
	}
	for _, s := range []profile.State{profile.StateSelect, profile.StateChanSend, profile.StateCond, profile.StateMutex, profile.StateSemacquire} {
		add("creator in "+string(s), alone(5, crowdOf(loopWork, s, 0, 5)), 1, 1, victims{signatureOf(loopWork): 1})
	}
	siblings := startedBy(engines, childWork, profile.StateIOWait, 401)
	add("and down again", idDump(accepting, engines, selects, leakedReaders, siblings, startedBy(siblings, stepWork, profile.StateRunning, 501)),
		3, 3, with(with(upward, childWork, 3), stepWork, 3))
	add("not below the culprits", idDump(accepting, engines, selects, leakedReaders, startedBy(leakedReaders, childWork, profile.StateSelect, 401)), 3, 3, upward)
	add("not below the door", idDump(accepting, engines, selects, leakedReaders, crowdOf(childWork, profile.StateIOWait, 10, 401)), 3, 3, upward)
	others := func(n int) crowd {
		return crowd{childWork, profile.StateSelect, "", append(crowdOf(nil, "", 10, idRange(601, n)...).members, siblings.members...)}
	}
	add("half of a stack", idDump(accepting, engines, selects, leakedReaders, others(3)), 3, 3, with(upward, childWork, 3))
	add("less than half of a stack", idDump(accepting, engines, selects, leakedReaders, others(4)), 3, 3, upward)
	add("some tied", idDump(accepting, engines, selects, crowd{culpritWork, profile.StateChanReceiveNil, "",
		append(crowdOf(nil, "", 999, 310, 311).members, leakedReaders.members...)}), 5, 3, upward)
	add("in a circle", idDump(crowdOf(culpritWork, profile.StateChanReceiveNil, 5, 301), crowdOf(childWork, profile.StateSelect, 6, 5),
		crowdOf(stepWork, profile.StateSelect, 5, 6)), 1, 1, victims{signatureOf(childWork): 1, signatureOf(stepWork): 1})
	for _, tt := range cases {
		t.Run(tt.name, tt.check)
	}
}

type chainCase struct {
	name           string
	dump           *profile.Snapshot
	culprits, tied int
	victims        map[profile.Signature]int
}

func (tt chainCase) check(t *testing.T) {
	c := chainOf(tt.dump, isCulprit)
	if c.culprits != tt.culprits || c.tied != tt.tied {
		t.Errorf("%d of %d tied, want %d of %d", c.tied, c.culprits, tt.tied, tt.culprits)
	}
	if !maps.Equal(c.victims, tt.victims) {
		t.Errorf("victims %v, want %v", c.victims, tt.victims)
	}
	if (c.text() == "") != (tt.tied == 0) {
		t.Errorf("text %q with %d tied", c.text(), tt.tied)
	}
}

func isCulprit(g *profile.Group) bool { return g.Signature.Leaf() == eagerCulprit[0] }

func TestChainText(t *testing.T) {
	text := chainOf(idDump(accepting, engines, selects, leakedReaders), isCulprit).text()
	mustContain(t, text, "3 of 3 ", ": store.newEagerRespSet.func2.3",
		" ← store.(*eagerRespSet).Next (sync.WaitGroup.Wait) ← query.(*querier).Select.func2 (chan receive)")
}

// TestChainMajority has two of three leaks go through another stack.
func TestChainMajority(t *testing.T) {
	via := crowdOf(childWork, profile.StateMutex, 0, 202, 203)
	few := crowdOf(selectWork, profile.StateWaitGroup, 0, 201)
	text := chainOf(idDump(few, via, leakedReaders), isCulprit).text()
	mustContain(t, text, " ← main.child (sync.Mutex.Lock)")
	if strings.Contains(text, "eagerRespSet).Next") {
		t.Errorf("%q tells the way of the fewer", text)
	}
}

// TestChainLength has a way of seven steps, of which six are told.
func TestChainLength(t *testing.T) {
	crowds := []crowd{crowdOf([]string{"main.step0"}, profile.StateSelect, 0, 100)}
	for i := int64(1); i <= 5; i++ {
		step := []string{"main.step" + string(rune('0'+i))}
		crowds = append(crowds, crowdOf(step, profile.StateSelect, 99+i, 100+i))
	}
	crowds = append(crowds, crowdOf(culpritWork, profile.StateChanReceiveNil, 105, 301))
	text := chainOf(idDump(crowds...), isCulprit).text()
	mustContain(t, text, "main.step5 (select) ← main.step4 (select) ← main.step3 (select) ← main.step2 (select) ← main.step1 (select)")
	if strings.Contains(text, "step0") {
		t.Errorf("%q has more than six steps", text)
	}
}

func TestChainRoot(t *testing.T) {
	for _, tt := range []struct {
		name string
		dump *profile.Snapshot
		want string
	}{
		{"who accepts", idDump(accepting, engines, selects, leakedReaders), "http.(*Server).Serve"},
		{"what the last does", idDump(crowdOf([]string{"time.Sleep", store + ".sync"}, profile.StateSleep, 0, 5),
			crowdOf(childWork, profile.StateSelect, 5, 6), crowdOf(culpritWork, profile.StateChanReceiveNil, 6, 301)), "store.sync"},
		{"gone", idDump(engines, selects, leakedReaders), ""},
		{"nobody tied", idDump(accepting, leakedReaders), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := chainOf(tt.dump, isCulprit)
			if c.root != tt.want {
				t.Errorf("root %q, want %q", c.root, tt.want)
			}
			if c.root != "" && !strings.HasSuffix(c.text(), " ← "+c.root) {
				t.Errorf("%q does not end with the root", c.text())
			}
		})
	}
}

// TestChainLinks has three leaks of two queries, and culprits of another kind
// that are more but tied to nobody.
func TestChainLinks(t *testing.T) {
	door := crowdOf(engineWork, profile.StateChanReceive, 10, 101, 102)
	door.by = engines.by
	two := crowd{selectWork, profile.StateWaitGroup, "", []profile.Goroutine{{ID: 201, Creator: 101}, {ID: 202, Creator: 102}, {ID: 203, Creator: 102}}}
	untied := crowdOf([]string{eagerCulprit[0], "main.other"}, profile.StateChanReceiveNil, 0, idRange(401, 9)...)
	c := chainOf(idDump(untied, accepting, door, two, leakedReaders), isCulprit)
	want := []link{
		{eagerCulprit[0], profile.StateChanReceiveNil},
		{store + ".(*eagerRespSet).Next", profile.StateWaitGroup},
		{engineWork[0], profile.StateChanReceive},
	}
	if !slices.Equal(c.links, want) {
		t.Errorf("links %v, want %v", c.links, want)
	}
	if text, want := c.text(), "3 of 12 were started by a goroutine that is still there and blocked: store.newEagerRespSet.func2.3"+
		" ← store.(*eagerRespSet).Next (sync.WaitGroup.Wait) ← query.(*querier).Select.func2 (chan receive) ← http.(*Server).Serve"; text != want {
		t.Errorf("text %q, want %q", text, want)
	}
}

// TestChainWay goes on with those that came the way of most: where they end,
// others do not lead on.
func TestChainWay(t *testing.T) {
	c := chainOf(idDump(accepting,
		crowdOf(stepWork, profile.StateSelect, 0, 9),
		crowd{childWork, profile.StateSelect, "", []profile.Goroutine{{ID: 201, Creator: 10}, {ID: 202, Creator: 10}, {ID: 203, Creator: 9}}},
		leakedReaders), isCulprit)
	if len(c.links) != 2 || c.root != "main.runQuery.func10" {
		t.Errorf("links %v to %q, want two to the door", c.links, c.root)
	}
}

// TestChainOfCulprits has a culprit that was started by another: it waits for
// itself, not behind them.
func TestChainOfCulprits(t *testing.T) {
	c := chainOf(idDump(crowdOf(childWork, profile.StateSelect, 0, 5), crowd{culpritWork, profile.StateChanReceiveNil, "",
		[]profile.Goroutine{{ID: 301, Creator: 5}, {ID: 302, Creator: 301}}}), isCulprit)
	if c.culprits != 2 || c.tied != 1 || c.victims[signatureOf(childWork)] != 1 {
		t.Errorf("%d of %d tied, victims %v", c.tied, c.culprits, c.victims)
	}
	mustContain(t, c.text(), "1 of 2 was started by a goroutine")
}

func TestTellingFunction(t *testing.T) {
	for _, tt := range []struct {
		frames []string
		want   string
	}{
		{[]string{"sync.(*Mutex).Lock", "net/http.(*conn).serve"}, "net/http.(*conn).serve"},
		{[]string{"time.Sleep", "main.loop"}, "main.loop"},
		{[]string{"internal/poll.(*FD).Read", store + ".read", "main.loop"}, store + ".read"},
		{nil, ""},
	} {
		if got := tellingFunction(&profile.Group{Frames: callsOf(tt.frames...)}); got != tt.want {
			t.Errorf("%v: %q, want %q", tt.frames, got, tt.want)
		}
	}
}

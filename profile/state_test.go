package profile

import (
	"bytes"
	"context"
	"iter"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"
	"time"
)

// These goroutines outlive the test, which is the point of
// them. TestMain knows them by name.
func nilReceive() { <-(chan int)(nil) }
func nilSend()    { (chan int)(nil) <- 1 }
func noCases()    { select {} }
func longSleep()  { time.Sleep(24 * time.Hour) }

func receive(c chan int) { <-c }
func send(c chan int)    { c <- 1 }
func choose(a, b chan int) {
	select {
	case <-a:
	case b <- 1:
	}
}
func lock(m *sync.Mutex)          { m.Lock(); defer m.Unlock() }
func lockRW(m *sync.RWMutex)      { m.Lock(); defer m.Unlock() }
func readLock(m *sync.RWMutex)    { m.RLock(); defer m.RUnlock() }
func waitGroup(w *sync.WaitGroup) { w.Wait() }
func accept(l net.Listener) {
	if c, err := l.Accept(); err == nil {
		c.Close()
	}
}

func wait(c *sync.Cond, done *bool) {
	c.L.Lock()
	for !*done {
		c.Wait()
	}
	c.L.Unlock()
}

// coroutine keeps an iterator in the middle.
func coroutine(end chan int) {
	next, stop := iter.Pull(func(yield func(int) bool) { yield(1) })
	next()
	<-end
	stop()
}

type generic[T any] struct{ c chan T }

func (g *generic[T]) receive() { func() { <-g.c }() }

// TestLiveStates blocks goroutines of this very process in every way and
// compares what the three encodings say of them. It fails when the runtime
// moves the lines by which debug=0 tells a nil channel.
func TestLiveStates(t *testing.T) {
	end := make(chan int)
	never := make(chan int)
	var running sync.WaitGroup
	start := func(f func()) {
		running.Go(f)
	}
	var mutex, condMutex sync.Mutex
	var rw, writeLocked sync.RWMutex
	var group sync.WaitGroup
	cond := sync.NewCond(&condMutex)
	done := false
	mutex.Lock()
	rw.RLock()
	writeLocked.Lock()
	group.Add(1)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}

	for _, f := range []func(){nilReceive, nilSend, noCases, longSleep} {
		go f()
	}
	start(func() { send(never) })
	start(func() { choose(end, nil) })
	start(func() { lock(&mutex) })
	start(func() { lockRW(&rw) })
	start(func() { readLock(&writeLocked) })
	start(func() { waitGroup(&group) })
	start(func() { accept(listener) })
	start(func() { wait(cond, &done) })
	start(func() { coroutine(end) })
	start((&generic[int]{c: end}).receive)
	start((&generic[[]map[string]int]{c: make(chan []map[string]int)}).closeLater(end))
	for _, tenant := range []string{"a", "b] labels:{", "c"} {
		start(func() {
			pprof.Do(context.Background(), pprof.Labels("tenant", tenant), func(context.Context) { receive(end) })
		})
	}
	t.Cleanup(func() {
		close(end)
		<-never
		mutex.Unlock()
		rw.RUnlock()
		writeLocked.Unlock()
		group.Done()
		listener.Close()
		condMutex.Lock()
		done = true
		condMutex.Unlock()
		cond.Broadcast()
		running.Wait()
	})

	want := map[string]State{
		"nilReceive": StateChanReceiveNil, "nilSend": StateChanSendNil, "noCases": StateSelectNoCases, "longSleep": StateSleep,
		"receive": StateChanReceive, "send": StateChanSend, "choose": StateSelect, "coroutine": StateChanReceive,
		"lock": StateMutex, "lockRW": StateRWMutex, "readLock": StateRWMutexR, "waitGroup": StateWaitGroup,
		"accept": StateIOWait, "wait": StateCond,
	}
	dumps := quiet(t, want)
	requireAgreement(t, dumps[0], dumps[1], dumps[2])
	for _, s := range []*Snapshot{dumps[0], dumps[2]} {
		for fn, state := range want {
			if g := withFunction(s, fn); g == nil || g.State() != state {
				t.Errorf("%v: %s stands in %+v, want %q", s.Encoding, fn, g, state)
			}
		}
	}
	for _, s := range dumps {
		if g := withFunction(s, "receive"); g == nil || g.Count != 3 {
			t.Errorf("%v: labels split the group: %+v", s.Encoding, g)
		}
		if withSuffix(s, "(*generic[...]).receive") == nil {
			t.Errorf("%v: type arguments are not folded", s.Encoding)
		}
	}
	if g := withSuffix(dumps[0], "iter.Pull[...].func1"); g == nil || g.State() != StateCoroutine {
		t.Errorf("an iterator stands in %+v, want %q", g, StateCoroutine)
	}
}

// closeLater returns a function that receives until end is closed.
func (g *generic[T]) closeLater(end chan int) func() {
	return func() {
		go func() { <-end; close(g.c) }()
		g.receive()
	}
}

// quiet takes the three encodings once every function stands in its state.
func quiet(t *testing.T, want map[string]State) [3]*Snapshot {
	t.Helper()
	for range 10_000 {
		if settled(dump(t, 2), want) {
			return [3]*Snapshot{dump(t, 0), dump(t, 1), dump(t, 2)}
		}
		runtime.Gosched()
	}
	t.Fatal("the goroutines do not come to rest")
	return [3]*Snapshot{}
}

func settled(s *Snapshot, want map[string]State) bool {
	for fn, state := range want {
		g := withFunction(s, fn)
		if g == nil || g.State() != state || fn == "receive" && g.Count != 3 {
			return false
		}
	}
	return !moving(s)
}

// moving reports whether a goroutine is about to run.
func moving(s *Snapshot) bool {
	for _, g := range s.Groups {
		for _, p := range g.Places {
			if p.State == "runnable" {
				return true
			}
		}
	}
	return false
}

func dump(t *testing.T, debug int) *Snapshot {
	t.Helper()
	var b bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&b, debug); err != nil {
		t.Fatal(err)
	}
	snaps, err := Read(&b, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return only(t, snaps)
}

// withFunction returns the group that has a function of this package in it.
func withFunction(s *Snapshot, name string) *Group {
	return withSuffix(s, "/profile."+name)
}

func withSuffix(s *Snapshot, suffix string) *Group {
	for i := range s.Groups {
		for _, fn := range s.Groups[i].Signature.Functions() {
			if strings.HasSuffix(fn, suffix) {
				return &s.Groups[i]
			}
		}
	}
	return nil
}

// TestTableKnowsThisGo fails when a newer Go is in use than the table of
// channel offsets was made for.
func TestTableKnowsThisGo(t *testing.T) {
	minor, ok := goMinor(runtime.Version())
	if !ok {
		t.Fatalf("cannot read the Go release %q", runtime.Version())
	}
	if minor > newestGo {
		t.Errorf("Go 1.%d is newer than the table: look up where chanrecv and chansend park in runtime/chan.go, and add it", minor)
	}
	for fn, o := range chanOffsets {
		if _, ok := o.blocked[newestGo]; !ok || len(o.blocked) != newestGo-21+1 {
			t.Errorf("%s: the table does not go from Go 1.21 to 1.%d", fn, newestGo)
		}
	}
}

// TestTableFitsSource compares the table with the source of the runtime that
// is in use.
func TestTableFitsSource(t *testing.T) {
	src, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(src)), "src/runtime/chan.go"))
	if err != nil {
		t.Fatal(err)
	}
	minor, _ := goMinor(runtime.Version())
	parks := map[string][]int64{}
	fn, start := "", 0
	for i, line := range strings.Split(string(data), "\n") {
		if rest, ok := strings.CutPrefix(line, "func "); ok {
			fn, start = "runtime."+rest[:strings.IndexAny(rest+"(", "([")], i
		}
		if strings.Contains(line, "gopark(") {
			parks[fn] = append(parks[fn], int64(i-start))
		}
	}
	for fn, o := range chanOffsets {
		if got := parks[fn]; len(got) != 2 || got[0] != o.isNil || got[1] != o.blocked[minor] {
			t.Errorf("%s parks at %d, the table says %d and %d", fn, got, o.isNil, o.blocked[minor])
		}
	}
}

func TestBlockedForever(t *testing.T) {
	for s, want := range map[State]bool{
		StateChanReceiveNil: true, StateChanSendNil: true, StateSelectNoCases: true,
		StateUnknown: false, StateChanReceive: false, StateSelect: false, StateSemacquire: false,
	} {
		if s.BlockedForever() != want {
			t.Errorf("%q: %t, want %t", s, !want, want)
		}
	}
}

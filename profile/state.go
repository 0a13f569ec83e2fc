package profile

import "strings"

// A State is what a goroutine does or waits for, in the words of the newest
// runtime (waitReasonStrings in runtime/runtime2.go): older words for the same
// wait are translated.
type State string

// The states that decisions hang on. Others occur and are kept as the runtime
// spells them.
const (
	StateUnknown        State = "" // debug=1 never tells, debug=0 not always
	StateChanReceive    State = "chan receive"
	StateChanReceiveNil State = "chan receive (nil chan)"
	StateChanSend       State = "chan send"
	StateChanSendNil    State = "chan send (nil chan)"
	StateSelect         State = "select"
	StateSelectNoCases  State = "select (no cases)"
	StateIOWait         State = "IO wait"
	StateSleep          State = "sleep"
	StateSyscall        State = "syscall"
	StateRunning        State = "running"
	StateCoroutine      State = "coroutine"
	StateSemacquire     State = "semacquire"
	StateCond           State = "sync.Cond.Wait"
	StateMutex          State = "sync.Mutex.Lock"
	StateRWMutex        State = "sync.RWMutex.Lock"
	StateRWMutexR       State = "sync.RWMutex.RLock"
	StateWaitGroup      State = "sync.WaitGroup.Wait"
)

// BlockedForever reports whether no event can end the state: a nil channel or
// a select without cases.
func (s State) BlockedForever() bool {
	return s == StateChanReceiveNil || s == StateChanSendNil || s == StateSelectNoCases
}

// newestGo is the newest minor release of Go 1 in nilOffsets.
const newestGo = 27

// chanOffsets are the distances, in lines, from the start of a channel
// function of the runtime to the places in it where a goroutine parks: on a
// nil channel and on any other. Read in runtime/chan.go of Go 1.21.13,
// 1.22.12, 1.23.12, 1.24.12, 1.25.5, 1.26.8 and 1.27.0.
var chanOffsets = map[string]struct {
	isNil   int64
	blocked map[int]int64 // by minor release of Go 1
	nilWait State
	wait    State
}{
	"runtime.chanrecv": {
		isNil:   12,
		blocked: map[int]int64{21: 126, 22: 126, 23: 135, 24: 143, 25: 143, 26: 143, 27: 143},
		nilWait: StateChanReceiveNil, wait: StateChanReceive,
	},
	"runtime.chansend": {
		isNil:   5,
		blocked: map[int]int64{21: 99, 22: 99, 23: 99, 24: 107, 25: 107, 26: 107, 27: 107},
		nilWait: StateChanSendNil, wait: StateChanSend,
	},
}

// chanState tells the state of a goroutine that parks in a channel function
// of the runtime at the given distance from its start. Any distance that no
// release of the table has leaves the state unknown.
func chanState(fn string, offset int64) State {
	o := chanOffsets[fn]
	if offset == o.isNil {
		return o.nilWait
	}
	for _, b := range o.blocked {
		if b == offset {
			return o.wait
		}
	}
	return StateUnknown
}

// leafStates are the states that the name of a runtime function alone tells.
var leafStates = map[string]State{
	"runtime.selectgo":                   StateSelect,
	"runtime.block":                      StateSelectNoCases,
	"runtime.netpollblock":               StateIOWait,
	"runtime.notetsleepg":                StateSyscall,
	"runtime.cgocall":                    StateSyscall,
	"syscall.Syscall":                    StateSyscall,
	"syscall.Syscall6":                   StateSyscall,
	"runtime.coroswitch":                 StateCoroutine,
	"runtime.goroutineProfileWithLabels": StateRunning,
	"sync.runtime_notifyListWait":        StateCond,
	"time.Sleep":                         StateSleep,
}

// syncState tells which primitive of package sync a stack waits for, by the
// frame that the semaphore was called from.
func syncState(frames []Frame) State {
	for _, f := range frames {
		switch {
		case strings.HasPrefix(f.Func, "sync.(*WaitGroup).Wait"):
			return StateWaitGroup
		case strings.HasPrefix(f.Func, "sync.(*RWMutex).RLock"):
			return StateRWMutexR
		case strings.HasPrefix(f.Func, "sync.(*RWMutex).Lock"):
			return StateRWMutex
		case strings.HasPrefix(f.Func, "sync.(*Mutex).") || strings.HasPrefix(f.Func, "internal/sync.(*Mutex)."):
			return StateMutex
		case strings.HasPrefix(f.Func, "sync.(*Cond).Wait"):
			return StateCond
		case !isRuntime(f.Func):
			return StateUnknown
		}
	}
	return StateUnknown
}

// textState translates the state of a debug=2 header. Until Go 1.23 a wait for
// a WaitGroup is spelled "semacquire"; the frames tell what it is.
func textState(word string, frames []Frame) State {
	if word == string(StateSemacquire) {
		if s := syncState(frames); s != StateUnknown {
			return s
		}
	}
	return State(word)
}

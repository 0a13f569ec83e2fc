package main

import (
	"runtime"
	"sync"
)

const (
	stackCount      = 40
	shallow, depths = 8, 18 // calls of the shallowest stack, and how many depths there are
	leaking         = 70    // of a hundred goroutines, those in the first two stacks
)

// park starts n goroutines and returns when all have begun to wait.
func park(n int) {
	var begun sync.WaitGroup
	begun.Add(n)
	for i := range n {
		stack := 2 + i%(stackCount-2)
		if i%100 < leaking {
			stack = i % 2
		}
		q := &query{
			path:  uint64(stack+1) * 0x9e3779b97f4a7c15, // so that the bits of neighbours differ
			begun: &begun,
			wait:  waits[stack%len(waits)],
		}
		go q.run(shallow + stack*7%depths)
	}
	begun.Wait()
	runtime.Gosched()
}

// query is what a goroutine does: it calls down a path of its own and waits at
// its end.
type query struct {
	path  uint64
	begun *sync.WaitGroup
	wait  func()
}

// run calls down so many calls. Which they are, the bits of the path say.
//
//go:noinline
func (q *query) run(calls int) {
	if calls == 0 {
		q.begun.Done()
		q.wait()
		return
	}
	switch q.path >> calls & 3 {
	case 0:
		proxyStoreSeries(q, calls-1)
	case 1:
		(&respSet{q}).handleResponse(calls - 1)
	case 2:
		each(func() { q.run(calls - 1) })
	default:
		(&merger[string]{q, "series"}).next(calls - 1)
	}
}

//go:noinline
func proxyStoreSeries(q *query, calls int) { q.run(calls) }

type respSet struct{ q *query }

//go:noinline
func (r *respSet) handleResponse(calls int) { r.q.run(calls) }

//go:noinline
func each(do func()) { do() }

type merger[T any] struct {
	q   *query
	now T
}

//go:noinline
func (m *merger[T]) next(calls int) { m.q.run(calls) }

// shared is what the goroutines wait for. Nobody gives it, nor they each other.
var shared struct {
	sync.Mutex
	ready, taken, done chan struct{}
	finished           sync.WaitGroup
}

func init() {
	shared.ready, shared.taken, shared.done = make(chan struct{}), make(chan struct{}), make(chan struct{})
	shared.Lock()
	shared.finished.Add(1)
}

// waits are the ways to wait: a receive, a send, a select, a lock, and others.
var waits = []func(){
	func() { <-shared.ready },
	func() { shared.taken <- struct{}{} },
	func() {
		select {
		case <-shared.ready:
		case <-shared.done:
		}
	},
	shared.Lock,
	shared.finished.Wait,
}

// Package stacks parks goroutines in stacks whose functions and files have names
// about as long as those of Thanos.
package stacks

import (
	"context"
	"runtime"
	"runtime/metrics"
	"sync"
)

const (
	stackCount      = 40
	shallow, depths = 4, 9 // steps of the shallowest stack, each of two calls or three, and how many depths there are
	leaking         = 70   // of a hundred goroutines, those in the first two stacks
)

// Park starts n goroutines and returns when all wait: the stack of one that is
// on its way there, inside Mutex.Lock say, is another than that which it waits in.
func Park(n int) {
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
		go q.run(context.Background(), []string{"__name__", "cluster"}, shallow+stack*7%depths)
	}
	begun.Wait()
	for !allWait() {
		runtime.Gosched()
	}
}

// allWait says whether no goroutine but the one that asks runs, or is about to.
func allWait() bool {
	s := []metrics.Sample{
		{Name: "/sched/goroutines/running:goroutines"},
		{Name: "/sched/goroutines/runnable:goroutines"},
	}
	metrics.Read(s)
	return s[0].Value.Uint64() <= 1 && s[1].Value.Uint64() == 0
}

// query is what a goroutine does: it calls down a path of its own and waits at
// its end. Contexts and matchers only pass through, as they do in a querier: a
// dump shows them.
type query struct {
	path  uint64
	begun *sync.WaitGroup
	wait  func()
}

// run calls down so many steps. Which they are, the bits of the path say.
//
//go:noinline
func (q *query) run(ctx context.Context, matchers []string, steps int) {
	if steps == 0 {
		q.begun.Done()
		q.wait()
		return
	}
	switch q.path >> (2 * steps) & 3 {
	case 0:
		proxyStoreSeries(ctx, q, matchers, steps-1)
	case 1:
		(&respSet{q}).handleResponse(ctx, matchers, steps-1)
	case 2:
		each(matchers, func() { q.run(ctx, matchers, steps-1) })
	default:
		(&merger[string]{q, matchers[0]}).next(ctx, matchers, steps-1)
	}
}

//go:noinline
func proxyStoreSeries(ctx context.Context, q *query, matchers []string, steps int) {
	q.run(ctx, matchers, steps)
}

type respSet struct{ q *query }

//go:noinline
func (r *respSet) handleResponse(ctx context.Context, matchers []string, steps int) {
	r.q.run(ctx, matchers, steps)
}

//go:noinline
func each(_ []string, do func()) { do() }

type merger[T any] struct {
	q   *query
	now T
}

//go:noinline
func (m *merger[T]) next(ctx context.Context, matchers []string, steps int) {
	m.q.run(ctx, matchers, steps)
}

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

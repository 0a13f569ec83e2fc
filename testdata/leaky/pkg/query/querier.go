// Package query stands for the querier of Thanos: a goroutine per select and
// a lazy set that waits for it.
package query

import (
	"context"

	"github.com/thanos-io/thanos/pkg/store"
)

type querier struct{ proxy *store.ProxyStore }

// NewQuerier returns a querier over the proxy.
func NewQuerier(proxy *store.ProxyStore) interface {
	Select(ctx context.Context, leak bool, stuck func()) interface{ Next() bool }
} {
	return &querier{proxy: proxy}
}

// Select starts a query and returns at once.
func (q *querier) Select(ctx context.Context, leak bool, stuck func()) interface{ Next() bool } {
	promise := make(chan int, 1)
	go func() {
		promise <- q.selectFn(ctx, leak, stuck)
	}()
	return &lazySeriesSet{create: func() int {
		n := <-promise
		return n
	}}
}

//go:noinline
func (q *querier) selectFn(ctx context.Context, leak bool, stuck func()) int {
	n := q.proxy.Series(ctx, leak, stuck)
	return n
}

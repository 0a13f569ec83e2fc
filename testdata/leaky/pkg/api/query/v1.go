// Package v1 stands for the query API of Thanos. Its folder is pkg/api/query,
// as there, so that its symbols are spelled alike.
package v1

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"sync/atomic"
)

const answer = `{"status":"success","data":{"resultType":"vector","result":[]}}` + "\n"

// Querier is the part of package query that the API needs.
type Querier interface {
	Select(ctx context.Context, leak bool, stuck func()) interface{ Next() bool }
}

// QueryAPI serves queries.
type QueryAPI struct {
	querier Querier
	every   int64
	queries atomic.Int64
}

// NewQueryAPI returns an API of which every n-th query, beginning with the
// n-th, leaks; none if n is 0.
func NewQueryAPI(q Querier, every int) *QueryAPI { return &QueryAPI{querier: q, every: int64(every)} }

// Query serves /api/v1/query, which leaks now and then.
func (a *QueryAPI) Query(w http.ResponseWriter, r *http.Request) {
	n := a.queries.Add(1)
	a.query(w, r, a.every > 0 && n%a.every == 0)
}

// QueryRange serves /api/v1/query_range, which always leaks.
func (a *QueryAPI) QueryRange(w http.ResponseWriter, r *http.Request) { a.query(w, r, true) }

// query answers as soon as the query is done or is known to be stuck. A real
// querier would let the client wait; here it has its answer, so that tests can
// go on, and the handler stays as it stays in Thanos when the client gives up.
//
//go:noinline
func (a *QueryAPI) query(w http.ResponseWriter, r *http.Request, leak bool) {
	stuck := make(chan struct{})
	set := a.querier.Select(context.WithoutCancel(r.Context()), leak, func() { close(stuck) })
	if leak {
		<-stuck
		// The connection cannot serve another request while its handler
		// is stuck.
		w.Header().Set("Connection", "close")
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
	if _, err := io.WriteString(w, answer); err != nil {
		return
	}
	if f, ok := w.(http.Flusher); ok {
		f.Flush()
	}
	for set.Next() {
	}
}

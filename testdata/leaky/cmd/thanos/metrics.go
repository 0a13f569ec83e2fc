package main

import (
	"fmt"
	"net/http"
	"runtime"
	"sync"
	"time"
)

// metrics is a /metrics page written by hand: the families that are read, and
// labels that are not.
type metrics struct {
	start time.Time
	// silent says that each query counts as one whose store fell silent.
	silent bool

	mu       sync.Mutex
	handlers map[string]*requests
}

// requests counts those of one handler.
type requests struct{ inFlight, done int }

func newMetrics(silent bool) *metrics {
	return &metrics{
		start:    time.Now(),
		silent:   silent,
		handlers: map[string]*requests{"query": {}, "query_range": {}},
	}
}

// instrument counts the requests of a handler. Thanos counts a request when
// it is done, so one that is stuck stays in flight for ever.
func (m *metrics) instrument(name string, next http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		m.count(name, 1, 0)
		defer m.count(name, -1, 1)
		next(w, r)
	})
}

func (m *metrics) count(name string, inFlight, done int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.handlers[name].inFlight += inFlight
	m.handlers[name].done += done
}

// ServeHTTP writes the page.
func (m *metrics) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	m.mu.Lock()
	defer m.mu.Unlock()
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	fmt.Fprintf(w, "# HELP go_goroutines Number of goroutines that currently exist.\n# TYPE go_goroutines gauge\ngo_goroutines %d\n", runtime.NumGoroutine())
	fmt.Fprintf(w, "# TYPE go_info gauge\ngo_info{version=%q} 1\n", runtime.Version())
	fmt.Fprintf(w, "# TYPE go_memstats_stack_inuse_bytes gauge\ngo_memstats_stack_inuse_bytes %d\n", mem.StackInuse)
	fmt.Fprintf(w, "# TYPE go_memstats_heap_inuse_bytes gauge\ngo_memstats_heap_inuse_bytes %d\n", mem.HeapInuse)
	fmt.Fprintf(w, "# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds %.2f\n", float64(m.start.UnixMilli())/1000)
	fmt.Fprintf(w, "# TYPE thanos_build_info gauge\nthanos_build_info{branch=\"HEAD\",goarch=%q,goos=%q,goversion=%q,revision=\"086a698b2195adb6f3463ebbd032e780f39d2050\",tags=\"canary-tags\",version=\"0.35.1\"} 1\n",
		runtime.GOARCH, runtime.GOOS, runtime.Version())
	fmt.Fprintf(w, "# TYPE http_inflight_requests gauge\n")
	for _, h := range []string{"query", "query_range"} {
		fmt.Fprintf(w, "http_inflight_requests{handler=%q,method=\"get\",tenant=\"canary-tenant\"} %d\n", h, m.handlers[h].inFlight)
	}
	fmt.Fprintf(w, "# TYPE http_requests_total counter\n")
	for _, h := range []string{"query", "query_range"} {
		fmt.Fprintf(w, "http_requests_total{code=\"200\",handler=%q,method=\"get\",tenant=\"canary-tenant\"} %d\n", h, m.handlers[h].done)
	}
	if m.silent {
		fmt.Fprintf(w, "# TYPE grpc_client_handled_total counter\n")
		fmt.Fprintf(w, "grpc_client_handled_total{grpc_code=\"Canceled\",grpc_method=\"Series\",grpc_service=\"thanos.Store\",grpc_type=\"server_stream\"} %d\n", m.handlers["query"].done)
	}
}

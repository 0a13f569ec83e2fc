package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/pprof"
	"slices"
	"time"

	v1 "github.com/thanos-io/thanos/pkg/api/query"
	"github.com/thanos-io/thanos/pkg/query"
	"github.com/thanos-io/thanos/pkg/store"
)

// runQuery serves until ctx ends. Its name tells the component: it stands in
// the stack of the goroutine that accepts connections.
func runQuery(ctx context.Context, o options, stdout io.Writer) error {
	if !slices.Contains([]string{"nilchan", "send", "reply", "none"}, o.leak) {
		return fmt.Errorf("-leak is nilchan, send, reply or none, not %q", o.leak)
	}
	l, err := net.Listen("tcp", o.listen)
	if err != nil {
		return err
	}
	srv := &http.Server{Handler: handler(o)}
	served := make(chan error, 1)
	go func() {
		served <- srv.Serve(l)
	}()
	base := "http://" + l.Addr().String()
	if o.idle {
		go waitForNobody()
		go waitForBackground()
	}
	if err := leakTimes(ctx, base, o.n); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(stdout, base); err != nil {
		return err
	}
	if o.each > 0 {
		go leakEach(ctx, base, o.each)
	}
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
		// Handlers that are stuck never end: nothing to wait for.
		return srv.Close()
	}
}

func waitForNobody() { select {} }

func waitForBackground() { <-context.Background().Done() }

// leakEach leaks by the clock until ctx ends.
func leakEach(ctx context.Context, base string, each time.Duration) {
	tick := time.NewTicker(each)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if err := leakTimes(ctx, base, 1); err != nil {
				return
			}
		case <-ctx.Done():
			return
		}
	}
}

// leakTimes leaks as clients do, so that the stacks are the same.
func leakTimes(ctx context.Context, base string, n int) error {
	transport := &http.Transport{DisableKeepAlives: true}
	client := &http.Client{Transport: transport}
	for range n {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/api/v1/query_range", nil)
		if err != nil {
			return err
		}
		resp, err := client.Do(req)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, resp.Body)
		if cerr := resp.Body.Close(); err == nil {
			err = cerr
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// handler serves what a querier serves, as far as a diagnostic looks at it.
func handler(o options) http.Handler {
	every := o.every
	if o.leak == "none" {
		every = 0
	}
	api := v1.NewQueryAPI(query.NewQuerier(&store.ProxyStore{Leak: o.leak}), every)
	queryRange := api.QueryRange
	if o.leak == "none" {
		queryRange = api.Query
	}
	m := newMetrics(o.silent)
	mux := http.NewServeMux()
	mux.Handle("GET /api/v1/query", m.instrument("query", api.Query))
	mux.Handle("GET /api/v1/query_range", m.instrument("query_range", queryRange))
	mux.Handle("GET /api/v1/status/buildinfo", fixed(buildInfo))
	mux.Handle("GET /api/v1/status/flags", fixed(flags))
	mux.Handle("GET /api/v1/stores", fixed(stores))
	mux.Handle("GET /metrics", m)
	mux.HandleFunc("GET /-/healthy", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	return mux
}

// fixed serves a JSON document.
func fixed(document string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, document)
	})
}

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"

	"github.com/thanosleak/thanosleak/classify"
	"github.com/thanosleak/thanosleak/report"
)

// board is what serve shows. It is safe for use by several goroutines.
type board struct {
	run  report.Run // before the first round
	last atomic.Pointer[published]

	told string // the last complaint, which is said once
}

// published is the result of a round, as it is served.
type published struct{ metrics, page []byte }

// show makes the result the one that is served.
func (b *board) show(run report.Run, r *classify.Result) {
	var metrics, page bytes.Buffer
	err := errors.Join(report.Prometheus(&metrics, run, r, report.TextOptions{}), report.HTML(&page, run, r, report.TextOptions{}))
	if err != nil {
		panic(err) // a buffer takes everything, and the templates are tested
	}
	b.last.Store(&published{metrics.Bytes(), page.Bytes()})
}

// complain says what failed in a round, unless it was said for the last one.
func (b *board) complain(std streams, failures ...error) {
	text := ""
	if err := errors.Join(failures...); err != nil {
		text = err.Error()
	}
	if text != "" && text != b.told {
		fmt.Fprintf(std.err, "thanosleak: %s\n", text)
	}
	b.told = text
}

func (b *board) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) { say(w, "OK\n") })
	mux.HandleFunc("GET /-/ready", func(w http.ResponseWriter, _ *http.Request) {
		if b.last.Load() == nil {
			http.Error(w, "the first round is under way", http.StatusServiceUnavailable)
			return
		}
		say(w, "OK\n")
	})
	mux.HandleFunc("GET /metrics", b.metrics)
	mux.HandleFunc("GET /{$}", b.page)
	return mux
}

func (b *board) metrics(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	if p := b.last.Load(); p != nil {
		say(w, string(p.metrics))
		return
	}
	_ = report.Prometheus(w, b.run, &classify.Result{}, report.TextOptions{}) // who reads has gone: nobody to tell
}

func (b *board) page(w http.ResponseWriter, _ *http.Request) {
	p := b.last.Load()
	if p == nil {
		http.Error(w, "The first round is under way. Load this page again in a moment.", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	w.Header().Set("Refresh", "60")
	say(w, string(p.page))
}

// say writes a body. Who reads may have gone, and nobody is left to tell.
func say(w io.Writer, text string) { _, _ = io.WriteString(w, text) }

package main

import (
	"encoding/json"
	"math"
	"net/http"
	"runtime/metrics"
	"time"
)

// Standstill is what GET /measure returns: how the process stood still since
// POST /measure.
type Standstill struct {
	Pauses       uint64  // stop-the-world pauses that no garbage collection made
	TotalSeconds float64 // of them; at most, for the runtime counts them in ranges (/sched/pauses/total/other:seconds)
	GCSeconds    float64 // of the pauses of garbage collections, at most
	GapSeconds   float64 // the longest time in which a goroutine that sleeps 200 µs did not run
}

// meter measures between two requests. One measurement at a time.
type meter struct {
	before pauses
	end    chan struct{}
	gap    chan time.Duration
}

func (m *meter) start(http.ResponseWriter, *http.Request) {
	m.end, m.gap = make(chan struct{}), make(chan time.Duration)
	go tick(m.end, m.gap)
	m.before = readPauses()
}

func (m *meter) stop(w http.ResponseWriter, _ *http.Request) {
	after := readPauses()
	close(m.end)
	s := Standstill{GapSeconds: (<-m.gap).Seconds()}
	s.Pauses, s.TotalSeconds = since(m.before.other, after.other)
	_, s.GCSeconds = since(m.before.gc, after.gc)
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(s) // the reader has gone
}

// tick sends the longest time between two of its turns, when it is told to end.
func tick(end <-chan struct{}, longest chan<- time.Duration) {
	ticker := time.NewTicker(200 * time.Microsecond)
	defer ticker.Stop()
	var gap time.Duration
	for last := time.Now(); ; {
		select {
		case <-end:
			longest <- gap
			return
		case <-ticker.C:
			now := time.Now()
			gap = max(gap, now.Sub(last))
			last = now
		}
	}
}

// pauses are histograms of the runtime over the life of the process.
type pauses struct {
	other, gc *metrics.Float64Histogram
}

// readPauses stops nothing, unlike runtime.ReadMemStats.
func readPauses() pauses {
	s := []metrics.Sample{{Name: "/sched/pauses/total/other:seconds"}, {Name: "/sched/pauses/total/gc:seconds"}}
	metrics.Read(s)
	return pauses{s[0].Value.Float64Histogram(), s[1].Value.Float64Histogram()}
}

// since counts the pauses between two readings, and adds the upper bounds of
// the ranges that they are in.
func since(before, after *metrics.Float64Histogram) (n uint64, seconds float64) {
	for i := range after.Counts {
		more := after.Counts[i] - before.Counts[i]
		bound := after.Buckets[i+1]
		if math.IsInf(bound, 1) {
			bound = after.Buckets[i]
		}
		if more > 0 {
			n += more
			seconds += float64(more) * bound
		}
	}
	return n, seconds
}

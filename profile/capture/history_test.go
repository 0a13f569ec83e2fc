package capture

import (
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/thanosleak/thanosleak/profile/capture/capturetest"
)

// A week of samples by a cron of 15 minutes.
const (
	historySamples = 672
	historyStep    = 15 * time.Minute
)

// history writes a capture of one target with n samples, step apart, and
// returns its folder: those of a leaking querier, spread over the whole time.
func history(tb testing.TB, n int, step time.Duration) string {
	return capturetest.History{
		Archive: filepath.Join("..", "..", "testdata", "captures", "v0.35.1-go121-slowstore-eager.tar.gz"),
		Process: "upper",
		Start:   start,
		Step:    step,
		Samples: n,
	}.Write(tb)
}

// BenchmarkHistory reads a week of one target.
func BenchmarkHistory(b *testing.B) {
	dir := history(b, historySamples, historyStep)
	b.ReportAllocs()
	for b.Loop() {
		openHistory(b, dir)
	}
}

// BenchmarkRetained measures what a sample takes in memory that is kept.
func BenchmarkRetained(b *testing.B) {
	dir := history(b, historySamples, historyStep)
	for b.Loop() {
		b.ReportMetric(retained(b, dir), "B/sample")
	}
}

// TestRetained holds what a sample takes against what a scan of a thousand
// targets can afford.
func TestRetained(t *testing.T) {
	const most = 25 << 10
	if got := retained(t, history(t, 100, historyStep)); got > most {
		t.Errorf("%.0f bytes a sample, want at most %d", got, most)
	}
}

// retained returns the bytes that a sample of the history takes in memory.
func retained(tb testing.TB, dir string) float64 {
	tb.Helper()
	inUse := func() uint64 {
		runtime.GC()
		runtime.GC() // empties what pools keep
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := inUse()
	in := openHistory(tb, dir)
	after := inUse()
	n := len(in.Targets[0].Samples)
	runtime.KeepAlive(in)
	return (float64(after) - float64(before)) / float64(n)
}

// openHistory reads all of a history.
func openHistory(tb testing.TB, dir string) *Input {
	tb.Helper()
	in, err := Open([]string{dir}, nil, Options{Flags: allFlags})
	if err != nil {
		tb.Fatal(err)
	}
	return in
}

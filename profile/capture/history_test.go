package capture

import (
	"bytes"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	pprof "github.com/google/pprof/profile"
)

// A week of samples by a cron of 15 minutes.
const (
	historySamples = 672
	historyStep    = 15 * time.Minute
)

// history writes a capture of one target with n samples, step apart, and
// returns its folder. They are those of a leaking querier, spread over the
// whole time: the goroutine profiles and the metrics of testdata under other
// names, with the times in them rewritten.
func history(tb testing.TB, n int, step time.Duration) string {
	tb.Helper()
	const source = "v0.35.1-go121-slowstore-eager"
	fsys := unpacked(tb, source)
	target := path.Join(source, "upper")
	profiles, err := fs.Glob(fsys, target+"/*.debug0.pb.gz")
	if err != nil || len(profiles) == 0 {
		tb.Fatalf("no profiles in %s: %v", source, err)
	}
	dir := filepath.Join(tb.TempDir(), "history")
	if err := os.MkdirAll(filepath.Join(dir, "q"), 0o755); err != nil {
		tb.Fatal(err)
	}
	write := func(name string, data []byte) {
		if err := os.WriteFile(filepath.Join(dir, "q", name), data, 0o644); err != nil {
			tb.Fatal(err)
		}
	}
	for i := range n {
		at := start.Add(time.Duration(i) * step)
		p := profiles[i*len(profiles)/n]
		write(at.Format(stampLayout)+".debug0.pb.gz", retimed(tb, fileOf(tb, fsys, p), at))
		write(at.Format(stampLayout)+".metrics.txt.gz", fileOf(tb, fsys, p[:len(p)-len("debug0.pb.gz")]+"metrics.txt.gz"))
	}
	for _, name := range []string{buildInfoFile, flagsFile, storesFile} {
		write(name, fileOf(tb, fsys, path.Join(target, name)))
	}
	return dir
}

// unpacked returns the files of an archive of testdata.
func unpacked(tb testing.TB, name string) fs.FS {
	tb.Helper()
	f, err := os.Open(filepath.Join("..", "..", "testdata", "captures", name+".tar.gz"))
	if err != nil {
		tb.Fatal(err)
	}
	defer f.Close()
	a, err := Unpack(f)
	if err != nil {
		tb.Fatal(err)
	}
	return a
}

func fileOf(tb testing.TB, fsys fs.FS, name string) []byte {
	tb.Helper()
	data, err := fs.ReadFile(fsys, name)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

// retimed returns a profile with another time in it.
func retimed(tb testing.TB, data []byte, at time.Time) []byte {
	tb.Helper()
	p, err := pprof.ParseData(data)
	if err != nil {
		tb.Fatal(err)
	}
	p.TimeNanos = at.UnixNano()
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
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

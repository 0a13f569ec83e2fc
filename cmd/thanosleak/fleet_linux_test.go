package main

import (
	"bytes"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// BenchmarkFleet scans a thousand processes, one of which is slow, in one round.
// It fails when that takes 150 MB or more; the time
// is given as a multiple of what the slow one takes.
func BenchmarkFleet(b *testing.B) {
	const size, slow = 1000, 5 * time.Second
	file := fleet(b, size, slow)
	for b.Loop() {
		c := thanosleak(b, "scan", "--target-file", file, "--samples", "1", "-o", "json="+filepath.Join(b.TempDir(), "result.json"))
		var out bytes.Buffer
		c.Stdout, c.Stderr = &out, &out
		started := time.Now()
		if err := c.Run(); err != nil {
			b.Fatalf("%v\n%s", err, out.String())
		}
		b.ReportMetric(float64(time.Since(started))/float64(slow), "times-slowest")
		mb := maxMemory(b, c.ProcessState)
		b.ReportMetric(mb, "MB")
		if mb >= 150 {
			b.Errorf("%.0f MB for %d targets, want less than 150", mb, size)
		}
	}
}

// maxMemory returns the most memory that a process had resident, in MB.
func maxMemory(b *testing.B, p *os.ProcessState) float64 {
	b.Helper()
	usage, ok := p.SysUsage().(*syscall.Rusage)
	if !ok {
		b.Fatal("the system does not tell how much memory a process took")
	}
	return float64(usage.Maxrss) * 1024 / 1e6
}

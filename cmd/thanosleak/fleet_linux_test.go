package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"
)

// BenchmarkFleet scans a thousand processes. It fails when that takes 150 MB or
// more. In a single round one of them is slow, and the time is given as a
// multiple of what that one takes.
func BenchmarkFleet(b *testing.B) {
	const size = 1000
	for samples, slow := range map[int]time.Duration{1: 5 * time.Second, 5: 0} {
		b.Run(fmt.Sprint("samples=", samples), func(b *testing.B) {
			file := fleet(b, size, slow)
			var longest, mb float64
			for b.Loop() {
				p := finished(b, thanosleak(b, "scan", "--target-file", file, "--samples", fmt.Sprint(samples), "--interval", "1s",
					"-o", "json="+filepath.Join(b.TempDir(), "result.json")))
				longest, mb = max(longest, p.took.Seconds()/slow.Seconds()), max(mb, p.mb)
			}
			b.ReportMetric(mb, "MB")
			if slow > 0 {
				b.ReportMetric(longest, "times-slowest")
			}
			if mb >= 150 {
				b.Errorf("%.0f MB for %d targets, want less than 150", mb, size)
			}
		})
	}
}

// process is one that has ended.
type process struct {
	took time.Duration
	mb   float64 // the most memory that it had resident, in MB
}

// finished runs a command that has to end with status 0 or one of these.
func finished(b *testing.B, c *exec.Cmd, statuses ...int) process {
	b.Helper()
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	started := time.Now()
	err := c.Run()
	p := process{took: time.Since(started)}
	if err != nil && !slices.Contains(statuses, c.ProcessState.ExitCode()) {
		b.Fatalf("%v\n%s", err, out.String())
	}
	p.mb = maxMemory(b, c.ProcessState)
	return p
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

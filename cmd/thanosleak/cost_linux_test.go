package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/thanosleak/thanosleak/profile/capture/capturetest"
)

// week is a capture of one target, a sample every 15 minutes: 672 are a week.
func week(tb testing.TB, samples, stacks int) string {
	return capturetest.History{
		Archive: "../../testdata/captures/v0.35.1-go121-slowstore-eager.tar.gz",
		Process: "upper",
		Start:   time.Date(2026, 11, 15, 0, 0, 0, 0, time.UTC),
		Step:    15 * time.Minute,
		Samples: samples,
		Stacks:  stacks,
	}.Write(tb)
}

// BenchmarkWeek reads and judges a week of one target, a tenth and ten times of
// it; and a tenth of it with ten and a hundred times as many stacks.
func BenchmarkWeek(b *testing.B) {
	for _, c := range []struct{ samples, stacks int }{{67, 1}, {672, 1}, {6720, 1}, {67, 10}, {67, 100}} {
		b.Run(fmt.Sprintf("samples=%d/stacks=%d", c.samples, c.stacks), func(b *testing.B) {
			dir := week(b, c.samples, c.stacks)
			var mb float64
			for b.Loop() {
				mb = max(mb, finished(b, thanosleak(b, "analyze", dir), exitFound).mb)
			}
			b.ReportMetric(mb, "MB")
		})
	}
}

// TestLinear: ten times as many samples, and ten times as many stacks, take
// about ten times as long, and not a hundred times.
func TestLinear(t *testing.T) {
	took := func(samples, stacks int) time.Duration {
		dir := week(t, samples, stacks)
		least := time.Hour
		for range 3 {
			started := time.Now()
			if out, err := thanosleak(t, "analyze", dir).CombinedOutput(); err != nil && !strings.Contains(string(out), "LEAK confirmed") {
				t.Fatalf("%v\n%s", err, out)
			}
			least = min(least, time.Since(started))
		}
		return least
	}
	one := took(40, 1)
	for name, more := range map[string]time.Duration{"samples": took(400, 1), "stacks": took(40, 10)} {
		if ratio := float64(more) / float64(one); ratio > 20 {
			t.Errorf("ten times as many %s took %.1f times as long: %v and %v", name, ratio, one, more)
		}
	}
}

// BenchmarkBinary starts the binary that is released, in turn with a program that
// does nothing, and weighs it.
func BenchmarkBinary(b *testing.B) {
	dir := b.TempDir()
	file, empty := filepath.Join(dir, "thanosleak"), filepath.Join(dir, "empty")
	source := empty + ".go"
	if err := os.WriteFile(source, []byte("package main\n\nfunc main() {}\n"), 0o644); err != nil {
		b.Fatal(err)
	}
	for _, build := range []*exec.Cmd{exec.Command("bash", "../../.ci/build", file), exec.Command("go", "build", "-o", empty, source)} {
		if out, err := build.CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
	}
	var starts [2][]time.Duration
	for b.Loop() {
		for range 25 {
			for i, c := range []*exec.Cmd{exec.Command(file, "--version"), exec.Command(empty)} {
				starts[i] = append(starts[i], finished(b, c).took)
			}
		}
	}
	for i, unit := range []string{"start-ms", "empty-ms"} {
		slices.Sort(starts[i])
		b.ReportMetric(starts[i][len(starts[i])/2].Seconds()*1000, unit)
	}
	info, err := os.Stat(file)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(info.Size())/1e6, "MB")
}

// BenchmarkStandstill measures what a scan costs a process, which stands beside
// it on the same machine: how long it stood still, and how long a goroutine in it
// did not run. A scan has the default six samples, a second apart; idle is as
// long a time without one.
func BenchmarkStandstill(b *testing.B) {
	bin := filepath.Join(b.TempDir(), "parked")
	if out, err := exec.Command("go", "build", "-o", bin, "../../testdata/parked").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	for _, goroutines := range []int{500, 2_000, 10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprint("goroutines=", goroutines), func(b *testing.B) {
			url := startParked(b, bin, goroutines)
			standstill(b, url, "idle", nil)
			standstill(b, url, "scan", []string{"--samples", "6", "--interval", "1s"})
			standstill(b, url, "scan-force", []string{"--samples", "6", "--interval", "1s", "--force", "--timeout", "5m"})
			standstill(b, url, "full", []string{"--samples", "1", "--full-stacks", "once"})
			standstill(b, url, "full-force", []string{"--samples", "1", "--full-stacks", "once", "--force", "--timeout", "5m"})
		})
	}
}

// standstill measures the process during a scan with these flags, or without one.
func standstill(b *testing.B, url, name string, flags []string) {
	b.Run(name, func(b *testing.B) {
		var s struct {
			Pauses                              uint64
			TotalSeconds, GCSeconds, GapSeconds float64
		}
		for b.Loop() {
			measure(b, http.MethodPost, url, nil)
			if flags == nil {
				time.Sleep(5 * time.Second)
			} else {
				finished(b, thanosleak(b, append([]string{"scan", url}, flags...)...), exitFailed)
			}
			measure(b, http.MethodGet, url, &s)
		}
		b.ReportMetric(float64(s.Pauses), "pauses")
		b.ReportMetric(s.TotalSeconds*1000, "stopped-ms")
		b.ReportMetric(s.GapSeconds*1000, "gap-ms")
	})
}

// measure asks a parked process to begin to measure, or for what it measured.
func measure(b *testing.B, method, url string, into any) {
	b.Helper()
	req, err := http.NewRequestWithContext(b.Context(), method, url+"/measure", nil)
	if err != nil {
		b.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	if into == nil {
		return
	}
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		b.Fatal(err)
	}
}

// startParked starts the process until the benchmark ends and returns its URL.
func startParked(b *testing.B, bin string, goroutines int) string {
	b.Helper()
	c := exec.Command(bin, "-goroutines", fmt.Sprint(goroutines))
	c.Stderr = os.Stderr
	out, err := c.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := c.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = c.Process.Kill() // it waits for nothing else
		_ = c.Wait()
	})
	address, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return "http://" + strings.TrimSpace(address)
}

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/thanosleak/thanosleak/profile"
)

// output is what a command writes while it runs.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// eventually polls until what is asked for is there.
func eventually(t *testing.T, what string, there func() bool) {
	t.Helper()
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !there() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("not within 20s: %s", what)
		}
	}
}

// get returns the status and the body of a page.
func get(t *testing.T, url string) (int, string) {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// served is a serve that runs until the test ends.
type served struct {
	out, errOut *output
	url         string
	stop        func() int // ends it and returns the exit status
}

func startServe(t *testing.T, args ...string) *served {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	s := &served{out: &output{}, errOut: &output{}}
	done := make(chan int, 1)
	go func() {
		done <- run(ctx, append([]string{"serve", "--http-address", "127.0.0.1:0", "--interval", "1s"}, args...), streams{out: s.out, err: s.errOut, env: os.Getenv})
	}()
	s.stop = sync.OnceValue(func() int { cancel(); return <-done })
	t.Cleanup(func() { s.stop() })
	at := regexp.MustCompile(`served at (http://\S+)`)
	eventually(t, "it serves", func() bool {
		m := at.FindStringSubmatch(s.errOut.String())
		if m != nil {
			s.url = m[1]
		}
		return m != nil
	})
	return s
}

// TestServe follows a leak that begins while a fleet is watched, in which a
// target comes and one goes.
func TestServe(t *testing.T) {
	leaking := recorded(t, "../../testdata/captures/v0.35.1-go121-slowstore-eager.tar.gz", "upper")
	leak, well := httptest.NewServer(leaking), httptest.NewServer(recorded(t, "../../testdata/captures/v0.36.1-slowstore-eager.tar.gz", "leaf"))
	defer leak.Close()
	defer well.Close()
	host := func(s *httptest.Server) string { return strings.TrimPrefix(s.URL, "http://") }
	file := filepath.Join(t.TempDir(), "targets.yml")
	list := func(targets string) {
		t.Helper()
		if err := os.WriteFile(file, []byte("- targets: ["+targets+"]\n  labels: {env: prod}\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	list(host(leak))
	dir := t.TempDir()
	s := startServe(t, "--target-file", file, "--dir", dir, "-o", "json="+dir+".json")
	eventually(t, "ready", func() bool { status, _ := get(t, s.url+"/-/ready"); return status == http.StatusOK })
	if status, _ := get(t, s.url+"/-/healthy"); status != http.StatusOK {
		t.Errorf("healthy: %d", status)
	}
	metrics := func(want string) func() bool {
		return func() bool { _, page := get(t, s.url+"/metrics"); return strings.Contains(page, want) }
	}
	eventually(t, "the leak in the metrics", metrics(fmt.Sprintf(`thanosleak_finding_level{target=%q,advisory="TL-2024-001",key="TL-2024-001",level="confirmed"} 1`, host(leak))))
	eventually(t, "the news", func() bool { return strings.Contains(s.out.String(), "thanosleak: new: LEAK confirmed TL-2024-001") })
	if _, page := get(t, s.url+"/"); !strings.Contains(page, "<title>LEAK") || !strings.Contains(page, "TL-2024-001") {
		t.Errorf("the page does not tell of the leak\n%s", page)
	}
	if status, _ := get(t, s.url+"/other"); status != http.StatusNotFound {
		t.Errorf("/other: %d", status)
	}
	list(host(well))
	eventually(t, "the new target", metrics(fmt.Sprintf("thanosleak_target_up{target=%q} 1", host(well))))
	eventually(t, "the old one is gone, and its leak with it", func() bool {
		_, page := get(t, s.url+"/metrics")
		return !strings.Contains(page, host(leak)) && !strings.Contains(page, "TL-2024-001")
	})
	if status := s.stop(); status != exitOK {
		t.Errorf("exit status %d\n%s", status, s.errOut.String())
	}
	if n := strings.Count(s.out.String(), "thanosleak: new:"); n != 1 {
		t.Errorf("told %d times\n%s", n, s.out.String())
	}
	if b, err := os.ReadFile(dir + ".json"); err != nil || !strings.Contains(string(b), `"env": "prod"`) {
		t.Errorf("the labels of the file are not in the JSON: %v\n%s", err, b)
	}
	if len(stems(t, dir, ".debug0.pb.gz")) < 3 {
		t.Error("the samples are not kept")
	}
}

// TestServeMistakes: what cannot work is told before anything is done.
func TestServeMistakes(t *testing.T) {
	taken := httptest.NewServer(http.NotFoundHandler())
	defer taken.Close()
	for _, tt := range []struct {
		args   []string
		status int
		want   string
	}{
		{[]string{"localhost:1"}, exitFailed, "Choose another address"},
		{[]string{"localhost:1", "--dir", "x.tar.gz"}, exitUsage, "not in an archive"},
		{[]string{"localhost:1", "--interval", "10ms"}, exitUsage, "at least 1s"},
		{nil, exitUsage, "needs a target"},
	} {
		var out, errOut strings.Builder
		args := append([]string{"serve", "--http-address", strings.TrimPrefix(taken.URL, "http://")}, tt.args...)
		if status := run(t.Context(), args, streams{out: &out, err: &errOut, env: os.Getenv}); status != tt.status || !strings.Contains(errOut.String(), tt.want) {
			t.Errorf("%q: status %d, %s", tt.args, status, errOut.String())
		}
	}
}

// TestThinned: days of samples every 10 seconds become a bounded number, with
// the newest hour whole, and the first of each process.
func TestThinned(t *testing.T) {
	start := time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
	var samples []profile.Sample
	process := func(started float64) profile.Metrics {
		return profile.Metrics{"process_start_time_seconds": {{Value: started}}}
	}
	old := process(1e9)
	for i := range 2 * 24 * 360 {
		if i == 5000 {
			old = process(1.5e9)
		}
		samples = append(samples, profile.Sample{Time: start.Add(time.Duration(i) * 10 * time.Second), Metrics: old})
		samples = thinned(trim(samples, 24*time.Hour))
		if len(samples) > 361+96+2 {
			t.Fatalf("%d samples after %s", len(samples), time.Duration(i)*10*time.Second)
		}
		if i == 6000 {
			first := samples[0].Metrics.Sum("process_start_time_seconds")
			if first != 1e9 {
				t.Errorf("the process before is forgotten: %v", first)
			}
		}
	}
	newest := samples[len(samples)-361:]
	if newest[360].Time.Sub(newest[0].Time) != time.Hour {
		t.Errorf("the newest hour spans %s", newest[360].Time.Sub(newest[0].Time))
	}
}

package scrape

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/thanosleak/thanosleak/profile"
)

func TestSample(t *testing.T) {
	p := newProcess(t)
	c := client(t, p.url, Options{})
	before := time.Now().Add(-time.Second)
	for range 3 {
		s, payload, err := c.Sample(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"/metrics", "/debug/pprof/goroutine?debug=0"}, p.asked()); diff != "" {
			t.Error("requests of one sample:", diff)
		}
		if s.Goroutines.Total < 2 || s.Goroutines.Encoding != profile.Debug0 || s.Leaked != nil {
			t.Errorf("goroutines %+v", s.Goroutines)
		}
		if s.Time.Before(before) || time.Since(s.Time) < 0 || s.Time.Location() != time.UTC {
			t.Errorf("time %v", s.Time)
		}
		if got := s.Metrics.Sum("go_goroutines"); got != 20 {
			t.Errorf("go_goroutines %v", got)
		}
		again, err := profile.Read(bytes.NewReader(payload.Debug0), profile.Options{GoVersion: "go1.26.8"})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(s.Goroutines, again[0]); diff != "" {
			t.Error("payload is not what was served:", diff)
		}
	}
	if p.conns != 1 {
		t.Errorf("%d connections, want a single one that is kept alive", p.conns)
	}
	if w := c.Warnings(); w != nil {
		t.Errorf("warnings %q", w)
	}
}

func TestSampleTime(t *testing.T) {
	// A profile without time_nanos: a single sample type, "goroutine", and one of
	// them.
	timeless := []byte("\x0a\x02\x08\x01\x12\x02\x10\x01\x32\x00\x32\x09goroutine")
	for _, tc := range []struct {
		name, date string
		want       time.Time
	}{
		{"from the Date header", "Sun, 22 Nov 2026 06:45:22 GMT", time.Date(2026, 11, 22, 6, 45, 22, 0, time.UTC)},
		{"from our clock", "long ago", time.Now()},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := newProcess(t)
			p.set("/debug/pprof/goroutine", func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Date", tc.date)
				_, _ = w.Write(timeless)
			})
			s, _, err := client(t, p.url, Options{}).Sample(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if d := s.Time.Sub(tc.want); d < 0 || d > time.Minute {
				t.Errorf("time %v, want %v", s.Time, tc.want)
			}
		})
	}
}

func TestGuard(t *testing.T) {
	for _, tc := range []struct {
		goroutines int
		force      bool
		refused    bool
	}{
		{MaxGoroutines, false, false},
		{MaxGoroutines + 1, false, true},
		{MaxGoroutines + 1, true, false},
	} {
		t.Run(fmt.Sprintf("%d force=%v", tc.goroutines, tc.force), func(t *testing.T) {
			p := newProcess(t)
			p.set("/metrics", page(metricsPage(tc.goroutines, "1.7e+09", "abc")))
			_, _, err := client(t, p.url, Options{Force: tc.force}).Sample(t.Context())
			if (err != nil) != tc.refused {
				t.Fatalf("error %v", err)
			}
			if tc.refused {
				contains(t, err.Error(), "500001 goroutines", "465 MB", "--force")
				if diff := cmp.Diff([]string{"/metrics"}, p.asked()); diff != "" {
					t.Error("requests:", diff)
				}
			}
		})
	}
}

func TestMetricsAreMissing(t *testing.T) {
	for _, tc := range []struct {
		name    string
		metrics http.HandlerFunc
		why     string
	}{
		{"not served", nil, "404 Not Found"},
		{"an error", status(500, "boom"), "500 Internal Server Error: boom"},
		{"of another program", page("ruby_threads 3\n"), "without metrics of a Go process"},
		{"garbage", page("go_goroutines \x00\xff{{\n"), "Prometheus text format"},
		{"breaks off", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			fmt.Fprint(w, "go_goroutines 5\n")
		}, "broke 16 bytes into the answer"},
		{"wrongly encoded", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			fmt.Fprint(w, "go_goroutines 5\n")
		}, "says that its answer is compressed"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := newProcess(t)
			p.set("/metrics", tc.metrics)
			c := client(t, p.url, Options{})
			for range 2 {
				s, _, err := c.Sample(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if s.Metrics != nil || s.Goroutines.Total == 0 {
					t.Errorf("metrics %v, %d goroutines", s.Metrics, s.Goroutines.Total)
				}
			}
			if len(c.Warnings()) != 1 {
				t.Fatalf("warnings %q, want one", c.Warnings())
			}
			contains(t, c.Warnings()[0], tc.why, "could not be checked")
		})
	}
}

func TestCompressedMetrics(t *testing.T) {
	p := newProcess(t)
	p.set("/metrics", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "gzip" {
			t.Errorf("Accept-Encoding %q", r.Header.Get("Accept-Encoding"))
		}
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(gzipped(t, []byte(metricsPage(20, "1.7e+09", "abc"))))
	})
	s, _, err := client(t, p.url, Options{}).Sample(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if s.Metrics.Sum("go_goroutines") != 20 {
		t.Errorf("metrics %v", s.Metrics)
	}
}

// A Thanos with --web.route-prefix=/thanos serves its UI there and its
// profiles at the root.
func TestPastedAddressOfRoutePrefix(t *testing.T) {
	p := newProcess(t)
	c := client(t, p.below("/thanos"), Options{})
	for _, want := range [][]string{
		{"/thanos/metrics", "/thanos/debug/pprof/goroutine?debug=0", "/metrics", "/debug/pprof/goroutine?debug=0"},
		{"/metrics", "/debug/pprof/goroutine?debug=0"},
	} {
		if _, _, err := c.Sample(t.Context()); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, p.asked()); diff != "" {
			t.Error(diff)
		}
	}
	if len(c.Warnings()) != 1 {
		t.Fatalf("warnings %q", c.Warnings())
	}
	contains(t, c.Warnings()[0], "Nothing is served below", "/thanos")
}

func TestProxyPrefix(t *testing.T) {
	p := newProcess(t)
	p.pages["/a/b/metrics"], p.pages["/a/b/debug/pprof/goroutine"] = p.pages["/metrics"], goroutines
	if _, _, err := client(t, p.below("/a/b/"), Options{}).Sample(t.Context()); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"/a/b/metrics", "/a/b/debug/pprof/goroutine?debug=0"}, p.asked()); diff != "" {
		t.Error(diff)
	}
}

// The root of the server may be another program with profiles of its own.
func TestAnotherProgramAtTheRootIsNotTaken(t *testing.T) {
	p := newProcess(t)
	p.set("/metrics", page("go_goroutines 5\n"))
	c := client(t, p.below("/thanos"), Options{})
	_, _, err := c.Sample(t.Context())
	if err == nil {
		t.Fatal("took the profile of another program")
	}
	contains(t, err.Error(), p.url.String()+"/thanos/debug/pprof/goroutine?debug=0 answers 404", "at the root of its HTTP port")
	if w := c.Warnings(); w != nil {
		t.Errorf("warnings %q", w)
	}
}

func TestGuardHoldsAtTheRoot(t *testing.T) {
	p := newProcess(t)
	p.set("/metrics", page(metricsPage(MaxGoroutines+1, "1.7e+09", "abc")))
	_, _, err := client(t, p.below("/thanos"), Options{}).Sample(t.Context())
	if err == nil {
		t.Fatal("no error")
	}
	contains(t, err.Error(), "500001 goroutines")
}

func TestBomb(t *testing.T) {
	bomb := gzipped(t, make([]byte, 24<<20))
	p := newProcess(t)
	p.set("/debug/pprof/goroutine", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(bomb) })
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, _, err := client(t, p.url, Options{}).Sample(t.Context())
	runtime.ReadMemStats(&after)
	if err == nil {
		t.Fatal("no error")
	}
	contains(t, err.Error(), "no goroutine profile", "more than 16 MiB")
	if took := after.TotalAlloc - before.TotalAlloc; took > 8<<20 {
		t.Errorf("took %d bytes of memory to refuse %d", took, len(bomb))
	}
}

// endless serves the text without end until the client has had enough.
func endless(header, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if header != "" {
			w.Header().Set("Content-Encoding", header)
		}
		chunk := []byte(strings.Repeat(text, 4096))
		for r.Context().Err() == nil {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}
}

func TestEndlessBodies(t *testing.T) {
	p := newProcess(t)
	p.set("/debug/pprof/goroutine", endless("", "goroutine 1 [running]:\n"))
	_, _, err := client(t, p.url, Options{}).Sample(t.Context())
	if err == nil {
		t.Fatal("no error")
	}
	contains(t, err.Error(), "more than 8192 KiB")
	p.api("")
	p.set("/api/v1/stores", endless("", " "))
	f, warnings, err := client(t, p.url, Options{}).Facts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if f.Version != "0.35.1" || f.Endpoints != nil || len(warnings) != 1 {
		t.Fatalf("facts %+v, warnings %q", f, warnings)
	}
	contains(t, warnings[0], "Endpoints are unknown", "more than 4096 KiB")
}

func TestLeakProfile(t *testing.T) {
	leak := bytes.Clone([]byte("\x0a\x02\x08\x01\x32\x00\x32\x0dgoroutineleak"))
	index := page("<html><a href='goroutineleak?debug=1'>goroutineleak</a></html>")
	serve := func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(leak) }
	for _, tc := range []struct {
		name           string
		index, profile http.HandlerFunc
		taken          bool
		warning        string
		requests       int // in two samples
	}{
		{"served", index, serve, true, "", 7},
		{"not in the index", page("<html>goroutine</html>"), serve, false, "Go 1.27, or with Go 1.26 and GOEXPERIMENT=goroutineleakprofile", 5},
		{"index not served", nil, serve, false, "404", 6},
		{"fails", index, status(500, "boom"), false, "500 Internal Server Error", 7},
		{"another profile", index, goroutines, false, "other goroutines", 7},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := newProcess(t)
			p.set("/debug/pprof/", tc.index)
			p.set("/debug/pprof/goroutineleak", tc.profile)
			c := client(t, p.url, Options{LeakProfile: true})
			for range 2 {
				s, payload, err := c.Sample(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				if got := s.Leaked != nil; got != tc.taken || bytes.Equal(payload.Leaked, leak) != tc.taken {
					t.Errorf("leaked %+v, payload %q", s.Leaked, payload.Leaked)
				}
			}
			asked := p.asked()
			if len(asked) != tc.requests {
				t.Errorf("%d requests, want %d: %q", len(asked), tc.requests, asked)
			}
			contains(t, strings.Join(c.Warnings(), "\n"), tc.warning)
			if want := tc.warning != ""; (len(c.Warnings()) == 1) != want {
				t.Errorf("warnings %q", c.Warnings())
			}
		})
	}
}

func TestSampleIsInterrupted(t *testing.T) {
	p := newProcess(t)
	arrived := make(chan struct{})
	p.set("/debug/pprof/goroutine", func(_ http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-r.Context().Done()
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-arrived
		cancel()
	}()
	_, _, err := client(t, p.url, Options{}).Sample(ctx)
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v", err)
	}
	contains(t, err.Error(), "target: interrupted")
}

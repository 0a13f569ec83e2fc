package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// TestSoakCatches: a leak of one goroutine in 50 requests is caught in three
// rounds, with or without others behind it, and the same process without it
// passes.
func TestSoakCatches(t *testing.T) {
	bin := builtLeaky(t, leakySource)
	for _, tt := range []struct {
		name   string
		leaky  []string
		status int
		rises  int // from rest to rest, at least
	}{
		{"one in 50", []string{"-leak", "send", "-every", "50"}, exitFound, 1},
		{"with two behind it", []string{"-leak", "reply", "-every", "50"}, exitFound, 3},
		{"without", []string{"-leak", "none"}, exitOK, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for n := range 3 {
				url := startLeaky(t, bin, tt.leaky...)
				cmd := thanosleak(t, "soak", url, "--settle", "450ms", "--interval", "20ms", "--", "load", url, "75")
				var out bytes.Buffer
				cmd.Stdout, cmd.Stderr = &out, &out
				_ = cmd.Run() // its status is looked at
				if got := cmd.ProcessState.ExitCode(); got != tt.status {
					t.Errorf("run %d: exit status %d, want %d\n%s", n+1, got, tt.status, out.String())
				}
				m := regexp.MustCompile(`(?m)^at rest: (\d+) → (\d+) → (\d+) → (\d+) `).FindStringSubmatch(out.String())
				for i := 2; i < len(m); i++ {
					before, _ := strconv.Atoi(m[i-1])
					now, _ := strconv.Atoi(m[i])
					if tt.rises == 0 && now != before || now < before+tt.rises {
						t.Errorf("run %d: %q", n+1, m[0])
					}
				}
				if m == nil {
					t.Errorf("run %d: no counts at rest\n%s", n+1, out.String())
				}
			}
		})
	}
}

// TestSoakInterrupted: an interrupt ends the load command and what it started,
// and what there is is judged as what it is, too little.
func TestSoakInterrupted(t *testing.T) {
	needShell(t)
	url := startLeaky(t, builtLeaky(t, leakySource), "-leak", "none")
	interruptedSoak(t, url, fmt.Sprintf("load %s -1; true", url), func(p *os.Process) error { return p.Signal(os.Interrupt) })
}

// TestSoakSignalledTwice: timeout(1) signals its child, and then its group. The load
// command takes its time to end, so that the second signal comes before the report.
func TestSoakSignalledTwice(t *testing.T) {
	needShell(t)
	url := startLeaky(t, builtLeaky(t, leakySource), "-leak", "none")
	interruptedSoak(t, url, `trap "" TERM; echo load begins >&2; sleep 1`, func(p *os.Process) error {
		time.AfterFunc(100*time.Millisecond, func() { _ = p.Signal(syscall.SIGTERM) })
		return p.Signal(syscall.SIGTERM)
	})
}

// TestSoakInterruptedAgain: a second Ctrl-C ends a load command that does not heed
// the first by force, and the report comes all the same.
func TestSoakInterruptedAgain(t *testing.T) {
	needShell(t)
	url := startLeaky(t, builtLeaky(t, leakySource), "-leak", "none")
	interruptedSoak(t, url, `trap "" TERM; echo load begins >&2; sleep 600`, func(p *os.Process) error {
		time.AfterFunc(signalPause+100*time.Millisecond, func() { _ = p.Signal(os.Interrupt) })
		return p.Signal(os.Interrupt)
	})
}

// interruptedSoak runs a soak, whose load command says "load …" when it begins, and
// stops it by then. It has to report that too little was seen.
func interruptedSoak(t *testing.T, url, load string, stop func(*os.Process) error) {
	t.Helper()
	cmd := thanosleak(t, "soak", url, "--settle", "10ms", "--interval", "10ms", "--dir", t.TempDir()+"/soak.tar.gz", "--", "sh", "-c", load)
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// The load command writes there as well: the end of it is the end of both.
	lines := bufio.NewScanner(stderr)
	begun := false
	var last string
	for lines.Scan() {
		last = lines.Text()
		if !begun && strings.HasPrefix(last, "load ") {
			begun = true
			if err := stop(cmd.Process); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Wait() // its status is looked at
	if got := cmd.ProcessState.ExitCode(); got != exitFailed {
		t.Errorf("exit status %d, want %d", got, exitFailed)
	}
	if !strings.HasPrefix(last, "artefacts: ") || !strings.HasSuffix(last, "soak.tar.gz") {
		t.Errorf("last line %q", last)
	}
	if !begun {
		t.Error("the load command did not begin")
	}
}

// TestSoakOfOneThatDies: no more load is put on a target that does not answer any
// more, and nothing is said of it that was not seen.
func TestSoakOfOneThatDies(t *testing.T) {
	process := recorded(t, "../../testdata/captures/v0.36.1-slowstore-eager.tar.gz", "leaf")
	var dead atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/v1/query" {
			dead.Store(true)
		}
		if dead.Load() {
			http.Error(w, "out of order", http.StatusServiceUnavailable)
			return
		}
		process.ServeHTTP(w, r)
	}))
	defer server.Close()
	junit := filepath.Join(t.TempDir(), "soak.xml")
	out, _ := thanosleak(t, "soak", server.URL, "-o", "text", "-o", "junit="+junit, "--settle", "10ms", "--interval", "10ms", "--", "load", server.URL, "2").CombinedOutput()
	text := string(out)
	for _, want := range []string{"0 goroutines in 0 targets, and no sample of 127.0.0.1", "gave no sample after round 1: did it crash?", "(exit status 3)",
		"cancelled (/metrics do not tell)"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not said\n%s", want, text)
		}
	}
	if strings.Contains(text, "did not happen") {
		t.Errorf("it is said that something did not happen\n%s", text)
	}
	cases, err := os.ReadFile(junit)
	if err != nil {
		t.Fatal(err)
	}
	if passed := regexp.MustCompile(`<testcase [^>]*name="(gives|no|enough) [^>]*></testcase>`).FindAll(cases, -1); len(passed) > 0 {
		t.Errorf("passed: %s", passed)
	}
	if strings.Contains(text, "round 2 of 3") {
		t.Errorf("more load was run\n%s", text)
	}
}

// TestLoadThatDoesNotStop: a command that does not heed SIGTERM is ended by
// force, and one that leaves processes behind does not hold up the soak.
func TestLoadThatDoesNotStop(t *testing.T) {
	needShell(t)
	var out bytes.Buffer
	started := time.Now()
	stopped, err := runLoad(t.Context(), &out, 1, time.Minute, []string{"sh", "-c", "sleep 600 & echo in round $THANOSLEAK_ROUND"})
	if stopped || err != nil || out.String() != "in round 1\n" {
		t.Errorf("left behind: %v, %v, %q", stopped, err, out.String())
	}
	if took := time.Since(started); took > 30*time.Second {
		t.Errorf("waited %s for what was left behind", took)
	}
	// What it started has its time to end as well.
	text, stopped, err := stoppedWhenReady(t, `(trap "echo flushed; exit" TERM; echo ready; while :; do sleep 0.01; done) & wait`)
	if !stopped || err == nil || !strings.Contains(text, "flushed\n") {
		t.Errorf("children: %v, %v, %q", stopped, err, text)
	}
	defer func(d time.Duration) { loadGrace = d }(loadGrace)
	loadGrace = 100 * time.Millisecond
	_, stopped, err = stoppedWhenReady(t, `trap "" TERM; echo ready; while :; do :; done`)
	if !stopped || err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("does not heed it: %v, %v", stopped, err)
	}
}

// stoppedWhenReady runs a script as load, and stops it when it prints "ready".
func stoppedWhenReady(t *testing.T, script string) (text string, stopped bool, err error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := &readyWriter{ready: cancel}
	stopped, err = runLoad(ctx, out, 1, time.Minute, []string{"sh", "-c", script})
	return out.text.String(), stopped, err
}

// readyWriter keeps what is written, and calls ready when "ready" is.
type readyWriter struct {
	text  bytes.Buffer
	ready func()
}

func (w *readyWriter) Write(p []byte) (int, error) {
	n, err := w.text.Write(p)
	if bytes.Contains(w.text.Bytes(), []byte("ready\n")) {
		w.ready()
	}
	return n, err
}

package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"regexp"
	"strconv"
	"strings"
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
	cmd := thanosleak(t, "soak", url, "--settle", "10ms", "--interval", "10ms", "--dir", t.TempDir()+"/soak.tar.gz", "--", "sh", "-c", fmt.Sprintf("load %s -1; true", url))
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
			if err := cmd.Process.Signal(os.Interrupt); err != nil {
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
	defer func(d time.Duration) { loadGrace = d }(loadGrace)
	loadGrace = 100 * time.Millisecond
	stopped, err = runLoad(t.Context(), &out, 1, 100*time.Millisecond, []string{"sh", "-c", `trap "" TERM; while :; do :; done`})
	if !stopped || err == nil || !strings.Contains(err.Error(), "killed") {
		t.Errorf("time is over: %v, %v", stopped, err)
	}
	// What it started has its time to end as well.
	out.Reset()
	if _, err := runLoad(t.Context(), &out, 1, 300*time.Millisecond, []string{"sh", "-c", `(trap "echo flushed; exit" TERM; while :; do sleep 0.01; done) & wait`}); err == nil || !strings.Contains(out.String(), "flushed\n") {
		t.Errorf("children: %v, %q", err, out.String())
	}
}

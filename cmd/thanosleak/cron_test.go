package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/pprof/profile"
)

// later serves a recorded process on a clock of its own: the profiles, which
// carry their time, are those of the recording with times that advance.
type later struct {
	*replay
	mu   sync.Mutex
	now  time.Time     // of the next profile
	step time.Duration // from one to the next
	// served is called when a profile has been served; nil for nothing.
	served func()
}

func newLater(t *testing.T, archive, process string, step time.Duration) *later {
	return &later{replay: recorded(t, "../../testdata/captures/"+archive+".tar.gz", process),
		now: time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC), step: step}
}

// onServed sets what is called when the next profile has been served.
func (l *later) onServed(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.served = f
}

func (l *later) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if req.URL.Path != "/debug/pprof/goroutine" {
		l.replay.ServeHTTP(w, req)
		return
	}
	raw, err := fs.ReadFile(l.fsys, l.folder+"/"+l.sample()+".debug0.pb.gz")
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	p, err := profile.ParseData(raw)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	l.mu.Lock()
	p.TimeNanos = l.now.UnixNano()
	l.now = l.now.Add(l.step)
	l.mu.Unlock()
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_, _ = w.Write(b.Bytes())
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.served != nil {
		l.served()
		l.served = nil
	}
}

// thanosleak prepares a run of the command as a process of its own.
func thanosleak(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	return thanosleakWithin(t.Context(), t, args...)
}

// thanosleakWithin prepares a run that is killed when ctx is done.
func thanosleakWithin(ctx context.Context, t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.CommandContext(ctx, self)
	c.Args = append([]string{"thanosleak"}, args...) // by this name testscript.Main runs main
	return c
}

// stems returns the samples in a folder that have a file of the kind.
func stems(t *testing.T, dir, kind string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "*", "*"+kind))
	if err != nil {
		t.Fatal(err)
	}
	for i := range found {
		found[i] = strings.TrimSuffix(filepath.Base(found[i]), kind)
	}
	slices.Sort(found)
	return found
}

// wholeSamples returns the samples in a folder and makes sure that each has all
// its files.
func wholeSamples(t *testing.T, dir string) []string {
	t.Helper()
	whole := stems(t, dir, ".debug0.pb.gz")
	metrics := stems(t, dir, ".metrics.txt.gz")
	for _, s := range whole {
		if !slices.Contains(metrics, s) {
			t.Fatalf("the sample %s has no metrics", s)
		}
	}
	return whole
}

// TestKilled runs a cron job that is killed again and again: whatever ended by
// itself has its sample, nothing is half there, no run refuses the folder, and
// what is found is what the samples that are left say.
func TestKilled(t *testing.T) {
	const runs, kills = 40, 10
	process := newLater(t, "v0.35.1-go121-slowstore-eager", "upper", 15*time.Minute)
	server := httptest.NewServer(process)
	defer server.Close()
	dir := filepath.Join(t.TempDir(), "kept")
	scan := func(ctx context.Context) *exec.Cmd {
		return thanosleakWithin(ctx, t, "scan", server.URL, "--samples", "1", "--dir", dir, "-q", "-o", "json="+dir+".json")
	}
	random := rand.New(rand.NewPCG(1, 2))
	kept, killed := 0, 0
	var usual, rest time.Duration // the shortest of a run, and of what follows the profile
	for n := range runs {
		ctx, cancel := context.WithCancel(t.Context())
		c := scan(ctx)
		var out bytes.Buffer
		c.Stdout, c.Stderr = &out, &out
		// One that ended before it was to be killed is made up for later.
		doomed := n > 0 && random.IntN(runs-n) < kills-killed
		killAfter := func(d time.Duration) { time.AfterFunc(time.Duration(random.Int64N(int64(d))), cancel) }
		served := make(chan time.Time, 1)
		process.onServed(func() {
			if doomed && n%2 == 0 {
				killAfter(rest) // while it writes and judges
			}
			served <- time.Now()
		})
		started := time.Now()
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		if doomed && n%2 == 1 {
			killAfter(usual)
		}
		_ = c.Wait() // the state says all
		cancel()
		whole := wholeSamples(t, dir)
		itself := c.ProcessState.Exited()
		switch code := c.ProcessState.ExitCode(); {
		case !itself:
			killed++
		case code != exitOK && code != exitFound:
			t.Fatalf("run %d: exit status %d\n%s", n, code, out.String())
		case n == 0 || time.Since(started) < usual:
			usual, rest = time.Since(started), time.Since(<-served)
		}
		if grown := len(whole) - kept; grown != 1 && (itself || grown != 0) {
			t.Fatalf("run %d, ended by itself %t: %d samples more", n, itself, grown)
		}
		kept = len(whole)
	}
	t.Logf("%d samples of %d runs, of which %d were killed", kept, runs, killed)
	if killed < kills-2 {
		t.Errorf("only %d runs were killed: the others ended before", killed)
	}
	profiles, err := filepath.Glob(filepath.Join(dir, "*", "*.debug0.pb.gz"))
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("go", append([]string{"tool", "pprof", "-top"}, profiles...)...).CombinedOutput(); err != nil {
		t.Errorf("go tool pprof does not open what is stored: %v\n%s", err, out)
	}
	control(t, dir)
}

// control holds what the last run found against a judgement of the same samples
// in a folder that nothing else ever happened to.
func control(t *testing.T, dir string) {
	t.Helper()
	clean := filepath.Join(t.TempDir(), "clean")
	if err := os.CopyFS(clean, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"seen.json", ".lock"} {
		if err := os.Remove(filepath.Join(clean, name)); err != nil {
			t.Error(err)
		}
	}
	c := thanosleak(t, "analyze", clean, "-o", "json="+clean+".json")
	if out, err := c.CombinedOutput(); err == nil {
		t.Fatalf("the control finds nothing\n%s", out)
	}
	want := levels(t, clean+".json")
	if diff := cmp.Diff(want, levels(t, dir+".json")); diff != "" || len(want) == 0 {
		t.Errorf("(-control +cron)\n%s", diff)
	}
}

// levels returns the levels of the findings in a JSON result by key.
func levels(t *testing.T, file string) map[string]string {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var r struct {
		Findings []struct{ Key, Level string }
	}
	if err := json.Unmarshal(b, &r); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, f := range r.Findings {
		all[f.Key] = f.Level
	}
	return all
}

package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/thanosleak/thanosleak/profile/capture"
)

// ran is what a run left.
type ran struct {
	status      int
	out, errOut string
}

func scanned(t *testing.T, args ...string) ran {
	t.Helper()
	var out, errOut strings.Builder
	status := run(t.Context(), append([]string{"scan"}, args...), streams{out: &out, err: &errOut, env: os.Getenv})
	return ran{status, out.String(), errOut.String()}
}

// says fails the test unless the status is right and everything that is wanted
// stands in one of the outputs.
func (r ran) says(t *testing.T, status int, wants ...string) {
	t.Helper()
	if r.status != status {
		t.Errorf("status %d, want %d", r.status, status)
	}
	flat := strings.Join(strings.Fields(r.out+r.errOut), " ")
	for _, w := range wants {
		if !strings.Contains(flat, w) {
			t.Errorf("does not say %q", w)
		}
	}
	if t.Failed() {
		t.Fatalf("%s%s", r.out, r.errOut)
	}
}

// TestOverlap begins a run while another one is at work.
func TestOverlap(t *testing.T) {
	dir := t.TempDir()
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked++ }))
	defer server.Close()
	first, err := capture.Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	scanned(t, server.URL, "--samples", "1", "--dir", dir, "-q").says(t, exitFailed, dir, "another thanosleak (process", "is writing to it", "nothing was scraped")
	if asked > 0 {
		t.Errorf("the target was asked %d times", asked)
	}
}

// TestDamagedHistory damages a profile and the memory of a folder, and puts
// somebody else's file into it: all is said, and the rest is used.
func TestDamagedHistory(t *testing.T) {
	process := newLater(t, "v0.36.1-slowstore-eager", "leaf", 15*time.Minute)
	server := httptest.NewServer(process)
	defer server.Close()
	dir := t.TempDir()
	for range 3 {
		scanned(t, server.URL, "--samples", "1", "--dir", dir, "-q").says(t, exitOK)
	}
	target := filepath.Join(dir, capture.Escape(strings.TrimPrefix(server.URL, "http://")))
	for name, content := range map[string]string{
		filepath.Join(target, "20261122T061500Z.debug0.pb.gz"): "\x1f\x8bdamaged",
		filepath.Join(target, "notes.txt"):                     "not mine\n",
		filepath.Join(dir, "seen.json"):                        "{",
	} {
		if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	scanned(t, server.URL, "--samples", "1", "--dir", dir).says(t, exitOK,
		"3 samples in 45m", "20261122T061500Z.debug0.pb.gz: passed over", "seen.json", "seen.json.damaged")
	if b, err := os.ReadFile(filepath.Join(dir, "seen.json.damaged")); string(b) != "{" {
		t.Errorf("the damaged memory was not kept: %q, %v", b, err)
	}
	scanned(t, server.URL, "--samples", "1", "--dir", dir, "-q").says(t, exitOK)
}

// TestForeignFailures scans into folders in which failures.json is somebody else's,
// or is cut: it is kept, and that is said once, also where no report is.
func TestForeignFailures(t *testing.T) {
	server := httptest.NewServer(newLater(t, "v0.36.1-slowstore-eager", "leaf", 15*time.Minute))
	defer server.Close()
	for _, content := range []string{`{"mine": 1}`, `{"schema": "thanosleak-failures/v1", "targ`} {
		for _, target := range []string{server.URL, "http://127.0.0.1:1"} { // which ends with none of its own, and with one
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "failures.json"), []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
			first := scanned(t, target, "--samples", "1", "--dir", dir, "-q")
			if !strings.Contains(first.errOut, "It stays as failures.json.damaged") {
				t.Errorf("nothing is said of %s:\n%s", content, first.errOut)
			}
			if b, err := os.ReadFile(filepath.Join(dir, "failures.json.damaged")); string(b) != content {
				t.Errorf("not kept: %q, %v", b, err)
			}
			if second := scanned(t, target, "--samples", "1", "--dir", dir, "-q"); strings.Contains(second.errOut, "damaged") {
				t.Errorf("said again:\n%s", second.errOut)
			}
		}
	}
}

// TestClockJumpsBack takes samples whose clock goes back by hours: what was
// kept stays, is not mixed with what comes, and nothing grows by it.
func TestClockJumpsBack(t *testing.T) {
	process := newLater(t, "v0.36.1-slowstore-eager", "leaf", 15*time.Minute)
	process.current = 0
	server := httptest.NewServer(process)
	defer server.Close()
	dir := t.TempDir()
	for range 12 {
		scanned(t, server.URL, "--samples", "1", "--dir", dir, "-q").says(t, exitOK)
	}
	process.now = process.now.Add(-5*time.Hour - 7*time.Minute)
	scanned(t, server.URL, "--samples", "1", "--dir", dir).says(t, exitOK, "1 sample", "jumped back", "12 earlier samples", "kept")
	for range 30 {
		scanned(t, server.URL, "--samples", "1", "--dir", dir, "-q").says(t, exitOK)
	}
	if kept := stems(t, dir, ".debug0.pb.gz"); len(kept) != 43 {
		t.Errorf("%d samples are kept, want all 43", len(kept))
	}
}

// TestOneClockAhead: the clock of one process costs the others neither their
// history nor what is kept of it.
func TestOneClockAhead(t *testing.T) {
	right := newLater(t, "v0.36.1-slowstore-eager", "leaf", 15*time.Minute)
	ahead := newLater(t, "v0.36.1-slowstore-eager", "upper", 15*time.Minute)
	ahead.now = ahead.now.AddDate(1, 0, 0)
	a, b := httptest.NewServer(right), httptest.NewServer(ahead)
	defer a.Close()
	defer b.Close()
	dir := t.TempDir()
	var last ran
	for range 8 {
		last = scanned(t, a.URL, b.URL, "--samples", "1", "--dir", dir, "--window", "1h", "--retention", "90m", "-o", "json="+dir+".json")
	}
	last.says(t, exitOK)
	if kept := stems(t, dir, ".debug0.pb.gz"); len(kept) != 7+8 {
		t.Errorf("%d samples are kept, want those of 90m of the one and all 8 of the other", len(kept))
	}
	var r struct{ Targets []struct{ Samples int } }
	if b, err := os.ReadFile(dir + ".json"); err != nil || json.Unmarshal(b, &r) != nil || len(r.Targets) != 2 || r.Targets[0].Samples != 5 || r.Targets[1].Samples != 5 {
		t.Errorf("%+v, %v: want 5 samples of each judged", r, err)
	}
}

// TestClockAheadOnce: a clock that ran ahead for one sample costs nothing of what
// was kept before, neither now nor when it is right again.
func TestClockAheadOnce(t *testing.T) {
	process := newLater(t, "v0.36.1-slowstore-eager", "leaf", 15*time.Minute)
	process.now = time.Now().UTC().Add(-12 * time.Hour)
	server := httptest.NewServer(process)
	defer server.Close()
	dir := t.TempDir()
	scan := func() ran { return scanned(t, server.URL, "--samples", "1", "--dir", dir) }
	for range 12 {
		scan()
	}
	right := process.now
	process.now = right.AddDate(0, 0, 10)
	scan()
	process.now = right
	scan().says(t, exitOK, "13 samples in 3h", "jumped back")
	if kept := stems(t, dir, ".debug0.pb.gz"); len(kept) != 14 {
		t.Errorf("%d samples are kept, want all 14", len(kept))
	}
}

// TestAddressUsedAgain lets a querier take the address of one that leaked, and
// a process go on at another address.
func TestAddressUsedAgain(t *testing.T) {
	leaking := newLater(t, "v0.35.1-go121-slowstore-eager", "upper", 15*time.Minute)
	leaking.current = len(leaking.stems) - 2
	other := newLater(t, "v0.36.1-slowstore-eager", "leaf", 15*time.Minute)
	var serving http.Handler = leaking
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { serving.ServeHTTP(w, r) }))
	defer server.Close()
	dir := t.TempDir()
	scan := func(url string) ran { return scanned(t, url, "--samples", "1", "--dir", dir) }
	for range 8 {
		scan(server.URL).says(t, exitFound)
	}
	other.now = leaking.now
	serving = other
	// What is known of the process before is not told of this one, which does
	// not say yet what it is.
	busy := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/api/") {
			http.Error(w, "busy", http.StatusServiceUnavailable)
			return
		}
		other.ServeHTTP(w, r)
	})
	serving = busy
	scan(server.URL).says(t, exitOK, "v0.36.1, which runs since")
	serving = other
	other.current--
	scan(server.URL).says(t, exitOK, "UNDECIDED", "TL-2024-001 was there up to 2026-11-22 07:45:00 UTC, in another release")

	// The pod moves: the same process answers elsewhere.
	elsewhere := httptest.NewServer(other)
	defer elsewhere.Close()
	for range 3 {
		scan(server.URL)
	}
	scan(elsewhere.URL).says(t, exitOK, "6 samples in 1h15m", "the process was watched as "+strings.TrimPrefix(server.URL, "http://")+" before")
}

// TestSeveralBehindOneAddress runs against an address behind which two processes
// answer in turn: that is told, by the runs of cron as well, and their counts
// make no growth.
func TestSeveralBehindOneAddress(t *testing.T) {
	processes := []*later{newLater(t, "v0.36.1-slowstore-eager", "leaf", time.Minute), newLater(t, "v0.36.1-slowstore-eager", "upper", time.Minute)}
	n := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { processes[n].ServeHTTP(w, r) }))
	defer server.Close()
	dir := t.TempDir()
	clock := processes[0].now
	scan := func(process int) ran {
		n, clock = process, clock.Add(time.Minute)
		processes[n].now = clock
		return scanned(t, server.URL, "--samples", "1", "--dir", dir)
	}
	scan(0).says(t, exitOK)
	scan(1).says(t, exitOK)
	scan(0).says(t, exitFailed, "several processes answer at this address in turn", "dns+HOST:PORT")
	for range inTurn { // the address leads to one process now
		scan(0)
	}
	scan(0).says(t, exitOK, "1 querier")
}

// TestUnwritable scans into folders that cannot be written to.
func TestUnwritable(t *testing.T) {
	server := httptest.NewServer(newLater(t, "v0.36.1-slowstore-eager", "leaf", time.Minute))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	scanned(t, server.URL, "--samples", "1", "-q", "--dir", file).says(t, exitFailed, "cannot write the capture "+file)
	dir := t.TempDir()
	scanned(t, server.URL, "--samples", "1", "-q", "--dir", dir).says(t, exitOK)
	// The memory cannot be replaced: samples are kept all the same.
	if err := os.Remove(filepath.Join(dir, "seen.json")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"seen.json", "seen.json.damaged"} {
		if err := os.MkdirAll(filepath.Join(dir, name, "full"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	scanned(t, server.URL, "--samples", "1", "-q", "--dir", dir).says(t, exitFailed, "seen.json")
	if kept := stems(t, dir, ".debug0.pb.gz"); len(kept) != 2 {
		t.Errorf("%d samples are kept, want 2", len(kept))
	}
}

// TestRetentionOfScan removes what is old, says so, and keeps what is judged.
func TestRetentionOfScan(t *testing.T) {
	process := newLater(t, "v0.36.1-slowstore-eager", "leaf", 15*time.Minute)
	server := httptest.NewServer(process)
	defer server.Close()
	dir := t.TempDir()
	var last ran
	for range 40 {
		last = scanned(t, server.URL, "--samples", "1", "--dir", dir, "--window", "1h", "--retention", "2h", "-o", "json="+dir+".json")
	}
	last.says(t, exitOK, "removed from "+dir+": 1 sample older than --retention")
	if kept := stems(t, dir, ".debug0.pb.gz"); len(kept) != 9 {
		t.Errorf("%d samples are kept, want 9: those of 2 hours", len(kept))
	}
	var r struct{ Targets []struct{ Samples int } }
	b, err := os.ReadFile(dir + ".json")
	if err == nil {
		err = json.Unmarshal(b, &r)
	}
	if err != nil || r.Targets[0].Samples != 5 {
		t.Errorf("%+v, %v: want 5 samples judged", r, err)
	}
	scanned(t, server.URL, "--dir", dir, "--window", "3h", "--retention", "2h").says(t, exitUsage, "shorter than --window")
}

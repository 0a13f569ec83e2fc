package profile

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// leaky is a running process of testdata/leaky.
type leaky struct {
	base   string
	client *http.Client
	cmd    *exec.Cmd
	stdin  io.Closer
}

// buildLeaky builds the process that leaks on purpose; it is a module of its
// own without dependencies.
func buildLeaky(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "leaky.exe")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "./cmd/thanos")
	cmd.Dir = "../testdata/leaky"
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build of testdata/leaky: %v\n%s", err, out)
	}
	return binary
}

// startLeaky starts the binary and waits for its address.
func startLeaky(t *testing.T, binary string, args ...string) *leaky {
	t.Helper()
	cmd := exec.Command(binary, args...)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &leaky{client: &http.Client{Transport: &http.Transport{}}, cmd: cmd, stdin: stdin}
	t.Cleanup(func() {
		p.client.CloseIdleConnections()
		stdin.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("it does not stop in peace: %v", err)
		}
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("no address: %v", err)
	}
	p.base = strings.TrimSpace(line)
	return p
}

// get hands the body of an answer to read.
func (p *leaky) get(t *testing.T, path string, read func(io.Reader) error) {
	t.Helper()
	resp, err := p.client.Get(p.base + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s", path, resp.Status)
	}
	if err := read(resp.Body); err != nil {
		t.Fatalf("GET %s: %v", path, err)
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Fatal(err)
	}
}

func (p *leaky) dump(t *testing.T, debug int) *Snapshot {
	t.Helper()
	var s *Snapshot
	p.get(t, fmt.Sprintf("/debug/pprof/goroutine?debug=%d", debug), func(r io.Reader) error {
		snaps, err := Read(r, Options{})
		if err == nil {
			s = only(t, snaps)
		}
		return err
	})
	return s
}

// quiet takes the three encodings once the process has come to rest: a dump
// before them and one behind show the same, and nothing in it runs or writes.
func (p *leaky) quiet(t *testing.T) [3]*Snapshot {
	t.Helper()
	for range 1000 {
		before := programGroups(p.dump(t, 2), true)
		dumps := [3]*Snapshot{p.dump(t, 0), p.dump(t, 1), p.dump(t, 2)}
		if !movingProgram(before) && cmp.Equal(before, programGroups(dumps[2], true)) {
			return dumps
		}
	}
	t.Fatal("the process does not come to rest")
	return [3]*Snapshot{}
}

func movingProgram(groups placeCounts) bool {
	for sig, places := range groups {
		for p := range places {
			// A write to the network ends at once; a read of stdin does not.
			if p.State == "runnable" || p.State == StateRunning || p.State == StateSyscall && strings.Contains(string(sig), "syscall.write") {
				return true
			}
		}
	}
	return false
}

// TestLiveProcess compares the three encodings of a real process that leaks,
// under the names that the stacks have in Thanos.
func TestLiveProcess(t *testing.T) {
	binary := buildLeaky(t)
	for _, tt := range []struct {
		args    []string
		culprit string
		state   State
		count   int
		victims int
	}{
		{[]string{"-leak", "nilchan", "-n", "5"}, "github.com/thanos-io/thanos/pkg/store.newEagerRespSet.func2.3", StateChanReceiveNil, 5 + 4, 9},
		{[]string{"-leak", "nilchan", "-n", "1", "-every", "2"}, "github.com/thanos-io/thanos/pkg/store.newEagerRespSet.func2.3", StateChanReceiveNil, 1 + 2, 3},
		{[]string{"-leak", "send", "-n", "5"}, "github.com/thanos-io/thanos/pkg/store/storepb.serverAsClient.Series.func1", StateChanSend, 5 + 4, 0},
		{[]string{"-leak", "none", "-n", "5"}, "", "", 0, 0},
	} {
		t.Run(strings.Join(tt.args, " "), func(t *testing.T) {
			p := startLeaky(t, binary, tt.args...)
			for range 4 {
				p.get(t, "/api/v1/query", func(io.Reader) error { return nil })
			}
			dumps := p.quiet(t)
			requireAgreement(t, dumps[0], dumps[1], dumps[2])
			for _, s := range dumps {
				checkLeak(t, s, tt.culprit, tt.state, tt.count, tt.victims)
			}
			target := Target{Samples: []Sample{{Goroutines: dumps[0]}}}
			if got := target.Component(); got != "query" {
				t.Errorf("component %q, want query", got)
			}
		})
	}
}

// checkLeak counts culprits by their leaf and victims by the set they wait for.
func checkLeak(t *testing.T, s *Snapshot, culprit string, state State, culprits, victims int) {
	t.Helper()
	if s.Encoding == Debug1 {
		state = StateUnknown
	}
	behind := 0
	for _, g := range s.Groups {
		if g.Signature.Leaf() == culprit {
			if g.Count != culprits || g.State() != state {
				t.Errorf("%v: %d culprits in %q, want %d in %q", s.Encoding, g.Count, g.State(), culprits, state)
			}
			culprits = 0
		}
		if strings.Contains(string(g.Signature), "store.(*eagerRespSet).Next;github.com/thanos-io/thanos/pkg/losertree.(*Tree[...]).moveNext") {
			behind += g.Count
		}
	}
	if culprits > 0 {
		t.Errorf("%v: no culprit %s", s.Encoding, culprit)
	}
	if behind != victims {
		t.Errorf("%v: %d victims, want %d", s.Encoding, behind, victims)
	}
}

// TestLiveFacts reads what the process tells of itself: no canary passes.
func TestLiveFacts(t *testing.T) {
	p := startLeaky(t, buildLeaky(t), "-leak", "send", "-n", "1")
	var m Metrics
	var facts Facts
	for range 1000 { // the query has its answer a moment before it is counted
		p.get(t, "/metrics", func(r io.Reader) (err error) { m, err = ReadMetrics(r); return err })
		if m.Sum("http_requests_total", "handler", "query_range") == 1 {
			break
		}
	}
	p.get(t, "/api/v1/status/buildinfo", facts.ReadBuildInfo)
	p.get(t, "/api/v1/status/flags", func(r io.Reader) error {
		return facts.ReadFlags(r, FlagFilter([]string{"store.response-timeout", "query.timeout", "objstore.config"}))
	})
	p.get(t, "/api/v1/stores", facts.ReadStores)
	var kept strings.Builder
	for _, write := range []func(io.Writer) error{m.Write, facts.WriteBuildInfo, facts.WriteFlags, facts.WriteStores} {
		if err := write(&kept); err != nil {
			t.Fatal(err)
		}
	}
	if strings.Contains(kept.String(), "canary") {
		t.Errorf("a secret passed:\n%s", &kept)
	}
	if facts.Version != "0.35.1" || facts.GoVersion != runtime.Version() || facts.Flags["store.response-timeout"] != "2s" || len(facts.Endpoints) != 2 {
		t.Errorf("facts %+v", facts)
	}
	for _, name := range []string{"go_goroutines", "go_info", "process_start_time_seconds", "thanos_build_info", "http_requests_total", "http_inflight_requests", "go_memstats_stack_inuse_bytes"} {
		if !m.Has(name) {
			t.Errorf("no %s", name)
		}
	}
	if done := m.Sum("http_requests_total", "handler", "query_range"); done != 1 {
		t.Errorf("%v requests, want 1", done)
	}
	if runtime.GOOS == "windows" {
		return // it has no signal that asks a process to stop
	}
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Error(err)
	}
}

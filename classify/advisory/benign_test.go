package advisory

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/thanosleak/thanosleak/profile"
	"github.com/thanosleak/thanosleak/profile/capture"
)

// goodRows are the smallest rows.
const goodRows = `- id: pump
  components: [query]
  frames:
    - ["...", acme.pump]
  scales_with: "nothing: constant"
  at_most: 2
- id: valve
  frames:
    - [acme.valve, main.main]
    - [acme.tap]
  scales_with: taps
  in_flight: true
`

func TestReadBenign(t *testing.T) {
	got, err := readBenign("rows.yaml", []byte(goodRows))
	if err != nil {
		t.Fatal(err)
	}
	want := []Benign{
		{ID: "pump", Components: []string{"query"}, Frames: [][]string{{"...", "acme.pump"}}, ScalesWith: Constant, AtMost: 2},
		{ID: "valve", Frames: [][]string{{"acme.valve", "main.main"}, {"acme.tap"}}, ScalesWith: "taps", InFlight: true},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// TestReadBenignErrors makes one mistake at a time in rows that are good
// without.
func TestReadBenignErrors(t *testing.T) {
	for _, tt := range []struct {
		name, old, new string // old becomes new
		want           string
	}{
		{"unknown field", "at_most:", "atmost:", "rows.yaml:6: there is no field atmost: want some of id, components"},
		{"one pattern for a list of them", `["...", acme.pump]`, "acme.pump", "rows.yaml:4: cannot unmarshal !!str"},
		{"two rows of one id", "id: valve", "id: pump", `there is a row "pump" already`},
		{"no id", "id: pump", "id: ''", `row "": id is missing`},
		{"component", "[query]", "[querier]", `row "pump": components: "querier": want some of compact, query`},
		{"no frames", "  frames:\n    - [\"...\", acme.pump]\n", "", `row "pump": frames is missing`},
		{"a pattern without frames", "[acme.tap]", "[]", `row "valve": frames: a pattern needs frames, leaf first`},
		{"an empty frame", "[acme.tap]", "['']", `row "valve": frames: a pattern needs frames, leaf first`},
		{"a gap at the end", "[acme.tap]", "[acme.tap, '...']", `row "valve": frames: "..." at the end of the frames says nothing`},
		{"no scales_with", "  scales_with: taps\n", "", `row "valve": scales_with is missing`},
		{"a blank scales_with", "scales_with: taps", "scales_with: ' '", `row "valve": scales_with is missing`},
		{"a bound of what scales", `"nothing: constant"`, "pumps", `row "pump": at_most 2: want a positive number, and only with scales_with "nothing: constant"`},
		{"a bound below nothing", "at_most: 2", "at_most: -2", `row "pump": at_most -2: want a positive number`},
		{"requests that are constant", "at_most: 2", "in_flight: true", `row "pump": in_flight: requests are no constant`},
		{"a second document", "- id: valve", "---\n- id: valve", "more than one document"},
		{"an empty file", goodRows, "", "the file is empty"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.Replace(goodRows, tt.old, tt.new, 1)
			if text == goodRows {
				t.Fatalf("%q is not in the rows", tt.old)
			}
			rows, err := readBenign("rows.yaml", []byte(text))
			if err == nil {
				t.Fatalf("no error, want %q", tt.want)
			}
			if !strings.HasPrefix(err.Error(), "rows.yaml:") || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%q does not name the file and %q", err, tt.want)
			}
			if rows != nil {
				t.Error("there are rows all the same")
			}
		})
	}
}

func TestBenignOfTakesTheFirst(t *testing.T) {
	db := &DB{Benign: []Benign{
		{ID: "in queriers", Components: []string{"query"}, Frames: [][]string{{"a", "b"}}},
		{ID: "one of two", Frames: [][]string{{"c"}, {"...", "b"}}},
		{ID: "never", Frames: [][]string{{"...", "b"}}},
	}}
	for _, tt := range []struct{ stack, component, want string }{
		{"a b", "query", "in queriers"},
		{"a b", "", "in queriers"}, // an unknown component is not ruled out
		{"a b", "store", "one of two"},
		{"c", "query", "one of two"},
		{"a", "query", ""},
		{"", "", ""},
	} {
		t.Run(tt.stack+" in "+tt.component, func(t *testing.T) {
			if got := idOf(db.BenignOf(strings.Fields(tt.stack), tt.component)); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	if b := (&DB{}).BenignOf([]string{"a"}, ""); b != nil {
		t.Errorf("an empty DB knows %+v", b)
	}
}

// idOf returns the id of a row; empty for none.
func idOf(b *Benign) string {
	if b == nil {
		return ""
	}
	return b.ID
}

// TestBenignInFlight holds the rows that excuse nothing.
func TestBenignInFlight(t *testing.T) {
	var got []string
	for _, b := range embeddedDB(t).Benign {
		if b.InFlight {
			got = append(got, b.ID)
		}
	}
	slices.Sort(got)
	want := []string{"cache-inflight", "capnp-client", "grpc-client-stream", "grpc-server-stream", "http-client-inflight",
		"promhttp", "qfe-inflight", "query-gate", "query-inflight", "receive-inflight", "store-series"}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// Short names for functions at the bottom of many stacks.
const (
	actor     = "github.com/oklog/run.(*Group).Run.func1"
	connServe = "net/http.(*conn).serve"
	errgroup  = "golang.org/x/sync/errgroup.(*Group).Go.func1"
	pollRead  = "internal/poll.(*pollDesc).wait internal/poll.(*FD).Read net.(*netFD).Read net.(*conn).Read"
	thanos    = "github.com/thanos-io/thanos/pkg/"
)

// TestBenignIsNarrow holds the rows at their borders: what works for requests,
// or hangs above a function of a row, is not excused by it.
func TestBenignIsNarrow(t *testing.T) {
	db := embeddedDB(t)
	for _, tt := range []struct{ name, component, stack, want string }{
		{"an idle connection", "query", pollRead + " net/http.(*connReader).Read bufio.(*Reader).fill bufio.(*Reader).Peek " + connServe, "http-conn"},
		{"an idle TLS connection", "query", pollRead + " crypto/tls.(*Conn).Read net/http.(*connReader).Read bufio.(*Reader).fill bufio.(*Reader).Peek " + connServe, "http-conn"},
		{"a handler", "query", "sync.(*Mutex).Lock acme.handle net/http.serverHandler.ServeHTTP " + connServe, ""},
		{"a handler that reads its body", "receive", pollRead + " net/http.(*connReader).Read bufio.(*Reader).fill bufio.(*Reader).Read net/http.(*body).Read acme.handle net/http.serverHandler.ServeHTTP " + connServe, ""},
		{"an idle outbound connection", "store", pollRead + " net/http.(*persistConn).Read bufio.(*Reader).fill bufio.(*Reader).Peek net/http.(*persistConn).readLoop", "http-client"},
		{"a body that nobody closed", "store", "net/http.(*persistConn).readLoop", "http-client-inflight"},
		{"an actor that waits", "rule", "main.runRule.func2 " + actor, "rule"},
		{"another's actor", "tools", "main.runTools.func2 " + actor, "run-actors"},
		{"an actor that works", "rule", "sync.(*Mutex).Lock acme.work main.runRule.func2 " + actor, ""},
		{"a loop between two rounds", "query", thanos + "runutil.Repeat main.runQuery.func2 " + actor, "run-actors"},
		{"a loop in a round", "query", "sync.(*Mutex).Lock acme.work " + thanos + "runutil.Repeat main.runQuery.func2 " + actor, ""},
		{"a worker of another group", "compact", thanos + "block.(*ConcurrentLister).GetActiveAndPartialBlockIDs.func1 " + errgroup, ""},
		{"a worker of the compactor", "compact", thanos + "compact.(*BucketCompactor).Compact.func2", "compact"},
		{"a worker of the sync", "store", thanos + "store.(*BucketStore).SyncBlocks.func1", "store-loops"},
		{"a sync that hangs", "store", "sync.(*WaitGroup).Wait " + thanos + "store.(*bucketBlock).Close " + thanos + "store.(*BucketStore).removeBlock " + thanos + "store.(*BucketStore).SyncBlocks", ""},
		{"a tenant's uploader", "receive", thanos + "receive.(*tenant).startPeriodicUploader.func2", "receive-tenant"},
		{"an uploader that hangs", "receive", "sync.(*RWMutex).RLock " + thanos + "shipper.(*Shipper).Sync " + thanos + "receive.(*tenant).startPeriodicUploader.func2", ""},
		{"a tenant of another component", "store", thanos + "receive.(*tenant).startPeriodicUploader.func2", ""},
		{"a connection of gRPC that reads", "store", pollRead + " golang.org/x/net/http2.(*Framer).ReadFrame google.golang.org/grpc/internal/transport.(*http2Server).HandleStreams", "grpc-server-conn"},
		{"a connection of gRPC that hangs", "store", "acme.wait google.golang.org/grpc/internal/transport.(*http2Server).HandleStreams", ""},
		{"a call of gRPC", "store", "acme.wait google.golang.org/grpc.(*Server).processStreamingRPC google.golang.org/grpc.(*Server).handleStream", "grpc-server-stream"},
		{"a call that waits for a connection", "query", "google.golang.org/grpc.(*pickerWrapper).pick", "grpc-client-stream"},
		{"an update of endpoints", "query", "google.golang.org/grpc.(*clientStream).RecvMsg google.golang.org/grpc.(*ClientConn).Invoke " + thanos + "query.(*EndpointSet).updateEndpoint", "endpointset"},
		{"an update of endpoints behind a lock", "query", "sync.(*RWMutex).Lock " + thanos + "query.(*EndpointSet).Update", ""},
		{"a reader of a store", "query", "google.golang.org/grpc.(*clientStream).RecvMsg acme.Recv " + thanos + "store.newEagerRespSet.func2.3", "query-inflight"},
		{"a reader on a nil channel", "query", thanos + "store.newEagerRespSet.func2.3 " + thanos + "store.newEagerRespSet.func2", ""},
		{"a collector that hangs", "query", thanos + "query.(*endpointSetNodeCollector).Collect github.com/prometheus/client_golang/prometheus.(*Registry).Gather.func1", "promhttp"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := idOf(db.BenignOf(strings.Fields(tt.stack), tt.component)); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestCulpritsAreNotBenign holds the rows against the advisories: where nothing
// healthy stands for long, no row may excuse what does. Where each healthy
// goroutine is accounted for, a row may explain those.
func TestCulpritsAreNotBenign(t *testing.T) {
	db := embeddedDB(t)
	looked := 0
	for _, a := range db.Advisories {
		for _, p := range a.Culprits {
			if p.InHealth == Always || len(p.Each) > 0 || a.Class == Generic {
				continue
			}
			for _, stack := range stacksOf(p.Frames) {
				looked++
				if !p.Match(stack) {
					t.Fatalf("%s: %q: %v is no stack of it", a.ID, p.Name, stack)
				}
				for _, c := range append([]string{""}, a.Components...) {
					if b := db.BenignOf(stack, c); b != nil && !b.InFlight {
						t.Errorf("%s: %q in %q is benign by row %s: %v", a.ID, p.Name, c, b.ID, stack)
					}
				}
			}
		}
	}
	if looked < 10 {
		t.Errorf("%d stacks looked at", looked)
	}
}

// stacksOf makes stacks of a pattern: over different callers and, where the
// leaf is left open, below different leaves. Stars stand for themselves.
func stacksOf(frames []string) [][]string {
	body := slices.DeleteFunc(slices.Clone(frames), func(f string) bool { return f == gap })
	leaves := []string{""}
	if frames[0] == gap {
		leaves = append(leaves, pollRead, "sync.(*Mutex).Lock")
	}
	var stacks [][]string
	for _, leaf := range leaves {
		for _, callers := range []string{"", errgroup, "main.runStore.func6 " + actor, thanos + "store.(*BucketStore).SyncBlocks", connServe} {
			stacks = append(stacks, slices.Concat(strings.Fields(leaf), body, strings.Fields(callers)))
		}
	}
	return stacks
}

// TestIdleProcessesAreBenign holds the rows against real processes of every
// component that have nothing to do.
func TestIdleProcessesAreBenign(t *testing.T) {
	db := embeddedDB(t)
	targets := idleTargets(t)
	if len(targets) != 21 {
		t.Errorf("%d profiles, want 3 of each of 7 components", len(targets))
	}
	for _, target := range targets {
		t.Run(target.Name, func(t *testing.T) {
			component := target.Component()
			if component == "" {
				t.Fatal("of no component")
			}
			total, known, of := 0, 0, map[*Benign]int{}
			for _, g := range target.Samples[0].Goroutines.Groups {
				total += g.Count
				b := db.BenignOf(g.Signature.Functions(), component)
				switch {
				case b == nil:
					t.Logf("%d of no row: %s", g.Count, g.Signature)
				case b.InFlight:
					t.Errorf("%s has %d in flight: %s", b.ID, g.Count, g.Signature)
				default:
					known += g.Count
					of[b] += g.Count
				}
			}
			if total < 10 || 100*known < 95*total {
				t.Errorf("%d of %d goroutines are benign, want 95 %%", known, total)
			}
			for b, n := range of {
				if b.AtMost > 0 && n > b.AtMost {
					t.Errorf("%s: %d, at most %d", b.ID, n, b.AtMost)
				}
			}
		})
	}
}

// idleTargets reads the profiles of idle processes, each of which is a target.
func idleTargets(t *testing.T) []profile.Target {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", "testdata", "captures", "steady-v0.42.4.tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	files, err := capture.Unpack(f)
	if err != nil {
		t.Fatal(err)
	}
	var targets []profile.Target
	err = fs.WalkDir(files, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		r, err := files.Open(p)
		if err != nil {
			return err
		}
		defer r.Close()
		snapshots, err := profile.Read(r, profile.Options{})
		for _, s := range snapshots {
			targets = append(targets, profile.Target{Name: path.Base(p), Samples: []profile.Sample{{Goroutines: s}}})
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return targets
}

// TestDeadConnection holds TL-2026-105 against the goroutines of a connection
// that is refused, and against those that a working one has besides.
func TestDeadConnection(t *testing.T) {
	a := embeddedDB(t).ByID("TL-2026-105")
	if a == nil {
		t.Fatal("no TL-2026-105")
	}
	for stack, want := range map[string]bool{
		"google.golang.org/grpc/internal/grpcsync.(*CallbackSerializer).run":                                                             true,
		"google.golang.org/grpc.(*addrConn).resetTransportAndUnlock google.golang.org/grpc.(*addrConn).connect":                          true,
		"net.(*netFD).connect google.golang.org/grpc.(*addrConn).tryAllAddrs google.golang.org/grpc.(*addrConn).resetTransportAndUnlock": true,
		"google.golang.org/grpc/internal/transport.(*http2Client).keepalive":                                                             false,
		pollRead + " google.golang.org/grpc/internal/transport.(*http2Client).reader":                                                    false,
	} {
		got := slices.ContainsFunc(a.Culprits, func(p Pattern) bool { return p.Match(strings.Fields(stack)) })
		if got != want {
			t.Errorf("%s: %v", stack, got)
		}
	}
	if a.SettlesWithin != 10*time.Minute {
		t.Errorf("settles within %s", a.SettlesWithin)
	}
}

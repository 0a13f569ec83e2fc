package profile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// placeCounts are the goroutines of a snapshot by what the encodings have in
// common.
type placeCounts map[Signature]map[Place]int

// programGroups leaves out the goroutines that are there because of the dump:
// the one that writes it and what the HTTP server runs beside it. States are
// left out on demand: debug=1 has none.
func programGroups(s *Snapshot, states bool) placeCounts {
	counts := placeCounts{}
	for _, g := range s.Groups {
		name := string(g.Signature)
		if strings.Contains(name, "runtime/pprof.") || strings.Contains(name, "runtime/debug.") ||
			strings.Contains(name, "connReader).backgroundRead") || strings.Contains(name, "connReader).startBackgroundRead") ||
			name == goexit {
			continue
		}
		counts[g.Signature] = map[Place]int{}
		for _, p := range g.Places {
			n := p.Count
			p.Count = 0
			if !states {
				p.State = StateUnknown
			}
			counts[g.Signature][p] += n
		}
	}
	return counts
}

// requireAgreement compares the three encodings of one quiet process.
func requireAgreement(t *testing.T, debug0, debug1, debug2 *Snapshot) {
	t.Helper()
	if diff := cmp.Diff(programGroups(debug0, true), programGroups(debug2, true)); diff != "" {
		t.Errorf("debug=0 (-) and debug=2 (+) differ:\n%s", diff)
	}
	if diff := cmp.Diff(programGroups(debug0, false), programGroups(debug1, false)); diff != "" {
		t.Errorf("debug=0 (-) and debug=1 (+) differ:\n%s", diff)
	}
}

// TestEncodingsAgree compares samples that were taken of quiet processes.
func TestEncodingsAgree(t *testing.T) {
	names, err := filepath.Glob("testdata/triples/*.debug0.pb.gz")
	if err != nil || len(names) == 0 {
		t.Fatalf("no fixtures: %v", err)
	}
	for _, name := range names {
		name := strings.TrimSuffix(filepath.Base(name), ".debug0.pb.gz")
		if name == "go126-leakprof" {
			continue // debug=2 holds all goroutines: TestLeakProfile
		}
		t.Run(name, func(t *testing.T) {
			requireAgreement(t,
				readFile(t, "triples/"+name+".debug0.pb.gz"),
				readFile(t, "triples/"+name+".debug1.txt.gz"),
				readFile(t, "triples/"+name+".debug2.txt.gz"))
		})
	}
}

// TestCulprits checks counts and states that are known from elsewhere: 144
// queries leaked in the flagship, and the nil channel shows in debug=0.
func TestCulprits(t *testing.T) {
	for _, tt := range []struct {
		name, leaf string
		count      int
		state      State
		createdBy  string
	}{
		{"go121-eager-upper", "pkg/store.newEagerRespSet.func2.3", 144, StateChanReceiveNil, "github.com/thanos-io/thanos/pkg/store.newEagerRespSet"},
		{"go121-eager-leaf", "pkg/store.newEagerRespSet.func2.3", 144, StateChanReceiveNil, "github.com/thanos-io/thanos/pkg/store.newEagerRespSet"},
		{"go126-lazy-upper", "pkg/store.newLazyRespSet.func2.3", 144, StateChanReceiveNil, "github.com/thanos-io/thanos/pkg/store.newLazyRespSet"},
		{"go126-send-receive", "storepb.serverAsClient.Series.func1", 52, StateChanSend, "github.com/thanos-io/thanos/pkg/store/storepb.serverAsClient.Series"},
		{"go121-deadlock-store", "sync.(*RWMutex).RLock", 40, StateRWMutexR, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, file := range []string{".debug0.pb.gz", ".debug1.txt.gz", ".debug2.txt.gz"} {
				s := readFile(t, "triples/"+tt.name+file)
				g := leaf(t, s, tt.leaf)
				if g.Count != tt.count {
					t.Errorf("%s: %d culprits, want %d", file, g.Count, tt.count)
				}
				want := tt.state
				if s.Encoding == Debug1 {
					want = StateUnknown
				}
				if g.State() != want {
					t.Errorf("%s: state %q, want %q", file, g.State(), want)
				}
				if s.Encoding == Debug2 && tt.createdBy != "" && g.CreatedBy != tt.createdBy {
					t.Errorf("created by %q, want %q", g.CreatedBy, tt.createdBy)
				}
			}
		})
	}
}

// TestCreatorsAreVictims follows ids: every culprit of the flagship was
// started by a goroutine that is alive and stands behind it.
func TestCreatorsAreVictims(t *testing.T) {
	s := readFile(t, "triples/go121-eager-upper.debug2.txt.gz")
	victims := map[int64]bool{}
	for _, g := range s.Groups {
		if strings.Contains(string(g.Signature), "eagerRespSet).Next") {
			for _, r := range g.Goroutines {
				victims[r.ID] = true
			}
		}
	}
	for _, r := range leaf(t, s, "newEagerRespSet.func2.3").Goroutines {
		if !victims[r.Creator] {
			t.Errorf("goroutine %d: its creator %d is no victim", r.ID, r.Creator)
		}
	}
}

func TestLeakProfile(t *testing.T) {
	for _, file := range []string{"debug0.pb.gz", "debug1.txt.gz"} {
		s := readFile(t, "triples/go126-leakprof."+file)
		if !s.LeaksOnly || s.Total != 15 || len(s.Groups) != 1 {
			t.Errorf("%s: leaks only %t, %d goroutines in %d groups, want true, 15, 1", file, s.LeaksOnly, s.Total, len(s.Groups))
		}
	}
	full := readFile(t, "triples/go126-leakprof.debug2.txt.gz")
	leaked := 0
	for _, r := range leaf(t, full, "serverAsClient.Series.func1").Goroutines {
		if r.Leaked {
			leaked++
		}
	}
	if leaked != 15 || full.LeaksOnly || full.Total <= 15 {
		t.Errorf("debug=2: %d marked as leaked of %d, leaks only %t; want 15 of more, false", leaked, full.Total, full.LeaksOnly)
	}
}

// TestUnknownGo checks that a release outside the table leaves the states of
// channels unknown, and only those.
func TestUnknownGo(t *testing.T) {
	data, err := os.ReadFile("testdata/triples/go126-lazy-upper.debug0.pb.gz")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		goVersion string
		want      State
	}{
		{"", StateChanReceiveNil},
		{"go1.26.8", StateChanReceiveNil},
		{"go1.27", StateChanReceiveNil},
		{"devel go1.27-abcdef", StateChanReceiveNil},
		{"go1.99.0", StateUnknown},
		{"go1.9", StateUnknown},
	} {
		t.Run(tt.goVersion, func(t *testing.T) {
			snaps, err := Read(strings.NewReader(string(data)), Options{GoVersion: tt.goVersion})
			if err != nil {
				t.Fatal(err)
			}
			s := only(t, snaps)
			if got := leaf(t, s, "newLazyRespSet.func2.3").State(); got != tt.want {
				t.Errorf("state %q, want %q", got, tt.want)
			}
			if got := leaf(t, s, "sync.(*Cond).Wait").State(); got != StateCond {
				t.Errorf("state of the others %q, want %q", got, StateCond)
			}
			if warned := len(s.Warnings) > 0; warned != (tt.want == StateUnknown) {
				t.Errorf("warnings %q", s.Warnings)
			}
		})
	}
}

// TestAnnotate checks that counts stay those of debug=0 and that ids and
// creators come.
func TestAnnotate(t *testing.T) {
	s := readFile(t, "triples/go121-eager-upper.debug1.txt.gz")
	full := readFile(t, "triples/go121-eager-upper.debug2.txt.gz")
	before := s.Total
	s.Annotate(full)
	g := leaf(t, s, "newEagerRespSet.func2.3")
	if s.Total != before || g.Count != 144 || len(g.Goroutines) != 144 || g.State() != StateChanReceiveNil || g.CreatedBy == "" {
		t.Errorf("total %d, %d culprits, %d ids, state %q, created by %q", s.Total, g.Count, len(g.Goroutines), g.State(), g.CreatedBy)
	}
	if g.MaxWaitMinutes() != leaf(t, full, "newEagerRespSet.func2.3").MaxWaitMinutes() {
		t.Error("waits were lost")
	}
	if s.Group("no such signature") != nil {
		t.Error("a group that is not there")
	}
}

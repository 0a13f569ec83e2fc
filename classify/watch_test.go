package classify

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/thanosleak/thanosleak/profile"
)

// readers are the functions through which the series of a query come: growth
// of what stands in them is always told.
var readers = []string{
	store + ".newEagerRespSet.func2",
	store + ".newLazyRespSet.func2",
	store + ".(*eagerRespSet).Next",
	store + ".(*lazyRespSet).Next",
	store + ".(*blockSeriesClient).nextBatch",
}

// waits are stacks above a reader, leaf first, by the row of watchedWaits that
// tells them.
var waits = map[string]struct {
	state  profile.State
	frames []string
	title  string // of the finding: a part
}{
	"cache.(*InMemoryIndexCache)": {profile.StateMutex,
		[]string{"internal/sync.(*Mutex).lockSlow", store + "/cache.(*InMemoryIndexCache).FetchMultiPostings"}, "index cache"},
	"(*bucketBlock).Close": {profile.StateWaitGroup,
		[]string{"sync.(*WaitGroup).Wait", store + ".(*bucketBlock).Close"}, "pending readers"},
	"google.golang.org/grpc.(*clientStream)": {profile.StateSelect,
		[]string{"google.golang.org/grpc.(*clientStream).RecvMsg", store + "/storepb.(*storeSeriesClient).Recv"}, "silent store"},
	"google.golang.org/grpc/internal/transport.": {profile.StateSelect,
		[]string{"google.golang.org/grpc/internal/transport.(*recvBufferReader).readClient"}, "silent store"},
	"objstore": {profile.StateIOWait,
		[]string{"github.com/thanos-io/objstore.(*metricBucket).GetRange"}, "object storage"},
	"net/http.(*persistConn)": {profile.StateSelect,
		[]string{"net/http.(*persistConn).roundTrip", "net/http.(*Client).Do"}, "object storage"},
	"net/http.(*Transport)": {profile.StateSelect,
		[]string{"net/http.(*Transport).getConn", "net/http.(*Client).Do"}, "object storage"},
	"cacheutil.": {profile.StateIOWait,
		[]string{"github.com/thanos-io/thanos/pkg/cacheutil.(*memcachedClient).getMultiSingle"}, "cache"},
	"(*eagerRespSet)": {profile.StateWaitGroup,
		[]string{"sync.(*WaitGroup).Wait", store + ".(*eagerRespSet).Empty"}, "reader of a response set"},
	"(*lazyRespSet)": {profile.StateCond,
		[]string{"sync.(*Cond).Wait", store + ".(*lazyRespSet).Empty"}, "reader of a response set"},
	"a nil channel": {profile.StateChanReceiveNil,
		[]string{store + ".somethingNew"}, "nil channel"},
	"nothing that is known": {profile.StateChanSend,
		[]string{"github.com/acme/fork.hook"}, "unknown reason"},
}

// TestGrowingReaders lets readers grow in every way: also in a release without
// any known leak the growth is told, and what they wait for.
func TestGrowingReaders(t *testing.T) {
	for _, row := range watchedWaits {
		if _, ok := waits[row.function]; !ok {
			t.Errorf("no stack for %q", row.function)
		}
	}
	for name, w := range waits {
		for _, reader := range readers {
			for _, version := range []string{"0.42.4", ""} {
				t.Run(fmt.Sprintf("%s/%s/v%s", name, ShortFunc(reader), version), func(t *testing.T) {
					st := stack{state: w.state, frames: slices.Concat(w.frames, []string{reader, "main.caller"})}
					f := only(t, judged(t, made{version: version, samples: counts(st, rising(8)...)}))
					if !f.Level.AtLeast(Suspect) {
						t.Errorf("%s: %s", f.Level, f.Title)
					}
					if title := waitOf(name, reader, w.title); !strings.Contains(f.Title, title) {
						t.Errorf("%q does not tell %q", f.Title, title)
					}
					if f.Culprits != 64 {
						t.Errorf("%d culprits", f.Culprits)
					}
				})
			}
		}
	}
}

// waitOf is the title expected of a wait in a reader: of a reader of response
// sets that waits for nothing known it is clear at least what it is.
func waitOf(name, reader, title string) string {
	if name == "nothing that is known" && strings.Contains(reader, "RespSet).") {
		return "reader of a response set"
	}
	return title
}

// What has not grown, or too little, is not told of a reader.
func TestReadersInFlight(t *testing.T) {
	for name, w := range waits {
		for _, reader := range readers {
			t.Run(name+"/"+ShortFunc(reader), func(t *testing.T) {
				st := stack{state: w.state, frames: slices.Concat(w.frames, []string{reader, "main.caller"})}
				r := judged(t, made{version: "0.42.4", samples: counts(st, 40, 38, 44, 40, 41, 39, 40, 42)})
				// A nil channel never lets go: it is told without growth too.
				told := false
				for _, f := range r.Findings {
					told = told || f.Level.AtLeast(Suspect)
				}
				if told != (w.state == profile.StateChanReceiveNil) {
					t.Errorf("told: %t\n%s", told, summary(r))
				}
			})
		}
	}
}

// The wait is told by the functions that a reader has called, not by those
// that called it; and of stacks without a reader nothing is told.
func TestWatchedWait(t *testing.T) {
	for _, tt := range []struct {
		name   string
		state  profile.State
		frames []string
		want   string // a part; empty: not watched
	}{
		{"the leak", profile.StateChanReceiveNil, eagerCulprit, "nil channel (as in TL-2024-001)"},
		{"the lazy leak", profile.StateChanReceiveNil, lazyCulprit, "nil channel"},
		{"the leak in debug=1", profile.StateUnknown, eagerCulprit, "unknown reason"},
		{"a reader in flight", profile.StateSelect, grpcReader, "silent store (as in TL-2026-101)"},
		{"a victim", profile.StateWaitGroup, eagerVictim, "reader of a response set"},
		{"called by gRPC", profile.StateChanSend,
			[]string{"x.hook", store + ".newEagerRespSet.func2", "google.golang.org/grpc.(*clientStream).RecvMsg"}, "unknown reason"},
		{"another package", profile.StateSelect, []string{"x.hook", "github.com/acme/fork/pkg/store.newEagerRespSet.func2"}, ""},
		{"block removal", profile.StateWaitGroup, closeBlock, "pending readers of a block (as in TL-2023-002)"},
		{"anything", profile.StateSelect, foreign, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := snapshot(stack{n: 3, state: tt.state, frames: tt.frames})
			got := watchedWait(&s.Groups[0])
			if !strings.Contains(got, tt.want) || (got == "") != (tt.want == "") {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

package classify

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/thanosleak/thanosleak/classify/advisory"
	"github.com/thanosleak/thanosleak/profile"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start is when the first sample of made-up series was taken.
var start = time.Date(2026, 11, 22, 6, 45, 22, 0, time.UTC)

// store is the package of the stacks that most tests are about.
const store = "github.com/thanos-io/thanos/pkg/store"

// Stacks of real captures, leaf first.
var (
	eagerCulprit = []string{store + ".newEagerRespSet.func2.3", store + ".newEagerRespSet.func2"}
	lazyCulprit  = []string{store + ".newLazyRespSet.func2.3", store + ".newLazyRespSet.func2"}
	eagerVictim  = []string{"sync.(*WaitGroup).Wait", store + ".(*eagerRespSet).Next", "github.com/thanos-io/thanos/pkg/losertree.(*Tree[...]).moveNext", store + ".(*ProxyStore).Series"}
	grpcReader   = []string{"google.golang.org/grpc/internal/transport.(*recvBufferReader).readClient", "google.golang.org/grpc.(*clientStream).RecvMsg", store + "/storepb.(*storeSeriesClient).Recv", store + ".newEagerRespSet.func2.1", store + ".newEagerRespSet.func2"}
	receiver     = []string{store + "/storepb.serverAsClient.Series.func1"}
	closeBlock   = []string{"sync.(*WaitGroup).Wait", store + ".(*bucketBlock).Close", store + ".(*BucketStore).removeBlock"}
	foreign      = []string{"github.com/acme/widget.(*Pump).wait", "github.com/acme/widget.(*Pump).run"}
	mains        = map[string][]string{
		"query": {"main.runQuery.func10"}, "store": {"main.runStore.func3"}, "compact": {"main.runCompact.func3"}, "receive": {"main.runReceive.func5"},
	}
)

// stack is goroutines to be put into a snapshot.
type stack struct {
	n      int
	state  profile.State
	frames []string
	by     string  // who started them; empty if unknown
	ids    []int64 // as debug=2 tells them; nil if it is not there
	wait   int     // of each of them, in minutes
}

// snapshot groups the stacks as package profile does; those without goroutines
// are left out.
func snapshot(stacks ...stack) *profile.Snapshot {
	s := &profile.Snapshot{}
	for _, st := range stacks {
		if st.n == 0 {
			continue
		}
		g := profile.Group{Count: st.n, CreatedBy: st.by,
			Places: []profile.Place{{Line: 7, State: st.state, Count: st.n}}}
		for _, f := range st.frames {
			g.Frames = append(g.Frames, profile.Frame{Func: f, File: "/app/x.go", Line: 7})
		}
		g.Signature = profile.NewSignature(g.Frames)
		for _, id := range st.ids {
			g.Goroutines = append(g.Goroutines, profile.Goroutine{ID: id, WaitMinutes: st.wait})
		}
		s.Total += st.n
		s.Groups = append(s.Groups, g)
	}
	slices.SortFunc(s.Groups, func(a, b profile.Group) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Signature, b.Signature))
	})
	return s
}

// made is a target to be made up: samples five seconds apart unless every says
// otherwise, each with the main function of the component.
type made struct {
	name, version, component string
	flags                    map[string]string
	endpoints                []profile.Endpoint
	url                      string
	starts                   []float64 // process_start_time_seconds by sample; nil for no metrics
	every                    time.Duration
	samples                  [][]stack
}

func (m made) target() profile.Target {
	t := profile.Target{Name: cmp.Or(m.name, "one"), URL: m.url,
		Facts: profile.Facts{Version: m.version, Flags: m.flags, Endpoints: m.endpoints}}
	for i, stacks := range m.samples {
		s := profile.Sample{Time: start.Add(time.Duration(i) * cmp.Or(m.every, 5*time.Second))}
		if m.component != "" {
			stacks = append(slices.Clip(stacks), stack{n: 1, state: profile.StateSelect, frames: mains[m.component]})
		}
		s.Goroutines = snapshot(stacks...)
		if m.starts != nil {
			s.Metrics = profile.Metrics{"process_start_time_seconds": {{Value: m.starts[i]}}}
		}
		t.Samples = append(t.Samples, s)
	}
	return t
}

// counts makes a sample of each count of one stack.
func counts(st stack, n ...int) [][]stack {
	var samples [][]stack
	for _, c := range n {
		st.n = c
		samples = append(samples, []stack{st})
	}
	return samples
}

// rising is n counts that rise as a leak's do.
func rising(n int) []int {
	counts := make([]int, n)
	for i := range counts {
		counts[i] = 8 * (i + 1)
	}
	return counts
}

// judged judges made-up targets by what is embedded.
func judged(t *testing.T, targets ...made) *Result {
	t.Helper()
	var all []profile.Target
	for _, m := range targets {
		all = append(all, m.target())
	}
	return judgedTargets(t, all...)
}

func judgedTargets(t *testing.T, all ...profile.Target) *Result {
	t.Helper()
	db, err := advisory.Default()
	if err != nil {
		t.Fatal(err)
	}
	r := Judge(all, Options{Thresholds: DefaultThresholds(), Advisories: db})
	checkInvariants(t, r)
	return r
}

// checkInvariants checks what the documentation of Result promises.
func checkInvariants(t *testing.T, r *Result) {
	t.Helper()
	for i, f := range r.Findings {
		if i > 0 && !r.Findings[i-1].Level.AtLeast(f.Level) {
			t.Errorf("%s: out of order", f.Key)
		}
		culprits, victims, level := 0, 0, Level("")
		seen := map[string]bool{}
		for _, o := range f.Occurrences {
			culprits, victims = culprits+o.Culprits, victims+o.Victims
			if o.Level.AtLeast(level) {
				level = o.Level
			}
			if seen[o.Target] {
				t.Errorf("%s: two occurrences on %s", f.Key, o.Target)
			}
			seen[o.Target] = true
			if len(o.Evidence) == 0 {
				t.Errorf("%s on %s: no evidence", f.Key, o.Target)
			}
			if !slices.IsSortedFunc(o.Evidence, func(a, b Evidence) int {
				return slices.Index(strengths, a.Strength) - slices.Index(strengths, b.Strength)
			}) {
				t.Errorf("%s on %s: evidence is not strongest first: %v", f.Key, o.Target, o.Evidence)
			}
		}
		inStacks := map[string]int{}
		for _, s := range f.Stacks {
			inStacks[s.Role] += s.Count
		}
		if culprits != f.Culprits || victims != f.Victims || level != f.Level {
			t.Errorf("%s: %s %d+%d, occurrences have %s %d+%d", f.Key, f.Level, f.Culprits, f.Victims, level, culprits, victims)
		}
		if inStacks[RoleCulprit] != f.Culprits || inStacks[RoleVictim] != f.Victims {
			t.Errorf("%s: %d+%d, stacks have %v", f.Key, f.Culprits, f.Victims, inStacks)
		}
	}
}

// only returns the only finding.
func only(t *testing.T, r *Result) *Finding {
	t.Helper()
	if len(r.Findings) != 1 {
		t.Fatalf("%d findings, want 1: %s", len(r.Findings), summary(r))
	}
	return &r.Findings[0]
}

// summary is a line for each finding.
func summary(r *Result) string {
	var lines []string
	for _, f := range r.Findings {
		lines = append(lines, string(f.Level)+" "+f.Key+" "+f.Title)
	}
	return strings.Join(lines, "\n")
}

// mustContain fails unless the text has all the parts.
func mustContain(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%q does not have %q", text, p)
		}
	}
}

// plus is culprits and victims.
func plus(culprits, victims int) string { return strconv.Itoa(culprits) + "+" + strconv.Itoa(victims) }

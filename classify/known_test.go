package classify

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/thanosleak/thanosleak/profile"
)

// ids are n goroutine ids from first on.
func ids(first int64, n int) []int64 {
	all := make([]int64, n)
	for i := range all {
		all[i] = first + int64(i)
	}
	return all
}

// withIDs gives the stacks of sample i the ids that f says.
func withIDs(samples [][]stack, f func(i, n int) []int64) [][]stack {
	for i := range samples {
		for s := range samples[i] {
			samples[i][s].ids = f(i, samples[i][s].n)
		}
	}
	return samples
}

var (
	leaked  = stack{state: profile.StateChanReceiveNil, frames: eagerCulprit}
	sending = stack{state: profile.StateChanSend, frames: receiver}
	removal = stack{state: profile.StateWaitGroup, frames: closeBlock}
	reading = stack{state: profile.StateSelect, frames: grpcReader}
)

// TestKnown looks at the stacks of advisories as they stand in processes.
func TestKnown(t *testing.T) {
	stays := func(_, n int) []int64 { return ids(100, n) }
	comesAndGoes := func(i, n int) []int64 { return ids(int64(1000*i+100), n) }
	with := func(st stack, change func(*stack)) stack { change(&st); return st }
	for _, tt := range []struct {
		name, component, version string
		samples                  [][]stack
		want                     string // level, key and culprits+victims; empty for none above note
	}{
		{"one leaked reader is enough", "query", "0.35.1", counts(leaked, 1), "confirmed TL-2024-001 1+0"},
		{"not a release", "query", "main-2f1ab3", counts(leaked, 5), "confirmed TL-2024-001 5+0"},
		{"another's build", "query", "0.35.1-acme.2", counts(leaked, 5), "confirmed TL-2024-001 5+0"},
		{"debug=1 tells no state", "query", "0.35.1", counts(with(leaked, func(s *stack) { s.state = "" }), 5), "likely TL-2024-001 5+0"},
		{"another state is not the leak", "query", "0.35.1", counts(with(leaked, func(s *stack) { s.state = profile.StateChanReceive }), 5), ""},
		{"another creator is not the leak", "query", "0.35.1", counts(with(leaked, func(s *stack) { s.by = "main.x" }), 5), "suspect 5543dacbdbb2 5+0"},
		{"with those that wait", "query", "0.35.1",
			side(counts(leaked, 5), counts(stack{state: profile.StateWaitGroup, frames: eagerVictim}, 10)), "confirmed TL-2024-001 5+10"},
		{"victims alone are nothing", "query", "0.35.1", counts(stack{state: profile.StateWaitGroup, frames: eagerVictim}, 117), ""},
		{"a component that cannot have it", "receive", "0.35.1", counts(leaked, 5), "suspect 5543dacbdbb2 5+0"},
		{"the lazy one was not in 0.35.1", "query", "0.35.1",
			counts(stack{frames: lazyCulprit}, 5, 5, 5, 5, 5, 5, 5), ""},

		{"one sample of what health has too", "receive", "0.35.0", counts(sending, 50), ""},
		{"two samples", "receive", "0.35.0", counts(sending, 50, 50), ""},
		{"six, and none leaves, in seconds", "receive", "0.35.0", counts(sending, 20, 20, 30, 30, 30, 52), ""},
		{"six, and some leave", "receive", "0.35.0", counts(sending, 20, 20, 30, 10, 30, 52), ""},
		{"six in an unknown release", "receive", "", counts(sending, 20, 22, 30, 31, 33, 52), "likely TL-2024-002 52+0"},
		{"six with the same ids, in seconds", "receive", "0.35.0", withIDs(counts(sending, 20, 20, 30, 30, 30, 52), stays), ""},
		{"six, others each time", "receive", "0.35.0", withIDs(counts(sending, 20, 20, 30, 30, 30, 52), comesAndGoes), ""},
		{"growing", "receive", "0.35.0", counts(sending, rising(8)...), "confirmed TL-2024-002 64+0"},
		{"one sample that shows three minutes", "receive", "0.35.0",
			counts(with(sending, func(s *stack) { s.ids, s.wait = ids(7, 2), 3 }), 2), "likely TL-2024-002 2+0"},
		{"one sample that shows two", "receive", "0.35.0",
			counts(with(sending, func(s *stack) { s.ids, s.wait = ids(7, 2), 2 }), 2), ""},
		{"a block that cannot be removed", "store", "0.30.1", counts(removal, 0, 1, 1, 1, 1, 1, 1), ""},
		{"a block being removed", "store", "0.30.1", counts(removal, 0, 1, 1), ""},

		{"queries in flight", "query", "0.42.4", counts(reading, 900), ""},
		{"queries that pile up", "query", "0.42.4", counts(reading, rising(8)...), "suspect TL-2026-101 64+0"},
		{"queries that pile up for long", "query", "0.42.4", counts(reading, 1500, 1500, 1500, 1500, 1500, 1500, 1500), ""},
		{"what piles up behind a leak is no other cause", "query", "0.35.1",
			side(counts(leaked, rising(8)...), counts(reading, 1, 2, 3, 4, 5, 6, 40, 1500)), "confirmed TL-2024-001 64+0"},
		{"few culprits, more and more victims", "query", "0.35.1",
			side(counts(stack{frames: eagerCulprit}, 5, 5, 5, 5, 5, 5, 5, 5), counts(stack{frames: eagerVictim}, rising(8)...)), "confirmed TL-2024-001 5+64"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := judged(t, made{component: tt.component, version: tt.version, samples: tt.samples})
			var lines []string
			for _, f := range r.Findings {
				if f.Level.AtLeast(Suspect) {
					lines = append(lines, string(f.Level)+" "+f.Key+" "+plus(f.Culprits, f.Victims))
				}
			}
			if got := strings.Join(lines, "\n"); got != tt.want {
				t.Errorf("got %q, want %q\nall: %s", got, tt.want, summary(r))
			}
		})
	}
}

// TestStaying lets culprits stand for as long as requests may, and longer.
func TestStaying(t *testing.T) {
	nine := slices.Repeat([]int{9}, 6)
	for _, tt := range []struct {
		name   string
		every  time.Duration
		st     stack
		counts []int
		want   Level
	}{
		{"two, an hour apart", time.Hour, sending, []int{9, 9}, Note},
		{"five over two minutes", 40 * time.Second, sending, nine[:5], Note},
		{"six, fast", time.Second, sending, nine, Note},
		{"six within two minutes", 24 * time.Second, sending, nine, Note},
		{"six over more than two minutes", 30 * time.Second, sending, nine, Likely},
		{"one request at a time", 30 * time.Second, sending, []int{1, 1, 1, 1, 1, 1}, Note},
		{"as many as requests scatter", 30 * time.Second, sending, []int{9, 14, 8, 12, 9, 11, 10}, Note},
		{"none in between", 30 * time.Second, sending, []int{5, 0, 3, 0, 1, 0, 4, 1, 2, 2}, Note},
		{"a leak with requests on top", 30 * time.Second, sending, []int{52, 53, 52, 54, 52, 53, 52, 53, 52}, Likely},
		{"a slow leak with requests on top", 30 * time.Second, sending, []int{40, 45, 43, 48, 46, 52, 50, 55, 53}, Likely},
		{"a removal that waits for minutes", 30 * time.Second, removal, []int{0, 1, 1, 1, 1, 1, 1, 1}, Likely},
		{"removals that come and go", 30 * time.Second, removal, []int{0, 1, 1, 0, 1, 1, 0, 1}, Note},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := made{component: "receive", version: "0.35.0", every: tt.every, samples: counts(tt.st, tt.counts...)}
			if tt.st.state == removal.state {
				m.component, m.version = "store", "0.30.1"
			}
			if f := only(t, judged(t, m)); f.Level != tt.want {
				t.Errorf("%s, want %s: %v", f.Level, tt.want, f.Occurrences[0].Evidence)
			}
		})
	}
}

// TestBound lets more stand there than a healthy process has, without growth:
// worth a note for a pile-up.
func TestBound(t *testing.T) {
	for n, want := range map[int]int{1000: 0, 1001: 1} {
		r := judged(t, made{component: "query", version: "0.42.4", samples: counts(reading, n)})
		if len(r.Findings) != want || want == 1 && r.Findings[0].Level != Note {
			t.Errorf("%d: %s", n, summary(r))
		}
	}
}

// Evidence says what it rests on, with the numbers.
func TestEvidence(t *testing.T) {
	m := made{component: "query", version: "0.35.1", flags: map[string]string{"store.response-timeout": "2s"}}
	for _, tt := range []struct {
		name   string
		change func(*made)
		want   []string // parts, in order, of the evidence
	}{
		{"all", func(m *made) { m.samples = counts(leaked, rising(8)...) }, []string{
			`proof 64 goroutines in "chan receive (nil chan)"`,
			"strong 64 goroutines: eager reader on a nil timer channel, where none stands in health; v0.35.1 is affected (v0.35.1 up to before v0.36.1)",
			"strong 8 → 64 in 35s over 8 samples, +5760 an hour (Mann–Kendall p = 0.0001 or less)",
			"link --store.response-timeout=2s: --store.response-timeout above 0s"}},
		{"with 0s it cannot fire", func(m *made) {
			m.samples, m.flags = counts(leaked, 2), map[string]string{"store.response-timeout": "0s"}
		}, []string{"proof 2", "strong 2", "contrary --store.response-timeout=0s, but needed is: --store.response-timeout above 0s"}},
		{"an unknown version", func(m *made) { m.samples, m.version = counts(leaked, 2), "" },
			[]string{"proof", "medium 2 goroutines: eager reader on a nil timer channel, where none stands in health; the version is not known", "link"}},
		{"another's build", func(m *made) { m.samples, m.version = counts(leaked, 2), "0.35.1-acme.2" },
			[]string{"proof", "medium 2 goroutines", "link"}},
		{"a pile-up", func(m *made) { m.samples, m.version = counts(reading, rising(8)...), "0.42.4" }, []string{
			"strong 8 → 64", "weak 64 goroutines: reader that waits for a store (gRPC), where some stand in health as well; v0.42.4 is affected (v0.1.0 and later)"}},
		{"debug=1", func(m *made) { m.samples = counts(stack{frames: eagerCulprit}, 1) },
			[]string{"strong 1 goroutine: eager reader", "link"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := m
			tt.change(&m)
			ev := only(t, judged(t, m)).Occurrences[0].Evidence
			if len(ev) != len(tt.want) {
				t.Fatalf("%d pieces, want %d: %v", len(ev), len(tt.want), ev)
			}
			for i, e := range ev {
				if got := string(e.Strength) + " " + e.Text; !strings.HasPrefix(got, tt.want[i]) {
					t.Errorf("%q\nwant %q", got, tt.want[i])
				}
			}
		})
	}
}

// A process of which nothing is known gets the notes of what stands in it.
func TestEvidenceSaysWhatIsMissing(t *testing.T) {
	f := only(t, judged(t, made{samples: counts(stack{frames: eagerCulprit}, 3)}))
	if f.Level != Likely {
		t.Errorf("%s", f.Level)
	}
	mustContain(t, f.Occurrences[0].Evidence[0].Text, "debug=1 does not tell what they wait for", "the version is not known")
}

// Culprits in two states count where the pattern's state, or none, is known.
func TestMixedStates(t *testing.T) {
	s := snapshot(stack{n: 10, state: profile.StateChanReceiveNil, frames: eagerCulprit})
	g := &s.Groups[0]
	g.Count, s.Total = 17, 17
	g.Places = append(g.Places, profile.Place{Line: 9, State: profile.StateChanReceive, Count: 4}, profile.Place{Line: 8, Count: 3})
	m := made{component: "query", version: "0.35.1"}.target()
	m.Samples = []profile.Sample{{Time: start, Goroutines: s}}
	f := only(t, judgedTargets(t, m))
	if f.Culprits != 13 {
		t.Errorf("%d culprits, want 10 on a nil channel and 3 unknown", f.Culprits)
	}
	if got := f.Occurrences[0].Evidence[0].Text; !strings.HasPrefix(got, "10 goroutines in") {
		t.Errorf("proof: %q", got)
	}
	var states []string
	for _, s := range f.Stacks {
		states = append(states, s.State)
	}
	if want := []string{"chan receive (nil chan)", ""}; !slices.Equal(states, want) {
		t.Errorf("states %q, want %q", states, want)
	}
}

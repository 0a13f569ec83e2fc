package classify

import (
	"fmt"
	"testing"
	"time"

	"github.com/thanosleak/thanosleak/profile"
)

// Stacks of a querier.
var (
	callbacks = []string{"google.golang.org/grpc/internal/grpcsync.(*CallbackSerializer).run"}
	redial    = []string{"google.golang.org/grpc.(*addrConn).resetTransportAndUnlock", "google.golang.org/grpc.(*addrConn).connect"}
	handler   = []string{"github.com/acme/api.(*API).query", "net/http.HandlerFunc.ServeHTTP", "net/http.(*conn).serve"}
	atGate    = []string{"github.com/prometheus/prometheus/util/gate.(*Gate).Start", "net/http.HandlerFunc.ServeHTTP", "net/http.(*conn).serve"}
	executing = []string{"github.com/acme/engine.(*Engine).exec", "net/http.HandlerFunc.ServeHTTP", "net/http.(*conn).serve"}
)

// deadEndpoints are the samples of a querier of v0.42.4 with two endpoints that
// refuse connections, in the minutes given after its start: measured 24 → 504
// goroutines in 5 minutes.
func deadEndpoints(minutes int, down bool) made {
	m := made{version: "0.42.4", component: "query", every: 30 * time.Second}
	if down {
		m.endpoints = []profile.Endpoint{{Type: "store", Name: "10.0.0.9:10901", Down: true}}
	}
	for i := range 2*minutes + 1 {
		connections := min(12*i, 120)
		m.samples = append(m.samples, []stack{
			{n: 18 + 3*connections, state: profile.StateChanReceive, frames: callbacks},
			{n: connections, state: profile.StateSelect, frames: redial},
		})
	}
	return m
}

func TestDeadEndpoints(t *testing.T) {
	for _, minutes := range []int{3, 4, 8, 30} {
		for _, down := range []bool{true, false} {
			t.Run(fmt.Sprintf("%d minutes, down listed: %v", minutes, down), func(t *testing.T) {
				r := judged(t, deadEndpoints(minutes, down))
				for _, f := range r.Findings {
					if !Note.AtLeast(f.Level) {
						t.Errorf("%s %s %s", f.Level, f.Key, f.Title)
					}
				}
				if minutes < 5 {
					if f := only(t, r); f.Advisory != "TL-2026-105" || f.Culprits+f.Victims < 250 {
						t.Errorf("%s, %d goroutines", f.Key, f.Culprits+f.Victims)
					}
				}
			})
		}
	}
	// A pile-up that grows for longer than it can is none.
	m := deadEndpoints(30, false)
	for i := range m.samples {
		m.samples[i] = []stack{{n: 18 + 20*i, state: profile.StateChanReceive, frames: callbacks}}
	}
	if f := only(t, judged(t, m)); f.Level != Suspect {
		t.Errorf("growing for half an hour: %s", f.Level)
	}
}

// gated is a page of a querier whose gate has 20 slots.
func gated(inFlight, waiting, ok float64) profile.Metrics {
	return profile.Metrics{
		"process_start_time_seconds":                     {{Value: 1000}},
		"thanos_query_concurrent_gate_queries_in_flight": {{Value: inFlight}},
		"thanos_query_concurrent_gate_queries_max":       {{Value: 20}},
		"http_inflight_requests":                         {{Labels: map[string]string{"handler": "query"}, Value: inFlight + waiting}},
		"http_requests_total":                            {{Labels: map[string]string{"handler": "query", "code": "200"}, Value: ok}},
	}
}

// withPages gives the samples of a target their /metrics.
func withPages(target profile.Target, page func(i int) profile.Metrics) profile.Target {
	for i := range target.Samples {
		target.Samples[i].Metrics = page(i)
	}
	return target
}

// saturated are the samples of a querier all of whose slots are taken by
// queries that never end: its goroutines are flat.
func saturated(culprit []string, state profile.State) profile.Target {
	m := made{version: "0.36.0", component: "query", every: 10 * time.Second,
		flags: map[string]string{"query.timeout": "30s", "store.response-timeout": "2s"}}
	for i := range 12 {
		m.samples = append(m.samples, []stack{
			{n: 20, state: state, frames: culprit},
			{n: 20, state: profile.StateChanReceive, frames: executing},
			{n: 80 + i%3, state: profile.StateSelect, frames: atGate},
		})
	}
	return withPages(m.target(), func(i int) profile.Metrics { return gated(20, 80, 500) })
}

func TestSaturated(t *testing.T) {
	known := only(t, judgedTargets(t, saturated(lazyCulprit, profile.StateChanReceiveNil)))
	if known.Level != Confirmed || known.Advisory != "TL-2024-001" || known.Culprits != 20 {
		t.Errorf("flagship: %s %s, %d culprits", known.Level, known.Key, known.Culprits)
	}
	unknown := judgedTargets(t, saturated(foreign, profile.StateChanReceive))
	if f := unknown.Findings[0]; f.Level != Likely || !has(f, KindSaturated) || !has(f, KindStuck) {
		t.Errorf("unknown stack: %s %s %v", f.Level, f.Title, f.Occurrences[0].Evidence)
	}
	// Full, but queries get through: busy, not stuck.
	busy := saturated(foreign, profile.StateChanReceive)
	busy = withPages(busy, func(i int) profile.Metrics { return gated(20, 80, 500+200*float64(i)) })
	if r := judgedTargets(t, busy); len(r.Findings) != 0 {
		t.Errorf("busy: %s", summary(r))
	}
}

// has reports whether a finding has evidence of a kind.
func has(f Finding, kind string) bool {
	for _, o := range f.Occurrences {
		for _, e := range o.Evidence {
			if e.Kind == kind {
				return true
			}
		}
	}
	return false
}

// Goroutines that rise and fall with the requests are none of a leak; while
// both only rise, nobody can tell.
func TestLoadAcquits(t *testing.T) {
	busy := func(n int) profile.Target {
		m := made{version: "0.42.4", component: "query", flags: map[string]string{"query.timeout": "2m"}}
		done := 0.0
		pages := []profile.Metrics{}
		for i := range n {
			m.samples = append(m.samples, []stack{{n: int(20 + 6*bump[i]), state: profile.StateSelect, frames: handler}})
			done += 5 * bump[i]
			pages = append(pages, page(done, 0, 0, bump[i]))
		}
		return withPages(m.target(), func(i int) profile.Metrics { return pages[i] })
	}
	r := judgedTargets(t, busy(8))
	if r.Verdict != VerdictUndecided || r.Targets[0].Undecided == "" {
		t.Errorf("on the way up: %s, %q\n%s", r.Verdict, r.Targets[0].Undecided, summary(r))
	}
	if r := judgedTargets(t, busy(12)); r.Verdict != VerdictClean {
		t.Errorf("up and down: %s\n%s", r.Verdict, summary(r))
	}
}

// Goroutines that come and go are no leak, however their number rises.
func TestTurnoverAcquits(t *testing.T) {
	rise := func(stay bool) made {
		m := made{version: "0.42.4", component: "query"}
		next := int64(100)
		var ids []int64
		for i := range 8 {
			if !stay {
				ids = nil
			}
			for len(ids) < 10*(i+1) {
				next++
				ids = append(ids, next)
			}
			m.samples = append(m.samples, []stack{{n: len(ids), state: profile.StateSelect, frames: foreign, ids: append([]int64(nil), ids...)}})
		}
		return m
	}
	if r := judged(t, rise(false)); len(r.Findings) != 0 {
		t.Errorf("coming and going: %s", summary(r))
	}
	if f := only(t, judged(t, rise(true))); f.Level != Suspect {
		t.Errorf("staying: %s", f.Level)
	}
}

// What the garbage collector lists is a leak, known or not; one goroutine in
// one sample may have been caught in a moment.
func TestProven(t *testing.T) {
	leaked := func(n, samples int) profile.Target {
		var all [][]stack
		for range 3 {
			all = append(all, []stack{{n: n, state: profile.StateChanSend, frames: foreign}})
		}
		target := made{version: "0.42.4", component: "query", samples: all}.target()
		for i := 3 - samples; i < 3; i++ {
			target.Samples[i].Leaked = snapshot(stack{n: n, state: profile.StateChanSend, frames: foreign})
			target.Samples[i].Leaked.LeaksOnly = true
		}
		return target
	}
	for _, tt := range []struct {
		n, samples int
		want       Level
	}{{2, 1, Confirmed}, {1, 2, Confirmed}, {1, 1, ""}} {
		r := judgedTargets(t, leaked(tt.n, tt.samples))
		got := Level("")
		if len(r.Findings) > 0 {
			got = r.Findings[0].Level
		}
		if got != tt.want || got != "" && !has(r.Findings[0], KindProven) {
			t.Errorf("%d in %d: %q, want %q", tt.n, tt.samples, got, tt.want)
		}
	}
}

// A leak profile in debug=2 lists all goroutines and marks those.
func TestProvenInDebug2(t *testing.T) {
	s := snapshot(stack{n: 3, frames: foreign, ids: []int64{7, 8, 9}}, stack{n: 2, frames: handler, ids: []int64{3, 4}})
	for i := range s.Groups {
		if s.Groups[i].Count == 3 {
			s.Groups[i].Goroutines[0].Leaked, s.Groups[i].Goroutines[1].Leaked = true, true
		}
	}
	l := life{samples: []profile.Sample{{Goroutines: s}}}
	all := func(*profile.Group) bool { return true }
	if p := provenIn(l, all); p != (proof{goroutines: 2, samples: 1}) {
		t.Errorf("%+v", p)
	}
	if stacks := provenStacks(l); len(stacks) != 1 || !stacks[profile.Signature(foreign[0]+";"+foreign[1])] {
		t.Errorf("%v", stacks)
	}
}

// A process that is killed every 20 minutes and looked at every 15 leaks as
// well: its goroutines rise with uptime in one life after the other.
func TestKilledAgainAndAgain(t *testing.T) {
	m := made{version: "0.42.4", component: "query", every: 15 * time.Minute}
	for i := range 97 {
		uptime := (15 * i) % 20
		m.starts = append(m.starts, float64(start.Unix())+60*float64(15*i-uptime))
		m.samples = append(m.samples, []stack{{n: 8 * uptime, state: profile.StateChanSend, frames: foreign},
			{n: 12 * uptime, state: profile.StateWaitGroup, frames: eagerVictim}})
	}
	f := only(t, judged(t, m))
	if f.Level != Likely || !has(*f, KindRestarts) {
		t.Errorf("%s %v", f.Level, f.Occurrences[0].Evidence)
	}
	if got := *f.Occurrences[0].Growth.PerHour; got < 400 || got > 1000 {
		t.Errorf("%.0f an hour, want about 720", got)
	}
	// The same without restarts: what begins anew each time is no leak.
	for i := range m.starts {
		m.starts[i] = m.starts[0]
	}
	if r := judged(t, m); len(r.Findings) != 0 {
		t.Errorf("one life: %s", summary(r))
	}
}

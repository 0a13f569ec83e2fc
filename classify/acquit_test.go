package classify

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/thanosleak/thanosleak/profile"
)

// levelOf is the level of the finding with a key, or of any if the key is
// empty; empty for none.
func levelOf(r *Result, key string) Level {
	best := Level("")
	for _, f := range r.Findings {
		if (key == "" || f.Key == key) && f.Level.AtLeast(best) {
			best = f.Level
		}
	}
	return best
}

// A known stack that requests pass through is no leak while their rate explains
// its number.
func TestKnownStackUnderLoad(t *testing.T) {
	m := made{version: "0.34.0", component: "receive"}
	next := int64(100)
	for i := range 8 {
		n := 4 + 5*i
		var ids []int64
		for range n {
			next++
			ids = append(ids, next)
		}
		m.samples = append(m.samples, []stack{{n: n, state: profile.StateChanSend, frames: receiver, ids: ids}})
	}
	done := 0.0
	busy := withPages(m.target(), func(i int) profile.Metrics {
		done += 50 * float64(4+5*i)
		return page(0, done, done, 0)
	})
	if got := levelOf(judgedTargets(t, busy), "TL-2024-002"); !Note.AtLeast(got) {
		t.Errorf("under load, all of them new: %s", got)
	}
	// The same number under a steady rate, the same goroutines: a leak.
	for i := range m.samples {
		st := &m.samples[i][0]
		for k := range st.ids {
			st.ids[k] = int64(100 + k)
		}
	}
	steady := withPages(m.target(), func(i int) profile.Metrics { return page(0, 50*float64(i), 50*float64(i), 0) })
	if got := levelOf(judgedTargets(t, steady), "TL-2024-002"); got != Confirmed {
		t.Errorf("under a steady rate: %s", got)
	}
}

// One sample of an earlier life does not make hours a day.
func TestRestartMakesNoDay(t *testing.T) {
	m := made{version: "0.42.4", component: "query", every: 15 * time.Minute}
	for i := range 39 {
		m.samples = append(m.samples, []stack{{n: 18 + 8*i, state: profile.StateSelect, frames: foreign}})
		m.starts = append(m.starts, float64(start.Unix()))
	}
	target := m.target()
	old := target.Samples[0]
	old.Time = start.Add(-16 * time.Hour)
	old.Goroutines = snapshot(stack{n: 20, state: profile.StateSelect, frames: foreign})
	old.Metrics = profile.Metrics{"process_start_time_seconds": {{Value: float64(start.Add(-20 * time.Hour).Unix())}}}
	target.Samples = append([]profile.Sample{old}, target.Samples...)
	if got := levelOf(judgedTargets(t, target), ""); got != Suspect {
		t.Errorf("%q", got)
	}
}

// A pile-up that comes to rest hides no leak that grows beside it.
func TestPileUpHidesNoLeak(t *testing.T) {
	m := deadEndpoints(4, true)
	for i := range m.samples {
		m.samples[i] = append(m.samples[i], stack{n: 20 + 20*i, state: profile.StateChanSend, frames: foreign})
	}
	r := judged(t, m)
	if levelOf(r, "TL-2026-105") != Note || levelOf(r, "") != Suspect {
		t.Error(summary(r))
	}
}

// One select {} in a stack says nothing of the others there.
func TestOneSelectAmongOthers(t *testing.T) {
	m := made{version: "0.42.4", component: "query"}
	for i := range 12 {
		m.samples = append(m.samples, []stack{{n: 26 + 19*min(i, 6), state: profile.StateSelect, frames: foreign}})
	}
	target := m.target()
	for i := range target.Samples {
		g := target.Samples[i].Goroutines.Group(profile.Signature(foreign[0] + ";" + foreign[1]))
		g.Count++
		g.Places = append(g.Places, profile.Place{Line: 9, State: profile.StateSelectNoCases, Count: 1})
	}
	if got := levelOf(judgedTargets(t, target), ""); got.AtLeast(Likely) {
		t.Errorf("%s", got)
	}
}

// Goroutines are counted once, whatever they are found for.
func TestCountedOnce(t *testing.T) {
	stuck := saturated(handler, profile.StateChanReceiveNil)
	for i := range stuck.Samples {
		stuck.Samples[i].Leaked = snapshot(stack{n: 20, state: profile.StateChanReceiveNil, frames: handler})
		stuck.Samples[i].Leaked.LeaksOnly = true
	}
	culprits := 0
	for _, f := range judgedTargets(t, stuck).Findings {
		for _, s := range f.Stacks {
			if s.Frames[0].Func == handler[0] {
				culprits += s.Count
			}
		}
	}
	if culprits != 20 {
		t.Errorf("%d goroutines in the stack, want 20", culprits)
	}
}

// What scales with clients is no more than suspect, over many lives as well.
func TestConnectionsOverLives(t *testing.T) {
	m := made{version: "0.42.4", component: "query", every: 15 * time.Minute}
	idleConn := []string{"internal/poll.(*FD).Read", "net.(*netFD).Read", "net.(*conn).Read", "net/http.(*connReader).Read", "bufio.(*Reader).fill", "bufio.(*Reader).Peek", "net/http.(*conn).serve"}
	for i := range 97 {
		uptime := (15 * i) % 20
		m.starts = append(m.starts, float64(start.Unix())+60*float64(15*i-uptime))
		m.samples = append(m.samples, []stack{{n: 8 * uptime, state: profile.StateIOWait, frames: idleConn}})
	}
	if f := only(t, judged(t, m)); f.Level != Suspect {
		t.Errorf("%s %v", f.Level, f.Occurrences[0].Evidence)
	}
}

// Few that stay where many pass are no load.
func TestStayingAmongPassing(t *testing.T) {
	m := made{version: "0.42.4", component: "query", every: time.Minute}
	next := int64(10000)
	var stay []int64
	for range 20 {
		for range 12 {
			next++
			stay = append(stay, next)
		}
		ids := append([]int64(nil), stay...)
		for range 300 {
			next++
			ids = append(ids, next)
		}
		m.samples = append(m.samples, []stack{{n: len(ids), state: profile.StateSelect, frames: foreign, ids: ids}})
	}
	if got := levelOf(judged(t, m), ""); got != Suspect {
		t.Errorf("%q", got)
	}
}

// A clock that runs ahead breaks no report.
func TestClockAhead(t *testing.T) {
	m := made{version: "0.42.4", component: "query", every: 15 * time.Minute}
	for i := range 97 {
		m.starts = append(m.starts, float64(start.Add(time.Duration(15*i+15)*time.Minute).Unix())+60*float64(i%2))
		m.samples = append(m.samples, []stack{{n: 10 + 3*i, state: profile.StateChanSend, frames: foreign}})
	}
	if _, err := json.Marshal(judged(t, m)); err != nil {
		t.Error(err)
	}
}

// Thresholds of a caller's own may ask for few samples.
func TestFewSamples(t *testing.T) {
	th := DefaultThresholds()
	th.MinSamples = 2
	for n := 2; n < 6; n++ {
		times, counts := hoursOf(25, func(h float64) float64 { return 50 * h })
		step := len(times) / n
		var fewTimes []time.Time
		var few []float64
		for i := 0; i < len(times); i += step {
			fewTimes, few = append(fewTimes, times[i]), append(few, counts[i])
		}
		th.sustained(fewTimes, few, nil)
		th.retained(fewTimes, few, few, nil)
	}
}

// Lives of releases that differ are not looked at together.
func TestOtherReleasesApart(t *testing.T) {
	m := made{component: "query", every: 15 * time.Minute}
	for i := range 97 {
		m.samples = append(m.samples, []stack{{n: 10 * i, state: profile.StateChanSend, frames: foreign}})
	}
	target := withPages(m.target(), func(i int) profile.Metrics {
		version, born := "0.30.0", 0
		if i >= 50 {
			version, born = "0.42.4", 50
		}
		return profile.Metrics{"process_start_time_seconds": {{Value: float64(start.Add(time.Duration(15*born) * time.Minute).Unix())}},
			"thanos_build_info": {{Labels: map[string]string{"version": version}, Value: 1}}}
	})
	if got := levelOf(judgedTargets(t, target), ""); got.AtLeast(Likely) {
		t.Errorf("%s", got)
	}
}

// A known stack whose number rises all day with requests that are counted
// unevenly is no leak yet: nobody can tell.
func TestKnownStackUnderADayOfLoad(t *testing.T) {
	m := made{version: "0.34.0", component: "receive", every: 15 * time.Minute}
	for i := range 97 {
		m.samples = append(m.samples, []stack{{n: 20 + 5*i, state: profile.StateChanSend, frames: receiver}})
	}
	done := 0.0
	target := withPages(m.target(), func(i int) profile.Metrics {
		done += float64(20+5*i) * []float64{600, 1000, 1400}[i%3]
		return page(0, done, done, 0)
	})
	if got := levelOf(judgedTargets(t, target), "TL-2024-002"); !Note.AtLeast(got) {
		t.Errorf("%s", got)
	}
}

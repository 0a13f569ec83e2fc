package classify

import (
	"slices"
	"testing"
	"time"

	"github.com/thanosleak/thanosleak/profile"
)

// TestStayingEvidence looks at the ways in which goroutines show that they stay
// for longer than any query may take: their ids, their waits, their number, at
// any distance of the samples.
func TestStayingEvidence(t *testing.T) {
	same := func(_, n int) []int64 { return ids(100, n) }
	others := func(i, n int) []int64 { return ids(int64(1000*i+100), n) }
	waits := func(minutes int) [][]stack {
		st := sending
		st.ids, st.wait = ids(7, 2), minutes
		return counts(st, 2)
	}
	nine := func(samples int) [][]stack { return counts(sending, slices.Repeat([]int{9}, samples)...) }
	tenMinutes := map[string]string{"query.timeout": "10m"}
	for _, tt := range []struct {
		name    string
		every   time.Duration
		samples [][]stack
		flags   map[string]string
		want    Level
	}{
		{"20 a minute apart", time.Minute, nine(20), nil, Likely},
		{"six of cron", 15 * time.Minute, nine(6), nil, Likely},
		{"five of cron", 15 * time.Minute, nine(5), nil, Note},
		{"cron, up and down", 15 * time.Minute, counts(sending, 30, 20, 30, 28, 30, 31), nil, Note},
		{"within a longer time-out", time.Minute, nine(6), tenMinutes, Note},
		{"over a longer time-out", time.Minute, nine(12), tenMinutes, Likely},
		{"a shorter time-out: callers may allow more", 20 * time.Second, nine(6), map[string]string{"query.timeout": "30s"}, Note},
		{"rising, by little", 5 * time.Second, counts(sending, 1000, 1002, 1004, 1006, 1008, 1010), nil, Likely},
		{"the same ids over the time-out", 121 * time.Second, withIDs(counts(sending, 1, 2), same), nil, Likely},
		{"the same ids within it", 119 * time.Second, withIDs(counts(sending, 1, 2), same), nil, Note},
		{"other ids, as many as before", time.Minute, withIDs(nine(9), others), nil, Note},
		{"a wait over the time-out", 0, waits(3), nil, Likely},
		{"a wait within it", 0, waits(2), nil, Note},
		{"a wait within a longer time-out", 0, waits(10), tenMinutes, Note},
		{"a wait over a longer time-out", 0, waits(11), tenMinutes, Likely},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := only(t, judged(t, made{component: "receive", version: "0.35.0", every: tt.every, flags: tt.flags, samples: tt.samples}))
			if f.Level != tt.want || f.Advisory != "TL-2024-002" {
				t.Errorf("%s %s, want %s: %v", f.Level, f.Key, tt.want, f.Occurrences[0].Evidence)
			}
		})
	}
}

// Where something that a leak needs does not hold, its stacks alone are worth
// no more than a note; proof stays proof.
func TestExcluded(t *testing.T) {
	for _, tt := range []struct {
		timeout string
		state   profile.State
		want    Level
	}{
		{"2s", profile.StateUnknown, Likely},
		{"0s", profile.StateUnknown, Note},
		{"2s", profile.StateChanReceiveNil, Confirmed},
		{"0s", profile.StateChanReceiveNil, Confirmed},
	} {
		t.Run(tt.timeout+" "+string(tt.state), func(t *testing.T) {
			f := only(t, judged(t, made{component: "query", version: "0.35.1", flags: map[string]string{"store.response-timeout": tt.timeout},
				samples: counts(stack{state: tt.state, frames: eagerCulprit}, 5)}))
			if f.Level != tt.want || f.Advisory != "TL-2024-001" {
				t.Errorf("%s %s, want %s", f.Level, f.Key, tt.want)
			}
		})
	}
}

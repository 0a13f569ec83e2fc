package report_test

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/thanosleak/thanosleak/classify"
	"github.com/thanosleak/thanosleak/profile"
)

// refused is a target that nobody listens on.
func refused(name string) profile.Target {
	return profile.Target{Name: name, URL: "http://" + name,
		Err: name + ": nobody listens there (connection refused): is it the HTTP port, 10902 by default, and does the process run?"}
}

// partly is a target of which some samples could not be had.
func partly(s shelf) profile.Target {
	s.t.Helper()
	x := s.one("v0.36.1-slowstore-eager", "upper", "thanos-query-0:10902")
	x.Samples = x.Samples[:14]
	x.Err = "4 of 18 samples failed, the last with: the answer took longer than 10s: raise --timeout"
	return x
}

// judgements keeps what results returns: to read the captures takes a second.
var judgements struct {
	sync.Once
	results map[string]*classify.Result
}

// results are real judgements, by name. Tests share them and must not change
// them.
func results(t *testing.T) map[string]*classify.Result {
	t.Helper()
	judgements.Do(func() { judgements.results = judgeAll(t) })
	if judgements.results == nil {
		t.Fatal("the captures could not be judged: see the first test that failed")
	}
	return judgements.results
}

func judgeAll(t *testing.T) map[string]*classify.Result {
	t.Helper()
	s := shelf{t, map[string][]profile.Target{}}
	const flagship, deadlock, receive = "v0.35.1-go121-slowstore-eager", "v0.30.1-issue6086-storegateway-deadlock", "v0.35.0-receive-issue6948-leak"
	upper := s.one(flagship, "upper", "thanos-query:10902")
	return map[string]*classify.Result{
		"flagship":   judge(t, upper),
		"both-tiers": judge(t, upper, s.one(flagship, "leaf", "thanos-query-leaf:10902")),
		"receive":    judge(t, s.one(receive, "receive", "thanos-receive-0.thanos-receive.monitoring.svc.cluster.local:10902")),
		"deadlock":   judge(t, s.all(deadlock)...),
		"clean":      judge(t, s.all("v0.35.1-healthy")...),
		"undecided":  judge(t, s.one("steady-v0.42.4", "steady-v0.42.4-query", "localhost:10902")),
		"incomplete": judge(t, partly(s), refused("thanos-query-1:10902")),
		"fleet":      judge(t, fleet(s)...),
		"many": judge(t, s.all(flagship, receive, deadlock, "v0.42.4-misc", "libs", "v0.35.1-risingload-noleak",
			"v0.35.0-issue6948-receive-leakprof")...),
		"suspect":  judge(t, growing(s)),
		"unknown":  judgeBy(knowledgeOfNothing(t), growing(s), s.one(flagship, "upper", "thanos-query-1:10902")),
		"empty":    judge(t),
		"compared": compared(t, s.all("v0.35.1-risingload-noleak"), s.all(flagship)),
		"fleets-compared": compared(t, s.all("steady-v0.42.4", "v0.35.0-receive-issue6948-leak", "v0.35.1-healthy"),
			s.all("v0.35.1-risingload-noleak", "steady-v0.42.4", "v0.30.1-issue6086-storegateway-deadlock")),
	}
}

// compared is a judgement of the newer targets, beside what differs from the base.
func compared(t *testing.T, base, newer []profile.Target) *classify.Result {
	t.Helper()
	r := judge(t, newer...)
	r.Comparison = classify.Compare(classify.InventoryOf(base, nil), classify.InventoryOf(newer, nil), r.Findings)
	r.Comparison.Base = "release.tar.gz"
	return r
}

// growing is a querier in the middle of rising load, which looks like a leak
// that no advisory knows.
func growing(s shelf) profile.Target {
	s.t.Helper()
	x := s.one("v0.35.1-risingload-noleak", "upper", "thanos-query:10902")
	x.Samples = x.Samples[:8]
	x.Facts = profile.Facts{}
	x.Warnings = []string{"the page of /api/v1/status/flags answers 404: preconditions are not known"}
	return x
}

// fleet is 60 queriers of three releases: seven leak, two cannot be read.
func fleet(s shelf) []profile.Target {
	s.t.Helper()
	kinds := map[string]profile.Target{
		"0.35.1 leaks": s.one("v0.35.1-go121-slowstore-eager", "upper", ""),
		"0.36.0 leaks": s.one("v0.36.0-slowstore-lazy", "upper", ""),
		"0.35.1":       s.one("v0.35.1-healthy", "upper", ""),
		"0.36.1":       s.one("v0.36.1-slowstore-eager", "upper", ""),
	}
	var targets []profile.Target
	for i := range 60 {
		kind := "0.36.1"
		switch {
		case i == 31 || i == 32:
			kind = "0.36.0 leaks"
		case i%13 == 4:
			kind = "0.35.1 leaks"
		case i < 20:
			kind = "0.35.1"
		}
		x := startedLater(kinds[kind], i)
		x.Name = fmt.Sprintf("10.42.%d.%d:10902", i/8, 11+i*37%200)
		x.URL = "http://" + x.Name
		if i == 9 || i == 44 {
			x = refused(x.Name)
		}
		targets = append(targets, x)
	}
	return targets
}

// startedLater is a process that was started so many seconds later: no two of a
// fleet are born at the same instant.
func startedLater(t profile.Target, seconds int) profile.Target {
	const family = "process_start_time_seconds"
	t.Samples = slices.Clone(t.Samples)
	for i := range t.Samples {
		s := &t.Samples[i]
		s.Metrics = maps.Clone(s.Metrics)
		s.Metrics[family] = slices.Clone(s.Metrics[family])
		for n := range s.Metrics[family] {
			s.Metrics[family][n].Value += float64(seconds)
		}
	}
	return t
}

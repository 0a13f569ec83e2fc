package classify

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/thanosleak/thanosleak/classify/advisory"
	"github.com/thanosleak/thanosleak/profile"
)

// soaked makes the samples of a soak: at each rest three of each count of the
// stack, ten seconds apart, with 100 requests completed in each round. Counts of
// one rest that differ are given as a list.
func soaked(st stack, rests ...[]int) profile.Target {
	m := made{version: "0.35.1", component: "query", flags: map[string]string{"query.timeout": "5s", "store.response-timeout": "2s"}, every: 10 * time.Second}
	var of []int
	for k, rest := range rests {
		for i := range 3 {
			m.samples = append(m.samples, counts(st, rest[i%len(rest)])...)
			of = append(of, k+1)
		}
	}
	t := m.target()
	for i := range t.Samples {
		t.Samples[i].Rest = of[i]
	}
	return withPages(t, func(i int) profile.Metrics { return page(100*float64(i/3), 0, 0, 0) })
}

// each makes a rest of each count.
func each(counts ...int) [][]int {
	var rests [][]int
	for _, n := range counts {
		rests = append(rests, []int{n})
	}
	return rests
}

var leftBehind = stack{state: profile.StateChanReceive, frames: foreign}

func TestTrendOfRests(t *testing.T) {
	for _, tt := range []struct {
		name   string
		floors []int
		want   ascentTrend
	}{
		{"one more each time", []int{0, 1, 2, 3}, everyTime},
		{"of many", []int{250, 251, 253, 254}, everyTime},
		{"with what is made once in the first round", []int{0, 52, 54, 56}, everyTime},
		{"one in five rounds may leave none", []int{0, 1, 2, 2, 3, 4}, everyTime},
		{"nothing", []int{5, 5, 5, 5}, flat},
		{"made once", []int{0, 7, 7, 7}, flat},
		{"made once, late", []int{0, 6, 7, 7}, flat},
		{"one more by chance", []int{25, 25, 26, 25}, flat},
		{"one more in the last round", []int{25, 25, 25, 26}, flat},
		{"many more in the last round", []int{25, 25, 25, 75}, unsettled},
		{"in two rounds of three", []int{25, 26, 26, 27}, unsettled},
		{"fills up", []int{0, 40, 50, 54}, unsettled},
		{"fills up over six rounds", []int{0, 40, 60, 70, 74, 76, 77}, unsettled},
		{"fell a little on the way", []int{0, 5, 4, 9}, unsettled},
		{"one fewer at one rest", []int{0, 50, 49, 100}, unsettled},
		{"one fewer at one rest of six", []int{0, 100, 99, 200, 300, 400}, everyTime},
		{"one fewer at the last rest", []int{0, 500, 1000, 999}, unsettled},
		{"as many in the last round as before", []int{0, 100, 200, 200}, unsettled},
		{"in the second round only", []int{0, 0, 50, 50}, unsettled},
		{"made once, with a few late ones", []int{0, 40, 43, 43}, flat},
		{"a pool that fills", []int{6, 20, 23, 25}, unsettled},
		{"a leak beside what is made once", []int{6, 21, 22, 23}, everyTime},
		{"fell in the last round, and still above the first", []int{6, 16, 26, 22}, unsettled},
		{"comes and goes", []int{0, 12, 3, 14}, flat},
		{"more than at the first rest, which was none", []int{12, 7, 8, 9}, unsettled},
		{"fell, and rose again", []int{9, 5, 5, 9}, unsettled},
		{"fell, and stayed", []int{9, 5, 5, 5}, flat},
		{"in the first two rounds of three", []int{6, 8, 10, 10}, unsettled},
		{"too few rounds", []int{0, 5, 10}, unsettled},
		{"one round", []int{0, 1}, flat},
	} {
		if got := trendOf(tt.floors, nil); got != tt.want {
			t.Errorf("%s %v: %d, want %d", tt.name, tt.floors, got, tt.want)
		}
	}
}

// What all rounds but one left is not said of each.
func TestRoundsThatLeft(t *testing.T) {
	for text, floors := range map[string][]int{
		"at rest 0 → 1 → 2 → 3: 3 rounds of load left more each time":           {0, 1, 2, 3},
		"at rest 0 → 1 → 1 → 2 → 3 → 4: 4 of 5 rounds of load left more, and t": {0, 1, 1, 2, 3, 4},
	} {
		ev := ascent{floors: floors, trend: everyTime}.evidence()
		if len(ev) != 1 || !strings.HasPrefix(ev[0].Text, text) {
			t.Errorf("%v: %v, want %q", floors, ev, text)
		}
	}
}

// A rest is told by the mark of its samples; another soak before it is not
// joined.
func TestRests(t *testing.T) {
	marked := func(marks ...int) life {
		var l life
		for _, n := range marks {
			l.samples = append(l.samples, profile.Sample{Rest: n})
		}
		return l
	}
	for _, tt := range []struct {
		marks []int
		want  [][]int
	}{
		{[]int{0, 0}, nil},
		{[]int{1, 1, 2, 3, 3}, [][]int{{0, 1}, {2}, {3, 4}}},
		{[]int{1, 2, 1, 2}, [][]int{{2}, {3}}},
		{[]int{1, 2, 0, 1, 2}, [][]int{{3}, {4}}},
		{[]int{1, 2, 0}, nil},
		{[]int{3, 4, 4}, [][]int{{0}, {1, 2}}},
	} {
		if got := marked(tt.marks...).rests(); !slices.EqualFunc(got, tt.want, slices.Equal) {
			t.Errorf("%v: %v, want %v", tt.marks, got, tt.want)
		}
	}
}

func TestSoakFindsWhatStays(t *testing.T) {
	f := only(t, judgedTargets(t, soaked(leftBehind, each(0, 1, 2, 3)...)))
	o := f.Occurrences[0]
	if f.Level != Likely || f.Culprits != 3 || !has(*f, KindRetained) || o.Growth.Verdict != Growing {
		t.Errorf("one a round: %s %s, %d, %v, %+v", f.Level, f.Title, f.Culprits, o.Evidence, o.Growth)
	}
	mustContain(t, f.Title, "more with every round of load")
	mustContain(t, o.Evidence[0].Text, "0 → 1 → 2 → 3", "3 rounds", "100, 100, 100 requests")
}

func TestSoakIsNoLeak(t *testing.T) {
	for name, rests := range map[string][][]int{
		"nothing":             each(0, 0, 0, 0),
		"made once":           each(0, 7, 7, 7),
		"what comes and goes": {{3, 0, 5}, {9, 0, 2}, {4, 12, 0}, {20, 30, 0}},
		"by chance":           each(25, 25, 26, 25),
		"busy, and no more":   {{9, 0, 2}, {12, 4, 9}, {20, 3, 8}, {9, 2, 30}},
	} {
		r := judgedTargets(t, soaked(leftBehind, rests...))
		if r.Verdict != VerdictClean || r.Targets[0].Judged != JudgedYes {
			t.Errorf("%s: %s (%s)\n%s", name, r.Verdict, r.Targets[0].Undecided, summary(r))
		}
	}
}

func TestSoakIsNoGreenLight(t *testing.T) {
	few := soaked(leftBehind, each(0, 0, 0)...)
	missed := soaked(leftBehind, each(0, 0, 0, 0, 0)...)
	missed.Samples = slices.Delete(missed.Samples, 6, 9)
	busy := soaked(leftBehind, []int{9, 0, 2}, []int{12, 1, 9}, []int{20, 2, 8}, []int{30, 3, 9})
	idle := withPages(soaked(leftBehind, each(0, 0, 0, 0)...), func(int) profile.Metrics { return page(7, 0, 0, 0) })
	blind := withPages(soaked(leftBehind, each(0, 0, 0, 0)...), func(int) profile.Metrics { return nil })
	wrong := withPages(soaked(leftBehind, each(0, 0, 0, 0)...), func(i int) profile.Metrics {
		m := page(100*float64(i/3), 0, 0, 0)
		m["http_requests_total"][0].Labels["code"] = "400"
		return m
	})
	shared := withPages(soaked(leftBehind, each(0, 0, 0, 0)...), func(i int) profile.Metrics { return page(20*float64(i), 0, 0, 0) })
	running := withPages(soaked(leftBehind, each(0, 0, 0, 0)...), func(i int) profile.Metrics { return page(100*float64(i/3), 0, 0, 40) })
	restarted := soaked(leftBehind, each(0, 0, 0, 0, 0)...)
	for i := range restarted.Samples {
		if i >= 3 {
			restarted.Samples[i].Metrics["process_start_time_seconds"] = []profile.Value{{Value: 5000}}
		}
	}
	loaded := func(each float64) profile.Target {
		return withPages(soaked(leftBehind, []int{0}, []int{0}, []int{0}, []int{0}), func(i int) profile.Metrics { return page(each*float64(i/3), 0, 0, 0) })
	}
	if r := judgedTargets(t, loaded(minRequests)); r.Verdict != VerdictClean {
		t.Errorf("%d requests a round: %s", minRequests, r.Verdict)
	}
	for _, tt := range []struct {
		name   string
		target profile.Target
		why    string
	}{
		{"one request too few", loaded(minRequests - 1), "a round had 19 completed requests, and 20 are needed"},
		{"two rounds", few, "2 rounds of load is too little"},
		{"a rest is missing", missed, "no sample at rest 3 of 5"},
		{"others use it", busy, "more rounds"},
		{"no request", idle, "does the load go to this process?"},
		{"only bad requests", wrong, "does the load go to this process?"},
		{"somebody else uses it", shared, "160 requests completed while it should have been at rest"},
		{"no metrics", blind, "/metrics could not be read"},
		{"requests still running", running, "still running at rest"},
		{"restarted", restarted, "started anew"},
		{"fills up", soaked(leftBehind, each(0, 40, 50, 54)...), "more rounds or a longer --settle"},
	} {
		r := judgedTargets(t, tt.target)
		if r.Targets[0].Judged != JudgedUndecided {
			t.Errorf("%s: judged %s, %s", tt.name, r.Targets[0].Judged, r.Verdict)
		}
		mustContain(t, r.Targets[0].Undecided, tt.why)
	}
}

// A process that gave no sample at the last rest of the others, or of the soak,
// may have ended in it; and a soak that was cut short shows nothing.
func TestSoakThatDidNotEnd(t *testing.T) {
	db, err := advisory.Default()
	if err != nil {
		t.Fatal(err)
	}
	whole := soaked(leftBehind, each(0, 0, 0, 0, 0)...)
	died := soaked(leftBehind, each(0, 0, 0, 0, 0)...)
	died.Name, died.Samples = "two", died.Samples[:12]
	judgedBy := func(o Options, targets ...profile.Target) *Result {
		o.Thresholds, o.Advisories, o.Soak = DefaultThresholds(), db, true
		return Judge(targets, o)
	}
	if r := judgedBy(Options{}, whole, died); r.Targets[0].Judged != JudgedYes || r.Targets[1].Judged != JudgedUndecided || r.Verdict != VerdictUndecided {
		t.Errorf("beside another: %s, %+v", r.Verdict, r.Targets)
	}
	if r := judgedBy(Options{Rounds: 4}, died); r.Verdict != VerdictUndecided {
		t.Errorf("of four rounds: %s", r.Verdict)
	}
	if r := judgedBy(Options{Rounds: 4}, whole); r.Verdict != VerdictClean {
		t.Errorf("whole: %s, %s", r.Verdict, r.Targets[0].Undecided)
	}
	if r := judgedBy(Options{Rounds: 4, Aborted: "the load command failed"}, whole); r.Verdict != VerdictUndecided || r.Targets[0].Undecided != "the load command failed" {
		t.Errorf("aborted: %s, %s", r.Verdict, r.Targets[0].Undecided)
	}
}

// What requests of the first round may still hold is no leak yet; with nothing
// in flight it is.
func TestSoakWaitsForRequests(t *testing.T) {
	slow := func(timeout string, inFlight float64) profile.Target {
		target := soaked(leftBehind, each(0, 1, 2, 3)...)
		target.Facts.Flags["query.timeout"] = timeout
		return withPages(target, func(i int) profile.Metrics { return page(100*float64(i/3), 0, 0, inFlight) })
	}
	for _, tt := range []struct {
		timeout  string
		inFlight float64
		want     Level
	}{
		{"15m", 2, Suspect},
		{"15m", 0, Likely},
		{"1m20s", 2, Suspect}, // the time that is left from the first sample after the first round
		{"1m19s", 2, Likely},
	} {
		if f := only(t, judgedTargets(t, slow(tt.timeout, tt.inFlight))); f.Level != tt.want {
			t.Errorf("--query.timeout %s, %v in flight: %s, want %s: %v", tt.timeout, tt.inFlight, f.Level, tt.want, f.Occurrences[0].Evidence)
		}
	}
}

// Connections are as many as the clients like: more of them after each round are
// told, and no leak is claimed.
func TestSoakOfConnections(t *testing.T) {
	conn := stack{state: profile.StateIOWait, frames: []string{"net.(*conn).Read", "net/http.(*connReader).Read", "bufio.(*Reader).fill", "bufio.(*Reader).Peek", "net/http.(*conn).serve"}}
	r := judgedTargets(t, soaked(conn, each(1, 2, 3, 4)...))
	if f := only(t, r); f.Level != Suspect || r.Targets[0].Judged != JudgedUndecided {
		t.Errorf("%s, %s", f.Level, r.Targets[0].Judged)
	}
}

// The sends of a receiver whose readers have gone are confirmed where the release
// has that leak, and a leak of its own where it does not.
func TestSoakOfKnownLeak(t *testing.T) {
	for version, want := range map[string]struct {
		level Level
		key   string
	}{"0.35.0": {Confirmed, "TL-2024-002"}, "0.35.1": {Likely, ""}} {
		target := soaked(stack{state: profile.StateChanSend, frames: receiver}, each(0, 1, 2, 3)...)
		target.Facts.Version = version
		for i := range target.Samples {
			g := target.Samples[i].Goroutines
			target.Samples[i].Goroutines = snapshot(stack{n: 1, state: profile.StateSelect, frames: mains["receive"]},
				stack{n: g.Total - 1, state: profile.StateChanSend, frames: receiver})
		}
		if f := only(t, judgedTargets(t, target)); f.Level != want.level || f.Advisory != want.key || !has(*f, KindRetained) {
			t.Errorf("%s: %s %q %v", version, f.Level, f.Advisory, f.Occurrences[0].Evidence)
		} else if want.key != "" {
			steps := f.Remedies[0].Steps
			if last := steps[len(steps)-1]; last.Kind != StepVerify || !strings.HasPrefix(last.Command, "thanosleak soak ") {
				t.Errorf("what a soak found is verified by %v", last)
			}
		}
	}
}

// conditionOf returns the condition of that name.
func conditionOf(t *testing.T, r *Result, name string) Condition {
	t.Helper()
	i := slices.IndexFunc(r.Soak.Conditions, func(c Condition) bool { return c.Name == name })
	if i < 0 {
		t.Fatalf("no condition %s in %+v", name, r.Soak.Conditions)
	}
	return r.Soak.Conditions[i]
}

func TestCoverage(t *testing.T) {
	db, err := advisory.Default()
	if err != nil {
		t.Fatal(err)
	}
	withStreams := func(code string, n float64) func(int) profile.Metrics {
		return func(i int) profile.Metrics {
			m := page(100*float64(i/3), 0, 0, 0)
			m["grpc_client_handled_total"] = []profile.Value{{Labels: map[string]string{"grpc_method": "Series", "grpc_code": code}, Value: n * float64(i)}}
			return m
		}
	}
	quiet := soaked(leftBehind, each(0, 0, 0, 0)...)
	for _, tt := range []struct {
		name    string
		change  func(*profile.Target)
		pages   func(int) profile.Metrics
		want    map[string]string // "yes", "no" or "unknown"
		observe map[string]string
	}{
		{"ordinary load", nil, withStreams("OK", 9),
			map[string]string{"requests": "yes", "cancelled": "no", "silent-store": "no", "TL-2024-001": "no", "TL-2026-002": "unknown"},
			map[string]string{"TL-2024-001": "did not happen: a store is silent"}},
		{"a silent store", nil, withStreams("Canceled", 9),
			map[string]string{"silent-store": "yes", "cancelled": "no", "TL-2024-001": "yes"}, nil},
		{"queries that time out", nil, withStreams("DeadlineExceeded", 9),
			map[string]string{"silent-store": "no", "cancelled": "yes", "TL-2024-001": "no"}, nil},
		{"a flag that keeps it off", func(t *profile.Target) { t.Facts.Flags["store.response-timeout"] = "0s" }, withStreams("Canceled", 9),
			map[string]string{"silent-store": "yes", "TL-2024-001": "no"},
			map[string]string{"TL-2024-001": "--store.response-timeout=0s, but needed is"}},
		{"a flag that is not known", func(t *profile.Target) { t.Facts.Flags = nil }, withStreams("Canceled", 9),
			map[string]string{"TL-2024-001": "unknown"}, nil},
	} {
		target := quiet
		target.Facts.Flags = map[string]string{"query.timeout": "5s", "store.response-timeout": "2s"}
		target.Samples = slices.Clone(quiet.Samples)
		if tt.change != nil {
			tt.change(&target)
		}
		r := Judge([]profile.Target{withPages(target, tt.pages)}, Options{Thresholds: DefaultThresholds(), Advisories: db})
		for name, want := range tt.want {
			c := conditionOf(t, r, name)
			got := "unknown"
			if c.Exercised != nil {
				got = map[bool]string{true: "yes", false: "no"}[*c.Exercised]
			}
			if got != want {
				t.Errorf("%s: %s is %s (%s), want %s", tt.name, name, got, c.Observed, want)
			}
			mustContain(t, c.Observed, tt.observe[name])
		}
	}
}

// A build of somebody's own is taken for a release of its number.
// TestWitnessedPrecondition: that a store was silent is known where /metrics count
// it, also without a soak; that none was since is no sign that none ever was.
func TestWitnessedPrecondition(t *testing.T) {
	silent := advisory.Precondition{Text: "a store is silent", Event: true, Witness: advisory.WitnessSilentStore}
	for _, tt := range []struct {
		code, observed string
	}{{"Canceled", "9 times by /metrics"}, {"OK", ""}} {
		p := &process{target: &profile.Target{}, lives: []life{lifeOf(time.Second, page(0, 0, 0, 0), page(9, 0, 0, 0))}}
		p.newest().last().Metrics["grpc_client_handled_total"] = []profile.Value{{Labels: map[string]string{"grpc_method": "Series", "grpc_code": tt.code}, Value: 9}}
		if s := p.precondition(silent); s.Observed != tt.observed || (s.Met != nil && *s.Met) != (tt.observed != "") {
			t.Errorf("%s: %+v, want %q", tt.code, s, tt.observed)
		}
	}
}

func TestCoverageOfOwnBuild(t *testing.T) {
	for version, want := range map[string]bool{"0.35.1": true, "0.35.1-acme": true, "0.43.0-dev": false, "0.36.1": false, "": true} {
		target := soaked(leftBehind, each(0, 0, 0, 0)...)
		target.Facts.Version = version
		if c := conditionOf(t, judgedTargets(t, target), "TL-2024-001"); c.Affected != want {
			t.Errorf("%q: affected %v (%s)", version, c.Affected, c.Text)
		}
	}
}

// What happened to one process is no witness for another.
func TestCoverageOfTwo(t *testing.T) {
	quiet, silent := soaked(leftBehind, each(0, 0, 0, 0)...), soaked(leftBehind, each(0, 0, 0, 0)...)
	silent.Name, silent.Facts.Version = "two", "0.42.4"
	silent = withPages(silent, func(i int) profile.Metrics {
		m := page(100*float64(i/3), 0, 0, 0)
		m["grpc_client_handled_total"] = []profile.Value{{Labels: map[string]string{"grpc_method": "Series", "grpc_code": "Canceled"}, Value: float64(i)}}
		return m
	})
	quiet.Facts.Flags = map[string]string{"store.response-timeout": "2s"}
	silent.Facts.Flags = map[string]string{"store.response-timeout": "0s"}
	r := judgedTargets(t, quiet, silent)
	if c := conditionOf(t, r, "silent-store"); c.Exercised == nil || !*c.Exercised || c.Observed != "11 by /metrics of two" {
		t.Errorf("%+v", c)
	}
	if c := conditionOf(t, r, "TL-2024-001"); c.Exercised == nil || *c.Exercised {
		t.Errorf("%+v", c)
	}
}

// Where one process does not tell, that nothing happened in the others shows
// nothing.
func TestCoverageOfOneThatDoesNotTell(t *testing.T) {
	blind := withPages(soaked(leftBehind, each(0, 0, 0, 0)...), func(int) profile.Metrics { return nil })
	blind.Name = "two"
	r := judgedTargets(t, soaked(leftBehind, each(0, 0, 0, 0)...), blind)
	if c := conditionOf(t, r, "cancelled"); c.Exercised != nil {
		t.Errorf("%+v", c)
	}
}

// What is required is unmet until something shows that it was exercised; what
// no target can have is unmet as well.
func TestRequired(t *testing.T) {
	db, err := advisory.Default()
	if err != nil {
		t.Fatal(err)
	}
	r := Judge([]profile.Target{soaked(leftBehind, each(0, 0, 0, 0)...)}, Options{Thresholds: DefaultThresholds(), Advisories: db,
		Require: []string{"requests", "silent-store", "TL-2026-001"}})
	var names []string
	for _, c := range r.Soak.Unmet() {
		names = append(names, c.Name)
	}
	if !slices.Equal(names, []string{"silent-store", "TL-2026-001"}) {
		t.Errorf("unmet: %v", names)
	}
	if want := "required, but not exercised: silent-store, TL-2026-001"; r.Verdict != VerdictUndecided || r.Targets[0].Undecided != want {
		t.Errorf("%s: %s", r.Verdict, r.Targets[0].Undecided)
	}
}

// A soak without rests is judged by time, and what rises there is no green light.
func TestSoakByTheClock(t *testing.T) {
	db, err := advisory.Default()
	if err != nil {
		t.Fatal(err)
	}
	soak := func(n func(i int) int) *Result {
		m := made{version: "0.35.1", component: "query", every: 10 * time.Second, flags: map[string]string{"query.timeout": "30s"}}
		for i := range 40 {
			m.samples = append(m.samples, []stack{{n: n(i), state: profile.StateChanReceive, frames: foreign}})
		}
		target := withPages(m.target(), func(i int) profile.Metrics { return page(float64(50*i), 0, 0, 0) })
		return Judge([]profile.Target{target}, Options{Thresholds: DefaultThresholds(), Advisories: db, Soak: true})
	}
	if r := soak(func(int) int { return 5 }); r.Verdict != VerdictClean || r.Soak == nil || !slices.Equal(r.Soak.Targets[0].AtRest, []int{6, 6, 6, 6}) {
		t.Errorf("flat: %s %+v", r.Verdict, r.Soak)
	}
	if r := soak(func(i int) int { return 5 + i }); r.Verdict != VerdictSuspect || r.Targets[0].Judged != JudgedUndecided {
		t.Errorf("rising: %s %s", r.Verdict, r.Targets[0].Judged)
	}
}

package classify

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var firstRun = time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)

// resultOf makes a result: each word is a finding "KEY=LEVEL:CULPRITS@TARGET",
// "TARGET" without one, "?TARGET" undecided, "~TARGET" of which only old samples
// are there, or "!TARGET" for one that gives no sample.
func resultOf(words ...string) *Result {
	r := &Result{}
	for _, w := range words {
		if down, is := strings.CutPrefix(w, "!"); is {
			r.Targets = append(r.Targets, TargetResult{Name: down, Unreached: true, Judged: JudgedNo, Error: "refused"})
			continue
		}
		if kept, is := strings.CutPrefix(w, "~"); is {
			r.Targets = append(r.Targets, TargetResult{Name: kept, Judged: JudgedYes, Kept: true})
			continue
		}
		if unsure, is := strings.CutPrefix(w, "?"); is {
			r.Targets = append(r.Targets, TargetResult{Name: unsure, Judged: JudgedUndecided})
			continue
		}
		key, rest, found := strings.Cut(w, "=")
		if !found {
			r.Targets = append(r.Targets, TargetResult{Name: w, Judged: JudgedYes})
			continue
		}
		what, target, _ := strings.Cut(rest, "@")
		level, n, _ := strings.Cut(what, ":")
		f := Finding{Key: key, Title: "title of " + key, Level: Level(level), Occurrences: []Occurrence{{Target: target}}}
		fmt.Sscan(n, &f.Culprits)
		r.Findings = append(r.Findings, f)
		if !slices.ContainsFunc(r.Targets, func(t TargetResult) bool { return t.Name == target }) {
			r.Targets = append(r.Targets, TargetResult{Name: target, Judged: JudgedYes})
		}
	}
	return r
}

// TestMemory follows a cron job over runs: each tells what it finds, after how
// long, and what of it is news.
func TestMemory(t *testing.T) {
	type step struct {
		after time.Duration
		found []string
		want  []string // news, and "STATUS KEY" of the findings
	}
	const day = 24 * time.Hour
	const silent = time.Hour - 1 // after it: a run that tells nobody
	for name, steps := range map[string][]step{
		"told once, and every day": {
			{0, []string{"A=likely:10@q1"}, []string{"new A", "is new"}},
			{time.Hour, []string{"A=likely:11@q1"}, []string{"is ongoing"}},
			{day, []string{"A=likely:12@q1"}, []string{"still A", "is ongoing"}},
			{time.Hour, []string{"A=likely:12@q1"}, []string{"is ongoing"}},
		},
		"worse": {
			{0, []string{"A=likely:10@q1"}, []string{"new A", "is new"}},
			{time.Hour, []string{"A=confirmed:10@q1"}, []string{"worse A: confirmed, not likely any more", "is ongoing"}},
			{time.Hour, []string{"A=likely:10@q1"}, []string{"is ongoing"}},
			{time.Hour, []string{"A=confirmed:10@q1"}, []string{"is ongoing"}}, // that was told
			{time.Hour, []string{"A=confirmed:20@q2"}, []string{"worse A: also on q2; 20 goroutines, 10 when it was last told", "is ongoing"}},
		},
		"below the floor": {
			{0, []string{"A=suspect:10@q1"}, []string{"is new"}},
			{time.Hour, []string{"A=likely:10@q1"}, []string{"new A", "is ongoing"}},
			{2 * day, []string{"A=suspect:10@q1"}, []string{"is ongoing"}},
			{time.Hour, []string{"A=note:10@q1"}, []string{"gone A", "is ongoing"}},
			{time.Hour, []string{"A=note:10@q1"}, []string{"is ongoing"}},
		},
		"notes are not remembered": {
			{0, []string{"A=note:10@q1"}, []string{"is new"}},
			{time.Hour, nil, nil},
		},
		"gone and back are told when somebody listens": {
			{0, []string{"A=likely:10@q1"}, []string{"new A", "is new"}},
			{time.Hour, []string{"A=likely:10@q1", "!q2"}, []string{"down q2", "is ongoing"}},
			{silent, []string{"q2"}, []string{"gone A", "back q2", "is gone"}}, // nobody does: see silent
			{time.Hour, []string{"q2"}, []string{"gone A", "back q2"}},
			{time.Hour, []string{"q2"}, nil},
		},
		"around a threshold": {
			{0, []string{"A=likely:10@q1"}, []string{"new A", "is new"}},
			{15 * time.Minute, []string{"q1"}, nil},
			{15 * time.Minute, []string{"A=likely:10@q1"}, []string{"is ongoing"}},
			{15 * time.Minute, []string{"A=note:10@q1"}, []string{"is ongoing"}},
			{15 * time.Minute, []string{"A=likely:10@q1"}, []string{"is ongoing"}},
			{15 * time.Minute, []string{"q1"}, nil},
			{45 * time.Minute, []string{"q1"}, []string{"gone A", "is gone"}},
		},
		"too little is known after a pause": {
			{0, []string{"A=likely:10@q1"}, []string{"new A", "is new"}},
			{2 * day, []string{"?q1"}, nil},
			{15 * time.Minute, []string{"A=likely:10@q1"}, []string{"still A", "is ongoing"}},
		},
		"gone, and back within a day": {
			{0, []string{"A=likely:10@q1"}, []string{"new A", "is new"}},
			{time.Hour, nil, []string{"gone A", "is gone"}},
			{time.Hour, nil, nil},
			{time.Hour, []string{"A=likely:10@q1"}, []string{"new A", "is ongoing"}},
		},
		"gone, and back after a day": {
			{0, []string{"A=likely:10@q1"}, []string{"new A", "is new"}},
			{time.Hour, nil, []string{"gone A", "is gone"}},
			{2 * day, nil, nil},
			{time.Hour, []string{"A=likely:10@q1"}, []string{"new A", "is new"}},
		},
		"a target that does not answer may leak": {
			{0, []string{"A=likely:10@q1"}, []string{"new A", "is new"}},
			{time.Hour, []string{"!q1"}, []string{"down q1"}},
			{time.Hour, []string{"!q1"}, nil},
			{day, []string{"!q1"}, []string{"still down q1"}},
			{time.Hour, []string{"A=likely:10@q1"}, []string{"still A", "back q1", "is ongoing"}},
		},
		"a target that is none any more took its leak along": {
			{0, []string{"A=likely:10@q1"}, []string{"new A", "is new"}},
			{time.Hour, []string{"!q2"}, []string{"down q2", "gone A", "is gone"}},
			{time.Hour, nil, nil}, // nor is q2 back
		},
		"a target that nobody looks at any more is not back": {
			{0, []string{"!q1"}, []string{"down q1"}},
			{time.Hour, []string{"~q1"}, nil},
			{2 * day, []string{"~q1"}, nil},
			{time.Hour, []string{"q1"}, []string{"back q1"}},
		},
		"nobody is told that what they were not told of is gone": {
			{0, []string{"A=suspect:10@q1"}, []string{"is new"}},
			{time.Hour, nil, []string{"is gone"}},
		},
		"a clock that jumps back": {
			{0, []string{"A=likely:10@q1"}, []string{"new A", "is new"}},
			{-time.Hour, []string{"A=likely:10@q1"}, []string{"is ongoing"}},
			{-30 * day, []string{"A=likely:10@q1"}, []string{"still A", "is ongoing"}},
			{time.Hour, []string{"A=likely:10@q1"}, []string{"is ongoing"}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			m, now := &Memory{}, firstRun
			for i, s := range steps {
				now = now.Add(s.after)
				r := resultOf(s.found...)
				m.Recall(r, now)
				changes := m.Changes(r, Likely, now)
				var got []string
				for _, c := range changes {
					text := string(c.Kind) + " " + c.Key + c.Target
					if c.Kind == ChangeWorse {
						text += ": " + c.Text
					}
					got = append(got, text)
				}
				for _, f := range r.Findings {
					got = append(got, "is "+f.Status)
				}
				if diff := cmp.Diff(s.want, got); diff != "" {
					t.Fatalf("run %d: %s", i, diff)
				}
				if s.after != silent {
					m.Tell(changes, now)
				}
				m = again(t, m)
			}
		})
	}
}

// again returns what the next run reads of the memory.
func again(t *testing.T, m *Memory) *Memory {
	t.Helper()
	b, err := m.JSON()
	if err != nil {
		t.Fatal(err)
	}
	next, err := ParseMemory(b)
	if err != nil {
		t.Fatal(err)
	}
	return next
}

func TestMemoryDamaged(t *testing.T) {
	for _, text := range []string{"{", "[]", `{"schema":"thanosleak/v1"}`, "\x00"} {
		if m, err := ParseMemory([]byte(text)); err == nil {
			t.Errorf("%q: %+v", text, m)
		}
	}
	m, err := ParseMemory([]byte(`{"schema":"` + MemorySchema + `","findings":{"A":null},"outages":{"q":null}}`))
	if err != nil {
		t.Fatal(err)
	}
	m.Recall(resultOf("A=likely:1@q"), firstRun)
}

// TestMemoryClock keeps to the clock of the targets while none of them answers.
func TestMemoryClock(t *testing.T) {
	m := &Memory{}
	here := firstRun.Add(1000 * time.Hour)
	if got := m.Now(time.Time{}, here); !got.Equal(here) {
		t.Errorf("before any sample: %s, want this machine's %s", got, here)
	}
	m.Now(firstRun, here)
	if got, want := again(t, m).Now(time.Time{}, here.Add(time.Hour)), firstRun.Add(time.Hour); !got.Equal(want) {
		t.Errorf("an hour after the last sample: %s, want %s", got, want)
	}
}

// TestChangesAreToldOnce holds for any course of events: what was told is not
// told again when nothing has changed.
func TestChangesAreToldOnce(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	m, now := &Memory{}, firstRun
	for range 2000 {
		var found []string
		for _, key := range []string{"A", "B", "C"} {
			level := []Level{"", Note, Suspect, Likely, Confirmed}[random.IntN(5)]
			target := fmt.Sprint("q", random.IntN(3))
			switch {
			case level != "":
				found = append(found, fmt.Sprintf("%s=%s:%d@%s", key, level, random.IntN(100), target))
			case random.IntN(2) == 0:
				found = append(found, "!p"+target)
			}
		}
		now = now.Add(time.Duration(random.Int64N(int64(20 * time.Hour))))
		r := resultOf(found...)
		m.Recall(r, now)
		m.Tell(m.Changes(r, Likely, now), now)
		r = resultOf(found...)
		m.Recall(r, now)
		if more := m.Changes(r, Likely, now); len(more) > 0 {
			t.Fatalf("%q, told already: %+v", found, more)
		}
	}
}

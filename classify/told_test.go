package classify

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/thanosleak/thanosleak/classify/advisory"
	"github.com/thanosleak/thanosleak/profile"
)

// TestTold: what was seen stands in the finding, also where the level does not
// hang on it.
func TestTold(t *testing.T) {
	for _, tt := range []struct {
		kind     string
		strength Strength
		target   profile.Target
	}{
		{KindChain, Link, dumpedTarget(dumpedLife(idDump(querier, accepting, engines, selects, leakedReaders)))},
		{KindOutlived, Strong, dumpedTarget(staying())},
		{KindTurnover, Contrary, comingAndGoing().target()},
		{KindLoad, Contrary, followingLoad()},
	} {
		t.Run(tt.kind, func(t *testing.T) {
			r := judgedTargets(t, tt.target)
			for _, f := range r.Findings {
				for _, e := range f.Occurrences[0].Evidence {
					if e.Kind == tt.kind && e.Strength == tt.strength {
						return
					}
				}
			}
			t.Errorf("no evidence of it in\n%s", summary(r))
		})
	}
}

// dumpedTarget is a querier of v0.35.1.
func dumpedTarget(l life) profile.Target {
	return profile.Target{Name: "one", Facts: profile.Facts{Version: "0.35.1"}, Samples: l.samples}
}

// querier is the goroutine that tells what the process is.
var querier = crowdOf(mains["query"], profile.StateSelect, 1, 51)

// staying is calls that have begun after the first dump and do not end for longer
// than any caller allows.
func staying() life {
	work := idDump(querier, idleLoop, crowdOf(streamWork, profile.StateChanReceive, 0, idRange(101, 12)...))
	return afterLoop(repeated(20, work)...)
}

// comingAndGoing is a known stack with other goroutines in each sample.
func comingAndGoing() made {
	return made{version: "0.35.1", component: "query", samples: withIDs(counts(leaked, rising(8)...), func(i, n int) []int64 { return ids(int64(1000*(i+1)), n) })}
}

// followingLoad is a known pile-up that rises and falls with the requests.
func followingLoad() profile.Target {
	m := made{version: "0.42.4", component: "query"}
	var pages []profile.Metrics
	done := 0.0
	for i := range 8 {
		m.samples = append(m.samples, []stack{{n: int(20 + 6*bump[i]), state: reading.state, frames: reading.frames}})
		done += 5 * bump[i]
		pages = append(pages, page(done, 0, 0, bump[i]))
	}
	return withPages(m.target(), func(i int) profile.Metrics { return pages[i] })
}

// TestLasts: what takes an hour in health is not called stuck after half of it.
func TestLasts(t *testing.T) {
	fetch := "github.com/thanos-io/thanos/pkg/block.(*BaseFetcher)."
	for _, tt := range []struct {
		minutes int
		late    bool
	}{{30, false}, {90, true}} {
		read := stack{n: 1, state: profile.StateSelect, frames: []string{"net/http.(*persistConn).roundTrip", fetch + "loadMeta", fetch + "fetchMetadata.func1"},
			ids: ids(7, 1), wait: tt.minutes}
		r := judged(t, made{version: "0.36.0", component: "compact", samples: [][]stack{{read}}})
		late := false
		for _, f := range r.Findings {
			for _, e := range f.Occurrences[0].Evidence {
				late = late || f.Key == "TL-2026-110" && strings.Contains(e.Text, "far longer than it may take ("+Span(time.Hour)+")")
			}
		}
		if late != tt.late {
			t.Errorf("%d minutes: called late %t, want %t\n%s", tt.minutes, late, tt.late, summary(r))
		}
	}
}

// TestKnownFromSource: a stack that nobody has seen in a process is no more than
// a suspicion, where one that was seen would be likely.
func TestKnownFromSource(t *testing.T) {
	st := stack{state: profile.StateChanSend, frames: []string{"github.com/thanos-io/thanos/pkg/receive.(*Handler).sendLocalWrite"}}
	f := only(t, judged(t, made{version: "0.36.0", component: "receive", samples: counts(st, 5)}))
	if f.Key != "TL-2024-005" || f.Level != Suspect {
		t.Errorf("%s %s, want suspect TL-2024-005", f.Level, f.Key)
	}
}

// TestToldOfAdvisory: a finding hands on what operators see and where to read on.
func TestToldOfAdvisory(t *testing.T) {
	db, err := advisory.Default()
	if err != nil {
		t.Fatal(err)
	}
	a := db.ByID("TL-2024-001")
	f := only(t, judged(t, made{version: "0.35.1", component: "query", samples: counts(leaked, 5)}))
	if len(a.Symptoms) == 0 || !slices.Equal(f.Symptoms, a.Symptoms) {
		t.Errorf("symptoms %q, want %q", f.Symptoms, a.Symptoms)
	}
	if len(a.References) == 0 || !slices.Equal(f.References, a.References) {
		t.Errorf("references %q, want %q", f.References, a.References)
	}
}

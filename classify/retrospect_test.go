package classify

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/thanosleak/thanosleak/profile"
)

// waited is n culprits that show a wait, with ids from first on.
func waited(n, minutes int, first int64) stack {
	st := stack{n: n, state: profile.StateChanReceiveNil, frames: eagerCulprit, wait: minutes}
	for i := range n {
		st.ids = append(st.ids, first+int64(i))
	}
	return st
}

// bystander is a goroutine that is no culprit.
func bystander(id int64, minutes int) stack {
	return stack{n: 1, state: profile.StateSelect, frames: foreign, ids: []int64{id}, wait: minutes}
}

func isEager(g *profile.Group) bool { return g.Signature.Leaf() == eagerCulprit[0] }

func TestRetrospect(t *testing.T) {
	minute := time.Minute
	tests := []struct {
		name   string
		stacks []stack
		want   retrospect
		text   string
	}{
		{"nothing", nil, retrospect{}, ""},
		{"no culprit", []stack{bystander(9, 50)}, retrospect{}, ""},
		{"no ids", []stack{{n: 9, frames: eagerCulprit}}, retrospect{}, ""},
		{"no wait", []stack{waited(20, 0, 100), bystander(90_000, 50)},
			retrospect{culprits: 20, bornShare: 20 / 89_901.}, ""},
		{"one", []stack{waited(1, 43, 7), bystander(9000, 90)},
			retrospect{culprits: 1, waiting: 1, since: 43 * minute, all: 43 * minute},
			"it has stood there for at least 43m"},
		{"some show a wait", []stack{waited(3, 2, 100), waited(5, 0, 200)},
			retrospect{culprits: 8, waiting: 3, since: 2 * minute},
			"the longest has stood there for at least 2m"},
		{"seven are too few for a rate", []stack{waited(5, 43, 1), waited(2, 20, 50), waited(9, 0, 99)},
			retrospect{culprits: 16, waiting: 7, since: 43 * minute},
			"the longest has stood there for at least 43m"},
		{"one minute apart may be the same collection", []stack{waited(9, 4, 1), waited(9, 3, 50), waited(1, 0, 99)},
			retrospect{culprits: 19, waiting: 18, since: 4 * minute},
			"the longest has stood there for at least 4m"},
		{"who shows one minute less than the longest does not count", []stack{waited(9, 4, 1), waited(9, 3, 50), waited(5, 2, 70), waited(1, 0, 99)},
			retrospect{culprits: 24, waiting: 23, since: 4 * minute, came: 5, within: 5 * minute, perHour: 60},
			"the longest has stood there for at least 4m; 5 came within the last 5m: at least 60 an hour"},
		{"who shows nothing does not count", []stack{waited(1, 43, 1), waited(60, 30, 50), waited(60, 1, 200), waited(500, 0, 300)},
			retrospect{culprits: 621, waiting: 121, since: 43 * minute, came: 120, within: 44 * minute, perHour: 120 * 60 / 44.},
			"the longest has stood there for at least 43m; 120 came within the last 44m: at least 163 an hour"},
		{"a slow leak", []stack{waited(1, 239, 1), waited(7, 90, 50)},
			retrospect{culprits: 8, waiting: 8, since: 239 * minute, all: 90 * minute, came: 7, within: 240 * minute, perHour: 1.75},
			"the longest has stood there for at least 3h59m; 7 came within the last 4h0m: at least 1.7 an hour"},
		{"a very slow leak", []stack{waited(1, 6000, 1), waited(7, 90, 50)},
			retrospect{culprits: 8, waiting: 8, since: 6000 * minute, all: 90 * minute, came: 7, within: 6001 * minute, perHour: 7 * 60 / 6001.},
			"the longest has stood there for at least 4d4h; 7 came within the last 4d4h"},
		{"a burst that is over", []stack{waited(100, 43, 1), waited(20, 40, 200)},
			retrospect{culprits: 120, waiting: 120, since: 43 * minute, all: 40 * minute, quiet: 40 * minute},
			"the longest has stood there for at least 43m; none came in the last 40m"},
		{"all at once", []stack{waited(20, 43, 1)},
			retrospect{culprits: 20, waiting: 20, since: 43 * minute, all: 43 * minute, quiet: 43 * minute},
			"they have stood there for at least 43m; none came in the last 43m"},
		{"quiet for half of the time", []stack{waited(10, 19, 1), waited(10, 10, 50)},
			retrospect{culprits: 20, waiting: 20, since: 19 * minute, all: 10 * minute, quiet: 10 * minute},
			"the longest has stood there for at least 19m; none came in the last 10m"},
		{"quiet for less than half of the time", []stack{waited(10, 20, 1), waited(10, 10, 50)},
			retrospect{culprits: 20, waiting: 20, since: 20 * minute, all: 10 * minute, came: 10, within: 21 * minute, perHour: 600 / 21.},
			"the longest has stood there for at least 20m; 10 came within the last 21m: at least 28 an hour"},
		{"quiet for no longer than the clock may be late", []stack{waited(10, 6, 1), waited(10, 4, 50)},
			retrospect{culprits: 20, waiting: 20, since: 6 * minute, all: 4 * minute, came: 10, within: 7 * minute, perHour: 600 / 7.},
			"the longest has stood there for at least 6m; 10 came within the last 7m: at least 85 an hour"},
		{"one that shows nothing may have come now", []stack{waited(20, 43, 1), waited(1, 0, 50)},
			retrospect{culprits: 21, waiting: 20, since: 43 * minute},
			"the longest has stood there for at least 43m"},
		{"the share of births", []stack{waited(10, 1, 1001), waited(10, 0, 4000), bystander(5, 9), bystander(6000, 0)},
			retrospect{culprits: 20, waiting: 10, since: minute, bornShare: 20 / 5000.},
			"the longest has stood there for at least 1m"},
		{"too few births to tell", []stack{waited(10, 1, 1001), bystander(5095, 0)},
			retrospect{culprits: 10, waiting: 10, since: minute, all: minute},
			"they have stood there for at least 1m"},
		{"just enough births", []stack{waited(8, 1, 1001), bystander(5096, 0)},
			retrospect{culprits: 8, waiting: 8, since: minute, all: minute, bornShare: 8 / 4096.},
			"they have stood there for at least 1m"},
		{"most of the births", []stack{waited(5000, 1, 1001), bystander(7000, 0)},
			retrospect{culprits: 5000, waiting: 5000, since: minute, all: minute, bornShare: 5000 / 6000.},
			"they have stood there for at least 1m; most goroutines born since the oldest are among them"},
		{"nonsense", []stack{waited(10, math.MaxInt, math.MaxInt64-50), waited(10, 0, 0)},
			retrospect{culprits: 20, bornShare: 20 / float64(math.MaxInt64-40)}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := retrospectOf(snapshot(tt.stacks...), isEager)
			if got != tt.want {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
			if text := got.text(); text != tt.text {
				t.Errorf("got  %q\nwant %q", text, tt.text)
			}
		})
	}
}

// madeDump is a dump as the runtime would print it, with the minute at which
// each of its goroutines had parked in truth, before the dump ended, and the
// minutes that it took to print.
func madeDump(rnd *rand.Rand) (members []profile.Goroutine, parked []float64, printing float64) {
	lasts := 3 + 100*rnd.Float64()
	printing = rnd.Float64() * 0.9
	var collections []float64 // minutes before the dump ended
	for at := rnd.Float64() * 2; at < lasts+5; at += rnd.Float64() * 2 {
		collections = append(collections, printing+at)
	}
	stop := rnd.Float64() * lasts * float64(rnd.IntN(2))
	for i := range 8 + rnd.IntN(60) {
		p := printing + stop + rnd.Float64()*(lasts-stop)
		printed := rnd.Float64() * printing
		m := profile.Goroutine{ID: int64(i + 1)}
		// The first collection after it parked is the oldest that is younger.
		for _, c := range slices.Backward(collections) {
			if c < p {
				m.WaitMinutes = int(c - printed)
				break
			}
		}
		members, parked = append(members, m), append(parked, p)
	}
	return members, parked, printing
}

// TestRetrospectTrue holds what is told against made-up truths: collections at
// any time, and a dump that takes its time to be printed.
func TestRetrospectTrue(t *testing.T) {
	rates, quiets := 0, 0
	for seed := range uint64(2000) {
		members, parked, printing := madeDump(rand.New(rand.NewPCG(seed, 1)))
		r := retrospectOf(&profile.Snapshot{Groups: []profile.Group{{Goroutines: members}}}, func(*profile.Group) bool { return true })
		came := 0
		for _, p := range parked {
			if p-printing <= r.within.Minutes() {
				came++
			}
		}
		if longest, least := slices.Max(parked), slices.Min(parked); r.since.Minutes() > longest || r.all.Minutes() > least || r.quiet > r.all {
			t.Fatalf("seed %d: %+v, but in truth from %.2f to %.2f minutes", seed, r, least, longest)
		}
		if r.came > came {
			t.Fatalf("seed %d: %+v, but in truth %d came", seed, r, came)
		}
		if r.perHour > 0 {
			rates++
		}
		if r.quiet > 0 {
			quiets++
		}
	}
	if rates < 500 || quiets < 100 {
		t.Fatalf("%d rates and %d quiet times told: too few to show anything", rates, quiets)
	}
}

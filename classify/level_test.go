package classify

import (
	"testing"

	"github.com/thanosleak/thanosleak/classify/advisory"
)

// witnesses calls f with every combination of evidence.
func witnesses(f func(witness)) int {
	n := 0
	for bits := range 1 << 14 {
		bit := func(i int) bool { return bits>>i&1 == 1 }
		for _, affected := range []Affected{AffectedUnknown, AffectedYes} {
			for _, class := range []advisory.Class{advisory.Leak, advisory.Deadlock, advisory.PileUp, advisory.Generic} {
				for _, health := range []advisory.Health{advisory.Never, advisory.Briefly, advisory.Always} {
					f(witness{
						known: bit(0), fromSource: bit(1), persistent: bit(2), aboveBound: bit(3),
						blockedForever: bit(4), several: bit(5), growing: bit(6),
						sustained: bit(7), retained: bit(8), outlived: bit(9), stuck: bit(10), saturated: bit(11), proven: bit(12), bounded: bit(13),
						affected: affected, class: class, health: health,
					})
					n++
				}
			}
		}
	}
	return n
}

// defect tells whether an advisory says that the goroutines should not be there.
func (w witness) defect() bool {
	return w.known && w.class != advisory.PileUp && w.health != advisory.Always
}

// moves tells whether the count rises.
func (w witness) moves() bool { return w.growing || w.sustained }

// overdue tells whether requests have outlived their deadline.
func (w witness) overdue() bool { return w.outlived || w.stuck }

// counted tells whether anything beside the signature speaks.
func (w witness) counted() bool {
	return w.moves() || w.overdue() || w.retained || w.saturated || w.proven
}

// Rules that hold for every combination of evidence: what speaks must not be
// true of any with the level.
var rules = []struct {
	name    string
	when    func(w witness) bool
	atMost  Level // empty together with atLeast: nothing to tell
	atLeast Level
}{
	{"without evidence there is nothing to tell",
		func(w witness) bool { return !w.known && !w.blockedForever && !w.counted() }, "", ""},
	{"a pile-up is never above note by its signature",
		func(w witness) bool {
			return w.known && w.class == advisory.PileUp && !w.moves() && !w.overdue() && !w.retained && !w.proven
		}, Note, ""},
	{"a pile-up is never above suspect, if an event can end it",
		func(w witness) bool {
			return w.known && w.class == advisory.PileUp && !w.blockedForever && !w.proven
		}, Suspect, ""},
	{"what always stands there is told by its number only",
		func(w witness) bool {
			return w.known && w.health == advisory.Always && !w.counted() && !w.blockedForever && !w.aboveBound && !w.bounded
		}, "", ""},
	{"known from source is never above suspect by its signature",
		func(w witness) bool {
			return w.known && w.fromSource && !w.proven && !w.sustained && !w.overdue() && !(w.blockedForever && w.moves())
		}, Suspect, ""},
	{"blocked for ever alone is never above note",
		func(w witness) bool { return w.blockedForever && !w.known && !w.counted() }, Note, Note},
	{"one goroutine that is blocked for ever is no proof without an advisory",
		func(w witness) bool {
			return w.blockedForever && !w.known && !w.several && !w.proven && !w.sustained && !w.overdue()
		}, Suspect, Note},
	{"growth within the samples alone is a suspicion, neither more nor less",
		func(w witness) bool {
			return w.growing && !w.sustained && !w.overdue() && !w.proven && !w.known && !w.blockedForever
		}, Suspect, Suspect},
	{"what stayed is a suspicion by itself, and with growth",
		func(w witness) bool {
			return w.retained && !w.sustained && !w.overdue() && !w.proven && !w.known && !w.blockedForever
		}, Suspect, Suspect},
	{"growth over a day that nothing explains is likely",
		func(w witness) bool { return w.sustained && !w.known }, Confirmed, Likely},
	{"overdue requests alone are a suspicion",
		func(w witness) bool {
			return w.overdue() && !w.known && !w.moves() && !w.retained && !w.saturated && !w.proven && !w.blockedForever
		}, Suspect, Suspect},
	{"overdue requests that grow, stay or stop all others are likely",
		func(w witness) bool {
			return w.overdue() && !w.known && (w.moves() || w.retained || w.saturated)
		}, Confirmed, Likely},
	{"growth is never kept quiet",
		func(w witness) bool { return w.moves() || w.overdue() || w.retained }, Confirmed, Suspect},
	{"a defect is never kept quiet",
		func(w witness) bool { return w.defect() }, Confirmed, Note},
	{"confirmed needs proof, or an affected release and more than its signature",
		func(w witness) bool {
			return !w.proven && !w.blockedForever && !(w.counted() && w.affected == AffectedYes && w.defect())
		}, Likely, ""},
	{"likely needs a defect that lasts, proof, or more than a count that rises",
		func(w witness) bool {
			lasting := w.health == advisory.Never || w.persistent || w.aboveBound
			return !(w.defect() && (lasting || w.counted() || w.blockedForever)) && !(w.blockedForever && w.moves()) &&
				!w.proven && !w.sustained && !w.overdue()
		}, Suspect, ""},
	{"what comes and goes in health needs to stay",
		func(w witness) bool {
			return w.known && w.health == advisory.Briefly && !w.persistent && !w.aboveBound && !w.counted() && !w.blockedForever
		}, Note, ""},
	{"what never stands there in health is likely by itself",
		func(w witness) bool { return w.defect() && w.health == advisory.Never && !w.fromSource }, Confirmed, Likely},
	{"a defect that is blocked for ever is confirmed",
		func(w witness) bool { return w.defect() && w.blockedForever && !w.fromSource }, Confirmed, Confirmed},
	{"proof is confirmed",
		func(w witness) bool { return w.proven && !(w.known && w.fromSource && w.class == advisory.PileUp) }, Confirmed, Confirmed},
	{"an affected release whose defect shows in any way is confirmed",
		func(w witness) bool {
			return w.defect() && w.affected == AffectedYes && w.counted() && !w.fromSource
		}, Confirmed, Confirmed},
}

func TestLevelRules(t *testing.T) {
	for _, rule := range rules {
		t.Run(rule.name, func(t *testing.T) {
			applies := 0
			n := witnesses(func(w witness) {
				if !rule.when(w) {
					return
				}
				applies++
				if got := w.level(); !rule.atMost.AtLeast(got) || !got.AtLeast(rule.atLeast) {
					t.Errorf("%+v: %q, want from %q to %q", w, got, rule.atLeast, rule.atMost)
				}
			})
			if applies == 0 || applies == n && rule.atMost != Confirmed {
				t.Errorf("holds for %d of %d", applies, n)
			}
		})
	}
}

// More evidence never makes a finding less sure.
func TestLevelIsMonotone(t *testing.T) {
	for name, add := range map[string]func(*witness){
		"persistent":     func(w *witness) { w.persistent = true },
		"aboveBound":     func(w *witness) { w.aboveBound = true },
		"blockedForever": func(w *witness) { w.blockedForever = true },
		"several":        func(w *witness) { w.several = true },
		"growing":        func(w *witness) { w.growing = true },
		"sustained":      func(w *witness) { w.sustained = true },
		"retained":       func(w *witness) { w.retained = true },
		"outlived":       func(w *witness) { w.outlived = true },
		"stuck":          func(w *witness) { w.stuck = true },
		"saturated":      func(w *witness) { w.saturated = true },
		"proven":         func(w *witness) { w.proven = true },
		"affected":       func(w *witness) { w.affected = AffectedYes },
		"captured":       func(w *witness) { w.fromSource = false },
		"never":          func(w *witness) { w.health = advisory.Never },
	} {
		t.Run(name, func(t *testing.T) {
			witnesses(func(w witness) {
				more := w
				add(&more)
				if !more.level().AtLeast(w.level()) {
					t.Errorf("%+v: %q, with more evidence %q", w, w.level(), more.level())
				}
			})
		})
	}
}

// What is known of an advisory says nothing where no advisory is.
func TestLevelWithoutAdvisory(t *testing.T) {
	witnesses(func(w witness) {
		if w.known {
			return
		}
		bare := w
		bare.affected, bare.class, bare.health, bare.fromSource, bare.persistent, bare.aboveBound, bare.bounded = 0, "", "", false, false, false, false
		if w.level() != bare.level() {
			t.Errorf("%+v: %q, want %q", w, w.level(), bare.level())
		}
	})
}

func TestLevel(t *testing.T) {
	leak := witness{known: true, affected: AffectedYes, class: advisory.Leak, health: advisory.Never, several: true}
	for _, tt := range []struct {
		name   string
		change func(*witness)
		want   Level
	}{
		{"the flagship with its nil channel", func(w *witness) { w.blockedForever = true }, Confirmed},
		{"the same in an unknown release", func(w *witness) { w.blockedForever, w.affected = true, AffectedUnknown }, Confirmed},
		{"the same, one goroutine", func(w *witness) { w.blockedForever, w.several = true, false }, Confirmed},
		{"the flagship in debug=1, one sample", func(*witness) {}, Likely},
		{"the same in an unknown release", func(w *witness) { w.affected = AffectedUnknown }, Likely},
		{"the flagship in debug=1, growing", func(w *witness) { w.growing = true }, Confirmed},
		{"the same in an unknown release", func(w *witness) { w.growing, w.affected = true, AffectedUnknown }, Likely},
		{"a receiver's send, one sample", func(w *witness) { w.health = advisory.Briefly }, Note},
		{"the same, staying", func(w *witness) { w.health, w.persistent = advisory.Briefly, true }, Likely},
		{"the same, staying and growing", func(w *witness) { w.health, w.persistent, w.growing = advisory.Briefly, true, true }, Confirmed},
		{"the same, growing in an unknown release", func(w *witness) {
			w.health, w.growing, w.affected = advisory.Briefly, true, AffectedUnknown
		}, Suspect},
		{"more than a sync has workers", func(w *witness) { w.health, w.aboveBound = advisory.Briefly, true }, Likely},
		{"a deadlock, staying", func(w *witness) {
			w.class, w.health, w.persistent = advisory.Deadlock, advisory.Briefly, true
		}, Likely},
		{"a keep-alive connection", func(w *witness) { w.health = advisory.Always }, ""},
		{"more and more of them", func(w *witness) { w.health, w.growing = advisory.Always, true }, Suspect},
		{"queries in flight", func(w *witness) { w.class, w.health = advisory.PileUp, advisory.Briefly }, ""},
		{"queries piled up", func(w *witness) {
			w.class, w.health, w.aboveBound, w.persistent = advisory.PileUp, advisory.Briefly, true, true
		}, Note},
		{"queries piling up with the load", func(w *witness) {
			w.class, w.health, w.bounded = advisory.PileUp, advisory.Briefly, true
		}, Note},
		{"queries piling up", func(w *witness) {
			w.class, w.health, w.aboveBound, w.growing = advisory.PileUp, advisory.Briefly, true, true
		}, Suspect},
		{"read in the source, staying and growing", func(w *witness) { w.fromSource, w.persistent, w.growing = true, true, true }, Suspect},
		{"unknown, growing", func(w *witness) { *w = witness{growing: true, several: true} }, Suspect},
		{"unknown, select {} in main", func(w *witness) { *w = witness{blockedForever: true} }, Note},
		{"unknown, on a nil channel and growing", func(w *witness) {
			*w = witness{blockedForever: true, growing: true, several: true}
		}, Confirmed},
		{"unknown, growing over a day", func(w *witness) { *w = witness{growing: true, sustained: true, several: true} }, Likely},
		{"unknown, growing, of requests that are overdue", func(w *witness) { *w = witness{growing: true, outlived: true} }, Likely},
		{"unknown, flat, with every slot taken", func(w *witness) { *w = witness{stuck: true, saturated: true} }, Likely},
		{"unknown, proven by the garbage collector", func(w *witness) { *w = witness{proven: true} }, Confirmed},
		{"unknown, the work over", func(w *witness) { *w = witness{retained: true} }, Suspect},
		{"unknown, nothing", func(w *witness) { *w = witness{several: true} }, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := leak
			tt.change(&w)
			if got := w.level(); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func TestLevelAtLeast(t *testing.T) {
	order := []Level{"", Note, Suspect, Likely, Confirmed}
	for i, a := range order {
		for j, b := range order {
			if got := a.AtLeast(b); got != (i >= j) {
				t.Errorf("%q at least %q: %v", a, b, got)
			}
		}
	}
}

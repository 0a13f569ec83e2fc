package classify

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/thanosleak/thanosleak/profile"
)

// A retrospect is what a single dump with debug=2 tells of the past of a
// finding's culprits.
type retrospect struct {
	culprits int // goroutines that the dump lists
	waiting  int // those of them that show a wait
	// since is the longest wait, a lower bound; 0 if none shows one.
	since time.Duration
	// all is how long every culprit has stood there at least; 0 unless each
	// shows a wait.
	all time.Duration
	// came is the culprits that are known to have come within the time
	// within, and perHour the rate that follows, a lower bound over that
	// time; 0 where nothing is told of the rate.
	came    int
	within  time.Duration
	perHour float64
	// quiet is how long at least none has come that still stands there; 0
	// where they still come or nothing tells.
	quiet time.Duration
	// bornShare is the culprits as a share of all goroutines born since the
	// oldest of them, about; 0 if unknown.
	bornShare float64
}

// What is asked of the culprits of a dump before it tells more than the longest
// wait.
const (
	// backMin is the number of culprits; backSpread that by which their
	// waits must differ for a rate, in minutes.
	backMin    = 8
	backSpread = 2
	// quietWait is the least time without a culprit that is told, in
	// minutes: two garbage collections may be two minutes apart, and the
	// wait is in full minutes.
	quietWait = 5
	// bornMin is the number of ids that a share of births is told from.
	// Each processor takes 16 ids at a time and need not use them at once:
	// with 64 processors the number may be wrong by 1024.
	bornMin = 4096
	// waitEndless is more minutes than any process lives; a dump may say
	// anything.
	waitEndless = 1_000_000
)

// retrospectOf looks back from one snapshot. Without ids and waits, which only
// debug=2 has, all of it is 0 but nothing is wrong.
func retrospectOf(s *profile.Snapshot, culprit func(*profile.Group) bool) retrospect {
	var members []profile.Goroutine
	newest := int64(0) // id in the dump
	for i := range s.Groups {
		g := &s.Groups[i]
		for _, m := range g.Goroutines {
			newest = max(newest, m.ID)
		}
		if culprit(g) {
			members = append(members, g.Goroutines...)
		}
	}
	r := retrospect{culprits: len(members)}
	r.lookAtWaits(members)
	r.lookAtIDs(members, newest)
	return r
}

// lookAtWaits fills in what the waits tell.
//
// A wait is counted from the first garbage collection that meets the goroutine
// parked. So the longest wait, W full minutes, proves that there was one less
// than W+1 minutes ago. Whoever was parked then shows the same time; whoever
// shows less has come after it. Printing a large dump takes its time, in which
// the same wait may pass from one minute into the next: only those that show
// less than W-1 count. Culprits that show nothing are left out: they may be
// requests that are about to end.
func (r *retrospect) lookAtWaits(members []profile.Goroutine) {
	longest, least, shown := 0, math.MaxInt, math.MaxInt
	for _, m := range members {
		wait := m.WaitMinutes
		if wait > waitEndless {
			wait = 0
		}
		longest, least = max(longest, wait), min(least, wait)
		if wait > 0 {
			shown = min(shown, wait)
			r.waiting++
		}
	}
	if r.waiting == 0 {
		return
	}
	r.since, r.all = inMinutes(longest), inMinutes(least)
	switch {
	case r.waiting < backMin:
	case least >= quietWait && 2*least > longest:
		// As many minutes without one as those in which all of them came:
		// a mean over both would tell of no time at all.
		r.quiet = r.all
	case longest-shown >= backSpread:
		r.rate(members, longest)
	}
}

// rate fills in who came after the wait of the longest began.
func (r *retrospect) rate(members []profile.Goroutine, longest int) {
	for _, m := range members {
		if m.WaitMinutes > 0 && m.WaitMinutes <= longest-backSpread {
			r.came++
		}
	}
	r.within = inMinutes(longest + 1)
	r.perHour = 60 * float64(r.came) / float64(longest+1)
}

// lookAtIDs fills in what the ids tell, which rise with each goroutine born.
func (r *retrospect) lookAtIDs(members []profile.Goroutine, newest int64) {
	oldest := int64(math.MaxInt64)
	for _, m := range members {
		oldest = min(oldest, m.ID)
	}
	if born := newest - oldest + 1; len(members) >= backMin && born >= bornMin {
		r.bornShare = float64(len(members)) / float64(born)
	}
}

// inMinutes returns full minutes as a duration.
func inMinutes(n int) time.Duration { return time.Duration(n) * time.Minute }

// text says it for people; empty if no culprit shows a wait, whose absence
// means nothing.
func (r retrospect) text() string {
	if r.since == 0 {
		return ""
	}
	who := "the longest has"
	switch {
	case r.culprits == 1:
		who = "it has"
	case r.all == r.since:
		who = "they have"
	}
	s := fmt.Sprintf("%s stood there for at least %s", who, shortSpan(r.since))
	switch {
	case r.quiet > 0:
		s += "; none came in the last " + shortSpan(r.quiet)
	case r.perHour > 0:
		s += fmt.Sprintf("; %d came within the last %s", r.came, shortSpan(r.within)) + r.rateText()
	}
	return s + r.shareText()
}

// rateText is the rate, rounded down as it is a lower bound; empty for less
// than one in ten hours.
func (r retrospect) rateText() string {
	switch {
	case r.perHour >= 10:
		return fmt.Sprintf(": at least %.0f an hour", math.Floor(r.perHour))
	case r.perHour >= 0.1:
		return fmt.Sprintf(": at least %.1f an hour", math.Floor(10*r.perHour)/10)
	}
	return ""
}

// smallShare is the share of births below which it is not told.
const smallShare = 0.1

// shareText is the share of births; empty if unknown.
func (r retrospect) shareText() string {
	switch {
	case r.bornShare < smallShare:
		return "" // unknown, or too small to tell anybody anything
	case r.bornShare > 0.5:
		return "; most goroutines born since the oldest are among them"
	}
	return fmt.Sprintf("; about 1 in %.0f goroutines born since the oldest is one of them", 1/r.bornShare)
}

// shortSpan is Span without the seconds that a number of full minutes has none
// of: "43m".
func shortSpan(d time.Duration) string {
	s := Span(d)
	if strings.HasSuffix(s, "m0s") {
		return strings.TrimSuffix(s, "0s")
	}
	return s
}

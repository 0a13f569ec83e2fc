//go:build evaluate

package classify

import (
	"cmp"
	"flag"
	"math/rand/v2"
	"testing"
	"time"
)

var evaluateFor = flag.Duration("evaluate.for", 25*time.Minute, "time that the long evaluation takes")

// What the long evaluation asks for.
const (
	// longSpan and longLeakSpan are hours of looks at a harmless and at a
	// leaking process.
	longSpan, longLeakSpan = 2 * hoursAWeek, 3 * hoursADay
	// longLeaks is the most leaks of a class: more tell little more of its
	// recall.
	longLeaks = 100
	longScans = 100
)

// TestEvaluateLong measures what the judge says of many processes and prints
// it; nothing is asserted. The top of the table says the seed: with the same
// one and -evaluate.runs the table is the same again.
func TestEvaluateLong(t *testing.T) {
	q := newQueue(t)
	q.leaks, q.until = longLeaks, time.Now().Add(*evaluateFor)
	// The generator of package rand is seeded from the system's randomness.
	seed := cmp.Or(*evaluateSeed, uint64(rand.Uint32()))
	evaluate(t, &evaluation{seed: seed, span: longSpan, leakSpan: longLeakSpan,
		scans: longScans, stride: cmp.Or(*evaluateStride, 1)}, q)
}

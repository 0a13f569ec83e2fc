package stacks

import (
	"bytes"
	"runtime/pprof"
	"strings"
	"testing"

	pp "github.com/google/pprof/profile"
)

// TestStacks: the goroutines wait in as many stacks as are promised.
func TestStacks(t *testing.T) {
	const n = 1000
	before := parked(t)
	Park(n)
	all := int64(0)
	after := parked(t)
	for stack, n := range after {
		all += n - before[stack]
	}
	if all != n || len(after) != stackCount {
		t.Errorf("%d goroutines in %d stacks, want %d in %d", all, len(after), n, stackCount)
	}
}

// parked counts the goroutines that wait in the stacks of Park, by stack.
func parked(t *testing.T) map[string]int64 {
	t.Helper()
	var b bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&b, 0); err != nil {
		t.Fatal(err)
	}
	p, err := pp.Parse(&b)
	if err != nil {
		t.Fatal(err)
	}
	parked := map[string]int64{}
	for _, s := range p.Sample {
		var key string
		waits := false
		for _, l := range s.Location {
			for _, line := range l.Line {
				key += line.Function.Name + ";"
				waits = waits || strings.HasSuffix(line.Function.Name, ".(*query).run")
			}
		}
		if waits {
			parked[key] += s.Value[0]
		}
	}
	return parked
}

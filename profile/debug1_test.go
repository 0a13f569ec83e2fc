package profile

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

// What the functions that take a line of debug=1 accept, as expressions.
var (
	countLineRE   = regexp.MustCompile(`^(\d+) @((?: 0x[0-9a-f]+)*)\s*$`)
	symbolLineRE  = regexp.MustCompile(`^#?[ \t]*0x[0-9a-f]+[ \t]+(\S.*?)\+0x[0-9a-f]+[ \t]+(.*):(\d+)\s*$`)
	addressLineRE = regexp.MustCompile(`^#?[ \t]*(0x[0-9a-f]+)\s*$`)
)

// TestDebug1Lines compares the functions with the expressions, on real lines
// and on real lines with a byte lost, doubled or exchanged.
func TestDebug1Lines(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const odd = " \t#+@:0x5aG/.("
	accepted := 0
	for _, l := range strings.Split(unpacked(t, "triples/go126-steady-query.debug1.txt.gz")+debug1Text, "\n") {
		for range 40 {
			if checkLine(t, l) {
				accepted++
			}
			if len(l) == 0 {
				break
			}
			i := random.IntN(len(l))
			switch random.IntN(3) {
			case 0:
				l = l[:i] + l[i+1:]
			case 1:
				l = l[:i] + l[i:i+1] + l[i:]
			default:
				l = l[:i] + odd[random.IntN(len(odd)):][:1] + l[i+1:]
			}
		}
	}
	if accepted < 500 {
		t.Errorf("only %d lines were accepted: the test shows nothing", accepted)
	}
}

// checkLine compares what is read of a line, and reports whether any is.
func checkLine(t *testing.T, l string) bool {
	t.Helper()
	count, addresses, ok := countLine([]byte(l))
	if m := countLineRE.FindStringSubmatch(l); ok != (m != nil) || ok && (string(count) != m[1] || addresses != strings.Count(m[2], " ")) {
		t.Errorf("count line %q: %q, %d, %t, want %q", l, count, addresses, ok, m)
	}
	name, file, _, symbol := symbolLine([]byte(l))
	if m := symbolLineRE.FindStringSubmatch(l); symbol != (m != nil) || symbol && (string(name) != m[1] || string(file) != m[2]) {
		t.Errorf("symbol line %q: %q, %q, %t, want %q", l, name, file, symbol, m)
	}
	address := addressLine([]byte(l))
	if m := addressLineRE.FindStringSubmatch(l); (address != nil) != (m != nil) || m != nil && string(address) != m[1] {
		t.Errorf("address line %q: %q, want %q", l, address, m)
	}
	return ok || symbol || address != nil
}

package lazyregexp

import (
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestNew: a bad expression harms nobody who does not use it.
func TestNew(t *testing.T) {
	good, bad := New(`^a+$`), New(`(`)
	if re := good(); !re.MatchString("aa") || good() != re {
		t.Error("want the same expression each time")
	}
	defer func() {
		if recover() == nil {
			t.Error("no panic from a bad expression")
		}
	}()
	bad()
}

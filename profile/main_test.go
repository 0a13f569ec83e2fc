package profile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	// Blocked for ever on purpose, by TestLiveStates.
	const pkg = "github.com/thanosleak/thanosleak/profile."
	goleak.VerifyTestMain(m,
		goleak.IgnoreAnyFunction(pkg+"nilReceive"),
		goleak.IgnoreAnyFunction(pkg+"nilSend"),
		goleak.IgnoreAnyFunction(pkg+"noCases"),
		goleak.IgnoreAnyFunction(pkg+"longSleep"))
}

// readFile reads the only snapshot in a file of testdata.
func readFile(t *testing.T, name string) *Snapshot {
	t.Helper()
	return only(t, readFiles(t, name))
}

// readFiles reads the snapshots in a file of testdata.
func readFiles(t *testing.T, name string) []*Snapshot {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	snaps, err := Read(f, Options{})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return snaps
}

// readString reads the only snapshot in a text.
func readString(t *testing.T, text string) *Snapshot {
	t.Helper()
	snaps, err := Read(strings.NewReader(text), Options{})
	if err != nil {
		t.Fatal(err)
	}
	return only(t, snaps)
}

func only(t *testing.T, snaps []*Snapshot) *Snapshot {
	t.Helper()
	if len(snaps) != 1 {
		t.Fatalf("%d snapshots, want 1", len(snaps))
	}
	checkInvariants(t, snaps[0])
	return snaps[0]
}

// checkInvariants checks what the documentation of Snapshot promises.
func checkInvariants(t testing.TB, s *Snapshot) {
	t.Helper()
	total := 0
	for i := range s.Groups {
		g := &s.Groups[i]
		total += g.Count
		inPlaces := 0
		for _, p := range g.Places {
			inPlaces += p.Count
		}
		switch {
		case g.Count < 1:
			t.Errorf("%q has %d goroutines", g.Signature, g.Count)
		case inPlaces != g.Count:
			t.Errorf("%q: places add up to %d of %d", g.Signature, inPlaces, g.Count)
		case g.Signature == "":
			t.Error("an empty signature")
		case len(g.Frames) == 0 || len(g.Frames) > maxFrames:
			t.Errorf("%q has %d frames", g.Signature, len(g.Frames))
		case i > 0 && s.Groups[i-1].Count < g.Count:
			t.Errorf("%q is out of order", g.Signature)
		case s.Encoding == Debug2 && len(g.Goroutines) != g.Count:
			t.Errorf("%q has %d members of %d", g.Signature, len(g.Goroutines), g.Count)
		}
	}
	if total != s.Total {
		t.Errorf("groups add up to %d, total is %d", total, s.Total)
	}
}

// leaf returns the group whose leaf has the given suffix.
func leaf(t *testing.T, s *Snapshot, suffix string) *Group {
	t.Helper()
	for i := range s.Groups {
		if strings.HasSuffix(s.Groups[i].Signature.Leaf(), suffix) {
			return &s.Groups[i]
		}
	}
	t.Fatalf("no group with leaf %q", suffix)
	return nil
}

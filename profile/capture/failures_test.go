package capture

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/thanosleak/thanosleak/profile"
)

// heard is what a capture says of a target: how many samples it gave, and what
// it did not give.
type heard struct {
	Name      string
	Samples   int
	Unreached bool
	Failed    int
	Err       string
}

// hear reads a capture for what it says of its targets, by name.
func hear(t *testing.T, o Options, paths ...string) ([]heard, *Input) {
	t.Helper()
	in, err := Open(paths, nil, o)
	if err != nil {
		t.Fatal(err)
	}
	var all []heard
	for _, x := range in.Targets {
		all = append(all, heard{x.Name, len(x.Samples), x.Unreached, x.FailedSamples, x.Err})
	}
	slices.SortFunc(all, func(a, b heard) int { return strings.Compare(a.Name, b.Name) })
	return all, in
}

// writeFailing writes a capture of one process, and what failed at a time.
func writeFailing(t *testing.T, path string, at time.Time, targets ...profile.Target) {
	t.Helper()
	w, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"up:1", "shaky:1"} {
		err := w.Add(name, profile.Sample{Time: start}, profile.Payload{Debug0: pb(t, start, "", "Query", 3)})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.WriteFailures(at, targets); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// someFailed are targets of every sort.
var someFailed = []profile.Target{
	{Name: "up:1"},
	{Name: "shaky:1", FailedSamples: 2, Err: "2 of 3 samples failed"},
	{Name: "http://[::1]:80/a b", Unreached: true, FailedSamples: 6, Err: "connection refused"},
}

// heardOfThem is what a capture of them says.
var heardOfThem = []heard{
	{"http://[::1]:80/a b", 0, true, 6, "connection refused"}, {"shaky:1", 1, false, 2, "2 of 3 samples failed"}, {"up:1", 1, false, 0, ""},
}

// TestFailures keeps what a run did not get in a folder and in an archive, and
// reads it by every way to name them.
func TestFailures(t *testing.T) {
	dir := t.TempDir()
	folder, archive := filepath.Join(dir, "c"), filepath.Join(dir, "c.tar.gz")
	writeFailing(t, folder, start, someFailed...)
	writeFailing(t, archive, start, someFailed...)
	below, err := filepath.Glob(folder + "/[^.]*")
	if err != nil || len(below) != 3 {
		t.Fatal(below, err)
	}
	for _, paths := range [][]string{{folder}, {archive}, below} {
		got, in := hear(t, Options{}, paths...)
		if diff := cmp.Diff(heardOfThem, got); diff != "" {
			t.Errorf("%v (-want +got):\n%s", paths, diff)
		}
		if want := "2 processes, 1 sample each, 1 target without a sample"; in.Description != want || len(in.Warnings) > 0 {
			t.Errorf("%v: %q, %q", paths, in.Description, in.Warnings)
		}
	}
	both, _ := hear(t, Options{}, dir)
	unreached := slices.DeleteFunc(both, func(h heard) bool { return !h.Unreached })
	if len(both) != 6 || len(unreached) != 2 {
		t.Errorf("the folder and the archive beside it: %+v", both)
	}
}

// TestFailuresAreOfTheLastRun writes a folder twice: what the first run did not
// get is not held against the second.
func TestFailuresAreOfTheLastRun(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "c")
	writeFailing(t, folder, start, someFailed...)
	writeFailing(t, folder, start)
	got, _ := hear(t, Options{}, folder)
	if diff := cmp.Diff([]heard{{Name: "shaky:1", Samples: 2}, {Name: "up:1", Samples: 2}}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	writeFailing(t, folder, start) // where nothing is to be removed
}

// TestFailuresInTime tells failures that still hold from those that do not.
func TestFailuresInTime(t *testing.T) {
	for _, test := range []struct {
		name   string
		at     time.Time
		o      Options
		failed int
	}{
		{"in the same run", start.Add(time.Minute), Options{Window: time.Hour}, 2},
		{"the clock of the target is ahead", start.Add(-30 * time.Minute), Options{}, 2},
		{"a sample was put there later", start.Add(-2 * time.Hour), Options{}, 1},
		{"before the window", start.Add(-2 * time.Hour), Options{Window: time.Hour}, 0},
		{"all samples are too old", start.Add(48 * time.Hour), Options{Window: time.Hour, Newest: start.Add(48 * time.Hour)}, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			folder := filepath.Join(t.TempDir(), "c")
			writeFailing(t, folder, test.at, someFailed...)
			got, _ := hear(t, test.o, folder)
			failed := slices.DeleteFunc(got, func(h heard) bool { return h.Err == "" })
			if len(failed) != test.failed {
				t.Errorf("%+v", got)
			}
		})
	}
}

// TestFailuresOnly reads captures in which there is nothing else: the reasons
// are the answer.
func TestFailuresOnly(t *testing.T) {
	folder := t.TempDir()
	w, err := Create(folder)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.WriteFailures(start, someFailed[2:]); err != nil {
		t.Fatal(err)
	}
	if err := w.WriteSeen([]byte("{}")); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for _, paths := range [][]string{{folder}, {filepath.Join(folder, failuresFile)}, {filepath.Join(folder, failuresFile), filepath.Join(folder, seenFile)}} {
		got, in := hear(t, Options{}, paths...)
		if want := "1 target without a sample"; !cmp.Equal(got, heardOfThem[:1]) || in.Description != want {
			t.Errorf("%v: %+v, %q", paths, got, in.Description)
		}
	}
	archive := filepath.Join(folder, "none.tar.gz")
	if w, err = Create(archive); err != nil {
		t.Fatal(err)
	}
	if err := w.WriteFailures(start, someFailed); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(archive); err == nil {
		t.Error("an archive without a sample came into being")
	}
}

// TestHostileFailures reads files that WriteFailures did not write: the capture
// is read without them, and that is said.
func TestHostileFailures(t *testing.T) {
	many, err := json.Marshal(failures{Targets: make([]failure, maxFailures+1)})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"", "{", "null\x00", "[]", `{"targets": "all"}`, `{"targets": [{"error": "no name"}]}`, `{"targets": [{"target": "no-reason:1"}]}`,
		`{"targets": [{"target": "t:1", "error": "e", "failed_samples": -1}]}`,
		fmt.Sprintf(`{"targets": [{"target": %q, "error": "e"}]}`, strings.Repeat("long", maxName)), string(many),
	} {
		folder := filepath.Join(t.TempDir(), "c")
		writeFailing(t, folder, start)
		if err := os.WriteFile(filepath.Join(folder, failuresFile), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		got, in := hear(t, Options{}, folder)
		if len(got) != 2 || len(in.Warnings) != 1 || !strings.Contains(in.Warnings[0], failuresFile+": passed over") {
			t.Errorf("%.80q: %d targets, warnings %.300q", text, len(got), in.Warnings)
		}
	}
	folder := filepath.Join(t.TempDir(), "c")
	writeFailing(t, folder, start, profile.Target{Name: "../../up:1", Unreached: true, Err: "refused"})
	if got, _ := hear(t, Options{}, folder); len(got) != 3 || !slices.Contains(got, heard{"../../up:1", 0, true, 0, "refused"}) {
		t.Errorf("a name that is a path: %+v", got)
	}
	if b, err := os.ReadFile(filepath.Join(folder, failuresFile)); err != nil || !bytes.HasSuffix(b, []byte("}\n")) {
		t.Errorf("%q, %v", b, err)
	}
}

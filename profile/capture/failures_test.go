package capture

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

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

// writeFailing adds two processes to a capture, and which targets of a run at that
// time failed; none of earlier ones stays.
func writeFailing(t *testing.T, path string, at time.Time, targets ...profile.Target) {
	t.Helper()
	writeFailingSince(t, path, at, time.Time{}, targets...)
}

func writeFailingSince(t *testing.T, path string, at, since time.Time, targets ...profile.Target) {
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
	if err := w.WriteFailures(at, targets, since); err != nil {
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

// TestFailuresOfOthers runs twice: what the first run did not get is not held
// against a target that the second got, nor, where a discovery says so or after
// long, against one that it did not ask.
func TestFailuresOfOthers(t *testing.T) {
	second := start.Add(time.Hour)
	for _, test := range []struct {
		name  string
		since time.Time
		asked []profile.Target
		want  []heard
	}{
		{"it got all that there are", time.Time{}, nil, nil},
		{"it asked two of them", start, []profile.Target{{Name: "up:1"}, {Name: "shaky:1"}}, heardOfThem[:1]},
		{"that was long ago", start.Add(time.Minute), []profile.Target{{Name: "up:1"}}, nil},
		{"it asked the same", start, someFailed, heardOfThem[:2]},
	} {
		folder := filepath.Join(t.TempDir(), "c")
		writeFailing(t, folder, start, someFailed...)
		writeFailingSince(t, folder, second, test.since, test.asked...)
		got, _ := hear(t, Options{}, folder)
		got = slices.DeleteFunc(got, func(h heard) bool { return h.Err == "" })
		for i := range got {
			got[i].Samples = min(got[i].Samples, 1) // there are two by now
		}
		if diff := cmp.Diff(test.want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
	folder := filepath.Join(t.TempDir(), "c")
	writeFailing(t, folder, start)
	writeFailing(t, folder, start) // where nothing is to be removed
}

// TestFailuresInTime tells failures that still hold from those that do not. The
// clock of the run may be any other than that of the target.
func TestFailuresInTime(t *testing.T) {
	for _, test := range []struct {
		name   string
		at     time.Time
		o      Options
		failed int
	}{
		{"in the same run", start.Add(time.Minute), Options{Window: time.Hour}, 2},
		{"the clock of the target is ahead", start.Add(-5 * time.Hour), Options{}, 2},
		{"before the window", start.Add(-2 * time.Hour), Options{Window: time.Hour}, 1}, // but for the target of which there is a sample
		{"all samples are too old", start.Add(48 * time.Hour), Options{Window: time.Hour, Newest: start.Add(48 * time.Hour)}, 2},
	} {
		folder := filepath.Join(t.TempDir(), "c")
		writeFailing(t, folder, test.at, someFailed...)
		got, _ := hear(t, test.o, folder)
		if failed := slices.DeleteFunc(got, func(h heard) bool { return h.Err == "" }); len(failed) != test.failed {
			t.Errorf("%s: %+v", test.name, got)
		}
	}
}

// TestFailuresBeforeASample: a run that was killed after it got a sample did not
// say so; the sample does.
func TestFailuresBeforeASample(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "c")
	writeFailing(t, folder, start, someFailed...)
	w, err := Create(folder)
	if err != nil {
		t.Fatal(err)
	}
	at := start.Add(2 * time.Second)
	for _, name := range []string{"shaky:1", someFailed[2].Name} {
		if err := w.Add(name, profile.Sample{Time: at}, profile.Payload{Debug0: pb(t, at, "", "Query", 3)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	got, _ := hear(t, Options{}, folder)
	if diff := cmp.Diff([]heard{{Name: someFailed[2].Name, Samples: 1}, {Name: "shaky:1", Samples: 2}, {Name: "up:1", Samples: 1}}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestFailuresOfMixed: samples of several processes under one name are not those of
// one that restarts.
func TestFailuresOfMixed(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "c")
	mixed := profile.Target{Name: "shaky:1", Unreached: true, Mixed: true, Err: "several processes answer"}
	writeFailing(t, folder, start, mixed)
	got, in := hear(t, Options{}, folder)
	if diff := cmp.Diff([]heard{{"shaky:1", 0, true, 0, mixed.Err}, {Name: "up:1", Samples: 1}}, got); diff != "" || !in.Targets[0].Mixed {
		t.Errorf("(-want +got):\n%s", diff)
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
	if err := w.WriteFailures(start, someFailed[2:], time.Time{}); err != nil {
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
	if err := w.WriteFailures(start, someFailed, time.Time{}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(archive); err == nil {
		t.Error("an archive without a sample came into being")
	}
}

// TestHostileFailures reads files that WriteFailures did not write: one that is
// damaged may hide any target, and one of somebody else's is passed over.
func TestHostileFailures(t *testing.T) {
	many, err := json.Marshal(failures{failuresSchema, make([]failure, maxFailures+1)})
	if err != nil {
		t.Fatal(err)
	}
	ours := func(targets string) string {
		return fmt.Sprintf(`{"schema": %q, "targets": %s}`, failuresSchema, targets)
	}
	for text, damaged := range map[string]bool{
		"": true, "{": true, "null\x00": true, ours(`"all"`): true, string(many): true,
		ours(`[{"time": "2026-11-22T06:46:00Z", "error": "no name"}]`):                                  true,
		ours(`[{"target": "no-reason:1", "time": "2026-11-22T06:46:00Z"}]`):                             true,
		ours(`[{"target": "no-time:1", "error": "e"}]`):                                                 true,
		ours(`[{"target": "t:1", "time": "2026-11-22T06:46:00Z", "error": "e", "failed_samples": -1}]`): true,
		"[]": false, "null": false, `{"failures": ["test_a", "test_b"]}`: false, `{"targets": []}`: false,
	} {
		folder := filepath.Join(t.TempDir(), "c")
		writeFailing(t, folder, start)
		if err := os.WriteFile(filepath.Join(folder, failuresFile), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		got, in := hear(t, Options{}, folder)
		told := slices.ContainsFunc(got, func(h heard) bool {
			return h.Name == failuresFile && strings.HasPrefix(h.Err, "which targets gave no sample cannot be read: ")
		})
		passed := len(in.Warnings) == 1 && strings.Contains(in.Warnings[0], failuresFile+": passed over: it is no failures.json of thanosleak")
		if told != damaged || passed == damaged {
			t.Errorf("%.80q: %d targets, warnings %.300q", text, len(got), in.Warnings)
		}
	}
}

// TestFailuresRoundTrip: whatever a target is called, the reader takes what the
// writer writes.
func TestFailuresRoundTrip(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "c")
	long := strings.Repeat("very/long/", maxName) + "targets.yaml"
	var asked []profile.Target
	for _, name := range []string{"../../up:1", long, "dns+thanos-query:10902", "\u202e", "(no target)"} {
		asked = append(asked, profile.Target{Name: name, Unreached: true, Err: "refused"})
	}
	writeFailing(t, folder, start, asked...)
	got, in := hear(t, Options{}, folder)
	for _, x := range asked {
		if !slices.Contains(got, heard{x.Name, 0, true, 0, "refused"}) {
			t.Errorf("%.80q is missing", x.Name)
		}
	}
	if len(got) != 2+len(asked) || len(in.Warnings) > 0 {
		t.Errorf("%d targets, warnings %q", len(got), in.Warnings)
	}
}

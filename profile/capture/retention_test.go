package capture

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// noon is when the newest sample of the tests is.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// fill writes samples of two files each, of the given ages before noon.
func fill(t *testing.T, root, dir string, ages ...time.Duration) {
	t.Helper()
	if err := os.MkdirAll(filepath.Join(root, dir), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, age := range ages {
		stem := noon.Add(-age).Format(stampLayout)
		for _, name := range []string{stem + ".debug0.pb.gz", stem + ".metrics.txt.gz"} {
			put(t, filepath.Join(root, dir, name), 50)
		}
	}
}

func put(t *testing.T, name string, size int) {
	t.Helper()
	if err := os.WriteFile(name, make([]byte, size), 0o644); err != nil {
		t.Fatal(err)
	}
}

// every returns n ages that lie step apart, the first of them from.
func every(from, step time.Duration, n int) []time.Duration {
	var ages []time.Duration
	for i := range n {
		ages = append(ages, from+time.Duration(i)*step)
	}
	return ages
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

func retain(t *testing.T, root string, r Retention) Removed {
	t.Helper()
	w, err := Create(root)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	removed, err := w.Retain(r)
	if err != nil {
		t.Fatal(err)
	}
	return removed
}

func TestRetain(t *testing.T) {
	const quarter = 15 * time.Minute
	for _, tt := range []struct {
		name string
		ages []time.Duration
		r    Retention
		want Removed
	}{
		{"nothing is old", every(0, quarter, 96), Retention{Age: 7 * 24 * time.Hour}, Removed{Bytes: 9600}},
		// Nine days of samples every quarter of an hour: of a day all four of
		// an hour stay, of six days one an hour, and of the rest none. The
		// hour in which the day ends is thinned as far as it lies before it.
		{"nine days", every(0, quarter, 9*96), Retention{Age: 7 * 24 * time.Hour}, Removed{Old: 9*96 - 7*96 - 1, Thin: 7*96 + 1 - 97 - 6*24, Bytes: (97 + 6*24) * 100}},
		{"no age, no thinning", every(0, quarter, 9*96), Retention{}, Removed{Bytes: 9 * 96 * 100}},
		{"size", every(0, quarter, 10), Retention{Size: 450}, Removed{Excess: 6, Bytes: 400}},
		{"the newest stays whatever its size", every(0, quarter, 10), Retention{Size: 1}, Removed{Excess: 9, Bytes: 100}},
		// A clock that ran ahead for a run: what was kept is old by it.
		{"one sample far ahead", append(every(0, quarter, 1), every(1000*time.Hour, quarter, 96)...), Retention{Age: 7 * 24 * time.Hour}, Removed{Bytes: 9700}},
		{"a clock that jumped back", append(every(0, quarter, 1), every(-100*time.Hour, quarter, 96)...), Retention{Age: time.Hour}, Removed{Bytes: 9700}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			root := t.TempDir()
			fill(t, root, "query", tt.ages...)
			tt.r.Newest = noon
			if diff := cmp.Diff(tt.want, retain(t, root, tt.r)); diff != "" {
				t.Error(diff)
			}
			again := tt.want
			again.Old, again.Thin, again.Excess = 0, 0, 0
			if diff := cmp.Diff(again, retain(t, root, tt.r)); diff != "" {
				t.Errorf("the second time: %s", diff)
			}
		})
	}
}

// TestRetainLeavesAlone keeps what no run of scan wrote, and clears away what
// runs that were killed left.
func TestRetainLeavesAlone(t *testing.T) {
	root := t.TempDir()
	fill(t, root, "query", every(0, time.Minute, 10)...)
	fill(t, root, "gone", every(1000*time.Hour, time.Minute, 10)...)
	fill(t, root, "mine", 1000*time.Hour)
	put(t, filepath.Join(root, "gone", flagsFile), 10)
	put(t, filepath.Join(root, "query", flagsFile), 10)
	for _, name := range []string{
		"mine/notes.md", "mine/t001-steady-2026-01-01T00:00:00Z.debug0.pb.gz", "mine/before.pb.gz", "seen.json", "README",
	} {
		put(t, filepath.Join(root, name), 10)
	}
	for _, name := range []string{
		"query/.20261122T064522Z.debug0.pb.gz1234", "query/.status-flags.json99", ".seen.json5", ".writable-17",
	} {
		put(t, filepath.Join(root, name), 10)
	}
	put(t, filepath.Join(root, "query", ".hidden"), 1)
	put(t, filepath.Join(root, "query", "20260101T000000Z.metrics.txt.gz"), 50) // its profile is gone
	removed := retain(t, root, Retention{Newest: noon, Age: 24 * time.Hour})
	if diff := cmp.Diff(Removed{Old: 12, Bytes: 1000}, removed); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{".lock", "README", "mine", "query", "seen.json"}, names(t, root)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"before.pb.gz", "notes.md", "t001-steady-2026-01-01T00:00:00Z.debug0.pb.gz"}, names(t, filepath.Join(root, "mine"))); diff != "" {
		t.Error(diff)
	}
	left := names(t, filepath.Join(root, "query"))
	if len(left) != 22 || left[0] != ".hidden" || left[21] != flagsFile {
		t.Errorf("left in query: %q", left)
	}
}

// TestRetainOrphans: metrics that a run left which was killed stand in for no
// sample of their hour.
func TestRetainOrphans(t *testing.T) {
	root := t.TempDir()
	fill(t, root, "query", every(0, time.Minute, 10)...)
	fill(t, root, "query", 30*time.Hour+10*time.Minute, 30*time.Hour+20*time.Minute)
	put(t, filepath.Join(root, "query", noon.Add(-30*time.Hour-30*time.Minute).Format(stampLayout)+".metrics.txt.gz"), 50)
	if diff := cmp.Diff(Removed{Thin: 2, Bytes: 1100}, retain(t, root, Retention{Newest: noon, Age: 7 * 24 * time.Hour})); diff != "" {
		t.Error(diff)
	}
	left := names(t, filepath.Join(root, "query"))
	if want := noon.Add(-30*time.Hour-20*time.Minute).Format(stampLayout) + ".debug0.pb.gz"; left[0] != want {
		t.Errorf("left %q, want %s among them", left, want)
	}
}

// TestLock lets one run at a time write to a folder.
func TestLock(t *testing.T) {
	root := t.TempDir()
	first, err := Create(root)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Create(root)
	locked, ok := errors.AsType[*LockedError](err)
	if !ok || locked.PID != os.Getpid() || time.Since(locked.Since) > time.Minute {
		t.Errorf("the second run: %v", err)
	}
	for _, want := range []string{root, "another thanosleak", "nothing was scraped"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not say %q: %v", want, err)
		}
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	third, err := Create(root)
	if err != nil {
		t.Fatal(err)
	}
	third.Close()
}

// TestNewest: one clock that is wrong does not decide what is old.
func TestNewest(t *testing.T) {
	root := t.TempDir()
	w, err := Create(root)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	for _, tt := range []struct {
		dir  string
		age  time.Duration
		want time.Time
	}{
		{"ahead", -1000 * time.Hour, noon.Add(1000 * time.Hour)},
		{"right", 0, noon},
		{"right-too", time.Minute, noon},
		{"behind", 1000 * time.Hour, noon.Add(-time.Minute)},
	} {
		fill(t, root, tt.dir, tt.age, tt.age+time.Hour)
		put(t, filepath.Join(root, tt.dir, "t001-2099-01-01T00:00:00Z.debug0.pb.gz"), 1)
		if got, err := w.Newest(); err != nil || !got.Equal(tt.want) {
			t.Errorf("with %s: %s, %v, want %s", tt.dir, got, err, tt.want)
		}
	}
}

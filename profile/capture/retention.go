package capture

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/thanosleak/thanosleak/internal/lazyregexp"
)

// Retention says what a capture that is added to for years keeps.
type Retention struct {
	// Newest is the time that ages count back from: that of the newest sample
	// of this run.
	Newest time.Time
	// Age is how old samples may be; 0 keeps all, and thins none out.
	Age time.Duration
	// Size is the most bytes that samples may take; 0 is no bound. The newest
	// sample of a target stays whatever it takes.
	Size int64
}

// Removed is what [Writer.Retain] removed.
type Removed struct {
	Old    int // samples older than Age
	Thin   int // samples of an hour, older than a day, that has another one
	Excess int // samples that took more than Size
	// Bytes is what all samples take that are left.
	Bytes int64
}

// thinAfter is the age from which one sample of each hour stays.
const thinAfter = 24 * time.Hour

// minRecent is how many samples of one target have to lie within Age before
// any is removed for its age. A clock that was wrong for a run or two, and the
// first run after a long rest, must not cost what was kept.
const minRecent = 6

// Retain removes samples that are older than they may be, leaves one an hour
// (UTC) of those older than a day, and removes the oldest ones where all take
// more than they may. Only what Add wrote is removed: neither files of other
// names nor samples of the older forms. What an earlier run that was killed
// left half written goes as well, and so do the facts of targets without
// samples. An archive keeps everything.
func (w *Writer) Retain(r Retention) (Removed, error) {
	s, ok := w.sink.(*folderSink)
	if !ok {
		return Removed{}, nil
	}
	removed, err := s.retain(r)
	w.mu.Lock()
	w.stems = map[string]map[string]bool{} // to be read anew: it would grow for ever
	w.mu.Unlock()
	if err != nil {
		err = writeError(w.path, err)
	}
	return removed, err
}

// stored is a sample on disk.
type stored struct {
	dir   string // of its target, below the root
	time  time.Time
	stem  string
	files []string // debug0 first: without it a sample is none
	bytes int64
	whole bool // it has a profile
	last  bool // the newest of its target
}

// retain removes samples by the three rules, one after the other.
func (s *folderSink) retain(r Retention) (Removed, error) {
	all, err := s.stored()
	if err != nil {
		return Removed{}, err
	}
	var done Removed
	var errs []error
	remove := func(n *int, surplus map[*stored]bool) {
		all = slices.DeleteFunc(all, func(v *stored) bool {
			if !surplus[v] {
				return false
			}
			if err := s.removeSample(v); err != nil {
				errs = append(errs, err)
				return false
			}
			*n++
			return true
		})
	}
	if r.Age > 0 && trusted(all, r) {
		remove(&done.Old, older(all, r.Newest.Add(-r.Age)))
		remove(&done.Thin, sameHour(all, r.Newest.Add(-thinAfter)))
	}
	remove(&done.Excess, excess(all, r.Size))
	kept := map[string]bool{}
	for _, v := range all {
		done.Bytes += v.bytes
		kept[v.dir] = true
	}
	return done, errors.Join(append(errs, s.tidy(kept))...)
}

// Newest returns the time that stands for that of the last run, by the names of
// what Add wrote: of the newest samples of all targets the one in the middle, or
// before it. So no single clock that is wrong decides what is old. It is zero if
// there is no sample.
func (w *Writer) Newest() (time.Time, error) {
	s, ok := w.sink.(*folderSink)
	if !ok {
		return time.Time{}, nil
	}
	dirs, err := s.dirs()
	if err != nil {
		return time.Time{}, err
	}
	var newest []time.Time
	for _, dir := range dirs {
		stems, err := s.stems(dir)
		if err != nil {
			return time.Time{}, err
		}
		last := time.Time{}
		for stem := range stems {
			if t, _ := nameTime(stem); stemRE().MatchString(stem) {
				last = later(last, t)
			}
		}
		if !last.IsZero() {
			newest = append(newest, last)
		}
	}
	return Middle(newest), nil
}

// Middle returns the time in the middle of several, in any order, or the one
// before it; zero of none.
func Middle(times []time.Time) time.Time {
	if len(times) == 0 {
		return time.Time{}
	}
	times = slices.Clone(times)
	slices.SortFunc(times, time.Time.Compare)
	return times[(len(times)-1)/2]
}

// trusted reports whether the time that ages count back from is borne out by
// enough samples.
func trusted(all []*stored, r Retention) bool {
	recent := map[string]int{}
	for _, v := range all {
		if v.whole && !v.time.After(r.Newest) && v.time.After(r.Newest.Add(-r.Age)) {
			if recent[v.dir]++; recent[v.dir] >= minRecent {
				return true
			}
		}
	}
	return false
}

// older returns the samples from before a time.
func older(all []*stored, than time.Time) map[*stored]bool {
	old := map[*stored]bool{}
	for _, v := range all {
		if v.time.Before(than) {
			old[v] = true
		}
	}
	return old
}

// sameHour returns the samples from before a time that have an older one of the
// same target in the same hour, and what is left of samples without a profile.
func sameHour(all []*stored, before time.Time) map[*stored]bool {
	type hour struct {
		dir string
		at  time.Time
	}
	more, taken := map[*stored]bool{}, map[hour]bool{}
	for _, v := range all {
		h := hour{v.dir, v.time.Truncate(time.Hour)}
		if (taken[h] || !v.whole) && v.time.Before(before) {
			more[v] = true
		}
		taken[h] = taken[h] || v.whole
	}
	return more
}

// excess returns the oldest samples, without which the others take no more
// than size.
func excess(all []*stored, size int64) map[*stored]bool {
	var total int64
	for _, v := range all {
		total += v.bytes
	}
	out := map[*stored]bool{}
	for _, v := range all {
		if size <= 0 || total <= size {
			break
		}
		if !v.last {
			out[v] = true
			total -= v.bytes
		}
	}
	return out
}

// removeSample removes debug0 first: a run that is killed in between leaves no
// sample that looks whole.
func (s *folderSink) removeSample(v *stored) error {
	for _, f := range v.files {
		if err := os.Remove(filepath.Join(s.root, v.dir, f)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// stemRE matches the names that Add gives: no others are ever removed.
var stemRE = lazyregexp.New(`^\d{8}T\d{6}Z(-\d+)?$`)

// stored returns the samples in the folder that Add wrote, oldest first.
func (s *folderSink) stored() ([]*stored, error) {
	dirs, err := s.dirs()
	if err != nil {
		return nil, err
	}
	var all []*stored
	for _, dir := range dirs {
		samples, err := s.storedIn(dir)
		if err != nil {
			return nil, err
		}
		all = append(all, samples...)
	}
	slices.SortStableFunc(all, func(a, b *stored) int { return a.time.Compare(b.time) })
	return all, nil
}

// dirs returns the names of the targets' folders.
func (s *folderSink) dirs() ([]string, error) {
	entries, err := os.ReadDir(s.root)
	var dirs []string
	for _, e := range entries {
		if e.IsDir() && !strings.HasPrefix(e.Name(), ".") {
			dirs = append(dirs, e.Name())
		}
	}
	return dirs, err
}

// storedIn returns the samples of one target, oldest first.
func (s *folderSink) storedIn(dir string) ([]*stored, error) {
	entries, err := os.ReadDir(filepath.Join(s.root, dir))
	if err != nil {
		return nil, err
	}
	var all []*stored
	at := map[string]int{}
	for _, e := range entries {
		stem, k, ok := sampleName(e.Name())
		if !ok || !stemRE().MatchString(stem) {
			continue
		}
		i, known := at[stem]
		if !known {
			i = len(all)
			at[stem] = i
			t, _ := nameTime(stem)
			all = append(all, &stored{dir: dir, stem: stem, time: t})
		}
		all[i].whole = all[i].whole || k != metrics
		if k == debug0 {
			all[i].files = slices.Insert(all[i].files, 0, e.Name())
		} else {
			all[i].files = append(all[i].files, e.Name())
		}
		if info, err := e.Info(); err == nil { // else it was removed just now
			all[i].bytes += info.Size()
		}
	}
	slices.SortFunc(all, func(a, b *stored) int {
		return cmp.Or(a.time.Compare(b.time), cmp.Compare(len(a.stem), len(b.stem)), cmp.Compare(a.stem, b.stem))
	})
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].whole {
			all[i].last = true
			break
		}
	}
	return all, nil
}

// tidy removes what runs that were killed left half written, and the facts of
// targets of which no sample is left.
func (s *folderSink) tidy(kept map[string]bool) error {
	dirs, err := s.dirs()
	errs := []error{err, s.removeAll("", isLeftover)}
	for _, dir := range dirs {
		errs = append(errs, s.removeAll(dir, isLeftover))
		if kept[dir] || !s.only(dir, isFacts) {
			continue
		}
		errs = append(errs, s.removeAll(dir, isFacts), os.Remove(filepath.Join(s.root, dir)))
	}
	return errors.Join(errs...)
}

// isLeftover tells files that were being written when a run was killed: a
// dot, the name, and digits.
func isLeftover(base string) bool {
	name, hidden := strings.CutPrefix(base, ".")
	name = strings.TrimRight(name, "0123456789")
	_, _, sample := sampleName(name)
	return hidden && (sample || isFacts(name) || name == seenFile || name == failuresFile || name == strings.TrimPrefix(probePrefix, "."))
}

// removeAll removes the files of a folder with such names.
func (s *folderSink) removeAll(dir string, is func(base string) bool) error {
	entries, err := os.ReadDir(filepath.Join(s.root, dir))
	errs := []error{err}
	for _, e := range entries {
		if e.Type().IsRegular() && is(e.Name()) {
			errs = append(errs, os.Remove(filepath.Join(s.root, dir, e.Name())))
		}
	}
	return errors.Join(errs...)
}

// only reports whether the folder holds something, and nothing but files with
// such names.
func (s *folderSink) only(dir string, is func(base string) bool) bool {
	entries, err := os.ReadDir(filepath.Join(s.root, dir))
	return err == nil && len(entries) > 0 &&
		!slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return !is(e.Name()) })
}

// String says what was removed, for people; empty for nothing.
func (r Removed) String() string {
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{
		{r.Old, "older than --retention"},
		{r.Thin, "of hours, more than a day ago, that have another one"},
		{r.Excess, "beyond --retention-size"},
	} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", plural(p.n, "sample", "s"), p.what))
		}
	}
	return strings.Join(parts, ", ")
}

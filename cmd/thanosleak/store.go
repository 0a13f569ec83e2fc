package main

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/thanosleak/thanosleak/classify"
	"github.com/thanosleak/thanosleak/classify/advisory"
	"github.com/thanosleak/thanosleak/profile"
	"github.com/thanosleak/thanosleak/profile/capture"
)

// store is the capture that a command keeps, with what it held before; the zero
// store keeps nothing.
type store struct {
	writer *capture.Writer // nil if nothing is kept
	// old are the samples of targets that are not watched, by name: those that
	// the folder held, and those of targets that have ended.
	old map[string]profile.Target
	// memory is what earlier runs saw; nil if nothing is remembered.
	memory   *classify.Memory
	warnings []string // about what was there before
	damaged  []string // those of them that have to be told also where no report is
}

// open prepares --dir: what the folder holds already is judged along.
func (s *scraping) open(db *advisory.DB) (*store, error) {
	st := &store{old: map[string]profile.Target{}}
	if s.dir == "" {
		return st, nil
	}
	w, err := capture.Create(s.dir)
	if err != nil {
		return nil, err
	}
	st.writer = w
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return st, nil // an archive: there is nothing before it
	}
	st.recall()
	if err := w.CheckFailures(); err != nil {
		st.layAside(fmt.Sprintf("failures.json, which says what earlier runs did not get, cannot be used: %v. It stays as failures.json.damaged", err),
			w.LayAsideFailures)
	}
	if !slices.ContainsFunc(entries, os.DirEntry.IsDir) {
		return st, nil // a new folder
	}
	newest, err := w.Newest()
	if err != nil {
		return nil, errors.Join(err, w.Close())
	}
	in, err := capture.Open([]string{s.dir}, nil, capture.Options{
		// A sample whose clock ran ahead must not make the others old.
		Flags: profile.FlagFilter(flagNames(db)), Window: time.Duration(s.window), Newest: earlier(newest, now()), Sparse: s.sparse,
	})
	switch {
	case errors.Is(err, capture.ErrTooOld):
		return st, nil
	case err != nil:
		st.warnings = append(st.warnings, "what is in the folder already is not judged along: "+err.Error())
		return st, nil
	}
	st.warnings = append(st.warnings, in.Warnings...)
	for _, t := range in.Targets {
		if len(t.Samples) > 0 {
			t.Unreached, t.FailedSamples, t.Err = false, 0, "" // were the last run's
			st.old[t.Name] = t
		}
	}
	return st, nil
}

// recall reads what earlier runs saw. One that is damaged is laid aside: then
// all is new.
func (st *store) recall() {
	b, err := st.writer.ReadSeen()
	if err == nil {
		st.memory, err = classify.ParseMemory(b)
	}
	if err == nil {
		return
	}
	st.memory = &classify.Memory{}
	st.layAside(fmt.Sprintf("seen.json, which says what earlier runs found, cannot be used: %v. It stays as seen.json.damaged, and all findings count as new", err),
		st.writer.LayAsideSeen)
}

// layAside gives a file that cannot be used another name, and says so.
func (st *store) layAside(text string, rename func() error) {
	st.damaged = append(st.damaged, text)
	st.warnings = append(st.warnings, text)
	if err := rename(); err != nil {
		st.warnings = append(st.warnings, err.Error())
	}
}

// take returns what is kept of a target of that name and takes it out.
func (st *store) take(name string) (profile.Target, bool) {
	t, ok := st.old[name]
	delete(st.old, name)
	return t, ok
}

// moved takes out the one target of which the newest process is that of t: it
// is watched under another name now.
func (st *store) moved(t profile.Target) (profile.Target, bool) {
	var same []string
	for name, old := range st.old {
		if sameLife(old, t) {
			same = append(same, name)
		}
	}
	if len(same) != 1 {
		return profile.Target{}, false
	}
	return st.take(same[0])
}

// others are the targets that are kept and not watched, by name.
func (st *store) others() []profile.Target {
	var others []profile.Target
	for _, name := range slices.Sorted(maps.Keys(st.old)) {
		t := st.old[name]
		t.Kept = true
		others = append(others, t)
	}
	return others
}

// forget lets go of targets whose newest sample is from before a time.
func (st *store) forget(before time.Time) {
	maps.DeleteFunc(st.old, func(_ string, t profile.Target) bool {
		n := len(t.Samples)
		return n == 0 || t.Samples[n-1].Time.Before(before)
	})
}

// remember keeps what was seen and what of it people were told, which n tells;
// nil for a run that says nothing. It removes samples that are too old.
func (st *store) remember(n *news, keep capture.Retention) (removed capture.Removed, err error) {
	if n != nil {
		st.memory.Tell(n.changes, n.now)
	}
	if st.writer == nil {
		return removed, nil
	}
	if !keep.Newest.IsZero() {
		removed, err = st.writer.Retain(keep) // first, for it makes room
	}
	if n == nil {
		return removed, err
	}
	b, jsonErr := st.memory.JSON()
	if jsonErr != nil {
		return removed, jsonErr
	}
	return removed, errors.Join(err, st.writer.WriteSeen(b))
}

// archive reports whether the capture comes into being as a whole when it is
// closed.
func (st *store) archive() bool { return st.writer != nil && st.memory == nil }

// close ends the capture. It may be called again.
func (st *store) close() error {
	if st.writer == nil {
		return nil
	}
	return st.writer.Close()
}

// news is what a result says that people were not told before.
type news struct {
	now     time.Time // that of the newest sample
	changes []classify.Change
}

// compare says what is new in the result, which it completes; nil if nothing
// is remembered to compare with. newest is the time of the newest sample of this
// run, zero if there is none.
func (st *store) compare(r *classify.Result, floor classify.Level, newest, here time.Time) *news {
	if st.memory == nil {
		return nil
	}
	now := st.memory.Now(newest, here)
	st.memory.Recall(r, now)
	return &news{now: now, changes: st.memory.Changes(r, floor, now)}
}

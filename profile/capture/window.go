package capture

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/prometheus/common/model"
)

// ErrTooOld is what reading gives where [Options.Window] left out every sample
// there is.
var ErrTooOld = errors.New("every sample is older than the window")

// tooOld says from when on samples would have been read.
func (r *reader) tooOld() error {
	return fmt.Errorf("%w: %s older than %s before %s", ErrTooOld,
		plural(r.left, "sample", "s"), model.Duration(r.o.Window), r.newest.UTC().Format(time.RFC3339))
}

// nameSlack is how far the time in a name may be from that of the sample:
// writing takes a while, and a wrong clock is set right.
const nameSlack = time.Hour

// look learns from the newest name that a readable sample has how new the
// newest sample is at least. Without it every file would have to be opened.
func (r *reader) look(lists []*listing) {
	if r.o.Window <= 0 || !r.o.Newest.IsZero() {
		return
	}
	var stems []*stem
	for _, l := range lists {
		for _, s := range slices.Concat(l.stems, l.loose) {
			if s.time.After(r.newest) {
				stems = append(stems, s)
			}
		}
	}
	slices.SortStableFunc(stems, func(a, b *stem) int { return b.time.Compare(a.time) })
	for _, s := range stems {
		if t, ok := r.probe(s); ok {
			if t.After(r.newest) {
				r.newest = t
			}
			return
		}
	}
}

// probe returns the time of a sample; not ok if it cannot be read.
func (r *reader) probe(s *stem) (time.Time, bool) {
	for _, k := range countOrder {
		if s.files[k] == nil {
			continue
		}
		if snaps, written, err := readProfiles(s.files[k], ""); err == nil {
			t, source := r.timeOf(snaps[len(snaps)-1], s, written, len(snaps) > 1)
			return t, source <= fromName
		}
	}
	return time.Time{}, false
}

// sparseAfter is the age from which samples are left out that are near to
// another one ([Options.Sparse]).
const sparseAfter = time.Hour

// recent returns the samples that are not too old by their names, nor too near
// to another one. gone says that there were some, and that they are all left
// out.
func (r *reader) recent(stems []*stem) (kept []*stem, gone bool) {
	if r.o.Window <= 0 || r.newest.IsZero() {
		return stems, false
	}
	limit := r.newest.Add(-r.o.Window - nameSlack)
	samples := 0
	var slot time.Time // of the last sample that is kept
	for _, s := range stems {
		old := !s.time.IsZero() && s.time.Before(limit)
		if !old && r.o.Sparse > 0 && s.inside && s.hasProfile() && s.time.Before(r.newest.Add(-sparseAfter)) {
			this := s.time.Truncate(r.o.Sparse)
			old, slot = this.Equal(slot), this
		}
		switch {
		case !old:
			kept = append(kept, s)
			if s.hasProfile() {
				samples++
			}
		case s.hasProfile() && (s.inside || isProfileName(s.label())):
			r.left++
			gone = true
		}
	}
	return kept, gone && samples == 0
}

// cut leaves out the samples that are too old, and the targets that have no
// other.
func (r *reader) cut() {
	if r.o.Window <= 0 {
		return
	}
	if r.newest = r.o.Newest; r.newest.IsZero() {
		r.newest = newestOf(r.targets)
	}
	limit := r.newest.Add(-r.o.Window)
	for i := range r.targets {
		t := &r.targets[i]
		before := len(t.taken)
		t.taken = slices.DeleteFunc(t.taken, func(s taken) bool { return !s.Time.IsZero() && s.Time.Before(limit) })
		r.left += before - len(t.taken)
	}
	r.targets = slices.DeleteFunc(r.targets, func(t found) bool {
		old := !t.failed.IsZero() && t.failed.Before(limit)
		return (t.Err == "" || old) && len(t.taken) == 0
	})
}

// newestOf returns the time of the newest sample, by the most trustworthy
// times that there are; zero if no time is known.
func newestOf(targets []found) time.Time {
	var newest [unknown + 1]time.Time
	for _, t := range targets {
		for _, s := range t.taken {
			if s.Time.After(newest[s.source]) {
				newest[s.source] = s.Time
			}
		}
	}
	if told := later(newest[fromDump], newest[fromName]); !told.IsZero() {
		return told
	}
	return later(newest[fromFile], newest[unknown])
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// assemble makes samples of what was taken.
func (t *found) assemble() {
	slices.SortStableFunc(t.taken, func(a, b taken) int { return a.Time.Compare(b.Time) })
	t.Warnings = spread(t.taken)
	for _, s := range withLeaks(t.taken, &t.Warnings) {
		t.Samples = append(t.Samples, s.Sample)
	}
	t.taken = nil
}

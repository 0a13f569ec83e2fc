package capture

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"time"

	"github.com/thanosleak/thanosleak/profile"
)

// failuresFile is where a capture keeps which targets gave no sample, or not
// every one, when they were asked last: without it, a target that was down would
// be as if nobody had asked it.
const failuresFile = "failures.json"

// failuresSchema names the form of the file, for others have files of that name.
const failuresSchema = "thanosleak-failures/v1"

// failures is what stands in the file.
type failures struct {
	Schema  string    `json:"schema"`
	Targets []failure `json:"targets"`
}

// failure is what one target did not give.
type failure struct {
	Target string    `json:"target"`
	Time   time.Time `json:"time"` // that of the run, by the clock of the targets
	// Last is the time in the name of the newest sample of the target that the
	// capture held then; zero for none. A later one shows that it was reached
	// since.
	Last          time.Time `json:"last_sample,omitzero"`
	Unreached     bool      `json:"unreached"` // no sample at all
	Mixed         bool      `json:"mixed"`     // see [profile.Target]
	FailedSamples int       `json:"failed_samples"`
	Error         string    `json:"error"`
}

// WriteFailures stores which of the targets that a run asked gave no sample or not
// every one: those with Err. at is the time that stands for that of the run. What
// earlier runs stored of targets that this one did not ask stays, unless it is
// from before since; the zero time lets nothing stay. The archive of a run without
// any sample does not come into being for this.
func (w *Writer) WriteFailures(at time.Time, asked []profile.Target, since time.Time) error {
	all := failures{Schema: failuresSchema}
	names := map[string]bool{}
	for _, t := range asked {
		names[t.Name] = true
		if t.Err == "" {
			continue
		}
		last, err := w.newest(Escape(t.Name))
		if err != nil {
			last = at // its folder is no folder, say: others are to be told of all the same
		}
		all.Targets = append(all.Targets, failure{
			Target: t.Name, Time: at.UTC().Truncate(time.Second), Last: last.UTC(), Unreached: t.Unreached, Mixed: t.Mixed,
			FailedSamples: t.FailedSamples, Error: t.Err,
		})
	}
	if !since.IsZero() {
		earlier, err := w.earlierFailures()
		if err != nil {
			return fmt.Errorf("%s, which is to be added to: %w", failuresFile, err)
		}
		others := slices.DeleteFunc(earlier, func(f failure) bool { return names[f.Target] || f.Time.Before(since) })
		all.Targets = append(all.Targets, others...)
	}
	if len(all.Targets) == 0 {
		return w.removeFailures()
	}
	b, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return fmt.Errorf("the targets without a sample: %w", err)
	}
	if err := w.sink.write("", failuresFile, append(b, '\n'), at.UTC()); err != nil {
		return writeError(w.path, err)
	}
	return nil
}

// newest returns the newest time in the names of a target's samples; zero if there
// is none.
func (w *Writer) newest(dir string) (time.Time, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	stems := w.stems[dir]
	if stems == nil && len(dir) <= maxName {
		var err error
		if stems, err = w.sink.stems(dir); err != nil {
			return time.Time{}, err
		}
	}
	var newest time.Time
	for stem := range stems {
		t, _ := nameTime(stem)
		newest = later(newest, t)
	}
	return newest, nil
}

// CheckFailures returns why what WriteFailures stored in the capture cannot be
// used, or what another file of its name is; nil if it can, or there is none.
func (w *Writer) CheckFailures() error {
	_, err := w.earlierFailures()
	return err
}

// LayAsideFailures gives what WriteFailures stored another name (".damaged" behind
// it), so that it is not lost when it is written anew.
func (w *Writer) LayAsideFailures() error { return w.layAside(failuresFile) }

// earlierFailures is what earlier runs stored.
func (w *Writer) earlierFailures() ([]failure, error) {
	s, ok := w.sink.(*folderSink)
	if !ok {
		return nil, nil
	}
	f, err := os.Open(filepath.Join(s.root, failuresFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readFailures(f)
}

// removeFailures removes what an earlier run stored.
func (w *Writer) removeFailures() error {
	s, ok := w.sink.(*folderSink)
	if !ok {
		return nil
	}
	if err := os.Remove(filepath.Join(s.root, failuresFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return writeError(w.path, err)
	}
	return nil
}

// What is read of targets without a sample is bounded, for a capture may come
// from a stranger.
const (
	maxFailures     = 20_000   // targets
	maxFailuresFile = 16 << 20 // bytes
)

// errNotOurs is what a file of that name gives that is somebody else's.
var errNotOurs = fmt.Errorf("it is no %s of thanosleak", failuresFile)

// readFailures reads what WriteFailures wrote.
func readFailures(in io.Reader) ([]failure, error) {
	b, err := io.ReadAll(&bounded{in, maxFailuresFile, maxFailuresFile})
	if err != nil {
		return nil, err
	}
	var all failures
	err = json.Unmarshal(b, &all)
	switch _, mistyped := errors.AsType[*json.UnmarshalTypeError](err); {
	case err != nil && !mistyped:
		return nil, err
	case all.Schema != failuresSchema:
		return nil, errNotOurs
	case err != nil:
		return nil, err
	case len(all.Targets) > maxFailures:
		return nil, fmt.Errorf("%d targets, and more than %d are not read", len(all.Targets), maxFailures)
	}
	for _, f := range all.Targets {
		if f.Target == "" || f.Time.IsZero() || f.Error == "" || f.FailedSamples < 0 {
			return nil, fmt.Errorf("something is missing or wrong in what it says of target %.80q", f.Target)
		}
	}
	return all.Targets, nil
}

// failures says of the targets of a capture, from the one with the index first
// on, which of them could not be had when they were asked last; those of which
// there is no sample become targets with Err. elems are those of the capture's
// path. A file that cannot be read may hide any target: it stands for one.
func (r *reader) failures(f *file, elems []string, first int) {
	var all []failure
	err := r.read(f, func(in io.Reader) (err error) {
		all, err = readFailures(in)
		return err
	})
	switch {
	case errors.Is(err, errNotOurs):
		r.skip(f, err)
	case err != nil:
		r.fail(f.label, append(slices.Clip(elems), failuresFile), fmt.Errorf("which targets gave no sample cannot be read: %w", err))
	}
	at := map[string]int{}
	for i, t := range r.targets[first:] {
		at[path.Join(t.elems...)] = first + i
	}
	for _, f := range all {
		own := append(slices.Clip(elems), Escape(f.Target))
		i, known := at[path.Join(own...)]
		if !known {
			i = len(r.targets)
			at[path.Join(own...)] = i
			r.targets = append(r.targets, found{elems: own})
		}
		r.targets[i].fail(f)
	}
}

// fail says of a target what it did not give, unless a sample is there that is
// newer.
func (t *found) fail(f failure) {
	for _, s := range t.taken {
		if s.Time.After(f.Last.Add(time.Second)) { // names leave fractions out
			return
		}
	}
	if f.Mixed {
		t.taken = nil
	}
	t.Unreached, t.Mixed, t.FailedSamples, t.Err, t.failed = f.Unreached, f.Mixed, f.FailedSamples, f.Error, f.Time
}

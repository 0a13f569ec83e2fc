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
// every one, in the run that wrote to it last: without it, a target that was down
// would be as if nobody had asked it. It is of the whole capture, so that each run
// replaces it and nothing in it is ever out of date.
const failuresFile = "failures.json"

// failures is what stands in it.
type failures struct {
	Time    time.Time `json:"time"` // when the run ended
	Targets []failure `json:"targets"`
}

// failure is what one target did not give.
type failure struct {
	Target        string `json:"target"`
	Unreached     bool   `json:"unreached"` // no sample at all
	FailedSamples int    `json:"failed_samples"`
	Error         string `json:"error"`
}

// WriteFailures stores which of the targets of a run gave no sample or not every
// one, those with Err, and removes what an earlier run stored if all did. at is
// when the run ended. The archive of a run without any sample does not come into
// being for them.
func (w *Writer) WriteFailures(at time.Time, targets []profile.Target) error {
	all := failures{Time: at.UTC().Truncate(time.Second)}
	for _, t := range targets {
		if t.Err != "" {
			all.Targets = append(all.Targets, failure{t.Name, t.Unreached, t.FailedSamples, t.Err})
		}
	}
	if len(all.Targets) == 0 {
		return w.removeFailures()
	}
	b, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return fmt.Errorf("the targets without a sample: %w", err)
	}
	if err := w.sink.write("", failuresFile, append(b, '\n'), all.Time); err != nil {
		return writeError(w.path, err)
	}
	return nil
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

// readFailures reads what WriteFailures wrote.
func readFailures(in io.Reader) (failures, error) {
	var all failures
	b, err := io.ReadAll(&bounded{in, maxFailuresFile, maxFailuresFile})
	if err != nil {
		return failures{}, err
	}
	if err := json.Unmarshal(b, &all); err != nil {
		return failures{}, fmt.Errorf("it should say which targets gave no sample: %w", err)
	}
	if n := len(all.Targets); n > maxFailures {
		return failures{}, fmt.Errorf("%d targets without a sample, more than %d", n, maxFailures)
	}
	if all.Time.IsZero() {
		return failures{}, errors.New("it does not say when the targets gave no sample")
	}
	for _, f := range all.Targets {
		if dir := Escape(f.Target); dir == "" || len(dir) > maxName || f.Error == "" || f.FailedSamples < 0 {
			return failures{}, fmt.Errorf("it should say which targets gave no sample, and why: target %.80q", f.Target)
		}
	}
	return all, nil
}

// failures says of the targets of a capture, from the one with the index first
// on, which of them the last run did not get; those of which there is no sample
// become targets with Err. elems are those of the capture's path.
func (r *reader) failures(f *file, elems []string, first int) {
	var all failures
	r.aside(f, func(in io.Reader) (err error) {
		all, err = readFailures(in)
		return err
	})
	at := map[string]int{}
	for i, t := range r.targets[first:] {
		at[path.Join(t.elems...)] = first + i
	}
	for _, f := range all.Targets {
		own := append(slices.Clip(elems), Escape(f.Target))
		i, known := at[path.Join(own...)]
		if !known {
			i = len(r.targets)
			at[path.Join(own...)] = i
			r.targets = append(r.targets, found{elems: own})
		}
		t := &r.targets[i]
		if len(t.taken) > 0 && t.lastTaken().After(all.Time.Add(nameSlack)) {
			continue // somebody got a sample later
		}
		t.Unreached, t.FailedSamples, t.Err, t.failed = f.Unreached, f.FailedSamples, f.Error, all.Time
	}
}

// lastTaken returns the time of the newest sample.
func (t *found) lastTaken() time.Time {
	return slices.MaxFunc(t.taken, func(a, b taken) int { return a.Time.Compare(b.Time) }).Time
}

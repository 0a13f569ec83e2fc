package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/thanosleak/thanosleak/profile"
	"github.com/thanosleak/thanosleak/profile/capture"
)

// write adds the newest sample of a target to the capture.
func (r *rounds) write(w *watch, payload profile.Payload) {
	if r.store.writer == nil {
		return
	}
	var err error
	if w.unsaved {
		err = r.store.writer.Facts(w.target.Name, w.target.Facts)
		w.unsaved = err != nil
	}
	err = errors.Join(err, r.store.writer.Add(w.target.Name, w.target.Samples[len(w.target.Samples)-1], payload))
	if err != nil && !w.notKept {
		w.notKept = true
		r.mu.Lock()
		defer r.mu.Unlock()
		r.notKept = append(r.notKept, fmt.Errorf("%s: %w", w.target.Name, err))
	}
}

// kept returns where the samples are kept: nowhere, and why, if one of them is
// missing. People restart a process on this word.
func (r *rounds) kept() (string, error) {
	errs := append(slices.Clone(r.notKept), r.keepFailures())
	if r.store.archive() {
		errs = append(errs, r.store.close())
	}
	if text := eachOnce(errs); text != "" {
		return "", errors.New("what was scraped is not kept, or not all of it: " + text)
	}
	if path, err := filepath.Abs(r.dir); err == nil && r.quiet && r.dir != "" {
		return path, nil // who reads a mail is not in the folder of the job
	}
	return r.dir, nil
}

// eachOnce is what the errors say, each once: a full disk fails all that is written.
func eachOnce(errs []error) string {
	var texts []string
	for _, err := range errs {
		if err != nil && !slices.Contains(texts, err.Error()) {
			texts = append(texts, err.Error())
		}
	}
	return strings.Join(texts, "; ")
}

// keepFailures adds to the capture which targets gave no sample, or not every
// one, and of which one could not be kept: who reads it later is not to think that
// nobody asked them. What other commands left there of theirs stays; where a
// discovery tells which targets there are, those that it does not list have ended.
func (r *rounds) keepFailures() error {
	if r.store.writer == nil {
		return nil
	}
	asked := slices.Clone(r.lost)
	for _, w := range r.watches {
		t := w.target
		if w.notKept && t.Err == "" {
			t.Unreached, t.Err = true, t.Name+": a sample of it could not be written into the capture"
		}
		asked = append(asked, t)
	}
	at, since := r.clock(), time.Time{}
	if at.IsZero() {
		at = now()
	}
	if !r.source.Discovers() {
		since = at.Add(-time.Duration(r.window))
	}
	return r.store.writer.WriteFailures(at, asked, since)
}

// keeping is what the folder may keep after this run. Nothing is old by a clock
// that runs ahead of this machine's.
func (r *rounds) keeping() capture.Retention {
	return capture.Retention{Newest: earlier(r.newest(), now()), Age: time.Duration(r.retention), Size: r.maxBytes}
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

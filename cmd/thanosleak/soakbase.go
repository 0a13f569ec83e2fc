package main

import (
	"fmt"
	"os"

	"github.com/thanosleak/thanosleak/classify"
	"github.com/thanosleak/thanosleak/profile"
	"github.com/thanosleak/thanosleak/report"
)

// checkBaseline reads --baseline and finds out whether --write-baseline can be
// written.
func (s *soaker) checkBaseline() error {
	if s.writeBaseline != "" {
		if err := checkFile("--write-baseline "+s.writeBaseline, s.writeBaseline); err != nil {
			return err
		}
		if err := checkDistinct(append(s.outputFiles(), s.dir, s.writeBaseline)); err != nil {
			return err
		}
	}
	if s.baselineFile == "" {
		return nil
	}
	content, err := os.ReadFile(s.baselineFile)
	if err != nil {
		return usagef("--baseline: %w", err)
	}
	if s.baseline, err = classify.ParseBaseline(s.baselineFile, content); err != nil {
		return usagef("--baseline: %w", err)
	}
	return nil
}

// warnBaseline says which of the findings the baseline accepts from now on, in as
// many goroutines as they have.
func (s *soaker) warnBaseline(std streams, result *classify.Result) {
	if s.writeBaseline == "" {
		return
	}
	for _, f := range result.Findings {
		if f.Level.AtLeast(classify.Suspect) {
			fmt.Fprintf(std.err, "thanosleak: %s accepts a %s: %s\n", s.writeBaseline, f.Class, report.Printable(f.Title))
		}
	}
}

// saveBaseline writes --write-baseline, if the soak was run to its end: what a
// part of it left would make the next release look worse than it is.
func (s *soaker) saveBaseline(targets []profile.Target, result *classify.Result, whole bool) error {
	if s.writeBaseline == "" {
		return nil
	}
	for _, t := range result.Targets {
		whole = whole && t.Samples > 0
		if t.Undecided != "" && whole {
			return fmt.Errorf("%s is not written, for the soak shows too little: %s", s.writeBaseline, t.Undecided)
		}
	}
	if s.load != nil && (result.Soak == nil || result.Soak.Rounds < s.rounds) || !whole {
		return fmt.Errorf("%s is not written: the soak did not come to its end", s.writeBaseline)
	}
	b := classify.NewBaseline(classify.InventoryBefore(targets), classify.InventoryAtRest(targets), version(), now())
	b.CountWork(targets)
	content, err := b.Marshal()
	if err == nil {
		err = writeFile(s.writeBaseline, content)
	}
	if err != nil {
		return fmt.Errorf("write the baseline: %w", err)
	}
	return nil
}

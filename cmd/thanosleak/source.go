package main

import (
	"context"
	"errors"

	"github.com/thanosleak/thanosleak/profile"
	"github.com/thanosleak/thanosleak/profile/discover"
)

// source tells which targets there are.
type source struct {
	*discover.Source
	// named are the arguments, without credentials.
	named []string
}

// newSource reads what the command line names; an error is a mistake in it.
func newSource(args, files []string, r discover.Resolver) (*source, error) {
	s, err := discover.NewSource(args, files, r)
	if err != nil {
		return nil, usageError{err}
	}
	src := &source{Source: s}
	for _, arg := range args {
		src.named = append(src.named, discover.Plain(arg))
	}
	return src, nil
}

// find returns the targets that there are now. Names and files that give none
// are lost: they are reported like processes that do not answer. What is wrong
// with others is a warning.
func (s *source) find(ctx context.Context) (targets []discover.Target, lost []profile.Target, warnings []string) {
	targets, problems := s.Targets(ctx)
	for _, p := range problems {
		name, kept := "", 0
		if l, ok := errors.AsType[*discover.LookupError](p); ok {
			name, kept = l.Name, l.Kept
		} else if f, ok := errors.AsType[*discover.FileError](p); ok {
			name, kept = f.File, f.Kept
		}
		if kept > 0 {
			warnings = append(warnings, p.Error())
			continue
		}
		lost = append(lost, lostTarget(name, p.Error()))
	}
	if len(targets)+len(lost) == 0 {
		lost = append(lost, lostTarget("(no target)", "there is no target: the target files are empty lists"))
	}
	return targets, lost, warnings
}

// lostTarget stands for what was named and gives no process to look at.
func lostTarget(name, why string) profile.Target {
	return profile.Target{Name: name, Unreached: true, FailedSamples: 1, Err: why}
}

package discover

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"sync"
)

// lookupsAtOnce is how many names are asked for at the same time, so that a
// slow one does not use up the time of all.
const lookupsAtOnce = 8

// A Source lists the targets of arguments and of target files, again and
// again: it looks names up and reads files at every call, and remembers the
// last good answer to each.
//
// What it keeps and what it ends is what Thanos and Prometheus do:
//
//   - a lookup that is not answered keeps the targets of the last answer; the
//     answer that a name has no records any more ends them;
//   - a file that cannot be read or is damaged keeps the targets that it had;
//     a file that is gone, or lists them no longer, ends them;
//   - a process that the user named never ends.
//
// It is for use by one goroutine at a time.
type Source struct {
	resolver Resolver
	args     []form
	globs    []string

	answers map[string][]Target // of lookups, by form.arg
	files   map[string]content  // by the file's name
}

// NewSource returns a source of the targets that the arguments name, in the
// forms of the package, and of those that the files list in Prometheus'
// file_sd form, whose names may be globs as there. An error is about how they
// are written, of all of them together; neither names nor files are looked at.
func NewSource(args, globs []string, r Resolver) (*Source, error) {
	s := &Source{resolver: r, globs: globs, answers: map[string][]Target{}, files: map[string]content{}}
	var errs []error
	for _, arg := range args {
		f, err := parseForm(arg)
		errs = append(errs, err)
		s.args = append(s.args, f)
	}
	for _, glob := range globs {
		errs = append(errs, checkGlob(glob))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return s, nil
}

// Discovers reports whether the targets may change from call to call: whether
// there are lookups or files.
func (s *Source) Discovers() bool {
	return len(s.globs) > 0 || slices.ContainsFunc(s.args, func(f form) bool { return f.how != "" })
}

// Targets returns what is listed now: the arguments' targets in their order,
// then those of the files, by file name and as they are written there; each
// process once, as [Merge] has it. Lookups take as long as ctx and the
// resolver allow.
//
// Problems are those of this call: first a [*LookupError] for each name that
// was looked up in vain, in the order of the targets, then a [*FileError] for
// each glob that matches nothing and for each file. Their Kept tells how many
// targets stay listed all the same; where it is 0, what the user named is
// missing. Targets and problems may both be empty: an empty list is a good one.
func (s *Source) Targets(ctx context.Context) (targets []Target, problems []error) {
	entries := make([]entry, 0, len(s.args))
	for _, f := range s.args {
		entries = append(entries, entry{form: f})
	}
	listed, fileProblems := s.readFiles()
	entries = append(entries, listed...)
	problems = s.lookUp(ctx, entries)
	for _, e := range entries {
		targets = append(targets, s.targetsOf(e)...)
	}
	return Merge(targets), append(problems, fileProblems...)
}

// readFiles returns the entries of all files and forgets the files that are
// gone.
func (s *Source) readFiles() (entries []entry, problems []error) {
	names, problems := expand(s.globs)
	now := map[string]content{}
	for _, name := range names {
		// With what it had before, a file is within the bound again.
		c, problem := readTargets(name, maxFileTargets-len(entries))
		if problem != nil {
			if errors.Is(problem, fs.ErrNotExist) {
				continue // deleted since the glob matched it
			}
			c = s.files[name]
			c.skipped = nil
			if len(entries)+len(c.entries) > maxFileTargets {
				c.entries = nil
			}
			problem.Kept = len(c.entries)
			problems = append(problems, problem)
		}
		if c.skipped != nil {
			problems = append(problems, c.skipped)
		}
		now[name] = c
		entries = append(entries, c.entries...)
	}
	s.files = now
	return entries, problems
}

// lookUp looks up what the entries name, each name once, and forgets the
// answers to others.
func (s *Source) lookUp(ctx context.Context, entries []entry) (problems []error) {
	forms := lookups(entries)
	answers, errs := make([][]Target, len(forms)), make([]error, len(forms))
	var wg sync.WaitGroup
	slots := make(chan struct{}, lookupsAtOnce)
	for i, f := range forms {
		slots <- struct{}{}
		wg.Go(func() {
			answers[i], errs[i] = f.targets(ctx, s.resolver)
			<-slots
		})
	}
	wg.Wait()
	now := map[string][]Target{}
	for i, f := range forms {
		if e, ok := errors.AsType[*LookupError](errs[i]); ok {
			if !e.gone {
				answers[i] = s.answers[f.arg]
				e.Kept = len(answers[i])
			}
			problems = append(problems, e)
		}
		now[f.arg] = answers[i]
	}
	s.answers = now
	return problems
}

// lookups returns the forms that need one, each once, in order.
func lookups(entries []entry) []form {
	var forms []form
	seen := map[string]bool{}
	for _, e := range entries {
		if e.form.how != "" && !seen[e.form.arg] {
			seen[e.form.arg] = true
			forms = append(forms, e.form)
		}
	}
	return forms
}

// targetsOf returns the targets of an entry, by the last good answer.
func (s *Source) targetsOf(e entry) []Target {
	if e.form.how == "" {
		t := e.form.target
		t.Labels = e.labels
		return []Target{t}
	}
	answer := s.answers[e.form.arg]
	targets := make([]Target, 0, len(answer))
	for _, t := range answer {
		t.Labels = e.labels
		targets = append(targets, t)
	}
	return targets
}

package classify

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/thanosleak/thanosleak/classify/advisory"
	"github.com/thanosleak/thanosleak/profile"
)

// An Ignore is a list of findings that somebody has accepted, for a time and for
// a reason. Its zero value ignores nothing.
type Ignore struct {
	entries []ignoreEntry
}

// ignoreEntry is one accepted finding: exactly one of the first four is set. In
// names of functions "*" stands for anything.
type ignoreEntry struct {
	Key       string `yaml:"key"`        // of the finding
	TopFrame  string `yaml:"top_frame"`  // the leaf of a culprit's stack
	AnyFrame  string `yaml:"any_frame"`  // any function in it
	CreatedBy string `yaml:"created_by"` // who started it
	Reason    string `yaml:"reason"`
	Expires   string `yaml:"expires"` // the last day on which it holds, in UTC

	until time.Time // the end of that day
	at    string    // file and line, for messages
}

// ParseIgnore reads a list of entries in YAML:
//
//   - key: TL-2026-101            # or top_frame, any_frame, created_by
//     reason: the archive store is slow, see the runbook
//     expires: 2027-01-31
//
// All but one of key, top_frame, any_frame and created_by are to be given, and
// nothing else may be. name is that of the file, for messages; an error is one
// line for each mistake, with the entry's line.
func ParseIgnore(name string, content []byte) (*Ignore, error) {
	entries, lines, err := decodeIgnore(content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w. Want a list of entries, each with reason, expires and one of key, top_frame, any_frame, created_by", name, err)
	}
	var errs []error
	for i := range entries {
		e := &entries[i]
		e.at = fmt.Sprintf("%s:%d", name, lines[i].Line)
		if err := e.check(); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", e.at, err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return &Ignore{entries}, nil
}

// decodeIgnore reads the entries, and the nodes that know their lines. A second
// document is an error: what stands in it would accept nothing.
func decodeIgnore(content []byte) (entries []ignoreEntry, lines []yaml.Node, err error) {
	dec := yaml.NewDecoder(bytes.NewReader(content))
	dec.KnownFields(true)
	if err := dec.Decode(&entries); err != nil && !errors.Is(err, io.EOF) {
		return nil, nil, err
	}
	var second yaml.Node
	if err := dec.Decode(&second); err == nil {
		return nil, nil, fmt.Errorf("a second document begins on line %d", second.Line)
	} else if !errors.Is(err, io.EOF) {
		return nil, nil, err
	}
	if err := yaml.Unmarshal(content, &lines); err != nil {
		return nil, nil, err
	}
	for _, l := range lines {
		if l.ShortTag() == "!!null" { // which the decoder of entries passes over
			return nil, nil, fmt.Errorf("there is nothing in the entry on line %d", l.Line)
		}
	}
	return entries, lines, nil
}

// check finds mistakes in an entry and completes it.
func (e *ignoreEntry) check() error {
	selectors := slices.DeleteFunc([]string{e.Key, e.TopFrame, e.AnyFrame, e.CreatedBy}, func(s string) bool { return s == "" })
	if len(selectors) != 1 {
		return errors.New("want one of key, top_frame, any_frame, created_by")
	}
	if strings.Trim(selectors[0], "* ") == "" {
		return fmt.Errorf("%q would ignore everything", selectors[0])
	}
	if strings.TrimSpace(e.Reason) == "" {
		return errors.New("reason: say why this is accepted")
	}
	day, err := time.Parse(time.DateOnly, e.Expires)
	if err != nil {
		return fmt.Errorf("expires: want a day such as 2027-01-31, not %q", e.Expires)
	}
	e.until = day.AddDate(0, 0, 1)
	return nil
}

// apply takes the findings out of the result that entries accept at the time now,
// says so in its warnings, and returns their keys. Entries that have expired, and
// those that accept nothing, are told as well.
func (ig *Ignore) apply(r *Result, now time.Time) (dropped map[string]bool) {
	used := make([]bool, len(ig.entries))
	dropped = map[string]bool{}
	r.Findings = slices.DeleteFunc(r.Findings, func(f Finding) bool {
		about, open := ig.about(&f, now)
		accepted := len(about) > 0 && open == ""
		if accepted {
			dropped[f.Key] = true
		}
		r.Warnings = append(r.Warnings, ig.tell(&f, about, open, now)...)
		for i, e := range ig.entries { // also those of what grew together with what is accepted
			used[i] = used[i] || slices.Contains(about, i) || accepted && slices.ContainsFunc(f.Stacks, e.names)
		}
		return accepted
	})
	for i, e := range ig.entries {
		if used[i] {
			continue
		}
		text := fmt.Sprintf("%s: the entry accepts nothing that was found: %s", e.at, cmp.Or(e.Key, e.TopFrame, e.AnyFrame, e.CreatedBy))
		if !now.Before(e.until) {
			text += fmt.Sprintf("; it has expired on %s as well", e.Expires)
		}
		r.Warnings = append(r.Warnings, text)
	}
	return dropped
}

// about returns the entries that are about the finding, by its key or by one of its
// culprits' stacks, and the function of a culprit that none of them accepts at the
// time; empty if the whole finding is accepted.
func (ig *Ignore) about(f *Finding, now time.Time) (about []int, open string) {
	whole := false
	named := make([]bool, len(f.Stacks))
	for i := range ig.entries {
		e := &ig.entries[i]
		lasts := now.Before(e.until)
		found := e.Key != "" && e.Key == f.Key
		whole = whole || found && lasts
		for n, s := range f.Stacks {
			if s.Role == RoleCulprit && e.names(s) {
				found = true
				named[n] = named[n] || lasts
			}
		}
		if found {
			about = append(about, i)
		}
	}
	if whole {
		return about, ""
	}
	open = "it as a whole"
	for n, s := range f.Stacks {
		switch {
		case s.Role != RoleCulprit:
		case !named[n]:
			return about, cmp.Or(s.leaf(), "a stack without frames")
		default:
			open = ""
		}
	}
	return about, open
}

// leaf is the function in which the goroutines stand, for people.
func (s *Stack) leaf() string {
	if len(s.Frames) == 0 {
		return ""
	}
	return ShortFunc(s.Frames[0].Func)
}

// tell says what the entries make of the finding that they are about.
func (ig *Ignore) tell(f *Finding, about []int, open string, now time.Time) []string {
	var texts []string
	name := called(f.Advisory, f.Title)
	first := true
	for _, i := range about {
		e := &ig.entries[i]
		switch expired := !now.Before(e.until); {
		case expired && open == "":
			texts = append(texts, fmt.Sprintf("%s: the entry has expired on %s; another accepts still: %s", e.at, e.Expires, name))
		case expired:
			texts = append(texts, fmt.Sprintf("%s: the entry has expired on %s, and what it accepted counts again: %s", e.at, e.Expires, name))
		case open != "":
			texts = append(texts, fmt.Sprintf("%s: the entry accepts a part of %s, which counts all the same: none accepts %s", e.at, name, open))
		case first:
			first = false
			texts = append(texts, fmt.Sprintf("ignored until %s: %s, %s (%s)", e.Expires, name, Count(f.Culprits, "goroutine"), e.Reason))
		}
	}
	return texts
}

// names reports whether the entry is about the stack, and not about a key.
func (e *ignoreEntry) names(s Stack) bool {
	switch {
	case e.CreatedBy != "":
		return advisory.MatchName(e.CreatedBy, s.CreatedBy)
	case e.TopFrame != "":
		return len(s.Frames) > 0 && advisory.MatchName(e.TopFrame, s.Frames[0].Func)
	}
	return e.AnyFrame != "" && slices.ContainsFunc(s.Frames, func(fr Frame) bool { return advisory.MatchName(e.AnyFrame, fr.Func) })
}

// excuses reports whether an entry that has not expired is about the goroutines of
// the group: by their stack, or by the leak that they are of.
func (ig *Ignore) excuses(db *advisory.DB, g *profile.Group, now time.Time) bool {
	functions := g.Signature.Functions()
	match := func(p advisory.Pattern) bool { return p.Match(functions) }
	return slices.ContainsFunc(ig.entries, func(e ignoreEntry) bool {
		if !now.Before(e.until) {
			return false
		}
		return e.Key == g.Signature.Portable().ID() || e.names(stackOf(g, RoleCulprit, g.Count)) ||
			slices.ContainsFunc(db.Advisories, func(a *advisory.Advisory) bool {
				return a.ID == e.Key && (slices.ContainsFunc(a.Culprits, match) || slices.ContainsFunc(a.Victims, match))
			})
	})
}

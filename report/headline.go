package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/thanosleak/thanosleak/classify"
)

// headline is the first line, which is enough for the subject of a mail.
func (p *page) headline(f *classify.Finding, r *classify.Result) {
	word, what, st := headlineOf(f, r)
	p.paragraph(styled(word, st), columns(word)+2, what, plain)
	if f.Advisory != "" {
		p.paragraph(text(""), 2, f.Title, plain)
	}
}

// headlineOf returns how bad a finding is, in a word or two and a colour, and
// what is found where.
func headlineOf(f *classify.Finding, r *classify.Result) (word, what string, st style) {
	st = yellow
	word = strings.ToUpper(string(f.Level))
	if f.Level.AtLeast(classify.Likely) {
		st = red
		word = strings.ToUpper(f.Class) + " " + string(f.Level)
	}
	word = cut(printable(word), 24)
	name := f.Advisory
	if name == "" {
		name = f.Title
	}
	return word, fmt.Sprintf("%s on %s%s: %s", name, where(f, r), versions(f), extent(f)), st
}

// where counts the targets that have the finding among those of their kinds.
func where(f *classify.Finding, r *classify.Result) string {
	concerned := map[string]bool{} // names, so that a fleet is gone through twice only
	for _, o := range f.Occurrences {
		concerned[o.Target] = true
	}
	components := map[string]bool{}
	for _, t := range r.Targets {
		if concerned[t.Name] {
			components[t.Component] = true
		}
	}
	var same []classify.TargetResult
	for _, t := range r.Targets {
		if components[t.Component] {
			same = append(same, t)
		}
	}
	if len(same) < len(f.Occurrences) {
		same = r.Targets
	}
	return fmt.Sprintf("%d of %s", len(f.Occurrences), processes(same))
}

// versions names the releases of the targets that have the finding.
func versions(f *classify.Finding) string {
	var names []string
	for _, m := range f.Remedies {
		names = append(names, cmp.Or(m.Version, candidates(m.Candidates)))
	}
	return cmp.Or(inBrackets(names), " (version unknown)")
}

// releasesOf names the releases of the targets that gave samples; empty if none is
// known.
func releasesOf(targets []classify.TargetResult) string {
	var names []string
	for _, t := range targets {
		if t.Samples > 0 {
			names = append(names, cmp.Or(t.ThanosVersion, candidates(t.VersionCandidates)))
		}
	}
	return inBrackets(names)
}

// inBrackets writes the releases, each once, as " (thanos 0.35.1, 0.36.0, others
// unknown)": an empty one is not known. It is empty if none is.
func inBrackets(releases []string) string {
	var names []string
	for _, name := range releases {
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	switch {
	case len(names) == 0:
		return ""
	case slices.Contains(releases, ""):
		names = append(names, "others unknown")
	}
	return " (thanos " + strings.Join(names, ", ") + ")"
}

// candidates names the releases that a dump may be from, oldest first.
func candidates(releases []string) string {
	if n := len(releases); n > 2 {
		return releases[0] + " to " + releases[n-1]
	}
	return strings.Join(releases, " or ")
}

// extent says how many goroutines are concerned.
func extent(f *classify.Finding) string {
	if f.Culprits == 0 {
		return "none now, after a restart"
	}
	goroutines := classify.Count(f.Culprits, "goroutine")
	if f.Advisory == "" {
		return goroutines // the title tells the rest
	}
	for _, o := range f.Occurrences {
		for _, e := range o.Evidence {
			if e.Kind == classify.KindBlockedForever {
				return goroutines + " blocked for ever"
			}
		}
	}
	if f.Victims > 0 {
		return fmt.Sprintf("%s, and %d behind them", goroutines, f.Victims)
	}
	return goroutines
}

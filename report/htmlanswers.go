package report

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/thanosleak/thanosleak/classify"
)

// The questions that the first screen answers.
const (
	askLeaking = "Is it leaking?"
	askWhere   = "Which component?"
	askMissing = "What is missing?"
)

// asked are questions that lines of the text report answer, by their labels.
var asked = map[string]string{"error": "What went wrong?", "look": "What stands out?"}

// findingFirst begins the page with the worst finding and what to do about it.
func (w *htmlWriter) findingFirst(v *htmlView, f *classify.Finding) {
	word, what, st := headlineOf(f, w.result)
	v.Tone, v.Word, v.What = tones[st], word, w.clean(what)
	if f.Advisory != "" {
		v.Sub = w.clean(f.Title)
	}
	var targets []string
	for _, o := range f.Occurrences {
		targets = append(targets, o.Target)
	}
	v.Answers = []htmlFact{
		{askLeaking, leaking(f)},
		{askWhere, w.clean(where(f, w.result) + versions(f) + ": " + firstNames(targets))},
	}
	v.Do = w.remedies(f.Remedies)
	v.Nothing = "Nothing is known that helps: keep the evidence"
	if s := silent(w.result); s != "" {
		v.Answers = append(v.Answers, htmlFact{askMissing, w.clean(s)})
	}
}

// silent says how many targets gave no sample, and which; empty if all did.
func silent(r *classify.Result) string {
	var names []string
	for _, t := range r.Targets {
		if t.Judged == classify.JudgedNo {
			names = append(names, t.Name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return fmt.Sprintf("%d of %d gave no sample: %s", len(names), len(r.Targets), firstNames(names))
}

// leaking answers the first question by the worst finding.
func leaking(f *classify.Finding) string {
	switch f.Level {
	case classify.Confirmed:
		return "Yes, that is confirmed: they never end by themselves"
	case classify.Likely:
		return "Very likely: they are not seen to end by themselves"
	}
	return "Perhaps: it looks like a leak, but that is not proven"
}

// namesFirst is the number of targets that the first screen names.
const namesFirst = 4

func firstNames(targets []string) string {
	s := strings.Join(targets[:min(len(targets), namesFirst)], ", ")
	if n := len(targets) - namesFirst; n > 0 {
		s += " and " + plural(n, "other")
	}
	return s
}

// verdictFirst begins the page with the verdict where nothing was found; notes
// says that there are some.
func (w *htmlWriter) verdictFirst(v *htmlView, notes bool) {
	r := w.result
	said := saidLines(func(p *page) { p.nothingFound(r, notes, false) })
	v.Word, v.What = said[0][0], w.clean(said[0][1])
	v.Tone, v.Nothing = "warn", "See what went wrong, and run it again."
	answer := "Not known yet: that is not decided"
	switch r.Verdict {
	case classify.VerdictClean:
		v.Tone, answer = "good", "No: "+noLeak(r)+noGrowth(r)
		v.Nothing = "Nothing now."
		if len(r.Ignored) > 0 {
			v.Tone, answer = "warn", "What is accepted may be: "+noLeak(r)
			v.Nothing = "Nothing that fails the run. The warnings say what is accepted, and why."
		}
	case classify.VerdictIncomplete:
		answer = "Not known: not every process could be looked at"
	}
	v.Answers = []htmlFact{{askLeaking, answer}, {askWhere, w.clean(cmp.Or(components(r), "none was looked at"))}}
	v.Next = cut(printable(decidingCommand(r)), maxText)
	for _, s := range said[1:] {
		if ask := asked[s[0]]; ask != "" {
			v.Answers = append(v.Answers, htmlFact{ask, w.clean(s[1])})
		}
	}
}

// components says which processes were looked at; empty if none was.
func components(r *classify.Result) string {
	var names []string
	for _, t := range r.Targets {
		if t.Samples > 0 {
			names = append(names, t.Name)
		}
	}
	if len(names) == 0 {
		return ""
	}
	return "looked at " + looked(r) + ": " + firstNames(names)
}

// saidLines returns what a part of the text report says, one paragraph each,
// cut into its label and the rest.
func saidLines(write func(p *page)) [][2]string {
	p := &page{width: 2 * maxText}
	write(p)
	var all [][2]string
	for l := range strings.Lines(p.buf.String()) {
		if l = strings.TrimSpace(l); l != "" {
			label, rest, _ := strings.Cut(l, "  ")
			all = append(all, [2]string{label, strings.TrimSpace(rest)})
		}
	}
	return all
}

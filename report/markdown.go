package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/thanosleak/thanosleak/classify"
)

// Markdown writes the result for a comment on a pull request or a channel of an
// incident: whoever reads it has not run anything, so that it says what was
// looked at, when, by which command, and with which knowledge.
func Markdown(w io.Writer, run Run, r *classify.Result, o TextOptions) error {
	m := &markdown{}
	m.head(r)
	for _, f := range shownFindings(r, o.Verbose) {
		m.finding(&f, r)
	}
	for _, f := range goneFindings(r) {
		m.line("- gone: %s, which earlier runs found", md(joined(f.Advisory, f.Title)))
	}
	m.targets(r)
	m.soak(r)
	m.comparison(r, o.Verbose)
	m.foot(run, r)
	_, err := io.WriteString(w, m.String())
	return err
}

// markdown collects the text. What comes from a target is put into it by md and
// code only.
type markdown struct{ strings.Builder }

func (m *markdown) line(format string, args ...any) { fmt.Fprintf(m, format+"\n", args...) }

// mdMarks are the characters that mean something in Markdown, and those that
// begin HTML, mentions and links to issues.
var mdMarks = strings.NewReplacer(`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`, "]", `\]`, "<", "&lt;", ">", "&gt;", "&", "&amp;",
	"|", `\|`, "#", `\#`, "~", `\~`, "@", "@\u200b", "!", `\!`)

// md is text that Markdown shows as it is.
func md(s string) string { return mdMarks.Replace(printable(s)) }

// code is text between backticks.
func code(s string) string {
	s = printable(s)
	if s == "" {
		return ""
	}
	fence := "`"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	if len(fence) > 1 {
		return fence + " " + s + " " + fence
	}
	return fence + s + fence
}

// cell is code in a table, where a bar would end it.
func cell(s string) string { return code(strings.ReplaceAll(s, "|", "¦")) }

func (m *markdown) head(r *classify.Result) {
	worst := strings.ToUpper(string(r.Verdict))
	m.line("## thanosleak: %s", worst)
	switch r.Verdict {
	case classify.VerdictClean:
		m.line("\n%s: %s%s.", md(looked(r)), noLeak(r), noGrowth(r))
	case classify.VerdictUndecided:
		m.line("\n%s: %s; %s.", md(looked(r)), noLeak(r), md(undecided(r)))
	case classify.VerdictIncomplete:
		m.line("\n%s.", md(missing(r, noLeak(r))))
	default:
		if s := silent(r); s != "" {
			m.line("\nMissing: %s.", md(s))
		}
	}
	if names := unmet(r); names != "" {
		m.line("")
		m.line("Required, but not exercised: %s.", md(names))
	}
	if cmd := decidingCommand(r); cmd != "" && len(shownFindings(r, false)) == 0 {
		m.line("")
		m.line("To decide: %s", code(cmd))
	}
}

func (m *markdown) finding(f *classify.Finding, r *classify.Result) {
	word, what, _ := headlineOf(f, r)
	m.line("")
	m.line("### %s: %s", md(word), md(what))
	m.line("")
	if f.Advisory != "" {
		m.line("%s", md(f.Title))
		m.line("")
	}
	m.line("| target | level | culprits | victims | culprits over time |")
	m.line("|---|---|---:|---:|---|")
	for i, o := range f.Occurrences {
		if i == maxRows {
			m.line("| and %d more | | | | |", len(f.Occurrences)-i)
			break
		}
		m.line("| %s | %s | %d | %d | %s |", cell(o.Target), md(string(o.Level)), o.Culprits, o.Victims, md(trend(o.Growth)))
	}
	m.stacks(f)
	if f.Why != "" {
		m.line("")
		m.line("**Why** %s", md(f.Why))
	}
	for i, text := range f.Symptoms {
		if i == 0 {
			m.line("")
			m.line("**Symptoms**")
			m.line("")
		}
		m.line("- %s", md(text))
	}
	m.seen(f)
	for i := range f.Remedies {
		m.remedy(&f.Remedies[i], len(f.Remedies) > 1)
	}
}

// stacks shows the frames of the culprits, which people look for in issues.
func (m *markdown) stacks(f *classify.Finding) {
	for _, s := range culprits(f) {
		m.line("")
		m.line("%s, %s:", classify.Count(s.Count, "culprit"), md(cmp.Or(s.State, "state unknown")))
		m.line("")
		for _, call := range calls(s) {
			m.line("    %s", printable(call))
		}
	}
}

// culprits are the stacks of culprits that there is room for.
func culprits(f *classify.Finding) []classify.Stack {
	stacks := slices.DeleteFunc(slices.Clone(f.Stacks), func(s classify.Stack) bool { return s.Role != classify.RoleCulprit })
	return stacks[:min(len(stacks), stackLines)]
}

// calls are the frames of a stack with their places, leaf first, and who started
// it.
func calls(s classify.Stack) []string {
	var lines []string
	for _, f := range s.Frames {
		lines = append(lines, fmt.Sprintf("%s  %s:%d", f.Func, f.File, f.Line))
	}
	if s.CreatedBy != "" {
		lines = append(lines, "created by "+s.CreatedBy)
	}
	return lines
}

// seen lists evidence and preconditions where the finding is surest.
func (m *markdown) seen(f *classify.Finding) {
	best := surest(f.Occurrences)
	if best == nil {
		return
	}
	m.line("")
	m.line("**Seen** on %s", code(best.Target))
	m.line("")
	for _, e := range best.Evidence {
		if e.Kind != classify.KindPrecondition {
			m.line("- %s (%s)", md(e.Text), md(string(e.Strength)))
		}
	}
	for _, text := range []string{best.Since, best.Cost} {
		if text != "" {
			m.line("- %s", md(text))
		}
	}
	for _, c := range best.Preconditions {
		mark := "not known"
		switch {
		case c.Met != nil && *c.Met:
			mark = "met"
		case c.Optional:
			continue
		case c.Met != nil:
			mark = "not met"
		}
		m.line("- needs, %s: %s%s", mark, md(c.Text), md(here(c.Observed)))
	}
}

func (m *markdown) remedy(rem *classify.Remedy, several bool) {
	m.line("")
	if several {
		m.line("**What to do** on %s (%s)", md(strings.Join(rem.Targets, ", ")), md(cmp.Or(rem.Version, candidates(rem.Candidates), "unknown version")))
	} else {
		m.line("**What to do**")
	}
	m.line("")
	for i, s := range rem.Steps {
		text := md(s.Text)
		if command := typedApart(s); command != "" {
			text += ": " + code(command)
		}
		if s.Cost != "" {
			text += " (cost: " + md(s.Cost) + ")"
		}
		m.line("%d. %s", i+1, text)
	}
	for i, a := range rem.Avoid {
		if i == 0 {
			m.line("")
			m.line("**What not to do**")
			m.line("")
		}
		m.line("- %s", md(a))
	}
}

// targets lists what was looked at.
func (m *markdown) targets(r *classify.Result) {
	if len(r.Targets) == 0 {
		return
	}
	m.line("")
	m.line("| target | component | thanos | goroutines | samples | from | to | judged |")
	m.line("|---|---|---|---|---:|---|---|---|")
	for i := range r.Targets {
		t := &r.Targets[i]
		if i == maxRows {
			m.line("| and %d more | | | | | | | |", len(r.Targets)-i)
			break
		}
		m.line("| %s | %s | %s | %s | %d | %s | %s | %s |", cell(t.Name), md(t.Component), md(cmp.Or(t.ThanosVersion, candidates(t.VersionCandidates), "?")),
			md(goroutines(t, true)), t.Samples, clock(t.FirstSample), clock(t.LastSample), md(joined(string(t.Judged), t.Error)))
	}
}

func clock(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

func (m *markdown) foot(run Run, r *classify.Result) {
	if len(r.Warnings) > 0 {
		m.line("")
	}
	for i, w := range r.Warnings {
		if i == maxWarnings {
			m.line("- %s", plural(len(r.Warnings)-i, "more warning"))
			break
		}
		m.line("- warning: %s", md(w))
	}
	m.line("")
	m.line("%s, ended %s; thanosleak %s, knowledge of %s", code(run.Command), run.Finished.UTC().Format("2006-01-02 15:04:05 UTC"),
		md(run.Version), md(run.AdvisoriesVersion))
}

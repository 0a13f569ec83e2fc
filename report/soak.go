package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/thanosleak/thanosleak/classify"
)

// SoakLines sums a soak up in five lines for the end of a log: the verdict with
// the exit status, the goroutines at rest, what was exercised and what was not,
// and the files that are left. The result has to be that of a soak.
func SoakLines(r *classify.Result, status int, artefacts []string) []string {
	yes, no := exercised(r.Soak)
	looked, missing := "nothing that is known of", "nothing that is known of is missing"
	if r.Soak == nil {
		looked, missing = "not known", "not known"
	}
	when := "at rest: "
	if r.Soak != nil && r.Soak.UnderLoad {
		when = "under load: "
	}
	lines := []string{
		"verdict: " + soakVerdict(r) + fmt.Sprintf(" (exit status %d)", status),
		when + atRest(r.Soak),
		"exercised: " + few(briefly(yes), looked),
		"not exercised: " + few(briefly(no), missing),
		"artefacts: " + cmp.Or(strings.Join(artefacts, "; "), "none; --dir soak.tar.gz keeps the capture"),
	}
	for i := range lines {
		lines[i] = Printable(lines[i])
	}
	return lines
}

// soakVerdict is the first line of the report and what else fails the soak.
func soakVerdict(r *classify.Result) string {
	line := strings.Join(strings.Fields(Headline(r, 0)), " ")
	if r.Verdict == classify.VerdictUndecided {
		return line // with the reason
	}
	if i := slices.IndexFunc(r.Targets, func(t classify.TargetResult) bool { return t.Undecided != "" }); i >= 0 {
		line += "; no green light: " + r.Targets[i].Undecided
	}
	if names := unmet(r); names != "" && !strings.Contains(line, names) {
		line += "; required, but not exercised: " + names
	}
	return line
}

// atRest writes the goroutines of each target from rest to rest, and the
// requests in between.
func atRest(s *classify.Soak) string {
	if s == nil {
		return "no target gave a sample"
	}
	var parts []string
	for _, t := range s.Targets {
		text := classify.Counts(t.AtRest, " → ")
		if len(s.Targets) > 1 {
			text = t.Target + " " + text
		}
		if len(t.Requests) > 0 {
			text += " (" + classify.Counts(t.Requests, ", ") + " requests)"
		}
		parts = append(parts, text)
	}
	return few(parts, "no target gave a sample")
}

// exercised returns the conditions that were exercised, and those that were not
// or of which nothing tells. Of leaks that the release does not have only those
// are among them that are required.
func exercised(s *classify.Soak) (yes, no []classify.Condition) {
	if s == nil {
		return nil, nil
	}
	for _, c := range s.Conditions {
		switch {
		case !c.Affected && !c.Required:
		case c.Exercised != nil && *c.Exercised:
			yes = append(yes, c)
		default:
			no = append(no, c)
		}
	}
	return yes, no
}

// briefly writes conditions with what was observed of them.
func briefly(conditions []classify.Condition) []string {
	s := make([]string, len(conditions))
	for i, c := range conditions {
		s[i] = c.Name
		if c.Observed != "" {
			s[i] += " (" + c.Observed + ")"
		}
	}
	return s
}

// fewParts is how many parts of a line of the summary are written out.
const fewParts = 8

// few joins the parts, or the first of many, with semicolons; none says what
// stands for no part.
func few(parts []string, none string) string {
	if len(parts) == 0 {
		return none
	}
	if n := len(parts) - fewParts; n > 0 {
		parts = append(slices.Clone(parts[:fewParts]), fmt.Sprintf("and %d more", n))
	}
	return strings.Join(parts, "; ")
}

// soak writes what the soak showed beside its findings.
func (p *page) soak(r *classify.Result, verbose bool) {
	if r.Soak == nil {
		return
	}
	p.blank()
	label := "  rest"
	if r.Soak.UnderLoad {
		label = "  load"
	}
	for i, t := range r.Soak.Targets {
		if i == maxErrors {
			p.more(len(r.Soak.Targets)-i, "target", false)
			break
		}
		one := classify.Soak{Targets: []classify.SoakTarget{t}}
		p.paragraph(styled(label, bold), labelWidth, t.Target+": "+atRest(&one), plain)
	}
	for _, why := range openQuestions(r) {
		p.paragraph(styled("  open", bold), labelWidth, why, plain)
	}
	yes, no := exercised(r.Soak)
	p.coverage("  not exercised: what was not tried is not shown to be clean", no, verbose)
	p.coverage("  exercised", yes, verbose)
}

// openQuestions says of each target of a soak why it has no green light, where the
// verdict does not say so; of the first targets only.
func openQuestions(r *classify.Result) []string {
	var all []string
	for _, t := range r.Targets {
		if t.Undecided != "" && len(all) < maxErrors && (r.Verdict != classify.VerdictUndecided || len(r.Targets) > 1) {
			all = append(all, printable(t.Name)+": no green light: "+t.Undecided)
		}
	}
	return all
}

// maxConditions is the number of conditions that are listed unless all are asked
// for.
const maxConditions = 12

// coverage lists conditions under a heading; nothing if there are none.
func (p *page) coverage(heading string, conditions []classify.Condition, verbose bool) {
	if len(conditions) > 0 {
		p.line(styled(heading, bold))
	}
	for i, c := range conditions {
		if i == maxConditions && !verbose {
			p.more(len(conditions)-i, "condition", verbose)
			return
		}
		p.paragraph(text("   -"), 5, c.Name+": "+required(c)+c.Text+seenBy(c), plain)
	}
}

// seenBy is what was observed of a condition, where to look, and how to try what
// was not; empty for nothing.
func seenBy(c classify.Condition) string {
	s := ""
	if c.Observed != "" {
		s = "; " + c.Observed
	}
	if c.Look != "" {
		s += " (see " + c.Look + ")"
	}
	if c.Try != "" && (c.Exercised == nil || !*c.Exercised) {
		s += "; to try it: " + c.Try
	}
	return s
}

// soak writes the counts at rest and what was exercised.
func (m *markdown) soak(r *classify.Result) {
	if r.Soak == nil {
		return
	}
	m.line("")
	m.line("| target | goroutines at rest | requests in each round |")
	m.line("|---|---|---|")
	for i, t := range r.Soak.Targets {
		if i == maxRows {
			m.line("| and %d more | | |", len(r.Soak.Targets)-i)
			break
		}
		m.line("| %s | %s | %s |", cell(t.Target), classify.Counts(t.AtRest, " → "), classify.Counts(t.Requests, ", "))
	}
	for i, why := range openQuestions(r) {
		if i == 0 {
			m.line("")
		}
		m.line("- %s", md(why))
	}
	yes, no := exercised(r.Soak)
	m.coverage("Not exercised: what was not tried is not shown to be clean", no)
	m.coverage("Exercised", yes)
}

func (m *markdown) coverage(heading string, conditions []classify.Condition) {
	for i, c := range conditions {
		if i == 0 {
			m.line("")
			m.line("**%s**", heading)
			m.line("")
		}
		m.line("- %s: %s", code(c.Name), md(required(c)+c.Text+seenBy(c)))
	}
}

// required marks a condition that the soak fails without.
func required(c classify.Condition) string {
	if c.Required {
		return "(required) "
	}
	return ""
}

// soakSuite is a suite with a case for each condition: one that was required and
// not exercised fails, others that were not are skipped.
func soakSuite(s *classify.Soak) junitSuite {
	suite := junitSuite{Name: "soak"}
	yes, no := exercised(s)
	for _, c := range append(yes, no...) {
		one := junitCase{Name: printable("exercised: " + c.Name)}
		why := &junitText{Message: printable(c.Text + seenBy(c))}
		switch {
		case c.Exercised != nil && *c.Exercised:
		case c.Required:
			one.Failure = why
		default:
			one.Skipped = why
		}
		suite.Cases = append(suite.Cases, one)
	}
	return suite.named()
}

// unmet names what a soak was required to try and did not; empty if nothing.
func unmet(r *classify.Result) string {
	if r.Soak == nil {
		return ""
	}
	var names []string
	for _, c := range r.Soak.Unmet() {
		names = append(names, c.Name)
	}
	return strings.Join(names, ", ")
}

package report

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/thanosleak/thanosleak/classify"
)

// SoakLines sums a soak up in five lines for the end of a log: the verdict with
// the exit status, the goroutines at rest, what was exercised and what was not,
// and the files that are left. The result has to be that of a soak.
func SoakLines(r *classify.Result, status int, artefacts []string) []string {
	yes, no := exercised(r.Soak)
	lines := []string{
		"verdict: " + soakVerdict(r) + fmt.Sprintf(" (exit status %d)", status),
		"at rest: " + atRest(r.Soak),
		"exercised: " + few(briefly(yes), "nothing that is known of"),
		"not exercised: " + few(briefly(no), "nothing that is known of is missing"),
		"artefacts: " + few(artefacts, "none; --dir soak.tar.gz keeps the capture"),
	}
	for i := range lines {
		lines[i] = Printable(lines[i])
	}
	return lines
}

// soakVerdict is the first line of the report and what else fails the soak.
func soakVerdict(r *classify.Result) string {
	line := strings.Join(strings.Fields(Headline(r, 0)), " ")
	if r.Soak == nil {
		return line
	}
	for _, c := range r.Soak.Unmet() {
		line += fmt.Sprintf("; required, but not exercised: %s", c.Name)
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
		text := numbers(t.AtRest, " → ")
		if len(s.Targets) > 1 {
			text = t.Target + " " + text
		}
		if len(t.Requests) > 0 {
			text += " (" + numbers(t.Requests, ", ") + " requests)"
		}
		parts = append(parts, text)
	}
	return few(parts, "no target gave a sample")
}

// numbers joins numbers.
func numbers(ns []int, between string) string {
	s := make([]string, len(ns))
	for i, n := range ns {
		s[i] = strconv.Itoa(n)
	}
	return strings.Join(s, between)
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
func (p *page) soak(r *classify.Result) {
	if r.Soak == nil {
		return
	}
	p.blank()
	for i, t := range r.Soak.Targets {
		if i == maxErrors {
			p.more(len(r.Soak.Targets)-i, "target", false)
			break
		}
		one := classify.Soak{Targets: []classify.SoakTarget{t}}
		p.paragraph(styled("  rest", bold), labelWidth, t.Target+": "+atRest(&one), plain)
	}
	yes, no := exercised(r.Soak)
	p.coverage("  not exercised: what was not tried is not shown to be clean", no)
	p.coverage("  exercised", yes)
}

// coverage lists conditions under a heading; nothing if there are none.
func (p *page) coverage(heading string, conditions []classify.Condition) {
	if len(conditions) > 0 {
		p.line(styled(heading, bold))
	}
	for _, c := range conditions {
		name := c.Name
		if c.Required {
			name += " (required)"
		}
		p.paragraph(text("   -"), 5, name+": "+c.Text+seenBy(c), plain)
	}
}

// seenBy is what was observed of a condition, and where to look; empty for
// nothing.
func seenBy(c classify.Condition) string {
	s := ""
	if c.Observed != "" {
		s = "; " + c.Observed
	}
	if c.Look != "" {
		s += " (see " + c.Look + ")"
	}
	return s
}

package report

import (
	"fmt"
	"io"
	"strings"

	"github.com/thanosleak/thanosleak/classify"
)

// GitHub writes the result as workflow commands of GitHub Actions, which shows
// them with the run: an error for each finding that fails the run and for each
// target without a sample, a warning for each suspicion, a notice for what was
// not decided, and one for a run that is clean.
func GitHub(w io.Writer, run Run, r *classify.Result, _ TextOptions) error {
	var b strings.Builder
	said := func(command, title, message string) {
		fmt.Fprintf(&b, "::%s title=%s::%s\n", command, githubProperty.Replace(printable(title)), githubMessage.Replace(message))
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		if f.Status == classify.StatusGone || !f.Level.AtLeast(classify.Suspect) {
			continue
		}
		command := "warning"
		if run.FailOn != "" && f.Level.AtLeast(run.FailOn) {
			command = "error"
		}
		word, what, _ := headlineOf(f, r)
		said(command, "thanosleak: "+word+" "+what, strings.Join(githubText(f), "\n"))
	}
	for _, t := range r.Targets {
		switch {
		case t.Judged == classify.JudgedNo:
			said("error", "thanosleak: no sample of "+t.Name, printable(t.Error))
		case run.Strict && t.Undecided != "":
			said("error", "thanosleak: no green light for "+t.Name, printable(t.Undecided))
		case t.Judged == classify.JudgedUndecided:
			said("notice", "thanosleak: "+t.Name+" is undecided", printable(t.Undecided))
		}
	}
	if b.Len() == 0 {
		said("notice", "thanosleak: clean", looked(r)+": "+noLeak(r)+noGrowth(r))
	}
	if len(r.Ignored) > 0 {
		said("warning", "thanosleak: "+plural(len(r.Ignored), "finding")+" accepted", printableLines(r.Warnings))
	}
	if names := unmet(r); names != "" && r.Verdict != classify.VerdictUndecided { // else it is told of the targets
		said("error", "thanosleak: the soak did not exercise what is required", names)
	}
	if _, no := exercised(r.Soak); len(no) > 0 {
		said("notice", "thanosleak: not exercised", printable(strings.Join(briefly(no), "; ")))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// githubText is the title of the finding and what is told of it where it is
// surest.
func githubText(f *classify.Finding) []string {
	best := surest(f.Occurrences)
	if best == nil {
		return []string{printable(f.Title)}
	}
	return append([]string{printable(f.Title)}, inBrief(f, best)...)
}

// What workflow commands escape in messages and, beyond that, in properties
// (actions/toolkit, packages/core/src/command.ts).
var (
	githubMessage  = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	githubProperty = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

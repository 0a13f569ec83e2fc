package report

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/thanosleak/thanosleak/classify"
)

// JUnit writes the result in the form that CI systems read tests in: a suite for
// each target, with a case for each thing that was looked at, so that a clean run
// shows tests that pass. A finding that fails the run is a failed case of its
// name; a suspicion passes and says so; what could not be decided is skipped, and
// so is what somebody has accepted; a target without a sample is an error, and of a
// soak too little evidence. A soak has a suite of its own for what it
// exercised.
func JUnit(w io.Writer, run Run, r *classify.Result, _ TextOptions) error {
	all := junitSuites{Name: "thanosleak", Time: run.Finished.Sub(run.Started).Seconds()}
	for i := range r.Targets {
		all.add(suiteOf(run, r, &r.Targets[i]))
	}
	if r.Soak != nil {
		all.add(soakSuite(r.Soak))
	}
	if len(r.Targets) == 0 {
		none := junitSuite{Name: "targets", Cases: []junitCase{{Name: caseSampled, Error: &junitText{Message: "there was nothing to look at"}}}}
		all.add(none.named())
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(all); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// What is looked at in each target.
const (
	caseSampled = "gives samples"
	caseKnown   = "no known leak"
	caseUnknown = "no unknown stack that grows or blocks for ever"
	caseEnough  = "enough was seen for a green light" // of a soak
)

// suiteOf tells what was looked at in a target.
func suiteOf(run Run, r *classify.Result, t *classify.TargetResult) junitSuite {
	s := junitSuite{Name: printable(t.Name)}
	if !run.Started.IsZero() {
		s.Timestamp = run.Started.UTC().Format("2006-01-02T15:04:05")
	}
	sampled := junitCase{Name: caseSampled}
	if t.Samples == 0 || t.Judged == classify.JudgedNo || run.Strict && t.Undecided != "" && t.Error != "" {
		sampled.Error = &junitText{Message: printable(t.Error)}
	}
	s.Cases = append(s.Cases, sampled)
	if t.Samples == 0 {
		return s.named()
	}
	known, unknown := junitCase{Name: caseKnown}, junitCase{Name: caseUnknown}
	if t.Judged == classify.JudgedUndecided {
		unknown.Skipped = &junitText{Message: printable(t.Undecided)}
		if run.Strict {
			known.Skipped = unknown.Skipped // what was seen of it is no ground to pass it
		}
	}
	for _, key := range r.Ignored {
		if !slices.Contains(r.IgnoredOn[key], t.Name) {
			continue
		}
		c := &unknown
		if strings.Contains(key, "-") { // the ID of an advisory, and not of a stack
			c = &known
		}
		c.Skipped, c.Out = &junitText{Message: noLeak(r)}, printableLines(r.Warnings)
	}
	if run.Strict {
		enough := junitCase{Name: caseEnough}
		if t.Undecided != "" {
			enough.Error = &junitText{Message: printable(t.Undecided)}
		}
		s.Cases = append(s.Cases, enough)
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		for j := range f.Occurrences {
			o := &f.Occurrences[j]
			if o.Target != t.Name || !o.Level.AtLeast(classify.Suspect) {
				continue
			}
			c := caseOfFinding(run, r, f, o)
			if c.Failure == nil {
				c.Out = "SUSPECT: " + printable(f.Title)
			}
			s.Cases = append(s.Cases, c)
			if f.Advisory == "" {
				unknown.Name = ""
			} else {
				known.Name = ""
			}
		}
	}
	for _, c := range []junitCase{known, unknown} {
		if c.Name != "" { // else the findings stand in its place
			s.Cases = append(s.Cases, c)
		}
	}
	return s.named()
}

// caseOfFinding is a case that fails where the finding fails the run.
func caseOfFinding(run Run, r *classify.Result, f *classify.Finding, o *classify.Occurrence) junitCase {
	c := junitCase{Name: printable(joined(f.Advisory, f.Title))}
	if run.FailOn == "" || !o.Level.AtLeast(run.FailOn) {
		return c
	}
	word, what, _ := headlineOf(f, r)
	c.Failure = &junitText{Message: printable(word + " " + what), Type: string(o.Level), Text: strings.Join(inBrief(f, o), "\n")}
	return c
}

// inBrief says of a finding on a target what a log has room for: evidence, where
// it stands in the code, cause and what to do.
func inBrief(f *classify.Finding, o *classify.Occurrence) []string {
	lines := []string{fmt.Sprintf("%s: %s and %d behind them", o.Level, classify.Count(o.Culprits, "culprit"), o.Victims)}
	for _, e := range o.Evidence {
		lines = append(lines, "seen: "+e.Text)
	}
	for _, s := range culprits(f) {
		lines = append(lines, "stack: "+cmp.Or(s.State, "state unknown")) // its count is of all targets
		for _, call := range calls(s) {
			lines = append(lines, "  "+call)
		}
	}
	if f.Why != "" {
		lines = append(lines, "why: "+f.Why)
	}
	for _, m := range f.Remedies {
		for _, s := range m.Steps {
			lines = append(lines, "do: "+stepLine(s))
		}
	}
	for i := range lines {
		lines[i] = printable(lines[i])
	}
	return lines
}

type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Errors   int          `xml:"errors,attr"`
	Skipped  int          `xml:"skipped,attr"`
	Time     float64      `xml:"time,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name      string      `xml:"name,attr"`
	Tests     int         `xml:"tests,attr"`
	Failures  int         `xml:"failures,attr"`
	Errors    int         `xml:"errors,attr"`
	Skipped   int         `xml:"skipped,attr"`
	Time      float64     `xml:"time,attr"`
	Timestamp string      `xml:"timestamp,attr,omitempty"`
	Cases     []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string     `xml:"classname,attr"`
	Name    string     `xml:"name,attr"`
	Time    float64    `xml:"time,attr"`
	Failure *junitText `xml:"failure"`
	Error   *junitText `xml:"error"`
	Skipped *junitText `xml:"skipped"`
	Out     string     `xml:"system-out,omitempty"`
}

type junitText struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",chardata"`
}

// named completes the names of the cases and counts them.
func (s junitSuite) named() junitSuite {
	for i := range s.Cases {
		c := &s.Cases[i]
		c.Class = "thanosleak." + s.Name
		s.Tests++
		switch {
		case c.Failure != nil:
			s.Failures++
		case c.Error != nil:
			s.Errors++
		case c.Skipped != nil:
			s.Skipped++
		}
	}
	return s
}

func (all *junitSuites) add(s junitSuite) {
	all.Suites = append(all.Suites, s)
	all.Tests += s.Tests
	all.Failures += s.Failures
	all.Errors += s.Errors
	all.Skipped += s.Skipped
}

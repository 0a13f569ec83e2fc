package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/thanosleak/thanosleak/classify"
)

// htmlFinding is a finding with all that is known of it.
type htmlFinding struct {
	ID               string
	Tone, Word, What string
	Advisory, Title  string // no advisory, no second line with the title
	FirstSeen        string
	Why              string
	Facts            []htmlFact
	Chart            *htmlChart
	Past             *htmlChart
	MoreCharts       []*htmlChart
	Occurrences      []htmlOccurrence
	MoreOccurrences  int
	Chain            *htmlChain
	Icicle           *htmlIcicle
	Checks           []htmlCheck
	Needs            []htmlCheck
	MoreChecks       []htmlChecks
	Stacks           []htmlStack
	MoreStacks       int
	Remedies         []htmlRemedy
	Above            bool // the page begins with what to do
	References       []htmlReference
}

// htmlFact is a label and what stands behind it.
type htmlFact struct{ Label, Text string }

type htmlOccurrence struct {
	Target, Version, Level, Trend string
	Culprits, Victims             int
	Spark                         htmlSpark
}

// htmlCheck is a line of a checklist: the mark is said in words too.
type htmlCheck struct{ Class, Mark, Word, Text string }

// htmlChecks are the checks of one more occurrence.
type htmlChecks struct {
	Target string
	Checks []htmlCheck
	Needs  []htmlCheck
}

type htmlStack struct {
	Role, State, Leaf, CreatedBy string
	Count                        int
	Frames                       []string
	More                         int
}

type htmlRemedy struct {
	For   string // targets and release, if there are several
	GoTo  string // the release to go to; empty if there is none
	Steps []htmlStep
	Avoid []string
}

type htmlStep struct{ Text, Command, Cost string }

// htmlReference is a link if URL is not empty.
type htmlReference struct{ Text, URL string }

// tones are the CSS classes of styles.
var tones = map[style]string{red: "bad", yellow: "warn", green: "good"}

// finding tells all of finding n; above says that the page begins with its
// advice.
func (w *htmlWriter) finding(n int, f *classify.Finding, above bool) htmlFinding {
	word, what, st := headlineOf(f, w.result)
	v := htmlFinding{
		ID: fmt.Sprintf("f%d", n+1), Tone: tones[st], Word: word, What: w.clean(what), Why: w.clean(f.Why), Above: above,
		Chain: w.chain(f), Icicle: w.icicle(f.Stacks), References: w.references(f.References),
	}
	v.Advisory, v.Title = w.clean(f.Advisory), w.clean(f.Title)
	if f.Status == classify.StatusOngoing && f.FirstSeen != nil {
		v.FirstSeen = utc(*f.FirstSeen)
	}
	if !above {
		v.Remedies = w.remedies(f.Remedies)
	}
	w.occurrences(&v, f)
	w.charts(&v, f)
	for _, s := range f.Stacks[:min(len(f.Stacks), w.items)] {
		v.Stacks = append(v.Stacks, w.stack(s))
	}
	v.MoreStacks = len(f.Stacks) - len(v.Stacks)
	return v
}

// bySurety returns the occurrences, the surest and largest first.
func bySurety(occurrences []classify.Occurrence) []*classify.Occurrence {
	left := slices.Clone(occurrences)
	var sorted []*classify.Occurrence
	for i := range left {
		sorted = append(sorted, &left[i])
	}
	slices.SortStableFunc(sorted, func(a, b *classify.Occurrence) int {
		switch {
		case a.Level == b.Level:
			return cmp.Compare(b.Culprits, a.Culprits)
		case a.Level.AtLeast(b.Level):
			return -1
		}
		return 1
	})
	return sorted
}

// occurrences tells where the finding is, and why that is believed.
func (w *htmlWriter) occurrences(v *htmlFinding, f *classify.Finding) {
	for _, o := range f.Occurrences[:min(len(f.Occurrences), w.rows)] {
		t := w.target(o.Target)
		v.Occurrences = append(v.Occurrences, htmlOccurrence{Target: w.clean(o.Target), Version: w.version(t), Level: w.clean(string(o.Level)),
			Culprits: o.Culprits, Victims: o.Victims, Spark: sparkOf(t), Trend: trend(o.Growth)})
	}
	v.MoreOccurrences = len(f.Occurrences) - len(v.Occurrences)
	for i, o := range bySurety(f.Occurrences) {
		checks, needs := w.checks(o), w.needs(o)
		switch {
		case i == 0:
			v.Checks, v.Needs = checks, needs
			v.Facts = w.facts(f, o)
		case i <= w.more:
			v.MoreChecks = append(v.MoreChecks, htmlChecks{w.clean(o.Target), checks, needs})
		}
	}
}

// facts are what the surest occurrence costs and since when it is there.
func (w *htmlWriter) facts(f *classify.Finding, o *classify.Occurrence) []htmlFact {
	var all []htmlFact
	if len(f.Occurrences) > 1 {
		all = append(all, htmlFact{"surest on", w.clean(o.Target)})
	}
	for _, fact := range []htmlFact{{"since", o.Since}, {"cost", o.Cost}} {
		if fact.Text != "" {
			all = append(all, htmlFact{fact.Label, w.clean(fact.Text)})
		}
	}
	return all
}

// charts draws the surest occurrence and some of the others.
func (w *htmlWriter) charts(v *htmlFinding, f *classify.Finding) {
	for i, o := range bySurety(f.Occurrences) {
		t := w.target(o.Target)
		name := w.clean(o.Target)
		points := w.points
		if i > 0 {
			points = min(points, maxDots)
		}
		if c := occurrenceChart("Culprits and victims over time on "+name, o, t, points); c != nil {
			c.Caption = name
			if v.Chart == nil {
				v.Chart = c
			} else {
				v.MoreCharts = append(v.MoreCharts, c)
			}
		}
		if c := pastChartOf("Goroutines in Prometheus of "+name, t.Past, points); c != nil && v.Past == nil {
			c.Caption, c.Note = name, w.clean(c.Note)
			v.Past = c
		}
		if i >= w.more {
			return
		}
	}
}

// marks are how evidence of a strength is listed.
var marks = map[classify.Strength]htmlCheck{
	classify.Proof:    {Class: "good", Mark: "✔", Word: "proof"},
	classify.Strong:   {Class: "good", Mark: "✔", Word: "strong"},
	classify.Medium:   {Class: "warn", Mark: "✔", Word: "medium"},
	classify.Weak:     {Class: "warn", Mark: "○", Word: "weak"},
	classify.Contrary: {Class: "bad", Mark: "✘", Word: "against it"},
	classify.Link:     {Class: "dim", Mark: "↔", Word: "link"},
}

// checks lists the evidence but for preconditions, which needs lists.
func (w *htmlWriter) checks(o *classify.Occurrence) []htmlCheck {
	var all []htmlCheck
	for _, e := range o.Evidence {
		if e.Kind == classify.KindPrecondition || len(all) >= w.items {
			continue
		}
		c, ok := marks[e.Strength]
		if !ok {
			c = marks[classify.Link]
		}
		c.Text = w.clean(e.Text)
		all = append(all, c)
	}
	return all
}

// needs lists what the leak needs, and whether the process has it.
func (w *htmlWriter) needs(o *classify.Occurrence) []htmlCheck {
	var all []htmlCheck
	for _, p := range o.Preconditions[:min(len(o.Preconditions), w.items)] {
		text := p.Text + here(p.Observed)
		c := htmlCheck{Class: "warn", Mark: "?", Word: "not known"}
		switch {
		case p.Met != nil && *p.Met:
			c = htmlCheck{Class: "good", Mark: "✔", Word: "met"}
		case p.Met != nil && p.Optional: // which speaks against nothing
			c.Mark, c.Word = "–", "not met"
		case p.Met != nil:
			c = htmlCheck{Class: "bad", Mark: "✘", Word: "not met"}
		case p.Look != "":
			text += " (look at " + p.Look + ")"
		}
		if p.Optional {
			c.Word += ", not needed"
		}
		c.Text = w.clean(text)
		all = append(all, c)
	}
	return all
}

func (w *htmlWriter) stack(s classify.Stack) htmlStack {
	leaf, position := telling(s.Frames)
	v := htmlStack{Role: w.clean(s.Role), Count: s.Count, State: w.clean(cmp.Or(s.State, "state unknown")),
		Leaf: w.clean(strings.TrimSpace(leaf + "  " + position))}
	for _, f := range s.Frames[:min(len(s.Frames), 2*w.items)] {
		v.Frames = append(v.Frames, cutLeft(printable(fmt.Sprintf("%s  %s:%d", f.Func, f.File, f.Line)), min(2*maxName, w.text)))
	}
	v.More = len(s.Frames) - len(v.Frames)
	if s.CreatedBy != "" {
		v.CreatedBy = w.name(s.CreatedBy)
	}
	return v
}

// remedies tells what to do for each release, that of most targets first: it is
// the one that the page shows at once.
func (w *htmlWriter) remedies(remedies []classify.Remedy) []htmlRemedy {
	remedies = slices.Clone(remedies)
	slices.SortStableFunc(remedies, func(a, b classify.Remedy) int { return len(b.Targets) - len(a.Targets) })
	advised := merged(remedies)
	var all []htmlRemedy
	for _, m := range advised[:min(len(advised), w.items)] {
		v := htmlRemedy{GoTo: w.clean(m.GoTo)}
		if len(remedies) > 1 {
			v.For = cutMiddle(printable(m.whom), min(2*maxName, w.text))
		}
		for _, s := range m.Steps[:min(len(m.Steps), w.items)] {
			v.Steps = append(v.Steps, htmlStep{Text: w.clean(s.Text), Command: cut(printable(typedApart(s)), maxText), Cost: w.clean(s.Cost)})
		}
		for _, a := range m.Avoid[:min(len(m.Avoid), w.items)] {
			v.Avoid = append(v.Avoid, w.clean(a))
		}
		all = append(all, v)
	}
	return all
}

// names joins names, some of them where there are many.
func (w *htmlWriter) names(targets []string) string {
	s := strings.Join(targets[:min(len(targets), w.items)], ", ")
	if n := len(targets) - w.items; n > 0 {
		s += fmt.Sprintf(" and %d more", n)
	}
	return s
}

// references become links where they lead to the web, and only by TLS.
func (w *htmlWriter) references(urls []string) []htmlReference {
	var all []htmlReference
	for _, u := range urls[:min(len(urls), w.items)] {
		r := htmlReference{Text: w.clean(u)}
		if strings.HasPrefix(u, "https://") && r.Text == u {
			r.URL = u
		}
		all = append(all, r)
	}
	return all
}

package report

import "github.com/thanosleak/thanosleak/classify"

// htmlSoak is what a soak showed beside its findings.
type htmlSoak struct {
	Rest     []htmlFact // goroutines at rest, by target
	More     int        // targets that are not listed
	Coverage []htmlCheck
}

// soak tells what was tried: what was not is not shown to be clean. It is nil if
// the samples are of no soak.
func (w *htmlWriter) soak() *htmlSoak {
	s := w.result.Soak
	if s == nil {
		return nil
	}
	v := &htmlSoak{}
	for _, t := range s.Targets[:min(len(s.Targets), w.items)] {
		one := &classify.Soak{Targets: []classify.SoakTarget{t}}
		v.Rest = append(v.Rest, htmlFact{w.clean(t.Target), w.clean(atRest(one))})
	}
	v.More = len(s.Targets) - len(v.Rest)
	yes, no := exercised(s)
	for _, c := range append(no, yes...) {
		if len(v.Coverage) < w.rows {
			v.Coverage = append(v.Coverage, w.coverage(c))
		}
	}
	return v
}

func (w *htmlWriter) coverage(c classify.Condition) htmlCheck {
	check := htmlCheck{Class: "warn", Mark: "?", Word: "not known"}
	switch {
	case c.Exercised != nil && *c.Exercised:
		check = htmlCheck{Class: "good", Mark: "✔", Word: "exercised"}
	case c.Exercised != nil:
		check = htmlCheck{Class: "bad", Mark: "✘", Word: "not exercised"}
	}
	if c.Required {
		check.Word += ", required"
	}
	check.Text = w.clean(c.Name + ": " + c.Text + seenBy(c))
	return check
}

package report

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/thanosleak/thanosleak/classify"
)

// htmlTargets are the processes: those of which there is something to tell, and
// of a fleet the others, which are folded.
type htmlTargets struct {
	Told, Others []htmlTarget
	More         int    // processes that are not listed
	Sum          string // of a fleet, in a sentence
}

// htmlTarget is a process with its facts.
type htmlTarget struct {
	Name, Component, Version, Memory, Result string
	Samples, Restarts                        int
	Spark                                    htmlSpark
	Facts                                    []htmlFact
	Chart                                    *htmlChart
	Top                                      []htmlStack
	Open                                     bool
}

// lookedInto is the rank of outcomes from which there is no more to do than to
// know them: behind findings, errors and what is undecided.
var lookedInto = len(serious) + 2

// targets lists the processes, the worst first; quiet says that nothing was
// found, so that they are what the page is about.
func (w *htmlWriter) targets(quiet bool) htmlTargets {
	var v htmlTargets
	for _, o := range w.outcomes {
		list := &v.Others
		if o.rank < lookedInto {
			list = &v.Told
		}
		if len(*list) >= w.rows {
			v.More++
			continue
		}
		t := o.TargetResult
		view := w.process(t)
		view.Result = w.clean(o.result(wide))
		if quiet && len(v.Told)+len(v.Others) <= w.more {
			view.Chart = totalsChart("Goroutines over time on "+view.Name, t.Totals, w.points)
			if view.Chart != nil {
				view.Chart.Caption = view.Name
			}
		}
		view.Open = quiet && len(w.result.Targets) == 1
		*list = append(*list, view)
	}
	if len(w.result.Targets) > maxRows {
		v.Sum = w.sum()
		return v
	}
	v.Told, v.Others = append(v.Told, v.Others...), nil
	return v
}

// sum says how many processes of a fleet have what, the worst first.
func (w *htmlWriter) sum() string {
	var words []string
	n := map[string]int{}
	for _, o := range w.outcomes {
		word := o.word
		if o.rank == len(serious) {
			word = "without a sample"
		}
		if n[word]++; n[word] == 1 {
			words = append(words, word)
		}
	}
	for i, word := range words {
		words[i] = fmt.Sprintf("%d %s", n[word], word)
	}
	return plural(len(w.outcomes), "process") + ": " + strings.Join(words, ", ")
}

// version names the release of a process, or those that it may be.
func (w *htmlWriter) version(t *classify.TargetResult) string {
	return w.clean(cmp.Or(t.ThanosVersion, candidates(t.VersionCandidates), "?"))
}

// process tells the facts of a process.
func (w *htmlWriter) process(t *classify.TargetResult) htmlTarget {
	v := htmlTarget{
		Name: w.clean(t.Name), Component: w.clean(t.Component), Version: w.version(t),
		Spark: sparkOf(t), Memory: memory(t), Samples: t.Samples, Restarts: t.Restarts,
	}
	chained := "none"
	if t.ChainedQueriers == nil {
		chained = ""
	} else if len(t.ChainedQueriers) > 0 {
		chained = w.names(t.ChainedQueriers)
	}
	span := ""
	if t.FirstSample != nil && t.LastSample != nil {
		span = utc(*t.FirstSample) + " to " + utc(*t.LastSample)
	}
	for _, fact := range []htmlFact{
		{"error", t.Error}, {"not decided", t.Undecided}, {"address", t.URL}, {"samples", span}, {"Go", t.GoVersion}, {"version told by", t.VersionSource},
		{"flags", w.pairs(t.Flags)}, {"labels", w.pairs(t.Labels)}, {"queries the queriers", chained},
		{"can be hit by", w.names(t.Exposed)},
	} {
		if fact.Text != "" {
			v.Facts = append(v.Facts, htmlFact{fact.Label, w.clean(fact.Text)})
		}
	}
	for _, s := range t.Top[:min(len(t.Top), w.items/3)] {
		v.Top = append(v.Top, w.stack(s))
	}
	for i := range v.Top {
		v.Top[i].Frames, v.Top[i].More = nil, 0 // their places say enough
	}
	return v
}

// pairs lists flags or labels, sorted.
func (w *htmlWriter) pairs(m map[string]string) string {
	var all []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		all = append(all, k+"="+m[k])
	}
	return strings.Join(all, "  ")
}

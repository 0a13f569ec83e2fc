package report

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/thanosleak/thanosleak/classify"
)

// htmlTargets are the processes: first those of which there is something to
// tell.
type htmlTargets struct {
	Told, Others []htmlTarget
	More         int // processes that are not listed
	// OpenOthers says that they are few enough to be seen at once.
	OpenOthers bool
}

// htmlTarget is a process with its facts.
type htmlTarget struct {
	Name, Component, Version, Spark, Memory, Judged, Found string
	Samples, Restarts                                      int
	Facts                                                  []htmlFact
	Chart                                                  *htmlChart
	Top                                                    []htmlStack
	Open                                                   bool
}

// targets lists the processes; quiet says that nothing was found, so that they
// are what the page is about.
func (w *htmlWriter) targets(quiet bool) htmlTargets {
	var v htmlTargets
	v.OpenOthers = len(w.result.Targets) <= maxRows
	for i := range w.result.Targets {
		t := &w.result.Targets[i]
		what := w.names(w.concerned[t.Name])
		list := &v.Others
		if what != "" || t.Judged != classify.JudgedYes {
			list = &v.Told
		}
		if len(*list) >= w.rows {
			v.More++
			continue
		}
		view := w.process(t)
		view.Found = w.clean(what)
		if quiet && len(v.Told)+len(v.Others) <= w.more {
			view.Chart = totalsChart("Goroutines over time on "+view.Name, t.Totals, w.points)
			if view.Chart != nil {
				view.Chart.Caption = view.Name
			}
		}
		view.Open = quiet && len(w.result.Targets) == 1
		*list = append(*list, view)
	}
	return v
}

// process tells the facts of a process.
func (w *htmlWriter) process(t *classify.TargetResult) htmlTarget {
	v := htmlTarget{
		Name: w.clean(t.Name), Component: w.clean(t.Component), Version: w.clean(cmp.Or(t.ThanosVersion, candidates(t.VersionCandidates), "?")),
		Spark: goroutines(t, false), Memory: memory(t), Judged: w.clean(string(t.Judged)), Samples: t.Samples, Restarts: t.Restarts,
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

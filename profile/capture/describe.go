package capture

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"
)

// join appends the elements of a slash-separated path.
func join(elems []string, p string) []string {
	if p == "." {
		return elems
	}
	return append(slices.Clip(elems), strings.Split(path.Clean(p), "/")...)
}

// uniqueNames returns the names of the targets in their order: the last element
// of the path, and where that is not unique as many more as it takes.
func uniqueNames(targets []found) []string {
	names := make([]string, len(targets))
	depth := make([]int, len(targets))
	for i := range targets {
		depth[i] = 1
		names[i] = nameOf(targets[i].elems, 1)
	}
	for again := true; again; {
		again = false
		for _, same := range duplicates(names) {
			for _, i := range same {
				if depth[i] < len(targets[i].elems) {
					depth[i]++
					names[i] = nameOf(targets[i].elems, depth[i])
					again = true
				}
			}
		}
	}
	for _, same := range duplicates(names) {
		for n, i := range same[1:] {
			names[i] = fmt.Sprintf("%s#%d", names[i], n+2)
		}
	}
	return names
}

func nameOf(elems []string, depth int) string {
	var last []string
	for _, e := range elems[len(elems)-depth:] {
		last = append(last, Unescape(e))
	}
	return strings.Join(last, "/")
}

// duplicates returns the indices of names that occur more than once.
func duplicates(names []string) [][]int {
	at := map[string][]int{}
	for i, n := range names {
		at[n] = append(at[n], i)
	}
	var groups [][]int
	for i, n := range names {
		if len(at[n]) > 1 && at[n][0] == i {
			groups = append(groups, at[n])
		}
	}
	return groups
}

// describe says how the input was understood.
func (r *reader) describe() string {
	var counts []int
	var spans []time.Duration
	failed, unreached := 0, 0
	for _, t := range r.targets {
		switch n := len(t.Samples); {
		case n > 0:
			counts = append(counts, n)
			spans = append(spans, t.Samples[n-1].Time.Sub(t.Samples[0].Time).Round(time.Second))
		case t.Unreached:
			unreached++
		default:
			failed++
		}
	}
	var parts []string
	add := func(n int, noun, ending, rest string) {
		if n > 0 {
			parts = append(parts, plural(n, noun, ending)+rest)
		}
	}
	if len(counts) > 0 {
		add(len(counts), "process", "es", ", "+samplesText(counts)+spanText(spans))
	}
	add(unreached, "target", "s", " without a sample")
	add(r.left, "older sample", "s", " left out")
	add(failed, "input", "s", " not readable")
	add(r.skipped, "file", "s", " skipped")
	return strings.Join(parts, ", ")
}

func samplesText(counts []int) string {
	low, high := slices.Min(counts), slices.Max(counts)
	switch {
	case low != high:
		return fmt.Sprintf("%d to %d samples each", low, high)
	case len(counts) > 1:
		return plural(low, "sample", "s") + " each"
	}
	return plural(low, "sample", "s")
}

// spanText tells the longest time that samples of one process cover; empty if
// there is none or it is not known.
func spanText(spans []time.Duration) string {
	low, high := slices.Min(spans), slices.Max(spans)
	switch {
	case high == 0:
		return ""
	case low != high:
		return " over up to " + model.Duration(high).String()
	}
	return " over " + model.Duration(high).String()
}

func plural(n int, noun, ending string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %s%s", n, noun, ending)
}

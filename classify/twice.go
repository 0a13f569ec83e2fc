package classify

import (
	"fmt"
	"net/url"
)

// twice says which processes look like one that is known by two names, as localhost
// and 127.0.0.1: it would be asked, and count, twice. Start times are told to a
// hundredth of a second, which two processes of one port hardly share.
func twice(processes []*process) []string {
	type birth struct {
		start  float64
		commit string
		port   string
	}
	names := map[birth][]string{}
	var births []birth
	for _, p := range processes {
		if p.target.URL == "" || p.samples() == 0 {
			continue
		}
		b := birth{p.newest().last().Metrics.Sum("process_start_time_seconds"), p.target.Facts.Revision, portOf(p.target.URL)}
		if b.start == 0 {
			continue
		}
		if names[b] == nil {
			births = append(births, b)
		}
		names[b] = append(names[b], p.target.Name)
	}
	var notes []string
	for _, b := range births {
		if len(names[b]) > 1 {
			notes = append(notes, fmt.Sprintf("%s were started at the same hundredth of a second and are of one build: a process counts once for each of its names",
				joinAnd(bounded(names[b]))))
		}
	}
	return notes
}

// portOf is the port of an address; empty where it is the usual one, or unknown.
func portOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Port()
}

package scrape

import (
	"net/url"
	"slices"

	"github.com/thanosleak/thanosleak/profile"
)

// A life is what the samples so far tell of the process that answers.
type life struct {
	start     float64  // Unix time in seconds; 0 if unknown
	revisions []string // of the last builds seen, oldest first
}

// maxRevisions is how many builds are remembered; a rollback and a rollout
// that is stuck half-way need two.
const maxRevisions = 8

// see takes the metrics of the next sample. It reports false if another
// process must have answered than before: one that started earlier, the same
// start in another build, or, where the start is not told, a build that was
// there before the last one. A later start is a restart.
func (l *life) see(m profile.Metrics) bool {
	var f profile.Facts
	f.Adopt(m)
	start := m.Sum("process_start_time_seconds")
	rebuilt := f.Revision != "" && len(l.revisions) > 0 && l.revisions[len(l.revisions)-1] != f.Revision
	if start > 0 && l.start > 0 {
		same := profile.SameStart(l.start, start)
		if (start < l.start && !same) || (same && rebuilt) {
			return false
		}
	} else if rebuilt && slices.Contains(l.revisions, f.Revision) {
		return false
	}
	if start > 0 {
		l.start = start
	}
	if f.Revision != "" && (rebuilt || len(l.revisions) == 0) {
		l.revisions = append(l.revisions, f.Revision)
		l.revisions = l.revisions[max(0, len(l.revisions)-maxRevisions):]
	}
	return true
}

// SeveralProcesses returns the error of [Client.Sample] that says that no series
// of samples can be had of a target, for those who see it by samples of earlier
// runs.
func SeveralProcesses(name string, base *url.URL) *Error {
	return (&Client{name: name}).severalProcesses(base)
}

func (c *Client) severalProcesses(u *url.URL) *Error {
	return c.fail(u, "several processes answer at this address in turn (a Service or load balancer): their start times or builds alternate, so samples from here are no series",
		"Scan every pod: dns+HOST:PORT with the name of a headless service, or port-forward to a single pod.", ErrSeveralProcesses)
}

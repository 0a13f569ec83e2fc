// Package prometheus asks the user's own Prometheus or Thanos Query what the
// targets did before they were scanned: how many goroutines they had, when
// their processes began and which releases ran.
//
// [Fetch] does all of it:
//
//  1. go_goroutines and process_start_time_seconds over the window, of all
//     targets together, whose label instance is the target's host and port;
//  2. for the targets that are not among them, as behind a port-forward or a
//     service: the one process that started when the target did, and then its
//     series as in step 1;
//  3. thanos_build_info over the window, of all that were found.
//
// A start time tells processes apart, so that it also keeps a series away from
// a target that has only the address in common with it: another cluster's, or
// that of a pod which is gone.
//
// It reads and changes nothing. Answers are bounded, as is the time that all
// queries take together. Credentials of the address are sent to its host only
// and stand in no text.
package prometheus

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/thanosleak/thanosleak/profile"
)

// What Options have that do not set them.
const (
	DefaultWindow  = 7 * 24 * time.Hour
	DefaultTimeout = 30 * time.Second
)

// Options are the user's choices.
type Options struct {
	// Window is how far to look back from Now; 0 is DefaultWindow.
	Window time.Duration
	// Now is the end of the window; zero is the present.
	Now time.Time
	// Step is the time between two points; 0 chooses the shortest that gives
	// at most 300 points and is not below a minute.
	Step time.Duration
	// Timeout bounds all queries together; 0 is DefaultTimeout.
	Timeout time.Duration
	// UserAgent is sent with every request; empty is "thanosleak".
	UserAgent string
	// Transport sends the requests; nil is one that is closed in the end.
	Transport http.RoundTripper
}

// maxPoints is the number of points of a series that a chart and a judgement
// need no more of.
const maxPoints = 300

// withDefaults fills in what is not set.
func (o Options) withDefaults() Options {
	o.Window = cmp.Or(o.Window, DefaultWindow)
	o.Timeout = cmp.Or(o.Timeout, DefaultTimeout)
	o.UserAgent = cmp.Or(o.UserAgent, "thanosleak")
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	o.Now = o.Now.UTC().Truncate(time.Second)
	if o.Step <= 0 {
		step := o.Window / (maxPoints - 1)
		o.Step = max((step + time.Minute - 1).Truncate(time.Minute), time.Minute)
	}
	return o
}

// Fetch asks the server at base about the past of the targets. The answer is by
// the names of the targets; those of which nothing is known are not in it.
// Warnings are full sentences about what is missing or doubtful. The error says
// why nothing could be had at all; neither is a reason not to judge what was
// scanned. base is not changed; its path is the prefix of the API, and the
// address of a page of the UI works as well.
func Fetch(ctx context.Context, base *url.URL, targets []profile.Target, o Options) (past map[string]*profile.Past, warnings []string, err error) {
	o = o.withDefaults()
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	s, err := newServer(base, o)
	if err != nil {
		return nil, nil, fmt.Errorf("the past is not known: %w", err)
	}
	defer s.close()
	f := &search{server: s}
	for i := range targets {
		f.wanted = append(f.wanted, newWanted(&targets[i]))
	}
	for _, step := range []func(context.Context) error{f.byAddress, f.byStart, f.versions} {
		if err = step(ctx); err != nil {
			break
		}
	}
	past = f.past(o)
	warnings = slices.Concat(s.warnings, f.warnings)
	switch {
	case err == nil:
		return past, append(warnings, f.missing()...), nil
	case len(past) == 0:
		return nil, warnings, fmt.Errorf("the past is not known: %w", err)
	}
	return past, append(warnings, "the past is known in part only: "+err.Error()), nil
}

// past returns what was found.
func (f *search) past(o Options) map[string]*profile.Past {
	all := map[string]*profile.Past{}
	for _, w := range f.wanted {
		if w.series == nil {
			continue
		}
		all[w.target.Name] = &profile.Past{
			Instance: string(w.series.labels[instanceLabel]), Pod: string(w.series.labels[podLabel]),
			From: o.Now.Add(-o.Window), To: o.Now, Step: o.Step,
			Points: w.series.points, Versions: w.versions,
		}
	}
	return all
}

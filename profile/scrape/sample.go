package scrape

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/thanosleak/thanosleak/profile"
)

// MaxGoroutines is the number of goroutines above which debug=0 is not taken
// without [Options.Force].
const MaxGoroutines = 500_000

// garbagePerGoroutine is what debug=0 allocates in the process, in bytes,
// measured at 10,000 to 1,000,000 goroutines.
const garbagePerGoroutine = 930

// Sample takes one sample: /metrics once, then the goroutine profile and, if
// it is wanted and there is one, the goroutineleak profile. The payload is
// what the process served, byte for byte; /metrics is no part of it, since
// only [profile.Metrics] may be kept. A sample without metrics or leak profile
// is no error; Warnings says so once.
//
// The first sample finds out where the process serves its profiles: below the
// prefix of the URL or, if nothing is there, at the root of the same server,
// which is where Thanos serves them when the prefix is its own
// --web.route-prefix.
func (c *Client) Sample(ctx context.Context) (profile.Sample, profile.Payload, error) {
	ctx, cancel := context.WithTimeout(ctx, c.opts.Timeout)
	defer cancel()
	t, err := c.take(ctx, c.server)
	if isNotFound(err) && c.server.Path != "" {
		root := &url.URL{Scheme: c.server.Scheme, Host: c.server.Host}
		// Where something else serves the root, the first error counts.
		if atRoot, rootErr := c.take(ctx, root); c.server == root {
			t, err = atRoot, rootErr
		}
	}
	if err != nil {
		return profile.Sample{}, profile.Payload{}, err
	}
	if c.opts.LeakProfile {
		c.addLeaks(ctx, t)
	}
	return t.sample, t.payload, nil
}

// taken is a sample under way.
type taken struct {
	sample    profile.Sample
	payload   profile.Payload
	goVersion string
}

// take takes metrics and goroutines of the process that is served at server.
// Another server than before is taken for the process only if it is a Thanos.
func (c *Client) take(ctx context.Context, server *url.URL) (*taken, error) {
	m, why, err := c.metrics(ctx, at(server, "/metrics"))
	if err != nil {
		return nil, err
	}
	if server != c.server {
		if !m.Has("thanos_build_info") {
			return nil, c.fail(server, "no Thanos there", "", nil)
		}
		c.server = server
		c.warn("root", fmt.Sprintf("Nothing is served below %s: metrics and profiles are from %s.", shown(c.base), shown(server)))
	}
	u := at(server, "/debug/pprof/goroutine?debug=0")
	if err := c.guard(u, m); err != nil {
		return nil, err
	}
	if !c.life.see(m) {
		return nil, c.severalProcesses(u)
	}
	var f profile.Facts
	f.Adopt(m)
	t := &taken{goVersion: cmp.Or(f.GoVersion, c.goVersion)}
	s, raw, date, err := c.profile(ctx, query{url: u, max: maxProfile}, t.goVersion)
	if err != nil {
		return nil, err
	}
	if m == nil {
		c.warn("metrics", "No metrics ("+why+"): the number of goroutines could not be checked before the profile was taken, and load is unknown.")
	}
	if !s.Time.IsZero() && !profile.PossibleTime(s.Time) {
		c.warn("clock", fmt.Sprintf("The profile says that it is of the year %d: its time is taken from the answer or from this machine.", s.Time.UTC().Year()))
	}
	t.sample = profile.Sample{Time: timeOf(s, date), Goroutines: s, Metrics: m}
	t.payload.Debug0 = raw
	return t, nil
}

// timeOf returns when a snapshot was taken, by itself, by the server's clock
// or by ours: the first that tells a possible time.
func timeOf(s *profile.Snapshot, date string) time.Time {
	if profile.PossibleTime(s.Time) {
		return s.Time
	}
	if t, err := http.ParseTime(date); err == nil && profile.PossibleTime(t) {
		return t.UTC()
	}
	return time.Now().UTC()
}

// metrics reads /metrics. Where there are none, or none that can be read, they
// are nil and why says so; an error is what would keep any profile away, too.
func (c *Client) metrics(ctx context.Context, u *url.URL) (m profile.Metrics, why string, err error) {
	err = c.ask(ctx, query{url: u, max: maxMetrics, gzip: true}, func(a *answer) error {
		if a.isHTML() {
			return c.webPage(a)
		}
		var err error
		if m, err = c.opts.Intern.ReadMetrics(a.body); err != nil {
			return c.fail(a.url, fmt.Sprintf("%s: %s", shown(a.url), clean(err.Error(), 200)), "", err)
		}
		return nil
	})
	switch {
	case err == nil:
		return m, "", nil
	case reachOf(err) == reachedPage:
		return nil, causeOf(err), nil
	}
	return nil, "", err
}

// guard refuses a profile that would cost the process too much.
func (c *Client) guard(u *url.URL, m profile.Metrics) error {
	n := m.Sum("go_goroutines")
	if c.opts.Force || n <= MaxGoroutines {
		return nil
	}
	return c.fail(u, fmt.Sprintf("%.0f goroutines: their profile makes some %.0f MB of garbage in the process, which may be its end", n, n*garbagePerGoroutine/1e6),
		"Take it all the same with --force, if the process has the memory.", nil)
}

// profile takes one debug=0 profile and returns the server's date with it.
func (c *Client) profile(ctx context.Context, q query, goVersion string) (s *profile.Snapshot, raw []byte, date string, err error) {
	err = c.ask(ctx, q, func(a *answer) error {
		if a.isHTML() {
			return c.webPage(a)
		}
		date = a.header.Get("Date")
		var err error
		if raw, err = io.ReadAll(a.body); err == nil {
			s, err = readDebug0(raw, goVersion)
		}
		if err == nil && s.LeaksOnly != strings.Contains(q.url.Path, "goroutineleak") {
			err = errors.New("it is a profile of other goroutines")
		}
		if err != nil {
			return c.unreadable(a, len(raw), err)
		}
		c.opts.Intern.Snapshot(s)
		return nil
	})
	return s, raw, date, err
}

// readDebug0 reads one profile, once it is known to be of bearable size.
func readDebug0(raw []byte, goVersion string) (*profile.Snapshot, error) {
	if err := checkPlainSize(raw); err != nil {
		return nil, err
	}
	return readOne(raw, profile.Debug0, goVersion)
}

// readOne reads a body that is one profile in the given encoding.
func readOne(raw []byte, e profile.Encoding, goVersion string) (*profile.Snapshot, error) {
	if len(raw) == 0 {
		return nil, errEmpty
	}
	all, err := profile.Read(bytes.NewReader(raw), profile.Options{GoVersion: goVersion})
	if err != nil {
		return nil, err
	}
	if len(all) > 1 {
		return nil, fmt.Errorf("it holds %d dumps, asked for one", len(all))
	}
	if all[0].Encoding != e {
		return nil, fmt.Errorf("it is %s, asked for %s", all[0].Encoding, e)
	}
	return all[0], nil
}

// errEmpty is what an answer of 0 bytes gives.
var errEmpty = errors.New("it is empty")

// errBomb is what a profile gives that unpacks to more than any real one.
var errBomb = fmt.Errorf("it unpacks to more than %d MiB", maxPlain>>20)

// checkPlainSize unpacks a profile into nothing, so that a bomb is found
// before memory is taken for it.
func checkPlainSize(raw []byte) error {
	if !isGzip(raw) {
		return nil
	}
	zr, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	n, err := io.Copy(io.Discard, io.LimitReader(zr, maxPlain+1))
	if n > maxPlain {
		return errBomb
	}
	return err
}

// unreadable says what came in place of a profile.
func (c *Client) unreadable(a *answer, n int, err error) *Error {
	switch form, ok := errors.AsType[*profile.UnsupportedError](err); {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return c.fail(a.url, fmt.Sprintf("the profile from %s ends in the middle, after %d bytes", shown(a.url), n),
			"A proxy or port-forward in between cut it. Try again.", err)
	case errors.Is(err, errEmpty):
		return c.fail(a.url, shown(a.url)+" answers with nothing (0 bytes), status 200",
			"A proxy in front may drop the answer. "+hintAround, err)
	case ok:
		return c.fail(a.url, fmt.Sprintf("%s answers with %s, not with a goroutine profile", shown(a.url), form.Form),
			"Is this the HTTP port of Thanos? Its default is 10902.", err)
	}
	return c.fail(a.url, fmt.Sprintf("%s answers with something that is no goroutine profile (%s)", shown(a.url), clean(err.Error(), 200)),
		"Is this the HTTP port of Thanos? Its default is 10902.", err)
}

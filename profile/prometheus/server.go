package prometheus

import (
	"context"
	"errors"
	"io"
	"math"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/api"
	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
)

// What is taken of one answer at most: a thousand targets with three hundred
// points each, twice for a pair of servers that is not deduplicated, are 25 MB.
const (
	maxAnswer = 64 << 20 // bytes, unpacked
	maxSeries = 10_000
)

// A server is the Prometheus or Thanos Query that is asked. It is for use by
// one goroutine at a time.
type server struct {
	name     string // its URL without credentials, query and control characters
	password string // kept out of all texts; empty if there is none
	api      v1.API
	door     *door
	window   v1.Range
	timeout  time.Duration

	warnings []string
	warned   map[string]bool
}

// newServer prepares to ask. o has its defaults.
func newServer(base *url.URL, o Options) (*server, error) {
	u := baseOf(base)
	s := &server{
		name: nameOf(u), timeout: o.Timeout, warned: map[string]bool{},
		window: v1.Range{Start: o.Now.Add(-o.Window), End: o.Now, Step: o.Step},
		door:   &door{next: o.Transport, auth: base.User, agent: o.UserAgent},
	}
	s.password, _ = base.User.Password()
	if s.door.next == nil {
		s.door.own = &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, MaxResponseHeaderBytes: 64 << 10}
		s.door.next = s.door.own
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, s.fault("this is no address of a Prometheus or Thanos Query", "Give its URL, such as http://HOST:9090.", nil)
	}
	// A redirect is an answer: to a login page no query should go.
	client, err := api.NewClient(api.Config{Address: u.String(), Client: &http.Client{
		Transport:     s.door,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}})
	if err != nil {
		return nil, s.fault("this is no URL", "Give one such as http://HOST:9090.", nil)
	}
	s.api = v1.NewAPI(client)
	return s, nil
}

// close closes the connections.
func (s *server) close() {
	if s.door.own != nil {
		s.door.own.CloseIdleConnections()
	}
}

// pages are the ends of addresses that a browser shows, and those of the API.
var pages = []string{"/api/v1/query_range", "/api/v1/query", "/api/v1", "/graph", "/query", "/targets", "/status"}

// baseOf cuts the address of a page back to that of the server. Parameters of
// the address itself stay, as a proxy may want them; those of a page go.
func baseOf(base *url.URL) *url.URL {
	u := &url.URL{Scheme: strings.ToLower(base.Scheme), Host: base.Host, Path: strings.TrimRight(base.Path, "/"), RawQuery: base.RawQuery}
	for _, page := range pages {
		if prefix, ok := strings.CutSuffix(u.Path, page); ok {
			u.Path, u.RawQuery = strings.TrimRight(prefix, "/"), ""
			break
		}
	}
	return u
}

// nameOf returns the address for people. Parameters may be secret.
func nameOf(u *url.URL) string {
	plain := *u
	plain.RawQuery = ""
	return clean(plain.String(), 200)
}

// overTime asks a query over the window.
func (s *server) overTime(ctx context.Context, query string) (model.Matrix, error) {
	s.door.reset()
	v, warnings, _, err := s.api.QueryRange(ctx, query, s.window, s.limit())
	if err != nil {
		return nil, s.explain(ctx, err)
	}
	s.warn(warnings)
	m, ok := v.(model.Matrix)
	if !ok {
		return nil, s.odd("no series over time")
	}
	if len(m) > maxSeries {
		s.warn([]string{"only the first of very many series are used"})
		m = m[:maxSeries]
	}
	return m, nil
}

// atEnd asks a query at the end of the window.
func (s *server) atEnd(ctx context.Context, query string) (model.Vector, error) {
	s.door.reset()
	v, warnings, _, err := s.api.Query(ctx, query, s.window.End, s.limit())
	if err != nil {
		return nil, s.explain(ctx, err)
	}
	s.warn(warnings)
	vec, ok := v.(model.Vector)
	if !ok {
		return nil, s.odd("no series")
	}
	return vec[:min(len(vec), maxSeries)], nil
}

// limit tells the server how long it may take, in whole seconds: not all
// servers read others.
func (s *server) limit() v1.Option {
	return v1.WithTimeout(time.Duration(math.Ceil(s.timeout.Seconds())) * time.Second)
}

// maxWarnings is the number of a server's own warnings that are passed on.
const maxWarnings = 3

// warn passes on what a server warns of: stores that did not answer, most
// often. Each is said once.
func (s *server) warn(texts []string) {
	for _, t := range texts {
		t = s.safe(t, 200)
		if len(s.warnings) < maxWarnings && !s.warned[t] {
			s.warned[t] = true
			s.warnings = append(s.warnings, s.name+" answers in part, and the past may have gaps: "+t)
		}
	}
}

// A door sends requests with the user's credentials, bounds the answers, and
// remembers how the first request of a query was answered: the API's client
// asks a second time with GET where POST is forbidden.
type door struct {
	next  http.RoundTripper
	own   *http.Transport // next, if it is ours to close
	auth  *url.Userinfo   // nil if there is none
	agent string

	connected atomic.Bool // a transport may tell from another goroutine
	status    int         // of the first answer; 0 if there was none
	location  string      // where it redirects to; empty if nowhere
	html      bool        // it is a web page
}

// reset forgets the query before.
func (d *door) reset() {
	d.connected.Store(false)
	d.status, d.location, d.html = 0, "", false
}

// RoundTrip sends one request.
func (d *door) RoundTrip(r *http.Request) (*http.Response, error) {
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { d.connected.Store(true) }}
	r = r.Clone(httptrace.WithClientTrace(r.Context(), trace))
	r.Header.Set("User-Agent", d.agent)
	if d.auth != nil {
		password, _ := d.auth.Password()
		r.SetBasicAuth(d.auth.Username(), password)
	}
	resp, err := d.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if d.status == 0 {
		d.status, d.location = resp.StatusCode, resp.Header.Get("Location")
		d.html = strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html")
	}
	resp.Body = &bounded{ReadCloser: resp.Body, left: maxAnswer}
	return resp, nil
}

// errTooLarge is what a body gives that is longer than maxAnswer.
var errTooLarge = errors.New("longer than expected")

// bounded passes on a body up to a number of bytes.
type bounded struct {
	io.ReadCloser
	left int64
}

// Read reads on, and fails where there is more than the bound.
func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, errTooLarge
	}
	return n, err
}

package scrape

import (
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
)

// The most bytes that are read of an answer, on the wire and unpacked. A
// profile of a million goroutines has 28 KB on the wire; the runtime cuts
// debug=2 at 64 MiB; a receiver with thousands of tenants has some 50 MB of
// metrics.
const (
	maxHeader  = 64 << 10
	maxStatus  = 4 << 20
	maxPage    = 256 << 10
	maxMetrics = 64 << 20
	maxProfile = 8 << 20  // on the wire
	maxPlain   = 16 << 20 // a profile, unpacked
	maxDump    = 64 << 20
)

// maxRedirects is how many redirects within the host are followed.
const maxRedirects = 5

// errTooLarge is what a body gives that is longer than its bound.
var errTooLarge = errors.New("longer than expected")

// A query is one GET.
type query struct {
	url  *url.URL
	max  int64 // bytes of the body, unpacked or not
	gzip bool  // the answer may come compressed
	here bool  // redirects are answers
}

// An answer is what came back with status 200 or as a redirect.
type answer struct {
	url    *url.URL
	status int
	header http.Header
	login  bool          // credentials were sent
	body   *bufio.Reader // bounded and unpacked
	plain  *bounded      // what body reads from
}

// isHTML reports whether the body is a web page.
func (a *answer) isHTML() bool {
	head, _ := a.body.Peek(512) // what is there is enough
	s := strings.ToLower(strings.TrimLeft(string(head), "\ufeff \t\r\n"))
	return strings.HasPrefix(s, "<!doctype html") || strings.HasPrefix(s, "<html")
}

// at returns the URL of a path below base.
func at(base *url.URL, path string) *url.URL {
	u := *base
	u.Path, u.RawQuery, _ = strings.Cut(base.Path+path, "?")
	return &u
}

// ask sends one GET and hands the answer to use. Errors of the connection, of
// the status and of a body that breaks off are an [*Error], as are those that
// use returns as one.
func (c *Client) ask(ctx context.Context, q query, use func(*answer) error) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return c.noTimeLeft(q)
	}
	var connected atomic.Bool // a transport may tell from another goroutine
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }}
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, trace), http.MethodGet, q.url.String(), nil)
	if err != nil {
		return c.fail(q.url, "the address is no URL", "Give host:port or a URL.", nil)
	}
	c.dress(req, q)
	client := *c.http
	if q.here {
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	resp, err := client.Do(req)
	if err != nil {
		return c.failedRequest(ctx, q.url, connected.Load(), err)
	}
	if resp.StatusCode == http.StatusSwitchingProtocols {
		// What follows is no body: it ends with no context, and reading it may
		// wait for ever.
		_ = resp.Body.Close()
		return c.fail(q.url, shown(q.url)+" answers 101 Switching Protocols, which it was not asked for", hintAround, nil)
	}
	defer drain(resp.Body)
	body := &bounded{r: resp.Body, max: q.max}
	a, err := newAnswer(resp, body, q)
	if err != nil {
		return c.fail(q.url, fmt.Sprintf("%s says that its answer is compressed, and it is not (%s)", shown(q.url), clean(err.Error(), 100)),
			hintAround, err)
	}
	if err := c.checkStatus(a, q); err != nil {
		return err
	}
	if encoding := resp.Header.Get("Content-Encoding"); !isPlain(encoding) {
		return c.fail(q.url, fmt.Sprintf("the answer to %s is compressed in a way that it was not asked for (%s)", shown(q.url), clean(encoding, 40)), hintAround, nil)
	}
	err = use(a)
	if body.err != nil {
		return c.brokenBody(ctx, q, body)
	}
	if errors.Is(a.plain.err, errTooLarge) {
		return c.brokenBody(ctx, q, a.plain)
	}
	return err
}

// dress sets the headers of a request. Encodings are named by hand, so that
// the transport unpacks nothing without a bound.
func (c *Client) dress(req *http.Request, q query) {
	req.Header.Set("User-Agent", c.opts.UserAgent)
	req.Header.Set("Accept-Encoding", "identity")
	if q.gzip {
		req.Header.Set("Accept-Encoding", "gzip")
	}
	if c.auth != nil {
		password, _ := c.auth.Password()
		req.SetBasicAuth(c.auth.Username(), password)
	}
}

// newAnswer bounds and unpacks the body.
func newAnswer(resp *http.Response, body *bounded, q query) (*answer, error) {
	a := &answer{url: resp.Request.URL, status: resp.StatusCode, header: resp.Header, body: bufio.NewReader(body), plain: body}
	a.login = resp.Request.Header.Get("Authorization") != ""
	if !isGzipped(resp.Header.Get("Content-Encoding")) {
		return a, nil
	}
	zr, err := gzip.NewReader(a.body)
	if err != nil {
		return nil, err
	}
	// Bounded again: a limit that looks like the end would make a short page of
	// a long one.
	a.plain = &bounded{r: zr, max: q.max}
	a.body = bufio.NewReader(a.plain)
	return a, nil
}

// isGzipped reports whether a Content-Encoding is the one that is unpacked here.
func isGzipped(encoding string) bool { return strings.EqualFold(encoding, "gzip") }

// isPlain reports whether the body is readable, with a Content-Encoding that is
// unpacked here or none.
func isPlain(encoding string) bool {
	return encoding == "" || strings.EqualFold(encoding, "identity") || isGzipped(encoding)
}

// bounded passes on a body of at most max bytes and remembers why reading
// ended early.
type bounded struct {
	r         io.Reader
	max, read int64
	err       error // nil at the end of the body
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	n, err := b.r.Read(p)
	b.read += int64(n)
	switch {
	case b.read > b.max:
		b.err = errTooLarge
		return 0, b.err
	case err != nil && !errors.Is(err, io.EOF):
		b.err = err
	}
	return n, err
}

// drain reads the short rest of a body, so that the connection can be used
// again, and closes it.
func drain(body io.ReadCloser) {
	// What is left over is of no use, nor is an error in it.
	_, _ = io.CopyN(io.Discard, body, 64<<10)
	_ = body.Close()
}

// An otherHostError refuses a redirect.
type otherHostError struct{ host string }

func (e *otherHostError) Error() string { return "redirects to " + e.host }

// A protocolError refuses a redirect to what is not asked over HTTP: a file, say.
type protocolError struct{ to *url.URL }

func (e *protocolError) Error() string { return "redirects to " + shown(e.to) }

// errRedirects is what a target gives that redirects in a circle.
var errRedirects = fmt.Errorf("redirects more than %d times", maxRedirects)

// checkRedirect lets a redirect pass within the host only: what stands
// elsewhere is another process, and the credentials are not for it.
func checkRedirect(req *http.Request, via []*http.Request) error {
	if req.URL.Scheme != "http" && req.URL.Scheme != "https" {
		return &protocolError{to: req.URL}
	}
	if !sameHost(via[0].URL, req.URL) {
		return &otherHostError{host: req.URL.Host}
	}
	if len(via) > maxRedirects {
		return errRedirects
	}
	return nil
}

// sameHost reports whether to is served by the host and port of from, or by
// the same host over TLS in place of plain HTTP, on the usual ports.
func sameHost(from, to *url.URL) bool {
	if !strings.EqualFold(from.Hostname(), to.Hostname()) {
		return false
	}
	if from.Scheme == to.Scheme {
		return portOf(from) == portOf(to)
	}
	return from.Scheme == "http" && to.Scheme == "https" && portOf(from) == "80" && portOf(to) == "443"
}

// portOf returns the port of a URL, also where its scheme implies it.
func portOf(u *url.URL) string {
	if u.Port() != "" {
		return u.Port()
	}
	if u.Scheme == "https" {
		return "443"
	}
	return "80"
}

// isLoopback reports whether the host is this machine, where a port-forward
// ends.
func isLoopback(u *url.URL) bool {
	ip := net.ParseIP(u.Hostname())
	return strings.EqualFold(u.Hostname(), "localhost") || (ip != nil && ip.IsLoopback())
}

// isGzip reports whether a body is a gzip file, as debug=0 is.
func isGzip(b []byte) bool { return len(b) > 1 && b[0] == 0x1f && b[1] == 0x8b }

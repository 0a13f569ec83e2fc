package scrape

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"syscall"
	"unicode"
)

// ErrSeveralProcesses is in the errors that say that more than one process
// answers at an address, so that samples taken there are no series.
var ErrSeveralProcesses = errors.New("several processes behind one address")

// An Error says why something could not be had from a process. Its texts are
// safe to print: bounded, without control characters and credentials.
type Error struct {
	Target string // name of the target
	URL    string // what was asked for, without credentials; empty if nothing was sent
	Cause  string // what happened, without a full stop at the end
	Hint   string // what to do, full sentences; empty if there is nothing to say
	Err    error  // the error below; nil if the answer itself is what is wrong

	status int // of the answer; 0 if there was none
	reach  reach
}

// reach says how far a request came.
type reach int

const (
	reachedPage    reach = iota // what was asked for is not what it should be
	reachedDoor                 // something else answers, or does not let in
	reachedNothing              // no answer, or none in time
)

// reachOf returns how far the request of an error came.
func reachOf(err error) reach {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.reach
	}
	return reachedPage
}

// causeOf returns what happened, without the target's name and hint.
func causeOf(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Cause
	}
	return err.Error()
}

// Error returns target, cause and hint.
func (e *Error) Error() string {
	if e.Hint == "" {
		return e.Target + ": " + e.Cause
	}
	return e.Target + ": " + e.Cause + ". " + e.Hint
}

// Unwrap returns the error below.
func (e *Error) Unwrap() error { return e.Err }

// IsRefused reports whether err says that nothing listens at the address: the
// one error that a second try a little later often mends.
func IsRefused(err error) bool {
	// Windows' own number; the syscall package has another meaning for
	// ECONNREFUSED there.
	const wsaeConnRefused = syscall.Errno(10061)
	errno, ok := errors.AsType[syscall.Errno](err)
	return ok && (errno == syscall.ECONNREFUSED || (runtime.GOOS == "windows" && errno == wsaeConnRefused))
}

// Hints that several errors give.
const (
	hintAround = "Go around what stands in front with kubectl port-forward POD 10902 and localhost:10902."
	hintPort   = "Give the port of --http-address, by default 10902."
	hintSlow   = "Try again with a longer --timeout; a process without CPU or memory left answers late."
	hintGone   = "Is the port-forward still up, and is it the HTTP port? Thanos' default is 10902."
	hintConfig = "Look at --http.config.file."
	hintProxy  = "Look at proxy_url in --http.config.file, or at HTTP_PROXY and HTTPS_PROXY if there is no such file."
)

// fail returns an error about a request.
func (c *Client) fail(u *url.URL, cause, hint string, err error) *Error {
	return &Error{Target: c.name, URL: shown(u), Cause: cause, Hint: hint, Err: err}
}

// shown returns a URL for people.
func shown(u *url.URL) string {
	plain := *u
	plain.User = nil
	return clean(plain.String(), 200)
}

// clean makes text of a target's harmless: one line, printable, at most max
// bytes.
func clean(s string, max int) string {
	s = strings.ToValidUTF8(s, "")
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if len(s) <= max {
		return s
	}
	return strings.ToValidUTF8(s[:max], "") + "…"
}

// failedRequest says why no answer came.
func (c *Client) failedRequest(ctx context.Context, u *url.URL, connected bool, err error) *Error {
	if inner, ok := errors.AsType[*url.Error](err); ok {
		err = inner.Err // the outer one repeats the URL, with the user's name
	}
	var cause, hint string
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		cause, err = "interrupted", context.Canceled
	case isTimeout(err) && !isLookup(err):
		cause, hint = c.timedOut(u, connected)
	case strings.Contains(err.Error(), "failed to parse Location header"):
		// The parser quotes the target's words, whatever they are.
		cause, hint, err = shown(u)+" redirects to something that is no URL", hintAround, nil
	default:
		cause, hint = explain(u, err)
	}
	e := c.fail(u, cause, hint, err)
	e.reach = reachedNothing
	if isElsewhere(err) {
		e.reach = reachedDoor
	}
	return e
}

// isElsewhere reports whether err refuses a redirect.
func isElsewhere(err error) bool {
	_, host := errors.AsType[*otherHostError](err)
	_, protocol := errors.AsType[*protocolError](err)
	return host || protocol
}

// isTimeout reports whether err is that of a deadline, ours or the system's.
func isTimeout(err error) bool {
	e, ok := errors.AsType[net.Error](err)
	return errors.Is(err, context.DeadlineExceeded) || (ok && e.Timeout())
}

// isLookup reports whether err is about the host's name.
func isLookup(err error) bool {
	_, ok := errors.AsType[*net.DNSError](err)
	return ok
}

// timedOut says how far a request came that got no answer.
func (c *Client) timedOut(u *url.URL, connected bool) (cause, hint string) {
	if !connected {
		return fmt.Sprintf("no connection within %s", c.opts.Timeout),
			"The address is wrong, or a firewall or network policy drops packets to it. From outside the cluster use kubectl port-forward."
	}
	return fmt.Sprintf("connected, but no answer to %s within %s", shown(u), c.opts.Timeout), hintSlow
}

// noTimeLeft is the error of a request that was not sent, since those before it
// took all the time that there was.
func (c *Client) noTimeLeft(q query) *Error {
	e := c.fail(q.url, fmt.Sprintf("%s was not asked for any more: the answers before took all of %s", shown(q.url), c.opts.Timeout), hintSlow, context.DeadlineExceeded)
	e.reach = reachedNothing
	return e
}

// brokenBody says why an answer ended in the middle.
func (c *Client) brokenBody(ctx context.Context, q query, b *bounded) *Error {
	switch {
	case errors.Is(b.err, errTooLarge):
		return c.fail(q.url, fmt.Sprintf("%s answers with more than %d KiB, which is no such answer of Thanos'", shown(q.url), q.max>>10),
			hintPort, b.err)
	case errors.Is(ctx.Err(), context.Canceled):
		e := c.fail(q.url, "interrupted", "", context.Canceled)
		e.reach = reachedNothing
		return e
	case isTimeout(b.err):
		e := c.fail(q.url, fmt.Sprintf("the answer to %s stopped after %d bytes and was not complete within %s", shown(q.url), b.read, c.opts.Timeout),
			hintSlow, b.err)
		e.reach = reachedNothing
		return e
	}
	return c.fail(q.url, fmt.Sprintf("the connection broke %d bytes into the answer to %s", b.read, shown(q.url)),
		"The process ended just now, or a proxy or port-forward in between did. Try again.", b.err)
}

// explain names the wrong door for an error of the connection, and the way in.
func explain(u *url.URL, err error) (cause, hint string) {
	if e, ok := errors.AsType[*otherHostError](err); ok {
		return fmt.Sprintf("%s redirects to another host (%s), as login pages do; not followed", shown(u), clean(e.host, 100)), hintAround
	}
	if e, ok := errors.AsType[*protocolError](err); ok {
		return fmt.Sprintf("%s redirects to %s; not followed", shown(u), shown(e.to)), hintAround
	}
	if cause, hint := explainConfig(err); cause != "" {
		return cause, hint
	}
	if e, ok := errors.AsType[*net.DNSError](err); ok {
		if !e.IsNotFound {
			return fmt.Sprintf("host name %s could not be looked up (%s)", clean(e.Name, 100), clean(e.Err, 100)), "Is the name server reachable?"
		}
		return fmt.Sprintf("host name %s not found", clean(e.Name, 100)),
			"Names of Kubernetes services (NAME.NAMESPACE.svc) are known inside the cluster only; from outside use kubectl port-forward and localhost:10902."
	}
	if IsRefused(err) {
		return "connection refused", refusedHint(u)
	}
	if cause, hint := explainTLS(u, err); cause != "" {
		return cause, hint
	}
	return explainProtocol(err)
}

// explainConfig names what is not the target's fault but that of the way to
// it; an empty cause if it is another.
func explainConfig(err error) (cause, hint string) {
	if e, ok := errors.AsType[*credentialsError](err); ok {
		return "not asked, since its credentials could not be had: " + e.cause, hintConfig
	}
	if _, ok := errors.AsType[*fs.PathError](err); ok {
		return "not asked, since a certificate could not be had: " + readable(err), hintConfig
	}
	if errors.Is(err, errNotFollowed) {
		return errNotFollowed.Error(), "Give the address that it redirects to."
	}
	if e, ok := errors.AsType[*net.OpError](err); ok && e.Op == "proxyconnect" {
		return "the proxy in between cannot be reached (" + clean(e.Err.Error(), 200) + ")", hintProxy
	}
	if err.Error() == http.StatusText(http.StatusProxyAuthRequired) {
		return causeProxyLogin, hintProxy
	}
	return "", ""
}

// causeProxyLogin is told by a status, in answer to a request or to CONNECT.
const causeProxyLogin = "the proxy in between wants a login, and takes none that it was given"

// refusedHint tells what to look at where nothing listens.
func refusedHint(u *url.URL) string {
	if isLoopback(u) {
		return hintGone
	}
	return "Does the process run, and is it the HTTP port? Thanos' default is 10902."
}

// explainTLS names errors of TLS; an empty cause if it is another.
func explainTLS(u *url.URL, err error) (cause, hint string) {
	const plain = "Use http:// in place of https://."
	if errors.Is(err, http.ErrSchemeMismatch) {
		return "this is a port without TLS, asked with https://", plain
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return "this is a port without TLS, asked with https://", plain
	}
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return explainCertificate(u, e.Err)
	}
	if e, ok := errors.AsType[*net.OpError](err); ok && e.Op == "remote error" {
		return "the server refuses the TLS handshake (" + clean(e.Err.Error(), 100) + ")",
			"It may want a client certificate, or another one: cert_file and key_file of tls_config in --http.config.file."
	}
	return "", ""
}

// explainCertificate names what is wrong with a server's certificate.
func explainCertificate(u *url.URL, err error) (cause, hint string) {
	if e, ok := errors.AsType[x509.HostnameError](err); ok {
		return "the TLS certificate is for another name than " + clean(u.Hostname(), 100),
			"Use a name that it is for: " + clean(strings.Join(namesOf(e.Certificate), ", "), 200) + "."
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "the TLS certificate is signed by an unknown authority",
			"Name the authority in --http.config.file (ca_file of tls_config), or add it to the system's certificates, on Linux for this run with SSL_CERT_FILE=ca.pem thanosleak …"
	}
	return "the TLS certificate is not valid (" + clean(err.Error(), 200) + ")",
		"Look at its dates and at this machine's clock."
}

// namesOf returns the names and addresses that a certificate is for.
func namesOf(cert *x509.Certificate) []string {
	names := append([]string(nil), cert.DNSNames...)
	for _, ip := range cert.IPAddresses {
		names = append(names, ip.String())
	}
	if len(names) == 0 {
		return []string{"(none)"}
	}
	return names
}

// brokenHTTP is how the HTTP client begins to tell what is wrong with an answer.
const brokenHTTP = "net/http: HTTP/1.x transport connection broken: "

// causeGRPC is what everyone does once.
const causeGRPC = "this is the gRPC port, profiles are served on the HTTP port"

// explainProtocol names what answers in place of HTTP. Where the connection is
// not our own, the HTTP client tells it in words only: malformed HTTP response "\x00\x00\x12\x04…" is an HTTP/2
// frame, "\x15\x03…" a TLS alert.
func explainProtocol(err error) (cause, hint string) {
	text := err.Error()
	switch {
	case errors.Is(err, errHTTP2), strings.Contains(text, `malformed HTTP response "\x00\x00`):
		return causeGRPC, hintPort
	case strings.Contains(text, `malformed HTTP response "\x15\x03`):
		return causeTLS, hintTLS
	case errors.Is(err, errNotHTTP), strings.Contains(text, "malformed HTTP"):
		return "what answers there does not speak HTTP", hintPort
	case strings.Contains(text, "response headers exceeded"):
		return fmt.Sprintf("its answer has a header of more than %d KiB, which is no such answer of Thanos'", maxHeader>>10), hintPort
	case strings.HasPrefix(text, brokenHTTP):
		return "its answer is no valid HTTP (" + clean(strings.TrimPrefix(text, brokenHTTP), 200) + ")",
			"Something in between may have damaged it, or cut it off. " + hintAround
	case errors.Is(err, errRedirects):
		return fmt.Sprintf("it redirects more than %d times", maxRedirects), hintAround
	case strings.HasSuffix(text, "EOF") || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE):
		return "the connection was closed without an answer",
			"A port-forward to a port on which nothing listens does that, and so does a gRPC port. " + hintPort
	}
	return clean(text, 300), ""
}

// The same wrong door is told by an alert of TLS and by HTTP status 400.
const (
	causeTLS = "this is a port with TLS, asked with http://"
	hintTLS  = "Use https:// in place of http://."
)

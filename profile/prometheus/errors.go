package prometheus

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"unicode"

	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
)

// A fault says why the server told nothing. Its text is safe to print.
type fault struct {
	server string // its URL, without credentials
	cause  string // what happened, without a full stop at the end
	hint   string // what to do, full sentences; empty if there is nothing to say
	err    error  // the error below; nil if the answer itself is what is wrong
}

// Error returns server, cause and hint.
func (f *fault) Error() string {
	text := f.server + ": " + f.cause
	if f.hint != "" {
		text += ". " + f.hint
	}
	return text
}

// Unwrap returns the error below.
func (f *fault) Unwrap() error { return f.err }

// Hints that several faults give.
const (
	hintLess   = "Ask for less with a shorter --prometheus.window, or of fewer targets."
	hintPort   = "Is it the HTTP port? Prometheus has 9090 by default, Thanos Query 10902."
	hintPrefix = "Is it the address of a Prometheus or Thanos Query, and is a path in front of its API missing, such as that of --web.route-prefix? Give it: http://HOST:9090/PREFIX."
	hintUser   = "Give credentials with --prometheus.http.config.file or in the address (http://USER:PASSWORD@HOST:9090), or go around what stands in front with kubectl port-forward."
	hintAround = "Go around what stands in front with kubectl port-forward and localhost."
)

func (s *server) fault(cause, hint string, err error) error {
	return &fault{server: s.name, cause: cause, hint: hint, err: err}
}

// odd says that an answer has another form than was asked for.
func (s *server) odd(what string) error {
	return s.fault("its answer holds "+what, hintPrefix, nil)
}

// explain says why a query failed, and what to do.
func (s *server) explain(ctx context.Context, err error) error {
	answer, answered := errors.AsType[*v1.Error](err)
	timeout, isNet := errors.AsType[net.Error](err)
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return s.fault("interrupted", "", context.Canceled)
	case errors.Is(err, errTooLarge):
		return s.fault(fmt.Sprintf("its answer is longer than %d MiB", maxAnswer>>20), hintLess, errTooLarge)
	case answered:
		return s.refused(answer)
	case errors.Is(err, context.DeadlineExceeded) || isNet && timeout.Timeout():
		return s.late()
	}
	if inner, ok := errors.AsType[*url.Error](err); ok {
		err = inner.Err // the outer one repeats the URL with its parameters
	}
	cause, hint := s.unreachable(err)
	return s.fault(cause, hint, nil)
}

// late says how far the query came that took too long.
func (s *server) late() error {
	if !s.door.connected.Load() {
		return s.fault(fmt.Sprintf("no connection within %s", s.timeout),
			"The address is wrong, or a firewall or network policy drops packets to it.", context.DeadlineExceeded)
	}
	return s.fault(fmt.Sprintf("connected, but the answers were not complete within %s", s.timeout), hintLess, context.DeadlineExceeded)
}

// refused explains an answer that is no result.
func (s *server) refused(e *v1.Error) error {
	status := fmt.Sprintf("%d %s", s.door.status, http.StatusText(s.door.status))
	switch code := s.door.status; {
	case code == http.StatusUnauthorized || code == http.StatusForbidden || code == http.StatusProxyAuthRequired:
		return s.fault("it does not let in ("+status+")", hintUser, nil)
	case code/100 == 3:
		return s.fault("it redirects to "+s.shownLocation()+", and no query was sent there", hintPrefix, nil)
	case code == http.StatusNotFound:
		return s.fault("no query API there ("+status+")", hintPrefix, nil)
	case s.door.html && code/100 == 2:
		return s.fault("it answers with a web page, as login pages do", hintAround, nil)
	case code == http.StatusBadRequest && strings.HasPrefix(e.Msg, "client error"):
		return s.fault("it answers "+status, "Is it a port with TLS? Then use https:// in place of http://.", nil)
	case code == http.StatusRequestEntityTooLarge || code == http.StatusTooManyRequests:
		return s.fault("it answers "+status, hintLess, nil)
	case code == http.StatusUnprocessableEntity || code == http.StatusBadRequest || code/100 == 2 && e.Type != v1.ErrBadResponse:
		return s.fault("it refuses the query: "+s.safe(e.Msg, 300), hintLess, nil)
	case code/100 == 2:
		return s.fault("its answer is none of a query API ("+s.safe(e.Msg, 100)+")", hintPrefix, nil)
	}
	return s.fault("it answers "+status, "It may be overloaded or starting: try again later. "+hintLess, nil)
}

// shownLocation returns where the answer redirects to, without the parameters:
// those of login pages hold what nobody else should see.
func (s *server) shownLocation() string {
	u, err := url.Parse(s.door.location)
	if err != nil || s.door.location == "" {
		return "somewhere else"
	}
	return s.safe((&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String(), 200)
}

// unreachable explains an error of the connection.
func (s *server) unreachable(err error) (cause, hint string) {
	text := err.Error()
	if e, ok := errors.AsType[*net.DNSError](err); ok {
		return fmt.Sprintf("host name %s not found", clean(e.Name, 100)),
			"Names of Kubernetes services (NAME.NAMESPACE.svc) are known inside the cluster only; from outside use kubectl port-forward."
	}
	if isRefused(err) {
		return "connection refused", "Does it run, and is the port-forward still up? " + hintPort
	}
	if e, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return s.certificate(e)
	}
	_, record := errors.AsType[tls.RecordHeaderError](err)
	switch {
	case record, errors.Is(err, http.ErrSchemeMismatch):
		return "this is a port without TLS, asked with https://", "Use http:// in place of https://."
	case strings.Contains(text, `malformed HTTP response "\x15\x03`):
		return "this is a port with TLS, asked with http://", "Use https:// in place of http://."
	case strings.Contains(text, "malformed HTTP"):
		return "what answers there does not speak HTTP", hintPort
	case strings.HasSuffix(text, "EOF") || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE):
		return "the connection broke before the answer was complete", "Try again. " + hintPort
	}
	return s.safe(text, 300), ""
}

// certificate explains a certificate that is not trusted.
func (s *server) certificate(e *tls.CertificateVerificationError) (cause, hint string) {
	if _, ok := errors.AsType[x509.UnknownAuthorityError](e.Err); ok {
		return "its TLS certificate is signed by an unknown authority",
			"Add the authority to the system's certificates, or on Linux name it for this run: SSL_CERT_FILE=ca.pem thanosleak …"
	}
	return "its TLS certificate is not valid (" + s.safe(e.Err.Error(), 200) + ")", "Look at its names and dates, and at this machine's clock."
}

// isRefused reports whether nothing listens at the address.
func isRefused(err error) bool {
	// Windows' own number; the syscall package has another meaning for
	// ECONNREFUSED there.
	const wsaeConnRefused = syscall.Errno(10061)
	errno, ok := errors.AsType[syscall.Errno](err)
	return ok && (errno == syscall.ECONNREFUSED || errno == wsaeConnRefused)
}

// safe makes text of the server's harmless, and takes out the password, which a
// server may repeat.
func (s *server) safe(text string, max int) string {
	if s.password != "" {
		// What is left out of the text may stand inside the password.
		text = strings.ReplaceAll(clean(text, len(text)), s.password, "…")
	}
	return clean(text, max)
}

// clean makes a text one line of at most max bytes, printable.
func clean(text string, max int) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	text = strings.Join(strings.Fields(text), " ")
	if len(text) <= max {
		return text
	}
	return strings.ToValidUTF8(text[:max], "") + "…"
}

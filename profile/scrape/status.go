package scrape

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/thanosleak/thanosleak/internal/lazyregexp"
)

// checkStatus lets answers with status 200 pass, and redirects where they are
// asked for.
func (c *Client) checkStatus(a *answer, q query) error {
	if strings.HasPrefix(a.header.Get("Content-Type"), "application/grpc") {
		return c.atDoor(a.url, causeGRPC, hintPort)
	}
	if a.status == http.StatusOK || (q.here && a.status >= 300 && a.status < 400) {
		return nil
	}
	head, _ := a.body.Peek(512) // what is there is enough
	cause, hint := c.explainStatus(a, string(head))
	e := c.fail(a.url, cause, hint, nil)
	e.status = a.status
	if a.status == http.StatusUnauthorized || a.status == http.StatusForbidden || cause == causeTLS {
		e.reach = reachedDoor
	}
	return e
}

// atDoor returns an error about something else than the process that answers.
func (c *Client) atDoor(u *url.URL, cause, hint string) *Error {
	e := c.fail(u, cause, hint, nil)
	e.reach = reachedDoor
	return e
}

// kubeProxyRE matches the paths by which the API server of Kubernetes passes
// requests on: its answer is about what it may do, not about Thanos.
var kubeProxyRE = lazyregexp.New(`/api/v1/namespaces/([^/]+)/(pods|services)/[^/]+/proxy(/|$)`)

// explainStatus says what a status means here, and the way in.
func (c *Client) explainStatus(a *answer, body string) (cause, hint string) {
	said := fmt.Sprintf("%s answers %d %s", shown(a.url), a.status, http.StatusText(a.status))
	switch {
	case a.status == http.StatusUnauthorized && c.auth != nil:
		return said + ": user or password is wrong", "Correct them in the address. " + hintAround
	case a.status == http.StatusUnauthorized && a.login:
		return said + ": it does not take the credentials of --http.config.file", "Correct them there. " + hintAround
	case a.status == http.StatusUnauthorized:
		return said + ": it wants a login", "Give one in --http.config.file, or in the address, http://USER:PASSWORD@HOST:PORT. " + hintAround
	case a.status == http.StatusForbidden && kubeProxyRE().MatchString(a.url.Path):
		m := kubeProxyRE().FindStringSubmatch(a.url.Path)
		return said + fmt.Sprintf(": RBAC: the verb get on %s/proxy in namespace %s is missing", m[2], m[1]),
			"An administrator gives it by a role and its binding. Or go around it: kubectl port-forward, and scan localhost:10902."
	case a.status == http.StatusForbidden && a.login:
		return said + ": these credentials may not read this, or a proxy or policy in front keeps it away", hintAround
	case a.status == http.StatusForbidden:
		return said + ": a proxy or policy in front keeps it away", "Credentials and client certificates are given in --http.config.file. " + hintAround
	case a.status == http.StatusProxyAuthRequired:
		return causeProxyLogin, hintProxy
	case a.status == http.StatusNotFound:
		return said, notFoundHint(a)
	case a.status == http.StatusBadRequest && isTLSPort(body):
		return causeTLS, hintTLS
	}
	if excerpt := clean(body, 200); excerpt != "" {
		said += ": " + excerpt
	}
	if a.status >= 500 {
		return said, "If this comes from a proxy or load balancer and not from Thanos: " + strings.ToLower(hintAround[:1]) + hintAround[1:]
	}
	return said, ""
}

// notFoundHint tells where Thanos serves what was not there.
func notFoundHint(a *answer) string {
	if strings.HasPrefix(a.url.Path, "/debug/") || a.url.Path == "/metrics" {
		return "Is this the HTTP port of Thanos? Its default is 10902, and it serves that at the root."
	}
	return "Thanos serves that at the root of its HTTP port, whatever --web.route-prefix is: give a path only if a proxy in front adds it."
}

// isTLSPort recognises how servers with TLS answer a plain request: Go's and
// nginx's words.
func isTLSPort(body string) bool {
	return strings.Contains(body, "HTTP request to an HTTPS server") ||
		strings.Contains(body, "plain HTTP request was sent to HTTPS port")
}

// webPage says that a page came where data was asked for.
func (c *Client) webPage(a *answer) *Error {
	return c.atDoor(a.url, fmt.Sprintf("%s answers with a web page (a login?), status 200", shown(a.url)), hintAround)
}

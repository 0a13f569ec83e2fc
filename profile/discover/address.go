package discover

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/thanosleak/thanosleak/internal/lazyregexp"
)

// defaultPort is the port of Thanos' --http-address unless it is set.
const defaultPort = "10902"

// pages are the last path elements of Thanos' UI, of all components and
// releases.
var pages = []string{
	"graph", "stores", "status", "tsdb-status", "alerts", "rules", "targets", "flags", "config",
	"blocks", "loaded", "global", "service-discovery",
}

// servedRE matches what a process serves beside its UI, from where it begins
// to the end of the path. A Kubernetes API server's own /api/v1/namespaces/…/proxy
// is a prefix and stays.
var servedRE = lazyregexp.New(`/(debug/pprof|metrics|-/[a-z]+|api/v1/(status|stores|query|query_range|query_exemplars|series|labels?|rules|targets|alerts|metadata|blocks))(/.*)?$`)

// parseAddress reads the forms that name one process.
func parseAddress(arg string) (Target, error) {
	u, err := parseURL(arg)
	if err != nil {
		return Target{}, err
	}
	if u.Port() == "" && !strings.Contains(arg, "://") {
		return Target{}, noPort(arg, u)
	}
	return Target{Name: nameOf(u), URL: u}, nil
}

// parseURL reads host:port or a URL, cut back to its base. A port may be
// missing.
func parseURL(arg string) (*url.URL, error) {
	if strings.TrimSpace(arg) == "" {
		return nil, errors.New("a target is empty: give host:port or a URL")
	}
	if err := checkForm(arg); err != nil {
		return nil, err
	}
	raw := arg
	if !strings.Contains(arg, "://") {
		raw = "http://" + arg
	}
	u, err := url.Parse(raw)
	if err != nil {
		return nil, badURL(arg, err)
	}
	if u.Scheme != "http" && u.Scheme != "https" {
		return nil, badScheme(arg, u)
	}
	if strings.ContainsFunc(u.Host+u.Path, isUnprintable) {
		return nil, unprintable(arg) // they were written as %XX
	}
	if err := checkHost(arg, u); err != nil {
		return nil, err
	}
	return &url.URL{Scheme: u.Scheme, User: u.User, Host: u.Host, Path: basePath(u.Path)}, nil
}

// checkForm names what people write where a target belongs.
func checkForm(arg string) error {
	plain := Plain(arg)
	if strings.ContainsFunc(plain, isUnprintable) {
		return unprintable(arg)
	}
	for _, kind := range []string{"pod/", "po/", "svc/", "service/", "deploy/", "deployment/", "sts/", "statefulset/"} {
		if strings.HasPrefix(arg, kind) {
			return fmt.Errorf("target %q is a name of kubectl's: run kubectl port-forward %s %s:%s and give localhost:%s",
				plain, plain, defaultPort, defaultPort, defaultPort)
		}
	}
	if looksLikeFile(arg) {
		return fmt.Errorf("target %q is a file or folder, did you mean: thanosleak analyze %s", plain, plain)
	}
	if ip := net.ParseIP(arg); ip != nil && strings.Contains(arg, ":") {
		return fmt.Errorf("target %q: an IPv6 address stands in brackets and needs a port: [%s]:%s", arg, arg, defaultPort)
	}
	return nil
}

// isUnprintable tells characters that no address and no message should have.
func isUnprintable(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) }

// unprintable answers addresses that have some.
func unprintable(arg string) error {
	return fmt.Errorf("target %s is neither host:port nor a URL: there are characters in it that cannot be printed", shown(arg))
}

// looksLikeFile reports whether arg is the path of a capture or a dump.
func looksLikeFile(arg string) bool {
	if strings.HasPrefix(arg, "file:") {
		return true
	}
	if strings.Contains(arg, "://") {
		return false
	}
	for _, prefix := range []string{"/", "./", "../", "~", `.\`, `..\`} {
		if strings.HasPrefix(arg, prefix) {
			return true
		}
	}
	if slices.Contains([]string{".gz", ".pb", ".txt", ".tgz", ".tar", ".log", ".zip"}, path.Ext(arg)) {
		return true
	}
	// A file may have any name, but one that reads as host:port was meant so.
	if strings.Contains(arg, ":") {
		return false
	}
	_, err := os.Stat(arg)
	return err == nil
}

// badURL says what is wrong with a URL. The parser's own words may quote a
// password, so they are left out where there may be one.
func badURL(arg string, err error) error {
	if strings.Contains(arg, "@") {
		return fmt.Errorf("target %s is no URL: in a user or password the characters / ? # @ : %% are written %%2F %%3F %%23 %%40 %%3A %%25", shown(arg))
	}
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	return fmt.Errorf("target %q is neither host:port nor a URL: %w", arg, err)
}

// badScheme answers URLs that are no HTTP.
func badScheme(arg string, u *url.URL) error {
	if strings.HasPrefix(u.Scheme, "grpc") {
		return fmt.Errorf("target %s: that is the gRPC address, profiles are served over HTTP: give http://%s:%s if it is Thanos' default port",
			shown(arg), bracketed(u.Hostname()), defaultPort)
	}
	return fmt.Errorf("target %s: unknown scheme %q, use http:// or https://", shown(arg), u.Scheme)
}

// checkHost looks at host and port.
func checkHost(arg string, u *url.URL) error {
	if u.Hostname() == "" {
		return fmt.Errorf("target %s has no host: localhost:%s if it runs here", shown(arg), defaultPort)
	}
	if strings.HasSuffix(u.Host, ":") {
		return noPort(arg, u)
	}
	if u.Port() == "" {
		return nil
	}
	if n, err := strconv.Atoi(u.Port()); err != nil || n < 1 || n > 65535 {
		return fmt.Errorf("target %s: port %s is none of 1 to 65535", shown(arg), u.Port())
	}
	return nil
}

// noPort says which port to try.
func noPort(arg string, u *url.URL) error {
	return fmt.Errorf("target %s has no port: Thanos serves HTTP on %s by default: %s:%s",
		shown(arg), defaultPort, bracketed(u.Hostname()), defaultPort)
}

// bracketed returns the host as it stands before a port.
func bracketed(host string) string {
	if strings.Contains(host, ":") {
		return "[" + host + "]"
	}
	return host
}

// basePath cuts a path back to the prefix under which the process is served:
// "/thanos/graph", "/thanos/new/graph" and "/thanos/debug/pprof/" are
// "/thanos". What is left is no page either, so that it is found again under its
// name.
func basePath(p string) string {
	for {
		base := withoutPage(p)
		if base == p {
			return p
		}
		p = base
	}
}

// withoutPage cuts one page off a path.
func withoutPage(p string) string {
	p = path.Clean("/" + p)
	if i := servedRE().FindStringIndex(p); i != nil {
		return strings.TrimSuffix(p[:i[0]], "/")
	}
	if slices.Contains(pages, path.Base(p)) {
		p = path.Dir(p)
		if base := path.Base(p); base == "new" || base == "classic" {
			p = path.Dir(p)
		}
	}
	return strings.TrimSuffix(p, "/")
}

// nameOf returns host:port and the prefix; the port that a scheme implies is
// written out, so that a process has one name.
func nameOf(u *url.URL) string {
	port := u.Port()
	switch {
	case port != "":
	case u.Scheme == "https":
		port = "443"
	default:
		port = "80"
	}
	return net.JoinHostPort(strings.ToLower(u.Hostname()), port) + u.Path
}

// shown quotes an argument for people, without user and password.
func shown(arg string) string { return strconv.Quote(Plain(arg)) }

// Plain returns an argument without user, password and query, which may hold a
// token: for people and for commands that they type again.
func Plain(arg string) string {
	arg = withoutUser(arg)
	if i := strings.IndexAny(arg, "?#"); i >= 0 {
		return arg[:i]
	}
	return arg
}

// withoutUser goes by the last @, for an @ in a password may be written as it
// is.
func withoutUser(arg string) string {
	i := strings.LastIndex(arg, "@")
	if i < 0 {
		return arg
	}
	start := 0
	if j := strings.Index(arg, "://"); j >= 0 && j < i {
		start = j + len("://")
	} else if j := strings.Index(arg, "+"); j >= 0 && j < i && strings.HasPrefix(arg, "dns") {
		start = j + 1
	}
	return arg[:start] + arg[i+1:]
}

// Package scrape reads goroutine profiles and facts of one live process over
// HTTP, and does it no harm.
//
// A [Client] looks at one process. [Client.Facts] asks once what it is,
// [Client.Sample] asks again and again what its goroutines do, and
// [Client.FullStacks] takes the one dump that hurts, if the user wants it.
//
// What it promises to the process: one kept-alive connection and one request
// at a time; /metrics before any profile, and no profile where /metrics shows
// that it would cost too much; never debug=2 in a sample. A request that has
// run out of time does not end the work in the process, so limits are checked
// before it is sent.
//
// What it promises to the user: whatever the process answers, a call returns
// within [Options.Timeout] and keeps a bounded number of bytes; credentials go
// to the given host only and into no error; of flags, metrics and stores
// nothing is kept but what decisions read. Every error is an [*Error] that
// names the target, what happened and what to do.
package scrape

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/thanosleak/thanosleak/profile"
)

// DefaultTimeout is the Timeout of [Options] that do not set one.
const DefaultTimeout = 10 * time.Second

// Options are the user's choices for one process.
type Options struct {
	// Timeout bounds each call of a Client as a whole, all its requests
	// together; 0 is DefaultTimeout.
	Timeout time.Duration
	// Force takes profiles whatever they cost the process.
	Force bool
	// LeakProfile takes the goroutineleak profile with every sample, where
	// the process has one. It costs a full garbage collection.
	LeakProfile bool
	// Flags are the names of the flags to keep; see [profile.FlagFilter].
	Flags []string
	// Intern lets the samples of several Clients share what is the same in
	// them; nil is one of the Client's own.
	Intern *profile.Intern
	// UserAgent is sent with every request; empty is "thanosleak".
	UserAgent string
	// Transport sends the requests; nil is one of the Client's own, with a
	// single connection. Another one has to bound connections itself, as that
	// of [HTTPConfig] does.
	Transport http.RoundTripper
}

// A Client reads one process. It is for use by one goroutine at a time.
type Client struct {
	name string
	opts Options
	http *http.Client
	auth *url.Userinfo // nil if the URL had none

	base   *url.URL // as given, without credentials
	server *url.URL // where /metrics and pprof stand: base, or its root

	goVersion string // from Facts; empty if unknown
	life      life
	leaks     leakProfile

	warnings []string
	warned   map[string]bool
}

// New returns a client for the process at base, called name in errors. Neither
// is the network touched nor base changed. Credentials in base are sent as
// basic authentication.
func New(name string, base *url.URL, o Options) *Client {
	o.Timeout = cmp.Or(o.Timeout, DefaultTimeout)
	o.UserAgent = cmp.Or(o.UserAgent, "thanosleak")
	if o.Intern == nil {
		o.Intern = profile.NewIntern()
	}
	if o.Transport == nil {
		o.Transport = newTransport()
	}
	u := &url.URL{Scheme: base.Scheme, Host: base.Host, Path: strings.TrimRight(base.Path, "/")}
	return &Client{
		name: name, opts: o, auth: base.User,
		http: &http.Client{Transport: o.Transport, CheckRedirect: checkRedirect},
		base: u, server: u,
		warned: map[string]bool{},
	}
}

// newTransport returns a transport that keeps to a single connection.
func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            dial,
		MaxConnsPerHost:        1,
		MaxIdleConnsPerHost:    1,
		MaxResponseHeaderBytes: maxHeader,
	}
}

// Close closes the connection to the process.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// Warnings returns what was missing or doubtful in the samples and full stacks
// so far: full sentences, each said once, in the order in which it was met.
// The warnings of Facts are not among them.
func (c *Client) Warnings() []string { return slices.Clone(c.warnings) }

// warn adds a warning unless the same topic was warned of before. The topic
// keeps an answer that changes with every sample from being told every time.
func (c *Client) warn(topic, text string) {
	if !c.warned[topic] {
		c.warned[topic] = true
		c.warnings = append(c.warnings, text)
	}
}

// keptFlags tells whether a flag may be kept.
func (c *Client) keptFlags() func(string) bool { return profile.FlagFilter(c.opts.Flags) }

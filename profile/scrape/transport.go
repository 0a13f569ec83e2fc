package scrape

import (
	"crypto/tls"
	"errors"
	"net/http"
	"sync"

	"github.com/prometheus/common/config"
)

// errNotFollowed is what a redirect gives where follow_redirects is false.
var errNotFollowed = errors.New("it redirects, and follow_redirects is false in --http.config.file")

// Transport returns a transport for one Client ([Options.Transport]), with a
// single connection of its own. It touches neither files nor the network; what
// is wrong with them by then, a request tells.
func (c *HTTPConfig) Transport() http.RoundTripper { return &transport{http: c} }

// A transport sends the requests of one Client.
type transport struct {
	http *HTTPConfig

	mu   sync.Mutex
	next http.RoundTripper // from the first request on
}

// RoundTrip sends a request with what the configuration adds to it.
func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Response != nil && !t.http.config.FollowRedirects {
		return nil, errNotFollowed
	}
	next, err := t.connect(req)
	if err != nil {
		return nil, &credentialsError{readable(err)}
	}
	headers, err := t.http.headers(req)
	if err != nil {
		return nil, err
	}
	req = req.Clone(req.Context())
	req.Header = headers
	return next.RoundTrip(req)
}

// CloseIdleConnections closes the connection.
func (t *transport) CloseIdleConnections() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if c, ok := t.next.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// connect returns what sends requests, which reads certificates again when
// their files change.
func (t *transport) connect(req *http.Request) (http.RoundTripper, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.next != nil {
		return t.next, nil
	}
	certificates, err := config.NewTLSConfigWithContext(req.Context(), &t.http.config.TLSConfig)
	if err != nil {
		return nil, err
	}
	t.next, err = config.NewTLSRoundTripperWithContext(req.Context(), certificates, t.http.tls, func(c *tls.Config) (http.RoundTripper, error) {
		single := newTransport()
		single.TLSClientConfig = c
		single.Proxy = t.http.proxy
		single.ProxyConnectHeader = t.http.config.GetProxyConnectHeader()
		return single, nil
	})
	return t.next, err
}

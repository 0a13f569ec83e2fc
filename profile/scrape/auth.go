package scrape

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/prometheus/common/config"
	"golang.org/x/oauth2"

	"github.com/thanosleak/thanosleak/internal/lazyregexp"
)

// tokenTimeout bounds each connection to a token server.
const tokenTimeout = 10 * time.Second

// prepare builds what the requests need and reads every file once.
func (c *HTTPConfig) prepare() error {
	c.proxy = c.config.Proxy()
	c.tls = config.TLSRoundTripperSettings{
		CA:   secret(c.config.TLSConfig.CA, c.config.TLSConfig.CAFile),
		Cert: secret(c.config.TLSConfig.Cert, c.config.TLSConfig.CertFile),
		Key:  secret(string(c.config.TLSConfig.Key), c.config.TLSConfig.KeyFile),
	}
	if _, err := config.NewTLSConfig(&c.config.TLSConfig); err != nil {
		return err
	}
	c.plain = c.withHeaders(capture{})
	c.all = c.plain
	switch {
	case c.config.Authorization != nil:
		a := c.config.Authorization
		c.all = c.withHeaders(config.NewAuthorizationCredentialsRoundTripper(a.Type, secret(string(a.Credentials), a.CredentialsFile), capture{}))
	case c.config.BasicAuth != nil:
		b := c.config.BasicAuth
		c.all = c.withHeaders(config.NewBasicAuthRoundTripper(secret(b.Username, b.UsernameFile), secret(string(b.Password), b.PasswordFile), capture{}))
	case c.config.OAuth2 != nil:
		if err := c.prepareOAuth2(); err != nil {
			return err
		}
	}
	if c.token != nil {
		return nil
	}
	_, err := headersOf(c.all, probe(&http.Request{URL: &url.URL{}}))
	return err
}

// prepareOAuth2 builds what asks for tokens, and asks for none.
func (c *HTTPConfig) prepareOAuth2() error {
	o := c.config.OAuth2
	o.Proxy() // it remembers the answer, which is no work for several at once
	if _, err := config.NewTLSConfig(&o.TLSConfig); err != nil {
		return err
	}
	credential := secret(string(o.ClientSecret), o.ClientSecretFile)
	if o.ClientCertificateKey != "" || o.ClientCertificateKeyFile != "" {
		credential = secret(string(o.ClientCertificateKey), o.ClientCertificateKeyFile)
	}
	if credential != nil {
		if _, err := credential.Fetch(context.Background()); err != nil {
			return err
		}
	}
	c.token = make(chan struct{}, 1)
	c.all = c.withHeaders(config.NewOAuth2RoundTripper(credential, o, capture{},
		config.WithDialContextFunc(c.dialTokenServer), config.WithKeepAlivesDisabled()))
	return nil
}

// withHeaders adds http_headers, if there are any.
func (c *HTTPConfig) withHeaders(next http.RoundTripper) http.RoundTripper {
	if c.config.HTTPHeaders == nil {
		return next
	}
	return config.NewHeadersRoundTripper(c.config.HTTPHeaders, next)
}

// secret returns what reads a secret; nil if there is none.
func secret(text, file string) config.SecretReader {
	switch {
	case text != "":
		return config.NewInlineSecret(text)
	case file != "":
		return config.NewFileSecret(file)
	}
	return nil
}

// capture stands where the request would be sent: the config package adds
// headers to a request on its way, and they are wanted before, so that what
// goes wrong with them is not taken for the target's fault.
type capture struct{}

func (capture) RoundTrip(req *http.Request) (*http.Response, error) {
	return &http.Response{Request: req, Body: http.NoBody}, nil
}

// probe returns what the config package may keep of a request: asking for a
// token may outlast the request.
func probe(req *http.Request) *http.Request {
	return &http.Request{Method: req.Method, URL: req.URL, Header: req.Header.Clone()}
}

// headersOf returns the headers of a probe with those that rt adds.
func headersOf(rt http.RoundTripper, probe *http.Request) (http.Header, error) {
	resp, err := rt.RoundTrip(probe)
	if err != nil {
		return nil, err
	}
	return resp.Request.Header, resp.Body.Close()
}

// headers returns the headers of req with those of the configuration.
func (c *HTTPConfig) headers(req *http.Request) (http.Header, error) {
	rt := c.all
	if req.Header.Get("Authorization") != "" {
		rt = c.plain // the target has a user of its own
	} else if c.token != nil {
		return c.headersWithToken(req)
	}
	h, err := headersOf(rt, probe(req))
	if err != nil {
		return nil, &credentialsError{readable(err)}
	}
	return h, nil
}

// headersWithToken is headers for as long as the request may take: asking for
// a token heeds no context.
func (c *HTTPConfig) headersWithToken(req *http.Request) (http.Header, error) {
	late := &credentialsError{fmt.Sprintf("no answer in time from the token server (%s)", c.tokenHost())}
	select {
	case c.token <- struct{}{}:
	case <-req.Context().Done():
		return nil, late
	}
	type result struct {
		headers http.Header
		err     error
	}
	got := make(chan result, 1) // nobody may wait any more
	p := probe(req)
	go func() {
		h, err := headersOf(c.all, p)
		<-c.token
		got <- result{h, err}
	}()
	select {
	case r := <-got:
		if r.err != nil {
			return nil, &credentialsError{c.explainToken(r.err)}
		}
		return r.headers, nil
	case <-req.Context().Done():
		return nil, late
	}
}

// dialTokenServer connects for a single exchange, which has to end within
// tokenTimeout. It connects to no other server, since the client's secret
// would follow a redirect there; a proxy has to be trusted.
func (c *HTTPConfig) dialTokenServer(ctx context.Context, network, address string) (net.Conn, error) {
	u, err := url.Parse(c.config.OAuth2.TokenURL)
	if err != nil {
		return nil, err
	}
	if c.config.OAuth2.Proxy() == nil && !strings.EqualFold(address, net.JoinHostPort(u.Hostname(), portOf(u))) {
		return nil, &otherHostError{address}
	}
	ctx, cancel := context.WithTimeout(ctx, tokenTimeout)
	defer cancel()
	conn, err := dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	if err := conn.SetDeadline(time.Now().Add(tokenTimeout)); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return conn, nil
}

// A credentialsError says that a request was not sent, since what it should
// carry could not be had. It holds no error that might be taken for the
// target's.
type credentialsError struct{ cause string }

func (e *credentialsError) Error() string { return e.cause }

// errorCodeRE matches the codes of OAuth2, such as invalid_client.
var errorCodeRE = lazyregexp.New(`^[a-z]+(_[a-z]+)+$`)

// explainToken says why there is no token. Answers of token servers are not
// repeated, since they may repeat secrets.
func (c *HTTPConfig) explainToken(err error) string {
	if _, ok := errors.AsType[*fs.PathError](err); ok {
		return readable(err)
	}
	said := "no token from the token server (" + c.tokenHost() + ")"
	if e, ok := errors.AsType[*oauth2.RetrieveError](err); ok && e.Response != nil {
		said = fmt.Sprintf("%s: it answers %d %s", said, e.Response.StatusCode, http.StatusText(e.Response.StatusCode))
		if errorCodeRE().MatchString(e.ErrorCode) {
			said += " (" + clean(e.ErrorCode, 40) + ")"
		}
		return said
	}
	if e, ok := errors.AsType[*url.Error](err); ok {
		return said + ": " + clean(e.Err.Error(), 200)
	}
	return said + ": its answer has none, or the client's key is not valid"
}

// tokenHost returns the token server's host and port.
func (c *HTTPConfig) tokenHost() string {
	u, err := url.Parse(c.config.OAuth2.TokenURL)
	if err != nil {
		return "token_url"
	}
	return clean(u.Host, 100)
}

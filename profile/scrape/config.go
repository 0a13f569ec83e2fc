package scrape

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/prometheus/common/config"
	"go.yaml.in/yaml/v3"

	"github.com/thanosleak/thanosleak/internal/lazyregexp"
)

// maxConfig bounds the file of LoadHTTPConfig, in bytes: certificates may
// stand in it.
const maxConfig = 1 << 20

// configHelp is where the keys are explained.
const configHelp = "The keys are those of Prometheus: https://prometheus.io/docs/prometheus/latest/configuration/configuration/#http_config"

// An HTTPConfig is how processes want to be asked: TLS, credentials, headers
// and proxies. It is for use by any number of Clients at a time.
//
// It adds what it is told to every request of the Clients that use its
// Transport, which send requests to the host of their target only, wherever
// that redirects to. A user in a target's URL takes the place of the
// credentials in the file, since it is said of that target alone; headers and
// TLS stay. Certificates, keys and files with credentials are read again when
// they change; the file itself is not.
//
// Two things differ from Prometheus: enable_http2 makes no difference, since a
// Client asks one thing at a time, and secret managers (*_ref) are refused. As
// there, proxies come from the environment only with proxy_from_environment.
type HTTPConfig struct {
	config config.HTTPClientConfig
	proxy  func(*http.Request) (*url.URL, error) // nil for none
	tls    config.TLSRoundTripperSettings

	// What adds headers to a request, and what adds those without credentials.
	all, plain http.RoundTripper
	// token is held while a token is asked for, so that one is for all; nil
	// without oauth2.
	token chan struct{}
}

// LoadHTTPConfig reads a file in the form of Prometheus' http_config. Relative
// paths in it are relative to the file. All that can be checked without a
// network is: keys, what excludes each other, and that the files it names can
// be read. An error names the file, the line where it is known, and what is
// wrong; it repeats nothing of the file but names of keys and files, so that
// it is safe to print.
func LoadHTTPConfig(file string) (*HTTPConfig, error) {
	content, err := readConfig(file)
	if err != nil {
		return nil, err
	}
	parsed, err := config.LoadHTTPConfig(string(content))
	if err != nil {
		return nil, configError(file, err)
	}
	c := &HTTPConfig{config: *parsed}
	if err := c.setDirectory(file); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if err := c.prepare(); err != nil {
		return nil, fmt.Errorf("%s: %s", file, readable(err))
	}
	return c, nil
}

// readConfig returns the content of the file, which has something in it.
func readConfig(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, errors.New(readable(err))
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxConfig+1))
	if err != nil {
		return nil, errors.New(readable(err))
	}
	if len(content) > maxConfig {
		return nil, fmt.Errorf("%s: larger than %d KiB, which is no http_config", file, maxConfig>>10)
	}
	var doc yaml.Node
	// The parser of the config package tells what is wrong with it.
	if err := yaml.Unmarshal(content, &doc); err == nil && doc.Kind == 0 {
		return nil, fmt.Errorf("%s: nothing in it. %s", file, configHelp)
	}
	return content, nil
}

// setDirectory makes the paths absolute.
func (c *HTTPConfig) setDirectory(file string) error {
	dir, err := filepath.Abs(filepath.Dir(file))
	if err != nil {
		return err
	}
	c.config.SetDirectory(dir)
	if o := c.config.OAuth2; o != nil {
		// The config package forgets this one.
		o.ClientCertificateKeyFile = config.JoinDir(dir, o.ClientCertificateKeyFile)
	}
	return nil
}

// check refuses what parses and cannot work.
func (c *HTTPConfig) check() error {
	if key := c.reference(); key != "" {
		return fmt.Errorf("%s names a secret of a secret manager, which thanosleak does not have: use the key that ends in _file", key)
	}
	if p := c.config.ProxyURL.URL; p != nil && p.String() != "" {
		if !slices.Contains([]string{"http", "https", "socks5", "socks5h"}, p.Scheme) || p.Host == "" {
			return errors.New("proxy_url: want http://HOST:PORT, or https, socks5 or socks5h in place of http")
		}
	}
	if o := c.config.OAuth2; o != nil {
		u, err := url.Parse(o.TokenURL)
		if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
			return errors.New("oauth2 token_url: want http://HOST/PATH or https://HOST/PATH")
		}
	}
	return nil
}

// reference returns the first key that names a secret of a secret manager;
// empty if there is none.
func (c *HTTPConfig) reference() string {
	refs := tlsReferences("", c.config.TLSConfig)
	if b := c.config.BasicAuth; b != nil {
		refs = append(refs, [2]string{"username_ref", b.UsernameRef}, [2]string{"password_ref", b.PasswordRef})
	}
	if a := c.config.Authorization; a != nil {
		refs = append(refs, [2]string{"credentials_ref", a.CredentialsRef})
	}
	if o := c.config.OAuth2; o != nil {
		refs = append(refs, [2]string{"oauth2 client_secret_ref", o.ClientSecretRef}, [2]string{"oauth2 client_certificate_key_ref", o.ClientCertificateKeyRef})
		refs = append(refs, tlsReferences("oauth2 ", o.TLSConfig)...)
	}
	for _, ref := range refs {
		if ref[1] != "" {
			return ref[0]
		}
	}
	return ""
}

// tlsReferences returns keys and values of a tls_config.
func tlsReferences(of string, t config.TLSConfig) [][2]string {
	return [][2]string{{of + "ca_ref", t.CARef}, {of + "cert_ref", t.CertRef}, {of + "key_ref", t.KeyRef}}
}

// What may be said of an error of the config package: its own words about what
// excludes each other, which have nothing of the file in them. The others
// quote values, which may be secrets, or in a broken file be taken for keys.
var (
	rulesRE   = lazyregexp.New(`^(at most one of|exactly one of|authorization (type|is)|oauth2 |valid signature|setting header|if [a-z_]+ is configured)`)
	unknownRE = lazyregexp.New(`line (\d+): field .* not found in type`)
	twiceRE   = lazyregexp.New(`line (\d+): (field .* already set|key .* already set|mapping key)`)
	kindRE    = lazyregexp.New(`line (\d+): cannot unmarshal`)
	lineRE    = lazyregexp.New(`^yaml: line (\d+): `)
)

// configError says what is wrong with the content of the file.
func configError(file string, err error) error {
	text := err.Error()
	if rulesRE().MatchString(text) {
		return fmt.Errorf("%s: %s", file, clean(text, 300))
	}
	for _, known := range []struct {
		re    *regexp.Regexp
		cause string
	}{
		{unknownRE(), "unknown key. " + configHelp},
		{twiceRE(), "a key stands twice"},
		{kindRE(), "a value of another kind than its key has. " + configHelp},
		{lineRE(), "no YAML. A value with special characters stands in quotes"},
	} {
		if m := known.re.FindStringSubmatch(text); m != nil {
			return fmt.Errorf("%s:%s: %s", file, m[1], known.cause)
		}
	}
	if strings.HasPrefix(text, "unknown TLS version") {
		return fmt.Errorf("%s: min_version, max_version: want TLS10, TLS11, TLS12 or TLS13", file)
	}
	if _, ok := errors.AsType[*url.Error](err); ok {
		return fmt.Errorf("%s: proxy_url is no URL: want http://HOST:PORT", file)
	}
	return fmt.Errorf("%s: no http_config. %s", file, configHelp)
}

// readable says why a file cannot be read, by the system's own words where
// there are any.
func readable(err error) string {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return clean(fmt.Sprintf("%s cannot be read: %v", e.Path, e.Err), 300)
	}
	return clean(err.Error(), 300)
}

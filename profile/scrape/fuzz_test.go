package scrape

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
)

// FuzzHTTPConfig checks that an error of a file with credentials begins with its
// name, is fit for a terminal and shows nothing that may be a secret, and that
// what is accepted can be used.
func FuzzHTTPConfig(f *testing.F) {
	for _, text := range []string{
		"basic_auth:\n  username: ann\n  password: hunter2\n",
		"authorization: {type: Bearer, credentials: hunter2}\ntls_config: {insecure_skip_verify: true, server_name: h, min_version: TLS12}\n",
		"oauth2: {client_id: a, client_secret: hunter2, token_url: 'http://h/t', scopes: [a], endpoint_params: {a: hunter2}}\n",
		"proxy_url: 'http://ann:hunter2@h:1'\nno_proxy: 10.0.0.0/8\nproxy_connect_header: {X: [hunter2]}\n",
		"http_headers: {X-Key: {secrets: [hunter2], values: [a]}}\nfollow_redirects: false\nenable_http2: false\n",
		"proxy_from_environment: true\nbearer_token: hunter2\n",
	} {
		f.Add([]byte(text))
	}
	file := filepath.Join(f.TempDir(), "http.yml")
	f.Fuzz(func(t *testing.T, data []byte) {
		if strings.Contains(string(data), "file") {
			return // no file of this machine is to be read
		}
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := LoadHTTPConfig(file)
		if err != nil {
			text := err.Error()
			if c != nil || !strings.HasPrefix(text, file+":") {
				t.Errorf("%v and error %q", c, text)
			}
			if strings.ContainsFunc(text, unicode.IsControl) || strings.Contains(text, "hunter2") {
				t.Errorf("%q is told", text)
			}
			return
		}
		if c.token != nil {
			return // headers need an answer of the token server
		}
		h, err := c.headers(httptest.NewRequest(http.MethodGet, "http://h:1/metrics", nil))
		if err != nil || h == nil {
			t.Errorf("headers %v and error %v", h, err)
		}
	})
}

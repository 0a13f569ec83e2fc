package scrape

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// configFile writes a configuration and the files beside it into a folder and
// returns the configuration's name.
func configFile(t *testing.T, text string, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	put(t, dir, "http.yml", text)
	for name, content := range files {
		put(t, dir, name, content)
	}
	return filepath.Join(dir, "http.yml")
}

func put(t *testing.T, dir, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// load returns the configuration of a file, which has to be a good one.
func load(t *testing.T, file string) *HTTPConfig {
	t.Helper()
	c, err := LoadHTTPConfig(file)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestLoadErrors(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"unknown key", "basic_auth:\n  username: ann\n  passwort: hunter2\n", "http.yml:3: unknown key. The keys are those of Prometheus: https://"},
		{"wrong kind", "basic_auth: hunter2\n", "http.yml:1: a value of another kind"},
		{"whole file", "hunter2", "http.yml:1: a value of another kind"},
		{"twice", "bearer_token: hunter2\nbearer_token: hunter2\n", "http.yml:2: a key stands twice"},
		{"no YAML", "bearer_token: hunter2: hunter2\n", "http.yml: no http_config"},
		{"no YAML in a line", "basic_auth:\n  password: \"hunter2\nusername: x\n", "http.yml:4: no YAML. A value with special"},
		{"anchor", "bearer_token: *hunter2\n", "http.yml: no http_config"},
		{"empty", "", "http.yml: nothing in it. The keys are those"},
		{"comments", "# bearer_token: hunter2\n", "http.yml: nothing in it"},
		{"exclude each other", "basic_auth: {username: ann, password: hunter2}\nauthorization: {credentials: hunter2}\n", "http.yml: at most one of basic_auth, oauth2 & authorization must be configured"},
		{"type", "authorization: {type: basic, credentials: hunter2}\n", `authorization type cannot be set to "basic"`},
		{"key without certificate", "tls_config: {key: hunter2}\n", "exactly one of cert or cert_file"},
		{"TLS version", "tls_config: {min_version: hunter2}\n", "want TLS10, TLS11, TLS12 or TLS13"},
		{"TLS versions", "tls_config: {min_version: TLS13, max_version: TLS12}\n", "max_version must be greater"},
		{"header", "http_headers: {Authorization: {secrets: [hunter2]}}\n", `setting header "Authorization" is not allowed`},
		{"no proxy", "no_proxy: hunter2\n", "if no_proxy is configured, proxy_url must"},
		{"proxy is no URL", "proxy_url: 'http://ann:hunter2@%zz'\n", "proxy_url is no URL"},
		{"proxy without scheme", "proxy_url: 'hunter2:3128'\n", "proxy_url"},
		{"proxy scheme", "proxy_url: 'ftp://ann:hunter2@h:1'\n", "proxy_url: want http://HOST:PORT"},
		{"token URL", "oauth2: {client_id: a, client_secret: hunter2, token_url: 'http://ann:hunter2@%zz'}\n", "oauth2 token_url: want http"},
		{"token URL without host", "oauth2: {client_id: a, client_secret: hunter2, token_url: 'hunter2'}\n", "oauth2 token_url: want http"},
		{"client id", "oauth2: {client_secret: hunter2}\n", "oauth2 client_id must be"},
		{"certificate", "tls_config: {cert: hunter2, key: hunter2}\n", "unable to use specified client cert (inline)"},
		{"CA", "tls_config: {ca: hunter2}\n", "unable to use specified CA cert inline"},
		{"CA of the token server", "oauth2: {client_id: a, token_url: 'http://h', tls_config: {ca: hunter2}}\n", "unable to use specified CA cert inline"},
		{"no password file", "basic_auth: {username: hunter2, password_file: gone}\n", "gone cannot be read: "},
		{"no credentials file", "authorization: {credentials_file: gone}\n", "gone cannot be read: "},
		{"no header file", "http_headers: {X-Key: {files: [gone]}}\n", "gone cannot be read: "},
		{"no CA file", "tls_config: {ca_file: gone}\n", "gone cannot be read: "},
		{"no client secret file", "oauth2: {client_id: a, token_url: 'http://h', client_secret_file: gone}\n", "gone cannot be read: "},
		{"no client key file", "oauth2: {client_id: a, token_url: 'http://h', client_certificate_key_file: gone, grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer'}\n", "gone cannot be read: "},
		{"secret manager", "basic_auth: {username: a, password_ref: hunter2}\n", "password_ref names a secret of a secret manager"},
		{"secret manager, authorization", "authorization: {credentials_ref: hunter2}\n", "credentials_ref names"},
		{"secret manager, TLS", "tls_config: {cert: a, key_ref: hunter2}\n", "key_ref names"},
		{"secret manager, token", "oauth2: {client_id: a, token_url: 'http://h', client_secret_ref: hunter2}\n", "oauth2 client_secret_ref names"},
		{"too large", "bearer_token: " + strings.Repeat("hunter2", maxConfig/7) + "\n", "http.yml: larger than 1024 KiB"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			file := configFile(t, tc.text, nil)
			_, err := LoadHTTPConfig(file)
			if err == nil {
				t.Fatal("no error")
			}
			contains(t, err.Error(), file, tc.want)
			for e := err; e != nil; {
				if said := fmt.Sprintf("%v %+v", e, e); strings.Contains(said, "hunter2") || strings.Contains(said, "ann:") {
					t.Errorf("shows the secret: %s", said)
				}
				u, ok := e.(interface{ Unwrap() error })
				if !ok {
					break
				}
				e = u.Unwrap()
			}
			if strings.Count(err.Error(), "\n") > 0 {
				t.Errorf("%q has several lines", err)
			}
		})
	}
}

func TestLoadMissingFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "gone.yml")
	_, err := LoadHTTPConfig(file)
	if err == nil || strings.Count(err.Error(), "gone.yml") != 1 {
		t.Fatalf("error %v", err)
	}
	contains(t, err.Error(), file, "cannot be read")
}

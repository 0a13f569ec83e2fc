package scrape

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// basic returns the header of a user and a password.
func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// tokenServer gives out a token to the client ann with the password hunter2
// and counts how often it was asked.
func tokenServer(t *testing.T) (address string, asked *atomic.Int64) {
	t.Helper()
	asked = new(atomic.Int64)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		w.Header().Set("Content-Type", "application/json")
		if id, password, _ := r.BasicAuth(); id != "ann" || password != "hunter2" {
			// Some servers repeat what they were sent.
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprintf(w, `{"error": "invalid_client", "error_description": "%s:%s is wrong"}`, id, password)
			return
		}
		fmt.Fprint(w, `{"access_token": "hunter2-token", "token_type": "Bearer", "expires_in": 3600}`)
	}))
	t.Cleanup(srv.Close)
	return srv.URL + "/token", asked
}

// oauth returns a configuration with a token server.
func oauth(address, password string) string {
	return fmt.Sprintf("oauth2: {client_id: ann, client_secret: %s, token_url: %s}\n", password, address)
}

func TestCredentialsAreSent(t *testing.T) {
	tokens, _ := tokenServer(t)
	files := map[string]string{"user": "ann\n", "password": "hunter2\n"}
	for _, tc := range []struct{ name, config, want string }{
		{"basic", "basic_auth: {username: ann, password: hunter2}", basic("ann", "hunter2")},
		{"basic, files", "basic_auth: {username_file: user, password_file: password}", basic("ann", "hunter2")},
		{"basic, user alone", "basic_auth: {username: ann}", basic("ann", "")},
		{"authorization", "authorization: {type: Key, credentials: hunter2}", "Key hunter2"},
		{"authorization, file", "authorization: {credentials_file: password}", "Bearer hunter2"},
		{"bearer", "bearer_token: hunter2", "Bearer hunter2"},
		{"bearer, file", "bearer_token_file: password", "Bearer hunter2"},
		{"OAuth2", oauth(tokens, "hunter2"), "Bearer hunter2-token"},
		{"OAuth2, file", "oauth2: {client_id: ann, client_secret_file: password, token_url: '" + tokens + "'}", "Bearer hunter2-token"},
		{"none", "enable_http2: false", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := newProcess(t)
			p.api("")
			c := load(t, configFile(t, tc.config+"\nhttp_headers:\n  X-Tenant: {values: [a]}\n  X-Key: {secrets: [s], files: [password]}\n", files))
			probe := client(t, p.url, Options{Transport: c.Transport()})
			if _, _, err := probe.Sample(t.Context()); err != nil {
				t.Fatal(err)
			}
			if _, _, err := probe.Facts(t.Context()); err != nil {
				t.Fatal(err)
			}
			sent := p.sent()
			if len(sent) != 5 || p.conns != 1 {
				t.Errorf("%d requests on %d connections", len(sent), p.conns)
			}
			for _, h := range sent {
				if h.Get("Authorization") != tc.want {
					t.Errorf("Authorization %q, want %q", h.Get("Authorization"), tc.want)
				}
				if h.Get("X-Tenant") != "a" || strings.Join(h.Values("X-Key"), " ") != "s hunter2" || h.Get("User-Agent") != "thanosleak" {
					t.Errorf("headers %v", h)
				}
			}
		})
	}
}

// What is said of one target alone takes the place of what is said of all.
func TestUserInTheAddressWins(t *testing.T) {
	tokens, asked := tokenServer(t)
	for _, text := range []string{"basic_auth: {username: ann, password: other}", "bearer_token: other", oauth(tokens, "hunter2")} {
		p := newProcess(t)
		u := *p.url
		u.User = url.UserPassword("bob", "secret")
		c := load(t, configFile(t, text+"\nhttp_headers: {X-Tenant: {values: [a]}}\n", nil))
		if _, _, err := client(t, &u, Options{Transport: c.Transport()}).Sample(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, h := range p.sent() {
			if h.Get("Authorization") != basic("bob", "secret") || h.Get("X-Tenant") != "a" {
				t.Errorf("%s: headers %v", text, h)
			}
		}
	}
	if asked.Load() != 0 {
		t.Errorf("%d tokens were asked for", asked.Load())
	}
}

// Tokens of service accounts are rotated while a scan runs.
func TestCredentialsThatChange(t *testing.T) {
	p := newProcess(t)
	file := configFile(t, "authorization: {credentials_file: token}", map[string]string{"token": "first"})
	probe := client(t, p.url, Options{Transport: load(t, file).Transport()})
	for _, token := range []string{"first", "second"} {
		put(t, filepath.Dir(file), "token", token+"\n")
		if _, _, err := probe.Sample(t.Context()); err != nil {
			t.Fatal(err)
		}
		for _, h := range p.sent() {
			if h.Get("Authorization") != "Bearer "+token {
				t.Errorf("Authorization %q, want that of %q", h.Get("Authorization"), token)
			}
		}
	}
	if p.conns != 1 {
		t.Errorf("%d connections", p.conns)
	}
}

// All targets share a token, and nobody asks for another one at the same time.
func TestOneTokenForAll(t *testing.T) {
	tokens, asked := tokenServer(t)
	p := newProcess(t)
	c := load(t, configFile(t, oauth(tokens, "hunter2"), nil))
	var wg sync.WaitGroup
	for range 8 {
		probe := client(t, p.url, Options{Transport: c.Transport()})
		wg.Go(func() {
			if _, _, err := probe.Sample(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if asked.Load() != 1 {
		t.Errorf("%d tokens were asked for", asked.Load())
	}
}

func TestNoCredentials(t *testing.T) {
	tokens, _ := tokenServer(t)
	empty := httptest.NewServer(page(`{"hunter2": "hunter2"}`))
	t.Cleanup(empty.Close)
	other, asked := tokenServer(t)
	moved := httptest.NewServer(http.RedirectHandler(other, http.StatusTemporaryRedirect))
	t.Cleanup(moved.Close)
	p := newProcess(t)
	for _, tc := range []struct{ name, config, want string }{
		{"token server redirects", oauth(moved.URL, "hunter2"), "redirects to " + strings.TrimPrefix(strings.TrimSuffix(other, "/token"), "http://")},
		{"wrong secret", oauth(tokens, "hunter2x"), "no token from the token server (127.0.0.1:"},
		{"wrong secret, code", oauth(tokens, "hunter2x"), "it answers 401 Unauthorized (invalid_client)"},
		{"no token", oauth(empty.URL, "hunter2"), "its answer has none"},
		{"refused", oauth("http://ann:hunter2@"+closedPort(t), "hunter2"), "connect"},
		{"no HTTP", oauth("http://"+listen(t, false, "nonsense"), "hunter2"), "token server"},
		{"no key", "oauth2: {client_id: ann, client_certificate_key: hunter2, token_url: '" + tokens + "', grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer'}", "the client's key is not valid"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := load(t, configFile(t, tc.config, nil))
			_, _, err := client(t, p.url, Options{Transport: c.Transport()}).Sample(t.Context())
			if err == nil {
				t.Fatal("no error")
			}
			contains(t, err.Error(), "target: not asked, since its credentials could not be had: ", tc.want, "Look at --http.config.file.")
			if said := fmt.Sprintf("%v %+v", err, err); strings.Contains(said, "hunter2") {
				t.Errorf("shows the secret: %s", said)
			}
		})
	}
	if sent := p.sent(); len(sent) != 0 {
		t.Errorf("the process was asked without credentials: %v", sent)
	}
	if asked.Load() > 0 {
		t.Error("another server was sent the client's secret")
	}
}

func TestCredentialsFileThatGoes(t *testing.T) {
	p := newProcess(t)
	file := configFile(t, "authorization: {credentials_file: token}", map[string]string{"token": "hunter2"})
	probe := client(t, p.url, Options{Transport: load(t, file).Transport()})
	remove(t, filepath.Dir(file), "token")
	_, _, err := probe.Sample(t.Context())
	if err == nil {
		t.Fatal("no error")
	}
	contains(t, err.Error(), "credentials could not be had: ", filepath.Join(filepath.Dir(file), "token")+" cannot be read: ")
	put(t, filepath.Dir(file), "token", "hunter2")
	if _, _, err := probe.Sample(t.Context()); err != nil {
		t.Errorf("it is there again: %v", err)
	}
}

// A token server that hangs does not hold a call for longer than its time-out.
func TestTokenServerThatHangs(t *testing.T) {
	release := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		<-release
	}))
	t.Cleanup(srv.Close)
	t.Cleanup(func() { close(release) })
	p := newProcess(t)
	c := load(t, configFile(t, oauth(srv.URL, "hunter2"), nil))
	// The second one waits for the first one's token.
	for range 2 {
		_, _, err := client(t, p.url, Options{Transport: c.Transport(), Timeout: 20 * time.Millisecond}).Sample(t.Context())
		if err == nil {
			t.Fatal("no error")
		}
		contains(t, err.Error(), "no answer in time from the token server ("+strings.TrimPrefix(srv.URL, "http://")+")")
	}
}

func TestStatusWithCredentials(t *testing.T) {
	for _, tc := range []struct {
		name, config string
		user         *url.Userinfo
		status       int
		want         []string
	}{
		{"401, none", "", nil, 401, []string{"wants a login", "Give one in --http.config.file, or in the address"}},
		{"401, file", "bearer_token: hunter2", nil, 401, []string{"does not take the credentials of --http.config.file", "Correct them there."}},
		{"401, address", "bearer_token: hunter2", url.UserPassword("ann", "hunter2"), 401, []string{"user or password is wrong", "Correct them in the address"}},
		{"403, none", "", nil, 403, []string{"keeps it away", "--http.config.file"}},
		{"403, file", "bearer_token: hunter2", nil, 403, []string{"these credentials may not read this"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := newProcess(t)
			p.set("/metrics", status(tc.status, "hunter2"))
			u := *p.url
			u.User = tc.user
			var o Options
			if tc.config != "" {
				o.Transport = load(t, configFile(t, tc.config, nil)).Transport()
			}
			_, _, err := client(t, &u, o).Sample(t.Context())
			if err == nil {
				t.Fatal("no error")
			}
			contains(t, err.Error(), tc.want...)
			if said := fmt.Sprintf("%v %+v", err, err); strings.Contains(said, "hunter2") {
				t.Errorf("shows the secret: %s", said)
			}
		})
	}
}

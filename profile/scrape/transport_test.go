package scrape

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

func remove(t *testing.T, dir, name string) {
	t.Helper()
	if err := os.Remove(filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
}

// indent makes a value of several lines one of YAML.
func indent(s string) string { return strings.ReplaceAll("|\n"+s, "\n", "\n    ") }

const tlsFiles = "tls_config: {ca_file: ca.pem, cert_file: client.pem, key_file: client.key}\n"

func TestClientCertificate(t *testing.T) {
	ca, clients := newAuthority(t), newAuthority(t)
	p := startProcess(t, ca.server(t, clients))
	cert, key := clients.client(t)
	files := map[string]string{"ca.pem": ca.pem, "client.pem": cert, "client.key": key}
	inline := fmt.Sprintf("tls_config:\n  ca: %s\n  cert: %s\n  key: %s\n", indent(ca.pem), indent(cert), indent(key))
	for _, tc := range []struct{ name, config, err string }{
		{"files", tlsFiles, ""},
		{"inline", inline, ""},
		{"no check of the server", "tls_config: {insecure_skip_verify: true, cert_file: client.pem, key_file: client.key}", ""},
		{"no certificate", "tls_config: {ca_file: ca.pem}", "cert_file and key_file of tls_config in --http.config.file"},
		{"other authority", "tls_config: {cert_file: client.pem, key_file: client.key}", "ca_file of tls_config"},
		{"other name", "tls_config: {ca_file: ca.pem, server_name: thanos.example.com, cert_file: client.pem, key_file: client.key}", "another name"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := load(t, configFile(t, tc.config, files))
			_, _, err := client(t, p.url, Options{Transport: c.Transport()}).Sample(t.Context())
			if (err == nil) != (tc.err == "") {
				t.Fatalf("error %v, want %q", err, tc.err)
			}
			if err != nil {
				contains(t, err.Error(), tc.err)
			}
		})
	}
}

func TestCertificatesThatChange(t *testing.T) {
	ca, clients, others := newAuthority(t), newAuthority(t), newAuthority(t)
	p := startProcess(t, ca.server(t, clients))
	cert, key := clients.client(t)
	file := configFile(t, tlsFiles, map[string]string{"ca.pem": ca.pem, "client.pem": cert, "client.key": key})
	dir := filepath.Dir(file)
	probe := client(t, p.url, Options{Transport: load(t, file).Transport()})
	sample := func(want string) {
		t.Helper()
		_, _, err := probe.Sample(t.Context())
		if (err == nil) != (want == "") {
			t.Fatalf("error %v, want %q", err, want)
		}
		if err != nil {
			contains(t, err.Error(), want)
		}
	}
	sample("")
	wrong, wrongKey := others.client(t)
	put(t, dir, "client.pem", wrong)
	sample("private key does not match public key")
	put(t, dir, "client.key", wrongKey)
	sample("refuses the TLS handshake")
	put(t, dir, "client.pem", cert)
	put(t, dir, "client.key", key)
	sample("")
	put(t, dir, "ca.pem", others.pem)
	sample("signed by an unknown authority")
	remove(t, dir, "ca.pem")
	sample("ca.pem cannot be read: ")
	put(t, dir, "ca.pem", ca.pem)
	sample("")
}

// However many requests there are at a time, a transport has one connection.
func TestOneConnection(t *testing.T) {
	ca := newAuthority(t)
	for _, p := range []*process{newProcess(t), startProcess(t, ca.server(t, nil))} {
		rt := load(t, configFile(t, "tls_config: {ca_file: ca.pem}", map[string]string{"ca.pem": ca.pem})).Transport()
		c := &http.Client{Transport: rt}
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				resp, err := c.Get(p.url.String() + "/metrics")
				if err != nil {
					t.Error(err)
					return
				}
				drain(resp.Body)
			})
		}
		wg.Wait()
		c.CloseIdleConnections()
		if p.conns != 1 || len(p.sent()) != 8 {
			t.Errorf("%s: %d connections", p.url, p.conns)
		}
	}
}

// Whatever redirects, credentials and headers go to the target only.
func TestCredentialsStayAtTheTarget(t *testing.T) {
	ca := newAuthority(t)
	other, secure := newProcess(t), startProcess(t, ca.server(t, nil))
	tokens, _ := tokenServer(t)
	for name, text := range map[string]string{
		"basic":   "basic_auth: {username: ann, password: hunter2}\n",
		"bearer":  "bearer_token: hunter2\n",
		"OAuth2":  oauth(tokens, "hunter2"),
		"headers": "http_headers: {X-Api-Key: {secrets: [hunter2]}, Cookie: {secrets: [hunter2]}}\n",
	} {
		t.Run(name, func(t *testing.T) {
			c := load(t, configFile(t, text+"tls_config: {ca_file: ca.pem}\n", map[string]string{"ca.pem": ca.pem}))
			for _, to := range []string{
				other.url.String(),
				secure.url.String(),
				strings.Replace(other.url.String(), "127.0.0.1", "localhost", 1),
				strings.Replace(other.url.String(), "http://", "http://ann:hunter2@", 1),
			} {
				p := newProcess(t)
				p.set("/debug/pprof/goroutine", redirect(to+"/debug/pprof/goroutine"))
				p.set("/", redirect(to+"/graph"))
				probe := client(t, p.url, Options{Transport: c.Transport()})
				_, _, err := probe.Sample(t.Context())
				if err == nil {
					t.Fatal("no error")
				}
				contains(t, err.Error(), "redirects to another host", "not followed")
				_, warnings, factsErr := probe.Facts(t.Context())
				if said := fmt.Sprintf("%v %+v %v %v", err, err, warnings, factsErr); strings.Contains(said, "hunter2") {
					t.Errorf("shows the secret: %s", said)
				}
			}
			if n := len(other.sent()) + len(secure.sent()); n > 0 {
				t.Errorf("the other hosts got %d requests", n)
			}
		})
	}
}

func TestFollowRedirects(t *testing.T) {
	for _, follow := range []bool{true, false} {
		p := newProcess(t)
		p.set("/debug/pprof/goroutine", redirect("/moved"))
		p.set("/moved", goroutines)
		c := load(t, configFile(t, fmt.Sprintf("bearer_token: hunter2\nfollow_redirects: %v\n", follow), nil))
		_, _, err := client(t, p.url, Options{Transport: c.Transport()}).Sample(t.Context())
		if (err == nil) != follow {
			t.Errorf("follow_redirects %v: error %v", follow, err)
		}
		if err != nil {
			contains(t, err.Error(), "follow_redirects is false in --http.config.file", "Give the address that it redirects to.")
		}
		for _, h := range p.sent() {
			if h.Get("Authorization") != "Bearer hunter2" {
				t.Errorf("headers %v", h)
			}
		}
	}
}

// Servers of another kind are told apart with a configuration as without.
func TestWrongDoorWithConfiguration(t *testing.T) {
	c := load(t, configFile(t, "bearer_token: hunter2", nil))
	wrongDoor(t, "http://"+listen(t, true, settings), Options{Transport: c.Transport()}, "gRPC port", "--http-address")
	wrongDoor(t, "http://"+closedPort(t), Options{Transport: c.Transport()}, "connection refused")
}

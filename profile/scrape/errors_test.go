package scrape

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// listen answers each connection with fixed bytes after the first request has
// come, and returns its address.
func listen(t *testing.T, first bool, answer string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			if first {
				_, _ = io.WriteString(conn, answer)
			}
			_, _ = conn.Read(make([]byte, 4096))
			if !first {
				_, _ = io.WriteString(conn, answer)
			}
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	return l.Addr().String()
}

// settings is the HTTP/2 frame that a gRPC server sends first.
const settings = "\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x05\x00\x00\x40\x00"

// tlsServer serves nothing, with TLS, and keeps what it logs to itself.
func tlsServer(t *testing.T, config *tls.Config) *httptest.Server {
	t.Helper()
	srv := httptest.NewUnstartedServer(http.NotFoundHandler())
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.TLS = config
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return srv
}

// closedPort returns an address at which nothing listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	// The near end of a connection is in use, so that nobody else listens on
	// its port while the test runs.
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = conn.Close(), l.Close() })
	return conn.LocalAddr().String()
}

// wrongDoor asks for a sample and for facts, which have to fail with the same
// words.
func wrongDoor(t *testing.T, base string, o Options, want ...string) {
	t.Helper()
	c := client(t, parse(t, base), o)
	_, _, err := c.Sample(t.Context())
	e, ok := errors.AsType[*Error](err)
	if !ok {
		t.Fatalf("error %v, want an *Error", err)
	}
	if e.Target != "target" || !strings.HasPrefix(e.Error(), "target: "+e.Cause+". ") || !strings.HasPrefix(e.URL, base) {
		t.Errorf("error %+v", e)
	}
	contains(t, err.Error(), want...)
	if _, _, err := c.Facts(t.Context()); err == nil {
		t.Error("facts without an error")
	} else {
		contains(t, err.Error(), want...)
	}
}

func TestGRPCPort(t *testing.T) {
	for _, first := range []bool{true, false} {
		t.Run(fmt.Sprintf("settings first %v", first), func(t *testing.T) {
			wrongDoor(t, "http://"+listen(t, first, settings), Options{}, "gRPC port", "--http-address", "10902")
		})
	}
	t.Run("https", func(t *testing.T) {
		wrongDoor(t, "https://"+listen(t, true, settings), Options{}, "gRPC port", "10902")
	})
	t.Run("through another transport", func(t *testing.T) {
		wrongDoor(t, "http://"+listen(t, false, settings), Options{Transport: &http.Transport{}}, "gRPC port", "10902")
	})
	t.Run("over HTTP/2", func(t *testing.T) {
		p := newProcess(t)
		p.set("/metrics", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/grpc")
			w.WriteHeader(http.StatusUnsupportedMediaType)
		})
		_, _, err := client(t, p.url, Options{}).Sample(t.Context())
		if err == nil {
			t.Fatal("no error")
		}
		contains(t, err.Error(), "gRPC port")
	})
}

func TestNoHTTP(t *testing.T) {
	for _, tc := range []struct{ name, answer, want string }{
		{"another protocol", "SSH-2.0-OpenSSH_9.6\r\n", "does not speak HTTP"},
		{"nothing", "", "closed without an answer"},
		{"TLS alert", "\x15\x03\x01\x00\x02\x02\x46", "port with TLS, asked with http://"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			wrongDoor(t, "http://"+listen(t, false, tc.answer), Options{}, tc.want)
		})
	}
}

func TestTLSAgainstPlain(t *testing.T) {
	p := newProcess(t)
	wrongDoor(t, "https://"+p.url.Host, Options{}, "without TLS", "http:// in place of https://")
	wrongDoor(t, "https://"+listen(t, false, "nonsense"), Options{}, "does not speak HTTP")
}

func TestPlainAgainstTLS(t *testing.T) {
	srv := tlsServer(t, nil)
	c := client(t, parse(t, "http://"+srv.Listener.Addr().String()), Options{})
	_, _, err := c.Sample(t.Context())
	if err == nil {
		t.Fatal("no error")
	}
	contains(t, err.Error(), "port with TLS, asked with http://", "https:// in place of http://")
	_, warnings, err := c.Facts(t.Context())
	if err != nil || len(warnings) != 1 {
		t.Fatalf("error %v, warnings %q", err, warnings)
	}
	contains(t, warnings[0], "port with TLS")
}

func TestCertificates(t *testing.T) {
	srv := tlsServer(t, nil)
	t.Run("unknown authority", func(t *testing.T) {
		wrongDoor(t, srv.URL, Options{}, "signed by an unknown authority", "SSL_CERT_FILE")
	})
	t.Run("another name", func(t *testing.T) {
		pool := x509.NewCertPool()
		pool.AddCert(srv.Certificate())
		o := Options{Transport: &http.Transport{
			TLSClientConfig: &tls.Config{RootCAs: pool},
			DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, network, srv.Listener.Addr().String())
			},
		}}
		wrongDoor(t, "https://thanos.test:10902", o, "for another name than thanos.test", "example.com")
	})
	t.Run("out of date", func(t *testing.T) {
		pool := x509.NewCertPool()
		pool.AddCert(srv.Certificate())
		late := func() time.Time { return srv.Certificate().NotAfter.Add(time.Hour) }
		o := Options{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, Time: late}}}
		wrongDoor(t, srv.URL, o, "not valid", "expired", "clock")
	})
	t.Run("client certificate wanted", func(t *testing.T) {
		srv := tlsServer(t, &tls.Config{ClientAuth: tls.RequireAnyClientCert})
		o := Options{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
		wrongDoor(t, srv.URL, o, "refuses the TLS handshake", "client certificate")
	})
}

func TestNobodyListens(t *testing.T) {
	addr := closedPort(t)
	c := client(t, parse(t, "http://"+addr), Options{})
	_, _, err := c.Sample(t.Context())
	if !IsRefused(err) {
		t.Errorf("IsRefused(%v) is false", err)
	}
	wrongDoor(t, "http://"+addr, Options{}, "connection refused", "port-forward still up", "10902")
	if IsRefused(errors.New("connection refused")) || IsRefused(nil) {
		t.Error("IsRefused of another error is true")
	}
}

// nameless is a transport whose name server, on loopback, knows no name.
func nameless(t *testing.T, answer func(query []byte) []byte) *http.Transport {
	t.Helper()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 1500)
		for {
			n, from, err := server.ReadFrom(buf)
			if err != nil {
				return
			}
			_, _ = server.WriteTo(answer(buf[:n]), from)
		}
	}()
	t.Cleanup(func() {
		_ = server.Close()
		<-done
	})
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", server.LocalAddr().String())
	}}
	return &http.Transport{DialContext: (&net.Dialer{Resolver: resolver}).DialContext}
}

func TestNameNotFound(t *testing.T) {
	// The query as a response with the given code, by RFC 1035.
	answer := func(code byte) func([]byte) []byte {
		return func(query []byte) []byte {
			query[2] |= 0x80
			query[3] = 0x80 | code
			return query
		}
	}
	for _, tc := range []struct {
		name string
		code byte
		want []string
	}{
		{"no such name", 3, []string{"host name thanos-query.test. not found", "inside the cluster only", "port-forward"}},
		{"name server fails", 2, []string{"host name thanos-query.test. could not be looked up"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			// The dot keeps the machine's search list out of it.
			wrongDoor(t, "http://thanos-query.test.:10902", Options{Transport: nameless(t, answer(tc.code))}, tc.want...)
		})
	}
}

func TestTimeOut(t *testing.T) {
	const timeout = 200 * time.Millisecond
	hang := func(before string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if before != "" {
				w.Header().Set("Content-Length", "1000000")
				fmt.Fprint(w, before)
				w.(http.Flusher).Flush()
			}
			<-r.Context().Done()
		}
	}
	for _, tc := range []struct {
		name, path string
		page       http.HandlerFunc
		want       []string
	}{
		{"before the headers", "/debug/pprof/goroutine", hang(""), []string{"connected, but no answer to", "/debug/pprof/goroutine?debug=0 within 200ms", "--timeout"}},
		{"in the body", "/debug/pprof/goroutine", hang("\x1f\x8b\x08 and no more"), []string{"stopped after 15 bytes", "within 200ms", "--timeout"}},
		{"in metrics", "/metrics", hang("go_goroutines 5\n"), []string{"/metrics stopped after 16 bytes", "within 200ms"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := newProcess(t)
			p.set(tc.path, tc.page)
			start := time.Now()
			_, _, err := client(t, p.url, Options{Timeout: timeout}).Sample(t.Context())
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Fatalf("error %v", err)
			}
			contains(t, err.Error(), tc.want...)
			if d := time.Since(start); d < timeout || d > timeout+2*time.Second {
				t.Errorf("took %v", d)
			}
		})
	}
	t.Run("no connection", func(t *testing.T) {
		o := Options{Timeout: timeout, Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				<-ctx.Done()
				return nil, ctx.Err()
			},
		}}
		wrongDoor(t, "http://10.0.0.1:10902", o, "no connection within 200ms", "firewall")
	})
}

func TestStatus(t *testing.T) {
	for _, tc := range []struct {
		name string
		page http.HandlerFunc
		path string
		want []string
	}{
		{"401", status(401, "go away"), "/metrics", []string{"401 Unauthorized", "wants a login", "http://USER:PASSWORD@HOST:PORT"}},
		{"401 for profiles only", status(401, ""), "/debug/pprof/goroutine", []string{"401 Unauthorized", "USER:PASSWORD"}},
		{"403", status(403, "go away"), "/debug/pprof/goroutine", []string{"403 Forbidden", "port-forward"}},
		{"404", nil, "/debug/pprof/goroutine", []string{"/debug/pprof/goroutine?debug=0 answers 404 Not Found", "at the root", "10902"}},
		{"500", status(500, "boom\x1b[31m\x00\r\n<b>"), "/debug/pprof/goroutine", []string{"500 Internal Server Error: boom[31m <b>"}},
		{"503", status(503, strings.Repeat("long ", 1000)), "/debug/pprof/goroutine", []string{"503 Service Unavailable: long long", "…", "port-forward"}},
		{"nginx with TLS", status(400, "<html>The plain HTTP request was sent to HTTPS port"), "/metrics", []string{"https:// in place of http://"}},
		{"login page", page("\n <!DOCTYPE html><title>Log in"), "/debug/pprof/goroutine", []string{"web page (a login?), status 200", "port-forward"}},
		{"login page for metrics", page("<html>"), "/metrics", []string{"/metrics answers with a web page"}},
		{"empty", page(""), "/debug/pprof/goroutine", []string{"nothing (0 bytes)"}},
		{"garbage", page("\x00\x01\x02\xff"), "/debug/pprof/goroutine", []string{"no goroutine profile", "10902"}},
		{"JSON", page(`{"a":1}`), "/debug/pprof/goroutine", []string{"answers with JSON", "10902"}},
		{"debug=1", page("goroutine profile: total 1\n1 @ 0x1\n#\t0x1\tmain.f+0x1\t/x.go:1\n"), "/debug/pprof/goroutine", []string{"it is debug=1, asked for debug=0"}},
		{"truncated", page(string(debug0(t)[:200])), "/debug/pprof/goroutine", []string{"ends in the middle, after 200 bytes"}},
		{"breaks off", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			fmt.Fprint(w, "\x1f\x8b")
		}, "/debug/pprof/goroutine", []string{"connection broke 2 bytes into"}},
		{"profile of another kind", page("\x0a\x02\x08\x01\x32\x00\x32\x0dinuse_objects"), "/debug/pprof/goroutine", []string{"a heap profile"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := newProcess(t)
			p.set(tc.path, tc.page)
			_, _, err := client(t, p.url, Options{}).Sample(t.Context())
			if err == nil {
				t.Fatal("no error")
			}
			contains(t, err.Error(), append(tc.want, "target: ")...)
			if len(err.Error()) > 700 || strings.ContainsAny(err.Error(), "\x00\x1b\r\n") {
				t.Errorf("error %q", err)
			}
		})
	}
}

func TestWrongCredentials(t *testing.T) {
	p := newProcess(t)
	p.set("/metrics", status(401, ""))
	u := *p.url
	u.User = url.UserPassword("ann", "hunter2")
	_, _, err := client(t, &u, Options{}).Sample(t.Context())
	if err == nil {
		t.Fatal("no error")
	}
	contains(t, err.Error(), "user or password is wrong")
}

func TestClean(t *testing.T) {
	for _, tc := range []struct {
		in   string
		max  int
		want string
	}{
		{"plain", 10, "plain"},
		{"a\x1b[31mred\x00\r\n\tb\u202e\xff", 50, "a[31mred b"},
		{"äöü", 3, "ä…"},
		{"", 5, ""},
	} {
		if got := clean(tc.in, tc.max); got != tc.want {
			t.Errorf("clean(%q, %d) = %q, want %q", tc.in, tc.max, got, tc.want)
		}
	}
}

// TestForbiddenByAPIServer: behind a proxy path of Kubernetes a 403 is of the
// API server, and the verb that is missing is named.
func TestForbiddenByAPIServer(t *testing.T) {
	p := newProcess(t)
	const prefix = "/api/v1/namespaces/monitoring/pods/thanos-query-0:10902/proxy"
	p.set(prefix+"/metrics", status(403, `pods "thanos-query-0" is forbidden`))
	base := *p.url
	base.Path = prefix
	_, _, err := client(t, &base, Options{}).Sample(t.Context())
	if err == nil {
		t.Fatal("no error")
	}
	contains(t, err.Error(), "403 Forbidden", "RBAC: the verb get on pods/proxy in namespace monitoring", "port-forward")
}

package scrape

import (
	"bytes"
	"compress/gzip"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A process stands in for a Thanos: it serves the goroutines of the test
// itself, and whatever else a test puts into pages.
type process struct {
	url   *url.URL
	pages map[string]http.HandlerFunc // by path

	mu       sync.Mutex
	requests []string // method-less request lines, in order
	headers  []http.Header
	conns    int
}

// page serves a fixed body.
func page(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) }
}

// status serves an error.
func status(code int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		fmt.Fprint(w, body)
	}
}

// redirect sends to another place.
func redirect(to string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusFound)
	}
}

// goroutines serves the real profile of the test.
func goroutines(w http.ResponseWriter, r *http.Request) {
	debug := map[string]int{"": 0, "0": 0, "1": 1, "2": 2}[r.URL.Query().Get("debug")]
	_ = pprof.Lookup("goroutine").WriteTo(w, debug)
}

// metricsPage is what decisions read of /metrics, of a process that started
// at the given time in a build of the given revision.
func metricsPage(goroutines int, start, revision string) string {
	return fmt.Sprintf(`# HELP go_goroutines Number of goroutines that currently exist.
# TYPE go_goroutines gauge
go_goroutines %d
go_info{version="go1.26.8"} 1
process_start_time_seconds %s
thanos_build_info{branch="HEAD",goversion="go1.26.8",revision=%q,version="0.35.1"} 1
`, goroutines, start, revision)
}

// newProcess starts a server with metrics and profiles at its root.
func newProcess(t *testing.T) *process {
	t.Helper()
	return startProcess(t, nil)
}

// startProcess is newProcess, with TLS unless the configuration is nil.
func startProcess(t *testing.T, c *tls.Config) *process {
	t.Helper()
	p := &process{pages: map[string]http.HandlerFunc{
		"/metrics":               page(metricsPage(20, "1.79532982151e+09", "abc")),
		"/debug/pprof/goroutine": goroutines,
	}}
	srv := httptest.NewUnstartedServer(p)
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.conns++
		}
	}
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	if srv.TLS = c; c == nil {
		srv.Start()
	} else {
		srv.StartTLS()
	}
	t.Cleanup(srv.Close)
	p.url = parse(t, srv.URL)
	return p
}

func (p *process) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.requests = append(p.requests, r.URL.RequestURI())
	p.headers = append(p.headers, r.Header.Clone())
	h := p.pages[r.URL.Path]
	p.mu.Unlock()
	if h == nil {
		http.NotFound(w, r)
		return
	}
	h(w, r)
}

// set puts a page up, also between requests.
func (p *process) set(path string, h http.HandlerFunc) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pages[path] = h
}

// asked returns what was asked for since the last call.
func (p *process) asked() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := p.requests
	p.requests = nil
	return all
}

// sent returns the headers of the requests since the last call.
func (p *process) sent() []http.Header {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := p.headers
	p.headers = nil
	return all
}

// api puts up the status API below a prefix.
func (p *process) api(prefix string) {
	p.pages[prefix+"/api/v1/status/buildinfo"] = page(`{"status":"success","data":{"version":"0.35.1","revision":"abc","goVersion":"go1.21.13"}}`)
	p.pages[prefix+"/api/v1/status/flags"] = page(`{"status":"success","data":{"query.timeout":"2m","log.level":"info"}}`)
	p.pages[prefix+"/api/v1/stores"] = page(`{"status":"success","data":{"query":[{"name":"127.0.0.1:21412","lastError":null}]}}`)
}

func parse(t *testing.T, raw string) *url.URL {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// client returns a client that is closed with the test.
func client(t *testing.T, u *url.URL, o Options) *Client {
	t.Helper()
	if o.Timeout == 0 {
		o.Timeout = time.Minute // a test that hangs shows it
	}
	c := New("target", u, o)
	t.Cleanup(c.Close)
	return c
}

// below returns the URL of the process with a path.
func (p *process) below(path string) *url.URL {
	u := *p.url
	u.Path = path
	return &u
}

func gzipped(t *testing.T, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// debug0 returns a real profile as it is served.
func debug0(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&b, 0); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// contains fails unless every text is in s.
func contains(t *testing.T, s string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(s, text) {
			t.Errorf("%q does not say %q", s, text)
		}
	}
}

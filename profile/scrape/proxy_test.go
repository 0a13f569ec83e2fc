package scrape

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// A proxy passes plain requests and CONNECT on.
type proxy struct {
	transport *http.Transport
	mu        sync.Mutex
	seen      []string // method, host and Proxy-Authorization
}

// newProxy starts a proxy and returns its host and port.
func newProxy(t *testing.T) (*proxy, string) {
	t.Helper()
	p := &proxy{transport: &http.Transport{}}
	srv := httptest.NewServer(p)
	t.Cleanup(srv.Close)
	t.Cleanup(p.transport.CloseIdleConnections)
	return p, strings.TrimPrefix(srv.URL, "http://")
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.seen = append(p.seen, r.Method+" "+r.Host+" "+r.Header.Get("Proxy-Authorization"))
	p.mu.Unlock()
	if r.Method == http.MethodConnect {
		p.tunnel(w, r)
		return
	}
	out := r.Clone(r.Context())
	out.RequestURI = ""
	out.Header.Del("Proxy-Authorization")
	resp, err := p.transport.RoundTrip(out)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer resp.Body.Close()
	w.WriteHeader(resp.StatusCode)
	_, _ = io.Copy(w, resp.Body)
}

// tunnel joins two connections until one of them ends.
func (p *proxy) tunnel(w http.ResponseWriter, r *http.Request) {
	to, err := net.Dial("tcp", r.Host)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	from, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	_, _ = io.WriteString(from, "HTTP/1.1 200 Connection established\r\n\r\n")
	join(from, to)
}

// join copies both ways until one side closes, and closes both.
func join(a, b net.Conn) {
	var wg sync.WaitGroup
	for _, pair := range [][2]net.Conn{{a, b}, {b, a}} {
		wg.Go(func() {
			_, _ = io.Copy(pair[0], pair[1])
			_ = pair[0].Close()
			_ = pair[1].Close()
		})
	}
	wg.Wait()
}

func TestProxy(t *testing.T) {
	ca := newAuthority(t)
	files := map[string]string{"ca.pem": ca.pem}
	for _, p := range []*process{newProcess(t), startProcess(t, ca.server(t, nil))} {
		t.Run(p.url.Scheme, func(t *testing.T) {
			between, address := newProxy(t)
			text := "proxy_url: http://ann:hunter2@" + address + "\nbearer_token: token\ntls_config: {ca_file: ca.pem}\n"
			probe := client(t, p.url, Options{Transport: load(t, configFile(t, text, files)).Transport()})
			if _, _, err := probe.Sample(t.Context()); err != nil {
				t.Fatal(err)
			}
			for _, h := range p.sent() {
				if h.Get("Authorization") != "Bearer token" || h.Get("Proxy-Authorization") != "" {
					t.Errorf("the process was sent %v", h)
				}
			}
			want := "GET " + p.url.Host + " " + basic("ann", "hunter2")
			if p.url.Scheme == "https" {
				want = "CONNECT " + p.url.Host + " " + basic("ann", "hunter2")
			}
			if len(between.seen) == 0 || between.seen[0] != want {
				t.Errorf("the proxy saw %q, want %q first", between.seen, want)
			}
		})
		t.Run(p.url.Scheme+" without", func(t *testing.T) {
			between, address := newProxy(t)
			text := "proxy_url: http://" + address + "\nno_proxy: 127.0.0.0/8\ntls_config: {ca_file: ca.pem}\n"
			probe := client(t, p.url, Options{Transport: load(t, configFile(t, text, files)).Transport()})
			if _, _, err := probe.Sample(t.Context()); err != nil {
				t.Fatal(err)
			}
			if len(between.seen) > 0 {
				t.Errorf("the proxy saw %q", between.seen)
			}
		})
	}
}

func TestProxyErrors(t *testing.T) {
	login := httptest.NewServer(status(http.StatusProxyAuthRequired, ""))
	t.Cleanup(login.Close)
	for _, tc := range []struct{ name, target, proxy, want string }{
		{"refused", "http://h.invalid:1", "http://ann:hunter2@" + closedPort(t), "the proxy in between cannot be reached ("},
		{"refused, TLS", "https://h.invalid:1", "http://ann:hunter2@" + closedPort(t), "the proxy in between cannot be reached ("},
		{"refused, SOCKS", "http://h.invalid:1", "socks5://ann:hunter2@" + closedPort(t), "the proxy in between cannot be reached ("},
		{"login", "http://h.invalid:1", strings.Replace(login.URL, "//", "//ann:hunter2@", 1), causeProxyLogin},
		{"login, TLS", "https://h.invalid:1", strings.Replace(login.URL, "//", "//ann:hunter2@", 1), causeProxyLogin},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := load(t, configFile(t, "proxy_url: "+tc.proxy, nil))
			_, _, err := client(t, parse(t, tc.target), Options{Transport: c.Transport()}).FullStacks(t.Context(), 1)
			if err == nil {
				t.Fatal("no error")
			}
			contains(t, err.Error(), tc.want, "Look at proxy_url in --http.config.file")
			if said := fmt.Sprintf("%v %+v", err, err); strings.Contains(said, "hunter2") {
				t.Errorf("shows the secret: %s", said)
			}
		})
	}
}

// socks is a proxy for one connection, to an address of IPv4.
func socks(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		from, err := l.Accept()
		if err != nil {
			return
		}
		defer from.Close()
		r := bufio.NewReader(from)
		greeting := make([]byte, 3)    // version, one method, none
		request := make([]byte, 4+4+2) // version, connect, 0, IPv4; address; port
		_, _ = io.ReadFull(r, greeting)
		_, _ = from.Write([]byte{5, 0})
		_, _ = io.ReadFull(r, request)
		to, err := net.DialTCP("tcp", nil, &net.TCPAddr{IP: request[4:8], Port: int(request[8])<<8 | int(request[9])})
		if err != nil {
			return
		}
		_, _ = from.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
		join(from, to)
	}()
	t.Cleanup(func() {
		_ = l.Close()
		<-done
	})
	return l.Addr().String()
}

func TestSOCKSProxy(t *testing.T) {
	p := newProcess(t)
	c := load(t, configFile(t, "proxy_url: socks5://"+socks(t), nil))
	if _, _, err := client(t, p.url, Options{Transport: c.Transport()}).Sample(t.Context()); err != nil {
		t.Fatal(err)
	}
}

package scrape

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode"
)

// An attack is what a target answers to hurt whoever asks, by malice or by
// accident. TestHostileTarget has those on the way of an answer,
// TestHostileProfile, TestHostileMetrics and TestHostileStatus those in it.
type attack struct {
	name  string
	serve http.HandlerFunc
	says  []string // what stands in the error or warning
	slow  bool     // only the time-out ends it
	most  int64    // bytes that are read of it at most; 0: it sends few
}

// The paths that are attacked.
const (
	profilePath = "/debug/pprof/goroutine"
	metricsPath = "/metrics"
	storesPath  = "/api/v1/stores"
)

const (
	// onTheWay is more than loopback holds of an answer that nobody reads.
	onTheWay = 16 << 20
	// maxAllocated bounds what a call allocates in all, in bytes, whatever it
	// meets; the server of the test allocates as well.
	maxAllocated = 512 << 20
)

// hostile is a process of which one page is attacked, and counts what it could
// send.
type hostile struct {
	*process
	sent atomic.Int64
}

// newHostile starts the process. When it has ended, it may not have sent more
// than most bytes, but for those that are on the way. One that nobody hangs up on
// does not end.
func newHostile(t *testing.T, path string, serve http.HandlerFunc, most int64) *hostile {
	t.Helper()
	h := &hostile{}
	t.Cleanup(func() {
		if sent := h.sent.Load(); sent > most+onTheWay {
			t.Errorf("the target could send %d bytes, want at most %d", sent, most)
		}
	})
	h.process = newProcess(t)
	h.set(path, func(w http.ResponseWriter, r *http.Request) { serve(&counting{w, &h.sent}, r) })
	return h
}

// counting counts the bytes of an answer.
type counting struct {
	http.ResponseWriter
	n *atomic.Int64
}

func (c *counting) Write(b []byte) (int, error) {
	n, err := c.ResponseWriter.Write(b)
	c.n.Add(int64(n))
	return n, err
}

// Unwrap lets the handlers flush and take the connection.
func (c *counting) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// options are those under which an attack is met.
func (a *attack) options() Options {
	if a.slow {
		return Options{Timeout: time.Second}
	}
	return Options{}
}

// check runs the call that meets the attack, and looks at what it took. Then
// another process has to give its sample.
func (a *attack) check(t *testing.T, call func()) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	call()
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > maxAllocated {
		t.Errorf("took %d MiB of memory", took>>20)
	}
	if s, _, err := client(t, newProcess(t).url, Options{}).Sample(t.Context()); err != nil || s.Goroutines.Total == 0 {
		t.Errorf("another target suffers: %v", err)
	}
}

// refused checks that the error names the target, what happened and what to do.
func (a *attack) refused(t *testing.T, err error) {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	if !ok {
		t.Fatalf("error %v, want an *Error", err)
	}
	if e.Target != "target" || e.Cause == "" || e.Hint == "" || e.URL == "" {
		t.Errorf("error %+v", e)
	}
	a.harmless(t, e.Error())
	contains(t, e.Error(), a.says...)
}

// harmless checks that a text can be printed.
func (a *attack) harmless(t *testing.T, text string) {
	t.Helper()
	if i := strings.IndexFunc(text, func(r rune) bool { return r == unicode.ReplacementChar || !unicode.IsPrint(r) }); i >= 0 {
		t.Errorf("%q at %d", text, i)
	}
	if len(text) > 1000 {
		t.Errorf("%d bytes of text: %.200q…", len(text), text)
	}
}

// TestHostileTarget meets targets that answer in a way that no process does.
// Each attack is on the goroutine profile, on the metrics and on the status API:
// the first costs the sample, and says so; without the others there is one.
func TestHostileTarget(t *testing.T) {
	for _, a := range transportAttacks(t) {
		t.Run(a.name, func(t *testing.T) {
			for page, meet := range map[string]func(*testing.T){"profile": a.onProfile, "metrics": a.onMetrics, "status": a.onStatus} {
				t.Run(page, func(t *testing.T) {
					if a.slow {
						t.Parallel()
					}
					meet(t)
				})
			}
		})
	}
}

// onProfile checks that there is no sample, and why.
func (a *attack) onProfile(t *testing.T) {
	h := newHostile(t, profilePath, a.serve, a.most)
	a.check(t, func() {
		_, _, err := client(t, h.url, a.options()).Sample(t.Context())
		a.refused(t, err)
	})
}

// onMetrics checks that the sample is there, or the error as of any page.
func (a *attack) onMetrics(t *testing.T) {
	h := newHostile(t, metricsPath, a.serve, a.most)
	a.check(t, func() {
		c := client(t, h.url, a.options())
		s, _, err := c.Sample(t.Context())
		if err != nil {
			a.refused(t, err)
			return
		}
		if s.Metrics != nil || s.Goroutines.Total == 0 || len(c.Warnings()) != 1 {
			t.Fatalf("metrics %v, %d goroutines, warnings %q", s.Metrics, s.Goroutines.Total, c.Warnings())
		}
		a.harmless(t, c.Warnings()[0])
		contains(t, c.Warnings()[0], "No metrics (", h.url.String()+metricsPath)
	})
}

// onStatus checks that the rest of the facts is there.
func (a *attack) onStatus(t *testing.T) {
	h := newHostile(t, storesPath, a.serve, a.most)
	stores := h.pages[storesPath]
	h.api("")
	h.set(storesPath, stores)
	a.check(t, func() {
		f, warnings, err := client(t, h.url, a.options()).Facts(t.Context())
		if err != nil || f.Version != "0.35.1" || f.Endpoints != nil || len(warnings) != 1 {
			t.Fatalf("facts %+v, warnings %q, %v", f, warnings, err)
		}
		a.harmless(t, warnings[0])
		contains(t, warnings[0], "Endpoints are unknown: ")
	})
}

func transportAttacks(t *testing.T) []attack {
	profile := debug0(t)
	return []attack{
		{name: "endless body", serve: endless("", "goroutine 1 [running]:\n"), says: []string{"answers with more than 8192 KiB"}, most: maxMetrics},
		{name: "endless line", serve: endless("", "x"), says: []string{"answers with more than 8192 KiB"}, most: maxMetrics},
		{name: "endless body of NUL bytes", serve: endless("", "\x00"), says: []string{"answers with more than 8192 KiB"}, most: maxMetrics},
		{name: "endless header", serve: raw("HTTP/1.1 200 OK\r\nX: ", strings.Repeat("x", 1<<20)), says: []string{"header", "more than 64 KiB"}},
		{name: "endless header lines", serve: raw("HTTP/1.1 200 OK\r\n", strings.Repeat("X: y\r\n", 1<<18)), says: []string{"header", "more than 64 KiB"}},
		{name: "trickling body", serve: trickle, says: []string{"stopped after", "not complete within 1s"}, slow: true},
		{name: "body that hangs", serve: hang("H"), says: []string{"stopped after 1 bytes", "not complete within 1s"}, slow: true},
		{name: "no answer", serve: hang(""), says: []string{"no answer to", "within 1s"}, slow: true},
		{name: "reset before the answer", serve: reset(""), says: []string{"closed without an answer"}},
		{name: "reset in the header", serve: reset("HTTP/1.1 200 OK\r\nContent-Len"), says: []string{"no valid HTTP", "malformed MIME header"}},
		{name: "reset in the body", serve: reset("HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\nhalf"), says: []string{"broke 4 bytes into the answer"}},
		{name: "length that is a lie", serve: raw("HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\nhalf"), says: []string{"broke 4 bytes into the answer"}},
		{name: "negative length", serve: raw("HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n"), says: []string{"no valid HTTP (bad Content-Length"}},
		{name: "another protocol from here on", serve: switched, says: []string{"answers 101 Switching Protocols"}},
		{name: "broken chunks", serve: raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n"), says: []string{"the connection broke 0 bytes into the answer"}},
		{name: "chunk of exabytes", serve: raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7fffffffffffffff\r\nhalf"), says: []string{"broke 4 bytes into the answer"}},
		{name: "binary before HTTP", serve: raw("\x93\x00\x1b[2J"), says: []string{"does not speak HTTP"}},
		{name: "login page with status 200", serve: typed("text/html", "\ufeff\n<!DOCTYPE HTML><title>Sign in</title>"), says: []string{"a web page (a login?), status 200"}},
		{name: "login page as a profile", serve: typed("application/octet-stream", "<html><form>"), says: []string{"a web page (a login?), status 200"}},
		{name: "JSON with status 200", serve: typed("application/json", `{"error":"unauthorized"}`), says: []string{"JSON"}},
		{name: "nothing", serve: typed("application/octet-stream", ""), says: []string{"0 bytes"}},
		{name: "gRPC", serve: typed("application/grpc", "\x00\x00"), says: []string{"gRPC port"}},
		{name: "gzip that is none", serve: encoded("gzip", []byte("go_goroutines 1\n")), says: []string{"says that its answer is compressed, and it is not"}},
		{name: "encoding that was not asked for", serve: encoded("br", []byte("\x0b\x02\x80hello")), says: []string{"compressed in a way that it was not asked for (br)"}},
		{name: "gzip bomb in the encoding", serve: encoded("gzip", bomb(t, " ")), says: []string{"more than 8192 KiB"}, most: maxMetrics},
		{name: "gzip that ends in the middle", serve: encoded("gzip", gzipped(t, bytes.Repeat(profile, 9))[:len(profile)]), says: []string{"ends in the middle"}},
		{name: "redirect to another host", serve: redirect("http://127.0.0.1:1/"), says: []string{"redirects to another host (127.0.0.1:1)", "not followed"}},
		{name: "redirect to a file", serve: redirect("file:///etc/passwd"), says: []string{"redirects to file:///etc/passwd", "not followed"}},
		{name: "redirect to another protocol", serve: protocol, says: []string{"redirects to gopher://", "not followed"}},
		{name: "redirect that is no address", serve: redirect("http://[::1"), says: []string{"redirects to something that is no URL"}},
		{name: "terminal escapes in the header", serve: redirect("/\x1b[2J"), says: []string{"no valid HTTP (malformed MIME header"}},
		{name: "redirect in a circle", serve: circle, says: []string{"redirects more than 5 times"}},
		{name: "redirect that grows", serve: growing, says: []string{"redirects more than 5 times"}},
	}
}

// raw takes the connection and writes the first text, and then the other until
// the client has had enough.
func raw(first string, more ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		defer conn.Close()
		_, err = io.WriteString(conn, first)
		for sent := w.(*counting).n; err == nil && len(more) > 0; {
			var n int
			n, err = io.WriteString(conn, more[0])
			sent.Add(int64(n))
		}
	}
}

// switched leaves HTTP, and says nothing more until the client goes.
func switched(w http.ResponseWriter, _ *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	defer conn.Close()
	_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: gopher\r\n\r\n")
	_, _ = io.Copy(io.Discard, conn)
}

// reset breaks the connection off behind the text, as a process that is killed
// does.
func reset(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		_, _ = io.WriteString(conn, text)
		// The client is to read the text before it meets the reset.
		if tcp, ok := conn.(*net.TCPConn); ok && text == "" {
			_ = tcp.SetLinger(0)
		}
		_ = conn.Close()
	}
}

// trickle serves a byte each tenth of a second, without end.
func trickle(w http.ResponseWriter, r *http.Request) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		fmt.Fprint(w, "H")
		_ = http.NewResponseController(w).Flush()
		select {
		case <-tick.C:
		case <-r.Context().Done():
			return
		}
	}
}

// hang serves the text and says nothing more.
func hang(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if text != "" {
			fmt.Fprint(w, text)
			_ = http.NewResponseController(w).Flush()
		}
		<-r.Context().Done()
	}
}

// typed serves a text under a content type.
func typed(contentType, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		fmt.Fprint(w, text)
	}
}

// encoded serves a body under a content encoding.
func encoded(encoding string, body []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", encoding)
		_, _ = w.Write(body)
	}
}

// bomb is gzip that unpacks to 2 GiB of the text, and takes some MB.
func bomb(t *testing.T, text string) []byte {
	return bytes.Repeat(gzipped(t, bytes.Repeat([]byte(text), 8<<20/len(text))), 256)
}

// protocol redirects to the same host and port, over something else than HTTP.
func protocol(w http.ResponseWriter, r *http.Request) { redirect("gopher://"+r.Host+"/")(w, r) }

func circle(w http.ResponseWriter, r *http.Request) { redirect(r.URL.RequestURI())(w, r) }

// growing redirects to itself with a longer query each time.
func growing(w http.ResponseWriter, r *http.Request) {
	redirect(r.URL.RequestURI()+"?"+strings.Repeat("x", 1000))(w, r)
}

// TestErrorPageThatHangs: where the error page of /metrics takes all the time
// that there is, the process is not said to be out of reach.
func TestErrorPageThatHangs(t *testing.T) {
	for page, says := range map[string][]string{
		profilePath: {"answers 500 Internal Server Error: boom"},
		metricsPath: {profilePath + "?debug=0 was not asked for any more", "took all of 1s", "longer --timeout"},
	} {
		a := attack{slow: true, says: says}
		h := newHostile(t, page, func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusInternalServerError)
			hang("boom")(w, r)
		}, 0)
		a.check(t, func() {
			_, _, err := client(t, h.url, a.options()).Sample(t.Context())
			a.refused(t, err)
		})
	}
}

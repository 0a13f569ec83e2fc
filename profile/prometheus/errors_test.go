package prometheus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/thanosleak/thanosleak/profile"
)

// answers is a server that answers everything alike.
func answers(status int, kind, body string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Content-Type", kind)
		w.WriteHeader(status)
		fmt.Fprint(w, body)
		return true
	}
}

// TestErrors: each says what happened and what to do, with the server's
// address and without what is secret.
func TestErrors(t *testing.T) {
	const json, html = "application/json", "text/html; charset=utf-8"
	for _, tt := range []struct {
		name   string
		answer func(http.ResponseWriter, *http.Request) bool
		want   []string
	}{
		{"a query that is refused", answers(422, json, `{"status":"error","errorType":"execution","error":"query processing would load too many samples into memory for s3cr3t"}`),
			[]string{"it refuses the query: query processing would load too many samples into memory for …", "shorter --prometheus.window"}},
		{"an error with 200", answers(200, json, `{"status":"error","errorType":"execution","error":"no store matched"}`), []string{"it refuses the query: no store matched"}},
		{"overloaded", answers(503, html, "<h1>Service Unavailable</h1>"), []string{"it answers 503 Service Unavailable", "try again later"}},
		{"a time-out of the server", answers(503, json, `{"status":"error","errorType":"timeout","error":"query timed out in expression evaluation"}`), []string{"503"}},
		{"too many requests", answers(429, json, ""), []string{"429 Too Many Requests", "shorter"}},
		{"no user", answers(401, json, ""), []string{"it does not let in (401 Unauthorized)", "http://USER:PASSWORD@HOST:9090"}},
		{"forbidden, for POST and for GET", func(w http.ResponseWriter, r *http.Request) bool {
			code := map[string]int{http.MethodPost: 403, http.MethodGet: 414}[r.Method]
			return answers(code, html, "")(w, r)
		}, []string{"it does not let in (403 Forbidden)"}},
		{"a wrong prefix", answers(404, "text/plain", "404 page not found"), []string{"no query API there (404 Not Found)", "--web.route-prefix", "http://HOST:9090/PREFIX"}},
		{"a login page", answers(200, html, "<!DOCTYPE html><html>"), []string{"it answers with a web page, as login pages do", "port-forward"}},
		{"a redirect to one", func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Location", "https://login.example.org/start?state=canary")
			w.WriteHeader(302)
			return true
		}, []string{"it redirects to https://login.example.org/start, and no query was sent there"}},
		{"a redirect to nowhere", answers(302, html, ""), []string{"it redirects to somewhere else"}},
		{"no JSON", answers(200, "text/plain", "go_goroutines 12"), []string{"its answer is none of a query API (invalid character"}},
		{"JSON of something else", answers(200, json, `{"status":"success","data":{"resultType":"scalar","result":[1,"2"]}}`), []string{"its answer holds no series over time"}},
		{"JSON without data", answers(200, json, `{"status":"success"}`), []string{"its answer holds no series over time"}},
		{"a kind that nobody knows", answers(200, json, `{"status":"success","data":{"resultType":"heap","result":[]}}`), []string{"none of a query API"}},
		{"a broken answer", func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Content-Length", "1000")
			fmt.Fprint(w, `{"status":"succ`)
			return true
		}, []string{"the connection broke before the answer was complete"}},
		{"no answer", func(http.ResponseWriter, *http.Request) bool { panic(http.ErrAbortHandler) }, []string{"the connection broke", "9090"}},
		{"too long", func(w http.ResponseWriter, _ *http.Request) bool {
			spaces := []byte(strings.Repeat(" ", 1<<20))
			for range maxAnswer>>20 + 1 {
				if _, err := w.Write(spaces); err != nil {
					break
				}
			}
			return true
		}, []string{"its answer is longer than 64 MiB", "shorter"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newProm(t)
			p.before = tt.answer
			base := *p.url
			base.User, base.RawQuery = url.UserPassword("canary", "s3cr3t"), "token=canary"
			past, _, err := Fetch(t.Context(), &base, []profile.Target{scanned("a:1", now)}, Options{Now: now, Timeout: time.Minute})
			if err == nil || past != nil {
				t.Fatalf("%v, %v", past, err)
			}
			contains(t, err.Error(), append(tt.want, "the past is not known: http://"+p.url.Host+": ")...)
			if strings.Contains(err.Error(), "s3cr3t") || strings.Contains(err.Error(), "canary") {
				t.Errorf("%q tells what is secret", err)
			}
			if got := p.user(); got != "canary:s3cr3t" {
				t.Errorf("sent %q", got)
			}
		})
	}
}

// TestUnreachable: errors of the connection.
func TestUnreachable(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := "http://user:s3cr3t@" + l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	tls := httptest.NewUnstartedServer(http.NotFoundHandler())
	tls.Config.ErrorLog = log.New(io.Discard, "", 0)
	tls.StartTLS()
	defer tls.Close()
	for _, tt := range []struct {
		base string
		want []string
	}{
		{closed, []string{"connection refused", "9090 by default"}},
		{tls.URL, []string{"its TLS certificate is signed by an unknown authority", "SSL_CERT_FILE"}},
		{strings.Replace(tls.URL, "https", "http", 1), []string{"it answers 400 Bad Request", "https://"}},
		{newProm(t).url.String()[len("http://"):], []string{"this is no address", "http://HOST:9090"}},
		{strings.Replace(newProm(t).url.String(), "http", "https", 1), []string{"this is a port without TLS"}},
		{"ftp://host", []string{"this is no address"}},
	} {
		base := &url.URL{Opaque: tt.base}
		if u, err := url.Parse(tt.base); err == nil {
			base = u
		}
		_, _, err := Fetch(t.Context(), base, []profile.Target{scanned("a:1", now)}, Options{Now: now})
		if err == nil {
			t.Errorf("%s: no error", tt.base)
			continue
		}
		contains(t, err.Error(), tt.want...)
		if strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("%q tells what is secret", err)
		}
	}
}

// notFound is a transport for which no host has an address.
type notFound struct{}

func (notFound) RoundTrip(r *http.Request) (*http.Response, error) {
	return nil, &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: r.URL.Hostname(), IsNotFound: true}}
}

func TestTransport(t *testing.T) {
	_, _, err := Fetch(t.Context(), &url.URL{Scheme: "http", Host: "prometheus.monitoring:9090"}, []profile.Target{scanned("a:1", now)}, Options{Transport: notFound{}})
	contains(t, fmt.Sprint(err), "host name prometheus.monitoring not found", "port-forward")
}

// TestHangs: a server that does not answer costs the timeout, or no time where
// the user gives up.
func TestHangs(t *testing.T) {
	p := newProm(t)
	p.before = func(w http.ResponseWriter, r *http.Request) bool {
		w.WriteHeader(200)
		_ = http.NewResponseController(w).Flush()
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
		return true
	}
	_, _, err := Fetch(t.Context(), p.url, []profile.Target{scanned("a:1", now)}, Options{Now: now, Timeout: 20 * time.Millisecond})
	contains(t, fmt.Sprint(err), "connected, but the answers were not complete within 20ms")
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v is no time-out", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err = Fetch(ctx, p.url, []profile.Target{scanned("a:1", now)}, Options{Now: now})
	contains(t, fmt.Sprint(err), "interrupted")
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v is no interruption", err)
	}
}

// TestLaterError: what was had before an error is used, and the error is said.
func TestLaterError(t *testing.T) {
	m := machine{instance: "a:1", starts: hoursAgo(400), versions: []string{"0.35.1"}, count: steady}
	for metric, more := range map[string]bool{"process_start_time_seconds": false, "thanos_build_info": true} {
		p := newProm(t, m.lines()...)
		p.before = func(w http.ResponseWriter, r *http.Request) bool {
			return strings.HasPrefix(r.PostFormValue("query"), metric) && answers(503, "", "")(w, r)
		}
		past, warnings := fetch(t, p, scanned("a:1", m.starts[0]))
		got := past["a:1"]
		if got == nil || got.Points[0].Started.IsZero() == more || len(got.Versions) > 0 {
			t.Errorf("%s: %+v", metric, got)
		}
		contains(t, strings.Join(warnings, "\n"), "the past is known in part only: http://", "503 Service Unavailable")
	}
}

// FuzzSelectors: whatever instances are called, the queries match them and
// nothing else, and none is too long.
func FuzzSelectors(f *testing.F) {
	for _, seed := range []string{"10.0.0.1:10902", "[::1]:10902", `a"b\c`, "a|b", "a.*\n", `\E.*\Q`, "host:80\x00", "ü:1", "\xff:1", `"} or up{a="`, "$`'"} {
		f.Add(seed, 3)
	}
	f.Fuzz(func(t *testing.T, name string, n int) {
		if len(name) > 2000 || name == "" {
			return
		}
		instances := []string{name}
		for i := range min(max(n, 0), 100) {
			instances = append(instances, name+strconv.Itoa(i))
		}
		found := 0
		for _, q := range selectors("go_goroutines", instances) {
			if len(q) > maxQuery+len(strconv.Quote(name))+100 {
				t.Errorf("a query of %d bytes", len(q))
			}
			parts := selector.FindStringSubmatch(q)
			if parts == nil {
				t.Fatalf("%q is no selector", q)
			}
			pattern, err := strconv.Unquote(parts[2])
			if err != nil {
				t.Fatalf("%q: %v", q, err)
			}
			re, err := regexp.Compile("^(?s:" + pattern + ")$")
			if err != nil {
				if strings.ToValidUTF8(name, "") != name {
					return // no label value is so
				}
				t.Fatalf("%q: %v", pattern, err)
			}
			for _, i := range instances {
				if re.MatchString(i) {
					found++
				}
			}
			if re.MatchString(name+"x") || re.MatchString("x"+name) || re.MatchString("") {
				t.Errorf("%q matches more", pattern)
			}
		}
		if found != len(instances) {
			t.Errorf("%d of %d are matched", found, len(instances))
		}
	})
}

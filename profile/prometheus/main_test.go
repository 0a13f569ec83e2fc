package prometheus

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/thanosleak/thanosleak/profile"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// now is the end of all windows.
var now = time.Date(2026, 11, 22, 6, 45, 0, 0, time.UTC)

// A line is a made-up series: its labels, with the name, and its value at a
// time, which is missing where ok is false.
type line struct {
	labels map[string]string
	value  func(at time.Time) (v float64, ok bool)
}

// A prom stands in for a Prometheus: it answers the two kinds of queries that
// the package asks, in the form of the real one, and keeps what it was asked.
type prom struct {
	url      *url.URL
	lines    []line
	warnings []string
	// before may answer in place of the server; it returns true if it did.
	before func(w http.ResponseWriter, r *http.Request) bool

	mu      sync.Mutex
	queries []string
	auth    string // of the last request
}

func newProm(t *testing.T, lines ...line) *prom {
	t.Helper()
	p := &prom{lines: lines}
	srv := httptest.NewServer(p)
	t.Cleanup(srv.Close)
	u, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	p.url = u
	return p
}

// asked returns the queries so far.
func (p *prom) asked() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.queries
}

// user returns user and password of the last request.
func (p *prom) user() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.auth
}

func (p *prom) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.queries = append(p.queries, r.PostFormValue("query"))
	user, password, _ := r.BasicAuth()
	p.auth = user + ":" + password
	p.mu.Unlock()
	if p.before != nil && p.before(w, r) {
		return
	}
	switch {
	case r.Method != http.MethodPost:
		http.Error(w, "want POST", http.StatusTeapot)
	case r.URL.Path == "/api/v1/query_range":
		p.serveRange(w, r)
	case r.URL.Path == "/api/v1/query":
		p.serveInstant(w, r)
	default:
		http.NotFound(w, r)
	}
}

// selector reads name{instance=~"…"} as PromQL does.
var selector = regexp.MustCompile(`(?s)^(\w+)\{instance=~(".*")\}$`)

func (p *prom) serveRange(w http.ResponseWriter, r *http.Request) {
	parts := selector.FindStringSubmatch(r.PostFormValue("query"))
	if parts == nil {
		fail(w, http.StatusBadRequest, "bad_data", "1:1: parse error: unexpected end of input")
		return
	}
	pattern, err := strconv.Unquote(parts[2])
	if err != nil {
		fail(w, http.StatusBadRequest, "bad_data", "1:1: parse error: "+err.Error())
		return
	}
	matches := regexp.MustCompile("^(?s:" + pattern + ")$")
	start, end, step := number(r, "start"), number(r, "end"), number(r, "step")
	result := []any{}
	for _, l := range p.lines {
		if l.labels["__name__"] != parts[1] || !matches.MatchString(l.labels["instance"]) {
			continue
		}
		var values []any
		for at := start; at <= end; at += step {
			if v, ok := l.value(time.Unix(int64(at), 0)); ok {
				values = append(values, []any{at, sample(v)})
			}
		}
		if values != nil {
			result = append(result, map[string]any{"metric": l.labels, "values": values})
		}
	}
	p.answer(w, "matrix", result)
}

// between reads one part of a query for start times.
var between = regexp.MustCompile(`^process_start_time_seconds >= (\S+) <= (\S+)$`)

func (p *prom) serveInstant(w http.ResponseWriter, r *http.Request) {
	at := number(r, "time")
	result := []any{}
	for _, l := range p.lines {
		v, ok := l.value(time.Unix(int64(at), 0))
		if l.labels["__name__"] != "process_start_time_seconds" || !ok {
			continue
		}
		for part := range strings.SplitSeq(r.PostFormValue("query"), " or ") {
			bounds := between.FindStringSubmatch(part)
			if bounds == nil {
				fail(w, http.StatusBadRequest, "bad_data", "parse error: "+part)
				return
			}
			low, err := strconv.ParseFloat(bounds[1], 64)
			high, err2 := strconv.ParseFloat(bounds[2], 64)
			if err == nil && err2 == nil && low <= v && v <= high {
				result = append(result, map[string]any{"metric": l.labels, "value": []any{at, sample(v)}})
				break
			}
		}
	}
	p.answer(w, "vector", result)
}

func (p *prom) answer(w http.ResponseWriter, kind string, result []any) {
	body := map[string]any{"status": "success", "data": map[string]any{"resultType": kind, "result": result}}
	if p.warnings != nil {
		body["warnings"] = p.warnings
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body)
}

// fail answers as Prometheus does where a query cannot be run.
func fail(w http.ResponseWriter, status int, kind, text string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"status": "error", "errorType": kind, "error": text})
}

// sample writes a value as Prometheus does.
func sample(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

func number(r *http.Request, name string) float64 {
	f, _ := strconv.ParseFloat(r.PostFormValue(name), 64)
	return f
}

// A machine makes the series of one process after the other at one address.
type machine struct {
	instance string
	labels   map[string]string // more of them
	starts   []time.Time       // oldest first
	versions []string          // of each; nil for no thanos_build_info
	count    func(up time.Duration) float64
	// from is when it was scraped first.
	from time.Time
	// every leaves out all but each n-th point; 0 for none.
	every int64
}

// running is the index of the process that runs at a time.
func (m machine) running(at time.Time) (int, bool) {
	for i := len(m.starts) - 1; i >= 0; i-- {
		if !m.starts[i].After(at) {
			return i, !at.Before(m.from) && (m.every == 0 || at.Unix()/60%m.every == 0)
		}
	}
	return 0, false
}

func (m machine) lines() []line {
	named := func(name string, more ...string) map[string]string {
		l := map[string]string{"__name__": name, "instance": m.instance, "job": "thanos"}
		for k, v := range m.labels {
			l[k] = v
		}
		for i := 0; i+1 < len(more); i += 2 {
			l[more[i]] = more[i+1]
		}
		return l
	}
	all := []line{
		{named("go_goroutines"), func(at time.Time) (float64, bool) {
			i, ok := m.running(at)
			return m.count(at.Sub(m.starts[i])), ok
		}},
		{named("process_start_time_seconds"), func(at time.Time) (float64, bool) {
			i, ok := m.running(at)
			return float64(m.starts[i].UnixMilli()) / 1000, ok
		}},
	}
	for n, v := range m.versions {
		all = append(all, line{named("thanos_build_info", "version", v, "revision", fmt.Sprint("r", v)), func(at time.Time) (float64, bool) {
			i, ok := m.running(at)
			return 1, ok && i == n
		}})
	}
	return all
}

// hoursAgo are the times so many hours before now, and 120 ms.
func hoursAgo(hours ...float64) []time.Time {
	var all []time.Time
	for _, h := range hours {
		all = append(all, now.Add(-time.Duration(h*float64(time.Hour))+120*time.Millisecond))
	}
	return all
}

func steady(time.Duration) float64 { return 40 }

func leaking(up time.Duration) float64 { return 22 + 100*up.Hours() }

// scanned is a target whose newest sample is of a process that started then; a
// zero time leaves metrics out.
func scanned(name string, started time.Time) profile.Target {
	x := profile.Target{Name: name, URL: "http://" + name, Samples: []profile.Sample{{Time: now}}}
	if !started.IsZero() {
		x.Samples[0].Metrics = profile.Metrics{"process_start_time_seconds": {{Value: float64(started.UnixMilli()) / 1000}}}
	}
	return x
}

// fetch asks with what all tests have in common.
func fetch(t *testing.T, p *prom, targets ...profile.Target) (map[string]*profile.Past, []string) {
	t.Helper()
	past, warnings, err := Fetch(t.Context(), p.url, targets, Options{Now: now, Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	return past, warnings
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

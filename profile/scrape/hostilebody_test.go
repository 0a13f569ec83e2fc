package scrape

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	pprof "github.com/google/pprof/profile"
)

// body serves bytes.
func body(b []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(b) }
}

// TestHostileProfile meets profiles that are none: the sample is lost, the error
// says why.
func TestHostileProfile(t *testing.T) {
	good := debug0(t)
	for _, a := range []attack{
		{name: "gzip in gzip", serve: body(gzipped(t, good)), says: []string{"a file that was gzipped twice"}},
		{name: "gzip bomb", serve: body(bomb(t, "\x00")), says: []string{"unpacks to more than 16 MiB"}},
		{name: "gzip bomb of text", serve: body(bomb(t, "goroutine 1 [select]:\n")), says: []string{"unpacks to more than 16 MiB"}},
		{name: "half-written", serve: body(good[:len(good)/2]), says: []string{"ends in the middle", "Try again"}},
		{name: "half-written header", serve: body(good[:5]), says: []string{"ends in the middle"}},
		{name: "half-written without gzip", serve: body(plain(t, good)[:1000]), says: []string{"no goroutine profile"}},
		{name: "damaged", serve: body(append(bytes.Clone(good[:20]), make([]byte, 2000)...)), says: []string{"no goroutine profile"}},
		{name: "debug=2", serve: page("goroutine 1 [running]:\nmain.main()\n\t/a.go:1 +0x1\n"), says: []string{"it is debug=2, asked for debug=0"}},
		{name: "heap profile", serve: made(t, func(p *pprof.Profile) { p.SampleType[0].Type = "inuse_space" }), says: []string{"a heap profile"}},
		{name: "kind with terminal escapes", serve: made(t, func(p *pprof.Profile) { p.SampleType[0].Type = "\x1b[2J\u202e<b>" }), says: []string{"a profile of "}},
		{name: "a length of exabytes", serve: page("\x0a\x02\x08\x01\x32\x00\x32\x09goroutine\x12\xff\xff\xff\xff\xff\xff\xff\xff\x7f"), says: []string{"no goroutine profile"}},
		{name: "a length of gigabytes in a sample", serve: page("\x0a\x02\x08\x01\x32\x00\x32\x09goroutine\x12\x06\x0a\xff\xff\xff\xff\x07"), says: []string{"no goroutine profile"}},
		{name: "millions of entries", serve: body(gzipped(t, bytes.Repeat([]byte("\x12\x00"), 3<<20))), says: []string{"would take more than 768 MiB"}},
		{name: "dangling location", serve: made(t, func(p *pprof.Profile) { p.Location = nil }), says: []string{"damaged pprof profile"}},
		{name: "dangling function", serve: made(t, func(p *pprof.Profile) { p.Function = nil }), says: []string{"damaged pprof profile"}},
		{name: "dangling string", serve: page("\x0a\x02\x08\x09\x32\x00\x32\x09goroutine"), says: []string{"no goroutine profile"}},
		{name: "an id twice", serve: made(t, func(p *pprof.Profile) { p.Function = append(p.Function, p.Function[0]) }), says: []string{"damaged pprof profile"}},
		{name: "a sample without a count", serve: made(t, func(p *pprof.Profile) { p.Sample[0].Value = nil }), says: []string{"no goroutine profile"}},
	} {
		t.Run(a.name, func(t *testing.T) { a.onProfile(t) })
	}
}

// plain unpacks a profile.
func plain(t *testing.T, packed []byte) []byte {
	t.Helper()
	zr, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(zr)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// made serves a profile of 3 goroutines that was changed. What the pprof package
// would not write is served all the same.
func made(t *testing.T, change func(*pprof.Profile)) http.HandlerFunc {
	t.Helper()
	fn := &pprof.Function{ID: 1, Name: "main.f"}
	loc := &pprof.Location{ID: 1, Line: []pprof.Line{{Function: fn, Line: 7}}}
	p := &pprof.Profile{
		SampleType: []*pprof.ValueType{{Type: "goroutine", Unit: "count"}},
		Sample:     []*pprof.Sample{{Location: []*pprof.Location{loc}, Value: []int64{3}}},
		Location:   []*pprof.Location{loc}, Function: []*pprof.Function{fn},
	}
	change(p)
	var b bytes.Buffer
	if err := p.WriteUncompressed(&b); err != nil {
		t.Fatal(err)
	}
	return body(b.Bytes())
}

// TestHostileCounts: a count that is none is reported, and the others count.
func TestHostileCounts(t *testing.T) {
	for _, n := range []int64{-1, -1 << 63, 1<<63 - 1, 1 << 33} {
		h := newHostile(t, profilePath, made(t, func(p *pprof.Profile) {
			p.Sample = append(p.Sample, &pprof.Sample{Location: p.Location, Value: []int64{n}})
		}), 0)
		s, _, err := client(t, h.url, Options{}).Sample(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if g := s.Goroutines; g.Total != 3 || g.Unreadable != 1 || !strings.Contains(strings.Join(g.Warnings, " "), "a count out of range") {
			t.Errorf("%d: %d goroutines, %d unreadable, %q", n, g.Total, g.Unreadable, g.Warnings)
		}
	}
}

// TestHostileMapping: goroutines are told by functions, so that a mapping that is
// not there costs none.
func TestHostileMapping(t *testing.T) {
	h := newHostile(t, profilePath, made(t, func(p *pprof.Profile) { p.Location[0].Mapping = &pprof.Mapping{ID: 99} }), 0)
	s, _, err := client(t, h.url, Options{}).Sample(t.Context())
	if err != nil || s.Goroutines.Total != 3 || s.Goroutines.BuildID != "" {
		t.Errorf("%+v, %v", s.Goroutines, err)
	}
}

// TestHostileClock: a clock that was never set, or that runs centuries ahead, is
// not believed.
func TestHostileClock(t *testing.T) {
	for _, tc := range []struct {
		name, date string
		nanos      int64
		warned     bool
	}{
		{"profile of 1970", "", 1, true},
		{"profile of 2262", "", 1<<63 - 1, true},
		{"profile before 1970", "", -1 << 63, false},
		{"answer of the year 1", "Mon, 01 Jan 0001 00:00:00 GMT", 0, false},
		{"answer of 9999", "Fri, 31 Dec 9999 23:59:59 GMT", 0, false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			serve := made(t, func(p *pprof.Profile) { p.TimeNanos = tc.nanos })
			h := newHostile(t, profilePath, func(w http.ResponseWriter, r *http.Request) {
				if tc.date != "" {
					w.Header().Set("Date", tc.date)
				}
				serve(w, r)
			}, 0)
			c := client(t, h.url, Options{})
			s, _, err := c.Sample(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if off := time.Since(s.Time).Abs(); off > time.Minute || (len(c.Warnings()) == 1) != tc.warned {
				t.Errorf("time %v, warnings %q", s.Time, c.Warnings())
			}
		})
	}
}

// TestHostileFullStacks meets debug=2 dumps that are none, or only the half.
func TestHostileFullStacks(t *testing.T) {
	const one = "goroutine 1 [select]:\nmain.wait()\n\t/app/main.go:7 +0x1d\n\n"
	for _, a := range []attack{
		{name: "endless", serve: endless("", one), says: []string{"answers with more than 65536 KiB"}, most: maxDump},
		{name: "compressed", serve: body(gzipped(t, []byte(one))), says: []string{"it is compressed"}},
		{name: "gzip in gzip", serve: body(gzipped(t, gzipped(t, []byte(one)))), says: []string{"it is compressed"}},
		{name: "NUL bytes first", serve: page("\x00\x00" + one), says: []string{"no goroutine profile"}},
		{name: "two megabytes without a line end", serve: page(strings.Repeat("x", 2<<20)), says: []string{"text without a goroutine"}},
		{name: "trickling", serve: trickle, says: []string{"stopped after", "not complete within 1s"}, slow: true},
	} {
		t.Run(a.name, func(t *testing.T) {
			h := newHostile(t, profilePath, a.serve, a.most)
			a.check(t, func() {
				_, _, err := client(t, h.url, a.options()).FullStacks(t.Context(), 10)
				a.refused(t, err)
			})
		})
	}
	twenty := func(one string) string {
		var b strings.Builder
		for id := range 20 {
			b.WriteString(strings.Replace(one, "goroutine 1 ", fmt.Sprintf("goroutine %d ", 100+id), 1))
		}
		return b.String()
	}
	for name, text := range map[string]string{
		"NUL bytes":               twenty(one) + "goroutine 2 [select]:\nmain.\x00wait()\n\t/app/\x00.go:7 +0x1d\n",
		"invalid UTF-8":           twenty(one) + "goroutine 2 [\xff\xfe]:\nmain.\xffwait()\n\t/app/\xff.go:7 +0x1d\n",
		"a megabyte in a name":    twenty(one) + "goroutine 2 [select]:\nmain." + strings.Repeat("x", 2<<20) + "()\n\t/app/main.go:7 +0x1d\n",
		"a megabyte of arguments": twenty(one) + "goroutine 2 [select]:\nmain.wait(" + strings.Repeat("0x1, ", 1<<19) + ")\n\t/app/main.go:7 +0x1d\n",
		"a number without end":    twenty(one) + "goroutine " + strings.Repeat("9", 1000) + " [select]:\nmain.wait()\n\t/app/main.go:7 +0x1d\n",
		"half-written":            twenty(one) + "goroutine 2 [select]:\nmain.wa",
		"minutes that overflow":   twenty(one) + "goroutine 2 [select, 99999999999999999999 minutes]:\nmain.wait()\n\t/app/main.go:7 +0x1d\n",
	} {
		t.Run(name, func(t *testing.T) {
			h := newHostile(t, profilePath, page(text), 0)
			s, _, err := client(t, h.url, Options{}).FullStacks(t.Context(), 10)
			if err != nil {
				t.Fatal(err)
			}
			if s.Total+s.Unreadable != 21 || s.Total < 20 || s.Unreadable > 0 && len(s.Warnings) == 0 {
				t.Errorf("%d goroutines, %d unreadable, want 21 in all; %q", s.Total, s.Unreadable, s.Warnings)
			}
		})
	}
}

// TestHostileMetrics meets pages that no process shows. There is a sample without
// metrics, and a warning that says why.
func TestHostileMetrics(t *testing.T) {
	good := metricsPage(20, "1.79532982151e+09", "abc")
	series := func(n int, end string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "http_requests_total{handler=\"h%d\"} 1%s\n", i, end)
		}
		return b.String()
	}
	for _, a := range []attack{
		{name: "a page twice", serve: page(good + good), says: []string{"stands there 2 times", "merges pages"}},
		{name: "a series twice", serve: page(good + "process_start_time_seconds 1.8e9\n"), says: []string{"process_start_time_seconds stands there 2 times"}},
		{name: "two builds", serve: page(good + `thanos_build_info{version="0.30.0"} 1` + "\n"), says: []string{"thanos_build_info stands there 2 times"}},
		{name: "NaN", serve: page(strings.Replace(good, "go_goroutines 20", "go_goroutines NaN", 1)), says: []string{"go_goroutines is NaN"}},
		{name: "infinite", serve: page(strings.Replace(good, "go_goroutines 20", "go_goroutines +Inf", 1)), says: []string{"go_goroutines is +Inf"}},
		{name: "infinitely few", serve: page(good + "http_requests_total -Inf\n"), says: []string{"http_requests_total is -Inf"}},
		{name: "1e308", serve: page(good + "http_requests_total{tenant=\"a\"} 1e308\nhttp_requests_total{tenant=\"b\"} 1e308\n"), says: []string{"http_requests_total is +Inf"}},
		{name: "-1e308", serve: page(strings.Replace(good, "1.79532982151e+09", "-1e308", 1)), says: []string{"process_start_time_seconds is -1e+308"}},
		{name: "fewer requests than none", serve: page(good + "http_requests_total{code=\"200\"} -5\n"), says: []string{"http_requests_total is -5"}},
		{name: "fewer goroutines than none", serve: page(strings.Replace(good, "go_goroutines 20", "go_goroutines -1", 1)), says: []string{"go_goroutines is -1"}},
		{name: "a number out of range", serve: page("go_goroutines 1e999\n"), says: []string{"not in the Prometheus text format"}},
		{name: "a megabyte on one line", serve: page(good + "# " + strings.Repeat("x", 2<<20) + "\n"), says: []string{"a line of more than 1024 KiB"}},
		{name: "NUL bytes", serve: page(strings.Repeat("\x00", 1000) + "go_goroutines 2\n"), says: []string{"without metrics of a Go process"}},
		{name: "NUL bytes in a value", serve: page("go_goroutines 2\x00\n"), says: []string{"not in the Prometheus text format"}},
		{name: "invalid UTF-8", serve: page("go_info{version=\"\xff\xfe\"} 1\n"), says: []string{"not in the Prometheus text format"}},
		{name: "terminal escapes", serve: page("go_goroutines \x1b[2J\u202e\n"), says: []string{"not in the Prometheus text format"}},
		{name: "half-written", serve: page(good + "go_memstats_stack_inuse_bytes 12"), says: []string{"ends in the middle of a line"}},
		{name: "too many series", serve: page(good + series(200_000, "")), says: []string{"more than 100000 series"}},
		{name: "too many series with times", serve: page(good + series(200_000, " 1")), says: []string{"more than 100000 series"}},
		{name: "a page without end", serve: endless("", "node_load1 1\n"), says: []string{"more than 65536 KiB"}, most: maxMetrics},
		{name: "series without end", serve: endless("", "http_requests_total 1\n"), says: []string{"more than 100000 series"}, most: maxMetrics},
		{name: "gzip bomb", serve: encoded("gzip", bomb(t, "node_load1 1\n")), says: []string{"more than 65536 KiB"}},
		{name: "gzip bomb of series", serve: encoded("gzip", bomb(t, "http_requests_total 1\n")), says: []string{"more than 100000 series"}},
		{name: "gzip in gzip", serve: encoded("gzip", gzipped(t, gzipped(t, []byte(good)))), says: []string{"without metrics of a Go process"}},
		{name: "half-written gzip", serve: encoded("gzip", gzipped(t, []byte(good))[:100]), says: []string{"unexpected EOF"}},
		{name: "JSON", serve: typed("application/json", `{"status":"success"}`+"\n"), says: []string{"without metrics of a Go process"}},
	} {
		t.Run(a.name, func(t *testing.T) {
			h := newHostile(t, metricsPath, a.serve, a.most)
			a.check(t, func() {
				c := client(t, h.url, a.options())
				s, _, err := c.Sample(t.Context())
				if err != nil || s.Metrics != nil || len(c.Warnings()) != 1 {
					t.Fatalf("%v, metrics %v, warnings %q", err, s.Metrics, c.Warnings())
				}
				a.harmless(t, c.Warnings()[0])
				contains(t, c.Warnings()[0], append(a.says, "No metrics (", h.url.String()+metricsPath, "could not be checked")...)
			})
		})
	}
}

// TestHostileLabels: a label that no process has is kept as what it is, shortened.
func TestHostileLabels(t *testing.T) {
	for _, end := range []string{" 1\n", " 1 1000\n"} {
		h := newHostile(t, metricsPath, page("go_goroutines 7\ngo_info{version=\""+strings.Repeat("ü\x1b[2J<b>", 50_000)+"\"}"+end), 0)
		s, _, err := client(t, h.url, Options{}).Sample(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if v := s.Metrics["go_info"][0].Labels["version"]; !strings.HasPrefix(v, "ü\x1b[2J<b>ü") || len(v) > 310 {
			t.Errorf("%d bytes: %.20q", len(v), v)
		}
	}
}

// TestHostileStatus meets answers of the status API that no Thanos gives: what
// they should tell is unknown, the warning says why, and the rest is there.
func TestHostileStatus(t *testing.T) {
	answer := func(data string) http.HandlerFunc { return page(`{"status":"success","data":` + data + `}`) }
	deep := strings.Repeat(`{"a":`, 100_000)
	for path, attacks := range map[string][]attack{
		"/api/v1/status/buildinfo": {
			{name: "endless", serve: endless("", " "), says: []string{"more than 4096 KiB"}, most: maxStatus},
			{name: "deep nesting", serve: answer(deep), says: []string{"exceeded max depth"}},
			{name: "another type", serve: answer(`[1]`), says: []string{"not an answer of the status API"}},
			{name: "a number for a version", serve: answer(`{"version":1}`), says: []string{"not an answer of the status API"}},
			{name: "half-written", serve: page(`{"status":"success","data":{"version":"0.3`), says: []string{"unexpected EOF"}},
			{name: "NUL bytes", serve: page("\x00\x00"), says: []string{"not an answer of the status API"}},
			{name: "an error with terminal escapes", serve: page(`{"status":"` + "\\u001b[2J\u202e" + strings.Repeat("x", 9999) + `"}`), says: []string{"the status API answers"}},
		},
		"/api/v1/status/flags": {
			{name: "endless", serve: endless("", " "), says: []string{"more than 4096 KiB"}, most: maxStatus},
			{name: "gzip bomb", serve: encoded("gzip", bomb(t, " ")), says: []string{"more than 4096 KiB"}, most: maxStatus},
			{name: "deep nesting", serve: answer(deep), says: []string{"exceeded max depth"}},
			{name: "numbers", serve: answer(`{"query.timeout":1}`), says: []string{"not an answer of the status API"}},
			{name: "JSON that goes on", serve: endless("", `{"status":"success","data":{"query.timeout":"`), says: []string{"not an answer of the status API"}, most: maxStatus},
		},
		storesPath: {
			{name: "deep nesting", serve: answer(deep), says: []string{"exceeded max depth"}},
			{name: "deep nesting in an error", serve: answer(`{"query":[{"name":"a","lastError":` + deep), says: []string{"exceeded max depth"}},
			{name: "a string", serve: answer(`"stores"`), says: []string{"not an answer of the status API"}},
			{name: "null in null", serve: answer(`{"query":[null],"store":{}}`), says: []string{"not an answer of the status API"}},
			{name: "millions of values", serve: answer(`{"query":[{"lastError":[` + strings.Repeat("1,", 3<<20) + `1]}]}`), says: []string{"more than 4096 KiB"}, most: maxStatus},
		},
	} {
		for _, a := range attacks {
			t.Run(path+" "+a.name, func(t *testing.T) { a.onFacts(t, path) })
		}
	}
}

// onFacts checks that the warning of a page says why nothing is known.
func (a *attack) onFacts(t *testing.T, path string) {
	h := newHostile(t, path, a.serve, a.most)
	serve := h.pages[path]
	h.api("")
	h.set(path, serve)
	a.check(t, func() {
		_, warnings, err := client(t, h.url, a.options()).Facts(t.Context())
		if err != nil || len(warnings) != 1 {
			t.Fatalf("warnings %q, %v", warnings, err)
		}
		a.harmless(t, warnings[0])
		contains(t, warnings[0], append(a.says, "unknown: ", h.url.String()+path)...)
	})
}

// TestHostileFacts: what is of the right type and of a size that no Thanos has is
// kept, shortened.
func TestHostileFacts(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	p := newProcess(t)
	p.api("")
	p.set("/api/v1/status/buildinfo", page(`{"status":"success","data":{"version":"v`+long+`","revision":"`+long+`","goVersion":"`+long+`"}}`))
	p.set("/api/v1/status/flags", page(`{"status":"success","data":{"query.timeout":"`+long+`"}}`))
	p.set(storesPath, page(`{"status":"success","data":{"query":[`+strings.Repeat(`{"name":"a"},`, 5000)+`{"name":"`+long+`"}]}}`))
	f, warnings, err := client(t, p.url, Options{Flags: []string{"query.timeout"}}).Facts(t.Context())
	if err != nil || len(warnings) > 0 {
		t.Fatalf("%v, warnings %q", err, warnings)
	}
	for name, s := range map[string]string{"version": f.Version, "revision": f.Revision, "Go": f.GoVersion, "flag": f.Flags["query.timeout"]} {
		if len(s) < 300 || len(s) > 310 {
			t.Errorf("%s of %d bytes", name, len(s))
		}
	}
	if len(f.Endpoints) != 2000 {
		t.Errorf("%d endpoints", len(f.Endpoints))
	}
}

package scrape

import (
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/thanosleak/thanosleak/profile"
)

func TestFacts(t *testing.T) {
	known := profile.Facts{
		Version: "0.35.1", VersionSource: "buildinfo", Revision: "abc", GoVersion: "go1.21.13",
		Flags:     map[string]string{"query.timeout": "2m"},
		Endpoints: []profile.Endpoint{{Type: "query", Name: "127.0.0.1:21412"}},
	}
	unknown := profile.Facts{VersionSource: "unknown"}
	for _, tc := range []struct {
		name  string
		base  string
		api   string // prefix of the API
		none  bool   // there is no API
		pages map[string]http.HandlerFunc
		want  profile.Facts
		asked []string // what is asked before flags and stores
	}{
		{name: "at the root", want: known, asked: []string{"/api/v1/status/buildinfo"}},
		{name: "behind a proxy's prefix", base: "/p", api: "/p", want: known, asked: []string{"/p/api/v1/status/buildinfo"}},
		{
			name: "route prefix of a querier", api: "/thanos", want: known,
			pages: map[string]http.HandlerFunc{"/": redirect("/thanos/graph")},
			asked: []string{"/api/v1/status/buildinfo", "/", "/thanos/api/v1/status/buildinfo"},
		},
		{
			name: "route prefix of a ruler", api: "/a/rule", want: known,
			pages: map[string]http.HandlerFunc{"/": redirect("/a/rule")},
			asked: []string{"/api/v1/status/buildinfo", "/", "/a/rule/api/v1/status/buildinfo"},
		},
		{
			name: "route prefix behind a proxy that translates it", base: "/p", api: "/p/thanos", want: known,
			pages: map[string]http.HandlerFunc{"/p/": redirect("/p/thanos/graph")},
			asked: []string{"/p/api/v1/status/buildinfo", "/p/", "/p/thanos/api/v1/status/buildinfo"},
		},
		{
			name: "route prefix behind a proxy that does not", base: "/p", api: "/p/thanos", want: known,
			pages: map[string]http.HandlerFunc{"/p/": redirect("/thanos/graph")},
			asked: []string{"/p/api/v1/status/buildinfo", "/p/", "/p/thanos/api/v1/status/buildinfo"},
		},
		{name: "no API", none: true, want: unknown, asked: []string{"/api/v1/status/buildinfo", "/"}},
		{
			name: "no API, a page at the root", none: true, want: unknown,
			pages: map[string]http.HandlerFunc{"/": page("<html>")},
			asked: []string{"/api/v1/status/buildinfo", "/"},
		},
		{
			name: "no API, redirect within the base", none: true, want: unknown,
			pages: map[string]http.HandlerFunc{"/": redirect("/graph")},
			asked: []string{"/api/v1/status/buildinfo", "/"},
		},
		{
			name: "no API, redirect to another host", none: true, want: unknown,
			pages: map[string]http.HandlerFunc{"/": redirect("http://sso.example.com/thanos")},
			asked: []string{"/api/v1/status/buildinfo", "/"},
		},
		{
			name: "no API below the redirect either", none: true, want: unknown,
			pages: map[string]http.HandlerFunc{"/": redirect("/thanos")},
			asked: []string{"/api/v1/status/buildinfo", "/", "/thanos/api/v1/status/buildinfo"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := newProcess(t)
			for path, h := range tc.pages {
				p.set(path, h)
			}
			if !tc.none {
				p.api(tc.api)
				tc.asked = append(tc.asked, tc.api+"/api/v1/status/flags", tc.api+"/api/v1/stores")
			}
			f, warnings, err := client(t, p.below(tc.base), Options{Flags: []string{"query.timeout"}}).Facts(t.Context())
			if err != nil || warnings != nil {
				t.Fatalf("error %v, warnings %q", err, warnings)
			}
			if diff := cmp.Diff(tc.want, f); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(tc.asked, p.asked()); diff != "" {
				t.Error("requests:", diff)
			}
			if p.conns != 1 {
				t.Errorf("%d connections", p.conns)
			}
		})
	}
}

func TestFactsAreIncomplete(t *testing.T) {
	for _, tc := range []struct {
		name, path string
		page       http.HandlerFunc
		warning    string // of the first warning; empty if there is none
	}{
		{"no stores", "/api/v1/stores", nil, ""},
		{"stores fail", "/api/v1/stores", status(503, "busy"), "Endpoints are unknown: "},
		{"flags are forbidden", "/api/v1/status/flags", status(403, ""), "Flags are unknown: "},
		{"flags are no JSON", "/api/v1/status/flags", page("flags"), "not an answer of the status API"},
		{"login before everything", "/api/v1/status/buildinfo", page("<!DOCTYPE html><title>Log in"), "web page (a login?)"},
		{"redirect to a login", "/api/v1/status/buildinfo", redirect("https://sso.example.com/"), "redirects to another host (sso.example.com)"},
		{"buildinfo fails", "/api/v1/status/buildinfo", status(500, "boom"), "Flags and endpoints are unknown: "},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := newProcess(t)
			p.api("")
			p.set(tc.path, tc.page)
			_, warnings, err := client(t, p.url, Options{}).Facts(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if want := tc.warning != ""; (len(warnings) == 1) != want {
				t.Fatalf("warnings %q", warnings)
			}
			contains(t, strings.Join(warnings, ""), tc.warning)
		})
	}
}

func TestFactsOfNobody(t *testing.T) {
	p := newProcess(t)
	p.api("")
	p.set("/api/v1/status/buildinfo", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	f, _, err := client(t, p.url, Options{}).Facts(t.Context())
	if err == nil {
		t.Fatalf("no error, facts %+v", f)
	}
	contains(t, err.Error(), "closed without an answer")
}

// What a process tells and nobody has to know must not come through.
func TestSecretsStayOutside(t *testing.T) {
	const canary = "CANARY-hunter2"
	p := newProcess(t)
	p.api("")
	p.set("/api/v1/status/flags", page(`{"status":"success","data":{"query.timeout":"2m",
		"objstore.config":"secret_key: `+canary+`","query.config":"`+canary+`","query.config-file":"`+canary+`",
		"remote-write.config":"`+canary+`","log.level":"`+canary+`"}}`))
	p.set("/api/v1/stores", page(`{"status":"success","data":{"store":[{"name":"s:10901","lastError":null,
		"labelSets":[{"tenant":"`+canary+`"}],"lastCheck":"`+canary+`"}]}}`))
	p.set("/metrics", page(metricsPage(20, "1.7e+09", "abc")+`
http_requests_total{handler="query",tenant="`+canary+`"} 3
thanos_tenant_series{tenant="`+canary+`"} 3
`+canary+` 1
`))
	c := client(t, p.url, Options{Flags: []string{"query.timeout", "objstore.config", "query.config", "query.config-file"}})
	f, warnings, err := c.Facts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s, payload, err := c.Sample(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var kept bytes.Buffer
	fmt.Fprintf(&kept, "%+v %q %q", f, warnings, c.Warnings())
	for _, write := range []func() error{
		func() error { return f.WriteBuildInfo(&kept) },
		func() error { return f.WriteFlags(&kept) },
		func() error { return f.WriteStores(&kept) },
		func() error { return s.Metrics.Write(&kept) },
	} {
		if err := write(); err != nil {
			t.Fatal(err)
		}
	}
	for _, b := range [][]byte{payload.Debug0, payload.Debug2, payload.Leaked} {
		kept.Write(b)
	}
	contains(t, kept.String(), "2m", "s:10901", `http_requests_total{handler="query"} 3`)
	if i := bytes.Index(kept.Bytes(), []byte(canary)); i >= 0 {
		t.Errorf("kept %q", kept.String()[max(0, i-40):i+20])
	}
}

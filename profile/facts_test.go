package profile

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestFlagFilter(t *testing.T) {
	keep := FlagFilter([]string{
		"store.response-timeout", "query.timeout", "query.max-concurrent", "grpc.proxy-strategy",
		// An advisory may ask for these: it does not get them.
		"objstore.config", "objstore.config-file", "query.config", "alertmanagers.config", "remote-write.config",
		"index-cache.config", "http.config", "tracing.config-file", "grpc-server-tls-key", "some.password", "api-token", "the-secret",
	})
	for flag, want := range map[string]bool{
		"store.response-timeout": true, "query.timeout": true, "query.max-concurrent": true, "grpc.proxy-strategy": true,
		"query.lookback-delta": false, "": false,
		"objstore.config": false, "objstore.config-file": false, "query.config": false, "alertmanagers.config": false,
		"remote-write.config": false, "index-cache.config": false, "http.config": false, "tracing.config-file": false,
		"grpc-server-tls-key": false, "some.password": false, "api-token": false, "the-secret": false,
	} {
		if keep(flag) != want {
			t.Errorf("%q: %t, want %t", flag, !want, want)
		}
	}
}

func TestFactsOfProcess(t *testing.T) {
	var f Facts
	read := func(name string, into func(*os.File) error) {
		t.Helper()
		file, err := os.Open("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		if err := into(file); err != nil {
			t.Fatal(err)
		}
	}
	read("status-buildinfo.json", func(r *os.File) error { return f.ReadBuildInfo(r) })
	read("status-flags.json", func(r *os.File) error {
		return f.ReadFlags(r, FlagFilter([]string{"store.response-timeout", "query.timeout", "http.config", "not.there"}))
	})
	read("stores.json", func(r *os.File) error { return f.ReadStores(r) })
	want := Facts{
		Version: "0.35.1", VersionSource: "buildinfo",
		Revision: "086a698b2195adb6f3463ebbd032e780f39d2050", GoVersion: "go1.21.13",
		Flags:     map[string]string{"store.response-timeout": "2s", "query.timeout": "30s"},
		Endpoints: []Endpoint{{Type: "query", Name: "127.0.0.1:21412"}},
	}
	if diff := cmp.Diff(want, f); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diff := cmp.Diff(want, roundTrip(t, f)); diff != "" {
		t.Errorf("written and read again: -want +got:\n%s", diff)
	}
}

// roundTrip writes facts as the API spells them and reads them again.
func roundTrip(t *testing.T, f Facts) Facts {
	t.Helper()
	var again Facts
	var info, flags, stores bytes.Buffer
	all := func(string) bool { return true }
	for _, err := range []error{
		f.WriteBuildInfo(&info), f.WriteFlags(&flags), f.WriteStores(&stores),
		again.ReadBuildInfo(&info), again.ReadFlags(&flags, all), again.ReadStores(&stores),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return again
}

func TestReadStores(t *testing.T) {
	var f Facts
	err := f.ReadStores(strings.NewReader(`{"status":"success","data":{
		"store":[{"name":"b","lastError":"canary in an error","labelSets":[{"tenant":"canary"}]},{"name":"a","lastError":{}}],
		"query":[{"name":"canary:canary@c","lastError":null}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := []Endpoint{{Type: "query", Name: "c"}, {Type: "store", Name: "a", Down: true}, {Type: "store", Name: "b", Down: true}}
	if diff := cmp.Diff(want, f.Endpoints); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestHugeError: an error of a store is passed over, whatever is in it.
func TestHugeError(t *testing.T) {
	answer := `{"status":"success","data":{"store":[{"name":"a","lastError":[` + strings.Repeat(`{},`, 1_000_000) + `{}]}]}}`
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var f Facts
	if err := f.ReadStores(strings.NewReader(answer)); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 10*uint64(len(answer)) || !f.Endpoints[0].Down {
		t.Errorf("%v, and %d bytes taken for an answer of %d", f.Endpoints, took, len(answer))
	}
}

func TestStatusErrors(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", "not an answer of the status API"},
		{"<html>", "not an answer of the status API"},
		{`{"status":"error","data":null}`, `answers "error"`},
		{`{"status":"success","data":[1]}`, "not an answer of the status API"},
		{`{"status":"success","data":{"a":"` + strings.Repeat("x", maxStatus) + `"}}`, "not an answer of the status API"},
	} {
		var f Facts
		for _, err := range []error{
			f.ReadFlags(strings.NewReader(tt.text), FlagFilter(nil)),
			f.ReadBuildInfo(strings.NewReader(tt.text)),
			f.ReadStores(strings.NewReader(tt.text)),
		} {
			// An object with an unknown field is a build info without a version.
			if err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%.40q: error %v, want one with %q", tt.text, err, tt.want)
			}
		}
		if err := f.ReadFlags(strings.NewReader(tt.text), FlagFilter(nil)); err == nil {
			t.Errorf("%.40q: no error", tt.text)
		}
	}
}

func TestAdopt(t *testing.T) {
	m := Metrics{
		"thanos_build_info": {{Labels: map[string]string{"version": "v0.36.0", "revision": "abc", "goversion": "go1.21.13"}, Value: 1}},
		"go_info":           {{Labels: map[string]string{"version": "go1.26.8"}, Value: 1}},
	}
	for _, tt := range []struct {
		name        string
		facts, want Facts
		m           Metrics
	}{
		{"nothing known", Facts{}, Facts{Version: "0.36.0", VersionSource: "metrics", Revision: "abc", GoVersion: "go1.21.13"}, m},
		{"build info wins", Facts{Version: "0.35.1", VersionSource: "buildinfo", GoVersion: "go1.22.0"}, Facts{Version: "0.35.1", VersionSource: "buildinfo", GoVersion: "go1.22.0"}, m},
		{"Go only", Facts{}, Facts{GoVersion: "go1.26.8"}, Metrics{"go_info": m["go_info"]}},
		{"no metrics", Facts{}, Facts{}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.facts.Adopt(tt.m)
			if diff := cmp.Diff(tt.want, tt.facts); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

const metricsPage = `# HELP go_goroutines Number of goroutines.
# TYPE go_goroutines gauge
go_goroutines 453
# TYPE go_info gauge
go_info{version="go1.21.13"} 1
# TYPE thanos_build_info gauge
thanos_build_info{branch="canary",goversion="go1.21.13",revision="abc",tags="canary",version="0.35.1"} 1
# TYPE grpc_server_started_total counter
grpc_server_started_total{grpc_method="Series",grpc_service="thanos.Store",grpc_type="server_stream"} 150
grpc_server_started_total{grpc_method="Info",grpc_service="thanos.Store",grpc_type="unary"} 2
# TYPE grpc_server_handled_total counter
grpc_server_handled_total{grpc_code="OK",grpc_method="Series",tenant="canary"} 5
grpc_server_handled_total{grpc_code="Canceled",grpc_method="Series",tenant="canary-2"} 1
# TYPE http_requests_total counter
http_requests_total{code="200",handler="query \"x\"\\",tenant="canary"} 7
# TYPE secret_family gauge
secret_family{name="canary"} 1
# TYPE prometheus_histogram histogram
prometheus_histogram_bucket{le="canary"} 3
process_start_time_seconds 1.795329818e+09
`

func TestMetrics(t *testing.T) {
	m, err := ReadMetrics(strings.NewReader(metricsPage))
	if err != nil {
		t.Fatal(err)
	}
	want := Metrics{
		"go_goroutines":     {{Value: 453}},
		"go_info":           {{Labels: map[string]string{"version": "go1.21.13"}, Value: 1}},
		"thanos_build_info": {{Labels: map[string]string{"version": "0.35.1", "revision": "abc", "goversion": "go1.21.13"}, Value: 1}},
		"grpc_server_started_total": {
			{Labels: map[string]string{"grpc_method": "Info"}, Value: 2},
			{Labels: map[string]string{"grpc_method": "Series"}, Value: 150},
		},
		"grpc_server_handled_total":  {{Labels: map[string]string{"grpc_method": "Series", "grpc_code": "Canceled"}, Value: 1}, {Labels: map[string]string{"grpc_method": "Series", "grpc_code": "OK"}, Value: 5}},
		"http_requests_total":        {{Labels: map[string]string{"code": "200", "handler": `query "x"\`}, Value: 7}},
		"process_start_time_seconds": {{Value: 1795329818}},
	}
	if diff := cmp.Diff(want, m); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, tt := range []struct {
		name   string
		labels []string
		want   float64
	}{
		{"grpc_server_started_total", nil, 152},
		{"grpc_server_started_total", []string{"grpc_method", "Series"}, 150},
		{"grpc_server_started_total", []string{"grpc_method", "none"}, 0},
		{"http_inflight_requests", nil, 0},
	} {
		if got := m.Sum(tt.name, tt.labels...); got != tt.want {
			t.Errorf("sum of %s%v is %v, want %v", tt.name, tt.labels, got, tt.want)
		}
	}
	if m.Has("http_inflight_requests") || !m.Has("go_goroutines") {
		t.Error("Has is wrong")
	}
	var page bytes.Buffer
	if err := m.Write(&page); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(page.String(), "canary") {
		t.Errorf("a secret passed:\n%s", &page)
	}
	again, err := ReadMetrics(&page)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(m, again); diff != "" {
		t.Errorf("written and read again: -want +got:\n%s", diff)
	}
}

func TestMetricsOfProcess(t *testing.T) {
	f, err := os.Open("testdata/metrics.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	m, err := ReadMetrics(f)
	if err != nil {
		t.Fatal(err)
	}
	if got := m.Sum("go_goroutines"); got != 453 {
		t.Errorf("%v goroutines, want 453", got)
	}
	if len(m["thanos_build_info"]) != 1 || m.labels("thanos_build_info")["version"] != "0.35.1" {
		t.Errorf("build info %v", m["thanos_build_info"])
	}
}

func TestMetricsErrors(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"empty", "", "without metrics of a Go process"},
		{"another process", "node_load1 0.5\n", "without metrics of a Go process"},
		{"login page", "<html>\n", "without metrics of a Go process"},
		{"damaged", "go_goroutines{version=\"x 1\n", "not in the Prometheus text format"},
		{"a line without end", "go_info{version=\"" + strings.Repeat("x", maxPageLine+1), "a line of more than 1024 KiB"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := ReadMetrics(strings.NewReader(tt.text)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
}

// TestManySeries checks that a page made to be slow is not.
func TestManySeries(t *testing.T) {
	const n = 50_000
	var page strings.Builder
	for i := range n {
		fmt.Fprintf(&page, "http_requests_total{handler=\"h%d\"} 1\n", i)
	}
	m, err := ReadMetrics(strings.NewReader(page.String()))
	if err != nil {
		t.Fatal(err)
	}
	if len(m["http_requests_total"]) != n {
		t.Errorf("%d series", len(m["http_requests_total"]))
	}
}

func TestComponent(t *testing.T) {
	for name, want := range map[string]string{
		"go121-eager-upper": "query", "go126-steady-store": "store", "go126-steady-compact": "compact",
		"go126-steady-sidecar": "sidecar", "go126-send-receive": "receive", "go126-leakprof": "",
	} {
		target := Target{Samples: []Sample{{Goroutines: readFile(t, "triples/"+name+".debug0.pb.gz")}}}
		if got := target.Component(); got != want {
			t.Errorf("%s: component %q, want %q", name, got, want)
		}
	}
	for fn, want := range map[string]string{
		"main.runQueryFrontend.func3": "query-frontend", "main.runRule": "rule", "main.runQueryX": "", "main": "", "": "",
	} {
		if got := componentOf(fn); got != want {
			t.Errorf("%s: component %q, want %q", fn, got, want)
		}
	}
}

// equalNaN compares metrics: a page may show NaN.
var equalNaN = cmpopts.EquateNaNs()

// The boot time that a start time is computed from moves by full seconds; a
// process that is restarted at once starts a fraction of a second off.
func TestSameStart(t *testing.T) {
	const start = 1795329821.51
	for after, want := range map[float64]bool{0: true, 1: true, -1: true, 2: true, 3: false, 0.5: false, 1.3: false, -1.3: false, 60: false} {
		if got := SameStart(start, start+after); got != want {
			t.Errorf("%+v s: %t, want %t", after, got, want)
		}
	}
}

package classify

import (
	"testing"
	"time"

	"github.com/thanosleak/thanosleak/profile"
)

func TestRequestsStuck(t *testing.T) {
	d := deadline{after: 30 * time.Second}
	for _, tt := range []struct {
		name  string
		kind  requestKind
		pages []profile.Metrics
		want  int
		over  time.Duration
	}{
		// Requests in flight 40 s ago that have not ended since: the newest
		// page that is old enough counts.
		{"144 that never end", requestHTTP, []profile.Metrics{page(0, 0, 0, 0), page(40, 0, 0, 154), page(50, 0, 0, 144), page(50, 0, 0, 144), page(50, 0, 0, 144), page(50, 0, 0, 144)}, 144, 40 * time.Second},
		{"all have ended", requestHTTP, []profile.Metrics{page(0, 0, 0, 144), page(50, 0, 0, 144), page(300, 0, 0, 0), page(400, 0, 0, 0)}, 0, 0},
		{"more and more, but each ends", requestHTTP, []profile.Metrics{page(0, 0, 0, 100), page(100, 0, 0, 200), page(300, 0, 0, 300), page(600, 0, 0, 400)}, 0, 0},
		{"calls", requestGRPC, []profile.Metrics{page(0, 100, 40, 0), page(0, 100, 60, 0), page(0, 120, 80, 0), page(0, 200, 92, 0), page(0, 300, 93, 0)}, 7, 40 * time.Second},
		{"two long streams", requestGRPC, []profile.Metrics{page(0, 2, 0, 0), page(0, 2, 0, 0), page(0, 2, 0, 0), page(0, 2, 0, 0), page(0, 2, 0, 0)}, 0, 0},
		{"for no longer than the deadline", requestHTTP, []profile.Metrics{page(0, 0, 0, 144), page(0, 0, 0, 144), page(0, 0, 0, 144), page(0, 0, 0, 144)}, 0, 0},
		{"metrics missing in between", requestHTTP, []profile.Metrics{page(0, 0, 0, 9), nil, nil, nil, nil, page(0, 0, 0, 9)}, 9, 50 * time.Second},
		{"no metrics", requestHTTP, []profile.Metrics{nil, nil, nil, nil, nil}, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := lifeOf(10*time.Second, tt.pages...)
			got := requestsStuck(l, tt.kind, d)
			if got.count != tt.want || got.over != tt.over {
				t.Errorf("%d over %v, want %d over %v", got.count, got.over, tt.want, tt.over)
			}
		})
	}
}

func TestJammed(t *testing.T) {
	gated := func(inFlight, ok, failed float64) profile.Metrics {
		return profile.Metrics{
			"thanos_query_concurrent_gate_queries_in_flight": {{Value: inFlight}},
			"thanos_query_concurrent_gate_queries_max":       {{Value: 20}},
			"http_requests_total": {
				{Labels: map[string]string{"handler": "query", "code": "200"}, Value: ok},
				{Labels: map[string]string{"handler": "query", "code": "503"}, Value: failed}},
		}
	}
	d := deadline{after: 15 * time.Second}
	for _, tt := range []struct {
		name  string
		pages []profile.Metrics
		want  int // samples
	}{
		{"full, and those in front give up", []profile.Metrics{gated(3, 0, 0), gated(20, 9, 0), gated(20, 9, 10), gated(20, 9, 30)}, 3},
		{"full, but answering", []profile.Metrics{gated(20, 0, 0), gated(20, 9, 0), gated(20, 19, 10), gated(20, 29, 30)}, 0},
		{"nearly full", []profile.Metrics{gated(20, 9, 0), gated(20, 9, 0), gated(20, 9, 10), gated(19, 9, 30)}, 0},
		{"full for a moment", []profile.Metrics{gated(3, 9, 0), gated(3, 9, 0), gated(20, 9, 10), gated(20, 9, 30)}, 0},
		{"a gate that does nothing", []profile.Metrics{gated(0, 9, 0), gated(0, 9, 0), gated(0, 9, 10), gated(0, 9, 30)}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := jammed(lifeOf(10*time.Second, tt.pages...), d)
			if got.samples != tt.want || tt.want > 0 && got.slots != 20 {
				t.Errorf("%+v, want %d samples", got, tt.want)
			}
		})
	}
}

// Deadlines are those of the process itself for queries, and those of its
// callers for calls.
func TestDeadlines(t *testing.T) {
	made := func(name, url, timeout string, endpoints ...string) *process {
		target := &profile.Target{Name: name, URL: url, Facts: profile.Facts{}}
		if timeout != "" {
			target.Facts.Flags = map[string]string{"query.timeout": timeout}
		}
		for _, e := range endpoints {
			target.Facts.Endpoints = append(target.Facts.Endpoints, profile.Endpoint{Type: "store", Name: e})
		}
		return newProcess(target)
	}
	upper := made("upper", "http://10.0.0.1:10902", "10m", "10.0.0.2:10901", "10.0.0.9:10901")
	second := made("second", "http://10.0.0.4:10902", "5m", "10.0.0.2:10901", "10.0.0.2:10901")
	leaf := made("leaf", "http://10.0.0.2:10902", "30s", "10.0.0.3:10901")
	lone := made("lone", "http://10.0.0.5:10902", "")
	twins := []*process{made("a", "http://10.0.0.9:10902", ""), made("b", "http://10.0.0.9:10912", "")}
	linkCallers(append(twins, upper, second, leaf, lone))
	for _, tt := range []struct {
		name    string
		p       *process
		kind    requestKind
		want    time.Duration
		assumed bool
	}{
		{"own queries", leaf, requestHTTP, 30 * time.Second, false},
		{"calls, by the longest of the callers", leaf, requestGRPC, 10 * time.Minute, false},
		{"own queries, flags not known", lone, requestHTTP, 2 * time.Minute, true},
		{"calls of nobody known", lone, requestGRPC, 2 * time.Minute, true},
		{"calls, the own timeout being longer than the default", upper, requestGRPC, 10 * time.Minute, true},
		{"two targets on one host: which is called is not known", twins[0], requestGRPC, 2 * time.Minute, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if d := tt.p.deadlineOf(tt.kind); d.after != tt.want || d.assumed != tt.assumed || d.text == "" {
				t.Errorf("%+v, want %v, assumed %v", d, tt.want, tt.assumed)
			}
		})
	}
}

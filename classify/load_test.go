package classify

import (
	"math"
	"testing"
	"time"

	"github.com/thanosleak/thanosleak/profile"
)

// page is a /metrics page with requests: completed by HTTP and gRPC, and in
// flight by HTTP.
func page(httpDone, grpcStarted, grpcDone, inFlight float64) profile.Metrics {
	return profile.Metrics{
		"process_start_time_seconds": {{Value: 1000}},
		"http_requests_total": {
			{Labels: map[string]string{"handler": "query", "code": "200"}, Value: httpDone},
			{Labels: map[string]string{"handler": "status_flags", "code": "200"}, Value: 1e6},
		},
		"http_inflight_requests":    {{Labels: map[string]string{"handler": "query"}, Value: inFlight}},
		"grpc_server_started_total": {{Labels: map[string]string{"grpc_method": "Series"}, Value: grpcStarted}, {Labels: map[string]string{"grpc_method": "Info"}, Value: 1e6}},
		"grpc_server_handled_total": {{Labels: map[string]string{"grpc_method": "Series", "grpc_code": "OK"}, Value: grpcDone}, {Labels: map[string]string{"grpc_method": "Info", "grpc_code": "OK"}, Value: 1e6}},
	}
}

// lifeOf makes a life of pages; the samples stand every apart.
func lifeOf(every time.Duration, pages ...profile.Metrics) life {
	var l life
	for i, m := range pages {
		l.samples = append(l.samples, profile.Sample{Time: start.Add(time.Duration(i) * every), Metrics: m, Goroutines: snapshot()})
	}
	return l
}

func TestLoadOf(t *testing.T) {
	l := lifeOf(10*time.Second, page(0, 0, 0, 5), page(100, 50, 50, 5), nil, page(300, 50, 50, 5), page(200, 50, 50, 0))
	got := loadOf(l)
	for i, want := range []float64{15, 15, math.NaN(), math.NaN(), 0} {
		if got[i] != want && !(math.IsNaN(want) && math.IsNaN(got[i])) {
			t.Errorf("sample %d: %v a second, want %v", i, got[i], want)
		}
	}
	if got.known() {
		t.Error("known though two of five are missing")
	}
	if !loadOf(lifeOf(time.Second, page(0, 0, 0, 0), profile.Metrics{"go_goroutines": {{Value: 7}}})).known() {
		t.Error("a family that the page does not show yet is 0, not unknown")
	}
	if loadOf(lifeOf(time.Second, page(0, 0, 0, 0))).known() {
		t.Error("one sample tells no rate")
	}
}

// bump is a load that rises and falls.
var bump = load{1, 1, 4, 8, 12, 16, 20, 20, 16, 10, 4, 1}

func scaled(l load, by, base float64) []float64 {
	y := make([]float64, len(l))
	for i, v := range l {
		y[i] = base + by*v
	}
	return y
}

func TestBlame(t *testing.T) {
	rising := load{1, 2, 4, 6, 8, 10, 12, 14}
	leak := func(l load) []float64 {
		y := scaled(l, 1, 20)
		for i := range y {
			y[i] += 20 * float64(i)
		}
		return y
	}
	unknown := make(load, 8)
	for i := range unknown {
		unknown[i] = math.NaN()
	}
	for _, tt := range []struct {
		name string
		l    load
		y    []float64
		want blame
	}{
		{"a count that rises and falls with the load", bump, scaled(bump, 5, 20), blameExplain},
		{"a count that has only risen, with the load", rising, scaled(rising, 5, 20), blameTie},
		{"a leak under a load that rises and falls", bump, leak(bump), blameNone},
		{"a leak under a steady load", load{5, 5, 6, 5, 5, 6, 5, 5}, leak(load{5, 5, 6, 5, 5, 6, 5, 5}), blameNone},
		{"the load is not known", unknown, scaled(rising, 5, 20), blameNone},
		{"a count that falls as the load rises", rising, scaled(rising, -1, 20), blameNone},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.l.blameFor(tt.y); got != tt.want {
				t.Errorf("%v, want %v", got, tt.want)
			}
		})
	}
}

func TestQuiet(t *testing.T) {
	times := lifeOf(5*time.Second, make([]profile.Metrics, 12)...).times()
	for _, tt := range []struct {
		name string
		l    load
		from int
		ok   bool
	}{
		{"the load is over", load{1, 5, 9, 9, 9, 9, 9, 5, 1, 0, 0, 0}, 8, true},
		{"a pause of one sample", load{1, 5, 9, 9, 9, 9, 9, 5, 9, 9, 9, 0}, 11, false},
		{"half of the load", load{1, 5, 9, 9, 9, 9, 9, 5, 5, 5, 5, 5}, 12, false},
		{"a request or two", load{.1, .1, .1, .1, 0, 0, 0, 0, 0, 0, 0, 0}, 4, false},
		{"no load at all", make(load, 12), 1, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if from, ok := tt.l.quiet(times); from != tt.from && tt.ok || ok != tt.ok {
				t.Errorf("from %d, %v; want from %d, %v", from, ok, tt.from, tt.ok)
			}
		})
	}
}

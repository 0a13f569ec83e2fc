package prometheus

import (
	"fmt"
	"maps"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/model"

	"github.com/thanosleak/thanosleak/profile"
)

func TestFetch(t *testing.T) {
	m := machine{instance: "10.0.0.1:10902", labels: map[string]string{"pod": "thanos-query-0"}, starts: hoursAgo(300, 50, 20), versions: []string{"0.34.1", "v0.35.1", "0.35.1"}, count: leaking}
	p := newProm(t, m.lines()...)
	past, warnings := fetch(t, p, scanned("10.0.0.1:10902", m.starts[2]))
	if len(warnings) > 0 {
		t.Errorf("warnings: %q", warnings)
	}
	got := past["10.0.0.1:10902"]
	if got == nil {
		t.Fatal("no past")
	}
	if n := len(got.Points); n < 250 || n > maxPoints {
		t.Errorf("%d points", n)
	}
	upgrade := slices.IndexFunc(got.Points, func(p profile.PastPoint) bool { return p.Started.Equal(m.starts[1]) })
	want := []profile.PastVersion{{Time: now.Add(-7 * 24 * time.Hour), Version: "0.34.1"}, {Time: got.Points[upgrade].Time, Version: "0.35.1"}}
	if d := cmp.Diff(want, got.Versions); d != "" {
		t.Error(d)
	}
	first, last := got.Points[0], got.Points[len(got.Points)-1]
	if !first.Started.Equal(m.starts[0]) || !last.Started.Equal(m.starts[2]) || first.Goroutines != int(math.Round(leaking(first.Time.Sub(m.starts[0])))) {
		t.Errorf("from %+v to %+v", first, last)
	}
	if first.Time.Location() != time.UTC || first.Started.Location() != time.UTC || !first.Time.Equal(got.From) {
		t.Errorf("times are not in UTC: %v %v, from %v", first.Time, first.Started, got.From)
	}
	got.Points, got.Versions = nil, nil
	bare := &profile.Past{Instance: "10.0.0.1:10902", Pod: "thanos-query-0", From: now.Add(-7 * 24 * time.Hour), To: now, Step: 34 * time.Minute}
	if d := cmp.Diff(bare, got); d != "" {
		t.Error(d)
	}
	if n := len(p.asked()); n != 3 {
		t.Errorf("%d queries: %q", n, p.asked())
	}
}

// TestChoice: of the series that could be a target's, which one is it?
func TestChoice(t *testing.T) {
	mine := machine{instance: "10.0.0.1:10902", labels: map[string]string{"cluster": "a"}, starts: hoursAgo(30), versions: []string{"0.35.1"}, count: leaking}
	with := func(change func(*machine)) machine {
		m := mine
		m.labels = maps.Clone(m.labels)
		change(&m)
		return m
	}
	started := mine.starts[0]
	for _, tt := range []struct {
		name     string
		machines []machine
		target   profile.Target
		instance string // of the answer; empty for none
		points   int    // at least
		cluster  int    // goroutines of the newest point; 0 for any
		warning  string
	}{
		{"a pair of servers: the one with most points", []machine{with(func(m *machine) { m.labels["replica"] = "a"; m.every = 3 }), with(func(m *machine) { m.labels["replica"] = "b" })},
			scanned("10.0.0.1:10902", started), "10.0.0.1:10902", 50, 0, ""},
		{"two jobs, the fuller one first", []machine{mine, with(func(m *machine) { m.labels["job"] = "x"; m.every = 3 })},
			scanned("10.0.0.1:10902", started), "10.0.0.1:10902", 50, 0, ""},
		{"two clusters with the same addresses: the one with the process", []machine{with(func(m *machine) { m.labels["cluster"] = "b"; m.starts = hoursAgo(160); m.count = steady }), mine},
			scanned("10.0.0.1:10902", started), "10.0.0.1:10902", 50, int(leaking(30 * time.Hour)), ""},
		{"the address is another process there", []machine{with(func(m *machine) { m.starts = hoursAgo(10) })},
			scanned("10.0.0.1:10902", started), "", 0, 0, "knows no past of 10.0.0.1:10902"},
		{"the process has just begun", []machine{with(func(m *machine) { m.starts = hoursAgo(100) })},
			scanned("10.0.0.1:10902", now.Add(-time.Minute)), "10.0.0.1:10902", 100, 0, ""},
		{"no start time is known here", []machine{mine}, scanned("10.0.0.1:10902", time.Time{}), "10.0.0.1:10902", 50, 0, ""},
		{"the start time jitters", []machine{mine}, scanned("10.0.0.1:10902", started.Add(time.Second)), "10.0.0.1:10902", 50, 0, ""},
		{"behind a port-forward", []machine{mine, with(func(m *machine) { m.instance, m.starts = "10.0.0.2:10902", hoursAgo(31) })},
			scanned("localhost:10902", started), "10.0.0.1:10902", 50, 0, ""},
		{"behind a service", []machine{mine}, scanned("thanos-query:10902", started), "10.0.0.1:10902", 50, 0, ""},
		{"behind a port-forward, and a pair of servers", []machine{with(func(m *machine) { m.labels["replica"] = "a"; m.every = 3 }), with(func(m *machine) { m.labels["replica"] = "b" })},
			scanned("127.0.0.1:10902", started), "10.0.0.1:10902", 50, 0, ""},
		{"localhost is another one there", []machine{with(func(m *machine) { m.instance, m.starts = "localhost:10902", hoursAgo(40) })},
			scanned("localhost:10902", started), "", 0, 0, "knows no past of localhost:10902"},
		{"localhost is the same there", []machine{with(func(m *machine) { m.instance = "localhost:10902" })},
			scanned("localhost:10902", started), "localhost:10902", 50, 0, ""},
		{"two processes began at the same time", []machine{mine, with(func(m *machine) { m.instance = "10.0.0.2:10902" })},
			scanned("localhost:10902", started), "", 0, 0, "localhost:10902: its past is not known: 2 processes in http://"},
		{"one exactly, one about", []machine{mine, with(func(m *machine) { m.instance, m.starts = "10.0.0.2:10902", []time.Time{started.Add(time.Second)} })},
			scanned("localhost:10902", started), "10.0.0.1:10902", 50, 0, ""},
		{"a port-forward, and no start time", []machine{mine}, scanned("localhost:10902", time.Time{}), "", 0, 0, "count by (instance, job) (thanos_build_info)"},
		{"the label that discovery gives", []machine{with(func(m *machine) { m.instance = "querier-1" })},
			profile.Target{Name: "10.9.9.9:10902", URL: "http://10.9.9.9:10902", Labels: map[string]string{"instance": "querier-1"}}, "querier-1", 50, 0, ""},
		{"an address without a port", []machine{with(func(m *machine) { m.instance = "thanos.example.org:443" })},
			profile.Target{Name: "t", URL: "https://thanos.example.org"}, "thanos.example.org:443", 50, 0, ""},
		{"a folder", []machine{mine}, profile.Target{Name: "thanos-query-0"}, "", 0, 0, "knows no past of thanos-query-0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newProm(t)
			for _, m := range tt.machines {
				p.lines = append(p.lines, m.lines()...)
			}
			past, warnings := fetch(t, p, tt.target)
			got := past[tt.target.Name]
			contains(t, strings.Join(warnings, "\n"), tt.warning)
			if tt.warning == "" && len(warnings) > 0 {
				t.Errorf("warnings: %q", warnings)
			}
			if got == nil {
				if tt.instance != "" {
					t.Error("no past")
				}
				return
			}
			if got.Instance != tt.instance || len(got.Points) < tt.points {
				t.Errorf("%s with %d points, want %s with %d", got.Instance, len(got.Points), tt.instance, tt.points)
			}
			if last := got.Points[len(got.Points)-1]; tt.cluster > 0 && math.Abs(float64(last.Goroutines-tt.cluster)) > 60 {
				t.Errorf("ends with %d goroutines, want %d", last.Goroutines, tt.cluster)
			}
		})
	}
}

// TestGaps: what is missing in the series is missing in the past, no more.
func TestGaps(t *testing.T) {
	m := machine{instance: "a:1", starts: hoursAgo(400), count: steady}
	lines := m.lines()
	number := lines[0].value
	lines[0].value = func(at time.Time) (float64, bool) {
		switch age := now.Sub(at); {
		case age > 100*time.Hour:
			return math.NaN(), true
		case age > 90*time.Hour:
			return math.Inf(1), true
		case age > 80*time.Hour:
			return -1, true
		case age > 70*time.Hour:
			return 0, false
		}
		return number(at)
	}
	past, warnings := fetch(t, newProm(t, lines...), scanned("a:1", m.starts[0]))
	if len(warnings) > 0 {
		t.Errorf("warnings: %q", warnings)
	}
	got := past["a:1"]
	if len(got.Versions) != 0 {
		t.Errorf("versions: %v", got.Versions)
	}
	for _, p := range got.Points {
		if p.Goroutines != 40 || now.Sub(p.Time) > 70*time.Hour || !p.Started.Equal(m.starts[0]) {
			t.Errorf("%+v", p)
		}
	}
	if len(got.Points) < 100 {
		t.Errorf("%d points", len(got.Points))
	}
}

// TestNoStartTimes: without them points are there all the same.
func TestNoStartTimes(t *testing.T) {
	m := machine{instance: "a:1", starts: hoursAgo(400), count: steady}
	past, _ := fetch(t, newProm(t, m.lines()[0]), scanned("a:1", m.starts[0]))
	got := past["a:1"]
	if got == nil || !got.Points[0].Started.IsZero() {
		t.Errorf("%+v", got)
	}
}

// TestPartial: what a Thanos Query warns of is said, once, and its answer used.
func TestPartial(t *testing.T) {
	m := machine{instance: "a:1", starts: hoursAgo(400), count: steady}
	p := newProm(t, m.lines()...)
	p.warnings = []string{"receive series from Addr: 10.0.0.9:10901: rpc error\x1b[31m: code = Unavailable", "two", "three", "four"}
	past, warnings := fetch(t, p, scanned("a:1", m.starts[0]))
	if past["a:1"] == nil || len(warnings) != maxWarnings {
		t.Fatalf("%v, warnings %q", past, warnings)
	}
	contains(t, warnings[0], p.url.Host, "answers in part", "10.0.0.9:10901: rpc error[31m: code = Unavailable")
}

// TestMany: a thousand targets are asked for in as many queries as three.
func TestMany(t *testing.T) {
	p := newProm(t)
	var targets []profile.Target
	for i := range 1000 {
		m := machine{instance: fmt.Sprintf("10.0.%d.%d:10902", i/250, i%250), starts: hoursAgo(400 - float64(i)/10), versions: []string{"0.35.1"}, count: steady}
		p.lines = append(p.lines, m.lines()...)
		targets = append(targets, scanned(m.instance, m.starts[0]))
	}
	past, warnings := fetch(t, p, targets...)
	if len(past) != 1000 || len(warnings) > 0 {
		t.Errorf("%d pasts, warnings %q", len(past), warnings)
	}
	for name, got := range past {
		if got.Instance != name || len(got.Versions) != 1 {
			t.Errorf("%s is %s, versions %v", name, got.Instance, got.Versions)
		}
	}
	if n := len(p.asked()); n != 3 {
		t.Errorf("%d queries", n)
	}
}

// TestManyUnknown: of many that are not known a few are named.
func TestManyUnknown(t *testing.T) {
	var targets []profile.Target
	for i := range 200 {
		targets = append(targets, scanned(fmt.Sprintf("thanos-query-%d.very.long.name.of.a.service.in.a.cluster.example.org:10902", i), hoursAgo(float64(i))[0]))
	}
	p := newProm(t)
	past, warnings := fetch(t, p, targets...)
	if len(past) != 0 || len(warnings) != 1 {
		t.Fatalf("%d pasts, warnings %q", len(past), warnings)
	}
	contains(t, warnings[0], "thanos-query-2.very", "and 197 more: in the last 7d no go_goroutines has their host and port")
	for _, q := range p.asked() {
		if len(q) > maxQuery {
			t.Errorf("a query of %d bytes", len(q))
		}
	}
}

func TestVersions(t *testing.T) {
	stream := func(version string, hours ...int) *model.SampleStream {
		s := &model.SampleStream{Metric: model.Metric{"version": model.LabelValue(version)}}
		for _, h := range hours {
			s.Values = append(s.Values, model.SamplePair{Timestamp: model.Time(h * 3600_000), Value: 1})
		}
		return s
	}
	for _, tt := range []struct {
		name    string
		streams []*model.SampleStream
		want    string
	}{
		{"none", nil, ""},
		{"one", []*model.SampleStream{stream("0.35.1", 0, 1, 2)}, "0 0.35.1"},
		{"an upgrade, in any order", []*model.SampleStream{stream("0.35.1", 2, 3), stream("v0.34.1", 0, 1)}, "0 0.34.1, 2 0.35.1"},
		{"both at the change", []*model.SampleStream{stream("0.34.1", 0, 1, 2), stream("0.35.1", 2, 3)}, "0 0.34.1, 2 0.35.1"},
		{"a roll-back, both at the change", []*model.SampleStream{stream("0.34.1", 0, 1, 3, 4), stream("0.35.1", 2, 3)}, "0 0.34.1, 2 0.35.1, 4 0.34.1"},
		{"two revisions of one", []*model.SampleStream{stream("0.34.1", 0, 1, 2), stream("0.34.1", 2, 3)}, "0 0.34.1"},
		{"no version", []*model.SampleStream{stream("", 0, 1, 2)}, ""},
	} {
		var got []string
		for _, v := range versionsOf(tt.streams) {
			got = append(got, fmt.Sprintf("%d %s", v.Time.Unix()/3600, v.Version))
		}
		if s := strings.Join(got, ", "); s != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, s, tt.want)
		}
	}
}

func TestStep(t *testing.T) {
	for window, want := range map[time.Duration]time.Duration{
		time.Hour: time.Minute, 5 * time.Hour: 2 * time.Minute, 24 * time.Hour: 5 * time.Minute, 7 * 24 * time.Hour: 34 * time.Minute,
	} {
		got := Options{Window: window}.withDefaults().Step
		if got != want || window/got+1 > maxPoints {
			t.Errorf("%s: %s, want %s", window, got, want)
		}
	}
	if got := (Options{Step: time.Second}).withDefaults().Step; got != time.Second {
		t.Errorf("the user's step: %s", got)
	}
}

// TestBase: whatever address of the server is pasted, and with credentials.
func TestBase(t *testing.T) {
	m := machine{instance: "a:1", starts: hoursAgo(400), count: steady}
	for _, path := range []string{"", "/", "/graph?g0.expr=up", "/query", "/api/v1/query_range?query=up", "/?dedup=true"} {
		p := newProm(t, m.lines()...)
		base, err := p.url.Parse(path)
		if err != nil {
			t.Fatal(err)
		}
		base.User = nil
		past, warnings, err := Fetch(t.Context(), base, []profile.Target{scanned("a:1", m.starts[0])}, Options{Now: now})
		if err != nil || len(warnings) > 0 || past["a:1"] == nil {
			t.Errorf("%s: %v, %q", path, err, warnings)
		}
	}
	p := newProm(t, m.lines()...)
	p.before = func(_ http.ResponseWriter, r *http.Request) bool {
		r.URL.Path = strings.TrimPrefix(r.URL.Path, "/tenant/prom")
		return false
	}
	if _, _, err := Fetch(t.Context(), p.url.JoinPath("tenant/prom"), []profile.Target{scanned("a:1", m.starts[0])}, Options{Now: now}); err != nil {
		t.Error(err)
	}
}

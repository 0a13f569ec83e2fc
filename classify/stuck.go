package classify

import (
	"net/url"
	"slices"
	"time"

	"github.com/thanosleak/thanosleak/profile"
)

// deadline is how long a request may take.
type deadline struct {
	after time.Duration
	// assumed says that it is not known what the callers allow.
	assumed bool
	// text names where it is from.
	text string
}

// beyondDoubt is the time that no request takes whose deadline is not known:
// several times what any component allows by default.
const beyondDoubt = 15 * time.Minute

// deadlineOf returns how long a request of the kind may take: queries end by
// the process's own --query.timeout, calls by the time that their callers
// allow, which are other processes.
func (p *process) deadlineOf(kind requestKind) deadline {
	if kind == requestGRPC {
		return p.callersDeadline()
	}
	d, text, known := QueryTimeout(p.target.Facts)
	return deadline{after: d, assumed: !known, text: text}
}

// QueryTimeout returns how long the process lets a query run and in words where
// that is from; it is the default of two minutes where the process does not tell.
func QueryTimeout(f profile.Facts) (d time.Duration, text string, known bool) {
	if d, err := parseDuration(f.Flags["query.timeout"]); err == nil && d > 0 {
		return d, "--query.timeout=" + f.Flags["query.timeout"], true
	}
	return defaultDeadline, "the default of --query.timeout, as that of this process is not known", false
}

// callersDeadline is the longest --query.timeout of the queriers of this run
// that call the process.
func (p *process) callersDeadline() deadline {
	d := deadline{after: defaultDeadline, assumed: true, text: "what a querier allows by default, as the callers are not known"}
	own, err := parseDuration(p.target.Facts.Flags["query.timeout"])
	if err == nil {
		d.after = max(d.after, own)
	}
	var names []string
	longest := time.Duration(0)
	for _, c := range p.callers {
		t := c.deadlineOf(requestHTTP)
		if t.assumed {
			return d
		}
		longest = max(longest, t.after)
		names = append(names, c.target.Name)
	}
	if len(names) == 0 {
		return d
	}
	return deadline{after: longest, text: "--query.timeout of " + joinAnd(names)}
}

// stuckRequests is requests in flight that have outlived every deadline.
type stuckRequests struct {
	count    int
	deadline deadline
	over     time.Duration // from the sample they were there in to the newest
}

// started is the number of requests of the kind that the process has ever
// begun.
func started(m profile.Metrics, kind requestKind) float64 {
	if kind == requestGRPC {
		return sumWork(m, "grpc_server_started_total", "grpc_method")
	}
	return sumWork(m, "http_requests_total", "handler") + sumWork(m, "http_inflight_requests", "handler")
}

// ended is the number of requests of the kind that the process has completed.
func ended(m profile.Metrics, kind requestKind) float64 {
	if kind == requestGRPC {
		return sumWork(m, "grpc_server_handled_total", "grpc_method")
	}
	return sumWork(m, "http_requests_total", "handler")
}

// inFlight is the number of requests that have begun and not ended.
func inFlight(m profile.Metrics) float64 {
	n := 0.0
	for _, kind := range []requestKind{requestHTTP, requestGRPC} {
		n += started(m, kind) - ended(m, kind)
	}
	return n
}

// requestsStuck compares the requests that had begun before the deadline with
// those that have ended since: what is missing has outlived it. It takes two
// pages of /metrics and no goroutine.
func requestsStuck(l life, kind requestKind, d deadline) stuckRequests {
	now := l.last()
	for i := len(l.samples) - 2; i >= 0; i-- {
		before := l.samples[i]
		over := now.Time.Sub(before.Time)
		if now.Metrics == nil || over <= d.after+time.Second || before.Metrics == nil {
			continue
		}
		n := started(before.Metrics, kind) - ended(now.Metrics, kind)
		if int(n) < stuckMin {
			return stuckRequests{}
		}
		return stuckRequests{count: int(n), deadline: d, over: over}
	}
	return stuckRequests{}
}

// stuckMin is the number of stuck requests from which they are told of: a
// streaming call or two may last as long as its client likes.
const stuckMin = 3

// jam is a gate that lets nobody through any more.
type jam struct {
	slots    int // all of them taken
	samples  int // in which nothing got through
	over     time.Duration
	deadline deadline
}

// strong reports whether no query can be as slow as that.
func (j jam) strong() bool {
	return j.slots > 0 && (!j.deadline.assumed || j.over >= beyondDoubt)
}

// gates are the gauges of queries that run and that may run at once.
var gates = [][2]string{
	{"thanos_query_concurrent_gate_queries_in_flight", "thanos_query_concurrent_gate_queries_max"},
	{"thanos_bucket_store_series_gate_queries_in_flight", "thanos_bucket_store_series_gate_queries_max"},
}

// jammed looks for a gate that stood full in all of the newest samples over
// longer than a request may take, while nothing succeeded: everything that may
// run is stuck, and the count is flat.
func jammed(l life, d deadline) jam {
	for _, g := range gates {
		from := len(l.samples)
		for from > 0 && full(l.samples[from-1].Metrics, g) {
			from--
		}
		if n := len(l.samples) - from; n >= 2 {
			first, last := l.samples[from], l.last()
			over := last.Time.Sub(first.Time)
			if over > d.after && succeeded(last.Metrics) <= succeeded(first.Metrics) {
				return jam{slots: int(last.Metrics.Sum(g[1])), samples: n, over: over, deadline: d}
			}
		}
	}
	return jam{}
}

// full reports whether all slots of a gate are taken.
func full(m profile.Metrics, gate [2]string) bool {
	slots := m.Sum(gate[1])
	return slots > 0 && m.Sum(gate[0]) >= slots
}

// succeeded is the number of queries that were answered well: those that give
// up in front of the gate are counted as requests too. Without codes all are
// counted.
func succeeded(m profile.Metrics) float64 {
	sum := 0.0
	for _, v := range m["http_requests_total"] {
		if code := v.Labels["code"]; !idle(v.Labels["handler"]) && (code == "" || code[0] == '2') {
			sum += v.Value
		}
	}
	for _, v := range m["grpc_server_handled_total"] {
		if code := v.Labels["grpc_code"]; !idle(v.Labels["grpc_method"]) && (code == "" || code == "OK") {
			sum += v.Value
		}
	}
	return sum
}

// linkCallers tells each process which others of the same run query it: by the
// host of the endpoints that a querier names, where one target alone has it.
// Endpoints are gRPC addresses, so the ports differ.
func linkCallers(processes []*process) {
	byHost := map[string][]*process{}
	for _, p := range processes {
		if h := hostOf(p.target.URL); h != "" {
			byHost[h] = append(byHost[h], p)
		}
	}
	for _, c := range processes {
		for _, e := range c.target.Facts.Endpoints {
			called := byHost[hostOf("http://"+e.Name)]
			if len(called) == 1 && called[0] != c && !slices.Contains(called[0].callers, c) {
				called[0].callers = append(called[0].callers, c)
			}
		}
	}
}

// hostOf returns the host of a URL; empty if there is none.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

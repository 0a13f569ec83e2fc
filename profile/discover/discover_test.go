package discover

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// zone is a name server in memory: A and AAAA records by name, SRV records by
// name.
type zone struct {
	ips map[string][]string
	srv map[string][]*net.SRV
}

func (z zone) LookupIPAddr(_ context.Context, host string) ([]net.IPAddr, error) {
	ips, ok := z.ips[host]
	if !ok {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	var all []net.IPAddr
	for _, ip := range ips {
		all = append(all, net.IPAddr{IP: net.ParseIP(ip)})
	}
	return all, nil
}

func (z zone) LookupSRV(_ context.Context, service, proto, name string) (string, []*net.SRV, error) {
	if service != "" || proto != "" {
		return "", nil, fmt.Errorf("looked up service %q, protocol %q", service, proto)
	}
	records, ok := z.srv[name]
	if !ok {
		return "", nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
	}
	return name, records, nil
}

// found is what a test compares of a target.
type found struct{ Name, URL string }

func namesAndURLs(targets []Target) []found {
	var all []found
	for _, t := range targets {
		all = append(all, found{t.Name, t.URL.String()})
	}
	return all
}

func TestParseAddress(t *testing.T) {
	for _, tc := range []struct{ arg, name, url string }{
		{"thanos-query:10902", "thanos-query:10902", "http://thanos-query:10902"},
		{"Thanos-Query:10902", "thanos-query:10902", "http://Thanos-Query:10902"},
		{"10.0.0.1:10902/", "10.0.0.1:10902", "http://10.0.0.1:10902"},
		{"[::1]:10902", "[::1]:10902", "http://[::1]:10902"},
		{"localhost:10902/thanos", "localhost:10902/thanos", "http://localhost:10902/thanos"},
		{"http://h:10902", "h:10902", "http://h:10902"},
		{"https://h", "h:443", "https://h"},
		{"HTTP://h", "h:80", "http://h"},
		{"http://h/thanos/graph", "h:80/thanos", "http://h/thanos"},
		{"http://h/thanos/graph?g0.expr=up&g0.tab=1#x", "h:80/thanos", "http://h/thanos"},
		{"http://h:10902/stores?x", "h:10902", "http://h:10902"},
		{"http://h:10902/new/graph", "h:10902", "http://h:10902"},
		{"http://h/a/b/classic/stores/", "h:80/a/b", "http://h/a/b"},
		{"http://h/blocks", "h:80", "http://h"},
		{"http://h/thanos/service-discovery", "h:80/thanos", "http://h/thanos"},
		{"http://h:10902/debug/pprof/goroutine?debug=2", "h:10902", "http://h:10902"},
		{"http://h/prefix/debug/pprof/", "h:80/prefix", "http://h/prefix"},
		{"http://h/debug/pprof", "h:80", "http://h"},
		{"http://h:10902/metrics", "h:10902", "http://h:10902"},
		{"http://h:10902/-/healthy", "h:10902", "http://h:10902"},
		{"http://h/thanos/api/v1/stores", "h:80/thanos", "http://h/thanos"},
		{"http://h/thanos/api/v1/query?query=up", "h:80/thanos", "http://h/thanos"},
		{"http://h/metricsproxy", "h:80/metricsproxy", "http://h/metricsproxy"},
		{
			"http://localhost:8001/api/v1/namespaces/mon/pods/query-0:10902/proxy/debug/pprof/",
			"localhost:8001/api/v1/namespaces/mon/pods/query-0:10902/proxy",
			"http://localhost:8001/api/v1/namespaces/mon/pods/query-0:10902/proxy",
		},
		{"https://ann:s%2Fcret@h:10902/x", "h:10902/x", "https://ann:s%2Fcret@h:10902/x"},
		{"ann:secret@h:10902", "h:10902", "http://ann:secret@h:10902"},
	} {
		t.Run(tc.arg, func(t *testing.T) {
			targets, err := Parse(t.Context(), tc.arg, zone{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]found{{tc.name, tc.url}}, namesAndURLs(targets)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseLookups(t *testing.T) {
	z := zone{
		ips: map[string][]string{
			"query.mon.svc":   {"10.0.0.2", "10.0.0.1", "2001:db8::1", "10.0.0.2"},
			"q1.mon.svc.":     {"10.0.1.1"},
			"q2.mon.svc.":     {"10.0.1.2", "10.0.1.3"},
			"lone.mon.svc":    {},
			"many.mon.svc":    strings.Fields(strings.Repeat("10.0.0.1 ", maxTargets+1)),
			"blocked.mon.svc": {"10.9.9.9"},
		},
		srv: map[string][]*net.SRV{
			"_http._tcp.query.mon.svc": {{Target: "q2.mon.svc.", Port: 10902}, {Target: "q1.mon.svc.", Port: 10904}},
			"dangling.mon.svc":         {{Target: "gone.mon.svc.", Port: 1}},
		},
	}
	for _, tc := range []struct {
		arg  string
		want []found
		err  string // in the error
	}{
		{arg: "dns+query.mon.svc:10902", want: []found{
			{"10.0.0.1:10902", "http://10.0.0.1:10902"},
			{"10.0.0.2:10902", "http://10.0.0.2:10902"},
			{"[2001:db8::1]:10902", "http://[2001:db8::1]:10902"},
		}},
		{arg: "dns+https://ann:secret@blocked.mon.svc:443/thanos/graph", want: []found{
			{"10.9.9.9:443/thanos", "https://ann:secret@10.9.9.9:443/thanos"},
		}},
		{arg: "dnssrv+_http._tcp.query.mon.svc", want: []found{
			{"10.0.1.1:10904", "http://10.0.1.1:10904"},
			{"10.0.1.2:10902", "http://10.0.1.2:10902"},
			{"10.0.1.3:10902", "http://10.0.1.3:10902"},
		}},
		{arg: "dnssrv+_http._tcp.query.mon.svc:8080", want: []found{
			{"10.0.1.1:8080", "http://10.0.1.1:8080"},
			{"10.0.1.2:8080", "http://10.0.1.2:8080"},
			{"10.0.1.3:8080", "http://10.0.1.3:8080"},
		}},
		{arg: "dnssrvnoa+_http._tcp.query.mon.svc", want: []found{
			{"q1.mon.svc:10904", "http://q1.mon.svc:10904"},
			{"q2.mon.svc:10902", "http://q2.mon.svc:10902"},
		}},
		{arg: "dns+query.mon.svc", err: "dns+query.mon.svc:10902"},
		{arg: "dns+nowhere.mon.svc:10902", err: "dns+nowhere.mon.svc:10902: name not found"},
		{arg: "dns+lone.mon.svc:10902", err: "dns+lone.mon.svc:10902: name not found"},
		{arg: "dns+many.mon.svc:10902", err: "1001 addresses"},
		{arg: "dnssrv+nowhere.mon.svc", err: "dnssrv+nowhere.mon.svc: name not found"},
		{arg: "dnssrv+dangling.mon.svc", err: "dnssrv+dangling.mon.svc: gone.mon.svc, of its SRV records: name not found"},
		{arg: "dnsfoo+query.mon.svc:1", err: "use dns+host:port, dnssrv+name or dnssrvnoa+name"},
		{arg: "dns+", err: "empty"},
	} {
		t.Run(tc.arg, func(t *testing.T) {
			targets, err := Parse(t.Context(), tc.arg, z)
			if (err != nil) != (tc.err != "") || (err != nil && !strings.Contains(err.Error(), tc.err)) {
				t.Fatalf("error %v, want %q", err, tc.err)
			}
			if diff := cmp.Diff(tc.want, namesAndURLs(targets)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestParseErrors(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.Mkdir("incident", 0o700); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ arg, want string }{
		{"", "empty"},
		{"  ", "empty"},
		{"thanos-query", "thanos-query:10902"},
		{"thanos-query:", "thanos-query:10902"},
		{"[::1]", "[::1]:10902"},
		{"::1", "[::1]:10902"},
		{"2001:db8::7", "[2001:db8::7]:10902"},
		{"http://:10902", "no host"},
		{":10902", "localhost:10902"},
		{"grpc://thanos-store:10901", "that is the gRPC address"},
		{"grpc://thanos-store:10901", "http://thanos-store:10902"},
		{"ftp://h:1", `unknown scheme "ftp"`},
		{"h:99999", "none of 1 to 65535"},
		{"h:0", "none of 1 to 65535"},
		{"h:http", "neither host:port nor a URL"},
		{"http://h:10902\n", "neither host:port nor a URL"},
		{"./dump.txt", "thanosleak analyze ./dump.txt"},
		{"/tmp/capture", "thanosleak analyze /tmp/capture"},
		{"goroutine.pb.gz", "thanosleak analyze goroutine.pb.gz"},
		{"incident", "thanosleak analyze incident"},
		{"file:///tmp/x", "thanosleak analyze"},
		{"svc/thanos-query", "kubectl port-forward svc/thanos-query 10902:10902"},
	} {
		t.Run(tc.arg+" "+tc.want, func(t *testing.T) {
			targets, err := Parse(t.Context(), tc.arg, zone{})
			if err == nil {
				t.Fatalf("no error but %v", targets)
			}
			if !strings.Contains(err.Error(), tc.want) {
				t.Errorf("error %q does not say %q", err, tc.want)
			}
			if strings.ContainsAny(err.Error(), "\n\t\x1b") {
				t.Errorf("control characters in %q", err)
			}
		})
	}
}

func TestCredentialsAreNeverShown(t *testing.T) {
	for _, arg := range []string{
		"http://ann:hunter2@h:10902/graph",
		"http://ann:hunter2@h:99999",
		"http://ann:hun/ter2@h:10902",
		"http://ann:hunter2%zz@h:10902",
		"ftp://ann:hunter2@h:10902",
		"grpc://ann:hunter2@h:10901",
		"http://ann:hunter2@:10902",
		"ann:hunter2@h",
		"dns+ann:hunter2@h",
		"dns+ann:hunter2@h:1",
		"dnssrv+http://ann:hunter2@h",
		"dnsx+ann:hunter2@h:1",
		"dns+https://ann:hunter2@nowhere:1",
	} {
		t.Run(arg, func(t *testing.T) {
			targets, err := Parse(t.Context(), arg, zone{})
			said := fmt.Sprint(err)
			for _, target := range targets {
				said += " " + target.Name + " " + target.String() + fmt.Sprint(target)
			}
			for _, secret := range []string{"ann", "hun", "ter2"} {
				if strings.Contains(said, secret) {
					t.Errorf("%q shows %q", said, secret)
				}
			}
		})
	}
}

func TestLookupIsGivenUpWithTheContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := Parse(ctx, "dns+thanos-query.invalid:10902", &net.Resolver{PreferGo: true})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, want that of the context", err)
	}
}

func TestMerge(t *testing.T) {
	var all []Target
	for _, arg := range []string{"http://h", "h:10902", "http://h:80/", "h:10902/graph", "https://h:10902"} {
		targets, err := Parse(t.Context(), arg, zone{})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, targets...)
	}
	want := []found{{"h:80", "http://h"}, {"h:10902", "http://h:10902"}}
	if diff := cmp.Diff(want, namesAndURLs(Merge(all))); diff != "" {
		t.Error(diff)
	}
}

// TestTwoStacks: where each process has an address of both kinds, it is asked by
// one of them.
func TestTwoStacks(t *testing.T) {
	z := zone{ips: map[string][]string{
		"both": {"fd00::1", "10.0.0.1", "10.0.0.2", "fd00::2"},
		"some": {"10.0.0.1", "10.0.0.2", "fd00::2"},
	}}
	for name, want := range map[string][]string{
		"both": {"10.0.0.1:10902", "10.0.0.2:10902"},
		"some": {"10.0.0.1:10902", "10.0.0.2:10902", "[fd00::2]:10902"},
	} {
		targets, err := Parse(t.Context(), "dns+"+name+":10902", z)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, target := range targets {
			got = append(got, target.Name)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

package scrape

import (
	"errors"
	"strings"
	"testing"
)

func TestSeveralProcesses(t *testing.T) {
	const a, b = "1.79532982151e+09", "1.79532992177e+09" // b started later
	noStart := func(revision string) string {
		return "go_goroutines 3\nthanos_build_info{version=\"0.35.1\",revision=\"" + revision + "\"} 1\n"
	}
	for _, tc := range []struct {
		name  string
		pages []string // of /metrics, one a sample
		wrong int      // index of the sample that fails, -1 if none does
	}{
		{"one process", []string{metricsPage(1, a, "x"), metricsPage(2, a, "x")}, -1},
		{"restart", []string{metricsPage(1, a, "x"), metricsPage(1, b, "x"), metricsPage(1, b, "x")}, -1},
		{"upgrade and rollback", []string{metricsPage(1, a, "x"), metricsPage(1, b, "y"), metricsPage(1, "1.7954e+09", "x")}, -1},
		{"backwards", []string{metricsPage(1, b, "x"), metricsPage(1, a, "x")}, 1},
		{"alternating", []string{metricsPage(1, a, "x"), metricsPage(1, b, "x"), metricsPage(1, a, "x")}, 2},
		{"two builds of one start", []string{metricsPage(1, a, "x"), metricsPage(1, a, "y")}, 1},
		{"clock corrected by a second", []string{metricsPage(1, a, "x"), metricsPage(1, "1.79532982051e+09", "x")}, -1},
		{"replicas started together", []string{metricsPage(1, a, "x"), metricsPage(1, "1.79532982047e+09", "x")}, 1},
		{"builds alternate, start unknown", []string{noStart("x"), noStart("y"), noStart("x")}, 2},
		{"upgrade, start unknown", []string{noStart("x"), noStart("y"), noStart("y")}, -1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := newProcess(t)
			c := client(t, p.url, Options{})
			for i, body := range tc.pages {
				p.set("/metrics", page(body))
				p.asked()
				_, _, err := c.Sample(t.Context())
				if errors.Is(err, ErrSeveralProcesses) != (i == tc.wrong) || (err != nil) != (i == tc.wrong) {
					t.Fatalf("sample %d: error %v", i, err)
				}
				if err != nil {
					contains(t, err.Error(), "several processes", "dns+HOST:PORT", "single pod")
					if strings.Contains(err.Error(), "restart") {
						t.Errorf("%q calls it a restart", err)
					}
					if n := len(p.asked()); n != 1 {
						t.Errorf("%d requests, want /metrics only", n)
					}
				}
			}
		})
	}
}

//go:build unix

package main

import (
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

// made returns figures of every benchmark that the page shows, all alike.
func made(value float64) figures {
	f := figures{}
	set := func(name string, units ...string) {
		f[name] = map[string]float64{}
		for _, u := range units {
			f[name][u] = value
		}
	}
	for _, form := range []string{"debug=0", "debug=1", "labels"} {
		set("AgainstPprof/"+form, "times-pprof")
	}
	for _, size := range []string{"samples=67/stacks=1", "samples=672/stacks=1", "samples=6720/stacks=1", "samples=67/stacks=10", "samples=67/stacks=100"} {
		set("Week/"+size, "ns/op", "MB")
	}
	set("Fleet/samples=5", "MB")
	set("Binary", "start-ms", "empty-ms", "MB")
	for _, size := range []string{"500", "2000", "10000", "100000", "1000000"} {
		for _, run := range []string{"idle", "scan", "scan-force", "full", "full-force"} {
			set("Standstill/goroutines="+size+"/"+run, "pauses", "stopped-ms", "gap-ms")
		}
	}
	return f
}

func madeComparison(times float64) comparison {
	ours := reading{CPU: 100 * time.Millisecond, Peak: 12e6, Goroutines: 1000, Stacks: 40}
	c := comparison{Bytes: 64 << 20, Readers: []compared{{"thanosleak", ours, 1, 671}}}
	for _, name := range []string{"lines", "gostackparse"} {
		other := ours
		other.CPU = time.Duration(times * float64(ours.CPU))
		c.Readers = append(c.Readers, compared{name, other, times, 671 / times})
	}
	return c
}

// TestParse reads what go test prints, in the units of the benchmarks.
func TestParse(t *testing.T) {
	out := `goos: linux
BenchmarkStandstill/goroutines=500/scan-2    	       1	5092591844 ns/op	         4.133 gap-ms	        12.00 pauses	         0.8340 stopped-ms
BenchmarkFleet/samples=5-2         	       1	26563228960 ns/op	       144.6 MB
BenchmarkFleet/samples=5-2         	       1	26295209649 ns/op	       141.4 MB
PASS
`
	want := map[string]map[string][]float64{
		"Standstill/goroutines=500/scan": {"ns/op": {5092591844}, "gap-ms": {4.133}, "pauses": {12}, "stopped-ms": {0.834}},
		"Fleet/samples=5":                {"ns/op": {26563228960, 26295209649}, "MB": {144.6, 141.4}},
	}
	if got := parse([]byte(out), "./cmd/thanosleak"); !reflect.DeepEqual(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestPage: what is not met is told with its reason.
func TestPage(t *testing.T) {
	for _, tt := range []struct {
		figures, times float64
		met            bool
	}{{0.5, 9, true}, {1000, 0.01, false}} {
		p := page{Sent: madeComparison(tt.times), Long: madeComparison(tt.times)}
		p.Long.Readers[0].Goroutines = 10_000
		p.judge(made(tt.figures))
		b, err := p.render()
		if err != nil {
			t.Fatal(err)
		}
		if text := string(b); strings.Contains(text, "| **no** |") == tt.met || strings.Contains(text, "Not met, and why") == tt.met {
			t.Errorf("figures of %v, all met: %t\n%s", tt.figures, tt.met, text)
		}
	}
}

// TestPageOfDocs: the page that is shipped is of this template, and its numbers
// are the benchmarks' own.
func TestPageOfDocs(t *testing.T) {
	b, err := os.ReadFile("../../docs/performance.md")
	if err != nil {
		t.Fatal(err)
	}
	p := page{Sent: madeComparison(9), Long: madeComparison(9)}
	p.Long.Readers[0].Goroutines = 10_000
	p.judge(made(0.5))
	for _, g := range p.Goals {
		if !strings.Contains(string(b), "| "+g.What+" | "+g.Target+" |") || !strings.Contains(string(b), "`"+g.Command+"`") {
			t.Errorf("docs/performance.md does not tell of %q: make it anew", g.What)
		}
	}
}

//go:build unix

package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"

	"golang.org/x/perf/benchfmt"
)

// gobench is a run of benchmarks of thanosleak itself.
type gobench struct {
	Package string // from the root of the module
	Bench   string // an expression, as of go test -bench
	Count   int    // how often each one is run; the median counts
}

// command is what a reader of the page types for the same.
func (g gobench) command() []string {
	return []string{"go", "test", g.Package, "-run", "^$", "-bench", g.Bench, "-benchtime", "1x", "-count", fmt.Sprint(g.Count), "-timeout", "1h"}
}

// figures are what benchmarks measured: medians by the name of the benchmark,
// without Benchmark and the number of processors, and by unit.
type figures map[string]map[string]float64

// run adds what it measures to the figures.
func (g gobench) run(root string, into figures) error {
	c := exec.Command(g.command()[0], g.command()[1:]...)
	c.Dir, c.Stderr = root, os.Stderr
	fmt.Fprintln(os.Stderr, c)
	out, err := c.Output()
	if err != nil {
		return fmt.Errorf("%v: %w\n%s", c, err, out)
	}
	all := parse(out, g.Package)
	if len(all) == 0 {
		return fmt.Errorf("%v: no benchmark was run\n%s", c, out)
	}
	for name, units := range all {
		into[name] = map[string]float64{}
		for unit, values := range units {
			slices.Sort(values)
			into[name][unit] = values[len(values)/2]
		}
	}
	return nil
}

// parse returns what each benchmark measured in its rounds, by its name and by
// the unit in which it reported it.
func parse(out []byte, name string) map[string]map[string][]float64 {
	all := map[string]map[string][]float64{}
	for r := benchfmt.NewReader(bytes.NewReader(out), name); r.Scan(); {
		one, ok := r.Result().(*benchfmt.Result)
		if !ok {
			continue
		}
		name := processors.ReplaceAllString(one.Name.String(), "")
		if all[name] == nil {
			all[name] = map[string][]float64{}
		}
		for _, v := range one.Values {
			if v.OrigUnit != "" { // which the reader has turned into a base unit
				v.Value, v.Unit = v.OrigValue, v.OrigUnit
			}
			all[name][v.Unit] = append(all[name][v.Unit], v.Value)
		}
	}
	return all
}

// processors is how a benchmark's name ends.
var processors = regexp.MustCompile(`-\d+$`)

// get returns a figure. It panics if that was not measured: then the page and the
// benchmarks do not fit.
func (f figures) get(name, unit string) float64 {
	v, ok := f[name][unit]
	if !ok {
		panic(fmt.Sprintf("no %s of %s in %v", unit, name, f[name]))
	}
	return v
}

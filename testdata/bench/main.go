//go:build unix

// Command bench compares the readers of package profile with those of other
// projects, on the same files and in turn:
//
//	cd testdata/bench && go run . -rounds 7 FILE...
//
// Each reading is a process of its own, so that nobody pays for the garbage of
// another; of the CPU time, user and system of all threads, the median of the
// rounds counts. It is a module of its own so that the peers are none of
// thanosleak's dependencies.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"
)

// result is what one reading took and found.
type result struct {
	CPU        time.Duration
	Peak       int64 // resident memory of the process, in bytes
	Goroutines int
	Stacks     int
}

func main() {
	rounds := flag.Int("rounds", 7, "how often each reader reads each file")
	only := flag.String("readers", "", "names of the readers, separated by commas (all that can read the file)")
	read := flag.String("read", "", "read FILE with this reader and print what it took; used by the command itself")
	flag.Parse()
	if *read != "" {
		exitOn(json.NewEncoder(os.Stdout).Encode(measure(*read, flag.Arg(0))))
		return
	}
	for _, file := range flag.Args() {
		compare(file, *rounds, *only)
	}
}

// exitOn ends the process if there is an error.
func exitOn(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// measure reads the file with the reader.
func measure(name, file string) result {
	i := slices.IndexFunc(readers, func(r reader) bool { return r.name == name })
	if i < 0 {
		exitOn(fmt.Errorf("no reader %q", name))
	}
	f, err := os.Open(file)
	exitOn(err)
	defer f.Close()
	before := cpu()
	goroutines, stacks, err := readers[i].read(f)
	exitOn(err)
	return result{CPU: cpu() - before, Goroutines: goroutines, Stacks: stacks}
}

// cpu returns the time that this process has taken so far.
func cpu() time.Duration {
	var u syscall.Rusage
	exitOn(syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// compare prints a table of the readers of the file.
func compare(file string, rounds int, only string) {
	results := map[string][]result{}
	var names []string
	for _, r := range readers {
		if chosen := strings.Split(only, ","); only == "" && r.reads(file) || slices.Contains(chosen, r.name) {
			names = append(names, r.name)
		}
	}
	for range rounds {
		for _, name := range names {
			results[name] = append(results[name], readApart(name, file))
		}
	}
	info, err := os.Stat(file)
	exitOn(err)
	fmt.Printf("%s: %d bytes, %d rounds\n", file, info.Size(), rounds)
	fmt.Printf("%-14s %12s %10s %10s %9s %12s %8s\n", "reader", "CPU (median)", "min", "MB/s", "times", "peak memory", "found")
	ours := median(results["thanosleak"])
	for _, name := range names {
		m := median(results[name])
		fmt.Printf("%-14s %9.2f ms %7.2f ms %10.0f %9.2f %9.1f MB %d in %d\n", name, ms(m.CPU), ms(results[name][0].CPU),
			float64(info.Size())/1e6/m.CPU.Seconds(), float64(m.CPU)/float64(max(ours.CPU, 1)), float64(m.Peak)/1e6, m.Goroutines, m.Stacks)
	}
}

// median sorts the results by CPU time and returns the one in the middle; the
// zero result if there is none.
func median(results []result) result {
	if len(results) == 0 {
		return result{}
	}
	slices.SortFunc(results, func(a, b result) int { return int(a.CPU - b.CPU) })
	return results[len(results)/2]
}

func ms(d time.Duration) float64 { return d.Seconds() * 1000 }

// readApart has another process read the file.
func readApart(name, file string) result {
	c := exec.Command(os.Args[0], "-read", name, file)
	c.Stderr = os.Stderr
	out, err := c.Output()
	exitOn(err)
	var r result
	exitOn(json.Unmarshal(out, &r))
	r.Peak = c.ProcessState.SysUsage().(*syscall.Rusage).Maxrss * 1024 // of Linux, in KiB
	return r
}

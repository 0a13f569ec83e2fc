//go:build unix

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"text/tabwriter"
	"time"
)

// reading is what one reading of a file took and found.
type reading struct {
	CPU        time.Duration // of all threads, user and system
	Peak       int64         // resident memory of the process, in bytes
	Goroutines int
	Stacks     int
}

// comparison is how readers did on one file. Each reading is a process of its
// own, so that nobody pays for the garbage of another, and they take turns.
type comparison struct {
	Bytes   int64
	Readers []compared
}

// compared is the median of a reader's rounds by CPU time.
type compared struct {
	Name string
	reading
	Times   float64 // as much CPU time as ours
	PerByte float64 // megabytes in a second of CPU time
}

// of returns how the reader of that name did.
func (c comparison) of(name string) compared {
	i := slices.IndexFunc(c.Readers, func(r compared) bool { return r.Name == name })
	return c.Readers[i]
}

// compare has all readers read the files that they can, and returns a comparison
// for each file. In a round a reader reads one file after the other, so that
// what it takes for each compares as well.
func compare(rounds int, files ...string) ([]comparison, error) {
	all := make([]comparison, len(files))
	readings := make([]map[string][]reading, len(files))
	for i, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			return nil, err
		}
		all[i].Bytes, readings[i] = info.Size(), map[string][]reading{}
	}
	for range rounds {
		for _, r := range readers {
			for i, file := range files {
				if r.most > 0 && all[i].Bytes > r.most {
					continue
				}
				one, err := readApart(r.name, file)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", r.name, err)
				}
				readings[i][r.name] = append(readings[i][r.name], one)
			}
		}
	}
	for i := range all {
		all[i].fill(readings[i])
	}
	return all, nil
}

// fill takes over the readings of each reader that could read the file.
func (c *comparison) fill(readings map[string][]reading) {
	ours := median(readings[readers[0].name])
	for _, r := range readers {
		if all := readings[r.name]; len(all) > 0 {
			m := median(all)
			c.Readers = append(c.Readers, compared{r.name, m, float64(m.CPU) / float64(max(ours.CPU, 1)), float64(c.Bytes) / 1e6 / m.CPU.Seconds()})
		}
	}
}

// median sorts the readings by CPU time and returns the one in the middle.
func median(all []reading) reading {
	slices.SortFunc(all, func(a, b reading) int { return int(a.CPU - b.CPU) })
	return all[len(all)/2]
}

// measure reads the file with the reader.
func measure(name, file string) (r reading, err error) {
	i := slices.IndexFunc(readers, func(r reader) bool { return r.name == name })
	if i < 0 {
		return r, fmt.Errorf("no reader %q", name)
	}
	f, err := os.Open(file)
	if err != nil {
		return r, err
	}
	defer f.Close()
	before := cpu()
	r.Goroutines, r.Stacks, err = readers[i].read(f)
	r.CPU = cpu() - before
	return r, err
}

// cpu returns the time that this process has taken so far.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // the arguments are right
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// readApart has another process read the file.
func readApart(name, file string) (r reading, err error) {
	c := exec.Command(os.Args[0], "-read", name, file)
	c.Stderr = os.Stderr
	out, err := c.Output()
	if err != nil {
		return r, err
	}
	if err := json.Unmarshal(out, &r); err != nil {
		return r, err
	}
	r.Peak = peak(c.ProcessState)
	return r, nil
}

// peak returns the memory that a process had resident at most, in bytes.
func peak(p *os.ProcessState) int64 {
	return p.SysUsage().(*syscall.Rusage).Maxrss * 1024 // Linux counts KiB
}

func printComparisons(files []string, rounds int) error {
	all, err := compare(rounds, files...)
	for i, c := range all {
		fmt.Printf("%s: %d bytes, %d rounds\n", files[i], c.Bytes, rounds)
		err = errors.Join(err, c.print(os.Stdout))
	}
	return err
}

func (c comparison) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "reader\tCPU ms\tMB/s\ttimes\tpeak MB\tgoroutines\tstacks\t")
	for _, r := range c.Readers {
		fmt.Fprintf(w, "%s\t%.2f\t%.0f\t%.2f\t%.1f\t%d\t%d\t\n", r.Name, r.CPU.Seconds()*1000, r.PerByte, r.Times, float64(r.Peak)/1e6, r.Goroutines, r.Stacks)
	}
	return w.Flush()
}

// Goroutines is how many ours found.
func (c comparison) Goroutines() int { return c.of(readers[0].name).Goroutines }

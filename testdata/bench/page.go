//go:build unix

package main

import (
	"bytes"
	_ "embed" // for pageSource
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"text/template"
	"time"
)

//go:embed performance.md.tmpl
var pageSource string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{"next": func(i int) int { return i + 1 }}).Parse(pageSource))

// page is what the template shows.
type page struct {
	Day, Commit, Machine, Go string
	Peers                    []string // modules and their versions
	Goals                    []goal
	Missed                   []goal
	Sent, Long               comparison
	Still                    []standstill
	Growth                   []growth
	Commands                 []string // of the goals, each once, in their order
}

// growth is how reading and judging takes longer with more of something.
type growth struct {
	What            string
	Seconds, Memory float64 // memory in MB
	Times           float64 // as long as the first
}

// root is the folder of the module of thanosleak.
const root = "../.."

// serverCut is where net/http/pprof cuts a dump (runtime/pprof,
// writeGoroutineStacks).
const serverCut = 64 << 20

// writePage measures all and writes the page.
func writePage(file string, rounds int) error {
	p := page{Day: time.Now().UTC().Format(time.DateOnly), Machine: machine(), Go: runtime.Version(), Peers: peers()}
	commit, err := exec.Command("git", "describe", "--always", "--dirty").Output()
	if err != nil {
		return fmt.Errorf("git describe: %w", err)
	}
	p.Commit = strings.TrimSpace(string(commit))
	if p.Sent, p.Long, err = compareDumps(rounds); err != nil {
		return err
	}
	f := figures{}
	for _, b := range benches {
		if err := b.run(root, f); err != nil {
			return err
		}
	}
	p.judge(f)
	text, err := p.render()
	if err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o644)
}

// judge holds what was measured against what is promised.
func (p *page) judge(f figures) {
	p.Goals = append(readerGoals(p.Sent, p.Long), ownGoals(f)...)
	for _, g := range p.Goals {
		if !g.Met {
			p.Missed = append(p.Missed, g)
		}
		if !slices.Contains(p.Commands, g.Command) {
			p.Commands = append(p.Commands, g.Command)
		}
	}
	p.Still, p.Growth = standstills(f), growths(f)
}

func (p *page) render() ([]byte, error) {
	var b bytes.Buffer
	err := pageTemplate.Execute(&b, p)
	return b.Bytes(), err
}

// compareDumps compares the readers on a dump as a server sends it, cut, and on
// a whole one that is ten times as long.
func compareDumps(rounds int) (sent, long comparison, err error) {
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		return sent, long, err
	}
	defer os.RemoveAll(dir)
	dump := exec.Command("go", "run", "./testdata/parked", "-goroutines", "265000", "-wait", "61s", "-dump", dir)
	dump.Dir, dump.Stderr = root, os.Stderr
	fmt.Fprintln(os.Stderr, dump)
	if err := dump.Run(); err != nil {
		return sent, long, fmt.Errorf("%v: %w", dump, err)
	}
	whole, cut := filepath.Join(dir, "goroutine.debug2.txt"), filepath.Join(dir, "cut.txt")
	if err := copyBeginning(whole, cut, serverCut); err != nil {
		return sent, long, err
	}
	both, err := compare(rounds, cut, whole)
	if err != nil {
		return sent, long, err
	}
	return both[0], both[1], nil
}

// copyBeginning copies the first bytes of a file.
func copyBeginning(from, to string, bytes int64) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.CopyN(out, in, bytes)
	return errors.Join(err, out.Close())
}

// growths are of the week of samples: a tenth and ten times of it, and more
// stacks.
func growths(f figures) []growth {
	row := func(what, name, first string) growth {
		ns := f.get(name, "ns/op")
		return growth{what, ns / 1e9, f.get(name, "MB"), ns / f.get(first, "ns/op")}
	}
	const one = "Week/samples=67/stacks=1"
	return []growth{
		row("67 samples", one, one),
		row("672 samples, ten times as many", "Week/samples=672/stacks=1", one),
		row("6,720 samples, a hundred times", "Week/samples=6720/stacks=1", one),
		row("67 samples with ten times as many stacks", "Week/samples=67/stacks=10", one),
		row("67 samples with a hundred times as many", "Week/samples=67/stacks=100", one),
	}
}

// machine names the processor, the memory and the system.
func machine() string {
	about := []string{fmt.Sprintf("%d CPUs", runtime.NumCPU())}
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if m := regexp.MustCompile(`model name\s*: (.*)`).FindSubmatch(b); m != nil {
			about[0] += " (" + strings.TrimSpace(string(m[1])) + ")"
		}
	}
	if b, err := os.ReadFile("/proc/meminfo"); err == nil {
		var kib int64
		if _, err := fmt.Sscanf(string(b), "MemTotal: %d kB", &kib); err == nil {
			about = append(about, fmt.Sprintf("%d GiB", (kib+1<<19)>>20))
		}
	}
	return strings.Join(append(about, runtime.GOOS+"/"+runtime.GOARCH), ", ")
}

// peers names the modules that thanosleak is measured beside.
func peers() []string {
	info, _ := debug.ReadBuildInfo()
	var all []string
	for _, m := range info.Deps {
		switch m.Path {
		case "github.com/DataDog/gostackparse", "github.com/maruel/panicparse/v2", "github.com/google/pprof":
			all = append(all, m.Path+" "+m.Version)
		}
	}
	return all
}

// By is the number of the command that measures a goal, from 1.
func (p *page) By(g goal) int { return slices.Index(p.Commands, g.Command) + 1 }

// LongMB is the size of the long dump.
func (p *page) LongMB() float64 { return float64(p.Long.Bytes) / 1e6 }

// Rows are the cells of the table of the readers.
func (p *page) Rows() []string {
	var all []string
	for _, r := range p.Sent.Readers {
		row := fmt.Sprintf("%s | %.0f ms | %.0f | %.2f | %.1f MB | %d in %d", r.Name, r.CPU.Seconds()*1000, r.PerByte, r.Times, float64(r.Peak)/1e6, r.Goroutines, r.Stacks)
		if r.Stacks == 0 {
			row = strings.TrimSuffix(row, fmt.Sprintf("%d in 0", r.Goroutines)) + "-"
		}
		long := " | - | - | -"
		for _, l := range p.Long.Readers {
			if l.Name == r.Name {
				long = fmt.Sprintf(" | %.0f | %.2f | %.1f MB", l.PerByte, l.Times, float64(l.Peak)/1e6)
			}
		}
		all = append(all, row+long)
	}
	return all
}

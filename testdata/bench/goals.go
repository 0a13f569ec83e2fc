//go:build unix

package main

import (
	"fmt"
	"strings"
)

// goal is a figure that is promised.
type goal struct {
	What    string
	Target  string // in words
	Got     string
	Met     bool
	Why     string // it is not met
	Command string // that measures it
}

// Verdict is the word of the table.
func (g goal) Verdict() string {
	if g.Met {
		return "yes"
	}
	return "**no**"
}

const readersCommand = "cd testdata/bench && go run . FILE..."

// readerGoals are of the dump that a server can send, and of one ten times as long.
func readerGoals(sent, long comparison) []goal {
	ours, lines, peer := sent.of("thanosleak"), sent.of("lines"), sent.of("gostackparse")
	longer := long.of("thanosleak")
	perID := float64(longer.Peak-ours.Peak) / float64(longer.Goroutines-ours.Goroutines)
	share := lines.CPU.Seconds() / ours.CPU.Seconds()
	return []goal{
		{"debug=2 of 64 MiB, grouped: CPU time beside gostackparse, grouped", "an eighth or less",
			fmt.Sprintf("1 / %.2f", peer.Times), peer.Times >= 8,
			"runs gave 7.4 to 10.2, as busy as the machine was with others' work; a quarter of the time is the kernel's, which copies the file, and a faster scan of the lines would have to give up reading from pipes", readersCommand},
		{"the same beside counting its lines", "2.5 times or less", fmt.Sprintf("%.2f times", 1/share), share >= 0.4, "", readersCommand},
		{"the same: peak memory", "under 64 MB", megabytes(float64(ours.Peak) / 1e6), ours.Peak < 64e6, "", readersCommand},
		{"a dump ten times as long: peak memory", "under 64 MB but for the ids", fmt.Sprintf("%s, %.0f bytes a goroutine more", megabytes(float64(longer.Peak)/1e6), perID),
			longer.Peak < 64e6+64*int64(longer.Goroutines), "", readersCommand},
		{"a dump ten times as long: CPU time for each byte", "the same", fmt.Sprintf("%.2f times", ours.PerByte/longer.PerByte), ours.PerByte/longer.PerByte < 1.25,
			"the ids of the goroutines are kept, to see which of them stay, and more memory is touched", readersCommand},
	}
}

func megabytes(mb float64) string { return fmt.Sprintf("%.1f MB", mb) }

// The benchmarks that the goals below are of.
var (
	pprofBench  = gobench{"./profile", "^BenchmarkAgainstPprof$", 3}
	weekBench   = gobench{"./cmd/thanosleak", "^BenchmarkWeek$", 3}
	fleetBench  = gobench{"./cmd/thanosleak", "^BenchmarkFleet$/^samples=5$", 3}
	binaryBench = gobench{"./cmd/thanosleak", "^BenchmarkBinary$", 1}
	stillBench  = gobench{"./cmd/thanosleak", "^BenchmarkStandstill$/^goroutines=(500|2000|10000|100000)$", 5}
	hugeBench   = gobench{"./cmd/thanosleak", "^BenchmarkStandstill$/^goroutines=1000000$", 1}
)

var benches = []gobench{pprofBench, weekBench, fleetBench, binaryBench, stillBench, hugeBench}

// ownGoals are of what thanosleak's own benchmarks measure.
func ownGoals(f figures) []goal {
	var all []goal
	add := func(what, target, got string, met bool, why string, g gobench) {
		all = append(all, goal{what, target, got, met, why, shell(g.command())})
	}
	for _, form := range []struct{ name, what string }{{"debug=0", "debug=0"}, {"debug=1", "debug=1"}, {"labels", "debug=0 with 100,000 label sets"}} {
		times := f.get("AgainstPprof/"+form.name, "times-pprof")
		add(form.what+", parsed, normalised and grouped, beside profile.Parse alone", "1.5 times or less", fmt.Sprintf("%.2f times", times), times <= 1.5,
			"normalising and grouping take longer than half of the parsing, and the machine's rounds differ by a tenth", pprofBench)
	}
	week := f.get("Week/samples=672/stacks=1", "ns/op") / 1e9
	add("a week of one target, 672 samples, read and judged", "under 1 s", fmt.Sprintf("%.2f s", week), week < 1, "", weekBench)
	fleet := f.get("Fleet/samples=5", "MB")
	add("1,000 targets, 5 samples each: peak memory", "under 150 MB", megabytes(fleet), fleet < 150, "", fleetBench)
	start := f.get("Binary", "start-ms")
	add("`thanosleak --version`", "within 20 ms", fmt.Sprintf("%.1f ms; an empty Go program: %.1f ms", start, f.get("Binary", "empty-ms")), start <= 20,
		"the modules that read profiles, TLS configurations and metrics do so much before main", binaryBench)
	size := f.get("Binary", "MB")
	add("the binary, stripped", "under 20 MB", megabytes(size), size < 20, "", binaryBench)
	for _, s := range standstills(f) {
		bench := stillBench
		if s.Goroutines == "1,000,000" {
			bench = hugeBench
		}
		add("a default scan of a process of "+s.Goroutines+" goroutines stops it", "under 1 ms in all", fmt.Sprintf("%.2f ms", s.Default.Stopped), s.Default.Stopped < 1,
			"that is an upper bound, for the runtime counts pauses in ranges; one pause that meets a busy machine is enough", bench)
	}
	return all
}

// shell quotes a command for a shell.
func shell(args []string) string {
	quoted := make([]string, len(args))
	for i, a := range args {
		quoted[i] = a
		if strings.ContainsAny(a, "$|()") {
			quoted[i] = "'" + a + "'"
		}
	}
	return strings.Join(quoted, " ")
}

// standstill is what runs beside a process cost it.
type standstill struct {
	Goroutines                                     string
	Idle, Default, Forced, FullDefault, FullForced cost
}

// cost is how a process stood still, in milliseconds.
type cost struct {
	Pauses, Stopped, Gap float64
}

func standstills(f figures) []standstill {
	var all []standstill
	for _, size := range []struct{ name, written string }{{"500", "500"}, {"2000", "2,000"}, {"10000", "10,000"}, {"100000", "100,000"}, {"1000000", "1,000,000"}} {
		of := func(run string) cost {
			name := "Standstill/goroutines=" + size.name + "/" + run
			return cost{f.get(name, "pauses"), f.get(name, "stopped-ms"), f.get(name, "gap-ms")}
		}
		all = append(all, standstill{size.written, of("idle"), of("scan"), of("scan-force"), of("full"), of("full-force")})
	}
	return all
}

// Command thanosleak finds goroutine leaks in Thanos processes, names them and
// says what to do about them in the release at hand.
//
//	thanosleak scan http://thanos-query:10902     look at live processes
//	thanosleak analyze goroutine.pb.gz            judge profiles, dumps and captures
//	thanosleak soak localhost:10902 -- ./load.sh  put load on a release and judge what stays
//	thanosleak serve http://thanos-query:10902    scan in a loop
//	thanosleak advisories TL-2024-001             explain what is known
//	thanosleak demo                               see it work on a recorded leak
//
// The report goes to standard output; progress, warnings and errors go to
// standard error. The exit status is the same whatever the format:
//
//	0  judged, or undecided: nothing at or above --fail-on
//	1  a finding at or above --fail-on
//	2  the command line is wrong
//	3  a named target or input gave no readable sample, or thanosleak failed; of
//	   soak also too little evidence
//
// Where 1 and 3 both hold it is 1.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"
)

// stopSignals end a run, which then tells what there is.
var stopSignals = []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP}

// signalPause is the time after a signal in which another counts as the same:
// timeout(1) signals its child, and then the group that this is in.
const signalPause = time.Second

func main() {
	if os.Getenv("GOGC") == "" {
		// It runs beside what it watches: a tenth of CPU time is given for a third
		// of the memory of a fleet.
		debug.SetGCPercent(40)
	}
	ctx, stop := signal.NotifyContext(context.Background(), stopSignals...)
	// After the first signal the next one ends the program at once.
	context.AfterFunc(ctx, func() { time.AfterFunc(signalPause, stop) })
	os.Exit(run(ctx, os.Args[1:], streams{in: os.Stdin, out: os.Stdout, err: os.Stderr, env: os.Getenv}))
}

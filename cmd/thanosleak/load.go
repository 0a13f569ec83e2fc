package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"time"
)

// loadGrace is how long a load command that was told to stop may take; a variable,
// so that tests need not wait.
var loadGrace = 5 * time.Second

// checkCommand finds out before anything is done whether there is such a
// command.
func checkCommand(command []string) error {
	if len(command) == 0 {
		return nil
	}
	if _, err := exec.LookPath(command[0]); err != nil {
		return usagef("the load command cannot be run: %w", err)
	}
	return nil
}

// runLoad runs a load command until it ends, or stops it when the time is over
// or ctx is done: by SIGTERM to its process group, where there are such, and by
// force when it does not heed that. What it leaves running is stopped as well,
// for it would go on while the processes are to rest. stopped says that it did
// not end by itself.
func runLoad(ctx context.Context, out io.Writer, round int, limit time.Duration, command []string) (stopped bool, err error) {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = append(os.Environ(), fmt.Sprintf("THANOSLEAK_ROUND=%d", round))
	if c, ok := out.(cleaner); ok {
		out = c.Writer // a file is handed over as it is, and needs no copying
	}
	cmd.Stdout, cmd.Stderr = out, out
	cmd.WaitDelay = time.Second // children that keep the output open are not waited for
	inGroup(cmd)
	if err := cmd.Start(); err != nil {
		return false, err
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case err = <-done:
	case <-timer.C:
		stopped, err = true, stop(cmd, done)
	case <-ctx.Done():
		stopped, err = true, stop(cmd, done)
	}
	endGroup(cmd)
	if errors.Is(err, exec.ErrWaitDelay) {
		err = nil
	}
	return stopped, err
}

// leftoverGrace is how long what a load command has left running may take to end.
const leftoverGrace = 500 * time.Millisecond

// endGroup stops what a command that has ended left running.
func endGroup(cmd *exec.Cmd) {
	terminateGroup(cmd)
	for until := time.Now().Add(leftoverGrace); groupRuns(cmd) && time.Now().Before(until); {
		time.Sleep(10 * time.Millisecond)
	}
	killGroup(cmd)
}

// stop ends a command, and returns what came of it. Whoever signals again does not
// want to wait for it; it must not go on without thanosleak.
func stop(cmd *exec.Cmd, done <-chan error) error {
	terminateGroup(cmd)
	patience, pause := time.NewTimer(loadGrace), time.NewTimer(signalPause)
	defer patience.Stop()
	defer pause.Stop()
	again := make(chan os.Signal, 1)
	defer signal.Stop(again)
	for {
		select {
		case err := <-done:
			return err
		case <-pause.C:
			signal.Notify(again, stopSignals...)
			continue
		case <-again:
		case <-patience.C:
		}
		killGroup(cmd)
		return <-done
	}
}

//go:build unix

package main

import (
	"os/exec"
	"syscall"
)

// inGroup gives the command a process group of its own: a Ctrl-C at the terminal
// goes to thanosleak, which passes on what is due.
func inGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

// terminateGroup asks all processes of a started command to end.
func terminateGroup(cmd *exec.Cmd) { signalGroup(cmd, syscall.SIGTERM) }

// killGroup ends those that are left of them.
func killGroup(cmd *exec.Cmd) { signalGroup(cmd, syscall.SIGKILL) }

// groupRuns reports whether any of them is left.
func groupRuns(cmd *exec.Cmd) bool { return syscall.Kill(-cmd.Process.Pid, 0) == nil }

func signalGroup(cmd *exec.Cmd, s syscall.Signal) {
	_ = syscall.Kill(-cmd.Process.Pid, s) // fails where none is left, which is what is wanted
}

package main

import "os/exec"

// inGroup does nothing: Windows has no process groups that can be told to end.
func inGroup(*exec.Cmd) {}

// terminateGroup ends the command itself; what it started goes on.
func terminateGroup(cmd *exec.Cmd) { killGroup(cmd) }

func killGroup(cmd *exec.Cmd) { _ = cmd.Process.Kill() }

// groupRuns reports nothing left: nothing else can be ended.
func groupRuns(*exec.Cmd) bool { return false }

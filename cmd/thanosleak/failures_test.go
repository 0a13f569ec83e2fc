package main

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestCaptureKeepsFailures scans one process that is up and one that is down:
// who is given the capture is told of both, and with the same status.
func TestCaptureKeepsFailures(t *testing.T) {
	up := httptest.NewServer(newLater(t, "v0.36.1-slowstore-eager", "leaf", 15*time.Minute))
	defer up.Close()
	gone := httptest.NewServer(nil)
	down := strings.TrimPrefix(gone.URL, "http://")
	gone.Close()
	analyzed := func(path string) ran {
		var out, errOut strings.Builder
		status := run(t.Context(), []string{"analyze", path}, streams{out: &out, err: &errOut, env: os.Getenv})
		return ran{status, out.String(), errOut.String()}
	}
	dir := t.TempDir()
	folder, archive := filepath.Join(dir, "c"), filepath.Join(dir, "c.tar.gz")
	said := []string{"INCOMPLETE 1 of 2 targets gave no sample", "error " + down + ": connection refused"}
	for _, path := range []string{folder, archive} {
		scanned(t, up.URL, down, "--samples", "1", "--dir", path).says(t, exitFailed, said...)
		analyzed(path).says(t, exitFailed, said...)
	}
	// The next run has its own targets, and asks neither for those of the last.
	scanned(t, up.URL, "--samples", "1", "--dir", folder).says(t, exitOK)
	analyzed(folder).says(t, exitOK)
	// What was kept of a target does not stand for the run that did not reach it.
	up.Close()
	scanned(t, up.URL, "--samples", "1", "--dir", folder).says(t, exitFailed, "INCOMPLETE")
	analyzed(folder).says(t, exitFailed, "INCOMPLETE", "2 samples")
}

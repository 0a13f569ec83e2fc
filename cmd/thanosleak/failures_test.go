package main

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/thanosleak/thanosleak/profile/capture"
)

// TestCaptureKeepsFailures scans one process that is up and one that is down:
// who is given the capture is told of both, and with the same status.
func TestCaptureKeepsFailures(t *testing.T) {
	up := httptest.NewServer(newLater(t, "v0.36.1-slowstore-eager", "leaf", 15*time.Minute))
	defer up.Close()
	gone := httptest.NewServer(nil)
	down := strings.TrimPrefix(gone.URL, "http://")
	gone.Close()
	dir := t.TempDir()
	folder, archive := filepath.Join(dir, "c"), filepath.Join(dir, "c.tar.gz")
	said := []string{"INCOMPLETE 1 of 2 targets gave no sample", "error " + down + ": connection refused"}
	for _, path := range []string{folder, archive} {
		scanned(t, up.URL, down, "--samples", "1", "--dir", path).says(t, exitFailed, said...)
		analyzed(t, path).says(t, exitFailed, said...)
	}
	// Another job keeps its samples there too: that it reached its own says nothing
	// of the others'.
	scanned(t, up.URL, "--samples", "1", "--dir", folder).says(t, exitOK)
	analyzed(t, folder).says(t, exitFailed, said...)
	// The file says which targets there are, and it is none of them.
	list := filepath.Join(dir, "targets.json")
	if err := os.WriteFile(list, []byte(`[{"targets": ["`+up.URL+`"]}]`), 0o644); err != nil {
		t.Fatal(err)
	}
	scanned(t, "--target-file", list, "--samples", "1", "--dir", folder).says(t, exitOK)
	analyzed(t, folder).says(t, exitOK)
	// What was kept of a target does not stand for the run that did not reach it.
	up.Close()
	scanned(t, up.URL, "--samples", "1", "--dir", folder).says(t, exitFailed, "INCOMPLETE")
	analyzed(t, folder).says(t, exitFailed, "INCOMPLETE", "3 samples")
}

// TestCaptureKeepsThatItLacks: of a target whose samples cannot be written the
// capture says so.
func TestCaptureKeepsThatItLacks(t *testing.T) {
	up := httptest.NewServer(newLater(t, "v0.36.1-slowstore-eager", "leaf", 15*time.Minute))
	defer up.Close()
	folder := t.TempDir()
	// A file where its folder should be.
	if err := os.WriteFile(filepath.Join(folder, capture.Escape(strings.TrimPrefix(up.URL, "http://"))), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	scanned(t, up.URL, "--samples", "1", "--dir", folder).says(t, exitFailed, "not kept")
	analyzed(t, folder).says(t, exitFailed, "INCOMPLETE", "a sample of it could not be written into the capture")
}

// analyzed analyses a capture.
func analyzed(t *testing.T, path string) ran {
	t.Helper()
	var out, errOut strings.Builder
	status := run(t.Context(), []string{"analyze", path}, streams{out: &out, err: &errOut, env: os.Getenv})
	return ran{status, out.String(), errOut.String()}
}

package main

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestNothingStaysOpen scans a fleet, keeps what it says, and looks for files
// and connections that are open afterwards: serve does the same every minute for
// months. A folder takes fewer targets, for each of its files waits for the disk.
func TestNothingStaysOpen(t *testing.T) {
	for dir, size := range map[string]int{"kept.tar.gz": 1000, "kept": 30} {
		t.Run(dir, func(t *testing.T) {
			file := fleet(t, size, 0)
			dir := filepath.Join(t.TempDir(), dir)
			before := openFiles(t)
			scanned(t, "--target-file", file, "--samples", "2", "--interval", "1ms", "--dir", dir, "-q", "-o", "json="+dir+".json").says(t, exitOK)
			// The servers, which are in this process, learn of closed
			// connections a moment later.
			look := time.NewTicker(10 * time.Millisecond)
			defer look.Stop()
			for deadline := time.Now().Add(time.Minute); openFiles(t) > before; <-look.C {
				if time.Now().After(deadline) {
					t.Fatalf("%d files and connections are open, %d before", openFiles(t), before)
				}
			}
		})
	}
}

// openFiles is the number of files and connections that this process has open.
func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

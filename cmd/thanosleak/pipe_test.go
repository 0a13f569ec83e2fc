//go:build unix

package main

import (
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestReaderGone: whoever reads may go before the end. The status tells of the leak
// all the same, samples and files are there, and what was not heard is told again.
func TestReaderGone(t *testing.T) {
	server := httptest.NewServer(newLater(t, "v0.35.1-go121-slowstore-eager", "upper", 15*time.Minute))
	defer server.Close()
	dir := t.TempDir()
	for range 2 {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		cmd := thanosleak(t, "scan", server.URL, "--samples", "18", "--interval", "1ms", "-q", "--dir", dir, "-o", "json="+filepath.Join(dir, "..", "result.json"), "-o", "text")
		var errOut strings.Builder
		cmd.Stdout, cmd.Stderr = w, &errOut
		err = cmd.Run()
		w.Close()
		if cmd.ProcessState.ExitCode() != exitFound {
			t.Errorf("%v\n%s", err, errOut.String())
		}
		if !strings.Contains(errOut.String(), "broken pipe") {
			t.Errorf("nothing is said of it\n%s", errOut.String())
		}
	}
	if kept := stems(t, dir, ".debug0.pb.gz"); len(kept) < 18 {
		t.Errorf("%d samples are kept", len(kept))
	}
	if out, _ := thanosleak(t, "scan", server.URL, "--samples", "1", "-q", "--dir", dir).Output(); !strings.Contains(string(out), "new: LEAK confirmed") {
		t.Errorf("what nobody heard is not told again:\n%s", out)
	}
}

package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// fleet serves a recorded process under many addresses and returns a target
// file that lists them. slow delays the profiles of the first.
func fleet(t testing.TB, size int, slow time.Duration) (file string) {
	t.Helper()
	one := recorded(t, "../../testdata/captures/v0.36.1-slowstore-eager.tar.gz", "leaf")
	var hosts []string
	for i := range size {
		var handler http.Handler = &replay{fsys: one.fsys, folder: one.folder, stems: one.stems, current: -1}
		if i == 0 {
			handler = delayed(handler, slow)
		}
		server := httptest.NewServer(handler)
		t.Cleanup(server.Close)
		hosts = append(hosts, strings.TrimPrefix(server.URL, "http://"))
	}
	b, err := json.Marshal([]map[string]any{{"targets": hosts}})
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "fleet.json")
	if err := os.WriteFile(file, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func delayed(h http.Handler, by time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/debug/pprof/goroutine" {
			timer := time.NewTimer(by)
			defer timer.Stop()
			select {
			case <-timer.C:
			case <-r.Context().Done():
			}
		}
		h.ServeHTTP(w, r)
	})
}

// TestFleetWithOneDown looks at sixty targets of a file, one of which cannot be
// read: the status says so, and the report names it.
func TestFleetWithOneDown(t *testing.T) {
	file := fleet(t, 59, 0)
	bad := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "out of order", http.StatusInternalServerError)
	}))
	defer bad.Close()
	r := scanned(t, bad.URL, "--target-file", file, "--samples", "1")
	r.says(t, exitFailed, strings.TrimPrefix(bad.URL, "http://"), "500", fmt.Sprint(60))
	leaking := recorded(t, "../../testdata/captures/v0.35.1-go121-slowstore-eager.tar.gz", "upper")
	leaking.current = len(leaking.stems) - 2
	leak := httptest.NewServer(leaking)
	defer leak.Close()
	r = scanned(t, leak.URL, bad.URL, "--target-file", file, "--samples", "1", "-q", "--dir", t.TempDir())
	r.says(t, exitFound, strings.TrimPrefix(bad.URL, "http://"), "LEAK confirmed TL-2024-001 on 1 of 60 queriers")
}

// TestNoTargets: lists that are empty are no fleet that is well.
func TestNoTargets(t *testing.T) {
	file := filepath.Join(t.TempDir(), "empty.json")
	if err := os.WriteFile(file, []byte("[]"), 0o644); err != nil {
		t.Fatal(err)
	}
	scanned(t, "--target-file", file, "--samples", "1", "-q").says(t, exitFailed, "there is no target")
	metrics := filepath.Join(t.TempDir(), "thanosleak.prom")
	scanned(t, "--target-file", file, "--samples", "1", "-q", "--dir", t.TempDir(), "-o", "prometheus="+metrics).says(t, exitFailed, "thanosleak: down: ", "there is no target")
	if b, err := os.ReadFile(metrics); err != nil || !strings.Contains(string(b), `thanosleak_verdict{verdict="incomplete"} 1`) {
		t.Errorf("%v\n%s", err, b)
	}
}

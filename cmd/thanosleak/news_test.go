package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestNews is a cron job that looks at a querier every hour: it says what is
// new, once, reminds once a day, and is silent otherwise, while the exit status
// goes on to tell what is.
func TestNews(t *testing.T) {
	leaking := newLater(t, "v0.35.1-go121-slowstore-eager", "upper", time.Hour)
	leaking.current = 0
	fixed := newLater(t, "v0.36.1-slowstore-eager", "upper", time.Hour)
	fixed.current = 0
	var down atomic.Bool
	var serving atomic.Pointer[later]
	serving.Store(leaking)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if down.Load() {
			http.Error(w, "out of order", http.StatusServiceUnavailable)
			return
		}
		serving.Load().ServeHTTP(w, r)
	}))
	defer server.Close()
	dir := t.TempDir()
	hour := 0
	// scan runs once and wants a status and the beginning of the output; it
	// returns all of it.
	scan := func(status int, subject string) string {
		t.Helper()
		hour++
		var out, errOut strings.Builder
		got := run(t.Context(), []string{"scan", server.URL, "--samples", "1", "-q", "--dir", dir, "--retention", "30d", "-o", "text", "-o", "json=" + dir + ".json"},
			streams{out: &out, err: &errOut, env: os.Getenv})
		first, _, _ := strings.Cut(out.String(), "\n")
		if got != status || !strings.HasPrefix(first, subject) || subject == "" && out.Len()+errOut.Len() > 0 {
			t.Fatalf("hour %d: status %d, want %d and %q\n%s%s", hour, got, status, subject, out.String(), errOut.String())
		}
		result, err := os.ReadFile(dir + ".json")
		if err == nil {
			err = valid(string(result))
		}
		if err != nil {
			t.Errorf("hour %d: %v\n%s", hour, err, result)
		}
		return out.String()
	}
	scan(exitOK, "")
	leaking.current = len(leaking.stems) - 1
	body := scan(exitFound, "thanosleak: new: LEAK confirmed TL-2024-001 on 1 of 1 querier (thanos 0.35.1): 144 goroutines blocked for ever")
	for _, want := range []string{"\n  do  1  the evidence is kept in ", "go to v0.36.1"} {
		if !strings.Contains(body, want) {
			t.Errorf("the mail does not say %q\n%s", want, body)
		}
	}
	for range 22 {
		scan(exitFound, "")
	}
	scan(exitFound, "thanosleak: still: LEAK confirmed TL-2024-001 ")
	scan(exitFound, "")
	down.Store(true)
	scan(exitFound, "thanosleak: down: no sample of ")
	scan(exitFound, "")
	down.Store(false)
	scan(exitFound, "thanosleak: back: samples of ")
	fixed.now = leaking.now
	serving.Store(fixed)
	for range 5 {
		scan(exitOK, "") // too few samples of the new process to say so
	}
	scan(exitOK, "thanosleak: gone: TL-2024-001, ")
	scan(exitOK, "")
}

// TestNoFalseNews: what fails around a leak makes it neither gone nor new.
func TestNoFalseNews(t *testing.T) {
	process := newLater(t, "v0.35.1-go121-slowstore-eager", "upper", time.Hour)
	process.current = len(process.stems) - 2
	server := httptest.NewServer(process)
	defer server.Close()
	dir, files := t.TempDir(), t.TempDir()
	list, result := filepath.Join(files, "targets.json"), filepath.Join(files, "result.json")
	write := func(content string) {
		t.Helper()
		if err := os.WriteFile(list, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	good := `[{"targets": ["` + strings.TrimPrefix(server.URL, "http://") + `"]}]`
	scan := func() ran {
		return scanned(t, "--target-file", list, "--samples", "1", "-q", "--dir", dir, "-o", "text", "-o", "json="+result)
	}
	write(good)
	scan().says(t, exitFound, "thanosleak: new: LEAK confirmed TL-2024-001")
	write(`[{"targets": [`)
	r := scan()
	r.says(t, exitFound, "thanosleak: down: no sample of "+list)
	if strings.Contains(r.out, "gone") {
		t.Errorf("a file that is damaged ends the leak\n%s", r.out)
	}
	write(good)
	if r := scan(); r.status != exitFound || r.out != "" {
		t.Errorf("status %d\n%s", r.status, r.out)
	}
	// A file that cannot be written is told each time, the leak is not.
	if err := os.Remove(result); err != nil {
		t.Fatal(err)
	}
	const full = "/dev/full"
	if _, err := os.Stat(full); err != nil {
		return // only Linux has a disk that is always full
	}
	if err := os.Symlink(full, result); err != nil {
		t.Fatal(err)
	}
	if r := scan(); r.status != exitFound || r.out != "" || !strings.Contains(r.errOut, result) {
		t.Errorf("status %d\n%s%s", r.status, r.out, r.errOut)
	}
}

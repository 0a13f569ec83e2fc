package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/thanosleak/thanosleak/profile/capture"
)

// recorded returns a server of a process in a packed capture.
func recorded(t testing.TB, archive, process string) *replay {
	t.Helper()
	f, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fsys, err := capture.Unpack(f)
	if err != nil {
		t.Fatal(err)
	}
	r, err := newReplay(fsys, process)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestInterrupt looks at what Ctrl-C leaves: what there is, is reported.
func TestInterrupt(t *testing.T) {
	handler := recorded(t, "../../testdata/captures/v0.35.1-go121-slowstore-eager.tar.gz", "upper")
	handler.current = len(handler.stems) - 2 // the next sample is the last, which shows the leak
	ctx, interrupt := context.WithCancel(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(w, r)
		if r.URL.Path == "/api/v1/stores" { // the last request of the first round
			time.AfterFunc(50*time.Millisecond, interrupt)
		}
	}))
	defer server.Close()
	var out, errOut strings.Builder
	status := run(ctx, []string{"scan", server.URL, "--interval", "1h"}, streams{out: &out, err: &errOut, env: os.Getenv})
	if status != exitFound || !strings.Contains(out.String(), "LEAK confirmed  TL-2024-001") {
		t.Errorf("status %d, want %d with the leak that was seen before the interrupt\n%s%s", status, exitFound, out.String(), errOut.String())
	}
}

// TestRefused looks at a target that nobody listens on beside a good one.
func TestRefused(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	// Nobody listens on the near end of a connection, and nobody can.
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	gone := conn.LocalAddr().String()
	var out, errOut strings.Builder
	status := run(t.Context(), []string{"scan", gone, "--samples", "1"}, streams{out: &out, err: &errOut, env: os.Getenv})
	if status != exitFailed || !strings.Contains(errOut.String(), gone) || !strings.Contains(errOut.String(), "refused") {
		t.Errorf("status %d, want %d and an error that names %s and the cause\n%s", status, exitFailed, gone, errOut.String())
	}
}

// noNames is a resolver that knows no name.
type noNames struct{}

func (noNames) LookupIPAddr(_ context.Context, host string) ([]net.IPAddr, error) {
	return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

func (noNames) LookupSRV(_ context.Context, _, _, name string) (string, []*net.SRV, error) {
	return "", nil, &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
}

// TestLostNames looks at names and files that are not found: they are targets
// that give no sample, and do not keep the others from being scanned. Mistakes
// do.
func TestLostNames(t *testing.T) {
	s, err := newSource([]string{"dns+gone:10902", "localhost:10902", "dnssrv+_http._tcp.gone"}, []string{"nowhere/*.yml"}, noNames{})
	if err != nil || !s.Discovers() {
		t.Fatalf("%+v, %v", s, err)
	}
	targets, lost, warnings := s.find(t.Context())
	if len(targets) != 1 || len(lost) != 3 || len(warnings) > 0 {
		t.Fatalf("targets %v, lost %v, warnings %q", targets, lost, warnings)
	}
	if !lost[0].Unreached || lost[0].Name != "dns+gone:10902" || !strings.HasPrefix(lost[0].Err, "dns+gone:10902: name not found") {
		t.Errorf("%+v", lost[0])
	}
	if _, err := newSource([]string{"localhost:10902", "grpc://localhost:10901"}, nil, noNames{}); !errors.As(err, new(usageError)) {
		t.Errorf("%v, want a mistake on the command line", err)
	}
}

// TestFailsAtTimes looks at a target that gives some samples and not others: it
// is judged by those, and the failures are told.
func TestFailsAtTimes(t *testing.T) {
	handler := recorded(t, "../../testdata/captures/v0.36.1-slowstore-eager.tar.gz", "leaf")
	requests := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/debug/pprof/goroutine" {
			if requests++; requests == 2 {
				http.Error(w, "busy", http.StatusServiceUnavailable)
				return
			}
		}
		handler.ServeHTTP(w, r)
	}))
	defer server.Close()
	var out, errOut strings.Builder
	status := run(t.Context(), []string{"scan", server.URL, "--samples", "4", "--interval", "1ms"}, streams{out: &out, err: &errOut, env: os.Getenv})
	if status != exitOK || !strings.Contains(errOut.String(), "1 of 4 samples failed, the last with: ") || !strings.Contains(out.String(), "3 samples") {
		t.Errorf("status %d\n%s%s", status, out.String(), errOut.String())
	}
}

// TestWriteFile writes where something is already: what is no plain file is not
// replaced by one.
func TestWriteFile(t *testing.T) {
	dir := t.TempDir()
	plain, link := filepath.Join(dir, "plain"), filepath.Join(dir, "link")
	if err := writeFile(plain, []byte("one")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("plain", link); err != nil {
		t.Fatal(err)
	}
	if err := writeFile(link, []byte("two")); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(plain); string(got) != "two" || err != nil {
		t.Errorf("%q, %v: want the link followed", got, err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode().IsRegular() {
		t.Errorf("the link was replaced (%v)", err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	pipe := fmt.Sprintf("/proc/self/fd/%d", w.Fd())
	if _, err := os.Stat(pipe); err != nil {
		return // only Linux has names for open files
	}
	if err := errors.Join(writeFile(pipe, []byte("three")), w.Close()); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); string(got) != "three" || err != nil {
		t.Errorf("%q, %v: want it in the pipe", got, err)
	}
}

// TestNotKept lets the capture fail while a scan is under way: that is said,
// nobody is told that the evidence is kept, and the exit status is no 0.
func TestNotKept(t *testing.T) {
	for _, tt := range []struct {
		name, dir, inTheWay string
		leak                bool
		want                int
	}{
		{"an archive, nothing found", "x.tar.gz", "x.tar.gz", false, exitFailed},
		{"an archive, a leak found", "x.tar.gz", "x.tar.gz", true, exitFound},
		{"a folder, nothing found", "kept", filepath.Join("kept", "TARGET"), false, exitFailed},
		{"a folder, a leak found", "kept", filepath.Join("kept", "TARGET"), true, exitFound},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			handler := recorded(t, "../../testdata/captures/v0.35.1-go121-slowstore-eager.tar.gz", "upper")
			if tt.leak {
				handler.current = len(handler.stems) - 2
			}
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				name := filepath.Join(dir, strings.ReplaceAll(tt.inTheWay, "TARGET", capture.Escape(r.Host)))
				if err := os.WriteFile(name, []byte("theirs"), 0o600); err != nil {
					t.Error(err)
				}
				handler.ServeHTTP(w, r)
			}))
			defer server.Close()
			var out, errOut strings.Builder
			status := run(t.Context(), []string{"scan", server.URL, "--samples", "1", "-q", "--dir", filepath.Join(dir, tt.dir)},
				streams{out: &out, err: &errOut, env: os.Getenv})
			if status != tt.want || !strings.Contains(errOut.String(), "not kept") || strings.Contains(out.String(), "evidence is kept") {
				t.Errorf("status %d, want %d\n%s%s", status, tt.want, out.String(), errOut.String())
			}
		})
	}
}

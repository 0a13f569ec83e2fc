package main

import (
	"fmt"
	"go/version"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/thanosleak/thanosleak/classify/origin/internal/table"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// write makes a file below dir.
func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

const releases = `[
	{"release": "v0.3.2", "modules": {}, "lines": {"cmd/thanos/main.go": [174, 180]}},
	{"release": "v0.24.0", "go": "1.15", "modules": {"b": "v1", "a": "v2"}, "lines": {"cmd/thanos/main.go": [174, 180]}},
	{"release": "v0.25.0", "go": "1.17", "modules": {"a": "v2"}, "lines": {"cmd/thanos/main.go": [175]}}
]`

const thanosText = `# Thanos releases: modules in the build, and lines where goroutines commonly stand.
# Made by go run ./classify/origin/internal/maketable; do not edit.
releases 0.3.2 0.24.0 0.25.0

complete modules
	yes	0.25.0

module a
	v2	0.24.0-0.25.0

module b
	v1	0.24.0

lines cmd/thanos/main.go
	174 180	0.3.2-0.24.0
	175	0.25.0
`

func TestThanos(t *testing.T) {
	dir := t.TempDir()
	file := write(t, dir, "releases.json", releases)
	if err := run([]string{"-out", dir, "-thanos", file}, &strings.Builder{}); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(dir, table.ThanosFile))
	if err != nil || string(got) != thanosText {
		t.Errorf("got %v\n%s", err, got)
	}
	if err := run([]string{"-check", "-out", dir, "-thanos", file}, &strings.Builder{}); err != nil {
		t.Errorf("-check of what was just written: %v", err)
	}
	write(t, dir, table.ThanosFile, strings.Replace(thanosText, "175", "176", 1))
	if err := run([]string{"-check", "-out", dir, "-thanos", file}, &strings.Builder{}); err == nil {
		t.Error("-check of an edited table: no error")
	}
}

// goroot makes a folder like that of a Go release, in which os/signal.loop is
// moved down by some lines.
func goroot(t *testing.T, version string, down int) string {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, "VERSION", version+"\ntime 2026-11-01T00:00:00Z\n")
	write(t, dir, "src/os/signal/signal_unix.go",
		"package signal\n"+strings.Repeat("\n", down)+"// loop loops.\nfunc loop() {\n\tfor {\n\t}\n}\n")
	write(t, dir, "src/runtime/time.go", "package runtime\n\nfunc timeSleep(ns int64) {}\n")
	return dir
}

func TestGo(t *testing.T) {
	dir := t.TempDir()
	roots := []string{goroot(t, "go1.22.0", 9), goroot(t, "go1.21.13", 2), goroot(t, "go1.21.0", 0)}
	if err := run(append([]string{"-out", dir, "-go"}, roots...), &strings.Builder{}); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(dir, table.GoFile))
	const want = `# Read in go1.21.0, go1.21.13, go1.22.0.
releases go1.21 go1.22

func os/signal.loop os/signal/signal_unix.go
	3-8	go1.21
	12-15	go1.22

func time.Sleep runtime/time.go
	3-3	go1.21-go1.22
`
	if err != nil || !strings.HasSuffix(string(got), want) {
		t.Errorf("got %v\n%s", err, got)
	}
}

func TestUsage(t *testing.T) {
	dir := t.TempDir()
	for name, args := range map[string][]string{
		"nothing":            nil,
		"-go without folder": {"-go"},
		"folder without -go": {"-thanos", "x", "y"},
		"no such file":       {"-thanos", filepath.Join(dir, "x")},
		"no GOROOT":          {"-go", dir},
		"unknown version":    {"-go", goroot(t, "devel", 0)},
	} {
		t.Run(name, func(t *testing.T) {
			if err := run(append([]string{"-out", dir}, args...), &strings.Builder{}); err == nil {
				t.Error("no error")
			}
		})
	}
}

// TestThisGo holds the embedded table against the sources of the Go release
// that runs the test: a patch release that moves a function out of its lines,
// or a minor one that the table does not have, fails it.
func TestThisGo(t *testing.T) {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatalf("no go command: %v", err)
	}
	r, err := readGoroot(strings.TrimSpace(string(out)))
	if err != nil {
		t.Skipf("not a Go release: %v", err)
	}
	tab, err := table.Go()
	if err != nil {
		t.Fatal(err)
	}
	minor := slices.Index(tab.Releases, version.Lang(r.version))
	if minor < 0 {
		t.Fatalf("the table ends at %s, this is %s", tab.Releases[len(tab.Releases)-1], r.version)
	}
	looked := 0
	for _, f := range tab.Facts {
		var in span
		s, ok := r.spans[strings.TrimPrefix(f.Name, "func ")]
		if !ok || !slices.Contains(f.In, minor) {
			continue
		}
		if n, err := fmt.Sscanf(f.Value, "%d-%d", &in.first, &in.last); n != 2 || s.first < in.first || s.last > in.last {
			t.Errorf("%s stands at %d-%d in %s, the table has %s: %v", f.Name, s.first, s.last, r.version, f.Value, err)
		}
		looked++
	}
	if looked < 30 {
		t.Errorf("looked at %d functions, want 30 or more", looked)
	}
}

package capture

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/thanosleak/thanosleak/profile"
)

// recorded is a target with what it served, read from a packed capture.
type recorded struct {
	target   profile.Target
	payloads []profile.Payload
}

// record reads the last samples of a process in testdata, with their bytes.
func record(t *testing.T, archive, process string, samples int) recorded {
	t.Helper()
	f, err := os.Open(filepath.Join("..", "..", "testdata", "captures", archive+".tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	a, err := Unpack(f)
	if err != nil {
		t.Fatal(err)
	}
	sub, err := fs.Sub(a, path.Join(archive, process))
	if err != nil {
		t.Fatal(err)
	}
	names, err := fs.Glob(sub, "*.debug0.pb.gz")
	if err != nil || len(names) < samples {
		t.Fatalf("%d profiles in %s: %v", len(names), process, err)
	}
	names = slices.DeleteFunc(names, func(n string) bool { return strings.Contains(n, ".leak.") })
	in, err := Read(sub, "127.0.0.1:10902", Options{Flags: allFlags})
	if err != nil {
		t.Fatal(err)
	}
	r := recorded{target: in.Targets[0]}
	r.target.Samples = r.target.Samples[len(names)-samples:]
	for _, name := range names[len(names)-samples:] {
		stem := strings.TrimSuffix(name, "debug0.pb.gz")
		r.payloads = append(r.payloads, profile.Payload{
			Debug0: contentOf(t, sub, name),
			Debug2: append(contentOf(t, sub, stem+"debug2.txt"), contentOf(t, sub, stem+"debug2.txt.gz")...), // one of them
			Leaked: contentOf(t, sub, stem+"leak.debug0.pb.gz"),
		})
	}
	return r
}

// contentOf returns a file, nil if it is not there.
func contentOf(t *testing.T, fsys fs.FS, name string) []byte {
	t.Helper()
	b, err := fs.ReadFile(fsys, name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return b
}

func TestRoundTrip(t *testing.T) {
	recordings := []recorded{
		record(t, "v0.35.1-go121-slowstore-eager", "upper", 3),
		record(t, "v0.35.0-issue6948-receive-leakprof", ".", 2),
	}
	recordings[1].target.Name = "../receive"
	for i := range recordings[0].target.Samples {
		recordings[0].target.Samples[i].Rest = i // as a soak marks them
	}
	want := []profile.Target{recordings[1].target, recordings[0].target} // "%2E" sorts before "1"
	for _, name := range []string{"folder", "new.tar.gz", "deep/folder/new.tgz"} {
		t.Run(name, func(t *testing.T) {
			p := filepath.Join(t.TempDir(), filepath.FromSlash(name))
			w, err := Create(p)
			if err != nil {
				t.Fatal(err)
			}
			for _, r := range recordings {
				write(t, w, r)
			}
			for range 2 { // the second does nothing
				if err := w.Close(); err != nil {
					t.Fatal(err)
				}
			}
			in, err := Open([]string{p}, nil, Options{Flags: allFlags})
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(want, in.Targets); d != "" {
				t.Error(d)
			}
			if len(in.Warnings) > 0 {
				t.Errorf("warnings %q", in.Warnings)
			}
			if left, err := filepath.Glob(filepath.Join(filepath.Dir(p), ".*")); err != nil || len(left) > 0 {
				t.Errorf("left behind: %q, %v", left, err)
			}
		})
	}
}

func write(t *testing.T, w *Writer, r recorded) {
	t.Helper()
	for i, s := range r.target.Samples {
		if err := w.Add(r.target.Name, s, r.payloads[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Facts(r.target.Name, r.target.Facts); err != nil {
		t.Fatal(err)
	}
}

func TestFolderIsAppendedTo(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		w, err := Create(dir)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			add(t, w, "q")
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	names, err := filepath.Glob(filepath.Join(dir, "q", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range names {
		names[i] = filepath.Base(names[i])
	}
	want := []string{"20261122T064522Z-2.debug0.pb.gz", "20261122T064522Z-3.debug0.pb.gz",
		"20261122T064522Z-4.debug0.pb.gz", "20261122T064522Z.debug0.pb.gz"}
	if d := cmp.Diff(want, names); d != "" {
		t.Error(d)
	}
}

// add adds a sample that was not gzipped as served.
func add(t *testing.T, w *Writer, target string) {
	t.Helper()
	zr, err := gzip.NewReader(bytes.NewReader(pb(t, start, "", "Query", 1)))
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(zr)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Add(target, profile.Sample{Time: start}, profile.Payload{Debug0: raw}); err != nil {
		t.Fatal(err)
	}
}

func TestWriterErrors(t *testing.T) {
	dir := writeFiles(t, map[string][]byte{"file": []byte("x"), "old.tar.gz": []byte("x")})
	for _, tt := range []struct{ path, want string }{
		{"old.tar.gz", "the archive exists already"},
		{"file", "file"},
		{"file/sub", "file/sub"},
		{"file/new.tar.gz", "new.tar.gz"},
	} {
		t.Run(tt.path, func(t *testing.T) {
			_, err := Create(filepath.Join(dir, filepath.FromSlash(tt.path)))
			if err == nil {
				t.Fatal("no error")
			}
			mustContain(t, filepath.ToSlash(err.Error()), "cannot write the capture "+filepath.ToSlash(dir), tt.want)
		})
	}
	w, err := Create(filepath.Join(dir, "c"))
	if err != nil {
		t.Fatal(err)
	}
	whole := profile.Payload{Debug0: pb(t, start, "", "Query", 1)}
	for _, tt := range []struct {
		name, target string
		at           time.Time
		payload      profile.Payload
	}{
		{"no name", "", start, whole},
		{"long name", strings.Repeat(":", 100), start, whole},
		{"no time", "q", time.Time{}, whole},
		{"no profile", "q", start, profile.Payload{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := w.Add(tt.target, profile.Sample{Time: tt.at}, tt.payload); err == nil {
				t.Error("no error")
			}
		})
	}
	if left, err := filepath.Glob(filepath.Join(dir, "c", "[^.]*")); err != nil || len(left) > 0 {
		t.Errorf("written: %q, %v", left, err)
	}
}

func TestWriteErrorSaysWhatToDo(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want string
	}{
		{&fs.PathError{Op: "open", Path: "x", Err: syscall.EACCES}, "Choose a place"},
		{&fs.PathError{Op: "write", Path: "x", Err: syscall.ENOSPC}, "disk is full"},
	} {
		t.Run(tt.want, func(t *testing.T) {
			mustContain(t, writeError("DIR", tt.err).Error(), "cannot write the capture DIR", tt.want)
		})
	}
}

// failing is a sink on a disk that is full after some files.
type failing struct {
	room  int
	files []string
}

func (s *failing) stems(string) (map[string]bool, error) { return map[string]bool{}, nil }
func (s *failing) close() error                          { return nil }

func (s *failing) write(_, name string, _ []byte, _ time.Time) error {
	if len(s.files) == s.room {
		return syscall.ENOSPC
	}
	s.files = append(s.files, name)
	return nil
}

func (s *failing) remove(_, name string) {
	s.files = slices.DeleteFunc(s.files, func(f string) bool { return f == name })
}

func TestSampleIsWholeOrAbsent(t *testing.T) {
	sample := profile.Sample{Time: start, Metrics: profile.Metrics{"go_goroutines": {{Value: 7}}}}
	payload := profile.Payload{Debug0: []byte{0}, Debug2: []byte("x"), Leaked: []byte{0}}
	for room := range 5 {
		t.Run(fmt.Sprintf("room for %d files", room), func(t *testing.T) {
			s := &failing{room: room}
			w := &Writer{path: "DIR", sink: s, stems: map[string]map[string]bool{}, folded: map[string]string{}}
			err := w.Add("q", sample, payload)
			if whole := room == 4; (err == nil) != whole || len(s.files) > 0 != whole {
				t.Errorf("error %v, files %q", err, s.files)
			}
			if room == 4 && (s.files[0] != "20261122T064522Z.metrics.txt.gz" || s.files[3] != "20261122T064522Z.debug0.pb.gz") {
				t.Errorf("order %q, want metrics first and debug=0 last", s.files)
			}
		})
	}
}

func TestArchiveIsWholeOrAbsent(t *testing.T) {
	t.Run("nothing added", func(t *testing.T) {
		dir := t.TempDir()
		w, err := Create(filepath.Join(dir, "a.tar.gz"))
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Facts("q", profile.Facts{Version: "0.35.1", VersionSource: "buildinfo"}); err != nil {
			t.Fatal(err)
		}
		closeAndExpect(t, w, dir, nil)
	})
	t.Run("not there before it is closed", func(t *testing.T) {
		dir := t.TempDir()
		p := filepath.Join(dir, "a.tar.gz")
		w, err := Create(p)
		if err != nil {
			t.Fatal(err)
		}
		add(t, w, "q")
		if _, err := os.Lstat(p); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the archive is there too early: %v", err)
		}
		closeAndExpect(t, w, dir, []string{"a.tar.gz"})
	})
	t.Run("another came first", func(t *testing.T) {
		dir := t.TempDir()
		w, err := Create(filepath.Join(dir, "a.tar.gz"))
		if err != nil {
			t.Fatal(err)
		}
		add(t, w, "q")
		if err := os.WriteFile(filepath.Join(dir, "a.tar.gz"), []byte("theirs"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); !errors.Is(err, errExists) {
			t.Errorf("got %v", err)
		}
		if b, err := os.ReadFile(filepath.Join(dir, "a.tar.gz")); string(b) != "theirs" {
			t.Errorf("%q, %v", b, err)
		}
	})
}

func closeAndExpect(t *testing.T, w *Writer, dir string, want []string) {
	t.Helper()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestWriterAtTheSameTime(t *testing.T) {
	p := filepath.Join(t.TempDir(), "a.tar.gz")
	w, err := Create(p)
	if err != nil {
		t.Fatal(err)
	}
	payload := profile.Payload{Debug0: pb(t, start, "", "Query", 1)}
	errs := make([]error, 8)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { errs[i] = w.Add("q", profile.Sample{Time: start}, payload) })
	}
	wg.Wait()
	if err := errors.Join(append(errs, w.Close())...); err != nil {
		t.Fatal(err)
	}
	in, err := Open([]string{p}, nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(in.Targets[0].Samples); n != len(errs) {
		t.Errorf("%d samples, want %d", n, len(errs))
	}
}

package capture

import (
	"archive/tar"
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/thanosleak/thanosleak/profile"
)

func TestOpenLooseFiles(t *testing.T) {
	dir := writeFiles(t, map[string][]byte{
		"after.pb.gz":  pb(t, start.Add(time.Hour), "b1", "Query", 9),
		"before.pb.gz": pb(t, start, "b1", "Query", 3),
		"text.txt":     text2("Query", 6),
		"other.pb.gz":  pb(t, start, "b2", "Query", 5),
		"store.pb.gz":  pb(t, start, "b1", "Store", 5),
		"heap.txt":     []byte("heap profile: 1: 2 [3: 4] @ heap/1048576\n"),
	})
	if err := os.Chtimes(filepath.Join(dir, "text.txt"), start, start.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name  string
		files []string
		each  bool
		want  []string
		warn  int // warnings of the first target
	}{
		{"one", []string{"after.pb.gz"}, false, []string{"1 process, 1 sample", "after.pb.gz: 9"}, 0},
		{"one text", []string{"text.txt"}, false, []string{"1 process, 1 sample", "text.txt: 6"}, 0},
		{"in order of time", []string{"after.pb.gz", "before.pb.gz"}, false,
			[]string{"1 process, 2 samples over 1h", "after.pb.gz..before.pb.gz: 3 9"}, 0},
		{"times of files", []string{"after.pb.gz", "before.pb.gz", "text.txt"}, false,
			[]string{"1 process, 3 samples over 1h", "after.pb.gz..text.txt: 3 6 9"}, 1},
		{"each", []string{"after.pb.gz", "store.pb.gz", "other.pb.gz"}, true,
			[]string{"3 processes, 1 sample each", "after.pb.gz: 9", "store.pb.gz: 5", "other.pb.gz: 5"}, 0},
		{"one of another form", []string{"before.pb.gz", "heap.txt"}, false,
			[]string{"1 process, 1 sample, 1 input not readable",
				"heap.txt: this is a heap profile, not a goroutine profile.", "before.pb.gz: 3"}, 0},
		{"one missing", []string{"missing", "before.pb.gz"}, false,
			[]string{"1 process, 1 sample, 1 input not readable", "missing: no such file or directory", "before.pb.gz: 3"}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in, err := Open(below(dir, tt.files), nil, Options{Each: tt.each})
			if err != nil {
				t.Fatal(err)
			}
			got := summary(in)
			for i, line := range got {
				// The advice behind it is package profile's.
				got[i], _, _ = strings.Cut(line, " Take the profile with")
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
			if w := in.Targets[0].Warnings; len(w) != tt.warn {
				t.Errorf("warnings of the target: %q, want %d", w, tt.warn)
			}
		})
	}
}

func TestOpenErrors(t *testing.T) {
	dir := writeFiles(t, map[string][]byte{
		"a.pb.gz":     pb(t, start, "build-one", "Query", 3),
		"b.pb.gz":     pb(t, start, "build-two", "Query", 3),
		"store.pb.gz": pb(t, start, "build-one", "Store", 3),
		"heap.txt":    []byte("heap profile: 1: 2 [3: 4] @ heap/1048576\n"),
		"dir/a.json":  []byte("{}"),
	})
	for _, tt := range []struct {
		name  string
		paths []string
		want  []string
	}{
		{"nothing", nil, []string{"nothing to read"}},
		{"different binaries", below(dir, []string{"a.pb.gz", "b.pb.gz"}), []string{"a.pb.gz and b.pb.gz", "build-one", "build-two", "--each"}},
		{"different components", below(dir, []string{"a.pb.gz", "store.pb.gz"}), []string{"query and store", "--each"}},
		{"heap profile", below(dir, []string{"heap.txt"}), []string{"heap.txt: this is a heap profile", "curl"}},
		{"missing", below(dir, []string{"missing"}), []string{"missing: no such file"}},
		{"a URL", []string{"http://thanos:10902/debug/pprof/goroutine"}, []string{"there is no such file; for the address of a process: thanosleak scan http://thanos:10902/debug/pprof/goroutine"}},
		{"an address", []string{"localhost:10902"}, []string{"thanosleak scan localhost:10902"}},
		{"a name with a colon", []string{"C:goroutine"}, []string{"C:goroutine: no such file"}},
		{"empty folder", below(dir, []string{"dir"}), []string{"dir: no goroutine profile found in 1 files"}},
		{"facts alone", below(dir, []string{"dir/a.json"}), []string{"a.json: this is JSON"}},
		{"standard input twice", []string{"-", "-"}, []string{"once only"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in, err := Open(tt.paths, strings.NewReader("goroutine 1 [running]:\nmain.main()\n\t/a.go:1 +0x1\n"), Options{})
			if err == nil {
				t.Fatalf("got %q, want an error", summary(in))
			}
			mustContain(t, err.Error(), tt.want...)
		})
	}
}

// A shell makes single files of CAPTURE/*: they have to be what the folder is.
func TestOpenFilesOfCaptures(t *testing.T) {
	dir := writeFiles(t, map[string][]byte{
		"a/20261122T064522Z.debug0.pb.gz":   pb(t, start, "", "Query", 1),
		"a/20261122T064522Z.metrics.txt.gz": gz(page("0.35.1")),
		"a/20261122T064532Z.debug0.pb.gz":   pb(t, start.Add(10*time.Second), "", "Query", 2),
		"a/status-flags.json":               []byte(`{"status":"success","data":{"query.timeout":"30s"}}`),
		"a/status-runtimeinfo.json":         []byte("{}"),
		"b/20261122T064522Z.debug0.pb.gz":   pb(t, start, "", "Store", 3),
		"now.pb.gz":                         pb(t, start.Add(time.Minute), "", "Query", 4),
	})
	a, err := filepath.Glob(filepath.Join(dir, "a", "*"))
	if err != nil || len(a) != 5 {
		t.Fatalf("%v, %v", a, err)
	}
	for _, tt := range []struct {
		name  string
		paths []string
		each  bool
		want  []string
	}{
		{"one target", a, false, []string{"1 process, 2 samples over 10s", "a: 1 2"}},
		{"one target and a loose file", append(below(dir, []string{"now.pb.gz"}), a...), false,
			[]string{"1 process, 3 samples over 1m", "a: 1 2 4"}},
		{"two targets", append(below(dir, []string{"b/20261122T064522Z.debug0.pb.gz"}), a...), false,
			[]string{"2 processes, 1 to 2 samples each over up to 10s", "b: 3", "a: 1 2"}},
		{"each", below(dir, []string{"a/20261122T064522Z.debug0.pb.gz", "a/20261122T064532Z.debug0.pb.gz"}), true,
			[]string{"2 processes, 1 sample each", "20261122T064522Z.debug0.pb.gz: 1", "20261122T064532Z.debug0.pb.gz: 2"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in, err := Open(tt.paths, nil, Options{Each: tt.each, Flags: allFlags})
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, summary(in)); d != "" {
				t.Error(d)
			}
			last := in.Targets[len(in.Targets)-1]
			if !tt.each && (last.Facts.Version != "0.35.1" || last.Facts.Flags["query.timeout"] != "30s") {
				t.Errorf("facts %+v", last.Facts)
			}
		})
	}
}

func TestOpenStdin(t *testing.T) {
	archive := tarGz(t, tar.Header{Name: "./q/20261122T064522Z.debug0.pb.gz"})(pb(t, start, "", "Query", 3))
	for _, tt := range []struct {
		name  string
		stdin []byte
		want  []string
	}{
		{"profile", pb(t, start, "", "Query", 3), []string{"1 process, 1 sample", "stdin: 3"}},
		{"text", text2("Query", 2), []string{"1 process, 1 sample", "stdin: 2"}},
		{"archive", archive, []string{"1 process, 1 sample", "q: 3"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in, err := Open([]string{"-"}, bytes.NewReader(tt.stdin), Options{})
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, summary(in)); d != "" {
				t.Error(d)
			}
		})
	}
	t.Run("nothing", func(t *testing.T) {
		_, err := Open([]string{"-"}, strings.NewReader(""), Options{})
		if err == nil || !strings.Contains(err.Error(), "standard input: this is an empty file") {
			t.Errorf("got %v", err)
		}
	})
}

func TestOpenArchivesInFolders(t *testing.T) {
	inner := tarGz(t, tar.Header{Name: "20261122T064522Z.debug0.pb.gz"})(pb(t, start, "", "Query", 3))
	outer := tarGz(t, tar.Header{Name: "in.tar.gz"}, tar.Header{Name: "20261122T064522Z.debug0.pb.gz"})(inner, pb(t, start, "", "Query", 4))
	dir := writeFiles(t, map[string][]byte{"a.tar.gz": inner, "b.tgz": outer})
	in, err := Open([]string{dir}, nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"2 processes, 1 sample each, 1 file skipped", "a: 3", "b: 4"}, summary(in)); d != "" {
		t.Error(d)
	}
	if len(in.Warnings) != 1 {
		t.Fatalf("warnings %q", in.Warnings)
	}
	mustContain(t, in.Warnings[0], "b.tgz/in.tar.gz", "archive inside an archive")
}

func TestUnpackHostile(t *testing.T) {
	profile := pb(t, start, "", "Query", 3)
	const name = "20261122T064522Z.debug0.pb.gz"
	data := tarGz(t,
		tar.Header{Name: "../up/" + name},
		tar.Header{Name: "/abs/" + name},
		tar.Header{Name: "q/link", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"},
		tar.Header{Name: "q/hard", Typeflag: tar.TypeLink, Linkname: "/etc/passwd"},
		tar.Header{Name: "q/fifo", Typeflag: tar.TypeFifo},
		tar.Header{Name: strings.Repeat("d/", 600) + name},
		tar.Header{Name: "q/" + name},
	)(profile, profile, nil, nil, nil, profile, profile)
	a, err := Unpack(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if a.Skipped != 6 {
		t.Errorf("skipped %d, want 6", a.Skipped)
	}
	var got []string
	if err := fs.WalkDir(a, ".", func(p string, _ fs.DirEntry, err error) error {
		got = append(got, p)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{".", "q", "q/" + name}, got); d != "" {
		t.Error(d)
	}
	in, err := Open([]string{"-"}, bytes.NewReader(data), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(in.Warnings) != 1 {
		t.Fatalf("warnings %q", in.Warnings)
	}
	mustContain(t, in.Warnings[0], "6 links")
}

// TestReplaced: of two files of one name in an archive one is not read, which is said.
func TestReplaced(t *testing.T) {
	start := time.Unix(1763800000, 0)
	data := tarGz(t, tar.Header{Name: "q/20261122T064522Z.debug0.pb.gz"}, tar.Header{Name: "./q/20261122T064522Z.debug0.pb.gz"})(
		pb(t, start, "", "Query", 4), pb(t, start, "", "Query", 5))
	in, err := Open([]string{"-"}, bytes.NewReader(data), Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(in.Warnings) != 1 || len(in.Targets) != 1 {
		t.Fatalf("%d targets, warnings %q", len(in.Targets), in.Warnings)
	}
	mustContain(t, in.Warnings[0], "later ones have their names: 1")
}

func TestUnpackErrors(t *testing.T) {
	whole := tarGz(t, tar.Header{Name: "a"})(bytes.Repeat([]byte("x"), 4096))
	for _, tt := range []struct {
		name, want string
		data       []byte
	}{
		{"no archive", "not a .tar.gz", []byte("hello")},
		{"damaged gzip", "damaged gzip", []byte("\x1f\x8bxxxxxxxxxxxxxxx")},
		{"cut", "damaged archive", whole[:len(whole)-20]},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := Unpack(bytes.NewReader(tt.data)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestBounded(t *testing.T) {
	read := func(limit int64) error {
		br, err := plain(bytes.NewReader(gz(make([]byte, 100))), limit)
		if err == nil {
			_, err = br.WriteTo(&bytes.Buffer{})
		}
		return err
	}
	if err := read(100); err != nil {
		t.Errorf("at the limit: %v", err)
	}
	if err := read(99); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("above the limit: %v", err)
	}
}

func TestArchiveIsFS(t *testing.T) {
	a, err := Unpack(bytes.NewReader(tarGz(t, tar.Header{Name: "a/b/c"}, tar.Header{Name: "a/d"}, tar.Header{Name: "e"})(
		[]byte("1"), []byte("22"), []byte("333"))))
	if err != nil {
		t.Fatal(err)
	}
	if err := fstest.TestFS(a, "a/b/c", "a/d", "e"); err != nil {
		t.Error(err)
	}
}

func TestLinksAreNotFollowed(t *testing.T) {
	outside := writeFiles(t, map[string][]byte{"secret.pb.gz": pb(t, start, "", "Query", 9)})
	dir := writeFiles(t, map[string][]byte{"q/20261122T064522Z.debug0.pb.gz": pb(t, start, "", "Query", 1)})
	link := filepath.Join(dir, "q", "20261122T064532Z.debug0.pb.gz")
	if err := os.Symlink(filepath.Join(outside, "secret.pb.gz"), link); err != nil {
		t.Fatal(err)
	}
	in, err := Open([]string{dir}, nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"1 process, 1 sample", "q: 1"}, summary(in)); d != "" {
		t.Error(d)
	}
	if len(in.Warnings) != 1 {
		t.Errorf("warnings %q, want one of the link", in.Warnings)
	}
}

func TestUniqueNames(t *testing.T) {
	targets := []found{
		{elems: []string{"x", "a", "upper"}}, {elems: []string{"x", "b", "upper"}}, {elems: []string{"x", "b", "leaf"}},
		{elems: []string{"q%3A1"}}, {elems: []string{"q%3A1"}},
	}
	if d := cmp.Diff([]string{"a/upper", "b/upper", "leaf", "q:1", "q:1#2"}, uniqueNames(targets)); d != "" {
		t.Error(d)
	}
}

// Samples of one process share their stacks in memory.
func TestStacksAreShared(t *testing.T) {
	target := one(t, map[string][]byte{
		"20261122T064522Z.debug0.pb.gz": pb(t, start, "", "Query", 1),
		"20261122T064532Z.debug0.pb.gz": pb(t, start.Add(time.Second), "", "Query", 2),
		"20261122T064542Z.debug0.pb.gz": pb(t, start.Add(2*time.Second), "", "Store", 2),
	})
	frames := func(i int) *profile.Frame { return &target.Samples[i].Goroutines.Groups[0].Frames[0] }
	if frames(0) != frames(1) {
		t.Error("equal stacks are kept twice")
	}
	if frames(0) == frames(2) || frames(2).Func != "main.runStore.func1" {
		t.Error("different stacks are mixed up")
	}
}

func below(dir string, names []string) []string {
	var paths []string
	for _, n := range names {
		paths = append(paths, filepath.Join(dir, filepath.FromSlash(n)))
	}
	return paths
}

// TestPanic: a panic in one of the readers is one of the caller's, who can recover
// it.
func TestPanic(t *testing.T) {
	r := newReader(Options{})
	r.slots = make(chan struct{}, 2)
	defer func() {
		if p := recover(); !strings.Contains(fmt.Sprint(p), "boom") {
			t.Errorf("recovered %v", p)
		}
	}()
	each(r, []int{0, 1, 2}, func(_ *reader, i int, _ int) {
		if i == 0 {
			panic("boom")
		}
	})
	t.Error("went on")
}

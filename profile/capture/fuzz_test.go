package capture

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/thanosleak/thanosleak/profile"
)

// archived hands over the members of the recorded captures, of which there must
// be some.
func archived(f *testing.F, use func(name string, data []byte)) {
	f.Helper()
	names, err := filepath.Glob(filepath.Join("..", "..", "testdata", "captures", "*.tar.gz"))
	if err != nil || len(names) == 0 {
		f.Fatalf("no captures: %v", err)
	}
	for _, name := range names {
		file, err := os.Open(name)
		if err != nil {
			f.Fatal(err)
		}
		defer file.Close()
		a, err := Unpack(file)
		if err != nil {
			f.Fatal(err)
		}
		err = fs.WalkDir(a, ".", func(p string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				use(p, a.files[p].data)
			}
			return err
		})
		if err != nil {
			f.Fatal(err)
		}
	}
}

// FuzzNames checks what is read out of names of files: times that are in them,
// kinds that there are, and a series for every name with a time. What a Writer
// calls a sample is read as that sample.
func FuzzNames(f *testing.F) {
	seen := map[string]bool{}
	archived(f, func(name string, _ []byte) {
		if base := filepath.Base(name); len(seen) < 50 && !seen[base] {
			seen[base] = true
			f.Add(base, int64(1795329922), 0)
		}
	})
	f.Add("t001-words-2026-11-22T06:45:22Z.leak.debug2.txt.gz", int64(0), 2)
	f.Add("20261122T064522Z-rest1-3.debug0.pb.gz", int64(1<<35), 9999)
	f.Add("query-debug=1.txt", int64(-1), -1)
	f.Fuzz(func(t *testing.T, base string, unix int64, rest int) {
		stem, k, ok := sampleName(base)
		if ok && (k < 0 || k >= kinds || !strings.HasPrefix(base, stem+".")) {
			t.Errorf("%q is %q of kind %d", base, stem, k)
		}
		if stem, k := looseName(base); k < 0 || k >= kinds || !strings.HasPrefix(base, stem) {
			t.Errorf("%q is %q of kind %d", base, stem, k)
		}
		at, n := nameTime(base)
		if n < 0 || at.IsZero() != (seriesName(base) == "") {
			t.Errorf("%q: at %v the %d. of series %q", base, at, n, seriesName(base))
		}
		if r := nameRest(base); r < 0 || r > 9999 || r > 0 && !strings.Contains(base, fmt.Sprint("-rest", r)) && !strings.Contains(base, "-rest0") {
			t.Errorf("%q: rest %d", base, r)
		}
		checkWritten(t, time.Unix(unix%(1<<36), 0).UTC(), rest)
	})
}

// checkWritten checks that the names that a Writer gives to samples of one second
// are read back: time, pause and number.
func checkWritten(t *testing.T, at time.Time, rest int) {
	t.Helper()
	if at.Year() < 1 || at.Year() > 9999 || rest < 0 || rest > 9999 {
		return
	}
	w := &Writer{stems: map[string]map[string]bool{"q1": {}}}
	for want := range 3 {
		stem, err := w.newStem("q1", profile.Sample{Time: at, Rest: rest})
		if err != nil {
			t.Fatal(err)
		}
		got, k, ok := sampleName(stem + ".leak.debug2.txt.gz")
		if !ok || got != stem || k != leak2 {
			t.Errorf("%q is read as %q of kind %d", stem, got, k)
		}
		read, n := nameTime(stem)
		if want > 0 {
			want++ // the second sample of a second is number 2
		}
		if !read.Equal(at) || n != want || nameRest(stem) != rest {
			t.Errorf("%q is read as %v, number %d, rest %d", stem, read, n, nameRest(stem))
		}
	}
}

// FuzzArchive checks that the files of an archive have safe names and are no more
// than what it holds, and that whatever they are is read as targets with names of
// their own, each with samples or an error.
func FuzzArchive(f *testing.F) {
	var small []func(tw *tar.Writer) error
	archived(f, func(name string, data []byte) {
		if len(data) > 2<<10 || len(small) > 60 {
			return
		}
		small = append(small, func(tw *tar.Writer) error {
			err := tw.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(data)), ModTime: start})
			if err == nil {
				_, err = tw.Write(data)
			}
			return err
		})
	})
	for members := range slices.Chunk(small, 4) {
		f.Add(tarOf(f, members))
	}
	f.Add(sparse(f, 1<<14))
	f.Add(tarOf(f, append(small[:2:2], func(tw *tar.Writer) error {
		text := fmt.Sprintf(`{"schema": %q, "targets": [{"target": "q:1", "time": "2026-11-22T06:46:00Z", "unreached": true, "error": "refused"}]}`, failuresSchema)
		err := tw.WriteHeader(&tar.Header{Name: "c/" + failuresFile, Mode: 0o600, Size: int64(len(text))})
		if err == nil {
			_, err = io.WriteString(tw, text)
		}
		return err
	})))
	f.Fuzz(func(t *testing.T, data []byte) {
		if bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
			return
		}
		a, err := Unpack(bytes.NewReader(data))
		if err != nil {
			return
		}
		kept := 0
		for name, m := range a.files {
			if kept += len(m.data); !fs.ValidPath(name) || name == "." {
				t.Errorf("the name %q", name)
			}
		}
		if kept > len(data) {
			t.Errorf("%d bytes are kept of %d", kept, len(data))
		}
		in, err := Read(a, "one", Options{})
		if err != nil {
			if in != nil || err.Error() == "" {
				t.Errorf("%v and error %q", in, err)
			}
			return
		}
		names := map[string]bool{}
		failed := slices.ContainsFunc(slices.Collect(maps.Keys(a.files)), func(name string) bool { return path.Base(name) == failuresFile })
		for _, target := range in.Targets {
			none, told := len(target.Samples) == 0, target.Err != ""
			if names[target.Name] || none && !told || !none && told && !failed && target.FailedSamples != 1 {
				t.Errorf("%q: %d samples, error %q", target.Name, len(target.Samples), target.Err)
			}
			names[target.Name] = true
		}
	})
}

// FuzzFailures checks that what a capture says of targets without a sample is
// told of each of them, once, or passed over with a warning; what is there of the
// others is read all the same.
func FuzzFailures(f *testing.F) {
	for _, targets := range []string{
		`{"target": "q:1", "time": "2026-11-22T06:46:00Z", "unreached": true, "failed_samples": 6, "error": "refused"}, {"target": "up:1", "time": "2026-11-22T06:46:00Z", "last_sample": "2026-11-22T06:45:22Z", "mixed": true, "error": "1 of 2"}`,
		`{"target": "../up:1", "time": "2026-11-21T06:46:00Z", "error": "e"}, {"target": "\\ud800\\u0000", "time": "0001-01-01T00:00:01Z", "error": "\\u001b"}, {"target": "UP:1", "time": "9999-12-31T23:59:59Z", "error": "e"}`,
		`{"target": "q:1", "time": "2026-11-21T06:46:00Z", "error": "e"}, {"target": "q:1", "time": "2026-11-21T06:46:00Z", "error": "f"}`, "", "1",
	} {
		f.Add([]byte(fmt.Sprintf(`{"schema": %q, "targets": [%s]}`, failuresSchema, targets)))
	}
	f.Add([]byte("{}"))
	var sample bytes.Buffer
	zw := gzip.NewWriter(&sample)
	if _, err := zw.Write(text2("Query", 2)); err != nil {
		f.Fatal(err)
	}
	if err := zw.Close(); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		in, err := Read(fstest.MapFS{
			"up%3A1/20261122T064522Z.debug2.txt.gz": {Data: sample.Bytes(), ModTime: start},
			failuresFile:                            {Data: data},
		}, "one", Options{})
		if err != nil {
			t.Fatal(err)
		}
		all, problem := readFailures(bytes.NewReader(data))
		want := map[string]bool{"up:1": true}
		for _, x := range all {
			want[x.Target] = true
		}
		notOurs := errors.Is(problem, errNotOurs)
		if problem != nil && !notOurs {
			want[failuresFile] = true // may hide any target
		}
		if len(in.Targets) != len(want) || notOurs != (len(in.Warnings) > 0) {
			t.Errorf("%d targets of %d, warnings %q, error %v", len(in.Targets), len(want), in.Warnings, problem)
		}
		for _, target := range in.Targets {
			if !want[target.Name] || len(target.Samples) == 0 && target.Err == "" {
				t.Errorf("%q: %d samples, error %q", target.Name, len(target.Samples), target.Err)
			}
		}
	})
}

// tarOf returns an archive that is not gzipped, which mutation would break.
func tarOf(tb testing.TB, members []func(*tar.Writer) error) []byte {
	tb.Helper()
	var b bytes.Buffer
	tw := tar.NewWriter(&b)
	for _, write := range members {
		if err := write(tw); err != nil {
			tb.Fatal(err)
		}
	}
	if err := tw.Close(); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// sparse returns an archive with a file that is one hole of so many bytes. The
// writer of the library makes none, so the names of the records are put in
// afterwards.
func sparse(tb testing.TB, hole int64) []byte {
	tb.Helper()
	content := make([]byte, 512)
	copy(content, fmt.Sprintf("1\n%d\n0\n", hole))
	archive := tarOf(tb, []func(*tar.Writer) error{func(tw *tar.Writer) error {
		err := tw.WriteHeader(&tar.Header{Name: "20261122T064522Z.debug2.txt", Mode: 0o600, Size: int64(len(content)), PAXRecords: map[string]string{
			"FOO.sparse.major": "1", "FOO.sparse.minor": "0", "FOO.sparse.name": "q1/20261122T064522Z.debug2.txt", "FOO.sparse.realsize": fmt.Sprint(hole),
		}})
		if err == nil {
			_, err = tw.Write(content)
		}
		return err
	}})
	return bytes.ReplaceAll(archive, []byte("FOO.sparse"), []byte("GNU.sparse"))
}

// TestHolesTakeNoMemory: a file that is all hole takes a few bytes in an archive
// and could take all memory here.
func TestHolesTakeNoMemory(t *testing.T) {
	a, err := Unpack(bytes.NewReader(sparse(t, maxMember)))
	if err != nil {
		t.Fatal(err)
	}
	if len(a.files) > 0 || a.Skipped != 1 {
		t.Errorf("%d files are kept, %d skipped", len(a.files), a.Skipped)
	}
}

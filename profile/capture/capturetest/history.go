// Package capturetest makes captures for tests and benchmarks of what reads
// them.
package capturetest

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	pprof "github.com/google/pprof/profile"
)

// History says what a capture of a long time is like.
type History struct {
	// Archive is a capture, a .tar.gz, whose samples are spread over the whole
	// time: goroutine profiles (debug=0) and metrics under other names, with the
	// times in the profiles rewritten.
	Archive string
	Process string        // of the archive, by its folder
	Start   time.Time     // of the first sample
	Step    time.Duration // between two samples
	Samples int           // how many, of 1 or more
	Stacks  int           // how many times as many stacks as in the archive, each copy begun by a function of its own; 0 is 1
}

// Write writes the capture into a new folder, under that of the process, and
// returns the folder.
func (h History) Write(tb testing.TB) string {
	tb.Helper()
	files := unpacked(tb, h.Archive, h.Process)
	var stems []string
	for _, f := range files {
		if stem, ok := strings.CutSuffix(f.name, ".debug0.pb.gz"); ok {
			stems = append(stems, stem)
		}
	}
	if len(stems) == 0 {
		tb.Fatalf("no profiles of %s in %s", h.Process, h.Archive)
	}
	slices.Sort(stems) // times
	dir := filepath.Join(tb.TempDir(), "history")
	must(tb, os.MkdirAll(filepath.Join(dir, h.Process), 0o755))
	write := func(name string, data []byte) {
		must(tb, os.WriteFile(filepath.Join(dir, h.Process, name), data, 0o644))
	}
	for i := range h.Samples {
		at := h.Start.Add(time.Duration(i) * h.Step)
		stem := stems[i*len(stems)/h.Samples]
		for _, f := range files {
			switch kind := strings.TrimPrefix(f.name, stem); kind {
			case ".debug0.pb.gz":
				write(stamp(at)+kind, h.profile(tb, f.data, at))
			case ".metrics.txt.gz":
				write(stamp(at)+kind, f.data)
			}
		}
	}
	for _, f := range files {
		if strings.HasSuffix(f.name, ".json") {
			write(f.name, f.data)
		}
	}
	return dir
}

// stamp is the time as the names of samples have it.
func stamp(t time.Time) string { return t.UTC().Format("20060102T150405Z") }

// profile returns a profile with another time in it and as many stacks as are
// asked for.
func (h History) profile(tb testing.TB, data []byte, at time.Time) []byte {
	tb.Helper()
	p, err := pprof.ParseData(data)
	must(tb, err)
	p.TimeNanos = at.UnixNano()
	stacks := p.Sample
	for i := 1; i < h.Stacks; i++ {
		begin := &pprof.Function{ID: uint64(len(p.Function) + 1), Name: fmt.Sprintf("github.com/thanos-io/thanos/pkg/runutil.begin%d", i)}
		p.Function = append(p.Function, begin)
		from := &pprof.Location{ID: uint64(len(p.Location) + 1), Line: []pprof.Line{{Function: begin, Line: int64(i)}}}
		p.Location = append(p.Location, from)
		for _, s := range stacks {
			c := *s
			c.Location = append(append([]*pprof.Location(nil), s.Location...), from)
			p.Sample = append(p.Sample, &c)
		}
	}
	var b bytes.Buffer
	must(tb, p.Write(&b))
	return b.Bytes()
}

type file struct {
	name string
	data []byte
}

// unpacked returns the files of a process in an archive.
func unpacked(tb testing.TB, archive, process string) (files []file) {
	tb.Helper()
	f, err := os.Open(archive)
	must(tb, err)
	defer f.Close()
	zr, err := gzip.NewReader(f)
	must(tb, err)
	tr := tar.NewReader(zr)
	for {
		head, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		must(tb, err)
		if head.Typeflag != tar.TypeReg || path.Base(path.Dir(head.Name)) != process {
			continue
		}
		data, err := io.ReadAll(tr)
		must(tb, err)
		files = append(files, file{path.Base(head.Name), data})
	}
}

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

package capture

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/thanosleak/thanosleak/profile"
)

// A Writer adds samples to a capture. Its methods may be called at the same
// time.
type Writer struct {
	path string // as the user gave it, for errors
	sink sink

	mu     sync.Mutex                 // not held while writing, for disks are slow
	stems  map[string]map[string]bool // names of samples in use, by folder
	folded map[string]string          // the folders, by their names in lower case
	closed bool
}

// sink is where the files of a capture go: a folder or an archive. Its methods
// may be called at the same time.
type sink interface {
	// stems returns the names of the samples that a folder of the capture
	// holds already.
	stems(dir string) (map[string]bool, error)
	// write stores a file; nobody ever sees a part of it.
	write(dir, name string, data []byte, modified time.Time) error
	// remove takes a file back, where that is possible.
	remove(dir, name string)
	close() error
}

// Create opens a capture for writing: a folder, which is created where there
// is none and else appended to, or a new archive, by its ending .tar.gz or
// .tgz. An existing archive is an error, and so is a place that cannot be
// written to: better now than after the samples were taken. A full disk is none
// yet, for [Writer.Retain] may make room.
func Create(path string) (*Writer, error) {
	open := newFolderSink
	if lower := strings.ToLower(path); strings.HasSuffix(lower, ".tar.gz") || strings.HasSuffix(lower, ".tgz") {
		open = newArchiveSink
	}
	s, err := open(path)
	if err != nil {
		return nil, writeError(path, err)
	}
	return &Writer{path: path, sink: s, stems: map[string]map[string]bool{}, folded: map[string]string{}}, nil
}

// writeError names the capture and what to do.
func writeError(path string, err error) error {
	hint := ""
	// The name of the file that was being written ends in digits that are
	// others each time.
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		err = fmt.Errorf("%s: %w", filepath.Dir(p.Path), p.Err)
	}
	switch {
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		hint = ". Choose a place that you may write to"
	case errors.Is(err, syscall.ENOSPC):
		hint = ". The disk is full: free some space or choose another place"
	}
	return fmt.Errorf("cannot write the capture %s: %w%s", path, err, hint)
}

// Add adds a sample of the target of that name: the metrics of s, and the
// profiles of p as they were served, gzipped where they are not. The sample is
// named after s.Time. debug=0 is written last, so that readers meet the sample
// whole or not at all; if Add fails, what it wrote is taken back.
func (w *Writer) Add(target string, s profile.Sample, p profile.Payload) error {
	dir, err := w.dir(target)
	if err != nil {
		return err
	}
	if s.Time.IsZero() || p.Debug0 == nil && p.Debug2 == nil {
		return fmt.Errorf("the sample of %s has no time or no goroutine profile", target)
	}
	stem, err := w.newStem(dir, s)
	if err != nil {
		return writeError(w.path, err)
	}
	var page bytes.Buffer
	if s.Metrics != nil {
		if err := s.Metrics.Write(&page); err != nil {
			return fmt.Errorf("metrics of %s: %w", target, err)
		}
	}
	return w.addFiles(dir, s.Time, []content{
		{stem + ".metrics.txt.gz", page.Bytes()},
		{stem + ".debug2.txt.gz", p.Debug2},
		{stem + ".leak.debug0.pb.gz", p.Leaked},
		{stem + ".debug0.pb.gz", p.Debug0},
	})
}

// content is a file to be written; one without data is none.
type content struct {
	name string
	data []byte
}

// addFiles writes the files of a sample in their order, or none of them.
func (w *Writer) addFiles(dir string, t time.Time, files []content) error {
	for i, f := range files {
		if len(f.data) == 0 {
			continue
		}
		err := w.sink.write(dir, f.name, gzipped(f.data), t)
		if err != nil {
			for _, done := range files[:i] {
				w.sink.remove(dir, done.name)
			}
			return writeError(w.path, err)
		}
	}
	return nil
}

// Facts writes what the target told of itself, replacing what an earlier run
// wrote. A version that is not from the build information is left out: the
// metrics tell it again. Flags that may hold secrets are never written.
func (w *Writer) Facts(target string, f profile.Facts) error {
	dir, err := w.dir(target)
	if err != nil {
		return err
	}
	f.Flags = withoutSecrets(f.Flags)
	for _, file := range []struct {
		name  string
		known bool
		write func(io.Writer) error
	}{
		{buildInfoFile, f.VersionSource == "buildinfo", f.WriteBuildInfo},
		{flagsFile, f.Flags != nil, f.WriteFlags},
		{storesFile, f.Endpoints != nil, f.WriteStores},
	} {
		if !file.known {
			continue
		}
		var b bytes.Buffer
		if err := file.write(&b); err != nil {
			return fmt.Errorf("facts of %s: %w", target, err)
		}
		if err := w.sink.write(dir, file.name, b.Bytes(), time.Time{}); err != nil {
			return writeError(w.path, err)
		}
	}
	return nil
}

// withoutSecrets drops flags that may hold secrets, which should not have come
// this far; nil stays nil.
func withoutSecrets(flags map[string]string) map[string]string {
	mayKeep := profile.FlagFilter(slices.Collect(maps.Keys(flags)))
	kept := maps.Clone(flags)
	maps.DeleteFunc(kept, func(name, _ string) bool { return !mayKeep(name) })
	return kept
}

// Close ends the capture. An archive comes into being here, in one step; where
// no sample was added or a write failed, none does. A second call does nothing.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return nil
	}
	w.closed = true
	if err := w.sink.close(); err != nil {
		return writeError(w.path, err)
	}
	return nil
}

// maxName bounds the name of a target's folder in bytes: the most that file
// systems take.
const maxName = 255

// dir returns the folder of a target. Many file systems make no difference
// between upper and lower case: there the samples of two targets would become one
// series, and a capture may be unpacked anywhere.
func (w *Writer) dir(target string) (string, error) {
	dir := Escape(target)
	if dir == "" || len(dir) > maxName {
		return "", fmt.Errorf("cannot keep samples of the target %.80q: its name is empty or, as a file name, longer than %d bytes", target, maxName)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if other, used := w.folded[strings.ToLower(dir)]; used && other != dir {
		return "", fmt.Errorf("cannot keep samples of the target %.80q: its name differs from that of %.80q in upper and lower case only, which many file systems take for one", target, Unescape(other))
	}
	w.folded[strings.ToLower(dir)] = dir
	return dir, nil
}

// newStem reserves a name for a sample: its time, its rest, and a number from
// the second sample of the same second on.
func (w *Writer) newStem(dir string, s profile.Sample) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.stems[dir] == nil {
		used, err := w.sink.stems(dir)
		if err != nil {
			return "", err
		}
		w.stems[dir] = used
	}
	first := s.Time.UTC().Format(stampLayout)
	if s.Rest > 0 {
		first += fmt.Sprintf("-rest%d", s.Rest)
	}
	stem := first
	for n := 2; w.stems[dir][stem]; n++ {
		stem = fmt.Sprintf("%s-%d", first, n)
	}
	w.stems[dir][stem] = true
	return stem, nil
}

// gzipped returns the data compressed, unless it is.
func gzipped(data []byte) []byte {
	if bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
		return data
	}
	var b bytes.Buffer
	zw := gzip.NewWriter(&b)
	zw.Write(data) // a bytes.Buffer takes everything
	zw.Close()
	return b.Bytes()
}

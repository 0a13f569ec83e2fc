package capture

import (
	"archive/tar"
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/gofrs/flock"
	"github.com/google/renameio/v2/maybe"
)

// folderSink writes into a folder.
type folderSink struct {
	root string
	lock *flock.Flock
}

// probePrefix begins the name of the file that shows whether a folder can be
// written to.
const probePrefix = ".writable-"

func newFolderSink(root string) (sink, error) {
	if err := os.MkdirAll(root, 0o755); err != nil {
		return nil, err
	}
	l, err := lock(root)
	if err != nil {
		return nil, err
	}
	s := &folderSink{root, l}
	// On a full disk there is something to be done yet: to judge what was kept
	// with what is scraped, and to remove what is old.
	if err := s.probe(); err != nil && !errors.Is(err, syscall.ENOSPC) {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// probe finds out whether the folder can be written to: a disk that is full
// takes a file without content, but nothing into it.
func (s *folderSink) probe() error {
	f, err := os.CreateTemp(s.root, probePrefix+"*")
	if err != nil {
		return err
	}
	_, err = f.Write(make([]byte, 4096))
	return errors.Join(err, f.Close(), os.Remove(f.Name()))
}

func (s *folderSink) stems(dir string) (map[string]bool, error) {
	used := map[string]bool{}
	entries, err := os.ReadDir(filepath.Join(s.root, dir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries {
		if stem, _, ok := sampleName(e.Name()); ok {
			used[stem] = true
		}
	}
	return used, nil
}

func (s *folderSink) write(dir, name string, data []byte, _ time.Time) error {
	folder := filepath.Join(s.root, dir)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	name = filepath.Join(folder, name)
	if old, err := os.ReadFile(name); err == nil && bytes.Equal(old, data) {
		return nil // facts, which seldom change: to write them anew wears the disk
	}
	return maybe.WriteFile(name, data, 0o644)
}

// remove is for a sample that is being given up; that it fails as well changes
// nothing.
func (s *folderSink) remove(dir, name string) { _ = os.Remove(filepath.Join(s.root, dir, name)) }

// close lets other runs write. The lock's file stays: one that is removed while
// another run opens it would be locked by two.
func (s *folderSink) close() error { return s.lock.Unlock() }

// archiveSink writes a .tar.gz: into a hidden file beside it, which becomes the
// archive when it is complete.
type archiveSink struct {
	path string
	top  string // folder in the archive that everything is in

	mu  sync.Mutex
	f   *os.File
	buf *bufio.Writer
	zw  *gzip.Writer
	tw  *tar.Writer
	n   int   // samples' files written
	err error // the first; the archive is worthless after it
}

func newArchiveSink(p string) (sink, error) {
	if err := mustNotExist(p); err != nil {
		return nil, err
	}
	base := filepath.Base(p)
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(filepath.Dir(p), "."+base+"-*")
	if err != nil {
		return nil, err
	}
	s := &archiveSink{path: p, top: withoutArchiveExt(base), f: f, buf: bufio.NewWriter(f)}
	s.zw = gzip.NewWriter(s.buf)
	s.tw = tar.NewWriter(s.zw)
	return s, nil
}

// errExists is what an archive that is there already gives.
var errExists = errors.New("the archive exists already and is written only once. Name another one, or a folder, which is added to")

func mustNotExist(p string) error {
	_, err := os.Lstat(p)
	if err == nil {
		return errExists
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (s *archiveSink) stems(string) (map[string]bool, error) { return map[string]bool{}, nil }

func (s *archiveSink) write(dir, name string, data []byte, modified time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	h := &tar.Header{
		Typeflag: tar.TypeReg, Name: path.Join(s.top, dir, name), Size: int64(len(data)),
		Mode: 0o644, ModTime: modified.Truncate(time.Second),
	}
	if s.err = s.tw.WriteHeader(h); s.err == nil {
		_, s.err = s.tw.Write(data)
	}
	if _, _, sample := sampleName(name); sample {
		s.n++
	}
	return s.err
}

// remove does nothing: after an error there will be no archive.
func (s *archiveSink) remove(string, string) {}

func (s *archiveSink) close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil || s.n == 0 {
		return errors.Join(s.err, s.discard())
	}
	err := errors.Join(s.tw.Close(), s.zw.Close(), s.buf.Flush(), s.f.Sync(), s.f.Chmod(0o644), mustNotExist(s.path))
	if err != nil {
		return errors.Join(err, s.discard())
	}
	if err := s.f.Close(); err != nil {
		return errors.Join(err, os.Remove(s.f.Name()))
	}
	return os.Rename(s.f.Name(), s.path)
}

// discard removes what was written.
func (s *archiveSink) discard() error { return errors.Join(s.f.Close(), os.Remove(s.f.Name())) }

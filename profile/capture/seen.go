package capture

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// seenFile is where a folder keeps what earlier runs found; what stands in it
// is up to those who judge.
const seenFile = "seen.json"

// ReadSeen returns what [Writer.WriteSeen] stored in the capture; nil if there
// is nothing, as in a new folder and in every archive.
func (w *Writer) ReadSeen() ([]byte, error) {
	s, ok := w.sink.(*folderSink)
	if !ok {
		return nil, nil
	}
	b, err := os.ReadFile(filepath.Join(s.root, seenFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return b, err
}

// WriteSeen stores what was found, whole or not at all; an archive does not
// keep it.
func (w *Writer) WriteSeen(b []byte) error {
	if _, ok := w.sink.(*folderSink); !ok {
		return nil
	}
	if err := w.sink.write("", seenFile, b, time.Time{}); err != nil {
		return writeError(w.path, err)
	}
	return nil
}

// LayAsideSeen gives what WriteSeen stored another name (".damaged" behind it),
// so that it is not lost when it is written anew.
func (w *Writer) LayAsideSeen() error { return w.layAside(seenFile) }

func (w *Writer) layAside(file string) error {
	s, ok := w.sink.(*folderSink)
	if !ok {
		return nil
	}
	name := filepath.Join(s.root, file)
	if err := os.Rename(name, name+".damaged"); err != nil {
		return writeError(w.path, err)
	}
	return nil
}

package profile

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// maxLine bounds what is kept of a line in bytes. Labels are printed on the
// header line and can be long; the rest of a longer line is passed over.
const maxLine = 1 << 20

// cutSize is the size in bytes at which the runtime cuts debug=2, in the
// middle of a line and without a word (writeGoroutineStacks in
// runtime/pprof/pprof.go).
const cutSize = 64 << 20

// textReader walks over the lines of a dump or of a log with dumps inside.
type textReader struct {
	br    *bufio.Reader
	long  []byte // scratch for lines longer than the buffer
	bytes int64  // read so far

	done   []*Snapshot
	dump   textDump // the dump under way, or nil
	sample []byte   // first lines of the input, to name its form
}

// textDump takes the lines of one dump.
type textDump interface {
	// line takes a line without its end and without leading spaces. It
	// reports whether the line belongs to the dump.
	line(l []byte) bool
	// end returns the snapshot, or several where dumps follow each other
	// with nothing between. cut says that the input ends inside a line.
	end(cut bool) []*Snapshot
}

// readText reads all text dumps in br.
func readText(br *bufio.Reader) ([]*Snapshot, error) {
	t := &textReader{br: br}
	cut := false
	for {
		l, err := t.next()
		if len(l) > 0 || err == nil {
			t.take(l)
		}
		if errors.Is(err, io.EOF) {
			_, _, position := cutPosition(bytes.TrimSpace(l))
			cut = len(l) > 0 && !position
			break
		}
		if err != nil {
			return nil, gzipError(err)
		}
	}
	if d, ok := t.dump.(*debug2); ok {
		d.atLimit = t.bytes == cutSize
	}
	t.endDump(cut)
	if len(t.done) == 0 {
		return nil, textForm(string(t.sample))
	}
	return t.done, nil
}

// next returns the next line without its end. The slice is valid until the
// next call.
func (t *textReader) next() ([]byte, error) {
	l, err := t.br.ReadSlice('\n')
	t.bytes += int64(len(l))
	if errors.Is(err, bufio.ErrBufferFull) {
		t.long = append(t.long[:0], l...)
		for errors.Is(err, bufio.ErrBufferFull) {
			l, err = t.br.ReadSlice('\n')
			t.bytes += int64(len(l))
			if len(t.long) < maxLine {
				t.long = append(t.long, l...)
			}
		}
		l = t.long
	}
	return bytes.TrimRight(l, "\r\n"), err
}

// take hands a line to the dump that it belongs to.
func (t *textReader) take(l []byte) {
	if len(t.sample) < 4096 {
		t.sample = append(append(t.sample, l...), '\n')
	}
	l = bytes.TrimLeft(l, " >") // indented, or quoted in a mail or an issue
	switch {
	case bytes.Contains(l, []byte("profile: total ")) && profileHeader(l) != nil:
		t.start(newDebug1(profileHeader(l)))
	case isGoroutineHeader(l):
		if d, ok := t.dump.(*debug2); !ok || d.isNewDump(l) {
			t.start(newDebug2())
		}
		t.dump.line(l)
	case t.dump != nil:
		t.dump.line(l)
	case isCountLine(l):
		t.start(newDebug1(nil))
		t.dump.line(l)
	}
}

// start ends the dump under way and begins another.
func (t *textReader) start(d textDump) {
	t.endDump(false)
	t.dump = d
}

// endDump keeps the snapshots of the dump under way.
func (t *textReader) endDump(cut bool) {
	if t.dump == nil {
		return
	}
	for _, s := range t.dump.end(cut) {
		t.keep(s)
	}
	t.dump = nil
}

// keep keeps a snapshot. A debug=2 dump right behind a debug=1 dump is the
// same instant: the test or handler wrote both.
func (t *textReader) keep(s *Snapshot) {
	if n := len(t.done); n > 0 && s.Encoding == Debug2 && t.done[n-1].Encoding == Debug1 && !t.done[n-1].LeaksOnly {
		t.done[n-1].Annotate(s)
		return
	}
	if s.Total > 0 || s.Unreadable > 0 || s.LeaksOnly {
		t.done = append(t.done, s)
	}
}

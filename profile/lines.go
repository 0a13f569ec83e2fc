package profile

import (
	"bufio"
	"bytes"
	"errors"
)

// maxLine bounds what is kept of a line in bytes: a dump may stand in one line of a
// log, escaped. The rest of a longer line is passed over.
const maxLine = 16 << 20

// lineReader cuts its input into lines. It looks for their ends in all that is
// buffered, which takes half as long as a call to ReadSlice for each.
type lineReader struct {
	br    *bufio.Reader
	ahead []byte // buffered, not yet returned
	size  int    // of ahead when it was taken from br
	long  []byte // scratch for lines longer than the buffer
	bytes int64  // taken from br so far
	cut   int    // lines that were longer than maxLine
}

// next returns the next line without its end. The slice is valid until the
// next call.
func (r *lineReader) next() ([]byte, error) {
	i := bytes.IndexByte(r.ahead, '\n')
	if i < 0 {
		return r.fill()
	}
	l := r.ahead[:i]
	r.ahead = r.ahead[i+1:]
	if i > 0 && l[i-1] == '\r' {
		l = bytes.TrimRight(l, "\r\n")
	}
	return l, nil
}

// fill returns a line that is not whole in the buffer.
func (r *lineReader) fill() ([]byte, error) {
	used, _ := r.br.Discard(r.size - len(r.ahead))
	l, err := r.br.ReadSlice('\n')
	r.bytes += int64(used + len(l))
	if errors.Is(err, bufio.ErrBufferFull) {
		r.long = append(r.long[:0], l...)
		for errors.Is(err, bufio.ErrBufferFull) {
			l, err = r.br.ReadSlice('\n')
			r.bytes += int64(len(l))
			if len(r.long) < maxLine {
				r.long = append(r.long, l...)
			}
		}
		if len(r.long) >= maxLine {
			r.cut++
		}
		l = r.long
	}
	r.ahead, _ = r.br.Peek(r.br.Buffered())
	r.size = len(r.ahead)
	return bytes.TrimRight(l, "\r\n"), err
}

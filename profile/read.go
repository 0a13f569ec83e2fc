package profile

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"sync"

	"golang.org/x/text/encoding/unicode"
)

// maxProtobuf bounds an uncompressed debug=0 profile in bytes. A million
// goroutines take 28 KB compressed; only profiles with very many distinct
// labels come near.
const maxProtobuf = 48 << 20

// Options tell [Read] what is known from elsewhere.
type Options struct {
	// GoVersion is the Go release of the process ("go1.26.8"), by which
	// debug=0 tells states. If empty, it is judged by the runtime's own
	// frames.
	GoVersion string
}

// An UnsupportedError says that the input is something other than a goroutine
// profile, and how to get one.
type UnsupportedError struct {
	Form string // what the input is, with its article
	Hint string // what to do, a full sentence
}

// Error returns what the input is and what to do.
func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("this is %s, not a goroutine profile. %s", e.Form, e.Hint)
}

// errEmpty is what an input without a byte gives.
var errEmpty = &UnsupportedError{Form: "an empty file", Hint: getProfile}

// Read reads all goroutine profiles in r, which may be gzipped, in the order
// in which they stand there: debug=0, debug=1, debug=2, or a log with text
// dumps inside; text may be in UTF-16 with a byte order mark. A debug=1 dump that
// is followed by a debug=2 dump of nearly the same goroutines, as one test prints
// them, is one snapshot. There is at least one snapshot if the error is nil; an
// input of another form gives an [*UnsupportedError]. A panic, of a reader or for a
// defect of this package, is returned as an error: input that is made to do harm is
// not to take along what is read beside it.
func Read(r io.Reader, o Options) (snaps []*Snapshot, err error) {
	defer func() {
		if p := recover(); p != nil {
			snaps, err = nil, fmt.Errorf("a defect in thanosleak, please report it: %v\n%s", p, debug.Stack())
		}
	}()
	br, buffered := r.(*bufio.Reader)
	if !buffered || br.Size() < bufferSize {
		br = readers.Get().(*bufio.Reader)
		defer freeReader(br)
		br.Reset(r)
	}
	head, err := br.Peek(2)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if bytes.Equal(head, []byte{0x1f, 0x8b}) {
		zr, err := gzip.NewReader(br)
		if err != nil {
			return nil, fmt.Errorf("damaged gzip: %w", err)
		}
		return readPlain(bufio.NewReaderSize(zr, bufferSize), o)
	}
	return readPlain(br, o)
}

// bufferSize is what is read at once, in bytes.
const bufferSize = 64 << 10

// readers are used again: a profile is often smaller than their buffer.
var readers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, bufferSize) }}

// freeReader lets somebody else use the reader.
func freeReader(br *bufio.Reader) {
	br.Reset(nil)
	readers.Put(br)
}

// readPlain reads uncompressed input.
func readPlain(br *bufio.Reader, o Options) ([]*Snapshot, error) {
	head, err := br.Peek(512)
	if len(head) == 0 {
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, gzipError(err)
		}
		return nil, errEmpty
	}
	if isUTF16(head) {
		return readUTF16(br)
	}
	if form := binaryForm(head); form != nil {
		return nil, form
	}
	if isBinary(head) && bytes.HasPrefix(head, []byte("HTTP/")) {
		return nil, &UnsupportedError{Form: "an answer with its HTTP headers (curl -i)", Hint: getProfile}
	}
	if !isBinary(head) {
		return readText(br)
	}
	data := buffers.Get().(*bytes.Buffer)
	defer freeBuffer(data)
	if _, err := data.ReadFrom(io.LimitReader(br, maxProtobuf+1)); err != nil {
		return nil, gzipError(err)
	}
	if data.Len() > maxProtobuf {
		return nil, fmt.Errorf("profile is larger than %d MiB uncompressed", maxProtobuf>>20)
	}
	s, err := parseDebug0(data.Bytes(), o)
	if err != nil {
		return nil, err
	}
	return []*Snapshot{s}, nil
}

// buffers hold uncompressed profiles while they are parsed: nothing of a
// snapshot lies in them.
var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// freeBuffer lets another profile use the buffer, unless this one was far
// larger than most.
func freeBuffer(b *bytes.Buffer) {
	if b.Reset(); b.Cap() <= 4<<20 {
		buffers.Put(b)
	}
}

// gzipError says in words what a broken compressed stream means.
func gzipError(err error) error {
	corrupt, isCorrupt := errors.AsType[flate.CorruptInputError](err)
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("the file ends in the middle (cut while it was copied?): %w", err)
	case errors.Is(err, gzip.ErrChecksum):
		return fmt.Errorf("the file was changed (copied as text, or through a terminal?): %w", err)
	case isCorrupt:
		return fmt.Errorf("the file was changed (copied as text, or through a terminal?): damaged gzip before byte %d", int64(corrupt))
	}
	return err
}

// isBinary tells protobuf from text: text has no control characters but white
// space and terminal escapes.
func isBinary(head []byte) bool {
	for _, c := range head {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' && c != '\f' && c != 0x1b {
			return true
		}
	}
	return false
}

// isUTF16 tells text in UTF-16 by its byte order mark.
func isUTF16(head []byte) bool {
	return bytes.HasPrefix(head, []byte{0xff, 0xfe}) || bytes.HasPrefix(head, []byte{0xfe, 0xff})
}

// readUTF16 reads text in UTF-16, in which PowerShell's > writes what a program
// prints. A binary profile does not survive that.
func readUTF16(br *bufio.Reader) ([]*Snapshot, error) {
	text := bufio.NewReaderSize(unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder().Reader(br), bufferSize)
	head, err := text.Peek(512)
	switch {
	case len(head) == 0 && errors.Is(err, io.EOF):
		return nil, errEmpty
	case isBinary(head):
		return nil, &UnsupportedError{Form: "a binary file that became UTF-16 text (by PowerShell's >, say), which destroys it",
			Hint: "Save it with curl.exe -o FILE instead."}
	}
	return readText(text)
}

// binaryForm names files that are often handed in by mistake.
func binaryForm(head []byte) *UnsupportedError {
	for _, f := range []struct{ magic, form, hint string }{
		{"\x1f\x8b", "a file that was gzipped twice", "Run gunzip once and try again."},
		{"\x89PNG", "a picture", "A picture has no stacks. " + getProfile},
		{"\xff\xd8\xff", "a picture", "A picture has no stacks. " + getProfile},
		{"PK\x03\x04", "a zip archive", "Unpack it first; folders and .tar.gz are read as they are."},
		{"\xfd7zXZ\x00", "an xz file", "Unpack it first: xz -dc FILE | thanosleak analyze -"},
		{"BZh", "a bzip2 file", "Unpack it first: bzip2 -dc FILE | thanosleak analyze -"},
		{"\x28\xb5\x2f\xfd", "a zstd file", "Unpack it first: zstd -dc FILE | thanosleak analyze -"},
		{"\x7fELF", "an executable or a core dump", getProfile},
	} {
		if bytes.HasPrefix(head, []byte(f.magic)) {
			return &UnsupportedError{Form: f.form, Hint: f.hint}
		}
	}
	return nil
}

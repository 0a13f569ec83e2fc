package capture

import (
	"archive/tar"
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"time"
)

// Bounds on what is read, in bytes unless said otherwise. Captures come from
// tickets; a week of a fleet stays far below.
const (
	maxFile    = 512 << 20 // one profile or log, uncompressed
	maxMember  = 128 << 20 // one file of an archive, as stored
	maxArchive = 512 << 20 // an archive, uncompressed
	maxFiles   = 500_000   // files of an archive or below a folder (a number)
	maxPath    = 1024      // the path of a file in an archive
)

// plain returns the input uncompressed, bounded to limit bytes.
func plain(r io.Reader, limit int64) (*bufio.Reader, error) { return new(unpacker).plain(r, limit) }

// unpacker is what it takes to read a file: some hundred kilobytes, which a
// history of thousands of small files uses again and again.
type unpacker struct {
	in, out *bufio.Reader
	zr      *gzip.Reader
}

var unpackers = sync.Pool{New: func() any { return new(unpacker) }}

// plain returns the input uncompressed, bounded to limit bytes. The reader is
// valid until the next call.
func (u *unpacker) plain(r io.Reader, limit int64) (*bufio.Reader, error) {
	if u.in == nil {
		u.in, u.out, u.zr = bufio.NewReader(nil), bufio.NewReaderSize(nil, 64<<10), new(gzip.Reader)
	}
	u.in.Reset(r)
	head, err := u.in.Peek(2)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if !bytes.Equal(head, []byte{0x1f, 0x8b}) {
		u.out.Reset(&bounded{u.in, limit, limit})
		return u.out, nil
	}
	if err := u.zr.Reset(u.in); err != nil {
		return nil, fmt.Errorf("damaged gzip: %w", err)
	}
	u.out.Reset(&bounded{u.zr, limit, limit})
	return u.out, nil
}

// free lets another file use u.
func (u *unpacker) free() {
	if u.in != nil {
		u.in.Reset(nil) // its file is not to be kept
	}
	unpackers.Put(u)
}

// bounded gives an error where io.LimitedReader would pretend that the input
// ends.
type bounded struct {
	r           io.Reader
	left, limit int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.r.Read(p)
	if int64(n) > b.left {
		return 0, fmt.Errorf("larger than %d MiB uncompressed, which is the most that is read", b.limit>>20)
	}
	b.left -= int64(n)
	return n, err
}

// isTar reports whether the uncompressed input is a tar archive.
func isTar(br *bufio.Reader) bool {
	head, _ := br.Peek(262)
	return len(head) == 262 && string(head[257:]) == "ustar"
}

// Unpack reads a .tar or .tar.gz into memory. Only regular files are kept:
// links and special files are left out, and so are names that lead out of the
// archive and files with holes, which may be far larger than the archive. It
// fails when the archive is larger than 512 MiB uncompressed.
func Unpack(r io.Reader) (*Archive, error) {
	br, err := plain(r, maxArchive)
	if err != nil {
		return nil, err
	}
	if !isTar(br) {
		return nil, errors.New("not a .tar.gz archive")
	}
	return unpack(br)
}

func unpack(br *bufio.Reader) (*Archive, error) {
	a := &Archive{files: map[string]*member{}, dirs: map[string]map[string]fs.DirEntry{".": {}}}
	tr := tar.NewReader(br)
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return a, nil
		}
		if err != nil {
			return nil, fmt.Errorf("damaged archive: %w", err)
		}
		if h.Typeflag == tar.TypeDir || h.Typeflag == tar.TypeXGlobalHeader {
			continue
		}
		name := strings.TrimPrefix(h.Name, "./")
		if h.Typeflag != tar.TypeReg || hasHoles(h) || !fs.ValidPath(name) || len(name) > maxPath || h.Size > maxMember {
			a.Skipped++
			continue
		}
		data, err := io.ReadAll(tr)
		if err != nil {
			return nil, fmt.Errorf("damaged archive: %w", err)
		}
		if len(a.files) == maxFiles {
			return nil, fmt.Errorf("more than %d files in the archive", maxFiles)
		}
		a.add(name, &member{name: path.Base(name), data: data, mod: h.ModTime})
	}
}

// hasHoles reports whether the archive holds a file in parts, with zeros between
// them (the GNU formats 0.0 to 1.0; the older one has a type of its own).
func hasHoles(h *tar.Header) bool {
	for record := range h.PAXRecords {
		if strings.HasPrefix(record, "GNU.sparse.") {
			return true
		}
	}
	return false
}

// An Archive is the files of an unpacked archive, in memory. It is an [fs.FS].
type Archive struct {
	// Skipped is the number of members that were left out: links, special
	// files, unsafe names, files with holes or larger than 128 MiB.
	Skipped int
	// Replaced is the number of members of whose name a later one was: that one
	// counts, as tar has it.
	Replaced int

	files map[string]*member
	dirs  map[string]map[string]fs.DirEntry // entries by name, by path of the folder
}

// add adds a file and the folders above it.
func (a *Archive) add(name string, m *member) {
	if a.files[name] != nil {
		a.Replaced++
	}
	a.files[name] = m
	entry := fs.FileInfoToDirEntry(m)
	for dir := path.Dir(name); ; dir = path.Dir(dir) {
		entries, known := a.dirs[dir]
		if !known {
			entries = map[string]fs.DirEntry{}
			a.dirs[dir] = entries
		}
		entries[entry.Name()] = entry
		if known {
			return
		}
		entry = fs.FileInfoToDirEntry(&member{name: path.Base(dir), dir: true})
	}
}

// Open opens a file or a folder.
func (a *Archive) Open(name string) (fs.File, error) {
	if m, ok := a.files[name]; ok {
		return &openMember{m, bytes.NewReader(m.data)}, nil
	}
	if entries, ok := a.dirs[name]; ok {
		return &openDir{member: &member{name: path.Base(name), dir: true}, left: sortedEntries(entries)}, nil
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

func sortedEntries(entries map[string]fs.DirEntry) []fs.DirEntry {
	list := make([]fs.DirEntry, 0, len(entries))
	for _, e := range entries {
		list = append(list, e)
	}
	slices.SortFunc(list, func(a, b fs.DirEntry) int { return cmp.Compare(a.Name(), b.Name()) })
	return list
}

// member is a file or folder of an archive, and its own fs.FileInfo.
type member struct {
	name string
	data []byte
	mod  time.Time
	dir  bool
}

func (m *member) Name() string       { return m.name }
func (m *member) Size() int64        { return int64(len(m.data)) }
func (m *member) ModTime() time.Time { return m.mod }
func (m *member) IsDir() bool        { return m.dir }
func (m *member) Sys() any           { return nil }

func (m *member) Mode() fs.FileMode {
	if m.dir {
		return fs.ModeDir | 0o555
	}
	return 0o444
}

type openMember struct {
	*member
	*bytes.Reader
}

func (f *openMember) Size() int64                { return f.member.Size() }
func (f *openMember) Stat() (fs.FileInfo, error) { return f.member, nil }
func (f *openMember) Close() error               { return nil }

type openDir struct {
	*member
	left []fs.DirEntry
}

func (d *openDir) Stat() (fs.FileInfo, error) { return d.member, nil }
func (d *openDir) Close() error               { return nil }

func (d *openDir) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.name, Err: errors.New("is a folder")}
}

// ReadDir is as [fs.ReadDirFile] has it.
func (d *openDir) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 {
		n = len(d.left)
	} else if len(d.left) == 0 {
		return nil, io.EOF
	}
	n = min(n, len(d.left))
	list := d.left[:n]
	d.left = d.left[n:]
	return list, nil
}

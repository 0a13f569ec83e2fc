package capture

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"time"
)

// file is a file that may hold something of a sample or a target.
type file struct {
	label string // how messages call it
	base  string // last element of its path
	dir   string // the rest, to tell files of different folders apart
	// open also tells when the file was written; the zero time if unknown.
	open func() (io.ReadCloser, time.Time, error)
}

// stem is the files of one sample: those that share a name up to the part that
// tells what they hold.
type stem struct {
	name   string
	time   time.Time // by the name; zero if it has none
	n      int       // makes names of the same second unique
	named  bool      // the user asked for it, so that it has to be readable
	inside bool      // named as files in captures are
	files  [kinds]*file

	among bool  // one of many files of all sorts
	lost  *file // of it, which by its name is a profile and cannot be read
	why   error // it cannot be read
}

// hasProfile reports whether any file should hold goroutines.
func (s *stem) hasProfile() bool {
	for k, f := range s.files {
		if f != nil && kind(k) != metrics {
			return true
		}
	}
	return false
}

// label is how messages and targets call the sample.
func (s *stem) label() string {
	var only *file
	for _, f := range s.files {
		if f != nil && only != nil {
			return s.name
		}
		only = cmp.Or(f, only)
	}
	return only.base
}

// listing is the files of a folder, sorted out by their names.
type listing struct {
	elems  []string // of its path
	label  string
	stems  []*stem // named as in captures
	loose  []*stem // of any other name, perhaps no profiles
	facts  map[string]*file
	byName map[string]*stem
}

func newListing(label string, elems []string) *listing {
	return &listing{elems: elems, label: label, facts: map[string]*file{}, byName: map[string]*stem{}}
}

// add sorts a file in. What the user named is never passed over by its name.
func (l *listing) add(f *file, named bool) {
	if isFacts(f.base) {
		l.facts[f.base] = f
		return
	}
	if name, k, ok := sampleName(f.base); ok {
		s := l.stem(f, name, k, &l.stems)
		s.named, s.inside = named, true
		return
	}
	if named || !isForeign(f.base) {
		name, k := looseName(f.base)
		l.stem(f, name, k, &l.loose).named = named
	}
}

// stem puts the file into the sample of that name. A second file of the same
// kind is a sample of its own: x.txt beside x.log.
func (l *listing) stem(f *file, name string, k kind, list *[]*stem) *stem {
	key := f.dir + "/" + name
	s := l.byName[key]
	if s == nil || s.files[k] != nil {
		if s != nil {
			name, key = f.base, f.dir+"/"+f.base
		}
		s = &stem{name: name}
		s.time, s.n = nameTime(name)
		l.byName[key] = s
		*list = append(*list, s)
	}
	s.files[k] = f
	return s
}

// sort orders the samples of a capture by time, then by name.
func (l *listing) sort() {
	slices.SortStableFunc(l.stems, func(a, b *stem) int {
		return cmp.Or(a.time.Compare(b.time), cmp.Compare(a.n, b.n), cmp.Compare(a.name, b.name))
	})
}

// maxDepth bounds how deep folders are looked into.
const maxDepth = 16

// walker sorts out the files below a folder.
type walker struct {
	r        *reader
	fsys     fs.FS
	label    string
	elems    []string
	files    int
	lists    []*listing
	byDir    map[string]*listing
	archives []string
	failures []string // files that say which targets gave no sample
	warnings []string
}

// walk sorts out the files below a folder.
func (r *reader) walk(fsys fs.FS, label string, elems []string) (*walker, error) {
	w := &walker{r: r, fsys: fsys, label: label, elems: elems, byDir: map[string]*listing{}}
	return w, fs.WalkDir(fsys, ".", w.visit)
}

// folder reads all targets below the folder.
func (r *reader) folder(fsys fs.FS, label string, elems []string) error {
	w, err := r.walk(fsys, label, elems)
	if err != nil {
		return err
	}
	r.look(w.lists)
	return w.read()
}

// read reads all targets that were met.
func (w *walker) read() error {
	r := w.r
	r.warnings = append(r.warnings, w.warnings...)
	targets, warnings, left := len(r.targets), len(r.warnings), r.left
	each(r, w.lists, func(r *reader, _ int, l *listing) { r.listing(l) })
	for _, name := range w.failures {
		r.failures(w.file(name), join(w.elems, path.Dir(name)), targets)
	}
	for _, name := range w.archives {
		w.nested(name)
	}
	if a, ok := w.fsys.(*Archive); ok && a.Skipped > 0 {
		r.warn("%s: %d links, special or oversized files and unsafe names in the archive were left out", w.label, a.Skipped)
	}
	if a, ok := w.fsys.(*Archive); ok && a.Replaced > 0 {
		r.warn("%s: files in the archive were left out, for later ones have their names: %d", w.label, a.Replaced)
	}
	if len(r.targets) > targets || r.left > left {
		return nil
	}
	return fmt.Errorf("no goroutine profile found in %d files. Looked for captures (TARGET/TIME.debug0.pb.gz), "+
		"archives of them (.tar.gz), and goroutine profiles of any name.%s", w.files, r.cause(warnings))
}

func (w *walker) visit(p string, d fs.DirEntry, err error) error {
	if err != nil {
		if p == "." {
			return err
		}
		w.warn(p, err.Error())
		return nil
	}
	hidden := p != "." && d.Name()[0] == '.'
	if d.IsDir() {
		if hidden || depth(p) > maxDepth {
			return fs.SkipDir
		}
		return nil
	}
	if w.files++; w.files > maxFiles {
		return fmt.Errorf("more than %d files: name the capture folder itself", maxFiles)
	}
	switch {
	case hidden:
	case d.Type()&fs.ModeSymlink != 0:
		w.warn(p, "links are not followed; name the file to have it read")
	case !d.Type().IsRegular():
	case isArchive(d.Name()):
		w.archives = append(w.archives, p)
	case d.Name() == failuresFile:
		w.failures = append(w.failures, p)
	default:
		w.list(path.Dir(p)).add(w.file(p), false)
	}
	return nil
}

func (w *walker) warn(p, why string) {
	w.warnings = append(w.warnings, fmt.Sprintf("%s: passed over: %s", path.Join(w.label, p), why))
}

func depth(p string) int {
	n := 0
	for _, c := range p {
		if c == '/' {
			n++
		}
	}
	return n
}

// list returns the listing of a folder.
func (w *walker) list(dir string) *listing {
	l := w.byDir[dir]
	if l == nil {
		l = newListing(path.Join(w.label, dir), join(w.elems, dir))
		w.byDir[dir] = l
		w.lists = append(w.lists, l)
	}
	return l
}

func (w *walker) file(p string) *file {
	return &file{label: path.Join(w.label, p), base: path.Base(p), open: func() (io.ReadCloser, time.Time, error) {
		f, err := w.fsys.Open(p)
		if err != nil {
			return nil, time.Time{}, err
		}
		return f, modTime(f), nil
	}}
}

// modTime returns when the file was written; zero if it does not say. Archives
// made to be reproducible have the epoch there.
func modTime(f interface{ Stat() (fs.FileInfo, error) }) time.Time {
	info, err := f.Stat()
	if err != nil || info.ModTime().Unix() <= 0 {
		return time.Time{}
	}
	return info.ModTime().UTC()
}

// nested reads an archive that lies in a folder as if it were a folder. One in
// another archive is not read: nobody makes them but to exhaust memory.
func (w *walker) nested(p string) {
	f := w.file(p)
	if _, ok := w.fsys.(*Archive); ok {
		w.r.skip(f, errors.New("an archive inside an archive; unpack the outer one"))
		return
	}
	if err := w.r.archive(f, join(w.elems, withoutArchiveExt(p))); err != nil {
		w.r.skip(f, err)
	}
}

func unpackFile(f *file) (*Archive, error) {
	in, _, err := f.open()
	if err != nil {
		return nil, err
	}
	defer in.Close()
	return Unpack(in)
}

// osFile is a file of the operating system. It is opened when it is read, for
// there can be more of them than may be open at once.
func osFile(p, dir, base string) *file {
	return &file{label: p, base: base, dir: dir, open: func() (io.ReadCloser, time.Time, error) {
		f, err := os.Open(p)
		if err != nil {
			return nil, time.Time{}, err
		}
		return f, modTime(f), nil
	}}
}

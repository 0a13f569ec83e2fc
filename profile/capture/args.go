package capture

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// arguments reads what the paths name, after a look at all of it. Files that
// are no archives are gathered first, for they belong together.
func (r *reader) arguments(paths []string, stdin io.Reader) error {
	if len(paths) == 0 {
		return errors.New("nothing to read: name a capture, an archive or a goroutine profile, or - for standard input")
	}
	var files, failures []*file
	reads := make([]func() error, len(paths))
	usedStdin := false
	for i, p := range paths {
		var f *file
		var err error
		if p == "-" {
			if usedStdin {
				return errors.New("standard input (-) can be given once only")
			}
			usedStdin = true
			f, reads[i], err = r.stream(stdin, "standard input", []string{"stdin"})
		} else {
			f, reads[i], err = r.argument(p)
		}
		switch {
		case err != nil:
			reads[i] = func() error { return err }
		case f != nil && f.base == failuresFile:
			failures = append(failures, f)
		case f != nil && f.base == seenFile && len(paths) > 1: // came with DIR/*
		case f != nil:
			files = append(files, f)
		}
	}
	dirs, rest := r.named(files)
	r.look(append(slices.Clip(dirs), rest))
	for i, p := range paths {
		if reads[i] == nil {
			continue
		}
		if err := reads[i](); err != nil {
			r.fail(p, pathElems(p), withoutPath(err))
		}
	}
	for _, l := range dirs {
		r.capture(l)
	}
	for _, f := range failures {
		r.failures(f, pathElems(f.dir), 0)
	}
	return r.namedRest(rest, len(files)+len(failures))
}

// withoutPath removes the path that errors of package os repeat.
func withoutPath(err error) error {
	if pe, ok := errors.AsType[*os.PathError](err); ok && pe == err {
		return pe.Err
	}
	return err
}

// isAddress reports whether people mean a process: http://HOST:10902, HOST:10902.
func isAddress(arg string) bool {
	if strings.HasPrefix(arg, "http://") || strings.HasPrefix(arg, "https://") {
		return true
	}
	host, port, err := net.SplitHostPort(arg)
	_, notPort := strconv.ParseUint(port, 10, 16)
	return err == nil && notPort == nil && host != "" && !strings.ContainsAny(host, `/\`)
}

// argument returns how to read a folder or an archive, or any other file.
func (r *reader) argument(p string) (*file, func() error, error) {
	info, err := os.Stat(p)
	if err != nil {
		if isAddress(p) {
			err = fmt.Errorf("there is no such file; for the address of a process: thanosleak scan %s", p)
		}
		return nil, nil, err
	}
	if info.IsDir() {
		read, err := r.argumentFolder(p)
		return nil, read, err
	}
	in, err := os.Open(p)
	if err != nil {
		return nil, nil, err
	}
	defer in.Close()
	if !info.Mode().IsRegular() {
		// A pipe such as <(kubectl exec …) can be read only once.
		return r.stream(in, p, pathElems(p))
	}
	br, err := plain(in, maxArchive)
	if err != nil {
		return nil, nil, err
	}
	f := osFile(p, filepath.Dir(p), filepath.Base(p))
	if !isTar(br) {
		return f, nil, nil
	}
	return nil, func() error { return r.archive(f, pathElems(withoutArchiveExt(p))) }, nil
}

// argumentFolder looks at what is in a folder and returns how to read it.
func (r *reader) argumentFolder(p string) (read func() error, err error) {
	root, err := os.OpenRoot(p)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	w, err := r.walk(root.FS(), filepath.ToSlash(filepath.Clean(p)), pathElems(p))
	if err != nil {
		return nil, err
	}
	r.look(w.lists)
	return func() error {
		root, err := os.OpenRoot(p)
		if err != nil {
			return err
		}
		defer root.Close()
		w.fsys = root.FS()
		return w.read()
	}, nil
}

// archive reads an archive as if it were a folder.
func (r *reader) archive(f *file, elems []string) error {
	a, err := unpackFile(f)
	if err != nil {
		return err
	}
	return r.folder(a, f.label, elems)
}

// maxStream bounds the profile that is read from a pipe, in bytes as it comes:
// it is kept in memory until all arguments are known.
const maxStream = 128 << 20

// stream returns how to read an archive, or any other file, from an input that
// can be read only once.
func (r *reader) stream(in io.Reader, label string, elems []string) (*file, func() error, error) {
	data, err := io.ReadAll(&bounded{in, maxStream, maxStream})
	if err != nil {
		return nil, nil, err
	}
	open := func() (io.ReadCloser, time.Time, error) {
		return io.NopCloser(bytes.NewReader(data)), time.Time{}, nil
	}
	f := &file{label: label, base: elems[len(elems)-1], open: open}
	br, err := plain(bytes.NewReader(data), maxArchive)
	if err != nil || !isTar(br) {
		return f, nil, err
	}
	return nil, func() error { return r.archive(f, elems) }, nil
}

// pathElems returns the elements of the absolute path, of which a target's name
// takes as many from the end as it needs to be unique.
func pathElems(p string) []string {
	if abs, err := filepath.Abs(p); err == nil {
		p = abs
	}
	p = filepath.ToSlash(strings.TrimPrefix(p, filepath.VolumeName(p)))
	return strings.Split(strings.Trim(p, "/"), "/")
}

// named sorts out the files that the user named one by one. Files out of
// captures, as a shell makes them of DIR/*, are read as their folders would be;
// all else is one process.
func (r *reader) named(files []*file) (dirs []*listing, rest *listing) {
	byDir := map[string]*listing{}
	rest = newListing("the files given", nil)
	for _, f := range files {
		if _, _, ok := sampleName(f.base); !ok || r.o.Each {
			continue
		}
		if byDir[f.dir] == nil {
			byDir[f.dir] = newListing(f.dir, pathElems(f.dir))
			dirs = append(dirs, byDir[f.dir])
		}
	}
	for _, f := range files {
		l := byDir[f.dir]
		_, _, sample := sampleName(f.base)
		switch {
		case l != nil && (sample || isFacts(f.base)):
			l.add(f, true)
		case l != nil && isForeign(f.base): // came with DIR/*
		case len(dirs) == 1:
			dirs[0].add(f, true)
		default:
			rest.add(f, true)
		}
	}
	return dirs, rest
}

// namedRest reads the named files that are no part of a capture.
func (r *reader) namedRest(l *listing, files int) error {
	if err := r.looseSeries(l); err != nil {
		return err
	}
	if files > 0 && len(r.targets) == 0 && r.left == 0 {
		return fmt.Errorf("no goroutine profile in the %s given.%s", plural(files, "file", "s"), r.cause(0))
	}
	return nil
}

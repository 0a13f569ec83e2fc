package discover

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/thanosleak/thanosleak/internal/lazyregexp"
)

// Bounds of what files may list: far more than a fleet, and few enough that a
// wrong file does no harm.
const (
	maxFile        = 16 << 20 // bytes
	maxFileTargets = 10_000   // in all files
)

// globRE matches the names that Prometheus takes for file_sd.
var globRE = lazyregexp.New(`^[^*]*(\*[^/]*)?\.(json|yml|yaml|JSON|YML|YAML)$`)

// A FileError says what is wrong with a file, or with a glob.
type FileError struct {
	File  string // the file or the glob, as it is written or found
	Line  int    // from 1; 0 if it is unknown or all of the file is meant
	Cause string // what happened and what to do
	Kept  int    // how many targets of its last good content stay listed; see [Source]
	Err   error  // of the system; nil where the content is what is wrong
}

// Error returns file, line, what happened and what became of the targets.
func (e *FileError) Error() string {
	where := e.File
	// A name is whatever somebody called the file.
	if strings.ContainsFunc(where, func(r rune) bool { return !unicode.IsPrint(r) }) {
		where = strconv.Quote(where)
	}
	if e.Line > 0 {
		where += ":" + strconv.Itoa(e.Line)
	}
	return where + ": " + e.Cause + keptWords(e.Kept)
}

// Unwrap returns the system's error.
func (e *FileError) Unwrap() error { return e.Err }

// checkGlob tells whether Prometheus would take the glob.
func checkGlob(glob string) error {
	if !globRE().MatchString(filepath.ToSlash(glob)) {
		return fmt.Errorf("target file %q: the name has to end in .json, .yml or .yaml and may have a * after its last slash only", glob)
	}
	if _, err := filepath.Match(glob, ""); err != nil {
		return fmt.Errorf("target file %q: %w", glob, err)
	}
	return nil
}

// expand returns the names of the files, sorted and each once, and a
// *FileError for every glob that matches nothing.
func expand(globs []string) (names []string, problems []error) {
	for _, glob := range globs {
		found, err := filepath.Glob(glob)
		if err != nil || len(found) == 0 {
			problems = append(problems, &FileError{File: glob, Cause: "there is no such file", Err: err})
		}
		names = append(names, found...)
	}
	slices.Sort(names)
	return slices.Compact(names), problems
}

// readFile returns the content of a target file.
func readFile(name string) ([]byte, *FileError) {
	info, err := os.Stat(name)
	if err == nil && !info.Mode().IsRegular() {
		// Opening a pipe would wait for somebody to write.
		return nil, &FileError{File: name, Cause: "this is no regular file"}
	}
	var f *os.File
	if err == nil {
		f, err = os.Open(name)
	}
	if err != nil {
		return nil, unreadable(name, err)
	}
	defer f.Close()
	content, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, unreadable(name, err)
	}
	if len(content) > maxFile {
		return nil, &FileError{File: name, Cause: fmt.Sprintf("larger than the %d MiB that a target file may have", maxFile>>20)}
	}
	return content, nil
}

// unreadable says why a file cannot be read, without its name, which stands in
// front.
func unreadable(name string, err error) *FileError {
	cause := err
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		cause = e.Err
	}
	return &FileError{File: name, Cause: "cannot be read: " + cause.Error(), Err: err}
}

// An entry is one target of a file.
type entry struct {
	form   form
	labels map[string]string // nil if there are none; shared by the targets of a group
}

// A content is what a file lists.
type content struct {
	entries []entry
	// skipped is about the entries that are no addresses; nil if all are. As
	// in Prometheus the others of the file count.
	skipped *FileError
}

// readTargets reads a whole file of at most max targets.
func readTargets(name string, max int) (content, *FileError) {
	raw, problem := readFile(name)
	if problem != nil {
		return content{}, problem
	}
	root, problem := parseTree(name, raw)
	if problem != nil {
		return content{}, problem
	}
	d := decoder{file: name, max: max}
	if problem := d.groups(root); problem != nil {
		return content{}, problem
	}
	if d.bad > 1 {
		d.skipped.Cause += fmt.Sprintf(" (and %d more entries are wrong)", d.bad-1)
	}
	return d.content, nil
}

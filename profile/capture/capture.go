// Package capture reads and writes captures: samples of processes, kept as
// files.
//
// A capture is a folder, or a .tar.gz of one, with a folder for each target:
//
//	DIR/TARGET/20261122T064522Z.debug0.pb.gz    goroutine profile, protobuf
//	DIR/TARGET/20261122T064522Z.debug1.txt.gz   the same as text, counts only
//	DIR/TARGET/20261122T064522Z.debug2.txt.gz   the same as text, every goroutine
//	DIR/TARGET/20261122T064522Z.leak.debug0.pb.gz   goroutineleak profile; debug1, debug2 likewise
//	DIR/TARGET/20261122T064522Z.metrics.txt.gz  page of /metrics
//	DIR/TARGET/status-buildinfo.json            answers of the API, once for each target
//	DIR/TARGET/status-flags.json
//	DIR/TARGET/stores.json
//	DIR/failures.json                           the targets that gave no sample, or not every one, when asked last
//
// Text may be gzipped or not. The time in a name is that of the sample in UTC,
// followed by "-2" and so on where several samples are of one second. The
// older forms "2026-11-22T06:45:22Z" and "t001-words-TIME" are read too. All
// files with the same name before the first part above are one sample, which
// is whole when any goroutine profile is in it. TARGET is the target's name in
// the form that [Escape] gives.
//
// [Open] reads captures, archives of them, and goroutine profiles of any name;
// [Create] writes. Nothing is written to disk while reading, links are not
// followed, and sizes are bounded, for a capture may come from a stranger.
package capture

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/thanosleak/thanosleak/profile"
)

// Options say how to read.
type Options struct {
	// Each makes every file that is no part of a capture a target of its own.
	// Otherwise the files given by name are samples of one process.
	Each bool
	// Flags tells which command-line flags of a target are kept; nil keeps
	// none. It may be called by several goroutines at the same time.
	Flags func(string) bool
	// Now is the time of samples for which neither their content nor a file
	// tells one (text on standard input). They keep the zero time if it is
	// zero.
	Now time.Time
	// Window is how much older than the newest one samples may be; older ones
	// are left out. 0 leaves none out. Those whose names tell that they are
	// older, by an hour at least, are not even opened. Samples of which no
	// time is known stay.
	Window time.Duration
	// Sparse is for those who keep what they read: of the samples in a capture
	// whose names tell that they are more than an hour older than the newest,
	// one of each such span is read. 0 reads all, and so does Window 0.
	Sparse time.Duration
	// Newest stands in place of the newest sample: Window counts back from it,
	// and later samples stay. If zero, the newest sample of the whole input
	// counts; the times of files, which copying changes, only where no sample
	// tells its time in another way.
	Newest time.Time
}

// An Input is what was read.
type Input struct {
	// Targets are the processes: of folders and archives in the order of the
	// arguments and by path, then of single files. Names are unique. A target
	// that could not be read has Err and no samples, and so may one of which
	// [Writer.WriteFailures] stored that it gave none; every other has at least
	// one, and Err where the newest could not be read. Targets without a sample
	// that is new enough are not among them. Err, names and warnings may hold what
	// a stranger wrote.
	Targets []profile.Target
	// Description says how the input was understood: "60 processes, 1 sample
	// each".
	Description string
	// Warnings name files that were passed over, and why.
	Warnings []string
	// Left is the number of samples that Options.Window left out.
	Left int
}

// Open reads what the paths name: folders that hold captures at any depth,
// .tar.gz archives of them, files with goroutine profiles, "-" for standard
// input (a profile or an archive, plain or gzipped). Files given by name that
// are no part of a capture are samples of one process in order of time; if
// their content shows different processes that is an error, unless o.Each.
//
// A path that cannot be read becomes a target with Err; where no path gives a
// sample, nor a capture that says why it has none, that is an error: [ErrTooOld]
// if o.Window left out all there are.
// Samples whose times are not known stand a nanosecond apart, and the target's
// Warnings say so.
func Open(paths []string, stdin io.Reader, o Options) (*Input, error) {
	r := newReader(o)
	if err := r.arguments(paths, stdin); err != nil {
		return nil, err
	}
	return r.finish()
}

// Read reads the captures and profiles in a file system, several files at the
// same time. name is what a target at its top is called.
func Read(fsys fs.FS, name string, o Options) (*Input, error) {
	r := newReader(o)
	if err := r.folder(fsys, name, []string{name}); err != nil {
		r.fail(name, []string{name}, err)
	}
	return r.finish()
}

// found is a target and the path elements that its name is made of.
type found struct {
	profile.Target
	elems  []string
	taken  []taken   // what becomes its samples
	failed time.Time // when a run did not get every sample; zero if none says so
}

// reader collects targets.
type reader struct {
	o        Options
	shared   *profile.Intern
	slots    chan struct{} // one for each file that is read beside another
	newest   time.Time     // of the samples that were looked at; zero at first
	targets  []found
	warnings []string
	skipped  int     // files passed over that should have been profiles
	left     int     // samples left out
	errs     []error // of arguments
}

func newReader(o Options) *reader {
	if o.Flags == nil {
		o.Flags = func(string) bool { return false }
	}
	slots := min(runtime.GOMAXPROCS(0), maxParallel) - 1
	return &reader{o: o, shared: profile.NewIntern(), slots: make(chan struct{}, slots), newest: o.Newest}
}

// maxParallel bounds how many files are read at the same time: one made to do
// harm may take some hundred megabytes.
const maxParallel = 8

// each reads the items, several at the same time. What they give is collected
// in their order. read must use the reader that it is given.
func each[T any](r *reader, items []T, read func(*reader, int, T)) {
	branches := make([]*reader, len(items))
	slots := r.slots
	var others sync.WaitGroup
	var defect atomic.Value
	for i, item := range items {
		b := &reader{o: r.o, shared: r.shared, slots: r.slots, newest: r.newest}
		branches[i] = b
		if i == len(items)-1 {
			slots = nil // the caller has nothing else to do
		}
		select {
		case slots <- struct{}{}:
			others.Go(func() {
				defer func() { <-r.slots }()
				defer func() {
					if p := recover(); p != nil {
						defect.CompareAndSwap(nil, fmt.Sprintf("%v\n%s", p, debug.Stack()))
					}
				}()
				read(b, i, item)
			})
		default:
			read(b, i, item)
		}
	}
	others.Wait()
	if p := defect.Load(); p != nil {
		panic(p) // where somebody can recover it
	}
	for _, b := range branches {
		r.targets = append(r.targets, b.targets...)
		r.warnings = append(r.warnings, b.warnings...)
		r.skipped += b.skipped
		r.left += b.left
		r.errs = append(r.errs, b.errs...)
	}
}

// maxWarnings bounds the warnings, of which a damaged disk can give as many as
// it has files.
const maxWarnings = 20

// finish names the targets and says how they were read.
func (r *reader) finish() (*Input, error) {
	r.cut()
	samples := 0
	for i := range r.targets {
		r.targets[i].assemble()
		samples += len(r.targets[i].Samples)
	}
	told := slices.ContainsFunc(r.targets, func(t found) bool { return !t.failed.IsZero() })
	if samples == 0 && !told {
		if r.left > 0 {
			r.errs = append(r.errs, r.tooOld())
		}
		return nil, cmp.Or(errors.Join(r.errs...), errNothing)
	}
	in := &Input{Description: r.describe(), Warnings: r.warnings, Left: r.left}
	for i, name := range uniqueNames(r.targets) {
		t := r.targets[i].Target
		t.Name = name
		in.Targets = append(in.Targets, t)
	}
	if n := len(in.Warnings) - maxWarnings; n > 0 {
		in.Warnings = append(in.Warnings[:maxWarnings:maxWarnings], fmt.Sprintf("%d more warnings like these", n))
	}
	return in, nil
}

// errNothing is for inputs that gave neither a sample nor an error.
var errNothing = errors.New("no goroutine profile found")

// cause returns the first warning since a point, as a sentence behind an error:
// where nothing is left, warnings are not shown. Empty if there is none.
func (r *reader) cause(since int) string {
	if len(r.warnings) == since {
		return ""
	}
	return " The first that was met: " + r.warnings[since]
}

// fail records that an argument gave nothing.
func (r *reader) fail(name string, elems []string, err error) {
	r.errs = append(r.errs, fmt.Errorf("%s: %w", name, err))
	r.targets = append(r.targets, found{Target: profile.Target{Err: err.Error()}, elems: elems})
}

// failFile records that a file which must be a profile gave nothing.
func (r *reader) failFile(f *file, err error) { r.fail(f.label, append(pathElems(f.dir), f.base), err) }

// skip records that a file was passed over.
func (r *reader) skip(f *file, err error) {
	r.skipped++
	r.warnings = append(r.warnings, fmt.Sprintf("%s: passed over: %v", f.label, err))
}

func (r *reader) warn(format string, args ...any) {
	r.warnings = append(r.warnings, fmt.Sprintf(format, args...))
}

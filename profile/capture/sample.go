package capture

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/thanosleak/thanosleak/profile"
)

// source is where the time of a sample is from, most trustworthy first.
type source int

const (
	fromDump source = iota
	fromName
	fromFile // the time the file was written, which copying changes
	unknown
)

// taken is a sample and how far its time is to be trusted.
type taken struct {
	profile.Sample
	source source
}

// part is what one stem gave.
type part struct {
	stem    *stem
	samples []taken
}

// countOrder are the kinds that counts are taken from, best first. A leak
// profile of debug=2 dumps all goroutines; those of debug=0 and 1 stand for
// the process only where there is nothing else.
var countOrder = [...]kind{debug0, debug1, debug2, leak2, leak0, leak1}

// sample reads the files of a stem. A file with several dumps, such as a log,
// gives several samples, oldest first; files that cannot be read are reported
// and give none.
func (r *reader) sample(s *stem, m profile.Metrics, goVersion string) part {
	p := part{stem: s}
	for _, k := range countOrder {
		snaps, written, ok := r.profiles(s, k, goVersion)
		if !ok {
			continue
		}
		for _, snap := range snaps {
			t := taken{Sample: profile.Sample{Goroutines: snap, Rest: nameRest(s.name)}}
			t.Time, t.source = r.timeOf(snap, s, written, len(snaps) > 1)
			p.samples = append(p.samples, t)
		}
		last := &p.samples[len(p.samples)-1]
		last.Metrics = m
		r.annotate(s, k, goVersion, &last.Sample)
		return p
	}
	return p
}

// timeOf returns the time of a snapshot. The dumps of a log stand one behind
// the other; when each was taken is not known.
func (r *reader) timeOf(snap *profile.Snapshot, s *stem, written time.Time, several bool) (time.Time, source) {
	switch {
	case profile.PossibleTime(snap.Time):
		return snap.Time, fromDump
	case several && !written.IsZero():
		return written, unknown
	case !s.time.IsZero():
		return s.time, fromName
	case !written.IsZero():
		return written, fromFile
	}
	return r.o.Now, unknown
}

// annotate adds what the other files of the stem tell of the sample that was
// counted from kind k.
func (r *reader) annotate(s *stem, k kind, goVersion string, sample *profile.Sample) {
	if k >= leak0 {
		if k == leak2 {
			sample.Leaked = sample.Goroutines
		}
		return
	}
	for _, leak := range [...]kind{leak0, leak1, leak2} {
		if snaps, _, ok := r.profiles(s, leak, goVersion); ok {
			sample.Leaked = snaps[0]
			break
		}
	}
	if sample.Goroutines.Encoding == profile.Debug2 {
		return
	}
	for _, full := range [...]kind{debug2, leak2} {
		if snaps, _, ok := r.profiles(s, full, goVersion); ok && snaps[0].Encoding == profile.Debug2 {
			sample.Goroutines.Annotate(snaps[0])
			return
		}
	}
}

// profiles reads the file of a kind. It is not ok where there is none or it
// cannot be read.
func (r *reader) profiles(s *stem, k kind, goVersion string) (snaps []*profile.Snapshot, written time.Time, ok bool) {
	f := s.files[k]
	if f == nil {
		return nil, time.Time{}, false
	}
	snaps, written, err := readProfiles(f, goVersion)
	if err != nil {
		s.files[k] = nil // once reported is enough
		r.problem(s, f, err)
		return nil, time.Time{}, false
	}
	for _, snap := range snaps {
		r.shared.Snapshot(snap)
	}
	return snaps, written, true
}

func readProfiles(f *file, goVersion string) ([]*profile.Snapshot, time.Time, error) {
	in, written, err := f.open()
	if err != nil {
		return nil, time.Time{}, err
	}
	defer in.Close()
	u := unpackers.Get().(*unpacker)
	defer u.free()
	br, err := u.plain(in, maxFile)
	if err != nil {
		return nil, time.Time{}, err
	}
	// package profile would unpack a second layer, and without a bound.
	if head, _ := br.Peek(2); bytes.Equal(head, []byte{0x1f, 0x8b}) {
		return nil, time.Time{}, &profile.UnsupportedError{Form: "a file that was gzipped twice", Hint: "Run gunzip once and try again."}
	}
	snaps, err := profile.Read(br, profile.Options{GoVersion: goVersion})
	if err == nil {
		err = readable(snaps)
	}
	return snaps, written, err
}

// readable refuses a dump of which nothing could be read: taken for a sample,
// it would look like a process without goroutines.
func readable(snaps []*profile.Snapshot) error {
	var why []string
	for _, s := range snaps {
		if s.Total > 0 || s.Unreadable == 0 {
			return nil
		}
		why = append(why, s.Warnings...)
	}
	return fmt.Errorf("no goroutine in it can be read (%s). Hand in the file itself in place of a paste", strings.Join(slices.Compact(why), "; "))
}

// problem reports a file that cannot be read: always where a profile must be
// in it, else only where one seems to have been.
func (r *reader) problem(s *stem, f *file, err error) {
	_, foreign := errors.AsType[*profile.UnsupportedError](err)
	switch {
	case s.named && !s.inside:
		r.failFile(f, err)
	case s.among && isPprofName(f.base):
		s.lost, s.why = f, err
	case s.inside, !foreign && isProfileName(f.base):
		s.why = err
		r.skip(f, err)
	}
}

// metrics reads the metrics of a stem; nil if there are none.
func (r *reader) metrics(s *stem) profile.Metrics {
	var m profile.Metrics
	r.aside(s.files[metrics], func(in io.Reader) (err error) {
		m, err = r.shared.ReadMetrics(in)
		return err
	})
	return m
}

// facts reads what the status files of a folder tell.
func (r *reader) facts(files map[string]*file) profile.Facts {
	var f profile.Facts
	r.aside(files[buildInfoFile], f.ReadBuildInfo)
	r.aside(files[flagsFile], func(in io.Reader) error { return f.ReadFlags(in, r.o.Flags) })
	r.aside(files[storesFile], f.ReadStores)
	return f
}

// aside reads a file that is no profile, if there is one. A sample is whole
// without it, so that what is wrong with it is a warning.
func (r *reader) aside(f *file, read func(io.Reader) error) {
	if f == nil {
		return
	}
	if err := r.read(f, read); err != nil {
		r.skip(f, err)
	}
}

// read reads a file that is no profile, which may be gzipped.
func (r *reader) read(f *file, read func(io.Reader) error) error {
	in, _, err := f.open()
	if err != nil {
		return err
	}
	defer in.Close()
	u := unpackers.Get().(*unpacker)
	defer u.free()
	br, err := u.plain(in, maxFile)
	if err != nil {
		return err
	}
	return read(br)
}

// adopt adds what the last metrics tell to the facts. The status files may be
// older: where they name another version, the process was upgraded since.
func adopt(f *profile.Facts, last profile.Metrics) {
	var seen profile.Facts
	seen.Adopt(last)
	if f.Version != "" && seen.Version != "" && seen.Version != f.Version {
		f.Version, f.VersionSource = seen.Version, seen.VersionSource
		f.Revision, f.GoVersion = seen.Revision, seen.GoVersion
	}
	f.Adopt(last)
	if f.Version == "" {
		f.VersionSource = "unknown"
	}
}

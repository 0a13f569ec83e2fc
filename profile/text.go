package profile

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/thanosleak/thanosleak/internal/lazyregexp"
)

// cutSize is the size in bytes at which the runtime cuts debug=2, in the
// middle of a line and without a word (writeGoroutineStacks in
// runtime/pprof/pprof.go).
const cutSize = 64 << 20

// maxDumps is how many dumps one input may have: as many as the samples of two
// months, one every ten minutes.
const maxDumps = 10_000

// tooManyDumps says that an input had more.
var tooManyDumps = fmt.Sprintf("it has more than %d dumps: the others were left out", maxDumps)

// textReader walks over the lines of a dump or of a log with dumps inside, and
// hands each to the writer that it is from.
type textReader struct {
	lines lineReader

	plain    writer    // of the lines without a prefix
	prefixed []*source // in the order in which they were met
	last     *source   // of prefixed, that the last line with a prefix was from
	header   []byte    // behind the prefix of a source that the line before was the first of
	dumps    int       // begun so far, by any writer
	escaped  []*Snapshot
	excess   int    // goroutines of sources that there was no room for
	number   int    // that stood before the last line, as grep -n writes it; 0 for none
	file     []byte // that stood before the number, with its colon; empty for none
	headers  int    // of goroutines, without anything behind them that could be read
	sample   []byte // first lines of the input, to name its form
	// lastPositions are lines that were of no dump, each in turn; there may be as
	// many writers. positions is how many there were.
	lastPositions [8][]byte
	positions     int
}

// writer is who writes lines that belong together.
type writer struct {
	done []placed
	dump textDump // the dump under way, or nil
	full *debug2  // dump, if it is one
	at   int      // place of the dump under way
	// headless says that positions stood before any dump: its beginning is
	// missing.
	headless bool
	// other says that a profile of another kind goes on, whose records look like
	// those of debug=1.
	other bool
}

// placed is a snapshot and its place among the dumps of the input.
type placed struct {
	snap *Snapshot
	at   int
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
	t := &textReader{lines: lineReader{br: br}}
	for {
		l, err := t.lines.next()
		if err == nil && t.number == 0 && t.plain.full != nil && t.plain.full.quick(l) {
			continue
		}
		w := &t.plain
		if len(l) > 0 || err == nil {
			w, l = t.take(l)
		}
		if errors.Is(err, io.EOF) {
			return t.end(w, endsInside(l))
		}
		if err != nil {
			return nil, gzipError(err)
		}
	}
}

// endsInside reports whether the last line of an input, which has no line end,
// was cut: a whole dump may end so, behind its last position.
func endsInside(l []byte) bool {
	_, _, position := cutPosition(bytes.TrimSpace(l))
	return len(l) > 0 && !position
}

// colourRE matches what terminals take for colours, links and other orders: ECMA-48's
// control sequences, and the strings of an operating system command.
var colourRE = lazyregexp.New(`\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?)`)

// linkRE matches what Slack exports where it has seen an address, as in
// "<http://github.com/a/b.F|github.com/a/b.F>(0xc0001)".
var linkRE = lazyregexp.New(`<https?://[^|>\s]*\|([^|>]*)>`)

// decorated reports whether there is an order for a terminal in the line, or a link.
func decorated(l []byte) bool {
	return bytes.IndexByte(l, '\x1b') >= 0 || bytes.Contains(l, []byte("<http"))
}

// undecorated takes orders for terminals and links out of a line.
func undecorated(l []byte) []byte {
	return linkRE().ReplaceAll(colourRE().ReplaceAll(l, nil), []byte("$1"))
}

// take hands a line to its writer. It returns who that is and what was behind
// the prefix.
func (t *textReader) take(l []byte) (*writer, []byte) {
	if decorated(l) {
		l = undecorated(l)
	}
	l = t.unnumber(l)
	if len(t.sample) < 4096 {
		t.sample = append(append(t.sample, l...), '\n')
	}
	i := headerAt(l)
	if i >= 0 && t.embedded(l[i:], headerOf(l) != nil) {
		return &t.plain, nil
	}
	if headerOf(l) == nil {
		s := t.source(l)
		if s == nil {
			t.unlearn(l)
		}
		t.header = t.header[:0]
		if s == nil && i > 0 {
			s = t.learn(l, i)
		}
		if s != nil {
			return t.from(s, l)
		}
	}
	t.header = t.header[:0]
	if t.plain.dump == nil && isPosition(l) {
		t.lastPositions[t.positions%len(t.lastPositions)] = slices.Clone(l[:min(len(l), maxPrefix+maxName)])
		t.positions++
	}
	t.plain.take(l, &t.dumps)
	return &t.plain, l
}

// isPosition reports whether the line is a position of a call, perhaps behind
// something else.
func isPosition(l []byte) bool {
	if !bytes.Contains(l, behindPosition) {
		return false
	}
	_, _, ok := cutPosition(bytes.TrimSpace(l))
	return ok
}

// take hands a line to the dump that it belongs to. dumps counts those that
// begin.
func (w *writer) take(l []byte, dumps *int) {
	header := headerOf(l)
	l = bytes.TrimLeft(l, " >") // indented, or quoted in a mail or an issue
	if bare := bytes.TrimRight(l, " \t"); len(bare) > 0 {
		l = bare // copied off a terminal
	}
	switch {
	case isThreadHeader(l):
		w.end(false)
		w.other = true
	case header != nil:
		w.other = false
		if w.full == nil || w.full.isNewDump(header) {
			w.start(newDebug2(), dumps)
		}
		w.line(header)
	case bytes.Contains(l, []byte(profileWords)) && profileHeader(l) != nil:
		w.other = false
		w.start(newDebug1(profileHeader(l)), dumps)
	case (w.dump == nil || w.full != nil) && isCountLine(l) && !w.other:
		w.start(newDebug1(nil), dumps)
		w.line(l)
	case w.dump != nil:
		w.line(l)
	case *dumps == 0:
		w.headless = w.headless || isPosition(l)
	}
}

// isThreadHeader reports whether a profile of the threads that were created begins,
// the only other one whose text has the form of debug=1 (writeProfile in
// runtime/pprof/pprof.go).
func isThreadHeader(l []byte) bool { return bytes.HasPrefix(l, []byte("threadcreate "+profileWords)) }

// line hands a line to the dump under way, if there is room for it.
func (w *writer) line(l []byte) {
	if w.dump != nil {
		w.dump.line(l)
	}
}

// headerOf returns the header of a goroutine without what indents it; nil if
// the line is none.
func headerOf(l []byte) []byte {
	if l = bytes.TrimRight(bytes.TrimLeft(l, " \t>"), " \t"); isGoroutineHeader(l) {
		return l
	}
	return nil
}

// start ends the dump under way and begins another, if there is room for it.
func (w *writer) start(d textDump, dumps *int) {
	w.end(false)
	if *dumps++; *dumps > maxDumps {
		return
	}
	w.dump, w.at = d, *dumps
	if w.full, _ = d.(*debug2); w.full != nil && w.headless {
		w.full.b.beginningMissing()
	}
	w.headless = false
}

// end keeps the snapshots of the dump under way.
func (w *writer) end(cut bool) {
	if w.dump == nil {
		return
	}
	for _, s := range w.dump.end(cut) {
		w.keep(s)
	}
	w.dump, w.full = nil, nil
}

// keep keeps a snapshot. A debug=2 dump behind a debug=1 dump of nearly the same
// goroutines is the same instant: the test or handler wrote both.
func (w *writer) keep(s *Snapshot) {
	if n := len(w.done); n > 0 && s.Encoding == Debug2 {
		if before := w.done[n-1].snap; before.Encoding == Debug1 && !before.LeaksOnly && sameInstant(before, s) {
			before.Annotate(s)
			return
		}
	}
	if s.Total > 0 || s.Unreadable > 0 || s.LeaksOnly {
		w.done = append(w.done, placed{s, w.at})
	}
}

// sameInstant reports whether two snapshots may be of one process at one instant: a
// few goroutines come and go between the two dumps, and one writes each. As many
// goroutines in other stacks are another process, or another time.
func sameInstant(a, b *Snapshot) bool {
	count := map[Signature]int{}
	for i := range a.Groups {
		count[a.Groups[i].Signature] = a.Groups[i].Count
	}
	common := 0
	for i := range b.Groups {
		common += min(b.Groups[i].Count, count[b.Groups[i].Signature])
	}
	most := max(a.Total, b.Total)
	return most-common <= max(4, most/10)
}

// end returns what was read. cut says that the input ends inside the last line
// of the writer.
func (t *textReader) end(last *writer, cut bool) ([]*Snapshot, error) {
	if t.plain.full != nil {
		t.plain.full.atLimit = t.lines.bytes == cutSize
	}
	t.plain.end(cut && last == &t.plain)
	done, writers := t.plain.done, min(len(t.plain.done), 1)
	for _, s := range t.prefixed {
		if len(s.partial) > 0 {
			s.endPartial(s.partial, &t.dumps)
		}
		s.end(cut && last == &s.writer)
		switch {
		case len(s.done) == 0:
		case s.sure():
			done = append(done, s.done...)
			writers++
		default:
			for _, d := range s.done {
				t.headers += d.snap.Unreadable
			}
		}
	}
	slices.SortStableFunc(done, func(a, b placed) int { return cmp.Compare(a.at, b.at) })
	snaps := make([]*Snapshot, len(done))
	for i, d := range done {
		snaps[i] = d.snap
	}
	if t.dumps > maxDumps && len(snaps) > 0 {
		warn(snaps, tooManyDumps).Truncated = true
	}
	if writers > 1 {
		warn(snaps, fmt.Sprintf("the dumps are from %d writers, told apart by what is before their lines: hand in one process at a time, those of several are no samples of one", writers))
	}
	return t.tellRest(snaps)
}

// fewHeaders is how many headers of goroutines there may be in the middle of what
// people write.
const fewHeaders = 3

// tellRest adds stacks inside lines where there is nothing else, and warns of
// what is left out. A panic that was recovered is one goroutine: beside whole
// dumps it would look like a process that has lost all others.
func (t *textReader) tellRest(snaps []*Snapshot) ([]*Snapshot, error) {
	snaps = withoutTraces(snaps)
	if len(snaps) == 0 {
		snaps = t.escaped
	} else if n := len(t.escaped); n > 0 {
		warn(snaps, fmt.Sprintf("%d stacks inside log lines are left out: beside whole dumps they are no samples", n))
	}
	switch {
	case len(snaps) == 0 && t.headers > fewHeaders:
		return nil, &UnsupportedError{Form: fmt.Sprintf("text with the headers of %d goroutines and nothing of their stacks that can be read", t.headers),
			Hint: "Something stands before its lines, or they were cut: hand the dump in as it was served."}
	case len(snaps) == 0:
		return nil, textForm(string(t.sample))
	case t.headers > fewHeaders:
		last := warn(snaps, fmt.Sprintf("%d could not be read: headers of goroutines, with something before them that is before nothing else", t.headers))
		last.Unreadable += t.headers
	}
	if t.lines.cut > 0 {
		last := warn(snaps, fmt.Sprintf("%d lines of more than %d MiB were cut: hand the dump in as it was served", t.lines.cut, maxLine>>20))
		last.Truncated = true
	}
	if t.excess > 0 {
		last := warn(snaps, fmt.Sprintf("%d could not be read: goroutines behind more than %d different prefixes", t.excess, maxSources))
		last.Unreadable += t.excess
	}
	return snaps, nil
}

// warn adds a warning to the last of the snapshots, which it returns.
func warn(snaps []*Snapshot, text string) *Snapshot {
	last := snaps[len(snaps)-1]
	last.Warnings = append(last.Warnings, text)
	return last
}

package profile

import (
	"bytes"
	"strconv"
	"strings"
)

// debug2 takes the lines of one debug=2 dump:
//
//	goroutine 282 [chan receive (nil chan), 1 minutes]:
//	pkg/store.newEagerRespSet.func2.3(0xc000634eb0)
//		/app/pkg/store/proxy_merge.go:627 +0x1d2
//	created by pkg/store.newEagerRespSet in goroutine 280
//		/app/pkg/store/proxy_merge.go:590 +0x3ba
//
// Most goroutines stand in few distinct stacks, so a stack is turned into
// frames once and recognised by its text afterwards.
type debug2 struct {
	b    *builder
	done []*Snapshot // dumps before this one, with nothing between

	open      bool // a goroutine is under way
	ignore    bool // its frames are complete (ancestors follow)
	word      State
	current   Goroutine
	createdBy string
	stack     []byte // "state\nfunc\nfile:line\n…" of the goroutine under way
	name      []byte // function whose position comes next; empty if none

	seen       map[string]groupPlace // by stack
	creators   map[string]string
	foreign    bool // a line of something else came since the last header
	stray      bool // the last line was of something else
	cutHeader  bool // the last line was the beginning of a header
	atLimit    bool // the input is as long as the runtime's limit
	shortened  bool // somebody left lines out
	selfDumped bool // the goroutine that writes the dump, if pprof does, was in it
}

func newDebug2() *debug2 {
	return &debug2{b: newBuilder(Debug2), seen: map[string]groupPlace{}, creators: map[string]string{}}
}

// isGoroutineHeader reports whether the line begins a goroutine, readable or
// not.
func isGoroutineHeader(l []byte) bool {
	rest, ok := bytes.CutPrefix(l, []byte("goroutine "))
	if !ok {
		return false
	}
	id, after, ok := bytes.Cut(rest, []byte(" "))
	return ok && allDigits(id) && (bytes.HasPrefix(after, []byte("[")) || bytes.HasPrefix(after, []byte("gp=")))
}

// isNewDump reports whether the header begins another dump: the goroutine
// that writes a dump stands in it first and as running. Others may be running
// as well (from Go 1.26 those that return from a system call), so something
// else must stand between.
func (d *debug2) isNewDump(header []byte) bool {
	_, word, ok := parseHeader(header)
	return ok && word == StateRunning && d.foreign
}

func (d *debug2) line(l []byte) bool {
	d.stray, d.cutHeader = false, false
	if isGoroutineHeader(l) {
		d.endGoroutine()
		d.startGoroutine(l)
		return true
	}
	if !d.open {
		d.foreign = d.foreign || len(l) > 0
		d.cutHeader = bytes.HasPrefix(l, []byte("goroutine ")) || len(l) > 0 && cutOff(l, "goroutine ")
		return len(l) == 0
	}
	if len(l) == 0 {
		d.endGoroutine()
		return true
	}
	l = bytes.TrimLeft(l, " \t")
	switch {
	case len(l) == 0: // cut behind the indentation
	case d.ignore:
	case len(d.name) > 0:
		d.position(l)
	case bytes.HasPrefix(l, []byte("created by ")):
		d.creator(l[len("created by "):])
	case bytes.HasPrefix(l, []byte("[originating from goroutine ")):
		d.ignore = true
	case bytes.HasPrefix(l, []byte("goroutine running on other thread")):
		d.stack = append(d.stack, "(stack unavailable)\n\n"...)
	default:
		d.call(l)
	}
	return true
}

// startGoroutine reads the header.
func (d *debug2) startGoroutine(l []byte) {
	d.foreign = false
	r, word, ok := parseHeader(l)
	if !ok {
		d.cutHeader = true
		d.b.unreadable("a goroutine's header")
		return
	}
	d.open, d.ignore, d.word, d.current, d.createdBy = true, false, word, r, ""
	d.stack = append(append(d.stack[:0], word...), '\n')
	d.name = d.name[:0]
}

// cutOff reports whether the line may be a beginning of the words.
func cutOff(l []byte, words string) bool { return strings.HasPrefix(words, string(l)) }

// call takes "pkg.(*T).Method(0xc000…, {…})".
func (d *debug2) call(l []byte) {
	if bytes.HasPrefix(l, []byte("...")) {
		// "...additional frames elided..." or "...5 frames elided..."; people
		// write "...(truncated)".
		d.shortened = d.shortened || !bytes.Contains(l, []byte("elided"))
		return
	}
	name := l[:max(bytes.LastIndexByte(l, '('), 0)]
	if len(name) == 0 {
		name = l
	}
	if bytes.ContainsAny(name, " \t") && !cutOff(l, "created by ") && !cutOff(l, "[originating from goroutine ") {
		// "--- FAIL: TestX (0.01s)" and "exit status 2" may follow without
		// an empty line between.
		d.stray, d.foreign = true, true
		return
	}
	if len(name) < len(l) && l[len(l)-1] == ')' && len(d.stack) < maxLine {
		d.name = append(d.name[:0], name...)
	}
}

// position takes "/app/pkg/store/proxy.go:392 +0x18fe" behind a call.
func (d *debug2) position(l []byte) {
	file, line, ok := cutPosition(l)
	if string(d.name) == createdByMark {
		d.name = d.name[:0]
		return
	}
	d.stack = append(append(d.stack, d.name...), '\n')
	if ok {
		d.stack = append(append(d.stack, file...), ':')
		d.stack = strconv.AppendInt(d.stack, int64(line), 10)
	}
	d.stack = append(d.stack, '\n')
	d.name = d.name[:0]
}

// createdByMark stands in name while the position of "created by" is next.
const createdByMark = "\x00"

// creator takes "pkg.F in goroutine 280", before Go 1.21 only "pkg.F".
func (d *debug2) creator(l []byte) {
	name, id, found := bytes.Cut(l, []byte(" in goroutine "))
	if found {
		if n, err := strconv.ParseInt(string(id), 10, 64); err == nil {
			d.current.Creator = n
		}
	}
	known, ok := d.creators[string(name)]
	if !ok {
		known = foldTypeArgs(string(name))
		d.creators[known] = known
	}
	d.createdBy = known
	d.name = append(d.name[:0], createdByMark...)
}

// endGoroutine counts the goroutine under way.
func (d *debug2) endGoroutine() {
	if !d.open {
		return
	}
	d.open = false
	if len(d.name) > 0 && string(d.name) != createdByMark {
		d.position(nil)
	}
	if d.word == StateRunning && bytes.Contains(d.stack, []byte("\nruntime/pprof.writeGoroutineStacks\n")) {
		if d.selfDumped {
			d.nextDump()
		}
		d.selfDumped = true
	}
	at, ok := d.seen[string(d.stack)]
	if ok {
		d.b.count(at, 1)
	} else if at, ok = d.newStack(); !ok {
		return
	}
	d.b.member(at.group, d.current, d.createdBy)
}

// nextDump begins another dump with the goroutine under way: pprof's own runs
// once in a dump.
func (d *debug2) nextDump() {
	d.done = append(d.done, d.b.finish())
	d.b, d.seen = newBuilder(Debug2), map[string]groupPlace{}
}

// newStack counts a goroutine whose stack was not seen before.
func (d *debug2) newStack() (at groupPlace, ok bool) {
	frames := framesOf(string(d.stack))
	if len(frames) == 0 {
		d.b.unreadable("a goroutine without frames")
		return at, false
	}
	at, ok = d.b.add(frames, textState(string(d.word), frames), 1)
	if !ok {
		d.b.unreadable(tooMany)
		return at, false
	}
	if d.b.room(len(d.stack)) {
		d.seen[string(d.stack)] = at
	}
	return at, true
}

func (d *debug2) end(cut bool) []*Snapshot {
	cut = d.atLimit || cut && (d.cutHeader || d.open && !d.stray)
	d.endGoroutine()
	s := d.b.finish()
	if d.shortened && !cut {
		s.Truncated = true
		s.Warnings = append(s.Warnings, "the dump was shortened: counts are lower bounds")
	}
	if cut {
		s.Truncated = true
		s.Warnings = append(s.Warnings,
			"the dump ends in the middle of a line (the runtime cuts debug=2 at 64 MiB, issue trackers at 64 KiB): counts are lower bounds")
	}
	return append(d.done, s)
}

// framesOf turns the text kept of a stack into frames, leaf first.
func framesOf(stack string) []Frame {
	lines := strings.Split(stack, "\n")
	var frames []Frame
	for i := 1; i+1 < len(lines); i += 2 {
		f := Frame{Func: foldTypeArgs(lines[i])}
		if file, line, ok := cutPosition([]byte(lines[i+1])); ok {
			f.File, f.Line = string(file), line
		}
		frames = append(frames, f)
	}
	return frames
}

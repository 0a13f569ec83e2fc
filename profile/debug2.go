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
// frames once and recognised by its text afterwards: see [call].
type debug2 struct {
	b    *builder
	done []*Snapshot // dumps before this one, with nothing between

	open      bool // a goroutine is under way
	ignore    bool // its frames are complete (ancestors follow)
	doubled   bool // empty lines do not end it
	word      State
	current   Goroutine
	createdBy string
	next      expected

	root   *call  // of the stacks met so far
	at     *call  // the last call of the goroutine under way; nil if there was no room for it
	guess  *call  // the call whose position comes next, if it is the one that followed the last time
	prefix []byte // of that call, if it is another
	key    []byte // scratch

	heads      map[string]head // what stands behind the ids, by its text
	creators   map[string]string
	foreign    bool // a line of something else came since the last header
	threads    bool // a crash goes through the threads
	stray      bool // the last line was of something else
	cutHeader  bool // the last line was the beginning of a header
	atLimit    bool // the input is as long as the runtime's limit
	shortened  bool // somebody left lines out
	tooMany    bool // dumps, with nothing between
	selfDumped bool // the goroutine that writes the dump, if pprof does, was in it

	first    int64   // id of the first goroutine of the dump
	begun    bool    // it was there
	hasMain  bool    // goroutine 1, which every process has, was in it
	excerpt  []int64 // ids of the goroutines before main
	repeated bool    // the goroutine under way was counted before
}

// expected is what the next line of a goroutine is.
type expected int

const (
	nextCall     expected = iota
	nextPosition          // of the call before
	nextCreation          // the position of "created by"
)

func newDebug2() *debug2 {
	return &debug2{b: newBuilder(Debug2, 0), root: &call{}, heads: map[string]head{}, creators: map[string]string{}}
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

// quick takes the lines that nearly all of a dump consists of, without a look
// at what else they might be, and reports whether it did. Every other line is
// for [debug2.line], which takes these as well.
func (d *debug2) quick(l []byte) bool {
	d.stray, d.cutHeader = false, false
	switch {
	case len(l) == 0:
		d.blank()
		return true
	case l[0] == 'g' && !d.foreign && l[len(l)-1] == ':' && isGoroutineHeader(l) && !decorated(l):
		d.endGoroutine()
		d.startGoroutine(l)
		return true
	case !d.open || d.ignore:
		return false
	case l[0] == '\t':
		return d.next != nextCall && d.quickPosition(l[1:])
	case d.next != nextCall || !isLetter(l[0]):
		return false
	case bytes.HasPrefix(l, createdBy) && !decorated(l):
		d.creator(l[len(createdBy):])
		return true
	}
	return d.addCall(l)
}

// quickPosition takes "/app/pkg/store/proxy.go:392 +0x18fe" or, of a call that
// was inlined, "/app/pkg/store/proxy.go:392", if there is no other space in it.
func (d *debug2) quickPosition(l []byte) bool {
	if d.next == nextPosition && d.guess != nil && d.guess.isAt(l) {
		d.at, d.next = d.guess, nextCall
		return true
	}
	if d.next == nextCreation {
		d.next = nextCall
		return true
	}
	i := bytes.IndexByte(l, ' ')
	if i < 0 {
		i = len(l)
	} else if !bytes.HasPrefix(l[i:], behindPosition) {
		return false
	}
	if i == 0 || !isDigit(l[i-1]) || decorated(l) {
		return false
	}
	d.follow(l[:i])
	return true
}

// line takes a line that may be of any kind.
func (d *debug2) line(l []byte) bool {
	d.stray, d.cutHeader = false, false
	if isGoroutineHeader(l) {
		d.endGoroutine()
		d.startGoroutine(l)
		return true
	}
	if !d.open {
		d.threads = d.threads || string(l) == threadMark
		d.foreign = d.foreign || len(l) > 0
		d.cutHeader = bytes.HasPrefix(l, []byte("goroutine ")) || len(l) > 0 && cutOff(l, "goroutine ")
		return len(l) == 0
	}
	if len(l) == 0 {
		d.blank()
		return true
	}
	l = bytes.TrimLeft(l, " \t")
	switch {
	case len(l) == 0: // cut behind the indentation
	case d.ignore:
	case d.next != nextCall:
		d.position(l)
	case bytes.HasPrefix(l, createdBy):
		d.creator(l[len(createdBy):])
	case bytes.HasPrefix(l, []byte("[originating from goroutine ")):
		d.ignore = true
	case bytes.HasPrefix(l, []byte("goroutine running on other thread")):
		d.guess, d.prefix, d.next = nil, append(d.prefix[:0], "(stack unavailable)("...), nextPosition
		d.follow(nil)
	case isForeignCode(l):
	default:
		d.call(l)
	}
	return !d.stray
}

// createdBy stands before the function that started the goroutine.
var createdBy = []byte("created by ")

// threadMark stands between the threads of a process that crashes with
// GOTRACEBACK=crash. What follows is of the same instant.
const threadMark = "-----"

// isForeignCode reports whether the line is of a C function, for which a program
// may register a symbolizer (printOneCgoTraceback in runtime/traceback.go).
// Profiles do not have them.
func isForeignCode(l []byte) bool {
	return string(l) == "non-Go function" || bytes.HasPrefix(l, []byte("pc=0x")) || bytes.Contains(l, []byte(" pc=0x"))
}

// startGoroutine reads the header.
func (d *debug2) startGoroutine(l []byte) {
	foreign := d.foreign
	d.foreign = false
	r, word, ok := d.parseHeader(l)
	if !ok {
		d.cutHeader = true
		d.b.unreadable(1, "a goroutine's header")
		return
	}
	d.open, d.ignore, d.doubled, d.word, d.current, d.createdBy = true, false, false, word, r, ""
	if d.begins(foreign) {
		d.nextDump()
	}
	d.at, d.next = d.root, nextCall
	d.meet()
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
	if !isName(callName(l)) && !cutOff(l, "created by ") && !cutOff(l, "[originating from goroutine ") {
		// "--- FAIL: TestX (0.01s)" and "exit status 2" may follow without
		// an empty line between.
		d.stray, d.foreign = true, true
		return
	}
	d.addCall(l)
}

// callName returns what stands before the arguments of a call, which begin at
// the first parenthesis that is not a receiver's: "pkg.(*T).Method(0xc000…)".
// It is the whole line if there is none, or nothing before it.
func callName(l []byte) []byte {
	for i := 0; ; i++ {
		j := bytes.IndexByte(l[i:], '(')
		if j < 0 || i+j == 0 {
			return l
		}
		if i += j; l[i-1] != '.' {
			return l[:i]
		}
	}
}

// isCall reports whether the line is a call and nothing else.
func isCall(l []byte) bool {
	name := callName(l)
	return len(name) < len(l) && l[len(l)-1] == ')' && isName(name)
}

// isName reports whether there is no white space in the name, nor a colour.
func isName(name []byte) bool {
	return bytes.IndexByte(name, ' ') < 0 && bytes.IndexByte(name, '\t') < 0 && !decorated(name)
}

// addCall adds a call whose position comes next. It reports whether the line is
// a call.
func (d *debug2) addCall(l []byte) bool {
	if d.at != nil && d.at.last != nil && d.at.last.isPrefixOf(l) {
		d.guess, d.next = d.at.last, nextPosition
		return true
	}
	if !isCall(l) {
		return false
	}
	name := callName(l)
	d.guess, d.next = nil, nextPosition
	d.prefix = append(d.prefix[:0], l[:len(name)+1]...)
	return true
}

// position takes "/app/pkg/store/proxy.go:392 +0x18fe" behind a call, and
// whatever stands in its place.
func (d *debug2) position(l []byte) {
	var position []byte
	if file, line, ok := cutPosition(l); ok {
		position = strconv.AppendInt(append(bytes.Clone(file), ':'), int64(line), 10)
	}
	d.follow(position)
}

// follow ends a call with its position.
func (d *debug2) follow(position []byte) {
	if d.next == nextPosition && d.at != nil && d.at.depth < maxStack {
		prefix := d.prefix
		if d.guess != nil {
			prefix = append(prefix[:0], d.guess.prefix...)
			d.prefix = prefix
		}
		d.at = d.at.follow(prefix, position, &d.key, d.b)
	}
	d.next = nextCall
}

// creator takes "pkg.F in goroutine 280", before Go 1.21 only "pkg.F".
func (d *debug2) creator(l []byte) {
	name, id, found := bytes.Cut(bytes.TrimRight(l, " \t"), []byte(" in goroutine "))
	if found {
		if n, err := strconv.ParseInt(string(id), 10, 64); err == nil {
			d.current.Creator = n
		}
	}
	known, ok := d.creators[string(name)]
	if !ok {
		known = foldTypeArgs(string(name))
		if d.b.room(entrySize + len(known)) {
			d.creators[known] = known
		}
	}
	d.createdBy = known
	d.next = nextCreation
}

// blank takes an empty line: the end of the goroutine under way, unless it stands
// right behind the header, as in a paste whose line ends were doubled.
func (d *debug2) blank() {
	d.doubled = d.doubled || d.open && d.at == d.root && d.next == nextCall
	if !d.doubled {
		d.endGoroutine()
	}
}

// endGoroutine counts the goroutine under way.
func (d *debug2) endGoroutine() {
	if !d.open {
		return
	}
	d.open = false
	if d.repeated {
		d.b.snap.Repeated++
		return
	}
	d.follow(nil)
	if d.word == StateRunning && d.at != nil && d.at.passes("runtime/pprof.writeGoroutineStacks") {
		if d.selfDumped { // pprof's own runs once in a dump
			d.nextDump()
			d.meet()
		}
		d.selfDumped = true
	}
	at, ok := d.spot()
	if !ok {
		return
	}
	d.b.member(at.group, d.current, d.createdBy)
}

// spot counts the goroutine under way.
func (d *debug2) spot() (at spot, ok bool) {
	switch d.at {
	case nil:
		d.b.unreadable(1, tooMany)
		return at, false
	case d.root:
		d.b.unreadable(1, "a goroutine without frames")
		return at, false
	}
	if at, ok = d.at.ends[d.word]; ok {
		d.b.count(at, 1)
		return at, true
	}
	frames := d.at.frames()
	if at, ok = d.b.add(frames, textState(string(d.word), frames), 1); !ok {
		d.b.unreadable(1, tooMany)
		return at, false
	}
	if d.b.room(entrySize) {
		if d.at.ends == nil {
			d.at.ends = map[State]spot{}
		}
		d.at.ends[d.word] = at
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
	if d.tooMany {
		s.Truncated = true
		s.Warnings = append(s.Warnings, tooManyDumps)
	}
	if cut {
		s.Truncated = true
		s.Warnings = append(s.Warnings,
			"the dump ends in the middle of a line (the runtime cuts debug=2 at 64 MiB, issue trackers at 64 KiB): counts are lower bounds")
	}
	return append(d.done, s)
}

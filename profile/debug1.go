package profile

import (
	"bytes"
	"fmt"
	"strconv"

	"github.com/thanosleak/thanosleak/internal/lazyregexp"
)

// debug1 takes the lines of one debug=1 dump:
//
//	goroutine profile: total 450
//	144 @ 0x43f90e 0x40abf9 0x40aa72 0x1d11152
//	# labels: {"tenant":"a"}
//	#	0x1d11151	pkg/store.newEagerRespSet.func2.3+0x1d1	/app/pkg/store/proxy_merge.go:627
//
// Markdown takes the "#" for a heading and tabs for spaces, so neither is
// needed.
type debug1 struct {
	b        *builder
	declared int // goroutines by the header, -1 if there is none
	counted  int // goroutines by the count lines

	// The record under way.
	count  int  // 0 if there is none
	single bool // its stack is a single address
	frames []Frame
	size   int  // of its lines in bytes
	ended  bool // an empty line came
}

// maxRecord bounds a record in bytes. Labels are printed on one line and can be
// long.
const maxRecord = 1 << 20

var profileHeaderRE = lazyregexp.New(`\b(goroutine|goroutineleak) profile: total (\d+)\s*$`)

// profileHeader returns the parts of a line "goroutine profile: total N", or
// nil for another line.
func profileHeader(l []byte) [][]byte { return profileHeaderRE().FindSubmatch(l) }

// isCountLine reports whether the line begins a record of debug=1.
func isCountLine(l []byte) bool {
	_, _, ok := countLine(l)
	return ok && bytes.Contains(l, []byte(" @ 0x"))
}

// countLine takes "144 @ 0x43f90e 0x40abf9" and returns the count and how many
// addresses follow.
func countLine(l []byte) (count []byte, addresses int, ok bool) {
	count, rest, ok := bytes.Cut(l, []byte(" @"))
	if !ok || !allDigits(count) {
		return nil, 0, false
	}
	for rest = bytes.TrimRight(rest, whiteSpace); len(rest) > 0; addresses++ {
		if rest[0] != ' ' {
			return nil, 0, false
		}
		var address []byte
		if address, rest = cutHex(rest[1:]); address == nil {
			return nil, 0, false
		}
	}
	return count, addresses, true
}

// symbolLine takes "#	0x1d11151	pkg.F+0x1d1	/app/pkg/f.go:627".
func symbolLine(l []byte) (name, file []byte, line int, ok bool) {
	address, rest := cutHex(bytes.TrimLeft(bytes.TrimPrefix(l, []byte("#")), " \t"))
	symbol := bytes.TrimLeft(rest, " \t")
	if address == nil || len(symbol) == len(rest) {
		return nil, nil, 0, false
	}
	for i := 1; i < len(symbol); i++ {
		plus := bytes.IndexByte(symbol[i:], '+')
		if plus < 0 {
			break
		}
		i += plus
		offset, rest := cutHex(symbol[i+1:])
		position := bytes.TrimLeft(rest, " \t")
		if offset == nil || len(position) == len(rest) {
			continue
		}
		position = bytes.TrimRight(position, whiteSpace)
		colon := bytes.LastIndexByte(position, ':')
		if colon < 0 || !allDigits(position[colon+1:]) {
			return nil, nil, 0, false
		}
		line, _ = strconv.Atoi(string(position[colon+1:])) // 0 where it is out of range
		return symbol[:i], position[:colon], line, true
	}
	return nil, nil, 0, false
}

// addressLine takes a line with an address alone.
func addressLine(l []byte) []byte {
	address, rest := cutHex(bytes.TrimLeft(bytes.TrimPrefix(l, []byte("#")), " \t"))
	if len(bytes.TrimRight(rest, whiteSpace)) > 0 {
		return nil
	}
	return address
}

const whiteSpace = " \t\r\n\f\v"

// cutHex takes a number like 0x1d1 off l; nil if there is none.
func cutHex(l []byte) (number, rest []byte) {
	if len(l) < 3 || l[0] != '0' || l[1] != 'x' {
		return nil, l
	}
	i := 2
	for i < len(l) && (isDigit(l[i]) || 'a' <= l[i] && l[i] <= 'f') {
		i++
	}
	if i == 2 {
		return nil, l
	}
	return l[:i], l[i:]
}

// newDebug1 begins a dump with the header's parts; nil where there is none.
func newDebug1(header [][]byte) *debug1 {
	d := &debug1{b: newBuilder(Debug1, 0), declared: -1}
	if header == nil {
		d.b.beginningMissing()
		return d
	}
	d.b.snap.LeaksOnly = string(header[1]) == "goroutineleak"
	if n, err := strconv.Atoi(string(header[2])); err == nil {
		d.declared = n
	}
	return d
}

func (d *debug1) line(l []byte) bool {
	if isCountLine(l) {
		d.startRecord(l)
		return true
	}
	if d.count == 0 {
		return len(l) == 0
	}
	if d.size += len(l); d.size > maxRecord {
		return true // no stack is as deep
	}
	if name, file, line, ok := symbolLine(l); ok {
		d.frames = append(d.frames, Frame{Func: foldTypeArgs(string(name)), File: string(file), Line: line})
		return true
	}
	if address := addressLine(l); address != nil {
		d.frames = append(d.frames, Frame{Func: string(address)})
		return true
	}
	if len(l) == 0 {
		d.ended = true // unless a paste has doubled all line ends: then its frames follow
		return true
	}
	labels := bytes.HasPrefix(bytes.TrimLeft(l, "# \t"), []byte("labels:"))
	if d.ended && !labels {
		d.endRecord() // what follows is of something else, such as another profile
	}
	return labels
}

// startRecord reads the line with the count.
func (d *debug1) startRecord(l []byte) {
	d.endRecord()
	count, addresses, _ := countLine(l)
	n, err := strconv.Atoi(string(count))
	if err != nil || n <= 0 || n > maxCount {
		d.b.outOfRange()
		return
	}
	d.count, d.single = n, addresses == 1
	d.counted += n
}

// endRecord groups the record under way.
func (d *debug1) endRecord() {
	if d.count == 0 {
		return
	}
	if len(d.frames) == 0 && d.single {
		d.frames = append(d.frames, Frame{Func: goexit})
	}
	if len(d.frames) == 0 {
		d.b.unreadable(d.count, "in a stack without the names of its functions")
	} else if _, ok := d.b.add(d.frames, StateUnknown, d.count); !ok {
		d.b.unreadable(d.count, tooMany)
	}
	d.count, d.frames, d.size, d.ended = 0, d.frames[:0], 0, false
}

func (d *debug1) end(cut bool) []*Snapshot {
	if cut && d.declared > d.counted {
		d.single = false // its other addresses are cut off
	}
	d.endRecord()
	s := d.b.finish()
	if d.declared > d.counted {
		s.Truncated = true
		s.Warnings = append(s.Warnings, fmt.Sprintf(
			"the dump announces %d goroutines and ends after %d: it was cut, counts are lower bounds", d.declared, d.counted))
	}
	return []*Snapshot{s}
}

// cutPosition splits "/app/x.go:12 +0x1d fp=…" into file and line.
func cutPosition(l []byte) (file []byte, line int, ok bool) {
	if i := bytes.IndexByte(l, ' '); i >= 0 {
		if j := bytes.LastIndexByte(l[:i], ':'); j < 0 || !allDigits(l[j+1:i]) {
			// The path itself has a space: the line number ends before " +0x".
			i = bytes.LastIndex(l, []byte(" +0x"))
		}
		if i > 0 {
			l = l[:i]
		}
	}
	i := bytes.LastIndexByte(l, ':')
	if i <= 0 || !allDigits(l[i+1:]) {
		return nil, 0, false
	}
	n, err := strconv.Atoi(string(l[i+1:]))
	return l[:i], n, err == nil && !bytes.HasPrefix(l, []byte("http"))
}

func allDigits(b []byte) bool {
	for _, c := range b {
		if !isDigit(c) {
			return false
		}
	}
	return len(b) > 0
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }

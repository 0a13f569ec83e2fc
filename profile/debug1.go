package profile

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
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
	size   int // of its lines in bytes
}

var (
	profileHeaderRE = regexp.MustCompile(`\b(goroutine|goroutineleak) profile: total (\d+)\s*$`)
	countLineRE     = regexp.MustCompile(`^(\d+) @((?: 0x[0-9a-f]+)*)\s*$`)
	symbolLineRE    = regexp.MustCompile(`^#?[ \t]*0x[0-9a-f]+[ \t]+(\S.*?)\+0x[0-9a-f]+[ \t]+(.*):(\d+)\s*$`)
	addressLineRE   = regexp.MustCompile(`^#?[ \t]*(0x[0-9a-f]+)\s*$`)
)

// profileHeader returns the parts of a line "goroutine profile: total N", or
// nil for another line.
func profileHeader(l []byte) [][]byte { return profileHeaderRE.FindSubmatch(l) }

// isCountLine reports whether the line begins a record of debug=1.
func isCountLine(l []byte) bool { return bytes.Contains(l, []byte(" @ 0x")) && countLineRE.Match(l) }

// newDebug1 begins a dump with the header's parts; nil where there is none.
func newDebug1(header [][]byte) *debug1 {
	d := &debug1{b: newBuilder(Debug1), declared: -1}
	if header == nil {
		d.b.snap.Truncated = true
		d.b.snap.Warnings = append(d.b.snap.Warnings, "the beginning of the dump is missing: counts are lower bounds")
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
		d.endRecord()
		m := countLineRE.FindSubmatch(l)
		n, err := strconv.Atoi(string(m[1]))
		if err != nil || n <= 0 || n > maxCount {
			d.b.unreadable("a count out of range")
			return true
		}
		d.count, d.single = n, bytes.Count(m[2], []byte(" ")) == 1
		d.counted += n
		return true
	}
	if d.count == 0 {
		return len(l) == 0
	}
	if d.size += len(l); d.size > maxLine {
		return true // no stack is as deep
	}
	if m := symbolLineRE.FindSubmatch(l); m != nil {
		line, err := strconv.Atoi(string(m[3]))
		if err != nil {
			line = 0
		}
		d.frames = append(d.frames, Frame{Func: foldTypeArgs(string(m[1])), File: string(m[2]), Line: line})
		return true
	}
	if m := addressLineRE.FindSubmatch(l); m != nil {
		d.frames = append(d.frames, Frame{Func: string(m[1])})
		return true
	}
	if len(l) == 0 {
		d.endRecord()
		return true
	}
	return bytes.HasPrefix(bytes.TrimLeft(l, "# \t"), []byte("labels:"))
}

// endRecord groups the record under way.
func (d *debug1) endRecord() {
	if d.count == 0 {
		return
	}
	if len(d.frames) == 0 && d.single {
		d.frames = []Frame{{Func: goexit}}
	}
	if len(d.frames) == 0 {
		d.b.unreadable("a stack without function names (only addresses were pasted)")
	} else if _, ok := d.b.add(d.frames, StateUnknown, d.count); !ok {
		d.b.unreadable(tooMany)
	}
	d.count, d.frames, d.size = 0, nil, 0
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
	return l[:i], n, err == nil && !strings.HasPrefix(string(l[:i]), "http")
}

func allDigits(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(b) > 0
}

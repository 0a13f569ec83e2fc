package profile

import (
	"bytes"
	"strconv"
	"strings"
)

// Bounds of what may stand before the lines of a dump: the bytes of a prefix,
// and how many of them one input may have (a log of several pods has one for
// each).
const (
	maxPrefix  = 1 << 10
	maxSources = 256
)

// A source is a writer whose lines all have the same prefix but for times:
//
//	2026-11-22T06:45:22.123456789Z stderr F goroutine 1 [running]:
//	Nov 22 06:45:22 host thanos[123]: goroutine 1 [running]:
//	[pod/thanos-query-0/thanos] 2026-11-22T06:45:22.1Z goroutine 1 [running]:
//	{"log":"goroutine 1 [running]:\n","stream":"stderr","time":"2026-11-22T06:45:22.1Z"}
//
// A prefix is learned from the header of a goroutine that stands behind it, so
// that a form need not be known to be read.
type source struct {
	writer
	parts   []part
	levels  int    // how often the rest of a line is escaped, as in the last form
	lineEnd bool   // the escaped line has its line end: one without is part of a line
	partial []byte // parts of a line that goes on
}

// part is a part of a prefix.
type part struct {
	kind partKind
	text string // of literal and upTo
}

// partKind tells what a part of a prefix matches.
type partKind int

const (
	literal partKind = iota
	stamp            // a time
	flag             // "F" or, if the line goes on in the next, "P"; tags may follow
	upTo             // all up to the text
)

// journalMessage is the field of the text in a line of journalctl -o json,
// which has a hundred other fields in any order.
const journalMessage = `"MESSAGE":"`

// parsePrefix tells times from what is the same on every line.
func parsePrefix(p []byte) []part {
	if bytes.HasPrefix(p, []byte("{")) && bytes.HasSuffix(p, []byte(journalMessage)) {
		return []part{{literal, "{"}, {upTo, journalMessage}}
	}
	var parts []part
	from := 0
	add := func(at, n int, kind partKind) {
		if at > from {
			parts = append(parts, part{literal, string(p[from:at])})
		}
		if n > 0 {
			parts = append(parts, part{kind: kind})
		}
		from = at + n
	}
	for i := 0; i < len(p); {
		if n := stampLen(p, i); n > 0 {
			add(i, n, stamp)
		} else if n := flagLen(p[i:]); n > 0 && (bytes.HasSuffix(p[:i], []byte(" stdout ")) || bytes.HasSuffix(p[:i], []byte(" stderr "))) {
			add(i, n, flag)
		} else {
			i++
			continue
		}
		i = from
	}
	add(len(p), 0, literal)
	return parts
}

// flagLen returns the length of the flag at the beginning of l, which a space
// must follow; 0 if there is none. The container runtimes write it.
func flagLen(l []byte) int {
	if len(l) == 0 || l[0] != 'F' && l[0] != 'P' {
		return 0
	}
	n := bytes.IndexByte(l, ' ')
	if n < 0 {
		n = len(l) // of an empty line, the space cut off
	}
	if n > 1 && l[1] != ':' {
		return 0
	}
	return n
}

// cut takes the prefix off a line; not ok if the line has another. more says
// that the line goes on in the next.
func (s *source) cut(l []byte) (rest []byte, more, ok bool) {
	for i, p := range s.parts {
		n := 0
		switch p.kind {
		case stamp:
			n = stampLen(l, 0)
		case flag:
			n = flagLen(l)
			more = n > 0 && l[0] == 'P'
		case upTo:
			if at := bytes.Index(l, []byte(p.text)); at >= 0 {
				n = at + len(p.text)
			}
		default:
			if bytes.HasPrefix(l, []byte(p.text)) {
				n = len(p.text)
			} else if i == len(s.parts)-1 && string(l) == strings.TrimRight(p.text, " ") {
				return nil, more, true // an empty line, its end cut off
			}
		}
		if n == 0 {
			return nil, false, false
		}
		l = l[n:]
	}
	return l, more, true
}

// isKnown reports whether the prefix has something that prefixes of log lines
// have and other text has not.
func (s *source) isKnown() bool {
	for _, p := range s.parts {
		if p.kind != literal || strings.HasPrefix(p.text, "[") || strings.HasPrefix(p.text, "{") || strings.Contains(p.text, "|") {
			return true
		}
	}
	return false
}

// sure reports whether the prefix was one: "see goroutine 5 [select]:" in the
// middle of a text is none.
func (s *source) sure() bool {
	if s.isKnown() {
		return true
	}
	for _, d := range s.done {
		if d.snap.Total > 0 {
			return true
		}
	}
	return false
}

// unnumber takes the number off a line that grep -n, cat -n, less -N or an editor have
// numbered: one more than that of the line before, the first of them before something
// of a dump. The name of a file may stand before it. A number that stays the same is a
// prefix of another kind.
func (t *textReader) unnumber(l []byte) []byte {
	if !bytes.HasPrefix(l, t.file) {
		t.number = 0 // another file begins
	}
	if t.number == 0 {
		t.file = append(t.file[:0], l[:fileBefore(l)]...)
	}
	bare := bytes.TrimLeft(l[len(t.file):], " ")
	digits := 0
	for digits < len(bare) && isDigit(bare[digits]) {
		digits++
	}
	last := t.number
	t.number = 0
	n, err := strconv.Atoi(string(bare[:digits]))
	if err != nil {
		return l
	}
	bare, ok := behindNumber(bare[digits:])
	follows := last > 0 && (n == last+1 || n == last && len(bare) > 0)
	if !ok || !follows && headerOf(bare) == nil && !isProfileHeader(bare) && !isCountLine(bare) {
		return l
	}
	t.number = n
	return bare
}

// behindNumber takes what divides a line from its number off it: a colon, a dash, a
// tab or, in less -N, vim and bat, a space, perhaps with a rule. An empty line may
// have lost it.
func behindNumber(l []byte) (rest []byte, ok bool) {
	if len(l) == 0 {
		return nil, true
	}
	switch l[0] {
	case ':', '-', '\t':
		return l[1:], true
	case ' ':
		if ruled, ok := bytes.CutPrefix(bytes.TrimLeft(l, " "), []byte("│")); ok {
			return bytes.TrimPrefix(ruled, []byte(" ")), true
		}
		return l[1:], true
	}
	return nil, false
}

// fileBefore returns the length of "FILE:" where "FILE:12:" stands before the header
// of a dump, as grep -n writes it; 0 for none.
func fileBefore(l []byte) int {
	i := headerAt(l) - 1
	if i < 1 || l[i] != ':' {
		return 0
	}
	start := i
	for start > 0 && isDigit(l[start-1]) {
		start--
	}
	if start == i || start < 2 || l[start-1] != ':' {
		return 0
	}
	return start
}

// source returns the source of a line; nil if it has no prefix that was met
// before.
func (t *textReader) source(l []byte) *source {
	if t.last != nil {
		if _, _, ok := t.last.cut(l); ok {
			return t.last
		}
	}
	for _, s := range t.prefixed {
		if _, _, ok := s.cut(l); ok {
			t.last = s
			return s
		}
	}
	return nil
}

// from hands a line to its source. It returns what was behind the prefix.
func (t *textReader) from(s *source, l []byte) (*writer, []byte) {
	rest, more, _ := s.cut(l)
	if s.levels > 0 {
		rest = unescape(rest, s.levels)
		whole := bytes.TrimSuffix(rest, []byte("\n"))
		more = s.lineEnd && len(whole) == len(rest)
		rest = whole
	}
	if more || len(s.partial) > 0 {
		s.partial = append(s.partial, rest[:min(len(rest), maxLine-len(s.partial))]...)
		rest = s.partial
	}
	if !more {
		s.endPartial(rest, &t.dumps)
	}
	return &s.writer, rest
}

// endPartial takes a line that is whole.
func (s *source) endPartial(l []byte, dumps *int) {
	for l := range bytes.SplitSeq(l, []byte("\n")) {
		s.take(bytes.TrimRight(l, "\r"), dumps)
	}
	s.partial = s.partial[:0]
}

// learn makes a source of what stands before the header at index i of a line
// and hands the line to it; nil if that is no prefix.
func (t *textReader) learn(l []byte, i int) *source {
	header, levels, ok := unescapeHeader(l[i:])
	if !ok || i > maxPrefix {
		return nil
	}
	s := &source{parts: parsePrefix(l[:i]), levels: levels, lineEnd: bytes.HasSuffix(header, []byte("\n"))}
	if isGoroutineHeader(header) {
		if len(t.prefixed) == maxSources {
			t.excess++
			return nil
		}
	} else if len(t.prefixed) == maxSources {
		return nil
	}
	for _, p := range t.lastPositions {
		if rest, _, ok := s.cut(p); ok && isPosition(unescape(rest, levels)) {
			s.headless = true
		}
	}
	t.header = append(t.header[:0], bytes.TrimSpace(header)...)
	t.prefixed = append(t.prefixed, s)
	t.last = s
	return s
}

// unlearn takes back the source that the line before was the first of, if this
// one shows that it had the prefix alone: log.Printf writes so what has several
// lines.
func (t *textReader) unlearn(l []byte) {
	if l = bytes.TrimLeft(l, " \t>"); len(t.header) == 0 || !isCall(l) && !isCountLine(l) {
		return
	}
	t.prefixed = t.prefixed[:len(t.prefixed)-1]
	t.last = nil
	t.plain.take(t.header, &t.dumps)
}

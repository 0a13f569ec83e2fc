package profile

import (
	"bytes"
	"strconv"
	"unicode/utf8"
)

// profileWords are in the first line of debug=1.
const profileWords = "profile: total "

// maxLevels bounds how often text is escaped: a log line in JSON, inside the
// JSON of a container runtime, inside that of a collector.
const maxLevels = 3

// headerAt returns the index at which a dump may begin in a line, -1 if there
// is none: at the header of a goroutine or of debug=1.
func headerAt(l []byte) int {
	for from := 0; ; {
		i := bytes.Index(l[from:], []byte("goroutine"))
		if i < 0 {
			return -1
		}
		i += from
		begins := i == 0 || !isLetter(l[i-1]) || i > 1 && l[i-2] == '\\' // as in "panic: x\n\ngoroutine 1"
		if begins && (isGoroutineHeader(l[i:]) || isProfileHeader(l[i:])) {
			return i
		}
		from = i + len("goroutine")
	}
}

// isProfileHeader reports whether debug=1 may begin here.
func isProfileHeader(l []byte) bool {
	return bytes.HasPrefix(l, []byte("goroutine "+profileWords)) || bytes.HasPrefix(l, []byte("goroutineleak "+profileWords))
}

// unescapeHeader returns the text that begins with a header and goes to the
// end of the line or, if it is inside quotes, of those; and how often it was
// escaped. Not ok if the header is not whole.
func unescapeHeader(l []byte) (text []byte, levels int, ok bool) {
	for text = l; levels <= maxLevels; levels++ {
		first, _, _ := bytes.Cut(text, []byte("\n"))
		if _, _, ok := parseHeader(first); ok && !bytes.Contains(first, []byte(`\n`)) || isProfileHeader(first) && profileHeader(first) != nil {
			return text, levels, true
		}
		text = unescape(text, 1)
	}
	return nil, 0, false
}

// embedded reads a dump that begins here and is inside this line as a whole,
// its line ends escaped. It reports whether there is one. bare says that nothing
// stands before it: then it is a whole dump that was copied out of a log.
func (t *textReader) embedded(l []byte, bare bool) bool {
	if bytes.HasSuffix(l, []byte(":")) && !bytes.Contains(l, []byte(`\n`)) {
		return false // as nearly all headers
	}
	text, levels, ok := unescapeHeader(l)
	if !ok || levels == 0 || bytes.IndexByte(bytes.TrimSuffix(text, []byte("\n")), '\n') < 0 {
		return false
	}
	var inside writer
	w := &inside
	if bare {
		w = &t.plain
	}
	var last []byte
	for last = range bytes.SplitSeq(text, []byte("\n")) {
		w.take(bytes.TrimRight(last, "\r"), &t.dumps)
	}
	inside.end(endsInside(last))
	for _, d := range inside.done {
		t.escaped = append(t.escaped, d.snap)
	}
	return true
}

// unescape undoes the escapes of JSON and Go as often as levels says. What is
// escaped ends where its quotes do.
func unescape(l []byte, levels int) []byte {
	for range levels {
		out := make([]byte, 0, len(l))
		for len(l) > 0 && l[0] != '"' {
			i := bytes.IndexAny(l, `\"`)
			if i < 0 {
				i = len(l)
			}
			out = append(out, l[:i]...)
			if l = l[i:]; len(l) > 1 && l[0] == '\\' {
				var n int
				out, n = unescapeRune(out, l[1:])
				l = l[1+n:]
			} else if len(l) == 1 && l[0] == '\\' {
				break // cut
			}
		}
		l = out
	}
	return l
}

// unescapeRune appends what stands behind a backslash and returns its length.
func unescapeRune(out, l []byte) ([]byte, int) {
	digits := 0
	switch l[0] {
	case 'n':
		return append(out, '\n'), 1
	case 't':
		return append(out, '\t'), 1
	case 'r':
		return append(out, '\r'), 1
	case 'x':
		digits = 2
	case 'u':
		digits = 4
	}
	if digits > 0 && len(l) > digits {
		if c, err := strconv.ParseUint(string(l[1:1+digits]), 16, 32); err == nil {
			return utf8.AppendRune(out, rune(c)), 1 + digits
		}
	}
	return append(out, l[0]), 1
}

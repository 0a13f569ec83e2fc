package profile

// stampForms are the times that logs write, longest first: 0 is a digit, _ a
// digit or a space, A a letter, T the letter or a space.
var stampForms = []string{
	"0000-00-00T00:00:00", // RFC 3339: kubectl, docker, CRI, journalctl -o short-iso
	"0000/00/00T00:00:00", // package log
	"AAA _0 00:00:00",     // syslog, journalctl
	"00:00:00",
}

// stampLen returns the length of the time at index i of l, with its fraction
// and zone; 0 if there is none.
func stampLen(l []byte, i int) int {
	if i > 0 && (isDigit(l[i-1]) || isLetter(l[i-1]) || l[i-1] == '-') {
		return 0
	}
	if n := secondsLen(l[i:]); n > 0 {
		return n
	}
	for _, form := range stampForms {
		if n := len(form); len(l)-i >= n && hasForm(l[i:i+n], form) {
			return zoneEnd(l, fractionEnd(l, i+n)) - i
		}
	}
	return 0
}

// secondsLen returns the length of a time in seconds at the beginning of l: since
// 1970, as of journalctl -o short-unix, or in milliseconds, or since the machine was
// started, as of short-monotonic and the kernel, which have microseconds. 0 if there
// is none.
func secondsLen(l []byte) int {
	n := 0
	for n < len(l) && isDigit(l[n]) {
		n++
	}
	end := fractionEnd(l, n)
	if end < len(l) && (isDigit(l[end]) || isLetter(l[end])) || n != 10 && n != 13 && (n == 0 || end-n != len(".000000")) {
		return 0
	}
	return end
}

// hasForm reports whether l is a time of the form, which is as long.
func hasForm(l []byte, form string) bool {
	for i, c := range l {
		ok := false
		switch form[i] {
		case '0':
			ok = isDigit(c)
		case '_':
			ok = isDigit(c) || c == ' '
		case 'A':
			ok = isLetter(c)
		case 'T':
			ok = c == 'T' || c == ' '
		default:
			ok = c == form[i]
		}
		if !ok {
			return false
		}
	}
	return true
}

// fractionEnd returns the end of a fraction of a second at index i, or i.
func fractionEnd(l []byte, i int) int {
	if i+1 >= len(l) || l[i] != '.' && l[i] != ',' || !isDigit(l[i+1]) {
		return i
	}
	for i++; i < len(l) && isDigit(l[i]); i++ {
	}
	return i
}

// zoneEnd returns the end of a time zone at index i ("Z", "+02:00", "+0200"),
// or i.
func zoneEnd(l []byte, i int) int {
	switch {
	case i < len(l) && l[i] == 'Z':
		return i + 1
	case len(l)-i >= 6 && (hasForm(l[i:i+6], "+00:00") || hasForm(l[i:i+6], "-00:00")):
		return i + 6
	case len(l)-i >= 5 && (hasForm(l[i:i+5], "+0000") || hasForm(l[i:i+5], "-0000")):
		return i + 5
	}
	return i
}

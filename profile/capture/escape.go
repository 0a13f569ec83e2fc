package capture

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/thanosleak/thanosleak/internal/lazyregexp"
)

// reservedRE matches names that Windows keeps for devices, whatever follows
// the first dot.
var reservedRE = lazyregexp.New(`(?i)^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)`)

// Escape returns a target's name in a form that is a single element of a path
// on every system. As in URLs, a byte becomes "%" and two upper-case
// hexadecimal digits. That happens to
//
//   - / \ : * ? " < > | % and every character that is not printable,
//   - a dot at the start (hidden files, "..") and a dot or space at the end,
//   - the first character of a name that Windows reserves (CON, NUL, …).
//
// So "query-0:10902" becomes "query-0%3A10902". [Unescape] takes it back. The
// empty name stays empty.
func Escape(name string) string {
	var b strings.Builder
	reserved := reservedRE().MatchString(name)
	for i := 0; i < len(name); {
		r, size := utf8.DecodeRuneInString(name[i:])
		char := name[i : i+size]
		first, last := i == 0, i+size == len(name)
		i += size
		switch {
		case r == utf8.RuneError && size == 1,
			!unicode.IsPrint(r),
			strings.ContainsRune(`/\:*?"<>|%`, r),
			r == '.' && (first || last),
			r == ' ' && last,
			first && reserved:
			for _, c := range []byte(char) {
				fmt.Fprintf(&b, "%%%02X", c)
			}
		default:
			b.WriteString(char)
		}
	}
	return b.String()
}

var escapedRE = lazyregexp.New(`%[0-9A-F]{2}`)

// Unescape returns the name that [Escape] made the folder's name from. A
// folder's name that Escape does not give was given by people, and is returned
// as it is.
func Unescape(folder string) string {
	name := escapedRE().ReplaceAllStringFunc(folder, func(code string) string {
		var c byte
		fmt.Sscanf(code, "%%%02X", &c)
		return string([]byte{c})
	})
	if Escape(name) != folder {
		return folder
	}
	return name
}

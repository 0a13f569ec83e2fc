package report

import (
	"bytes"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/fatih/color"
)

// style is how a piece of text stands out on a terminal.
type style int

const (
	plain style = iota
	bold
	dim
	red
	yellow
	green
)

var attributes = map[style][]color.Attribute{
	bold: {color.Bold}, dim: {color.Faint}, red: {color.FgRed, color.Bold},
	yellow: {color.FgYellow, color.Bold}, green: {color.FgGreen, color.Bold},
}

// span is a piece of text in one style.
type span struct {
	text  string
	style style
}

func text(s string) span             { return span{text: s} }
func styled(s string, st style) span { return span{text: s, style: st} }

// page lays out text in a given width. All text goes through it, so that what
// a target sent is made printable in one place.
type page struct {
	buf   bytes.Buffer
	width int
	color bool
}

// printable replaces what could move the cursor, change colours or reorder
// text: everything but printable characters and spaces.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || (!unicode.IsPrint(r) && r != ' ') {
			return '�'
		}
		return r
	}, s)
}

// width of a text in columns: all characters that the report uses by itself
// are one column wide.
func columns(s string) int { return utf8.RuneCountInString(s) }

// cut shortens a text to n columns.
func cut(s string, n int) string {
	if columns(s) <= n {
		return s
	}
	r := []rune(s)
	return string(r[:max(n-1, 0)]) + "…"
}

// line writes one line, cut at the page's width.
func (p *page) line(spans ...span) {
	left := p.width
	for _, s := range spans {
		t := cut(printable(s.text), left)
		left -= columns(t)
		p.paint(t, s.style)
	}
	p.buf.WriteByte('\n')
}

func (p *page) paint(t string, st style) {
	if st == plain || !p.color {
		p.buf.WriteString(t)
		return
	}
	c := color.New(attributes[st]...)
	c.EnableColor()
	p.buf.WriteString(c.Sprint(t))
}

// paragraph writes a text in as many lines as it needs, behind a label of
// labelWidth columns on the first line.
func (p *page) paragraph(label span, labelWidth int, s string, st style) {
	indent := strings.Repeat(" ", labelWidth)
	for i, l := range wrap(printable(s), max(p.width-labelWidth, 20)) {
		if i == 0 {
			p.paint(pad(printable(label.text), labelWidth), label.style)
		} else {
			p.buf.WriteString(indent)
		}
		p.paint(l, st)
		p.buf.WriteByte('\n')
	}
}

func (p *page) blank() { p.buf.WriteByte('\n') }

// pad fills a text up with spaces to n columns.
func pad(s string, n int) string { return s + strings.Repeat(" ", max(n-columns(s), 0)) }

// wrap breaks a text between words. A word that is too long, such as a URL to
// be copied, stands on a line of its own, whole.
func wrap(s string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(s) {
		switch {
		case line == "":
			line = word
		case columns(line)+1+columns(word) <= width:
			line += " " + word
		default:
			lines = append(lines, line)
			line = word
		}
	}
	return append(lines, line)
}

func (p *page) writeTo(w io.Writer) error {
	_, err := w.Write(p.buf.Bytes())
	return err
}

package report

import (
	"bytes"
	"io"
	"slices"
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
// text: everything but printable characters and spaces. Line breaks and tabs,
// which errors of several causes have, become spaces.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t':
			return ' '
		case r == utf8.RuneError || !unicode.IsPrint(r):
			return '�'
		}
		return r
	}, s)
}

// columns is the width of a text: all characters that the report uses by
// itself are one column wide. Wide ones that a target sends count as one too.
func columns(s string) int { return utf8.RuneCountInString(s) }

// cut shortens a text to n columns.
func cut(s string, n int) string {
	if columns(s) <= n {
		return s
	}
	r := []rune(s)
	return string(r[:max(n-1, 0)]) + "…"
}

// cutLeft shortens a text to n columns and keeps its end.
func cutLeft(s string, n int) string {
	if columns(s) <= n {
		return s
	}
	r := []rune(s)
	return "…" + string(r[len(r)-max(n-1, 0):])
}

// cutMiddle shortens a text to n columns and keeps both ends: names of a fleet
// differ at either.
func cutMiddle(s string, n int) string {
	if columns(s) <= n {
		return s
	}
	tail := max(n-1, 0) / 2
	return cut(s, n-tail) + string([]rune(s)[columns(s)-tail:])
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

// flow writes spans on one line if they fit; where the page is too narrow it
// breaks between them, so that none is cut, and goes on at the column indent.
func (p *page) flow(indent int, spans ...span) {
	var line []span
	used := 0
	for _, s := range spans {
		if used > indent && used+columns(s.text) > p.width {
			last := &line[len(line)-1]
			last.text = strings.TrimRight(last.text, " ")
			p.line(line...)
			line, used = []span{text(strings.Repeat(" ", indent))}, indent
			s.text = strings.TrimLeft(s.text, " ")
		}
		line = append(line, s)
		used += columns(s.text)
	}
	p.line(line...)
}

func (p *page) paint(t string, st style) {
	if st == plain || !p.color || strings.TrimSpace(t) == "" {
		p.buf.WriteString(t)
		return
	}
	c := color.New(attributes[st]...)
	c.EnableColor()
	p.buf.WriteString(c.Sprint(t))
}

// maxText bounds a text in characters: errors may hold what a stranger sent.
const maxText = 4000

// Printable replaces what could move the cursor, change colours or reorder
// text, for messages that are no part of a report.
func Printable(s string) string { return printable(s) }

// printableLines puts texts below each other, each in a line.
func printableLines(texts []string) string {
	lines := make([]string, len(texts))
	for i, s := range texts {
		lines[i] = printable(s)
	}
	return strings.Join(lines, "\n")
}

// paragraph writes a text in as many lines as it needs, behind a label of
// labelWidth columns on the first line.
func (p *page) paragraph(label span, labelWidth int, s string, st style) {
	indent := strings.Repeat(" ", labelWidth)
	for i, l := range wrap(cut(printable(s), maxText), p.width-labelWidth) {
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

// Wrap breaks a text into lines of at most width columns, for messages that are
// no part of a report.
func Wrap(s string, width int) []string { return wrap(s, width) }

// wrap breaks a text between words, and within those that are too long.
func wrap(s string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(s) {
		for part := range slices.Chunk([]rune(word), width) {
			switch {
			case line == "":
				line = string(part)
			case columns(line)+1+len(part) <= width:
				line += " " + string(part)
			default:
				lines = append(lines, line)
				line = string(part)
			}
		}
	}
	return append(lines, line)
}

func (p *page) writeTo(w io.Writer) error {
	_, err := p.buf.WriteTo(w)
	return err
}

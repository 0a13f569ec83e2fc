// Package table reads and writes the tables of package origin: what differs
// between releases, in a text that people can review.
//
//	# Made by go run ./classify/origin/internal/maketable; do not edit.
//	releases 0.35.0 0.35.1 0.36.0
//
//	module google.golang.org/grpc
//		v1.57.2	0.35.0-0.35.1
//		v1.63.2	0.36.0
//
// Below a name stand the values that it has, each with the releases where it
// has it: single ones, and spans of releases that follow each other in the
// list. A name that has no value in a release is not told there.
package table

import (
	"bufio"
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// A Table tells what differs between releases.
type Table struct {
	// Comments tell readers what the table was made from, one line each.
	Comments []string
	// Releases are all releases of the table, oldest first, each once.
	Releases []string
	// Facts are grouped by name; those of one name are in the order of the
	// first release that has them.
	Facts []Fact
}

// A Fact is a value that a name has in some releases.
type Fact struct {
	Name  string // "module google.golang.org/grpc"; the first word is its kind
	Value string // "v1.57.2"; not empty
	In    []int  // the releases that have it: indices of Releases, ascending
}

// releasesMark begins a line of the list of releases.
const releasesMark = "releases "

// perLine is how many releases stand in a line of the list.
const perLine = 10

// Encode writes the table as Decode reads it.
func (t *Table) Encode() []byte {
	var b bytes.Buffer
	for _, c := range t.Comments {
		fmt.Fprintf(&b, "# %s\n", c)
	}
	for some := range slices.Chunk(t.Releases, perLine) {
		fmt.Fprintf(&b, "%s%s\n", releasesMark, strings.Join(some, " "))
	}
	name := ""
	for _, f := range t.Facts {
		if f.Name != name {
			fmt.Fprintf(&b, "\n%s\n", f.Name)
			name = f.Name
		}
		fmt.Fprintf(&b, "\t%s\t%s\n", f.Value, t.spans(f.In))
	}
	return b.Bytes()
}

// spans writes indices as "0.4.0-0.7.0 0.9.0".
func (t *Table) spans(in []int) string {
	var parts []string
	for i := 0; i < len(in); {
		j := i
		for j+1 < len(in) && in[j+1] == in[j]+1 {
			j++
		}
		part := t.Releases[in[i]]
		if j > i {
			part += "-" + t.Releases[in[j]]
		}
		parts = append(parts, part)
		i = j + 1
	}
	return strings.Join(parts, " ")
}

// Decode reads a table. An error names the line.
func Decode(data []byte) (*Table, error) {
	d := decoder{t: &Table{}, index: map[string]int{}}
	lines := bufio.NewScanner(bytes.NewReader(data))
	n := 0
	for lines.Scan() {
		n++
		if err := d.line(lines.Text()); err != nil {
			return nil, fmt.Errorf("line %d: %w", n, err)
		}
	}
	return d.t, lines.Err()
}

type decoder struct {
	t     *Table
	index map[string]int // of a release in t.Releases
	name  string         // that the next values belong to
}

func (d *decoder) line(l string) error {
	if c, ok := strings.CutPrefix(l, "# "); ok {
		d.t.Comments = append(d.t.Comments, c)
		return nil
	}
	if names, ok := strings.CutPrefix(l, releasesMark); ok {
		return d.releases(strings.Fields(names))
	}
	if row, ok := strings.CutPrefix(l, "\t"); ok {
		return d.fact(row)
	}
	if l != "" {
		d.name = l
	}
	return nil
}

func (d *decoder) releases(names []string) error {
	for _, r := range names {
		if _, twice := d.index[r]; twice || strings.Contains(r, "-") {
			return fmt.Errorf("release %q stands twice or has a hyphen", r)
		}
		d.index[r] = len(d.t.Releases)
		d.t.Releases = append(d.t.Releases, r)
	}
	return nil
}

// fact takes "v1.57.2\t0.34.1-0.35.1 0.36.0".
func (d *decoder) fact(row string) error {
	value, spans, ok := strings.Cut(row, "\t")
	if !ok || value == "" || d.name == "" {
		return fmt.Errorf("%q is no value with its releases, or there is no name above it", row)
	}
	f := Fact{Name: d.name, Value: value}
	for _, span := range strings.Fields(spans) {
		from, to, isSpan := strings.Cut(span, "-")
		if !isSpan {
			to = from
		}
		first, ok1 := d.index[from]
		last, ok2 := d.index[to]
		if !ok1 || !ok2 || last < first {
			return fmt.Errorf("%q names no releases of the list", span)
		}
		for i := first; i <= last; i++ {
			f.In = append(f.In, i)
		}
	}
	if len(f.In) == 0 || !slices.IsSorted(f.In) {
		return fmt.Errorf("the releases of %q are missing or out of order", value)
	}
	d.t.Facts = append(d.t.Facts, f)
	return nil
}

// Builder collects facts release by release.
type Builder struct {
	t     Table
	order []string // names as they came
	facts map[string][]Fact
}

// NewBuilder begins a table of the releases, oldest first.
func NewBuilder(releases, comments []string) *Builder {
	return &Builder{t: Table{Comments: comments, Releases: releases}, facts: map[string][]Fact{}}
}

// Add says that the name has the value in a release, by its index. Releases
// come oldest first.
func (b *Builder) Add(release int, name, value string) {
	facts, known := b.facts[name]
	if !known {
		b.order = append(b.order, name)
	}
	i := slices.IndexFunc(facts, func(f Fact) bool { return f.Value == value })
	if i < 0 {
		i = len(facts)
		facts = append(facts, Fact{Name: name, Value: value})
	}
	facts[i].In = append(facts[i].In, release)
	b.facts[name] = facts
}

// Table returns what was added, with the names in the order in which they
// came.
func (b *Builder) Table() *Table {
	t := b.t
	for _, name := range b.order {
		t.Facts = append(t.Facts, b.facts[name]...)
	}
	return &t
}

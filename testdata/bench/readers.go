//go:build unix

package main

import (
	"bufio"
	"compress/gzip"
	"errors"
	"io"
	"strings"

	"github.com/DataDog/gostackparse"
	pprof "github.com/google/pprof/profile"
	"github.com/maruel/panicparse/v2/stack"

	"github.com/thanosleak/thanosleak/profile"
)

// reader reads a file and groups what is in it.
type reader struct {
	name string
	read func(io.Reader) (goroutines, stacks int, err error)
	all  bool // whether it reads every form, not debug=2 alone
}

// readers are ours and the others, and what the least is that any can do.
var readers = []reader{
	{"thanosleak", readOurs, true},
	{"lines", countLines, false},
	{"gostackparse", readGostackparse, false},
	{"panicparse", readPanicparse, false},
	{"pprof", readPprof, true},
}

// reads reports whether the reader can read a file of this name.
func (r reader) reads(file string) bool {
	text := strings.HasSuffix(file, "2.txt")
	return r.all && (r.name != "pprof" || !text) || !r.all && text && r.name != "panicparse"
}

func readOurs(r io.Reader) (goroutines, stacks int, err error) {
	snaps, err := profile.Read(r, profile.Options{})
	for _, s := range snaps {
		goroutines += s.Total
		stacks += len(s.Groups)
	}
	return goroutines, stacks, err
}

// countLines only looks for the ends of the lines, of which it returns the
// number.
func countLines(r io.Reader) (lines, _ int, err error) {
	br := bufio.NewReaderSize(r, 64<<10)
	for {
		_, err := br.ReadSlice('\n')
		switch {
		case err == nil:
			lines++
		case errors.Is(err, io.EOF):
			return lines, 0, nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return lines, 0, err
		}
	}
}

// readGostackparse groups by functions, as ours does. What it cannot read is
// not counted.
func readGostackparse(r io.Reader) (goroutines, stacks int, err error) {
	all, _ := gostackparse.Parse(r)
	groups := map[string][]*gostackparse.Goroutine{}
	for _, g := range all {
		var key strings.Builder
		for _, f := range g.Stack {
			key.WriteString(f.Func)
			key.WriteByte(';')
		}
		groups[key.String()] = append(groups[key.String()], g)
	}
	return len(all), len(groups), nil
}

func readPanicparse(r io.Reader) (goroutines, stacks int, err error) {
	s, _, err := stack.ScanSnapshot(r, io.Discard, &stack.Opts{})
	if s == nil || err != nil && !errors.Is(err, io.EOF) {
		return 0, 0, err
	}
	return len(s.Goroutines), len(s.Aggregate(stack.AnyValue).Buckets), nil
}

// readPprof parses without any grouping.
func readPprof(r io.Reader) (goroutines, stacks int, err error) {
	br := bufio.NewReader(r)
	if head, _ := br.Peek(1); len(head) > 0 && head[0] == 0x1f {
		zr, err := gzip.NewReader(br)
		if err != nil {
			return 0, 0, err
		}
		r = zr
	} else {
		r = br
	}
	p, err := pprof.Parse(r)
	if err != nil {
		return 0, 0, err
	}
	for _, s := range p.Sample {
		goroutines += int(s.Value[0])
	}
	return goroutines, len(p.Sample), nil
}

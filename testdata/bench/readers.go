//go:build unix

package main

import (
	"bufio"
	"errors"
	"io"
	"strings"

	"github.com/DataDog/gostackparse"
	"github.com/maruel/panicparse/v2/stack"

	"github.com/thanosleak/thanosleak/profile"
)

// reader reads a dump of the form debug=2 and groups what is in it.
type reader struct {
	name string
	read func(io.Reader) (goroutines, stacks int, err error)
	most int64 // bytes of a file that it can read in the memory of a usual machine; 0 is any
}

// readers are ours, the first, and the others, and what the least is that any
// can do.
var readers = []reader{
	{name: "thanosleak", read: readOurs},
	{name: "lines", read: countLines},
	{name: "gostackparse", read: readGostackparse},
	{name: "panicparse", read: readPanicparse, most: 100e6},
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

// readPanicparse counts what it has read when it meets the cut, which is an error
// to it.
func readPanicparse(r io.Reader) (goroutines, stacks int, err error) {
	s, _, err := stack.ScanSnapshot(r, io.Discard, &stack.Opts{})
	if s == nil {
		return 0, 0, err
	}
	return len(s.Goroutines), len(s.Aggregate(stack.AnyValue).Buckets), nil
}

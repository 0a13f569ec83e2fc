package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/thanosleak/thanosleak/classify"
	"github.com/thanosleak/thanosleak/report"
)

// progress shows one line that changes, on terminals only.
type progress struct {
	w     io.Writer
	width int
	shown bool
}

func newProgress(std streams, quiet bool) *progress {
	width, ok := terminal(std.err)
	if !ok || quiet {
		return &progress{w: io.Discard}
	}
	if c, ok := std.err.(cleaner); ok {
		return &progress{w: c.Writer, width: width} // the line moves the cursor on purpose
	}
	return &progress{w: std.err, width: width}
}

// show replaces the line.
func (p *progress) show(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	if r := []rune(line); p.width > 0 && len(r) >= p.width {
		line = string(r[:p.width-1])
	}
	fmt.Fprintf(p.w, "\r\x1b[K%s", line)
	p.shown = true
}

// clear removes the line.
func (p *progress) clear() {
	if p.shown {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.shown = false
	}
}

// firstLook prints the verdict after the first sample, which more samples may
// change.
func (p *progress) firstLook(r *classify.Result) {
	p.clear()
	fmt.Fprintf(p.w, "so far: %s\n", strings.TrimSpace(report.Headline(r, p.width-len("so far: "))))
}

package profile

import (
	"fmt"
	"slices"
)

// isNewDump reports whether the header begins another dump: the goroutine
// that writes a dump stands in it first and as running. Others may be running
// as well (from Go 1.26 those that return from a system call), so something
// else must stand between.
func (d *debug2) isNewDump(header []byte) bool {
	if !d.foreign || d.threads {
		return false
	}
	_, word, ok := parseHeader(header)
	return ok && word == StateRunning
}

// begins reports whether another dump begins with the goroutine under way, though
// nothing else stands between: with one that the dump has already. It knows of two:
// main, and the first one, for a process that is asked twice in the same way writes
// the same one first. foreign says that something else does stand between.
//
// Where main came behind the first, that may as well have been an excerpt: people
// paste one goroutine and then everything. Then it is in the middle of the dump
// again. The goroutine that writes a dump is running, or stands on the system's
// stack, which has the id 0.
func (d *debug2) begins(foreign bool) bool {
	switch id := d.current.ID; {
	case d.threads || !d.begun:
		return false
	case id == 1:
		return d.hasMain
	case id != d.first:
		return false
	default:
		return !d.hasMain || foreign || d.word == StateRunning || id == 0
	}
}

// maxExcerpt is how many goroutines before main may be an excerpt of the dump.
const maxExcerpt = 100

// meet notes the goroutine under way. One of an excerpt that comes again is counted
// once.
func (d *debug2) meet() {
	id := d.current.ID
	if !d.begun {
		d.first, d.begun = id, true
	}
	d.hasMain = d.hasMain || id == 1
	d.repeated = false
	switch {
	case !d.hasMain && len(d.excerpt) <= maxExcerpt:
		d.excerpt = append(d.excerpt, id)
	case d.hasMain && !d.threads && len(d.excerpt) <= maxExcerpt && slices.Contains(d.excerpt, id):
		d.ignore, d.repeated = true, true
	}
}

// withoutTraces leaves out the traces beside whole dumps: a panic that net/http has
// recovered prints its own goroutine alone, which is running. An excerpt of others may
// be all that somebody has of a process, and stays.
func withoutTraces(snaps []*Snapshot) []*Snapshot {
	if len(snaps) < 2 || !slices.ContainsFunc(snaps, (*Snapshot).hasMain) {
		return snaps
	}
	whole := slices.DeleteFunc(slices.Clone(snaps), (*Snapshot).isTrace)
	if n := len(snaps) - len(whole); n > 0 {
		warn(whole, fmt.Sprintf("%d traces of a single goroutine are left out: beside whole dumps they are no samples", n)).LeftOut = n
	}
	return whole
}

// isTrace reports whether the snapshot is one running goroutine, and not main.
func (s *Snapshot) isTrace() bool {
	return s.Encoding == Debug2 && s.Total == 1 && s.Unreadable == 0 && s.Groups[0].State() == StateRunning && !s.hasMain()
}

// hasMain reports whether goroutine 1 is in a dump that has ids.
func (s *Snapshot) hasMain() bool {
	for i := range s.Groups {
		if slices.ContainsFunc(s.Groups[i].Goroutines, func(g Goroutine) bool { return g.ID == 1 }) {
			return true
		}
	}
	return false
}

// nextDump begins another dump with the goroutine under way.
func (d *debug2) nextDump() {
	if s := d.b.finish(); len(d.done) < maxDumps-1 {
		d.done = append(d.done, s)
	} else {
		d.tooMany = true
	}
	d.b, d.root = newBuilder(Debug2, 0), &call{}
	d.selfDumped, d.begun, d.hasMain, d.excerpt = false, false, false, d.excerpt[:0]
	if d.at != nil {
		d.at.ends = nil
	}
}

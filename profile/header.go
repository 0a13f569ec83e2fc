package profile

import (
	"bytes"
	"strconv"
)

// parseHeader reads the first line of a goroutine in debug=2, a traceback or a
// crash (goroutineheader in runtime/traceback.go):
//
//	goroutine N [gp=… m=… mp=…] [STATE( (leaked))( (scan))( (durable))(, M minutes)(, locked to thread)(, synctest bubble N)( labels:{…})]( {…}):
//
// Labels stand inside the brackets up to Go 1.26 and behind them from Go 1.27;
// their values may hold brackets, commas and colons.
func parseHeader(l []byte) (r Goroutine, state State, ok bool) {
	id, rest, ok := cutID(l)
	if !ok {
		return r, "", false
	}
	h, ok := parseHead(rest)
	r = h.Goroutine
	r.ID = id
	return r, h.state, ok
}

// head is what a header says behind the id: the other fields of a goroutine.
type head struct {
	Goroutine
	state State
}

// Bounds of what is remembered of headers: most goroutines have one of few.
const (
	maxHeads    = 256
	maxHeadSize = 64
)

// parseHeader is like the function, and faster for what was there before.
func (d *debug2) parseHeader(l []byte) (r Goroutine, state State, ok bool) {
	id, rest, ok := cutID(l)
	if !ok {
		return r, "", false
	}
	h, ok := d.heads[string(rest)]
	if !ok {
		if h, ok = parseHead(rest); ok && len(rest) <= maxHeadSize && len(d.heads) < maxHeads {
			d.heads[string(rest)] = h
		}
	}
	r = h.Goroutine
	r.ID = id
	return r, h.state, ok
}

// cutID takes "goroutine N " off a header.
func cutID(l []byte) (id int64, rest []byte, ok bool) {
	rest, ok = bytes.CutPrefix(l, []byte("goroutine "))
	if !ok {
		return 0, nil, false
	}
	i := bytes.IndexByte(rest, ' ')
	if i < 0 {
		return 0, nil, false
	}
	id, err := strconv.ParseInt(string(rest[:i]), 10, 64)
	return id, rest[i+1:], err == nil
}

// parseHead reads what stands behind the id.
func parseHead(rest []byte) (h head, ok bool) {
	open := bytes.IndexByte(rest, '[')
	if open < 0 || !bytes.HasSuffix(bytes.TrimRight(rest, " "), []byte(":")) {
		return h, false
	}
	rest = rest[open+1:]
	end := bytes.IndexByte(rest, ']')
	if labels := bytes.Index(rest, []byte(" labels:{")); labels >= 0 && labels < end {
		end = labels
	}
	if end < 0 {
		return h, false
	}
	word, more, _ := bytes.Cut(rest[:end], []byte(", "))
	word, h.Leaked = cutMark(word, " (leaked)")
	word, _ = cutMark(word, " (scan)")
	word, _ = cutMark(word, " (durable)")
	h.WaitMinutes = minutes(more)
	h.state = internState(word)
	return h, true
}

// cutMark removes a mark behind the state and reports whether it was there.
func cutMark(word []byte, mark string) ([]byte, bool) {
	i := bytes.Index(word, []byte(mark))
	if i < 0 {
		return word, false
	}
	return append(word[:i:i], word[i+len(mark):]...), true
}

// minutes reads "5 minutes" out of "5 minutes, locked to thread".
func minutes(attributes []byte) int {
	for part := range bytes.SplitSeq(attributes, []byte(", ")) {
		if n, ok := bytes.CutSuffix(part, []byte(" minutes")); ok {
			if m, err := strconv.Atoi(string(n)); err == nil && m > 0 {
				return m
			}
		}
	}
	return 0
}

// internState spares the allocation for the states that most goroutines have.
func internState(word []byte) State {
	for _, s := range commonStates {
		if string(word) == string(s) {
			return s
		}
	}
	return State(word)
}

// commonStates are the states of most goroutines, most frequent first.
var commonStates = []State{
	StateSelect, StateChanReceive, StateIOWait, StateChanReceiveNil, StateWaitGroup, StateChanSend, StateMutex,
	StateCond, StateSemacquire, StateSleep, StateRWMutexR, StateRWMutex, StateSyscall, StateRunning, "runnable",
}

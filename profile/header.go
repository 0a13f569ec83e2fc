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
	rest, ok := bytes.CutPrefix(l, []byte("goroutine "))
	if !ok || !bytes.HasSuffix(bytes.TrimRight(l, " "), []byte(":")) {
		return r, "", false
	}
	id, rest, ok := bytes.Cut(rest, []byte(" "))
	if !ok {
		return r, "", false
	}
	n, err := strconv.ParseInt(string(id), 10, 64)
	if err != nil {
		return r, "", false
	}
	r.ID = n
	open := bytes.IndexByte(rest, '[')
	if open < 0 {
		return r, "", false
	}
	rest = rest[open+1:]
	end := bytes.IndexByte(rest, ']')
	if labels := bytes.Index(rest, []byte(" labels:{")); labels >= 0 && labels < end {
		end = labels
	}
	if end < 0 {
		return r, "", false
	}
	word, more, _ := bytes.Cut(rest[:end], []byte(", "))
	word, r.Leaked = cutMark(word, " (leaked)")
	word, _ = cutMark(word, " (scan)")
	word, _ = cutMark(word, " (durable)")
	r.WaitMinutes = minutes(more)
	return r, State(internState(word)), true
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
func internState(word []byte) string {
	switch string(word) {
	case string(StateChanReceive):
		return string(StateChanReceive)
	case string(StateChanReceiveNil):
		return string(StateChanReceiveNil)
	case string(StateSelect):
		return string(StateSelect)
	case string(StateIOWait):
		return string(StateIOWait)
	case string(StateWaitGroup):
		return string(StateWaitGroup)
	case string(StateSemacquire):
		return string(StateSemacquire)
	}
	return string(word)
}

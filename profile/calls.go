package profile

import "bytes"

// A call is a line of a stack with its position, as a node of a tree: the way
// from the root to it is a stack, leaf first. Most goroutines of a dump stand
// in few stacks, so that nearly every line is the one that followed the same
// lines before. To compare with that one is all that is done with it.
type call struct {
	prefix   string // of its line: the function and the parenthesis behind it
	position string // "/app/pkg/store/proxy.go:392"; empty if it has none
	caller   *call  // towards the root of the tree, so towards the leaf of the stack
	depth    int    // 0 for the root of the tree, which is no call

	last *call            // what followed it the last time, or nil
	next map[string]*call // all that followed it, by [callKey]; nil while only last did
	ends map[State]spot   // where goroutines are counted of which it is the outermost
}

// callSize is what a call takes in memory beside its text, in bytes, about.
const callSize = 192

// callKey appends what tells a call from others that follow the same ones.
func callKey(key []byte, prefix, position []byte) []byte {
	return append(append(append(key, prefix...), '\n'), position...)
}

// is reports whether the call has the prefix and the position.
func (c *call) is(prefix, position []byte) bool {
	return c.prefix == string(prefix) && c.position == string(position)
}

// isPrefixOf reports whether the line is a call of the same function.
func (c *call) isPrefixOf(l []byte) bool {
	return len(l) > len(c.prefix) && string(l[:len(c.prefix)]) == c.prefix && l[len(l)-1] == ')'
}

// isAt reports whether the line, behind its tab, is the position of the call
// in one of the usual forms.
func (c *call) isAt(l []byte) bool {
	n := len(c.position)
	return n > 0 && len(l) >= n && string(l[:n]) == c.position && (len(l) == n || bytes.HasPrefix(l[n:], behindPosition))
}

// behindPosition stands behind a position: the program counter's distance from
// the function's start. A call that was inlined has none.
var behindPosition = []byte(" +0x")

// follow goes on to the call that follows c. Where it was never met it is added
// if b has room; else nil is returned.
func (c *call) follow(prefix, position []byte, key *[]byte, b *builder) *call {
	if c.last != nil && c.last.is(prefix, position) {
		return c.last
	}
	*key = callKey((*key)[:0], prefix, position)
	f := c.next[string(*key)]
	if f == nil {
		if !b.room(callSize + 2*len(*key)) {
			return nil
		}
		f = &call{prefix: string(prefix), position: string(position), caller: c, depth: c.depth + 1}
		c.add(string(*key), f)
	}
	c.last = f
	return f
}

// add adds a call that follows c.
func (c *call) add(key string, f *call) {
	if c.last == nil {
		return // it will be the last, and is the only one
	}
	if c.next == nil {
		first := c.last
		c.next = map[string]*call{string(callKey(nil, []byte(first.prefix), []byte(first.position))): first}
	}
	c.next[key] = f
}

// frames returns the stack whose outermost call is c, leaf first.
func (c *call) frames() []Frame {
	frames := make([]Frame, c.depth)
	for ; c.depth > 0; c = c.caller {
		f := &frames[c.depth-1]
		f.Func = foldTypeArgs(c.prefix[:len(c.prefix)-1])
		if file, line, ok := cutPosition([]byte(c.position)); ok {
			f.File, f.Line = string(file), line
		}
	}
	return frames
}

// passes reports whether the function is in the stack.
func (c *call) passes(function string) bool {
	for ; c.depth > 0; c = c.caller {
		if c.prefix[:len(c.prefix)-1] == function {
			return true
		}
	}
	return false
}

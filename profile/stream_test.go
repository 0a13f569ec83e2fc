package profile

import (
	"io"
	"strings"
)

// repeated is a text over and over, left bytes in all.
type repeated struct {
	text string
	at   int
	left int
}

func (r *repeated) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	p = p[:min(len(p), r.left)]
	n := copy(p, r.text[r.at:])
	r.at = (r.at + n) % len(r.text)
	r.left -= n
	return n, nil
}

// newMultiReader reads r and then the text.
func newMultiReader(r io.Reader, text string) io.Reader {
	return io.MultiReader(r, strings.NewReader(text))
}

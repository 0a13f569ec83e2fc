// Package lazyregexp compiles regular expressions when they are first used. A
// run of thanosleak uses few of them, and all together would take a tenth of the
// time in which it starts.
package lazyregexp

import (
	"regexp"
	"sync"
)

// New returns a function that returns the compiled expression, always the same.
// It may be called by several goroutines. It panics if the expression is none;
// so a test has to use it.
func New(expr string) func() *regexp.Regexp {
	return sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expr) })
}

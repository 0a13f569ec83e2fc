package profile

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// SignatureDepth is the number of leaf-most functions in a signature. Before
// Go 1.23 the runtime records 32 frames in debug=0 and 1, its own among them;
// 24 are there in every release and encoding.
const SignatureDepth = 24

// A Signature is what goroutines have in common that do the same: the at most
// [SignatureDepth] leaf-most functions of the stack, leaf first, joined by
// ";". Lines, arguments and labels are no part of it, nor are functions of
// the runtime: debug=1 hides them at the leaf, debug=2 everywhere, and the
// semaphores that it lends to other packages (sync.runtime_Semacquire) change
// their names between Go releases. A stack that is all runtime has its
// outermost function for a signature ("runtime.goexit" for a goroutine that
// has not begun to run), so that none is empty.
type Signature string

// goexit is the outermost function of every goroutine. It stands for a stack
// without any other: a goroutine that has not begun to run, or has ended.
// Profiles leave it out (debug=0) or print its bare address (debug=1).
const goexit = "runtime.goexit"

// NewSignature returns the signature of a stack, leaf first.
func NewSignature(frames []Frame) Signature {
	return Signature(appendSignature(nil, withoutRuntime(nil, frames)))
}

// appendSignature appends the signature of frames that are not the runtime's.
func appendSignature(sig []byte, frames []Frame) []byte {
	for i, f := range frames[:min(len(frames), SignatureDepth)] {
		if i > 0 {
			sig = append(sig, ';')
		}
		sig = append(sig, f.Func...)
	}
	return sig
}

// Functions returns the functions of the signature, leaf first.
func (s Signature) Functions() []string { return strings.Split(string(s), ";") }

// Leaf returns the leaf-most function of the signature.
func (s Signature) Leaf() string {
	leaf, _, _ := strings.Cut(string(s), ";")
	return leaf
}

// ID returns 12 hexadecimal digits that identify the signature.
func (s Signature) ID() string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:6])
}

// Portable returns the signature in a form that survives small edits between
// releases: closure numbers become "func*" and vendored paths are folded.
func (s Signature) Portable() Signature {
	funcs := s.Functions()
	for i, f := range funcs {
		funcs[i] = portableName(f)
	}
	return Signature(strings.Join(funcs, ";"))
}

// closureWords are what the compiler calls the functions that it numbers.
var closureWords = []string{"func", "gowrap", "deferwrap"}

// portableName turns pkg.F.func2.3 into pkg.F.func*.*, and a/vendor/b into b.
func portableName(name string) string {
	if i := strings.LastIndex(name, "/vendor/"); i >= 0 {
		name = name[i+len("/vendor/"):]
	}
	parts := strings.Split(name, ".")
	closure := false
	for i, p := range parts {
		digits := p
		for _, word := range closureWords {
			digits = strings.TrimPrefix(digits, word)
		}
		if digits == "" || strings.Trim(digits, "0123456789") != "" || (digits == p && !closure) {
			continue
		}
		closure = true
		parts[i] = p[:len(p)-len(digits)] + "*"
	}
	return strings.Join(parts, ".")
}

// isRuntime reports whether the function belongs to the runtime: by package,
// or by a body that the runtime provides under another package's name.
func isRuntime(name string) bool {
	if strings.HasPrefix(name, "runtime.") || strings.HasPrefix(name, "internal/runtime/") ||
		strings.HasPrefix(name, "runtime/internal/") || name == "panic" {
		return true
	}
	return strings.Contains(name, ".runtime_")
}

// withoutRuntime appends the frames that a reader of the program knows,
// keeping the outermost where all belong to the runtime.
func withoutRuntime(kept, frames []Frame) []Frame {
	n := len(kept)
	for _, f := range frames {
		if !isRuntime(f.Func) {
			kept = append(kept, f)
		}
	}
	if len(kept) == n && len(frames) > 0 {
		kept = append(kept, frames[len(frames)-1])
	}
	return kept
}

// maxName bounds the name of a function in bytes. The longest of Thanos have some
// hundred; a made-up one would fill reports that others bound.
const maxName = 4 << 10

// foldTypeArgs replaces the type arguments of generic functions, which debug=0
// spells out ("New[go.shape.*uint8]") and the text forms do not ("New[...]").
// As there (funcNameForPrint in runtime/traceback.go), one "[...]" stands for all
// from the first bracket to the last, also where functions inlined in each
// other have type arguments of their own.
func foldTypeArgs(name string) string {
	first, last := strings.IndexByte(name, '['), strings.LastIndexByte(name, ']')
	if first >= 0 && last > first {
		name = name[:first] + "[...]" + name[last+1:]
	}
	return name[:min(len(name), maxName)]
}

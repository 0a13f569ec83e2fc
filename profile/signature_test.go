package profile

import (
	"strings"
	"testing"
)

func TestSignature(t *testing.T) {
	deep := make([]Frame, 0, 40)
	for range 40 {
		deep = append(deep, Frame{Func: "runtime.x"}, Frame{Func: "a.f"})
	}
	for _, tt := range []struct {
		name   string
		frames []Frame
		want   Signature
	}{
		{"runtime at both ends and between", []Frame{{Func: "runtime.gopark"}, {Func: "a.f"}, {Func: "runtime.call32"}, {Func: "panic"}, {Func: "a.g"}, {Func: "runtime.main"}}, "a.f;a.g"},
		{"lent semaphores", []Frame{{Func: "sync.runtime_SemacquireWaitGroup"}, {Func: "sync.(*WaitGroup).Wait"}, {Func: "a.f"}}, "sync.(*WaitGroup).Wait;a.f"},
		{"moved packages", []Frame{{Func: "internal/runtime/syscall.Syscall6"}, {Func: "runtime/internal/syscall.Syscall6"}, {Func: "a.f"}}, "a.f"},
		{"runtime only", []Frame{{Func: "runtime.gopark"}, {Func: "runtime.runfinq"}}, "runtime.runfinq"},
		{"runtime/pprof is not the runtime", []Frame{{Func: "runtime/pprof.writeGoroutine"}, {Func: "runtime_test.f"}}, "runtime/pprof.writeGoroutine;runtime_test.f"},
		{"24 functions", deep, Signature(strings.Repeat("a.f;", 23) + "a.f")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := NewSignature(tt.frames); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

// TestSignatureID pins the value: baselines and ignore files hang on it.
func TestSignatureID(t *testing.T) {
	s := Signature("a.f;a.g")
	if got, want := s.ID(), "831414449d1c"; got != want {
		t.Errorf("ID %q, want %q", got, want)
	}
	if s.Leaf() != "a.f" || len(s.Functions()) != 2 || s.ID() == Signature("a.f;a.h").ID() {
		t.Errorf("leaf %q, functions %q", s.Leaf(), s.Functions())
	}
}

func TestFoldTypeArgs(t *testing.T) {
	for in, want := range map[string]string{
		"a.f":                      "a.f",
		"a.New[go.shape.*uint8]":   "a.New[...]",
		"a.New[...]":               "a.New[...]",
		"a.(*T[go.shape.[]int]).f": "a.(*T[...]).f",
		"a.F[go.shape.int].func1":  "a.F[...].func1",
		"a.(*T[go.shape.struct { F func(int) []uint8; m map[string]int }]).f": "a.(*T[...]).f",
		// A closure of a generic method inlined in another.
		"a.(*T[go.shape.int]).f-fm.(*T[go.shape.int]).f.func1": "a.(*T[...]).f.func1",
		"a.f]": "a.f]", "a.f[": "a.f[", "a]b[c": "a]b[c",
	} {
		if got := foldTypeArgs(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestPortable(t *testing.T) {
	for in, want := range map[Signature]Signature{
		"a/store.newEagerRespSet.func2.3;a/store.newEagerRespSet.func2": "a/store.newEagerRespSet.func*.*;a/store.newEagerRespSet.func*",
		"a/b/vendor/google.golang.org/grpc.f.func1":                     "google.golang.org/grpc.f.func*",
		"gopkg.in/yaml.v3.Unmarshal":                                    "gopkg.in/yaml.v3.Unmarshal",
		"a.func1":                                                       "a.func*",
		"a.functional.f":                                                "a.functional.f",
		"a.(*T).run.gowrap1":                                            "a.(*T).run.gowrap*",
		"a.(*T).run.deferwrap2":                                         "a.(*T).run.deferwrap*",
		"a.Register.GetInstr.func1.1":                                   "a.Register.GetInstr.func*.*",
	} {
		if got := in.Portable(); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
		if again := in.Portable().Portable(); again != in.Portable() {
			t.Errorf("%q: a second time gives %q", in, again)
		}
	}
}

package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"go/version"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/thanosleak/thanosleak/classify/origin/internal/table"
)

// functions are by source file those that stand in nearly every dump of a
// server or of a test, as they are spelled in stacks, without the package.
var functions = []struct {
	file  string
	pkg   string
	names string
}{
	{"bufio/bufio.go", "bufio", "(*Reader).Peek (*Reader).Read (*Reader).fill"},
	{"crypto/tls/conn.go", "crypto/tls", "(*Conn).Read (*Conn).readRecordOrCCS (*Conn).readFromUntil"},
	{"internal/poll/fd_unix.go", "internal/poll", "(*FD).Accept (*FD).Read (*FD).Write"},
	{"internal/sync/mutex.go", "internal/sync", "(*Mutex).lockSlow"},
	{"io/io.go", "io", "ReadAtLeast ReadFull"},
	{"net/fd_posix.go", "net", "(*netFD).Read"},
	{"net/fd_unix.go", "net", "(*netFD).accept"},
	{"net/http/client.go", "net/http", "(*Client).do send"},
	{"net/http/pprof/pprof.go", "net/http/pprof", "Index handler.ServeHTTP"},
	{"net/http/server.go", "net/http", "(*Server).ListenAndServe (*Server).Serve (*ServeMux).ServeHTTP (*conn).readRequest (*conn).serve" +
		" (*connReader).Read (*connReader).abortPendingRead (*connReader).backgroundRead HandlerFunc.ServeHTTP serverHandler.ServeHTTP"},
	{"net/http/transport.go", "net/http", "(*Transport).roundTrip (*persistConn).Read (*persistConn).readLoop" +
		" (*persistConn).roundTrip (*persistConn).writeLoop"},
	{"net/net.go", "net", "(*conn).Read"},
	{"net/tcpsock.go", "net", "(*TCPListener).Accept"},
	{"net/tcpsock_posix.go", "net", "(*TCPListener).accept"},
	{"os/signal/signal_unix.go", "os/signal", "loop"},
	{"runtime/pprof/pprof.go", "runtime/pprof", "(*Profile).WriteTo writeGoroutine writeGoroutineStacks writeRuntimeProfile"},
	{"runtime/time.go", "time", "Sleep"},
	{"sync/cond.go", "sync", "(*Cond).Wait"},
	{"sync/mutex.go", "sync", "(*Mutex).Lock (*Mutex).lockSlow"},
	{"sync/once.go", "sync", "(*Once).doSlow"},
	{"sync/rwmutex.go", "sync", "(*RWMutex).Lock (*RWMutex).RLock"},
	{"sync/waitgroup.go", "sync", "(*WaitGroup).Wait"},
	{"testing/testing.go", "testing", "(*M).Run (*T).Run runTests tRunner"},
}

// declared are functions whose body is declared under another name.
var declared = map[string]string{"time.Sleep": "timeSleep"}

// A span is the lines of a function, both inclusive.
type span struct{ first, last int }

// A goRelease is what was read of one GOROOT.
type goRelease struct {
	version string          // "go1.21.13"
	spans   map[string]span // by "net/http.(*conn).serve net/http/server.go"
}

func goTable(roots []string) (*table.Table, error) {
	var releases []goRelease
	for _, root := range roots {
		r, err := readGoroot(root)
		if err != nil {
			return nil, err
		}
		releases = append(releases, r)
	}
	slices.SortFunc(releases, func(a, b goRelease) int { return version.Compare(a.version, b.version) })
	var minors, read []string
	for _, r := range releases {
		minors = append(minors, version.Lang(r.version))
		read = append(read, r.version)
	}
	minors = slices.Compact(minors)
	b := table.NewBuilder(minors, []string{
		"Lines of functions of the standard library by minor release of Go.",
		"Made by go run ./classify/origin/internal/maketable; do not edit.",
		"Read in " + strings.Join(read, ", ") + ".",
	})
	for _, group := range functions {
		for _, name := range strings.Fields(group.names) {
			key := group.pkg + "." + name + " " + group.file
			for i, minor := range minors {
				if s := union(releases, minor, key); s.last > 0 {
					b.Add(i, "func "+key, fmt.Sprintf("%d-%d", s.first, s.last))
				}
			}
		}
	}
	return b.Table(), nil
}

// union returns the lines that a function has in the patch releases of a minor
// one; zero if it is in none.
func union(releases []goRelease, minor, key string) span {
	var all span
	for _, r := range releases {
		s, ok := r.spans[key]
		if !ok || version.Lang(r.version) != minor {
			continue
		}
		if all.last == 0 {
			all = s
		}
		all = span{min(all.first, s.first), max(all.last, s.last)}
	}
	return all
}

// readGoroot reads the functions of a Go release.
func readGoroot(root string) (goRelease, error) {
	r := goRelease{spans: map[string]span{}}
	data, err := os.ReadFile(filepath.Join(root, "VERSION"))
	if err != nil {
		return r, err
	}
	first, _, _ := bytes.Cut(data, []byte("\n"))
	r.version = strings.TrimSpace(string(first))
	if !version.IsValid(r.version) {
		return r, fmt.Errorf("%s is no GOROOT of a Go release: its VERSION is %q", root, r.version)
	}
	for _, group := range functions {
		path := filepath.Join(root, "src", filepath.FromSlash(group.file))
		found, err := declarations(path)
		if os.IsNotExist(err) {
			continue // as internal/sync before Go 1.24
		}
		if err != nil {
			return r, err
		}
		for _, name := range strings.Fields(group.names) {
			decl := name
			if other := declared[group.pkg+"."+name]; other != "" {
				decl = other
			}
			if s, ok := found[decl]; ok {
				r.spans[group.pkg+"."+name+" "+group.file] = s
			}
		}
	}
	return r, nil
}

// declarations returns the lines of the functions of a source file, by names as
// in stacks: "loop", "(*conn).serve", "HandlerFunc.ServeHTTP".
func declarations(path string) (map[string]span, error) {
	files := token.NewFileSet()
	f, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	found := map[string]span{}
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok {
			found[stackName(fn)] = span{files.Position(fn.Pos()).Line, files.Position(fn.End()).Line}
		}
	}
	return found, nil
}

func stackName(fn *ast.FuncDecl) string {
	if fn.Recv == nil || len(fn.Recv.List) == 0 {
		return fn.Name.Name
	}
	receiver := fn.Recv.List[0].Type
	if star, ok := receiver.(*ast.StarExpr); ok {
		if id, ok := star.X.(*ast.Ident); ok {
			return "(*" + id.Name + ")." + fn.Name.Name
		}
	}
	if id, ok := receiver.(*ast.Ident); ok {
		return id.Name + "." + fn.Name.Name
	}
	return fn.Name.Name
}

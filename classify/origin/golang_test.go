package origin

import (
	"strings"
	"testing"

	"github.com/thanosleak/thanosleak/classify/origin/internal/table"
)

func TestOfGo(t *testing.T) {
	const serve, pprof = "net/http.(*conn).serve", "runtime/pprof.writeGoroutineStacks"
	for _, tt := range []struct {
		name, dump, want, warning string
	}{
		{"one function", frame("running", pprof, "/usr/local/go/src/runtime/pprof/pprof.go:820"), "go1.26 go1.27", ""},
		{"-trimpath", frame("running", pprof, "runtime/pprof/pprof.go:820"), "go1.26 go1.27", ""},
		{"Windows", frame("running", pprof, `C:\Program Files\Go\src\runtime\pprof\pprof.go:820`), "go1.26 go1.27", ""},
		{"two functions leave fewer", frame("running", pprof, "runtime/pprof/pprof.go:820") +
			frame("sync.WaitGroup.Wait", serve, "/go/src/net/http/server.go:2130"), "go1.27", ""},
		{"first and last line are in it", frame("running", pprof, "runtime/pprof/pprof.go:737") +
			frame("running", pprof, "runtime/pprof/pprof.go:756"), "go1.22", ""},
		{"the line behind it is not", frame("running", pprof, "runtime/pprof/pprof.go:757"), "go1.23 go1.25", ""},
		{"functions of different releases", frame("running", pprof, "runtime/pprof/pprof.go:740") +
			frame("sleep", "time.Sleep", "/usr/local/go/src/runtime/time.go:320"), "", ""},
		{"lines that every release may have", frame("IO wait", "internal/poll.(*FD).Read", "/usr/local/go/src/internal/poll/fd_unix.go:164"), "", ""},
		{"a function that is new", frame("sync.Mutex.Lock", "internal/sync.(*Mutex).lockSlow", "/usr/local/go/src/internal/sync/mutex.go:149"),
			"go1.24 go1.25 go1.26 go1.27", ""},
		{"a copy of the package", frame("running", "example.org/runtime/pprof.writeGoroutineStacks", "/x/runtime/pprof/pprof.go:703"), "", ""},
		{"another file", frame("running", pprof, "/x/fakeruntime/pprof/pprof.go:703"), "", ""},
		{"a file of Windows", frame("IO wait", "internal/poll.(*FD).Accept", "C:/Go/src/internal/poll/fd_windows.go:405"), "", ""},
		{"toolchain module", frame("running", pprof, "/go/pkg/mod/golang.org/toolchain@v0.0.1-go1.21.13.linux-amd64/src/runtime/pprof/pprof.go:1"), "go1.21.13", ""},
		{"Debian", frame("running", pprof, "/usr/lib/go-1.21/src/runtime/pprof/pprof.go:1"), "go1.21", ""},
		{"sdk", frame("running", pprof, "/home/dev/sdk/go1.26.8/src/runtime/pprof/pprof.go:1"), "go1.26.8", ""},
		{"a newer release than the table's", frame("running", pprof, "/home/dev/sdk/go1.99rc1/src/runtime/pprof/pprof.go:1"), "go1.99rc1", ""},
		{"folder of its own", frame("running", pprof, "/usr/local/go1.22.3/src/runtime/pprof/pprof.go:1"), "go1.22.3", ""},
		{"Homebrew", frame("running", pprof, "/opt/homebrew/Cellar/go/1.22.0/libexec/src/runtime/pprof/pprof.go:1"), "go1.22.0", ""},
		{"less and more exact", frame("running", pprof, "/usr/lib/go-1.21/src/runtime/pprof/pprof.go:1") +
			frame("IO wait", serve, "/home/dev/sdk/go1.21.13/src/net/http/server.go:1"), "go1.21.13", ""},
		{"two releases", frame("running", pprof, "/home/dev/sdk/go1.22.3/src/runtime/pprof/pprof.go:1") +
			frame("IO wait", serve, "/home/dev/sdk/go1.21.13/src/net/http/server.go:1"), "", "several Go releases (go1.21.13, go1.22.3)"},
		{"release in the path of another package", frame("running", "example.org/x.F", "/home/dev/sdk/go1.22.3/src/example.org/x/x.go:1"), "", ""},
		{"release in the path of a package of the user's", frame("running", "x.F", "/home/u/go1.22.3/src/x/x.go:1"), "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := Of(read(t, tt.dump)...)
			if got := strings.Join(o.Go, " "); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			check(t, o, "", false, tt.warning)
		})
	}
}

// TestGoTableTells holds that the functions of the table tell every minor
// release from every other, and none excludes them all.
func TestGoTableTells(t *testing.T) {
	tab, err := table.Go()
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range tab.Releases {
		for j, other := range tab.Releases {
			if i != j && !tells(tab, i, j) {
				t.Errorf("no function tells %s from %s", r, other)
			}
		}
	}
}

// tells reports whether a function has other lines in one release than in the
// other.
func tells(tab *table.Table, i, j int) bool {
	in := func(f table.Fact, r int) bool {
		for _, x := range f.In {
			if x == r {
				return true
			}
		}
		return false
	}
	for _, f := range tab.Facts {
		if in(f, i) && !in(f, j) {
			return true
		}
	}
	return false
}

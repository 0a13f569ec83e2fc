package origin

import (
	"slices"
	"strings"
)

// evidence is what a dump shows that differs between Thanos releases.
type evidence struct {
	thanos  bool                       // functions of Thanos are in it
	modules map[string][]moduleVersion // by module, each version once
	own     []moduleVersion            // of Thanos, where it is in the module cache
	lines   map[place]bool             // of Thanos' functions
	anchors map[place]string           // the function that stands there
}

// A place is a line of a source file of Thanos ("pkg/store/proxy.go").
type place struct {
	file string
	line int
}

// An anchor is a wait that goroutines stand in at a line that every release
// has in its list for the file.
type anchor struct {
	function string // without the package's path
	file     string
	waits    string // part of what call.waits tells
}

// anchors were checked against the sources of some releases, the lists of all
// and real dumps. A function counts only while it is in the wait: main.main is
// elsewhere while the program starts.
var anchors = []anchor{
	{"main.main", "cmd/thanos/main.go", "github.com/oklog/run.(*Group).Run"},
	{"grpc.(*Server).ListenAndServe", "pkg/server/grpc/grpc.go", "google.golang.org/grpc.(*Server).Serve"},
	{"http.(*Server).ListenAndServe", "pkg/server/http/http.go", "net/http.(*Server).ListenAndServe"},
	{"http.(*Server).ListenAndServe", "pkg/server/http/http.go", "github.com/prometheus/exporter-toolkit/web."},
	{"store.(*eagerRespSet).Next", "pkg/store/proxy_heap.go", "sync.(*WaitGroup).Wait"},
	{"store.(*lazyRespSet).Next", "pkg/store/proxy_heap.go", "sync.(*Cond).Wait"},
	{"store.(*eagerRespSet).Next", "pkg/store/proxy_merge.go", "sync.(*WaitGroup).Wait"},
	{"store.(*lazyRespSet).Next", "pkg/store/proxy_merge.go", "sync.(*Cond).Wait"},
	{"store.newEagerRespSet.func2.3", "pkg/store/proxy_merge.go", "chan receive"},
	{"store.newEagerRespSet.func2.3", "pkg/store/proxy_merge.go", ").Recv"},
	{"store.newLazyRespSet.func2.3", "pkg/store/proxy_merge.go", "chan receive"},
	{"store.newLazyRespSet.func2.3", "pkg/store/proxy_merge.go", ").Recv"},
}

// collect gathers the evidence of the calls of a dump.
func collect(k *known, calls []call) *evidence {
	e := &evidence{modules: map[string][]moduleVersion{}, lines: map[place]bool{}, anchors: map[place]string{}}
	own := ownCalls(calls)
	e.thanos = len(own) > 0
	for _, c := range own {
		e.addLine(c)
	}
	files := map[string]bool{}
	for _, c := range calls {
		if !files[c.File] {
			files[c.File] = true
			e.addModule(k, c.File)
		}
	}
	for _, seen := range e.modules {
		slices.SortFunc(seen, func(a, b moduleVersion) int { return strings.Compare(a.version, b.version) })
	}
	return e
}

func (e *evidence) addLine(c call) {
	file := sourceFile(c)
	if file == "" {
		return
	}
	p := place{file, c.Line}
	e.lines[p] = true
	for _, a := range anchors {
		if !c.cut && a.file == file && strings.Contains(c.waits, a.waits) &&
			(c.Func == a.function || strings.HasSuffix(c.Func, "/"+a.function)) {
			e.anchors[p] = a.function
		}
	}
}

func (e *evidence) addModule(k *known, file string) {
	m, ok := k.moduleOf(file)
	if !ok {
		return
	}
	sameVersion := func(o moduleVersion) bool { return o.version == m.version }
	if slices.Contains(thanosModules, m.module) {
		if !slices.ContainsFunc(e.own, sameVersion) {
			e.own = append(e.own, m)
		}
		return
	}
	if !slices.ContainsFunc(e.modules[m.module], sameVersion) {
		e.modules[m.module] = append(e.modules[m.module], m)
	}
}

// linesOf returns how many lines of the dump are in the lists of the release.
func (e *evidence) linesOf(r *release) int {
	n := 0
	for p := range e.lines {
		if r.lines[p.file][p.line] {
			n++
		}
	}
	return n
}

// mostLines returns the most lines that a release has; 0 without releases.
func (e *evidence) mostLines(releases []*release) int {
	most := 0
	for _, r := range releases {
		most = max(most, e.linesOf(r))
	}
	return most
}

// refuted returns an anchor that is not where the release has it.
func (e *evidence) refuted(r *release) (p place, refuted bool) {
	for at := range e.anchors {
		if list := r.lines[at.file]; len(list) > 0 && !list[at.line] {
			if !refuted || at.file < p.file || at.file == p.file && at.line < p.line {
				p, refuted = at, true // always the same one of several
			}
		}
	}
	return p, refuted
}

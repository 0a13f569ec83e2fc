package origin

import (
	"fmt"
	"go/version"
	"slices"
	"strings"
	"sync"

	"github.com/thanosleak/thanosleak/classify/origin/internal/table"
	"github.com/thanosleak/thanosleak/internal/lazyregexp"
)

// A function of the standard library is found by name and file.
type function struct{ name, file string }

// A span is where a function stands in some releases.
type span struct {
	first, last int   // lines, both inclusive
	in          []int // indices of releases
}

// standard is what the table of Go releases knows, ready to be asked.
type standard struct {
	releases []string            // oldest first
	packages map[string]bool     // import paths
	files    map[string][]string // of a function, by its name
	spans    map[function][]span
}

var standardLibrary = sync.OnceValues(func() (*standard, error) {
	t, err := table.Go()
	if err != nil {
		return nil, err
	}
	std := &standard{releases: t.Releases, packages: map[string]bool{}, files: map[string][]string{}, spans: map[function][]span{}}
	for _, f := range t.Facts {
		if err := std.add(f); err != nil {
			return nil, err
		}
	}
	return std, nil
})

// add takes a fact as table.Go describes them.
func (std *standard) add(f table.Fact) error {
	var fn function
	fn.name, fn.file, _ = strings.Cut(strings.TrimPrefix(f.Name, "func "), " ")
	s := span{in: f.In}
	if _, err := fmt.Sscanf(f.Value, "%d-%d", &s.first, &s.last); err != nil {
		return fmt.Errorf("%s: lines %q: %w", f.Name, f.Value, err)
	}
	std.packages[packageOf(fn.name)] = true
	if std.spans[fn] == nil {
		std.files[fn.name] = append(std.files[fn.name], fn.file)
	}
	std.spans[fn] = append(std.spans[fn], s)
	return nil
}

// goReleases returns the releases of Go that the calls may come from: what
// paths of the standard library name, else what the lines of its functions
// leave.
func (o *Origin) goReleases(std *standard, calls []call) []string {
	if named := std.named(calls); len(named) > 0 {
		exact := named[len(named)-1]
		for _, r := range named {
			// "go1.21" beside "go1.21.13" is the same release less exactly.
			if r != exact && r != version.Lang(exact) {
				o.warn("the frames are of several Go releases (%s): dumps of several programs?", strings.Join(named, ", "))
				return nil
			}
		}
		return []string{exact}
	}
	left := std.possible(calls)
	if len(left) == len(std.releases) {
		return nil
	}
	return left
}

// possible returns the releases in whose spans all functions of the table
// stand. One that a release does not have excludes it.
func (std *standard) possible(calls []call) []string {
	excluded := make([]bool, len(std.releases))
	for fn, lines := range std.lines(calls) {
		fits := make([]int, len(std.releases))
		for _, s := range std.spans[fn] {
			for _, i := range s.in {
				fits[i] = count(lines, s.first, s.last)
			}
		}
		for i, n := range fits {
			excluded[i] = excluded[i] || n < len(lines)
		}
	}
	var left []string
	for i, r := range std.releases {
		if !excluded[i] {
			left = append(left, r)
		}
	}
	return left
}

// count returns how many lines are between two, both inclusive.
func count(lines map[int]bool, first, last int) int {
	n := 0
	for l := range lines {
		if first <= l && l <= last {
			n++
		}
	}
	return n
}

// lines returns the lines at which functions of the table stand. Function and
// file must both fit: Windows has files of its own, and a copy of a package has
// another name.
func (std *standard) lines(calls []call) map[function]map[int]bool {
	lines := map[function]map[int]bool{}
	for _, c := range calls {
		for _, file := range std.files[c.Func] {
			if c.cut || !hasPathSuffix(c.File, file) {
				continue
			}
			fn := function{c.Func, file}
			if lines[fn] == nil {
				lines[fn] = map[int]bool{}
			}
			lines[fn][c.Line] = true
		}
	}
	return lines
}

// namedRE finds the release in the path of a GOROOT: /usr/lib/go-1.21,
// /home/dev/sdk/go1.26.8, …/golang.org/toolchain@v0.0.1-go1.21.13.linux-amd64,
// /usr/local/Cellar/go/1.21.6/libexec, …/hostedtoolcache/go/1.21.13/x64.
var namedRE = lazyregexp.New(`(?:^|[/-])go(?:lang)?[-/]?(1\.\d+(?:\.\d+)?(?:(?:rc|beta)\d+)?)(?:$|[/.])`)

// named returns the releases that paths of standard library functions name,
// oldest first, each once.
func (std *standard) named(calls []call) []string {
	var named []string
	looked := map[string]bool{}
	for _, c := range calls {
		if !std.packages[c.pkg()] {
			continue
		}
		root, ok := goroot(c)
		if !ok || looked[root] {
			continue
		}
		looked[root] = true
		if m := namedRE().FindStringSubmatch(root); m != nil && !slices.Contains(named, "go"+m[1]) {
			named = append(named, "go"+m[1])
		}
	}
	slices.SortFunc(named, version.Compare)
	return named
}

// goroot returns the folder above "/src/net/http/server.go" of a function
// whose package is net/http.
func goroot(c call) (root string, ok bool) {
	folder := c.File[:strings.LastIndexByte(c.File, '/')+1]
	return strings.CutSuffix(folder, "/src/"+c.pkg()+"/")
}

package origin

import (
	"fmt"
	"go/version"
	"regexp"
	"slices"
	"strings"

	"github.com/thanosleak/thanosleak/classify/origin/internal/table"
)

// goReleases returns the releases of Go that the calls may come from: what
// paths of the standard library name, else what the lines of its functions
// leave.
func (o *Origin) goReleases(t *table.Table, calls []call) []string {
	if named := namedReleases(t, calls); len(named) > 0 {
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
	left := possible(t, calls)
	if len(left) == len(t.Releases) {
		return nil
	}
	return left
}

// possible returns the releases in whose ranges all functions of the table
// stand. One that a release does not have excludes it.
func possible(t *table.Table, calls []call) []string {
	lines := stdLines(t, calls)
	excluded := make([]bool, len(t.Releases))
	for name, at := range lines {
		fits := make([]int, len(t.Releases))
		for _, f := range t.Facts {
			if f.Name != name {
				continue
			}
			var first, last int
			if _, err := fmt.Sscanf(f.Value, "%d-%d", &first, &last); err != nil {
				continue
			}
			for _, i := range f.In {
				fits[i] = count(at, first, last)
			}
		}
		for i, n := range fits {
			excluded[i] = excluded[i] || n < len(at)
		}
	}
	var left []string
	for i, r := range t.Releases {
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

// stdLines returns the lines at which functions of the table stand, by their
// names in it. Function and file must both fit: Windows has files of its own,
// and a copy of a package has another name.
func stdLines(t *table.Table, calls []call) map[string]map[int]bool {
	names := map[string][]string{} // files by function
	for _, f := range t.Facts {
		fn, file := nameAndFile(f)
		if !slices.Contains(names[fn], file) {
			names[fn] = append(names[fn], file)
		}
	}
	lines := map[string]map[int]bool{}
	for _, c := range calls {
		for _, file := range names[c.Func] {
			if c.cut || !hasPathSuffix(c.File, file) {
				continue
			}
			key := "func " + c.Func + " " + file
			if lines[key] == nil {
				lines[key] = map[int]bool{}
			}
			lines[key][c.Line] = true
		}
	}
	return lines
}

// nameAndFile returns the two that a fact of table.Go is about.
func nameAndFile(f table.Fact) (fn, file string) {
	fn, file, _ = strings.Cut(strings.TrimPrefix(f.Name, "func "), " ")
	return fn, file
}

// namedRE finds the release in the path of a GOROOT: /usr/lib/go-1.21,
// /root/sdk/go1.26.8, …/golang.org/toolchain@v0.0.1-go1.21.13.linux-amd64,
// /usr/local/Cellar/go/1.21.6/libexec, …/hostedtoolcache/go/1.21.13/x64.
var namedRE = regexp.MustCompile(`(?:^|[/-])go(?:lang)?[-/]?(1\.\d+(?:\.\d+)?(?:(?:rc|beta)\d+)?)(?:$|[/.])`)

// namedReleases returns the releases that paths of standard library functions
// name, oldest first, each once.
func namedReleases(t *table.Table, calls []call) []string {
	std := map[string]bool{}
	for _, f := range t.Facts {
		fn, _ := nameAndFile(f)
		std[packageOf(fn)] = true
	}
	var named []string
	for _, c := range calls {
		root, ok := goroot(c)
		if m := namedRE.FindStringSubmatch(root); ok && std[c.pkg()] && m != nil && !slices.Contains(named, "go"+m[1]) {
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

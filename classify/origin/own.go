package origin

import (
	"path"
	"strings"

	"github.com/thanosleak/thanosleak/internal/lazyregexp"
)

// thanosModules are the import paths of Thanos, the second until 2019.
var thanosModules = []string{"github.com/thanos-io/thanos", "github.com/improbable-eng/thanos"}

// mainFolder is where the source of the program's main package is.
const mainFolder = "cmd/thanos"

// sourceFile returns the file of a function of Thanos as the table names it
// ("pkg/store/proxy.go"), relative to the root of the source; empty if the
// function is not of Thanos, or another package's code was inlined into it.
func sourceFile(c call) string {
	folder, ok := mainFolder, strings.HasPrefix(c.Func, "main.")
	if !ok {
		folder, ok = thanosFolder(c.pkg())
	}
	file := path.Join(folder, path.Base(c.File))
	if !ok || !hasPathSuffix(c.File, file) || isVendored(c.File) {
		return ""
	}
	return file
}

// isThanos reports whether the function is of Thanos by its name, or by its
// file if it is of package main.
func isThanos(c call) bool {
	if strings.HasPrefix(c.Func, "main.") {
		return sourceFile(c) != ""
	}
	_, ok := thanosFolder(c.pkg())
	return ok && !isVendored(c.File)
}

// thanosFolder returns the folder of a package of Thanos.
func thanosFolder(pkg string) (folder string, ok bool) {
	for _, m := range thanosModules {
		if folder, ok = strings.CutPrefix(pkg, m+"/"); ok {
			return folder, !strings.Contains(pkg, "/vendor/")
		}
	}
	return "", false
}

// isVendored reports whether a file of Thanos is a copy in another program.
func isVendored(file string) bool {
	return strings.Contains(file, "/vendor/") || strings.HasPrefix(file, "vendor/")
}

func hasPathSuffix(file, suffix string) bool {
	rest, ok := strings.CutSuffix(file, suffix)
	return ok && (rest == "" || strings.HasSuffix(rest, "/"))
}

// ownCalls returns the calls of Thanos' own functions. Those of package main
// have no import path: they count unless the code around them is a fork's.
func ownCalls(calls []call) []call {
	var own []call
	forked := forkedRoots(calls)
	for _, c := range calls {
		if !isThanos(c) || strings.HasPrefix(c.Func, "main.") && forked[sourceRoot(c)] {
			continue
		}
		own = append(own, c)
	}
	return own
}

// sourceRoot returns the folder above cmd/thanos of a main function's file.
func sourceRoot(c call) string { return strings.TrimSuffix(c.File, "/"+sourceFile(c)) }

// forkedRoots returns the source roots with a cmd/thanos in which packages
// have other import paths than Thanos'.
func forkedRoots(calls []call) map[string]bool {
	forked := map[string]bool{}
	for _, c := range calls {
		if strings.HasPrefix(c.Func, "main.") && isThanos(c) {
			forked[sourceRoot(c)] = otherModule(sourceRoot(c))
		}
	}
	for root := range forked {
		for _, c := range calls {
			folder, below := strings.CutPrefix(path.Dir(c.File), root+"/pkg/")
			if below && strings.HasSuffix(c.pkg(), "/pkg/"+folder) && !isThanos(c) {
				forked[root] = true
			}
		}
	}
	return forked
}

// otherModule reports whether the root is a module's path, as with -trimpath,
// and not Thanos'.
func otherModule(root string) bool {
	if !trimmedRE().MatchString(root) {
		return false
	}
	name, _, _ := strings.Cut(root, "@")
	return name != thanosModules[0] && name != thanosModules[1]
}

// trimmedRE matches files of modules in programs that were built with
// -trimpath: they begin with the module's path, whose first part has a dot.
var trimmedRE = lazyregexp.New(`^[a-z0-9-]+(\.[a-z0-9-]+)+/`)

package origin

import (
	"slices"
	"strings"
)

// A moduleVersion is a module of the table, or Thanos itself, as a path names
// it.
type moduleVersion struct {
	module  string // as go.mod requires it
	version string // "v1.57.2", "path@v1.2.3" where another module replaces it
	trimmed bool   // the path is that of -trimpath
}

// moduleOf returns the module that a file belongs to; not ok if its path names
// none that the table knows.
func (k *known) moduleOf(file string) (m moduleVersion, ok bool) {
	for at := range indexes(file, "@v") {
		version, _, below := strings.Cut(file[at+1:], "/")
		if !below {
			continue
		}
		name, module := k.knownSuffix(unescape(file[:at]))
		if module == "" {
			continue
		}
		version = unescape(version)
		if name != module {
			version = name + "@" + version
		}
		return moduleVersion{module, version, strings.HasPrefix(unescape(file), name+"@")}, true
	}
	return moduleVersion{}, false
}

// knownSuffix returns the longest end of a path that is the name of a module,
// and which module it is or replaces. What is before it is the module cache,
// which need not be below /go/pkg/mod.
func (k *known) knownSuffix(p string) (name, module string) {
	for {
		if module := k.names[p]; module != "" {
			return p, module
		}
		_, rest, ok := strings.Cut(p, "/")
		if !ok {
			return "", ""
		}
		p = rest
	}
}

// indexes yields where sep occurs in s.
func indexes(s, sep string) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		for from := 0; ; {
			i := strings.Index(s[from:], sep)
			if i < 0 || !yield(from+i) {
				return
			}
			from += i + len(sep)
		}
	}
}

// unescape undoes how the module cache writes capital letters: "!azure" is
// "Azure".
func unescape(p string) string {
	before, after, ok := strings.Cut(p, "!")
	if !ok {
		return p
	}
	var b strings.Builder
	for ok {
		b.WriteString(before)
		if after != "" {
			b.WriteString(strings.ToUpper(after[:1]))
			after = after[1:]
		}
		before, after, ok = strings.Cut(after, "!")
	}
	return b.String() + before
}

// A fit is how the modules of a dump compare with those of a release.
type fit struct {
	agree  int      // modules of the same version
	misfit []string // modules of another version, or that the release does not have
}

// fit compares. With -trimpath a path names the version that go.mod requires,
// not the one that replaces it, and the table has only the latter.
func (r *release) fit(e *evidence) fit {
	var f fit
	for module, seen := range e.modules {
		version, listed := r.modules[module]
		trimmed := seen[0].trimmed
		switch {
		case listed && len(seen) == 1 && version == seen[0].version:
			f.agree++
		case trimmed && (module == replacedModule || strings.Contains(version, "@")):
		case listed || r.complete || len(r.modules) == 0:
			f.misfit = append(f.misfit, module)
		}
	}
	return f
}

// replacedModule is required in one version and replaced by another in nearly
// every release of Thanos.
const replacedModule = "google.golang.org/grpc"

// byModules returns the releases that fit the modules of the dump. Those whose
// go.mod is silent about a module may have any version of it; if that is so of
// all modules, the lines must speak for the release rather than for one that
// the modules contradict.
func (e *evidence) byModules(releases []*release) []*release {
	var agreeing, silent, other []*release
	for _, r := range releases {
		switch f := r.fit(e); {
		case len(f.misfit) > 0:
			other = append(other, r)
		case f.agree > 0:
			agreeing = append(agreeing, r)
		default:
			silent = append(silent, r)
		}
	}
	if len(agreeing) > 0 {
		return agreeing
	}
	most := e.mostLines(other)
	return slices.DeleteFunc(silent, func(r *release) bool { return e.linesOf(r) < most })
}

// misfits names the modules that keep the dump from being of a release: those
// that do not fit the releases which fit best.
func (e *evidence) misfits(releases []*release) []string {
	var names []string
	best := 0
	for _, r := range releases {
		f := r.fit(e)
		if f.agree > best {
			best, names = f.agree, nil
		}
		if f.agree == best {
			names = append(names, f.misfit...)
		}
	}
	slices.Sort(names)
	var texts []string
	for _, name := range slices.Compact(names) {
		for _, seen := range e.modules[name] {
			texts = append(texts, name+" "+seen.version)
		}
	}
	return texts
}

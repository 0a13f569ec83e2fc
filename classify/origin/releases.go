package origin

import (
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/thanosleak/thanosleak/classify/origin/internal/table"
)

// A release is what the table knows of a Thanos release.
type release struct {
	name     string            // "0.35.1"
	modules  map[string]string // version by module; empty while Thanos was vendored
	complete bool              // a module that is not in modules is not in the build
	lines    map[string]map[int]bool
}

// known is all that is known of Thanos releases.
type known struct {
	releases []*release // oldest first
	// names are the modules by all names that paths may have: their own and
	// those of what replaces them.
	names map[string]string
}

var knownReleases = sync.OnceValues(func() (*known, error) {
	t, err := table.Thanos()
	if err != nil {
		return nil, err
	}
	k := &known{names: map[string]string{}}
	for _, m := range thanosModules {
		k.names[m] = m
	}
	for _, name := range t.Releases {
		k.releases = append(k.releases, &release{name: name, modules: map[string]string{}, lines: map[string]map[int]bool{}})
	}
	for _, f := range t.Facts {
		for _, i := range f.In {
			if err := k.add(k.releases[i], f); err != nil {
				return nil, err
			}
		}
	}
	return k, nil
})

// add takes a fact as table.Thanos describes them.
func (k *known) add(r *release, f table.Fact) error {
	kind, name, _ := strings.Cut(f.Name, " ")
	switch kind {
	case "complete":
		r.complete = true
	case "module":
		r.modules[name] = f.Value
		k.names[name] = name
		if path, _, replaced := strings.Cut(f.Value, "@"); replaced {
			k.names[path] = name
		}
	case "lines":
		r.lines[name] = map[int]bool{}
		for _, l := range strings.Fields(f.Value) {
			n, err := strconv.Atoi(l)
			if err != nil {
				return fmt.Errorf("%s of %s: %w", f.Name, r.name, err)
			}
			r.lines[name][n] = true
		}
	default:
		return fmt.Errorf("unknown kind of fact %q", kind)
	}
	return nil
}

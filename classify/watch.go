package classify

import (
	"fmt"
	"strings"

	"github.com/thanosleak/thanosleak/profile"
)

// storePackage is where response sets and block readers live.
const storePackage = "github.com/thanos-io/thanos/pkg/store."

// watched are the readers that growth is always told of, in every release:
// series of a query come through them, and most known leaks end in them.
var watched = []string{"newEagerRespSet", "newLazyRespSet", "(*eagerRespSet)", "(*lazyRespSet)", "(*blockSeriesClient)", "(*bucketBlock).Close"}

// watchedWaits tell what a watched reader waits for by the functions above it,
// the first that fits.
var watchedWaits = []struct{ function, wait string }{
	{"cache.(*InMemoryIndexCache)", "waiting for the lock of the in-memory index cache (as in TL-2022-005)"},
	{"(*bucketBlock).Close", "waiting for pending readers of a block (as in TL-2023-002)"},
	{"google.golang.org/grpc.(*clientStream)", "waiting for a silent store (as in TL-2026-101)"},
	{"google.golang.org/grpc/internal/transport.", "waiting for a silent store (as in TL-2026-101)"},
	{"objstore", "reading from object storage"},
	{"net/http.(*persistConn)", "reading from object storage"},
	{"net/http.(*Transport)", "reading from object storage"},
	{"cacheutil.", "reading from a cache"},
	{"(*eagerRespSet)", "waiting for the reader of a response set"},
	{"(*lazyRespSet)", "waiting for the reader of a response set"},
}

// leftOver is the title of what stayed when the work was over.
const leftOver = "left over when the load was gone"

// unknownTitle says what is seen of a stack that no advisory explains.
func unknownTitle(g *profile.Group, w witness) string {
	verb := "growing"
	switch {
	case w.growing || w.sustained:
	case w.blockedForever:
		verb = "blocked for ever"
	case w.retained:
		verb = leftOver
	case w.outlived || w.stuck || w.saturated:
		verb = "outlived their deadline"
	case w.proven:
		verb = "leaked"
	}
	name := ShortFunc(tellingFunction(g))
	if wait := watchedWait(g); wait != "" {
		return fmt.Sprintf("%s: %s, %s", verb, name, wait)
	}
	if s := g.State(); s != profile.StateUnknown {
		return fmt.Sprintf("%s: %s (%s)", verb, name, s)
	}
	return verb + ": " + name
}

// watchedWait returns what a watched reader waits for; empty for other stacks.
func watchedWait(g *profile.Group) string {
	functions := g.Signature.Functions()
	reader := -1
	for i, f := range functions {
		for _, w := range watched {
			if strings.HasPrefix(f, storePackage+w) {
				reader = i
			}
		}
	}
	if reader < 0 {
		return ""
	}
	if n, _ := blockedForever(g); n > 0 {
		return "waiting for a nil channel (as in TL-2024-001)"
	}
	for _, wait := range watchedWaits {
		for _, f := range functions[:reader+1] {
			if strings.Contains(f, wait.function) {
				return wait.wait
			}
		}
	}
	return "for an unknown reason"
}

// ShortFunc returns the name of a function with its package's last element
// only: "store.(*eagerRespSet).Next".
func ShortFunc(name string) string {
	// A slash may stand in type arguments; they are folded to "[...]".
	return name[strings.LastIndex(name, "/")+1:]
}

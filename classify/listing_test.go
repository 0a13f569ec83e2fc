package classify

import (
	"slices"
	"testing"
	"time"

	"github.com/thanosleak/thanosleak/profile"
)

// The goroutines of a listing of the bucket: 64 workers, and the one that lists.
var (
	block  = "github.com/thanos-io/thanos/pkg/block"
	worker = stack{state: profile.StateChanReceive, frames: []string{block + ".(*ConcurrentLister).GetActiveAndPartialBlockIDs.func1", "golang.org/x/sync/errgroup.(*Group).Go.func1"}}
	lister = stack{n: 1, state: profile.StateIOWait, frames: append(slices.Repeat([]string{"net/http.(*Client).do"}, 30),
		block+".(*ConcurrentLister).GetActiveAndPartialBlockIDs", block+".(*BaseFetcher).fetchMetadata")}
)

// listings makes samples of workers, with as many listings under way.
func listings(workers []int, under ...int) [][]stack {
	samples := counts(worker, workers...)
	for i := range samples {
		l := lister
		if l.n = 0; i < len(under) {
			l.n = under[i]
		}
		samples[i] = append(samples[i], l)
	}
	return samples
}

// TestListings tells workers of a sync that is under way, however long it takes,
// from those of syncs that failed.
func TestListings(t *testing.T) {
	for _, tt := range []struct {
		name    string
		samples [][]stack
		want    string // level and culprits+victims; empty for no finding
	}{
		{"a sync, once", listings([]int{64}, 1), ""},
		{"a sync that ends", listings([]int{64, 63, 12, 0}, 1, 1, 1), ""},
		{"a sync that takes long", listings(slices.Repeat([]int{64}, 12), slices.Repeat([]int{1}, 12)...), ""},
		{"syncs that come and go", listings([]int{64, 0, 64, 0, 60, 0, 64, 0, 64}, 1, 0, 1, 0, 1, 0, 1, 0, 1), ""},
		{"two syncs at once", listings([]int{128}, 2), ""},
		{"a sync that failed", listings([]int{64}), "likely 64+0"},
		{"syncs that failed", listings([]int{320}), "likely 320+0"},
		{"a sync after five that failed", listings([]int{384}, 1), "likely 320+0"},
		{"more with each sync", listings([]int{64, 128, 192, 256, 320, 384, 448, 512}), "confirmed 512+0"},
		{"more with each sync, and one under way", listings([]int{128, 192, 256, 320, 384, 448, 512, 576}, slices.Repeat([]int{1}, 8)...), "confirmed 512+0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, component := range []string{"store", "compact"} {
				r := judged(t, made{component: component, version: "0.42.4", every: time.Minute, samples: tt.samples})
				if tt.want == "" {
					if len(r.Findings) > 0 {
						t.Errorf("%s: %s", component, summary(r))
					}
					continue
				}
				f := only(t, r)
				if got := string(f.Level) + " " + plus(f.Culprits, f.Victims); f.Advisory != "TL-2026-001" || got != tt.want {
					t.Errorf("%s: %s %s, want %s", component, f.Key, got, tt.want)
				}
			}
		})
	}
}

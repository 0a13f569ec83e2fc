package classify_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/thanosleak/thanosleak/classify"
	"github.com/thanosleak/thanosleak/profile"
)

// clean are the captures in which nothing leaks, and how many samples they
// have in all.
var clean = []struct {
	scenario string
	samples  int
}{
	{"v0.35.1-healthy", 36},
	{"v0.35.1-risingload-noleak", 30},
	{"v0.36.1-slowstore-eager", 36},
	{"steady-v0.42.4", 7},
}

// TestClean takes stretches of the clean captures, down to single samples. In
// the middle of rising load up to 117 goroutines stand in the stacks of a
// leak's victims, and readers wait for their stores: one sample must not take
// them for a leak. Cut off there, rising load looks like one, but never for
// sure.
func TestClean(t *testing.T) {
	for _, tt := range clean {
		t.Run(tt.scenario, func(t *testing.T) {
			t.Parallel()
			looked := 0
			for _, target := range read(t, unpacked(t, tt.scenario), tt.scenario) {
				looked += len(target.Samples)
				for n, most := range map[int]classify.Level{1: classify.Note, 6: classify.Suspect, 9: classify.Suspect} {
					for from := range max(len(target.Samples)-n+1, 0) {
						noneAbove(t, most, judge(t, []profile.Target{stretch(target, from, n)}))
					}
				}
			}
			if looked != tt.samples {
				t.Errorf("%d samples, want %d", looked, tt.samples)
			}
		})
	}
}

// stretch is the target with n of its samples.
func stretch(target profile.Target, from, n int) profile.Target {
	target.Name = fmt.Sprintf("%s samples %d to %d", target.Name, from, from+n-1)
	target.Samples = target.Samples[from : from+n]
	return target
}

// TestInFlightReaders looks at dumps in which queries are under way: their
// readers stand in the frames of the leak, above them what they read from.
func TestInFlightReaders(t *testing.T) {
	const reader = "github.com/thanos-io/thanos/pkg/store.newEagerRespSet.func2"
	for _, tt := range []struct{ scenario, target string }{
		{"v0.42.4-misc", "v0.42.4-inflight-and-clean-go1.26.txt"},
		{"v0.35.1-risingload-noleak", "leaf"},
		{"v0.35.1-risingload-noleak", "upper"},
	} {
		t.Run(tt.scenario+"/"+tt.target, func(t *testing.T) {
			targets := read(t, unpacked(t, tt.scenario), tt.scenario)
			i := slices.IndexFunc(targets, func(x profile.Target) bool { return x.Name == tt.target })
			if i < 0 {
				t.Fatalf("no target %s", tt.target)
			}
			inFlight := 0
			for n, s := range targets[i].Samples {
				if slices.ContainsFunc(s.Goroutines.Groups, func(g profile.Group) bool {
					return slices.Contains(g.Signature.Functions(), reader)
				}) {
					inFlight++
				}
				alone := stretch(targets[i], n, 1)
				for _, version := range []string{"", "0.35.1", "0.36.0"} {
					alone.Facts.Version = version // as if the release had the leak
					noneAbove(t, classify.Note, judge(t, []profile.Target{alone}))
				}
			}
			if inFlight == 0 {
				t.Error("no reader in flight: the test shows nothing")
			}
		})
	}
}

// TestLeakSamples takes each sample of a leak alone: once its goroutines are
// there, one profile is enough.
func TestLeakSamples(t *testing.T) {
	for _, scenario := range []string{"v0.35.1-go121-slowstore-eager", "v0.36.0-slowstore-lazy"} {
		t.Run(scenario, func(t *testing.T) {
			t.Parallel()
			found, looked := 0, 0
			for _, target := range read(t, unpacked(t, scenario), scenario) {
				for i, s := range target.Samples {
					looked++
					r := judge(t, []profile.Target{stretch(target, i, 1)})
					if want := nilReaders(s.Goroutines); want > 0 {
						found++
						if len(r.Findings) == 0 || r.Findings[0].Level != classify.Confirmed || r.Findings[0].Culprits != want {
							t.Errorf("%s sample %d: %d readers on a nil channel, verdict %s", target.Name, i, want, r.Verdict)
						}
					} else if r.Verdict == classify.VerdictLeak {
						t.Errorf("%s sample %d: a leak, but nothing leaks yet", target.Name, i)
					}
				}
			}
			if looked != 36 || found < 20 || found == looked {
				t.Errorf("%d of %d samples have the leak", found, looked)
			}
		})
	}
}

// nilReaders counts readers on a nil channel by nothing but their leaf.
func nilReaders(s *profile.Snapshot) int {
	n := 0
	for _, g := range s.Groups {
		leaf := g.Signature.Leaf()
		if strings.HasSuffix(leaf, "agerRespSet.func2.3") || strings.HasSuffix(leaf, "azyRespSet.func2.3") {
			n += g.Count
		}
	}
	return n
}

// TestBothTiers judges the two tiers of chained queriers in one run: one
// finding with an occurrence for each.
func TestBothTiers(t *testing.T) {
	const scenario = "v0.35.1-go121-slowstore-eager"
	r := judge(t, read(t, unpacked(t, scenario), scenario))
	if len(r.Findings) != 1 || len(r.Findings[0].Occurrences) != 2 {
		t.Fatalf("%d findings", len(r.Findings))
	}
	f := r.Findings[0]
	if f.Occurrences[0].Target != "leaf" || f.Occurrences[1].Target != "upper" || f.Culprits != 288 {
		t.Errorf("%d culprits, occurrences %v", f.Culprits, f.Occurrences)
	}
	if len(f.Remedies) != 1 {
		t.Fatalf("%d remedies for two processes of one release", len(f.Remedies))
	}
	texts := ""
	for _, s := range f.Remedies[0].Steps {
		texts += s.Kind + ": " + s.Text + "\n"
	}
	for _, want := range []string{"both tiers", "go to v0.36.1, the first without it; newest v0.42.4"} {
		if !strings.Contains(texts, want) {
			t.Errorf("%s lacks %q", texts, want)
		}
	}
	if f.Remedies[0].GoTo != "0.36.1" || f.Advisory != "TL-2024-001" {
		t.Errorf("%s, go to %q", f.Advisory, f.Remedies[0].GoTo)
	}
	if want := "(here 1s and 2s)"; !strings.Contains(f.Why, want) {
		t.Errorf("%q lacks %q", f.Why, want)
	}
}

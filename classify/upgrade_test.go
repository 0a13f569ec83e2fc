package classify

import (
	"fmt"
	"slices"
	"testing"

	"github.com/thanosleak/thanosleak/profile"
)

// TestUpgrade restarts a leaking process into the release that is fixed, which
// ends the leak, and into the same release, which does not.
func TestUpgrade(t *testing.T) {
	none := []int{0, 0, 0, 0, 0, 0}
	x := made{component: "query", version: "0.36.1", starts: restarted(8, 6),
		samples: counts(leaked, append(rising(8), none...)...)}.target()
	for i := range x.Samples {
		version := "0.35.1"
		if i >= 8 {
			version = "0.36.1"
		}
		x.Samples[i].Metrics["thanos_build_info"] = []profile.Value{{Labels: map[string]string{"version": version}, Value: 1}}
	}
	r := judgedTargets(t, x)
	if len(r.Findings) > 0 || r.Verdict != VerdictClean {
		t.Errorf("%s after an upgrade that has ended the leak: %s", r.Verdict, summary(r))
	}
	for i := range x.Samples {
		x.Samples[i].Metrics["thanos_build_info"][0].Labels["version"] = "0.35.1"
	}
	x.Facts.Version = "0.35.1"
	f := only(t, judgedTargets(t, x))
	if f.Key != "TL-2024-001" || f.Level != Confirmed || f.Culprits != 0 {
		t.Errorf("after a restart alone: %s %s %d", f.Key, f.Level, f.Culprits)
	}
	texts := ""
	for _, e := range f.Occurrences[0].Evidence {
		texts += e.Text + "\n"
	}
	mustContain(t, texts, "v0.35.1 is affected", "started anew since")
}

// One reader on a nil channel, in a release without the leak, may be an idiom;
// two are told.
func TestNilReaders(t *testing.T) {
	for n, want := range map[int]Level{1: Note, 2: Suspect} {
		f := only(t, judged(t, made{component: "query", version: "0.42.4", samples: counts(leaked, n)}))
		if f.Level != want || f.Advisory != "" {
			t.Errorf("%d: %s %s, want %s", n, f.Level, f.Key, want)
		}
	}
}

// A target that was not reached this time is not judged by what is kept of it,
// unless that shows a leak.
func TestUnreached(t *testing.T) {
	for _, tt := range []struct {
		name string
		st   stack
		want Judged
	}{
		{"nothing found", pump, JudgedNo},
		{"a leak", leaked, JudgedYes},
	} {
		t.Run(tt.name, func(t *testing.T) {
			x := made{component: "query", version: "0.35.1", samples: counts(tt.st, slices.Repeat([]int{4}, 8)...)}.target()
			x.Unreached = true
			if got := judgedTargets(t, x).Targets[0].Judged; got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}

// A dump made to have very many stacks that are blocked for ever gets a bounded
// number of notes, of the most numerous.
func TestNotesAreBounded(t *testing.T) {
	var stacks []stack
	for i := range 5 * maxNotes {
		stacks = append(stacks, stack{n: i + 1, state: profile.StateSelectNoCases, frames: []string{fmt.Sprintf("acme.F%d", i)}})
	}
	r := judged(t, made{samples: [][]stack{stacks}})
	if len(r.Findings) != maxNotes || r.Findings[0].Culprits != 5*maxNotes || r.Findings[maxNotes-1].Culprits != 4*maxNotes+1 {
		t.Errorf("%d findings, the first of %d", len(r.Findings), r.Findings[0].Culprits)
	}
}

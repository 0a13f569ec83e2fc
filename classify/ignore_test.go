package classify

import (
	"strings"
	"testing"
	"time"

	"github.com/thanosleak/thanosleak/classify/advisory"
	"github.com/thanosleak/thanosleak/profile"
)

const accepted = `
- key: KEY
  reason: known
  expires: 2026-11-30
`

func TestParseIgnore(t *testing.T) {
	for text, want := range map[string]string{
		"":       "",
		"[]":     "",
		accepted: "",
		"- {key: A, reason: r, expires: 2026-11-30, more: 1}":                           "more",
		"- {key: A, top_frame: f, reason: r, expires: 2026-11-30}":                      "x.yml:1: want one of key",
		"- {reason: r, expires: 2026-11-30}":                                            "want one of key",
		"\n- {key: A, reason: r, expires: 2026-11-30}\n- {key: A, expires: 2026-11-30}": "x.yml:3: reason",
		"- {key: A, reason: r, expires: next year}":                                     "expires: want a day",
		"- {any_frame: '*', reason: r, expires: 2026-11-30}":                            "would ignore everything",
		"key: A": "x.yml",
		"- [":    "x.yml",
	} {
		_, err := ParseIgnore("x.yml", []byte(text))
		switch {
		case want == "" && err != nil, want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// TestIgnore accepts the flagship by each of its traits.
func TestIgnore(t *testing.T) {
	db, err := advisory.Default()
	if err != nil {
		t.Fatal(err)
	}
	day := time.Date(2026, 11, 30, 23, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name, entry string
		now         time.Time
		left        int
		want        string
	}{
		{"by key", "key: TL-2024-001", day, 0, "ignored until 2026-11-30: TL-2024-001, "},
		{"by the leaf", "top_frame: github.com/thanos-io/thanos/pkg/store.newEagerRespSet.*", day, 0, "ignored until"},
		{"by a frame", "any_frame: '*.newEagerRespSet.func2'", day, 0, "(known)"},
		{"by its creator, which is not known", "created_by: '*.newEagerRespSet'", day, 1, "accepts nothing that was found"},
		{"not by a victim", "any_frame: '*.(*querier).Select*'", day, 1, "accepts nothing"},
		{"expired", "key: TL-2024-001", day.Add(time.Hour), 1, "x.yml:1: the entry has expired on 2026-11-30, and what it accepted counts again: TL-2024-001"},
		{"of another", "key: TL-2024-002", day, 1, "accepts nothing that was found: TL-2024-002"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ig, err := ParseIgnore("x.yml", []byte("- {"+tt.entry+", reason: known, expires: 2026-11-30}"))
			if err != nil {
				t.Fatal(err)
			}
			one := made{component: "query", version: "0.35.1", samples: counts(leaked, rising(8)...), starts: restarted(8)}.target()
			r := Judge([]profile.Target{one}, Options{Thresholds: DefaultThresholds(), Advisories: db, Ignore: ig, Now: tt.now})
			if len(r.Findings) != tt.left || (r.Verdict == VerdictLeak) != (tt.left == 1) {
				t.Errorf("%s: left %s", r.Verdict, summary(r))
			}
			if all := strings.Join(r.Warnings, "\n"); !strings.Contains(all, tt.want) {
				t.Errorf("warnings %q, want %q", all, tt.want)
			}
		})
	}
}

// TestIgnorePart: an entry that names some of the culprits' stacks accepts no
// others, and several may accept them all. One that has expired takes nothing from
// one that has not.
func TestIgnorePart(t *testing.T) {
	db, err := advisory.Default()
	if err != nil {
		t.Fatal(err)
	}
	const eager, lazy = "- {top_frame: '*newEagerRespSet*', reason: x, expires: 2030-01-01}\n", "- {top_frame: '*newLazyRespSet*', reason: x, expires: 2030-01-01}\n"
	const lazyOld = "- {top_frame: '*newLazyRespSet*', reason: x, expires: 2020-01-01}\n"
	const whole, wholeOld = "- {key: TL-2024-001, reason: x, expires: 2030-01-01}\n", "- {key: TL-2024-001, reason: x, expires: 2020-01-01}\n"
	for _, tt := range []struct {
		name, entries string
		accepted      bool
		want          []string // in the warnings
	}{
		{"a part", eager, false, []string{"x.yml:1: the entry accepts a part of TL-2024-001", "none accepts store.newLazyRespSet.func2"}},
		{"both", eager + lazy, true, []string{"ignored until 2030-01-01: TL-2024-001"}},
		{"both, one has expired", eager + lazyOld, false, []string{"x.yml:1: the entry accepts a part", "x.yml:2: the entry has expired on 2020-01-01, and what it accepted counts again"}},
		{"renewed", wholeOld + whole, true, []string{"x.yml:1: the entry has expired on 2020-01-01; another accepts still: TL-2024-001", "ignored until 2030-01-01"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ig, err := ParseIgnore("x.yml", []byte(tt.entries))
			if err != nil {
				t.Fatal(err)
			}
			lazyStack := leaked
			lazyStack.frames = lazyCulprit
			one := made{component: "query", version: "0.36.0", samples: side(counts(leaked, rising(8)...), counts(lazyStack, rising(8)...)), starts: restarted(8)}.target()
			r := Judge([]profile.Target{one}, Options{Thresholds: DefaultThresholds(), Advisories: db, Ignore: ig, Now: start})
			if (r.Verdict != VerdictLeak) != tt.accepted {
				t.Errorf("%s: %s", r.Verdict, summary(r))
			}
			all := strings.Join(r.Warnings, "\n")
			for _, want := range tt.want {
				if !strings.Contains(all, want) {
					t.Errorf("warnings %q, want %q", all, want)
				}
			}
			if len(r.Warnings) > len(tt.want) {
				t.Errorf("warnings %q", r.Warnings)
			}
		})
	}
}

package advisory

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/semver"

	"github.com/thanosleak/thanosleak/profile"
)

func embeddedDB(t *testing.T) *DB {
	t.Helper()
	db, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func TestEmbeddedIDs(t *testing.T) {
	var ids []string
	for _, a := range embeddedDB(t).Advisories {
		ids = append(ids, a.ID)
	}
	if !slices.IsSorted(ids) {
		t.Errorf("not in order: %v", ids)
	}
	for _, id := range []string{"TL-2023-002", "TL-2024-001", "TL-2024-002"} {
		if !slices.Contains(ids, id) {
			t.Errorf("no %s in %v", id, ids)
		}
	}
	files, err := embedded.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != len(ids)+1 {
		t.Errorf("%d files for %d advisories and %s", len(files), len(ids), knowledgeFile)
	}
	for _, f := range files {
		if name, _ := strings.CutSuffix(f.Name(), ".yaml"); f.Name() != knowledgeFile && !slices.Contains(ids, name) {
			t.Errorf("%s holds an advisory of another id", f.Name())
		}
	}
}

func TestEmbeddedReleases(t *testing.T) {
	db := embeddedDB(t)
	for i, r := range db.Releases {
		if !semver.IsValid("v"+r) || semver.Prerelease("v"+r) != "" {
			t.Errorf("%q is no release", r)
		}
		if i > 0 && semver.Compare("v"+db.Releases[i-1], "v"+r) >= 0 {
			t.Errorf("%s after %s", r, db.Releases[i-1])
		}
	}
	if db.Newest() != "0.42.4" || len(db.Releases) < 60 {
		t.Errorf("newest %s of %d", db.Newest(), len(db.Releases))
	}
	if _, err := time.Parse(time.DateOnly, db.Version); err != nil {
		t.Error(err)
	}
}

// unseen are the advisories that no goroutine tells of: a crash, a connection
// that fails at once, stacks that are those of ordinary requests.
var unseen = map[string]bool{"TL-2022-001": true, "TL-2025-004": true, "TL-2025-006": true, "TL-2026-102": true}

// TestEmbeddedAreComplete checks that each advisory helps: that it can be seen,
// says what to do and where that is from.
func TestEmbeddedAreComplete(t *testing.T) {
	db := embeddedDB(t)
	for _, a := range db.Advisories {
		t.Run(a.ID, func(t *testing.T) {
			generic := a.Class == Generic
			for what, missing := range map[string]bool{
				"symptoms": len(a.Symptoms) == 0 && !generic, "culprits": len(a.Culprits) == 0 && !unseen[a.ID],
				"mitigate": len(a.Mitigate) == 0 && !generic, "restart": a.Restart == "" && !generic,
				"verify": a.Verify == "", "references": len(a.References) == 0,
			} {
				if missing {
					t.Errorf("no %s", what)
				}
			}
			if unseen[a.ID] && len(a.Culprits) > 0 {
				t.Error("it can be seen now")
			}
			if lines := strings.Count(strings.TrimSpace(a.Why), "\n") + 1; lines > 3 {
				t.Errorf("why has %d lines, want at most 3", lines)
			}
			for _, p := range slices.Concat(a.Culprits, a.Victims) {
				if p.Name == "" {
					t.Errorf("a pattern without a name: %v", p.Frames)
				}
			}
			for _, m := range a.Mitigate {
				if m.Text == "" || m.Cost == "" {
					t.Errorf("a mitigation without text or cost: %+v", m)
				}
			}
			for _, p := range a.Preconditions {
				if p.Text == "" {
					t.Errorf("a precondition without text: %+v", p)
				}
			}
			for _, r := range a.References {
				if !strings.HasPrefix(r, "https://") {
					t.Errorf("%q is no address", r)
				}
			}
			for _, r := range a.Affected {
				for _, v := range []string{r.Introduced, r.Fixed} {
					if v != "" && !slices.Contains(db.Releases, v) {
						t.Errorf("%s is not among the releases", v)
					}
				}
			}
		})
	}
}

// Placeholders are filled in these fields only; elsewhere people would see
// them.
func TestEmbeddedPlaceholders(t *testing.T) {
	anyRE := regexp.MustCompile(`\$\{[^}]*\}?`)
	for _, a := range embeddedDB(t).Advisories {
		raw := append([]string{a.Title, a.Summary, a.Restart, a.Verify}, a.Symptoms...)
		for _, v := range a.Avoid {
			raw = append(raw, v.Text)
		}
		for _, p := range a.Preconditions {
			raw = append(raw, p.Text)
		}
		filled := []string{a.Why}
		for _, m := range a.Mitigate {
			raw = append(raw, m.Command)
			filled = append(filled, m.Text, m.Cost)
		}
		for _, text := range raw {
			if anyRE.MatchString(text) {
				t.Errorf("%s: a placeholder that nothing fills: %q", a.ID, text)
			}
		}
		for _, text := range filled {
			if got := Fill(text, map[string]string{Tiers: "both"}); anyRE.MatchString(got) {
				t.Errorf("%s: a placeholder that is not filled: %q", a.ID, got)
			}
		}
	}
}

// TestFlagsPassTheDoor checks that no advisory reads a flag that may hold a
// secret: it would be refused, and the precondition never be known.
func TestFlagsPassTheDoor(t *testing.T) {
	flags := embeddedDB(t).Flags()
	keep := profile.FlagFilter(flags)
	for _, f := range flags {
		if !keep(f) {
			t.Errorf("--%s is refused", f)
		}
	}
	if !slices.IsSorted(flags) || len(slices.Compact(slices.Clone(flags))) != len(flags) {
		t.Errorf("not in order, or twice: %v", flags)
	}
	for _, want := range []string{"store.response-timeout", "query.timeout"} {
		if !slices.Contains(flags, want) {
			t.Errorf("no %s in %v", want, flags)
		}
	}
	if slices.Contains(flags, Tiers) {
		t.Errorf("%q is no flag", Tiers)
	}
}

func TestFill(t *testing.T) {
	flags := map[string]string{"query.timeout": "30s", "empty": ""}
	for _, tt := range []struct{ text, want string }{
		{"none", "none"},
		{"${query.timeout}", "30s"},
		{"${query.timeout:2m}", "30s"},
		{"a ${query.timeout} b ${query.timeout:2m} c", "a 30s b 30s c"},
		{"${other:2m}", "2m"},
		{"${empty:2m}", "2m"},
		{"${other}", "the value of --other"},
		{"${other:not known}", "not known"},
		{"$query.timeout {query.timeout}", "$query.timeout {query.timeout}"},
	} {
		t.Run(tt.text, func(t *testing.T) {
			if got := Fill(tt.text, flags); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	// What comes from a process is not filled in again.
	if got := Fill("${a}", map[string]string{"a": "${b}", "b": "secret"}); got != "${b}" {
		t.Errorf("got %q", got)
	}
}

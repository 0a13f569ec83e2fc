package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/thanosleak/thanosleak/classify/advisory"
)

// canHit are the advisories that a release has in a component, as checked in
// the trees of the release tags.
const canHit = `
0.30.1 compact: TL-2026-004 TL-2026-110
0.30.1 query: TL-2024-006 TL-2026-101 TL-2026-102 TL-2026-103
0.30.1 query-frontend: 
0.30.1 receive: TL-2023-001 TL-2024-002 TL-2024-007 TL-2024-008 TL-2026-004 TL-2026-107
0.30.1 rule: TL-2024-006 TL-2026-004
0.30.1 sidecar: TL-2026-004
0.30.1 store: TL-2022-005 TL-2023-002
0.30.1 tools: TL-2026-004
0.34.1 compact: TL-2026-110
0.34.1 query: TL-2024-006 TL-2026-002 TL-2026-101 TL-2026-102 TL-2026-103
0.34.1 query-frontend: 
0.34.1 receive: TL-2024-002 TL-2024-008 TL-2026-107
0.34.1 rule: TL-2024-006
0.34.1 sidecar: 
0.34.1 store: TL-2022-005
0.34.1 tools: 
0.35.1 compact: TL-2025-001 TL-2026-001 TL-2026-004 TL-2026-110
0.35.1 query: TL-2024-001 TL-2024-006 TL-2026-002 TL-2026-101 TL-2026-102 TL-2026-103
0.35.1 query-frontend: 
0.35.1 receive: TL-2024-005 TL-2024-008 TL-2026-003 TL-2026-004 TL-2026-107
0.35.1 rule: TL-2024-006 TL-2026-004
0.35.1 sidecar: TL-2026-004
0.35.1 store: TL-2022-005 TL-2024-001 TL-2025-001 TL-2026-001
0.35.1 tools: TL-2025-001 TL-2026-001 TL-2026-004
0.36.0 compact: TL-2025-001 TL-2026-001 TL-2026-004 TL-2026-110
0.36.0 query: TL-2024-001 TL-2026-002 TL-2026-101 TL-2026-102 TL-2026-103
0.36.0 query-frontend: 
0.36.0 receive: TL-2024-005 TL-2024-008 TL-2026-003 TL-2026-004 TL-2026-107
0.36.0 rule: TL-2026-004
0.36.0 sidecar: TL-2026-004
0.36.0 store: TL-2022-005 TL-2024-001 TL-2025-001 TL-2026-001
0.36.0 tools: TL-2025-001 TL-2026-001 TL-2026-004
0.37.1 compact: TL-2025-001 TL-2026-001 TL-2026-004
0.37.1 query: TL-2026-002 TL-2026-101 TL-2026-102 TL-2026-103
0.37.1 query-frontend: 
0.37.1 receive: TL-2024-005 TL-2025-004 TL-2025-006 TL-2026-003 TL-2026-004 TL-2026-005 TL-2026-106 TL-2026-107
0.37.1 rule: TL-2026-004
0.37.1 sidecar: TL-2026-004 TL-2026-109
0.37.1 store: TL-2022-005 TL-2024-004 TL-2025-001 TL-2026-001
0.37.1 tools: TL-2025-001 TL-2026-001 TL-2026-004
0.42.4 compact: TL-2026-001 TL-2026-004
0.42.4 query: TL-2026-101 TL-2026-102 TL-2026-103 TL-2026-105
0.42.4 query-frontend: 
0.42.4 receive: TL-2025-003 TL-2026-004 TL-2026-005 TL-2026-108
0.42.4 rule: TL-2026-004
0.42.4 sidecar: TL-2026-004
0.42.4 store: TL-2022-005 TL-2026-001 TL-2026-104
0.42.4 tools: TL-2026-001 TL-2026-004
`

// TestWhatCanHit asks for each release and component of the table as people do.
func TestWhatCanHit(t *testing.T) {
	rows := 0
	for row := range strings.SplitSeq(strings.TrimSpace(canHit), "\n") {
		where, ids, ok := strings.Cut(row, ":")
		version, component, ok2 := strings.Cut(where, " ")
		if !ok || !ok2 {
			t.Fatalf("row %q", row)
		}
		rows++
		for _, form := range []string{version, "v" + version, version + "-rc.1"} {
			got := listed(t, "--thanos-version", form, "--component", component)
			slices.Sort(got)
			if d := cmp.Diff(strings.Fields(ids), got); d != "" && len(strings.Fields(ids))+len(got) > 0 {
				t.Errorf("%s in %s (-table +listed)\n%s", component, form, d)
			}
		}
	}
	if want := 6 * len(advisory.Components()); rows != want {
		t.Errorf("%d rows, want %d: every component in 6 releases", rows, want)
	}
}

// listed returns the IDs that the command lists.
func listed(t *testing.T, args ...string) []string {
	t.Helper()
	var out, errs bytes.Buffer
	status := run(t.Context(), append([]string{"advisories", "-o", "json"}, args...), streams{out: &out, err: &errs, env: func(string) string { return "" }})
	var list []struct{ ID string }
	if err := json.Unmarshal(out.Bytes(), &list); err != nil || status != exitOK {
		t.Fatalf("%v: status %d, %v\n%s%s", args, status, err, out.String(), errs.String())
	}
	ids := []string{}
	for _, a := range list {
		ids = append(ids, a.ID)
	}
	return ids
}

// TestAdvisoryPages holds the page about what is known against the knowledge.
func TestAdvisoryPages(t *testing.T) {
	const page = "../../docs/advisories.md"
	var out, errs bytes.Buffer
	if status := run(t.Context(), []string{"advisories", "-o", "markdown"}, streams{out: &out, err: &errs, env: os.Getenv}); status != exitOK {
		t.Fatalf("status %d: %s", status, errs.String())
	}
	if *update {
		if err := os.WriteFile(page, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	have, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(have), out.String()); d != "" {
		t.Errorf("%s is not current (-page +knowledge); run the test with -update\n%s", page, d)
	}
}

// blockRE finds the blocks of a page by their language.
var blockRE = regexp.MustCompile("(?s)```(yaml|text)\n(.*?)```")

// TestOwnAdvisoryPage checks the example of the page about writing advisories as
// its readers would.
func TestOwnAdvisoryPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/own-advisories.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	names := map[string]string{"yaml": filepath.Join(dir, "ACME-1.yaml"), "text": filepath.Join(dir, "testdata", "ACME-1.txt")}
	if err := os.Mkdir(filepath.Join(dir, "testdata"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, m := range blockRE.FindAllSubmatch(page, -1) {
		if err := os.WriteFile(names[string(m[1])], m[2], 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var out, errs bytes.Buffer
	status := run(t.Context(), []string{"advisories", "check", dir}, streams{out: &out, err: &errs, env: os.Getenv})
	if want := "1 advisory, 1 fixture: all is well\n"; status != exitOK || out.String() != want {
		t.Errorf("status %d: %s%s", status, out.String(), errs.String())
	}
}

// TestFieldsAreDocumented holds the tables of the page against what is decoded.
func TestFieldsAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/own-advisories.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, typ := range []reflect.Type{reflect.TypeFor[advisory.Advisory](), reflect.TypeFor[advisory.Pattern](), reflect.TypeFor[advisory.Precondition]()} {
		for i := range typ.NumField() {
			if name := typ.Field(i).Tag.Get("yaml"); !bytes.Contains(page, []byte("`"+name+"`")) && !bytes.Contains(page, []byte("`"+name+":")) {
				t.Errorf("%s: no word of %s", typ.Name(), name)
			}
		}
	}
}

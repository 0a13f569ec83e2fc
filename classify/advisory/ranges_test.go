package advisory

import (
	"slices"
	"strings"
	"testing"
)

// ends are the releases at each end of the ranges of each advisory, checked in
// the trees of the release tags: those before and behind a range are marked
// with "!".
var ends = map[string]string{
	"TL-2018-001": "0.1.0 !0.2.0",
	"TL-2018-002": "0.1.0 0.2.1 !0.3.0",
	"TL-2019-001": "!0.3.2 0.4.0 0.8.1 !0.9.0",
	"TL-2019-002": "0.1.0 0.3.2 !0.4.0",
	"TL-2020-001": "!0.10.1 0.11.0 0.12.0 !0.12.1",
	"TL-2020-002": "!0.10.1 0.11.0 0.14.0 !0.15.0",
	"TL-2021-001": "!0.22.0 0.23.0 0.23.1 !0.23.2",
	"TL-2021-002": "!0.21.1 0.22.0 0.23.1 !0.23.2",
	"TL-2021-003": "!0.17.2 0.18.0 0.19.0 !0.20.0",
	"TL-2021-004": "!0.13.0 0.14.0 0.17.2 !0.18.0 0.19.0 0.22.0 !0.23.0",
	"TL-2021-005": "!0.21.1 0.22.0 0.23.2 !0.24.0",
	"TL-2022-001": "!0.27.0 0.28.0 !0.28.1",
	"TL-2022-002": "!0.21.1 0.22.0 0.26.0 !0.27.0",
	"TL-2022-003": "!0.9.0 0.10.0 0.26.0 !0.27.0",
	"TL-2022-004": "!0.28.1 0.29.0 !0.30.0",
	"TL-2022-005": "!0.9.0 0.10.0 0.42.4",
	"TL-2023-001": "!0.27.0 0.28.0 0.33.0 !0.34.0",
	"TL-2023-002": "!0.29.0 0.30.0 0.30.1 !0.30.2",
	"TL-2024-001": "!0.35.0 0.35.1 0.36.0 !0.36.1",
	"TL-2024-002": "!0.28.1 0.29.0 0.35.0 !0.35.1",
	"TL-2024-004": "!0.36.1 0.37.0 0.37.1 !0.37.2",
	"TL-2024-005": "!0.34.1 0.35.0 0.37.2 !0.38.0",
	"TL-2024-006": "!0.22.0 0.23.0 0.35.1 !0.36.0",
	"TL-2024-007": "!0.10.1 0.11.0 0.33.0 !0.34.0",
	"TL-2024-008": "!0.28.1 0.29.0 0.36.1 !0.37.0",
	"TL-2025-001": "!0.34.1 0.35.0 0.37.2 !0.38.0",
	"TL-2025-002": "!0.38.0 0.39.0 0.40.1 !0.41.0",
	"TL-2025-003": "!0.39.1 0.39.2 0.42.4",
	"TL-2025-004": "!0.36.1 0.37.0 0.38.0 !0.39.0",
	"TL-2025-005": "!0.39.2 0.40.0 0.40.1 !0.41.0",
	"TL-2025-006": "!0.36.1 0.37.0 0.40.1 !0.41.0",
	"TL-2026-001": "!0.34.1 0.35.0 0.42.4",
	"TL-2026-002": "!0.31.0 0.32.0 0.40.1 !0.41.0",
	"TL-2026-003": "!0.34.1 0.35.0 0.41.0 !0.42.0",
	"TL-2026-004": "!0.27.0 0.28.0 0.32.2 !0.32.3 !0.34.1 0.35.0 0.42.4",
	"TL-2026-005": "!0.36.1 0.37.0 0.42.4",
	"TL-2026-101": "0.1.0 0.42.4",
	"TL-2026-102": "!0.23.2 0.24.0 0.42.4",
	"TL-2026-103": "0.1.0 0.42.4",
	"TL-2026-104": "!0.40.1 0.41.0 0.42.4",
	"TL-2026-105": "!0.40.1 0.41.0 0.42.4",
	"TL-2026-106": "!0.36.1 0.37.0 0.41.0 !0.42.0",
	"TL-2026-107": "!0.12.2 0.13.0 0.41.0 !0.42.0",
	"TL-2026-108": "!0.41.0 0.42.0 0.42.4",
	"TL-2026-109": "!0.36.1 0.37.0 0.41.0 !0.42.0",
	"TL-2026-110": "!0.12.2 0.13.0 0.36.1 !0.37.0",
}

// TestRanges holds the ranges of each advisory against their ends. A suffix
// changes nothing: releases compare by major, minor and patch.
func TestRanges(t *testing.T) {
	db := embeddedDB(t)
	for _, a := range db.Advisories {
		if ends[a.ID] == "" && a.Class != Generic {
			t.Errorf("%s: no row in the table", a.ID)
		}
	}
	for id, row := range ends {
		a := db.ByID(id)
		if a == nil {
			t.Errorf("no advisory %s", id)
			continue
		}
		for _, end := range strings.Fields(row) {
			version, out := strings.CutPrefix(end, "!")
			for _, form := range []string{version, "v" + version, version + "-rc.0", "v" + version + "-rc.12", version + "-acme.2", version + "-dev", version + "+meta"} {
				rel, err := ParseRelease(form)
				if err != nil {
					t.Fatal(err)
				}
				if got := a.Affects(rel); got == out {
					t.Errorf("%s: %s is affected: %v", id, form, got)
				}
			}
		}
		if open := !strings.HasPrefix(row[strings.LastIndex(row, " ")+1:], "!"); a.Affects(Release{Number: "v0.43.0", Suffix: "-dev"}) != open {
			t.Errorf("%s: a development version after the newest release is affected: %v", id, !open)
		}
	}
}

// TestEndsAreComplete holds the ranges against all releases: between two rows of
// the table nothing changes.
func TestEndsAreComplete(t *testing.T) {
	db := embeddedDB(t)
	for id, row := range ends {
		a := db.ByID(id)
		if a == nil {
			continue // told by TestRanges
		}
		listed := strings.Fields(row)
		was := a.Affects(Release{Number: "v" + db.Releases[0]})
		for _, version := range db.Releases {
			is := a.Affects(Release{Number: "v" + version})
			mark := map[bool]string{true: "", false: "!"}[is]
			if is != was && !slices.Contains(listed, mark+version) {
				t.Errorf("%s: changes at %s, which is no row of the table", id, version)
			}
			was = is
		}
	}
}

package capture

import (
	"testing"
	"time"
)

func TestSampleName(t *testing.T) {
	for _, tt := range []struct {
		base, stem string
		kind       kind
		ok         bool
	}{
		{"20261122T064522Z.debug0.pb.gz", "20261122T064522Z", debug0, true},
		{"20261122T064522Z-2.debug1.txt", "20261122T064522Z-2", debug1, true},
		{"2026-11-22T06:45:22Z.debug2.txt.gz", "2026-11-22T06:45:22Z", debug2, true},
		{"t003-2026-11-22T06:45:22Z.leak.debug0.pb.gz", "t003-2026-11-22T06:45:22Z", leak0, true},
		{"t004-10-requests-behind-20261122T064522Z.leak.debug2.txt", "t004-10-requests-behind-20261122T064522Z", leak2, true},
		{"t004-v0.35.1-20261122T064522Z.metrics.txt.gz", "t004-v0.35.1-20261122T064522Z", metrics, true},
		{"t004.debug0.pb.gz", "t004", debug0, true},
		{"20261122T064522Z-rest1.debug0.pb.gz", "20261122T064522Z-rest1", debug0, true},
		{"20261122T064522Z-rest12-3.metrics.txt.gz", "20261122T064522Z-rest12-3", metrics, true},
		{"20261122T064522Z-rested.debug0.pb.gz", "", 0, false},
		{"minio-v7.0.93.debug2.txt", "", 0, false},
		{"thanos.debug0.pb.gz", "", 0, false},
		{"20261122T064522Z.heap.pb.gz", "", 0, false},
		{".20261122T064522Z.debug0.pb.gz4711", "", 0, false},
	} {
		t.Run(tt.base, func(t *testing.T) {
			stem, k, ok := sampleName(tt.base)
			if stem != tt.stem || k != tt.kind || ok != tt.ok {
				t.Errorf("got %q, %d, %v; want %q, %d, %v", stem, k, ok, tt.stem, tt.kind, tt.ok)
			}
		})
	}
}

func TestLooseName(t *testing.T) {
	for _, tt := range []struct {
		base, stem string
		kind       kind
	}{
		{"before.pb.gz", "before", debug0},
		{"goroutine", "goroutine", debug0},
		{"pod.log", "pod", debug2},
		{"query-debug1.txt", "query", debug1},
		{"query.debug=2.txt.gz", "query", debug2},
		{"query-leak-debug2.txt", "query", leak2},
		{"a.b.leak.debug0.pb.gz", "a.b", leak0},
	} {
		t.Run(tt.base, func(t *testing.T) {
			if stem, k := looseName(tt.base); stem != tt.stem || k != tt.kind {
				t.Errorf("got %q, %d; want %q, %d", stem, k, tt.stem, tt.kind)
			}
		})
	}
}

func TestNameTime(t *testing.T) {
	for _, tt := range []struct {
		stem string
		want time.Time
		n    int
	}{
		{"20261122T064522Z", start, 0},
		{"20261122T064522Z-12", start, 12},
		{"t003-2026-11-22T06:45:22Z", start, 0},
		{"20251122T064522Z-to-20261122-064522", start, 0},
		{"t003-words", time.Time{}, 0},
		{"20269922T064522Z", time.Time{}, 0},
	} {
		t.Run(tt.stem, func(t *testing.T) {
			if got, n := nameTime(tt.stem); !got.Equal(tt.want) || n != tt.n {
				t.Errorf("got %v, %d; want %v, %d", got, n, tt.want, tt.n)
			}
		})
	}
}

func TestNameRest(t *testing.T) {
	for stem, want := range map[string]int{
		"20261122T064522Z": 0, "20261122T064522Z-2": 0, "20261122T064522Z-rest1": 1, "20261122T064522Z-rest12-3": 12,
		"t001-rest2-20261122T064522Z": 0, "20261122T064522Z-rest0": 0, "": 0,
	} {
		if got := nameRest(stem); got != want {
			t.Errorf("%s: %d, want %d", stem, got, want)
		}
		if at, n := nameTime(stem); stem != "" && (at.IsZero() || n != map[string]int{"20261122T064522Z-2": 2, "20261122T064522Z-rest12-3": 3}[stem]) {
			t.Errorf("%s: at %s, number %d", stem, at, n)
		}
	}
}

func TestEscape(t *testing.T) {
	for _, tt := range []struct{ name, want string }{
		{"thanos-query-0:10902", "thanos-query-0%3A10902"},
		{"..", "%2E%2E"},
		{"../../etc/passwd", "%2E.%2F..%2Fetc%2Fpasswd"},
		{`C:\x`, "C%3A%5Cx"},
		{".hidden", "%2Ehidden"},
		{"dot.", "dot%2E"},
		{"space ", "space%20"},
		{"CON", "%43ON"},
		{"nul.txt", "%6Eul.txt"},
		{"lpt1", "%6Cpt1"},
		{"console", "console"},
		{"100%", "100%25"},
		{"a\x00\x1b[31m\n", "a%00%1B[31m%0A"},
		{"\xff", "%FF"},
		{"\u202eevil", "%E2%80%AEevil"},
		{"Grüße", "Grüße"},
		{"a.b.c", "a.b.c"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := Escape(tt.name)
			if got != tt.want {
				t.Errorf("Escape: got %q, want %q", got, tt.want)
			}
			if back := Unescape(got); back != tt.name {
				t.Errorf("Unescape(%q): got %q, want %q", got, back, tt.name)
			}
		})
	}
}

func TestUnescapeKeepsNamesOfPeople(t *testing.T) {
	for _, name := range []string{"a%2fb", "100%", "%41", "a%20b", "v0.35.1", "%zz"} {
		if got := Unescape(name); got != name {
			t.Errorf("Unescape(%q): got %q, want it unchanged", name, got)
		}
	}
}

func FuzzEscape(f *testing.F) {
	for _, s := range []string{"", "a:b", "..", "con.", "%41", "\xff. "} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		dir := Escape(name)
		if Unescape(dir) != name {
			t.Errorf("%q becomes %q, which is read as %q", name, dir, Unescape(dir))
		}
		if dir == "." || dir == ".." || len(dir) > 0 && dir[0] == '.' {
			t.Errorf("%q becomes %q", name, dir)
		}
		for _, c := range dir {
			if c < ' ' || c == '/' || c == '\\' || c == ':' {
				t.Errorf("%q becomes %q", name, dir)
			}
		}
	})
}

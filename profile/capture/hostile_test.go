package capture

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/thanosleak/thanosleak/profile"
)

// hostileNames are names of targets that would lead a writer astray that took
// them for paths.
var hostileNames = []string{
	"../up", "../../up", "..", ".", "/etc/up", `..\up`, `C:\up`, "C:up", `\\host\share`, "a/b", "nul", "CON", "lpt1.txt", "up.", "up ",
	"a\x00b", "\x1b]0;up\x07", "\u202eup", "\xff\xfe", "-rf", "~", "$HOME", ".lock", "seen.json", "%2E%2E", "20261122T064522Z.debug0.pb.gz", "*", "a\nb",
}

// TestHostileNames: whatever a target is called, its samples are kept within the
// folder or archive that was named, each under its own name, and read again.
func TestHostileNames(t *testing.T) {
	for _, form := range []string{"folder", "archive.tar.gz"} {
		t.Run(form, func(t *testing.T) {
			root := t.TempDir()
			path := filepath.Join(root, "parent", form)
			w, err := Create(path)
			if err != nil {
				t.Fatal(err)
			}
			payload := profile.Payload{Debug0: pb(t, start, "", "Query", 1)}
			for _, name := range hostileNames {
				if err := w.Add(name, profile.Sample{Time: start}, payload); err != nil {
					t.Errorf("%q: %v", name, err)
				}
				if err := w.Facts(name, profile.Facts{Version: "1", VersionSource: "buildinfo"}); err != nil {
					t.Errorf("%q: %v", name, err)
				}
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			for dir, want := range map[string]string{root: "parent", filepath.Join(root, "parent"): form} {
				if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 || entries[0].Name() != want {
					t.Errorf("%s has %v, want %s alone: %v", dir, entries, want, err)
				}
			}
			in, err := Open([]string{path}, nil, Options{})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, target := range in.Targets {
				got = append(got, target.Name)
			}
			if d := cmp.Diff(slices.Sorted(slices.Values(hostileNames)), slices.Sorted(slices.Values(got))); d != "" {
				t.Errorf("-written +read\n%s", d)
			}
		})
	}
}

// TestHostileNamesThatCannotBeKept are refused with a word, and leave nothing.
func TestHostileNamesThatCannotBeKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "c")
	w, err := Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	add := func(name string) error {
		return w.Add(name, profile.Sample{Time: start}, profile.Payload{Debug0: pb(t, start, "", "Query", 1)})
	}
	if err := add("query-a:10902"); err != nil {
		t.Fatal(err)
	}
	for name, says := range map[string]string{
		"": "its name is empty", strings.Repeat("x", 256): "longer than 255 bytes", strings.Repeat("\x00", 86): "longer than 255 bytes",
		"Query-A:10902": `differs from that of "query-a:10902" in upper and lower case only`,
	} {
		if err := add(name); err == nil || !strings.Contains(err.Error(), says) || len(err.Error()) > 600 {
			t.Errorf("%.20q: %v, want one with %q", name, err, says)
		}
	}
	if err := add("query-a:10902"); err != nil {
		t.Errorf("the first is not kept any more: %v", err)
	}
	folders := 0
	if err := fs.WalkDir(os.DirFS(dir), ".", func(_ string, d fs.DirEntry, err error) error {
		if d.IsDir() {
			folders++
		}
		return err
	}); err != nil || folders != 2 {
		t.Errorf("%d folders, want the capture and one target: %v", folders, err)
	}
}

// TestHostileClock: a profile that says it is of an impossible time is put where
// its name says.
func TestHostileClock(t *testing.T) {
	for _, at := range []time.Time{time.Unix(0, 1), time.Unix(0, 1<<63-1)} {
		in, err := Read(mapFS(map[string][]byte{"q/20261122T064522Z.debug0.pb.gz": pb(t, at, "", "Query", 3)}), "c", Options{})
		if err != nil {
			t.Fatal(err)
		}
		if got := in.Targets[0].Samples[0].Time; !got.Equal(start) {
			t.Errorf("a profile of %v is taken for one of %v", at.UTC(), got)
		}
	}
}

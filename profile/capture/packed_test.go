package capture

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/thanosleak/thanosleak/profile"
)

// The numbers are those of the summaries that were written when the captures
// were taken, and of the headers of debug=1.
func TestPackedCaptures(t *testing.T) {
	type target struct {
		Name, Version, Go   string
		First, Last         int
		Metrics, Leaked, ID bool // of the last sample; ID: single goroutines
	}
	const v35, v36 = "0.35.1", "0.36.0"
	for _, tt := range []struct {
		archive, description string
		want                 []target
	}{
		{"v0.35.1-go121-slowstore-eager", "2 processes, 18 samples each over 1m40s", []target{
			{"leaf", v35, "go1.21.13", 25, 313, true, false, true}, {"upper", v35, "go1.21.13", 18, 450, true, false, true}}},
		{"v0.36.0-slowstore-lazy", "2 processes, 18 samples each over 1m40s", []target{
			{"leaf", v36, "go1.26.8", 29, 317, true, false, true}, {"upper", v36, "go1.26.8", 20, 452, true, false, true}}},
		{"v0.35.1-risingload-noleak", "2 processes, 15 samples each over 1m20s", []target{
			{"leaf", v35, "go1.26.8", 25, 25, true, false, true}, {"upper", v35, "go1.26.8", 18, 18, true, false, true}}},
		{"v0.35.0-receive-issue6948-leak", "1 process, 15 samples over 1m49s", []target{
			{"receive", "0.35.0", "go1.26.8", 27, 79, true, false, true}}},
		{"v0.35.0-issue6948-receive-leakprof", "1 process, 10 samples over 21s", []target{
			{"v0.35.0-issue6948-receive-leakprof", "", "", 17, 45, false, true, true}}},
		{"v0.30.1-issue6086-storegateway-deadlock", "1 process, 9 samples over 1m22s", []target{
			{"v0.30.1-issue6086-storegateway-deadlock", "", "", 4, 46, false, false, true}}},
		{"v0.42.4-misc", "2 processes, 1 to 4 samples each", []target{
			{"v0.42.4-concurrentlister-leak-go1.26.txt", "", "", 616, 616, false, false, false},
			{"v0.42.4-inflight-and-clean-go1.26.txt", "", "", 13, 64, false, false, true}}},
		{"libs", "3 processes, 1 sample each", []target{
			{"minio-v7.0.93-cancelled-upload.debug2.txt", "", "", 22, 22, false, false, true},
			{"minio-v7.0.97-fixed.debug2.txt", "", "", 2, 2, false, false, true},
			{"tsdb-v0.308.0-failed-open", "", "", 52, 52, false, false, true}}},
	} {
		t.Run(tt.archive, func(t *testing.T) {
			in := packed(t, tt.archive, Options{})
			if in.Description != tt.description {
				t.Errorf("description %q, want %q", in.Description, tt.description)
			}
			var got []target
			for _, x := range in.Targets {
				last := x.Samples[len(x.Samples)-1]
				got = append(got, target{x.Name, x.Facts.Version, x.Facts.GoVersion,
					x.Samples[0].Goroutines.Total, last.Goroutines.Total,
					last.Metrics != nil, last.Leaked != nil, hasIDs(last.Goroutines)})
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}

func hasIDs(s *profile.Snapshot) bool {
	for _, g := range s.Groups {
		if len(g.Goroutines) > 0 {
			return true
		}
	}
	return false
}

func TestPackedSteady(t *testing.T) {
	in := packed(t, "steady-v0.42.4", Options{})
	if want := "7 processes, 1 sample each"; in.Description != want {
		t.Errorf("description %q, want %q", in.Description, want)
	}
	for _, x := range in.Targets {
		if want := strings.TrimPrefix(x.Name, "steady-v0.42.4-"); x.Component() != want {
			t.Errorf("%s: component %q, want %q", x.Name, x.Component(), want)
		}
		if s := x.Samples[0]; s.Goroutines.Encoding != profile.Debug0 || !hasIDs(s.Goroutines) {
			t.Errorf("%s: %v, want debug=0 with the single goroutines of debug=2", x.Name, s.Goroutines.Encoding)
		}
	}
}

// Every dump of the flavours has 6 goroutines, but for those named.
func TestPackedFlavours(t *testing.T) {
	want := map[string]int{"synctest.txt": 9, "truncated.txt": 5}
	in := packed(t, "flavours", Options{})
	if len(in.Targets) < 13 {
		t.Errorf("%d dumps, want at least 13", len(in.Targets))
	}
	for _, x := range in.Targets {
		n := want[x.Name]
		if n == 0 {
			n = 6
		}
		if got := x.Samples[0].Goroutines.Total; got != n {
			t.Errorf("%s: %d goroutines, want %d", x.Name, got, n)
		}
	}
}

// Every capture that truth.json speaks of is packed, and no name in an archive
// has a colon.
func TestPackIsComplete(t *testing.T) {
	dir := filepath.Join("..", "..", "testdata", "captures")
	data, err := os.ReadFile(filepath.Join(dir, "truth.json"))
	if err != nil {
		t.Fatal(err)
	}
	var truth map[string]any
	if err := json.Unmarshal(data, &truth); err != nil {
		t.Fatal(err)
	}
	archives, err := filepath.Glob(filepath.Join(dir, "*.tar.gz"))
	if err != nil || len(archives) < 12 {
		t.Fatalf("%d archives: %v", len(archives), err)
	}
	scenarios := map[string]*Archive{}
	for _, p := range archives {
		f, err := os.Open(p)
		if err != nil {
			t.Fatal(err)
		}
		a, err := Unpack(f)
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		if err != nil || a.Skipped > 0 {
			t.Fatalf("%s: %d members skipped: %v", p, a.Skipped, err)
		}
		scenarios[withoutArchiveExt(filepath.Base(p))] = a
		for name := range a.files {
			if strings.ContainsAny(name, `:\`) {
				t.Errorf("%s: %s breaks other systems", p, name)
			}
		}
	}
	for key := range truth {
		if key == "_" {
			continue
		}
		path, _, _ := strings.Cut(key, "#")
		scenario, _, _ := strings.Cut(path, "/")
		a := scenarios[scenario]
		if a == nil {
			t.Errorf("%s is not packed", scenario)
			continue
		}
		if f, err := a.Open(path); err != nil {
			t.Error(err)
		} else if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}

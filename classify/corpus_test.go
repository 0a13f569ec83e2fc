package classify_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/thanosleak/thanosleak/classify"
	"github.com/thanosleak/thanosleak/classify/advisory"
	"github.com/thanosleak/thanosleak/profile"
	"github.com/thanosleak/thanosleak/profile/capture"
)

// captures is where real captures are packed.
var captures = filepath.Join("..", "testdata", "captures")

// truth is what must be said of a capture.
type truth struct {
	Advisory   *string        `json:"advisory"`  // nil: none
	MinLevel   classify.Level `json:"min_level"` // with an advisory
	MaxLevel   classify.Level `json:"max_level"` // without one
	Culprits   *int           `json:"culprits"`
	Goroutines *int           `json:"goroutines"` // culprits and victims
	Version    string         `json:"version"`
	Samples    int            `json:"samples"` // only the first so many; 0 for all
	From       int            `json:"from"`    // only from this sample on
}

// way is what of a capture is judged.
type way struct {
	name     string
	encoding string // of the profiles; empty for all
	bare     bool   // profiles alone: no metrics, no facts
}

var ways = []way{
	{name: "all"}, {name: "debug0", encoding: "debug0"}, {name: "debug2", encoding: "debug2"}, {name: "bare", bare: true},
}

// TestCorpus holds what is said of real captures against the truth. Rows with
// #unknown and #first need evidence beside signature and growth.
func TestCorpus(t *testing.T) {
	rows := truths(t)
	looked := 0
	for key, want := range rows {
		if strings.Contains(key, "#unknown") || strings.Contains(key, "#first") {
			continue
		}
		looked++
		t.Run(key, func(t *testing.T) {
			t.Parallel()
			name, _, _ := strings.Cut(key, "#")
			scenario, _, _ := strings.Cut(name, "/")
			files := unpacked(t, scenario)
			for _, w := range ways {
				t.Run(w.name, func(t *testing.T) {
					want.check(t, w, judge(t, staged(t, files, name, w, want)))
				})
			}
		})
	}
	if looked < 20 {
		t.Fatalf("%d rows of %d in %s, want at least 20", looked, len(rows), captures)
	}
}

func truths(t *testing.T) map[string]truth {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(captures, "truth.json"))
	if err != nil {
		t.Fatal(err)
	}
	raw := map[string]json.RawMessage{}
	if err := json.Unmarshal(data, &raw); err != nil {
		t.Fatal(err)
	}
	rows := map[string]truth{}
	for key, row := range raw {
		if strings.HasPrefix(key, "_") {
			continue
		}
		var w truth
		if err := json.Unmarshal(row, &w); err != nil {
			t.Fatalf("%s: %v", key, err)
		}
		rows[key] = w
	}
	return rows
}

// sampleRE is the name of a file in a sample: the sample, whether it is a leak
// profile, and what is in it.
var sampleRE = regexp.MustCompile(`^(t\d+[^.]*?|[0-9T:Z-]+)\.(leak\.)?(debug[012]|metrics)\.`)

// staged returns the part of a scenario's files that a row is about: the file or
// the folder of that name.
func staged(t *testing.T, files fstest.MapFS, name string, w way, want truth) []profile.Target {
	t.Helper()
	fsys := fstest.MapFS{}
	if data := files[name]; data != nil {
		fsys[path.Base(name)] = data
		return read(t, fsys, name)
	}
	var stems []string
	for p := range files {
		if m := sampleRE.FindStringSubmatch(path.Base(p)); path.Dir(p) == name && m != nil {
			stems = append(stems, m[1])
		}
	}
	slices.Sort(stems)
	stems = slices.Compact(stems)
	if want.Samples > 0 {
		stems = stems[:want.Samples]
	}
	stems = stems[want.From:]
	for p, data := range files {
		if path.Dir(p) == name && w.keeps(path.Base(p), stems) {
			fsys[path.Base(p)] = data
		}
	}
	return read(t, fsys, name)
}

// keeps reports whether a file of the samples is judged in this way.
func (w way) keeps(base string, stems []string) bool {
	m := sampleRE.FindStringSubmatch(base)
	switch {
	case m == nil:
		return !w.bare && path.Ext(base) == ".json"
	case !slices.Contains(stems, m[1]):
		return false
	case m[3] == "metrics":
		return !w.bare
	}
	return w.encoding == "" || m[3] == w.encoding && m[2] == ""
}

// unpacked returns the files of a scenario by their paths.
func unpacked(t *testing.T, scenario string) fstest.MapFS {
	t.Helper()
	f, err := os.Open(filepath.Join(captures, scenario+".tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	a, err := capture.Unpack(f)
	if err != nil {
		t.Fatalf("%s: %v", scenario, err)
	}
	files := fstest.MapFS{}
	err = fs.WalkDir(a, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(a, p)
		files[p] = &fstest.MapFile{Data: data}
		return err
	})
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %d files: %v", scenario, len(files), err)
	}
	return files
}

func read(t *testing.T, fsys fs.FS, name string) []profile.Target {
	t.Helper()
	in, err := capture.Read(fsys, path.Base(name), capture.Options{
		Flags: profile.FlagFilter(append(knowledge(t).Flags(), classify.Flags()...))})
	if err != nil {
		t.Fatal(err)
	}
	return in.Targets
}

func knowledge(t *testing.T) *advisory.DB {
	t.Helper()
	db, err := advisory.Default()
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func judge(t *testing.T, targets []profile.Target) *classify.Result {
	t.Helper()
	return classify.Judge(targets, classify.Options{Thresholds: classify.DefaultThresholds(), Advisories: knowledge(t)})
}

// check holds the result against the row.
func (want truth) check(t *testing.T, w way, r *classify.Result) {
	t.Helper()
	if len(r.Targets) != 1 || r.Targets[0].Samples == 0 {
		t.Fatalf("%d targets: %+v", len(r.Targets), r.Targets)
	}
	if want.Advisory == nil {
		noneAbove(t, want.MaxLevel, r)
		return
	}
	need := want.MinLevel
	if w.bare && need == classify.Confirmed {
		need = classify.Likely
	}
	want.checkFinding(t, w, need, r)
	if v := r.Targets[0].ThanosVersion; !w.bare && want.Version != "" && v != want.Version {
		t.Errorf("version %q, want %q", v, want.Version)
	}
}

// noneAbove fails for every finding above a level.
func noneAbove(t *testing.T, most classify.Level, r *classify.Result) {
	t.Helper()
	for _, f := range r.Findings {
		if !most.AtLeast(f.Level) {
			t.Errorf("false alarm: %s %s %s", f.Level, f.Key, f.Title)
		}
	}
	if most == classify.Note && r.Verdict != classify.VerdictClean && r.Verdict != classify.VerdictUndecided {
		t.Errorf("verdict %s", r.Verdict)
	}
}

func (want truth) checkFinding(t *testing.T, w way, need classify.Level, r *classify.Result) {
	t.Helper()
	found := false
	for _, f := range r.Findings {
		switch {
		case f.Advisory == *want.Advisory:
			found = true
		case f.Level.AtLeast(classify.Suspect):
			t.Errorf("beside it: %s %s %s", f.Level, f.Key, f.Title)
		}
		if f.Advisory != *want.Advisory {
			continue
		}
		if !f.Level.AtLeast(need) {
			t.Errorf("level %s, want at least %s", f.Level, need)
		}
		if want.Culprits != nil && distance(f.Culprits, *want.Culprits) > 2 {
			t.Errorf("%d culprits, want %d", f.Culprits, *want.Culprits)
		}
		if n := want.Goroutines; n != nil && distance(f.Culprits+f.Victims, *n) > max(5, *n*7/100) {
			t.Errorf("%d goroutines, want %d", f.Culprits+f.Victims, *n)
		}
		if !w.bare && want.Version != "" && !slices.ContainsFunc(f.Remedies, saysAffected) {
			t.Error("no remedy says that the version is affected")
		}
	}
	if !found || r.Verdict != classify.VerdictLeak {
		t.Errorf("verdict %s without %s: %d findings", r.Verdict, *want.Advisory, len(r.Findings))
	}
}

func saysAffected(r classify.Remedy) bool { return r.Affected != nil && *r.Affected }

func distance(a, b int) int { return max(a-b, b-a) }

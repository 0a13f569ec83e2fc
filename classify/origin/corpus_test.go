package origin

import (
	"bytes"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/thanosleak/thanosleak/profile"
	"github.com/thanosleak/thanosleak/profile/capture"
)

// captures is where real captures are packed.
var captures = filepath.Join("..", "..", "testdata", "captures")

// encodings are parts of the names of the files that hold them.
var encodings = []string{"debug0", "debug1", "debug2"}

// A series is the dumps of one process in one encoding.
type series struct {
	name  string                // "v0.36.0-slowstore-lazy/leaf debug2"
	dumps [][]*profile.Snapshot // by file, in the order of their names
}

// allSeries returns the series of all captures. Files that are a process each
// make one of their own.
func allSeries(t *testing.T) []series {
	t.Helper()
	archives, err := filepath.Glob(filepath.Join(captures, "*.tar.gz"))
	if err != nil || len(archives) < 12 {
		t.Fatalf("%d captures in %s: %v", len(archives), captures, err)
	}
	var all []series
	for _, archive := range archives {
		all = append(all, seriesOf(t, archive)...)
	}
	return all
}

func seriesOf(t *testing.T, archive string) []series {
	t.Helper()
	f, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	files, err := capture.Unpack(f)
	if err != nil {
		t.Fatalf("%s: %v", archive, err)
	}
	var all []series
	err = fs.WalkDir(files, ".", func(p string, d fs.DirEntry, err error) error {
		name := seriesName(p)
		if err != nil || d.IsDir() || name == "" {
			return err
		}
		data, err := fs.ReadFile(files, p)
		if err != nil {
			return err
		}
		snapshots, err := profile.Read(bytes.NewReader(data), profile.Options{})
		if err != nil {
			t.Errorf("%s: %v", p, err)
			return nil
		}
		i := slices.IndexFunc(all, func(s series) bool { return s.name == name })
		if i < 0 {
			i = len(all)
			all = append(all, series{name: name})
		}
		all[i].dumps = append(all[i].dumps, snapshots)
		return nil
	})
	if err != nil || len(all) == 0 {
		t.Fatalf("%s: %d series: %v", archive, len(all), err)
	}
	return all
}

// seriesName returns the series that a file belongs to; empty if it holds no
// dump of all goroutines.
func seriesName(p string) string {
	base, folder := path.Base(p), path.Dir(p)
	loose := strings.HasPrefix(folder, "steady") || folder == "libs" || folder == "flavours" || strings.HasSuffix(folder, "-misc")
	if strings.Contains(base, ".leak.") {
		return ""
	}
	if path.Base(p) == "k8slog.txt" {
		return "" // not read before its prefixes are cut off
	}
	if loose && (strings.HasSuffix(base, ".txt") || strings.HasSuffix(base, ".gz")) {
		return p
	}
	for _, e := range encodings {
		if strings.Contains(base, "."+e) {
			return folder + " " + e
		}
	}
	return ""
}

// A truth is what must be told of the series whose names begin so.
type truth struct {
	prefix, release, goRelease string
	whole                      string // releases told by a whole series
}

// TestCorpus holds what is told of real captures against the truth, in every
// encoding alone: the set of each dump and of each series has the right
// release, and is small.
func TestCorpus(t *testing.T) {
	truths := []truth{
		{"steady-v0.42.4", "0.42.4", "go1.26", "0.42.0 0.42.1 0.42.2 0.42.3 0.42.4"},
		{"v0.42.4-misc", "0.42.4", "go1.26", "0.42.0 0.42.1 0.42.2 0.42.3 0.42.4"},
		{"v0.30.1-issue6086", "0.30.1", "go1.21", "0.30.0 0.30.1"},
		{"v0.35.0-issue6948-receive-leakprof", "0.35.0", "go1.26", "0.35.0 0.35.1"}, // a test: none of its lines differ
		{"v0.35.0-receive", "0.35.0", "go1.26", "0.35.0"},
		{"v0.35.1-go121", "0.35.1", "go1.21", "0.35.1"},
		{"v0.35.1-", "0.35.1", "go1.26", "0.35.1"},
		{"v0.36.0-", "0.36.0", "go1.26", "0.36.0"},
		{"v0.36.1-", "0.36.1", "go1.26", "0.36.1"},
		{"libs", "", "go1.26", ""},
		{"flavours", "", "go1.26", ""},
	}
	looked := map[string]bool{}
	for _, s := range allSeries(t) {
		t.Run(s.name, func(t *testing.T) {
			i := slices.IndexFunc(truths, func(w truth) bool { return strings.HasPrefix(s.name, w.prefix) })
			if i < 0 {
				t.Fatal("no truth is written for it")
			}
			want := truths[i]
			looked[want.prefix] = true
			whole := Of(slices.Concat(s.dumps...)...)
			if got := strings.Join(whole.Thanos, " "); got != want.whole {
				t.Errorf("got %q, want %q", got, want.whole)
			}
			t.Logf("%v sure=%v %v, of %d dumps", whole.Thanos, whole.Sure, whole.Go, len(s.dumps))
			for i, dump := range s.dumps {
				checkDump(t, Of(dump...), i, want.release, want.goRelease)
			}
		})
	}
	if len(looked) != len(truths) {
		t.Errorf("looked at %d of %d captures", len(looked), len(truths))
	}
}

func checkDump(t *testing.T, o Origin, i int, release, goRelease string) {
	t.Helper()
	switch {
	case len(o.Warnings) > 0:
		t.Errorf("dump %d: warnings %q", i, o.Warnings)
	case release == "" && o.Thanos != nil:
		t.Errorf("dump %d: got %v of what is no Thanos", i, o.Thanos)
	case o.Thanos != nil && !slices.Contains(o.Thanos, release), len(o.Thanos) > 5:
		t.Errorf("dump %d: got %v, want %s in it and few", i, o.Thanos, release)
	case o.Thanos == nil && o.Sure:
		t.Errorf("dump %d: sure of nothing", i)
	case o.Go != nil && !slices.Contains(o.Go, goRelease), len(o.Go) > 2:
		t.Errorf("dump %d: got %v, want %s in it and few", i, o.Go, goRelease)
	}
}

// TestFlagship holds that the last dump of the processes that leak is told
// exactly, and surely where it tells the states.
func TestFlagship(t *testing.T) {
	looked := 0
	for _, s := range allSeries(t) {
		release := "0.35.1"
		switch {
		case strings.HasPrefix(s.name, "v0.36.0-slowstore-lazy/"):
			release = "0.36.0"
		case !strings.HasPrefix(s.name, "v0.35.1-go121-slowstore-eager/"):
			continue
		}
		looked++
		o := Of(s.dumps[len(s.dumps)-1]...)
		sure := o.Sure || strings.HasSuffix(s.name, "debug1")
		if !slices.Equal(o.Thanos, []string{release}) || !sure {
			t.Errorf("%s: got %v, sure %v, want %s", s.name, o.Thanos, o.Sure, release)
		}
	}
	if looked != 4*len(encodings) {
		t.Errorf("looked at %d series, want %d", looked, 4*len(encodings))
	}
}

package capture

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// watched is a file system that notes which files were opened.
type watched struct {
	fs.FS
	opened *sync.Map // by name
}

func (w watched) Open(name string) (fs.File, error) {
	w.opened.Store(name, true)
	return w.FS.Open(name)
}

// TestWindow reads made-up samples, which differ in their number of goroutines.
func TestWindow(t *testing.T) {
	ago := func(d time.Duration) time.Time { return start.Add(-d) }
	name := func(dir string, at time.Time) string { return dir + "/" + at.Format(stampLayout) + ".debug0.pb.gz" }
	sample := func(at time.Time, n int) []byte { return pb(t, at, "", "Query", n) }
	damaged := []byte("\x00\x01")
	const day = 24 * time.Hour
	for _, tt := range []struct {
		name   string
		o      Options
		files  map[string][]byte
		want   []string
		left   int
		unread []string // files that must not be opened
	}{
		{
			name:  "no window",
			files: map[string][]byte{name("q", ago(0)): sample(ago(0), 1), name("q", ago(9*day)): sample(ago(9*day), 2)},
			want:  []string{"1 process, 2 samples over 9d", "q: 2 1"},
		},
		{
			name: "by name, of the newest of all targets",
			o:    Options{Window: day},
			files: map[string][]byte{
				name("p", ago(3*day)):              damaged,
				name("q", ago(2*day)):              damaged,
				name("q", ago(day)):                sample(ago(day), 2),
				name("q", ago(0)):                  sample(ago(0), 1),
				"q/20261119T064522Z.metrics.txt":   []byte("never read\n"),
				"q/20261119T064522Z.debug0.pb.gz":  damaged,
				"r/query-20261101T000000Z.pb.gz":   damaged,
				"r/query-20261122T064000Z.pb.gz":   sample(ago(2*time.Minute), 4),
				"q/status-buildinfo.json":          []byte(`{"status":"success","data":{"version":"0.35.1"}}`),
				"p/status-buildinfo.json":          []byte(`{"status":"success","data":{"version":"0.35.1"}}`),
				"never/20261101T000000Z.debug1.gz": damaged,
			},
			want: []string{"2 processes, 1 to 2 samples each over up to 1d, 5 older samples left out", "q: 2 1", "query-20261122T064000Z.pb.gz: 4"},
			left: 5,
			unread: []string{name("p", ago(3*day)), name("q", ago(2*day)), "q/20261119T064522Z.metrics.txt", "r/query-20261101T000000Z.pb.gz",
				"never/20261101T000000Z.debug1.gz"},
		},
		{
			name: "by the sample's own time where the name is not far off",
			o:    Options{Window: day},
			files: map[string][]byte{
				name("q", ago(0)):                    sample(ago(0), 1),
				name("q", ago(day+50*time.Minute)):   sample(ago(day-time.Second), 2),
				name("q", ago(day-50*time.Minute)):   sample(ago(day+time.Second), 3),
				name("q", ago(day+61*time.Minute)):   sample(ago(0), 4), // the name is wrong by too much
				"p/some.pb.gz":                       sample(ago(2*day), 5),
				"20261001T000000Z-notes/profile.txt": text2("Query", 6), // its time is not known: that of a file is not
			},
			want: []string{"2 processes, 1 to 2 samples each over up to 23h59m59s, 3 older samples left out", "profile.txt: 6", "q: 2 1"},
			left: 3,
		},
		{
			name: "the newest name has no sample",
			o:    Options{Window: day},
			files: map[string][]byte{
				"q/20991122T064522Z.debug0.pb.gz":   damaged,
				"q/20991122T064522Z.metrics.txt":    page("0.35.1"),
				"q/20980101T000000Z.metrics.txt":    page("0.35.1"),
				name("q", ago(0)):                   sample(ago(0), 1),
				name("q", ago(time.Hour)):           sample(ago(time.Hour), 2),
				"q/20981122T064522Z.leak.debug0.pb": {},
			},
			want: []string{"1 process, 2 samples over 1h, 2 files skipped",
				"q: 2 1 the newest sample, 20991122T064522Z, cannot be read: neither a text dump nor a pprof profile: malformed profile format"},
		},
		{
			name: "counted from another time, behind which samples stay",
			o:    Options{Window: day, Newest: ago(2 * day)},
			files: map[string][]byte{
				name("q", ago(0)):     sample(ago(0), 1),
				name("q", ago(3*day)): sample(ago(3*day), 2),
				name("q", ago(4*day)): damaged,
			},
			want:   []string{"1 process, 2 samples over 3d, 1 older sample left out", "q: 2 1"},
			left:   1,
			unread: []string{name("q", ago(4*day))},
		},
		{
			name: "one of each quarter of an hour, but for the last hour",
			o:    Options{Window: day, Sparse: 15 * time.Minute},
			files: map[string][]byte{
				name("q", ago(0)):                sample(ago(0), 1),
				name("q", ago(time.Minute)):      sample(ago(time.Minute), 2),
				name("q", ago(121*time.Minute)):  damaged,                         // 04:44, after the first of its quarter
				name("q", ago(122*time.Minute)):  sample(ago(122*time.Minute), 3), // 04:43
				name("q", ago(136*time.Minute)):  sample(ago(136*time.Minute), 4), // 04:29
				"q/20261122T044344Z.metrics.txt": []byte("never read\n"),
			},
			want:   []string{"1 process, 4 samples over 2h16m, 1 older sample left out", "q: 4 3 2 1"},
			left:   1,
			unread: []string{name("q", ago(121*time.Minute))},
		},
		{
			name: "damaged, but new enough",
			o:    Options{Window: day},
			files: map[string][]byte{
				name("p", ago(0)): damaged, name("p", ago(2*day)): sample(ago(2*day), 1), name("q", ago(0)): sample(ago(0), 1),
			},
			want: []string{"1 process, 1 sample, 1 older sample left out, 1 input not readable, 1 file skipped",
				"p: no goroutine profile that can be read in 1 sample. The first that was met: top/p/20261122T064522Z.debug0.pb.gz: passed over: neither a text dump nor a pprof profile: malformed profile format", "q: 1"},
			left: 1,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := watched{mapFS(tt.files), new(sync.Map)}
			in, err := Read(w, "top", tt.o)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, summary(in)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if in.Left != tt.left {
				t.Errorf("%d left out, want %d", in.Left, tt.left)
			}
			for _, name := range tt.unread {
				if _, opened := w.opened.Load(name); opened {
					t.Errorf("%s was opened", name)
				}
			}
		})
	}
}

func TestWindowLeavesNothing(t *testing.T) {
	old := pb(t, start, "", "Query", 1)
	for name, files := range map[string]map[string][]byte{
		"by name":           {"q/20261122T064522Z.debug0.pb.gz": old},
		"by the own time":   {"q/x.debug0.pb.gz": old},
		"directly":          {"20261122T064522Z.debug0.pb.gz": old},
		"beside other text": {"20261122T064522Z.debug0.pb.gz": old, "20261122T064522Z.metrics.txt": page("0.35.1"), "readme.txt": []byte("x\n")},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Read(mapFS(files), "top", Options{Window: time.Hour, Newest: start.Add(48 * time.Hour)})
			if !errors.Is(err, ErrTooOld) {
				t.Fatalf("error %v, want ErrTooOld", err)
			}
			mustContain(t, err.Error(), "1 sample older than 1h before 2026-11-24T06:45:22Z")
		})
	}
}

// TestWindowOfHistory reads a real process.
func TestWindowOfHistory(t *testing.T) {
	dir := history(t, 48, time.Hour)
	all := openHistory(t, dir).Targets[0]
	for _, tt := range []struct {
		o    Options
		want int
	}{
		{Options{Window: 24 * time.Hour}, 25},
		{Options{Window: 1}, 1},
		{Options{Window: 1000 * time.Hour}, 48},
		{Options{Window: 24 * time.Hour, Newest: start.Add(40 * time.Hour)}, 32},
	} {
		tt.o.Flags = allFlags
		in, err := Open([]string{dir}, nil, tt.o)
		if err != nil {
			t.Fatal(err)
		}
		want := all
		want.Samples = all.Samples[len(all.Samples)-tt.want:]
		if diff := cmp.Diff(want, in.Targets[0]); diff != "" {
			t.Errorf("window %v: -want +got:\n%s", tt.o.Window, diff)
		}
		if in.Left != 48-tt.want || len(in.Warnings) > 0 {
			t.Errorf("window %v: %d left out, warnings %q", tt.o.Window, in.Left, in.Warnings)
		}
	}
}

// TestWindowOverArguments checks that the newest sample of one argument counts
// for the others, whichever comes first.
func TestWindowOverArguments(t *testing.T) {
	at := func(d time.Duration) []byte { return pb(t, start.Add(d), "", "Query", 1) }
	dir := writeFiles(t, map[string][]byte{
		"old/q/20261101T000000Z.debug0.pb.gz":     []byte("\x00"),
		"new/q/20261122T064522Z.debug0.pb.gz":     at(0),
		"loose/20261102T000000Z.debug0.pb.gz":     []byte("\x00"),
		"loose/20261122T064523Z.debug0.pb.gz":     at(time.Second),
		"other/copied-after-the-incident.txt":     text2("Query", 2),
		"other/before-20261103-000000.debug2.log": []byte("nothing\n"),
	})
	if err := os.Chtimes(filepath.Join(dir, "other", "copied-after-the-incident.txt"), time.Time{}, start.Add(1000*time.Hour)); err != nil {
		t.Fatal(err)
	}
	paths := []string{filepath.Join(dir, "old"), filepath.Join(dir, "new"), filepath.Join(dir, "other")}
	loose, err := filepath.Glob(filepath.Join(dir, "loose", "*"))
	if err != nil {
		t.Fatal(err)
	}
	in, err := Open(append(paths, loose...), nil, Options{Window: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"3 processes, 1 sample each, 2 older samples left out", "q: 1", "copied-after-the-incident.txt: 2", "loose: 1"}
	if diff := cmp.Diff(want, summary(in)); diff != "" || len(in.Warnings) > 0 {
		t.Errorf("-want +got:\n%s%q", diff, in.Warnings)
	}
}

// TestEachKeepsOrder reads with several readers what one reader read.
func TestEachKeepsOrder(t *testing.T) {
	files := map[string][]byte{}
	for i := range 60 {
		at := start.Add(time.Duration(i) * time.Minute)
		stem := string(rune('a'+i%3)) + "/" + at.Format(stampLayout)
		files[stem+".debug0.pb.gz"] = pb(t, at, "", "Query", i+1)
		files[stem+".metrics.txt"] = page("0.35.1")
		if i%7 == 0 {
			files[stem+".debug0.pb.gz"] = []byte("\x00")
		}
		if i%15 == 0 {
			files[stem+".metrics.txt"] = []byte("nothing\n")
		}
	}
	read := func(slots int) *Input {
		r := newReader(Options{})
		r.slots = make(chan struct{}, slots)
		if err := r.folder(mapFS(files), "top", []string{"top"}); err != nil {
			t.Fatal(err)
		}
		in, err := r.finish()
		if err != nil {
			t.Fatal(err)
		}
		return in
	}
	want := read(0)
	if len(want.Warnings) != 13 || !strings.Contains(want.Description, "3 processes") {
		t.Fatalf("%s: %d warnings %q", want.Description, len(want.Warnings), want.Warnings)
	}
	for range 20 {
		if diff := cmp.Diff(want, read(7)); diff != "" {
			t.Fatalf("-one reader +several:\n%s", diff)
		}
	}
}

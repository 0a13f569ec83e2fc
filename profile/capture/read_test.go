package capture

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/thanosleak/thanosleak/profile"
)

func TestReadFolders(t *testing.T) {
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	for _, tt := range []struct {
		name  string
		files map[string][]byte
		each  bool
		want  []string
		warn  []string // parts of the warnings, one each
	}{
		{
			name: "capture with foreign files",
			files: map[string][]byte{
				"query-0%3A10902/20261122T064522Z.debug0.pb.gz":      pb(t, at(0), "", "Query", 3),
				"query-0%3A10902/20261122T064532Z.debug0.pb.gz":      pb(t, at(10), "", "Query", 4),
				"query-0%3A10902/20261122T064532Z.metrics.txt.gz":    gz(page("0.35.1")),
				"query-0%3A10902/.20261122T064542Z.debug0.pb.gz4711": pb(t, at(20), "", "Query", 5),
				"query-0%3A10902/heap.pb.gz":                         gz([]byte("heap profile: 1: 2 [3: 4] @ heap/1048576\n")),
				"README.md":                                          []byte("goroutine 1 [running]:\nmain.x()\n"),
				"query-0-summary.csv":                                []byte("a,b\n"),
				"scenario.json":                                      []byte("{}"),
				"seen.json":                                          []byte("{}"),
				"notes.txt":                                          []byte("all quiet\n"),
			},
			want: []string{"1 process, 2 samples over 10s", "query-0:10902: 3 4"},
		},
		{
			name: "samples directly in the folder",
			files: map[string][]byte{
				"20261122T064522Z.debug1.txt":    text1("Query", 2),
				"20261122T064523Z.debug2.txt.gz": gz(text2("Query", 3)),
			},
			want: []string{"1 process, 2 samples over 1s", "top: 2 3"},
		},
		{
			name: "nested, with names that collide",
			files: map[string][]byte{
				"a/upper/20261122T064522Z.debug0.pb.gz":  pb(t, at(0), "", "Query", 1),
				"a/upper/20261122T064527Z.debug0.pb.gz":  pb(t, at(5), "", "Query", 1),
				"b/upper/20261122T064522Z.debug0.pb.gz":  pb(t, at(0), "", "Query", 2),
				"b/leaf/x/20261122T064522Z.debug0.pb.gz": pb(t, at(0), "", "Query", 3),
			},
			want: []string{"3 processes, 1 to 2 samples each over up to 5s", "a/upper: 1 1", "x: 3", "b/upper: 2"},
		},
		{
			name: "damaged profile",
			files: map[string][]byte{
				"q/20261122T064522Z.debug0.pb.gz": pb(t, at(0), "", "Query", 1),
				"q/20261122T064527Z.debug0.pb.gz": pb(t, at(5), "", "Query", 2)[:20],
				"q/20261122T064532Z.debug0.pb.gz": []byte("\x00\x01\x02"),
				"q/20261122T064537Z.debug0.pb.gz": {},
				"q/20261122T064542Z.debug0.pb.gz": pb(t, at(20), "", "Query", 3),
			},
			want: []string{"1 process, 2 samples over 20s, 3 files skipped", "q: 1 3"},
			warn: []string{"q/20261122T064527Z.debug0.pb.gz: passed over: the file ends in the middle", "T064532Z", "T064537Z"},
		},
		{
			name: "damaged debug=0 beside whole text",
			files: map[string][]byte{
				"q/20261122T064522Z.debug0.pb.gz": []byte("\x1f\x8b"),
				"q/20261122T064522Z.debug1.txt":   text1("Query", 5),
			},
			want: []string{"1 process, 1 sample, 1 file skipped", "q: 5"},
			warn: []string{"damaged gzip"},
		},
		{
			name: "metrics alone are no sample, and a target without any is told",
			files: map[string][]byte{
				"p/20261122T064522Z.metrics.txt":  page("0.35.1"),
				"q/20261122T064522Z.debug0.pb.gz": pb(t, at(0), "", "Query", 1),
				"q/20261122T064532Z.metrics.txt":  page("0.35.1"),
			},
			want: []string{"1 process, 1 sample, 1 input not readable",
				"p: no goroutine profile that can be read in 1 sample.", "q: 1"},
		},
		{
			name: "several samples of one second",
			files: map[string][]byte{
				"q/20261122T064522Z.debug2.txt":    text2("Query", 1),
				"q/20261122T064522Z-2.debug2.txt":  text2("Query", 2),
				"q/20261122T064522Z-10.debug2.txt": text2("Query", 3),
			},
			want: []string{"1 process, 3 samples", "q: 1 2 3"},
		},
		{
			name: "loose names: a process each, encodings of one together",
			files: map[string][]byte{
				"query.pb.gz":      pb(t, at(0), "b1", "Query", 1),
				"query-debug1.txt": text1("Query", 9),
				"query-debug2.txt": text2("Query", 9),
				"store.pb.gz":      pb(t, at(0), "b1", "Store", 2),
				"junk.pb.gz":       []byte("\x00\x00\x00"),
			},
			want: []string{"2 processes, 1 sample each, 1 input not readable", "query: 1", "store.pb.gz: 2",
				"junk.pb.gz: neither a text dump nor a pprof profile: bad varint"},
		},
		{
			name: "loose names: what is no profile by its content, or by its name",
			files: map[string][]byte{
				"pod-1.pb.gz": pb(t, at(0), "b1", "Query", 1),
				"pod-2.pb.gz": {},
				"pod-3.pb.gz": []byte("Error from server (NotFound): pods \"pod-3\" not found\n"),
				"notes.txt":   []byte("hello\n"),
			},
			want: []string{"1 process, 1 sample, 2 inputs not readable", "pod-1.pb.gz: 1",
				"pod-2.pb.gz: this is an empty file, not a goroutine profile. " + takeProfile,
				"pod-3.pb.gz: this is text without a goroutine in it, not a goroutine profile. " + takeProfile},
		},
		{
			name: "a series, of which the newest and another cannot be read",
			files: map[string][]byte{
				"q-20261122T064522Z.pb.gz": pb(t, at(0), "b1", "Query", 1),
				"q-20261122T064622Z.pb.gz": {},
				"q-20261122T064722Z.pb.gz": pb(t, at(120), "b1", "Query", 2),
				"q-20261122T064822Z.pb.gz": {},
			},
			want: []string{"1 process, 2 samples over 2m, 1 input not readable, 1 file skipped", "q-20261122T064522Z.pb.gz..q-20261122T064722Z.pb.gz: 1 2",
				"q-20261122T064822Z.pb.gz: this is an empty file, not a goroutine profile. " + takeProfile},
			warn: []string{"q-20261122T064622Z.pb.gz: passed over"},
		},
		{
			name: "loose names that may be pods or samples",
			files: map[string][]byte{
				"1.pb.gz": pb(t, at(0), "b1", "Query", 1),
				"2.pb.gz": pb(t, at(5), "b1", "Query", 2),
			},
			want: []string{"2 processes, 1 sample each", "1.pb.gz: 1", "2.pb.gz: 2"},
			warn: []string{"each of 2 files is taken for a process of its own"},
		},
		{
			name: "loose names that differ in their time only",
			files: map[string][]byte{
				"pod-a-20261122T064522Z.pb.gz": pb(t, time.Time{}, "b1", "Query", 1),
				"pod-a-20261122T064532Z.pb.gz": pb(t, time.Time{}, "b1", "Query", 2),
				"pod-b-20261122T064522Z.pb.gz": pb(t, time.Time{}, "b1", "Query", 3),
			},
			want: []string{"2 processes, 1 to 2 samples each over up to 10s",
				"pod-a-20261122T064522Z.pb.gz..pod-a-20261122T064532Z.pb.gz: 1 2", "pod-b-20261122T064522Z.pb.gz: 3"},
		},
		{
			name: "the same with --each",
			each: true,
			files: map[string][]byte{
				"pod-a-20261122T064522Z.pb.gz": pb(t, time.Time{}, "b1", "Query", 1),
				"pod-a-20261122T064532Z.pb.gz": pb(t, time.Time{}, "b1", "Query", 2),
			},
			want: []string{"2 processes, 1 sample each", "pod-a-20261122T064522Z.pb.gz: 1", "pod-a-20261122T064532Z.pb.gz: 2"},
		},
		{
			name: "the same name and another binary",
			files: map[string][]byte{
				"20261122-064522.pb.gz": pb(t, time.Time{}, "b1", "Query", 1),
				"20261122-064532.pb.gz": pb(t, time.Time{}, "b2", "Query", 2),
			},
			want: []string{"2 processes, 1 sample each", "20261122-064522.pb.gz: 1", "20261122-064532.pb.gz: 2"},
		},
		{
			name: "another name in the folder of a target",
			files: map[string][]byte{
				"q/20261122T064522Z.debug0.pb.gz": pb(t, at(0), "b1", "Query", 1),
				"q/later.pb.gz":                   pb(t, at(60), "b1", "Query", 2),
				"q/other.pb.gz":                   pb(t, at(60), "b1", "Store", 3),
			},
			want: []string{"1 process, 2 samples over 1m, 1 file skipped", "q: 1 2"},
			warn: []string{"other.pb.gz: passed over: 20261122T064522Z.debug0.pb.gz and other.pb.gz are of different processes (components query and store)"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in, err := Read(mapFS(tt.files), "top", Options{Each: tt.each})
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, summary(in)); d != "" {
				t.Error(d)
			}
			if len(in.Warnings) != len(tt.warn) {
				t.Fatalf("warnings %q, want %d", in.Warnings, len(tt.warn))
			}
			for i, part := range tt.warn {
				mustContain(t, in.Warnings[i], part)
			}
		})
	}
}

// takeProfile is what people are told to do.
const takeProfile = "Take the profile with: curl -o goroutine.pb.gz 'http://HOST:PORT/debug/pprof/goroutine' (HOST:PORT is Thanos' HTTP address, by default port 10902)."

func TestReadNothing(t *testing.T) {
	for _, tt := range []struct {
		name  string
		files map[string][]byte
		want  []string
	}{
		{"empty", nil, []string{"no goroutine profile found in 0 files", "Looked for captures"}},
		{"foreign", map[string][]byte{"a.json": []byte("{}"), "b.txt": []byte("hello")}, []string{"in 2 files"}},
		{"damaged", map[string][]byte{"a.pb.gz": []byte("\x1f\x8b")}, []string{"top/a.pb.gz: damaged gzip"}},
		{"target", map[string][]byte{"20261122T064522Z.debug0.pb.gz": []byte("\x1f\x8b")}, []string{"that can be read in 1 sample", "damaged gzip"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in, err := Read(mapFS(tt.files), "top", Options{})
			if err == nil {
				t.Fatalf("got %v, want an error", summary(in))
			}
			mustContain(t, err.Error(), tt.want...)
		})
	}
}

func TestSample(t *testing.T) {
	both := map[string][]byte{
		"20261122T064522Z.debug0.pb.gz": pb(t, start.Add(time.Millisecond), "b1", "Query", 3),
		"20261122T064522Z.debug1.txt":   text1("Query", 9),
		"20261122T064522Z.debug2.txt":   text2("Query", 4),
	}
	t.Run("debug=0 counts, debug=2 annotates", func(t *testing.T) {
		s := one(t, both).Samples[0]
		if !s.Time.Equal(start.Add(time.Millisecond)) {
			t.Errorf("time %v, want that of the profile", s.Time)
		}
		g := s.Goroutines.Groups[0]
		if s.Goroutines.Total != 3 || len(g.Goroutines) != 4 || g.CreatedBy != "main.main" {
			t.Errorf("total %d, %d goroutines, creator %q; want 3, 4, main.main", s.Goroutines.Total, len(g.Goroutines), g.CreatedBy)
		}
		if s.Leaked != nil || s.Metrics != nil {
			t.Error("there is neither a leak profile nor metrics")
		}
	})
	t.Run("leak profile of debug=0 before debug=2", func(t *testing.T) {
		s := one(t, with(both, map[string][]byte{
			"20261122T064522Z.leak.debug0.pb.gz": leakPB(t, start, 2),
			"20261122T064522Z.leak.debug2.txt":   text2("Query", 7),
		})).Samples[0]
		if s.Leaked == nil || s.Leaked.Total != 2 || !s.Leaked.LeaksOnly {
			t.Errorf("leaked %+v, want the 2 of debug=0", s.Leaked)
		}
	})
	t.Run("leak.debug2 alone is a full dump", func(t *testing.T) {
		s := one(t, map[string][]byte{"20261122T064522Z.leak.debug2.txt": text2("Query", 7)}).Samples[0]
		if s.Goroutines.Total != 7 || s.Leaked != s.Goroutines {
			t.Errorf("total %d, leaked %p; want 7 and the same snapshot", s.Goroutines.Total, s.Leaked)
		}
	})
	t.Run("loose leak profile goes to the nearest sample", func(t *testing.T) {
		target := one(t, map[string][]byte{
			"20261122T064522Z.debug0.pb.gz": pb(t, start, "", "Query", 3),
			"20261122T064622Z.debug0.pb.gz": pb(t, start.Add(time.Minute), "", "Query", 4),
			"leak.pb.gz":                    leakPB(t, start.Add(50*time.Second), 2),
		})
		if len(target.Samples) != 2 || target.Samples[0].Leaked != nil || target.Samples[1].Leaked == nil {
			t.Errorf("got %d samples; want the leak profile at the second of 2", len(target.Samples))
		}
	})
	t.Run("only leak profiles", func(t *testing.T) {
		s := one(t, map[string][]byte{"leak.pb.gz": leakPB(t, start, 2)}).Samples[0]
		if s.Goroutines == nil || s.Leaked != s.Goroutines {
			t.Error("a leak profile alone must stand for the process")
		}
	})
	t.Run("gzipped twice", func(t *testing.T) {
		zipped := pb(t, start, "", "Query", 1)
		_, err := Read(mapFS(map[string][]byte{"20261122T064522Z.debug0.pb.gz": twice(zipped)}), "q", Options{})
		if err == nil || !strings.Contains(err.Error(), "gzipped twice") {
			t.Errorf("got %v", err)
		}
	})
}

func TestTimesUnknown(t *testing.T) {
	now := start.Add(time.Hour)
	in, err := Read(mapFS(map[string][]byte{"ci.log": append(text1("Query", 1), text1("Query", 2)...)}), "top", Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	s := in.Targets[0].Samples
	if !s[0].Time.Equal(now) || s[1].Time.Sub(s[0].Time) != time.Nanosecond {
		t.Errorf("times %v and %v, want %v and a nanosecond later", s[0].Time, s[1].Time, now)
	}
	if len(in.Targets[0].Warnings) != 1 {
		t.Fatalf("warnings %q, want one", in.Targets[0].Warnings)
	}
	mustContain(t, in.Targets[0].Warnings[0], "2 of the 2 samples", "not known")
}

func TestFacts(t *testing.T) {
	const (
		build  = `{"status":"success","data":{"version":"0.35.1","revision":"r1","goVersion":"go1.21.13"}}`
		flags  = `{"status":"success","data":{"query.timeout":"30s","objstore.config":"SECRET","web.prefix":"/x"}}`
		stores = `{"status":"success","data":{"store":[{"name":"s:10901","lastError":null}]}}`
	)
	base := map[string][]byte{
		"20261122T064522Z.debug0.pb.gz": pb(t, start, "", "Query", 1),
		"status-buildinfo.json":         []byte(build),
		"status-flags.json":             []byte(flags),
		"stores.json":                   []byte(stores),
		"status-runtimeinfo.json":       []byte("damaged and never read"),
	}
	all := profile.Facts{
		Version: "0.35.1", VersionSource: "buildinfo", Revision: "r1", GoVersion: "go1.21.13",
		Flags:     map[string]string{"query.timeout": "30s"},
		Endpoints: []profile.Endpoint{{Type: "store", Name: "s:10901"}},
	}
	upgraded := all
	upgraded.Version, upgraded.VersionSource, upgraded.Revision, upgraded.GoVersion = "0.36.1", "metrics", "abc", "go1.26.8"
	for _, tt := range []struct {
		name  string
		files map[string][]byte
		want  profile.Facts
	}{
		{"status files", base, all},
		{"metrics of the same version", with(base, map[string][]byte{"20261122T064522Z.metrics.txt": page("0.35.1")}), all},
		{"metrics of a later version", with(base, map[string][]byte{
			"20261122T064522Z.metrics.txt":  page("0.35.1"),
			"20261122T064622Z.debug0.pb.gz": pb(t, start.Add(time.Minute), "", "Query", 1),
			"20261122T064622Z.metrics.txt":  page("0.36.1"),
		}), upgraded},
		{"none", map[string][]byte{"20261122T064522Z.debug2.txt": text2("Query", 1)}, profile.Facts{VersionSource: "unknown"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in, err := Read(mapFS(tt.files), "q", Options{Flags: allFlags})
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, in.Targets[0].Facts); d != "" {
				t.Error(d)
			}
		})
	}
	t.Run("no flag without a filter", func(t *testing.T) {
		if f := one(t, base).Facts.Flags; len(f) != 0 {
			t.Errorf("got %v", f)
		}
	})
	t.Run("damaged", func(t *testing.T) {
		in, err := Read(mapFS(with(base, map[string][]byte{"stores.json": []byte("<html>")})), "q", Options{})
		if err != nil {
			t.Fatal(err)
		}
		if len(in.Warnings) != 1 {
			t.Fatalf("warnings %q", in.Warnings)
		}
		mustContain(t, in.Warnings[0], "q/stores.json: passed over: not an answer of the status API")
	})
}

func TestManyWarningsAreCut(t *testing.T) {
	files := map[string][]byte{"20261122T064522Z.debug0.pb.gz": pb(t, start, "", "Query", 1)}
	for i := range 50 {
		files[start.Add(time.Duration(i+1)*time.Second).Format(stampLayout)+".debug0.pb.gz"] = []byte("\x00")
	}
	in, err := Read(mapFS(files), "q", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(in.Warnings); n != maxWarnings+1 {
		t.Fatalf("%d warnings, want %d", n, maxWarnings+1)
	}
	mustContain(t, in.Warnings[maxWarnings], "30 more")
}

// one reads the files, which are one target.
func one(t *testing.T, files map[string][]byte) profile.Target {
	t.Helper()
	in, err := Read(mapFS(files), "q", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(in.Targets) != 1 {
		t.Fatalf("%q, want one target", summary(in))
	}
	return in.Targets[0]
}

// with returns both maps in one.
func with(a, b map[string][]byte) map[string][]byte {
	sum := map[string][]byte{}
	for _, m := range []map[string][]byte{a, b} {
		for k, v := range m {
			sum[k] = v
		}
	}
	return sum
}

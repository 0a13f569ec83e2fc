package capture

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	pprof "github.com/google/pprof/profile"
	"go.uber.org/goleak"

	"github.com/thanosleak/thanosleak/profile"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// start is when the first sample of made-up captures was taken.
var start = time.Date(2026, 11, 22, 6, 45, 22, 0, time.UTC)

// pb returns a gzipped debug=0 profile of n goroutines in main.run<component>.
func pb(t *testing.T, at time.Time, build, component string, n int) []byte {
	t.Helper()
	fn := &pprof.Function{ID: 1, Name: "main.run" + component + ".func1", StartLine: 1}
	m := &pprof.Mapping{ID: 1, Start: 1, Limit: 1 << 20, BuildID: build}
	loc := &pprof.Location{ID: 1, Mapping: m, Address: 16, Line: []pprof.Line{{Function: fn, Line: 7}}}
	p := &pprof.Profile{
		SampleType: []*pprof.ValueType{{Type: "goroutine", Unit: "count"}},
		Sample:     []*pprof.Sample{{Location: []*pprof.Location{loc}, Value: []int64{int64(n)}}},
		Mapping:    []*pprof.Mapping{m}, Location: []*pprof.Location{loc}, Function: []*pprof.Function{fn},
	}
	if !at.IsZero() {
		p.TimeNanos = at.UnixNano()
	}
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// leakPB is a goroutineleak profile of n goroutines.
func leakPB(t *testing.T, at time.Time, n int) []byte {
	t.Helper()
	p, err := pprof.ParseData(pb(t, at, "", "Query", n))
	if err != nil {
		t.Fatal(err)
	}
	p.SampleType[0].Type = "goroutineleak"
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// text2 returns a debug=2 dump of n goroutines in the stack of pb.
func text2(component string, n int) []byte {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "goroutine %d [select]:\nmain.run%s.func1()\n\t/app/main.go:7 +0x1d\ncreated by main.main in goroutine 1\n\t/app/main.go:1 +0x1\n\n", i+10, component)
	}
	return []byte(b.String())
}

// text1 returns the same as a debug=1 dump.
func text1(component string, n int) []byte {
	return fmt.Appendf(nil, "goroutine profile: total %d\n%d @ 0x10 0x11\n#\t0x10\tmain.run%s.func1+0x1\t/app/main.go:7\n\n", n, n, component)
}

func page(version string) []byte {
	return []byte("go_goroutines 7\nthanos_build_info{version=\"" + version + "\",revision=\"abc\",goversion=\"go1.26.8\"} 1\n")
}

func gz(data []byte) []byte { return gzipped(data) }

func mapFS(files map[string][]byte) fstest.MapFS {
	fsys := fstest.MapFS{}
	for name, data := range files {
		fsys[name] = &fstest.MapFile{Data: data}
	}
	return fsys
}

// writeFiles writes files below a new folder and returns it.
func writeFiles(t *testing.T, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, data := range files {
		p := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// tarGz returns an archive with the members in their order.
func tarGz(t *testing.T, members ...tar.Header) func(data ...[]byte) []byte {
	return func(data ...[]byte) []byte {
		t.Helper()
		var b bytes.Buffer
		zw := gzip.NewWriter(&b)
		tw := tar.NewWriter(zw)
		for i, h := range members {
			if h.Typeflag == tar.TypeReg || h.Typeflag == 0 {
				h.Size = int64(len(data[i]))
			}
			if err := tw.WriteHeader(&h); err != nil {
				t.Fatal(err)
			}
			if _, err := tw.Write(data[i]); err != nil && h.Size > 0 {
				t.Fatal(err)
			}
		}
		if err := tw.Close(); err != nil {
			t.Fatal(err)
		}
		if err := zw.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
}

// summary is what most tests compare: a line for each target.
func summary(in *Input) []string {
	lines := []string{in.Description}
	for _, t := range in.Targets {
		line := t.Name + ":"
		for _, s := range t.Samples {
			line += fmt.Sprintf(" %d", s.Goroutines.Total)
		}
		if t.Err != "" {
			line += " " + t.Err
		}
		lines = append(lines, line)
	}
	return lines
}

// packed opens an archive of testdata.
func packed(t *testing.T, name string, o Options) *Input {
	t.Helper()
	in, err := Open([]string{filepath.Join("..", "..", "testdata", "captures", name+".tar.gz")}, nil, o)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// mustContain fails unless the text has all the parts.
func mustContain(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("%q does not have %q", text, p)
		}
	}
}

var allFlags = profile.FlagFilter([]string{"query.timeout", "store.response-timeout"})

// twice compresses what is compressed already.
func twice(data []byte) []byte {
	var b bytes.Buffer
	zw := gzip.NewWriter(&b)
	zw.Write(data)
	zw.Close()
	return b.Bytes()
}

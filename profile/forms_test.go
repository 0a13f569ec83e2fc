package profile

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"io"
	"runtime/pprof"
	"strings"
	"testing"

	pp "github.com/google/pprof/profile"
	"golang.org/x/text/encoding/unicode"
)

// TestForms checks that what people hand in by mistake is named.
func TestForms(t *testing.T) {
	for _, tt := range []struct{ name, text, form string }{
		{"empty", "", "an empty file"},
		{"empty, gzipped", string(pack(t, nil)), "an empty file"},
		{"blank", "\n\n", "text without a goroutine"},
		{"headers alone", strings.Repeat("  7. goroutine 5 [select]:\n  8. main.f()\n", 5), "text with the headers of 5 goroutines"},
		{"words", "the querier leaks since yesterday\n", "text without a goroutine"},
		{"login page", "\n<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>\n", "an HTML page"},
		{"pprof index", "<html>\n<head>\n<title>/debug/pprof/</title>\n", "an HTML page"},
		{"svg", "<?xml version=\"1.0\"?>\n", "text without a goroutine"},
		{"heap debug=1", "heap profile: 5: 320 [17: 5000] @ heap/1048576\n1: 64 [1: 64] @ 0x43f90e\n#\t0x43f90d\tmain.f+0x1\t/a.go:1\n", "a heap profile"},
		{"threadcreate debug=1", "threadcreate profile: total 12\n11 @ \n#\t0x0\n", "a profile of another kind"},
		{"mutex debug=1", "--- mutex:\ncycles/second=2400000000\nsampling period=5\n", "a profile of another kind"},
		{"block debug=1", "--- contention:\ncycles/second=2400000000\n", "a profile of another kind"},
		{"top of heap", "File: thanos\nType: inuse_space\nTime: Nov 22, 2026 at 6:45am (UTC)\nShowing nodes accounting for 1GB\n      flat  flat%   sum%        cum   cum%\n", "go tool pprof -top on a heap profile"},
		{"top of goroutine", "File: thanos\nType: goroutine\nTime: Nov 22, 2026 at 6:45am (UTC)\nShowing nodes accounting for 449, 99.78% of 450 total\n      flat  flat%   sum%        cum   cum%\n       449 99.78% 99.78%        449 99.78%  runtime.gopark\n", "lost the stacks"},
		{"delve", "* Goroutine 1 - User: ./main.go:12 main.main (0x4b3a1d) (thread 123)\n  Goroutine 2 - User: /usr/local/go/src/runtime/proc.go:382 runtime.gopark (0x43f90e)\n", "Delve"},
		{"panicparse", "1: sync.WaitGroup.Wait [83 minutes] [Created by main.main @ main.go:12]\n    sync sema.go:56 runtime_Semacquire(#1)\n", "panicparse"},
		{"goleak", "    leaks.go:78: found unexpected goroutines:\n        [Goroutine 34 in state chan receive, with main.f on top of the stack:\n", "goleak"},
		{"metrics", "# HELP go_goroutines Number of goroutines that currently exist.\n# TYPE go_goroutines gauge\ngo_goroutines 450\n", "/metrics"},
		{"JSON", `{"status":"success","data":{}}`, "JSON"},
		{"UTF-16 without a dump", "\xff\xfeg\x00o\x00r\x00o\x00", "text without a goroutine"},
		{"UTF-16 of nothing", "\xff\xfe", "an empty file"},
		{"a profile by PowerShell's >", toUTF16(t, unicode.LittleEndian, "\x1f‹\b\x00\x00\x00"), "a binary file that became UTF-16 text"},
		{"PNG", "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "a picture"},
		{"JPEG", "\xff\xd8\xff\xe0\x00\x10JFIF", "a picture"},
		{"zip", "PK\x03\x04\x14\x00\x00\x00", "a zip archive"},
		{"core dump", "\x7fELF\x02\x01\x01\x00", "an executable or a core dump"},
		{"gzipped twice", string(pack(t, pack(t, []byte(debug1Text)))), "gzipped twice"},
		{"heap debug=0", livePprof(t, "heap"), "a heap profile"},
		{"allocs debug=0", livePprof(t, "allocs"), "a heap profile"},
		{"mutex debug=0", livePprof(t, "mutex"), `a profile of "contentions"`},
		{"threadcreate debug=0", livePprof(t, "threadcreate"), `a profile of "threadcreate"`},
		{"threadcreate debug=1", "threadcreate profile: total 9\n8 @ \n#\t0x0\n\n1 @ 0x43f90e\n#\t0x43f90d\truntime.allocm+0x1d\t/go/proc.go:12\n", "a profile of another kind"},
		{"two profiles", strings.Repeat(unpack(t, livePprof(t, "goroutine")), 2), "several pprof profiles in one file"},
		{"xz", "\xfd7zXZ\x00\x00\x04", "an xz file"},
		{"bzip2", "BZh91AY&SY", "a bzip2 file"},
		{"zstd", "\x28\xb5\x2f\xfd\x04\x00", "a zstd file"},
		{"curl -i", "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n\r\n\x1f\x8b\x08\x00", "an answer with its HTTP headers"},
	} {
		t.Run(tt.name, func(t *testing.T) { wantUnsupported(t, []byte(tt.text), tt.form) })
	}
}

// livePprof returns a profile of this very process, gzipped.
func livePprof(t *testing.T, name string) string {
	t.Helper()
	var b bytes.Buffer
	if err := pprof.Lookup(name).WriteTo(&b, 0); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// unpack undoes gzip.
func unpack(t *testing.T, data string) string {
	t.Helper()
	zr, err := gzip.NewReader(strings.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(zr)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// field is a field of a protobuf message with the content.
func field(number byte, content string) string {
	return string(binary.AppendUvarint([]byte{number<<3 | 2}, uint64(len(content)))) + content
}

// nested is a message with 16 MiB of empty messages in it: labels, say.
func nested(outer, inner byte) string {
	return field(outer, strings.Repeat(field(inner, ""), 16<<20))
}

// TestDamagedDebug0 checks binary input that is no profile or a hostile one.
func TestDamagedDebug0(t *testing.T) {
	location := &pp.Location{ID: 1, Line: []pp.Line{{Function: &pp.Function{ID: 1, Name: "main.f"}, Line: 3}}}
	function := location.Line[0].Function
	goroutines := func(samples ...*pp.Sample) string {
		return protobuf(t, &pp.Profile{
			SampleType: []*pp.ValueType{{Type: "goroutine", Unit: "count"}},
			Sample:     samples, Location: []*pp.Location{location}, Function: []*pp.Function{function},
		})
	}
	cpu := protobuf(t, &pp.Profile{SampleType: []*pp.ValueType{{Type: "samples", Unit: "count"}, {Type: "cpu", Unit: "nanoseconds"}}})
	wantUnsupported(t, []byte(cpu), "a CPU profile")

	for _, tt := range []struct{ name, data, want string }{
		{"random bytes", "\x00\x01\x02\x03\x04", "neither a text dump nor a pprof profile"},
		{"no sample type", protobuf(t, &pp.Profile{Comments: []string{"x"}}), "does not say what it counts"},
		{"more samples than goroutines fit", strings.Repeat("\x12\x00", maxUnpacked/entryMemory+1), "would take more than"},
		{"more labels of one sample", nested(profileSample, sampleLabel), "would take more than"},
		{"more lines of one location", nested(profileLocation, locationLine), "would take more than"},
		{"more comments", field(profileComment, strings.Repeat("\x01", 16<<20)), "would take more than"},
		{"more locations of one sample", field(profileSample, field(sampleLocation, strings.Repeat("\x01", 40<<20))), "would take more than"},
		{"too large", strings.Repeat("\x00", maxProtobuf+1), "larger than 48 MiB"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := Read(strings.NewReader(tt.data), Options{}); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one with %q", err, tt.want)
			}
		})
	}
	t.Run("counts out of range", func(t *testing.T) {
		s := readString(t, goroutines(
			&pp.Sample{Value: []int64{-5}, Location: []*pp.Location{location}},
			&pp.Sample{Value: []int64{1 << 40}, Location: []*pp.Location{location}},
			&pp.Sample{Value: []int64{0}, Location: []*pp.Location{location}},
			&pp.Sample{Value: []int64{4}, Location: []*pp.Location{location}},
			&pp.Sample{Value: []int64{2}}))
		if s.Total != 6 || s.Unreadable != 2 || s.Group(goexit) == nil || s.Group("main.f").Count != 4 {
			t.Errorf("%d goroutines, %d unreadable: %+v", s.Total, s.Unreadable, s.Groups)
		}
	})
	t.Run("without symbols", func(t *testing.T) {
		p := &pp.Profile{SampleType: []*pp.ValueType{{Type: "goroutine", Unit: "count"}}, Location: []*pp.Location{{ID: 1, Address: 0x43f90e}}}
		p.Sample = []*pp.Sample{{Value: []int64{3}, Location: p.Location}}
		if s := readString(t, protobuf(t, p)); s.Total != 3 || s.Groups[0].Signature != "0x43f90e" {
			t.Errorf("%d goroutines: %+v", s.Total, s.Groups)
		}
	})
	t.Run("a stack deeper than any", func(t *testing.T) {
		deep := &pp.Sample{Value: []int64{1}}
		for range 100_000 {
			deep.Location = append(deep.Location, location)
		}
		if s := readString(t, goroutines(deep)); s.Total != 1 || len(s.Groups[0].Frames) != maxFrames {
			t.Errorf("%d goroutines, %d frames", s.Total, len(s.Groups[0].Frames))
		}
	})
}

// protobuf returns the uncompressed profile.
func protobuf(t testing.TB, p *pp.Profile) string {
	t.Helper()
	var packed bytes.Buffer
	if err := p.Write(&packed); err != nil {
		t.Fatal(err)
	}
	return gunzip(t, packed.Bytes())
}

// gunzip returns the text that was compressed.
func gunzip(t testing.TB, data []byte) string {
	t.Helper()
	zr, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	plain, err := io.ReadAll(zr)
	if err != nil {
		t.Fatal(err)
	}
	return string(plain)
}

// TestEndlessInput checks that input that expands without end is stopped.
func TestEndlessInput(t *testing.T) {
	r, w := io.Pipe()
	written := make(chan error, 1)
	go func() {
		zw := gzip.NewWriter(w)
		_, err := io.Copy(zw, &repeated{text: strings.Repeat("\x00", 1<<16), left: 1 << 40})
		written <- err
	}()
	_, err := Read(r, Options{})
	if err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("error %v", err)
	}
	r.Close()
	if err := <-written; err == nil {
		t.Error("all was read")
	}
}

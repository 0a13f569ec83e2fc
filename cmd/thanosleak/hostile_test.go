package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"encoding/xml"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/pprof/profile"
)

// hostileFormats are the formats that are written beside the text. pprof is for a
// program that shows names as it likes.
var hostileFormats = []string{"json", "markdown", "html", "junit", "github", "prometheus"}

// A hostileRun is a scan of a hostile target, and of a good one beside it.
type hostileRun struct {
	ran
	dir     string            // of everything that was written
	written map[string]string // by format, text as well
	bad     hostileResult     // what the run says of the hostile target
}

type hostileResult struct {
	Name, Error, Judged string
	Samples             int
}

// hostilePages are the paths of a process; what stands before them is a prefix.
var hostilePages = []string{"/metrics", "/debug/pprof/goroutine", "/api/v1/status/buildinfo", "/api/v1/status/flags", "/api/v1/stores"}

// hostileServer serves hostile pages, and a recorded process for the rest, below
// any prefix.
func hostileServer(t *testing.T, pages map[string]http.HandlerFunc) *httptest.Server {
	recorded := newLater(t, "v0.36.1-slowstore-eager", "leaf", 15*time.Second)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, page := range hostilePages {
			if strings.HasSuffix(r.URL.Path, page) {
				r.URL.Path = page
			}
		}
		if serve := pages[r.URL.Path]; serve != nil {
			serve(w, r)
			return
		}
		recorded.ServeHTTP(w, r)
	}))
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server
}

// scanHostile scans a hostile target and a good one, which must be judged as if
// it were alone. Nothing may be written but what the command line names, and
// nothing that is written may take over a terminal.
func scanHostile(t *testing.T, pages map[string]http.HandlerFunc, args ...string) hostileRun {
	t.Helper()
	bad, good := hostileServer(t, pages), hostileServer(t, nil)
	run := hostileRun{dir: t.TempDir(), written: map[string]string{}}
	args = append([]string{bad.URL, good.URL, "--interval", "1ms", "--dir", filepath.Join(run.dir, "kept"), "-v", "-o", "text"}, args...)
	for _, f := range hostileFormats {
		args = append(args, "-o", f+"="+filepath.Join(run.dir, f))
	}
	run.ran = scanned(t, args...)
	run.written["text"], run.written["errors"] = run.out, run.errOut
	for _, f := range hostileFormats {
		b, err := os.ReadFile(filepath.Join(run.dir, f))
		if err != nil {
			t.Fatalf("%v\n%s", err, run.errOut)
		}
		run.written[f] = string(b)
	}
	for format, text := range run.written {
		if c, bad := actsOnTerminal(text); bad {
			t.Errorf("%s: %U gets through", format, c)
		}
	}
	onlyIn(t, run.dir, append(slices.Clone(hostileFormats), "kept")...)
	if err := valid(run.written["json"]); err != nil {
		t.Error(err)
	}
	var result struct{ Targets []hostileResult }
	if err := json.Unmarshal([]byte(run.written["json"]), &result); err != nil {
		t.Fatal(err)
	}
	for _, target := range result.Targets {
		switch "http://" + target.Name {
		case bad.URL:
			run.bad = target
		case good.URL:
			if target.Error != "" || target.Samples < 2 || target.Judged == "no" {
				t.Errorf("the good target: %+v", target)
			}
		}
	}
	if len(result.Targets) != 2 || run.bad.Name == "" {
		t.Errorf("targets %+v", result.Targets)
	}
	return run
}

// actsOnTerminal returns the first character that a terminal does not just show.
// The space without width is what keeps a mention in Markdown from being one.
func actsOnTerminal(text string) (rune, bool) {
	for s := strings.ReplaceAll(text, "@\u200b", "@"); s != ""; {
		r, n := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && n == 1 || r != '\n' && r != '\t' && !unicode.IsPrint(r) {
			return r, true
		}
		s = s[n:]
	}
	return 0, false
}

// onlyIn checks that a folder has these entries and no others.
func onlyIn(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !slices.Contains(want, e.Name()) {
			t.Errorf("%s was written", filepath.Join(dir, e.Name()))
		}
	}
}

func hostilePage(text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, text) }
}

// metricsOf is a page of a process with that many goroutines and that start.
func metricsOf(goroutines, start string) string {
	return "go_goroutines " + goroutines + "\nprocess_start_time_seconds " + start + "\nprocess_resident_memory_bytes " + goroutines +
		"\nthanos_build_info{version=\"0.36.1\",revision=\"a\",goversion=\"go1.26.8\"} 1\n"
}

// zeros is gzip of 2 GiB of zeros.
func zeros(t *testing.T) string {
	var b bytes.Buffer
	zw := gzip.NewWriter(&b)
	if _, err := zw.Write(make([]byte, 8<<20)); err != nil {
		t.Fatal(err)
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	return strings.Repeat(b.String(), 256)
}

// TestHostileScan scans hostile targets as people do: each costs itself a sample,
// or its metrics, and nobody else anything.
func TestHostileScan(t *testing.T) {
	const profilePath, start = "/debug/pprof/goroutine", "1.79532982151e+09"
	hang := func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}
	reset := func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	for _, tc := range []struct {
		name, path string
		serve      http.HandlerFunc
		lost       bool   // there is no sample
		says       string // the target's error, or a warning
	}{
		{"gzip bomb", profilePath, hostilePage(zeros(t)), true, "unpacks to more than 16 MiB"},
		{"body that hangs", profilePath, hang, true, "not complete within 1s"},
		{"metrics that hang", "/metrics", hang, true, "not complete within 1s"},
		{"login page", profilePath, hostilePage("<html>"), true, "a web page (a login?)"},
		{"JSON", profilePath, hostilePage("{}"), true, "answers with JSON"},
		{"reset", profilePath, reset, true, "closed without an answer"},
		{"redirect to a file", profilePath, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "file:///etc/passwd")
			w.WriteHeader(http.StatusFound)
		}, true, "redirects to file:///etc/passwd"},
		{"NaN goroutines", "/metrics", hostilePage(metricsOf("NaN", start)), false, "go_goroutines is NaN"},
		{"1e308 goroutines", "/metrics", hostilePage(metricsOf("1e308", start)), false, "go_goroutines is 1e+308"},
		{"a page twice", "/metrics", hostilePage(metricsOf("9", start) + metricsOf("9", start)), false, "stands there 2 times"},
		{"quintillions of goroutines", "/metrics", hostilePage(metricsOf("9e18", start)), true, "9000000000000000000 goroutines"},
		{"fewer goroutines than none", "/metrics", hostilePage(metricsOf("-9e18", start)), false, "go_goroutines is -9e+18"},
		{"a start in the year 2255", "/metrics", hostilePage(metricsOf("29", "9e9")), false, ""},
		{"a start in the far future", "/metrics", hostilePage(metricsOf("29", "9e18")), false, ""},
		{"a start before all time", "/metrics", hostilePage(metricsOf("29", "-1")), false, "process_start_time_seconds is -1"},
		{"a clock of 1970", profilePath, hostilePage("\x0a\x02\x08\x01\x12\x02\x10\x01\x32\x00\x32\x09goroutine\x48\x01"), false, "of the year 1970"},
		{"stores of another type", "/api/v1/stores", hostilePage("[]"), false, "Endpoints are unknown"},
		{"stores that hang", "/api/v1/stores", hang, false, "Endpoints are unknown"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			run := scanHostile(t, map[string]http.HandlerFunc{tc.path: tc.serve}, "--samples", "2", "--timeout", "1s")
			if tc.lost {
				run.says(t, exitFailed, "1 of 2 targets gave no sample", run.bad.Name+": ", tc.says)
				if !strings.Contains(run.bad.Error, tc.says) || run.bad.Samples != 0 {
					t.Errorf("%+v", run.bad)
				}
				return
			}
			run.says(t, exitOK, "no known leak", tc.says)
			if run.bad.Error != "" || run.bad.Samples == 0 {
				t.Errorf("%+v", run.bad)
			}
		})
	}
}

// hostileText is what a target may put wherever it names something: titles and
// screens of xterm, overrides of the direction, markup, workflow commands, forged
// lines, NUL, invalid UTF-8.
const hostileText = "EVIL\x1b]0;t\x07\x1b[2J\x9b31m\u009b2J\u202e\u2066\u200f\ufeff<script>alert(1)</script><img src=x onerror=alert(1)>`|]]>\"'\n::error::FORGED\r\n# FORGED\x00\xff\xfe"

// evilProfile serves a growing number of goroutines in a function of that name.
func evilProfile(t *testing.T) http.HandlerFunc {
	n := int64(0)
	return func(w http.ResponseWriter, _ *http.Request) {
		n++
		fn := &profile.Function{ID: 1, Name: "main." + hostileText, Filename: "/app/" + hostileText + ".go"}
		loc := &profile.Location{ID: 1, Line: []profile.Line{{Function: fn, Line: 7}}}
		p := &profile.Profile{
			SampleType: []*profile.ValueType{{Type: "goroutine", Unit: "count"}},
			Sample: []*profile.Sample{{Location: []*profile.Location{loc}, Value: []int64{1000 * n},
				Label: map[string][]string{hostileText: {hostileText}}}},
			Location: []*profile.Location{loc}, Function: []*profile.Function{fn},
			Mapping:   []*profile.Mapping{{ID: 1, Start: 1, Limit: 2, BuildID: hostileText, File: hostileText}},
			TimeNanos: time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC).Add(time.Duration(n) * time.Minute).UnixNano(),
		}
		if err := p.Write(w); err != nil {
			t.Error(err)
		}
	}
}

// apiAnswer is an answer of the status API.
func apiAnswer(t *testing.T, data any) http.HandlerFunc {
	b, err := json.Marshal(map[string]any{"status": "success", "data": data})
	if err != nil {
		t.Fatal(err)
	}
	return hostilePage(string(b))
}

// TestHostileTexts: what a target calls its functions, files, labels, builds,
// flags and stores is told in every format, and acts in none.
func TestHostileTexts(t *testing.T) {
	label := strings.NewReplacer("\\", `\\`, "\n", `\n`, `"`, `\"`).Replace(strings.ToValidUTF8(hostileText, ""))
	for _, api := range []bool{true, false} { // without it the metrics tell the version
		pages := map[string]http.HandlerFunc{
			"/debug/pprof/goroutine": evilProfile(t),
			"/metrics": hostilePage("go_goroutines 9000\ngo_info{version=\"" + label + "\"} 1\nthanos_build_info{version=\"" + label + "\",revision=\"" + label +
				"\",goversion=\"" + label + "\"} 1\nhttp_requests_total{handler=\"" + label + "\",code=\"200\"} 1\n"),
		}
		if api {
			pages["/api/v1/status/buildinfo"] = apiAnswer(t, map[string]string{"version": hostileText, "revision": hostileText, "goVersion": hostileText})
			pages["/api/v1/status/flags"] = apiAnswer(t, map[string]string{"query.timeout": hostileText, hostileText: hostileText})
			pages["/api/v1/stores"] = apiAnswer(t, map[string]any{hostileText: []map[string]any{{"name": hostileText, "lastError": hostileText}}})
		} else {
			for _, page := range hostilePages[2:] {
				pages[page] = http.NotFound
			}
		}
		run := scanHostile(t, pages, "--samples", "8")
		for format, text := range run.written {
			if format != "errors" && !strings.Contains(text, "EVIL") {
				t.Errorf("%s does not name what grows", format)
			}
			if strings.Contains(text, "\n::error::FORGED") || strings.Contains(text, "\n# FORGED") {
				t.Errorf("%s: a target can begin a line", format)
			}
			marked := strings.Contains(text, "<script>alert") || strings.Contains(text, "<img src=x")
			if marked && slices.Contains([]string{"html", "junit", "json"}, format) {
				t.Errorf("%s: markup gets through", format)
			}
		}
		inert(t, run.written)
	}
}

// inert reads what has a form as a program does that takes markup for what it is.
func inert(t *testing.T, written map[string]string) {
	t.Helper()
	if err := xml.Unmarshal([]byte(written["junit"]), new(struct{})); err != nil {
		t.Error(err)
	}
	code := false
	for _, l := range strings.Split(written["markdown"], "\n") {
		if strings.HasPrefix(strings.TrimSpace(l), "```") {
			code = !code
		}
		for i, part := range strings.Split(l, "`") {
			if i%2 == 0 && !code && !strings.HasPrefix(l, "    ") && strings.Contains(part, "<script>") && !strings.Contains(l, "``") {
				t.Errorf("markdown: %.200q", l)
			}
		}
	}
	for _, l := range strings.Split(strings.TrimSpace(written["github"]), "\n") {
		if !strings.HasPrefix(l, "::") {
			t.Errorf("github: no command: %.200q", l)
		}
	}
}

// TestHostileTargetNames: an address that would lead elsewhere, were it a path, is
// kept in the folder that was named, and found there again.
func TestHostileTargetNames(t *testing.T) {
	server := hostileServer(t, nil)
	root := t.TempDir()
	dir := filepath.Join(root, "parent", "kept")
	if err := os.Mkdir(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	paths := []string{"/..%2f..%2fup", "/%2e%2e/%2e%2e/up", "/%2fetc%2fup", "/C:%5cup", "/nul", "/up.", "/%252e%252e%252fup"}
	for range 2 {
		for _, path := range paths {
			scanned(t, server.URL+path, "--samples", "1", "--dir", dir).says(t, exitOK)
		}
	}
	onlyIn(t, root, "parent")
	onlyIn(t, filepath.Dir(dir), "kept")
	depth := 0
	if err := fs.WalkDir(os.DirFS(dir), ".", func(p string, d fs.DirEntry, err error) error {
		if d.IsDir() {
			depth = max(depth, strings.Count(p, "/"))
		}
		if c, bad := actsOnTerminal(p); bad {
			t.Errorf("%q has %U", p, c)
		}
		return err
	}); err != nil || depth > 0 {
		t.Errorf("folders %d below those of targets, %v", depth, err)
	}
	if kept := stems(t, dir, ".debug0.pb.gz"); len(kept) != 2*len(paths) {
		t.Errorf("%d samples are kept, want %d", len(kept), 2*len(paths))
	}
	for _, path := range []string{"/%00", "/%1b]0;up%07%1b[2J", "/%E2%80%AEup", "/%ff"} {
		scanned(t, server.URL+path, "--samples", "1", "--dir", dir).says(t, exitUsage, "characters in it that cannot be printed")
	}
	scanned(t, server.URL+"/"+strings.Repeat("x", 300), "--samples", "1", "--dir", dir).says(t, exitFailed, "longer than 255 bytes")
	scanned(t, server.URL+"/a", server.URL+"/A", "--samples", "1", "--dir", filepath.Join(root, "parent", "case")).says(t, exitFailed, "upper and lower case only")
}

// TestHostileArchive: of an archive that would write elsewhere, or that leads to
// files of this machine, only what is its own is read, and nothing is written.
func TestHostileArchive(t *testing.T) {
	root := t.TempDir()
	secret := filepath.Join(root, "secret.pb.gz")
	raw := httptest.NewRecorder()
	hostileServer(t, nil).Config.Handler.ServeHTTP(raw, httptest.NewRequest(http.MethodGet, "/debug/pprof/goroutine", nil))
	if err := os.WriteFile(secret, raw.Body.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	const name = "/20261122T064522Z.debug0.pb.gz"
	archive := filepath.Join(root, "parent", "hostile.tar.gz")
	if err := os.Mkdir(filepath.Dir(archive), 0o755); err != nil {
		t.Fatal(err)
	}
	packTo(t, archive, raw.Body.Bytes(),
		tar.Header{Name: "own" + name}, tar.Header{Name: "../up" + name}, tar.Header{Name: "/abs" + name}, tar.Header{Name: "own/../../up" + name},
		tar.Header{Name: `..\up` + name}, tar.Header{Name: "\x1b[2J" + name},
		tar.Header{Name: "link" + name, Typeflag: tar.TypeSymlink, Linkname: secret}, tar.Header{Name: "hard" + name, Typeflag: tar.TypeLink, Linkname: secret},
		tar.Header{Name: "dev" + name, Typeflag: tar.TypeChar})
	for range 2 { // as a file, and in a folder
		var out, errOut strings.Builder
		status := run(t.Context(), []string{"analyze", archive}, streams{out: &out, err: &errOut, env: os.Getenv})
		text := out.String() + errOut.String()
		if c, bad := actsOnTerminal(text); bad {
			t.Errorf("%U gets through", c)
		}
		if status != exitOK || !strings.Contains(text, "2 processes, 1 sample each") || !strings.Contains(text, "6 links") {
			t.Errorf("status %d\n%s", status, text)
		}
		archive = filepath.Dir(archive)
	}
	onlyIn(t, root, "parent", "secret.pb.gz")
	onlyIn(t, filepath.Join(root, "parent"), "hostile.tar.gz")
}

// packTo writes an archive whose files all have the content.
func packTo(t *testing.T, archive string, content []byte, members ...tar.Header) {
	t.Helper()
	var b bytes.Buffer
	zw := gzip.NewWriter(&b)
	tw := tar.NewWriter(zw)
	for _, h := range members {
		if h.Typeflag == 0 {
			h.Size = int64(len(content))
		}
		if err := tw.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if _, err := tw.Write(content[:h.Size]); err != nil {
			t.Fatal(err)
		}
	}
	if err := tw.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zw.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(archive, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

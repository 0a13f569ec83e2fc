package origin

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/thanosleak/thanosleak/profile"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// querier is part of a dump of a querier of v0.35.1.
const querier = `goroutine 1 [chan receive]:
github.com/oklog/run.(*Group).Run(0xc000b0fe10)
	/go/pkg/mod/github.com/oklog/run@v1.1.0/group.go:43 +0x7c
main.main()
	/app/cmd/thanos/main.go:169 +0x1845

goroutine 5 [IO wait]:
net/http.(*Server).Serve(0xc0001)
	/usr/local/go/src/net/http/server.go:3086 +0x364
github.com/prometheus/exporter-toolkit/web.ListenAndServe(0xc0001)
	/go/pkg/mod/github.com/prometheus/exporter-toolkit@v0.11.0/web/tls_config.go:266 +0x1a5
github.com/thanos-io/thanos/pkg/server/http.(*Server).ListenAndServe(0xc0001)
	/app/pkg/server/http/http.go:85 +0x1a5

goroutine 6 [select]:
google.golang.org/grpc.(*Server).Serve(0xc0001)
	/go/pkg/mod/google.golang.org/grpc@v1.57.2/server.go:864 +0x475
github.com/thanos-io/thanos/pkg/server/grpc.(*Server).ListenAndServe(0xc0001)
	/app/pkg/server/grpc/grpc.go:132 +0x1a5

goroutine 7 [sync.WaitGroup.Wait]:
sync.(*WaitGroup).Wait(0xc0001)
	/usr/local/go/src/sync/waitgroup.go:116 +0x48
github.com/thanos-io/thanos/pkg/store.(*eagerRespSet).Next(0xc0001)
	/app/pkg/store/proxy_merge.go:734 +0x25

goroutine 8 [chan receive (nil chan)]:
github.com/thanos-io/thanos/pkg/store.newEagerRespSet.func2.3(0xc0001)
	/app/pkg/store/proxy_merge.go:627 +0x1d2
`

// read reads a dump in which some texts are replaced by others.
func read(t *testing.T, dump string, oldnew ...string) []*profile.Snapshot {
	t.Helper()
	for i := 0; i < len(oldnew); i += 2 {
		if !strings.Contains(dump, oldnew[i]) {
			t.Fatalf("%q is not in the dump", oldnew[i])
		}
	}
	snapshots, err := profile.Read(strings.NewReader(strings.NewReplacer(oldnew...).Replace(dump)), profile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return snapshots
}

func TestOfThanos(t *testing.T) {
	const trimmed = "github.com/thanos-io/thanos/"
	for _, tt := range []struct {
		name    string
		oldnew  []string // applied to querier
		want    string   // releases
		sure    bool
		warning string // parts of the warnings, with | between
	}{
		{"as released", nil, "0.35.1", true, ""},
		{"fork with another import path", []string{"github.com/thanos-io/thanos/", "github.com/acme/thanos/"}, "", false, ""},
		{"fork, -trimpath", []string{"/app/", "github.com/acme/thanos/", "github.com/thanos-io/thanos/", "example.org/x/"}, "", false, ""},
		{"bumped module", []string{"grpc@v1.57.2", "grpc@v1.66.0"}, "", false, "together (google.golang.org/grpc v1.66.0): a fork"},
		{"module of another release", []string{"grpc@v1.57.2", "grpc@v1.63.2"}, "", false,
			"grpc.(*Server).ListenAndServe is at pkg/server/grpc/grpc.go:132, where no release with these modules has it: an edited build?"},
		{"module replaced by a fork of it", []string{"google.golang.org/grpc@v1.57.2", "github.com/thanos-community/grpc-go@v0.0.0-20251106112228-b9020406f781"},
			"", false, "google.golang.org/grpc github.com/thanos-community/grpc-go@v0.0.0-20251106112228-b9020406f781"},
		{"two versions of one module", []string{"grpc@v1.57.2", "grpc@v1.57.2", "goroutine 7 ", goroutineOf("grpc@v1.63.2") + "goroutine 7 "},
			"", false, "several versions of one module (google.golang.org/grpc v1.57.2 and v1.63.2)"},
		{"modules of no release together", []string{"grpc@v1.57.2", "grpc@v1.40.1"}, "", false, "together (github.com/prometheus/exporter-toolkit v0.11.0, google.golang.org/grpc v1.40.1)"},
		{"edited main", []string{"main.go:169", "main.go:172"}, "", false,
			"main.main is at cmd/thanos/main.go:172, where no release with these modules has it: an edited build?"},
		{"edited store, only one release of the two has lines that fit", []string{"proxy_merge.go:734", "proxy_merge.go:735"}, "", false,
			"store.(*eagerRespSet).Next is at pkg/store/proxy_merge.go:735"},
		{"edited while it starts", []string{"github.com/oklog/run.(*Group).Run", "main.setup", "main.go:169", "main.go:172"}, "0.35.1", true, ""},
		{"-trimpath", []string{"/go/pkg/mod/", "", "/app/", trimmed, "/usr/local/go/src/", "", "grpc@v1.57.2", "grpc@v1.62.1"}, "0.35.1", true, ""},
		{"go install", []string{"/app/", "/home/dev/go/pkg/mod/github.com/thanos-io/thanos@v0.35.1/"}, "0.35.1", true, ""},
		{"go install, -trimpath", []string{"/app/", "github.com/thanos-io/thanos@v0.35.1/"}, "0.35.1", true, ""},
		{"go install of another", []string{"/app/", "/home/dev/go/pkg/mod/github.com/thanos-io/thanos@v0.36.0/"}, "", false,
			"v0.36.0 is in it with other modules than its own (google.golang.org/grpc v1.57.2)|where no release with these modules has it"},
		{"library", []string{"/app/", "/home/dev/go/pkg/mod/github.com/thanos-io/thanos@v0.35.1/", "grpc@v1.57.2", "grpc@v1.66.0"},
			"0.35.1", false, "with other modules than its own (google.golang.org/grpc v1.66.0)"},
		{"pseudo-version", []string{"/app/", "/home/dev/go/pkg/mod/github.com/thanos-io/thanos@v0.35.2-0.20240601120000-0123456789ab/"},
			"", false, "v0.35.2-0.20240601120000-0123456789ab, a commit that is no release"},
		{"release that is not known", []string{"/app/", "/home/dev/go/pkg/mod/github.com/thanos-io/thanos@v0.99.0/"}, "", false, "v0.99.0, which is none"},
		{"module cache elsewhere", []string{"/go/pkg/mod/", "/cache/user@v1.host/"}, "0.35.1", true, ""},
		{"vendored in another program", []string{"/app/", "/src/vendor/github.com/thanos-io/thanos/"}, "", false, ""},
		{"Windows", []string{"/go/pkg/mod/", `C:\go\pkg\mod\`, "/app/", `D:\src\`, "/pkg/server/", `\pkg\server\`}, "0.35.1", true, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			check(t, Of(read(t, querier, tt.oldnew...)...), tt.want, tt.sure, tt.warning)
		})
	}
}

// goroutineOf returns a goroutine in a function of gRPC of some version.
func goroutineOf(version string) string {
	return "goroutine 9 [select]:\ngoogle.golang.org/grpc.newClientStream()\n\t/go/pkg/mod/google.golang.org/" + version + "/stream.go:1 +0x1\n\n"
}

func check(t *testing.T, o Origin, want string, sure bool, warning string) {
	t.Helper()
	if got := strings.Join(o.Thanos, " "); got != want || o.Sure != sure {
		t.Errorf("got %q, sure %v; want %q, sure %v", got, o.Sure, want, sure)
	}
	if warning == "" {
		if o.Warnings != nil {
			t.Errorf("warnings %q, want none", o.Warnings)
		}
		return
	}
	contains := func(all, part string) bool { return strings.Contains(all, part) }
	if !slices.EqualFunc(o.Warnings, strings.Split(warning, "|"), contains) {
		t.Errorf("warnings %q, want %q", o.Warnings, warning)
	}
}

// frame is a goroutine that stands in one function.
func frame(state, fn, position string) string {
	return "goroutine 3 [" + state + "]:\n" + fn + "()\n\t" + position + " +0x1\n\n"
}

func TestOfFewFrames(t *testing.T) {
	const store = "github.com/thanos-io/thanos/pkg/store.(*ProxyStore).Series"
	vendored := frame("chan receive", "main.main.func4", "/go/src/github.com/improbable-eng/thanos/cmd/thanos/main.go:180") +
		frame("chan receive", "main.main", "/go/src/github.com/improbable-eng/thanos/cmd/thanos/main.go:187") +
		frame("select", "github.com/improbable-eng/thanos/pkg/runutil.Repeat", "/go/src/github.com/improbable-eng/thanos/pkg/runutil/runutil.go:65") +
		frame("select", "github.com/improbable-eng/thanos/pkg/store.(*ProxyStore).Series", "/go/src/github.com/improbable-eng/thanos/pkg/store/proxy.go:273") +
		frame("select", "github.com/improbable-eng/thanos/vendor/google.golang.org/grpc.(*Server).Serve",
			"/go/src/github.com/improbable-eng/thanos/vendor/google.golang.org/grpc/server.go:561")
	for _, tt := range []struct {
		name, dump, want string
		sure             bool
		warning          string
	}{
		{"vendored, before modules", vendored, "0.3.0 0.3.1 0.3.2", true, ""},
		{"one line, perhaps by chance", frame("select", store, "/app/pkg/store/proxy.go:392"), "0.35.0 0.35.1", false, ""},
		{"no listed line, no module", frame("select", store, "/app/pkg/store/proxy.go:5"), "", false, ""},
		{"listed line of another package's function", frame("select", "github.com/thanos-io/thanos/pkg/query.F", "/app/pkg/store/proxy.go:392"), "", false, ""},
		{"listed line of an inlined dependency", frame("select", store, "/go/pkg/mod/example.org/x@v1.0.0/pkg/other/proxy.go:392"), "", false, ""},
		{"only a module", frame("select", store, "/app/pkg/store/proxy.go:5") + goroutineOf("grpc@v1.81.1"),
			"0.42.0 0.42.1 0.42.2 0.42.3 0.42.4", false, ""},
		{"only a vendored dependency of Thanos",
			frame("select", "github.com/thanos-io/thanos/vendor/google.golang.org/grpc.(*Server).Serve", "/app/vendor/google.golang.org/grpc/server.go:1"), "", false, ""},
		{"module that old go.mod files are silent about, lines of v0.20",
			frame("select", store, "/app/pkg/store/bucket.go:"+lineOf(t, "0.20.2", "pkg/store/bucket.go")) +
				frame("select", "golang.org/x/net/trace.F", "/go/pkg/mod/golang.org/x/net@v0.0.0-20210410081132-afb366fc7cd1/trace/trace.go:1"), "0.20.0 0.20.1 0.20.2", false, ""},
		{"unknown version of that module, lines of v0.35",
			frame("select", store, "/app/pkg/store/proxy.go:392") +
				frame("select", "golang.org/x/net/trace.F", "/go/pkg/mod/golang.org/x/net@v0.99.0/trace/trace.go:1"), "", false, "(golang.org/x/net v0.99.0)"},
		{"no function of Thanos", goroutineOf("grpc@v1.57.2") + goroutineOf("grpc@v1.63.2"), "", false, ""},
		{"main of another program", frame("select", "main.main", "/src/cmd/other/main.go:169"), "", false, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			check(t, Of(read(t, tt.dump)...), tt.want, tt.sure, tt.warning)
		})
	}
}

// lineOf returns the last line of a file in the list of a release that no
// release of another minor version has.
func lineOf(t *testing.T, name, file string) string {
	t.Helper()
	k, err := knownReleases()
	if err != nil {
		t.Fatal(err)
	}
	minor := regexp.MustCompile(`^\d+\.\d+\.`).FindString(name)
	others := map[int]bool{}
	var of *release
	for _, r := range k.releases {
		if r.name == name {
			of = r
		}
		for l := range r.lines[file] {
			others[l] = others[l] || !strings.HasPrefix(r.name, minor)
		}
	}
	var own []int
	for l := range of.lines[file] {
		if !others[l] {
			own = append(own, l)
		}
	}
	if len(own) == 0 {
		t.Fatalf("v%s has no line of its own in %s", name, file)
	}
	return strconv.Itoa(slices.Max(own))
}

// TestOfCut holds that a number that the end of a dump went through refutes
// nothing: 734 becomes 73.
func TestOfCut(t *testing.T) {
	at := strings.Index(querier, ":734")
	snapshots := read(t, querier[:at+len(":73")])
	snapshots[0].Truncated = true // as the reader says at 64 MiB
	check(t, Of(snapshots...), "0.35.0 0.35.1", true, "")
}

func TestOfNothing(t *testing.T) {
	for name, snapshots := range map[string][]*profile.Snapshot{
		"no snapshot":     nil,
		"nil":             {nil},
		"no groups":       {{}},
		"no frames":       {{Groups: []profile.Group{{Count: 1}}}},
		"no position":     {{Groups: []profile.Group{{Count: 1, Frames: []profile.Frame{{Func: "main.main"}}}}}},
		"no function":     {{Groups: []profile.Group{{Count: 1, Frames: []profile.Frame{{File: "@v", Line: 1}, {File: "/", Line: 1}}}}}},
		"negative line":   {{Groups: []profile.Group{{Count: 1, Frames: []profile.Frame{{Func: "main.main", File: "x/cmd/thanos/main.go", Line: -1}}}}}},
		"cut, one frame":  {{Truncated: true, Groups: []profile.Group{{Count: 1, Frames: []profile.Frame{{Func: "main.main", File: "cmd/thanos/main.go", Line: 16}}}}}},
		"trailing escape": {{Groups: []profile.Group{{Count: 1, Frames: []profile.Frame{{Func: "a.b", File: "x!@v1!/y!", Line: 1}}}}}},
	} {
		t.Run(name, func(t *testing.T) {
			if o := Of(snapshots...); o.Thanos != nil || o.Sure || o.Go != nil || o.Warnings != nil {
				t.Errorf("got %+v", o)
			}
		})
	}
}

// TestPlaces holds that the leaf's lines of all members of a group count, not
// only those of the member whose frames are kept.
func TestPlaces(t *testing.T) {
	g := profile.Group{
		Count:  2,
		Frames: []profile.Frame{{Func: "github.com/thanos-io/thanos/pkg/store.newEagerRespSet.func2.3", File: "/app/pkg/store/proxy_merge.go", Line: 1}},
		Places: []profile.Place{{Line: 1, Count: 1}, {Line: 627, State: profile.StateChanReceiveNil, Count: 1}},
	}
	check(t, Of(&profile.Snapshot{Groups: []profile.Group{g}}), "0.35.1", false, "")
}

// TestAnchorsAreListed holds that the shape of the lists does not contradict
// the anchors: every release with a list for an anchor's file has a line for
// it.
func TestAnchorsAreListed(t *testing.T) {
	k, err := knownReleases()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range anchors {
		n := 0
		for _, r := range k.releases {
			if list, ok := r.lines[a.file]; ok {
				n++
				if len(list) == 0 {
					t.Errorf("%s: v%s has no lines in %s", a.function, r.name, a.file)
				}
			}
		}
		if n < 10 {
			t.Errorf("%s: %d releases have %s, want 10 or more", a.function, n, a.file)
		}
	}
}

func TestUnescape(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "a/b": "a/b", "github.com/!azure/!x": "github.com/Azure/X", "!": "", "a!": "a",
	} {
		if got := unescape(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

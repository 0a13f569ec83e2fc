package main

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.uber.org/goleak"

	"github.com/thanosleak/thanosleak/profile/capture"
)

var update = flag.Bool("update", false, "rewrite expected outputs in the scripts")

func TestMain(m *testing.M) {
	testscript.Main(leakChecked{m}, map[string]func(){"thanosleak": main, "load": load})
}

// load is "load URL N [STATUS]", a load command that runs anywhere: N queries
// that give up soon, and then an exit with the status. With N negative it goes on
// until it is stopped, and writes its process id first.
func load() {
	n, err := strconv.Atoi(os.Args[2])
	if err != nil {
		panic(err)
	}
	if n < 0 {
		fmt.Println("load", os.Getpid(), "in round", os.Getenv("THANOSLEAK_ROUND"))
	}
	client := &http.Client{Timeout: 250 * time.Millisecond}
	for i := 0; i != n; i++ {
		if resp, err := client.Get(os.Args[1] + "/api/v1/query"); err == nil {
			resp.Body.Close()
		}
	}
	if len(os.Args) > 3 {
		status, _ := strconv.Atoi(os.Args[3])
		os.Exit(status)
	}
}

// leakChecked fails tests that leave goroutines behind.
type leakChecked struct{ m *testing.M }

func (c leakChecked) Run() int {
	status := c.m.Run()
	if err := goleak.Find(); err != nil && status == 0 {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return status
}

// TestScript runs the commands as people type them. Scripts find the packed
// captures in $CAPTURES, dumps of advisories in $FIXTURES, and serve them with the command serve.
func TestScript(t *testing.T) {
	captures, err := filepath.Abs("../../testdata/captures")
	if err != nil {
		t.Fatal(err)
	}
	advisories, err := filepath.Abs("../../classify/advisory/testdata")
	if err != nil {
		t.Fatal(err)
	}
	leaky := builtLeaky(t, leakySource)
	testscript.Run(t, testscript.Params{
		Dir:                 "../../testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("CAPTURES", captures)
			e.Setenv("FIXTURES", advisories)
			e.Setenv("NO_COLOR", "")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"serve": cmdServe, "status": cmdStatus, "schema": cmdSchema, "unpack": cmdUnpack,
			"hidden": cmdHidden,
			"leaky":  func(ts *testscript.TestScript, _ bool, args []string) { cmdLeaky(ts, leaky, args) },
		},
	})
}

// cmdServe is "serve VAR ARCHIVE FOLDER [FAULT]": it serves a capture as a live
// process until the script ends and puts its base URL into the variable.
func cmdServe(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: serve VAR ARCHIVE FOLDER [FAULT]")
	}
	fault := ""
	if len(args) > 3 {
		fault = args[3]
	}
	handler, err := newReplay(unpackArchive(ts, args[1]), args[2])
	ts.Check(err)
	server := httptest.NewServer(withFault(handler, fault))
	ts.Defer(func() {
		server.CloseClientConnections()
		server.Close()
	})
	ts.Setenv(args[0], server.URL)
	ts.Setenv(args[0]+"_HOST", strings.TrimPrefix(server.URL, "http://"))
}

func unpackArchive(ts *testscript.TestScript, name string) fs.FS {
	f, err := os.Open(name)
	ts.Check(err)
	defer f.Close()
	archive, err := capture.Unpack(f)
	ts.Check(err)
	return archive
}

// withFault breaks the goroutine profile in the way named.
func withFault(next http.Handler, fault string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/debug/pprof/goroutine" {
			next.ServeHTTP(w, r)
			return
		}
		switch fault {
		case "":
			next.ServeHTTP(w, r)
		case "500":
			http.Error(w, "boom", http.StatusInternalServerError)
		case "login":
			fmt.Fprint(w, "<!DOCTYPE html><title>Sign in</title>")
		case "hang":
			<-r.Context().Done()
		case "404":
			http.NotFound(w, r)
		case "garbage":
			_, _ = io.WriteString(w, strings.Repeat("\x93\x01\x02garbage", 400))
		}
	})
}

// cmdStatus is "status N COMMAND…": the command must exit with N.
func cmdStatus(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N COMMAND ARGS…")
	}
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	if err != nil {
		got = strings.TrimPrefix(err.Error(), "exit status ")
	}
	if got != args[0] {
		ts.Fatalf("exit status %s, want %s", got, args[0])
	}
}

// cmdSchema is "schema FILE": the file must be a result as docs describe it.
func cmdSchema(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: schema FILE")
	}
	ts.Check(valid(ts.ReadFile(args[0])))
}

// valid says in which way a JSON result is not what the schema describes.
func valid(result string) error {
	schema, err := jsonschema.NewCompiler().Compile(schemaFile)
	if err != nil {
		return err
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(result))
	if err != nil {
		return err
	}
	return schema.Validate(doc)
}

const schemaFile = "../../docs/result.schema.json"

// cmdUnpack is "unpack ARCHIVE DIR": it unpacks a capture into a folder.
func cmdUnpack(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: unpack ARCHIVE DIR")
	}
	ts.Check(os.CopyFS(ts.MkAbs(args[1]), unpackArchive(ts, args[0])))
}

// buildLeaky builds the process that leaks on purpose into dir.
func buildLeaky(dir, source string) (string, error) {
	bin := filepath.Join(dir, "thanos")
	build := exec.Command("go", "build", "-o", bin, "./cmd/thanos")
	build.Dir = source
	out, err := build.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return bin, nil
}

// cmdLeaky is "leaky VAR ARGS…": it starts the process that leaks on purpose,
// until the script ends, and puts its base URL into the variable.
func cmdLeaky(ts *testscript.TestScript, bin string, args []string) {
	if len(args) < 1 {
		ts.Fatalf("usage: leaky VAR ARGS…")
	}
	url, stop, err := runLeaky(bin, args[1:]...)
	ts.Check(err)
	ts.Defer(stop)
	ts.Setenv(args[0], url)
}

// runLeaky starts the process that leaks on purpose, and returns its base URL.
func runLeaky(bin string, args ...string) (url string, stop func(), err error) {
	cmd := exec.Command(bin, append(args, "-watch-stdin=false")...)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		return "", nil, err
	}
	stop = func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // killed: its status says nothing
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		stop()
	}
	return strings.TrimSpace(line), stop, err
}

// leakySource is the process that leaks on purpose.
const leakySource = "../../testdata/leaky"

// builtLeaky returns the binary of the process that leaks on purpose.
func builtLeaky(t *testing.T, source string) string {
	t.Helper()
	bin, err := buildLeaky(t.TempDir(), source)
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

// startLeaky runs the process that leaks on purpose until the test ends. It
// returns its base URL.
func startLeaky(t *testing.T, bin string, args ...string) string {
	t.Helper()
	url, stop, err := runLeaky(bin, args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return url
}

// cmdHidden is "hidden TEXT PATH…": no file below the paths may hold the text,
// plain or gzipped.
func cmdHidden(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: hidden TEXT PATH…")
	}
	files := 0
	for _, root := range args[1:] {
		ts.Check(filepath.WalkDir(ts.MkAbs(root), func(p string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			files++
			b, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			if zr, zipErr := gzip.NewReader(bytes.NewReader(b)); zipErr == nil {
				b, err = io.ReadAll(zr)
			}
			if bytes.Contains(bytes.ToLower(b), []byte(args[0])) {
				ts.Fatalf("%s holds %q", p, args[0])
			}
			return err
		}))
	}
	if files == 0 {
		ts.Fatalf("no files below %v", args[1:])
	}
}

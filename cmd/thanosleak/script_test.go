package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/thanosleak/thanosleak/profile/capture"
)

var update = flag.Bool("update", false, "rewrite expected outputs in the scripts")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"thanosleak": main})
}

// TestScript runs the commands as people type them. Scripts find the packed
// captures in $CAPTURES and serve them with the command serve.
func TestScript(t *testing.T) {
	captures, err := filepath.Abs("../../testdata/captures")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "../../testdata/script",
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			e.Setenv("CAPTURES", captures)
			e.Setenv("NO_COLOR", "")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"serve": cmdServe, "status": cmdStatus, "schema": cmdSchema, "unpack": cmdUnpack,
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
	schema, err := jsonschema.NewCompiler().Compile(schemaFile)
	ts.Check(err)
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(ts.ReadFile(args[0])))
	ts.Check(err)
	ts.Check(schema.Validate(doc))
}

const schemaFile = "../../docs/result.schema.json"

// cmdUnpack is "unpack ARCHIVE DIR": it unpacks a capture into a folder.
func cmdUnpack(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: unpack ARCHIVE DIR")
	}
	ts.Check(os.CopyFS(ts.MkAbs(args[1]), unpackArchive(ts, args[0])))
}

// TestInterrupt looks at what Ctrl-C leaves: what there is, is reported.
func TestInterrupt(t *testing.T) {
	f, err := os.Open("../../testdata/captures/v0.35.1-go121-slowstore-eager.tar.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	archive, err := capture.Unpack(f)
	if err != nil {
		t.Fatal(err)
	}
	handler, err := newReplay(archive, "upper")
	if err != nil {
		t.Fatal(err)
	}
	handler.current = len(handler.stems) - 2 // the next sample is the last, which shows the leak
	ctx, interrupt := context.WithCancel(t.Context())
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handler.ServeHTTP(w, r)
		if r.URL.Path == "/api/v1/stores" { // the last request of the first round
			time.AfterFunc(50*time.Millisecond, interrupt)
		}
	}))
	defer server.Close()
	var out, errOut strings.Builder
	status := run(ctx, []string{"scan", server.URL, "--interval", "1h"}, streams{out: &out, err: &errOut, env: os.Getenv})
	if status != exitFound || !strings.Contains(out.String(), "LEAK confirmed  TL-2024-001") {
		t.Errorf("status %d, want %d with the leak that was seen before the interrupt\n%s%s", status, exitFound, out.String(), errOut.String())
	}
}

// TestRefused looks at a target that nobody listens on beside a good one.
func TestRefused(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	var out, errOut strings.Builder
	status := run(t.Context(), []string{"scan", gone, "--samples", "1"}, streams{out: &out, err: &errOut, env: os.Getenv})
	if status != exitFailed || !strings.Contains(errOut.String(), gone) || !strings.Contains(errOut.String(), "refused") {
		t.Errorf("status %d, want %d and an error that names %s and the cause\n%s", status, exitFailed, gone, errOut.String())
	}
}

package main

import (
	"bytes"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// readme is the file whose examples are executed; run the tests with -update
// to rewrite what they print.
const readme = "README.md"

// consoleRE finds the examples: a command behind "$ " and what it prints.
var consoleRE = regexp.MustCompile("(?s)```console\n\\$ ([^\n]*)\n(.*?)```")

// TestReadme executes each command in the README and compares what it prints
// with what the README says.
func TestReadme(t *testing.T) {
	t.Chdir("../..")
	t.Setenv("COLUMNS", "100") // as where the width is not known
	before, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	examples := 0
	after := consoleRE.ReplaceAllFunc(before, func(block []byte) []byte {
		m := consoleRE.FindSubmatch(block)
		examples++
		return []byte("```console\n$ " + string(m[1]) + "\n" + execute(t, string(m[1])) + "```")
	})
	if examples < 6 {
		t.Fatalf("%d examples found in the README: are they written as console blocks?", examples)
	}
	if *update {
		if err := os.WriteFile(readme, after, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(string(before), string(after)); diff != "" {
		t.Errorf("the README does not say what the commands print (-README +commands); run with -update\n%s", diff)
	}
}

// execute runs one command of the README and returns what it prints, both
// streams in the order in which a terminal shows them.
func execute(t *testing.T, command string) string {
	t.Helper()
	args := strings.Fields(command)
	var out []byte
	switch {
	case command == "go test ./...":
		return gateRuns(t, command) // it would run this very test
	case args[0] == "go":
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Env = append(os.Environ(), "NO_COLOR=1")
		out, _ = cmd.CombinedOutput()
	case args[0] == "thanosleak":
		out = inProcess(t, args[1:])
	default:
		t.Fatalf("the README shows %q, which no test can run", command)
	}
	return stable(string(out))
}

// gateRuns makes sure that the gate runs a command as the README shows it.
func gateRuns(t *testing.T, command string) string {
	t.Helper()
	gate, err := os.ReadFile(".ci/run")
	if err != nil || !bytes.Contains(gate, []byte(command+"\n")) {
		t.Errorf(".ci/run does not run %q (%v)", command, err)
	}
	return ""
}

// inProcess runs thanosleak with a recorded querier behind localhost:10902,
// and without leaving files behind.
func inProcess(t *testing.T, args []string) []byte {
	t.Helper()
	handler := recorded(t, "testdata/captures/v0.36.0-slowstore-lazy.tar.gz", "upper")
	handler.current = len(handler.stems) - 7
	server := httptest.NewServer(handler)
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "http://")
	if args[0] == "soak" { // which a recording cannot take
		host = strings.TrimPrefix(startLeaky(t, builtLeaky(t, "testdata/leaky"), "-leak", "none"), "http://")
	}
	args = slices.Clone(args)
	dir := t.TempDir()
	for i := range args {
		args[i] = strings.ReplaceAll(args[i], "localhost:10902", host)
		args[i] = strings.ReplaceAll(args[i], "incident.tar.gz", dir+"/incident.tar.gz")
		args[i] = strings.ReplaceAll(args[i], "result.json", dir+"/result.json")
		args[i] = strings.ReplaceAll(args[i], "soak.xml", dir+"/soak.xml")
	}
	if args[0] == "scan" || args[0] == "soak" {
		args = slices.Insert(args, 1, "--interval", "1ms")
	}
	var out bytes.Buffer
	run(t.Context(), args, streams{out: &out, err: &out, env: os.Getenv})
	shown := strings.NewReplacer(host, "localhost:10902", dir+"/", "")
	return []byte(shown.Replace(out.String()))
}

// recordedPorts are addresses that are part of a recording.
var recordedPorts = map[string]bool{"127.0.0.1:21412": true, "127.0.0.1:21812": true}

// stable replaces what differs from run to run: ports that the system chose, the
// version that the binary was built as, and the age of its knowledge.
func stable(s string) string {
	s = regexp.MustCompile(`127\.0\.0\.1:\d{5}`).ReplaceAllStringFunc(s, func(address string) string {
		if recordedPorts[address] {
			return address
		}
		return "127.0.0.1:37709"
	})
	s = regexp.MustCompile(`thanosleak \S+, knowledge`).ReplaceAllString(s, "thanosleak (devel), knowledge")
	s = regexp.MustCompile(`(knowledge of [0-9-]{10}), .* old.*|(knowledge of [0-9-]{10}), of today`).ReplaceAllString(s, "$1$2, 3 days old")
	s = strings.ReplaceAll(s, "exit status 1\n", "")
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " ")
	}
	return strings.Join(lines, "\n")
}

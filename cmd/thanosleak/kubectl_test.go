package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// apiServer answers as the API server of a cluster does at the paths that
// kubectl-thanosleak comes by: the list of pods, and the proxy to each.
type apiServer struct {
	namespace string
	pods      []pod
	denied    map[string]bool // "list pods", "get pods/proxy"
}

// pod is one that runs.
type pod struct {
	name  string
	app   string // value of its label "app"
	ports []int  // that its container declares
	http.Handler
}

// discovery is what kubectl asks first: which resources there are.
var discovery = map[string]string{
	"/version": `{"major": "1", "minor": "32", "gitVersion": "v1.32.0"}`,
	"/api":     `{"kind": "APIVersions", "versions": ["v1"]}`,
	"/apis":    `{"kind": "APIGroupList", "apiVersion": "v1", "groups": []}`,
	"/api/v1": `{"kind": "APIResourceList", "groupVersion": "v1", "resources": [
		{"name": "pods", "singularName": "pod", "namespaced": true, "kind": "Pod", "verbs": ["get", "list"], "shortNames": ["po"]}]}`,
}

// ServeHTTP answers the list and passes requests for pods on.
func (a *apiServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rest, ok := strings.CutPrefix(r.URL.Path, "/api/v1/namespaces/"+a.namespace+"/pods")
	switch {
	case discovery[r.URL.Path] != "":
		answer(w, http.StatusOK, json.RawMessage(discovery[r.URL.Path]))
	case !ok:
		refuse(w, http.StatusNotFound, "the server could not find the requested resource")
	case rest == "" && a.denied["list pods"]:
		refuse(w, http.StatusForbidden, `pods is forbidden: User "eve" cannot list resource "pods" in API group "" in the namespace "`+a.namespace+`"`)
	case rest == "":
		a.list(w, r.FormValue("labelSelector"))
	default:
		a.proxy(w, r, strings.TrimPrefix(rest, "/"))
	}
}

// list answers with the pods whose label "app" is the one selected.
func (a *apiServer) list(w http.ResponseWriter, selector string) {
	type object = map[string]any
	items := []object{}
	for _, p := range a.pods {
		if selector != "" && selector != "app="+p.app {
			continue
		}
		ports := []object{}
		for _, port := range p.ports {
			ports = append(ports, object{"containerPort": port})
		}
		items = append(items, object{
			"apiVersion": "v1", "kind": "Pod",
			"metadata": object{"name": p.name, "namespace": a.namespace, "labels": object{"app": p.app}},
			"spec":     object{"containers": []object{{"name": "thanos", "ports": ports}, {"name": "reloader"}}},
			"status":   object{"phase": "Running"},
		})
	}
	answer(w, http.StatusOK, object{"apiVersion": "v1", "kind": "PodList", "metadata": object{"resourceVersion": "1"}, "items": items})
}

// proxy passes a request on to a pod: rest is POD:PORT/proxy/PATH.
func (a *apiServer) proxy(w http.ResponseWriter, r *http.Request, rest string) {
	address, path, _ := strings.Cut(rest, "/proxy")
	name, _, _ := strings.Cut(address, ":")
	if a.denied["get pods/proxy"] {
		refuse(w, http.StatusForbidden, `pods "`+address+`" is forbidden: User "eve" cannot get resource "pods/proxy" in API group "" in the namespace "`+a.namespace+`"`)
		return
	}
	for _, p := range a.pods {
		if p.name == name {
			http.StripPrefix(strings.TrimSuffix(r.URL.Path, path), p).ServeHTTP(w, r)
			return
		}
	}
	refuse(w, http.StatusNotFound, `pods "`+name+`" not found`)
}

// refuse answers with a Status, as API servers tell errors.
func refuse(w http.ResponseWriter, code int, message string) {
	reason := strings.ReplaceAll(http.StatusText(code), " ", "")
	answer(w, code, map[string]any{"apiVersion": "v1", "kind": "Status", "status": "Failure", "message": message, "reason": reason, "code": code})
}

func answer(w http.ResponseWriter, code int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(body) // the client may have gone
}

// TestKubectl runs kubectl-thanosleak as people type it, with a kubectl that
// the script brings and the server above in place of a cluster.
func TestKubectl(t *testing.T) {
	needShell(t)
	deploy, err := filepath.Abs(deployDir)
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Files:               []string{"../../testdata/kubectl.txtar"},
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			path := []string{filepath.Join(e.WorkDir, "bin"), deploy, e.Getenv("PATH")}
			e.Setenv("PATH", strings.Join(path, string(filepath.ListSeparator)))
			e.Setenv("PLUGIN", filepath.Join(deploy, "kubectl-thanosleak"))
			e.Setenv("NO_COLOR", "1")
			e.Setenv("CAPTURES", filepath.Join(deploy, "..", "..", "testdata", "captures"))
			e.Setenv("TMPDIR", filepath.Join(e.WorkDir, "tmp"))
			return errors.Join(os.Mkdir(filepath.Join(e.WorkDir, "tmp"), 0o755),
				os.Chmod(filepath.Join(e.WorkDir, "bin", "kubectl"), 0o755))
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"cluster": cmdCluster, "status": cmdStatus, "await": cmdAwait, "term": cmdTerm, "gone": cmdGone,
		},
	})
}

// cmdCluster is "cluster ARCHIVE POD=FOLDER…": it serves processes of a capture
// as the pods of a cluster until the script ends, and puts its port into $API.
func cmdCluster(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: cluster ARCHIVE POD=FOLDER…")
	}
	server := httptest.NewServer(newCluster(ts.Check, unpackArchive(ts, args[0]), args[1:]...))
	ts.Defer(func() {
		server.CloseClientConnections()
		server.Close()
	})
	u, err := url.Parse(server.URL)
	ts.Check(err)
	ts.Setenv("API", u.Port())
}

// newCluster has a pod for each of POD=FOLDER, at the last sample of the process
// recorded in the folder, and one of another program.
func newCluster(check func(error), archive fs.FS, pods ...string) *apiServer {
	a := &apiServer{namespace: "monitoring", pods: []pod{{name: "grafana-0", app: "grafana", ports: []int{3000}, Handler: http.NotFoundHandler()}}}
	for _, arg := range pods {
		name, folder, _ := strings.Cut(arg, "=")
		h, err := newReplay(archive, folder)
		check(err)
		h.current = len(h.stems) - 1
		a.pods = append(a.pods, pod{name: name, app: "thanos-query", ports: []int{10901, 10902}, Handler: h})
	}
	return a
}

// cmdAwait is "await GLOB": it waits until there is such a file.
func cmdAwait(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: await GLOB")
	}
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		found, err := filepath.Glob(ts.MkAbs(args[0]))
		ts.Check(err)
		if len(found) > 0 {
			return
		}
		select {
		case <-deadline:
			ts.Fatalf("no %s came", args[0])
		case <-tick.C:
		}
	}
}

// cmdTerm is "term FILE": it asks the process whose number is in the file to end.
func cmdTerm(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: term FILE")
	}
	ts.Check(processIn(ts, args[0]).Signal(syscall.SIGTERM))
}

// cmdGone is "gone FILE": the process whose number is in the file must not run.
// The file goes, so that the next one can be waited for.
func cmdGone(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: gone FILE")
	}
	p := processIn(ts, args[0])
	if err := p.Signal(syscall.Signal(0)); err == nil {
		_ = p.Kill()
		ts.Fatalf("process %d still runs", p.Pid)
	}
	ts.Check(os.Remove(ts.MkAbs(args[0])))
}

// processIn returns the process whose number is in the file.
func processIn(ts *testscript.TestScript, file string) *os.Process {
	pid, err := strconv.Atoi(strings.TrimSpace(ts.ReadFile(file)))
	ts.Check(err)
	p, err := os.FindProcess(pid)
	ts.Check(err)
	return p
}

// TestKubectlLoop runs the lines of the recipe for 60 pods; one more does not
// answer.
func TestKubectlLoop(t *testing.T) {
	needShell(t)
	_, lines, ok := strings.Cut(deployFile(t, "../recipes.md"), "```sh\nmkdir -p pods\n")
	lines, _, _ = strings.Cut(lines, "```")
	if !ok {
		t.Fatal("the recipe is not where it was")
	}
	dir := t.TempDir()
	leaking := recorded(t, "../../testdata/captures/v0.36.0-slowstore-lazy.tar.gz", "upper")
	profile, err := fs.ReadFile(leaking.fsys, path.Join(leaking.folder, leaking.stems[len(leaking.stems)-1]+".debug0.pb.gz"))
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err := errors.Join(err, os.WriteFile(filepath.Join(dir, "profile"), profile, 0o644),
		os.Symlink(self, filepath.Join(dir, "thanosleak"))); err != nil {
		t.Fatal(err)
	}
	writeScript(t, dir, "kubectl", `case "$*" in
"get pods -n monitoring -l "*" -o name") seq 61 | sed s,^,pod/thanos-query-, ;;
*/thanos-query-7:10902/*) echo 'Error from server: EOF' >&2; exit 1 ;;
"get --raw /api/v1/namespaces/monitoring/pods/thanos-query-"*":10902/proxy/debug/pprof/goroutine") cat profile ;;
esac`)
	c := exec.Command("/bin/sh", "-c", "mkdir -p pods\n"+lines)
	c.Dir = dir
	c.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
	out, err := c.CombinedOutput()
	if exit := new(exec.ExitError); !errors.As(err, &exit) || exit.ExitCode() != exitFound {
		t.Errorf("%v, want exit status %d", err, exitFound)
	}
	for _, want := range []string{"read 60 processes, 1 sample each", "LEAK confirmed  TL-2024-001 on 60 of 60 queriers"} {
		if !bytes.Contains(out, []byte(want)) {
			t.Errorf("it does not say %q:\n%.2000s", want, out)
		}
	}
}

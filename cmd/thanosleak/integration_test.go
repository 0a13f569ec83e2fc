//go:build integration

package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The tests here run thanosleak between the programs that it is made for; see
// .ci/integration, which also builds $THANOSLEAK as the Dockerfile does.

// leakingCapture is the one that is served as a live process.
const leakingCapture = "../../testdata/captures/v0.35.1-go121-slowstore-eager.tar.gz"

// built returns the binary to test.
func built(t *testing.T) string {
	t.Helper()
	bin := os.Getenv("THANOSLEAK")
	if bin == "" {
		t.Fatal("THANOSLEAK does not name the binary: run .ci/integration")
	}
	return bin
}

// neighbour returns a program that has to be installed for the test.
func neighbour(t *testing.T, name string) string {
	t.Helper()
	p, err := exec.LookPath(name)
	if err != nil {
		t.Skipf("%s is not installed", name)
	}
	return p
}

// startProgram starts a program until the test ends, and shows what it said if the test
// has failed.
func startProgram(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	var said bytes.Buffer
	c := exec.Command(name, args...)
	c.Stdout, c.Stderr = &said, &said
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if c.ProcessState == nil {
			_ = c.Process.Kill()
			_ = c.Wait() // killed: its status says nothing
		}
		if t.Failed() {
			t.Logf("%s said:\n%.4000s", filepath.Base(name), said.String())
		}
	})
	return c
}

// freeAddress returns an address of this machine that nobody listens at.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// pageAt returns what is at a URL; empty if there is no good answer.
func pageAt(t *testing.T, address string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return ""
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return ""
	}
	return string(b)
}

// pageWith asks until the answer has all texts.
func pageWith(t *testing.T, address string, texts ...string) string {
	t.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		body, missing := pageAt(t, address), ""
		for _, text := range texts {
			if missing == "" && !strings.Contains(body, text) {
				missing = text
			}
		}
		if missing == "" {
			return body
		}
		select {
		case <-deadline:
			t.Fatalf("%s never said %q, but:\n%.4000s", address, missing, body)
		case <-tick.C:
		}
	}
}

// promtool runs it with input and wants it to find nothing.
func promtool(t *testing.T, input string, args ...string) {
	t.Helper()
	c := exec.Command(neighbour(t, "promtool"), args...)
	c.Stdin = strings.NewReader(input)
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	} else if args[1] == "metrics" && len(out) > 0 {
		t.Errorf("promtool %s: %s", strings.Join(args, " "), out)
	}
}

// TestIntegrationBinary looks at what the build command of the Dockerfile makes:
// a static binary, since there is nothing else in the image.
func TestIntegrationBinary(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("images are for Linux")
	}
	f, err := elf.Open(built(t))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if libraries, err := f.ImportedLibraries(); len(libraries) > 0 || err != nil {
		t.Errorf("needs %v (%v)", libraries, err)
	}
	if f.Section(".interp") != nil {
		t.Error("needs a dynamic linker")
	}
}

// TestIntegrationPrometheus is the way for Kubernetes, on one machine: serve
// looks at a leak, Prometheus scrapes it and an alert fires; scan then asks that
// Prometheus since when it has been so. When serve stops, that is told, too.
func TestIntegrationPrometheus(t *testing.T) {
	bin, prometheus := built(t), neighbour(t, "prometheus")
	// One process behind two addresses, as with a port-forward: Prometheus
	// knows the one, thanosleak comes by the other.
	there := recorded(t, leakingCapture, "upper")
	there.current = len(there.stems) - 1 // it has leaked for a while
	inCluster, forwarded := httptest.NewServer(there), httptest.NewServer(recorded(t, leakingCapture, "upper"))
	defer inCluster.Close()
	defer forwarded.Close()
	address, db := freeAddress(t), freeAddress(t)
	serve := startProgram(t, bin, "serve", forwarded.URL, "--http-address", address, "--interval", "1s", "--dir", filepath.Join(t.TempDir(), "capture"))
	onset := time.Now().UTC().Add(-12 * time.Hour)
	instance := strings.TrimPrefix(inCluster.URL, "http://")
	startProgram(t, prometheus, "--web.listen-address="+db, "--config.file="+prometheusConfig(t, address, instance),
		"--storage.tsdb.path="+backfilled(t, there, instance, onset))

	metrics := pageWith(t, "http://"+address+"/metrics", `level="confirmed"} 1`)
	promtool(t, metrics, "check", "metrics")
	if ready := pageAt(t, "http://"+address+"/-/ready"); ready == "" {
		t.Error("serve has findings and is not ready")
	}
	firing(t, db, map[string]string{"alertname": "ThanosGoroutineLeakConfirmed", "severity": "page", "advisory": "TL-2024-001",
		"target": strings.TrimPrefix(forwarded.URL, "http://"), "job": "thanosleak"})

	out, err := exec.Command(bin, "scan", forwarded.URL, "--samples", "1", "--prometheus.url", "http://"+db).CombinedOutput()
	if exit := new(exec.ExitError); !errors.As(err, &exit) || exit.ExitCode() != exitFound {
		t.Errorf("%v, want exit status %d", err, exitFound)
	}
	checkOnset(t, string(out), onset)

	if err := serve.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := serve.Wait(); err != nil {
		t.Errorf("serve ends on SIGTERM with %v, want exit status 0", err)
	}
	firing(t, db, map[string]string{"alertname": "ThanosleakAbsent", "severity": "ticket"})
}

// prometheusConfig writes a configuration that scrapes every second, with our
// alert rules, for which nobody waits.
func prometheusConfig(t *testing.T, thanosleak, thanos string) string {
	t.Helper()
	rules := regexp.MustCompile(`(?m)^( +for:) .*$`).ReplaceAllString(deployFile(t, "alerts.yaml"), "$1 0s")
	dir := t.TempDir()
	config := `global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [alerts.yaml]
scrape_configs:
  - job_name: thanosleak
    static_configs: [{targets: ["` + thanosleak + `"]}]
  - job_name: thanos
    static_configs: [{targets: ["` + thanos + `"]}]
`
	for name, content := range map[string]string{"alerts.yaml": rules, "prometheus.yaml": config} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "prometheus.yaml")
}

// backfilled makes a database that knows the process for three days: its goroutines
// rise to where they are now since the onset.
func backfilled(t *testing.T, process *replay, instance string, onset time.Time) string {
	t.Helper()
	page := httptest.NewRecorder()
	process.ServeHTTP(page, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	started := regexp.MustCompile(`(?m)^process_start_time_seconds (.*)$`).FindStringSubmatch(unzipped(t, page.Body.Bytes()))
	if started == nil {
		t.Fatal("the recording does not tell when its process started")
	}
	var goroutines, starts strings.Builder
	now := time.Now()
	for at := now.Add(-3 * 24 * time.Hour); at.Before(now.Add(-time.Minute)); at = at.Add(time.Minute) {
		n := 18
		if since := at.Sub(onset); since > 0 {
			n += int(432 * since / now.Sub(onset))
		}
		fmt.Fprintf(&goroutines, "go_goroutines{instance=%q,job=\"thanos\"} %d %d\n", instance, n, at.Unix())
		fmt.Fprintf(&starts, "process_start_time_seconds{instance=%q,job=\"thanos\"} %s %d\n", instance, started[1], at.Unix())
	}
	dir := t.TempDir()
	input := "# TYPE go_goroutines gauge\n" + goroutines.String() + "# TYPE process_start_time_seconds gauge\n" + starts.String() + "# EOF\n"
	if err := os.WriteFile(filepath.Join(dir, "history"), []byte(input), 0o644); err != nil {
		t.Fatal(err)
	}
	promtool(t, "", "tsdb", "create-blocks-from", "openmetrics", filepath.Join(dir, "history"), filepath.Join(dir, "db"))
	return filepath.Join(dir, "db")
}

// firing waits until Prometheus has an alert that fires with these labels.
func firing(t *testing.T, prometheus string, labels map[string]string) {
	t.Helper()
	selector := `ALERTS{alertstate="firing"`
	for name, value := range labels {
		selector += fmt.Sprintf(",%s=%q", name, value)
	}
	pageWith(t, "http://"+prometheus+"/api/v1/query?query="+url.QueryEscape(selector+"}"), `"status":"success"`, `"__name__":"ALERTS"`)
}

// unzipped returns a page of metrics as it was before it was compressed.
func unzipped(t *testing.T, page []byte) string {
	t.Helper()
	zr, err := gzip.NewReader(bytes.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(zr)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// checkOnset looks for the onset in a report; the points are 20 minutes apart.
func checkOnset(t *testing.T, report string, want time.Time) {
	t.Helper()
	words := strings.Join(strings.Fields(report), " ")
	m := regexp.MustCompile(`rise since (\d{4}-\d\d-\d\d \d\d:\d\d) UTC`).FindStringSubmatch(words)
	if m == nil {
		t.Errorf("the report does not tell since when goroutines rise:\n%s", report)
		return
	}
	got, err := time.Parse("2006-01-02 15:04", m[1])
	if err != nil || got.Sub(want).Abs() > 90*time.Minute {
		t.Errorf("goroutines rise since %s, want about %s (%v)\n%s", m[1], want, err, report)
	}
}

// TestIntegrationNodeExporter is the way for machines: scan writes a file, and the
// node exporter serves what is in it.
func TestIntegrationNodeExporter(t *testing.T) {
	bin, exporter := built(t), neighbour(t, "prometheus-node-exporter")
	leaking := recorded(t, leakingCapture, "upper")
	leaking.current = len(leaking.stems) - 1
	server := httptest.NewServer(leaking)
	defer server.Close()
	dir, address := t.TempDir(), freeAddress(t)
	file := filepath.Join(dir, "thanosleak.prom")
	out, err := exec.Command(bin, "scan", server.URL, "--samples", "1", "-q", "--dir", filepath.Join(t.TempDir(), "capture"),
		"-o", "prometheus="+file).CombinedOutput()
	if exit := new(exec.ExitError); !errors.As(err, &exit) || exit.ExitCode() != exitFound {
		t.Fatalf("%v, want exit status %d\n%s", err, exitFound, out)
	}
	written, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	promtool(t, string(written), "check", "metrics")
	startProgram(t, exporter, "--web.listen-address="+address, "--collector.disable-defaults", "--collector.textfile", "--collector.textfile.directory="+dir)
	target := strings.TrimPrefix(server.URL, "http://")
	pageWith(t, "http://"+address+"/metrics", "node_textfile_scrape_error 0",
		`thanosleak_finding_level{advisory="TL-2024-001",key="TL-2024-001",level="confirmed",target="`+target+`"} 1`,
		`thanosleak_target_up{target="`+target+`"} 1`, "thanosleak_last_run_timestamp_seconds ")
}

// TestIntegrationRules has promtool check and try the alert rules.
func TestIntegrationRules(t *testing.T) {
	promtool(t, "", "check", "rules", filepath.Join(deployDir, "alerts.yaml"))
	promtool(t, "", "test", "rules", filepath.Join(deployDir, "alerts_test.yaml"))
}

// TestIntegrationKubectl runs kubectl-thanosleak with a real kubectl, which asks
// a server with the API server's paths.
func TestIntegrationKubectl(t *testing.T) {
	bin := built(t)
	neighbour(t, "kubectl")
	cluster := newCluster(func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}, recorded(t, leakingCapture, "upper").fsys, "thanos-query-0=upper", "thanos-query-1=leaf")
	server := httptest.NewServer(cluster)
	defer func() {
		server.CloseClientConnections()
		server.Close()
	}()
	dir := t.TempDir()
	config := fmt.Sprintf(`{apiVersion: v1, kind: Config, current-context: lab, clusters: [{name: lab, cluster: {server: %q}}],
contexts: [{name: lab, context: {cluster: lab, user: eve, namespace: monitoring}}], users: [{name: eve, user: {token: t}}]}`, server.URL)
	if err := errors.Join(os.WriteFile(filepath.Join(dir, "config"), []byte(config), 0o600), os.Symlink(bin, filepath.Join(dir, "thanosleak"))); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, denied string
		args         []string
		status       int
		say          []string
	}{
		{"a leak", "", nil, exitFound, []string{"LEAK confirmed TL-2024-001 on 2 of 2 queriers"}},
		{"a selector", "", []string{"-n", "monitoring", "-l", "app=thanos-query"}, exitFound, []string{"LEAK confirmed TL-2024-001 on 2 of 2 queriers"}},
		{"another selector", "", []string{"-l", "app=thanos-store"}, exitFailed, []string{"no running pod has the labels app=thanos-store"}},
		{"list is denied", "list pods", nil, exitFailed, []string{"RBAC: the verb list on pods is missing"}},
		{"get is denied", "get pods/proxy", nil, exitFailed, []string{"RBAC: the verb get on pods/proxy is missing in namespace monitoring"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cluster.denied = map[string]bool{tt.denied: true}
			c := exec.Command(filepath.Join(deployDir, "kubectl-thanosleak"), append(tt.args, "--samples", "1", "--color", "never")...)
			c.Env = append(os.Environ(), "KUBECONFIG="+filepath.Join(dir, "config"), "HOME="+dir, "PATH="+dir+":"+os.Getenv("PATH"))
			out, err := c.CombinedOutput()
			if status := c.ProcessState.ExitCode(); status != tt.status {
				t.Errorf("exit status %d, want %d (%v)", status, tt.status, err)
			}
			words := strings.Join(strings.Fields(string(out)), " ")
			for _, text := range tt.say {
				if !strings.Contains(words, text) {
					t.Errorf("it does not say %q:\n%.3000s", text, out)
				}
			}
		})
	}
}

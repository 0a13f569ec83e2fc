package main

import (
	"bytes"
	"encoding/pem"
	"errors"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"
)

const deployDir = "../../docs/deploy"

func deployFile(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(deployDir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// commandRE finds what is run: a command of ours and the rest of its line, or
// up to where the shell, markdown or a sentence ends it.
var commandRE = regexp.MustCompile("thanosleak (scan|analyze|soak|serve|advisories|demo)\\b([^`|;)\n]*)")

// pluginRE finds uses of the plugin, whose flags are its own and those of scan.
var pluginRE = regexp.MustCompile("kubectl[ -](thanosleak)\\b([^`|;)\n]*)")

// argsRE finds the list of arguments of a container.
var argsRE = regexp.MustCompile(`(?m)^ +args:\n((?: +- .*\n)+)`)

// makeRE finds variables of make.
var makeRE = regexp.MustCompile(`\$\((\w+)\)`)

// flagRE finds flags among the words of a command.
var flagRE = regexp.MustCompile(`(?:^|[ '"(])(--?[a-zA-Z][a-zA-Z0-9.-]*)`)

// TestDeployFlags compares the flags in all files and recipes with those of the
// commands, so that none of them goes stale.
func TestDeployFlags(t *testing.T) {
	files := []string{"../recipes.md", "../metrics.md"}
	err := filepath.WalkDir(deployDir, func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(deployDir, p)
			files = append(files, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	checked := map[string]int{}
	for _, name := range files {
		text := makeRE.ReplaceAllString(strings.ReplaceAll(deployFile(t, name), "\\\n", " "), "$1")
		for _, m := range argsRE.FindAllStringSubmatch(text, -1) {
			line := "thanosleak " + strings.TrimSpace(regexp.MustCompile(`(?m)\s*^ +- `).ReplaceAllString(m[1], " "))
			text += "\n" + line + "\n"
		}
		uses := append(commandRE.FindAllStringSubmatch(text, -1), pluginRE.FindAllStringSubmatch(text, -1)...)
		for _, use := range uses {
			words, _, _ := strings.Cut(use[2], " thanosleak ") // a second command on the line
			words, _, _ = strings.Cut(words, " -- ")           // and one of its own for the load
			for _, flag := range flagRE.FindAllStringSubmatch(words, -1) {
				checked[name]++
				if !hasFlag(t, use[1], flag[1]) {
					t.Errorf("docs/deploy/%s: thanosleak %s has no flag %s: %s", name, use[1], flag[1], use[0])
				}
			}
		}
	}
	for _, name := range []string{"../recipes.md", "alerts.yaml", "crontab", "kubernetes/cronjob.yaml", "kubernetes/serve.yaml", "systemd/thanosleak.service", "ci/github.yaml", "ci/gitlab-ci.yml", "ci/Makefile"} {
		if checked[name] < 2 {
			t.Errorf("docs/deploy/%s: %d flags found: is there no command in it any more?", name, checked[name])
		}
	}
}

// hasFlag reports whether a command has the flag; the plugin has its own, too.
func hasFlag(t *testing.T, command, flag string) bool {
	t.Helper()
	if command == "thanosleak" {
		if regexp.MustCompile(`(?m)^\t.*` + flag + `\b.*\)$`).MatchString(deployFile(t, "kubectl-thanosleak")) {
			return true
		}
		command = "scan"
	}
	c, _, err := newRootCommand(streams{}).Find([]string{command})
	if err != nil {
		t.Fatal(err)
	}
	if name, ok := strings.CutPrefix(flag, "--"); ok {
		return c.Flags().Lookup(name) != nil
	}
	return c.Flags().ShorthandLookup(flag[1:2]) != nil
}

// TestDeployKubernetes looks at what the manifests have to say.
func TestDeployKubernetes(t *testing.T) {
	for _, tt := range []struct {
		file, kind string
		want       map[string]any
	}{
		{"cronjob.yaml", "CronJob", merged(podRules("spec.jobTemplate.spec.template.spec"), map[string]any{
			"spec.concurrencyPolicy":                                                        "Forbid",
			"spec.jobTemplate.spec.backoffLimit":                                            0,
			"spec.jobTemplate.spec.activeDeadlineSeconds":                                   600,
			"spec.jobTemplate.spec.template.spec.restartPolicy":                             "Never",
			"spec.jobTemplate.spec.template.spec.volumes.0.persistentVolumeClaim.claimName": "thanosleak",
			"spec.jobTemplate.spec.template.spec.containers.0.args.0":                       "scan",
		})},
		{"cronjob.yaml", "PersistentVolumeClaim", map[string]any{"metadata.name": "thanosleak"}},
		{"serve.yaml", "Service", map[string]any{"spec.clusterIP": "None", "spec.publishNotReadyAddresses": true, "metadata.name": "thanos-query-pods"}},
		{"serve.yaml", "Deployment", merged(podRules("spec.template.spec"), map[string]any{
			"spec.replicas":                                               1,
			"spec.strategy.type":                                          "Recreate",
			"spec.selector.matchLabels":                                   map[string]any{"app.kubernetes.io/name": "thanosleak"},
			"spec.template.metadata.labels":                               map[string]any{"app.kubernetes.io/name": "thanosleak"},
			"spec.template.spec.containers.0.args.0":                      "serve",
			"spec.template.spec.containers.0.args.1":                      "dns+thanos-query-pods.monitoring.svc:10902",
			"spec.template.spec.containers.0.ports.0":                     map[string]any{"name": "http", "containerPort": 10999},
			"spec.template.spec.containers.0.readinessProbe.httpGet.path": "/-/ready",
			"spec.template.spec.containers.0.livenessProbe.httpGet.path":  "/-/healthy",
		})},
		{"serve.yaml", "PodMonitor", map[string]any{
			"spec.podMetricsEndpoints.0.port": "http",
			"spec.selector.matchLabels":       map[string]any{"app.kubernetes.io/name": "thanosleak"},
		}},
	} {
		doc := manifest(t, tt.file, tt.kind)
		for path, want := range tt.want {
			if diff := cmp.Diff(want, valueAt(doc, path)); diff != "" {
				t.Errorf("%s, %s, %s (-want +got):\n%s", tt.file, tt.kind, path, diff)
			}
		}
	}
}

// podRules are what every pod of ours keeps to; path is that of its spec.
func podRules(path string) map[string]any {
	return map[string]any{
		path + ".automountServiceAccountToken":                          false,
		path + ".securityContext.runAsNonRoot":                          true,
		path + ".securityContext.runAsUser":                             65532,
		path + ".containers.0.securityContext.readOnlyRootFilesystem":   true,
		path + ".containers.0.securityContext.allowPrivilegeEscalation": false,
		path + ".containers.0.securityContext.capabilities.drop":        []any{"ALL"},
		path + ".containers.0.resources.limits.memory":                  "512Mi",
	}
}

func merged(a, b map[string]any) map[string]any {
	maps.Copy(a, b)
	return a
}

// manifest returns the first object of a kind in a file of manifests.
func manifest(t *testing.T, file, kind string) map[string]any {
	t.Helper()
	d := yaml.NewDecoder(strings.NewReader(deployFile(t, "kubernetes/"+file)))
	for {
		var doc map[string]any
		if err := d.Decode(&doc); err != nil {
			t.Fatalf("%s: no %s in it: %v", file, kind, err)
		}
		if doc["kind"] == kind {
			return doc
		}
	}
}

// valueAt returns the value at a path of names and indices such as "spec.ports.0";
// nil if there is none.
func valueAt(v any, path string) any {
	name, rest, more := strings.Cut(path, ".")
	switch x := v.(type) {
	case map[string]any:
		v = x[name]
	case []any:
		if v = nil; name == "0" && len(x) > 0 {
			v = x[0]
		} else if name == "1" && len(x) > 1 {
			v = x[1]
		}
	default:
		return nil
	}
	if more {
		return valueAt(v, rest)
	}
	return v
}

// TestDeployDockerfile looks at what makes the image static and not root.
func TestDeployDockerfile(t *testing.T) {
	text := deployFile(t, "Dockerfile")
	for _, file := range []string{"Dockerfile", "../../.ci/build"} { // which needs the repository, and the image does not
		if !regexp.MustCompile(`CGO_ENABLED=0 go build .*-trimpath -ldflags="-s -w" -o `).MatchString(deployFile(t, file)) {
			t.Errorf("%s: the binary is not static, or built in another way", file)
		}
	}
	last := text[strings.LastIndex(text, "\nFROM "):]
	if !strings.HasPrefix(last, "\nFROM scratch\n") || !regexp.MustCompile(`\nUSER [1-9]\d*:[1-9]\d*\n`).MatchString(last) {
		t.Errorf("the image has more than it needs, or root as its user:%s", last)
	}
}

// TestDeploySystemd looks at the units, and has systemd do so where it is
// installed.
func TestDeploySystemd(t *testing.T) {
	service, timer := deployFile(t, "systemd/thanosleak.service"), deployFile(t, "systemd/thanosleak.timer")
	for _, want := range []string{"Type=oneshot", "SuccessExitStatus=1", "DynamicUser=yes", "StateDirectory=thanosleak", "ProtectSystem=strict",
		"ReadWritePaths=/var/lib/prometheus/node-exporter"} {
		if !strings.Contains(service, "\n"+want+"\n") {
			t.Errorf("the service has no %s", want)
		}
	}
	if !strings.Contains(timer, "\nOnCalendar=*:0/15\n") || !strings.Contains(timer, "\nWantedBy=timers.target\n") {
		t.Error("the timer does not start by itself every 15 minutes")
	}
	t.Run("verify", func(t *testing.T) { systemdVerifies(t, service, timer) })
}

func systemdVerifies(t *testing.T, service, timer string) {
	verify, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("no systemd-analyze here")
	}
	dir := t.TempDir()
	self, err := os.Executable()
	err = errors.Join(err, // the program that the unit starts has to be there
		os.WriteFile(filepath.Join(dir, "thanosleak.service"), []byte(strings.ReplaceAll(service, "/usr/local/bin/thanosleak", self)), 0o644),
		os.WriteFile(filepath.Join(dir, "thanosleak.timer"), []byte(timer), 0o644))
	if err != nil {
		t.Fatal(err)
	}
	// It looks at the units of this machine, too, whatever those are like.
	out, err := exec.Command(verify, "verify", "--man=no", filepath.Join(dir, "thanosleak.service"), filepath.Join(dir, "thanosleak.timer")).CombinedOutput()
	if bytes.Contains(out, []byte("thanosleak")) {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
}

// TestDeployCrontab runs the line of the crontab as cron does, with a thanosleak
// that has something to say and one that has not.
func TestDeployCrontab(t *testing.T) {
	text := strings.TrimSpace(deployFile(t, "crontab"))
	line := text[strings.LastIndex(text, "\n")+1:]
	fields := regexp.MustCompile(`^(\S+ ){5}`).FindString(line)
	command := line[len(fields):]
	if fields != "*/15 * * * * " || regexp.MustCompile(`[^\\]%`).MatchString(command) {
		t.Errorf("cron does not read this as one command every 15 minutes: %s", line)
	}
	needShell(t)
	dir := t.TempDir()
	writeScript(t, dir, "mail", `printf '%s\n' "$*" >"$OUT/subject"; cat >"$OUT/body"`)
	for _, tt := range []struct{ name, thanosleak, subject, body string }{
		{"something is new", `echo 'thanosleak: b:10902: connection refused' >&2; printf '%s\n' 'thanosleak: new: LEAK confirmed TL-2024-001: 100% of 1 querier \n' '  do  1  save'; exit 1`,
			"-s thanosleak: new: LEAK confirmed TL-2024-001: 100% of 1 querier \\n oncall@example.com\n",
			"thanosleak: new: LEAK confirmed TL-2024-001: 100% of 1 querier \\n\n  do  1  save\nthanosleak: b:10902: connection refused\n"},
		{"nothing new", `exit 1`, "", ""},
		{"a failure", `echo 'thanosleak: no space' >&2; exit 3`, "-s thanosleak: no space oncall@example.com\n", "thanosleak: no space\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out := t.TempDir()
			writeScript(t, dir, "thanosleak", tt.thanosleak)
			c := exec.Command("/bin/sh", "-c", strings.ReplaceAll(command, `\%`, "%"))
			c.Dir = out
			c.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "OUT="+out)
			if said, err := c.CombinedOutput(); err != nil || len(said) > 0 {
				t.Errorf("%v: %s", err, said)
			}
			subject, _ := os.ReadFile(filepath.Join(out, "subject"))
			body, _ := os.ReadFile(filepath.Join(out, "body"))
			if string(subject) != tt.subject || string(body) != tt.body {
				t.Errorf("subject %q, body %q, want %q and %q", subject, body, tt.subject, tt.body)
			}
		})
	}
}

func needShell(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("there is no sh on Windows")
	}
}

// writeScript writes a program in sh.
func writeScript(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
}

// TestDeployAlerts has promtool check and try the rules where it is installed.
func TestDeployAlerts(t *testing.T) {
	known := documentedMetrics(t)
	for _, name := range regexp.MustCompile(`\bthanosleak_[a-z_]+`).FindAllString(deployFile(t, "alerts.yaml"), -1) {
		if known[name] == nil {
			t.Errorf("alerts.yaml uses %s, which is not in docs/metrics.md", name)
		}
	}
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Skip("no promtool here")
	}
	for _, args := range [][]string{{"check", "rules", "alerts.yaml"}, {"test", "rules", "alerts_test.yaml"}} {
		c := exec.Command(promtool, args...)
		c.Dir = deployDir
		if out, err := c.CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}

// documentedMetrics are the metrics of docs/metrics.md, each with its labels.
func documentedMetrics(t *testing.T) map[string][]string {
	t.Helper()
	metrics := map[string][]string{}
	for _, row := range regexp.MustCompile("(?m)^\\| `(thanosleak_[a-z_]+)` \\|([^|:]*)").FindAllStringSubmatch(deployFile(t, "../metrics.md"), -1) {
		metrics[row[1]] = []string{}
		for _, label := range regexp.MustCompile("`([a-z_]+)`").FindAllStringSubmatch(row[2], -1) {
			metrics[row[1]] = append(metrics[row[1]], label[1])
		}
		slices.Sort(metrics[row[1]])
	}
	return metrics
}

// TestDeployMetrics compares docs/metrics.md with what is written about a
// process that leaks.
func TestDeployMetrics(t *testing.T) {
	server := httptest.NewServer(recorded(t, "../../testdata/captures/v0.35.1-go121-slowstore-eager.tar.gz", "upper"))
	defer server.Close()
	var out, errOut bytes.Buffer
	run(t.Context(), []string{"scan", server.URL, "--samples", "18", "--interval", "1ms", "-o", "prometheus"}, streams{out: &out, err: &errOut, env: os.Getenv})
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(&out)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]string{}
	for name, f := range families {
		got[name] = []string{}
		for _, l := range f.Metric[0].Label {
			got[name] = append(got[name], l.GetName())
		}
		slices.Sort(got[name])
	}
	if diff := cmp.Diff(documentedMetrics(t), got); diff != "" {
		t.Errorf("docs/metrics.md and -o prometheus differ (-docs +written):\n%s\n%s", diff, errOut.String())
	}
}

// TestDeployTargets scans processes behind TLS and a password, by the two files
// that recipes name.
func TestDeployTargets(t *testing.T) {
	handler := recorded(t, "../../testdata/captures/v0.36.0-slowstore-lazy.tar.gz", "upper")
	handler.current = len(handler.stems) - 1
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "thanosleak" || password != "secret" {
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		handler.ServeHTTP(w, r)
	}))
	defer server.Close()
	dir := t.TempDir()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	config := strings.ReplaceAll(deployFile(t, "http.yaml"), "/etc/thanosleak", filepath.ToSlash(dir))
	targets := regexp.MustCompile(`\[10\.0\.0\.1:.*\]`).ReplaceAllString(deployFile(t, "targets.yaml"), "["+server.URL+"]")
	for name, content := range map[string]string{"password": "secret", "ca.pem": string(ca), "http.yaml": config, "targets.yaml": targets} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var out, errOut strings.Builder
	status := run(t.Context(), []string{"scan", "--samples", "1", "--http.config.file", filepath.Join(dir, "http.yaml"),
		"--target-file", filepath.Join(dir, "targets.yaml"), "-o", "json"}, streams{out: &out, err: &errOut, env: os.Getenv})
	if status != exitFound || !strings.Contains(out.String(), `"env": "prod"`) {
		t.Errorf("status %d, want %d and the label of the file\n%s%.2000s", status, exitFound, errOut.String(), out.String())
	}
}

package discover

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf16"

	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"
)

// FuzzAddress checks that whatever somebody gives for a target is one with a
// name under which it is found again, or an error fit for a terminal, and that
// credentials show in neither.
func FuzzAddress(f *testing.F) {
	for _, arg := range []string{
		"h:10902", "[::1]:10902", "http://h/thanos/graph?g0.expr=up#x", "http://ann:c4n4ry@h:1/a%2Fb/metrics", "dns+https://h:1/p",
		"dnssrv+_http._tcp.h", "dnssrvnoa+h:8080", "svc/query", "./dump.txt", "2001:db8::7", "grpc://h:1", "h:99999", "http://[fe80::1%25eth0]:1", "\x1b[31m:1",
	} {
		f.Add(arg)
	}
	z := zone{ips: map[string][]string{"h": {"10.0.0.1", "2001:db8::1", "10.0.0.2"}}}
	f.Fuzz(func(t *testing.T, arg string) {
		checkPassword(t, arg, z)
		targets, err := Parse(t.Context(), arg, z)
		if err != nil {
			if len(targets) > 0 {
				t.Errorf("%v and error %v", targets, err)
			}
			checkShown(t, err.Error())
			return
		}
		if len(targets) == 0 {
			t.Fatal("neither a target nor an error")
		}
		for _, target := range targets {
			checkTarget(t, arg, target)
		}
	})
}

// checkTarget checks what the documentation of Target promises.
func checkTarget(t *testing.T, arg string, target Target) {
	t.Helper()
	u := target.URL
	if u.Host == "" || u.Hostname() == "" || strings.HasSuffix(u.Path, "/") || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "http" && u.Scheme != "https" {
		t.Errorf("%q becomes %q", arg, target)
	}
	checkShown(t, target.Name)
	checkShown(t, target.String())
	if strings.Contains(u.Host, "%") {
		return // net/url does not read every zone that it writes
	}
	again, err := Parse(t.Context(), u.String(), zone{})
	if err != nil {
		t.Fatalf("%q becomes %q, which is none: %v", arg, target, err)
	}
	if got := again[0]; got.Name != target.Name || got.URL.String() != u.String() {
		t.Errorf("%q becomes %q (%s), and that %q (%s)", arg, target, target.Name, got, got.Name)
	}
}

// checkShown checks that a text is fit for a terminal.
func checkShown(t *testing.T, text string) {
	t.Helper()
	if strings.ContainsFunc(text, unicode.IsControl) {
		t.Errorf("control characters in %q", text)
	}
}

// checkPassword checks that neither the targets nor the error of an address show
// its password. That ends in a word which is nowhere else, where a fuzzer's own
// password may as well be the host or in what we say ourselves.
func checkPassword(t *testing.T, arg string, z zone) {
	t.Helper()
	const canary = "c4n4ry-th4t-n0b0dy-m4y-s33"
	at := strings.LastIndex(arg, "@")
	if at < 0 {
		return
	}
	arg = arg[:at] + canary + arg[at:]
	full := arg
	if !strings.Contains(arg, "://") {
		full = "http://" + arg
	}
	if u, err := url.Parse(full); err == nil {
		if password, _ := u.User.Password(); !strings.Contains(password, canary) {
			return // an @ of the path, which is shown
		}
	}
	targets, err := Parse(t.Context(), arg, z)
	if text := fmt.Sprint(targets, err); strings.Contains(text, canary) {
		t.Errorf("the password of %q shows: %s", arg, text)
	}
	for _, target := range targets {
		if strings.Contains(target.Name, canary) {
			t.Errorf("the password of %q shows in the name %q", arg, target.Name)
		}
	}
}

// group is a group of targets by the libraries' own decoders, as in Prometheus.
type group struct {
	Targets []string
	Labels  map[string]string
}

// lineEndRE matches what ends a line in YAML.
var lineEndRE = regexp.MustCompile("\r\n|[\r\n\u0085\u2028\u2029]")

// lines returns how many lines a file has, which may be in UTF-16: YAML allows it.
func lines(data []byte) int {
	for mark, order := range map[string]binary.ByteOrder{"\xfe\xff": binary.BigEndian, "\xff\xfe": binary.LittleEndian} {
		rest, ok := bytes.CutPrefix(data, []byte(mark))
		if !ok {
			continue
		}
		var units []uint16
		for ; len(rest) > 1; rest = rest[2:] {
			units = append(units, order.Uint16(rest))
		}
		data = []byte(string(utf16.Decode(units)))
	}
	return len(lineEndRE.FindAllIndex(data, -1)) + 1
}

// FuzzTargetFile checks that an error of a target file names it and a line of it,
// and that a file without one lists what a decoder of JSON or YAML finds there,
// and not more than is allowed.
func FuzzTargetFile(f *testing.F) {
	for _, text := range []string{
		`[{"targets": ["h:10902", "g:1"], "labels": {"env": "prod"}}, {"targets": ["f:1"]}]`,
		"- targets: [h:10902, 'g:1']\n  labels:\n    env: prod\n    shard: 0\n    nothing:\n- targets:\n  - f:1\n",
		"- targets: [h:1]\n  labels: &l {env: prod}\n- targets: &t [g:1]\n  labels: *l\n- targets: *t\n",
		`[{"targets": ["h:1", "dns+https://q:1"], "labels": {"__scheme__": "https", "__metrics_path__": "/p/metrics"}}]`,
		"[]", "null", "# nothing\n", `[{"targets": ["http:\/\/h:1"], "labels": {"x": "\ud83d\ude00"}}]`,
	} {
		f.Add([]byte(text), false)
		f.Add([]byte(text), true)
	}
	f.Add([]byte(manyAliases(50, 100)), false)
	const most = 100
	f.Fuzz(func(t *testing.T, data []byte, isJSON bool) {
		name := "t.yml"
		if isJSON {
			name = "t.json"
		}
		root, problem := parseTree(name, data)
		d := decoder{file: name, max: most}
		if problem == nil {
			problem = d.groups(root)
		}
		for _, p := range []*FileError{problem, d.skipped} {
			if p != nil && (p.File != name || p.Cause == "" || p.Line < 0 || p.Line > lines(data)) {
				t.Errorf("%#v", p)
			}
			if p != nil && strings.ContainsFunc(p.Error(), unicode.IsControl) {
				t.Errorf("control characters in %q", p)
			}
		}
		if problem != nil {
			return
		}
		if n := len(d.entries) + d.bad; n > most {
			t.Errorf("%d targets", n)
		}
		checkEntries(t, data, &d)
	})
}

// checkEntries checks what was read against the plain decoder of YAML, of which
// JSON is a part.
func checkEntries(t *testing.T, data []byte, d *decoder) {
	t.Helper()
	var groups []group
	if err := yaml.Unmarshal(data, &groups); err != nil {
		if isYAML := strings.HasSuffix(d.file, ".yml"); isYAML || errors.As(err, new(*yaml.TypeError)) {
			t.Fatalf("read, but: %v", err)
		}
		return // JSON that is no YAML: tabs, pairs of surrogates
	}
	listed := 0
	for _, g := range groups {
		listed += len(g.Targets)
	}
	if n := len(d.entries) + d.bad; n != listed {
		t.Errorf("%d targets are read of %d", n, listed)
	}
	kept, seen := 0, map[uintptr]bool{}
	for _, e := range d.entries {
		if at := reflect.ValueOf(e.labels).Pointer(); !seen[at] {
			seen[at] = true
			kept += len(e.labels)
		}
		for name, value := range e.labels {
			if value == "" || strings.HasPrefix(name, model.ReservedLabelPrefix) {
				t.Errorf("label %q is kept with %q", name, value)
			}
		}
	}
	if kept > len(data) {
		t.Errorf("%d labels are kept of %d bytes", kept, len(data))
	}
}

// manyAliases is a file in which many groups have the same many labels.
func manyAliases(groups, labels int) string {
	var b strings.Builder
	b.WriteString("- labels: &l\n")
	for i := range labels {
		fmt.Fprintf(&b, "    a%d: 1\n", i)
	}
	b.WriteString(strings.Repeat("- {targets: [h:1], labels: *l}\n", groups))
	return b.String()
}

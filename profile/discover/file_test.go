package discover

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// write puts files into a new current folder.
func write(t *testing.T, files map[string]string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range files {
		put(t, name, text)
	}
}

// put writes one file.
func put(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// source returns a source of files.
func source(t *testing.T, r Resolver, globs ...string) *Source {
	t.Helper()
	s, err := NewSource(nil, globs, r)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// listed is what a test compares of a target of a file.
type listed struct {
	URL    string
	Labels string // as fmt prints them: sorted
}

func listedOf(targets []Target) []listed {
	var all []listed
	for _, t := range targets {
		l := listed{URL: t.URL.String()}
		if t.Labels != nil {
			l.Labels = strings.TrimPrefix(fmt.Sprint(t.Labels), "map")
		}
		all = append(all, l)
	}
	return all
}

// texts returns the problems as they are shown.
func texts(problems []error) []string {
	var all []string
	for _, p := range problems {
		all = append(all, p.Error())
	}
	return all
}

func TestFileContents(t *testing.T) {
	for _, tc := range []struct {
		name, file, text string
		want             []listed
	}{
		{"JSON", "t.json", `[{"targets": ["h:10902", "g:1"], "labels": {"env": "prod"}}, {"targets": ["f:1"]}]`,
			[]listed{{"http://h:10902", "[env:prod]"}, {"http://g:1", "[env:prod]"}, {"http://f:1", ""}}},
		{"YAML", "t.yml", "- targets: [h:10902, 'g:1']\n  labels:\n    env: prod\n    shard: 0\n    nothing:\n- targets:\n  - f:1\n",
			[]listed{{"http://h:10902", "[env:prod shard:0]"}, {"http://g:1", "[env:prod shard:0]"}, {"http://f:1", ""}}},
		{"YAML with an alias", "t.yaml", "- targets: [h:1]\n  labels: &l {env: prod}\n- targets: [g:1]\n  labels: *l\n",
			[]listed{{"http://h:1", "[env:prod]"}, {"http://g:1", "[env:prod]"}}},
		{"upper case", "t.JSON", `[{"targets": ["h:1"]}]`, []listed{{"http://h:1", ""}}},
		{"tabs", "t.json", "[\n\t{\n\t\t\"targets\": [\"h:1\"]\n\t}\n]\n", []listed{{"http://h:1", ""}}},
		{"escapes", "t.json", `[{"targets": ["http:\/\/h:1"], "labels": {"x": "\ud83d\ude00"}}]`, []listed{{"http://h:1", "[x:😀]"}}},
		{"empty list", "t.json", "[]", nil},
		{"null", "t.json", "null", nil},
		{"no document", "t.yml", "# nothing yet\n", nil},
		{"empty YAML", "t.yml", "", nil},
		{"empty group", "t.json", `[{}, {"targets": null, "labels": null}]`, nil},
		{"URL", "t.json", `[{"targets": ["https://h/thanos/graph"]}]`, []listed{{"https://h/thanos", ""}}},
		{"scheme and path", "t.json", `[{"targets": ["h:1", "h2", "http://h3:1", "h4:1/own"], "labels": {"__scheme__": "https", "__metrics_path__": "/thanos/metrics"}}]`,
			[]listed{{"https://h:1/thanos", ""}, {"https://h2/thanos", ""}, {"http://h3:1", ""}, {"https://h4:1/own", ""}}},
		{"path alone", "t.json", `[{"targets": ["h:1"], "labels": {"__metrics_path__": "/thanos/metrics"}}]`, []listed{{"http://h:1/thanos", ""}}},
		{"usual path", "t.json", `[{"targets": ["h:1"], "labels": {"__metrics_path__": "/metrics"}}]`, []listed{{"http://h:1", ""}}},
		{"path of something else", "t.json", `[{"targets": ["h:1"], "labels": {"__metrics_path__": "/probe"}}]`, []listed{{"http://h:1", ""}}},
		{"labels for Prometheus only", "t.json", `[{"targets": ["h:1"], "labels": {"__meta_kubernetes_pod": "q-0", "__address__": "elsewhere:1", "__tmp": "1", "a.b": "utf-8 name", "empty": ""}}]`,
			[]listed{{"http://h:1", "[a.b:utf-8 name]"}}},
		{"the same again", "t.json", `[{"targets": ["h:1"]}, {"targets": ["h:1", "http://H:1/graph"], "labels": {"a": "1"}}, {"targets": ["h:1"], "labels": {"a": "2"}}]`,
			[]listed{{"http://h:1", "[a:1]"}}},
		{"lookup", "t.json", `[{"targets": ["dns+query.mon.svc:1", "dnssrv+srv.mon.svc"], "labels": {"__scheme__": "https", "__metrics_path__": "/p/metrics", "a": "1"}}]`,
			[]listed{{"https://10.0.0.1:1/p", "[a:1]"}, {"https://10.0.0.1:2/p", "[a:1]"}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			write(t, map[string]string{tc.file: tc.text})
			targets, problems := source(t, smallZone, tc.file).Targets(t.Context())
			if problems != nil {
				t.Errorf("problems %q", texts(problems))
			}
			if diff := cmp.Diff(tc.want, listedOf(targets)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestFileErrors(t *testing.T) {
	for _, tc := range []struct{ name, file, text, want string }{
		{"half written", "t.json", "[\n{\"targets\": [\"h:1\",", "t.json:2: it ends in the middle. Write"},
		{"half a word", "t.json", "[\n{\"targets\": [\"h:1", "t.json:2: it ends in the middle. Write"},
		{"not written", "t.json", "", "t.json:1: it ends in the middle"},
		{"no JSON", "t.json", "[\n\n{targets: [h]}]", "t.json:3: no JSON: invalid character 't'"},
		{"more behind", "t.json", "[]\n[]", "t.json:2: no JSON: something follows"},
		{"nested", "t.json", strings.Repeat("[", 1000), "t.json:1: no JSON: nested deeper than 16 levels"},
		{"no YAML", "t.yml", "- targets: [h:1]\n  labels: {\n", "t.yml:2: no YAML: did not find expected"},
		{"control", "t.yml", "- targets: [\x01]\n", "t.yml: no YAML: control characters"},
		{"two documents", "t.yml", "[]\n---\n[]\n", "t.yml:2: a second YAML document"},
		{"unknown key", "t.json", "[{\"targets\": [\"h:1\"],\n\n\"lables\": {}}]", `t.json:3: unknown key "lables": a group has targets and labels`},
		{"unknown key in YAML", "t.yml", "- targets: []\n  source: x\n", `t.yml:2: unknown key "source"`},
		{"key twice", "t.json", `[{"targets": [], "targets": []}]`, "t.json:1: targets stands twice"},
		{"label twice", "t.yml", "- labels:\n    a: 1\n    a: 2\n", `t.yml:3: label "a" stands twice`},
		{"no list", "t.yml", "targets: [h:1]\n", "t.yml:1: want a list of groups"},
		{"no group", "t.json", `["h:1"]`, `t.json:1: want a group: {"targets"`},
		{"targets no list", "t.json", `[{"targets": "h:1"}]`, "t.json:1: targets: want a list"},
		{"labels no map", "t.json", `[{"labels": ["a"]}]`, "t.json:1: labels: want names and values"},
		{"number in JSON", "t.json", "[{\"labels\":\n{\"a\": 1}}]", `t.json:2: label "a": want text`},
		{"list as label", "t.yml", "- labels: {a: [1]}\n", `t.yml:1: label "a": want text`},
		{"label without name", "t.json", `[{"labels": {"": "x"}}]`, `t.json:1: "" is no name of a label`},
		{"scheme", "t.json", `[{"labels": {"__scheme__": "ftp"}}]`, "t.json:1: label __scheme__: want http or https"},
		{"target is no text", "t.json", `[{"targets": [1]}]`, "t.json:1: a target is text"},
		{"target is null", "t.yml", "- targets: [~]\n", "t.yml:1: a target is text"},
		{"long key", "t.json", `[{"` + strings.Repeat("k", 1000) + `": 1}]`, `kkk"…: a group has`},
		{"too large", "t.json", "[" + strings.Repeat(" ", maxFile) + "]", "t.json: larger than the 16 MiB"},
		{"too many", "t.json", `[{"targets": ["h:1"` + strings.Repeat(`,"h:1"`, maxFileTargets) + `]}]`, "t.json:1: more than the 10000 targets"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			write(t, map[string]string{tc.file: tc.text, "u.json": `[{"targets": ["other:1"]}]`})
			targets, problems := source(t, zone{}, tc.file, "u.json").Targets(t.Context())
			if len(problems) != 1 {
				t.Fatalf("problems %q, want one", texts(problems))
			}
			if e, ok := errors.AsType[*FileError](problems[0]); !ok || e.File != tc.file || e.Kept != 0 {
				t.Errorf("%#v is no error about %s", problems[0], tc.file)
			}
			if got := problems[0].Error(); !strings.Contains(got, tc.want) || len(got) > 400 {
				t.Errorf("error %q, want %q", got, tc.want)
			}
			if diff := cmp.Diff([]listed{{"http://other:1", ""}}, listedOf(targets)); diff != "" {
				t.Errorf("the other file does not count: %s", diff)
			}
		})
	}
}

// As in Prometheus, an address that is none does not take the others with it.
func TestBadAddressesInAFile(t *testing.T) {
	write(t, map[string]string{"t.yml": "- targets:\n  - a:1\n  - noport\n  - grpc://b:1\n  - " + strings.Repeat("x", 5000) + ":1\n  - c:1\n"})
	targets, problems := source(t, zone{}, "t.yml").Targets(t.Context())
	if diff := cmp.Diff([]listed{{"http://a:1", ""}, {"http://c:1", ""}}, listedOf(targets)); diff != "" {
		t.Error(diff)
	}
	want := []string{`t.yml:3: target "noport" has no port: Thanos serves HTTP on 10902 by default: noport:10902 (and 2 more entries are wrong)`}
	if diff := cmp.Diff(want, texts(problems)); diff != "" {
		t.Error(diff)
	}
}

func TestFilesThatCannotBeRead(t *testing.T) {
	write(t, map[string]string{"b/t.json": "[]"})
	if err := os.Mkdir("a.json", 0o700); err != nil {
		t.Fatal(err)
	}
	_, problems := source(t, zone{}, "a.json", "gone.yml", "b/*.json", "none/*.yaml").Targets(t.Context())
	want := []string{
		"gone.yml: there is no such file", "none/*.yaml: there is no such file", "a.json: this is no regular file",
	}
	if diff := cmp.Diff(want, texts(problems)); diff != "" {
		t.Error(diff)
	}
}

func TestFileOrder(t *testing.T) {
	write(t, map[string]string{
		"b.json":   `[{"targets": ["b2:1", "b1:1"]}]`,
		"a.yml":    "- targets: [a1:1, b1:1]\n  labels: {from: a}\n",
		"c/1.json": `[{"targets": ["c:1"]}]`,
	})
	want := []listed{{"http://a1:1", "[from:a]"}, {"http://b1:1", "[from:a]"}, {"http://b2:1", ""}, {"http://c:1", ""}}
	for _, globs := range [][]string{{"*.json", "a.yml", "c/*.json"}, {"c/1.json", "b.json", "a*.yml", "*.json"}} {
		targets, problems := source(t, zone{}, globs...).Targets(t.Context())
		if diff := cmp.Diff(want, listedOf(targets)); diff != "" || problems != nil {
			t.Error(globs, diff, problems)
		}
	}
}

func TestFileErrorNamesAreHarmless(t *testing.T) {
	e := &FileError{File: "a\x1b[31m\n.json", Line: 7, Cause: "no JSON"}
	if got, want := e.Error(), `"a\x1b[31m\n.json":7: no JSON`; got != want {
		t.Errorf("error %q, want %q", got, want)
	}
}

// Wherever credentials stand in a file, no problem and no name shows them.
func TestCredentialsInFilesAreNeverShown(t *testing.T) {
	for _, text := range []string{
		`[{"targets": ["http://ann:hunter2@h:10902"]}]`,
		`[{"targets": ["http://ann:hunter2@h:99999"]}]`,
		`[{"targets": ["ann:hunter2@h"]}]`,
		`[{"targets": ["dns+https://ann:hunter2@nowhere:1"]}]`,
		`[{"targets": ["ann:hunter2@nowhere:1"], "labels": {"__scheme__": "https", "__metrics_path__": "/%zz/metrics"}}]`,
		`[{"http://ann:hunter2@h:10902": 1}]`,
		`[{"targets": {"http://ann:hunter2@h:10902": [1]}}]`,
		`[{"labels": {"http://ann:hunter2@h:10902": [1]}}]`,
		`[{"labels": {"__scheme__": "http://ann:hunter2@h"}}]`,
		`["http://ann:hunter2@h:10902"]`,
		`"http://ann:hunter2@h:10902"`,
		`[{"targets": [http://ann:hunter2@h:10902"]}]`,
		`[{"targets": ["http://ann:hunter2@h:10902`,
	} {
		for _, name := range []string{"t.json", "t.yml"} {
			t.Run(name+" "+text, func(t *testing.T) {
				write(t, map[string]string{name: text})
				targets, problems := source(t, zone{}, name).Targets(t.Context())
				said := fmt.Sprint(texts(problems), problems)
				for _, target := range targets {
					said += " " + target.Name + " " + target.String() + fmt.Sprint(target)
				}
				for _, secret := range []string{"ann:", "hunter2"} {
					if strings.Contains(said, secret) {
						t.Errorf("%q shows %q", said, secret)
					}
				}
				if len(targets)+len(problems) == 0 {
					t.Error("neither a target nor a problem")
				}
			})
		}
	}
}

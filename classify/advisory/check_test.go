package advisory

import (
	"strings"
	"testing"
	"testing/fstest"
)

// goodDump is a fixture of the smallest advisory.
const goodDump = `synthetic: as an example

goroutine 7 [chan receive, 3 minutes]:
acme.pump(0xc000012345)
	/src/acme/pump.go:12 +0x1d
created by acme.Start in goroutine 1
	/src/acme/pump.go:5 +0x20
`

func TestCheck(t *testing.T) {
	checked, err := embeddedDB(t).Check(folder(good, goodDump))
	if err != nil {
		t.Error(err)
	}
	if want := (Checked{Advisories: 1, Fixtures: 1}); checked != want {
		t.Errorf("%+v, want %+v", checked, want)
	}
}

// folder is one with an advisory and a fixture, empty for none.
func folder(advisory, fixture string) fstest.MapFS {
	files := fstest.MapFS{"own.yaml": {Data: []byte(advisory)}, "testdata/README": {Data: []byte("no fixture")}}
	if fixture != "" {
		files["testdata/OWN-1.txt"] = &fstest.MapFile{Data: []byte(fixture)}
	}
	return files
}

// TestCheckErrors makes one mistake at a time. Every error names the file, and
// the line where there is one.
func TestCheckErrors(t *testing.T) {
	for _, tt := range []struct {
		name              string
		advisory, fixture string
		want              []string
	}{
		{"form", strings.NewReplacer("class: leak", "class: leek", "0.31.0", "soon").Replace(good), goodDump,
			[]string{`own.yaml:6: class "leek": want leak`, `own.yaml:10: affected: "soon" is not a release`}},
		{"an unknown field", strings.Replace(good, "in_health", "in_helth", 1), goodDump, []string{"own.yaml:15: there is no field in_helth: want some of name, frames"}},
		{"not YAML", "id: [", goodDump, []string{"own.yaml"}},
		{"no fixture", good, "", []string{"own.yaml:12: no fixture: want a dump that shows them in testdata/OWN-1.txt"}},
		{"a fixture that is no dump", good, "nothing", []string{"testdata/OWN-1.txt: "}},
		{"a pattern that is not there", strings.Replace(good, "[acme.pump]", "[acme.valve]", 1), goodDump,
			[]string{`own.yaml:14: "pump" is not in testdata/OWN-1.txt: want the frames of a goroutine there, such as acme.pump in "chan receive"`}},
		{"a state that is not there", strings.Replace(good, "    in_health", "    state: select\n    in_health", 1), goodDump, []string{`own.yaml:14: "pump" is not in`}},
		{"a creator that is not there", strings.Replace(good, "    in_health", "    created_by: acme.Stop\n    in_health", 1), goodDump, []string{`own.yaml:14: "pump" is not in`}},
		{"a victim that is not there", good + "victims:\n  - name: pipe\n    frames: [acme.pipe]\n", goodDump, []string{`own.yaml:18: "pipe" is not in`}},
		{"what is healthy", strings.Replace(good, "acme.pump", "net/http.(*persistConn).writeLoop", 1), strings.Replace(goodDump, "acme.pump", "net/http.(*persistConn).writeLoop", 1),
			[]string{`own.yaml:14: "pump": healthy goroutines stand there (as many as there are of: open outbound HTTP connections`}},
		{"another's goroutines", good, goodDump + strings.NewReplacer("7", "8", "chan receive", "chan receive (nil chan)", "acme.pump(0xc000012345)", thanos+"store.newEagerRespSet.func2.3()\n\t/app/a.go:1 +0x1\n"+thanos+"store.newEagerRespSet.func2()",
			"acme.Start", thanos+"store.newEagerRespSet").Replace(goodDump), []string{"testdata/OWN-1.txt: holds goroutines of TL-2024-001"}},
		{"a built-in's name", strings.Replace(good, "OWN-1", "TL-2024-001", 1), "", []string{"own.yaml:1: id TL-2024-001: there is a built-in advisory of that name"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := embeddedDB(t).Check(folder(tt.advisory, tt.fixture))
			if err == nil {
				t.Fatalf("no error, want %q", tt.want)
			}
			for _, want := range tt.want {
				if !strings.Contains("\n"+err.Error(), "\n"+want) {
					t.Errorf("no line %q in\n%s", want, err)
				}
			}
		})
	}
}

// A fixture belongs to the advisory with the longest name that it begins with,
// and may be one of several.
func TestCheckFixtureNames(t *testing.T) {
	c := checker{own: &DB{Advisories: []*Advisory{{ID: "OWN-1"}, {ID: "OWN-1-2"}, {ID: "OWN-12"}}}}
	for name, want := range map[string]string{
		"OWN-1.txt": "OWN-1", "OWN-1-v0.36.0.pb.gz": "OWN-1", "OWN-1-2.txt": "OWN-1-2", "OWN-12.txt": "OWN-12", "OWN-13.txt": "", "README.md": "", "own-1.txt": "",
	} {
		if got := c.idOf(name); got != want {
			t.Errorf("%s is of %q, want %q", name, got, want)
		}
	}
}

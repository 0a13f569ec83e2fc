package classify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/thanosleak/thanosleak/profile"
)

// acceptedDay is when the baselines of the tests were written.
var acceptedDay = time.Date(2026, 11, 26, 4, 0, 0, 999, time.FixedZone("CET", 3600))

// atRest is the inventory of one querier with so many goroutines in three stacks.
func atRest(workers, pumps, passing int) []Inventory {
	sample := func(passing int) []stack {
		return []stack{
			{n: workers, state: profile.StateSelect, frames: []string{"acme.work.func1", "acme.run"}, by: "acme.Start.func3"},
			{n: pumps, state: profile.StateSelect, frames: foreign},
			{n: passing, frames: []string{"acme.request"}},
		}
	}
	target := made{component: "query", version: "0.36.0", samples: [][]stack{sample(passing), sample(0)}}.target()
	target.Facts.Revision = "cfff5518"
	return InventoryOf([]profile.Target{target}, nil)
}

// written is a baseline on disk.
func written(t *testing.T, b *Baseline) string {
	t.Helper()
	content, err := b.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// TestBaselineForm shows the file as people see it in a diff.
func TestBaselineForm(t *testing.T) {
	const want = `{
  "schema": "thanosleak-baseline/v1",
  "tool": "v0.1.0",
  "created": "2026-11-26T03:00:00Z",
  "components": [
    {
      "component": "query",
      "versions": [
        "0.36.0"
      ],
      "revisions": [
        "cfff5518"
      ],
      "go_versions": [],
      "processes": 1,
      "completed": 0,
      "stacks": [
        {
          "portable_id": "b97e03842c10",
          "count": 4,
          "rise": 0,
          "functions": [
            "acme.work.func*",
            "acme.run"
          ],
          "created_by": "acme.Start.func*"
        },
        {
          "portable_id": "1a7d7d0c1f04",
          "count": 2,
          "rise": 0,
          "functions": [
            "github.com/acme/widget.(*Pump).wait",
            "github.com/acme/widget.(*Pump).run"
          ],
          "created_by": ""
        },
        {
          "portable_id": "7da0baa9ef96",
          "count": 1,
          "rise": 0,
          "functions": [
            "main.runQuery.func*"
          ],
          "created_by": ""
        }
      ]
    }
  ]
}
`
	got := written(t, NewBaseline(atRest(4, 2, 9), atRest(4, 2, 9), "v0.1.0", acceptedDay))
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

// TestBaselineIsStable: other counts change no other line, and whoever reads and
// writes a baseline changes nothing.
func TestBaselineIsStable(t *testing.T) {
	one := written(t, NewBaseline(atRest(4, 2, 9), atRest(4, 2, 9), "v0.1.0", acceptedDay))
	other := written(t, NewBaseline(atRest(1, 30, 0), atRest(1, 30, 0), "v0.1.0", acceptedDay))
	changed := 0
	for i, l := range strings.Split(one, "\n") {
		if strings.Split(other, "\n")[i] != l {
			changed++
		}
	}
	if changed != 2 {
		t.Errorf("%d lines differ, want the two counts\n%s", changed, cmp.Diff(one, other))
	}
	b, err := ParseBaseline("b.json", []byte(one))
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(one, written(t, b)); d != "" {
		t.Error(d)
	}
}

func TestBaselineAnswers(t *testing.T) {
	b := NewBaseline(atRest(4, 2, 9), atRest(4, 2, 9), "v0.1.0", acceptedDay)
	pump := profile.Signature(strings.Join(foreign, ";")).ID()
	for _, tt := range []struct {
		component, id string
		count         int
		want          bool
	}{
		{"query", pump, 1, true}, {"query", pump, 2, true}, {"query", pump, 3, false}, {"store", pump, 1, false},
		{"query", "000000000000", 1, false}, {"query", "000000000000", 0, true},
	} {
		if got := b.Accepts(tt.component, tt.id, tt.count, 0, 0); got != tt.want {
			t.Errorf("Accepts(%s, %s, %d) = %t", tt.component, tt.id, tt.count, got)
		}
	}
	if !b.SameBuild("query", "cfff5518") || b.SameBuild("query", "086a698b") || b.SameBuild("query", "") || b.SameBuild("store", "cfff5518") {
		t.Error("SameBuild")
	}
	if c, ok := b.Of("query"); !ok || len(c.Stacks) != 3 {
		t.Errorf("%+v", c)
	}
	if c, ok := b.Of("store"); ok {
		t.Errorf("%+v", c)
	}
}

func TestBeyond(t *testing.T) {
	b := NewBaseline(atRest(4, 2, 9), atRest(4, 2, 9), "v0.1.0", acceptedDay)
	for _, tt := range []struct {
		name string
		rest Inventory
		want string
	}{
		{"the same", atRest(4, 2, 9)[0], ""},
		{"fewer", atRest(1, 2, 0)[0], ""},
		{"what passes", atRest(4, 2, 500)[0], ""},
		{"more", atRest(5, 90, 0)[0], "2 → 90, 4 → 5"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for _, s := range b.Beyond(tt.rest) {
				got = append(got, fmt.Sprintf("%d → %d", s.Accepted, s.Least))
			}
			if strings.Join(got, ", ") != tt.want {
				t.Errorf("%v, want %s", got, tt.want)
			}
		})
	}
	other := atRest(4, 2, 0)[0]
	other.Component = "store"
	if got := b.Beyond(other); len(got) != 3 || got[0].Accepted != 0 {
		t.Errorf("of another component all are beyond: %+v", got)
	}
}

// TestParseBaselineRefuses: what does not fit is an error that says where and what
// to do.
func TestParseBaselineRefuses(t *testing.T) {
	good := written(t, NewBaseline(atRest(4, 2, 9), atRest(4, 2, 9), "v0.1.0", acceptedDay))
	replace := func(old, now string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("no %s in the baseline", old)
		}
		return strings.Replace(good, old, now, 1)
	}
	for _, tt := range []struct{ name, content, want string }{
		{"nothing", "", "no baseline, or damaged"},
		{"no JSON", "components:\n", "Take it from version control again"},
		{"a merge conflict", replace(`"count": 4`, "<<<<<<< HEAD\n\"count\": 4"), "no baseline, or damaged"},
		{"half of it", good[:len(good)/2], "no baseline, or damaged"},
		{"something after it", good + "{}", "after top-level value"},
		{"a result", `{"schema": "thanosleak/v1"}`, `its schema is "thanosleak/v1", not "thanosleak-baseline/v1"`},
		{"an unknown field", replace(`"count": 4`, `"count": 4, "reason": "known"`), `unknown field "reason"`},
		{"a count of another type", replace(`"count": 4`, `"count": "4"`), "cannot unmarshal string"},
		{"a negative count", replace(`"count": 4`, `"count": -4`), `component "query": stack "b97e03842c10": count is -4`},
		{"no goroutine", replace(`"count": 4`, `"count": 0`), "remove the stack if it is not accepted"},
		{"another function", replace(`"acme.run"`, `"acme.walk"`), `stack "b97e03842c10": its functions have the ID`},
		{"another ID", replace(`b97e03842c10`, `000000000000`), "have the ID b97e03842c10"},
		{"no portable functions", replace(`acme.work.func*`, `acme.work.func1`), "not those of a portable signature"},
		{"two functions in one", replace("\"acme.work.func*\",\n            \"acme.run\"", `"acme.work.func*;acme.run"`), "not those of a portable signature"},
		{"no functions", replace("\"acme.work.func*\",\n            \"acme.run\"", ""), "functions are missing"},
		{"a stack twice", replace("1a7d7d0c1f04", "b97e03842c10"), "have the ID 1a7d7d0c1f04"},
		{"no process", replace(`"processes": 1`, `"processes": 0`), "processes is 0"},
		{"no components", `{"schema": "thanosleak-baseline/v1", "components": []}`, "it accepts nothing"},
		{"too large", good + strings.Repeat(" ", maxBaseline), "more than 16 MiB"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b, err := ParseBaseline("b.json", []byte(tt.content))
			if err == nil {
				t.Fatalf("it is accepted: %+v", b)
			}
			mustContain(t, err.Error(), "b.json: ", tt.want)
		})
	}
}

// What stands there twice could accept twice as much, or hide what was removed.
func TestParseBaselineRefusesDoubles(t *testing.T) {
	b := NewBaseline(atRest(4, 2, 9), atRest(4, 2, 9), "v0.1.0", acceptedDay)
	c := &b.Components[0]
	c.Stacks = append(c.Stacks, c.Stacks[0])
	b.Components = append(b.Components, *c)
	_, err := ParseBaseline("b.json", []byte(written(t, b)))
	if err == nil {
		t.Fatal("it is accepted")
	}
	mustContain(t, err.Error(), `stack b97e03842c10 stands there twice`, `component "query" stands there twice`)
}

// One wrong edit may make many mistakes: a few of them are told.
func TestParseBaselineTellsFewMistakes(t *testing.T) {
	content := written(t, NewBaseline(atRest(4, 2, 9), atRest(4, 2, 9), "v0.1.0", acceptedDay))
	b := &Baseline{}
	if err := json.NewDecoder(bytes.NewReader([]byte(content))).Decode(b); err != nil {
		t.Fatal(err)
	}
	c := &b.Components[0]
	c.Stacks = slices.Repeat(c.Stacks[:1], 100)
	for i := range c.Stacks {
		c.Stacks[i].Count = -1
	}
	_, err := ParseBaseline("b.json", []byte(written(t, b)))
	if err == nil || strings.Count(err.Error(), "\n") != baselineErrors {
		t.Fatalf("%v", err)
	}
	mustContain(t, err.Error(), "and 95 more mistakes")
}

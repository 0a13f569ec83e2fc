package report_test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/thanosleak/thanosleak/classify"
	"github.com/thanosleak/thanosleak/report"
)

const schemaFile = "../docs/result.schema.json"

// encoded returns the JSON form of a result, decoded again without types.
func encoded(t *testing.T, r *classify.Result) any {
	t.Helper()
	var b bytes.Buffer
	if err := report.JSON(&b, theRun(), r, report.TextOptions{}); err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(&b)
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	s, err := c.Compile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestJSONHasTheSchema(t *testing.T) {
	s := schema(t)
	for name, r := range results(t) {
		t.Run(name, func(t *testing.T) {
			if err := s.Validate(encoded(t, r)); err != nil {
				t.Error(err)
			}
		})
	}
}

// The schema must be able to fail, or the test above says nothing.
func TestSchemaRefuses(t *testing.T) {
	s := schema(t)
	for name, spoil := range map[string]func(doc map[string]any){
		"an unknown key":      func(doc map[string]any) { doc["more"] = 1 },
		"a missing key":       func(doc map[string]any) { delete(doc, "warnings") },
		"null for an array":   func(doc map[string]any) { doc["findings"] = nil },
		"an unknown verdict":  func(doc map[string]any) { doc["verdict"] = "maybe" },
		"a time that is none": func(doc map[string]any) { doc["started"] = "noon" },
	} {
		t.Run(name, func(t *testing.T) {
			doc := encoded(t, judge(t)).(map[string]any)
			spoil(doc)
			if s.Validate(doc) == nil {
				t.Error("the schema accepts it")
			}
		})
	}
}

// nullable are the keys that may be null, by the object that they stand in.
// Programs that read the result rely on it: to make another key null changes
// the contract.
var nullable = []string{
	"condition.exercised",
	"finding.first_seen", "finding.retained_bytes",
	"growth.p", "growth.per_hour",
	"inventory.in_flight",
	"occurrence.max_wait_seconds",
	"precondition.met",
	"remedy.affected",
	"soak_target.requests",
	"target.chained_queriers", "target.first_sample", "target.flags", "target.labels",
	"target.last_sample", "target.resident_bytes", "target.stack_bytes",
}

// optional are the keys that stand only where they were asked for.
var optional = []string{"comparison", "soak"}

// TestSchemaIsStrict: every object of the schema names all its keys, requires
// them but for the optional ones and takes no others; nothing but the keys above
// may be null.
func TestSchemaIsStrict(t *testing.T) {
	data, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	objects := 0
	var nulls []string
	walk(doc, "", func(path string, v any) {
		node, ok := v.(map[string]any)
		if !ok {
			return
		}
		if properties, ok := node["properties"].(map[string]any); ok && node["type"] == "object" {
			objects++
			checkStrict(t, path, node, properties)
		}
		if node["type"] == "null" {
			nulls = append(nulls, keyOf(path))
		}
	})
	if objects < 10 {
		t.Errorf("%d objects found in the schema: does the test still understand it?", objects)
	}
	slices.Sort(nulls)
	if d := cmp.Diff(nullable, nulls); d != "" {
		t.Errorf("keys that may be null (-contract +schema):\n%s", d)
	}
}

// keyOf returns "target.labels" of "/$defs/target/properties/labels/anyOf/1".
func keyOf(path string) string {
	parts := strings.Split(path, "/")
	if len(parts) != 7 || parts[1] != "$defs" || parts[3] != "properties" || parts[5] != "anyOf" {
		return path
	}
	return parts[2] + "." + parts[4]
}

func checkStrict(t *testing.T, path string, node, properties map[string]any) {
	t.Helper()
	if node["additionalProperties"] != false {
		t.Errorf("%s takes unknown keys", path)
	}
	required := slices.DeleteFunc(slices.Clone(optional), func(k string) bool { return properties[k] == nil })
	for _, k := range node["required"].([]any) {
		required = append(required, k.(string))
	}
	slices.Sort(required)
	if d := cmp.Diff(slices.Sorted(maps.Keys(properties)), required); d != "" {
		t.Errorf("%s does not require all its keys (-properties +required):\n%s", path, d)
	}
}

// TestNulls looks at the documents themselves: of all keys only those that may
// be null are.
func TestNulls(t *testing.T) {
	mayBeNull := map[string]bool{}
	for _, k := range nullable {
		_, key, _ := strings.Cut(k, ".")
		mayBeNull[key] = true
	}
	seen := 0
	for name, r := range results(t) {
		walk(encoded(t, r), "", func(path string, v any) {
			if v != nil {
				return
			}
			seen++
			if !mayBeNull[path[strings.LastIndex(path, "/")+1:]] {
				t.Errorf("%s: %s is null", name, path)
			}
		})
	}
	if seen == 0 {
		t.Error("no null seen: does the test still look at them?")
	}
}

// walk visits all values of a JSON document.
func walk(v any, path string, visit func(path string, v any)) {
	visit(path, v)
	switch v := v.(type) {
	case map[string]any:
		for _, k := range slices.Sorted(maps.Keys(v)) {
			walk(v[k], path+"/"+k, visit)
		}
	case []any:
		for i, e := range v {
			walk(e, fmt.Sprintf("%s/%d", path, i), visit)
		}
	}
}

// TestJSONIsStable: the same result is the same document, whatever the order
// of maps.
func TestJSONIsStable(t *testing.T) {
	r := results(t)["both-tiers"]
	var first bytes.Buffer
	if err := report.JSON(&first, theRun(), r, report.TextOptions{}); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		var again bytes.Buffer
		if err := report.JSON(&again, theRun(), r, report.TextOptions{}); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first.Bytes(), again.Bytes()) {
			t.Fatal("the same result is written in two ways")
		}
	}
}

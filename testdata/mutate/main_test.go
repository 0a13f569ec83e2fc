package main

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/thanosleak/thanosleak/classify/advisory"
)

// TestMutations: each kind of evidence and each field of an advisory is broken by
// some mutation, and each mutation still finds its place in the code.
func TestMutations(t *testing.T) {
	root, err := root()
	if err != nil {
		t.Fatal(err)
	}
	all, err := read(root)
	if err != nil {
		t.Fatal(err)
	}
	broken := map[string]bool{}
	for _, m := range all {
		name, _, _ := strings.Cut(m.Breaks, ",")
		broken[name] = true
		if _, err := m.broken(root); err != nil {
			t.Errorf("%s: %v", m.Breaks, err)
		}
		if m.Test == "" {
			t.Errorf("%s: no test is named", m.Breaks)
		}
	}
	for _, want := range append(kinds(t, root), fields()...) {
		if !broken[want] {
			t.Errorf("nothing breaks %q", want)
		}
	}
}

// kinds are the kinds of evidence that the sources declare.
func kinds(t *testing.T, root string) []string {
	declared := regexp.MustCompile(`Kind\w+\s+= "([a-z-]+)"`)
	var all []string
	for _, file := range []string{"evidence.go", "past.go"} {
		raw, err := os.ReadFile(filepath.Join(root, "classify", file))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range declared.FindAllStringSubmatch(string(raw), -1) {
			all = append(all, "evidence: "+m[1])
		}
	}
	if len(all) < 14 {
		t.Fatalf("only %d kinds of evidence found: %v", len(all), all)
	}
	return all
}

// fields are the fields of the files with knowledge.
func fields() []string {
	var all []string
	for _, t := range []reflect.Type{
		reflect.TypeFor[advisory.Advisory](), reflect.TypeFor[advisory.Pattern](), reflect.TypeFor[advisory.Precondition](),
		reflect.TypeFor[advisory.Mitigation](), reflect.TypeFor[advisory.Avoid](), reflect.TypeFor[advisory.Range](),
		reflect.TypeFor[advisory.Benign](),
	} {
		for i := range t.NumField() {
			if tag := t.Field(i).Tag.Get("yaml"); tag != "" && tag != "-" {
				all = append(all, "field: "+t.Name()+"."+tag)
			}
		}
	}
	return all
}

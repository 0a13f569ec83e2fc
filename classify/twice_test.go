package classify

import (
	"slices"
	"strings"
	"testing"
)

// TestTwice: one process under two names is told, two processes are not.
func TestTwice(t *testing.T) {
	at := func(name, url string, start float64) made {
		return made{name: name, url: url, component: "query", version: "0.36.1", starts: []float64{start}, samples: [][]stack{{}}}
	}
	for _, tt := range []struct {
		name    string
		targets []made
		want    bool
	}{
		{"one under two names", []made{at("a", "http://a", 1000.25), at("b", "http://b", 1000.5), at("c", "http://c", 1000.25)}, true},
		{"two", []made{at("a", "http://a", 1000.25), at("b", "http://b", 1000.26)}, false},
		{"two ports", []made{at("a", "http://a:1", 1000.25), at("c", "http://a:2", 1000.25)}, false},
		{"captures", []made{at("a", "", 1000.25), at("b", "", 1000.25)}, false},
		{"start unknown", []made{at("a", "http://a", 0), at("b", "http://b", 0)}, false},
	} {
		told := slices.ContainsFunc(judged(t, tt.targets...).Warnings, func(w string) bool {
			return strings.HasPrefix(w, "a and c were started at the same hundredth of a second")
		})
		if told != tt.want {
			t.Errorf("%s: told %t", tt.name, told)
		}
	}
}

package profile

import (
	"fmt"
	"testing"
)

// TestOtherBuild: the forms of one profile are of one build, those of two releases
// are not, though no build id tells.
func TestOtherBuild(t *testing.T) {
	read := func(name string) *Snapshot {
		s := readFile(t, "triples/"+name)
		s.BuildID = ""
		return s
	}
	forms := []string{".debug0.pb.gz", ".debug1.txt.gz", ".debug2.txt.gz"}
	for _, a := range forms {
		for _, b := range forms {
			old, newer := read("go121-eager-upper"+a), read("go126-lazy-upper"+b)
			if OtherBuild(old, read("go121-eager-upper"+b)) || OtherBuild(read("go121-eager-leaf"+a), old) {
				t.Errorf("%s and %s of one process, or of two of one build, differ", a, b)
			}
			if !OtherBuild(old, newer) || !OtherBuild(newer, old) {
				t.Errorf("%s of one release and %s of another do not differ", a, b)
			}
		}
	}
}

// TestOtherBuildEdges: what tells, and how many functions must.
func TestOtherBuildEdges(t *testing.T) {
	snapshot := func(id string, n, moved int) *Snapshot {
		s := &Snapshot{BuildID: id}
		for i := range n {
			line := i + 1
			if i < moved {
				line += 1000
			}
			s.Groups = append(s.Groups, Group{Frames: []Frame{{Func: fmt.Sprintf("main.f%d", i), Line: line}, {Func: "main.unknown"}}})
		}
		return s
	}
	for _, tt := range []struct {
		name string
		a, b *Snapshot
		want bool
	}{
		{"other ids", snapshot("a", 20, 0), snapshot("b", 20, 0), true},
		{"one id, other lines", snapshot("a", 20, 0), snapshot("a", 20, 20), false},
		{"an id alone", snapshot("a", 20, 0), snapshot("", 20, 0), false},
		{"more than a fifth", snapshot("a", 20, 0), snapshot("", 20, 5), true},
		{"a fifth", snapshot("", 20, 0), snapshot("", 20, 4), false},
		{"few functions", snapshot("", 20, 0), snapshot("", 9, 9), false},
		{"nothing", snapshot("", 0, 0), snapshot("", 0, 0), false},
	} {
		if got := OtherBuild(tt.a, tt.b); got != tt.want {
			t.Errorf("%s: %t, want %t", tt.name, got, tt.want)
		}
	}
}

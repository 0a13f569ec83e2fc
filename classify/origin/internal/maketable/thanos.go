package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"golang.org/x/mod/semver"

	"github.com/thanosleak/thanosleak/classify/origin/internal/table"
)

// A release is an element of the JSON list.
type release struct {
	Release string            `json:"release"`
	Go      string            `json:"go"`
	Modules map[string]string `json:"modules"`
	Lines   map[string][]int  `json:"lines"`
}

func thanosTable(path string) (*table.Table, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var releases []release
	if err := json.Unmarshal(data, &releases); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	var names []string
	for _, r := range releases {
		names = append(names, strings.TrimPrefix(r.Release, "v"))
	}
	b := table.NewBuilder(names, []string{
		"Thanos releases: modules in the build, and lines where goroutines commonly stand.",
		"Made by go run ./classify/origin/internal/maketable; do not edit.",
	})
	for i, r := range releases {
		// Since go 1.17 go.mod names all modules of a build, not only those
		// that the program imports itself.
		if r.Go != "" && semver.Compare("v"+r.Go, "v1.17") >= 0 {
			b.Add(i, "complete modules", "yes")
		}
	}
	addSorted(b, releases, "module ", func(r release) map[string]string { return r.Modules })
	addSorted(b, releases, "lines ", func(r release) map[string]string { return texts(r.Lines) })
	return b.Table(), nil
}

// addSorted adds the values of all releases, with the names in the order of
// the alphabet, so that the table's diffs stay small.
func addSorted(b *table.Builder, releases []release, kind string, values func(release) map[string]string) {
	names := map[string]bool{}
	for _, r := range releases {
		for name := range values(r) {
			names[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(names)) {
		for i, r := range releases {
			if v := values(r)[name]; v != "" {
				b.Add(i, kind+name, v)
			}
		}
	}
}

// texts writes lists of lines as "118 127 135".
func texts(lines map[string][]int) map[string]string {
	out := map[string]string{}
	for file, list := range lines {
		out[file] = strings.Trim(fmt.Sprint(list), "[]")
	}
	return out
}

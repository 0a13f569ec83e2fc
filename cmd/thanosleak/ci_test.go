package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// soakRE finds a soak in the files for CI systems, up to the load command.
var soakRE = regexp.MustCompile(`thanosleak soak (\S+) ([^\n]*) -- \S+`)

// soaksOf returns the arguments of the soaks in a file, as the CI system hands
// them over.
func soaksOf(t *testing.T, name string) [][]string {
	t.Helper()
	text := deployFile(t, name)
	if filepath.Base(name) != "Makefile" {
		var doc any
		if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		text = fmt.Sprintln(doc) // with folded lines joined
	}
	text = strings.NewReplacer("$(TARGET)", "http://localhost:10902", "$(LOAD)", "./load.sh", "$(BASELINE)", "baseline.json").Replace(text)
	var soaks [][]string
	for _, m := range soakRE.FindAllStringSubmatch(text, -1) {
		soaks = append(soaks, append([]string{m[1]}, strings.Fields(m[2])...))
	}
	return soaks
}

// TestCI runs the soaks of the files for CI systems against a process that does
// not leak, and looks for the files that they collect.
func TestCI(t *testing.T) {
	needShell(t)
	bin := builtLeaky(t, leakySource)
	for name, files := range map[string][]string{
		"ci/github.yaml":   {"soak.tar.gz", "soak.md", "soak.html"},
		"ci/gitlab-ci.yml": {"soak.tar.gz", "soak.xml", "soak.html"},
		"ci/Makefile":      {"baseline.json", "soak.tar.gz", "soak.html"},
	} {
		soaks := soaksOf(t, name)
		if len(soaks) == 0 {
			t.Fatalf("%s: no soak found", name)
		}
		slices.Reverse(soaks) // the baseline of the Makefile comes first
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			url := startLeaky(t, bin, "-leak", "none", "-silent")
			writeScript(t, dir, "load.sh", "#!/bin/sh\nexec load "+url+" 30\n")
			for _, args := range soaks {
				for i := range args {
					args[i] = strings.ReplaceAll(args[i], "http://localhost:10902", url)
				}
				cmd := thanosleak(t, append(append([]string{"soak"}, args...), "--settle", "20ms", "--interval", "10ms", "--", "./load.sh")...)
				cmd.Dir = dir
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Errorf("%q: %v\n%s", args, err, out)
				}
			}
			for _, file := range files {
				if !strings.Contains(deployFile(t, name), strings.TrimSuffix(file, ".gz")) {
					t.Errorf("%s is not collected", file)
				}
				if info, err := os.Stat(filepath.Join(dir, file)); err != nil || info.Size() == 0 {
					t.Errorf("%s: %v", file, err)
				}
			}
		})
	}
}

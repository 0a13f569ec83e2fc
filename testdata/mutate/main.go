// Command mutate breaks the code in one place after the other and says which
// test notices:
//
//	go run ./testdata/mutate            # all of mutations.yaml, about 6 minutes
//	go run ./testdata/mutate 'witness'  # those whose name matches
//
// A mutation that no named test notices is an error, status 1. The files stay as
// they are: the go command is given the broken ones in an overlay.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A Mutation is one place of the code, broken.
type Mutation struct {
	// Breaks is what does not work then: "evidence: gc-proven", "field:
	// Pattern.state".
	Breaks string `yaml:"breaks"`
	// File is the file, from the root of the repository, in which Old stands once
	// and is replaced by New.
	File string `yaml:"file"`
	Old  string `yaml:"old"`
	New  string `yaml:"new"`
	// Package is where the tests are that notice: "./classify".
	Package string `yaml:"package"`
	// Test is the name of one that does. Empty runs all of the package and fails,
	// naming those that do, for whoever adds a mutation.
	Test string `yaml:"test"`
}

func main() {
	only := "."
	if len(os.Args) > 1 {
		only = os.Args[1]
	}
	if err := run(only); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(only string) error {
	nameRE, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	root, err := root()
	if err != nil {
		return err
	}
	all, err := read(root)
	if err != nil {
		return err
	}
	missed := 0
	for _, m := range all {
		if !nameRE.MatchString(m.Breaks) {
			continue
		}
		noticed, err := m.noticed(root)
		if err != nil {
			return fmt.Errorf("%s: %w", m.Breaks, err)
		}
		word := "noticed by"
		if !noticed {
			word, missed = "NOT noticed by", missed+1
		}
		fmt.Printf("%-40s %s %s %s\n", m.Breaks, word, m.Package, m.Test)
	}
	if missed > 0 {
		return fmt.Errorf("%d mutations not noticed", missed)
	}
	return nil
}

// root is the folder of the module.
func root() (string, error) {
	out, err := exec.Command("go", "env", "GOMOD").Output()
	return filepath.Dir(strings.TrimSpace(string(out))), err
}

// read reads the mutations that stand beside this file.
func read(root string) ([]Mutation, error) {
	raw, err := os.ReadFile(filepath.Join(root, "testdata", "mutate", "mutations.yaml"))
	if err != nil {
		return nil, err
	}
	dec := yaml.NewDecoder(bytes.NewReader(raw))
	dec.KnownFields(true)
	var all []Mutation
	return all, dec.Decode(&all)
}

// broken returns the file as the mutation leaves it.
func (m *Mutation) broken(root string) ([]byte, error) {
	raw, err := os.ReadFile(filepath.Join(root, m.File))
	if err != nil {
		return nil, err
	}
	if n := bytes.Count(raw, []byte(m.Old)); n != 1 {
		return nil, fmt.Errorf("%q stands %d times in %s, want once", m.Old, n, m.File)
	}
	return bytes.Replace(raw, []byte(m.Old), []byte(m.New), 1), nil
}

// noticed runs the test on the broken code and reports whether it fails. Code
// that does not build is an error: no test has seen it.
func (m *Mutation) noticed(root string) (bool, error) {
	overlay, clean, err := m.overlay(root)
	if err != nil {
		return false, err
	}
	defer clean()
	args := []string{"test", "-overlay", overlay, "-count", "1", "-failfast", "-timeout", "10m"}
	if m.Test != "" {
		args = append(args, "-run", "^"+m.Test+"$")
	}
	cmd := exec.Command("go", append(args, m.Package)...)
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	failed := failRE.FindAllStringSubmatch(string(out), -1)
	switch {
	case m.Test == "":
		return false, fmt.Errorf("no test is named; there fail: %q", failed)
	case err == nil && bytes.Contains(out, []byte("no tests to run")):
		return false, fmt.Errorf("%s has no %s", m.Package, m.Test)
	case err != nil && len(failed) == 0:
		return false, fmt.Errorf("%w\n%s", err, out)
	}
	return err != nil, nil
}

var failRE = regexp.MustCompile(`(?m)^--- FAIL: (\w+)`)

// overlay writes what the go command reads in place of the file. The caller
// calls clean when it has.
func (m *Mutation) overlay(root string) (file string, clean func(), err error) {
	broken, err := m.broken(root)
	if err != nil {
		return "", nil, err
	}
	dir, err := os.MkdirTemp("", "mutate")
	if err != nil {
		return "", nil, err
	}
	clean = func() { os.RemoveAll(dir) }
	instead, file := filepath.Join(dir, "broken"), filepath.Join(dir, "overlay.json")
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {filepath.Join(root, m.File): instead}})
	if err == nil {
		err = os.WriteFile(instead, broken, 0o600)
	}
	if err == nil {
		err = os.WriteFile(file, replace, 0o600)
	}
	if err != nil {
		clean()
	}
	return file, clean, err
}

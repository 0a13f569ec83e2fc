// Maketable writes the tables that package origin is built with.
//
//	go run ./classify/origin/internal/maketable -thanos FILE -go DIR...
//
// FILE is a JSON list of Thanos releases, oldest first: of each its "release"
// ("v0.35.1"), the "go" directive of its go.mod, its "modules" (versions by
// module path, "path@version" where another module replaces it) and its
// "lines" (by source file, where goroutines commonly stand). Each DIR is the
// GOROOT of a Go release, as GOTOOLCHAIN=go1.21.13 go env GOROOT names it; the
// first and the last patch of a minor release are enough, since lines only
// move between them.
//
// With -check nothing is written: the exit status is 1 if the tables differ
// from what would be written. A table whose source is not given stays as it
// is.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/thanosleak/thanosleak/classify/origin/internal/table"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "maketable:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("maketable", flag.ContinueOnError)
	releases := flags.String("thanos", "", "JSON `file` of Thanos releases")
	withGo := flags.Bool("go", false, "make the table of Go releases from the GOROOTs that follow")
	check := flags.Bool("check", false, "write nothing, fail if a table would change")
	dir := flags.String("out", filepath.Join("classify", "origin", "internal", "table"), "`folder` of the tables")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *releases == "" && !*withGo || *withGo != (flags.NArg() > 0) {
		return errors.New("usage: maketable [-check] [-out DIR] [-thanos FILE] [-go DIR...]")
	}
	if *releases != "" {
		t, err := thanosTable(*releases)
		if err != nil {
			return err
		}
		if err := save(filepath.Join(*dir, table.ThanosFile), t, *check, out); err != nil {
			return err
		}
	}
	if !*withGo {
		return nil
	}
	t, err := goTable(flags.Args())
	if err != nil {
		return err
	}
	return save(filepath.Join(*dir, table.GoFile), t, *check, out)
}

// save writes the table, or compares it with the file.
func save(path string, t *table.Table, check bool, out io.Writer) error {
	data := t.Encode()
	if check {
		old, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if !bytes.Equal(old, data) {
			return fmt.Errorf("%s is not what its sources say: run maketable without -check", path)
		}
		return nil
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "%s: %d releases, %d facts, %d bytes\n", path, len(t.Releases), len(t.Facts), len(data))
	return err
}

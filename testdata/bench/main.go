//go:build unix

// Command bench measures thanosleak beside its peers, which are modules that only
// it needs. It compares the readers of files,
//
//	cd testdata/bench && go run . FILE...
//
// or it measures all that docs/performance.md promises, and writes that page,
// which takes a quarter of an hour on a quiet machine with 8 GB of free memory:
//
//	cd testdata/bench && go run . -page ../../docs/performance.md
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
)

func main() {
	rounds := flag.Int("rounds", 7, "how often each reader reads each file")
	page := flag.String("page", "", "measure all, and write this `file`")
	read := flag.String("read", "", "read FILE with this reader and print what it took; used by the command itself")
	flag.Parse()
	var err error
	switch {
	case *read != "":
		var r reading
		if r, err = measure(*read, flag.Arg(0)); err == nil {
			err = json.NewEncoder(os.Stdout).Encode(r)
		}
	case *page != "":
		err = writePage(*page, *rounds)
	default:
		err = printComparisons(flag.Args(), *rounds)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

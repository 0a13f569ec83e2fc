package main

import (
	"fmt"
	"os"

	"github.com/spf13/pflag"

	"github.com/thanosleak/thanosleak/classify"
	"github.com/thanosleak/thanosleak/classify/advisory"
)

// addAdvisories adds the flag that says which advisories there are.
func addAdvisories(f *pflag.FlagSet, dir *string) {
	f.StringVar(dir, "advisories", "", "`DIR` with your own advisories beside the built-in ones, or none for no advisories at all")
}

// knowledge loads the advisories that the flag asks for.
func knowledge(dir string) (*advisory.DB, error) {
	db, err := advisory.Default()
	if err != nil {
		return nil, err
	}
	switch dir {
	case "":
	case "none":
		db.Advisories = nil
	default:
		if info, err := os.Stat(dir); err != nil || !info.IsDir() {
			return nil, usagef("--advisories: there is no folder %s", dir)
		}
		if err := db.Load(os.DirFS(dir)); err != nil {
			return nil, fmt.Errorf("advisories in %s are not right (thanosleak advisories check %s tells more):\n%w", dir, classify.ShellQuote(dir), err)
		}
	}
	return db, nil
}

package main

import (
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/thanosleak/thanosleak/classify/advisory"
)

// flagValues are what the shells' completion offers for flags: the values that
// there are, or some that are often wanted where there are many. Flags that are
// not listed take files.
var flagValues = map[string][]string{
	"fail-on":           {"confirmed", "likely", "suspect", "never"},
	"color":             {"auto", "always", "never"},
	"full-stacks":       {"never", "once", "always"},
	"component":         advisory.Components(),
	"samples":           {"1", "6", "10", "40"},
	"interval":          {"15s", "30s", "1m", "5m"},
	"timeout":           {"10s", "30s", "1m"},
	"window":            {"1h", "6h", "1d", "7d"},
	"retention":         {"0s", "7d", "30d"},
	"retention-size":    {"0", "500MB", "2GB"},
	"prometheus.window": {"1d", "7d", "30d"},
	"prometheus.url":    nil,
	"memory-limit":      nil,
	"concurrency":       nil,
	"rounds":            {"3", "5"},
	"settle":            {"30s", "1m", "5m"},
	"duration":          {"10m", "30m", "1h"},
	"http-address":      nil,
}

// offer makes the shells' completion offer values for a flag, where the command
// has it.
func offer(c *cobra.Command, flag string, values cobra.CompletionFunc) {
	if c.Flags().Lookup(flag) == nil {
		return
	}
	// An error says that values are offered already, which nothing does twice.
	_ = c.RegisterFlagCompletionFunc(flag, values)
}

// complete offers what flags and arguments may be, in all commands.
func complete(root *cobra.Command) {
	root.ValidArgsFunction = cobra.NoFileCompletions // commands only
	for _, c := range root.Commands() {
		outputs := slices.Sorted(maps.Keys(formats))
		switch c.Name() {
		case "advisories":
			outputs = advisoryFormats
			c.ValidArgsFunction = otherAdvisories
		case "scan", "serve", "demo": // targets are no files
			c.ValidArgsFunction = cobra.NoFileCompletions
		}
		if c.Name() == "soak" {
			offerSoak(c) // before what is offered for all: the first counts
		}
		for flag, values := range flagValues {
			offer(c, flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
		}
		offer(c, "output", outputCompletions(outputs))
		offer(c, "thanos-version", releases)
		offer(c, "advisories", cobra.FixedCompletions(nil, cobra.ShellCompDirectiveFilterDirs))
	}
}

// offerSoak offers what a soak takes: no stack dump in every sample, the conditions
// that it can tell of, and files only behind a target, for the load command.
func offerSoak(c *cobra.Command) {
	offer(c, "full-stacks", cobra.FixedCompletions([]string{"never", "once"}, cobra.ShellCompDirectiveNoFileComp))
	offer(c, "require", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		db, err := advisory.Default()
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		return conditionNames(db), cobra.ShellCompDirectiveNoFileComp
	})
	c.ValidArgsFunction = func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveDefault
		}
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
}

// outputCompletions offers formats, and files behind FORMAT=. Behind pprof a
// file has to follow.
func outputCompletions(names []string) cobra.CompletionFunc {
	return func(_ *cobra.Command, _ []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if strings.Contains(typed, "=") {
			return nil, cobra.ShellCompDirectiveDefault
		}
		if typed != "" && strings.HasPrefix("pprof", typed) && slices.Contains(names, "pprof") {
			return []cobra.Completion{"pprof="}, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
}

// releases offers the releases of Thanos that are known.
func releases(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	db, err := advisory.Default()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	return db.Releases, cobra.ShellCompDirectiveNoFileComp
}

// otherAdvisories offers the IDs of the built-in advisories that were not
// named yet, with their titles.
func otherAdvisories(_ *cobra.Command, named []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	db, err := advisory.Default()
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var ids []cobra.Completion
	for _, a := range db.Advisories {
		if !slices.Contains(named, a.ID) {
			ids = append(ids, cobra.CompletionWithDesc(a.ID, a.Title))
		}
	}
	return ids, cobra.ShellCompDirectiveNoFileComp
}

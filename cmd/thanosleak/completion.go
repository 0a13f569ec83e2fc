package main

import (
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/thanosleak/thanosleak/classify/advisory"
)

// offer makes the shells' completion offer values for a flag, where the command
// has it.
func offer(c *cobra.Command, flag string, values ...string) {
	if c.Flags().Lookup(flag) == nil {
		return
	}
	// An error says that values are offered already, which nothing does twice.
	_ = c.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
}

// complete offers what flags and arguments may be, in all commands.
func complete(root *cobra.Command) {
	for _, c := range root.Commands() {
		outputs := slices.Sorted(maps.Keys(formats))
		switch c.Name() {
		case "advisories":
			outputs = advisoryFormats
			c.ValidArgsFunction = func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
				return advisoryIDs(), cobra.ShellCompDirectiveNoFileComp
			}
		case "scan", "serve": // targets are no files
			c.ValidArgsFunction = cobra.NoFileCompletions
		}
		offer(c, "output", outputs...)
		offer(c, "fail-on", "confirmed", "likely", "suspect", "never")
		offer(c, "color", "auto", "always", "never")
		offer(c, "full-stacks", "never", "once", "always")
		offer(c, "component", advisory.Components()...)
	}
}

// advisoryIDs are the IDs of the built-in advisories with their titles.
func advisoryIDs() []string {
	db, err := advisory.Default()
	if err != nil {
		return nil
	}
	var ids []string
	for _, a := range db.Advisories {
		ids = append(ids, cobra.CompletionWithDesc(a.ID, a.Title))
	}
	return ids
}

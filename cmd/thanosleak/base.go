package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/thanosleak/thanosleak/classify"
	"github.com/thanosleak/thanosleak/profile"
	"github.com/thanosleak/thanosleak/profile/capture"
)

// checkBase finds a --base that cannot be read beside the other input.
func (a *analyzer) checkBase(args []string) error {
	switch {
	case a.givenBase && a.base == "":
		return usagef("--base needs the path of an older capture")
	case a.base == "-" && slices.Contains(args, "-"):
		return usagef("--base - and a PATH - are both standard input, which can be read only once: give one of them as a file")
	}
	return nil
}

// compare adds to the result what differs from --base, if there is one. An error
// says why that cannot be told; the result stands without it.
func (a *analyzer) compare(ctx context.Context, std streams, targets []profile.Target, r *classify.Result, o capture.Options) error {
	if a.base == "" {
		return nil
	}
	c, err := a.comparison(ctx, std, targets, r, o)
	if err != nil {
		err = fmt.Errorf("nothing is compared with --base: %w", err)
		r.Warnings = append(r.Warnings, err.Error())
		return err
	}
	r.Comparison = c
	return nil
}

// comparison reads --base and compares the targets with it.
func (a *analyzer) comparison(ctx context.Context, std streams, targets []profile.Target, r *classify.Result, o capture.Options) (*classify.Comparison, error) {
	in, err := read(ctx, []string{a.base}, std, o)
	if err != nil {
		return nil, err
	}
	if !a.quiet {
		fmt.Fprintf(std.err, "thanosleak: read the base: %s\n", in.Description)
	}
	base, newer := classify.InventoryOf(in.Targets, nil), classify.InventoryOf(targets, nil)
	c := classify.Compare(base, newer, r.Findings)
	switch {
	case len(newer) == 0:
		return nil, errors.New("there is no sample to compare")
	case len(c.Components) == 0:
		return nil, fmt.Errorf("%s holds other components (%s) than the capture that is judged (%s)",
			a.base, strings.Join(c.OnlyBase, ", "), strings.Join(c.OnlyNew, ", "))
	}
	c.Base = a.base
	for _, t := range in.Targets {
		if t.Err != "" {
			in.Warnings = append(in.Warnings, fmt.Sprintf("%s: %s", t.Name, t.Err))
		}
	}
	for _, w := range in.Warnings {
		c.Warnings = append(c.Warnings, "the base: "+w)
	}
	return c, nil
}

package main

import (
	"slices"
	"strconv"

	"github.com/spf13/pflag"

	"github.com/thanosleak/thanosleak/report"
)

// look holds the flags about how text looks.
type look struct {
	color string
}

func (l *look) add(f *pflag.FlagSet) {
	f.StringVar(&l.color, "color", "auto", "`WHEN` to use colours: auto, always or never")
}

func (l *look) check() error {
	if !slices.Contains([]string{"auto", "always", "never"}, l.color) {
		return usagef("--color %s: want auto, always or never", l.color)
	}
	return nil
}

// options are those for text on standard output.
func (l *look) options(std streams) report.TextOptions {
	width, isTerminal := terminal(std.out)
	if n, err := strconv.Atoi(std.env("COLUMNS")); width == 0 && err == nil {
		width = n
	}
	return report.TextOptions{Width: width, Color: l.useColor(std, isTerminal)}
}

// useColor follows the flag, then NO_COLOR (https://no-color.org), then
// whether anybody can see colours.
func (l *look) useColor(std streams, isTerminal bool) bool {
	if l.color != "auto" {
		return l.color == "always"
	}
	return isTerminal && std.env("NO_COLOR") == "" && std.env("TERM") != "dumb"
}

package program

import (
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"
)

// Seconds makes a duration, as Go reads it, of a plain number of seconds, as Python has them: 0.5 is 0.5s. Everything
// else is left as it is.
func Seconds(value string) string {
	if _, err := strconv.ParseFloat(value, 64); err == nil && strings.Trim(value, "+-.0123456789") == "" {
		return value + "s"
	}
	return value
}

// WithSeconds lets the durations on a command line be plain numbers.
func WithSeconds(app *cli.App, args []string) []string {
	var names []string
	flags := app.Flags
	for _, c := range app.Commands {
		flags = append(flags[:len(flags):len(flags)], c.Flags...)
	}
	for _, o := range Options(slices.DeleteFunc(slices.Clone(flags), func(f cli.Flag) bool {
		_, ok := f.(*cli.DurationFlag)
		return !ok
	}), nil) {
		names = append(names, o.Names...)
	}
	args = slices.Clone(args)
	for i, arg := range args {
		if arg == "--" {
			break
		}
		name, value, given := strings.Cut(arg, "=")
		switch {
		case !slices.Contains(names, name):
		case given:
			args[i] = name + "=" + Seconds(value)
		case i+1 < len(args):
			args[i+1] = Seconds(args[i+1])
		}
	}
	return args
}

package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/gorpyc/gorpyc/cmd/internal/program"
)

// arrange puts options before arguments, since the parser expects them there and a person does not: "call host add 2 -3
// --kw x=1". What begins with a dash and a digit is a number.
func arrange(app *cli.App, args []string) ([]string, error) {
	if len(args) == 0 {
		return []string{app.Name}, nil
	}
	args = slices.Clone(args)
	path := []string{args[0]}
	var options, rest []string
	var flags []cli.Flag
	commands := app.Commands
	for _, c := range commands {
		flags = append(flags, c.Flags...) // before the command is known, all of them may come
	}
	for i := 1; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "--":
			rest = append(rest, args[i+1:]...)
			i = len(args)
		case len(arg) > 1 && arg[0] == '-' && !isNumber(arg):
			name, value, given := strings.Cut(strings.TrimLeft(arg, "-"), "=")
			f := flagOf(flags, name)
			if f == nil {
				options = append(options, arg) // the parser will say so, or knows --help
				continue
			}
			if _, ok := f.(*cli.DurationFlag); ok {
				if value = program.Seconds(value); !given && i+1 < len(args) {
					args[i+1] = program.Seconds(args[i+1])
				}
			}
			name = "--" + f.Names()[0] // a switch may be given by either of its names, and repeated by the other
			if given {
				name += "=" + value
			}
			options = append(options, name)
			if d, ok := f.(cli.DocGenerationFlag); ok && d.TakesValue() && !given {
				if i++; i == len(args) {
					return args, usage("option %s needs a value (try --help)", arg)
				}
				options = append(options, args[i])
			}
		default:
			if c := find(commands, arg); c != nil && len(rest) == 0 {
				path = append(path, arg)
				commands, flags = c.Subcommands, c.Flags
				if len(c.Subcommands) > 0 {
					for _, s := range c.Subcommands {
						flags = append(flags[:len(flags):len(flags)], s.Flags...)
					}
				}
				continue
			}
			rest = append(rest, arg)
		}
	}
	out := append(path, options...)
	if len(rest) > 0 {
		out = append(append(out, "--"), rest...)
	}
	return out, nil
}

func isNumber(arg string) bool {
	return len(arg) > 1 && strings.ContainsRune("0123456789.", rune(arg[1]))
}

func find(commands []*cli.Command, name string) *cli.Command {
	for _, c := range commands {
		if c.HasName(name) {
			return c
		}
	}
	return nil
}

func flagOf(flags []cli.Flag, name string) cli.Flag {
	for _, f := range flags {
		if slices.Contains(f.Names(), name) {
			return f
		}
	}
	return nil
}

package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/gorpyc/gorpyc/cmd/internal/program"
)

// The Python program's parser and the one used here read the same command lines differently: -p18811 and -6q are usual
// there, and its -q takes a value, by mistake. normalise makes a command line of either kind into one that has long
// switches only, each with its value behind an equals sign.

var shortSwitches = map[byte]string{
	'm': "mode", '6': "ipv6", 'p': "port", 'f': "logfile", 'q': "quiet", 't': "timeout", 'l': "listing", 'h': "help",
	'v': "version",
}

// plainSwitches have no value.
var plainSwitches = map[string]bool{"ipv6": true, "quiet": true, "help": true, "version": true, "ready": true,
	"ping": true, "man": true}

func normalise(args []string) ([]string, error) {
	out := args[:min(1, len(args)):1]
	for i := 1; i < len(args); i++ {
		arg := args[i]
		switch {
		case len(arg) > 2 && strings.HasPrefix(arg, "--"):
			name, value, given := strings.Cut(arg[2:], "=")
			switch {
			case name == "help-all":
				name = "help"
			case name == "file":
				name = "logfile"
			}
			taken, err := take(&out, name, value, given, args[i+1:])
			if err != nil {
				return nil, program.UsageError{Err: err}
			}
			i += taken
		case len(arg) > 1 && arg[0] == '-' && arg[1] != '-':
			taken, err := takeShort(&out, arg[1:], args[i+1:])
			if err != nil {
				return nil, program.UsageError{Err: err}
			}
			i += taken
		default:
			return nil, program.UsageError{Err: fmt.Errorf("no arguments are expected, got %q", arg)}
		}
	}
	return out, nil
}

// takeShort takes a group of short switches, of which the last may have a value.
func takeShort(out *[]string, group string, rest []string) (taken int, err error) {
	for i := range len(group) {
		name, ok := shortSwitches[group[i]]
		if !ok {
			return 0, fmt.Errorf("unknown switch -%c", group[i])
		}
		value := group[i+1:]
		if name == "quiet" && (value == "" || shortSwitches[value[0]] == "") || !plainSwitches[name] {
			return take(out, name, value, value != "", rest)
		}
		*out = append(*out, "--"+name)
	}
	return 0, nil
}

// take appends a switch and its value, which may be the next argument.
func take(out *[]string, name, value string, given bool, rest []string) (taken int, err error) {
	isName := func(f cli.Flag) bool { return slices.Contains(f.Names(), name) }
	switch {
	case !slices.ContainsFunc(newApp().Flags, isName):
		return 0, fmt.Errorf("unknown switch --%s", name)
	case name == "quiet":
		// With a value or without; an empty one means no, as in Python.
		if !given && len(rest) > 0 && !strings.HasPrefix(rest[0], "-") {
			value, given, taken = rest[0], true, 1
		}
		if !given || value != "" {
			*out = append(*out, "--quiet")
		}
		return taken, nil
	case plainSwitches[name]:
		if given {
			return 0, fmt.Errorf("switch --%s takes no value", name)
		}
		*out = append(*out, "--"+name)
		return 0, nil
	case !given && len(rest) == 0:
		return 0, fmt.Errorf("switch --%s needs a value", name)
	case !given:
		value, taken = rest[0], 1
	}
	*out = append(*out, "--"+name+"="+value)
	return taken, nil
}

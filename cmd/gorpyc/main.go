// Command gorpyc is a tool for RPyC services of any make: it calls, lists, reads and writes, measures and listens in.
// See its help.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/gorpyc/gorpyc/cmd/internal/program"
)

func main() {
	os.Exit(run(withSignals(context.Background()), os.Args, os.Stdin, os.Stdout, os.Stderr))
}

// run runs the program and returns its exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	app := newApp()
	app.Reader, app.Writer, app.ErrWriter = stdin, stdout, stderr
	args, err := arrange(app, args)
	if err == nil {
		err = app.RunContext(ctx, args)
	}
	return report(ctx, stderr, args, err)
}

const description = `ADDRESS is HOST, HOST:PORT or [IPv6]:PORT; without a port it is 18812, over TLS 18821. It is
left out with --unix or --service. Options can stand anywhere; behind -- there are arguments only.

Names are paths of attributes, beginning at the service: add, calculator.add. With --classic they begin
with a module of the server's: os.getcwd. Arguments are Python literals: 2, 1.5, 'text', b'bytes', True, None,
[1, 2], (1, 2), {'a': 1}; what is none is a str, so that words need no quotes.

What comes by value is printed as Python's repr, an object of the server's as the repr it has there. With
--json results are JSON: containers are copied, bytes are {"bytes": BASE64}, other objects {"object": CLASS, "repr": …}.

Exit status: 0 done; 1 the other end raised an exception; 2 wrong command line; 3 no connection, or it was lost;
4 timeout; 5 a failure here, such as a file that cannot be written; 130 interrupted.`

func newApp() *cli.App {
	app := &cli.App{
		Name:                      "gorpyc",
		Usage:                     "talk to RPyC services",
		Version:                   program.Version(),
		Description:               description,
		Flags:                     []cli.Flag{cli.HelpFlag}, // which a command of this name keeps the library from adding
		DisableSliceFlagSeparator: true,
		ExitErrHandler:            func(*cli.Context, error) {}, // run does it
		Commands: []*cli.Command{
			callCommand(), getCommand(), setCommand(), lsCommand(), inspectCommand(), shellCommand(),
			evalCommand(), execCommand(), uploadCommand(), downloadCommand(),
			discoverCommand(), listCommand(),
			pingCommand(), benchCommand(), tapCommand(), conformCommand(), shadowCommand(),
			completionsCommand(), helpCommand(), versionCommand(),
			completeCommand(),
		},
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return usage("no command is called %q (try --help)", c.Args().First())
			}
			_ = cli.ShowAppHelp(c)
			return usage("a command is missing")
		},
	}
	program.Style(app, "COMMAND [ADDRESS] [ARGUMENTS] [OPTIONS]", misused)
	return app
}

const groupProgram = "This program"

func helpCommand() *cli.Command {
	return &cli.Command{
		Name: "help", Category: groupProgram, Usage: "say what a command does, or what commands there are",
		ArgsUsage: "[COMMAND [COMMAND]]",
		Action: func(c *cli.Context) error {
			names := c.Args().Slice()
			commands := c.App.Commands
			path := []string{c.App.Name}
			for _, name := range names {
				found := find(commands, name)
				if found == nil {
					return usage("no command is called %q (try --help)", strings.Join(names, " "))
				}
				path = append(path, found.Name)
				commands = found.Subcommands
			}
			app := newApp()
			app.Writer = c.App.Writer
			return app.RunContext(c.Context, append(path, "--help"))
		},
	}
}

func versionCommand() *cli.Command {
	return &cli.Command{
		Name: "version", Category: groupProgram, Usage: "print the version",
		Action: func(c *cli.Context) error {
			if err := want(c.Args().Slice(), 0, 0, "no arguments"); err != nil {
				return err
			}
			cli.ShowVersion(c)
			return nil
		},
	}
}

func misused(_ *cli.Context, err error, _ bool) error { return usage("%w (try --help)", err) }

// coded is an error with an exit code.
type coded struct {
	error
	code int
}

func (c coded) Unwrap() error { return c.error }

func usage(format string, args ...any) error { return coded{fmt.Errorf(format, args...), exitUsage} }

// want checks the number of arguments left.
func want(args []string, least, most int, what string) error {
	if len(args) < least || most >= 0 && len(args) > most {
		if len(args) == 0 {
			return usage("want %s (try --help)", what)
		}
		return usage("want %s, not %q (try --help)", what, args)
	}
	return nil
}

var errInterrupted = errors.New("interrupted")

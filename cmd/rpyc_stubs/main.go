// Command rpyc_stubs writes what two languages have to know of each other's services: parameter names and documentation
// of Go services for Python, stubs for Python's type checkers, and typed Go clients of Python services. See its help.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/gorpyc/gorpyc/cmd/internal/program"
)

// Exit codes.
const (
	exitFailed = 1 // the source has errors, the peer cannot be reached, a file cannot be written
	exitUsage  = 2 // the command line is wrong
	exitStale  = 3 // --check: the file is not what would be written
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args))
}

// coded is an error with an exit code.
type coded struct {
	error
	code int
}

func usage(format string, args ...any) error { return coded{fmt.Errorf(format, args...), exitUsage} }

// run runs the program and returns its exit code.
func run(ctx context.Context, args []string) int {
	cli.OsExiter = func(int) {} // we return the code
	app := newApp()
	err := app.RunContext(ctx, program.WithSeconds(app, argumentLast(args)))
	if err == nil {
		return 0
	}
	fmt.Fprintln(os.Stderr, "rpyc_stubs:", err)
	var c coded
	if errors.As(err, &c) {
		return c.code
	}
	return exitFailed
}

// argumentLast puts an argument that follows the command server behind its options, where the parser wants it.
func argumentLast(args []string) []string {
	if len(args) < 4 || args[1] != "server" || strings.HasPrefix(args[2], "-") {
		return args
	}
	return append(append(slices.Clone(args[:2]), args[3:]...), args[2])
}

func newApp() *cli.App {
	misused := func(_ *cli.Context, err error, _ bool) error { return usage("%w (try --help)", err) }
	app := &cli.App{
		Name:  "rpyc_stubs",
		Usage: "stubs between Go services and Python programs, and the other way",
		Description: `'go' is for keyword arguments, help() and CPython's TypeErrors, from go:generate; 'pyi' for mypy,
pyright and editors; 'client' for programs in Go that call services in Python or Go; 'server' makes
a Go program of a Python service, to be completed.

Exit codes: 0 done, 1 failed, 2 wrong command line, 3 stale (--check).`,
		Version:  program.Version(),
		Commands: []*cli.Command{goCommand(), pyiCommand(), clientCommand(), serverCommand()},
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return usage("no command is called %q (try --help)", c.Args().First())
			}
			_ = cli.ShowAppHelp(c)
			return usage("a command is missing")
		},
		ExitErrHandler: func(*cli.Context, error) {}, // run does it
	}
	program.Style(app, "COMMAND [PACKAGE] [OPTIONS]", misused)
	return app
}

const directivesHelp = `
Doc comments may hold directives, one per line:

 at a method or func
   //rpyc:default by=1, mode='fast'   defaults, as Python literals
   //rpyc:kwonly mode                 to be passed by keyword only
   //rpyc:posonly a                   to be passed by position only
   //rpyc:params a, /, b=1, *, mode   the whole list, in place of all that
   //rpyc:returns dict[str, Item]     the result's type in a stub, where Go's says less
   //rpyc:omit                        is no attribute
 at a type
   //rpyc:service                     a service, as rpyc.Service: never assigned to, has a name
   //rpyc:alias calculator calc       the names it registers under
   //rpyc:name shop.Basket            its class's name in Python
   //rpyc:class [NewBasket]           Python can make objects: with NewT, or the func named
   //rpyc:expose Basket make=NewX     classes and funcs of the package become its attributes
   //rpyc:omit                        is left out

Exported types that have methods or fields are described with or without directives, others
with one; so are exported funcs. Names are Python's: userID is user_id. Parameters of type
context.Context are not counted, a final ...T is *args, a final ...netref.Keyword **kwargs,
and the fields of a final struct without methods are keyword-only.`

func goCommand() *cli.Command {
	return &cli.Command{
		Name:      "go",
		Usage:     "write a Go file that registers what the source says",
		ArgsUsage: "[package]",
		Description: `Reads the Go package (the current directory's without an argument) and writes a file into
it that describes its types and funcs to package exposed. Make this program a tool of your
module once, and put the second line into one of the package's files:

   go mod edit -tool github.com/gorpyc/gorpyc/cmd/rpyc_stubs && go mod tidy
   //go:generate go tool rpyc_stubs go
` + directivesHelp,
		Flags:  outputFlags("rpyc_stubs.go in the package"),
		Action: writing((*model).writeGo, func(*model) string { return "rpyc_stubs.go" }),
	}
}

func pyiCommand() *cli.Command {
	return &cli.Command{
		Name:      "pyi",
		Usage:     "write a Python stub file of the package",
		ArgsUsage: "[package]",
		Description: `Writes a .pyi file with the classes of the Go package (the current directory's without an
argument) as Python sees them. In a Python program it is used so:

   from __future__ import annotations
   from typing import TYPE_CHECKING
   import rpyc
   if TYPE_CHECKING:                      # there is no such module when the program runs
       from calculator import Calculator

   root: Calculator = rpyc.connect("localhost", 18861).root

mypy finds the stub if its directory is in MYPYPATH; RPyC itself has no types, which
--ignore-missing-imports tells mypy to accept.

Services and objects are protocols: what the program has is a proxy, and a test may put any
object with the same methods in its place. async_ is declared as well, so that results of
rpyc.async_(root.add)(2, 3) have types if the checker takes it from the stub:

   if TYPE_CHECKING:
       from calculator import Calculator, async_
   else:
       from rpyc import async_
` + directivesHelp,
		Flags:  outputFlags("the package's name .pyi, in the package"),
		Action: writing((*model).writePyi, func(m *model) string { return m.moduleName() + ".pyi" }),
	}
}

func outputFlags(byDefault string) []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write to `FILE`, - for stdout (default: " +
			byDefault + ")"},
		&cli.BoolFlag{Name: "check", Usage: "write nothing; exit with 3 if the file is not up to date"},
	}
}

// writing writes the file that is made of a package.
func writing(text func(*model) ([]byte, error), name func(*model) string) cli.ActionFunc {
	return func(c *cli.Context) error {
		m, err := modelOf(c)
		if err != nil {
			return err
		}
		b, err := text(m)
		if err != nil {
			return err
		}
		return emit(c, m.dir, name(m), b)
	}
}

func modelOf(c *cli.Context) (*model, error) {
	if err := atMostOne(c); err != nil {
		return nil, err
	}
	pattern := c.Args().First()
	if pattern == "" {
		pattern = "."
	}
	s, err := load(pattern)
	if err != nil {
		return nil, err
	}
	return newModel(s)
}

// atMostOne refuses a second argument; an option there would have been overlooked.
func atMostOne(c *cli.Context) error {
	for _, a := range c.Args().Slice() {
		if len(a) > 1 && a[0] == '-' {
			return usage("options come before the package: %s", a)
		}
	}
	if c.NArg() > 1 {
		return usage("want one package, not %q", c.Args().Slice())
	}
	return nil
}

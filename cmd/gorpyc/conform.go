package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/gorpyc/gorpyc/cmd/internal/conform"
	"github.com/gorpyc/gorpyc/compat_tests/reference"
	"github.com/gorpyc/gorpyc/protocol/transport"
)

const groupCompare = "Checking and comparing"

func conformCommand() *cli.Command {
	return &cli.Command{
		Name: "conform", Category: groupCompare,
		Usage:     "check a peer against the protocol, clause by clause",
		ArgsUsage: "[ADDRESS]",
		Description: `Any server can be checked: values, frames, boxing, references, operations, callbacks, exceptions.
All else needs the reference service, whose behaviour is known; --print-service prints it in Python, to be run beside the
library in question. With --listen a client that connects is checked, which is asked while it waits for the root object;
it can offer the reference service, too.

A check that is known to fail stands in a file of --known, one name a line, with a reason behind a #. Exit status: 0 if
nothing fails but what is known, 1 otherwise, and as for other commands.`,
		Flags: connectionFlags(
			&cli.StringFlag{Name: "listen", Aliases: []string{"l"}, Usage: "check the first client that connects " +
				"to `ADDRESS`, HOST:PORT or unix:PATH"},
			&cli.StringSliceFlag{Name: "only", Usage: "run the checks of this `NAME`: a clause, or a clause and a check. " +
				"May be given several times"},
			&cli.StringSliceFlag{Name: "level", Usage: "run the checks of this `LEVEL`: core (what programs depend on), " +
				"text (the wording of messages), quirk (accidents of CPython). May be given several times"},
			&cli.DurationFlag{Name: "patience", Usage: "each check may take `DURATION`", DefaultText: "10s; 3s with --listen"},
			&cli.StringFlag{Name: "known", TakesFile: true, Usage: "the failures listed in `FILE` are known"},
			&cli.StringFlag{Name: "write-known", TakesFile: true, Usage: "write what fails to `FILE`, in the form of --known"},
			&cli.StringFlag{Name: "junit", TakesFile: true, Usage: "write the results to `FILE`, in JUnit's XML"},
			&cli.BoolFlag{Name: "print-service", Usage: "print the reference service as a Python program, and end"},
			&cli.BoolFlag{Name: "names", Usage: "print the names of the checks, and end"},
			&cli.BoolFlag{Name: "all", Aliases: []string{"a"}, Category: groupOutput, Usage: "print every check, " +
				"not only those that fail"},
			&cli.BoolFlag{Name: "json", Category: groupOutput, Usage: "print JSON"}),
		Action: runConform,
	}
}

func runConform(c *cli.Context) error {
	switch {
	case c.Bool("print-service"):
		_, err := io.WriteString(c.App.Writer, reference.Program())
		return err
	case c.Bool("names"):
		return printNames(c.App.Writer)
	}
	var known conform.KnownFailures
	if path := c.String("known"); path != "" {
		var err error
		if known, err = conform.ReadKnown(path); err != nil {
			return coded{err, exitFailed}
		}
	}
	o := conform.Options{Only: c.StringSlice("only"), Timeout: c.Duration("patience")}
	for _, l := range c.StringSlice("level") {
		if !slices.Contains([]conform.Level{conform.Core, conform.Text, conform.Quirk}, conform.Level(l)) {
			return usage("--level: %q is neither core, text nor quirk", l)
		}
		o.Levels = append(o.Levels, conform.Level(l))
	}
	results, name, err := conformance(c, o)
	if err != nil {
		return err
	}
	if len(results) == 0 {
		return usage("no check is called %q (try --names)", o.Only)
	}
	for i, r := range results {
		results[i] = known.Apply(r)
	}
	return reportConformance(c, name, results)
}

// conformance checks the server of the command line, or a client.
func conformance(c *cli.Context, o conform.Options) (results []conform.Result, name string, err error) {
	if addr := c.String("listen"); addr != "" {
		if err := want(c.Args().Slice(), 0, 0, "no address with --listen"); err != nil {
			return nil, "", err
		}
		stream, err := acceptOne(c, addr)
		if err != nil {
			return nil, "", err
		}
		defer stream.Close()
		results, err := conform.Serve(c.Context, stream, o)
		return results, "client", ranInto(c.Context, err)
	}
	t, args, err := targetOf(c)
	if err != nil {
		return nil, "", err
	}
	if err := want(args, 0, 0, "no further arguments"); err != nil {
		return nil, "", err
	}
	conn, err := t.dial(c.Context)
	if err != nil {
		return nil, "", err
	}
	o.Dialect = conn.Dialect().Family()
	_ = conn.Close()
	o.Open = func(ctx context.Context, port string) (net.Conn, error) {
		if port == "" {
			return t.open(ctx)
		}
		host, _, err := net.SplitHostPort(t.addr)
		if err != nil {
			return nil, err
		}
		return transport.Dial(ctx, "tcp", net.JoinHostPort(host, port), &t.dialer.Options)
	}
	results, err = conform.Run(c.Context, o)
	return results, t.String(), ranInto(c.Context, err)
}

// ranInto is what an error means that has ended a run.
func ranInto(ctx context.Context, err error) error {
	if err != nil && ctx.Err() == nil {
		return coded{err, exitConnection}
	}
	return err
}

// acceptOne waits for one client.
func acceptOne(c *cli.Context, addr string) (net.Conn, error) {
	network := "tcp"
	if path, ok := strings.CutPrefix(addr, "unix:"); ok {
		network, addr = "unix", path
	}
	l, err := transport.Listen(c.Context, network, addr)
	if err != nil {
		return nil, coded{err, exitFailed}
	}
	defer l.Close()
	defer context.AfterFunc(c.Context, func() { _ = l.Close() })()
	fmt.Fprintln(c.App.ErrWriter, "READY", l.Addr())
	stream, err := l.Accept()
	if err != nil {
		return nil, coded{err, exitFailed}
	}
	return stream, nil
}

func reportConformance(c *cli.Context, name string, results []conform.Result) error {
	for flag, write := range map[string]func(io.Writer) error{
		"junit":       func(w io.Writer) error { return conform.WriteJUnit(w, "RPyC: "+name, results) },
		"write-known": func(w io.Writer) error { return conform.WriteKnown(w, results) },
	} {
		if path := c.String(flag); path != "" {
			if err := writeFile(path, write); err != nil {
				return coded{err, exitFailed}
			}
		}
	}
	var err error
	if c.Bool("json") {
		enc := json.NewEncoder(c.App.Writer)
		enc.SetIndent("", "  ")
		err = enc.Encode(map[string]any{"counts": conform.Counts(results), "results": results})
	} else {
		err = conform.WriteText(c.App.Writer, results, c.Bool("all"))
	}
	if n := conform.Counts(results)[conform.Failed]; n > 0 && err == nil {
		err = coded{fmt.Errorf("%d checks have failed", n), exitException}
	}
	return err
}

func writeFile(path string, write func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(write(f), f.Close())
}

func printNames(w io.Writer) error {
	names := conform.Names()
	sorted := make([]string, 0, len(names))
	for n := range names {
		sorted = append(sorted, n)
	}
	slices.Sort(sorted)
	for _, n := range sorted {
		if _, err := fmt.Fprintln(w, n); err != nil {
			return err
		}
	}
	return nil
}

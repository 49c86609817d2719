package main

import (
	"context"
	"errors"
	"fmt"
	"go/token"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/registry"
)

func clientCommand() *cli.Command {
	return &cli.Command{
		Name:  "client",
		Usage: "write a typed Go client of a running service, or of a Python file",
		Description: `Connects to a service and writes a Go type with a method per exposed method, over netref.Call.
No method of the service is called; what its names, INSPECT and, where allowed, the functions'
code objects and annotations tell is used.

A stock RPyC service tells names and docstrings and no more: its methods become
"Name(ctx, args ...any) (any, error)". Parameters and types are known if the service allows all
attributes (protocol_config={"allow_all_attrs": True}: enough to do it while developing), or if
a docstring begins with a signature, such as "add(a: int, b: int = 1) -> int". int, float, str,
bytes, bool, list, dict, set, Optional, Iterator, Callable, datetime and timedelta have Go types,
and so has each class that is mentioned and has exposed methods; other objects are
*netref.Object, the rest is any.

With --source, a Python file is read in place of a live service, nothing of it being run: a
service's source, or a stub, such as rpyc_stubs pyi writes of a Go service.

What the service sends is not trusted: names that are no identifiers are left out, and texts
end up in comments.

   rpyc_stubs client --port 18861 --package shop --type Basket --output basket.go
   rpyc_stubs client --source shop.py --class ShopService --package shop --output shop.go`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "host", Value: "localhost", Usage: "the service is on `HOST`"},
			&cli.IntFlag{Name: "port", Aliases: []string{"p"}, Value: 18861, Usage: "`PORT` of the service"},
			&cli.StringFlag{Name: "unix", Usage: "`PATH` of the service's Unix socket, in place of host and port"},
			&cli.StringFlag{Name: "service",
				Usage: "`NAME` under which a registry knows the service, in place of host and port"},
			&cli.StringFlag{Name: "registry", Usage: "`HOST[:PORT]` of the registry for --service (default: whichever answers " +
				"a broadcast)"},
			&cli.StringFlag{Name: "source", Usage: "read a Python `FILE`, .py or .pyi, and connect to nothing"},
			&cli.StringFlag{Name: "class", Usage: "`NAME` of the class in the source, if it has several"},
			&cli.StringFlag{Name: "attribute", Usage: "write the client of `NAME`, an attribute of the root, such as db.users"},
			&cli.StringFlag{Name: "package", Usage: "`NAME` of the Go package (default: $GOPACKAGE, which go generate sets, " +
				"or main)"},
			&cli.StringFlag{Name: "type", Usage: "`NAME` of the Go type (default: the class's name without Service)"},
			&cli.StringFlag{Name: "prefix", Value: exposed.DefaultPrefix, Usage: "`TEXT` that the names of exposed " +
				"attributes begin with"},
			&cli.BoolFlag{Name: "public", Usage: "take public names too, for services with allow_public_attrs"},
			&cli.DurationFlag{Name: "timeout", Value: 30 * time.Second, Usage: "`DURATION` that the whole of it may take"},
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Value: "-", Usage: "write to `FILE`, - for stdout"},
			&cli.BoolFlag{Name: "check", Usage: "write nothing; exit with 3 if the file is not up to date"},
		},
		Action: runClient,
	}
}

func runClient(c *cli.Context) error {
	if c.Args().Present() {
		return usage("what is %q? (try --help)", c.Args().First())
	}
	pkg, typ := c.String("package"), c.String("type")
	if pkg == "" {
		pkg = os.Getenv("GOPACKAGE")
	}
	if pkg == "" {
		pkg = "main"
	}
	for flag, name := range map[string]string{"package": pkg, "type": typ} {
		if name != "" && (!token.IsIdentifier(name) || name == "_") {
			return usage("--%s: %q is no Go identifier", flag, name)
		}
	}
	if c.Bool("check") && c.String("output") == "-" {
		return usage("--check needs a file to compare with")
	}
	if p := c.Int("port"); p < 1 || p > 65535 {
		return usage("--port: %d is no port", p)
	}
	ctx, cancel := context.WithTimeout(c.Context, c.Duration("timeout"))
	defer cancel()
	if c.String("registry") != "" && c.String("service") == "" {
		return usage("--registry needs --service, the name to ask it for")
	}
	if c.String("class") != "" && c.String("source") == "" {
		return usage("--class needs --source; --type names the Go type")
	}
	explore := exploreService
	if c.String("source") != "" {
		for _, flag := range []string{"host", "port", "unix", "service", "attribute"} {
			if c.IsSet(flag) {
				return usage("--%s: nothing is connected to with --source", flag)
			}
		}
		explore = exploreFile
	}
	r, err := explore(ctx, c)
	if err != nil {
		return err
	}
	if len(r.members) == 0 {
		return fmt.Errorf("the object of class %q exposes nothing (is --prefix right? a classic server needs --attribute "+
			"and --public)", r.class)
	}
	for _, name := range r.skipped {
		fmt.Fprintf(c.App.ErrWriter, "rpyc_stubs: left out %s: no identifier\n", name)
	}
	if typ == "" {
		typ = typeName(r.class)
	}
	text, err := writeClient(r, pkg, typ)
	if err != nil {
		return err
	}
	return emit(c, "", "", text)
}

// dial connects to what the flags name.
func dial(ctx context.Context, c *cli.Context) (*protocol.Conn, error) {
	switch name, path := c.String("service"), c.String("unix"); {
	case name != "":
		return protocol.DialByService(ctx, name,
			&protocol.Discovery{Registrar: &registry.UDPClient{Addr: c.String("registry")}})
	case path != "":
		return protocol.Dial(ctx, "unix", path, nil)
	}
	return protocol.Dial(ctx, "tcp", net.JoinHostPort(c.String("host"), strconv.Itoa(c.Int("port"))), nil)
}

func exploreFile(_ context.Context, c *cli.Context) (*remote, error) {
	e := &explorer{prefix: c.String("prefix"), public: c.Bool("public")}
	return e.exploreSource(c.String("source"), c.String("class"))
}

func exploreService(ctx context.Context, c *cli.Context) (r *remote, err error) {
	conn, err := dial(ctx, c)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, conn.CloseNow()) }()
	o, err := attribute(ctx, conn.Root(), c.String("attribute"))
	if err != nil {
		return nil, err
	}
	e := &explorer{prefix: c.String("prefix"), public: c.Bool("public")}
	return e.explore(ctx, o)
}

// attribute finds what --attribute names; the object itself if that is empty.
func attribute(ctx context.Context, o *netref.Object, path string) (_ *netref.Object, err error) {
	if path == "" {
		return o, nil
	}
	for name := range strings.SplitSeq(path, ".") {
		if o, err = netref.Get[*netref.Object](ctx, o, name); err != nil {
			return nil, fmt.Errorf("--attribute %s: %w", path, err)
		}
	}
	return o, nil
}

// typeName makes a Go type name of a Python class's.
func typeName(class string) string {
	name := class[strings.LastIndexByte(class, '.')+1:]
	if bare := strings.TrimSuffix(name, "Service"); bare != "" {
		name = bare
	}
	if name = camel(name); !token.IsIdentifier(name) || !token.IsExported(name) || len(name) > 100 {
		return "Client"
	}
	return name
}

package main

import (
	"context"
	"errors"
	"fmt"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/gorpyc/gorpyc/cmd/internal/inspect"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/exposed"
)

func serverCommand() *cli.Command {
	return &cli.Command{
		Name:      "server",
		Usage:     "write a Go skeleton of a Python service",
		ArgsUsage: "FILE.py | HOST:PORT",
		Description: `Reads a Python file, of which nothing is run, or asks a running service, and writes a Go program
that serves the same names to the same clients: keyword arguments, defaults, docstrings,
properties, classes, exceptions. Bodies are to be written: until then they raise a
NotImplementedError, with the Python source above as a comment. What cannot be translated is
told on stderr, and at the top of service.go.

   service.go        the types and methods, to be completed
   python.go         what Python sees of them: names, defaults, documentation
   main.go           the server; without package main a func that makes it
   service_test.go   makes the same calls to the Python service and to this one

A running service tells less: without types unless it allows all attributes, and no bodies.

   rpyc_stubs server shop.py -o shop/
   rpyc_stubs server localhost:18861 -o shop/`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write into the directory `DIR` (default: the " +
				"file's name without .py, or service)"},
			&cli.StringFlag{Name: "package", Value: "main", Usage: "`NAME` of the Go package"},
			&cli.StringFlag{Name: "module", Usage: "`NAME` of the Python module, which clients see in names of classes and " +
				"exceptions (default: __main__ if the file starts a server itself, otherwise the file's name)"},
			&cli.BoolFlag{Name: "force", Usage: "overwrite files"},
			&cli.StringFlag{Name: "unix", Usage: "`PATH` of a running service's Unix socket, in place of HOST:PORT"},
			&cli.BoolFlag{Name: "classic", Usage: "the running server is a classic one: --attribute names what to read"},
			&cli.StringFlag{Name: "attribute", Usage: "read `NAME`, an attribute of the running " +
				"service's root, such as db.users"},
			&cli.StringFlag{Name: "prefix", Value: exposed.DefaultPrefix, Usage: "`TEXT` that the names of exposed " +
				"attributes begin with, of a running service"},
			&cli.BoolFlag{Name: "public", Usage: "take public names too, of a running service"},
			&cli.DurationFlag{Name: "timeout", Value: 30 * time.Second, Usage: "`DURATION` that asking a running service " +
				"may take"},
		},
		Action: runServer,
	}
}

func runServer(c *cli.Context) error {
	if c.NArg() > 1 {
		return usage("want one Python file or address, not %q", c.Args().Slice())
	}
	source := c.Args().First()
	if (source == "") == (c.String("unix") == "") {
		return usage("want a Python file, HOST:PORT or --unix (try --help)")
	}
	pkg := c.String("package")
	if !token.IsIdentifier(pkg) || pkg == "_" {
		return usage("--package: %q is no Go identifier", pkg)
	}
	if name := c.String("module"); name != "" && !dotted(name) {
		return usage("--module: %q is no module's name", name)
	}
	m, dir, err := moduleOf(c, source)
	if err != nil {
		return err
	}
	if given := c.String("output"); given != "" {
		dir = given
	}
	original := ""
	if m.tree != nil {
		if original, err = relative(dir, source); err != nil {
			return err
		}
	}
	files, err := writeSkeleton(m, pkg, original)
	if err != nil {
		return err
	}
	if err := writeAll(dir, files, c.Bool("force")); err != nil {
		return err
	}
	for _, line := range (&skeleton{m: m}).notes() {
		fmt.Fprintf(c.App.ErrWriter, "rpyc_stubs: %s: %s\n", source, line)
	}
	if hint := moduleHint(dir); hint != "" {
		fmt.Fprint(c.App.ErrWriter, hint)
	}
	return nil
}

// moduleOf reads what the command line names, and says where to write by default.
func moduleOf(c *cli.Context, source string) (m *pyModule, dir string, err error) {
	stem := strings.TrimSuffix(filepath.Base(source), filepath.Ext(source))
	_, _, isAddress := strings.Cut(source, ":")
	if _, err := os.Stat(source); source != "" && (err == nil || !isAddress || strings.HasSuffix(source, ".py")) {
		m, err = readModule(source, c.String("module"))
		return m, stem, err
	}
	m, err = liveModule(c, source)
	return m, "service", err
}

// relative is the way from a directory to a file.
func relative(dir, file string) (string, error) {
	from, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	to, err := filepath.Abs(file)
	if err != nil {
		return "", err
	}
	return filepath.Rel(from, to)
}

// writeAll writes the files of a skeleton, all or none.
func writeAll(dir string, files []generated, force bool) error {
	for _, f := range files {
		path := filepath.Join(dir, f.name)
		if _, err := os.Lstat(path); err == nil && !force {
			return fmt.Errorf("%s exists: nothing is written (--force overwrites)", shown(path))
		} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, f := range files {
		if err := replace(filepath.Join(dir, f.name), f.text); err != nil {
			return err
		}
	}
	return nil
}

// moduleHint says how to make a Go module of a directory that is in none.
func moduleHint(dir string) string {
	path, err := filepath.Abs(dir)
	if err != nil {
		return ""
	}
	for at := path; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
			return ""
		}
		if at == filepath.Dir(at) {
			break
		}
	}
	return fmt.Sprintf("rpyc_stubs: %s is in no Go module; to make one, with gorpyc beside it:\n"+
		"   cd %s && go mod init example.org/%s &&\n"+
		"   go mod edit -require github.com/gorpyc/gorpyc@v0.1.0 -replace github.com/gorpyc/gorpyc=../gorpyc && go "+
		"mod tidy\n",
		dir, dir, filepath.Base(path))
}

// liveModule asks a running service.
func liveModule(c *cli.Context, address string) (m *pyModule, err error) {
	ctx, cancel := context.WithTimeout(c.Context, c.Duration("timeout"))
	defer cancel()
	network := "tcp"
	if path := c.String("unix"); path != "" {
		network, address = "unix", path
	}
	conn, err := protocol.Dial(ctx, network, address, nil)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, conn.CloseNow()) }()
	e := &explorer{prefix: c.String("prefix"), public: c.Bool("public") || c.Bool("classic")}
	o := conn.Root()
	path := c.String("attribute")
	if c.Bool("classic") {
		if path == "" {
			return nil, usage("--classic needs --attribute, the module or object to read")
		}
		module, rest, _ := strings.Cut(path, ".")
		if o, err = netref.Call[*netref.Object](ctx, o, "getmodule", module); err != nil {
			return nil, fmt.Errorf("--attribute %s: %w", path, err)
		}
		path = rest
	}
	if o, err = attribute(ctx, o, path); err != nil {
		return nil, err
	}
	r, err := e.explore(ctx, o)
	if err != nil {
		return nil, err
	}
	return fromRemote(r, c.String("module"))
}

// fromRemote makes a module of what a running service tells.
func fromRemote(r *remote, name string) (*pyModule, error) {
	module, _, _ := strings.Cut(r.class, ".")
	if i := strings.LastIndexByte(r.class, '.'); i >= 0 {
		module = r.class[:i]
	}
	if name == "" {
		name = module
	}
	m := &pyModule{path: "the running service", name: name, imports: map[string]string{}, aliases: map[string]string{},
		byName: map[string]*pyType{}}
	add := func(r *remote, kind typeKind) *pyType {
		name := r.class[strings.LastIndexByte(r.class, '.')+1:]
		if !inspect.IsName(name) || m.byName[name] != nil {
			return nil
		}
		t := &pyType{name: name, kind: kind, doc: r.doc, exposes: map[string]string{}}
		for _, member := range r.members {
			if member.data || member.class {
				f := &pyFunc{member: member, bare: member.name, exposed: true, kind: getter, live: true}
				f.doc, f.sig = "", &inspect.Signature{Result: member.typ}
				t.funcs = append(t.funcs, f)
				continue
			}
			if member.sig == nil {
				m.note(0, "%s.%s: the service does not tell its parameters", name, member.name)
			}
			t.funcs = append(t.funcs, &pyFunc{member: member, bare: member.name, exposed: true, live: true})
		}
		m.types = append(m.types, t)
		m.byName[name] = t
		return t
	}
	for _, key := range sortedKeys(r.classes) {
		if other := r.classes[key]; other != nil && other != r && len(other.members) > 0 && other.class != r.class {
			add(other, plainClass)
		}
	}
	if add(r, serviceClass) == nil {
		return nil, fmt.Errorf("the class %q of the object cannot be named in Go", r.class)
	}
	for _, name := range r.skipped {
		m.note(0, "left out %s: no identifier", name)
	}
	return m, nil
}

package main

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
	"go.starlark.net/syntax"

	"github.com/gorpyc/gorpyc/classic"
	"github.com/gorpyc/gorpyc/classic/terminal"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed"
)

func shellCommand() *cli.Command {
	return &cli.Command{
		Name: "shell", Category: groupObjects,
		Usage:     "a prompt: expressions over the service, with editing, history and completion",
		ArgsUsage: "[ADDRESS]",
		Description: `At a classic server it is the remote Python's own prompt (told by the class of its service, or --classic).

Of other services the names are variables: root is the service, add(2, 3) is root.add(2, 3). There are calls,
attributes, items and slices, literals, assignments to variables, attributes and items, del, len, str,
repr, bool, list, dict, dir and help; _ is the last value. Tab completes names. quit or Ctrl-D ends it.`,
		Flags: connectionFlags(classicFlag(),
			&cli.StringFlag{Name: "history", TakesFile: true, Usage: "keep the history in `FILE`; - keeps none (default: gorpyc_history in the user's cache directory)"},
			&cli.BoolFlag{Name: "traceback", Category: groupOutput, Usage: "print the other end's traceback of exceptions"}),
		Action: func(c *cli.Context) error {
			return connected(c, 0, 0, "no arguments", func(ctx context.Context, s *session, _ []string) error {
				lines, done := linesOf(c)
				defer done()
				if s.classic == nil && isClassic(s.Root().ClassName()) {
					s.classic = classic.New(s.Conn)
				}
				if s.classic != nil {
					return s.classic.Interact(ctx, classic.Stdio{Lines: lines, Out: c.App.Writer, Err: c.App.ErrWriter}, nil)
				}
				return (&shell{session: s, vars: map[string]any{"root": s.Root()}, errs: c.App.ErrWriter, traceback: c.Bool("traceback")}).run(ctx, lines)
			})
		},
	}
}

func isClassic(class string) bool {
	name := class[strings.LastIndexByte(class, '.')+1:]
	return name == "SlaveService" || name == "ClassicService"
}

// linesOf gives what lines are typed into: the terminal, or whatever the input is.
func linesOf(c *cli.Context) (lines classic.LineReader, done func()) {
	if in, ok := c.App.Reader.(*os.File); !ok || in != os.Stdin || !isTerminal(in) {
		return &plainLines{bufio.NewScanner(c.App.Reader)}, func() {}
	}
	t := terminal.New()
	path := c.String("history")
	if path == "" {
		if dir, err := os.UserCacheDir(); err == nil {
			path = filepath.Join(dir, "gorpyc_history")
		}
	}
	if path != "" && path != "-" {
		if f, err := os.Open(path); err == nil {
			_ = t.ReadHistory(f)
			_ = f.Close()
		}
	}
	return t, func() {
		if path != "" && path != "-" {
			if f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600); err == nil {
				_ = t.WriteHistory(f)
				_ = f.Close()
			}
		}
		_ = t.Close()
	}
}

// plainLines reads lines from what is no terminal.
type plainLines struct{ scanner *bufio.Scanner }

// ReadLine implements classic.LineReader.
func (p *plainLines) ReadLine(context.Context, string) (string, error) {
	if p.scanner.Scan() {
		return p.scanner.Text(), nil
	}
	if err := p.scanner.Err(); err != nil {
		return "", err
	}
	return "", io.EOF
}

// shell is a prompt over a service that is no interpreter.
type shell struct {
	*session
	vars      map[string]any
	errs      io.Writer
	traceback bool
}

func (s *shell) run(ctx context.Context, lines classic.LineReader) error {
	prompt := ""
	if l, ok := lines.(classic.CompletingLineReader); ok {
		l.SetCompletion(s.complete)
		defer l.SetCompletion(nil)
		prompt = ">>> "
	}
	for {
		if prompt != "" {
			s.out.printf("%s", prompt)
		}
		line, err := lines.ReadLine(ctx, prompt)
		switch {
		case errors.Is(err, io.EOF):
			if prompt != "" {
				s.out.printf("\n")
			}
			return s.out.err
		case errors.Is(err, classic.ErrInterrupt):
			s.out.printf("\n")
			continue
		case err != nil:
			return err
		}
		line = strings.TrimSpace(line)
		switch line {
		case "":
			continue
		case "quit", "exit", "quit()", "exit()":
			return s.out.err
		}
		if err := s.statement(ctx, line); err != nil {
			if s.Err() != nil || ctx.Err() != nil {
				return err
			}
			args := []string{}
			if s.traceback {
				args = append(args, "--traceback")
			}
			report(ctx, s.errs, args, err)
		}
	}
}

// statement carries a line out.
func (s *shell) statement(ctx context.Context, line string) error {
	if name, found := strings.CutPrefix(line, "del "); found {
		return s.del(ctx, name)
	}
	f, err := (&syntax.FileOptions{GlobalReassign: true}).Parse("", line+"\n", 0)
	if err != nil {
		return usage("%s", syntaxText(err))
	}
	for _, st := range f.Stmts {
		switch st := st.(type) {
		case *syntax.ExprStmt:
			v, err := s.value(ctx, st.X)
			if err != nil {
				return err
			}
			if v == nil {
				continue
			}
			s.vars["_"] = v
			if err := s.out.value(ctx, v); err != nil {
				return err
			}
		case *syntax.AssignStmt:
			if st.Op != syntax.EQ {
				return usage("only plain assignments can be made here")
			}
			v, err := s.value(ctx, st.RHS)
			if err != nil {
				return err
			}
			if err := s.assign(ctx, st.LHS, v); err != nil {
				return err
			}
		default:
			return usage("only expressions and assignments can be written here")
		}
	}
	return nil
}

func (s *shell) assign(ctx context.Context, to syntax.Expr, v any) error {
	switch to := to.(type) {
	case *syntax.Ident:
		s.vars[to.Name] = v
		return nil
	case *syntax.DotExpr:
		o, err := s.object(ctx, to.X)
		if err != nil {
			return err
		}
		return o.Set(ctx, to.Name.Name, v)
	case *syntax.IndexExpr:
		o, err := s.object(ctx, to.X)
		if err != nil {
			return err
		}
		k, err := s.value(ctx, to.Y)
		if err != nil {
			return err
		}
		return o.SetItem(ctx, k, v)
	}
	return usage("that cannot be assigned to")
}

func (s *shell) del(ctx context.Context, text string) error {
	e, err := (&syntax.FileOptions{}).ParseExpr("", text, 0)
	if err != nil {
		return usage("%s", syntaxText(err))
	}
	switch e := e.(type) {
	case *syntax.Ident:
		if _, ok := s.vars[e.Name]; !ok {
			return usage("there is no variable %s", e.Name)
		}
		delete(s.vars, e.Name)
		return nil
	case *syntax.DotExpr:
		o, err := s.object(ctx, e.X)
		if err != nil {
			return err
		}
		return o.Del(ctx, e.Name.Name)
	case *syntax.IndexExpr:
		o, err := s.object(ctx, e.X)
		if err != nil {
			return err
		}
		k, err := s.value(ctx, e.Y)
		if err != nil {
			return err
		}
		return o.DelItem(ctx, k)
	}
	return usage("that cannot be deleted")
}

func (s *shell) object(ctx context.Context, e syntax.Expr) (*netref.Object, error) {
	v, err := s.value(ctx, e)
	if err != nil {
		return nil, err
	}
	if o, ok := v.(*netref.Object); ok {
		return o, nil
	}
	return nil, usage("%s is a value of ours, and no object of the service", exposed.TypeName(v))
}

func (s *shell) value(ctx context.Context, e syntax.Expr) (any, error) {
	return evaluate(e, func(e syntax.Expr) (any, error) {
		switch e := e.(type) {
		case *syntax.Ident:
			if v, ok := s.vars[e.Name]; ok {
				return v, nil
			}
			return s.Root().Get(ctx, e.Name)
		case *syntax.DotExpr:
			o, err := s.object(ctx, e.X)
			if err != nil {
				return nil, err
			}
			return o.Get(ctx, e.Name.Name)
		case *syntax.IndexExpr:
			o, err := s.object(ctx, e.X)
			if err != nil {
				return nil, err
			}
			k, err := s.value(ctx, e.Y)
			if err != nil {
				return nil, err
			}
			return o.Item(ctx, k)
		case *syntax.SliceExpr:
			return s.slice(ctx, e)
		case *syntax.CallExpr:
			return s.callExpr(ctx, e)
		case *syntax.BinaryExpr:
			a, err := s.value(ctx, e.X)
			if err != nil {
				return nil, err
			}
			b, err := s.value(ctx, e.Y)
			if err != nil {
				return nil, err
			}
			if _, ok := a.(*netref.Object); !ok {
				if _, ok := b.(*netref.Object); !ok {
					return nil, usage("operators are for objects of the service")
				}
			}
			return netref.Op[any](ctx, a, e.Op.String(), b)
		}
		return nil, usage("that cannot be evaluated here")
	})
}

func (s *shell) slice(ctx context.Context, e *syntax.SliceExpr) (any, error) {
	o, err := s.object(ctx, e.X)
	if err != nil {
		return nil, err
	}
	var bounds []any
	for _, b := range []syntax.Expr{e.Lo, e.Hi, e.Step} {
		var v any
		if b != nil {
			if v, err = s.value(ctx, b); err != nil {
				return nil, err
			}
		}
		bounds = append(bounds, v)
	}
	return o.Item(ctx, netref.Slice(bounds...))
}

func (s *shell) callExpr(ctx context.Context, e *syntax.CallExpr) (any, error) {
	var args []any
	for _, a := range e.Args {
		if b, ok := a.(*syntax.BinaryExpr); ok && b.Op == syntax.EQ {
			v, err := s.value(ctx, b.Y)
			if err != nil {
				return nil, err
			}
			args = append(args, netref.Kw(b.X.(*syntax.Ident).Name, v))
			continue
		}
		v, err := s.value(ctx, a)
		if err != nil {
			return nil, err
		}
		args = append(args, v)
	}
	switch f := e.Fn.(type) {
	case *syntax.DotExpr: // in one round trip
		o, err := s.object(ctx, f.X)
		if err != nil {
			return nil, err
		}
		return o.CallMethod(ctx, f.Name.Name, args...)
	case *syntax.Ident:
		if v, own := s.vars[f.Name]; own {
			if o, ok := v.(*netref.Object); ok {
				return o.Call(ctx, args...)
			}
			return nil, usage("%s cannot be called", f.Name)
		}
		if b := builtins[f.Name]; b != nil && len(args) <= 1 {
			var arg any = s.Root()
			if len(args) == 1 {
				arg = args[0]
			}
			return b(ctx, s, arg)
		}
		return s.Root().CallMethod(ctx, f.Name, args...)
	}
	o, err := s.object(ctx, e.Fn)
	if err != nil {
		return nil, err
	}
	return o.Call(ctx, args...)
}

// builtins are functions of the prompt itself. Without an argument they are about the service.
var builtins map[string]func(ctx context.Context, s *shell, v any) (any, error)

func init() {
	onObject := func(f func(context.Context, *netref.Object) (any, error)) func(context.Context, *shell, any) (any, error) {
		return func(ctx context.Context, _ *shell, v any) (any, error) {
			if o, ok := v.(*netref.Object); ok {
				return f(ctx, o)
			}
			return nil, usage("that is a value of ours, and no object of the service")
		}
	}
	builtins = map[string]func(context.Context, *shell, any) (any, error){
		"dir": onObject(func(ctx context.Context, o *netref.Object) (any, error) {
			names, err := o.Dir(ctx)
			list := make([]any, len(names))
			for i, n := range names {
				list[i] = n
			}
			return list, err
		}),
		"len":  onObject(func(ctx context.Context, o *netref.Object) (any, error) { n, err := o.Len(ctx); return int64(n), err }),
		"bool": onObject(func(ctx context.Context, o *netref.Object) (any, error) { return o.Bool(ctx) }),
		"list": onObject(func(ctx context.Context, o *netref.Object) (any, error) { return netref.As[[]any](ctx, o) }),
		"dict": onObject(func(ctx context.Context, o *netref.Object) (any, error) { return netref.As[map[any]any](ctx, o) }),
		"str":  func(ctx context.Context, _ *shell, v any) (any, error) { return exposed.Str(ctx, v) },
		"repr": func(ctx context.Context, _ *shell, v any) (any, error) { return exposed.Repr(ctx, v) },
		"help": func(ctx context.Context, s *shell, v any) (any, error) {
			o, ok := v.(*netref.Object)
			if !ok {
				return nil, usage("that is a value of ours, and no object of the service")
			}
			doc, err := o.Doc(ctx)
			if err == nil {
				s.out.printf("%s: %s\n%s", "class", o.ClassName(), indented(doc, "    "))
			}
			return nil, err
		},
	}
}

// complete returns what a dotted name can be completed to.
func (s *shell) complete(ctx context.Context, word string) []string {
	o, head, start := s.Root(), "", word
	var found []string
	if dot := strings.LastIndexByte(word, '.'); dot >= 0 {
		head, start = word[:dot+1], word[dot+1:]
		e, err := (&syntax.FileOptions{}).ParseExpr("", word[:dot], 0)
		if err != nil {
			return nil
		}
		v, err := s.value(ctx, e) // names and dots alone: nothing is called
		if err != nil {
			return nil
		}
		var ok bool
		if o, ok = v.(*netref.Object); !ok {
			return nil
		}
	} else {
		for name := range s.vars {
			found = append(found, name)
		}
		for name := range builtins {
			found = append(found, name+"(")
		}
	}
	if list, err := members(ctx, o, strings.HasPrefix(start, "_")); err == nil {
		for _, m := range list {
			name := m.Name
			if m.Method {
				name += "("
			}
			found = append(found, name)
		}
	}
	var out []string
	for _, name := range found {
		if strings.HasPrefix(name, start) {
			out = append(out, head+name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

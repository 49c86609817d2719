package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"

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
		Description: `At a classic server it is the remote Python's own prompt (told by its service's class, or --classic).

Of other services the names are variables: root is the service, add(2, 3) is root.add(2, 3). There are calls,
attributes, items and slices, literals, assignments to variables, attributes and items, del, len, str,
repr, bool, list, dict, dir and help; _ is the last value. Tab completes names. Ctrl-C gives up a call, quit or Ctrl-D
ends it. A remote Python hears of Ctrl-C when it prints something; the second one leaves.`,
		Flags: connectionFlags(classicFlag(),
			&cli.StringFlag{Name: "history", TakesFile: true, Usage: "keep the history in `FILE`; - keeps none (default: " +
				"gorpyc_history in the user's cache directory)"},
			&cli.BoolFlag{Name: "traceback", Category: groupOutput, Usage: "print the other end's traceback of exceptions"}),
		Action: func(c *cli.Context) error {
			return connected(c, 0, 0, "no arguments", func(ctx context.Context, s *session, _ []string) error {
				lines, done := linesOf(c)
				defer done()
				if s.classic == nil && isClassic(s.Root().ClassName()) {
					s.classic = classic.New(s.Conn)
				}
				if s.classic != nil {
					ctx, cancel := context.WithCancelCause(ctx)
					defer cancel(nil)
					r := &remoteInterrupt{giveUp: func() { cancel(coded{errInterrupted, exitInterrupted}) }, errs: c.App.ErrWriter}
					defer onInterrupt(ctx, r.interrupt)()
					err := s.classic.Interact(ctx, classic.Stdio{Lines: r.lines(lines), Out: r.writer(c.App.Writer),
						Err: r.writer(c.App.ErrWriter)}, nil)
					if ctx.Err() != nil {
						_ = s.CloseNow() // the server is busy, and would not answer
						return context.Cause(ctx)
					}
					return err
				}
				return (&shell{session: s, vars: map[string]any{"root": s.Root()}, errs: c.App.ErrWriter,
					traceback: c.Bool("traceback")}).run(ctx, lines)
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
	cancel    atomic.Pointer[func()] // ends the statement that runs; nil if none does
}

func (s *shell) run(ctx context.Context, lines classic.LineReader) error {
	prompt := ""
	if l, ok := lines.(classic.CompletingLineReader); ok {
		l.SetCompletion(s.complete)
		defer l.SetCompletion(nil)
		prompt = ">>> "
	}
	defer onInterrupt(ctx, func() {
		if cancel := s.cancel.Load(); cancel != nil {
			(*cancel)()
		} else { // the editor does not see to it yet
			fmt.Fprintf(s.out.w, "\n%s", prompt)
		}
	})()
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
		if err := s.interruptible(ctx, line); err != nil {
			return err
		}
	}
}

// interruptible carries a line out until Ctrl-C, and tells what was wrong with it. It returns an error if the shell has
// to end.
func (s *shell) interruptible(ctx context.Context, line string) error {
	of, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := (func())(cancel)
	s.cancel.Store(&stop)
	err := s.statement(of, line)
	s.cancel.Store(nil)
	switch {
	case err == nil:
		return nil
	case s.Err() != nil || ctx.Err() != nil:
		return err
	}
	var args []string
	if s.traceback {
		args = append(args, "--traceback")
	}
	report(of, s.errs, args, err)
	return nil
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

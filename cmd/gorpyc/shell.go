package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/gorpyc/gorpyc/classic"
	"github.com/gorpyc/gorpyc/classic/script"
	"github.com/gorpyc/gorpyc/classic/terminal"
	"github.com/gorpyc/gorpyc/cmd/internal/inspect"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/urfave/cli/v2"
)

func shellCommand() *cli.Command {
	return &cli.Command{
		Name: "shell", Category: groupObjects,
		Usage:     "a prompt: expressions over the service, with editing, history and completion",
		ArgsUsage: "[ADDRESS]",
		Description: `At a classic server it is the remote Python's own prompt (told by its service's class, or --classic).

Of other services the names are variables: root is the service, add(2, 3) is root.add(2, 3). Everything else is done
here, in the dialect of Python that Go's classic server has: arithmetic, f-strings, comprehensions, for, if, def, and
Python's builtin functions, which the names of the service come before; dir and help are about the service if nothing
else is named; _ is the last value. Tab completes names. Ctrl-C gives up a call, quit or Ctrl-D ends it.
A remote Python hears of Ctrl-C when it prints something; the second one leaves.`,
		Flags: callingFlags(classicFlag(),
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
				return newShell(ctx, s, c.App.ErrWriter, c.Bool("traceback")).run(ctx, lines)
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

// shell is a prompt over a service that is no interpreter: package script runs what is typed, with the names of the
// service as builtins.
type shell struct {
	*session
	vars      *exposed.Dict
	eval      *script.Evaluator
	names     map[string]bool // of the service
	local     func(name string) (any, bool)
	errs      io.Writer
	traceback bool
	last      *netref.Object // what was read from the service last, and its name there
	lastName  string
	ctx       atomic.Pointer[context.Context] // of the statement that runs; nil if none does
	cancel    atomic.Pointer[func()]          // ends it
}

func newShell(ctx context.Context, of *session, errs io.Writer, traceback bool) *shell {
	s := &shell{session: of, vars: exposed.NewDict(), names: map[string]bool{}, errs: errs, traceback: traceback}
	s.local = localBuiltins(of.out.w, errs)
	s.eval = script.New(s.vars, &script.Limits{Steps: -1, Time: -1})
	s.eval.Importer = func(name string) (any, error) {
		if name == "builtins" {
			return (*shellBuiltins)(s), nil
		}
		return nil, vinegar.ModuleNotFoundError.New("there are no modules at this prompt, but at a classic server's")
	}
	list, _ := members(ctx, of.Root(), true) // what it does not list can be reached by root.name
	for _, m := range list {
		s.names[strings.TrimPrefix(m.Name, exposed.DefaultPrefix)] = true
	}
	for name, v := range map[string]any{"root": of.Root(), "dir": exposed.Func(s.dir, "of=None").Named("dir"),
		"help": exposed.Func(s.help, "about=None").Named("help")} {
		_ = s.vars.Set(ctx, name, v) // a str can be a key
	}
	return s
}

// shellBuiltins are the names that are no variables: those of the service, and Python's.
type shellBuiltins shell

// PyGetAttr implements exposed.AttrGetter.
func (b *shellBuiltins) PyGetAttr(ctx context.Context, name string) (any, error) {
	if own := b.ctx.Load(); own != nil {
		ctx = *own
	}
	v, local := b.local(name)
	if local && !b.names[name] {
		return v, nil
	}
	v, err := b.Root().Get(ctx, name)
	if o, ok := v.(*netref.Object); ok {
		b.last, b.lastName = o, name
	}
	return v, err
}

func (s *shell) dir(ctx context.Context, of any) (any, error) {
	if of == nil {
		of = s.Root()
	}
	names, err := exposed.Dir(ctx, nil, of)
	list := exposed.NewList()
	for _, name := range names {
		list.Append(name)
	}
	return list, err
}

func (s *shell) help(ctx context.Context, about any) error {
	if about == nil {
		about = s.Root()
	}
	o, ok := about.(*netref.Object)
	if !ok {
		return vinegar.TypeError.New("that is a value of ours, and no object of the service")
	}
	doc, err := o.Doc(ctx)
	if err != nil {
		return err
	}
	d := described{Class: o.ClassName(), Doc: doc, Kind: s.kind(ctx, o)}
	if d.Kind != kindAttribute {
		d.Name, _ = netref.Get[string](ctx, o, "__name__") // most services keep it
		if d.Name == "" && o == s.last {
			d.Name = s.lastName
		}
		d.Signature = s.signature(ctx, o, d.Name, d.Doc)
	}
	s.out.described(d)
	return nil
}

func (s *shell) run(ctx context.Context, lines classic.LineReader) error {
	prompt, more := "", ""
	if l, ok := lines.(classic.CompletingLineReader); ok {
		l.SetCompletion(s.complete)
		defer l.SetCompletion(nil)
		prompt, more = ">>> ", "... "
	}
	defer onInterrupt(ctx, func() {
		if cancel := s.cancel.Load(); cancel != nil {
			(*cancel)()
		} else { // the editor does not see to it yet
			fmt.Fprintf(s.out.w, "\n%s", prompt)
		}
	})()
	for typed := []string{}; ; {
		p := prompt
		if len(typed) > 0 {
			p = more
		}
		if p != "" {
			s.out.printf("%s", p)
		}
		line, err := lines.ReadLine(ctx, p)
		switch {
		case errors.Is(err, io.EOF):
			if prompt != "" {
				s.out.printf("\n")
			}
			if len(typed) > 0 { // Python's prompt takes the end for the empty line as well
				if _, err := s.interruptible(ctx, strings.Join(typed, "\n")+"\n"); err != nil {
					return err
				}
			}
			return s.out.err
		case errors.Is(err, classic.ErrInterrupt):
			s.out.printf("\n")
			typed = typed[:0]
			continue
		case err != nil:
			return err
		}
		if len(typed) == 0 {
			switch line = strings.TrimSpace(line); line {
			case "":
				continue
			case "quit", "exit", "quit()", "exit()":
				return s.out.err
			}
		}
		typed = append(typed, line)
		incomplete, err := s.interruptible(ctx, strings.Join(typed, "\n"))
		if err != nil {
			return err
		}
		if !incomplete {
			typed = typed[:0]
		}
	}
}

// interruptible carries out what was typed until Ctrl-C, and tells what was wrong with it. incomplete says that it goes
// on in the next line. It returns an error if the shell has to end.
func (s *shell) interruptible(ctx context.Context, typed string) (incomplete bool, err error) {
	of, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := (func())(cancel)
	s.cancel.Store(&stop)
	s.ctx.Store(&of)
	incomplete, err = s.eval.Interactive(of, typed, nil, s.show)
	s.ctx.Store(nil)
	s.cancel.Store(nil)
	switch {
	case err == nil:
		return incomplete, nil
	case ctx.Err() != nil:
		return false, err
	case s.Err() != nil: // the error of a program does not tell
		return false, coded{s.Err(), exitConnection}
	}
	var args []string
	if s.traceback {
		args = append(args, "--traceback")
	}
	report(of, s.errs, args, err)
	return false, nil
}

func (s *shell) show(ctx context.Context, v any) error {
	if err := s.vars.Set(ctx, "_", v); err != nil {
		return err
	}
	return s.out.value(ctx, v)
}

// complete returns what a dotted name can be completed to.
func (s *shell) complete(ctx context.Context, word string) []string {
	o, head, start := s.Root(), "", word
	var found []string
	if dot := strings.LastIndexByte(word, '.'); dot >= 0 {
		head, start = word[:dot+1], word[dot+1:]
		if !inspect.IsName(strings.ReplaceAll(word[:dot], ".", "_")) {
			return nil // nothing is called
		}
		s.ctx.Store(&ctx)
		v, err := s.eval.Eval(ctx, word[:dot], nil)
		s.ctx.Store(nil)
		var ok bool
		if o, ok = v.(*netref.Object); err != nil || !ok {
			return nil
		}
	} else {
		for _, name := range s.vars.Keys() {
			found = append(found, fmt.Sprint(name))
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

// Package script runs program text for classic servers: what a client sends to eval and execute. The language is
// Starlark (go.starlark.net), a dialect of Python that can be stopped and has no way out of the process, with the
// values and operators of package exposed, which are Python's. The page DIALECT.md beside this file says what it lacks.
//
// A program reads and writes the names of a namespace, a dict that the client sees as conn.namespace: names are looked up when
// they are used, so that functions see what is assigned later, as in Python.
package script

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// Limits bound what one call of eval, execute or of a function defined by them may use. Zero fields mean the default.
type Limits struct {
	// Steps bounds the number of elementary operations; 0 means 100,000,000, negative no limit. More is a RuntimeError.
	Steps int64
	// Time bounds the duration; 0 means 10 minutes, negative no limit. More is a TimeoutError.
	Time time.Duration
	// Depth bounds calls within calls; 0 means 1000 (sys.getrecursionlimit). More is a RecursionError.
	Depth int
	// Source bounds the length of a program's text in bytes; 0 means 256 KiB. More is a MemoryError.
	Source int
}

const (
	defaultSteps  = 100_000_000
	defaultTime   = 10 * time.Minute
	defaultDepth  = 1000
	defaultSource = 256 << 10
)

// Evaluator runs programs in one namespace. It is safe for concurrent use as far as the programs are.
type Evaluator struct {
	// Importer finds modules for import statements; nil finds none. It is to be set before the first program runs.
	Importer func(name string) (any, error)

	ns     *exposed.Dict
	limits Limits
}

// New returns an evaluator whose programs use the namespace. nil limits are the defaults.
func New(namespace *exposed.Dict, l *Limits) *Evaluator {
	e := &Evaluator{ns: namespace}
	if l != nil {
		e.limits = *l
	}
	if e.limits.Steps == 0 {
		e.limits.Steps = defaultSteps
	}
	if e.limits.Time == 0 {
		e.limits.Time = defaultTime
	}
	if e.limits.Depth == 0 {
		e.limits.Depth = defaultDepth
	}
	if e.limits.Source == 0 {
		e.limits.Source = defaultSource
	}
	return e
}

// options are the parts of Starlark that are optional and that Python has.
var options = &syntax.FileOptions{Set: false, While: true, TopLevelControl: true, GlobalReassign: true, Recursion: true}

// builtin finds a name among the builtins.
func (e *Evaluator) builtin(ctx context.Context, name string) (any, error) {
	if e.Importer != nil {
		m, err := e.Importer("builtins")
		if err != nil {
			return nil, err
		}
		if v, err := exposed.GetAttr(ctx, everything, m, name); err == nil && !strings.HasPrefix(name, "__") || err == nil && name == "__import__" {
			return v, nil
		}
	}
	switch name {
	case "locals", "globals":
		return exposed.Func(func() *exposed.Dict { return e.ns }).Named(name), nil
	case "__name__":
		return "builtins", nil
	}
	return nil, nameError(name)
}

func nameError(name string) error {
	return vinegar.NameError.New("name '"+name+"' is not defined").With("name", name)
}

// Eval returns the value of an expression. globals replaces the evaluator's namespace if it is not nil.
func (e *Evaluator) Eval(ctx context.Context, source string, globals *exposed.Dict) (any, error) {
	code, err := e.prepare(strings.TrimLeft(source, " \t"))
	if err != nil {
		return nil, err
	}
	expr, err := options.ParseExpr("<string>", code, 0)
	if err != nil {
		return nil, parseError(err, source)
	}
	rw := new(rewriter)
	expr = rw.expr(expr, scope{})
	if rw.err != nil {
		return nil, rw.err
	}
	var v any
	err = e.run(ctx, globals, func(r *run) error {
		x, err := starlark.EvalExprOptions(options, r.thread, expr, r.helpers())
		if err == nil {
			v = unbox(r.out(x))
		}
		return err
	})
	return v, err
}

// Exec carries out statements. globals replaces the evaluator's namespace if it is not nil.
func (e *Evaluator) Exec(ctx context.Context, source string, globals *exposed.Dict) error {
	code, err := e.prepare(dedent(source))
	if err != nil {
		return err
	}
	file, err := options.Parse("<string>", code, 0)
	if err != nil {
		return parseError(err, source)
	}
	rw := new(rewriter)
	file.Stmts = rw.block(file.Stmts, scope{})
	if rw.err != nil {
		return rw.err
	}
	return e.run(ctx, globals, func(r *run) error {
		helpers := r.helpers()
		prog, err := starlark.FileProgram(file, helpers.Has)
		if err != nil {
			return err
		}
		_, err = prog.Init(r.thread, helpers)
		return err
	})
}

// dedent is source as it is: Python refuses a first line that is indented, too.
func dedent(source string) string { return strings.ReplaceAll(source, "\r\n", "\n") }

func (e *Evaluator) prepare(source string) (string, error) {
	if len(source) > e.limits.Source {
		return "", vinegar.MemoryError.Errorf("source of %d bytes, more than %d", len(source), e.limits.Source)
	}
	if strings.IndexByte(source, 0) >= 0 {
		return "", vinegar.ValueError.New("source code string cannot contain null bytes")
	}
	return prepare(source)
}

// run is one program that is running: a thread of Starlark's and the context of the request it runs for.
type run struct {
	ev     *Evaluator
	ns     *exposed.Dict
	ctx    context.Context
	thread *starlark.Thread
	failed error // why the program was stopped
}

type runKey struct{}

var errTime = errors.New("rpyc: the program's time is up")

// run carries a program out in a new thread, within the limits. A program that another one of this evaluator calls shares
// its thread, and so its limits.
func (e *Evaluator) run(ctx context.Context, ns *exposed.Dict, f func(r *run) error) (err error) {
	defer func() { // a program that calls the rewriter's functions itself, and wrongly
		if p := recover(); p != nil {
			err = vinegar.FromPanic(p, debug.Stack())
		}
	}()
	if ns == nil {
		ns = e.ns
	}
	if outer, ok := ctx.Value(runKey{}).(*run); ok && outer.ev == e {
		r := &run{ev: e, ns: ns, ctx: ctx, thread: outer.thread}
		return r.finish(f(r))
	}
	r := &run{ev: e, ns: ns, thread: &starlark.Thread{Name: "program"}}
	if e.limits.Steps > 0 {
		r.thread.SetMaxExecutionSteps(uint64(e.limits.Steps))
		r.thread.OnMaxSteps = func(t *starlark.Thread) {
			r.abort(vinegar.RuntimeError.Errorf("the program has taken more than %d steps", e.limits.Steps))
		}
	}
	if e.limits.Time > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, e.limits.Time, errTime)
		defer cancel()
	}
	r.ctx = context.WithValue(ctx, runKey{}, r)
	stop := context.AfterFunc(ctx, func() { r.thread.Cancel("the context has ended") })
	defer stop()
	err = r.finish(f(r))
	if err != nil && errors.Is(context.Cause(ctx), errTime) {
		return vinegar.TimeoutError.Errorf("the program has taken longer than %v", e.limits.Time)
	}
	return err
}

// abort ends the program at its next step with an exception.
func (r *run) abort(err error) {
	if outer, ok := r.ctx.Value(runKey{}).(*run); ok && outer != r {
		outer.abort(err)
		return
	}
	if r.failed == nil {
		r.failed = err
	}
	r.thread.Cancel("exception")
}

// enter is called when a function begins.
func (r *run) enter() error {
	if r.thread.CallStackDepth() > r.ev.limits.Depth {
		return vinegar.RecursionError.New("maximum recursion depth exceeded")
	}
	return nil
}

// finish makes Python's exception of the error that ended a program.
func (r *run) finish(err error) error {
	if r.failed != nil {
		return r.failed
	}
	if err == nil {
		return nil
	}
	return pythonError(err)
}

func (f *Function) call(ctx context.Context, args []any, kw []netref.Keyword) (v any, err error) {
	err = f.ev.run(ctx, f.ns, func(r *run) error {
		pos := make(starlark.Tuple, len(args))
		for i, a := range args {
			pos[i] = r.in(a)
		}
		named := make([]starlark.Tuple, len(kw))
		for i, k := range kw {
			named[i] = starlark.Tuple{starlark.String(k.Name), r.in(k.Value)}
		}
		x, err := starlark.Call(r.thread, f.fn, pos, named)
		if err == nil {
			v = unbox(r.out(x))
		}
		return err
	})
	return v, err
}

func itoa(n int) string { return fmt.Sprint(n) }

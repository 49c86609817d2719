// Package script runs program text for classic servers: what a client sends to eval and execute. The language is
// Starlark (go.starlark.net), a dialect of Python that can be stopped and has no way out of the process, with the
// values and operators of package exposed, which are Python's. The page DIALECT.md beside this file says what it lacks.
//
// The language is frozen: faults are mended, and syntax that Python has and this lacks stays out. Who needs it runs a
// CPython behind the classic server (rpyc_classic --engine python3).
//
// A program reads and writes the names of a namespace, a dict that the client sees as conn.namespace: names are looked
// up when they are used, so that functions see what is assigned later, as in Python.
package script

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"

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
	// Memory bounds in bytes by how much the live memory of the whole process may have grown since the evaluator was made,
	// looked at while a program runs: 0 means 512 MiB, negative no limit. More is a MemoryError. It is known when Go's
	// collector has run, so the process can take up to three times that for a moment.
	Memory int64
	// Source bounds the length of a program's text in bytes; 0 means 256 KiB. More is a MemoryError.
	Source int
}

const (
	defaultSteps  = 100_000_000
	defaultTime   = 10 * time.Minute
	defaultDepth  = 1000
	defaultSource = 256 << 10
	defaultMemory = 512 << 20
)

// Evaluator runs programs in one namespace. It is safe for concurrent use as far as the programs are.
type Evaluator struct {
	// Importer finds modules for import statements; nil finds none. It is to be set before the first program runs.
	Importer func(name string) (any, error)

	ns         *exposed.Dict
	limits     Limits
	generators atomic.Int64 // that have begun and not ended
	before     atomic.Int64 // the least that the process's live memory has been since the evaluator was made
}

// New returns an evaluator whose programs use the namespace. nil limits are the defaults.
func New(namespace *exposed.Dict, l *Limits) *Evaluator {
	e := &Evaluator{ns: namespace}
	e.before.Store(liveMemory())
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
	if e.limits.Memory == 0 {
		e.limits.Memory = defaultMemory
	}
	if e.limits.Source == 0 {
		e.limits.Source = defaultSource
	}
	return e
}

// options are the parts of Starlark that are optional and that Python has.
var options = &syntax.FileOptions{Set: false, While: true, TopLevelControl: true, GlobalReassign: true, Recursion: true}

// builtin finds a name among the builtins. Those that look at the namespace are made for it.
func (e *Evaluator) builtin(ns *exposed.Dict, name string) (any, error) {
	switch name {
	case "locals", "globals":
		return exposed.Func(func() *exposed.Dict { return ns }).Named(name), nil
	case "dir":
		return exposed.Func(func(ctx context.Context, of ...any) (any, error) {
			if len(of) == 0 {
				return sorted(ctx, exposed.NewList(ns.Keys()...))
			}
			names, err := exposed.Dir(ctx, nil, of[0])
			l := exposed.NewList()
			for _, n := range names {
				l.Append(n)
			}
			return l, err
		}, "*args").Named(name), nil
	}
	if e.Importer != nil {
		m, err := e.Importer("builtins")
		if err != nil {
			return nil, err
		}
		ofModule := strings.HasPrefix(name, "__") && name != "__import__" && name != "__debug__"
		if v, err := exposed.GetAttr(context.Background(), everything, m, name); err == nil && !ofModule {
			return v, nil
		}
	}
	if name == "__name__" {
		return "builtins", nil
	}
	return nil, nameError(name)
}

func sorted(ctx context.Context, l *exposed.List) (any, error) {
	_, err := exposed.CallAttr(ctx, everything, l, "sort", &exposed.Args{})
	return l, err
}

func nameError(name string) error {
	return vinegar.NameError.New("name '"+name+"' is not defined").With("name", name)
}

// Globals returns the namespace of the evaluator.
func (e *Evaluator) Globals() *exposed.Dict { return e.ns }

// Eval returns the value of an expression. globals replaces the evaluator's namespace if it is not nil.
func (e *Evaluator) Eval(ctx context.Context, source string, globals *exposed.Dict) (any, error) {
	if err := e.check(source); err != nil {
		return nil, err
	}
	expr, err := parseExpression(strings.TrimLeft(source, " \t"))
	if err != nil {
		return nil, err
	}
	rw := new(rewriter)
	expr = rw.expr(expr, scope{})
	if rw.err != nil {
		return nil, rw.err
	}
	var v any
	err = e.run(ctx, func(r *run) error {
		x, err := starlark.EvalExprOptions(options, r.thread, expr, e.helpers(globals, nil))
		if err == nil {
			v = out(x)
		}
		return err
	})
	return v, err
}

// Exec carries out statements. globals replaces the evaluator's namespace if it is not nil.
func (e *Evaluator) Exec(ctx context.Context, source string, globals *exposed.Dict) error {
	if err := e.check(source); err != nil {
		return err
	}
	return e.exec(ctx, source, globals, nil)
}

// exec carries out statements; show is for the values of those that are expressions, or nil.
func (e *Evaluator) exec(ctx context.Context, source string, globals *exposed.Dict,
	show func(ctx context.Context, v any) error) error {
	stmts, err := parseFile(source)
	if err != nil {
		return err
	}
	rw := &rewriter{show: show != nil}
	stmts = rw.block(stmts, scope{})
	if rw.err != nil {
		return rw.err
	}
	return e.run(ctx, func(r *run) error {
		helpers := e.helpers(globals, show)
		prog, err := starlark.FileProgram(&syntax.File{Path: fileName, Stmts: stmts, Options: options}, helpers.Has)
		if err != nil {
			return err
		}
		_, err = prog.Init(r.thread, helpers)
		return err
	})
}

func (e *Evaluator) check(source string) error {
	if len(source) > e.limits.Source {
		return vinegar.MemoryError.Errorf("source of %d bytes, more than %d", len(source), e.limits.Source)
	}
	if strings.IndexByte(source, 0) >= 0 {
		return vinegar.ValueError.New("source code string cannot contain null bytes")
	}
	if !utf8.ValidString(source) {
		return syntaxError("(unicode error) 'utf-8' codec can't decode bytes of the source", 1, 0, "")
	}
	return nil
}

// run is a request that a program runs for: its context, and the thread of Starlark's that the program runs in. A
// program that another one of the same evaluator calls has a run of its own in the same thread.
type run struct {
	ev     *Evaluator
	ctx    context.Context
	thread *starlark.Thread
	state  *state
}

// state is that of a thread.
type state struct {
	failed   error   // why the program was stopped, by itself or by the limits
	pending  error   // the exception of an iterator: Starlark's loops cannot fail, so it is raised after the loop
	handling []error // the exceptions of the except blocks that are running
	depth    int     // of the calls around the thread, if it is a generator's
}

// threadRun is the key of a thread's run.
const threadRun = "run"

func current(thread *starlark.Thread) *run { return thread.Local(threadRun).(*run) }

type runKey struct{}

var errTime = errors.New("rpyc: the program's time is up")

// ownKey is the key of a run whose limits a program that is run for the context does not share, though it is nested in
// it.
type ownKey struct{}

// run carries a program out in a new thread, within the limits. A program that another one of this evaluator calls
// shares its thread, and so its limits. How deep calls are nested counts across threads and evaluators: they share the
// Go stack.
func (e *Evaluator) run(ctx context.Context, f func(r *run) error) (err error) {
	defer func() { // a mistake in the rewriter
		if p := recover(); p != nil {
			err = vinegar.FromPanic(p, debug.Stack())
		}
	}()
	if ctx, err = exposed.Descend(ctx, ""); err != nil {
		return err
	}
	outer, nested := ctx.Value(runKey{}).(*run)
	if nested && outer.ev == e && ctx.Value(ownKey{}) != outer {
		if err := outer.enter(); err != nil {
			return err
		}
		r := &run{ev: e, ctx: ctx, thread: outer.thread, state: outer.state}
		before := r.thread.Local(threadRun)
		r.thread.SetLocal(threadRun, r)
		defer r.thread.SetLocal(threadRun, before)
		return r.finish(f(r))
	}
	r := e.newRun("program")
	if nested {
		r.state.depth = outer.depth()
		if err := r.enter(); err != nil {
			return err
		}
	}
	if e.limits.Time > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, e.limits.Time, errTime)
		defer cancel()
	}
	if e.limits.Memory > 0 {
		var cancel context.CancelCauseFunc
		ctx, cancel = context.WithCancelCause(ctx)
		defer cancel(nil)
		defer e.watchMemory(func() { cancel(errMemory) })()
	}
	r.ctx = exposed.WithMeter(context.WithValue(ctx, runKey{}, r), r.step)
	stop := context.AfterFunc(ctx, func() { r.thread.Cancel("the context has ended") })
	defer stop()
	err = r.finish(f(r))
	switch {
	case err == nil:
	case errors.Is(context.Cause(ctx), errTime):
		return vinegar.TimeoutError.Errorf("the program has taken longer than %v", e.limits.Time)
	case errors.Is(context.Cause(ctx), errMemory):
		return vinegar.MemoryError.Errorf("the process has grown by more than %d bytes", e.limits.Memory)
	}
	return err
}

// newRun makes a thread and its run, which lacks a context.
func (e *Evaluator) newRun(name string) *run {
	r := &run{ev: e, thread: &starlark.Thread{Name: name}, state: new(state)}
	r.thread.SetLocal(threadRun, r)
	if e.limits.Steps > 0 {
		r.thread.SetMaxExecutionSteps(uint64(e.limits.Steps))
		r.thread.OnMaxSteps = func(t *starlark.Thread) {
			r.state.failed = tooManySteps(e.limits.Steps)
			t.Cancel("too many steps")
		}
	}
	return r
}

// step counts a step of the program that Go code does for it.
func (r *run) step() error {
	t := r.thread
	if t.Steps++; r.ev.limits.Steps > 0 && t.Steps > uint64(r.ev.limits.Steps) {
		r.state.failed = tooManySteps(r.ev.limits.Steps)
		t.Cancel("too many steps")
		return r.state.failed
	}
	return nil
}

func tooManySteps(limit int64) error {
	return vinegar.RuntimeError.Errorf("the program has taken more than %d steps", limit)
}

// stopped reports whether the program has been stopped, which no except block catches.
func (r *run) stopped() bool { return r.state.failed != nil || r.ctx.Err() != nil }

// depth is how deep calls are nested.
func (r *run) depth() int { return r.thread.CallStackDepth() + r.state.depth }

// enter is called when a function begins.
func (r *run) enter() error {
	if r.depth() > r.ev.limits.Depth {
		return vinegar.RecursionError.New("maximum recursion depth exceeded")
	}
	return nil
}

// finish makes Python's exception of the error that ended a program.
func (r *run) finish(err error) error {
	if r.state.failed != nil {
		return r.state.failed
	}
	if r.state.pending != nil {
		err, r.state.pending = r.state.pending, nil
	}
	if err == nil {
		return nil
	}
	return pythonError(err)
}

func (f *Function) call(ctx context.Context, args []any, kw []netref.Keyword) (v any, err error) {
	err = f.ev.run(ctx, func(r *run) error {
		pos := make(starlark.Tuple, len(args))
		for i, a := range args {
			pos[i] = in(a)
		}
		named := make([]starlark.Tuple, len(kw))
		for i, k := range kw {
			named[i] = starlark.Tuple{starlark.String(k.Name), in(k.Value)}
		}
		x, err := starlark.Call(r.thread, f.fn, pos, named)
		if err == nil {
			v = out(x)
		}
		return err
	})
	return v, err
}

func itoa(n int) string { return fmt.Sprint(n) }

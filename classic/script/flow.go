package script

import (
	"context"

	"go.starlark.net/starlark"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// signal is what a block that is a function returns if it is left by return, break or continue.
type signal struct {
	starlark.NoneType
	kind  string
	value starlark.Value
}

// flowHelpers adds what decides where a program goes on.
func flowHelpers(raw func(string, helper)) {
	raw(enterCall, func(r *run, _ starlark.Tuple) (starlark.Value, error) { return starlark.None, r.enter() })
	raw(truthCall, func(r *run, a starlark.Tuple) (starlark.Value, error) {
		t, err := truth(r, a[0])
		return starlark.Bool(t), err
	})
	short := func(name string, goOn bool) {
		raw(name, func(r *run, a starlark.Tuple) (starlark.Value, error) {
			t, err := truth(r, a[0])
			if err != nil || t != goOn {
				return a[0], err
			}
			return starlark.Call(r.thread, a[1], nil, nil)
		})
	}
	short(bothCall, true)
	short(eitherCall, false)
	raw(chainCall, func(r *run, a starlark.Tuple) (starlark.Value, error) {
		left := a[0]
		for i := 1; ; i += 2 {
			right, err := starlark.Call(r.thread, a[i+1], nil, nil)
			if err != nil {
				return nil, err
			}
			v, err := binary(r.ctx, string(a[i].(starlark.String)), out(left), out(right))
			if err != nil || i+2 >= len(a) {
				return in(v), err
			}
			if t, err := exposed.Truth(r.ctx, v); err != nil || !t {
				return in(v), err
			}
			left = right
		}
	})
	raw(tryCall, try)
	raw(withCall, with)
	raw(signalCall, func(_ *run, a starlark.Tuple) (starlark.Value, error) {
		return &signal{kind: string(a[0].(starlark.String)), value: a[1]}, nil
	})
	raw(isSignal, func(_ *run, a starlark.Tuple) (starlark.Value, error) {
		s, ok := a[0].(*signal)
		return starlark.Bool(ok && s.kind == string(a[1].(starlark.String))), nil
	})
	raw(signalValue, func(_ *run, a starlark.Tuple) (starlark.Value, error) { return a[0].(*signal).value, nil })
	raw(raiseCall, func(r *run, a starlark.Tuple) (starlark.Value, error) {
		if len(a) == 0 {
			if n := len(r.state.handling); n > 0 {
				return nil, r.state.handling[n-1]
			}
			return nil, vinegar.RuntimeError.New("No active exception to reraise")
		}
		args := make([]any, len(a))
		for i := range a {
			args[i] = out(a[i])
		}
		return nil, raise(r.ctx, args)
	})
	raw(assertCall, func(r *run, a starlark.Tuple) (starlark.Value, error) {
		ok, err := truth(r, a[0])
		if err != nil || ok {
			return starlark.None, err
		}
		if len(a) == 1 {
			return nil, vinegar.AssertionError.New()
		}
		text, err := starlark.Call(r.thread, a[1], nil, nil)
		if err != nil {
			return nil, err
		}
		return nil, vinegar.AssertionError.New(out(text))
	})
	generators(raw)
}

func truth(r *run, v starlark.Value) (bool, error) {
	switch x := v.(type) {
	case *object:
		return exposed.Truth(r.ctx, x.v)
	case *tuple:
		return x.Len() > 0, nil
	}
	return bool(v.Truth()), nil
}

// try carries a try statement out: its block, its handlers (each a tuple of a function for the classes or None, its
// block and the name to delete afterwards or None), and the blocks of else and finally or None.
func try(r *run, a starlark.Tuple) (starlark.Value, error) {
	v, err := starlark.Call(r.thread, a[0], nil, nil)
	switch {
	case err != nil:
		if r.stopped() {
			return nil, err
		}
		v, err = r.handle(pythonError(err), a[1].(starlark.Tuple))
	case v == starlark.None && a[2] != starlark.None:
		v, err = starlark.Call(r.thread, a[2], nil, nil)
	}
	if a[3] == starlark.None || r.stopped() {
		return v, err
	}
	pending := r.state.pending
	r.state.pending = nil
	last, failed := starlark.Call(r.thread, a[3], nil, nil)
	if failed != nil {
		return nil, failed
	}
	if last != starlark.None { // return, break or continue: they win
		return last, nil
	}
	r.state.pending = pending
	return v, err
}

// Handling returns the exception that the program which runs for ctx handles now (sys.exc_info), nil if there is none.
func (e *Evaluator) Handling(ctx context.Context) error {
	if r, ok := ctx.Value(runKey{}).(*run); ok && r.ev == e && len(r.state.handling) > 0 {
		return r.state.handling[len(r.state.handling)-1]
	}
	return nil
}

// handle runs the handler for an exception, or returns it.
func (r *run) handle(exc error, handlers starlark.Tuple) (starlark.Value, error) {
	for _, h := range handlers {
		h := h.(starlark.Tuple)
		if h[0] != starlark.None {
			class, err := starlark.Call(r.thread, h[0], nil, nil)
			if err != nil {
				return nil, err
			}
			is, err := exposed.IsInstance(r.ctx, exc, out(class))
			if err != nil {
				return nil, vinegar.TypeError.New("catching classes that do not inherit from BaseException is not allowed")
			}
			if !is {
				continue
			}
		}
		r.state.handling = append(r.state.handling, exc)
		v, err := starlark.Call(r.thread, h[1], starlark.Tuple{in(exc)}, nil)
		r.state.handling = r.state.handling[:len(r.state.handling)-1]
		if name, ok := h[2].(starlark.Tuple); ok {
			_, _ = name[0].(*names).remove(string(name[1].(starlark.String)))
		}
		return v, err
	}
	return nil, exc
}

// with carries a with statement out: a manager and the block, which is given what the manager has entered.
func with(r *run, a starlark.Tuple) (starlark.Value, error) {
	manager := out(a[0])
	const wrong = "'%s' object does not support the context manager protocol"
	exit, err := exposed.GetAttr(r.ctx, everything, manager, "__exit__")
	if err != nil {
		return nil, missing(err, manager, wrong)
	}
	entered, err := exposed.CallAttr(r.ctx, everything, manager, "__enter__", &exposed.Args{})
	if err != nil {
		return nil, missing(err, manager, wrong)
	}
	v, err := starlark.Call(r.thread, a[1], starlark.Tuple{in(entered)}, nil)
	ctx := r.ctx
	if r.stopped() { // what is open here is closed; the peer has gone or is not to be waited for
		if _, foreign := manager.(*netref.Object); foreign {
			return nil, err
		}
		ctx = context.WithoutCancel(ctx)
	}
	args := []any{nil, nil, nil}
	if err != nil {
		exc := pythonError(err)
		class, e := exposed.GetAttr(ctx, everything, exc, "__class__")
		if e != nil {
			return nil, e
		}
		args = []any{class, exc, nil}
	}
	result, failed := exposed.Call(ctx, exit, exposed.NewArgs(args, nil))
	if failed != nil {
		return nil, failed
	}
	if err == nil || r.stopped() {
		return v, err
	}
	if swallowed, e := exposed.Truth(ctx, result); e != nil || swallowed {
		return starlark.None, e
	}
	return nil, err
}

func raise(ctx context.Context, a []any) error {
	v := a[0]
	if c, ok := v.(*exposed.Class); ok {
		made, err := exposed.Call(ctx, c, &exposed.Args{})
		if err != nil {
			return err
		}
		v = made
	}
	err, ok := v.(error)
	if !ok {
		return vinegar.TypeError.New("exceptions must derive from BaseException")
	}
	e := vinegar.FromError(err)
	if len(a) == 2 {
		if cause, ok := a[1].(error); ok {
			return e.From(cause)
		}
	}
	return e
}

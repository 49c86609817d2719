package exposed

import (
	"context"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/binding"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// Exit is the operation CTXEXIT: it calls v's __exit__ after a with block. exc is what made the block end, nil if it
// ended by itself. A Python peer sends the exception's class and not the exception; the method is given an exception
// of the class that the peer's names, without arguments.
func Exit(ctx context.Context, p *Policy, v, exc any) (r any, err error) {
	defer protect(&err)
	v = norm(v)
	if o, ok := v.(*netref.Object); ok {
		if _, err := remoteName(p, "__exit__"); err != nil {
			return nil, err
		}
		if err := p.guard(ctx, UseGet, v, "__exit__"); err != nil {
			return nil, err
		}
		return o.Request(ctx, wire.HandleCtxExit, exc)
	}
	args := []any{nil, nil, nil}
	var e error
	var class *vinegar.Class
	if o, ok := exc.(*netref.Object); ok && o.IsClass() {
		class = vinegar.ClassNamed(o.ClassName()) // unasked: what ends a block is an exception
	} else {
		e, class, err = raisable(ctx, exc)
	}
	switch {
	case err != nil:
		return nil, err
	case class != nil:
		e = class.New()
	case e == nil:
		raised, err := Truth(ctx, exc)
		if err != nil {
			return nil, err
		}
		if raised {
			e = vinegar.TypeError.New("exceptions must derive from BaseException")
		}
	}
	if e != nil {
		args = []any{ClassOf(e), e, nil}
	}
	return CallAttr(ctx, p, v, "__exit__", NewArgs(args, nil))
}

// ExceptionOf returns the exception that CTXEXIT is given: as it is, or one without arguments of the class that is
// given; nil if exc is neither.
func ExceptionOf(exc any) *vinegar.Error {
	switch x := norm(exc).(type) {
	case *netref.Object:
		if x.ClassName() == "builtins.type" { // a class of families A and B, which do not tell its name
			return vinegar.Exception.New()
		}
		return vinegar.ClassNamed(x.ClassName()).New()
	case *Class:
		if x.exception != nil {
			return x.exception.New()
		}
	case error:
		return vinegar.FromError(x)
	}
	return nil
}

var _ = around("__exit__", func(p *binding.Plan) callable { return exitMethod{p} })

// exitMethod is a Go method that defines __exit__. It may take, besides a context, the three arguments of Python, the
// exception alone (an error, nil if there is none), or nothing.
type exitMethod struct{ *binding.Plan }

func (m exitMethod) Call(ctx context.Context, self any, args *Args) (any, error) {
	pos, err := args.Positional()
	if err != nil {
		return nil, err
	}
	if len(pos) != 3 || m.Positional() == 3 || !args.HasNoKeywords() {
		return m.Plan.Call(ctx, self, args)
	}
	exc := norm(pos[1])
	if o, ok := exc.(*netref.Object); ok { // older peers call __exit__ themselves, with references
		if exc, err = netref.As[error](ctx, o); err != nil {
			return nil, err
		}
	}
	if m.Positional() == 0 {
		return m.Plan.Call(ctx, self, &Args{})
	}
	return m.Plan.Call(ctx, self, NewArgs([]any{exc}, nil))
}

// OldSlicing is the operation OLDSLICING, which Python 2 peers send for o[a:b]: the method attempt is called with a
// slice and the extra arguments; if that fails in any way, the method fallback with both ends, sys.maxint for a
// missing stop.
func OldSlicing(ctx context.Context, p *Policy, v any, attempt, fallback string, start, stop any, extra []any) (
	any, error,
) {
	args := append([]any{brine.Slice{Start: start, Stop: stop}}, extra...)
	if r, err := CallAttr(ctx, p, v, attempt, NewArgs(args, nil)); err == nil {
		return r, nil
	}
	if stop == nil {
		stop = int64(1<<63 - 1)
	}
	return CallAttr(ctx, p, v, fallback, NewArgs(append([]any{start, stop}, extra...), nil))
}

package exposed

import (
	"context"
	"errors"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// messageOf is str(e). Exceptions can be arguments of exceptions, to any depth.
func messageOf(ctx context.Context, e *vinegar.Error) (string, error) {
	ctx, err := Descend(ctx, " while getting the str of an object")
	if err != nil {
		return "", err
	}
	text := func(f func(context.Context, any) (string, error)) func(any) string {
		return func(v any) (s string) {
			if err == nil {
				s, err = f(ctx, v)
			}
			return s
		}
	}
	s := e.MessageWith(text(Str), text(Repr))
	if err == nil && len(s) > maxText { // two exceptions in each double it with every level
		err = vinegar.MemoryError.Errorf("str exceeds %d bytes", maxText)
	}
	return s, err
}

var _ = define(baseExceptionClass, defineException)

// defineException gives all exceptions what Python's BaseException has.
func defineException(c *Class) {
	exc := typed[*vinegar.Error]{c, func(self any) (*vinegar.Error, bool) {
		err, ok := self.(error)
		return vinegar.FromError(err), ok
	}}
	exc.getter("args", func(e *vinegar.Error) any { return append(brine.Tuple{}, e.Args...) })
	exc.getter("__traceback__", func(*vinegar.Error) any { return nil })
	exc.getter("__cause__", func(e *vinegar.Error) any { return e.Unwrap() })
	exc.method("__str__", 0, 0, func(ctx context.Context, e *vinegar.Error, _ any, _ []any) (any, error) {
		return messageOf(ctx, e)
	})
	exc.method("__repr__", 0, 0, func(ctx context.Context, e *vinegar.Error, self any, _ []any) (any, error) {
		if len(e.Args) == 1 { // without the comma of a tuple
			return reprItems(ctx, ClassOf(self).name+"(", ")", e.Args)
		}
		s, err := reprTuple(ctx, e.Args)
		return ClassOf(self).name + s, err
	})
}

// raisable is the exception that v is or, if it is a class of exceptions, the class; both nil if it is neither. Objects
// of a peer are asked.
func raisable(ctx context.Context, v any) (exc error, class *vinegar.Class, err error) {
	switch x := norm(v).(type) {
	case *Class:
		return nil, x.exception, nil
	case *netref.Object:
		e, err := netref.As[*vinegar.Error](ctx, x)
		var no *netref.ConvertError
		switch {
		case errors.As(err, &no):
			return nil, nil, nil
		case err == nil && x.IsClass():
			return nil, e.Class, nil
		}
		return e, nil, err
	case error:
		return x, nil, nil
	}
	return nil, nil, nil
}

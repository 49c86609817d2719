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
	of := func(get func(e *vinegar.Error) any) func(any) (any, error) {
		return func(self any) (any, error) {
			err, ok := self.(error)
			if !ok {
				return nil, vinegar.TypeError.New("an exception is required")
			}
			return get(vinegar.FromError(err)), nil
		}
	}
	c.getter("args", of(func(e *vinegar.Error) any { return append(brine.Tuple{}, e.Args...) }))
	c.getter("__traceback__", of(func(*vinegar.Error) any { return nil }))
	c.getter("__cause__", of(func(e *vinegar.Error) any { return e.Unwrap() }))
	c.method("__str__", 0, 0, func(ctx context.Context, self any, _ []any) (any, error) {
		e, err := of(func(e *vinegar.Error) any { return e })(self)
		if err != nil {
			return nil, err
		}
		return messageOf(ctx, e.(*vinegar.Error))
	})
	c.method("__repr__", 0, 0, func(ctx context.Context, self any, _ []any) (any, error) {
		e, err := of(func(e *vinegar.Error) any { return e })(self)
		if err != nil {
			return nil, err
		}
		args := e.(*vinegar.Error).Args
		if len(args) == 1 { // without the comma of a tuple
			return reprItems(ctx, ClassOf(self).name+"(", ")", args)
		}
		s, err := reprTuple(ctx, args)
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

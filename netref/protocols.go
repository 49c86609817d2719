package netref

import (
	"context"
	"errors"

	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// Bool returns Python's truth value of the object: what __bool__ says, or whether __len__ is not 0; true for objects that
// have neither.
func (o *Object) Bool(ctx context.Context) (bool, error) {
	b, err := Call[bool](ctx, o, "__bool__")
	if !errors.Is(err, vinegar.AttributeError) {
		return b, err
	}
	n, err := o.Len(ctx)
	if errors.Is(err, vinegar.AttributeError) {
		return true, nil
	}
	return n != 0, err
}

// With runs f inside the object as a context manager (Python: with o as v: f(v)). v is what __enter__ returned. If f
// returns an error, the object is told so and may suppress it; otherwise With returns f's error. As with RPyC's own
// proxies, the object is not told which error it was: a Python object's __exit__ gets a TypeError.
func (o *Object) With(ctx context.Context, f func(v any) error) (err error) {
	v, err := o.CallMethod(ctx, "__enter__")
	if err != nil {
		return err
	}
	var failed any = true // f panics unless it says otherwise
	defer func() {
		suppress, exitErr := o.exit(ctx, failed)
		if exitErr != nil || suppress && failed != nil {
			err = exitErr
		}
	}()
	if err = f(v); err == nil {
		failed = nil
	}
	return err
}

// exit leaves a context manager; failed is nil or true. What __exit__ returns counts by its truth.
func (o *Object) exit(ctx context.Context, failed any) (suppress bool, err error) {
	v, err := o.Request(ctx, wire.HandleCtxExit, failed)
	if err != nil {
		return false, err
	}
	switch v := v.(type) {
	case nil:
		return false, nil
	case bool:
		return v, nil
	case int64:
		return v != 0, nil
	case string:
		return v != "", nil
	case *Object:
		return v.Bool(ctx)
	}
	return true, nil
}

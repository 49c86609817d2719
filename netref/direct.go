package netref

import "context"

// remoteCall is a call to the peer that a Go func stands for. dst is nil if the func has no result.
type remoteCall func(ctx context.Context, dst any, args ...any) error

// boundCall is a remoteCall with the context for funcs that are given none.
type boundCall struct {
	do    remoteCall
	later context.Context
}

// setDirect has *p, a func, make the call, if it is of one of the plainest types: with up to two parameters and a
// result of the most usual types, and an error. A func made by reflection allocates five times more for each call.
// There are not more of them because each takes two KB of every program.
func setDirect(p any, c boundCall) bool {
	return setForNothing(p, c) || setFor[int](p, c) || setFor[string](p, c) || setFor[float64](p, c) ||
		setFor[bool](p, c) || setFor[any](p, c)
}

func setFor[R any](p any, c boundCall) bool {
	switch f := p.(type) {
	case *func(context.Context) (R, error):
		*f = func(ctx context.Context) (R, error) { return call[R](ctx, &c) }
	case *func() (R, error):
		*f = func() (R, error) { return call[R](c.later, &c) }
	default:
		return setOne[int, R](p, c) || setOne[string, R](p, c) || setOne[float64, R](p, c) || setOne[any, R](p, c)
	}
	return true
}

func setOne[A, R any](p any, c boundCall) bool {
	switch f := p.(type) {
	case *func(context.Context, A) (R, error):
		*f = func(ctx context.Context, a A) (R, error) { return call[R](ctx, &c, a) }
	case *func(A) (R, error):
		*f = func(a A) (R, error) { return call[R](c.later, &c, a) }
	default:
		return setTwo[A, A, R](p, c) || setTwo[string, A, R](p, c)
	}
	return true
}

func setTwo[A, B, R any](p any, c boundCall) bool {
	switch f := p.(type) {
	case *func(context.Context, A, B) (R, error):
		*f = func(ctx context.Context, a A, b B) (R, error) { return call[R](ctx, &c, a, b) }
	case *func(A, B) (R, error):
		*f = func(a A, b B) (R, error) { return call[R](c.later, &c, a, b) }
	default:
		return false
	}
	return true
}

func setForNothing(p any, c boundCall) bool {
	switch f := p.(type) {
	case *func(context.Context) error:
		*f = func(ctx context.Context) error { return c.do(c.contextOr(ctx), nil) }
	case *func() error:
		*f = func() error { return c.do(c.later, nil) }
	default:
		return setOneForNothing[int](p, c) || setOneForNothing[string](p, c) || setOneForNothing[float64](p, c) ||
			setOneForNothing[any](p, c)
	}
	return true
}

func setOneForNothing[A any](p any, c boundCall) bool {
	switch f := p.(type) {
	case *func(context.Context, A) error:
		*f = func(ctx context.Context, a A) error { return c.do(c.contextOr(ctx), nil, a) }
	case *func(A) error:
		*f = func(a A) error { return c.do(c.later, nil, a) }
	case *func(context.Context, string, A) error:
		*f = func(ctx context.Context, s string, a A) error { return c.do(c.contextOr(ctx), nil, s, a) }
	case *func(string, A) error:
		*f = func(s string, a A) error { return c.do(c.later, nil, s, a) }
	default:
		return false
	}
	return true
}

// call makes the call and converts the result. ctx is nil if the func was given none.
func call[R any](ctx context.Context, c *boundCall, args ...any) (R, error) {
	r := new(R)
	err := c.do(c.contextOr(ctx), r, args...)
	return *r, err
}

func (c *boundCall) contextOr(ctx context.Context) context.Context {
	if ctx == nil {
		return c.later
	}
	return ctx
}

package exposed

import "context"

type meterKey struct{}

// WithMeter returns a context for which Count calls meter: a program that runs on behalf of the context counts, and is
// charged for, what Go code does for it.
func WithMeter(ctx context.Context, meter func() error) context.Context {
	return context.WithValue(ctx, meterKey{}, meter)
}

// Count is to be called for every item by what yields arbitrarily many items without memory or a peer, such as Python's
// range. An error, that of the context's meter or of the context if it has ended, is to end the operation.
func Count(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if meter, ok := ctx.Value(meterKey{}).(func() error); ok {
		return meter()
	}
	return nil
}

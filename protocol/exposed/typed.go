package exposed

import (
	"context"

	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// typed enters attributes into a class whose objects to takes as values of the Go type T.
type typed[T any] struct {
	*Class
	to func(self any) (T, bool)
}

// as is the simplest to: the object has the type.
func as[T any](self any) (T, bool) {
	v, ok := self.(T)
	return v, ok
}

// of takes an object as a T for the attribute of that name.
func (c typed[T]) of(name string, self any) (T, error) {
	v, ok := c.to(self)
	if !ok {
		return v, vinegar.TypeError.Errorf("descriptor '%s' requires a '%s' object but received a '%s'", name, c.name,
			TypeName(self))
	}
	return v, nil
}

// method enters a method; f gets the object as it is, too.
func (c typed[T]) method(name string, least, most int,
	f func(ctx context.Context, v T, self any, args []any) (any, error)) {
	c.Class.method(name, least, most, func(ctx context.Context, self any, args []any) (any, error) {
		v, err := c.of(name, self)
		if err != nil {
			return nil, err
		}
		return f(ctx, v, self, args)
	})
}

// says enters a method that takes no arguments and does not fail.
func (c typed[T]) says(name string, f func(v T) any) {
	c.method(name, 0, 0, func(_ context.Context, v T, _ any, _ []any) (any, error) { return f(v), nil })
}

// getter enters a read-only attribute.
func (c typed[T]) getter(name string, f func(v T) any) {
	c.Class.getter(name, func(self any) (any, error) {
		v, err := c.of(name, self)
		if err != nil {
			return nil, err
		}
		return f(v), nil
	})
}

// unhashable gives a class a hash that is the TypeError of objects without one.
func (c *Class) unhashable() {
	c.method("__hash__", 0, 0, func(_ context.Context, self any, _ []any) (any, error) {
		return nil, unhashable(ClassOf(self))
	})
}

package exposed

import (
	"context"
	"slices"

	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// enumTypeClass is the class of classes that have ClassOptions.Members, as enum.EnumType is in Python.
var (
	enumTypeClass = builtin("enum.EnumType", typeClass)
	_             = define(enumTypeClass, defineEnumType)
)

// meta is the class of the class c: what it has itself and its objects do not.
func (c *Class) meta() *Class {
	if c.opts != nil && len(c.opts.Members) > 0 {
		return enumTypeClass
	}
	return typeClass
}

func defineEnumType(c *Class) {
	method := func(name string, args int, f func(ctx context.Context, members []any, c *Class, args []any) (any, error)) {
		c.method(name, args, args, func(ctx context.Context, self any, args []any) (any, error) {
			c, ok := self.(*Class)
			if !ok {
				return nil, vinegar.TypeError.New("a class is required")
			}
			return f(ctx, c.opts.Members, c, args)
		})
	}
	method("__iter__", 0, func(_ context.Context, members []any, _ *Class, _ []any) (any, error) {
		return overItems(members), nil
	})
	method("__len__", 0, func(_ context.Context, members []any, _ *Class, _ []any) (any, error) {
		return int64(len(members)), nil
	})
	method("__contains__", 1, func(_ context.Context, members []any, _ *Class, args []any) (any, error) {
		return isMember(members, args[0]), nil
	})
	method("__getitem__", 1, func(_ context.Context, members []any, c *Class, args []any) (any, error) {
		if name, ok := args[0].(string); ok {
			if a := c.find(name, DefaultPrefix, true); a != nil && a.kind == constAttr && isMember(members, a.value) {
				return a.value, nil
			}
		}
		return nil, vinegar.KeyError.New(args[0])
	})
}

func isMember(members []any, v any) bool {
	return slices.ContainsFunc(members, func(m any) bool { return Is(m, v) })
}

package main

import (
	"context"
	"slices"
	"strings"

	"go.starlark.net/syntax"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed"
)

// builtins are functions of the prompt itself. Without an argument they are about the service.
var builtins map[string]func(ctx context.Context, s *shell, v any) (any, error)

func init() {
	type function = func(context.Context, *shell, any) (any, error)
	onObject := func(f func(context.Context, *netref.Object) (any, error)) function {
		return func(ctx context.Context, _ *shell, v any) (any, error) {
			if o, ok := v.(*netref.Object); ok {
				return f(ctx, o)
			}
			return nil, usage("that is a value of ours, and no object of the service")
		}
	}
	builtins = map[string]func(context.Context, *shell, any) (any, error){
		"dir": onObject(func(ctx context.Context, o *netref.Object) (any, error) {
			names, err := o.Dir(ctx)
			list := make([]any, len(names))
			for i, n := range names {
				list[i] = n
			}
			return list, err
		}),
		"len": onObject(func(ctx context.Context, o *netref.Object) (any, error) {
			n, err := o.Len(ctx)
			return int64(n), err
		}),
		"bool": onObject(func(ctx context.Context, o *netref.Object) (any, error) { return o.Bool(ctx) }),
		"list": onObject(func(ctx context.Context, o *netref.Object) (any, error) { return netref.As[[]any](ctx, o) }),
		"dict": onObject(func(ctx context.Context, o *netref.Object) (any, error) { return netref.As[map[any]any](ctx, o) }),
		"str":  func(ctx context.Context, _ *shell, v any) (any, error) { return exposed.Str(ctx, v) },
		"repr": func(ctx context.Context, _ *shell, v any) (any, error) { return exposed.Repr(ctx, v) },
		"help": func(ctx context.Context, s *shell, v any) (any, error) {
			o, ok := v.(*netref.Object)
			if !ok {
				return nil, usage("that is a value of ours, and no object of the service")
			}
			doc, err := o.Doc(ctx)
			if err == nil {
				s.out.printf("%s: %s\n%s", "class", o.ClassName(), indented(doc, "    "))
			}
			return nil, err
		},
	}
}

// complete returns what a dotted name can be completed to.
func (s *shell) complete(ctx context.Context, word string) []string {
	o, head, start := s.Root(), "", word
	var found []string
	if dot := strings.LastIndexByte(word, '.'); dot >= 0 {
		head, start = word[:dot+1], word[dot+1:]
		e, err := (&syntax.FileOptions{}).ParseExpr("", word[:dot], 0)
		if err != nil {
			return nil
		}
		v, err := s.value(ctx, e) // names and dots alone: nothing is called
		if err != nil {
			return nil
		}
		var ok bool
		if o, ok = v.(*netref.Object); !ok {
			return nil
		}
	} else {
		for name := range s.vars {
			found = append(found, name)
		}
		for name := range builtins {
			found = append(found, name+"(")
		}
	}
	if list, err := members(ctx, o, strings.HasPrefix(start, "_")); err == nil {
		for _, m := range list {
			name := m.Name
			if m.Method {
				name += "("
			}
			found = append(found, name)
		}
	}
	var out []string
	for _, name := range found {
		if strings.HasPrefix(name, start) {
			out = append(out, head+name)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

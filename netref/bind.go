package netref

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/gorpyc/gorpyc/brine"
)

// Bind fills the func fields of the struct that target points to with functions that call the methods of o:
//
//	var calc struct {
//		Add func(ctx context.Context, a, b int) (int, error)
//		Div func(ctx context.Context, a, by int) (int, error) `rpyc:"divide"`
//	}
//	err := netref.Bind(ctx, conn.Root(), &calc)
//
// Other fields are left alone. A field is bound to the method its `rpyc` tag names, otherwise to [PythonName] of its own name; "-" leaves it alone.
// A leading context and a trailing error are optional: without a context the call is bounded by the connection's
// default timeout, without an error a failing call panics with the error. Results before the error are converted as
// [Assign] does, several of them from a tuple. Variadic funcs pass their arguments on one by one, and [Keyword]
// arguments as keywords.
//
// Bind asks the peer once which names there are and returns a *[BindError] if one is missing.
func Bind(ctx context.Context, o *Object, target any) error {
	p := reflect.ValueOf(target)
	if p.Kind() != reflect.Pointer || p.IsNil() || p.Elem().Kind() != reflect.Struct {
		return fmt.Errorf("netref: Bind needs a pointer to a struct, not %T", target)
	}
	s := p.Elem()
	fields := structFields(s.Type())
	names, err := o.Dir(ctx)
	if err != nil {
		return err
	}
	var missing []string
	fields = slices.DeleteFunc(fields, func(f structField) bool { return fieldOf(s, f.index).Kind() != reflect.Func })
	for _, f := range fields {
		if !slices.Contains(names, f.name) && !slices.Contains(names, "exposed_"+f.name) {
			missing = append(missing, f.name)
		}
	}
	if missing != nil {
		return &BindError{Object: o.String(), Missing: missing}
	}
	for _, f := range fields {
		field := fieldOf(s, f.index)
		field.Set(goFunc(context.WithoutCancel(ctx), field.Type(), func(ctx context.Context, dst any, args []any) error {
			return o.CallMethodInto(ctx, dst, f.name, args...)
		}))
	}
	return nil
}

// BindError says which methods a struct asks for and the object does not have.
type BindError struct {
	Object  string
	Missing []string
}

// Error implements error.
func (e *BindError) Error() string {
	return fmt.Sprintf("netref: %s has no %s", e.Object, strings.Join(e.Missing, ", "))
}

// makeFunc makes a Go func of a callable object of the peer.
func makeFunc(ctx context.Context, t reflect.Type, o *Object) reflect.Value {
	return goFunc(ctx, t, func(ctx context.Context, dst any, args []any) error {
		return o.CallInto(ctx, dst, args...)
	})
}

var (
	contextType = reflect.TypeFor[context.Context]()
	errorType   = reflect.TypeFor[error]()
)

// goFunc makes a Go func of type t out of a call to the peer. ctx is for funcs without a context parameter.
func goFunc(ctx context.Context, t reflect.Type, call func(ctx context.Context, dst any, args []any) error) reflect.Value {
	takesContext := t.NumIn() > 0 && t.In(0) == contextType
	results := t.NumOut()
	returnsError := results > 0 && t.Out(results-1) == errorType
	if returnsError {
		results--
	}
	return reflect.MakeFunc(t, func(in []reflect.Value) []reflect.Value {
		ctx := ctx
		if takesContext {
			if c, ok := in[0].Interface().(context.Context); ok {
				ctx = c
			}
			in = in[1:]
		}
		out, err := callFunc(ctx, t, results, spread(in, t.IsVariadic()), call)
		if !returnsError {
			if err != nil {
				panic(err)
			}
			return out
		}
		e := reflect.New(errorType).Elem()
		if err != nil {
			e.Set(reflect.ValueOf(err))
		}
		return append(out, e)
	})
}

func spread(in []reflect.Value, variadic bool) []any {
	args := make([]any, 0, len(in))
	for i, v := range in {
		if variadic && i == len(in)-1 {
			for j := range v.Len() {
				args = append(args, v.Index(j).Interface())
			}
			break
		}
		args = append(args, v.Interface())
	}
	return args
}

func callFunc(ctx context.Context, t reflect.Type, results int, args []any,
	call func(ctx context.Context, dst any, args []any) error) ([]reflect.Value, error) {
	out := make([]reflect.Value, results, results+1)
	for i := range out {
		out[i] = reflect.New(t.Out(i)).Elem()
	}
	switch results {
	case 0:
		return out, call(ctx, nil, args)
	case 1:
		return out, call(ctx, out[0].Addr().Interface(), args)
	}
	var all any
	if err := call(ctx, &all, args); err != nil {
		return out, err
	}
	items, ok := all.(brine.Tuple)
	if !ok || len(items) != results {
		return out, notFit(all, t, fmt.Sprintf("the func has %d results", results))
	}
	for i, v := range items {
		if err := Assign(ctx, out[i], v); err != nil {
			return out, within(err, step{i: i}.String())
		}
	}
	return out, nil
}

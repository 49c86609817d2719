package netref

import (
	"context"

	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// firstOf calls the first of several special methods that the object has; found is false if there is none, and err then
// what was said of the last. Where the peer keeps one from us, the search ends: the object may have it, and the next
// would say something else.
func (o *Object) firstOf(ctx context.Context, dst any, names ...string) (found bool, err error) {
	for _, name := range names {
		if err = o.CallMethodInto(ctx, dst, name); !lacks(err, name) {
			return true, err
		}
		if denied(err) {
			break
		}
	}
	return false, err
}

// Bool returns Python's bool(o): what __bool__ says, or whether __len__ is not 0; true for objects that have neither.
func (o *Object) Bool(ctx context.Context) (b bool, err error) {
	if found, err := o.firstOf(ctx, &b, "__bool__"); found {
		return b, err
	}
	var n int
	if found, err := o.firstOf(ctx, &n, "__len__"); found {
		return n != 0, err
	}
	return true, nil
}

// Int returns Python's int(o), by __int__ or __index__; see also [As]. Numbers that do not fit are a *[ConvertError]:
// Call[*big.Int](ctx, o, "__int__") gives them.
func (o *Object) Int(ctx context.Context) (n int, err error) {
	found, err := o.firstOf(ctx, &n, "__int__", "__index__")
	if !found {
		err = lacking(err, "int() argument must be a string, a bytes-like object or a real number, not '%s'", operandType(o))
	}
	return n, err
}

// Float returns Python's float(o), by __float__ or __index__.
func (o *Object) Float(ctx context.Context) (f float64, err error) {
	found, err := o.firstOf(ctx, &f, "__float__", "__index__")
	if !found {
		err = lacking(err, "float() argument must be a string or a real number, not '%s'", operandType(o))
	}
	return f, err
}

// Complex returns Python's complex(o), by __complex__, __float__ or __index__. Peers do not allow the first by default,
// and then it is an error, because o may have it.
func (o *Object) Complex(ctx context.Context) (z complex128, err error) {
	found, err := o.firstOf(ctx, &z, "__complex__", "__float__", "__index__")
	if !found {
		err = lacking(err, "complex() first argument must be a string or a number, not '%s'", operandType(o))
	}
	return z, err
}

// Index returns Python's operator.index(o): o as an index or a count.
func (o *Object) Index(ctx context.Context) (n int, err error) {
	return special[int](ctx, o, "'%s' object cannot be interpreted as an integer", "__index__")
}

// special calls a special method that Python's syntax asks for. Without it, the error is a TypeError of this format
// with the name of the class.
func special[T any](ctx context.Context, o *Object, format, name string, args ...any) (T, error) {
	t, err := Call[T](ctx, o, name, args...)
	if lacks(err, name) {
		err = lacking(err, format, operandType(o))
	}
	return t, err
}

// Bytes returns Python's bytes(o), by __bytes__ or by iterating over o, whose items must be integers from 0 to 255.
// Peers do not allow __bytes__ by default, and then it is an error but for built-in classes, because o may have it;
// [As] only iterates.
func (o *Object) Bytes(ctx context.Context) (b []byte, err error) {
	if !isBuiltin(o) {
		found, err := o.firstOf(ctx, &b, "__bytes__")
		switch {
		case found:
			return b, err
		case denied(err):
			return nil, lacking(err, "cannot convert '%s' object to bytes", operandType(o))
		}
	}
	return As[[]byte](ctx, o)
}

// Format returns Python's format(o, spec), which is f"{o:spec}". Peers of RPyC 4.1 do not allow it by default.
func (o *Object) Format(ctx context.Context, spec string) (s string, err error) {
	err = o.CallMethodInto(ctx, &s, "__format__", spec)
	return s, err
}

// Type returns the object's class, Python's type(o) or o.__class__. Peers do not allow it by default;
// [Object.ClassName] tells the name without asking.
func (o *Object) Type(ctx context.Context) (*Object, error) { return Get[*Object](ctx, o, "__class__") }

// IsInstance returns Python's isinstance(o, class), for classes of the same peer; with several classes, whether o is an
// instance of any of them. For Python's built-in classes, compare [Object.ClassName].
//
// By default CPython answers for subclasses of built-in classes and for the object's own class only, and says false
// otherwise; a peer that allows all attributes is asked for the truth.
func (o *Object) IsInstance(ctx context.Context, classes ...*Object) (bool, error) {
	for _, class := range classes {
		ok, err := o.isInstance(ctx, class)
		if ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

func (o *Object) isInstance(ctx context.Context, class *Object) (is bool, err error) {
	if o.peer == class.peer && class.IsClass() && !o.IsClass() && sameClassID(o, class) {
		return true, nil
	}
	err = class.CallMethodInto(ctx, &is, "__instancecheck__", o)
	if !lacks(err, "__instancecheck__") {
		return is, err
	}
	if !class.IsClass() {
		return false, lacking(err, "isinstance() arg 2 must be a type, a tuple of types, or a union")
	}
	ref, _ := o.Ref()
	err = class.request(ctx, &is, wire.HandleInstanceCheck, ref.Tuple())
	return is, err
}

func sameClassID(o, class *Object) bool {
	a, okA := o.Ref()
	b, okB := class.Ref()
	return okA && okB && a.Class == b.Class && a.Class != 0 // releases before 4.1 do not tell classes
}

// With runs f inside the object as a context manager (Python: with o as v: f(v)). v is what __enter__ returned. If f
// returns an error, or panics, the object's __exit__ is told so and may suppress the error; otherwise With returns f's
// error, or the one that __exit__ raised. A panic goes on in any case. __exit__ is called even if ctx has ended.
//
// As with RPyC's own proxies, __exit__ is given the class of the exception that the error is in Python (see
// vinegar.FromError), and what becomes of that at the other end is a TypeError if a CPython serves the object, and an
// exception of that class without arguments if a Go program does. A peer of rpyc-ng 7.0.3 or later is given the
// exception itself.
func (o *Object) With(ctx context.Context, f func(v any) error) error { return With(ctx, o, f) }

// With is [Object.With] with what __enter__ returned converted to T.
func With[T any](ctx context.Context, o *Object, f func(v T) error) (err error) {
	entered, err := special[any](ctx, o, "'%s' object does not support the context manager protocol", "__enter__")
	if err != nil {
		return err
	}
	var failed any = vinegar.RuntimeError // f panics unless it says otherwise
	defer func() {
		suppress, exitErr := o.exit(context.WithoutCancel(ctx), failed)
		if exitErr != nil || suppress && failed != nil {
			err = exitErr
		}
	}()
	v, err := As[T](ctx, entered)
	if err == nil {
		err = f(v)
	} else {
		err = named("__enter__", err)
	}
	failed = nil
	if err != nil {
		failed = vinegar.FromError(err)
	}
	return err
}

// exit leaves a context manager; failed is nil, an exception or a class of exceptions. What __exit__ returns counts by
// its truth.
func (o *Object) exit(ctx context.Context, failed any) (suppress bool, err error) {
	v, err := o.Request(ctx, wire.HandleCtxExit, failed)
	if err != nil {
		return false, err
	}
	return truth(ctx, v)
}

// truth is Python's bool() of a received value.
func truth(ctx context.Context, v any) (bool, error) {
	if o, ok := v.(*Object); ok {
		return o.Bool(ctx)
	}
	b, plain := pyvalue.Truth(v)
	return b || !plain, nil
}

package binding

import (
	"context"
	"reflect"
	"sync"
	"unsafe"
)

// Thunks are calls without reflection, for methods of the plainest forms: of a pointer, with up to two parameters and a
// result of the most usual types, and perhaps a context and an error. When calls come one by one, the tables that
// reflect.Value.Call looks at are mostly out of the processor's caches, which takes a tenth of what a server spends on
// such a call.

// form is the form of a func, its receiver excepted. a and b are nil where there is no parameter.
type form struct {
	ctx          bool
	a, b, r      reflect.Type
	returnsError bool
}

// thunk calls the func that fn points to, which must have the thunk's form, with the receiver self and the arguments in
// the buffer.
type thunk func(fn, self unsafe.Pointer, args *argBuffer) (any, error)

// findThunk returns the thunk for the shape; nil if there is none.
func (s *shape) findThunk() thunk {
	if s.receiver == nil || s.receiver.Kind() != reflect.Pointer || s.typ.IsVariadic() || !s.simple ||
		s.results != 1 || s.hasNext ||
		s.sequence || len(s.params) > 2 || s.typ.NumIn() > 4 {
		return nil
	}
	w := form{ctx: s.contextIndex == 1, r: s.typ.Out(0), returnsError: s.returnsError}
	for i := range s.params {
		p := &s.params[i]
		if p.field != nil || p.index != s.typ.NumIn()-len(s.params)+i {
			return nil
		}
	}
	switch len(s.params) {
	case 2:
		w.a, w.b = s.params[0].typ, s.params[1].typ
	case 1:
		w.a = s.params[0].typ
	}
	return thunks()[w]
}

// thunks has all thunks by their form.
var thunks = sync.OnceValue(func() map[form]thunk {
	m := make(map[form]thunk)
	addAll(m, noParameter[int], noParameter[string], noParameter[float64], noParameter[bool],
		oneAndTwo[int], oneAndTwo[string], oneAndTwo[float64])
	return m
})

func addAll(m map[form]thunk, add ...func(map[form]thunk)) {
	for _, a := range add {
		a(m)
	}
}

// oneAndTwo adds the forms whose first parameter is an A.
func oneAndTwo[A any](m map[form]thunk) {
	addAll(m, oneParameter[A, int], oneParameter[A, string], oneParameter[A, float64], oneParameter[A, bool])
	addAll(m, twoParameters[A, int, int], twoParameters[A, int, string], twoParameters[A, int, float64],
		twoParameters[A, int, bool])
	addAll(m, twoParameters[A, string, int], twoParameters[A, string, string], twoParameters[A, string, float64],
		twoParameters[A, string, bool])
	addAll(m, twoParameters[A, float64, int], twoParameters[A, float64, string], twoParameters[A, float64, float64],
		twoParameters[A, float64, bool])
}

// In what follows a func(*T, …) is called as a func(unsafe.Pointer, …): all pointers are passed in the same way.

func noParameter[R any](m map[form]thunk) {
	w := form{r: reflect.TypeFor[R]()}
	m[w] = func(fn, self unsafe.Pointer, _ *argBuffer) (any, error) {
		return (*(*func(unsafe.Pointer) R)(fn))(self), nil
	}
	w.returnsError = true
	m[w] = func(fn, self unsafe.Pointer, _ *argBuffer) (any, error) {
		return result((*(*func(unsafe.Pointer) (R, error))(fn))(self))
	}
	w.ctx = true
	m[w] = func(fn, self unsafe.Pointer, args *argBuffer) (any, error) {
		return result((*(*func(unsafe.Pointer, context.Context) (R, error))(fn))(self, *args.ctx))
	}
	w.returnsError = false
	m[w] = func(fn, self unsafe.Pointer, args *argBuffer) (any, error) {
		return (*(*func(unsafe.Pointer, context.Context) R)(fn))(self, *args.ctx), nil
	}
}

func oneParameter[A, R any](m map[form]thunk) {
	w := form{a: reflect.TypeFor[A](), r: reflect.TypeFor[R]()}
	m[w] = func(fn, self unsafe.Pointer, args *argBuffer) (any, error) {
		return (*(*func(unsafe.Pointer, A) R)(fn))(self, *last[A](args, 0)), nil
	}
	w.returnsError = true
	m[w] = func(fn, self unsafe.Pointer, args *argBuffer) (any, error) {
		return result((*(*func(unsafe.Pointer, A) (R, error))(fn))(self, *last[A](args, 0)))
	}
	w.ctx = true
	m[w] = func(fn, self unsafe.Pointer, args *argBuffer) (any, error) {
		return result((*(*func(unsafe.Pointer, context.Context, A) (R, error))(fn))(self, *args.ctx, *last[A](args, 0)))
	}
	w.returnsError = false
	m[w] = func(fn, self unsafe.Pointer, args *argBuffer) (any, error) {
		return (*(*func(unsafe.Pointer, context.Context, A) R)(fn))(self, *args.ctx, *last[A](args, 0)), nil
	}
}

func twoParameters[A, B, R any](m map[form]thunk) {
	w := form{a: reflect.TypeFor[A](), b: reflect.TypeFor[B](), r: reflect.TypeFor[R]()}
	m[w] = func(fn, self unsafe.Pointer, args *argBuffer) (any, error) {
		return (*(*func(unsafe.Pointer, A, B) R)(fn))(self, *last[A](args, 1), *last[B](args, 0)), nil
	}
	w.returnsError = true
	m[w] = func(fn, self unsafe.Pointer, args *argBuffer) (any, error) {
		return result((*(*func(unsafe.Pointer, A, B) (R, error))(fn))(self, *last[A](args, 1), *last[B](args, 0)))
	}
	w.ctx = true
	m[w] = func(fn, self unsafe.Pointer, args *argBuffer) (any, error) {
		return result((*(*func(unsafe.Pointer, context.Context, A, B) (R, error))(fn))(self, *args.ctx, *last[A](args, 1),
			*last[B](args, 0)))
	}
	w.returnsError = false
	m[w] = func(fn, self unsafe.Pointer, args *argBuffer) (any, error) {
		return (*(*func(unsafe.Pointer, context.Context, A, B) R)(fn))(self, *args.ctx, *last[A](args, 1), *last[B](args, 0)),
			nil
	}
}

// last points to the last argument but n.
func last[A any](args *argBuffer, n int) *A { return args.pointers[len(args.pointers)-1-n].(*A) }

func result[R any](r R, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return r, nil
}

package binding

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"unsafe"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

var (
	contextType = reflect.TypeFor[context.Context]()
	errorType   = reflect.TypeFor[error]()
)

// Plan is how to call one Go func.
type Plan struct {
	*shape
	fn      reflect.Value
	fnWord  unsafe.Pointer  // points to a variable that holds fn, if there is a thunk for it
	name    string          // Python name, as tracebacks show it: exposed_add; found out when needed if empty
	qual    string          // with the class: Calc.exposed_add
	sources []reflect.Value // the funcs among which the source of fn is, see [Options]
}

// shape is everything about calling a func that can be worked out from its type and declaration. Undeclared funcs of
// one type share it.
type shape struct {
	typ          reflect.Type
	self         string       // name of the object that a method is called with, which is no parameter in params
	receiver     reflect.Type // of the Go parameter for the object, nil if the func is no method
	contextIndex int          // of the Go parameter that takes the context, -1 if none
	declared     bool         // the parameters have names that the program has declared
	params       []Param
	positional   int  // how many params are positional; they are the first ones
	required     int  // how many of them have no default
	simple       bool // there are positional parameters only, and the func is no operator
	results      int  // without the error
	returnsError bool // as the last result
	hasNext      bool // the func is a __next__ whose second result is false at the end of the iteration
	sequence     bool // the result is an iter.Seq or iter.Seq2
	operator     bool // arguments that do not fit mean NotImplemented
	thunk        thunk
	buffers      sync.Pool // of *argBuffer
}

// argBuffer is the memory for the arguments of one call. It is used again for later calls.
type argBuffer struct {
	in       []reflect.Value // the Go arguments, as reflect.Value.Call takes them
	pointers []any           // to what the values in in are, for conversions and thunks that need no reflection
	self     reflect.Value   // the first of in as it was made: a method's object may be put into in itself
	holding  []reflect.Value // those of in that can hold on to memory and are cleared after the call
	ctx      *context.Context
	cursor   brine.Cursor
}

// Options say what a plan is for.
type Options struct {
	Name, Qual string          // the Python name, and with the class
	Method     bool            // the first parameter is the object
	Params     []string        // the declared parameters, nil if there is no declaration; see exposed.Func
	Self       string          // what the object is called in messages; the default for methods is "self"
	Operator   bool            // arguments that do not fit are answered with NotImplemented
	Sources    []reflect.Value // other funcs that may have fn's place in the source, for wrappers that the compiler makes
}

// New works out how to call fn. An error is a mistake in the program.
func New(fn reflect.Value, o Options) (*Plan, error) {
	if fn.Kind() != reflect.Func || fn.IsNil() {
		return nil, fmt.Errorf("exposed: %s is not a func", o.Qual)
	}
	s, err := newShape(fn.Type(), o)
	if err != nil {
		return nil, fmt.Errorf("exposed: %s: %w", o.Qual, err)
	}
	p := &Plan{shape: s, fn: fn, name: o.Name, qual: o.Qual, sources: append(o.Sources, fn)}
	if s.thunk = s.findThunk(); s.thunk != nil {
		v := reflect.New(fn.Type())
		v.Elem().Set(fn)
		p.fnWord = v.UnsafePointer()
	}
	return p, nil
}

func newShape(t reflect.Type, o Options) (*shape, error) {
	s := &shape{typ: t, self: o.Self, contextIndex: -1, declared: o.Params != nil, operator: o.Operator}
	first := 0
	if o.Method {
		if t.NumIn() == 0 {
			return nil, errors.New("no parameter for the object")
		}
		if s.self == "" {
			s.self = "self"
		}
		s.receiver, first = t.In(0), 1
		if len(o.Params) > 0 && o.Params[0] == "self" {
			o.Params = o.Params[1:]
		}
	}
	if first < t.NumIn() && t.In(first) == contextType {
		s.contextIndex = first
		first++
	}
	types := make([]reflect.Type, 0, t.NumIn())
	for i := first; i < t.NumIn(); i++ {
		types = append(types, t.In(i))
	}
	var err error
	if s.declared {
		s.params, err = declare(o.Params, types, first)
	} else {
		s.params, err = implicit(types, first, t.IsVariadic())
		s.declared = len(s.params) == 0 && o.Method // there is nothing to declare
	}
	if err != nil {
		return nil, err
	}
	s.results = t.NumOut()
	if s.results > 0 && t.Out(s.results-1) == errorType {
		s.returnsError = true
		s.results--
	}
	s.hasNext = o.Name == "__next__" && s.results == 2 && t.Out(1).Kind() == reflect.Bool
	s.sequence = s.results == 1 && IsSeq(t.Out(0))
	s.simple = !s.operator
	for i := range s.params {
		q := &s.params[i]
		if q.Kind > PositionalOrKeyword || q.field != nil {
			s.simple = false
		}
		if q.Kind > PositionalOrKeyword {
			continue
		}
		s.positional++
		if q.Required() {
			s.required++
		}
	}
	s.buffers.New = s.newBuffer
	return s, nil
}

// shapes holds the shapes of funcs that are exposed as they are, by type.
var shapes sync.Map

// OfFunc returns the plan of a func that is exposed as it is, without a declaration.
func OfFunc(fn reflect.Value) (Plan, error) {
	t := fn.Type()
	s, ok := shapes.Load(t)
	if !ok {
		made, err := newShape(t, Options{})
		if err != nil {
			return Plan{}, err
		}
		s, _ = shapes.LoadOrStore(t, made)
	}
	return Plan{shape: s.(*shape), fn: fn}, nil
}

func (s *shape) newBuffer() any {
	b := &argBuffer{in: make([]reflect.Value, s.typ.NumIn()), pointers: make([]any, s.typ.NumIn())}
	for i := range b.in {
		v := reflect.New(s.typ.In(i))
		b.pointers[i] = v.Interface()
		if i == s.contextIndex {
			b.ctx = b.pointers[i].(*context.Context)
		}
		b.in[i] = v.Elem()
		if b.in[i].Kind() > reflect.Complex128 {
			b.holding = append(b.holding, b.in[i])
		}
	}
	if s.receiver != nil {
		b.self = b.in[0]
	}
	return b
}

// release makes a buffer ready to be used again, holding on to nothing of this call.
func (s *shape) release(b *argBuffer) {
	for _, v := range b.holding {
		v.SetZero()
	}
	if s.receiver != nil {
		b.in[0] = b.self
	}
	s.buffers.Put(b)
}

// Call calls the func. self is the object for methods and ignored otherwise.
func (p *Plan) Call(ctx context.Context, self any, args *Args) (any, error) {
	b := p.buffers.Get().(*argBuffer)
	if b.ctx != nil {
		*b.ctx = ctx
	}
	if err := p.bind(ctx, b, args); err != nil {
		p.release(b)
		return p.bindError(err)
	}
	if p.receiver != nil { // after the arguments: Python binds them before a method can look at its object
		if reflect.TypeOf(self) == p.receiver {
			b.in[0] = reflect.ValueOf(self)
			if p.thunk != nil {
				v, err := p.thunk(p.fnWord, b.in[0].UnsafePointer(), b)
				p.release(b)
				if err != nil {
					return nil, p.locate(err)
				}
				return v, nil
			}
		} else if err := p.putSelf(b.self, self); err != nil {
			p.release(b)
			return nil, err
		}
	}
	var out []reflect.Value
	if p.typ.IsVariadic() {
		out = p.fn.CallSlice(b.in)
	} else {
		out = p.fn.Call(b.in)
	}
	p.release(b) // not after a panic: the buffer is lost then
	return p.result(out)
}

// result makes one Python value of what the func returned.
func (p *Plan) result(out []reflect.Value) (any, error) {
	if p.returnsError {
		if last := out[p.results]; !last.IsNil() {
			return nil, p.locate(last.Interface().(error))
		}
	}
	switch {
	case p.results == 0:
		return nil, nil
	case p.hasNext:
		if !out[1].Bool() {
			return nil, vinegar.StopIteration.New()
		}
		return out[0].Interface(), nil
	case p.results == 1:
		if p.sequence && !out[0].IsNil() {
			return model.Generator(out[0], p.displayName()), nil
		}
		return out[0].Interface(), nil
	}
	t := make(brine.Tuple, p.results)
	for i := range t {
		t[i] = out[i].Interface()
	}
	return t, nil
}

// putSelf puts the object into dst, a variable of the type of a method's first parameter: as it is, by its address, as
// what it points to, or as the struct of that type that it embeds.
func (p *Plan) putSelf(dst reflect.Value, self any) error {
	rv := reflect.ValueOf(self)
	if !rv.IsValid() {
		return p.wrongSelf(self)
	}
	t, want := rv.Type(), dst.Type()
	if t == want || t.AssignableTo(want) {
		dst.Set(rv)
		return nil
	}
	switch {
	case want.Kind() == reflect.Pointer && t == want.Elem(): // a container, or a struct that is no pointer
		c := reflect.New(t)
		c.Elem().Set(rv)
		dst.Set(c)
		return nil
	case t.Kind() == reflect.Pointer && t.Elem() == want && !rv.IsNil():
		dst.Set(rv.Elem())
		return nil
	}
	if v, ok := self.(netref.Valuer); ok { // a view of a container: the method gets a copy
		if c := reflect.ValueOf(v.GoValue()); c.IsValid() && (c.Type() == want || reflect.PointerTo(c.Type()) == want) {
			return p.putSelf(dst, c.Interface())
		}
	}
	base := want
	if base.Kind() == reflect.Pointer {
		base = base.Elem()
	}
	index, ok := model.Embedded(self, base)
	if !ok || t.Kind() != reflect.Pointer || rv.IsNil() {
		return p.wrongSelf(self)
	}
	fv, err := rv.Elem().FieldByIndexErr(index)
	if err != nil {
		return p.wrongSelf(self)
	}
	if fv.Kind() == reflect.Pointer && want.Kind() != reflect.Pointer {
		if fv.IsNil() {
			return p.wrongSelf(self)
		}
		fv = fv.Elem()
	} else if fv.Kind() != reflect.Pointer && want.Kind() == reflect.Pointer {
		fv = fv.Addr()
	}
	dst.Set(fv)
	return nil
}

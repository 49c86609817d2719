package exposed

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"unsafe"

	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

var (
	contextType = reflect.TypeFor[context.Context]()
	errorType   = reflect.TypeFor[error]()
)

// plan is how to call one Go func.
type plan struct {
	*shape
	fn    reflect.Value
	code  unsafe.Pointer // to a variable that holds fn, if there is a thunk for it
	name  string         // Python name, as tracebacks show it: exposed_add; found out when needed if empty
	qual  string         // with the class: Calc.exposed_add
	where []reflect.Value
}

// shape is everything about calling a func that can be worked out from its type and declaration.
type shape struct {
	typ      reflect.Type
	self     string // "self" if the first Go parameter is the object the function is a method of
	recv     reflect.Type
	ctxSlot  int // Go parameter that takes the context, -1 if none
	declared bool
	params   []param
	npos     int  // how many params are positional; they are the first ones
	needed   int  // how many of them have no default
	simple   bool // positional parameters only
	outs     int  // results without the error
	fails    bool // the last result is an error
	found    bool // the results are a value and whether there was one: false means StopIteration
	sequence bool // the result is an iter.Seq or iter.Seq2
	operator bool // arguments that do not fit mean NotImplemented
	thunk    thunk
	frames   sync.Pool
}

// frame is the memory for the arguments of one call. It is used again.
type frame struct {
	in    []reflect.Value
	slots []any           // pointers to what the values in in are
	self  reflect.Value   // in[0], of methods, where the object may be put in its place
	held  []reflect.Value // of in, those that can hold on to memory
	ctx   *context.Context
	raw   rawCursor
}

// planOptions say what a plan is for.
type planOptions struct {
	name, qual string
	method     bool            // the first parameter is the object
	params     []string        // declared parameters, nil if there is no declaration
	places     []reflect.Value // other funcs that may tell the place in the source
}

// newPlan works out how to call fn. An error is a mistake in the program.
func newPlan(fn reflect.Value, o planOptions) (*plan, error) {
	if fn.Kind() != reflect.Func || fn.IsNil() {
		return nil, fmt.Errorf("exposed: %s is not a func", o.qual)
	}
	s, err := newShape(fn.Type(), o)
	if err != nil {
		return nil, fmt.Errorf("exposed: %s: %w", o.qual, err)
	}
	p := &plan{shape: s, fn: fn, name: o.name, qual: o.qual, where: append(o.places, fn)}
	if s.thunk = s.direct(); s.thunk != nil {
		v := reflect.New(fn.Type())
		v.Elem().Set(fn)
		p.code = v.UnsafePointer()
	}
	return p, nil
}

func newShape(t reflect.Type, o planOptions) (*shape, error) {
	s := &shape{typ: t, ctxSlot: -1, declared: o.params != nil, operator: binary[o.name]}
	first := 0
	if o.method {
		if t.NumIn() == 0 {
			return nil, errors.New("no parameter for the object")
		}
		s.recv, s.self, first = t.In(0), "self", 1
		if len(o.params) > 0 && o.params[0] == "self" {
			o.params = o.params[1:]
		}
	}
	if first < t.NumIn() && t.In(first) == contextType {
		s.ctxSlot = first
		first++
	}
	types := make([]reflect.Type, 0, t.NumIn())
	for i := first; i < t.NumIn(); i++ {
		types = append(types, t.In(i))
	}
	var err error
	if s.declared {
		s.params, err = declare(o.params, types, first)
	} else {
		s.params, err = implicit(types, first, t.IsVariadic())
		s.declared = len(s.params) == 0 && o.method // there is nothing to declare
	}
	if err != nil {
		return nil, err
	}
	s.outs = t.NumOut()
	if s.outs > 0 && t.Out(s.outs-1) == errorType {
		s.fails = true
		s.outs--
	}
	s.found = o.name == "__next__" && s.outs == 2 && t.Out(1).Kind() == reflect.Bool
	s.sequence = s.outs == 1 && isSeq(t.Out(0))
	s.simple = !s.operator
	for i := range s.params {
		q := &s.params[i]
		if q.kind > positionalOrKeyword {
			s.simple = false
			continue
		}
		s.npos++
		if q.required() {
			s.needed++
		}
	}
	s.frames.New = s.newFrame
	return s, nil
}

// shapes holds the shapes of funcs that are exposed as they are, by type.
var shapes sync.Map

// planOf returns a plan for a func value.
func planOf(fn reflect.Value) (plan, error) {
	t := fn.Type()
	s, ok := shapes.Load(t)
	if !ok {
		made, err := newShape(t, planOptions{})
		if err != nil {
			return plan{}, err
		}
		s, _ = shapes.LoadOrStore(t, made)
	}
	return plan{shape: s.(*shape), fn: fn}, nil
}

// title is the name for error messages.
func (p *plan) title() string {
	if p.qual == "" {
		p.name = funcName(p.fn)
		p.qual = p.name
	}
	return p.qual
}

func (s *shape) newFrame() any {
	f := &frame{in: make([]reflect.Value, s.typ.NumIn()), slots: make([]any, s.typ.NumIn())}
	for i := range f.in {
		slot := reflect.New(s.typ.In(i))
		f.slots[i] = slot.Interface()
		if i == s.ctxSlot {
			f.ctx = f.slots[i].(*context.Context)
		}
		f.in[i] = slot.Elem()
		if f.in[i].Kind() > reflect.Complex128 {
			f.held = append(f.held, f.in[i])
		}
	}
	if s.recv != nil {
		f.self = f.in[0]
	}
	return f
}

// release makes a frame ready to be used again, holding on to nothing of this call.
func (s *shape) release(f *frame) {
	for _, v := range f.held {
		v.SetZero()
	}
	if s.recv != nil {
		f.in[0] = f.self
	}
	s.frames.Put(f)
}

// call calls the func. self is the object for methods and ignored otherwise.
func (p *plan) call(ctx context.Context, self any, args *Args) (any, error) {
	f := p.frames.Get().(*frame)
	if f.ctx != nil {
		*f.ctx = ctx
	}
	if err := p.bind(ctx, f, args); err != nil {
		p.release(f)
		return notFitting(p, err)
	}
	if p.recv != nil { // after the arguments: Python binds them before a method can look at its object
		if reflect.TypeOf(self) == p.recv {
			f.in[0] = reflect.ValueOf(self)
			if p.thunk != nil {
				v, err := p.thunk(p.code, f.in[0].UnsafePointer(), f)
				p.release(f)
				if err != nil {
					return nil, p.locate(err)
				}
				return v, nil
			}
		} else if err := adapt(f.self, self, p); err != nil {
			p.release(f)
			return nil, err
		}
	}
	var out []reflect.Value
	if p.typ.IsVariadic() {
		out = p.fn.CallSlice(f.in)
	} else {
		out = p.fn.Call(f.in)
	}
	p.release(f) // not after a panic: the frame is lost then
	return p.results(out)
}

func (p *plan) results(out []reflect.Value) (any, error) {
	if p.fails {
		if last := out[p.outs]; !last.IsNil() {
			return nil, p.locate(last.Interface().(error))
		}
	}
	switch {
	case p.outs == 0:
		return nil, nil
	case p.found:
		if !out[1].Bool() {
			return nil, vinegar.StopIteration.New()
		}
		return out[0].Interface(), nil
	case p.outs == 1:
		if p.sequence && !out[0].IsNil() {
			g := newGenerator(out[0])
			g.name = p.title()
			return g, nil
		}
		return out[0].Interface(), nil
	}
	return tupleOf(out[:p.outs]), nil
}

// locate adds the func's frame to an error that it returned, in a copy.
func (p *plan) locate(err error) error {
	e := vinegar.FromError(err)
	if e.Class == vinegar.StopIteration {
		return e // an iterator's end, which travels without a traceback
	}
	located := *e
	where := p.where
	if where == nil {
		where = []reflect.Value{p.fn}
	}
	p.title()
	located.Frames = append([]vinegar.Frame{place(p.name, where)}, e.Frames...)
	return &located
}

// place says where the func is in the source: where the first of fns is that was not generated by the compiler, as the
// wrappers of promoted methods are.
func place(name string, fns []reflect.Value) vinegar.Frame {
	fr := vinegar.Frame{Func: name, File: "<go>"}
	for _, fn := range fns {
		if rf := runtime.FuncForPC(fn.Pointer()); rf != nil {
			if fr.File, fr.Line = rf.FileLine(rf.Entry()); fr.File != autogenerated {
				break
			}
		}
	}
	return fr
}

const autogenerated = "<autogenerated>"

// funcName is the Python name of a Go func: its own without package and receiver, <lambda> for a func literal.
func funcName(fn reflect.Value) string {
	name := strings.TrimSuffix(fullName(fn), "-fm")
	name = strings.TrimSuffix(name, "[...]")
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		name = name[i+1:]
	}
	if isLiteralName(name) {
		return "<lambda>"
	}
	return pythonName(name)
}

// fullName is the Go name of a func with its package, as the runtime knows it; empty if it does not.
func fullName(fn reflect.Value) string {
	if rf := runtime.FuncForPC(fn.Pointer()); rf != nil {
		return rf.Name()
	}
	return ""
}

// isLiteralName recognises the names that the compiler makes up for func literals: func1, 2.
func isLiteralName(s string) bool {
	s = strings.TrimPrefix(s, "func")
	return strings.Trim(s, "0123456789") == ""
}

package netref

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// Bind fills the struct that target points to with typed access to o:
//
//	var shop struct {
//		Add    func(ctx context.Context, a, b int) (int, error)
//		Div    func(ctx context.Context, a, by int) (int, error) `rpyc:"divide"`
//		Total  func(xs ...float64) (float64, error)
//		Order  func(ctx context.Context, item string, opts OrderOptions) (Receipt, error) // OrderOptions are keywords
//		Count  func(ctx context.Context) (*AsyncResult, error) // returns at once
//		Name   func() (string, error)     `rpyc:",get"` // reads the attribute
//		Rename func(string) error         `rpyc:"name,set"`
//		Refund func(id int) error         `rpyc:",optional"` // nil if there is no such method
//		Till   struct{ Open func() error } // o.till, bound in the same way
//		Owner  string                     `rpyc:"owner"` // read once
//	}
//	err := netref.Bind(ctx, conn.Root(), &shop)
//
// A func field is bound to the method its `rpyc` tag names, otherwise to [PythonName] of its own name; with the option
// get or set, it reads or writes the attribute of that name. A field of a struct type with such funcs in it, or of a
// pointer to one, is bound to the object that the attribute is; None leaves a pointer nil. Of other fields, those whose
// tag gives a name are filled from the attribute once, as [Assign] does, and the rest is left alone, as is what is
// tagged "-". The fields of embedded structs belong to the struct they are embedded in.
//
// A leading context and a trailing error are optional: without a context the call is bounded by the connection's
// default timeout, without an error a failing call panics with the error. Results before the error are converted as
// [Assign] does, several of them from a tuple. Variadic funcs pass their arguments on one by one, [Keyword] arguments
// as keywords. The fields of a final parameter of struct type, if the struct has exported fields only and no methods,
// are keyword arguments as [KwArgs] makes them; a pointer to a struct is an object like any other, and a struct without
// exported fields and methods an error. A func whose result is an [*AsyncResult] does not wait.
//
// A func with an error and up to two parameters of type int, string, float64 or any (the first of two a string, or of
// the second's type) costs no more than [Call]; others are made by reflection, which allocates five times more.
//
// Bind asks the peer once for each object which names there are, and returns a *[BindError] if one is missing that is
// not optional. It does not compare types: a peer tells the names of an object and their documentation, and of a
// signature, by default, nothing; where it does (exposed.Policy.Introspect, classic servers), reading one takes several
// requests for each name and gives annotations that Python does not enforce. A func of a wrong type fails when it is
// called, with the peer's TypeError or a *[ConvertError]; cmd/rpyc_stubs makes funcs of the right types.
func Bind(ctx context.Context, o *Object, target any) error {
	p := reflect.ValueOf(target)
	if p.Kind() != reflect.Pointer || p.IsNil() || p.Elem().Kind() != reflect.Struct {
		return fmt.Errorf("netref: Bind needs a pointer to a struct, not %T", target)
	}
	return bindStruct(ctx, o, p.Elem(), "", 0)
}

// A bindable field, by what it is bound to.
type bindKind int

const (
	noBinding bindKind = iota
	toMethod
	toGetter
	toSetter
	toObject
	toValue
)

func bindingOf(f *structField, t reflect.Type) bindKind {
	switch {
	case t.Kind() == reflect.Func && f.has("get"):
		return toGetter
	case t.Kind() == reflect.Func && f.has("set"):
		return toSetter
	case t.Kind() == reflect.Func:
		return toMethod
	case t != objectType && hasFuncs(t, nil):
		return toObject
	case f.tagged:
		return toValue
	}
	return noBinding
}

// hasFuncs reports whether a struct, or what a pointer to one points to, has funcs in it that Bind fills. outer are the
// structs it is looked for in.
func hasFuncs(t reflect.Type, outer []reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || slices.Contains(outer, t) {
		return false
	}
	outer = append(outer, t)
	for _, f := range structFields(t) {
		ft := t.FieldByIndex(f.index).Type
		if ft.Kind() == reflect.Func || hasFuncs(ft, outer) {
			return true
		}
	}
	return false
}

func bindStruct(ctx context.Context, o *Object, s reflect.Value, path string, depth int) error {
	if depth > maxPath {
		return &ConvertError{Path: path, From: typeName(o), To: s.Type(), Reason: "objects nested too deep"}
	}
	names, err := o.Dir(ctx)
	if err != nil {
		return err
	}
	var missing []string
	var there []structField
	for _, f := range structFields(s.Type()) {
		t := s.Type().FieldByIndex(f.index).Type
		switch bindingOf(&f, t) {
		case noBinding:
			continue
		case toMethod:
			if last := lastParam(t); isOpaque(last) {
				return fmt.Errorf("netref: Bind: the last parameter of the func for %s is the struct %v, which has no exported "+
					"fields to be keywords, and no methods; for an object take a pointer to it",
					strings.TrimPrefix(path+"."+f.name, "."), last)
			}
		}
		ok := slices.Contains(names, f.name) || slices.Contains(names, "exposed_"+f.name)
		if !ok { // dir() need not know what __getattr__ does
			if ok, err = o.Has(ctx, f.name); err != nil {
				return err
			}
		}
		switch {
		case ok:
			there = append(there, f)
		case !f.has("optional"):
			missing = append(missing, strings.TrimPrefix(path+"."+f.name, "."))
		}
	}
	if missing != nil {
		return &BindError{Object: o.String(), Missing: missing}
	}
	for _, f := range there {
		if err := bindField(ctx, o, fieldOf(s, f.index), &f, path+"."+f.name, depth); err != nil {
			return err
		}
	}
	return nil
}

func bindField(ctx context.Context, o *Object, field reflect.Value, f *structField, path string, depth int) error {
	name, t := f.name, field.Type()
	bound := func(do remoteCall) reflect.Value {
		return goFunc(t, boundCall{do, context.WithoutCancel(ctx)}) // Bind's may end
	}
	switch bindingOf(f, t) {
	case toMethod:
		field.Set(bound(func(ctx context.Context, dst any, args ...any) (err error) {
			if r, ok := dst.(**AsyncResult); ok {
				*r, err = o.CallMethodAsync(ctx, name, args...)
				return err
			}
			return o.CallMethodInto(ctx, dst, name, args...)
		}))
	case toGetter:
		field.Set(bound(func(ctx context.Context, dst any, _ ...any) error {
			return named(name, o.request(ctx, dst, wire.HandleGetAttr, name))
		}))
	case toSetter:
		field.Set(bound(func(ctx context.Context, _ any, args ...any) error {
			if len(args) != 1 {
				return fmt.Errorf("netref: setting %s takes one value, not %d", name, len(args))
			}
			return o.Set(ctx, name, args[0])
		}))
	case toValue:
		if err := o.request(ctx, field.Addr().Interface(), wire.HandleGetAttr, name); err != nil {
			return named(strings.TrimPrefix(path, "."), err)
		}
	case toObject:
		inner, err := Get[*Object](ctx, o, name)
		if err != nil || inner == nil && t.Kind() == reflect.Pointer {
			return err
		}
		if inner == nil {
			return named(strings.TrimPrefix(path, "."), notFit(nil, t, ""))
		}
		if t.Kind() == reflect.Pointer {
			field.Set(reflect.New(t.Elem()))
			field = field.Elem()
		}
		return bindStruct(ctx, inner, field, path, depth+1)
	}
	return nil
}

// BindError says what a struct asks for and the object does not have.
type BindError struct {
	Object  string   // the object, as its handle describes it
	Missing []string // the names, those inside sub-structs with the way to them: till.open
}

// Error implements error.
func (e *BindError) Error() string {
	return fmt.Sprintf("netref: %s has no attribute '%s'", e.Object, strings.Join(e.Missing, "', '"))
}

// makeFunc makes a Go func of a callable object of the peer.
func makeFunc(ctx context.Context, t reflect.Type, o *Object) reflect.Value {
	return goFunc(t, boundCall{o.CallInto, ctx})
}

var (
	contextType = reflect.TypeFor[context.Context]()
	errorType   = reflect.TypeFor[error]()
)

// goFunc makes a Go func of type t out of a call to the peer.
func goFunc(t reflect.Type, c boundCall) reflect.Value {
	if p := reflect.New(t); setDirect(p.Interface(), c) {
		return p.Elem()
	}
	f := funcForm{
		typ: t, results: t.NumOut(), takesContext: t.NumIn() > 0 && t.In(0) == contextType, variadic: t.IsVariadic(),
	}
	if f.returnsError = f.results > 0 && t.Out(f.results-1) == errorType; f.returnsError {
		f.results--
	}
	if last := lastParam(t); last != nil {
		f.keywords = KeywordStruct(last)
	}
	return reflect.MakeFunc(t, func(in []reflect.Value) []reflect.Value {
		ctx := c.later
		if f.takesContext {
			if given, ok := in[0].Interface().(context.Context); ok {
				ctx = given
			}
			in = in[1:]
		}
		out, err := f.call(ctx, c.do, f.spread(in))
		switch {
		case !f.returnsError && err != nil:
			panic(err)
		case !f.returnsError:
			return out
		case err == nil:
			return append(out, noError)
		}
		e := reflect.New(errorType).Elem()
		e.Set(reflect.ValueOf(err))
		return append(out, e)
	})
}

var noError = reflect.Zero(errorType)

// funcForm is what a func made by reflection has to know of its type.
type funcForm struct {
	typ          reflect.Type
	takesContext bool
	variadic     bool
	keywords     bool // the last parameter stands for keyword arguments
	results      int  // without the error
	returnsError bool
}

// spread gives a func's arguments as those of a call.
func (f *funcForm) spread(in []reflect.Value) []any {
	args := make([]any, 0, len(in))
	for i, v := range in {
		last := i == len(in)-1
		switch {
		case last && f.variadic:
			for j := range v.Len() {
				args = append(args, v.Index(j).Interface())
			}
		case last && f.keywords:
			args = append(args, fieldArgs(v))
		default:
			args = append(args, v.Interface())
		}
	}
	return args
}

// lastParam is the type of the last parameter of a func that is not variadic, nil if there is none.
func lastParam(t reflect.Type) reflect.Type {
	if n := t.NumIn(); n > 0 && !t.IsVariadic() {
		return t.In(n - 1)
	}
	return nil
}

// isOpaque reports whether a type, if it is not nil, is a struct of which a peer would see nothing, neither as keywords
// nor as an object.
func isOpaque(t reflect.Type) bool {
	return t != nil && t.Kind() == reflect.Struct && reflect.PointerTo(t).NumMethod() == 0 &&
		len(structFields(t)) == 0 && pyvalue.TypeName(reflect.Zero(t).Interface()) == ""
}

// KeywordStruct reports whether a final parameter of type t stands for keyword arguments, one for each of its fields:
// a struct of exported fields that has no methods, which is what an options struct is.
func KeywordStruct(t reflect.Type) bool {
	if t.Kind() != reflect.Struct || reflect.PointerTo(t).NumMethod() > 0 {
		return false
	}
	for i := range t.NumField() {
		if !t.Field(i).IsExported() {
			return false
		}
	}
	return t.NumField() > 0
}

// call makes the call and converts the result, or from a tuple the results.
func (f *funcForm) call(ctx context.Context, do remoteCall, args []any) ([]reflect.Value, error) {
	out := make([]reflect.Value, f.results, f.results+1)
	for i := range out {
		out[i] = reflect.New(f.typ.Out(i)).Elem()
	}
	switch f.results {
	case 0:
		return out, do(ctx, nil, args...)
	case 1:
		return out, do(ctx, out[0].Addr().Interface(), args...)
	}
	var all any
	if err := do(ctx, &all, args...); err != nil {
		return out, err
	}
	items, ok := all.(brine.Tuple)
	if !ok || len(items) != f.results {
		return out, notFit(all, f.typ, fmt.Sprintf("the func has %d results", f.results))
	}
	for i, v := range items {
		if err := Assign(ctx, out[i], v); err != nil {
			return out, within(err, step{i: i}.String())
		}
	}
	return out, nil
}

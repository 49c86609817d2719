package protocol

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strings"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/pickle"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// pickle answers PICKLE: with a copy of an object of ours in the form that Python unpickles.
func (in *incoming) pickle(o, protocol any) (any, error) {
	if !in.c.cfg.AllowPickle {
		return nil, vinegar.ValueError.New("pickling is disabled")
	}
	p, ok := protocol.(int64)
	if !ok {
		return nil, vinegar.TypeError.Errorf("'%s' object cannot be interpreted as an integer", exposed.TypeName(protocol))
	}
	if p > pickle.HighestProtocol {
		return nil, vinegar.ValueError.Errorf("pickle protocol must be <= %d", pickle.HighestProtocol)
	}
	if remote, ok := o.(*netref.Object); ok { // of another peer, who answers in our place
		return pickled(in, remote, p)
	}
	if p == arrayProtocol {
		var err error
		if o, err = asArray(in, o); err != nil {
			return nil, err
		}
	}
	return Pickle(in, o, int(p))
}

// arrayProtocol is what RPyC's proxies ask for where numpy calls their method __array__; copies are asked for with the
// number of a protocol.
const arrayProtocol = -1

// asArray returns what an object's method __array__ returns if it has one, and otherwise the object.
func asArray(ctx context.Context, o any) (any, error) {
	has := slices.ContainsFunc(exposed.Methods(nil, o), func(m exposed.Method) bool { return m.Name == "__array__" })
	if !has {
		return o, nil
	}
	v, err := exposed.CallAttr(ctx, exposed.Unrestricted(), o, "__array__", &exposed.Args{})
	if err != nil {
		return nil, err
	}
	return arrayOf(v)
}

// Pickle returns a pickle of a Go value as a peer is given it that asks for a copy: like pickle.Marshal, but with the
// values of package exposed as the Python values that they stand for, structs with the attributes that are exposed,
// errors as exceptions, and objects of peers as what those peers pickle them as. It fails with a TypeError, as Python
// would, for what cannot be copied: funcs, generators and the like.
func Pickle(ctx context.Context, v any, protocol int) ([]byte, error) {
	e := pickle.Encoder{Protocol: protocol, Length: answerLimit(ctx), Substitute: func(v any) (any, bool, error) {
		return picklable(ctx, v, int64(protocol))
	}}
	data, err := e.Encode(v)
	var unsupported *pickle.UnsupportedTypeError
	var deep *brine.LimitError
	switch {
	case errors.As(err, &unsupported):
		return nil, vinegar.TypeError.Errorf("cannot pickle 'Go %v' object", unsupported.Type)
	case errors.As(err, &deep) && deep.What == "nesting depth":
		return nil, vinegar.RecursionError.New("maximum recursion depth exceeded while pickling an object")
	case errors.As(err, &deep) && deep.Limit == e.Length:
		return nil, vinegar.MemoryError.New(deep.Error())
	}
	return data, err
}

// answerLimit is how long a pickle may become that is made for a handler's peer; 0 if there is none.
func answerLimit(ctx context.Context) int64 {
	if c := FromContext(ctx); c != nil {
		return c.cfg.Limits.Answer
	}
	return 0
}

// picklable gives what is to be pickled in place of a value.
func picklable(ctx context.Context, v any, protocol int64) (any, bool, error) {
	switch x := v.(type) {
	case *netref.Object:
		if x == nil {
			return nil, true, nil
		}
		data, err := pickled(ctx, x, protocol)
		return pickle.Raw(data), true, err
	case *exposed.List:
		return x.Items(), true, nil
	case *exposed.Set:
		return pickle.Set(x.Items()), true, nil
	case *exposed.Dict:
		d := new(pickle.Dict)
		for _, k := range x.Keys() {
			item, ok, err := x.Get(ctx, k)
			if err == nil && ok {
				err = d.Set(k, item)
			}
			if err != nil {
				return nil, false, err
			}
		}
		return d, true, nil
	case *exposed.Class:
		dot := strings.LastIndexByte(x.Name(), '.')
		return pickle.Class{Module: x.Name()[:dot], Name: x.Name()[dot+1:]}, true, nil
	case *vinegar.Class:
		return pickle.Class{Module: x.Module(), Name: x.Name()}, true, nil
	case *exposed.Function, *exposed.Generator:
		return nil, false, vinegar.TypeError.Errorf("cannot pickle '%s' object", exposed.TypeName(v))
	case error:
		exc := vinegar.FromError(x)
		o := &pickle.Object{Class: pickle.Class{Module: exc.Class.Module(), Name: exc.Class.Name()}, Args: exc.Args}
		state := new(pickle.Dict)
		for _, a := range exc.Attrs {
			if !strings.HasPrefix(a.Name, "_") {
				_ = state.Set(a.Name, a.Value) // a text is always hashable
			}
		}
		if state.Len() > 0 {
			o.State = state
		}
		return o, true, nil
	}
	return structure(ctx, reflect.ValueOf(v))
}

// structure gives the attributes of a struct. Those of the packages whose values package pickle knows are left to it.
func structure(ctx context.Context, rv reflect.Value) (any, bool, error) {
	t := rv.Type()
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Kind() != reflect.Struct || rv.Kind() == reflect.Pointer && rv.IsNil() {
		return nil, false, nil
	}
	switch t.PkgPath() {
	case "time", "math/big", pickleable, reflect.TypeFor[brine.Slice]().PkgPath():
		return nil, false, nil
	case reflect.TypeFor[exposed.List]().PkgPath():
		if x, ok := rv.Interface().(netref.Valuer); ok { // a view of a container
			if of := x.GoValue(); reflect.TypeOf(of).Kind() == reflect.Slice || reflect.TypeOf(of).Kind() == reflect.Map {
				return of, true, nil
			}
		}
		return nil, false, vinegar.TypeError.Errorf("cannot pickle '%s' object", exposed.TypeName(rv.Interface()))
	}
	if rv.Kind() == reflect.Struct {
		p := reflect.New(t)
		p.Elem().Set(rv)
		rv = p
	}
	v := rv.Interface()
	if _, ok := v.(interface{ GoValue() any }); ok && strings.HasPrefix(exposed.ClassOf(v).Name(), "builtins.") {
		return nil, false, nil // it says what it is to be copied as
	}
	fields, ok, err := exposed.State(ctx, v)
	if ok && err == nil && len(fields) == 0 && t.NumField() > 0 { // an empty object is no copy of one that shows nothing
		return nil, false, vinegar.TypeError.Errorf("cannot pickle '%s' object", exposed.TypeName(v))
	}
	return pickle.Namespace(fields), ok, err
}

var pickleable = reflect.TypeFor[pickle.Dict]().PkgPath()

// pickled asks a peer for a pickle of its object.
func pickled(ctx context.Context, o *netref.Object, protocol int64) (data []byte, err error) {
	err = o.Peer().Request(ctx, &data, wire.HandlePickle, o, protocol)
	return data, err
}

package netref

import (
	"context"
	"reflect"
	"slices"

	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// Obtain copies a remote object with everything in it, which goes over as a pickle (rpyc.classic.obtain), and converts
// the copy as [Assign] does, from the values that package pickle describes; any takes those as they are. Objects of
// classes that package pickle does not know become *pickle.Object, or a struct or a map with their attributes.
//
// It takes one round trip, and more only where the copy does not say enough for T, and nothing in T is an interface:
// then the object itself is converted, as [As] does it. A namedtuple for example does not carry the names of its
// fields.
//
// The peer must allow pickling (allow_pickle, as classic servers do); one that does not answers with a ValueError. What
// cannot be pickled, such as a generator, is converted as As does it. What is no remote object is converted without
// asking.
func Obtain[T any](ctx context.Context, v any) (T, error) {
	var t, none T
	o, ok := v.(*Object)
	if !ok || o == nil {
		return As[T](ctx, v)
	}
	if err := obtain(ctx, reflect.ValueOf(&t).Elem(), o); err != nil {
		return none, err
	}
	return t, nil
}

func obtain(ctx context.Context, dst reflect.Value, o *Object) error {
	live := holdsValues(dst.Type(), nil, false) // whether what the copy does not say can be asked of the object
	var data []byte
	var copied any
	err := o.request(ctx, &data, wire.HandlePickle, highestPickle)
	pickled := err == nil
	if pickled {
		o.peer.SetPickles(true)
		if copied, err = o.peer.Unpickle(data, false); err != nil {
			return err
		}
		c := conversion{ctx: ctx, sure: live, copied: true}
		if err = c.convert(dst, copied); err == nil {
			return nil
		}
	}
	unfit, _ := err.(*ConvertError)
	exc, raised := err.(*vinegar.Error)
	switch {
	case !live, !pickled && (!raised || exc.Is(vinegar.ValueError)), // which says that nothing may be pickled
		unfit != nil && unfit.Value != nil: // a number or a text is the same at the peer
		return err
	}
	dst.SetZero()
	liveErr := Assign(ctx, dst, o)
	refusal, _ := liveErr.(*ConvertError)
	switch {
	case liveErr == nil:
		return nil
	case !pickled:
		return err
	case refusal != nil && (refusal.Reason == "" || refusal.lacking):
		return liveErr
	}
	// What the peer does not show, the copy may.
	dst.SetZero()
	c := conversion{ctx: ctx, copied: true}
	if c.convert(dst, copied) != nil {
		return liveErr
	}
	return nil
}

// highestPickle asks for the newest protocol of pickles that the peer has.
const highestPickle = -1

// holdsValues reports whether a type takes nothing but values: where an any is part of it, what is a copy and what a
// handle would depend on how it was got; orAny lets an any pass. outer are the structs it is looked for in.
func holdsValues(t reflect.Type, outer []reflect.Type, orAny bool) bool {
	switch t.Kind() {
	case reflect.Interface:
		return orAny && t == anyType || takesException(t)
	case reflect.Func, reflect.Chan:
		return false
	case reflect.Map:
		return holdsValues(t.Key(), outer, orAny) && holdsValues(t.Elem(), outer, orAny)
	case reflect.Slice, reflect.Array, reflect.Pointer:
		return holdsValues(t.Elem(), outer, orAny)
	case reflect.Struct:
		if t == objectType.Elem() {
			return false
		}
		if slices.Contains(outer, t) {
			return true
		}
		for _, f := range structFields(t) {
			if !holdsValues(t.FieldByIndex(f.index).Type, append(outer, t), orAny) {
				return false
			}
		}
	}
	return true
}

package netref

import (
	"reflect"

	"github.com/gorpyc/gorpyc/protocol/wire"
)

// Owner takes requests about an object of this program in place of a connection. An object that comes back from a peer,
// as an argument for example, is so used as Python would use it where its Go type is not what is asked for. Package
// exposed implements it; users have no need to.
type Owner interface {
	Requester
	// Value returns the object.
	Value() any
	// Ref names the object's class, or the object if it is a class.
	Ref() wire.Ref
}

var makeOwner func(v any) Owner

// SetOwner says how Owners are made. It is for package exposed, while it is initialised.
func SetOwner(f func(v any) Owner) { makeOwner = f }

// ownHandle makes a handle on an object of this program; nil for what is a copy of a peer's object, and where nothing
// is exposed.
func ownHandle(v any) *Object {
	if _, copied := v.(Former); copied || makeOwner == nil {
		return nil
	}
	o := makeOwner(v)
	return New(o, o.Ref())
}

// sameOwn reports whether two values of this program are one object.
func sameOwn(v, w reflect.Value) bool {
	if !v.IsValid() || !w.IsValid() || v.Type() != w.Type() {
		return false
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Chan, reflect.Func:
		return v.UnsafePointer() == w.UnsafePointer()
	case reflect.Slice:
		return v.UnsafePointer() == w.UnsafePointer() && v.Len() == w.Len()
	}
	return false
}

// Own returns the object of this program that the handle is on; false if the object is a peer's.
func (o *Object) Own() (v any, ok bool) {
	owner, ok := o.peer.(Owner)
	if !ok {
		return nil, false
	}
	return owner.Value(), true
}

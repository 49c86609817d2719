package wire

import (
	"slices"
	"strings"

	"github.com/gorpyc/gorpyc/brine"
)

// The peers of families A and B know an object by one number, its oid. A reference to an object of the sender describes
// it by (oid, class, module), every other reference is the oid alone.
//
// What we give out has the instance's id as its oid, and the negative of the class's id if it is a class. What we get
// has its oid as Ref.Object.

// RootAlias returns the name that a peer of families A and B takes for the number of an object whose id pack it was
// given in the form of family C; "" if r has a number.
func (r Ref) RootAlias() string {
	if r.old && r.Object == 0 && r.Class == 0 {
		return r.Name
	}
	return ""
}

func (r Ref) oid() int64 {
	if r.Object != 0 {
		return r.Object
	}
	return -r.Class
}

func readOID(c *brine.Cursor) (Ref, error) {
	if c.Kind() == brine.KindString || c.Kind() == brine.KindBytes { // see RootAlias
		name, err := readName(c)
		return Ref{Name: name, old: true}, err
	}
	if c.Kind() != brine.KindInt {
		return Ref{}, formError("an object's number", c)
	}
	n, err := c.Int64()
	if err != nil {
		return Ref{}, err
	}
	if n < 0 {
		return Ref{Class: -n, old: true}, nil
	}
	return Ref{Object: n, old: true}, nil
}

// appendDescription appends what stands in a reference to an object of ours.
func (d *Dialect) appendDescription(b []byte, r Ref) []byte {
	module, class := "builtins", "type"
	if !r.IsClass() {
		if i := strings.LastIndexByte(r.Name, '.'); i >= 0 {
			module, class = r.Name[:i], r.Name[i+1:]
		} else {
			class = "module"
		}
	}
	b = brine.AppendTupleHeader(b, 3)
	b = brine.AppendInt(b, r.oid())
	b = d.appendName(b, class)
	return d.appendName(b, d.module(module))
}

func (d *Dialect) appendName(b []byte, s string) []byte {
	if d.python2 {
		return brine.AppendBytes(b, []byte(s))
	}
	nb, err := brine.AppendString(b, s)
	if err != nil { // cannot be: names are checked when classes are made
		return append(b, 0x08, 0x01)
	}
	return nb
}

// module gives the name that the peer's Python has for a module.
func (d *Dialect) module(name string) string {
	if d.python2 && name == "builtins" {
		return "__builtin__"
	}
	return name
}

// Python2 reports whether the peer runs on Python 2, which has names as bytes, and its own for some methods and
// exceptions.
func (d *Dialect) Python2() bool { return d.python2 }

// python2Methods are what Python 2 calls the methods that Python 3 has renamed.
var python2Methods = map[string]string{"__next__": "next", "__bool__": "__nonzero__", "__truediv__": "__div__"}

var python3Methods = map[string]string{"next": "__next__", "__nonzero__": "__bool__", "__div__": "__truediv__"}

// Method returns the name of a method of ours in the form that the peer wants, by its own name for it.
func (d *Dialect) Method(name string) any {
	if !d.python2 {
		return name
	}
	if other, ok := python2Methods[name]; ok {
		name = other
	}
	return []byte(name)
}

// OwnMethod returns our name of a method that the peer asks for.
func (d *Dialect) OwnMethod(name any) any {
	if !d.python2 {
		return name
	}
	if b, ok := name.([]byte); ok {
		name = string(b)
	}
	if s, ok := name.(string); ok {
		if other, ok := python3Methods[s]; ok {
			return other
		}
	}
	return name
}

// ItemMethod returns the method that takes a slice in the place of one that takes its two ends, which Python 2 has for
// lists and texts: RPyC 3.0 and 3.1 call it like any other method, later releases by OLDSLICING. It returns "" for
// other methods.
func (d *Dialect) ItemMethod(name any) string {
	if !d.python2 || !d.bare {
		return ""
	}
	switch name {
	case "__getslice__":
		return "__getitem__"
	case "__setslice__":
		return "__setitem__"
	case "__delslice__":
		return "__delitem__"
	}
	return ""
}

// ReadRemoteRef reads what stands in a reference to an object of the sender.
func (d *Dialect) ReadRemoteRef(c *brine.Cursor, names *Names) (Ref, error) {
	if !d.oids {
		return d.ReadRef(c, names)
	}
	if c.Kind() != brine.KindTuple {
		return Ref{}, formError("a description of an object", c)
	}
	if n, err := c.Tuple(); err != nil {
		return Ref{}, err
	} else if n != 3 {
		return Ref{}, &FormError{What: "a description of an object by 3 members", Got: "another number of them"}
	}
	if c.Kind() != brine.KindInt {
		return Ref{}, formError("an object's number", c)
	}
	oid, err := c.Int64()
	if err != nil {
		return Ref{}, err
	}
	class, err := readName(c)
	if err != nil {
		return Ref{}, err
	}
	module, err := readName(c)
	if err != nil {
		return Ref{}, err
	}
	if module == "__builtin__" {
		module = "builtins"
	}
	return Ref{Name: names.get([]byte(module + "." + class)), Object: oid, old: true}, nil
}

func readName(c *brine.Cursor) (string, error) {
	if c.Kind() == brine.KindBytes {
		b, err := c.Bytes()
		return string(b), err
	}
	if c.Kind() != brine.KindString {
		return "", formError("a name", c)
	}
	return c.String()
}

// BareTargets reports whether the object an operation is asked of is given as a plain number.
func (d *Dialect) BareTargets() bool { return d.bare }

// AppendDelArgs appends the boxed arguments of DEL, which gives n references back. It returns how many of them that
// does: the releases of family A give back one at a time.
func (d *Dialect) AppendDelArgs(b []byte, r Ref, n int64) ([]byte, int64) {
	if d.bare {
		b = d.AppendLabel(b, LabelValue)
		b = brine.AppendTupleHeader(b, 1)
		return brine.AppendInt(b, r.oid()), 1
	}
	if d.kinds && !d.delByRef {
		b = d.AppendLabel(b, LabelValue)
		b = brine.AppendTupleHeader(b, 2)
		return brine.AppendInt(d.AppendRef(b, r), n), n
	}
	b = d.AppendLabel(b, LabelTuple)
	b = brine.AppendTupleHeader(b, 2)
	b = d.AppendLocalRef(b, r)
	b = d.AppendLabel(b, LabelValue)
	return brine.AppendInt(b, n), n
}

// Adapt gives the operation that a peer of the family has in place of h, as its own proxies ask for it. args begin with
// the object meant.
func (d *Dialect) Adapt(h Handler, args []any) (Handler, []any) {
	h, args = d.operation(h, args)
	if d.python2 {
		args = d.python2Args(h, args)
	}
	return h, args
}

// operation is Adapt but for names, which are those of Python 3.
func (d *Dialect) operation(h Handler, args []any) (Handler, []any) {
	switch {
	case h == HandleCmp && d.oids && len(args) == 3:
		return HandleCallAttr, []any{args[0], args[2], brine.Tuple{args[1]}, brine.Tuple(nil)}
	case h == HandleHash && d.oids && !d.bare:
		return HandleCallAttr, []any{args[0], "__hash__", brine.Tuple(nil), brine.Tuple(nil)}
	case h == HandleCallAttr && d.CallsInTwo() && len(args) > 1 && args[1] == "__bool__":
		return HandleBool, args[:1]
	case h == HandleCtxExit && d.bare && len(args) == 2:
		return HandleCallAttr, []any{args[0], "__exit__", brine.Tuple{args[1], args[1], nil}, brine.Tuple(nil)}
	}
	return h, args
}

// python2Args gives methods, keywords and id packs by value the names that Python 2 wants.
func (d *Dialect) python2Args(h Handler, args []any) []any {
	args = slices.Clone(args)
	if n := len(args); !d.oids && n > 0 && (h == HandleInspect || h == HandleInstanceCheck) {
		if pack, ok := args[n-1].(brine.Tuple); ok && len(pack) > 0 {
			if name, ok := pack[0].(string); ok {
				pack = slices.Clone(pack)
				pack[0] = []byte(d.refName(Ref{Name: name}))
				args[n-1] = pack
			}
		}
	}
	if h.TakesName() && len(args) > 1 {
		if s, ok := args[1].(string); ok {
			args[1] = d.Method(s)
		}
	}
	if n := len(args); (h == HandleCall && n == 3) || (h == HandleCallAttr && n == 4) {
		if kw, ok := args[n-1].(brine.Tuple); ok {
			kw = slices.Clone(kw)
			for i := range kw {
				if pair, ok := kw[i].(brine.Tuple); ok && len(pair) == 2 {
					if s, ok := pair[0].(string); ok {
						kw[i] = brine.Tuple{[]byte(s), pair[1]}
					}
				}
			}
			args[n-1] = kw
		}
	}
	return args
}

// OwnKeywords makes the names of keyword arguments text, which Python 2 sends as bytes.
func (d *Dialect) OwnKeywords(v any) any {
	kw, ok := v.(brine.Tuple)
	if !ok || !d.python2 {
		return v
	}
	kw = slices.Clone(kw)
	for i := range kw {
		if pair, ok := kw[i].(brine.Tuple); ok && len(pair) == 2 {
			if b, ok := pair[0].([]byte); ok {
				kw[i] = brine.Tuple{string(b), pair[1]}
			}
		}
	}
	return kw
}

// AskedMethods are the methods that proxies of the family ask for by name, if they are told that there are any, where
// later ones have operations of their own. manager tells that the object is a context manager.
func (d *Dialect) AskedMethods(manager bool) []string {
	if !d.oids {
		return nil
	}
	names := []string{"__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__"}
	if !d.python2 {
		names = append(names, "__hash__") // which a class that has __eq__ there does not inherit
	}
	if manager && (d.bare || d.python2) {
		names = append(names, "__exit__")
	}
	return names
}

// ComparesOnce reports whether peers compare by one operation, the old __cmp__, instead of one for each operator.
func (d *Dialect) ComparesOnce() bool { return d.oids }

// IteratesNext reports whether BUFFITER is understood for iterators only, and not without a count.
func (d *Dialect) IteratesNext() bool { return d.bare }

// Survey is how a peer that begins its messages as families A to C do is told apart: ask for its root, and, if Want
// says so after the answer, for the REPR of that. The zero value is ready.
type Survey struct {
	// Dialect is the family, nil until it is known.
	Dialect *Dialect
	// Root is the root object, as a reference to ask with.
	Root Ref

	python2 bool
}

// Answer takes in the answer to the request for the root. An error means that it is no root.
func (s *Survey) Answer(body brine.Cursor) error {
	l, err := FamilyC.ReadLabel(&body)
	if err != nil {
		return err
	}
	if l != LabelRemoteRef {
		return &FormError{What: "a root object by reference", Got: "a value"}
	}
	look := body
	if look.Kind() != brine.KindTuple {
		return formError("an id pack", &look)
	}
	if n, err := look.Tuple(); err != nil {
		return err
	} else if n == 3 && look.Kind() == brine.KindBytes {
		s.Dialect = FamilyC2
		return nil
	} else if n == 0 || look.Kind() != brine.KindInt {
		s.Dialect = FamilyC
		return nil
	}
	if _, err := look.Int64(); err != nil {
		return err
	}
	s.python2 = look.Kind() == brine.KindBytes
	s.Root, err = FamilyB.ReadRemoteRef(&body, &Names{})
	return err
}

// AppendQuestion appends the body's arguments of the REPR that is to be asked for.
func (s *Survey) AppendQuestion(b []byte) []byte {
	b = FamilyB.AppendLabel(b, LabelTuple)
	b = brine.AppendTupleHeader(b, 1)
	return FamilyB.AppendLocalRef(b, s.Root)
}

// Answered takes in how the REPR was answered: family A does not take a reference there.
func (s *Survey) Answered(k Kind) {
	switch {
	case k == Reply && s.python2:
		s.Dialect = FamilyB2
	case k == Reply:
		s.Dialect = FamilyB
	case s.python2:
		s.Dialect = FamilyA2
	default:
		s.Dialect = FamilyA
	}
}

package exposed

import (
	"context"
	"errors"
	"maps"
	"math"
	"math/big"
	"slices"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// Compare is the operation CMP: it calls the comparison method op ("__eq__", "__lt__" …) of v's class if the policy
// lets the peer read it. The result is the method's; brine.NotImplemented means that it cannot tell.
func Compare(ctx context.Context, p *Policy, v, other any, op string) (r any, err error) {
	defer protect(&err)
	v, other = norm(v), norm(other)
	if _, known := compareOps[op]; !known && op != "__cmp__" {
		return nil, cannotAccess(op) // the policy guards attributes; that other methods can be called this way is not meant
	}
	c := ClassOf(v)
	o, foreign := v.(*netref.Object)
	name, err := p.GetName(op, func(n string) bool { return foreign && n == op || c.find(n, p.prefix(), false) != nil })
	if err != nil {
		return nil, err
	}
	if foreign {
		return o.Compare(ctx, name, other)
	}
	a := c.find(name, p.prefix(), false)
	if a == nil {
		return nil, vinegar.AttributeError.Errorf("type object '%s' has no attribute '%s'", c.name, name)
	}
	return a.invoke(ctx, v, NewArgs([]any{other}, nil))
}

// Hash is Python's hash(v): an int64, or a *big.Int if the object's own method returns one. Objects that define
// equality without a hash are unhashable, as in Python.
func Hash(ctx context.Context, v any) (h any, err error) {
	defer protect(&err)
	v = norm(v)
	if o, ok := v.(*netref.Object); ok {
		return o.Request(ctx, wire.HandleHash)
	}
	c := ClassOf(v)
	a := c.flat["__hash__"]
	if a != objectClass.flat["__hash__"] {
		r, err := a.invoke(ctx, v, &Args{})
		if err != nil {
			return nil, err
		}
		if n := toNumber(norm(r)); n.kind == kindInt {
			return intForm(n.bigInt()), nil
		}
		return nil, vinegar.TypeError.New("__hash__ method should return an integer")
	}
	switch v.(type) {
	case nil, bool, int64, *big.Int, float64, complex128, string, []byte,
		brine.Tuple, brine.FrozenSet, brine.Slice, brine.EllipsisType, brine.NotImplementedType:
		return hashValue(ctx, v)
	}
	key, ok := Identity(v)
	if !ok || c.flat["__eq__"] != objectClass.flat["__eq__"] {
		return nil, unhashable(c)
	}
	return hashOf(key), nil
}

func unhashable(c *Class) error {
	return vinegar.TypeError.Errorf("unhashable type: '%s'", c.name)
}

// Truth is Python's bool(v).
func Truth(ctx context.Context, v any) (bool, error) {
	v = norm(v)
	switch x := v.(type) {
	case nil:
		return false, nil
	case bool:
		return x, nil
	case string:
		return x != "", nil
	case []byte:
		return len(x) > 0, nil
	case brine.Tuple:
		return len(x) > 0, nil
	case brine.FrozenSet:
		return len(x) > 0, nil
	case *netref.Object:
		return remoteTruth(ctx, x)
	}
	if n := toNumber(v); n.kind != notNumber {
		return !equalNumbers(n, number{kind: kindInt}), nil
	}
	c := ClassOf(v)
	if a := c.flat["__bool__"]; a != nil {
		r, err := a.invoke(ctx, v, &Args{})
		if err != nil {
			return false, err
		}
		b, ok := norm(r).(bool)
		if !ok {
			return false, vinegar.TypeError.Errorf("__bool__ should return bool, returned %s", TypeName(r))
		}
		return b, nil
	}
	if c.flat["__len__"] != nil {
		n, err := Len(ctx, v)
		return n != 0, err
	}
	return true, nil
}

// Len is Python's len(v).
func Len(ctx context.Context, v any) (n int, err error) {
	defer protect(&err)
	v = norm(v)
	if o, ok := v.(*netref.Object); ok {
		n, err := o.Len(ctx)
		if errors.Is(err, vinegar.AttributeError) { // what its peer says of a method that is not there
			err = noLen(v)
		}
		return n, err
	}
	a := ClassOf(v).flat["__len__"]
	if a == nil {
		return 0, noLen(v)
	}
	r, err := a.invoke(ctx, v, &Args{})
	if err != nil {
		return 0, err
	}
	return asIndex(norm(r))
}

func noLen(v any) error {
	return vinegar.TypeError.Errorf("object of type '%s' has no len()", TypeName(v))
}

// GetItem is Python's v[key].
func GetItem(ctx context.Context, v, key any) (r any, err error) {
	defer protect(&err)
	v = norm(v)
	if o, ok := v.(*netref.Object); ok {
		return o.Item(ctx, key)
	}
	a := ClassOf(v).flat["__getitem__"]
	if a == nil {
		return nil, vinegar.TypeError.Errorf("'%s' object is not subscriptable", TypeName(v))
	}
	return a.invoke(ctx, v, NewArgs([]any{norm(key)}, nil))
}

// Contains is Python's item in v.
func Contains(ctx context.Context, v, item any) (found bool, err error) {
	defer protect(&err)
	v = norm(v)
	if o, ok := v.(*netref.Object); ok {
		return o.Contains(ctx, item)
	}
	if a := ClassOf(v).flat["__contains__"]; a != nil {
		r, err := a.invoke(ctx, v, NewArgs([]any{item}, nil))
		if err != nil {
			return false, err
		}
		return Truth(ctx, r)
	}
	if !iterable(v) {
		return false, vinegar.TypeError.Errorf("argument of type '%s' is not iterable", TypeName(v))
	}
	for x, err := range Iterate(ctx, v) {
		if err != nil {
			return false, err
		}
		if eq, err := identicalOrEqual(ctx, x, item); err != nil || eq {
			return eq, err
		}
	}
	return false, nil
}

// operators maps the methods of arithmetic to the operator's sign.
var operators = map[string]string{
	"__add__": "+", "__sub__": "-", "__mul__": "*", "__truediv__": "/", "__floordiv__": "//", "__mod__": "%",
	"__divmod__": "divmod()", "__pow__": "** or pow()", "__lshift__": "<<", "__rshift__": ">>",
	"__and__": "&", "__or__": "|", "__xor__": "^", "__matmul__": "@",
}

// Operate applies one of Python's binary operators, named by its method: "__add__" for a + b, "__lt__" for a < b.
func Operate(ctx context.Context, op string, a, b any) (r any, err error) {
	defer protect(&err)
	a, b = norm(a), norm(b)
	if _, compares := compareOps[op]; compares {
		return richCompare(ctx, op, a, b)
	}
	sign, ok := operators[op]
	if !ok {
		return nil, vinegar.ValueError.Errorf("%s is no binary operator", op)
	}
	if r, err = special(ctx, a, op, b); err != nil || r != any(brine.NotImplemented) {
		return r, err
	}
	if TypeName(a) != TypeName(b) {
		if r, err = special(ctx, b, "__r"+op[2:], a); err != nil || r != any(brine.NotImplemented) {
			return r, err
		}
	}
	return nil, vinegar.TypeError.Errorf("unsupported operand type(s) for %s: '%s' and '%s'", sign, TypeName(a), TypeName(b))
}

// asIndex takes a non-negative size.
func asIndex(v any) (int, error) {
	n := toNumber(v)
	switch {
	case n.kind != kindInt:
		return 0, vinegar.TypeError.Errorf("'%s' object cannot be interpreted as an integer", TypeName(v))
	case n.big != nil || n.i > math.MaxInt:
		return 0, vinegar.OverflowError.New("cannot fit 'int' into an index-sized integer")
	case n.i < 0:
		return 0, vinegar.ValueError.New("__len__() should return >= 0")
	}
	return int(n.i), nil
}

// Dir is Python's dir(v): the real names of the attributes, sorted. Fields of structs are attributes of objects and not of
// their class. The names are those that a PyDir method returns if the object has one.
func Dir(ctx context.Context, v any) (names []string, err error) {
	defer protect(&err)
	v = norm(v)
	if o, ok := v.(*netref.Object); ok {
		return o.Dir(ctx)
	}
	c, ofClass := v.(*Class)
	if !ofClass {
		c = ClassOf(v)
		if a := c.flat["__dir__"]; a != objectClass.flat["__dir__"] {
			return customDir(ctx, v, a)
		}
	}
	return slices.Sorted(maps.Keys(c.names(v, ofClass))), nil
}

// names collects what objects of the class have, or v in particular, or the class itself.
func (c *Class) names(v any, ofClass bool) map[string]bool {
	set := map[string]bool{}
	for _, m := range c.mro {
		for n, a := range m.own {
			if !ofClass || !a.field {
				set[n] = true
			}
		}
	}
	if c.service.Load() {
		for n := range serviceClass.own {
			set[n] = true
		}
	}
	for _, n := range attrsOf(v).Names() {
		set[n] = true
	}
	return set
}

func customDir(ctx context.Context, v any, a *attr) ([]string, error) {
	r, err := a.invoke(ctx, v, &Args{})
	if err != nil {
		return nil, err
	}
	names, err := netref.As[[]string](ctx, r)
	if all, ok := norm(r).(interface{ GoValue() any }); err != nil && ok {
		return netref.As[[]string](ctx, all.GoValue())
	}
	slices.Sort(names)
	return names, err
}

// Method is an entry of the answer to INSPECT.
type Method struct {
	Name, Doc string
	HasDoc    bool // false: the documentation is None
}

// Methods lists the methods of v's class, special ones included, as INSPECT reports them: no data attributes, and no
// names that proxies answer themselves. For a class it lists its own and those that all classes have. For an object of
// another peer it is empty: that peer has to be asked.
func Methods(v any) []Method {
	v = norm(v)
	switch x := v.(type) {
	case *netref.Object:
		return nil
	case *Class:
		return routines(typeClass, x)
	}
	c := ClassOf(v)
	if c.service.Load() {
		c.inspectService.Do(func() { c.serviceMethods = routines(c, serviceClass) })
		return slices.Clone(c.serviceMethods)
	}
	c.inspect.Do(func() { c.methods = routines(c) })
	return slices.Clone(c.methods)
}

// routines lists the methods of the classes; later classes take precedence.
func routines(classes ...*Class) []Method {
	found := map[string]Method{}
	for _, c := range classes {
		for _, m := range slices.Backward(c.mro) {
			for n, a := range m.own {
				delete(found, n)
				if !localNames[n] && a.isRoutine() {
					found[n] = Method{n, a.docOf().text, a.docOf().set}
				}
			}
		}
	}
	ms := make([]Method, 0, len(found))
	for _, m := range found {
		ms = append(ms, m)
	}
	slices.SortFunc(ms, func(a, b Method) int { return compareOrdered(a.Name, b.Name) })
	return ms
}

func (a *attr) isRoutine() bool {
	_, function := a.value.(*Function)
	return a.kind == methodAttr || function
}

func (a *attr) docOf() docText {
	if f, ok := a.value.(*Function); ok {
		return f.doc
	}
	return a.doc
}

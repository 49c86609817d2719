package exposed

import (
	"context"
	"strconv"
	"strings"
	"unicode"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/binding"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// Builtin returns the class of that name in Python's module builtins: "int", "list", "ValueError". It knows the classes
// that Go values appear as and the builtin exceptions, by their older names too.
func Builtin(name string) (*Class, bool) {
	for _, c := range builtinOrder {
		if c.module == "builtins" && c.name == name {
			return c, true
		}
	}
	if e, ok := vinegar.Lookup("builtins", name); ok {
		return classOfException(e), true
	}
	return nil, false
}

// defineConstructors lets Python call the builtin classes: int("5"), list(x), dict(a=1).
func defineConstructors() {
	for c, f := range map[*Class]*Function{
		objectClass:  Func(func() any { return &plainObject{} }),
		intClass:     Func(newInt, "x=0", "/", "base=None"),
		complexClass: Func(newComplex, "real=0", "imag=None"),
		strClass:     Func(newStr, "object=''", "encoding=None", "errors=None"),
		bytesClass:   Func(newBytes, "source=b''", "encoding=None", "errors=None"),
		sliceClass:   Func(newSlice, "*args"),
		dictClass:    Func(newDict, "*args", "**kw"),
	} {
		p, err := binding.New(f.fn, binding.Options{Name: c.name, Qual: c.name + ".__init__", Params: f.params})
		if err != nil {
			panic(err)
		}
		c.construct = p
	}
	for c, f := range map[*Class]struct {
		make    func(ctx context.Context, v any) (any, error)
		missing any
	}{
		floatClass:     {newFloat, 0.0},
		boolClass:      {func(ctx context.Context, v any) (any, error) { return Truth(ctx, v) }, false},
		tupleClass:     {newTuple, brine.Tuple{}},
		frozensetClass: {newFrozenset, brine.Tuple{}},
		listClass:      {newList, brine.Tuple{}},
		setClass:       {newSet, brine.Tuple{}},
	} {
		c.factory = native(func(ctx context.Context, _ any, a *Args) (any, error) {
			pos, err := binding.BuiltinArgs(a, c.name, c.name, 0, 1)
			if err != nil {
				return nil, err
			}
			if len(pos) == 0 {
				return f.make(ctx, f.missing)
			}
			return f.make(ctx, pos[0])
		})
	}
}

// plainObject is what object() makes.
type plainObject struct{ _ int }

func newComplex(_ context.Context, re, im any) (any, error) {
	if s, ok := norm(re).(string); ok {
		c, err := strconv.ParseComplex(strings.ReplaceAll(strings.TrimFunc(s, unicode.IsSpace), "j", "i"), 128)
		if err != nil || im != nil {
			return nil, vinegar.ValueError.New("complex() arg is a malformed string")
		}
		return c, nil
	}
	sum := complex128(0)
	for i, v := range []any{re, im} {
		n := toNumber(norm(v))
		if v == nil && i == 1 {
			break
		}
		if n.kind == notNumber {
			return nil, vinegar.TypeError.Errorf("complex() argument must be a string or a number, not '%s'", TypeName(v))
		}
		c, err := n.complex()
		if err != nil {
			return nil, err
		}
		sum += c * []complex128{1, 1i}[i]
	}
	return sum, nil
}

func newStr(ctx context.Context, object, encoding, errors any) (any, error) {
	if encoding == nil && errors == nil {
		return Str(ctx, object)
	}
	b, ok := norm(object).([]byte)
	if !ok {
		if _, text := norm(object).(string); text {
			return nil, vinegar.TypeError.New("decoding str is not supported")
		}
		return nil, vinegar.TypeError.Errorf("decoding to str: need a bytes-like object, %s found", TypeName(object))
	}
	return decode(b, encoding, errors)
}

func newBytes(ctx context.Context, source, encoding, errors any) (any, error) {
	source = norm(source)
	switch v := source.(type) {
	case []byte:
		return v, nil
	case string:
		if encoding == nil {
			return nil, vinegar.TypeError.New("string argument without an encoding")
		}
		return encode(v, encoding, errors)
	}
	if n := toNumber(source); n.kind == kindInt {
		if n.big != nil || n.i > 1<<30 {
			return nil, vinegar.OverflowError.New("cannot fit 'int' into an index-sized integer")
		}
		if n.i < 0 {
			return nil, vinegar.ValueError.New("negative count")
		}
		return make([]byte, n.i), nil
	}
	if !iterable(source) {
		return nil, vinegar.TypeError.Errorf("cannot convert '%s' object to bytes", TypeName(source))
	}
	all, err := items(ctx, source)
	if err != nil {
		return nil, err
	}
	b := make([]byte, len(all))
	for i, v := range all {
		n := toNumber(norm(v))
		if n.kind != kindInt {
			return nil, vinegar.TypeError.Errorf("'%s' object cannot be interpreted as an integer", TypeName(v))
		}
		if n.big != nil || n.i < 0 || n.i > 255 {
			return nil, vinegar.ValueError.New("bytes must be in range(0, 256)")
		}
		b[i] = byte(n.i)
	}
	return b, nil
}

func newTuple(ctx context.Context, iterable any) (any, error) {
	all, err := items(ctx, iterable)
	return append(brine.Tuple{}, all...), err
}

func newList(ctx context.Context, iterable any) (any, error) {
	all, err := items(ctx, iterable)
	return &List{items: append([]any{}, all...)}, err
}

func newSet(ctx context.Context, iterable any) (any, error) {
	all, err := items(ctx, iterable)
	if err != nil {
		return nil, err
	}
	return setOf(ctx, all)
}

func newFrozenset(ctx context.Context, iterable any) (any, error) {
	all, err := items(ctx, iterable)
	if err != nil {
		return nil, err
	}
	s, err := setOf(ctx, all)
	if err != nil {
		return nil, err
	}
	return brine.FrozenSet(s.Items()), nil
}

func newSlice(_ context.Context, args []any) (any, error) {
	switch len(args) {
	case 1:
		return brine.Slice{Stop: args[0]}, nil
	case 2:
		return brine.Slice{Start: args[0], Stop: args[1]}, nil
	case 3:
		return brine.Slice{Start: args[0], Stop: args[1], Step: args[2]}, nil
	case 0:
		return nil, vinegar.TypeError.New("slice expected at least 1 argument, got 0")
	}
	return nil, vinegar.TypeError.Errorf("slice expected at most 3 arguments, got %d", len(args))
}

func newDict(ctx context.Context, args []any, kw []netref.Keyword) (any, error) {
	d := new(Dict)
	if len(args) > 1 {
		return nil, vinegar.TypeError.Errorf("dict expected at most 1 argument, got %d", len(args))
	}
	if len(args) == 1 {
		if err := updateDict(ctx, d, norm(args[0])); err != nil {
			return nil, err
		}
	}
	for _, k := range kw {
		if err := d.set(ctx, k.Name, k.Value); err != nil {
			return nil, err
		}
	}
	return d, nil
}

package netref

import (
	"context"
	"fmt"
	"math/big"
	"reflect"
	"strings"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// binary names the special methods of Python's binary operators, without their underscores.
var binary = map[string]string{
	"+": "add", "-": "sub", "*": "mul", "/": "truediv", "//": "floordiv", "%": "mod", "**": "pow", "@": "matmul",
	"<<": "lshift", ">>": "rshift", "&": "and", "|": "or", "^": "xor", "divmod": "divmod",
}

// comparisons names the special methods of the comparison operators, and the ones the other operand is asked for.
var comparisons = map[string][2]string{
	"==": {"__eq__", "__eq__"}, "!=": {"__ne__", "__ne__"}, "<": {"__lt__", "__gt__"}, "<=": {"__le__", "__ge__"},
	">": {"__gt__", "__lt__"}, ">=": {"__ge__", "__le__"},
}

// unary names the special methods of what takes one operand.
var unary = map[string]string{"-": "__neg__", "+": "__pos__", "~": "__invert__", "abs": "__abs__"}

// Op applies a binary operator of Python's to two operands, at least one of which is an [*Object], and converts the
// result to T:
//
//	sum, err := netref.Op[int](ctx, o, "+", 1)        // o + 1
//	d, err := netref.Op[float64](ctx, 2, "*", o)      // 2 * o
//	less, err := netref.Op[bool](ctx, o, "<", p)      // o < p
//	o, err = netref.Op[*netref.Object](ctx, o, "+=", 1) // o += 1
//
// op is one of + - * / // % ** @ << >> & | ^, each also with = behind it, "divmod", or one of == != < <= > >=.
//
// The left operand is asked first and then, if it has no such method or does not know the other one's type, the right
// one by its reflected method, as Python does. An augmented assignment uses __iadd__ and so on where there are such
// methods, and otherwise the plain operator; either way the result is what the variable becomes. If neither operand
// knows what to do, the error is a TypeError in Python's words, but == and != tell whether the operands are the same
// object.
func Op[T any](ctx context.Context, x any, op string, y any) (T, error) {
	v, err := operate(ctx, x, op, y)
	if err != nil {
		var zero T
		return zero, err
	}
	t, err := As[T](ctx, v)
	return t, named(op, err)
}

// Unary applies one of Python's unary operators - + ~, or "abs", and converts the result to T. For not, see
// [Object.Bool].
func Unary[T any](ctx context.Context, op string, o *Object) (T, error) {
	name, ok := unary[op]
	if !ok {
		var zero T
		return zero, fmt.Errorf("netref: no unary operator %q", op)
	}
	t, err := Call[T](ctx, o, name)
	if lacks(err, name) {
		if op == "abs" {
			op = "abs()"
		} else {
			op = "unary " + op
		}
		err = lacking(err, "bad operand type for %s: '%s'", op, operandType(o))
	}
	return t, err
}

func operate(ctx context.Context, x any, op string, y any) (any, error) {
	left, isLeft := x.(*Object)
	right, isRight := y.(*Object)
	if names, ok := comparisons[op]; ok {
		return compare(ctx, x, op, y, names)
	}
	name, ok := binary[op]
	inPlace := false
	if !ok {
		if plain, found := strings.CutSuffix(op, "="); found && plain != "divmod" {
			name, inPlace = binary[plain]
		}
		if !inPlace {
			return nil, fmt.Errorf("netref: no operator %q", op)
		}
	}
	var missing error
	if isLeft {
		methods := []string{"__" + name + "__"}
		if inPlace {
			methods = []string{"__i" + name + "__", methods[0]}
		}
		for _, method := range methods {
			v, known, err := tryMethod(ctx, left, method, y, &missing)
			if known || err != nil {
				return v, err
			}
		}
	}
	if isRight && !(isLeft && sameClass(left, right)) {
		v, known, err := tryMethod(ctx, right, "__r"+name+"__", x, &missing)
		if known || err != nil {
			return v, err
		}
	}
	switch op {
	case "**":
		op = "** or pow()"
	case "divmod":
		op = "divmod()"
	}
	return nil, lacking(missing, "unsupported operand type(s) for %s: '%s' and '%s'", op, operandType(x), operandType(y))
}

// tryMethod calls a special method. It is not known if the object has none, which is put into *missing, or if the
// method says NotImplemented.
func tryMethod(ctx context.Context, o *Object, name string, arg any, missing *error) (v any, known bool, err error) {
	v, err = o.CallMethod(ctx, name, arg)
	if lacks(err, name) {
		*missing = err
		return nil, false, nil
	}
	return v, err != nil || v != any(brine.NotImplemented), err
}

// lacks reports whether err says that an object has no attribute of this name, or that it may not be read, as opposed
// to an AttributeError from inside a method.
func lacks(err error, name string) bool {
	e, ok := err.(*vinegar.Error)
	if !ok || !e.Is(vinegar.AttributeError) {
		return false
	}
	m := e.Message()
	return m == name || strings.Contains(m, "'"+name+"'")
}

// denied reports whether err says that an attribute may not be read, which tells nothing about whether it is there.
func denied(err error) bool {
	e, ok := err.(*vinegar.Error)
	return ok && e.Is(vinegar.AttributeError) && strings.HasPrefix(e.Message(), "cannot access")
}

// lacking is the TypeError that Python raises where an object lacks a special method, with what the peer said as its
// cause. That the peer only keeps the method from us is told as well.
func lacking(cause error, format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	if denied(cause) {
		text += " (" + cause.(*vinegar.Error).Message() + ")"
	}
	return vinegar.TypeError.New(text).From(cause)
}

func compare(ctx context.Context, x any, op string, y any, names [2]string) (any, error) {
	left, isLeft := x.(*Object)
	right, isRight := y.(*Object)
	var missing error
	for _, side := range []struct {
		asked  bool
		o      *Object
		method string
		other  any
	}{{isLeft, left, names[0], y}, {isRight, right, names[1], x}} {
		if !side.asked {
			continue
		}
		v, err := side.o.Request(ctx, wire.HandleCmp, side.other, side.method)
		switch {
		case lacks(err, side.method):
			missing = err
		case err != nil || v != any(brine.NotImplemented):
			return v, err
		}
	}
	same := isLeft && isRight && left.Is(right)
	switch op {
	case "==":
		return same, nil
	case "!=":
		return !same, nil
	}
	return nil, lacking(missing, "'%s' not supported between instances of '%s' and '%s'", op, operandType(x),
		operandType(y))
}

// sameClass reports whether two objects are known to be of one class.
func sameClass(a, b *Object) bool {
	return a.peer == b.peer && sameClassID(a, b) && a.IsClass() == b.IsClass()
}

// operandType is the name of an operand's Python type for a message.
func operandType(v any) string {
	switch v := v.(type) {
	case nil:
		return "NoneType"
	case *Object:
		name := v.ClassName()
		return name[strings.LastIndexByte(name, '.')+1:]
	case *big.Int:
		return "int"
	}
	t := reflect.TypeOf(v)
	switch k := t.Kind(); {
	case k == reflect.Bool:
		return "bool"
	case k >= reflect.Int && k <= reflect.Uintptr:
		return "int"
	case k == reflect.Float32, k == reflect.Float64:
		return "float"
	case k == reflect.Complex64, k == reflect.Complex128:
		return "complex"
	case k == reflect.String:
		return "str"
	case k == reflect.Slice && t.Elem().Kind() == reflect.Uint8:
		return "bytes"
	case t == tupleType, k == reflect.Array:
		return "tuple"
	case k == reflect.Slice:
		return "list"
	case k == reflect.Map:
		return "dict"
	case k == reflect.Func:
		return "function"
	case k == reflect.Pointer:
		return t.Elem().Name()
	}
	return t.Name()
}

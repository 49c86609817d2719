package exposed

import (
	"reflect"
	"strings"
	"unicode/utf8"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// specialMethods maps the names of Go methods to the Python special methods they define.
var specialMethods = func() map[string]string {
	m := map[string]string{
		"PyLen": "__len__", "PyLengthHint": "__length_hint__",
		"PyGetItem": "__getitem__", "PySetItem": "__setitem__", "PyDelItem": "__delitem__",
		"PyContains": "__contains__", "PyIter": "__iter__", "PyNext": "__next__", "PyReversed": "__reversed__",
		"PyCall": "__call__", "PyEnter": "__enter__", "PyExit": "__exit__",
		"PyEq": "__eq__", "PyNe": "__ne__", "PyLt": "__lt__", "PyLe": "__le__", "PyGt": "__gt__", "PyGe": "__ge__",
		"PyHash": "__hash__", "PyBool": "__bool__", "PyInt": "__int__", "PyFloat": "__float__",
		"PyComplex": "__complex__", "PyIndex": "__index__", "PyBytes": "__bytes__", "PyArray": "__array__",
		"PyFormat": "__format__", "PyDir": "__dir__", "PyStr": "__str__", "PyRepr": "__repr__",
		"PyNeg": "__neg__", "PyPos": "__pos__", "PyAbs": "__abs__", "PyInvert": "__invert__",
		"PyRound": "__round__", "PyTrunc": "__trunc__", "PyFloor": "__floor__", "PyCeil": "__ceil__",
	}
	for goName, op := range map[string]string{
		"Add": "add", "Sub": "sub", "Mul": "mul", "TrueDiv": "truediv", "FloorDiv": "floordiv", "Mod": "mod",
		"DivMod": "divmod", "Pow": "pow", "LShift": "lshift", "RShift": "rshift", "And": "and", "Or": "or",
		"Xor": "xor", "MatMul": "matmul",
	} {
		m["Py"+goName] = "__" + op + "__"
		m["PyR"+goName] = "__r" + op + "__"
		m["PyI"+goName] = "__i" + op + "__"
		binary["__"+op+"__"], binary["__r"+op+"__"], binary["__i"+op+"__"] = true, true, true
	}
	return m
}()

// binary holds the operators that answer NotImplemented, and raise nothing, when the other operand does not fit.
var binary = map[string]bool{
	"__eq__": true, "__ne__": true, "__lt__": true, "__le__": true, "__gt__": true, "__ge__": true,
}

// notAttributes are Go methods that mean something to this package, to package protocol, which calls a root object's
// OnConnect and OnDisconnect, or to fmt, and are no attributes of their own.
var notAttributes = map[string]bool{
	"PyGetAttr": true, "PySetAttr": true, "PyDelAttr": true, "PyDrop": true, "PyRefName": true, "PyNoAttr": true,
	"OnConnect": true, "OnDisconnect": true, // the hooks of services (package protocol)
	"String": true, "GoString": true, "Error": true,
}

// compareOps are the operators that CMP may name.
var compareOps = map[string]string{
	"__eq__": "==", "__ne__": "!=", "__lt__": "<", "__le__": "<=", "__gt__": ">", "__ge__": ">=",
}

// reflected gives, for an operator, the method that is asked of the right operand.
var reflected = map[string]string{
	"__eq__": "__eq__", "__ne__": "__ne__", "__lt__": "__gt__", "__le__": "__ge__", "__gt__": "__lt__", "__ge__": "__le__",
}

// localNames are the names that RPyC's proxies answer without asking (rpyc.core.netref.LOCAL_ATTRS); INSPECT leaves
// them out.
var localNames = makeSet(`
	____conn__ ____id_pack__ ____refcount__ __array_interface__ __array_struct__ __class__ __cmp__ __del__ __delattr__
	__dict__ __dir__ __doc__ __eq__ __exit__ __ge__ __getattr__ __getattribute__ __gt__ __hash__ __init__
	__instancecheck__ __le__ __lt__ __metaclass__ __methods__ __module__ __ne__ __new__ __reduce__ __reduce_ex__
	__repr__ __setattr__ __slots__ __str__ __weakref__`)

// pythonName is the Python name of an exported Go method or field, without a prefix.
func pythonName(goName string) string { return netref.PythonName(goName) }

// fieldName returns a field's Python name and the options of its rpyc tag; no name if it is not to be seen.
func fieldName(f reflect.StructField) (string, map[string]bool) {
	tag := strings.Split(f.Tag.Get("rpyc"), ",")
	opts := map[string]bool{}
	for _, o := range tag[1:] {
		opts[o] = true
	}
	switch {
	case tag[0] == "-" || !f.IsExported():
		return "", opts
	case tag[0] != "":
		return tag[0], opts
	}
	return pythonName(f.Name), opts
}

// MethodName returns the Python name that an exported Go method gives its object: the special method, such as
// "__len__" for PyLen, or the name without a prefix that an attribute answers to. It returns false for methods that
// are no attributes, such as String and OnConnect.
func MethodName(goName string) (name string, ok bool) {
	if notAttributes[goName] {
		return "", false
	}
	if special, ok := specialMethods[goName]; ok {
		return special, true
	}
	return pythonName(goName), true
}

// attrName takes an attribute name as peers send it.
func attrName(name any) (string, error) {
	switch n := name.(type) {
	case string:
		return n, nil
	case []byte:
		if !utf8.Valid(n) {
			return "", notUTF8(n)
		}
		return string(n), nil
	}
	return "", vinegar.TypeError.New("name must be a string")
}

func makeSet(names string) map[string]bool { return nameSet(strings.Fields(names)) }

func nameSet(names []string) map[string]bool {
	set := make(map[string]bool, len(names))
	for _, n := range names {
		set[n] = true
	}
	return set
}

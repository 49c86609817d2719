// Package names says what names mean: which special method of Python's a Go method defines, which names are operators,
// and which ones RPyC opens to everyone or answers without asking.
package names

import (
	"reflect"
	"strings"
	"unicode"

	"github.com/gorpyc/gorpyc/netref"
)

// Special maps the names of Go methods to the Python special methods they define.
var Special = func() map[string]string {
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
		Binary["__"+op+"__"], Binary["__r"+op+"__"], Binary["__i"+op+"__"] = true, true, true
	}
	return m
}()

// Binary holds the operators that answer NotImplemented, and raise nothing, when the other operand does not fit.
var Binary = map[string]bool{
	"__eq__": true, "__ne__": true, "__lt__": true, "__le__": true, "__gt__": true, "__ge__": true,
}

// NotAttributes are Go methods that mean something to package exposed, to package protocol, which calls a root object's
// OnConnect and OnDisconnect, or to fmt, and are no attributes of their own.
var NotAttributes = map[string]bool{
	"PyGetAttr": true, "PySetAttr": true, "PyDelAttr": true, "PyDrop": true, "PyRefName": true, "PyNoAttr": true,
	"OnConnect": true, "OnDisconnect": true, // the hooks of services (package protocol)
	"String": true, "GoString": true, "Error": true,
}

// Comparisons are the operators that CMP may name.
var Comparisons = map[string]string{
	"__eq__": "==", "__ne__": "!=", "__lt__": "<", "__le__": "<=", "__gt__": ">", "__ge__": ">=",
}

// Reflected gives, for an operator, the method that is asked of the right operand.
var Reflected = map[string]string{
	"__eq__": "__eq__", "__ne__": "__ne__", "__lt__": "__gt__", "__le__": "__ge__", "__gt__": "__lt__", "__ge__": "__le__",
}

// Local are the names that RPyC's proxies answer without asking (rpyc.core.netref.LOCAL_ATTRS); INSPECT leaves
// them out.
var Local = words(`
	____conn__ ____id_pack__ ____refcount__ __array_interface__ __array_struct__ __class__ __cmp__ __del__ __delattr__
	__dict__ __dir__ __doc__ __eq__ __exit__ __ge__ __getattr__ __getattribute__ __gt__ __hash__ __init__
	__instancecheck__ __le__ __lt__ __metaclass__ __methods__ __module__ __ne__ __new__ __reduce__ __reduce_ex__
	__repr__ __setattr__ __slots__ __str__ __weakref__`)

// Safe are the names that RPyC 5.1 to 6.0.2 consider harmless (safe_attrs of its default configuration). Releases
// before 5.1 lack __format__.
var Safe = words(`
	__abs__ __add__ __and__ __bool__ __cmp__ __contains__ __delitem__ __delslice__ __div__ __divmod__ __doc__ __enter__
	__eq__ __exit__ __float__ __floordiv__ __format__ __ge__ __getitem__ __getslice__ __gt__ __hash__ __hex__ __iadd__
	__iand__ __idiv__ __ifloordiv__ __ilshift__ __imod__ __imul__ __index__ __int__ __invert__ __ior__ __ipow__
	__irshift__ __isub__ __iter__ __itruediv__ __ixor__ __le__ __len__ __length_hint__ __long__ __lshift__ __lt__
	__mod__ __mul__ __ne__ __neg__ __new__ __next__ __nonzero__ __oct__ __or__ __pos__ __pow__ __radd__ __rand__
	__rdiv__ __rdivmod__ __repr__ __rfloordiv__ __rlshift__ __rmod__ __rmul__ __ror__ __rpow__ __rrshift__ __rshift__
	__rsub__ __rtruediv__ __rxor__ __setitem__ __setslice__ __str__ __sub__ __truediv__ __xor__ next`)

// Introspected are the names that Introspect opens.
var Introspected = words(`
	__annotations__ __bases__ __class__ __code__ __defaults__ __func__ __kwdefaults__ __module__ __mro__ __name__
	__qualname__ __self__ __text_signature__ __wrapped__ co_argcount co_filename co_firstlineno co_flags
	co_kwonlyargcount co_name co_posonlyargcount co_qualname co_varnames`)

// OfField returns a field's Python name and the options of its rpyc tag; no name if it is not to be seen.
func OfField(f reflect.StructField) (string, map[string]bool) {
	tag := strings.Split(f.Tag.Get("rpyc"), ",")
	opts := SetOf(tag[1:])
	switch {
	case tag[0] == "-" || !f.IsExported():
		return "", opts
	case tag[0] != "":
		return tag[0], opts
	}
	return netref.PythonName(f.Name), opts
}

// LowerCamel is an exported Go name in the manner of Java: addUser for AddUser, httpServer for HTTPServer.
func LowerCamel(goName string) string {
	rs := []rune(goName)
	for i := range rs {
		if !unicode.IsUpper(rs[i]) || i > 0 && i+1 < len(rs) && unicode.IsLower(rs[i+1]) {
			break
		}
		rs[i] = unicode.ToLower(rs[i])
	}
	return string(rs)
}

// SetOf is a set of names.
func SetOf(names []string) map[string]bool {
	set := make(map[string]bool, len(names))
	for _, n := range names {
		set[n] = true
	}
	return set
}

func words(text string) map[string]bool { return SetOf(strings.Fields(text)) }

package netref

import (
	"strings"
	"unicode"

	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// PythonName turns a Go name into the Python name it answers to: AddUser becomes add_user, HTTPServer http_server,
// GetURL get_url, UserID2 user_id2. A run of capitals counts as one word, its last letter beginning the next word if a
// small letter follows.
func PythonName(goName string) string {
	in := []rune(goName)
	out := make([]rune, 0, len(in)+4)
	for i, r := range in {
		if unicode.IsUpper(r) && i > 0 && in[i-1] != '_' {
			prevUpper := unicode.IsUpper(in[i-1])
			nextLower := i+1 < len(in) && unicode.IsLower(in[i+1])
			if !prevUpper || nextLower {
				out = append(out, '_')
			}
		}
		out = append(out, unicode.ToLower(r))
	}
	return string(out)
}

// builtinTypes are the classes of CPython itself whose objects go by reference and are neither numbers nor made of
// text. The name of a class that a program makes by exec begins with "builtins.", too, and tells nothing about it.
var builtinTypes = classes(strings.Fields(`async_generator async_generator_asend async_generator_athrow async_generator_wrapped_value
	builtin_function_or_method bytearray bytearray_iterator bytes_iterator callable_iterator cell classmethod
	classmethod_descriptor code coroutine coroutine_wrapper dict dict_itemiterator dict_items dict_keyiterator
	dict_keys dict_reverseitemiterator dict_reversekeyiterator dict_reversevalueiterator dict_valueiterator
	dict_values enumerate filter frame function generator getset_descriptor instancemethod iterator list
	list_iterator list_reverseiterator longrange_iterator managedbuffer map mappingproxy member_descriptor
	memory_iterator memoryview method method-wrapper method_descriptor module moduledef object odict_items
	odict_iterator odict_keys odict_values property range range_iterator reversed set set_iterator staticmethod
	str_ascii_iterator str_iterator super traceback tuple tuple_iterator type weakcallableproxy weakproxy weakref
	wrapper_descriptor zip frozenset slice str bytes`)...)

// isBuiltin reports whether an object is of one of CPython's own classes, or an exception of Python's.
func isBuiltin(o *Object) bool {
	name, ok := strings.CutPrefix(o.ClassName(), "builtins.")
	if !ok {
		return false
	}
	_, exception := vinegar.Lookup("builtins", name)
	return exception || builtinTypes[name]
}

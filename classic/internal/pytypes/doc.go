// Package pytypes completes Python's builtin classes, as package exposed has them, with what only the programs of
// classic mode use: the methods of str and bytes, formatting (format, str.format and the operator %), encodings, and
// constructors, so that str, int and the others can be called. A peer of a plain service holds such values itself
// and asks nobody for their methods.
//
// Importing the package is enough: it extends the classes when the program starts.
//
// Text is a Go string in UTF-8. Where Python counts characters, so do the methods; a byte that is no UTF-8 counts as
// one, and stands for the lone surrogate that Python's error handler surrogateescape makes of it. Case and the tests of
// characters are those of package unicode, which knows no characters that become several ("ß".upper()).
//
// Text that is made of less is limited to MaxText bytes; more is a MemoryError.
package pytypes

import (
	"github.com/gorpyc/gorpyc/protocol/exposed"
)

func init() {
	for name, e := range map[string]exposed.Extension{
		"str":   {New: exposed.Func(newStr, "object=''", "encoding=None", "errors=None"), Methods: strMethods()},
		"bytes": {New: exposed.Func(newBytes, "source=b''", "encoding=None", "errors=None"), Methods: bytesMethods()},
		"int":   {New: exposed.Func(newInt, "x=...", "/", "base=..."), Methods: formatMethod(formatInt)},
		"float": {New: optional(newFloat, 0.0), Methods: formatMethod(formatFloat)},

		"object":  {New: exposed.Native{Call: newObject}},
		"bool":    {New: optional(newBool, false)},
		"complex": {New: exposed.Func(newComplex, "real=...", "imag=...")},
		"slice":   {New: exposed.Native{Least: 1, Most: 3, Call: newSlice}},
	} {
		Class(name).Extend(e)
	}
}

// Class is the builtin class of a name, which must be one that there is.
func Class(name string) *exposed.Class {
	c, ok := exposed.Builtin(name)
	if !ok {
		panic("pytypes: no builtin class " + name)
	}
	return c
}

// everything is the policy of classic mode.
var everything = exposed.Unrestricted()

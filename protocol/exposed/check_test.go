package exposed_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/protocol/exposed"
)

type (
	typo         struct{}
	longLen      struct{}
	voidGet      struct{}
	textLen      struct{}
	pairBool     struct{}
	oddExit      struct{}
	binaryNeg    struct{}
	unaryAdd     struct{}
	wrongDoc     struct{}
	wrongParam   struct{}
	ordinaryName struct{}
	allRight     struct{}
)

func (typo) PyGetIttem(int) int                       { return 0 }
func (longLen) PyLen(int) int                         { return 0 }
func (voidGet) PyGetItem(int)                         {}
func (textLen) PyLen() string                         { return "" }
func (pairBool) PyBool() (bool, int)                  { return false, 0 }
func (oddExit) PyExit(a, b error) bool                { return false }
func (binaryNeg) PyNeg(int) int                       { return 0 }
func (unaryAdd) PyAdd() int                           { return 0 }
func (wrongDoc) Method()                              {}
func (wrongParam) Method()                            {}
func (ordinaryName) PyPI(url string) string           { return url }
func (allRight) PyLen(context.Context) (uint8, error) { return 0, nil }
func (allRight) PyGetItem(any) any                    { return nil }
func (allRight) PyNext() (int, bool)                  { return 0, false }
func (allRight) PyExit(error)                         {}
func (allRight) PyPow(a int, mod ...int) int          { return a }
func (allRight) PyCall(args ...any)                   {}
func (allRight) PyHash() any                          { return 0 }
func (allRight) Method()                              {}

// A mistake that would silently do nothing is told when the program starts.
func TestRegisterFindsMistakes(t *testing.T) {
	mistake := func(want string, register func()) {
		t.Helper()
		defer func() {
			err, ok := recover().(error)
			require.True(t, ok, want)
			require.ErrorContains(t, err, want)
		}()
		register()
	}
	none := exposed.ClassOptions{}
	mistake("typo has a method PyGetIttem", func() { exposed.Register[typo](none) })
	mistake("longLen.PyLen cannot be __len__: it takes 1 parameters", func() { exposed.Register[longLen](none) })
	mistake("voidGet.PyGetItem cannot be __getitem__: it has no result", func() { exposed.Register[voidGet](none) })
	mistake("textLen.PyLen cannot be __len__: its result is string", func() { exposed.Register[textLen](none) })
	mistake("pairBool.PyBool cannot be __bool__: it has several results", func() { exposed.Register[pairBool](none) })
	mistake("oddExit.PyExit cannot be __exit__", func() { exposed.Register[oddExit](none) })
	mistake("binaryNeg.PyNeg cannot be __neg__: it takes 1", func() { exposed.Register[binaryNeg](none) })
	mistake("unaryAdd.PyAdd cannot be __add__: it takes 0", func() { exposed.Register[unaryAdd](none) })
	mistake(`Docs of exposed_test.wrongDoc names "Methd"`, func() {
		exposed.Register[wrongDoc](exposed.ClassOptions{Docs: map[string]string{"Methd": "x"}})
	})
	mistake(`has no method or field "Methd"`, func() {
		exposed.Register[wrongParam](exposed.ClassOptions{Params: map[string][]string{"Methd": {}}})
	})
	exposed.Register[ordinaryName](exposed.ClassOptions{Params: map[string][]string{"PyPI": {"url"}}})
	exposed.Register[allRight](exposed.ClassOptions{
		Docs:   map[string]string{"Method": "x", "PyLen": "x", "__getitem__": "x", "exposed_method": "x", "constant": "x"},
		Static: map[string]any{"constant": 1},
	})
}

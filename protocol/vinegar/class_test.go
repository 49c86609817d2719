package vinegar

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// since tells from which Python on a builtin class exists; the others are in all.
var since = map[string]string{
	"EncodingWarning":         "3.10",
	"BaseExceptionGroup":      "3.11",
	"ExceptionGroup":          "3.11",
	"PythonFinalizationError": "3.13",
	"_IncompleteInputError":   "3.13",
}

type classRow struct {
	Python   string
	Builtins map[string][]string // name → __name__, bases
}

func (row classRow) check(t *testing.T) {
	for name, got := range row.Builtins {
		c, ok := Lookup("builtins", name)
		require.True(t, ok, "%s is not registered", name)
		require.Equal(t, got[0], c.Name(), "%s", name)
		require.Equal(t, "builtins", c.Module())
		var bases []string
		for _, b := range c.Bases() {
			bases = append(bases, b.Name())
		}
		if want := got[1:]; name != "BaseException" { // whose base is object
			require.Equal(t, want, bases, "bases of %s", name)
		}
	}
	for key := range registry.classes {
		if _, ok := row.Builtins[key.name]; ok || key.module != "builtins" {
			continue
		}
		first, ok := since[key.name]
		require.True(t, ok, "%s is unknown to Python %s", key.name, row.Python)
		require.Less(t, minor(t, row.Python), minor(t, first), "%s", key.name)
	}
}

func minor(t *testing.T, version string) (n int) {
	_, err := fmt.Sscanf(version, "3.%d", &n)
	require.NoError(t, err)
	return n
}

func TestHierarchyIsThatOfEveryRecordedPython(t *testing.T) {
	rows := readRows[classRow](t, "testdata/classes.jsonl")
	require.Len(t, rows, 6)
	for _, row := range rows {
		t.Run(row.Python, row.check)
	}
}

func TestHierarchyIsThatOfTheInstalledPython(t *testing.T) {
	out := runPython(t, python(t), nil, "testdata/record.py", "classes")
	var row classRow
	require.NoError(t, json.Unmarshal(out, &row))
	row.check(t)
}

// The standard library's classes are compared with an installed Python as far as
// it has them; bases that are not registered cannot be compared.
func TestLibraryClassesAreThoseOfTheInstalledPython(t *testing.T) {
	const script = `
import importlib, json, sys
out = []
for module, name in json.load(sys.stdin):
    try: c = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError): continue
    out.append([module, name, c.__module__ == module, [b.__name__ for b in c.__mro__ if b.__module__ == "builtins"]])
print(json.dumps(out))`
	var names [][2]string
	for key := range registry.classes {
		if key.module != "builtins" && key.module[0] != 'r' { // rpyc need not be installed
			names = append(names, [2]string{key.module, key.name})
		}
	}
	in, err := json.Marshal(names)
	require.NoError(t, err)
	var rows [][]any
	require.NoError(t, json.Unmarshal(runPython(t, python(t), in, "-c", script), &rows))
	require.Greater(t, len(rows), 20)
	for _, row := range rows {
		if !row[2].(bool) {
			continue // an alias in this version
		}
		c, ok := Lookup(row[0].(string), row[1].(string))
		require.True(t, ok)
		for _, name := range row[3].([]any) {
			if b, ok := Lookup("builtins", name.(string)); ok {
				require.True(t, c.IsSubclass(b), "%v is a %v", c, b)
			}
		}
	}
}

func TestClassIdentityIsModuleAndName(t *testing.T) {
	a := NewClass("identity_test.A", KeyError)
	stranger := &Class{module: "identity_test", name: "A", bases: []*Class{GenericException}}
	require.True(t, stranger.IsSubclass(a))
	require.True(t, a.IsSubclass(stranger))
	require.False(t, a.IsSubclass(&Class{module: "other", name: "A"}))
	require.True(t, a.IsSubclass(LookupError))
	require.True(t, a.IsSubclass(BaseException))
	require.False(t, LookupError.IsSubclass(a))
	require.False(t, (*Class)(nil).IsSubclass(a))
	require.False(t, a.IsSubclass(nil))
}

func TestNewClass(t *testing.T) {
	c := NewClass("new_class.sub.Thing", ValueError, OSError)
	require.Equal(t, "new_class.sub", c.Module())
	require.Equal(t, "Thing", c.Name())
	require.Equal(t, "new_class.sub.Thing", c.String())
	require.Same(t, c, NewClass("new_class.sub.Thing", ValueError, OSError))
	got, ok := Lookup("new_class.sub", "Thing")
	require.True(t, ok)
	require.Same(t, c, got)
	require.PanicsWithValue(t, "vinegar: class new_class.sub.Thing is registered with other bases",
		func() { NewClass("new_class.sub.Thing") })
	require.Panics(t, func() { NewClass("") })
	require.Panics(t, func() { NewClass("module.") })
	require.Panics(t, func() { NewClass("new_class.Other", nil) })

	main := NewClass("NewClassWithoutModule")
	require.Equal(t, "__main__", main.Module())
	require.Equal(t, "NewClassWithoutModule", main.String())
	require.True(t, main.IsSubclass(Exception))
}

func TestClassIsAnError(t *testing.T) {
	var err error = KeyError
	require.EqualError(t, err, "KeyError")
	require.ErrorIs(t, err, LookupError)
	require.NotErrorIs(t, err, ValueError)
	require.ErrorIs(t, errors.Join(err, errors.New("x")), KeyError)
}

func TestAliases(t *testing.T) {
	require.Same(t, OSError, IOError)
	require.Same(t, OSError, EnvironmentError)
	c, ok := Lookup("builtins", "IOError")
	require.True(t, ok)
	require.Same(t, OSError, c)
	require.Same(t, TimeoutError, AsyncResultTimeout)
}

func TestForwardedNamesAreRestored(t *testing.T) {
	for _, row := range []struct{ module, name, want string }{
		{"rpyc.core.vinegar/main", "main.GoError", "main.GoError"},
		{"rpyc.core.vinegar/rpyc.core.vinegar/main", "rpyc.core.vinegar/main.main.GoError", "main.GoError"},
		{"rpyc.core.vinegar/a.b", "a.b.C.D", "a.b.C.D"},
		{"rpyc.core.vinegar/builtins", "builtins.ExceptionGroup", "ExceptionGroup"},
		{"rpyc.core.vinegar/main", "other.GoError", "rpyc.core.vinegar/main.other.GoError"},
		{"rpyc.core.vinegar/", ".", "rpyc.core.vinegar/.."},
		{"rpyc.core.vinegar", "GenericException", "rpyc.core.vinegar.GenericException"},
	} {
		c := received(row.module, row.name)
		if row.module == "rpyc.core.vinegar/" { // strips to nothing at all
			require.Equal(t, "", c.Name())
			continue
		}
		require.Equal(t, row.want, c.String())
	}
	require.Same(t, ExceptionGroup, received("rpyc.core.vinegar/builtins", "builtins.ExceptionGroup"))
	require.Same(t, KeyError, received("exceptions", "KeyError"))
	require.True(t, received("exceptions", "StandardError").IsSubclass(GenericException))
}

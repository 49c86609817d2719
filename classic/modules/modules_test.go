//go:build unix

package modules_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/classic/modules"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

var (
	ctx        = context.Background()
	everything = &exposed.Policy{AllowAll: true, AllowSet: true, AllowDel: true, DenyExposed: true}
)

func call(in *modules.Interpreter, module, name string, args ...any) (any, error) {
	m, err := in.Import(module)
	if err != nil {
		return nil, err
	}
	return exposed.CallAttr(ctx, everything, m, name, exposed.NewArgs(args, nil))
}

func TestEveryModuleLoadsAndListsItsContents(t *testing.T) {
	in := modules.NewInterpreter(nil)
	defer func() { require.NoError(t, in.Close()) }()
	for _, name := range in.Names() {
		m, err := in.Import(name)
		require.NoError(t, err, name)
		names := m.(*modules.Module).Names()
		for _, n := range names {
			_, err := exposed.GetAttr(ctx, everything, m, n)
			require.NoError(t, err, "%s.%s", name, n)
		}
		listed, err := exposed.Dir(t.Context(), nil, m)
		require.NoError(t, err)
		require.Subset(t, listed, names)
	}
}

func TestWhatIsMissingSaysSo(t *testing.T) {
	in := modules.NewInterpreter(nil)
	defer func() { require.NoError(t, in.Close()) }()
	for name, want := range map[string]string{ // as CPython's importlib.import_module says it
		"nosuch":      "No module named 'nosuch'",
		"a.b.c":       "No module named 'a'",
		"os.x":        "No module named 'os.x'; 'os' is not a package",
		"os.x.y":      "No module named 'os.x'; 'os' is not a package",
		"os.path.x":   "No module named 'os.path.x'; 'os.path' is not a package",
		"json.x":      "No module named 'json.x'",
		"importlib.x": "No module named 'importlib.x'",
	} {
		_, err := in.Import(name)
		require.ErrorIs(t, err, vinegar.ModuleNotFoundError)
		require.EqualError(t, err, "ModuleNotFoundError: "+want)
	}
	_, err := call(in, "os", "fork")
	require.EqualError(t, err, "AttributeError: module 'os' has no attribute 'fork'")
}

func TestPackagesHaveTheirModules(t *testing.T) {
	for _, order := range [][]string{{"own", "own.part"}, {"own.part", "own"}} {
		in := modules.NewInterpreter(&modules.Options{Modules: map[string]any{
			"own": modules.New("own", ""), "own.part": modules.New("own.part", "").Const("x", 5),
		}})
		for _, name := range order {
			_, err := in.Import(name)
			require.NoError(t, err)
		}
		own, err := in.Import("own")
		require.NoError(t, err)
		part, err := exposed.GetAttr(ctx, everything, own, "part")
		require.NoError(t, err)
		x, err := exposed.GetAttr(ctx, everything, part, "x")
		require.NoError(t, err)
		require.Equal(t, 5, x)
		require.NoError(t, in.Close())
	}
}

func TestAllow(t *testing.T) {
	in := modules.NewInterpreter(&modules.Options{Allow: func(name string) bool { return name == "sys" || name == "mine" },
		Modules: map[string]any{"mine": modules.New("mine", "").Const("answer", 42), "hidden": modules.New("hidden", "")}})
	defer func() { require.NoError(t, in.Close()) }()
	require.Equal(t, []string{"builtins", "importlib.util", "mine", "sys"}, in.Names())
	for _, name := range []string{"os", "os.path", "posixpath", "posix", "hidden"} {
		_, err := in.Import(name)
		require.ErrorIs(t, err, vinegar.ModuleNotFoundError, name)
		_, err = call(in, "builtins", "__import__", name)
		require.ErrorIs(t, err, vinegar.ModuleNotFoundError, name)
	}
	for _, name := range []string{"open", "eval", "exec", "input"} {
		_, err := call(in, "builtins", name, "x")
		require.ErrorIs(t, err, vinegar.AttributeError, name)
	}
	v, err := in.Import("mine")
	require.NoError(t, err)
	answer, err := exposed.GetAttr(ctx, everything, v, "answer")
	require.NoError(t, err)
	require.Equal(t, 42, answer)
}

func TestCloseWritesOutWhatIsBuffered(t *testing.T) {
	in := modules.NewInterpreter(nil)
	path := t.TempDir() + "/f"
	f, err := call(in, "builtins", "open", path, "w")
	require.NoError(t, err)
	_, err = exposed.CallAttr(ctx, everything, f, "write", exposed.NewArgs([]any{"text"}, nil))
	require.NoError(t, err)
	require.NoError(t, in.Close())
	g, err := call(modules.NewInterpreter(nil), "builtins", "open", path)
	require.NoError(t, err)
	s, err := exposed.CallAttr(ctx, everything, g, "read", &exposed.Args{})
	require.NoError(t, err)
	require.Equal(t, "text", s)
	_, err = exposed.CallAttr(ctx, everything, f, "write", exposed.NewArgs([]any{"more"}, nil))
	require.EqualError(t, err, "ValueError: I/O operation on closed file.")
}

// A program whose output is too much is ended: nobody reads the rest, so it would wait for ever.
func TestEndlessOutput(t *testing.T) {
	defer modules.LimitReads(1 << 20)()
	in := modules.NewInterpreter(nil)
	defer func() { require.NoError(t, in.Close()) }()
	m, err := in.Import("subprocess")
	require.NoError(t, err)
	_, err = exposed.CallAttr(ctx, everything, m, "check_output",
		exposed.NewArgs([]any{[]string{"cat", "/dev/zero"}}, nil))
	require.ErrorIs(t, err, vinegar.MemoryError)
	f, err := call(in, "builtins", "open", "/dev/zero", "rb")
	require.NoError(t, err)
	_, err = exposed.CallAttr(ctx, everything, f, "read", exposed.NewArgs([]any{int64(1) << 40}, nil))
	require.ErrorIs(t, err, vinegar.MemoryError)
}

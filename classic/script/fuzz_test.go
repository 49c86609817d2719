package script_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/classic/modules"
	"github.com/gorpyc/gorpyc/classic/script"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// FuzzProgram gives text to eval, execute and the prompt. Whatever it is, it ends soon, in a result or in an exception
// that is no panic of ours. Programs reach nothing outside the process: they find two modules and no files.
func FuzzProgram(f *testing.F) {
	text, err := os.ReadFile("testdata/language.txt")
	require.NoError(f, err)
	for _, program := range strings.Split(string(text), "\n###\n") {
		f.Add(program)
	}
	for _, n := range nestings {
		f.Add(strings.ReplaceAll(n.program, "0000", "0"))
	}
	f.Fuzz(func(t *testing.T, text string) {
		limits := &script.Limits{Steps: 20000, Time: 2 * time.Second, Memory: 256 << 20, Source: 32 << 10}
		e := script.New(exposed.NewDict(), limits)
		m := modules.NewInterpreter(&modules.Options{Evaluator: e, Allow: func(name string) bool {
			return name == "builtins" || name == "json"
		}})
		builtins, err := m.Import("builtins")
		require.NoError(t, err)
		for _, name := range []string{"open", "input"} {
			require.NoError(t, exposed.DelAttr(ctx, exposed.Unrestricted(), builtins, name))
		}
		e.Importer = m.Import
		check := func(what string, err error) {
			if err == nil {
				return
			}
			exc := vinegar.FromError(err)
			require.NotNil(t, exc.Class, what)
			if exc.Panicked() && !exc.Class.IsSubclass(vinegar.ZeroDivisionError) { // which is how math/big reports it
				t.Fatalf("%s: %v\n%v", what, exc, exc.Frames)
			}
		}
		show := func(ctx context.Context, v any) error {
			_, err := exposed.Repr(ctx, v)
			return err
		}
		_, err = e.Eval(ctx, text, nil)
		check("eval", err)
		check("execute", e.Exec(ctx, text, nil))
		_, err = e.Interactive(ctx, text, nil, show)
		check("interactive", err)
		require.NoError(t, m.Close())
	})
}

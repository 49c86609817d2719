//go:build unix

package slave_test

import (
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/classic/slave"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// asked is a client that answers what testdata/record.py has written down.
type asked struct {
	mu      sync.Mutex
	answers map[string]any
}

func (a *asked) set(question string, answer any) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.answers = map[string]any{question: answer}
}

// Eval is the eval of a client that is a slave, too.
func (a *asked) Eval(text string) (any, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	answer, ok := a.answers[text]
	if !ok {
		return nil, vinegar.AssertionError.New("not asked of CPython: run testdata/record.py")
	}
	return answer, nil
}

// teleported is a client with the function that sends a function of the recording.
func teleported(t *testing.T) (client *asked, root *netref.Object, send func(exported any, more ...any) (any, error)) {
	t.Helper()
	client = new(asked)
	c, s, err := protocol.Pair(ctx, client, slave.NewService(nil), slave.Config(nil))
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close(); <-s.Done() })
	m, err := c.Root().CallMethod(ctx, "getmodule", "rpyc.utils.teleportation")
	require.NoError(t, err)
	return client, c.Root(), func(exported any, more ...any) (any, error) {
		return m.(*netref.Object).CallMethod(ctx, "import_function", append([]any{exported}, more...)...)
	}
}

type function struct {
	name, question   string
	exported, answer any
	calls            brine.Tuple
}

func functions(t *testing.T) map[string]function {
	t.Helper()
	data, err := os.ReadFile("testdata/functions.brine")
	require.NoError(t, err)
	v, err := brine.Unmarshal(data)
	require.NoError(t, err)
	all := map[string]function{}
	for _, r := range v.(brine.Tuple) {
		f := r.(brine.Tuple)
		all[f[0].(string)] = function{f[0].(string), f[2].(string), f[1], f[3], f[4].(brine.Tuple)}
	}
	return all
}

func TestTeleportedFunctionsDoAsInCPython(t *testing.T) {
	client, root, send := teleported(t)
	for name, f := range functions(t) {
		client.set(f.question, f.answer)
		made, err := send(f.exported)
		if len(f.calls) == 0 {
			require.ErrorIs(t, err, vinegar.NotImplementedError, name)
			continue
		}
		require.NoError(t, err, name)
		require.Equal(t, "builtins.function", made.(*netref.Object).ClassName())
		for _, c := range f.calls {
			call, want := c.(brine.Tuple)[0].(string), c.(brine.Tuple)[1].(string)
			text := "r = " + name + call + "\nr = repr(list(r) if hasattr(r, '__next__') else r)"
			_, err := root.CallMethod(ctx, "execute", text)
			if class, raises := strings.CutPrefix(want, "raises "); raises {
				require.Equal(t, class, vinegar.FromError(err).Class.Name(), "%s%s", name, call)
				continue
			}
			require.NoError(t, err, "%s%s", name, call)
			require.Equal(t, want, eval(t, root, "r"), "%s%s", name, call)
		}
	}
	require.ErrorIs(t, func() error { _, err := root.CallMethod(ctx, "eval", "__teleported_defaults__"); return err }(),
		vinegar.NameError)
}

func TestTeleportIntoOtherGlobals(t *testing.T) {
	client, root, send := teleported(t)
	f := functions(t)["on_a_line"]
	client.set(f.question, f.answer)
	execute(t, root, "own = {'on_a_line': 5}")
	own := eval(t, root, "own")
	made, err := send(f.exported, own, false)
	require.NoError(t, err)
	v, err := made.(*netref.Object).Call(ctx, 7)
	require.NoError(t, err)
	require.Equal(t, brine.Tuple{int64(7), int64(2)}, v)
	require.Equal(t, int64(5), eval(t, root, "own['on_a_line']"), "it was not to be defined")
	_, err = send(f.exported, exposed.NewDict()) // the client's
	require.NoError(t, err)
	_, err = send(f.exported, 5)
	require.ErrorIs(t, err, vinegar.TypeError)
}

func TestFunctionsThatCannotBeTeleported(t *testing.T) {
	client, _, send := teleported(t)
	all := functions(t)
	f, other := all["on_a_line"], all["several"]
	for _, answer := range []any{nil, 5, brine.Tuple{}, other.answer,
		brine.Tuple{"", int64(1), int64(2), int64(3), int64(4), int64(5), int64(6)}} {
		client.set(f.question, answer)
		_, err := send(f.exported)
		require.ErrorIs(t, err, vinegar.NotImplementedError, "%v", answer)
	}
	changed := append(brine.Tuple{}, f.answer.(brine.Tuple)...)
	changed[5] = int64(99) // a line that there is not
	client.set(f.question, changed)
	_, err := send(f.exported)
	require.ErrorIs(t, err, vinegar.NotImplementedError)

	exported := f.exported.(brine.Tuple)
	for i := range exported {
		wrong := append(brine.Tuple{}, exported...)
		wrong[i] = brine.Tuple{int64(1)}
		_, err := send(wrong)
		require.Error(t, err, "field %d", i)
	}
	codeAt := slices.IndexFunc(exported, func(v any) bool { t, ok := v.(brine.Tuple); return ok && len(t) == 18 })
	require.GreaterOrEqual(t, codeAt, 0)
	code := exported[codeAt].(brine.Tuple)
	for i := range code {
		for _, v := range []any{int64(-5), 1.5, brine.Tuple{int64(1)}} {
			wrong, own := append(brine.Tuple{}, exported...), append(brine.Tuple{}, code...)
			own[i], wrong[codeAt] = v, own
			_, _ = send(wrong) // any end but a crash
		}
	}
	_, err = send(5)
	require.ErrorIs(t, err, vinegar.TypeError)
}

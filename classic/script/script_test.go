package script_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/classic/script"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

var ctx = context.Background()

// Text that makes a parser or evaluator recurse must end in a result or an exception, not the process.
func TestDeepText(t *testing.T) {
	e := script.New(exposed.NewDict(), &script.Limits{Time: 5 * time.Second, Steps: 1 << 20})
	for _, text := range []string{
		strings.Repeat("(", 100000), strings.Repeat("[", 300) + strings.Repeat("]", 300), strings.Repeat("-", 100000) + "1",
		strings.Repeat("not ", 50000) + "1",
		strings.Repeat("lambda: ", 30000) + "1", strings.Repeat("1 if 1 else ", 20000) + "1", strings.Repeat("1 + ", 60000) +
			"1", "x" + strings.Repeat(".x", 100000),
		strings.Repeat("f(", 190) + strings.Repeat(")", 190), "'" + strings.Repeat("\\", 100001),
		strings.Repeat("x = ", 60000) + "1", strings.Repeat("~", 999) + "1",
		"x is " + strings.Repeat("x is ", 40000) + "x", "1" + strings.Repeat(" or 1", 40000),
		"1" + strings.Repeat(" or 1", 900), strings.Repeat("if 1:\n", 1000),
		strings.Repeat("(x for y in ", 90) + "1" + strings.Repeat(")", 90), "f'" + strings.Repeat("{", 10000),
		"f'{" + strings.Repeat("(", 10000), "f'{1:{1:{1}}}'", strings.Repeat("f'{", 100) + "1" + strings.Repeat("}'", 100),
		"x = " + strings.Repeat("1, ", 50000), "f(" + strings.Repeat("1, ", 1000) + ")", "[" + strings.Repeat("*a, ", 1000) +
			"]", "try: pass", "except: pass", "with x", "with (a as b, c as d): pass", "def f(*): pass", "def f(**k, a): pass",
		"lambda *: 1", "@", "@x", "x := 1", "(x := 1) := 2", "yield", "x = yield", "nonlocal x", "1__0", "0x", "1e", "0b2",
		"1_", "1.2.3", "'\\x1'", "b'\\xg'", "b'é'", "'\\U99999999'", "'\\ud800'", "'\\N{BULLET}'", "f'{1!z}'", "f'{a b}'",
		"f'{}'", "f'}'",
		"a, *b, *c = 1", "*a", "del *a", "for *a in b: pass", "[x for x[0] in y]", "{**a for b in c}", "{*a: 1}", "{1: 2, 3}",
		"f(a=1, a=2)", "f(**a, *b)", "f(a for b in c, 1)", "x[1:2, 3]", "import a.b.", "from . import a",
		strings.Repeat("{1:", 250), "'''", "\"", "\\", "import", "from", "from x import", "del", "raise", "assert", "global",
		"raise from", "assert ,", "import a,", "from . import x", "del (", "global 5", "x = __Is", "__Global(x)", "__Del",
		"__Raise()", "__Import()", "ns@", "\x00", "\xff\xfe",
		"f(**1)", "f(*1)", "[*a]", "a[1:2] += 1", "(a, b) += 1", "1 = 2", "f() = 1", "def f(:", "for x in", "while", "if",
		"else:", "return 1", "break", "x: int = 5", "load('x', 'y')",
	} {
		_, err := e.Eval(ctx, text, nil)
		if err != nil {
			require.NotNil(t, vinegar.FromError(err).Class, "%.40q", text)
		}
		err = e.Exec(ctx, text, nil)
		if err != nil {
			require.NotNil(t, vinegar.FromError(err).Class, "%.40q", text)
		}
	}
	v, err := e.Eval(ctx, "1 + 1", nil)
	require.NoError(t, err)
	require.Equal(t, int64(2), v)
}

// What a program refers to is looked up when it is used.
func TestNames(t *testing.T) {
	ns := exposed.NewDict()
	e := script.New(ns, nil)
	for _, text := range []string{
		"x = 1\ndef f():\n    return x\nx = 2", "def g(n):\n    def h(m):\n        return m + n + x\n    return h\nk = g(10)",
		"def count():\n    global total\n    total = total + 1\n    return total\ntotal = 5",
		"y = [i for i in (1, 2)]\ni = 'kept'\ny2 = [i for i in (3,)]", "a, (b, c) = 1, (2, 3)\nd = {'k': [0]}\nd['k'][0] " +
			"+= 5\nd['new'] = a",
		"def kw(*args, **kwargs):\n    kwargs['more'] = 1\n    return args, kwargs",
	} {
		require.NoError(t, e.Exec(ctx, text, nil), text)
	}
	require.NoError(t, ns.Set(ctx, "x", int64(100)))
	for text, want := range map[string]string{
		"f()": "100", "k(1)": "111", "count(), count(), total": "(6, 7, 7)", "i, y, y2": "('kept', [1, 2], [3])",
		"a, b, c, d": "(1, 2, 3, {'k': [5], 'new': 1})",
		"kw(1, z=2)": "((1,), {'z': 2, 'more': 1})", "(lambda p, q=2: p * q)(4)": "8", "'text' 'x'": "'textx'",
		"[1, 2, 3][1:]": "[2, 3]", "x is x and x is not None": "True",
	} {
		v, err := e.Eval(ctx, text, nil)
		require.NoError(t, err, text)
		s, err := exposed.Repr(ctx, v)
		require.NoError(t, err)
		require.Equal(t, want, s, text)
	}
	other := exposed.NewDict()
	require.NoError(t, e.Exec(ctx, "only = 1", other))
	_, err := e.Eval(ctx, "only", nil)
	require.ErrorIs(t, err, vinegar.NameError)
}

func TestEndOfTheContextStopsAProgram(t *testing.T) {
	e := script.New(exposed.NewDict(), &script.Limits{Steps: -1, Time: -1})
	stopped, cancel := context.WithCancel(ctx)
	time.AfterFunc(20*time.Millisecond, cancel)
	require.Error(t, e.Exec(stopped, "while True: pass", nil))
}

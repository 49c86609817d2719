package script_test

import (
	"os"
	"os/exec"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/classic/script"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// nestings are programs that nest things in each other, and what CPython raises in the end; nil for those that only
// have to end. Each needs a stack of far more than childStack if nothing counts how deep it goes.
var nestings = []struct {
	program string
	class   *vinegar.Class
}{
	{"s = 'eval(s)'\neval(s)", vinegar.RecursionError},
	{"s = 'exec(s)'\nexec(s)", vinegar.RecursionError},
	{"s = 'sorted([s], key=eval)'\neval(s)", vinegar.RecursionError},
	{"s = 'list(map(eval, [s]))'\neval(s)", vinegar.RecursionError},
	{"c = eval\nfor i in range(60): c = c.__call__\ns = 'c(s)'\nc(s)", vinegar.RecursionError},
	{"c = len\nfor i in range(100000): c = c.__call__\nc([])", vinegar.RecursionError},
	{"import json\nf = type(json.dumps).__call__\nf(*([f] * 100000 + [json.dumps, []]))", nil},
	{"m = iter([1])\nfor i in range(30000): m = map(str, m)\nnext(m)", vinegar.RecursionError},
	{"m = iter([1])\nfor i in range(30000): m = zip(m)\nnext(m)", vinegar.RecursionError},
	{"m = iter([1])\nfor i in range(30000): m = filter(None, m)\nnext(m)", vinegar.RecursionError},
	{"m = iter([1])\nfor i in range(30000): m = enumerate(m)\nnext(m)", vinegar.RecursionError},
	{"m = iter([1])\nfor i in range(30000): m = iter(m.__next__, None)\nnext(m)", vinegar.RecursionError},
	{"m = iter([1])\nfor i in range(30000): m = (x for x in m)\nnext(m)", vinegar.RecursionError},
	{"def g(m):\n  for x in m: yield x\nm = iter([1])\nfor i in range(5000): m = g(m)\nnext(m)", vinegar.RecursionError},
	{"l = [0]\nm = map(next, iter(l.pop, 5))\nl.extend([m] * 50000)\nnext(m)", vinegar.RecursionError},
	{"def f():\n  t = ()\n  for i in range(40000): t = (t,)\n  return t\nr = f()\nr == f()", vinegar.RecursionError},
	{"def g(*a): return a\ndef f():\n  t = ()\n  for i in range(40000): t = g(t)\n  return t\nhash(f())", nil},
	{"def f():\n  t = int\n  for i in range(40000): t = (t,)\n  return t\nisinstance('', f())", vinegar.RecursionError},
	{"def f():\n  t = ValueError\n  for i in range(40000): t = (t,)\n  return t\ntry: raise KeyError\nexcept f(): pass",
		nil},
	{"s = slice(1)\nfor i in range(20000): s = slice(s)\nx = s is s\ns == s", nil},
	{"l = []\nfor i in range(30000): l = [l]\nstr(l)", vinegar.RecursionError},
	{"l = []\nfor i in range(30000): l = {1: l}\nrepr(l)", vinegar.RecursionError},
	{"l = []\nfor i in range(30000): l = [l]\nimport json\njson.dumps(l)", vinegar.RecursionError},
	{"import json\njson.loads('[' * 1000000)", vinegar.RecursionError},
	{"import os\nos.makedirs('/nonexistent/' + 'a/' * 100000)", vinegar.RecursionError},
	{"import glob\nglob.glob('*/' * 100000)", vinegar.RecursionError},
	{"e = None\nfor i in range(20000):\n  try: raise ValueError(i) from e\n  except ValueError as x: e = x\nraise e",
		vinegar.ValueError},
	{"import code\ndef go(n):\n  if n: return go(n - 1)\n  lines = ['go(300)']\n  def read(p):\n    if lines: return " +
		"lines.pop()\n    raise EOFError\n" +
		"  code.interact(readfunc=read, banner='')\ngo(300)", nil},
}

// childStack is the size that a goroutine's stack may have in the child process. Go's own limit is a gigabyte.
const childStack = 8 << 20

// A peer's nesting must not become Go's, whose stack cannot be unwound when it is full: the process would end. So these
// run in a process of their own.
func TestNestingDoesNotFillTheStack(t *testing.T) {
	if os.Getenv("GORPYC_NESTINGS") == "" {
		cmd := exec.Command(os.Args[0], "-test.run=^TestNestingDoesNotFillTheStack$", "-test.v")
		cmd.Env = append(os.Environ(), "GORPYC_NESTINGS=1")
		out, err := cmd.CombinedOutput()
		if len(out) > 5000 {
			out = out[:5000]
		}
		require.NoError(t, err, "%s", out)
		require.Contains(t, string(out), "--- PASS: TestNestingDoesNotFillTheStack")
		return
	}
	debug.SetMaxStack(childStack)
	for _, n := range nestings {
		t.Logf("%.60q", n.program)
		e, _ := evaluator(t, nil)
		err := e.Exec(ctx, n.program, nil)
		if n.class != nil {
			require.ErrorIs(t, err, n.class, n.program)
		}
	}
}

// What Go code does for a program counts as the program's steps.
func TestGoLoopsAreCounted(t *testing.T) {
	e, _ := evaluator(t, &script.Limits{Steps: 100000})
	for _, text := range []string{
		"sum(range(10**12))", "max(map(str, range(10**12)))", "any(filter(None, iter(int, 1)))",
		"10**13 in iter(range(10**12))", "list(zip(iter(int, 1)))",
	} {
		_, err := e.Eval(ctx, text, nil)
		require.ErrorIs(t, err, vinegar.RuntimeError, text)
	}
	require.NoError(t, e.Exec(ctx, "r = sum(range(50000))", nil))
}

func TestListsDoNotGrowWithoutEnd(t *testing.T) {
	e := script.New(exposed.NewDict(), nil)
	require.ErrorIs(t, e.Exec(ctx, "l = [0] * 1000000\nm = l[:]\nwhile True: l += m", nil), vinegar.MemoryError)
}

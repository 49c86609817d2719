package exposed_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed"
)

// The parameter lists and the calls that are compared with CPython's, each with each.
var (
	paramLists = [][]string{
		{},
		{"a"},
		{"a", "b"},
		{"a", "b", "c"},
		{"a", "b=1"},
		{"a=None", "b='x'", "c=(1, 'y', -2.5)"},
		{"a", "/", "b"},
		{"a", "b", "/"},
		{"a", "b=2", "/", "c=3"},
		{"a", "*", "b"},
		{"a", "b=1", "*", "c", "d='!'"},
		{"*", "a", "b", "c"},
		{"*args"},
		{"a", "*args"},
		{"a", "*args", "b"},
		{"a", "*args", "b=1", "**kw"},
		{"**kw"},
		{"*args", "**kw"},
		{"a", "/", "**kw"},
		{"a", "b=1", "**kw"},
	}
	calls = []struct {
		n    int
		keys []string
	}{
		{0, nil}, {1, nil}, {2, nil}, {3, nil}, {4, nil},
		{0, []string{"a"}}, {0, []string{"a", "b"}}, {0, []string{"b"}}, {0, []string{"b", "c"}}, {0, []string{"z"}},
		{1, []string{"a"}}, {1, []string{"b"}}, {1, []string{"c"}}, {1, []string{"b", "c"}}, {1, []string{"c", "b", "d"}},
		{1, []string{"z", "y"}}, {2, []string{"b"}}, {2, []string{"c"}}, {2, []string{"c", "d"}}, {3, []string{"c"}},
		{3, []string{"d", "c"}}, {4, []string{"c"}}, {1, []string{"self"}}, {0, []string{"kw", "args"}}, {1, []string{"é"}},
	}
)

type Host struct{ _ int }

var hostFuncs, _ = func() (fs []*exposed.Function, c *exposed.Class) {
	methods := map[string]any{}
	for i, params := range paramLists {
		fs = append(fs, exposed.Func(collector(params, nil), params...).Named(fmt.Sprintf("f%d", i)))
		methods[fmt.Sprintf("f%d", i)] = exposed.Func(collector(params, reflect.TypeFor[*Host]()), params...)
	}
	return fs, exposed.Register[Host](exposed.ClassOptions{Methods: methods})
}()

// collector makes a func with the parameters, all of type any, that returns the values it was called with.
func collector(params []string, recv reflect.Type) any {
	var in []reflect.Type
	if recv != nil {
		in = append(in, recv)
	}
	for _, p := range params {
		switch {
		case p == "*" || p == "/":
		case strings.HasPrefix(p, "**"):
			in = append(in, reflect.TypeFor[[]netref.Keyword]())
		case strings.HasPrefix(p, "*"):
			in = append(in, reflect.TypeFor[brine.Tuple]())
		default:
			in = append(in, reflect.TypeFor[any]())
		}
	}
	t := reflect.FuncOf(in, []reflect.Type{reflect.TypeFor[brine.Tuple]()}, false)
	return reflect.MakeFunc(t, func(args []reflect.Value) []reflect.Value {
		if recv != nil {
			args = args[1:]
		}
		out := brine.Tuple{}
		for _, a := range args {
			if kw, ok := a.Interface().([]netref.Keyword); ok {
				pairs := brine.Tuple{}
				for _, k := range kw {
					pairs = append(pairs, brine.Tuple{k.Name, k.Value})
				}
				out = append(out, pairs)
				continue
			}
			out = append(out, a.Interface())
		}
		return []reflect.Value{reflect.ValueOf(out)}
	}).Interface()
}

func TestCallsLikeCPython(t *testing.T) {
	job := map[string]any{"params": paramLists}
	var cs []any
	for _, c := range calls {
		cs = append(cs, []any{c.n, append([]string{}, c.keys...)})
	}
	job["calls"] = cs
	stdin, err := json.Marshal(job)
	require.NoError(t, err)
	lines := python(t, "calls.py", stdin)
	exact := wordingKnown(t, lines[0])
	lines = lines[1:]
	host := &Host{}
	for i, params := range paramLists {
		method, err := exposed.GetAttr(ctx, nil, host, fmt.Sprintf("f%d", i))
		require.NoError(t, err)
		for _, f := range []any{hostFuncs[i], method} {
			for _, c := range calls {
				var want [2]*string
				require.NoError(t, json.Unmarshal([]byte(lines[0]), &want))
				lines = lines[1:]
				what := fmt.Sprintf("%v called with %v", params, c)
				for _, raw := range []bool{false, true} {
					r, err := exposed.Call(ctx, f, callArgs(t, c.n, c.keys, raw))
					switch {
					case err != nil && want[1] != nil:
						sameOutcome(t, exact, *want[1], errorText(err), what)
					case err == nil && want[0] != nil:
						sameOutcome(t, true, *want[0], reprOf(t, r), what)
					case err != nil:
						t.Errorf("CPython: %s\nours:    %v\n%s", *want[0], err, what)
					default:
						t.Errorf("CPython: %s\nours:    %v\n%s", *want[1], r, what)
					}
				}
			}
		}
	}
	require.Empty(t, lines)
}

// callArgs makes n positional arguments 0, 1 … and keywords with their names in capitals, decoded or encoded.
func callArgs(t *testing.T, n int, keys []string, raw bool) *exposed.Args {
	pos := brine.Tuple{}
	for i := range n {
		pos = append(pos, int64(i))
	}
	kw := []netref.Keyword{}
	pairs := brine.Tuple{}
	for _, k := range keys {
		kw = append(kw, netref.Kw(k, strings.ToUpper(k)))
		pairs = append(pairs, brine.Tuple{k, strings.ToUpper(k)})
	}
	if !raw {
		return exposed.NewArgs(pos, kw)
	}
	p, err := brine.Marshal(pos)
	require.NoError(t, err)
	k, err := brine.Marshal(pairs)
	require.NoError(t, err)
	a := exposed.NewArgs(nil, nil)
	a.SetRaw(p, k)
	return a
}

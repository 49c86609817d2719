package classic_test

import (
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/classic"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
)

// requests counts what a connection asks for.
type requests struct {
	mu sync.Mutex
	n  int
}

func (r *requests) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for line := range strings.Lines(string(p)) {
		if strings.HasPrefix(line, "> ") && strings.Contains(line, "REQUEST") && !strings.Contains(line, "DEL") {
			r.n++
		}
	}
	return len(p), nil
}

func (r *requests) during(f func()) int {
	r.mu.Lock()
	r.n = 0
	r.mu.Unlock()
	f()
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.n
}

// TestLargeContainers counts the requests of conversions that take pickles by themselves, and of those that cannot.
func TestLargeContainers(t *testing.T) {
	ctx := t.Context()
	sent := new(requests)
	c := connect(t, &protocol.Config{Trace: sent})
	require.NoError(t, c.Execute(ctx, `
import collections, datetime, decimal, threading
Point = collections.namedtuple("Point", "x y")
class Sub(dict): pass
class Gate(object):
    def __init__(self, n): self.lock, self.x, self.y = threading.Lock(), n, -n
`))
	type xy struct{ Y, X int }
	for _, l := range []struct {
		list     string
		as       func(o *netref.Object) (any, error)
		same     func(o *netref.Object) (any, error)
		requests int // at most
	}{
		{"[{'k': i, 'l': -i} for i in range(10000)]", as[[]map[string]int], obtain[[]map[string]int], 10},
		{"[{'k': i, 'l': 'x'} for i in range(10000)]", as[[]map[string]any], obtain[[]map[string]any], 10},
		{"[[i, [i, i]] for i in range(10000)]", as[[]struct {
			A int
			B [2]int
		}], nil, 60000}, // lists fill no structs
		{"[{'x': i, 'y': 2} for i in range(5000)]", as[[]*xy], obtain[[]*xy], 10},
		{"[decimal.Decimal(i) for i in range(5000)]", as[[]float64], obtain[[]float64], 10},
		{"[datetime.date.fromordinal(i + 1) for i in range(5000)]", as[[]string], nil, 20000},
		{"[['x' * 1000] * 3 for i in range(10000)]", as[[][]string], obtain[[][]string], 100},
		{"[list(range(100)) for i in range(64)]", as[[][]int], obtain[[][]int], 10},
		{"[{'p': [Point(i, 2)]} for i in range(200)]", as[[]map[string][]xy], nil, 1500},
		{"[{'g': Gate(i)} for i in range(200)]", as[[]map[string]xy], nil, 1500},
		{"[{'f': len} for i in range(100)]", as[[]map[string]func(string) (int, error)], nil, 1000},
		{"{i: [i, -i] for i in range(10000)}", as[map[int][]int], obtain[map[int][]int], 10},
		{"{str(i): i for i in range(10000)}", as[map[string]int], obtain[map[string]int], 10},
		{"collections.OrderedDict((i, {'x': i, 'y': 2}) for i in range(5000))", as[map[int]xy], obtain[map[int]xy], 10},
		{"{i: 'x' * 1000 for i in range(10000)}", as[map[int]string], obtain[map[int]string], 10},
		{"{i: ['x' * 1000] * 20 for i in range(1000)}", as[map[int][]string], obtain[map[int][]string], 1020},
		{"{i: Point(i, 2) for i in range(200)}", as[map[int]xy], nil, 420},
		{"{i: Gate(i) for i in range(200)}", as[map[int]xy], nil, 420},
		{"collections.defaultdict(threading.Lock, {i: [i] for i in range(100)})", as[map[int][]int], nil, 110},
		{"[[i, {'x': (i, [i])}, {i}] for i in range(5000)]", fetch, nil, 7},
		{"{i: {'x': [i]} for i in range(5000)}", fetch, nil, 12},
		{"list(range(10000))", as[[]int], obtain[[]int], 2},
		{"[1, 2]", as[[]int], obtain[[]int], 1},
	} {
		o, err := classic.Eval[*netref.Object](ctx, c, l.list)
		require.NoError(t, err)
		var got any
		n := sent.during(func() { got, err = l.as(o) })
		require.LessOrEqual(t, n, l.requests, l.list)
		if l.same == nil {
			continue
		}
		require.NoError(t, err, l.list)
		want, err := l.same(o)
		require.NoError(t, err, l.list)
		require.Equal(t, want, got, l.list)
	}

	gates, err := classic.Eval[*netref.Object](ctx, c, "[{'g': Gate(i)} for i in range(200)]")
	require.NoError(t, err)
	points, err := netref.As[[]map[string]xy](ctx, gates)
	require.NoError(t, err, "what cannot be pickled is asked for")
	require.Len(t, points, 200)
	require.Equal(t, xy{-199, 199}, points[199]["g"])

	tuples, err := classic.Eval[*netref.Object](ctx, c, "[[Point(i, 2)] for i in range(100)]")
	require.NoError(t, err)
	named, err := netref.As[[][]xy](ctx, tuples)
	require.NoError(t, err)
	require.Equal(t, xy{Y: 2, X: 99}, named[99][0], "fields go by their names, which pickles do not have")

	fetched, err := classic.Eval[*netref.Object](ctx, c, `(lambda d, x: [d(i, x) for i in range(100)])(
	lambda i, x: {1: {i}, (1, b'k'): [i, x], None: bytearray(b'b'), 'f': frozenset([i]), 's': ({2},)}, ['shared'])`)
	require.NoError(t, err)
	var v any
	require.LessOrEqual(t, sent.during(func() { v, err = netref.Fetch(ctx, fetched) }), 7)
	require.NoError(t, err)
	shared := v.([]any)[0].(map[any]any)[[2]any{int64(1), [1]byte{'k'}}].([]any)[1].([]any)
	for i, v := range v.([]any) {
		n := int64(i)
		require.Equal(t, map[any]any{int64(1): map[any]struct{}{n: {}}, [2]any{int64(1), [1]byte{'k'}}: []any{n, shared},
			nil: []byte("b"), "f": brine.FrozenSet{n}, "s": brine.Tuple{map[any]struct{}{int64(2): {}}}}, v)
		require.Same(t, &shared[0], &v.(map[any]any)[[2]any{int64(1), [1]byte{'k'}}].([]any)[1].([]any)[0])
	}
	for _, list := range []string{"[[i, len] for i in range(100)]", "[{'p': Point(i, 2)} for i in range(100)]",
		"[[decimal.Decimal(i)] for i in range(100)]", "[[Sub(x=i)] for i in range(100)]"} {
		o, err := classic.Eval[*netref.Object](ctx, c, list)
		require.NoError(t, err)
		v, err := netref.Fetch(ctx, o)
		require.NoError(t, err, list)
		switch item := v.([]any)[99].(type) {
		case []any:
			require.IsType(t, o, item[len(item)-1], "what is no container is a handle")
		case map[any]any:
			require.IsType(t, o, item["p"])
		}
	}
	ring, err := classic.Eval[*netref.Object](ctx, c, "(lambda l: (l.append([l]), l)[1])([[i] for i in range(100)])")
	require.NoError(t, err)
	_, err = netref.Fetch(ctx, ring)
	require.ErrorContains(t, err, "it contains itself")

	handles, err := classic.Eval[*netref.Object](ctx, c, "[{'l': [i]} for i in range(2000)]")
	require.NoError(t, err)
	dicts, err := netref.As[[]map[string]any](ctx, handles)
	require.NoError(t, err)
	require.IsType(t, handles, dicts[1999]["l"], "an any takes handles, however long the list is")
}

func fetch(o *netref.Object) (any, error) { return netref.Fetch(context.Background(), o) }

func as[T any](o *netref.Object) (any, error) { return netref.As[T](context.Background(), o) }

func obtain[T any](o *netref.Object) (any, error) { return classic.Obtain[T](context.Background(), o) }

package protocol_test

import (
	"context"
	"iter"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// giver gives objects out and takes them back as arguments of other types.
type giver struct{}

type spot struct{ X, Y int }

func (giver) Seq() iter.Seq[int]      { return slices.Values([]int{1, 2}) }
func (giver) List() any               { return exposed.NewList(1, 2) }
func (giver) Slice() []int            { return []int{1, 2} }
func (giver) Map() map[string]int     { return map[string]int{"x": 1, "y": 2} }
func (giver) Numbers() map[int]string { return map[int]string{1: "a", 2: "b"} }
func (giver) Spot() *spot             { return &spot{1, 2} }
func (giver) Double() func(int) int   { return func(n int) int { return 2 * n } }
func (giver) Set() map[int]struct{}   { return map[int]struct{}{1: {}, 2: {}} }
func (giver) Nested(any) any {
	return exposed.NewList(exposed.NewList(1), map[string]any{"k": exposed.NewList()})
}
func (giver) Wider() []any      { return []any{1, 2} }
func (giver) Floats() []float32 { return []float32{1, 2} }
func (giver) Dict(ctx context.Context) (any, error) {
	d := exposed.NewDict()
	return d, d.Set(ctx, "x", 1)
}

func (giver) Ints(xs []int) int {
	total := 0
	for _, x := range xs {
		total = 10*total + x
	}
	return total
}

func (giver) Sorted(xs []int) []int { return slices.Sorted(slices.Values(xs)) }
func (giver) Each(xs iter.Seq2[int, error]) []int {
	var all []int
	for x, err := range xs {
		if err != nil {
			panic(err)
		}
		all = append(all, x)
	}
	return all
}
func (giver) Members(m map[int]struct{}) int              { return len(m) }
func (giver) Point(p struct{ Y, X int8 }) int             { return int(p.X)*10 + int(p.Y) }
func (giver) Table(m map[string]float64) float64          { return m["x"] }
func (giver) Apply(f func(any) (any, error)) (any, error) { return f(21) }
func (giver) Call(f func(int) int) int                    { return f(21) }
func (giver) Class(o *netref.Object) string               { return o.ClassName() }
func (giver) Same(o *netref.Object) any                   { return o }

func (giver) Length(ctx context.Context, o *netref.Object) (int, error) { return o.Len(ctx) }

func (giver) Fetch(ctx context.Context, v any) (string, error) {
	got, err := netref.Fetch(ctx, v)
	if err != nil {
		return "", err
	}
	return vinegar.Repr(len(got.([]any)[0].([]any))), nil
}

// TestObjectsComeBack passes what a service has given out to its other methods: root.f(root.g()). Each is accepted
// where Python's would be: whatever can be iterated over for a list, whatever has the attributes for a struct.
func TestObjectsComeBack(t *testing.T) {
	a, b, err := protocol.Pair(t.Context(), giver{}, nil, &protocol.Config{Access: exposed.Policy{AllowPublic: true}})
	require.NoError(t, err)
	t.Cleanup(func() { _ = a.Close(); _ = b.Close(); <-a.Done(); <-b.Done() })
	ctx, root := t.Context(), b.Root()
	for _, c := range []struct {
		give, attr, take string
		want             any
	}{
		{"seq", "", "ints", int64(12)}, {"list", "", "ints", int64(12)}, {"wider", "", "ints", int64(12)},
		{"slice", "", "ints", int64(12)}, {"set", "", "members", int64(2)}, {"numbers", "keys", "members", int64(2)},
		{"numbers", "keys", "ints", int64(12)}, {"map", "values", "ints", int64(12)}, {"numbers", "", "ints", int64(12)},
		{"seq", "", "each", []any{int64(1), int64(2)}}, {"list", "", "each", []any{int64(1), int64(2)}},
		{"slice", "__iter__", "each", []any{int64(1), int64(2)}}, {"slice", "__iter__", "ints", int64(12)},
		{"map", "", "point", int64(12)}, {"spot", "", "point", int64(12)}, {"dict", "", "table", 1.0},
		{"map", "", "table", 1.0}, {"double", "", "apply", int64(42)}, {"double", "", "call", int64(42)},
		{"slice", "", "class", "builtins.list"}, {"map", "", "length", int64(2)}, {"seq", "", "class", "builtins.generator"},
		{"nested", "", "fetch", "1"},
	} {
		var args []any
		if c.give == "nested" {
			args = []any{nil}
		}
		v, err := root.CallMethod(ctx, c.give, args...)
		require.NoError(t, err, c.give)
		if c.attr != "" {
			v, err = v.(*netref.Object).CallMethod(ctx, c.attr)
			require.NoError(t, err, "%s.%s", c.give, c.attr)
		}
		got, err := root.CallMethod(ctx, c.take, v)
		require.NoError(t, err, "%s(%s.%s)", c.take, c.give, c.attr)
		if want, isList := c.want.([]any); isList {
			items, err := netref.As[[]any](ctx, got)
			require.NoError(t, err)
			require.Equal(t, want, items)
			continue
		}
		require.Equal(t, c.want, got, "%s(%s.%s)", c.take, c.give, c.attr)
	}
	list, err := netref.Call[*netref.Object](ctx, root, "slice")
	require.NoError(t, err)
	back, err := netref.Call[*netref.Object](ctx, root, "same", list)
	require.NoError(t, err)
	require.True(t, list.Is(back), "it is the object itself that comes back")
	for _, wrong := range [][2]string{{"floats", "ints"}, {"spot", "ints"}, {"list", "point"}, {"double", "ints"},
		{"slice", "apply"}, {"dict", "point"}} {
		v, err := root.CallMethod(ctx, wrong[0])
		require.NoError(t, err)
		_, err = root.CallMethod(ctx, wrong[1], v)
		require.ErrorIs(t, err, vinegar.TypeError, wrong)
	}
}

package exposed_test

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// names has a method besides what its kind has.
type names []string

func (n *names) Add(s string) { *n = append(*n, s) }

func (n names) Longest() string {
	return slices.MaxFunc(n, func(a, b string) int { return len(a) - len(b) })
}

type settings struct {
	Env     map[string]int      `rpyc:"env,readonly"`
	Names   []string            `rpyc:"names,readonly"`
	Rows    [][]int             `rpyc:"rows,readonly"`
	Groups  map[string][]string `rpyc:"groups,readonly"`
	Members map[string]struct{} `rpyc:"members,readonly"`
	Pair    [2][]int            `rpyc:"pair,readonly"`
	Any     any                 `rpyc:"any,readonly"`
	List    *exposed.List       `rpyc:"list,readonly"`
	Dict    *exposed.Dict       `rpyc:"dict,readonly"`
	Set     *exposed.Set        `rpyc:"set,readonly"`
	Own     names               `rpyc:"own,readonly"`
	Open    []string            `rpyc:"open"`
	NoMap   map[string]int      `rpyc:"no_map,readonly"`
	NoList  *exposed.List       `rpyc:"no_list,readonly"`
}

func newSettings(t *testing.T) *settings {
	s := &settings{
		Env: map[string]int{"a": 1}, Names: []string{"x", "y"}, Rows: [][]int{{1, 2}},
		Groups: map[string][]string{"g": {"u"}}, Members: map[string]struct{}{"m": {}}, Pair: [2][]int{{1}, {2}},
		Any: map[string]any{"k": []any{"v"}}, List: exposed.NewList("i", exposed.NewList("j")), Dict: exposed.NewDict(),
		Set: exposed.NewSet(), Own: names{"long", "o"}, Open: []string{"z"},
	}
	require.NoError(t, s.Dict.Set(ctx, "d", []int{3}))
	require.NoError(t, s.Set.Add(ctx, "e"))
	return s
}

// TestReadOnlyFields: no operation changes a container of a field that is readonly, or one inside it.
func TestReadOnlyFields(t *testing.T) {
	all := &exposed.Policy{AllowAll: true, AllowSet: true, AllowDel: true}
	s := newSettings(t)
	at := func(path ...any) any {
		var v any = s
		for i, k := range path {
			var err error
			if i == 0 {
				v, err = exposed.GetAttr(ctx, all, v, k)
			} else {
				v, err = exposed.GetItem(ctx, v, k)
			}
			require.NoError(t, err)
		}
		return v
	}
	lists := [][]any{{"names"}, {"rows"}, {"rows", 0}, {"groups", "g"}, {"pair", 0}, {"any", "k"}, {"list"}, {"list", 1},
		{"dict", "d"}, {"own"}}
	dicts := [][]any{{"env"}, {"groups"}, {"any"}, {"dict"}, {"no_map"}}
	sets := [][]any{{"members"}, {"set"}}
	zero, item, one := any(int64(0)), any("n"), brine.Tuple{"n"}
	for _, m := range []struct {
		of   [][]any
		name string
		args []any
	}{
		{lists, "__setitem__", []any{zero, item}},
		{lists, "__setitem__", []any{brine.Slice{Start: int64(0), Stop: int64(1)}, one}},
		{lists, "__delitem__", []any{zero}},
		{lists, "append", []any{item}},
		{lists, "extend", []any{one}},
		{lists, "insert", []any{zero, item}},
		{lists, "pop", nil},
		{lists, "remove", []any{item}},
		{lists, "clear", nil},
		{lists, "reverse", nil},
		{lists, "sort", nil},
		{lists, "__iadd__", []any{one}},
		{lists, "__imul__", []any{int64(2)}},
		{dicts, "__setitem__", []any{item, zero}},
		{dicts, "__delitem__", []any{item}},
		{dicts, "pop", []any{item}},
		{dicts, "setdefault", []any{item, zero}},
		{dicts, "clear", nil},
		{dicts, "update", []any{brine.Tuple{brine.Tuple{"n", zero}}}},
		{dicts, "__ior__", []any{map[string]int{"n": 1}}},
		{sets, "add", []any{item}},
		{sets, "discard", []any{item}},
		{sets, "remove", []any{item}},
		{sets, "pop", nil},
		{sets, "clear", nil},
		{sets, "update", []any{one}},
		{sets, "__ior__", []any{brine.FrozenSet{"n"}}},
		{sets, "difference_update", []any{brine.Tuple{"m", "e"}}},
	} {
		for _, path := range m.of {
			_, err := exposed.CallAttr(ctx, all, at(path...), m.name, exposed.NewArgs(m.args, nil))
			require.True(t, errors.Is(err, vinegar.TypeError), "%v.%s: %v", path, m.name, err)
			require.ErrorContains(t, err, "read-only", "%v.%s", path, m.name)
		}
	}
	want := newSettings(t)
	require.Equal(t, want.List.Len(), s.List.Len())
	require.Equal(t, want.Dict.Keys(), s.Dict.Keys())
	require.Equal(t, want.Set.Items(), s.Set.Items())
	want.List, want.Dict, want.Set = s.List, s.Dict, s.Set
	require.Equal(t, want, s)
	_, err := exposed.CallAttr(ctx, all, at("open"), "append", exposed.NewArgs([]any{"w"}, nil))
	require.NoError(t, err)
	require.Equal(t, []string{"z", "w"}, s.Open)
}

// TestReadOnlyViews: a view shows what the container holds at the time, is one object to the peer however often it is
// asked for, and is of its class.
func TestReadOnlyViews(t *testing.T) {
	s := newSettings(t)
	view := get(t, nil, s, "names")
	s.Names = append(s.Names, "later")
	text, err := exposed.Repr(ctx, view)
	require.NoError(t, err)
	require.Equal(t, "['x', 'y', 'later']", text)
	require.Equal(t, "list", exposed.TypeName(view))
	require.Equal(t, "dict", exposed.TypeName(get(t, nil, s, "env")))
	require.Equal(t, "set", exposed.TypeName(get(t, nil, s, "members")))
	require.Nil(t, get(t, nil, s, "no_list"))
	again := get(t, nil, s, "names")
	a, ok := exposed.Identity(view)
	b, _ := exposed.Identity(again)
	require.True(t, ok)
	require.Equal(t, a, b)
	open, _ := exposed.Identity(&s.Names)
	require.NotEqual(t, open, a) // or the peer would be given the object that it may change
	eq, err := exposed.CallAttr(ctx, nil, view, "__eq__", exposed.NewArgs([]any{[]string{"x", "y", "later"}}, nil))
	require.NoError(t, err)
	require.Equal(t, true, eq)
	// Whoever gets it back in Go has a copy.
	var back []string
	require.NoError(t, netref.Assign(context.Background(), reflect.ValueOf(&back).Elem(), view))
	require.Equal(t, []string{"x", "y", "later"}, back)
	back[0] = "changed"
	require.Equal(t, "x", s.Names[0])
	// Methods of the type's own run with a copy, too.
	own := get(t, nil, s, "own")
	longest, err := exposed.CallAttr(ctx, nil, own, "longest", exposed.NewArgs(nil, nil))
	require.NoError(t, err)
	require.Equal(t, "long", longest)
	_, err = exposed.CallAttr(ctx, nil, own, "add", exposed.NewArgs([]any{"n"}, nil))
	require.NoError(t, err)
	require.Equal(t, names{"long", "o"}, s.Own)
	require.Equal(t, "x", exposed.ReadOnly("x"))
	require.Nil(t, exposed.ReadOnly(nil))
}

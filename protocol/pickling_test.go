package protocol_test

import (
	"context"
	"io/fs"
	"math/big"
	"net"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/pickle"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

type postal struct {
	Street string
	Number int
}

type person struct {
	Name     string
	Born     time.Time
	Address  *postal
	Tags     []string
	Password string `rpyc:"-"`
}

type circle struct{ Next *circle }

// library has what Python obtains copies of.
type library struct {
	Ints     []int
	Strings  []string
	Mapping  map[string]int
	Nested   map[string]any
	Person   *person
	People   []*postal
	Many     []any
	Grown    *exposed.List
	Bag      *exposed.Set
	Keyed    *exposed.Dict
	Ring     *exposed.List
	Circle   *circle
	Failure  error
	Kind     *vinegar.Class
	Function func(int) int
	Callback []any            `rpyc:"callbacks"`
	Fixed    map[string][]int `rpyc:"fixed,readonly"`
	Names    []string         `rpyc:"names,readonly"`
}

func (*library) Method() {}

func (*library) Around(o *netref.Object) []any { return []any{"before", o, "after"} }

func newLibrary(t *testing.T) *library {
	ctx := t.Context()
	elm := &postal{"Elm", 7}
	l := &library{
		Ints: []int{1, 2, 3}, Strings: []string{"a", "b"}, Mapping: map[string]int{"a": 1, "b": 2},
		Nested: map[string]any{"x": []any{1, []any{2.5, nil}}, "y": map[string]int{}},
		Person: &person{"Ann", time.Date(1999, 12, 31, 23, 59, 59, 5000, time.UTC), elm, []string{"x"}, "secret"},
		People: []*postal{elm, elm},
		Many: []any{90 * time.Second, new(big.Int).Lsh(big.NewInt(1), 100), new(big.Int).Lsh(big.NewInt(-1), 70),
			complex(1, -2),
			[]byte("\x00\xff"), brine.Tuple{1, "two"}, map[int]struct{}{1: {}, 2: {}}},
		Grown: exposed.NewList("one", map[string][1]int{"k": {1}}, map[string]struct{}{"m": {}}),
		Bag:   exposed.NewSet(), Keyed: exposed.NewDict(), Ring: exposed.NewList(1), Circle: &circle{&circle{}},
		Failure: &fs.PathError{Op: "open", Path: "/nowhere", Err: fs.ErrNotExist}, Kind: vinegar.ValueError,
		Function: func(x int) int { return x },
		Fixed:    map[string][]int{"f": {1, 2}}, Names: []string{"n"},
	}
	l.Ring.Append(l.Ring)
	l.Circle.Next.Next = l.Circle
	l.Callback = []any{l.Function}
	for _, v := range []any{1, "two", brine.Tuple{int64(3)}} {
		require.NoError(t, l.Bag.Add(ctx, v))
	}
	require.NoError(t, l.Keyed.Set(ctx, brine.Tuple{int64(1), int64(2)}, "tuple"))
	require.NoError(t, l.Keyed.Set(ctx, []byte("b"), "bytes"))
	require.NoError(t, l.Keyed.Set(ctx, 3, "int"))
	return l
}

// serveOne accepts connections until the test ends and returns the port.
func serveOne(t *testing.T, root any, cfg *protocol.Config) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			s, err := l.Accept()
			if err != nil {
				return
			}
			c, err := protocol.NewConn(ctx, s, root, cfg)
			if err == nil {
				defer func() { c.CloseNow(); <-c.Done() }()
			}
		}
	}()
	t.Cleanup(func() {
		l.Close()
		cancel()
		<-done
	})
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// TestPythonObtains has a CPython client take copies of everything that package exposed presents.
func TestPythonObtains(t *testing.T) {
	python := os.Getenv("GORPYC_TEST_PYTHON")
	if python == "" {
		t.Skip("NOT RUN AGAINST CPYTHON: GORPYC_TEST_PYTHON names no Python that has rpyc")
	}
	l := newLibrary(t)
	open := serveOne(t, l, &protocol.Config{AllowPickle: true, Access: exposed.Policy{AllowPublic: true}})
	shut := serveOne(t, l, nil)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, python, "testdata/obtain.py", open, shut).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Equal(t, "OK\n", string(out))
}

// TestPickleBetweenGo asks a Go peer for a copy, through a third one too.
func TestPickleBetweenGo(t *testing.T) {
	ctx := t.Context()
	l := newLibrary(t)
	a, b, err := protocol.Pair(ctx, l, nil, &protocol.Config{AllowPickle: true})
	require.NoError(t, err)
	defer b.Close()
	defer a.Close()
	o, err := netref.Get[*netref.Object](ctx, b.Root(), "person")
	require.NoError(t, err)
	check := func(c *protocol.Conn, o *netref.Object) {
		var data []byte
		require.NoError(t, c.Request(ctx, &data, wire.HandlePickle, o, 4))
		v, err := pickle.Unmarshal(data)
		require.NoError(t, err)
		got, err := netref.As[person](ctx, v)
		require.NoError(t, err)
		want := *l.Person
		want.Password = ""
		require.Equal(t, want, got)
	}
	check(b, o)

	c, d, err := protocol.Pair(ctx, exposed.Func(func() *netref.Object {
		return o
	}), nil, &protocol.Config{AllowPickle: true})
	require.NoError(t, err)
	defer d.Close()
	defer c.Close()
	far, err := netref.CallFunc[*netref.Object](ctx, d.Root())
	require.NoError(t, err)
	check(d, far)
}

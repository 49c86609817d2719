package protocol

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// shelf hands what one peer gave it to another.
type shelf struct{ v []any }

func (s *shelf) Put(v ...any)   { s.v = v }
func (s *shelf) Len() int       { return len(s.v) }
func (s *shelf) Take(i int) any { return s.v[i] }

// TestForeignClasses passes objects of one peer on to another: under the names that their own peer gave them, with one
// class id for an object and its class, which is forgotten with the last of them.
func TestForeignClasses(t *testing.T) {
	ctx := t.Context()
	s := &shelf{}
	giver, giverEnd, err := Pair(ctx, nil, s, nil)
	require.NoError(t, err)
	user, userEnd, err := Pair(ctx, nil, s, nil)
	require.NoError(t, err)
	_, err = giver.Root().CallMethod(ctx, "put", exposed.NewList(int64(1)), vinegar.KeyError, vinegar.KeyError.New("k"),
		exposed.NewList())
	require.NoError(t, err)

	var got []*netref.Object
	for i := range 4 {
		o, err := netref.Call[*netref.Object](ctx, user.Root(), "take", i)
		require.NoError(t, err)
		got = append(got, o)
	}
	ref := func(i int) (name string, class, object int64) {
		r, _ := got[i].Ref()
		return r.Name, r.Class, r.Object
	}
	list, listClass, _ := ref(0)
	require.Equal(t, "builtins.list", list)
	class, classID, object := ref(1)
	require.Equal(t, "builtins.KeyError", class)
	require.Zero(t, object, "a class")
	name, ofClass, object := ref(2)
	require.Equal(t, "builtins.KeyError", name)
	require.NotZero(t, object)
	require.Equal(t, classID, ofClass)
	_, otherList, _ := ref(3)
	require.Equal(t, listClass, otherList)
	require.NotEqual(t, listClass, classID)
	is, err := got[2].IsInstance(ctx, got[1])
	require.NoError(t, err)
	require.True(t, is)
	is, err = got[0].IsInstance(ctx, got[1])
	require.NoError(t, err)
	require.False(t, is)

	got[3].Release()
	_, err = netref.Call[int](ctx, user.Root(), "len") // behind the release
	require.NoError(t, err)
	require.Len(t, numbersOf(giverEnd), 2)
	for _, c := range []*Conn{user, userEnd, giver, giverEnd} {
		_ = c.CloseNow()
		<-c.Done()
	}
	require.Empty(t, numbersOf(giverEnd))
	runtime.KeepAlive(got)
}

// numbersOf lists the numbers of the classes that came from a connection's peer.
func numbersOf(c *Conn) []int64 {
	foreignClasses.Lock()
	defer foreignClasses.Unlock()
	var ids []int64
	for k, class := range foreignClasses.byOrigin {
		if k.origin == (*requester)(c) {
			ids = append(ids, class.id)
		}
	}
	return ids
}

// TestForeignTypes asks for the class of an object of another peer as rpyc-ng does, which never gives a class back: the
// object goes all the same.
func TestForeignTypes(t *testing.T) {
	ctx := t.Context()
	s := &shelf{}
	giver, giverEnd, err := Pair(ctx, nil, s, nil)
	require.NoError(t, err)
	user, userEnd, err := Pair(ctx, nil, s, &Config{Dialect: wire.FamilyE})
	require.NoError(t, err)
	_, err = giver.Root().CallMethod(ctx, "put", exposed.NewList(int64(1)))
	require.NoError(t, err)
	o, err := netref.Call[*netref.Object](ctx, user.Root(), "take", 0)
	require.NoError(t, err)
	ref, _ := o.Ref()
	var class *netref.Object
	require.NoError(t, user.Request(ctx, &class, wire.HandleType, ref.Tuple()))
	classRef, _ := class.Ref()
	require.Equal(t, ref.Class, classRef.Class)
	var methods [2]brine.Tuple
	for i := range methods { // the second answer comes from what was kept of the first
		require.NoError(t, user.Request(ctx, &methods[i], wire.HandleInspect, classRef.Tuple()))
	}
	require.NotEmpty(t, methods[0])
	require.Equal(t, methods[0], methods[1])
	held := giver.Exported()
	o.Release()
	s.v = nil
	for giver.Exported() == held {
		runtime.GC()
		_, err = netref.Call[int](ctx, user.Root(), "len")
		require.NoError(t, err)
	}
	require.False(t, class.Released())
	for _, c := range []*Conn{user, userEnd, giver, giverEnd} {
		_ = c.CloseNow()
		<-c.Done()
	}
	require.Empty(t, numbersOf(giverEnd))
}

// TestTruthOfForeignObjects hands an object of rpyc-ng, whose proxies ask for the truth of any object, on to a peer
// whose proxies ask only where there is a method.
func TestTruthOfForeignObjects(t *testing.T) {
	ctx := t.Context()
	s := &shelf{}
	giver, giverEnd, err := Pair(ctx, nil, s, &Config{Dialect: wire.FamilyE})
	require.NoError(t, err)
	user, userEnd, err := Pair(ctx, nil, s, nil)
	require.NoError(t, err)
	_, err = giver.Root().CallMethod(ctx, "put", exposed.NewList())
	require.NoError(t, err)
	o, err := netref.Call[*netref.Object](ctx, user.Root(), "take", 0)
	require.NoError(t, err)
	ref, _ := o.Ref()
	var methods brine.Tuple
	require.NoError(t, user.Request(ctx, &methods, wire.HandleInspect, ref.Tuple()))
	require.Contains(t, methods, brine.Tuple{"__bool__", nil})
	truth, err := o.CallMethod(ctx, "__bool__")
	require.NoError(t, err)
	require.Equal(t, false, truth, "an empty list")
	for _, c := range []*Conn{user, userEnd, giver, giverEnd} {
		_ = c.CloseNow()
		<-c.Done()
	}
}

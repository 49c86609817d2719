package wire_test

import (
	"encoding/hex"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// TestSurvey tells the families apart by recorded answers of their releases to the request for the root.
func TestSurvey(t *testing.T) {
	const (
		// 3.4.3, Python 3.6
		a = "125250115412160f313339363335303432393137323634080e0b44656d6f53657276696365080e085f5f6d61696e5f5f"
		// 4.0.2, Python 3.8
		b = "125250115412160f313339373133363335313030393434080e0b44656d6f53657276696365080e085f5f6d61696e5f5f"
		// 3.4.3, Python 2.7
		a2 = "125250115412160f3134303132393931393431343137360e0b44656d6f536572766963650e085f5f6d61696e5f5f"
		c2 = "1252501154120e145f5f6d61696e5f5f2e44656d6f53657276696365160e3934323430363932303438353434160f313339373639363831323238313736"
	)
	for _, test := range []struct {
		answer string
		repr   wire.Kind
		want   *wire.Dialect
		oid    int64
	}{
		{a, wire.Exception, wire.FamilyA, 139635042917264},
		{b, wire.Reply, wire.FamilyB, 139713635100944},
		{a2, wire.Exception, wire.FamilyA2, 140129919414176},
		{a2, wire.Reply, wire.FamilyB2, 140129919414176},
		{c2, 0, wire.FamilyC2, 0},
	} {
		kind, _, body, err := wire.FamilyC.ReadHeader(unhex(t, test.answer))
		require.NoError(t, err)
		require.Equal(t, wire.Reply, kind)
		var s wire.Survey
		require.NoError(t, s.Answer(body))
		if test.repr != 0 {
			require.Nil(t, s.Dialect)
			require.Equal(t, test.oid, s.Root.Object)
			require.Equal(t, "__main__.DemoService", s.Root.Name)
			s.Answered(test.repr)
		}
		require.Same(t, test.want, s.Dialect)
	}
	var s wire.Survey
	for _, bad := range []any{int64(1), brine.Tuple{int64(1), int64(2)}, brine.Tuple{int64(4), int64(2)},
		brine.Tuple{int64(4), brine.Tuple{int64(5)}},
		brine.Tuple{int64(4), brine.Tuple{int64(5), "x", nil}}, brine.Tuple{int64(9), nil}} {
		require.Error(t, s.Answer(brine.NewCursor(marshal(t, bad))), "%v", bad)
		require.Nil(t, s.Dialect)
	}
}

// TestOldReferences compares with recorded references: to a function of the sender, to one of the receiver, and given
// back.
func TestOldReferences(t *testing.T) {
	function := wire.Ref{Name: "builtins.function", Class: 3, Object: 140599982348336}
	require.Equal(t, "115412160f313430353939393832333438333336080e0866756e6374696f6e080e086275696c74696e73",
		hex.EncodeToString(wire.FamilyA.AppendRemoteRef(nil, function)))
	b, n := wire.FamilyA.AppendDelArgs(nil, wire.Ref{Object: 140129921490288}, 5)
	require.Equal(t, "115110160f313430313239393231343930323838", hex.EncodeToString(b))
	require.EqualValues(t, 1, n, "these peers count down by one")
	b, n = wire.FamilyB.AppendDelArgs(nil, wire.Ref{Object: 139713645377600}, 1)
	require.Equal(t, "1152111153160f3133393731333634353337373630301151"+"51", hex.EncodeToString(b))
	require.EqualValues(t, 1, n)

	// Python 2.7
	method := unhex(t, "12160f3134303132393932313439303238380e0e696e7374616e63656d6574686f640e0b5f5f6275696c74696e5f5f")
	c := brine.NewCursor(method)
	r, err := wire.FamilyA2.ReadRemoteRef(&c, &wire.Names{})
	require.NoError(t, err)
	require.Equal(t, "builtins.instancemethod", r.Name)
	require.Equal(t, int64(140129921490288), r.Tuple())

	for _, own := range []wire.Ref{{Name: "builtins.list", Class: 2, Object: 7}, {Name: "main.Box", Class: 9}} {
		for _, d := range []*wire.Dialect{wire.FamilyA, wire.FamilyB, wire.FamilyA2, wire.FamilyB2} {
			c := brine.NewCursor(d.AppendRef(nil, own))
			back, err := d.ReadRef(&c, &wire.Names{})
			require.NoError(t, err)
			require.True(t, back.Names(own), "%v %v", d, own)
			require.False(t, back.Names(wire.Ref{Name: own.Name, Class: own.Class + 1, Object: own.Object + 1}))
		}
	}
	require.Equal(t, wire.FamilyB.AppendRemoteRef(nil, wire.Ref{Name: "os", Class: 1, Object: 4}),
		marshal(t, brine.Tuple{int64(4), brine.Tuple{int64(4), "module", "builtins"}}))
	require.Equal(t, wire.FamilyB2.AppendRemoteRef(nil, wire.Ref{Name: "main.Box", Class: 5}),
		marshal(t, brine.Tuple{int64(4), brine.Tuple{int64(-5), []byte("type"), []byte("__builtin__")}}))
}

func TestAdapt(t *testing.T) {
	o := "the object"
	h, args := wire.FamilyB.Adapt(wire.HandleCmp, []any{o, 3, "__lt__"})
	require.Equal(t, wire.HandleCallAttr, h)
	require.Equal(t, []any{o, "__lt__", brine.Tuple{3}, brine.Tuple(nil)}, args)
	h, args = wire.FamilyA2.Adapt(wire.HandleCallAttr, []any{o, "__next__", brine.Tuple{},
		brine.Tuple{brine.Tuple{"k", 1}}})
	require.Equal(t, wire.HandleCallAttr, h)
	require.Equal(t, []any{o, []byte("next"), brine.Tuple{}, brine.Tuple{brine.Tuple{[]byte("k"), 1}}}, args)
	// RPyC 3.0 takes names as bytes only, also those of methods that stand for another operation.
	h, args = wire.FamilyA2.Adapt(wire.HandleCmp, []any{o, 3, "__lt__"})
	require.Equal(t, wire.HandleCallAttr, h)
	require.Equal(t, []any{o, []byte("__lt__"), brine.Tuple{3}, brine.Tuple(nil)}, args)
	h, args = wire.FamilyA2.Adapt(wire.HandleCtxExit, []any{o, nil})
	require.Equal(t, wire.HandleCallAttr, h)
	require.Equal(t, []any{o, []byte("__exit__"), brine.Tuple{nil, nil, nil}, brine.Tuple(nil)}, args)
	// So does an id pack: RPyC 4.1 looks objects up by all of it.
	_, args = wire.FamilyC2.Adapt(wire.HandleInspect, []any{brine.Tuple{"builtins.dictionary-keyiterator", 1, 2}})
	require.Equal(t, []any{brine.Tuple{[]byte("__builtin__.dictionary-keyiterator"), 1, 2}}, args)
	for _, d := range []*wire.Dialect{wire.FamilyC, wire.FamilyD} {
		given := []any{o, 3, "__lt__"}
		h, args = d.Adapt(wire.HandleCmp, given)
		require.Equal(t, wire.HandleCmp, h)
		require.Equal(t, given, args)
	}
}

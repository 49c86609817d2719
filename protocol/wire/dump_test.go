package wire_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

func boxed(label wire.Label, v any) brine.Tuple { return brine.Tuple{int64(label), v} }

func TestDump(t *testing.T) {
	value := func(v any) brine.Tuple { return boxed(wire.LabelValue, v) }
	obj := brine.Tuple{"main.Calculator", int64(1000), int64(2000)}
	class := brine.Tuple{"main.Calculator", int64(1000), int64(0)}
	for _, c := range []struct {
		kind wire.Kind
		seq  any
		body any
		want string
	}{
		{wire.Request, int64(0), brine.Tuple{int64(3), value(brine.Tuple{})}, "REQUEST 0 GETROOT ()"},
		{wire.Reply, int64(0), boxed(wire.LabelRemoteRef, obj), "REPLY 0 +main.Calculator#1"},
		{
			wire.Request, int64(1), brine.Tuple{int64(8), boxed(wire.LabelTuple, brine.Tuple{
				boxed(wire.LabelLocalRef, obj), value("div"), value(brine.Tuple{int64(7), int64(0)}), value(brine.Tuple{}),
			})}, `REQUEST 1 CALLATTR (-main.Calculator#1, "div", (7, 0), ())`,
		},
		{wire.Reply, int64(1), boxed(wire.LabelRemoteRef, class), "REPLY 1 +main.Calculator@1"},
		{wire.Reply, "x", value(nil), "REPLY x None"},
		{wire.Reply, int64(2), value(brine.Tuple{true, false, 1.5, []byte("b"), brine.Ellipsis, brine.NotImplemented,
			brine.FrozenSet{int64(1)}, brine.Slice{Start: int64(1), Stop: nil, Step: nil}}),
			`REPLY 2 (True, False, 1.5, b"b", Ellipsis, NotImplemented, frozenset(1), slice(1, None, None))`},
		{
			wire.Exception, int64(3), brine.Tuple{brine.Tuple{"builtins", "ValueError"}, brine.Tuple{"bad", int64(3)},
				brine.Tuple{}, "tb"},
			`EXCEPTION 3 builtins.ValueError("bad", 3)`,
		},
		{wire.Request, int64(4), brine.Tuple{int64(16), value(brine.Tuple{obj})}, "REQUEST 4 INSPECT (main.Calculator#1)"},
		{wire.Request, int64(4), brine.Tuple{int64(1), value(brine.Tuple{obj})},
			`REQUEST 4 PING (("main.Calculator", 1000, 2000))`},
		{wire.Exception, int64(4), int64(1), "EXCEPTION 4 StopIteration"},
		{wire.Exception, int64(5), "old", `EXCEPTION 5 "old"`},
		{wire.Request, int64(6), brine.Tuple{int64(99), value(brine.Tuple{})}, "REQUEST 6 HANDLER(99) ()"},
		{wire.Request, int64(7), int64(5), "REQUEST 7 MALFORMED"},
		{wire.Reply, int64(8), boxed(9, nil), "REPLY 8 MALFORMED invalid label 9"},
		{wire.Reply, int64(9), boxed(wire.LabelLocalRef, "x"), "REPLY 9 MALFORMED"},
		{wire.Reply, int64(10), value(strings.Repeat("a", 100)), `REPLY 10 "` + strings.Repeat("a", 64) + `"…100`},
	} {
		for _, d := range families {
			var p wire.Dumper
			got := p.Dump(d, message(t, d, c.kind, c.seq, c.body))
			if strings.HasSuffix(c.want, "MALFORMED") {
				require.True(t, strings.HasPrefix(got, c.want), got)
				continue
			}
			require.Equal(t, c.want, got)
		}
	}
	var p wire.Dumper
	require.Contains(t, p.Dump(wire.FamilyD, []byte{9}), "MALFORMED")
	p.MaxText = 3
	require.Equal(t, `REPLY 0 "abc"…4`, p.Dump(wire.FamilyD, message(t, wire.FamilyD, wire.Reply, int64(0),
		value("abcd"))))
}

// TestDumpIsStable dumps the same conversation with other ids: the lines are the same, and different objects stay
// different.
func TestDumpIsStable(t *testing.T) {
	lines := func(d *wire.Dialect, base int64) string {
		var p wire.Dumper
		var out []string
		for i, n := range []int64{1, 2, 1, 3, 0, 2} { // 0 is the class
			b := d.AppendHeader(nil, wire.Reply, wire.Num(int64(i)))
			if n > 0 {
				n += base
			}
			b = d.AppendRemoteRef(b, wire.Ref{Name: "m.C", Class: base, Object: n})
			out = append(out, p.Dump(d, b))
		}
		return strings.Join(out, "\n")
	}
	want := "REPLY 0 +m.C#1\nREPLY 1 +m.C#2\nREPLY 2 +m.C#1\nREPLY 3 +m.C#3\nREPLY 4 +m.C@1\nREPLY 5 +m.C#2"
	for _, d := range families {
		for _, base := range []int64{10, 1 << 40, -5000} {
			require.Equal(t, want, lines(d, base))
		}
	}
}

// TestDumpTellsOddRefsApart is about id packs that are not made of a text and two numbers.
func TestDumpTellsOddRefsApart(t *testing.T) {
	var p wire.Dumper
	dump := func(pack brine.Tuple) string {
		return p.Dump(wire.FamilyD, message(t, wire.FamilyD, wire.Reply, int64(0), boxed(wire.LabelRemoteRef, pack)))
	}
	a, b := brine.Tuple{"m.C", "a", "b"}, brine.Tuple{"m.C", "a", "c"}
	require.Equal(t, "REPLY 0 +m.C#1", dump(a))
	require.Equal(t, "REPLY 0 +m.C#2", dump(b))
	require.Equal(t, "REPLY 0 +m.C#1", dump(a))
}

func ExampleDumper() {
	var p wire.Dumper
	d := wire.FamilyD
	b := d.AppendRequest(nil, 7, wire.HandleRepr)
	b = d.AppendLabel(b, wire.LabelTuple)
	b = brine.AppendTupleHeader(b, 1)
	b = d.AppendLocalRef(b, wire.Ref{Name: "builtins.list", Class: 140039777607360, Object: 140039777611111})
	fmt.Println(p.Dump(d, b))
	// Output: REQUEST 7 REPR (-builtins.list#1)
}

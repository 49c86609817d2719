package wire_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// recordedRef is how whoever recorded the conversations shows an id pack, inside a reference or by value.
var recordedRef = regexp.MustCompile(`\('([\w./]+)', (\d+), (\d+), ([123])\)`)

// TestFamilyERecordings reads conversations of CPython peers with rpyc-ng 7.0.0, 7.0.11 and 7.0.15, and writes the id
// packs in them.
func TestFamilyERecordings(t *testing.T) {
	files, err := filepath.Glob("testdata/family_e/*.jsonl")
	require.NoError(t, err)
	require.Len(t, files, 14)
	refs, types := 0, 0
	for _, file := range files {
		f, err := os.Open(file)
		require.NoError(t, err)
		lines := bufio.NewScanner(f)
		lines.Buffer(nil, 1<<20)
		d := wire.FamilyE
		if strings.Contains(file, "-bind") {
			d = d.BindThreads()
		}
		var dump wire.Dumper
		for lines.Scan() {
			var step struct{ Hex, Decoded string }
			require.NoError(t, json.Unmarshal(lines.Bytes(), &step))
			if step.Hex == "" {
				continue
			}
			frame := unhex(t, step.Hex)
			if frame[4] != 0 { // deflated
				continue
			}
			payload := frame[5 : len(frame)-1]
			text := dump.Dump(d, payload)
			require.NotContains(t, text, "MALFORMED", "%s: %s", file, step.Decoded)
			require.LessOrEqual(t, d.Weigh(payload, nil, 1<<20), int64(1<<20))
			types += strings.Count(text, "<class '")
			for _, m := range recordedRef.FindAllStringSubmatch(step.Decoded, -1) {
				refs++
				var ids [3]int64
				for i := range ids {
					ids[i], err = strconv.ParseInt(m[i+2], 10, 64)
					require.NoError(t, err)
				}
				enc := marshal(t, brine.Tuple{m[1], ids[0], ids[1], ids[2]})
				require.True(t, bytes.Contains(payload, enc), "%s: %s", file, step.Decoded)
				c := brine.NewCursor(enc)
				r, err := d.ReadRef(&c, &wire.Names{})
				require.NoError(t, err)
				require.Equal(t, wire.Ref{Name: m[1], Class: ids[0], Object: ids[1]}.String(), r.String())
				require.Equal(t, ids[2] == 2, r.IsClass())
				require.Equal(t, enc, d.AppendRef(nil, r))
				require.Equal(t, brine.Tuple{m[1], ids[0], ids[1], ids[2]}, r.Tuple())
				own := wire.Ref{Name: m[1], Class: ids[0], Object: ids[1]}
				if ids[2] == 1 {
					own = own.AsModule()
				}
				require.Equal(t, enc, d.AppendRef(nil, own), "an object of ours")
				require.True(t, r.Names(own))
			}
		}
		require.NoError(t, lines.Err())
		_ = f.Close()
	}
	require.Greater(t, refs, 300)
	require.Greater(t, types, 5)
}

// TestSettle tells family D from E by the recorded form of references.
func TestSettle(t *testing.T) {
	d := wire.FamilyD.Unsettled()
	require.True(t, d.IsUnsettled())
	require.Same(t, wire.FamilyD, d.Family())
	require.Same(t, wire.FamilyD, d.Settled(3))
	require.Same(t, wire.FamilyE, d.Settled(4))
	bound := wire.FamilyD.BindThreads().Unsettled()
	require.Same(t, wire.FamilyE.BindThreads(), bound.Settled(4))
	require.Same(t, wire.FamilyD.BindThreads(), bound.Settled(3))
	require.Same(t, wire.FamilyC, wire.FamilyC.Unsettled(), "nothing to tell it from by this")

	name := "0e145f5f6d61696e5f5f2e44656d6f53657276696365"
	getRoot := unhex(t, "0111501153115102")
	for _, test := range []struct {
		what, payload string
		root          int64
		want          wire.RefForm
	}{
		{"GETROOT", "0111501153115102", 0, wire.RefForm{}},
		{"its answer, of rpyc-ng", "0211501154" + "1308" + name + "515253", 0,
			wire.RefForm{Members: 4, First: brine.KindString}},
		{"its answer, of RPyC 6", "0211501154" + "1208" + name + "5152", 0,
			wire.RefForm{Members: 3, First: brine.KindString}},
		{"an answer to something else", "0211501154" + "1308" + name + "515253", 7, wire.RefForm{}},
		{"TYPE", "011151116711511013" + "08" + name + "515253", 0, wire.RefForm{Members: 4, First: brine.KindString}},
		{"INSPECT", "011151116011511012" + "08" + name + "5152", 0, wire.RefForm{Members: 3, First: brine.KindString}},
		{"GETATTR", "0111521154" + "115211" + "1153" + "1308" + name + "515253" + "1151080b6162", 0,
			wire.RefForm{Members: 4, First: brine.KindString}},
		{"PING", "011150115111511008" + "0a61", 0, wire.RefForm{}},
		{"DEL by value", "01115111" + "5f" + "1151" + "11" + "1308" + name + "515253" + "51", 0,
			wire.RefForm{Members: 4, First: brine.KindString}},
		{"nothing", "", 0, wire.RefForm{}},
	} {
		require.Equal(t, test.want, d.RefForm(unhex(t, test.payload), test.root), test.what)
	}
	require.False(t, d.AsksAsGo(getRoot))
	require.True(t, d.AsksAsGo(d.AppendRootArgs(d.AppendRequest(nil, 0, wire.HandleGetRoot))))
	require.Equal(t, getRoot, wire.FamilyE.AppendRootArgs(wire.FamilyE.AppendRequest(nil, 0, wire.HandleGetRoot)))
}

// TestFamilyEOperations compares with recorded requests, and what family D does.
func TestFamilyEOperations(t *testing.T) {
	r := wire.Ref{Name: "a.B", Class: 5, Object: 6}
	pack := "13080c612e42555653"
	b, n := wire.FamilyE.AppendDelArgs(nil, r, 2)
	require.Equal(t, unhex(t, "1151"+"11"+pack+"52"), b)
	require.EqualValues(t, 2, n)
	older := wire.FamilyE.DelByRef()
	b, _ = older.AppendDelArgs(nil, r, 2)
	require.Equal(t, unhex(t, "115211"+"1153"+pack+"115152"), b)
	require.Nil(t, older.DelByRef())
	require.Same(t, wire.FamilyE, older.Shown())
	require.Nil(t, wire.FamilyD.DelByRef())
	require.Same(t, wire.FamilyE.BindThreads(), wire.FamilyE.BindThreads().DelByRef().Shown())

	h, args := wire.FamilyE.Adapt(wire.HandleCallAttr, []any{"o", "__bool__", brine.Tuple(nil), brine.Tuple(nil)})
	require.Equal(t, wire.HandleBool, h)
	require.Equal(t, []any{"o"}, args)
	require.True(t, wire.FamilyE.CallsInTwo())
	require.False(t, wire.FamilyD.CallsInTwo())
	require.False(t, wire.FamilyD.Unsettled().CallsInTwo())

	for h, known := range map[int64]bool{20: true, 21: true, 22: true, 23: true, 24: false} {
		for d, takes := range map[*wire.Dialect]bool{wire.FamilyE: known, wire.FamilyD: known && h <= 20} {
			c := brine.NewCursor(marshal(t, brine.Tuple{h, nil}))
			_, odd, err := d.ReadHandler(&c)
			require.NoError(t, err)
			require.Equal(t, takes, odd == nil, "%v %d", d, h)
		}
	}
	c := brine.NewCursor(unhex(t, "12080c612e425556")) // of a module that is not in sys.modules
	three, err := wire.FamilyE.ReadRemoteRef(&c, &wire.Names{})
	require.NoError(t, err)
	require.Equal(t, unhex(t, "12080c612e425556"), wire.FamilyE.AppendRef(nil, three), "goes back as it came")
}

package wire_test

import (
	"fmt"
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

func readRef(t testing.TB, d *wire.Dialect, b []byte) (wire.Ref, error) {
	t.Helper()
	c := brine.NewCursor(b)
	r, err := d.ReadRef(&c, &wire.Names{})
	if err == nil {
		require.Zero(t, c.Len(), "the cursor is behind the id pack")
	}
	return r, err
}

func TestRefRoundTrip(t *testing.T) {
	for _, d := range families {
		for _, r := range []wire.Ref{
			{Name: "builtins.list", Class: 139787157987904, Object: 139787142176960},
			{Name: "builtins.int", Class: 5},
			{Name: "os", Class: -1, Object: -2},
			{Name: "", Class: 0, Object: 1},
			{Name: "módulo.Ñ", Class: 1 << 62, Object: -1 << 62},
		} {
			b := d.AppendRef(nil, r)
			require.Equal(t, marshal(t, brine.Tuple{r.Name, r.Class, r.Object}), b)
			got, err := readRef(t, d, b)
			require.NoError(t, err)
			require.Equal(t, r, got)
			require.Equal(t, r.Object == 0, got.IsClass())
			require.Equal(t, brine.Tuple{r.Name, r.Class, r.Object}, got.Tuple())

			require.Equal(t, marshal(t, brine.Tuple{int64(3), brine.Tuple{r.Name, r.Class, r.Object}}), d.AppendLocalRef(nil, r))
			require.Equal(t, marshal(t, brine.Tuple{int64(4), brine.Tuple{r.Name, r.Class, r.Object}}),
				d.AppendRemoteRef(nil, r))
		}
	}
}

// TestOddRefsAreKept checks that an id pack with members of other types goes back exactly as it came: they are the
// peer's, and whatever they are.
func TestOddRefsAreKept(t *testing.T) {
	huge := new(big.Int).Lsh(big.NewInt(1), 100)
	for _, d := range families {
		seen := map[wire.Ref]any{}
		for _, pack := range []any{
			brine.Tuple{[]byte("builtins.list"), int64(11), int64(22)},
			brine.Tuple{nil, int64(11), int64(22)},
			brine.Tuple{"builtins.list", "a", "b"},
			brine.Tuple{"builtins.list", 11.0, 22.0},
			brine.Tuple{"builtins.list", huge, int64(22)},
			brine.Tuple{"builtins.list", int64(11), huge},
			brine.Tuple{"builtins.list", int64(11), true},
			brine.Tuple{"builtins.list", int64(11), int64(22), int64(33)},
			brine.Tuple{"builtins.list", int64(11), brine.Tuple{}},
		} {
			b := marshal(t, pack)
			r, err := readRef(t, d, b)
			require.NoError(t, err, "%v", pack)
			require.Equal(t, b, d.AppendRef(nil, r))
			require.Equal(t, pack, r.Tuple())
			require.False(t, r.IsZero())
			require.False(t, r.IsClass())
			require.NotEmpty(t, r.String())
			require.NotContains(t, seen, r, "%v and %v are not the same", pack, seen[r])
			seen[r] = pack
			again, err := readRef(t, d, b)
			require.NoError(t, err)
			require.Equal(t, r, again, "refs are comparable")
		}
	}
}

// TestUnusualEncodingOfRef checks that the same pack in another encoding is the same ref.
func TestUnusualEncodingOfRef(t *testing.T) {
	r, err := readRef(t, wire.FamilyD, unhex(t, "15 00000003 08 0e 02 6f73 16 02 3035 16 01 36"))
	require.NoError(t, err)
	require.Equal(t, wire.Ref{Name: "os", Class: 5, Object: 6}, r)
}

func TestBadRefs(t *testing.T) {
	var form *wire.FormError
	for _, bad := range []any{nil, "abc", int64(5), brine.Tuple{}, brine.Tuple{"builtins.list", int64(11)},
		brine.FrozenSet{int64(1)}} {
		_, err := readRef(t, wire.FamilyD, marshal(t, bad))
		require.ErrorAs(t, err, &form, "%v", bad)
	}
	_, err := readRef(t, wire.FamilyD, unhex(t, "12 51 52"))
	require.Error(t, err, "cut short")
	require.True(t, wire.Ref{}.IsZero())
}

// TestNamesAreBounded sends more class names than are remembered.
func TestNamesAreBounded(t *testing.T) {
	var names wire.Names
	for i := range 10_000 {
		want := wire.Ref{Name: fmt.Sprintf("m.C%d", i), Class: 1, Object: 1}
		c := brine.NewCursor(wire.FamilyD.AppendRef(nil, want))
		r, err := wire.FamilyD.ReadRef(&c, &names)
		require.NoError(t, err)
		require.Equal(t, want, r)
	}
}

func TestReadingAKnownNameAllocatesNothing(t *testing.T) {
	var names wire.Names
	b := wire.FamilyD.AppendRef(nil, wire.Ref{Name: "builtins.list", Class: 139787157987904, Object: 139787142176960})
	read := func() {
		c := brine.NewCursor(b)
		if _, err := wire.FamilyD.ReadRef(&c, &names); err != nil {
			t.Error(err)
		}
	}
	read()
	require.Zero(t, testing.AllocsPerRun(100, read))
}

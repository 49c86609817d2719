package exposed_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/pickle"
)

// All that has strftime refuses a format that is no str in the same words, which are CPython's.
func TestTimeFormatOfNoText(t *testing.T) {
	now := time.Date(2024, 2, 29, 23, 59, 0, 0, time.UTC)
	clock, err := exposed.CallAttr(context.Background(), nil, now, "time", &exposed.Args{})
	require.NoError(t, err)
	for _, v := range []any{now, exposed.NewDate(now), clock} {
		for _, name := range []string{"strftime", "__format__"} {
			_, err := exposed.CallAttr(context.Background(), nil, v, name, exposed.NewArgs([]any{int64(1)}, nil))
			require.EqualError(t, err, "TypeError: "+name+"() argument 1 must be str, not int")
		}
	}
}

// Expected values are what CPython's datetime module says of the same.
func TestTimedelta(t *testing.T) {
	ctx := context.Background()
	quarter, day := exposed.NewTimedelta(15*time.Minute), exposed.NewTimedelta(24*time.Hour)
	leap := exposed.NewDate(time.Date(2024, 2, 29, 23, 59, 0, 0, time.UTC))
	for _, row := range []struct {
		op   string
		a, b any
		want string
	}{
		{"__mul__", quarter, 0.5, "datetime.timedelta(seconds=450)"},
		{"__mul__", 3, quarter, "datetime.timedelta(seconds=2700)"},
		{"__mul__", exposed.NewTimedelta(time.Microsecond), 2.5, "datetime.timedelta(microseconds=2)"},
		{"__mul__", exposed.NewTimedelta(time.Microsecond), 3.5, "datetime.timedelta(microseconds=4)"},
		{"__mul__", exposed.NewTimedelta(time.Microsecond), -2.5,
			"datetime.timedelta(days=-1, seconds=86399, microseconds=999998)"},
		{"__sub__", quarter, day, "datetime.timedelta(days=-1, seconds=900)"},
		{"__truediv__", quarter, 7, "datetime.timedelta(seconds=128, microseconds=571429)"},
		{"__floordiv__", quarter, 7, "datetime.timedelta(seconds=128, microseconds=571428)"},
		{"__truediv__", day, quarter, "96.0"},
		{"__floordiv__", exposed.NewTimedelta(-time.Minute), quarter, "-1"},
		{"__mod__", exposed.NewTimedelta(-time.Minute), quarter, "datetime.timedelta(seconds=840)"},
		{"__eq__", quarter, exposed.NewTimedelta(900 * time.Second), "True"},
		{"__eq__", quarter, 900, "False"},
		{"__lt__", quarter, day, "True"},
		{"__add__", leap, day, "datetime.date(2024, 3, 1)"},
		{"__sub__", leap, exposed.NewTimedelta(36 * time.Hour), "datetime.date(2024, 2, 28)"},
		{"__sub__", leap, exposed.NewDate(time.Date(2023, 2, 28, 0, 0, 0, 0, time.UTC)), "datetime.timedelta(days=366)"},
	} {
		got, err := exposed.Operate(ctx, row.op, row.a, row.b)
		require.NoError(t, err, "%v", row)
		text, err := exposed.Repr(ctx, got)
		require.NoError(t, err)
		require.Equal(t, row.want, text, "%v %s %v", row.a, row.op, row.b)
	}
	for _, other := range []any{1.5, quarter} {
		_, err := exposed.Operate(ctx, "__add__", day, "x")
		require.ErrorContains(t, err, "unsupported operand type(s) for +")
		_, err = exposed.Operate(ctx, "__mod__", other, exposed.NewTimedelta(0))
		require.Error(t, err)
	}
	d, err := netref.As[time.Duration](ctx, quarter)
	require.NoError(t, err)
	require.Equal(t, 15*time.Minute, d)
	at, err := netref.As[time.Time](ctx, leap)
	require.NoError(t, err)
	require.Equal(t, time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC), at)
	naive, err := exposed.Repr(ctx, time.Date(2024, 2, 29, 1, 2, 0, 0, pickle.Naive))
	require.NoError(t, err)
	require.Equal(t, "datetime.datetime(2024, 2, 29, 1, 2)", naive)
}

// SharedBase, LeftPart and RightPart are exported, because reflection reads no others that are embedded.
type SharedBase struct{ Number int }

func (b *SharedBase) get() int { return b.Number }

type LeftPart struct{ *SharedBase }

type RightPart struct{ *SharedBase }

type both struct {
	LeftPart
	RightPart
}

type signal struct{ name string }

// A class finds the part of an object that two of its bases have in common, and one with members is an enumeration.
func TestBasesAndMembers(t *testing.T) {
	ctx := context.Background()
	baseClass := exposed.Register[SharedBase](exposed.ClassOptions{Properties: map[string]exposed.Property{"doubled": {
		Get: func(b *SharedBase) int { return 2 * b.get() }}}})
	leftClass := exposed.Register[LeftPart](exposed.ClassOptions{Bases: []*exposed.Class{baseClass}})
	rightClass := exposed.Register[RightPart](exposed.ClassOptions{Bases: []*exposed.Class{baseClass}})
	exposed.Register[both](exposed.ClassOptions{Bases: []*exposed.Class{leftClass, rightClass}})
	of := &SharedBase{21}
	for _, name := range []string{"doubled", "number"} {
		v, err := exposed.GetAttr(ctx, nil, &both{LeftPart{of}, RightPart{of}}, name)
		require.NoError(t, err)
		require.Equal(t, map[string]any{"doubled": 42, "number": 21}[name], v)
	}
	_, err := exposed.GetAttr(ctx, nil, &both{}, "number")
	require.Error(t, err, "a nil part")

	stop, walk := &signal{"STOP"}, &signal{"WALK"}
	class := exposed.Register[signal](exposed.ClassOptions{
		Hidden: map[string]any{"STOP": stop, "WALK": walk, "HALT": stop}, Members: []any{stop, walk}})
	call := func(of any, name string, args ...any) (any, error) {
		return exposed.CallAttr(ctx, nil, of, name, exposed.NewArgs(args, nil))
	}
	n, err := call(class, "__len__")
	require.NoError(t, err)
	require.EqualValues(t, 2, n)
	it, err := call(class, "__iter__")
	require.NoError(t, err)
	var all []any
	for v, err := range exposed.Iterate(ctx, it) {
		require.NoError(t, err)
		all = append(all, v)
	}
	require.Equal(t, []any{stop, walk}, all)
	for name, want := range map[string]any{"STOP": stop, "HALT": stop, "WALK": walk} {
		v, err := call(class, "__getitem__", name)
		require.NoError(t, err)
		require.Same(t, want, v)
	}
	_, err = call(class, "__getitem__", "name")
	require.ErrorContains(t, err, "KeyError")
	in, err := call(class, "__contains__", walk)
	require.NoError(t, err)
	require.Equal(t, true, in)
	in, err = call(class, "__contains__", "WALK")
	require.NoError(t, err)
	require.Equal(t, false, in)
	_, err = call(stop, "__iter__")
	require.ErrorContains(t, err, "AttributeError", "members are no containers")
}

package classic_test

import (
	"math/big"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/classic"
	"github.com/gorpyc/gorpyc/netref"
)

// both requires a value of the server's to be converted to want, in place and as a copy.
func both[T any](t *testing.T, c *classic.Conn, expression string, want T) {
	t.Helper()
	same := func(got T, err error, how string) {
		t.Helper()
		require.NoError(t, err, "%s of %s", how, expression)
		when, isTime := any(got).(time.Time)
		if expected, ok := any(want).(time.Time); ok && isTime {
			require.True(t, expected.Equal(when), "%s of %s: %v, not %v", how, expression, got, want)
			return
		}
		require.Equal(t, want, got, "%s of %s", how, expression)
	}
	v, err := c.Eval(t.Context(), expression)
	require.NoError(t, err, expression)
	copied, err := classic.Obtain[T](t.Context(), v)
	same(copied, err, "Obtain")
	converted, err := netref.As[T](t.Context(), v)
	same(converted, err, "As")
}

// neither requires a value of the server's not to be converted to a T, and the errors to name its class.
func neither[T any](t *testing.T, c *classic.Conn, expression, class string) {
	t.Helper()
	v, err := c.Eval(t.Context(), expression)
	require.NoError(t, err, expression)
	var ce *netref.ConvertError
	_, err = classic.Obtain[T](t.Context(), v)
	require.ErrorAs(t, err, &ce, expression)
	require.Equal(t, class, ce.From, "Obtain of %s: %v", expression, err)
	_, err = netref.As[T](t.Context(), v)
	require.ErrorAs(t, err, &ce, expression)
	require.Equal(t, class, ce.From, "As of %s: %v", expression, err)
}

func ptr[T any](v T) *T { return &v }

// text is a type whose values are made of texts.
type text struct{ s string }

func (x *text) UnmarshalText(b []byte) error {
	x.s = string(b)
	return nil
}

// TestAsAndObtain converts objects of Python's standard library in both ways, which have one result: that of Python's
// own functions for what the Go type stands for.
func TestAsAndObtain(t *testing.T) {
	c := connect(t, nil)
	require.NoError(t, c.Execute(t.Context(), strings.ReplaceAll(`
import array, collections, datetime, decimal, enum, fractions, ipaddress, os, pathlib, sys, time, types, uuid
m = types.ModuleType("classes_of_both_test")
sys.modules[m.__name__] = m
exec('''import collections, datetime, decimal, enum, fractions
class Color(enum.IntEnum):
    RED = 5
class Plain(enum.Enum):
    A = 5
class Flags(enum.IntFlag):
    R = 4
    W = 2
class Word(str, enum.Enum):
    HI = "hi"
class Text(type(u"")): pass
class Blob(bytes): pass
class Whole(int): pass
class Real(float): pass
class Moment(datetime.datetime): pass
class Day(datetime.date): pass
class Span(datetime.timedelta): pass
class Exact(decimal.Decimal): pass
class Ratio(fractions.Fraction): pass
class Row(list): pass
class Tup(tuple): pass
class Table(dict): pass
class Made(object):
    def __init__(self, n): self.n = n
    def __reduce__(self): return Made, (self.n,)
Point = collections.namedtuple("Point", "x y")
''', m.__dict__)
for each in list(vars(m).values()):
    if isinstance(each, type): each.__module__ = m.__name__
`, "\t", "    ")))

	day := time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)
	noon := day.Add(12*time.Hour + 500*time.Microsecond)
	both(t, c, "datetime.date(2024, 2, 29)", day)
	both(t, c, "m.Day(2024, 2, 29)", day)
	both(t, c, "m.Moment(2024, 2, 29, 12, 0, 0, 500)", noon)
	both(t, c, "[datetime.datetime(2024, 2, 29, 12, 0, 0, 500)] * 2 and "+
		"datetime.datetime(2024, 2, 29, 14, 0, 0, 500, datetime.timezone(datetime.timedelta(hours=2)))", noon)
	both(t, c, "m.Moment(2024, 2, 29, 14, 0, 0, 500, datetime.timezone(datetime.timedelta(hours=2)))", noon)
	both(t, c, "datetime.time(1, 2, 3)", time.Hour+2*time.Minute+3*time.Second)
	both(t, c, "m.Span(1, 2)", 24*time.Hour+2*time.Second)
	both(t, c, "datetime.date(2024, 2, 29)", text{"2024-02-29"})
	neither[time.Time](t, c, "datetime.time(1, 2, 3)", "datetime.time")
	neither[float64](t, c, "datetime.timedelta(1)", "datetime.timedelta")
	neither[int64](t, c, "datetime.timedelta(1)", "datetime.timedelta")

	both(t, c, "decimal.Decimal('1.5')", 1.5)
	both(t, c, "decimal.Decimal('1.5')", 1.5+0i)
	both(t, c, "decimal.Decimal('1.5')", 1500*time.Millisecond)
	both(t, c, "decimal.Decimal('1.50')", text{"1.50"})
	both(t, c, "decimal.Decimal('1.25')", big.NewRat(5, 4))
	both(t, c, "m.Exact('1.5')", 1.5)
	both(t, c, "fractions.Fraction(1, 4)", 0.25)
	both(t, c, "[fractions.Fraction(1, 4)]", []*big.Rat{big.NewRat(1, 4)})
	both(t, c, "m.Ratio(1, 4)", 0.25)
	neither[int](t, c, "decimal.Decimal('3')", "decimal.Decimal")
	neither[string](t, c, "decimal.Decimal('3')", "decimal.Decimal")

	both(t, c, "m.Color.RED", 5)
	both(t, c, "[m.Color.RED, m.Flags.R | m.Flags.W, m.Whole(7), True]", []int{5, 6, 7, 1})
	both(t, c, "m.Color.RED", 5.0)
	both(t, c, "m.Whole(2**70)", new(big.Int).Lsh(big.NewInt(1), 70))
	both(t, c, "m.Real(1.5)", 1.5)
	neither[int](t, c, "m.Plain.A", "classes_of_both_test.Plain")
	neither[int](t, c, "m.Made(3)", "classes_of_both_test.Made")
	neither[string](t, c, "m.Made('x')", "classes_of_both_test.Made")

	both(t, c, "[m.Word.HI, m.Text('x')]", []string{"hi", "x"})
	both(t, c, "{m.Text('x'): 1}", map[string]int{"x": 1})
	both(t, c, "m.Blob(b'ab')", []byte("ab"))
	path, err := classic.Eval[string](t.Context(), c, "pathlib.PurePosixPath.__module__") // of 3.13 it is pathlib._local
	require.NoError(t, err)
	neither[string](t, c, "pathlib.PurePosixPath('/a/b')", path+".PurePosixPath")
	both(t, c, "pathlib.PurePosixPath('/a/b')", text{"/a/b"})
	both(t, c, "uuid.UUID(int=5)", text{"00000000-0000-0000-0000-000000000005"})

	both(t, c, "range(5, 0, -2)", []int{5, 3, 1})
	both(t, c, "range(0)", []int{})
	both(t, c, "range(3)", map[int]struct{}{0: {}, 1: {}, 2: {}})
	both(t, c, "range(2**70, 2**70 + 1)", []*big.Int{new(big.Int).Lsh(big.NewInt(1), 70)})
	for _, iterator := range []string{"iter([1, 2])", "iter((1, 2))", "iter(range(1, 3))", "map(abs, [1, -2])",
		"filter(None, [0, 1, 2])", "reversed([2, 1])", "collections.deque([1, 2])", "m.Row([1, 2])", "m.Tup([1, 2])",
		"{1: 3, 2: 4}", "{1: 3, 2: 4}.keys()", "{3: 1, 4: 2}.values()", "collections.UserList([1, 2])",
		"array.array('i', [1, 2])", "array.array('d', [1, 2])[:0] or [1, 2]"} {
		v, err := classic.Eval[*netref.Object](t.Context(), c, iterator)
		require.NoError(t, err)
		got, err := classic.Obtain[[]int](t.Context(), v)
		require.NoError(t, err, iterator)
		require.Equal(t, []int{1, 2}, got, iterator)
		equal(t, c, iterator, []int{1, 2})
	}
	equal(t, c, "enumerate([5])", [][2]int{{0, 5}})
	equal(t, c, "iter('ab')", []string{"a", "b"})
	both(t, c, "m.Table(a=1)", map[string]int{"a": 1})
	both(t, c, "collections.UserDict(a=1)", map[string]int{"a": 1})
	both(t, c, "collections.ChainMap({'a': 1})", map[string]int{"a": 1})
	both(t, c, "types.MappingProxyType({'a': 1})", map[string]int{"a": 1})
	both(t, c, "{'a': 1}", map[string]struct{}{"a": {}})
	both(t, c, "[1, 2]", map[int]struct{}{1: {}, 2: {}})
	both(t, c, "[1, None]", []*int{ptr(1), nil})
	neither[map[int]bool](t, c, "[1, 2]", "list")

	both(t, c, "ipaddress.ip_address('10.0.0.1')", netip.MustParseAddr("10.0.0.1"))
	both(t, c, "[ipaddress.ip_address('::1')]", []netip.Addr{netip.IPv6Loopback()})
	both(t, c, "ipaddress.ip_network('10.0.0.0/8')", netip.MustParsePrefix("10.0.0.0/8"))
	both(t, c, "ipaddress.ip_network('10.0.0.0/31')", []netip.Addr{netip.MustParseAddr("10.0.0.0"),
		netip.MustParseAddr("10.0.0.1")})

	type xy struct{ X, Y int }
	both(t, c, "m.Point(1, 2)", xy{1, 2})
	both(t, c, "[m.Point(1, 2)]", []struct{ Y, X int }{{2, 1}})
	both(t, c, "m.Point(1, 2)", struct{ Y int }{2})
	both(t, c, "m.Point(1, 2)", []int{1, 2})
	both(t, c, "types.SimpleNamespace(x=1, y=2)", xy{1, 2})
	both(t, c, "{'x': 1, 'y': 2}", xy{1, 2})
	both(t, c, "time.gmtime(0)", struct {
		Year int `rpyc:"tm_year"`
		Yday int `rpyc:"tm_yday"`
	}{1970, 1})
	both(t, c, "time.gmtime(0)", []int{1970, 1, 1, 0, 0, 0, 3, 1, 0})
	size, err := classic.Eval[int64](t.Context(), c, "os.stat(os.__file__).st_size")
	require.NoError(t, err)
	both(t, c, "os.stat(os.__file__)", struct {
		Size int64 `rpyc:"st_size"`
	}{size})

	both(t, c, "array.array('B', [1, 2])", []byte{1, 2})
	both(t, c, "array.array('b', [-1])", []byte{255})
	both(t, c, "array.array('h', [1, 0x203])", must[[]byte](t, c, "array.array('h', [1, 0x203]).tobytes()"))
	both(t, c, "array.array('d', [0.5])", []float64{0.5})
	both(t, c, "[1, 2]", []byte{1, 2})
	both(t, c, "bytearray(b'ab')", []byte("ab"))
	both(t, c, "memoryview(b'ab')", []byte("ab"))
}

func must[T any](t *testing.T, c *classic.Conn, expression string) T {
	t.Helper()
	v, err := classic.Eval[T](t.Context(), c, expression)
	require.NoError(t, err, expression)
	return v
}

// nameOf is the name of an expression's class, with its module.
func nameOf(t *testing.T, c *classic.Conn, expression string) string {
	t.Helper()
	return must[*netref.Object](t, c, expression).ClassName()
}

package classic_test

import (
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/classic"
	"github.com/gorpyc/gorpyc/netref"
)

// TestAsAndObtainOfOwnClasses converts objects of classes that programs make for themselves. A copy of them often does
// not say what they are; both ways have to give what Python's list(), dict(), float() and so on give.
func TestAsAndObtainOfOwnClasses(t *testing.T) {
	c := connect(t, nil)
	require.NoError(t, c.Execute(t.Context(), strings.ReplaceAll(`
import array, collections, datetime, decimal, enum, sys, types
m = types.ModuleType("classes_of_own_test")
sys.modules[m.__name__] = m
exec('''import collections, datetime, decimal, enum
class Whole(int): pass
class Real(float): pass
class Text(str): pass
class Row(list): pass
class Table(dict): pass
class Flags(enum.IntFlag):
    R = 4
    W = 2
class Half(float, enum.Enum):
    HALF = 0.5
class Day(datetime.date, enum.Enum):
    LEAP = 2024, 2, 29
class Index(object):
    def __index__(self): return 7
class Sequence(object):
    def __len__(self): return 3
    def __getitem__(self, i):
        if i > 2: raise IndexError(i)
        return i * 10
class Stream(object):
    def __iter__(self): return iter([1, 2])
class Mapping(collections.abc.Mapping):
    def __len__(self): return 2
    def __iter__(self): return iter("xy")
    def __getitem__(self, name): return {"x": 1, "y": 2}[name]
class Keys(object):
    def keys(self): return ["x", "y"]
    def __getitem__(self, name): return {"x": 1, "y": 2}[name]
class Version(object):
    def __init__(self, *parts): self.parts = parts
    def __reduce__(self): return Version, self.parts
class Attributes(object):
    def __init__(self): self.x, self.y = 1, 2
Point = collections.namedtuple("Point", "x y")
One = collections.namedtuple("One", "x")
''', m.__dict__)
for each in list(vars(m).values()):
    if isinstance(each, type): each.__module__ = m.__name__
def local():
    class Local(object):
        def __init__(self): self.x, self.y = 1, 2
        def __iter__(self): return iter([1, 2])
    return Local()
try:
    import sqlite3
    row = sqlite3.connect(":memory:").execute("select 1 as x, 0 as y")
    row.row_factory = sqlite3.Row
    row = row.fetchone()
except ImportError: # not every Python has it
    row = None
`, "\t", "    ")))
	const module = "classes_of_own_test."
	type xy struct{ X, Y int }

	for _, nothing := range []string{"Index", "Attributes", "Version"} {
		neither[[]int](t, c, "m."+nothing+"()", module+nothing)
		neither[[]byte](t, c, "m."+nothing+"()", module+nothing)
		neither[time.Duration](t, c, "m."+nothing+"(*(1, 2, 3)[:0])", module+nothing)
	}
	neither[map[string]int](t, c, "m.Index()", module+"Index")
	neither[[]int](t, c, "m.Whole(5)", module+"Whole")
	neither[[]float64](t, c, "[m.Real(5)] and m.Real(5)", module+"Real")
	neither[time.Duration](t, c, "m.Version(1, 2, 3)", module+"Version")
	neither[map[string]int](t, c, "iter([1, 2])", "list_iterator")
	neither[map[int]int](t, c, "m.Sequence()", module+"Sequence")
	neither[map[string]int](t, c, "m.Point(1, 2)", module+"Point")
	neither[struct{ A, B int }](t, c, "m.Point(1, 2)", module+"Point")
	neither[float64](t, c, "decimal.Decimal('sNaN')", "decimal.Decimal")

	both(t, c, "m.Sequence()", []int{0, 10, 20})
	both(t, c, "m.Stream()", []int{1, 2})
	both(t, c, "m.Row()", []int{})
	both(t, c, "[m.Row([3]), m.One(4)]", [][]int{{3}, {4}})
	both(t, c, "local()", []int{1, 2})
	both(t, c, "local()", xy{1, 2})
	both(t, c, "m.Mapping()", map[string]int{"x": 1, "y": 2})
	both(t, c, "m.Mapping()", []string{"x", "y"})
	both(t, c, "m.Mapping()", xy{1, 2})
	both(t, c, "m.Table(x=1, y=2)", xy{1, 2})
	both(t, c, "m.Table(x=1)", struct {
		X int
		Y int `rpyc:",optional"`
	}{1, 0})
	both(t, c, "m.Keys()", map[string]int{"x": 1, "y": 2})
	both(t, c, "m.Keys()", xy{1, 2})
	if must[bool](t, c, "row is not None") {
		both(t, c, "row", map[string]int{"x": 1, "y": 0})
		both(t, c, "row", xy{1, 0})
		both(t, c, "row", []int{1, 0})
	}

	both(t, c, "m.Index()", 7.0)
	both(t, c, "[m.Whole(3), m.Real(0.5), m.Flags.R]", []complex128{3, 0.5, 4})
	both(t, c, "2**64", complex(float64(1<<64), 0))
	both(t, c, "[2**64, 3, 0.5, True, decimal.Decimal('0.1'), m.Flags.R | m.Flags.W, m.Half.HALF]", []*big.Rat{
		new(big.Rat).SetInt(new(big.Int).Lsh(big.NewInt(1), 64)), big.NewRat(3, 1), big.NewRat(1, 2), big.NewRat(1, 1),
		big.NewRat(1, 10), big.NewRat(6, 1), big.NewRat(1, 2)})
	both(t, c, "3", new(big.Float).SetInt64(3))
	both(t, c, "0.5", big.NewFloat(0.5))
	neither[*big.Rat](t, c, "float('inf')", "float")
	neither[*big.Rat](t, c, "datetime.timedelta(1)", "datetime.timedelta")
	both(t, c, "m.Day.LEAP", time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC))
	both(t, c, "collections.UserString('us')", "us")
	both(t, c, "memoryview(array.array('h', [1, 0x203]))", must[[]byte](t, c, "array.array('h', [1, 0x203]).tobytes()"))
	both(t, c, "[True, False]", []byte{1, 0})

	for _, expression := range []string{"ValueError('x')", "KeyError"} {
		v, err := c.Eval(t.Context(), expression)
		require.NoError(t, err)
		live, err := netref.As[error](t.Context(), v)
		require.NoError(t, err)
		copied, err := classic.Obtain[error](t.Context(), v)
		require.NoError(t, err, expression)
		require.Equal(t, live.Error(), copied.Error())
	}
}

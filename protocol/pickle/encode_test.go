package pickle_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/pickle"
)

// pythons returns the interpreters that read and write pickles in these tests: that of GORPYC_TEST_PYTHON, or python3,
// and of the old and new releases those that are on this machine.
func pythons(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	if path := os.Getenv("GORPYC_TEST_PYTHON"); path != "" {
		found["GORPYC_TEST_PYTHON"] = path
	} else if path, err := exec.LookPath("python3"); err == nil {
		found["python3"] = path
	}
	root := os.Getenv("PYENV_ROOT")
	if home, err := os.UserHomeDir(); root == "" && err == nil {
		root = filepath.Join(home, ".pyenv")
	}
	for _, version := range []string{"2.7", "3.6", "3.13"} {
		installed, _ := filepath.Glob(filepath.Join(root, "versions", version+".*", "bin", "python"))
		if len(installed) > 0 {
			found[version] = installed[0]
		} else if path, err := exec.LookPath("python" + version); err == nil {
			found[version] = path
		}
	}
	if len(found) == 0 {
		t.Skip("NOT COMPARED WITH CPYTHON: GORPYC_TEST_PYTHON is not set and there is no python3")
	}
	for _, version := range []string{"2.7", "3.6", "3.13"} {
		if found[version] == "" {
			t.Log("there is no Python", version, "here to read what is written")
		}
	}
	return found
}

func runPython(t *testing.T, python, script, stdin string) string {
	t.Helper()
	cmd := exec.Command(python, script)
	cmd.Dir = "testdata"
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1", "PYTHONIOENCODING=utf-8")
	cmd.Stdin = strings.NewReader(stdin)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())
	return string(out)
}

// TestUnmarshalLive reads what the Pythons of this machine write.
func TestUnmarshalLive(t *testing.T) {
	for name, path := range pythons(t) {
		t.Run(name, func(t *testing.T) {
			n := checkVectors(t, parseVectors(t, []byte(runPython(t, path, "record.py", ""))))
			require.Greater(t, n, 200)
		})
	}
}

type point struct {
	X, Y    int
	Name    string `rpyc:"label"`
	Hidden  func() `rpyc:"-"`
	private int
}

type node struct {
	Value int
	Next  *node
}

type wrapper struct{ v any }

func (w wrapper) GoValue() any { return w.v }

func dictOf(t testing.TB, class pickle.Class, kv ...any) *pickle.Dict {
	d := &pickle.Dict{Class: class}
	for i := 0; i < len(kv); i += 2 {
		require.NoError(t, d.Set(kv[i], kv[i+1]))
	}
	return d
}

// written are Go values and Python expressions for what Python is to read.
func written(t testing.TB) []struct {
	value                   any
	expression, expression2 string
} {
	big100 := new(big.Int).Lsh(big.NewInt(1), 100)
	edge := func(bits uint, sign int64) *big.Int {
		return new(big.Int).Mul(new(big.Int).Lsh(big.NewInt(1), bits), big.NewInt(sign))
	}
	ring := []any{1, nil}
	ring[1] = ring
	shared := []int{1, 2}
	cet := time.FixedZone("CET", 3600)
	long := make([]int, 2500)
	for i := range long {
		long[i] = i
	}
	one := 1
	return []struct {
		value                   any
		expression, expression2 string
	}{
		{nil, "None", ""}, {true, "True", ""}, {false, "False", ""}, {(*int)(nil), "None", ""}, {&one, "1", ""},
		{[]int(nil), "[]", ""},
		{0, "0", ""}, {255, "255", ""}, {256, "256", ""}, {65536, "65536", ""}, {-1, "-1", ""},
		{math.MaxInt32, "2**31-1", ""},
		{math.MinInt32, "-2**31", ""}, {int64(math.MaxInt32 + 1), "2**31", ""}, {int64(math.MinInt64), "-2**63", ""},
		{uint64(math.MaxUint64), "2**64-1", ""}, {uint8(7), "7", ""}, {big100, "2**100", ""}, {*big.NewInt(5), "5", ""},
		{edge(2039, -1), "-2**2039", ""},
		{edge(2040, 1), "2**2040", ""}, {edge(63, -1), "-2**63", ""}, {edge(71, -1), "-2**71", ""},
		{edge(20000, -1), "-2**20000", ""},
		{1.5, "1.5", ""}, {float32(0.5), "0.5", ""}, {math.Inf(-1), "-float('inf')", ""},
		{complex(1, -2.5), "complex(1, -2.5)", ""},
		{"", "u''", ""}, {"né€😀", "u'n\\xe9\\u20ac\\U0001f600'", ""}, {strings.Repeat("x", 300), "u'x'*300", ""},
		{[]byte("a\xff"), "b'a\\xff'", ""}, {[]byte{}, "b''", ""},
		{[]byte(strings.Repeat("\x00\xff", 40000)), "b'\\x00\\xff'*40000", ""},
		{[2]byte{1, 2}, "b'\\x01\\x02'", ""}, {pickle.ByteArray("a\xff"), "bytearray(b'a\\xff')", ""},
		{pickle.ByteArray{}, "bytearray()", ""},
		{[]any{1, "a", nil}, "[1, u'a', None]", ""}, {long, "list(range(2500))", ""},
		{[]string{"ab", "ab"}, "[u'ab', u'ab']", ""},
		{[3]int{1, 2, 3}, "(1, 2, 3)", ""}, {brine.Tuple{}, "()", ""}, {brine.Tuple{1, 2, 3, 4}, "(1, 2, 3, 4)", ""},
		{brine.Tuple{brine.Tuple{1}}, "((1,),)", ""},
		{map[string]int{"b": 2, "a": 1}, "OrderedDict([(u'a', 1), (u'b', 2)]) and {u'a': 1, u'b': 2}", ""},
		{map[int]bool{}, "{}", ""},
		{dictOf(t, pickle.Class{}, "z", 1, brine.Tuple{int64(1)}, 2, []byte("k"), 3), "{u'z': 1, (1,): 2, b'k': 3}", ""},
		{dictOf(t, pickle.Class{Module: "collections", Name: "OrderedDict"}, "z", 1, "a", 2),
			"OrderedDict([(u'z', 1), (u'a', 2)])", ""},
		{map[int]struct{}{1: {}, 2: {}}, "{1, 2}", ""}, {pickle.Set{}, "set()", ""},
		{pickle.Set{int64(1), "a"}, "{1, u'a'}", ""},
		{brine.FrozenSet{int64(1), brine.FrozenSet{}}, "frozenset([1, frozenset()])", ""},
		{brine.Slice{Start: 1, Step: 2}, "slice(1, None, 2)", ""},
		{pickle.Range{Start: 1, Stop: 10, Step: 3}, "Range(1, 10, 3)", ""},
		{time.Date(2024, 2, 29, 23, 59, 58, 123456789, time.UTC), "datetime(2024, 2, 29, 23, 59, 58, 123456, zone(0))",
			"datetime(2024, 2, 29, 23, 59, 58, 123456)"},
		{time.Date(2024, 5, 6, 7, 8, 9, 0, cet), "datetime(2024, 5, 6, 7, 8, 9, 0, zone(3600))",
			"datetime(2024, 5, 6, 6, 8, 9)"},
		{time.Date(1, 1, 1, 0, 0, 0, 0, pickle.Naive), "datetime(1, 1, 1)", ""},
		{[]time.Time{time.Date(2024, 5, 6, 7, 8, 9, 0, pickle.Naive)}, "[datetime(2024, 5, 6, 7, 8, 9)]", ""},
		{90 * time.Second, "timedelta(0, 90)", ""}, {-time.Microsecond, "timedelta(-1, 86399, 999999)", ""},
		{time.Duration(math.MaxInt64), "timedelta(106751, 85636, 854775)", ""},
		{pickle.Date{Year: 1999, Month: 12, Day: 31}, "date(1999, 12, 31)", ""},
		{pickle.Clock{Hour: 1, Minute: 2, Second: 3, Microsecond: 4}, "time(1, 2, 3, 4)", ""},
		{pickle.Clock{Hour: 1, Zone: cet}, "time(1, 0, 0, 0, zone(3600))", "time(1)"},
		{pickle.Decimal("1.10"), "Decimal('1.10')", ""}, {big.NewRat(-1, 3), "Fraction(-1, 3)", ""},
		{pickle.UUID{1, 2, 15: 9}, "UUID('01020000-0000-0000-0000-000000000009')", ""},
		{pickle.Class{Module: "collections", Name: "OrderedDict"}, "OrderedDict", ""},
		{pickle.Class{Module: "builtins", Name: "int"}, "int", ""},
		{point{X: 1, Y: 2, Name: "p"}, "struct(x=1, y=2, label=u'p')", ""}, {&point{X: 1}, "struct(x=1, y=0, label=u'')", ""},
		{&node{1, &node{2, nil}}, "struct(value=1, next=struct(value=2, next=None))", ""},
		{[]node{{1, nil}}, "[struct(value=1, next=None)]", ""}, {struct{}{}, "struct()", ""},
		{ring, "ring()", ""}, {[][]int{shared, shared}, "[[1, 2], [1, 2]]", ""}, {wrapper{[]int{1}}, "[1]", ""},
		{pickle.Raw("\x80\x02]K\x05a."), "[5]", ""},
		{&pickle.Object{Class: pickle.Class{Module: "builtins", Name: "ValueError"}, Args: brine.Tuple{"bad", 3}},
			"ValueError(u'bad', 3)", ""},
	}
}

// TestMarshalReadByCPython has the Pythons read everything that is written, and compares it with what their own
// expressions make. Python 2 reads protocol 2, the others all.
func TestMarshalReadByCPython(t *testing.T) {
	rows := map[bool]*strings.Builder{true: {}, false: {}}
	count := map[bool]int{}
	for i, w := range written(t) {
		for p := 2; p <= pickle.HighestProtocol; p++ {
			data, err := pickle.Marshal(w.value, p)
			require.NoError(t, err, w.expression)
			line, err := json.Marshal(m{"name": fmt.Sprint(i, ": ", w.expression), "protocol": p,
				"pickle":     base64.StdEncoding.EncodeToString(data),
				"expression": w.expression, "expression2": w.expression2})
			require.NoError(t, err)
			fmt.Fprintf(rows[p <= 4], "%s\n", line)
			count[p <= 4]++
			_, err = pickle.Unmarshal(data)
			require.NoError(t, err, "%s, protocol %d", w.expression, p)
		}
	}
	for name, path := range pythons(t) {
		t.Run(name, func(t *testing.T) {
			in, n := rows[true].String(), count[true]
			switch name {
			case "2.7":
				var two strings.Builder
				for line := range strings.Lines(in) {
					if strings.Contains(line, `"protocol":2`) {
						two.WriteString(line)
					}
				}
				in, n = two.String(), len(written(t))
			case "3.6": // has no protocol 5
			default:
				in, n = in+rows[false].String(), n+count[false]
			}
			require.Equal(t, fmt.Sprintln("seen", n), runPython(t, path, "check.py", in))
		})
	}
}

// TestRoundTrip writes what was read from CPython, and reads it again.
func TestRoundTrip(t *testing.T) {
	for file, vs := range readVectors(t) {
		for _, v := range vs {
			v.each(t, func(protocol string, data []byte) {
				first, err := pickle.Unmarshal(data)
				require.NoError(t, err)
				for p := 2; p <= pickle.HighestProtocol; p++ {
					if p == 2 && (strings.HasPrefix(v.Name, "aware") || v.Name == "timezone") { // Python 2 has no zones
						continue
					}
					out, err := pickle.Marshal(first, p)
					require.NoError(t, err, "%s %s to %d", file, v.Name, p)
					second, err := pickle.Unmarshal(out)
					require.NoError(t, err, "%s %s to %d", file, v.Name, p)
					require.JSONEq(t, described(t, first), described(t, second), "%s %s from %s to %d", file, v.Name, protocol, p)
				}
			})
		}
	}
}

// TestMarshalRefuses gives what has no form in Python.
func TestMarshalRefuses(t *testing.T) {
	type loop struct{ P any }
	self := &loop{}
	var p any
	p = &p
	var te *pickle.UnsupportedTypeError
	for _, v := range []any{func() {}, make(chan int), []any{func() {}}, struct{ F func() }{func() {}},
		map[string]any{"k": make(chan int)}} {
		_, err := pickle.Marshal(v, 4)
		require.ErrorAs(t, err, &te)
	}
	var le *brine.LimitError
	_, err := pickle.Marshal(p, 4)
	require.ErrorAs(t, err, &le)
	self.P = self
	_, err = pickle.Marshal(self, 4)
	require.NoError(t, err, "an object that contains itself is a ring, which Python has too")
	tuple := brine.Tuple{nil}
	tuple[0] = tuple
	_, err = pickle.Marshal(tuple, 4)
	require.ErrorAs(t, err, &le)
	_, err = pickle.Marshal("\xff", 4)
	require.ErrorIs(t, err, brine.ErrInvalidUTF8)
	_, err = pickle.Marshal(1, 6)
	require.ErrorIs(t, err, pickle.ErrProtocol)
	_, err = pickle.Marshal(time.Date(12024, 1, 1, 0, 0, 0, 0, time.UTC), 4)
	require.Error(t, err)
}

func TestSubstitute(t *testing.T) {
	type secret struct{ n int }
	e := pickle.Encoder{Protocol: 4, Substitute: func(v any) (any, bool, error) {
		s, ok := v.(*secret)
		if !ok {
			return nil, false, nil
		}
		return []int{s.n}, true, nil
	}}
	s := &secret{7}
	data, err := e.Encode([]any{s, s})
	require.NoError(t, err)
	v, err := pickle.Unmarshal(data)
	require.NoError(t, err)
	require.Equal(t, []any{[]any{int64(7)}, []any{int64(7)}}, v)
	v.([]any)[0].([]any)[0] = 8
	require.Equal(t, 8, v.([]any)[1].([]any)[0], "what was one is one")
}

// TestLongValuesThatAreShared are written once, however often they are in the value, in every protocol.
func TestLongValuesThatAreShared(t *testing.T) {
	text, data := strings.Repeat("é", 10000), bytes.Repeat([]byte{0xe9}, 10000)
	items := make([]any, 2000)
	for i := range items {
		items[i] = text
		if i%2 == 0 {
			items[i] = data
		}
	}
	for p := 2; p <= pickle.HighestProtocol; p++ {
		b, err := pickle.Marshal(items, p)
		require.NoError(t, err)
		require.Less(t, len(b), 100_000)
		back, err := pickle.Unmarshal(b)
		require.NoError(t, err)
		require.Equal(t, items, back)
	}
}

// TestLength ends a pickle that becomes too long, which costs no more than the limit.
func TestLength(t *testing.T) {
	made := 0
	e := pickle.Encoder{Length: 1 << 20, Substitute: func(v any) (any, bool, error) {
		if _, ok := v.(struct{}); ok {
			made++
			return make([]byte, 1<<16), true, nil
		}
		return nil, false, nil
	}}
	items := make([]any, 1<<16)
	for i := range items {
		items[i] = struct{}{}
	}
	_, err := e.Encode(items)
	var limit *brine.LimitError
	require.ErrorAs(t, err, &limit)
	require.Equal(t, int64(1<<20), limit.Limit)
	require.Less(t, made, 20)
	_, err = e.Encode(items[:10])
	require.NoError(t, err)
}

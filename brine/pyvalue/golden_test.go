package pyvalue

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"math"
	"math/big"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
)

// record is a line of testdata/golden.jsonl, which testdata/record.py writes.
type record struct {
	What       string
	V, A, B, M json.RawMessage
	R          json.RawMessage
	Values     []json.RawMessage
	Op         string
	Base       int
	Repr, Type string
	Hash       string
	Truth      bool
	Eq, Lt     string
}

func golden(t *testing.T, what ...string) []record {
	f, err := os.Open("testdata/golden.jsonl")
	require.NoError(t, err)
	defer f.Close()
	var all []record
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r record
		require.NoError(t, json.Unmarshal(lines.Bytes(), &r))
		if slices.Contains(what, r.What) {
			all = append(all, r)
		}
	}
	require.NoError(t, lines.Err())
	require.NotEmpty(t, all)
	return all
}

// raised is an expected exception.
type raised struct{ class, message string }

// decode makes a value of the form that record.py describes. A list is a []any, a dict a map[any]any.
func decode(t *testing.T, raw json.RawMessage) any {
	var v any
	require.NoError(t, json.Unmarshal(raw, &v))
	return fromJSON(t, v)
}

func fromJSON(t *testing.T, v any) any {
	switch x := v.(type) {
	case nil, bool:
		return v
	case string:
		return map[string]any{"...": brine.Ellipsis, "NotImplemented": brine.NotImplemented}[x]
	case map[string]any:
		pair := x["raise"].([]any)
		return raised{pair[0].(string), pair[1].(string)}
	}
	a := v.([]any)
	float := func(v any) float64 {
		f, err := strconv.ParseFloat(v.(string), 64)
		require.NoError(t, err)
		return f
	}
	items := func() []any {
		out := []any{}
		for _, item := range a[1].([]any) {
			out = append(out, fromJSON(t, item))
		}
		return out
	}
	switch a[0] {
	case "i":
		n, ok := new(big.Int).SetString(a[1].(string), 10)
		require.True(t, ok)
		return IntValue(n)
	case "f":
		return float(a[1])
	case "c":
		return complex(float(a[1]), float(a[2]))
	case "s", "b":
		b, err := hex.DecodeString(a[1].(string))
		require.NoError(t, err)
		if a[0] == "b" {
			return b
		}
		return string(b)
	case "t":
		return brine.Tuple(items())
	case "F":
		return brine.FrozenSet(items())
	case "L":
		parts := items()
		return brine.Slice{Start: parts[0], Stop: parts[1], Step: parts[2]}
	case "l":
		return items()
	case "d":
		d := map[any]any{}
		for _, pair := range a[1].([]any) {
			d[fromJSON(t, pair.([]any)[0])] = fromJSON(t, pair.([]any)[1])
		}
		return d
	}
	t.Fatalf("unknown form %v", a[0])
	return nil
}

// requireSame tells -0.0 from 0.0 and takes NaN as equal to itself.
func requireSame(t *testing.T, want, got any, about string) {
	t.Helper()
	require.Equal(t, TypeName(want), TypeName(got), about)
	if f, ok := want.(float64); ok && !math.IsNaN(f) {
		if strings.HasPrefix(about, "pow of") { // the C library's pow and Go's differ in the last digits
			near := f == got || math.Abs(f-got.(float64)) <= 2e-15*math.Abs(f)
			require.True(t, near, "%s: want %v, got %v", about, want, got)
			return
		}
		require.Equal(t, math.Float64bits(f), math.Float64bits(got.(float64)), "%s: want %v, got %v", about, want, got)
		return
	}
	require.Equal(t, Repr(want), Repr(got), about)
	require.IsType(t, want, got, about)
}

// requireResult compares a result or an exception with CPython's.
func requireResult(t *testing.T, want, got any, err error, about string) {
	t.Helper()
	if r, ok := want.(raised); ok {
		var e *Error
		require.ErrorAs(t, err, &e, about)
		require.Equal(t, r.class, e.Class, about)
		if len(e.Args) == 2 { // an OSError's way of showing errno and text
			require.Contains(t, r.message, e.Args[1], about)
			return
		}
		require.Equal(t, r.message, e.Args[0], about)
		return
	}
	require.NoError(t, err, about)
	requireSame(t, want, got, about)
}

func hashOf(v any) (int64, bool) {
	switch v := v.(type) {
	case brine.Tuple:
		hs, ok := hashesOf(v)
		return HashTuple(hs), ok
	case brine.FrozenSet:
		hs, ok := hashesOf(v)
		return HashFrozenSet(hs), ok
	case brine.Slice:
		hs, ok := hashesOf([]any{v.Start, v.Stop, v.Step})
		return HashSlice(hs), ok
	}
	return HashScalar(v)
}

func hashesOf(items []any) ([]int64, bool) {
	hs := make([]int64, len(items))
	for i, item := range items {
		var ok bool
		if hs[i], ok = hashOf(item); !ok {
			return nil, false
		}
	}
	return hs, true
}

func TestValues(t *testing.T) {
	for _, r := range golden(t, "value") {
		v := decode(t, r.V)
		if _, set := v.(brine.FrozenSet); !set { // the order of its members is another one
			want := r.Repr
			if i := strings.IndexRune(want, utf8.RuneError); i >= 0 {
				t.Fatalf("%s: a repr is always printable", r.V)
			}
			require.Equal(t, want, Repr(v))
		}
		truth, plain := Truth(v)
		require.True(t, plain)
		require.Equal(t, r.Truth, truth, "%s", r.V)
		require.Equal(t, r.Type, TypeName(v))
		if r.Hash != "" {
			h, ok := hashOf(v)
			require.True(t, ok)
			require.Equal(t, r.Hash, strconv.FormatInt(h, 10), "hash(%s)", r.Repr)
		}
	}
}

// TestComparisons compares each value with each: by Equal and CompareNumbers where they can tell, by Key, and by hash.
func TestComparisons(t *testing.T) {
	var values []any
	for _, raw := range golden(t, "compared")[0].Values {
		values = append(values, decode(t, raw))
	}
	known := 0
	for i, row := range golden(t, "row") {
		a := values[i]
		for j, b := range values {
			about := Repr(a) + " and " + Repr(b)
			want := row.Eq[j] == '1'
			if equal, ok := Equal(a, b); ok {
				known++
				require.Equal(t, want, equal, about)
			}
			ka, okA := Key(a)
			kb, okB := Key(b)
			if okA && okB {
				require.Equal(t, want, ka == kb, about)
			} else {
				require.False(t, want, about)
			}
			if want {
				ha, _ := hashOf(a)
				hb, _ := hashOf(b)
				require.Equal(t, ha, hb, about)
			}
			n, m := NumberOf(a), NumberOf(b)
			if n.Kind != NotNumber && m.Kind != NotNumber && n.Kind != Complex && m.Kind != Complex {
				order, ok := CompareNumbers(n, m)
				require.Equal(t, row.Lt[j] == '1', ok && order < 0, about)
			}
		}
	}
	require.Greater(t, known, 5000)
}

func TestArithmetic(t *testing.T) {
	for _, r := range golden(t, "op") {
		a, b := NumberOf(decode(t, r.A)), NumberOf(decode(t, r.B))
		var got any
		var err error
		switch r.Op {
		case "lshift", "rshift":
			got, err = Shift(r.Op, a, b)
		case "pow":
			got, err = Power(a, b)
		case "divmod":
			got, err = DivMod(a, b, a.Kind == Float || b.Kind == Float)
		default:
			got, err = Arithmetic(r.Op, a, b)
		}
		want := decode(t, r.R)
		// A TypeError is raised by the operator when both operands say NotImplemented.
		if w, ok := want.(raised); ok && w.class == "TypeError" {
			require.NoError(t, err)
			require.Equal(t, brine.NotImplemented, got)
			continue
		}
		requireResult(t, want, got, err, r.Op+" of "+string(r.A)+" and "+string(r.B))
	}
	for _, r := range golden(t, "round") {
		got, err := Round(NumberOf(decode(t, r.A)), decode(t, r.B))
		requireResult(t, decode(t, r.R), got, err, "round("+string(r.A)+", "+string(r.B)+")")
	}
	for _, r := range golden(t, "pow3") {
		got, err := ModularPower(NumberOf(decode(t, r.A)), NumberOf(decode(t, r.B)), NumberOf(decode(t, r.M)))
		requireResult(t, decode(t, r.R), got, err, "pow("+string(r.A)+", "+string(r.B)+", "+string(r.M)+")")
	}
}

func TestTextsOfNumbers(t *testing.T) {
	for _, r := range golden(t, "int", "float", "complex") {
		v := decode(t, r.V)
		var got any
		var err error
		switch r.What {
		case "int":
			got, err = ParseInt(v, r.Base)
		case "float":
			got, err = ParseFloat(v)
		default:
			got, err = ParseComplex(v.(string))
		}
		requireResult(t, decode(t, r.R), got, err, r.What+"("+Repr(v)+", "+strconv.Itoa(r.Base)+")")
	}
}

// notLiterals are those of ast.literal_eval that ParseLiteral does not take, on purpose.
var notLiterals = []string{}

func TestLiterals(t *testing.T) {
	for _, r := range golden(t, "literal") {
		text := decode(t, r.V).(string)
		want := decode(t, r.R)
		got, err := ParseLiteral(text)
		if _, bad := want.(raised); bad || slices.Contains(notLiterals, text) {
			require.Error(t, err, "%s is %v", text, got)
			continue
		}
		require.NoError(t, err, text)
		if _, dict := want.(map[any]any); dict {
			require.Equal(t, want, got)
			continue
		}
		requireSame(t, want, got, text)
	}
}

func TestNames(t *testing.T) {
	var words []string
	require.NoError(t, json.Unmarshal(golden(t, "keywords")[0].R, &words))
	require.Equal(t, words, Keywords)
	for _, r := range golden(t, "identifier") {
		name := decode(t, r.V).(string)
		require.Equal(t, decode(t, r.R), IsIdentifier(name), "%q", name)
	}
	require.True(t, IsKeyword("nonlocal"))
	require.False(t, IsKeyword("match"))
}

package vinegar

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/big"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/gorpyc/gorpyc/brine"
)

func TestRepr(t *testing.T) {
	type text string
	type number int
	var nilPointer *int
	for _, row := range []struct {
		value any
		want  string
	}{
		{nil, "None"}, {true, "True"}, {false, "False"},
		{0, "0"}, {int8(-1), "-1"}, {uint64(math.MaxUint64), "18446744073709551615"},
		{1.0, "1.0"}, {math.Copysign(0, -1), "-0.0"}, {1e16, "1e+16"}, {1e15, "1000000000000000.0"},
		{0.0001, "0.0001"}, {0.00001, "1e-05"}, {math.Inf(-1), "-inf"}, {math.NaN(), "nan"}, {5e-324, "5e-324"},
		{complex(1, 2), "(1+2j)"}, {complex(0, -1), "-1j"}, {complex(math.Copysign(0, -1), 1), "(-0+1j)"},
		{complex(1, math.NaN()), "(1+nanj)"}, {complex(1.5, math.Inf(-1)), "(1.5-infj)"},
		{"it's", `"it's"`}, {`it's "x"`, `'it\'s "x"'`}, {"\\\n\t\r\x00\x7f\u00ad\u20ac\u2028\U000e0001",
			`'\\\n\t\r\x00\x7f\xad€\u2028\U000e0001'`},
		{"\xff", `'\udcff'`}, {"\uFFFD", "'\uFFFD'"},
		{[]byte(nil), "b''"}, {[]byte("'\"\x00\xff\\\n"), `b'\'"\x00\xff\\\n'`}, {[]byte("'"), `b"'"`},
		{brine.Tuple{}, "()"}, {brine.Tuple{int64(1)}, "(1,)"}, {brine.Tuple{int64(1), "a"}, "(1, 'a')"},
		{brine.FrozenSet{}, "frozenset()"}, {brine.FrozenSet{nil}, "frozenset({None})"},
		{brine.Slice{Start: int64(1)}, "slice(1, None, None)"},
		{brine.Ellipsis, "Ellipsis"}, {brine.NotImplemented, "NotImplemented"},
		{new(big.Int).Lsh(big.NewInt(1), 70), "1180591620717411303424"}, {(*big.Int)(nil), "None"},
		// What brine cannot carry.
		{[]any{1, "a", []int{}}, "[1, 'a', []]"}, {[2]bool{true}, "[True, False]"},
		{map[string]any{"b": nil, "a": brine.Tuple{1}}, "{'a': (1,), 'b': None}"},
		{text("x"), "'x'"}, {number(3), "3"}, {json.RawMessage("x"), "b'x'"},
		{nilPointer, "None"}, {struct{ X int }{}, "<struct { X int } object>"}, {&bytes.Buffer{}, "<bytes.Buffer ''>"},
		{ValueError.New("x"), "ValueError('x')"}, {KeyError.New(1, "y"), "KeyError(1, 'y')"},
		{TypeError.New(), "TypeError()"},
		{ValueError, "<class 'ValueError'>"}, {JSONDecodeError, "<class 'json.decoder.JSONDecodeError'>"},
		{errors.New("x"), "<errors.errorString 'x'>"}, {pointless{}, "<vinegar.pointless object>"},
		{struct{ e []error }{[]error{io.EOF}}, "<struct { e []error } object>"},
	} {
		require.Equal(t, row.want, Repr(row.value), "%T", row.value)
	}
}

func TestReprOfEndlessValues(t *testing.T) {
	self := []any{nil}
	self[0] = self
	require.Contains(t, Repr(self), "...")
	loop := map[string]any{}
	loop["k"] = loop
	require.Contains(t, Repr(loop), "...")
	wide := []any{"x"}
	for range 60 { // 2⁶⁰ elements if one counts them all
		wide = []any{wide, wide}
	}
	require.Less(t, len(Repr(wide)), 4<<20)
	deep := any("x")
	for range 100000 {
		deep = brine.Tuple{deep}
	}
	require.Contains(t, Repr(deep), "...")
}

func TestReprWith(t *testing.T) {
	other := func(v any) string { return fmt.Sprintf("<%T>", v) }
	require.Equal(t, "(1, <[]int>, (<func()>,))", ReprWith(brine.Tuple{1, []int{1}, brine.Tuple{func() {}}}, other))
	require.Equal(t, "<unprintable int32 object>", callRepr(func(any) string { panic("no") }, int32(1)))
}

// pythonRepr asks an installed Python for the repr of the values that its script
// makes of the lines it is given.
func pythonRepr(t *testing.T, convert string, lines []string) []string {
	script := "import binascii, json, struct, sys\nun = binascii.unhexlify\n" +
		"print(json.dumps([repr(" + convert + ") for x in sys.stdin.read().split()]))"
	var out []string
	require.NoError(t, json.Unmarshal(runPython(t, python(t), []byte(strings.Join(lines, "\n")), "-c", script), &out))
	require.Len(t, out, len(lines))
	return out
}

func TestReprOfFloatsIsPythons(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	values := []float64{0, 1, -1, 0.1, 1. / 3, 9999999999999998, 1e16, 1e22, 1e23, 123456789012345680, 0.0001, 0.00009999,
		math.MaxFloat64, math.SmallestNonzeroFloat64, math.Inf(1), math.Inf(-1), math.NaN(), math.Copysign(0, -1)}
	for range 4000 {
		values = append(values, math.Float64frombits(random.Uint64()))
		values = append(values, math.Trunc(random.NormFloat64()*1e6)/math.Pow(10, float64(random.IntN(30)-10)))
	}
	var lines []string
	for _, v := range values {
		lines = append(lines, fmt.Sprintf("%016x", math.Float64bits(v)))
	}
	for i, want := range pythonRepr(t, "struct.unpack('>d', un(x))[0]", lines) {
		require.Equal(t, want, Repr(values[i]))
	}
	lines = lines[:0]
	for i := range values[1:] {
		b := binary.BigEndian.AppendUint64(nil, math.Float64bits(values[i]))
		lines = append(lines, hex.EncodeToString(binary.BigEndian.AppendUint64(b, math.Float64bits(values[i+1]))))
	}
	for i, want := range pythonRepr(t, "complex(*struct.unpack('>dd', un(x)))", lines) {
		require.Equal(t, want, Repr(complex(values[i], values[i+1])))
	}
}

func TestReprOfBytesIsPythons(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	var lines []string
	var values [][]byte
	for i := range 2000 {
		b := make([]byte, 1+random.IntN(20))
		for j := range b {
			b[j] = byte(random.IntN(256))
			if random.IntN(3) == 0 {
				b[j] = `'"\`[random.IntN(3)]
			}
		}
		if i < 256 {
			b = []byte{byte(i)}
		}
		values, lines = append(values, b), append(lines, hex.EncodeToString(b))
	}
	for i, want := range pythonRepr(t, "un(x)", lines) {
		require.Equal(t, want, Repr(values[i]))
	}
}

// Characters that both Unicode versions know, all of them but for large uniform
// blocks, and combinations of quotes.
func TestReprOfTextIsPythons(t *testing.T) {
	var lines, values []string
	add := func(s string) { values, lines = append(values, s), append(lines, hex.EncodeToString([]byte(s))) }
	for _, s := range []string{`'`, `"`, `'"`, `\'`, `\"`, "a'b\"c\\d\n\t\r\x00\x1b\x7f"} {
		add(s)
	}
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if r >= 0x3400 && r < 0xf900 || r >= 0x20000 {
			r += 96
		}
		if r < 0xd800 || r > 0xdfff {
			add(string(r))
		}
	}
	script := "import binascii, json, sys, unicodedata\nun = binascii.unhexlify\n" +
		"print(json.dumps([[repr(s), unicodedata.category(s[0])] for s in (un(x).decode() for x in " +
		"sys.stdin.read().split())]))"
	out := runPython(t, python(t), []byte(strings.Join(lines, "\n")), "-c", script)
	var rows [][2]string
	require.NoError(t, json.Unmarshal(out, &rows))
	require.Len(t, rows, len(values))
	unknown := 0
	for i, row := range rows {
		r := []rune(values[i])[0]
		known := unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.P, unicode.S, unicode.Z,
			unicode.Cc, unicode.Cf, unicode.Co)
		if got := Repr(values[i]); got != row[0] {
			require.True(t, !known || row[1] == "Cn", "U+%04X: %s, want %s", r, got, row[0])
			unknown++
		}
	}
	t.Logf("%d characters are known to one side only", unknown)
}

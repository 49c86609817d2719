package main

import (
	"context"
	"math"
	"math/big"
	"strings"

	"github.com/gorpyc/gorpyc/brine"
)

func values(ctx context.Context, c *client) error {
	for _, sample := range samples() {
		c.call(ctx, "echo "+sample.name, "echo", sample.value)
		c.call(ctx, "type "+sample.name, "echo_type", sample.value)
	}
	return nil
}

type sample struct {
	name  string
	value any
}

// samples lists the values of the README in its order.
func samples() []sample {
	inf := math.Inf(1)
	nan := math.Float64frombits(0x7ff8000000000000) // CPython's; math.NaN has another bit set
	return []sample{
		{"none", nil}, {"true", true}, {"false", false},

		{"zero", 0}, {"one", 1}, {"minus", -1}, {"imm_low", -48}, {"imm_high", 159}, {"past_low", -49}, {"past_high", 160},
		{"int64", int64(math.MaxInt64)}, {"int64_min", int64(math.MinInt64)}, {"int65", uint64(1 << 63)},
		{"uint64", uint64(math.MaxUint64)},
		{"huge", new(big.Int).Add(power(10, 300), big.NewInt(7))},
		{"huge_negative", new(big.Int).Neg(power(3, 500))},
		{"digits_255", digits("9", 255)}, {"digits_256", digits("9", 256)}, {"digits_4300", digits("7", 4300)},

		{"float", 1.5}, {"float_zero", 0.0}, {"float_minus_zero", math.Copysign(0, -1)}, {"inf", inf}, {"minus_inf", -inf},
		{"nan", nan}, {"tiny", 5e-324}, {"pi", 3.141592653589793}, {"big_float", 1.7976931348623157e308},
		{"complex", 1.5 - 2i}, {"complex_zero", complex(math.Copysign(0, -1), 0)}, {"complex_inf", complex(inf, nan)},

		{"str_empty", ""}, {"str", "hello"}, {"str_latin", "caf\u00e9"}, {"str_cjk", "\u4f60\u597d"},
		{"str_astral", "\U0001f40d\U0001f439"}, {"str_nul", "a\x00b"}, {"str_bom", "\ufeffx"},
		{"str_255", strings.Repeat("x", 255)}, {"str_256", strings.Repeat("y", 256)},
		{"str_utf8_256", strings.Repeat("\u00e9", 128)},

		{"bytes_empty", []byte{}}, {"bytes_1", []byte{0}}, {"bytes_4", []byte("abcd")}, {"bytes_5", []byte("abcde")},
		{"bytes_all", everyByte()}, {"bytes_255", []byte(strings.Repeat("z", 255))},
		{"bytes_256", []byte(strings.Repeat("z", 256))},

		{"tuple_empty", brine.Tuple{}}, {"tuple_1", brine.Tuple{1}}, {"tuple_4", brine.Tuple{1, 2, 3, 4}},
		{"tuple_5", brine.Tuple{1, 2, 3, 4, 5}}, {"tuple_255", counting(255)}, {"tuple_256", counting(256)},
		{"tuple_nested", pair(1, pair("a", pair([]byte("b"), pair(nil, pair(true, brine.Tuple{})))))},
		{"tuple_bool_int_float", brine.Tuple{true, 1, 1.0, false, 0, 0.0}},

		{"ellipsis", brine.Ellipsis}, {"notimplemented", brine.NotImplemented},
		{"slice", brine.Slice{Start: 1, Stop: 2, Step: 3}}, {"slice_none", brine.Slice{}},
		{"slice_mixed", brine.Slice{Start: "a", Step: -1.5}},
		{"frozenset_empty", brine.FrozenSet{}}, {"frozenset", brine.FrozenSet{1, "a", []byte("b"), brine.Tuple{2, 3}}},
		{"frozenset_nested", brine.FrozenSet{brine.FrozenSet{1}, brine.FrozenSet{}}},
	}
}

func power(base, exponent int64) *big.Int {
	return new(big.Int).Exp(big.NewInt(base), big.NewInt(exponent), nil)
}

// digits is the number that is written as n times the same digit.
func digits(digit string, n int) *big.Int {
	number, ok := new(big.Int).SetString(strings.Repeat(digit, n), 10)
	if !ok {
		panic("not a digit: " + digit)
	}
	return number
}

func everyByte() []byte {
	b := make([]byte, 256)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}

func counting(n int) brine.Tuple {
	t := make(brine.Tuple, n)
	for i := range t {
		t[i] = i
	}
	return t
}

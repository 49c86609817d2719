package exposed

import (
	"context"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

func newInt(ctx context.Context, x, base any) (any, error) {
	x = norm(x)
	if base != nil {
		return parseInt(x, norm(base))
	}
	switch v := x.(type) {
	case string, []byte:
		return parseInt(v, int64(10))
	case *netref.Object:
		return v.CallMethod(ctx, "__int__")
	}
	if n := toNumber(x); n.kind == kindInt || n.kind == kindFloat {
		return toInt(x)
	}
	return convert(ctx, x, "int", "int() argument must be a string, a bytes-like object or a real number, not '%s'",
		"__int__", "__index__", "__trunc__")
}

// convert calls the first of the special methods that x has.
func convert(ctx context.Context, x any, to, otherwise string, names ...string) (any, error) {
	c := ClassOf(x)
	for _, name := range names {
		a := c.flat[name]
		if a == nil {
			continue
		}
		r, err := a.invoke(ctx, x, &Args{})
		if err != nil {
			return nil, err
		}
		r = norm(r)
		if t := TypeName(r); t != to && !(to == "int" && t == "bool") && !(to == "float" && name == "__index__") {
			return nil, vinegar.TypeError.Errorf("%s.%s() returned non-%s (type %s)", c.name, name, to, t)
		}
		return r, nil
	}
	return nil, vinegar.TypeError.Errorf(otherwise, TypeName(x))
}

// maxIntDigits is CPython's limit for integers in text.
const maxIntDigits = 4300

func parseInt(x, base any) (any, error) {
	b := toNumber(base)
	if b.kind != kindInt {
		return nil, vinegar.TypeError.Errorf("'%s' object cannot be interpreted as an integer", TypeName(base))
	}
	if b.big != nil || b.i != 0 && (b.i < 2 || b.i > 36) {
		return nil, vinegar.ValueError.New("int() base must be >= 2 and <= 36, or 0")
	}
	var s string
	switch v := x.(type) {
	case string:
		s = v
	case []byte:
		s = string(v)
	default:
		return nil, vinegar.TypeError.New("int() can't convert non-string with explicit base")
	}
	bad := func() (any, error) {
		return nil, vinegar.ValueError.Errorf("invalid literal for int() with base %d: %s", b.i, vinegar.Repr(x))
	}
	digits := strings.TrimFunc(s, unicode.IsSpace)
	sign := ""
	if digits != "" && (digits[0] == '-' || digits[0] == '+') {
		sign, digits = digits[:1], digits[1:]
	}
	n := int(b.i)
	if len(digits) > 1 && digits[0] == '0' {
		prefix := map[byte]int{'x': 16, 'o': 8, 'b': 2}[digits[1]|0x20]
		if prefix != 0 && (n == prefix || n == 0) {
			n, digits = prefix, strings.TrimPrefix(digits[2:], "_")
		} else if n == 0 && strings.Trim(digits, "0_") != "" {
			return bad()
		}
	}
	if n == 0 {
		n = 10
	}
	if digits == "" || digits[0] == '_' || digits[len(digits)-1] == '_' || strings.Contains(digits, "__") {
		return bad()
	}
	digits = strings.Map(func(r rune) rune {
		if r == '_' {
			return -1
		}
		return asciiDigit(r)
	}, digits)
	if strings.Trim(digits, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" {
		return bad()
	}
	if len(digits) > maxIntDigits && n&(n-1) != 0 {
		return nil, vinegar.ValueError.Errorf("Exceeds the limit (%d digits) for integer string conversion: value has %d digits; "+
			"use sys.set_int_max_str_digits() to increase the limit", maxIntDigits, len(digits))
	}
	if len(digits) > maxItems {
		return nil, vinegar.OverflowError.New("integer too large")
	}
	r, ok := new(big.Int).SetString(sign+digits, n)
	if !ok {
		return bad()
	}
	return intForm(r), nil
}

// asciiDigit is the ASCII digit of a decimal digit of another script, whose blocks begin at the zero.
func asciiDigit(r rune) rune {
	if r <= unicode.MaxASCII || !unicode.Is(unicode.Nd, r) {
		return r
	}
	zero := r
	for r-zero < 9 && unicode.Is(unicode.Nd, zero-1) {
		zero--
	}
	return '0' + (r-zero)%10
}

func newFloat(ctx context.Context, x any) (any, error) {
	x = norm(x)
	var s string
	switch v := x.(type) {
	case string:
		s = v
	case []byte:
		s = string(v)
	case *netref.Object:
		return v.CallMethod(ctx, "__float__")
	default:
		if n := toNumber(x); n.kind == kindInt || n.kind == kindFloat {
			return n.float()
		}
		r, err := convert(ctx, x, "float", "float() argument must be a string or a real number, not '%s'", "__float__", "__index__")
		if err != nil {
			return nil, err
		}
		return toNumber(r).float()
	}
	text := strings.Map(asciiDigit, strings.TrimFunc(s, unicode.IsSpace))
	bare := strings.ToLower(strings.TrimLeft(text, "+-"))
	f, err := strconv.ParseFloat(strings.ReplaceAll(text, "_", ""), 64)
	if err != nil && !math.IsInf(f, 0) || strings.HasPrefix(bare, "0x") || !underscoresFit(text) {
		return nil, vinegar.ValueError.Errorf("could not convert string to float: %s", vinegar.Repr(x))
	}
	return f, nil
}

// underscoresFit reports whether underscores stand between digits only.
func underscoresFit(s string) bool {
	digit := func(i int) bool { return i >= 0 && i < len(s) && s[i] >= '0' && s[i] <= '9' }
	for i := range len(s) {
		if s[i] == '_' && (!digit(i-1) || !digit(i+1)) {
			return false
		}
	}
	return true
}

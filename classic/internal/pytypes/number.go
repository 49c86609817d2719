package pytypes

import (
	"context"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

func newInt(ctx context.Context, x, base any) (any, error) {
	x = norm(x)
	if base != nil {
		return parseInt(ctx, x, base)
	}
	switch v := x.(type) {
	case string, []byte:
		return parseInt(ctx, v, int64(10))
	case float64:
		return truncate(v)
	}
	if n, ok := integer(x); ok {
		return plainInt(n), nil
	}
	for _, name := range []string{"__int__", "__index__", "__trunc__"} {
		r, ok, err := special(ctx, x, name)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		n, ok := integer(r)
		if !ok {
			return nil, vinegar.TypeError.Errorf("%s returned non-int (type %s)", name, exposed.TypeName(r))
		}
		return plainInt(n), nil
	}
	return nil, vinegar.TypeError.Errorf("int() argument must be a string, a bytes-like object or a real number, not '%s'", exposed.TypeName(x))
}

// truncate is the integer part of a float.
func truncate(f float64) (any, error) {
	switch {
	case math.IsNaN(f):
		return nil, vinegar.ValueError.New("cannot convert float NaN to integer")
	case math.IsInf(f, 0):
		return nil, vinegar.OverflowError.New("cannot convert float infinity to integer")
	}
	n, _ := new(big.Float).SetFloat64(f).Int(nil)
	return plainInt(n), nil
}

// intFloat is the float of an integer, unless that is too large.
func intFloat(n *big.Int) (float64, error) {
	f, _ := new(big.Float).SetInt(n).Float64()
	if math.IsInf(f, 0) {
		return 0, vinegar.OverflowError.New("int too large to convert to float")
	}
	return f, nil
}

// realNumber is the value of a float or int.
func realNumber(v any) (f float64, ok bool, err error) {
	if f, ok := v.(float64); ok {
		return f, true, nil
	}
	n, ok := integer(v)
	if !ok {
		return 0, false, nil
	}
	f, err = intFloat(n)
	return f, true, err
}

// maxIntDigits is CPython's limit for integers in text.
const maxIntDigits = 4300

func parseInt(ctx context.Context, x, base any) (any, error) {
	b, err := Index(ctx, base)
	if err != nil {
		return nil, err
	}
	if !b.IsInt64() || b.Sign() != 0 && (b.Int64() < 2 || b.Int64() > 36) {
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
		return nil, vinegar.ValueError.Errorf("invalid literal for int() with base %d: %s", b, vinegar.Repr(x))
	}
	digits := strings.TrimFunc(s, unicode.IsSpace)
	sign := ""
	if digits != "" && (digits[0] == '-' || digits[0] == '+') {
		sign, digits = digits[:1], digits[1:]
	}
	n := int(b.Int64())
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
	if len(digits) > 1<<20 {
		return nil, vinegar.OverflowError.New("integer too large")
	}
	r, ok := new(big.Int).SetString(sign+digits, n)
	if !ok {
		return bad()
	}
	return plainInt(r), nil
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
	switch v := x.(type) {
	case string:
		return parseFloat(v, x)
	case []byte:
		return parseFloat(string(v), x)
	case *netref.Object:
		return v.CallMethod(ctx, "__float__")
	}
	if f, ok, err := realNumber(x); ok || err != nil {
		return f, err
	}
	for _, name := range []string{"__float__", "__index__"} {
		r, ok, err := special(ctx, x, name)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		if _, isFloat := r.(float64); !isFloat && name == "__float__" {
			return nil, vinegar.TypeError.Errorf("%s.__float__() returned non-float (type %s)", exposed.TypeName(x), exposed.TypeName(r))
		}
		f, ok, err := realNumber(r)
		if !ok {
			return nil, vinegar.TypeError.Errorf("__index__ returned non-int (type %s)", exposed.TypeName(r))
		}
		return f, err
	}
	return nil, vinegar.TypeError.Errorf("float() argument must be a string or a real number, not '%s'", exposed.TypeName(x))
}

// parseFloat is float(x), of which s is the text.
func parseFloat(s string, x any) (any, error) {
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

package exposed

import (
	"context"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// percent formats with the operator %, of str or of bytes, whose characters are bytes then (see wide).
type percent struct {
	ctx    context.Context
	bytes  bool
	args   []any
	next   int
	single any // the right side, if it is no tuple
	mapped bool
	out    strings.Builder
}

// percentFormat is format % args.
func percentFormat(ctx context.Context, format string, args any, isBytes bool) (string, error) {
	args = norm(args)
	p := &percent{ctx: ctx, bytes: isBytes, single: args}
	if t, ok := args.(brine.Tuple); ok {
		p.args, p.single = t, nil
	} else {
		p.args = []any{args}
		switch x := args.(type) {
		case string:
		case *netref.Object:
			_, err := GetAttr(ctx, inspectAll, x, "__getitem__")
			p.mapped = err == nil
		default:
			p.mapped = ClassOf(args).flat["__getitem__"] != nil
		}
	}
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			p.out.WriteByte(format[i])
			continue
		}
		n, err := p.field(format, i)
		if err != nil {
			return "", err
		}
		i = n
		if p.out.Len() > maxText {
			return "", tooLong()
		}
	}
	if p.next < len(p.args) && !p.mapped {
		kind := "string"
		if isBytes {
			kind = "bytes"
		}
		return "", vinegar.TypeError.Errorf("not all arguments converted during %s formatting", kind)
	}
	return p.out.String(), nil
}

var inspectAll = &Policy{AllowAll: true}

func (p *percent) argument() (any, error) {
	if p.next >= len(p.args) {
		return nil, vinegar.TypeError.New("not enough arguments for format string")
	}
	p.next++
	return p.args[p.next-1], nil
}

// field formats what begins at i and returns where it ends.
func (p *percent) field(format string, i int) (end int, err error) {
	i++
	incomplete := vinegar.ValueError.New("incomplete format")
	f := formatSpec{width: -1, precision: -1}
	var value any
	keyed := false
	if i < len(format) && format[i] == '(' {
		depth, start := 1, i+1
		for i++; i < len(format) && depth > 0; i++ {
			switch format[i] {
			case '(':
				depth++
			case ')':
				depth--
			}
		}
		if depth > 0 {
			return 0, vinegar.ValueError.New("incomplete format key")
		}
		if !p.mapped {
			return 0, vinegar.TypeError.New("format requires a mapping")
		}
		var key any = format[start : i-1]
		if p.bytes {
			key = narrow(format[start : i-1])
		}
		if value, err = GetItem(p.ctx, p.single, key); err != nil {
			return 0, err
		}
		keyed = true
	}
	left := false
flags:
	for ; i < len(format); i++ {
		switch c := format[i]; c {
		case '-':
			left = true
		case '+':
			f.sign = c
		case ' ':
			if f.sign == 0 {
				f.sign = c
			}
		case '#':
			f.alternate = true
		case '0':
			f.zero = true
		default:
			break flags
		}
	}
	size := func(what string) (int, error) {
		if i < len(format) && format[i] == '*' {
			i++
			v, err := p.argument()
			if err != nil {
				return 0, err
			}
			n, ok := norm(v).(int64)
			if !ok {
				return 0, vinegar.TypeError.New("* wants int")
			}
			if n > maxText || n < -maxText {
				return 0, vinegar.OverflowError.New("Python int too large to convert to C int")
			}
			return int(n), nil
		}
		start := i
		for i < len(format) && format[i] >= '0' && format[i] <= '9' {
			i++
		}
		if start == i {
			return -1, nil
		}
		n, err := strconv.Atoi(format[start:i])
		if err != nil || n > maxText {
			return 0, vinegar.ValueError.New(what + " too big")
		}
		return n, nil
	}
	star := i < len(format) && format[i] == '*'
	if f.width, err = size("width"); err != nil {
		return 0, err
	}
	if star && f.width < 0 {
		left, f.width = true, -f.width
	}
	if i < len(format) && format[i] == '.' {
		i++
		if f.precision, err = size("precision"); err != nil {
			return 0, err
		}
		f.precision = max(f.precision, 0)
	}
	for i < len(format) && strings.IndexByte("hlL", format[i]) >= 0 {
		i++
	}
	if i >= len(format) {
		return 0, incomplete
	}
	f.kind = format[i]
	if f.kind == '%' {
		p.out.WriteByte('%')
		return i, nil
	}
	if strings.IndexByte("diuoxXeEfFgGcrsab", f.kind) < 0 || f.kind == 'b' && !p.bytes {
		r, _ := utf8.DecodeRuneInString(format[i:])
		return 0, vinegar.ValueError.Errorf("unsupported format character '%c' (0x%x) at index %d", r, r, utf8.RuneCountInString(format[:i]))
	}
	if !keyed {
		if value, err = p.argument(); err != nil {
			return 0, err
		}
	}
	text, head, err := p.convert(&f, norm(value))
	if err != nil {
		return 0, err
	}
	f.align = '>'
	switch {
	case left:
		f.align = '<'
	case f.zero && head >= 0:
		f.align, f.fill = '=', '0'
	}
	p.out.WriteString(f.pad(text, max(head, 0), '>'))
	return i, nil
}

// convert makes text of a value. head is the length of a number's sign and prefix, -1 if it is none.
func (p *percent) convert(f *formatSpec, v any) (text string, head int, err error) {
	switch f.kind {
	case 's', 'r', 'a', 'b':
		text, err = p.text(f.kind, v)
		if f.precision >= 0 && err == nil {
			text = text[:offset(text, min(f.precision, utf8.RuneCountInString(text)))]
		}
		return text, -1, err
	case 'c':
		text, err = p.character(v)
		return text, -1, err
	case 'e', 'E', 'f', 'F', 'g', 'G':
		x, err := newFloat(p.ctx, v)
		if _, isText := v.(string); err != nil || isText {
			if isA := toNumber(v).kind; isA == kindInt && err != nil {
				return "", 0, err
			}
			return "", 0, vinegar.TypeError.Errorf("must be real number, not %s", TypeName(v))
		}
		if f.precision > maxPrecision {
			return "", 0, vinegar.ValueError.New("precision too large")
		}
		text, head = signed(x.(float64), f)
		return text, head, nil
	}
	n := toNumber(v)
	decimal := strings.IndexByte("diu", f.kind) >= 0
	switch {
	case n.kind == kindFloat && decimal:
		i, err := toInt(v)
		if err != nil {
			return "", 0, err
		}
		n = toNumber(i)
	case n.kind != kindInt:
		want := "an integer is required"
		if decimal {
			want = "a real number is required"
		}
		return "", 0, vinegar.TypeError.Errorf("%%%c format: %s, not %s", f.kind, want, TypeName(v))
	}
	if f.precision > maxPrecision {
		return "", 0, vinegar.OverflowError.New("precision too large")
	}
	b := n.bigInt()
	base, prefix := 10, ""
	switch f.kind {
	case 'o':
		base, prefix = 8, "0o"
	case 'x', 'X':
		base, prefix = 16, "0"+string(rune(f.kind))
	}
	digits := new(big.Int).Abs(b).Text(base)
	if f.kind == 'X' {
		digits = strings.ToUpper(digits)
	}
	if len(digits) < f.precision {
		digits = strings.Repeat("0", f.precision-len(digits)) + digits
	}
	if !f.alternate {
		prefix = ""
	}
	sign := signOf(b.Sign() < 0, f)
	return sign + prefix + digits, len(sign + prefix), nil
}

func signOf(negative bool, f *formatSpec) string {
	switch {
	case negative:
		return "-"
	case f.sign != 0:
		return string(rune(f.sign))
	}
	return ""
}

func signed(x float64, f *formatSpec) (text string, head int) {
	negative := x < 0 || x == 0 && 1/x < 0
	if negative {
		x = -x
	}
	sign := signOf(negative, f)
	return sign + floatDigits(x, f.kind, f.precision, f.alternate), len(sign)
}

func (p *percent) text(kind byte, v any) (string, error) {
	if p.bytes && (kind == 's' || kind == 'b') {
		if b, ok := v.([]byte); ok {
			return wide(b), nil
		}
		return "", vinegar.TypeError.Errorf("%%b requires a bytes-like object, or an object that implements __bytes__, not '%s'", TypeName(v))
	}
	if kind == 's' {
		return Str(p.ctx, v)
	}
	s, err := Repr(p.ctx, v)
	if kind == 'a' || p.bytes {
		s = ASCII(s)
	}
	return s, err
}

func (p *percent) character(v any) (string, error) {
	limit, wrong := int64(utf8.MaxRune), "%c requires int or char"
	if p.bytes {
		limit, wrong = 255, "%c requires an integer in range(256) or a single byte"
	}
	switch x := v.(type) {
	case string:
		if !p.bytes && utf8.RuneCountInString(x) == 1 {
			return x, nil
		}
	case []byte:
		if p.bytes && len(x) == 1 {
			return wide(x), nil
		}
	default:
		if n := toNumber(v); n.kind == kindInt {
			if n.big != nil || n.i < 0 || n.i > limit || n.i >= 0xd800 && n.i < 0xe000 {
				if p.bytes {
					return "", vinegar.OverflowError.New("%c arg not in range(256)")
				}
				return "", vinegar.OverflowError.New("%c arg not in range(0x110000)")
			}
			return string(rune(n.i)), nil
		}
	}
	return "", vinegar.TypeError.New(wrong)
}

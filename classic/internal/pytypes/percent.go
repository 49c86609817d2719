package pytypes

import (
	"context"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// percent is one use of the operator %, of str or of bytes, whose characters are bytes then (see wide).
type percent struct {
	ctx    context.Context
	bytes  bool
	format string
	at     int // in format
	args   []any
	next   int
	single any // the right side, if it is no tuple
	mapped bool
	out    strings.Builder
}

// percentFormat is format % args.
func percentFormat(ctx context.Context, format string, args any, isBytes bool) (string, error) {
	args = norm(args)
	p := &percent{ctx: ctx, bytes: isBytes, format: format, single: args, args: []any{args}}
	switch x := args.(type) {
	case brine.Tuple:
		p.args, p.single = x, nil
	case string:
	default:
		_, err := exposed.GetAttr(ctx, everything, x, "__getitem__")
		p.mapped = err == nil
	}
	for p.at < len(format) {
		plain := strings.IndexByte(format[p.at:], '%')
		if plain < 0 {
			p.out.WriteString(format[p.at:])
			break
		}
		p.out.WriteString(format[p.at : p.at+plain])
		p.at += plain + 1
		if err := p.field(); err != nil {
			return "", err
		}
		if p.out.Len() > MaxText {
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

func (p *percent) argument() (any, error) {
	if p.next >= len(p.args) {
		return nil, vinegar.TypeError.New("not enough arguments for format string")
	}
	p.next++
	return norm(p.args[p.next-1]), nil
}

// peek is the next character of the format, 0 at its end.
func (p *percent) peek() byte {
	if p.at < len(p.format) {
		return p.format[p.at]
	}
	return 0
}

// field formats what p.at is at, behind a %.
func (p *percent) field() error {
	f := spec{fill: ' ', align: '>', width: -1, precision: -1}
	value, keyed, err := p.key()
	if err != nil {
		return err
	}
	zero := false
	for flag := true; flag; {
		c := p.peek()
		switch c {
		case '-':
			f.align = '<'
		case '+':
			f.sign = c
		case ' ':
			if f.sign == 0 {
				f.sign = c
			}
		case '#':
			f.alternate = true
		case '0':
			zero = true
		default:
			flag = false
			continue
		}
		p.at++
	}
	if f.width, err = p.size("width"); err != nil {
		return err
	}
	if f.width < -1 {
		f.align, f.width = '<', -f.width
	}
	if p.peek() == '.' {
		p.at++
		if f.precision, err = p.size("precision"); err != nil {
			return err
		}
		f.precision = max(f.precision, 0)
	}
	for p.at < len(p.format) && strings.IndexByte("hlL", p.peek()) >= 0 {
		p.at++
	}
	if p.at >= len(p.format) {
		return vinegar.ValueError.New("incomplete format")
	}
	n := 0
	f.kind, n = utf8.DecodeRuneInString(p.format[p.at:])
	switch {
	case f.kind == '%':
		p.at++
		p.out.WriteByte('%')
		return nil
	case !strings.ContainsRune("diuoxXeEfFgGcrsab", f.kind) || f.kind == 'b' && !p.bytes:
		shown := f.kind
		if shown < ' ' || shown > '~' {
			shown = '?'
		}
		at := utf8.RuneCountInString(p.format[:p.at])
		return vinegar.ValueError.Errorf("unsupported format character '%c' (0x%x) at index %d", shown, f.kind, at)
	}
	p.at += n
	if !keyed {
		if value, err = p.argument(); err != nil {
			return err
		}
	}
	text, head, err := p.convert(f, value)
	if err != nil {
		return err
	}
	if zero && head >= 0 && f.align == '>' {
		f.align, f.fill = '=', '0'
	}
	text, err = f.pad(text, head)
	p.out.WriteString(text)
	return err
}

// key looks up the value of a field that has a key in parentheses.
func (p *percent) key() (v any, keyed bool, err error) {
	if p.peek() != '(' {
		return nil, false, nil
	}
	p.at++
	start, depth := p.at, 1
	for ; p.at < len(p.format) && depth > 0; p.at++ {
		switch p.format[p.at] {
		case '(':
			depth++
		case ')':
			depth--
		}
	}
	switch {
	case !p.mapped:
		return nil, false, vinegar.TypeError.New("format requires a mapping")
	case depth > 0:
		return nil, false, vinegar.ValueError.New("incomplete format key")
	}
	var key any = p.format[start : p.at-1]
	if p.bytes {
		key = narrow(p.format[start : p.at-1])
	}
	v, err = exposed.GetItem(p.ctx, p.single, key)
	return norm(v), true, err
}

// size reads a width or precision, or takes it from the arguments; -1 means that there is none.
func (p *percent) size(what string) (int, error) {
	if p.peek() == '*' {
		p.at++
		v, err := p.argument()
		if err != nil {
			return 0, err
		}
		n, ok := integer(v)
		switch {
		case !ok:
			return 0, vinegar.TypeError.New("* wants int")
		case !n.IsInt64() || n.Int64() > MaxText || n.Int64() < -MaxText:
			return 0, vinegar.OverflowError.New("Python int too large to convert to C int")
		}
		return int(n.Int64()), nil
	}
	start := p.at
	for c := p.peek(); c >= '0' && c <= '9'; c = p.peek() {
		p.at++
	}
	if start == p.at {
		return -1, nil
	}
	n, err := strconv.Atoi(p.format[start:p.at])
	if err != nil || n > MaxText {
		return 0, vinegar.ValueError.New(what + " too big")
	}
	return n, nil
}

// convert makes text of a value. head is the length of a number's sign and prefix, -1 if it is none.
func (p *percent) convert(f spec, v any) (text string, head int, err error) {
	switch f.kind {
	case 's', 'r', 'a', 'b':
		text, err = p.text(f.kind, v)
		return f.cut(text), -1, err
	case 'c':
		text, err = p.character(v)
		return text, -1, err
	case 'e', 'E', 'f', 'F', 'g', 'G':
		return p.float(f, v)
	}
	return p.integer(f, v)
}

func (p *percent) float(f spec, v any) (text string, head int, err error) {
	x, err := pyvalue.NumberOf(v).ToFloat()
	if k := pyvalue.NumberOf(v).Kind; k != pyvalue.Int && k != pyvalue.Float {
		var made any
		if _, isText := v.(string); !isText {
			made, err = newFloat(p.ctx, v)
		}
		if x, _ = made.(float64); made == nil || err != nil {
			return "", 0, vinegar.TypeError.Errorf("must be real number, not %s", exposed.TypeName(v))
		}
	}
	switch {
	case err != nil:
		return "", 0, err
	case f.precision > maxPrecision:
		return "", 0, vinegar.ValueError.New("precision too large")
	}
	negative := x < 0 || x == 0 && 1/x < 0
	if negative {
		x = -x
	}
	sign := f.signOf(negative)
	return sign + f.floatDigits(x), len(sign), nil
}

func (p *percent) integer(f spec, v any) (text string, head int, err error) {
	decimal := strings.ContainsRune("diu", f.kind)
	if x := pyvalue.NumberOf(v); x.Kind == pyvalue.Float && decimal {
		if v, err = x.ToInt(); err != nil {
			return "", 0, err
		}
	}
	n, ok := integer(v)
	switch {
	case !ok && decimal:
		return "", 0, vinegar.TypeError.Errorf("%%%c format: a real number is required, not %s", f.kind, exposed.TypeName(v))
	case !ok:
		return "", 0, vinegar.TypeError.Errorf("%%%c format: an integer is required, not %s", f.kind, exposed.TypeName(v))
	case f.precision > maxPrecision:
		return "", 0, vinegar.OverflowError.New("precision too large")
	}
	prefix, digits := f.digits(n)
	if missing := f.precision - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	prefix = f.signOf(n.Sign() < 0) + prefix
	return prefix + digits, len(prefix), nil
}

func (p *percent) text(kind rune, v any) (string, error) {
	switch {
	case p.bytes && (kind == 's' || kind == 'b'):
		if b, ok := v.([]byte); ok {
			return wide(b), nil
		}
		return "", vinegar.TypeError.Errorf(
			"%%b requires a bytes-like object, or an object that implements __bytes__, not '%s'", exposed.TypeName(v))
	case p.bytes:
		kind = 'a'
	}
	return Convert(p.ctx, v, kind)
}

func (p *percent) character(v any) (string, error) {
	switch x := v.(type) {
	case string:
		if !p.bytes && utf8.RuneCountInString(x) == 1 {
			return x, nil
		}
	case []byte:
		if p.bytes && len(x) == 1 {
			return wide(x), nil
		}
	}
	n, ok := integer(v)
	limit := int64(utf8.MaxRune)
	if p.bytes {
		limit = 0xff
	}
	switch {
	case !ok && p.bytes:
		return "", vinegar.TypeError.New("%c requires an integer in range(256) or a single byte")
	case !ok:
		return "", vinegar.TypeError.New("%c requires int or char")
	case n.IsInt64() && n.Int64() >= 0 && n.Int64() <= limit && (n.Int64() < 0xd800 || n.Int64() > 0xdfff):
		return string(rune(n.Int64())), nil
	case p.bytes:
		return "", vinegar.OverflowError.New("%c arg not in range(256)")
	}
	return "", vinegar.OverflowError.New("%c arg not in range(0x110000)")
}

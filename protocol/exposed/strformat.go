package exposed

import (
	"context"
	"strconv"
	"strings"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// strFormat is str.format: it fills replacement fields in.
type strFormat struct {
	ctx     context.Context
	args    []any
	named   func(name string) (any, error)
	auto    int
	manual  bool // fields have been numbered
	counted bool // fields have been without number
	written int
}

// public is what str.format may read of its arguments: it has no rights of a peer's to go by.
var public = &Policy{AllowPublic: true}

func newStrFormat(ctx context.Context, args []any, kw []netref.Keyword) *strFormat {
	return &strFormat{ctx: ctx, args: args, named: func(name string) (any, error) {
		for _, k := range kw {
			if k.Name == name {
				return k.Value, nil
			}
		}
		return nil, vinegar.KeyError.New(name)
	}}
}

func (f *strFormat) format(s string, level int) (string, error) {
	if level > 1 {
		return "", vinegar.ValueError.New("Max string recursion exceeded")
	}
	var out strings.Builder
	for s != "" {
		i := strings.IndexAny(s, "{}")
		if i < 0 {
			i = len(s)
		}
		out.WriteString(s[:i])
		if s = s[i:]; s == "" {
			break
		}
		if len(s) > 1 && s[1] == s[0] {
			out.WriteByte(s[0])
			s = s[2:]
			continue
		}
		if s[0] == '}' || len(s) == 1 {
			return "", vinegar.ValueError.Errorf("Single '%c' encountered in format string", s[0])
		}
		text, rest, err := f.field(s[1:], level)
		if err != nil {
			return "", err
		}
		out.WriteString(text)
		s = rest
		if f.written += len(text); f.written > maxText {
			return "", tooLong()
		}
	}
	return out.String(), nil
}

// field fills the replacement field at the beginning of s in, behind its brace, and returns what follows it.
func (f *strFormat) field(s string, level int) (text, rest string, err error) {
	end, brackets := 0, false
name:
	for ; end < len(s); end++ {
		switch s[end] {
		case '{':
			return "", "", vinegar.ValueError.New("unexpected '{' in field name")
		case '[':
			brackets = true
		case ']':
			brackets = false
		case '}', ':', '!':
			if !brackets {
				break name
			}
		}
	}
	if end == len(s) {
		return "", "", vinegar.ValueError.New("expected '}' before end of string")
	}
	v, err := f.lookup(s[:end])
	s = s[end:]
	conversion := byte(0)
	if s[0] == '!' {
		if len(s) < 3 {
			return "", "", vinegar.ValueError.New("end of string while looking for conversion specifier")
		}
		conversion = s[1]
		if s = s[2:]; s[0] != ':' && s[0] != '}' {
			if conversion == '}' {
				return "", "", vinegar.ValueError.New("unmatched '{' in format spec")
			}
			return "", "", vinegar.ValueError.New("expected ':' after conversion specifier")
		}
	}
	spec := ""
	if s[0] == ':' {
		depth, i := 1, 1
		for ; i < len(s) && depth > 0; i++ {
			switch s[i] {
			case '{':
				depth++
			case '}':
				depth--
			}
		}
		if depth > 0 {
			return "", "", vinegar.ValueError.New("unmatched '{' in format spec")
		}
		spec, s = s[1:i-1], s[i-1:]
	}
	if err != nil { // a mistake in the syntax comes first
		return "", "", err
	}
	switch conversion {
	case 0:
	case 's':
		v, err = Str(f.ctx, v)
	case 'r', 'a':
		var r string
		if r, err = Repr(f.ctx, v); conversion == 'a' {
			r = ASCII(r)
		}
		v = r
	default:
		err = vinegar.ValueError.Errorf("Unknown conversion specifier %c", conversion)
	}
	if err == nil && strings.Contains(spec, "{") {
		spec, err = f.format(spec, level+1)
	}
	if err == nil {
		text, err = Format(f.ctx, v, spec)
	}
	return text, s[1:], err
}

// lookup finds what a field's name means: 0, name, and with .attribute and [item] behind it.
func (f *strFormat) lookup(name string) (v any, err error) {
	n := strings.IndexAny(name, ".[")
	if n < 0 {
		n = len(name)
	}
	first, rest := name[:n], name[n:]
	index, e := strconv.Atoi(first)
	isNumber := e == nil && first[0] != '+' && first[0] != '-'
	switch {
	case first == "":
		if f.manual {
			return nil, vinegar.ValueError.New("cannot switch from manual field specification to automatic field numbering")
		}
		index, isNumber, f.counted = f.auto, true, true
		f.auto++
	case isNumber:
		if f.counted {
			return nil, vinegar.ValueError.New("cannot switch from automatic field numbering to manual field specification")
		}
		f.manual = true
	}
	if isNumber {
		if index >= len(f.args) {
			return nil, vinegar.IndexError.Errorf("Replacement index %d out of range for positional args tuple", index)
		}
		v = f.args[index]
	} else if v, err = f.named(first); err != nil {
		return nil, err
	}
	for rest != "" {
		empty := vinegar.ValueError.New("Empty attribute in format string")
		if rest[0] == '.' {
			n := strings.IndexAny(rest[1:], ".[") + 1
			if n == 0 {
				n = len(rest)
			}
			if n == 1 {
				return nil, empty
			}
			v, err = GetAttr(f.ctx, public, v, rest[1:n])
			rest = rest[n:]
		} else if rest[0] == '[' {
			n := strings.IndexByte(rest, ']')
			switch n {
			case -1:
				return nil, vinegar.ValueError.New("Missing ']' in format string")
			case 1:
				return nil, empty
			}
			var key any = rest[1:n]
			if i, e := strconv.ParseInt(rest[1:n], 10, 64); e == nil && rest[1] != '-' && rest[1] != '+' {
				key = i
			}
			v, err = GetItem(f.ctx, v, key)
			rest = rest[n+1:]
		} else {
			return nil, vinegar.ValueError.New("Only '.' or '[' may follow ']' in format field specifier")
		}
		if err != nil {
			return nil, err
		}
	}
	return v, nil
}

// defineFormatting gives str, bytes and numbers what formats them.
func defineFormatting() {
	spec := func(c *Class, f func(ctx context.Context, self any, spec string) (string, error)) {
		c.method("__format__", 1, 1, func(ctx context.Context, self any, args []any) (any, error) {
			s, ok := norm(args[0]).(string)
			if !ok {
				return nil, vinegar.TypeError.Errorf("__format__() argument must be str, not %s", TypeName(args[0]))
			}
			if s == "" {
				return Str(ctx, self)
			}
			return f(ctx, norm(self), s)
		})
	}
	spec(strClass, func(_ context.Context, self any, spec string) (string, error) {
		return formatString(self.(string), spec)
	})
	spec(intClass, func(_ context.Context, self any, spec string) (string, error) {
		return formatInt(toNumber(self).bigInt(), spec)
	})
	spec(floatClass, func(_ context.Context, self any, spec string) (string, error) {
		return formatFloat(self.(float64), spec)
	})
	strClass.method("__mod__", 1, 1, func(ctx context.Context, self any, args []any) (any, error) {
		return percentFormat(ctx, norm(self).(string), args[0], false)
	})
	bytesClass.method("__mod__", 1, 1, func(ctx context.Context, self any, args []any) (any, error) {
		s, err := percentFormat(ctx, wide(norm(self).([]byte)), args[0], true)
		return narrow(s), err
	})
	strClass.declare("format", func(s string, ctx context.Context, args []any, kw []netref.Keyword) (string, error) {
		return newStrFormat(ctx, args, kw).format(s, 0)
	}, "*args", "**kwargs")
	strClass.declare("format_map", func(s string, ctx context.Context, mapping any) (string, error) {
		f := newStrFormat(ctx, nil, nil)
		f.named = func(name string) (any, error) { return GetItem(ctx, mapping, name) }
		return f.format(s, 0)
	}, "mapping", "/")
}

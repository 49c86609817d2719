package pytypes

import (
	"context"
	"strconv"
	"strings"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// fields is one call of str.format or format_map, which fill replacement fields in.
type fields struct {
	ctx     context.Context
	args    []any
	named   func(name string) (any, error)
	mapped  bool // there are no args
	auto    int
	manual  bool // fields have been numbered
	counted bool // fields have been without number
	written int
}

func formatFields(ctx context.Context, s string, args []any, kw []netref.Keyword) (string, error) {
	named := make(map[string]any, len(kw))
	for _, k := range kw {
		named[k.Name] = k.Value
	}
	f := fields{ctx: ctx, args: args, named: func(name string) (any, error) {
		v, ok := named[name]
		if !ok {
			return nil, vinegar.KeyError.New(name)
		}
		return v, nil
	}}
	return f.format(s, 0)
}

// format fills the fields of s in. level is 1 for a specification within a field, which is as deep as they go.
func (f *fields) format(s string, level int) (string, error) {
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
		if f.written += len(text); f.written > MaxText {
			return "", tooLong()
		}
	}
	return out.String(), nil
}

// field fills the replacement field at the beginning of s in, behind its brace, and returns what follows it.
func (f *fields) field(s string, level int) (text, rest string, err error) {
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
		if len(s) == 1 {
			return "", "", vinegar.ValueError.New("end of string while looking for conversion specifier")
		}
		conversion, s = s[1], s[2:]
		switch {
		case s == "":
			return "", "", vinegar.ValueError.New("unmatched '{' in format spec")
		case s[0] != ':' && s[0] != '}':
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
	if conversion != 0 {
		if v, err = Convert(f.ctx, v, rune(conversion)); err != nil {
			return "", "", err
		}
	}
	if strings.Contains(spec, "{") {
		spec, err = f.format(spec, level+1)
	}
	if err == nil {
		text, err = Format(f.ctx, v, spec)
	}
	return text, s[1:], err
}

// Convert is what a format makes of a value for its conversion: s, r or a.
func Convert(ctx context.Context, v any, conversion rune) (string, error) {
	switch conversion {
	case 's':
		return exposed.Str(ctx, v)
	case 'r':
		return exposed.Repr(ctx, v)
	case 'a':
		r, err := exposed.Repr(ctx, v)
		if err != nil {
			return "", err
		}
		return ascii(r)
	}
	return "", vinegar.ValueError.Errorf("Unknown conversion specifier %c", conversion)
}

// lookup finds what a field's name means: 0, name, and with .attribute and [item] behind it.
func (f *fields) lookup(name string) (any, error) {
	n := strings.IndexAny(name, ".[")
	if n < 0 {
		n = len(name)
	}
	v, err := f.first(name[:n])
	rest := name[n:]
	empty := vinegar.ValueError.New("Empty attribute in format string")
	for rest != "" && err == nil {
		switch rest[0] {
		case '.':
			n := strings.IndexAny(rest[1:], ".[") + 1
			if n == 0 {
				n = len(rest)
			}
			if n == 1 {
				return nil, empty
			}
			v, err = exposed.GetAttr(f.ctx, everything, v, rest[1:n])
			rest = rest[n:]
		case '[':
			n := strings.IndexByte(rest, ']')
			switch n {
			case -1:
				return nil, vinegar.ValueError.New("Missing ']' in format string")
			case 1:
				return nil, empty
			}
			var key any = rest[1:n]
			if i, ok, e := index(rest[1:n]); e != nil {
				return nil, e
			} else if ok {
				key = int64(i)
			}
			v, err = exposed.GetItem(f.ctx, v, key)
			rest = rest[n+1:]
		default:
			return nil, vinegar.ValueError.New("Only '.' or '[' may follow ']' in format field specifier")
		}
	}
	return v, err
}

// index is the number that a field's name is, if it is one.
func index(s string) (n int, ok bool, err error) {
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return 0, false, nil
	}
	if n, err = strconv.Atoi(s); err != nil {
		err = vinegar.ValueError.New("Too many decimal digits in format string")
	}
	return n, true, err
}

// first finds an argument.
func (f *fields) first(name string) (any, error) {
	i, numbered, err := index(name)
	switch {
	case err != nil:
		return nil, err
	case name == "" && f.manual:
		return nil, vinegar.ValueError.New("cannot switch from manual field specification to automatic field numbering")
	case name == "":
		i, f.counted = f.auto, true
		f.auto++
	case numbered && f.counted:
		return nil, vinegar.ValueError.New("cannot switch from automatic field numbering to manual field specification")
	case numbered:
		f.manual = true
	default:
		return f.named(name)
	}
	switch {
	case f.mapped:
		return nil, vinegar.ValueError.New("Format string contains positional fields")
	case i >= len(f.args):
		return nil, vinegar.IndexError.Errorf("Replacement index %d out of range for positional args tuple", i)
	}
	return f.args[i], nil
}

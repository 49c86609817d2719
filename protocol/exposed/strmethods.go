package exposed

import (
	"context"
	"encoding/hex"
	"reflect"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/exposed/internal/binding"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// declare enters a method with declared parameters, the first parameter of f being the object.
func (c *Class) declare(name string, f any, params ...string) {
	qual := c.name + "." + name
	p, err := binding.New(reflect.ValueOf(f), binding.Options{
		Name: name, Qual: qual, Params: append([]string{}, params...), Method: true, Operator: binary[name],
	})
	if err != nil {
		panic(err)
	}
	c.add(&attr{name: name, qual: qual, kind: methodAttr, impl: p})
}

// defineStrMethods gives str the methods that do not need Unicode's tables beyond what Go has. Offsets count
// characters, as Python's do.
func defineStrMethods() {
	c := strClass
	for name, f := range map[string]func(string) string{
		"upper": strings.ToUpper, "lower": strings.ToLower, "casefold": strings.ToLower, "capitalize": capitalize,
		"swapcase": swapCase, "title": titleCase,
	} {
		c.declare(name, f)
	}
	for name, test := range map[string]func(string) bool{
		"isdigit": every(unicode.IsDigit), "isdecimal": every(unicode.IsDigit), "isalpha": every(unicode.IsLetter), "isspace": every(isSpace),
		"isalnum": every(func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }),
		"isascii": func(s string) bool {
			return strings.IndexFunc(s, func(r rune) bool { return r > unicode.MaxASCII }) < 0
		},
		"islower":      func(s string) bool { return strings.IndexFunc(s, unicode.IsLower) >= 0 && strings.ToLower(s) == s },
		"isupper":      func(s string) bool { return strings.IndexFunc(s, unicode.IsUpper) >= 0 && strings.ToUpper(s) == s },
		"isidentifier": identifier,
	} {
		c.declare(name, test)
	}
	defineTextMethods(c, func(s string) any { return s }, func(v any) (string, bool) { s, ok := norm(v).(string); return s, ok }, "str")
	c.declare("encode", func(s string, encoding, errors any) (any, error) { return encode(s, encoding, errors) }, "encoding='utf-8'", "errors='strict'")
	c.declare("splitlines", func(s string, keep bool) *List {
		return listOf(splitLines(s, keep, "\n\r\v\f\x1c\x1d\x1e\u0085\u2028\u2029"))
	}, "keepends=False")
	c.declare("expandtabs", expandTabs, "tabsize=8")
}

// defineBytesMethods gives bytes the methods of str that it shares; each byte counts as a character.
func defineBytesMethods() {
	c := bytesClass
	take := func(v any) (string, bool) { b, ok := norm(v).([]byte); return wide(b), ok }
	for name, f := range map[string]func(string) string{
		"upper": asciiOnly(strings.ToUpper), "lower": asciiOnly(strings.ToLower),
	} {
		c.declare(name, func(b []byte) []byte { return narrow(f(wide(b))) })
	}
	defineTextMethods(c, func(s string) any { return narrow(s) }, take, "bytes")
	c.declare("decode", func(b []byte, encoding, errors any) (any, error) { return decode(b, encoding, errors) }, "encoding='utf-8'", "errors='strict'")
	c.declare("hex", func(b []byte) string { return hex.EncodeToString(b) })
	c.declare("splitlines", func(b []byte, keep bool) *List {
		l := new(List)
		for _, s := range splitLines(wide(b), keep, "\n\r") {
			l.items = append(l.items, narrow(s))
		}
		return l
	}, "keepends=False")
}

// wide makes a string of bytes, a character for each; narrow undoes it.
func wide(b []byte) string {
	var s strings.Builder
	for _, c := range b {
		s.WriteRune(rune(c))
	}
	return s.String()
}

func narrow(s string) []byte {
	b := make([]byte, 0, len(s))
	for _, r := range s {
		b = append(b, byte(r))
	}
	return b
}

func asciiOnly(f func(string) string) func(string) string {
	return func(s string) string {
		return strings.Map(func(r rune) rune {
			if r > unicode.MaxASCII {
				return r
			}
			c, _ := utf8.DecodeRuneInString(f(string(r)))
			return c
		}, s)
	}
}

func listOf(all []string) *List {
	l := &List{items: make([]any, len(all))}
	for i, s := range all {
		l.items[i] = s
	}
	return l
}

func isSpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

func every(test func(rune) bool) func(string) bool {
	return func(s string) bool {
		return s != "" && strings.IndexFunc(s, func(r rune) bool { return !test(r) }) < 0
	}
}

func identifier(s string) bool {
	for i, r := range s {
		if r != '_' && !unicode.IsLetter(r) && (i == 0 || !unicode.IsDigit(r)) {
			return false
		}
	}
	return s != ""
}

func capitalize(s string) string {
	_, n := utf8.DecodeRuneInString(s)
	return strings.Map(unicode.ToTitle, s[:n]) + strings.ToLower(s[n:])
}

func swapCase(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsUpper(r) {
			return unicode.ToLower(r)
		}
		return unicode.ToUpper(r)
	}, s)
}

func titleCase(s string) string {
	inside := false
	return strings.Map(func(r rune) rune {
		was := inside
		inside = unicode.IsLetter(r)
		if was {
			return unicode.ToLower(r)
		}
		return unicode.ToTitle(r)
	}, s)
}

func splitLines(s string, keep bool, ends string) []string {
	var lines []string
	for s != "" {
		i := strings.IndexAny(s, ends)
		if i < 0 {
			return append(lines, s)
		}
		_, n := utf8.DecodeRuneInString(s[i:])
		if strings.HasPrefix(s[i:], "\r\n") {
			n = 2
		}
		end := i
		if keep {
			end += n
		}
		lines = append(lines, s[:end])
		s = s[i+n:]
	}
	return lines
}

func expandTabs(s string, size int) (string, error) {
	var b strings.Builder
	column := 0
	for _, r := range s {
		switch {
		case r == '\t' && size > 0:
			n := size - column%size
			if b.Len()+n > maxText {
				return "", tooLong()
			}
			b.WriteString(strings.Repeat(" ", n))
			column += n
			continue
		case r == '\t':
			continue
		case r == '\n' || r == '\r':
			column = -1
		}
		b.WriteRune(r)
		column++
	}
	return b.String(), nil
}

// maxText bounds the text that a method makes out of less.
const maxText = 16 << 20

func tooLong() error { return vinegar.MemoryError.Errorf("text of more than %d bytes", maxText) }

// defineTextMethods enters what str and bytes share. Both are strings of characters here; out and in convert.
func defineTextMethods(c *Class, out func(string) any, in func(any) (string, bool), kind string) {
	need := func(v any) (string, error) {
		s, ok := in(v)
		switch {
		case ok:
			return s, nil
		case kind == "str":
			return "", vinegar.TypeError.Errorf("must be str, not %s", TypeName(v))
		}
		return "", vinegar.TypeError.Errorf("a bytes-like object is required, not '%s'", TypeName(v))
	}
	method := func(name string, f func(ctx context.Context, s string, args []any) (any, error), least, most int) {
		c.method(name, least, most, func(ctx context.Context, self any, args []any) (any, error) {
			s, _ := in(self)
			return f(ctx, s, args)
		})
	}
	spaces := isSpace
	for name, sides := range map[string]int{"strip": 3, "lstrip": 1, "rstrip": 2} {
		method(name, func(_ context.Context, s string, args []any) (any, error) {
			cut := spaces
			if len(args) == 1 && args[0] != nil {
				set, err := need(args[0])
				if err != nil {
					return nil, err
				}
				cut = func(r rune) bool { return strings.ContainsRune(set, r) }
			}
			if sides&1 != 0 {
				s = strings.TrimLeftFunc(s, cut)
			}
			if sides&2 != 0 {
				s = strings.TrimRightFunc(s, cut)
			}
			return out(s), nil
		}, 0, 1)
	}
	for name, fits := range map[string]func(s, part string) bool{"startswith": strings.HasPrefix, "endswith": strings.HasSuffix} {
		method(name, func(ctx context.Context, s string, args []any) (any, error) {
			part, _, _, ok, err := window(ctx, s, args[1:])
			if err != nil {
				return nil, err
			}
			options := []any{args[0]}
			if t, isTuple := norm(args[0]).(brine.Tuple); isTuple {
				options = t
			}
			for _, o := range options {
				p, isText := in(o)
				if !isText {
					return nil, vinegar.TypeError.Errorf("%s first arg must be %s or a tuple of %s, not %s", name, kind, kind, TypeName(o))
				}
				if ok && fits(part, p) {
					return true, nil
				}
			}
			return false, nil
		}, 1, 3)
	}
	missing := "substring not found"
	if kind == "bytes" {
		missing = "subsection not found"
	}
	defineSearch(method, need, missing)
	c.declare("split", splitter(false, in, out, kind), "sep=None", "maxsplit=-1")
	c.declare("rsplit", splitter(true, in, out, kind), "sep=None", "maxsplit=-1")
	method("join", func(ctx context.Context, s string, args []any) (any, error) {
		if !iterable(args[0]) {
			return nil, vinegar.TypeError.New("can only join an iterable")
		}
		all, err := items(ctx, args[0])
		if err != nil {
			return nil, err
		}
		var b strings.Builder
		for i, v := range all {
			p, ok := in(v)
			if !ok && kind == "str" {
				return nil, vinegar.TypeError.Errorf("sequence item %d: expected str instance, %s found", i, TypeName(v))
			}
			if !ok {
				return nil, vinegar.TypeError.Errorf("sequence item %d: expected a bytes-like object, %s found", i, TypeName(v))
			}
			if i > 0 {
				b.WriteString(s)
			}
			b.WriteString(p)
			if b.Len() > maxText {
				return nil, tooLong()
			}
		}
		return out(b.String()), nil
	}, 1, 1)
	method("replace", func(_ context.Context, s string, args []any) (any, error) {
		from, err := need(args[0])
		if err != nil {
			return nil, err
		}
		to, err := need(args[1])
		if err != nil {
			return nil, err
		}
		n := -1
		if len(args) == 3 {
			m := toNumber(norm(args[2]))
			if m.kind != kindInt || m.big != nil {
				return nil, vinegar.TypeError.Errorf("'%s' object cannot be interpreted as an integer", TypeName(args[2]))
			}
			n = int(m.i)
		}
		if grown := int64(strings.Count(s, from)) * int64(len(to)); grown > maxText && len(to) > len(from) {
			return nil, tooLong()
		}
		return out(strings.Replace(s, from, to, n)), nil
	}, 2, 3)
	for name, f := range map[string]func(s, part string) string{"removeprefix": strings.TrimPrefix, "removesuffix": strings.TrimSuffix} {
		method(name, func(_ context.Context, s string, args []any) (any, error) {
			p, err := need(args[0])
			return out(f(s, p)), err
		}, 1, 1)
	}
	for name, find := range map[string]func(s, sep string) int{"partition": strings.Index, "rpartition": strings.LastIndex} {
		method(name, func(_ context.Context, s string, args []any) (any, error) {
			sep, err := need(args[0])
			if err != nil {
				return nil, err
			}
			if sep == "" {
				return nil, vinegar.ValueError.New("empty separator")
			}
			switch i := find(s, sep); {
			case i >= 0:
				return brine.Tuple{out(s[:i]), out(sep), out(s[i+len(sep):])}, nil
			case name == "partition":
				return brine.Tuple{out(s), out(""), out("")}, nil
			}
			return brine.Tuple{out(""), out(""), out(s)}, nil
		}, 1, 1)
	}
	definePadding(method, need, out)
}

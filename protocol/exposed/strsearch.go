package exposed

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// textMethod enters a method of str or bytes.
type textMethod func(name string, f func(ctx context.Context, s string, args []any) (any, error), least, most int)

// window cuts s[start:stop] out of a text by the optional arguments of find and its like. at is where it begins, in
// characters; ok is false if start is past the end, where not even the empty text is found.
func window(ctx context.Context, s string, args []any) (part string, at, n int, ok bool, err error) {
	n = utf8.RuneCountInString(s)
	if len(args) == 0 {
		return s, 0, n, true, nil
	}
	from, err := resolve(ctx, brine.Slice{Start: args[0]}, n)
	if err != nil {
		return "", 0, n, false, err
	}
	start, stop := from.start, n
	if len(args) > 1 {
		to, err := resolve(ctx, brine.Slice{Stop: args[1]}, n)
		if err != nil {
			return "", 0, n, false, err
		}
		stop = to.count
	}
	if first := toNumber(norm(args[0])); first.kind == kindInt && (first.big != nil && first.big.Sign() > 0 || first.big == nil && first.i > int64(n)) {
		return "", 0, n, false, nil
	}
	if stop < start {
		return "", start, n, false, nil
	}
	return s[offset(s, start):offset(s, stop)], start, n, true, nil
}

// offset is where the character with the index begins.
func offset(s string, index int) int {
	if len(s) == index {
		return index
	}
	for i := range s {
		if index == 0 {
			return i
		}
		index--
	}
	return len(s)
}

func defineSearch(method textMethod, need func(any) (string, error), missing string) {
	for name, how := range map[string]struct {
		find func(s, part string) int
		must bool
	}{"find": {strings.Index, false}, "rfind": {strings.LastIndex, false}, "index": {strings.Index, true}, "rindex": {strings.LastIndex, true}} {
		method(name, func(ctx context.Context, s string, args []any) (any, error) {
			p, err := need(args[0])
			if err != nil {
				return nil, err
			}
			part, at, _, ok, err := window(ctx, s, args[1:])
			if err != nil {
				return nil, err
			}
			if i := how.find(part, p); ok && i >= 0 {
				return int64(at + utf8.RuneCountInString(part[:i])), nil
			}
			if how.must {
				return nil, vinegar.ValueError.New(missing)
			}
			return int64(-1), nil
		}, 1, 3)
	}
	method("count", func(ctx context.Context, s string, args []any) (any, error) {
		p, err := need(args[0])
		if err != nil {
			return nil, err
		}
		part, _, _, ok, err := window(ctx, s, args[1:])
		if err != nil || !ok {
			return int64(0), err
		}
		return int64(strings.Count(part, p)), nil
	}, 1, 3)
}

// splitter is split or, from the right, rsplit.
func splitter(right bool, in func(any) (string, bool), out func(string) any, kind string) any {
	f := func(self any, sep any, most int) (*List, error) {
		s, _ := in(self)
		var parts []string
		if sep == nil {
			parts = splitSpace(s, most, right)
		} else {
			p, ok := in(sep)
			switch {
			case !ok && kind == "str":
				return nil, vinegar.TypeError.Errorf("must be str or None, not %s", TypeName(sep))
			case !ok:
				return nil, vinegar.TypeError.Errorf("a bytes-like object is required, not '%s'", TypeName(sep))
			case p == "":
				return nil, vinegar.ValueError.New("empty separator")
			}
			parts = splitSep(s, p, most, right)
		}
		l := &List{items: make([]any, len(parts))}
		for i, p := range parts {
			l.items[i] = out(p)
		}
		return l, nil
	}
	if kind == "str" {
		return func(s string, sep any, most int) (*List, error) { return f(s, sep, most) }
	}
	return func(b []byte, sep any, most int) (*List, error) { return f(b, sep, most) }
}

func splitSep(s, sep string, most int, right bool) []string {
	if most < 0 {
		return strings.Split(s, sep)
	}
	if !right {
		return strings.SplitN(s, sep, most+1)
	}
	var tail []string
	for range most {
		i := strings.LastIndex(s, sep)
		if i < 0 {
			break
		}
		tail = append(tail, s[i+len(sep):])
		s = s[:i]
	}
	parts := []string{s}
	for i := len(tail) - 1; i >= 0; i-- {
		parts = append(parts, tail[i])
	}
	return parts
}

func splitSpace(s string, most int, right bool) []string {
	if most < 0 {
		return strings.FieldsFunc(s, isSpace)
	}
	var parts []string
	for {
		if right {
			s = strings.TrimRightFunc(s, isSpace)
		} else {
			s = strings.TrimLeftFunc(s, isSpace)
		}
		if s == "" {
			break
		}
		var i, n int
		if right {
			if i = strings.LastIndexFunc(s, isSpace); i >= 0 {
				_, n = utf8.DecodeRuneInString(s[i:])
			}
		} else {
			i = strings.IndexFunc(s, isSpace)
		}
		if i < 0 || most == 0 {
			parts = append(parts, s)
			break
		}
		most--
		if right {
			parts = append(parts, s[i+n:])
			s = s[:i]
		} else {
			parts = append(parts, s[:i])
			s = s[i:]
		}
	}
	if right {
		for i, j := 0, len(parts)-1; i < j; i, j = i+1, j-1 {
			parts[i], parts[j] = parts[j], parts[i]
		}
	}
	return parts
}

// definePadding enters the methods that fill a text up to a width.
func definePadding(method textMethod, need func(any) (string, error), out func(string) any) {
	pad := func(name string, left func(missing, width int) int) {
		method(name, func(_ context.Context, s string, args []any) (any, error) {
			width := toNumber(norm(args[0]))
			if width.kind != kindInt {
				return nil, vinegar.TypeError.Errorf("'%s' object cannot be interpreted as an integer", TypeName(args[0]))
			}
			fill := " "
			if len(args) == 2 {
				f, err := need(args[1])
				if err != nil || utf8.RuneCountInString(f) != 1 {
					return nil, vinegar.TypeError.New("The fill character must be exactly one character long")
				}
				fill = f
			}
			if width.big != nil || width.i > maxText/4 {
				return nil, tooLong()
			}
			missing := int(width.i) - utf8.RuneCountInString(s)
			if missing <= 0 {
				return out(s), nil
			}
			l := left(missing, int(width.i))
			return out(strings.Repeat(fill, l) + s + strings.Repeat(fill, missing-l)), nil
		}, 1, 2)
	}
	pad("ljust", func(int, int) int { return 0 })
	pad("rjust", func(missing, _ int) int { return missing })
	pad("center", func(missing, width int) int { return missing/2 + missing&width&1 })
	method("zfill", func(_ context.Context, s string, args []any) (any, error) {
		width := toNumber(norm(args[0]))
		if width.kind != kindInt {
			return nil, vinegar.TypeError.Errorf("'%s' object cannot be interpreted as an integer", TypeName(args[0]))
		}
		if width.big != nil || width.i > maxText {
			return nil, tooLong()
		}
		missing := int(width.i) - utf8.RuneCountInString(s)
		if missing <= 0 {
			return out(s), nil
		}
		sign := ""
		if s != "" && (s[0] == '-' || s[0] == '+') {
			sign, s = s[:1], s[1:]
		}
		return out(sign + strings.Repeat("0", missing) + s), nil
	}, 1, 1)
}

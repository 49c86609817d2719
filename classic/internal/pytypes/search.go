package pytypes

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// window cuts s[start:stop] out of a text by the optional arguments of find and its like. at is where it begins, in
// characters; ok is false if start is past the end, where not even the empty text is found.
func window(ctx context.Context, s string, args []any) (part string, at int, ok bool, err error) {
	n := utf8.RuneCountInString(s)
	start, stop := 0, n
	if len(args) > 0 {
		if start, err = bound(ctx, args[0], 0, n); err != nil {
			return "", 0, false, err
		}
	}
	if len(args) > 1 {
		if stop, err = bound(ctx, args[1], n, n); err != nil {
			return "", 0, false, err
		}
	}
	if start > n || start > stop {
		return "", 0, false, nil
	}
	stop = min(stop, n)
	return s[offset(s, start):offset(s, stop)], start, true, nil
}

// bound is where an end of a slice of n characters lies: missing if v is None, n+1 if it is further right than n.
func bound(ctx context.Context, v any, missing, n int) (int, error) {
	if v == nil {
		return missing, nil
	}
	i, err := Index(ctx, v)
	switch {
	case err != nil && vinegar.FromError(err).Is(vinegar.TypeError):
		return 0, vinegar.TypeError.New("slice indices must be integers or None or have an __index__ method")
	case err != nil:
		return 0, err
	case !i.IsInt64() && i.Sign() > 0 || i.IsInt64() && i.Int64() > int64(n):
		return n + 1, nil
	case !i.IsInt64() || i.Int64() < -int64(n):
		return 0, nil
	case i.Sign() < 0:
		return n + int(i.Int64()), nil
	}
	return int(i.Int64()), nil
}

// offset is where the character with the index begins.
func offset(s string, index int) int {
	if index == len(s) {
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

// part takes what find and its like look for: for bytes, it may be the number of one.
func (k *kind) part(ctx context.Context, v any) (string, error) {
	s, ok := k.take(v)
	if ok || k == ofStr {
		return k.need(v, "must be str, not %s")
	}
	n, err := Index(ctx, v)
	if err != nil {
		return s, vinegar.TypeError.Errorf("argument should be integer or bytes-like object, not '%s'", exposed.TypeName(v))
	}
	if !n.IsInt64() || n.Int64() < 0 || n.Int64() > 0xff {
		return s, vinegar.ValueError.New("byte must be in range(0, 256)")
	}
	return string(rune(n.Int64())), nil
}

// find is find or rfind or, if the part must be there, index or rindex.
func (k *kind) find(find func(s, part string) int, must bool) exposed.Native {
	return k.method(1, 3, func(ctx context.Context, s string, args []any) (any, error) {
		p, err := k.part(ctx, args[0])
		if err != nil {
			return nil, err
		}
		in, at, ok, err := window(ctx, s, args[1:])
		if err != nil {
			return nil, err
		}
		i := -1
		if ok {
			i = find(in, p)
		}
		switch {
		case i >= 0:
			return int64(at + utf8.RuneCountInString(in[:i])), nil
		case must && k == ofStr:
			return nil, vinegar.ValueError.New("substring not found")
		case must:
			return nil, vinegar.ValueError.New("subsection not found")
		}
		return int64(-1), nil
	})
}

func (k *kind) count(ctx context.Context, s string, args []any) (any, error) {
	p, err := k.part(ctx, args[0])
	if err != nil {
		return nil, err
	}
	in, _, ok, err := window(ctx, s, args[1:])
	if err != nil || !ok {
		return int64(0), err
	}
	return int64(strings.Count(in, p)), nil
}

// split is split or, from the right, rsplit.
func (k *kind) split(right bool) *exposed.Function {
	split := func(self any, ctx context.Context, sep, maxsplit any) (any, error) {
		s, err := k.self(self)
		if err != nil {
			return nil, err
		}
		most, err := size(ctx, maxsplit)
		if err != nil {
			return nil, err
		}
		if most < 0 || most > maxParts {
			most = maxParts // as many parts as this makes are too many
		}
		if sep == nil {
			return k.list(splitSpace(s, most, right, k.space))
		}
		by, err := k.need(sep, "must be str or None, not %s")
		if err != nil {
			return nil, err
		}
		if by == "" {
			return nil, vinegar.ValueError.New("empty separator")
		}
		if !right {
			return k.list(strings.SplitN(s, by, most+1))
		}
		var parts []string // the last one first
		for ; most > 0; most-- {
			i := strings.LastIndex(s, by)
			if i < 0 {
				break
			}
			parts = append(parts, s[i+len(by):])
			s = s[:i]
		}
		parts = append(parts, s)
		slices.Reverse(parts)
		return k.list(parts)
	}
	return exposed.Func(split, "self", "sep=None", "maxsplit=-1")
}

// splitSpace splits at white space, at most times.
func splitSpace(s string, most int, right bool, space func(rune) bool) (parts []string) {
	trim := strings.TrimLeftFunc
	if right {
		trim = strings.TrimRightFunc
	}
	for s = trim(s, space); s != "" && most > 0; most-- {
		if right {
			before := strings.LastIndexFunc(s, space)
			if before < 0 {
				break
			}
			_, n := utf8.DecodeRuneInString(s[before:])
			parts = append(parts, s[before+n:])
			s = trim(s[:before], space)
		} else {
			end := strings.IndexFunc(s, space)
			if end < 0 {
				break
			}
			parts = append(parts, s[:end])
			s = trim(s[end:], space)
		}
	}
	if s != "" {
		parts = append(parts, s)
	}
	if right {
		slices.Reverse(parts)
	}
	return parts
}

func (k *kind) splitlines() *exposed.Function {
	ends := func(r rune) bool { return r == '\n' || r == '\r' }
	if k == ofStr {
		ends = func(r rune) bool {
			return r >= '\n' && r <= '\r' || r >= 0x1c && r <= 0x1e || r == 0x85 || r == 0x2028 || r == 0x2029
		}
	}
	split := func(self any, ctx context.Context, keepends any) (any, error) {
		s, err := k.self(self)
		if err != nil {
			return nil, err
		}
		keep, err := exposed.Truth(ctx, keepends)
		if err != nil {
			return nil, err
		}
		var lines []string
		for s != "" && len(lines) <= maxParts {
			end := strings.IndexFunc(s, ends)
			if end < 0 {
				lines = append(lines, s)
				break
			}
			_, n := utf8.DecodeRuneInString(s[end:])
			if strings.HasPrefix(s[end:], "\r\n") {
				n = 2
			}
			if keep {
				lines = append(lines, s[:end+n])
			} else {
				lines = append(lines, s[:end])
			}
			s = s[end+n:]
		}
		return k.list(lines)
	}
	return exposed.Func(split, "self", "keepends=False")
}

package pytypes

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// sharedMethods are the methods that str and bytes both have.
func sharedMethods(k *kind) map[string]any {
	m := map[string]any{
		"strip":        k.strip("strip", true, true),
		"lstrip":       k.strip("lstrip", true, false),
		"rstrip":       k.strip("rstrip", false, true),
		"startswith":   k.affix("startswith", strings.HasPrefix),
		"endswith":     k.affix("endswith", strings.HasSuffix),
		"removeprefix": k.remove("removeprefix", strings.TrimPrefix),
		"removesuffix": k.remove("removesuffix", strings.TrimSuffix),
		"partition":    k.partition(strings.Index, false),
		"rpartition":   k.partition(strings.LastIndex, true),
		"find":         k.find(strings.Index, false),
		"rfind":        k.find(strings.LastIndex, false),
		"index":        k.find(strings.Index, true),
		"rindex":       k.find(strings.LastIndex, true),
		"count":        k.method(1, 3, k.count),
		"join":         k.method(1, 1, k.join),
		"replace":      k.method(2, 3, k.replace),
		"ljust":        k.pad("ljust", func(int, int) int { return 0 }),
		"rjust":        k.pad("rjust", func(missing, _ int) int { return missing }),
		"center":       k.pad("center", func(missing, width int) int { return missing/2 + missing&width&1 }),
		"zfill":        k.method(1, 1, k.zfill),
		"split":        k.split(false),
		"rsplit":       k.split(true),
		"splitlines":   k.splitlines(),
		"expandtabs":   k.expandtabs(),
	}
	for name, f := range cases {
		m[name] = k.method(0, 0, func(_ context.Context, s string, _ []any) (any, error) {
			return k.give(k.mapped(s, f)), nil
		})
	}
	for name, test := range tests {
		m[name] = k.method(0, 0, func(_ context.Context, s string, _ []any) (any, error) { return test(k.neutral(s)), nil })
	}
	return m
}

func (k *kind) strip(name string, left, right bool) exposed.Native {
	return k.method(0, 1, func(_ context.Context, s string, args []any) (any, error) {
		cut := k.space
		if len(args) == 1 && args[0] != nil {
			set, ok := k.take(args[0])
			switch {
			case !ok && k == ofStr:
				return nil, vinegar.TypeError.New(name + " arg must be None or str")
			case !ok:
				return nil, vinegar.TypeError.Errorf("a bytes-like object is required, not '%s'", exposed.TypeName(args[0]))
			}
			cut = among(set)
		}
		if left {
			s = strings.TrimLeftFunc(s, cut)
		}
		if right {
			s = strings.TrimRightFunc(s, cut)
		}
		return k.give(s), nil
	})
}

// among is a test for the characters of a text, which may be long.
func among(text string) func(r rune) bool {
	if len(text) < 64 {
		return func(r rune) bool { return strings.ContainsRune(text, r) }
	}
	set := map[rune]bool{}
	for _, r := range text {
		set[r] = true
	}
	return func(r rune) bool { return set[r] }
}

// affix is startswith or endswith.
func (k *kind) affix(name string, has func(s, part string) bool) exposed.Native {
	return k.method(1, 3, func(ctx context.Context, s string, args []any) (any, error) {
		part, _, within, err := window(ctx, s, args[1:])
		if err != nil {
			return nil, err
		}
		options, isTuple := norm(args[0]).(brine.Tuple)
		if !isTuple {
			if _, ok := k.take(args[0]); !ok {
				return nil, vinegar.TypeError.Errorf("%s first arg must be %s or a tuple of %s, not %s", name, k.name, k.name,
					exposed.TypeName(args[0]))
			}
			options = args[:1]
		}
		for _, o := range options {
			p, err := k.need(o, "tuple for "+name+" must only contain str, not %s")
			if err != nil {
				return nil, err
			}
			if within && has(part, p) {
				return true, nil
			}
		}
		return false, nil
	})
}

func (k *kind) remove(name string, trim func(s, part string) string) exposed.Native {
	return k.method(1, 1, func(_ context.Context, s string, args []any) (any, error) {
		part, err := k.need(args[0], name+"() argument must be str, not %s")
		return k.give(trim(s, part)), err
	})
}

// partition is partition or, if last, rpartition.
func (k *kind) partition(find func(s, sep string) int, last bool) exposed.Native {
	return k.method(1, 1, func(_ context.Context, s string, args []any) (any, error) {
		sep, err := k.need(args[0], "must be str, not %s")
		if err != nil {
			return nil, err
		}
		if sep == "" {
			return nil, vinegar.ValueError.New("empty separator")
		}
		switch i := find(s, sep); {
		case i >= 0:
			return brine.Tuple{k.give(s[:i]), k.give(sep), k.give(s[i+len(sep):])}, nil
		case last:
			return brine.Tuple{k.give(""), k.give(""), k.give(s)}, nil
		}
		return brine.Tuple{k.give(s), k.give(""), k.give("")}, nil
	})
}

func (k *kind) join(ctx context.Context, s string, args []any) (any, error) {
	all, err := exposed.Collect(ctx, args[0])
	if err != nil {
		if _, e := exposed.Iter(ctx, args[0]); e != nil {
			err = vinegar.TypeError.New("can only join an iterable")
		}
		return nil, err
	}
	var b strings.Builder
	for i, v := range all {
		p, ok := k.take(v)
		switch {
		case !ok && k == ofStr:
			return nil, vinegar.TypeError.Errorf("sequence item %d: expected str instance, %s found", i, exposed.TypeName(v))
		case !ok:
			return nil, vinegar.TypeError.Errorf("sequence item %d: expected a bytes-like object, %s found", i,
				exposed.TypeName(v))
		}
		if i > 0 {
			b.WriteString(s)
		}
		if b.WriteString(p); b.Len() > MaxText {
			return nil, tooLong()
		}
	}
	return k.give(b.String()), nil
}

func (k *kind) replace(ctx context.Context, s string, args []any) (any, error) {
	var parts [2]string
	for i := range parts {
		var err error
		if parts[i], err = k.need(args[i], "replace() argument "+string(rune('1'+i))+" must be str, not %s"); err != nil {
			return nil, err
		}
	}
	from, to, times := parts[0], parts[1], -1
	if len(args) == 3 {
		var err error
		if times, err = size(ctx, args[2]); err != nil {
			return nil, err
		}
	}
	found := strings.Count(s, from)
	if times >= 0 {
		found = min(found, times)
	}
	if grown := found * (len(to) - len(from)); grown > 0 && len(s)+grown > MaxText {
		return nil, tooLong()
	}
	return k.give(strings.Replace(s, from, to, times)), nil
}

// pad fills a text up to a width; left says how many of the missing characters go before it.
func (k *kind) pad(name string, left func(missing, width int) int) exposed.Native {
	return k.method(1, 2, func(ctx context.Context, s string, args []any) (any, error) {
		width, err := size(ctx, args[0])
		if err != nil {
			return nil, err
		}
		fill := " "
		if len(args) == 2 {
			var ok bool
			switch fill, ok = k.take(args[1]); {
			case k == ofBytes && (!ok || utf8.RuneCountInString(fill) != 1):
				return nil, vinegar.TypeError.Errorf("%s() argument 2 must be a byte string of length 1, not %s", name,
					exposed.TypeName(args[1]))
			case !ok:
				return nil, vinegar.TypeError.Errorf("The fill character must be a unicode character, not %s",
					exposed.TypeName(args[1]))
			case utf8.RuneCountInString(fill) != 1:
				return nil, vinegar.TypeError.New("The fill character must be exactly one character long")
			}
		}
		missing := width - utf8.RuneCountInString(s)
		if missing <= 0 {
			return k.give(s), nil
		}
		if width > MaxText/len(fill) {
			return nil, tooLong()
		}
		l := left(missing, width)
		return k.give(strings.Repeat(fill, l) + s + strings.Repeat(fill, missing-l)), nil
	})
}

func (k *kind) zfill(ctx context.Context, s string, args []any) (any, error) {
	width, err := size(ctx, args[0])
	if err != nil {
		return nil, err
	}
	missing := width - utf8.RuneCountInString(s)
	if missing <= 0 {
		return k.give(s), nil
	}
	if width > MaxText {
		return nil, tooLong()
	}
	sign := 0
	if s != "" && (s[0] == '-' || s[0] == '+') {
		sign = 1
	}
	return k.give(s[:sign] + strings.Repeat("0", missing) + s[sign:]), nil
}

func (k *kind) expandtabs() *exposed.Function {
	expand := func(self any, ctx context.Context, tab any) (any, error) {
		s, err := k.self(self)
		if err != nil {
			return nil, err
		}
		width, err := size(ctx, tab)
		if err != nil {
			return nil, err
		}
		var b strings.Builder
		column := 0
		for _, r := range s {
			switch {
			case r == '\t' && width > 0:
				n := width - column%width
				if n > MaxText-b.Len() {
					return nil, tooLong()
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
		return k.give(b.String()), nil
	}
	return exposed.Func(expand, "self", "tabsize=8")
}

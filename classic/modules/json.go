//go:build unix

package modules

import (
	"context"
	"fmt"
	"math"
	"math/big"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/classic/internal/pytypes"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// maxJSONDepth is where CPython's recursion limit stops it, about.
const maxJSONDepth = 900

// jsonReader reads a document into Python's objects: order of keys, big integers, NaN and the wording of errors are
// CPython's, which encoding/json does not give.
type jsonReader struct {
	s     string
	at    int
	depth int
}

// fail is a JSONDecodeError; Python counts characters.
func (r *jsonReader) fail(what string, at int) error {
	return vinegar.JSONDecodeError.New(what, r.s, int64(utf8.RuneCountInString(r.s[:at])))
}

func (r *jsonReader) space() {
	for r.at < len(r.s) && strings.IndexByte(" \t\n\r", r.s[r.at]) >= 0 {
		r.at++
	}
}

func (r *jsonReader) value(ctx context.Context) (any, error) {
	if r.at >= len(r.s) {
		return nil, r.fail("Expecting value", r.at)
	}
	rest := r.s[r.at:]
	for word, v := range map[string]any{"null": nil, "true": true, "false": false, "NaN": math.NaN(),
		"Infinity": math.Inf(1), "-Infinity": math.Inf(-1)} {
		if strings.HasPrefix(rest, word) {
			r.at += len(word)
			return v, nil
		}
	}
	switch c := rest[0]; {
	case c == '"':
		return r.text()
	case c == '[' || c == '{':
		if r.depth++; r.depth > maxJSONDepth {
			return nil, vinegar.RecursionError.New("maximum recursion depth exceeded while decoding a JSON array from a " +
				"unicode string")
		}
		defer func() { r.depth-- }()
		if c == '[' {
			return r.list(ctx)
		}
		return r.dict(ctx)
	case c == '-' || c >= '0' && c <= '9':
		return r.number(ctx)
	}
	return nil, r.fail("Expecting value", r.at)
}

func (r *jsonReader) number(ctx context.Context) (any, error) {
	start, i := r.at, r.at
	digits := func() int {
		from := i
		for i < len(r.s) && r.s[i] >= '0' && r.s[i] <= '9' {
			i++
		}
		return i - from
	}
	if r.s[i] == '-' {
		i++
	}
	if i < len(r.s) && r.s[i] == '0' {
		i++
	} else if digits() == 0 {
		return nil, r.fail("Expecting value", start)
	}
	class := "int"
	if i+1 < len(r.s) && r.s[i] == '.' && r.s[i+1] >= '0' && r.s[i+1] <= '9' {
		i++
		digits()
		class = "float"
	}
	if i < len(r.s) && (r.s[i] == 'e' || r.s[i] == 'E') {
		end := i
		i++
		if i < len(r.s) && (r.s[i] == '+' || r.s[i] == '-') {
			i++
		}
		if digits() > 0 {
			class = "float"
		} else {
			i = end
		}
	}
	r.at = i
	return exposed.Call(ctx, pytypes.Class(class), exposed.NewArgs([]any{r.s[start:i]}, nil))
}

func (r *jsonReader) text() (any, error) {
	start := r.at
	r.at++
	var b strings.Builder
	for {
		if r.at >= len(r.s) {
			return nil, r.fail("Unterminated string starting at", start)
		}
		c := r.s[r.at]
		switch {
		case c == '"':
			r.at++
			return b.String(), nil
		case c < 0x20:
			return nil, r.fail("Invalid control character at", r.at)
		case c != '\\':
			b.WriteByte(c)
			r.at++
			continue
		}
		if r.at+1 >= len(r.s) {
			return nil, r.fail("Unterminated string starting at", start)
		}
		e := r.s[r.at+1]
		if i := strings.IndexByte(`"\/bfnrt`, e); i >= 0 {
			b.WriteByte("\"\\/\b\f\n\r\t"[i])
			r.at += 2
			continue
		}
		if e != 'u' {
			return nil, r.fail("Invalid \\escape", r.at)
		}
		c1, err := r.escape()
		if err != nil {
			return nil, err
		}
		if utf16.IsSurrogate(c1) && strings.HasPrefix(r.s[r.at:], `\u`) {
			at := r.at
			c2, err := r.escape()
			if err != nil {
				return nil, err
			}
			if both := utf16.DecodeRune(c1, c2); both != utf8.RuneError {
				b.WriteRune(both)
				continue
			}
			r.at = at
		}
		if utf16.IsSurrogate(c1) {
			return nil, vinegar.ValueError.New("lone surrogates are not supported by this server")
		}
		b.WriteRune(c1)
	}
}

func (r *jsonReader) escape() (rune, error) {
	if r.at+6 > len(r.s) {
		return 0, r.fail("Invalid \\uXXXX escape", r.at+1)
	}
	n := rune(0)
	for _, c := range []byte(strings.ToLower(r.s[r.at+2 : r.at+6])) {
		i := strings.IndexByte("0123456789abcdef", c)
		if i < 0 {
			return 0, r.fail("Invalid \\uXXXX escape", r.at+1)
		}
		n = n<<4 | rune(i)
	}
	r.at += 6
	return n, nil
}

// take reads c if it comes next.
func (r *jsonReader) take(c byte) bool {
	if r.at < len(r.s) && r.s[r.at] == c {
		r.at++
		return true
	}
	return false
}

func (r *jsonReader) list(ctx context.Context) (any, error) {
	l := exposed.NewList()
	r.at++
	r.space()
	if r.take(']') {
		return l, nil
	}
	for {
		v, err := r.value(ctx)
		if err != nil {
			return nil, err
		}
		l.Append(v)
		r.space()
		switch {
		case r.take(']'):
			return l, nil
		case !r.take(','):
			return nil, r.fail("Expecting ',' delimiter", r.at)
		}
		r.space()
	}
}

func (r *jsonReader) dict(ctx context.Context) (any, error) {
	d := exposed.NewDict()
	r.at++
	r.space()
	if r.take('}') {
		return d, nil
	}
	for {
		if r.at >= len(r.s) || r.s[r.at] != '"' {
			return nil, r.fail("Expecting property name enclosed in double quotes", r.at)
		}
		k, err := r.text()
		if err != nil {
			return nil, err
		}
		r.space()
		if !r.take(':') {
			return nil, r.fail("Expecting ':' delimiter", r.at)
		}
		r.space()
		v, err := r.value(ctx)
		if err != nil {
			return nil, err
		}
		if err := d.Set(ctx, k, v); err != nil {
			return nil, err
		}
		r.space()
		switch {
		case r.take('}'):
			return d, nil
		case !r.take(','):
			return nil, r.fail("Expecting ',' delimiter", r.at)
		}
		r.space()
	}
}

func loadJSON(ctx context.Context, s string) (any, error) {
	if strings.HasPrefix(s, "\ufeff") {
		return nil, vinegar.JSONDecodeError.New("Unexpected UTF-8 BOM (decode using utf-8-sig)", s, int64(0))
	}
	r := &jsonReader{s: s}
	r.space()
	v, err := r.value(ctx)
	if err != nil {
		return nil, err
	}
	if r.space(); r.at < len(s) {
		return nil, r.fail("Extra data", r.at)
	}
	return v, nil
}

// jsonWriter writes a document as CPython does.
type jsonWriter struct {
	b                                       strings.Builder
	item, key, indent                       string
	pretty, ascii, sortKeys, allowNaN, skip bool
	missing                                 any // default=
	depth                                   int
	around                                  map[any]bool // the containers that the value is in, by identity
}

func (w *jsonWriter) text(s string) {
	w.b.WriteByte('"')
	for _, r := range s {
		if i := strings.IndexRune("\"\\\b\f\n\r\t", r); i >= 0 {
			w.b.WriteString([]string{`\"`, `\\`, `\b`, `\f`, `\n`, `\r`, `\t`}[i])
			continue
		}
		switch {
		case r < 0x20 || w.ascii && r >= 0x7f && r < 0x10000:
			fmt.Fprintf(&w.b, `\u%04x`, r)
		case w.ascii && r >= 0x10000:
			a, b := utf16.EncodeRune(r)
			fmt.Fprintf(&w.b, `\u%04x\u%04x`, a, b)
		default:
			w.b.WriteRune(r)
		}
	}
	w.b.WriteByte('"')
}

func (w *jsonWriter) float(f float64) (string, error) {
	switch {
	case !math.IsNaN(f) && !math.IsInf(f, 0):
		return vinegar.Repr(f), nil
	case !w.allowNaN:
		return "", vinegar.ValueError.New("Out of range float values are not JSON compliant")
	case math.IsNaN(f):
		return "NaN", nil
	case f > 0:
		return "Infinity", nil
	}
	return "-Infinity", nil
}

// scalar is the text of a number or constant.
func (w *jsonWriter) scalar(v any) (string, bool, error) {
	switch x := v.(type) {
	case nil:
		return "null", true, nil
	case bool:
		return map[bool]string{true: "true", false: "false"}[x], true, nil
	case int64, *big.Int:
		return vinegar.Repr(x), true, nil
	case float64:
		s, err := w.float(x)
		return s, true, err
	}
	return "", false, nil
}

func (w *jsonWriter) value(ctx context.Context, v any) error {
	if w.depth > maxJSONDepth {
		return vinegar.RecursionError.New("maximum recursion depth exceeded while encoding a JSON object")
	}
	if w.b.Len() > maxRead {
		return vinegar.MemoryError.Errorf("a document of more than %d bytes", maxRead)
	}
	v = normal(v)
	if s, ok, err := w.scalar(v); ok || err != nil {
		w.b.WriteString(s)
		return err
	}
	w.depth++
	defer func() { w.depth-- }()
	if s, ok := textOf(ctx, v); ok {
		w.text(s)
		return nil
	}
	if key, ok := exposed.Identity(v); ok {
		if w.around[key] {
			return vinegar.ValueError.New("Circular reference detected")
		}
		w.around[key] = true
		defer delete(w.around, key)
	}
	is := func(class string) bool { ok, _ := isInstance(ctx, v, pytypes.Class(class), "isinstance"); return ok }
	switch {
	case is("dict"):
		return w.dict(ctx, v)
	case is("list") || is("tuple"):
		return w.sequence('[', ']', func(each func(func() error) error) error {
			for item, err := range exposed.Iterate(ctx, v) {
				if err != nil {
					return err
				}
				if err := each(func() error { return w.value(ctx, item) }); err != nil {
					return err
				}
			}
			return nil
		})
	case w.missing != nil:
		r, err := exposed.Call(ctx, w.missing, exposed.NewArgs([]any{v}, nil))
		if err != nil {
			return err
		}
		return w.value(ctx, r)
	}
	return vinegar.TypeError.Errorf("Object of type %s is not JSON serializable", exposed.TypeName(v))
}

// sequence writes brackets and what is between the items.
func (w *jsonWriter) sequence(open, end byte, items func(each func(func() error) error) error) error {
	w.b.WriteByte(open)
	n := 0
	line := func(depth int) {
		if w.pretty {
			w.b.WriteString("\n" + strings.Repeat(w.indent, depth))
		}
	}
	err := items(func(write func() error) error {
		if n++; n > 1 {
			w.b.WriteString(w.item)
		}
		line(w.depth)
		return write()
	})
	if n > 0 {
		line(w.depth - 1)
	}
	w.b.WriteByte(end)
	return err
}

func (w *jsonWriter) dict(ctx context.Context, v any) error {
	pairs, err := exposed.CallAttr(ctx, everything, v, "items", &exposed.Args{})
	if err == nil && w.sortKeys {
		pairs, err = exposed.Call(ctx, exposed.Func(func(ctx context.Context, items any) (any, error) {
			l, err := exposed.Call(ctx, pytypes.Class("list"), exposed.NewArgs([]any{items}, nil))
			if err != nil {
				return nil, err
			}
			_, err = exposed.CallAttr(ctx, everything, l, "sort", &exposed.Args{})
			return l, err
		}, "items"), exposed.NewArgs([]any{pairs}, nil))
	}
	if err != nil {
		return err
	}
	return w.sequence('{', '}', func(each func(func() error) error) error {
		for pair, err := range exposed.Iterate(ctx, pairs) {
			if err != nil {
				return err
			}
			kv, ok := pair.(brine.Tuple)
			if !ok || len(kv) != 2 {
				return vinegar.ValueError.New("items must return 2-tuples")
			}
			key, text := textOf(ctx, normal(kv[0]))
			if !text {
				var ok bool
				if key, ok, err = w.scalar(normal(kv[0])); err != nil {
					return err
				} else if !ok && w.skip {
					continue
				} else if !ok {
					return vinegar.TypeError.Errorf("keys must be str, int, float, bool or None, not %s", exposed.TypeName(kv[0]))
				}
			}
			if err := each(func() error {
				w.text(key)
				w.b.WriteString(w.key)
				return w.value(ctx, kv[1])
			}); err != nil {
				return err
			}
		}
		return nil
	})
}

package brine_test

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gorpyc/gorpyc/brine"
)

// pyNaN has the bits CPython gives to float("nan"); Go's own has others.
var pyNaN = math.Float64frombits(0x7ff8000000000000)

// parsePython builds the Go form of a Python literal as repr shows it, so that
// expected values come from Python and not from this package. It also takes
// the few expressions the vectors use for long values: X*n and tuple(range(n)).
func parsePython(text string) (v any, err error) {
	p := pyParser{rest: text}
	defer func() {
		if r := recover(); r != nil {
			v, err = nil, fmt.Errorf("python literal %.60q: %v", text, r)
		}
	}()
	v = p.value()
	if p.rest != "" {
		return nil, fmt.Errorf("python literal %.60q: %.20q is left", text, p.rest)
	}
	return v, nil
}

type pyParser struct{ rest string }

func (p *pyParser) take(s string) bool {
	p.rest = strings.TrimLeft(p.rest, " ")
	if !strings.HasPrefix(p.rest, s) {
		return false
	}
	p.rest = p.rest[len(s):]
	return true
}

func (p *pyParser) must(s string) {
	if !p.take(s) {
		panic("want " + s + " at " + p.rest)
	}
}

func (p *pyParser) value() any {
	v := p.operand()
	if !p.take("*") {
		return v
	}
	n := int(p.operand().(int64))
	switch v := v.(type) {
	case string:
		return strings.Repeat(v, n)
	case []byte:
		return []byte(strings.Repeat(string(v), n))
	}
	return slices.Repeat(v.(brine.Tuple), n)
}

func (p *pyParser) operand() any {
	for _, name := range []struct {
		text  string
		value any
	}{
		{"None", nil}, {"True", true}, {"False", false},
		{"Ellipsis", brine.Ellipsis}, {"NotImplemented", brine.NotImplemented},
		{"frozenset()", brine.FrozenSet{}},
	} {
		if p.take(name.text) {
			return name.value
		}
	}
	switch {
	case p.take("frozenset({"):
		v := brine.FrozenSet(p.list("}"))
		p.must(")")
		return v
	case p.take("slice("):
		m := p.list(")")
		return brine.Slice{Start: m[0], Stop: m[1], Step: m[2]}
	case p.take("tuple(range("):
		n := p.operand().(int64)
		p.must("))")
		t := brine.Tuple{}
		for i := range n {
			t = append(t, i)
		}
		return t
	case p.take("("):
		if v, ok := p.complexInParens(); ok {
			return v
		}
		return brine.Tuple(p.list(")"))
	case p.take("b'"):
		return []byte(p.quoted('\'', true))
	case p.take(`b"`):
		return []byte(p.quoted('"', true))
	case p.take("u'"), p.take("'"):
		return p.quoted('\'', false)
	case p.take(`"`):
		return p.quoted('"', false)
	}
	return p.number()
}

func (p *pyParser) list(end string) []any {
	items := []any{}
	for !p.take(end) {
		items = append(items, p.value())
		if !p.take(",") {
			p.must(end)
			break
		}
	}
	return items
}

// quoted reads up to the closing quote, the opening one being just consumed.
func (p *pyParser) quoted(quote byte, isBytes bool) string {
	var out []byte
	for p.rest[0] != quote {
		if p.rest[0] != '\\' {
			out = append(out, p.rest[0])
			p.rest = p.rest[1:]
			continue
		}
		r, _, tail, err := strconv.UnquoteChar(p.rest, quote)
		if err != nil {
			panic(err)
		}
		p.rest = tail
		if isBytes {
			out = append(out, byte(r))
		} else {
			out = utf8.AppendRune(out, r)
		}
	}
	p.rest = p.rest[1:]
	return string(out)
}

// complexInParens reads what follows the parenthesis of (13+18.2j), if it is that.
func (p *pyParser) complexInParens() (complex128, bool) {
	inner, after, ok := strings.Cut(p.rest, ")")
	if !ok || !strings.HasSuffix(inner, "j") || strings.ContainsAny(inner, ",' (") {
		return 0, false
	}
	split := -1 // the sign between the parts: neither the first character nor an exponent's
	for i := 1; i < len(inner); i++ {
		if (inner[i] == '+' || inner[i] == '-') && inner[i-1] != 'e' {
			split = i
		}
	}
	if split < 0 {
		return 0, false
	}
	p.rest = after
	return complex(pyFloat(inner[:split]), pyFloat(strings.TrimSuffix(inner[split:], "j"))), true
}

func pyFloat(s string) float64 {
	if strings.TrimLeft(s, "+-") == "nan" {
		return pyNaN
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		panic(err)
	}
	return f
}

func (p *pyParser) number() any {
	p.take("")
	end := strings.IndexAny(p.rest, ",)}* ")
	if end < 0 {
		end = len(p.rest)
	}
	s := p.rest[:end]
	p.rest = p.rest[end:]
	if strings.HasSuffix(s, "j") {
		return complex(0, pyFloat(strings.TrimSuffix(s, "j")))
	}
	if v, err := strconv.ParseInt(s, 10, 64); err == nil {
		return v
	}
	if v, ok := new(big.Int).SetString(s, 10); ok {
		return v
	}
	return pyFloat(s)
}

// describe renders a value so that two of them have the same text exactly when
// they have the same types and the same bits, frozensets in any order.
func describe(v any) string {
	list := func(items []any) string {
		texts := make([]string, len(items))
		for i, item := range items {
			texts[i] = describe(item)
		}
		if _, ok := v.(brine.FrozenSet); ok {
			slices.Sort(texts)
		}
		return fmt.Sprintf("%T%s", v, texts)
	}
	switch v := v.(type) {
	case float64:
		return fmt.Sprintf("float %x", math.Float64bits(v))
	case complex128:
		return fmt.Sprintf("complex %x %x", math.Float64bits(real(v)), math.Float64bits(imag(v)))
	case brine.Tuple:
		return list(v)
	case brine.FrozenSet:
		return list(v)
	case brine.Slice:
		return list([]any{v.Start, v.Stop, v.Step})
	}
	return fmt.Sprintf("%T %#v", v, fmt.Sprint(v))
}

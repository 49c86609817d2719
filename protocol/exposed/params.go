package exposed

import (
	"context"
	"fmt"
	"math/big"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
)

type paramKind uint8

const (
	positionalOnly paramKind = iota
	positionalOrKeyword
	varPositional // *args
	keywordOnly
	varKeyword // **kw
)

// param is one parameter in the Python sense.
type param struct {
	name  string
	kind  paramKind
	slot  int           // index among the Go parameters
	field []int         // the field of the struct in slot that the parameter is
	typ   reflect.Type  // of the slot or field
	def   reflect.Value // the default, invalid if there is none
	lit   string        // the default as declared
	may   bool          // may be left out without a default: the struct field keeps its zero value
}

func (p *param) required() bool { return !p.def.IsValid() && !p.may }

var keywordsType = reflect.TypeFor[[]netref.Keyword]()

// declare lays declared parameters over the Go ones, whose types are given; types[i] belongs to slot first+i. The
// last Go parameter may be left undeclared if it is a struct that receives keywords.
func declare(decl []string, types []reflect.Type, first int) ([]param, error) {
	var ps []param
	kind := positionalOrKeyword
	next := 0
	take := func(what string) (param, error) {
		if next == len(types) {
			return param{}, fmt.Errorf("no Go parameter is left for %q", what)
		}
		next++
		return param{slot: first + next - 1, typ: types[next-1]}, nil
	}
	seen := map[string]bool{}
	for _, d := range decl {
		name, lit, hasDefault := strings.Cut(d, "=")
		name, lit = strings.TrimSpace(name), strings.TrimSpace(lit)
		switch {
		case name == "/":
			if kind != positionalOrKeyword || len(ps) == 0 {
				return nil, fmt.Errorf("misplaced %q", d)
			}
			for i := range ps {
				ps[i].kind = positionalOnly
			}
			continue
		case name == "*":
			if kind != positionalOrKeyword {
				return nil, fmt.Errorf("misplaced %q", d)
			}
			kind = keywordOnly
			continue
		}
		p, err := take(d)
		if err != nil {
			return nil, err
		}
		p.kind, p.name = kind, name
		switch {
		case strings.HasPrefix(name, "**"):
			p.kind, p.name, kind = varKeyword, name[2:], varKeyword
			if p.typ != keywordsType && !(p.typ.Kind() == reflect.Map && p.typ.Key().Kind() == reflect.String) {
				return nil, fmt.Errorf("%q needs a []netref.Keyword or a map with string keys, not %v", d, p.typ)
			}
		case kind == varKeyword:
			return nil, fmt.Errorf("%q after **", d)
		case strings.HasPrefix(name, "*"):
			if kind != positionalOrKeyword || p.typ.Kind() != reflect.Slice {
				return nil, fmt.Errorf("%q needs a slice and a place before keyword-only parameters", d)
			}
			p.kind, p.name, kind = varPositional, name[1:], keywordOnly
		}
		if !isIdentifier(p.name) || seen[p.name] {
			return nil, fmt.Errorf("%q is no parameter name, or occurs twice", d)
		}
		seen[p.name] = true
		if hasDefault {
			if p.kind == varPositional || p.kind == varKeyword {
				return nil, fmt.Errorf("%q cannot have a default", d)
			}
			if p.def, err = defaultValue(lit, p.typ); err != nil {
				return nil, fmt.Errorf("%q: %w", d, err)
			}
			p.lit = lit
		} else if p.kind <= positionalOrKeyword && len(ps) > 0 && ps[len(ps)-1].def.IsValid() {
			return nil, fmt.Errorf("%q has no default and follows one that has", d)
		}
		ps = append(ps, p)
	}
	if next == len(types)-1 && keywordStruct(types[next]) {
		fields, err := structParams(first+next, types[next])
		if err != nil {
			return nil, err
		}
		next++
		ps = append(ps, fields...)
	}
	if next != len(types) {
		return nil, fmt.Errorf("%d of %d Go parameters are declared", next, len(types))
	}
	return ps, nil
}

// implicit makes parameters for a func without a declaration: positional-only ones named arg1, arg2 …, with *args for
// a variadic parameter, **kwargs for a variadic netref.Keyword, and keywords for the fields of a final struct.
func implicit(types []reflect.Type, first int, variadic bool) ([]param, error) {
	var ps []param
	for i, t := range types {
		p := param{name: "arg" + strconv.Itoa(i+1), slot: first + i, typ: t}
		last := i == len(types)-1
		switch {
		case last && t == keywordsType:
			p.kind, p.name = varKeyword, "kwargs"
		case last && variadic:
			p.kind, p.name = varPositional, "args"
		case last && keywordStruct(t):
			fields, err := structParams(p.slot, t)
			if err != nil {
				return nil, err
			}
			p.may = true
			ps = append(ps, p)
			return append(ps, fields...), nil
		}
		ps = append(ps, p)
	}
	return ps, nil
}

// keywordStruct reports whether a final parameter of type t takes keywords: an unregistered struct of exported fields
// that has no methods, which is what an options struct is.
func keywordStruct(t reflect.Type) bool {
	if t.Kind() != reflect.Struct || registered(t) || reflect.PointerTo(t).NumMethod() > 0 {
		return false
	}
	for i := range t.NumField() {
		if !t.Field(i).IsExported() {
			return false
		}
	}
	return t.NumField() > 0
}

// structParams makes keyword-only parameters of the struct's fields. The tag default holds the default as a Python
// literal; a field without one keeps its zero value unless its rpyc tag says ",required".
func structParams(slot int, t reflect.Type) ([]param, error) {
	var ps []param
	for _, f := range reflect.VisibleFields(t) {
		name, opts := fieldName(f)
		if name == "" || f.Anonymous {
			continue
		}
		p := param{name: name, kind: keywordOnly, slot: slot, field: f.Index, typ: f.Type, may: !opts["required"]}
		if lit, ok := f.Tag.Lookup("default"); ok {
			def, err := defaultValue(lit, f.Type)
			if err != nil {
				return nil, fmt.Errorf("field %s: default %q: %w", f.Name, lit, err)
			}
			p.def, p.lit = def, lit
		}
		ps = append(ps, p)
	}
	return ps, nil
}

func defaultValue(lit string, t reflect.Type) (reflect.Value, error) {
	v, rest, err := parseLiteral(lit)
	if err == nil && strings.TrimSpace(rest) != "" {
		err = fmt.Errorf("unexpected %q", rest)
	}
	if err != nil {
		return reflect.Value{}, err
	}
	def := reflect.New(t).Elem()
	return def, netref.Assign(context.Background(), def, v)
}

// parseLiteral reads a Python literal: None, True, False, a number, a str, bytes or a tuple.
func parseLiteral(s string) (v any, rest string, err error) {
	s = strings.TrimSpace(s)
	for word, v := range map[string]any{"None": nil, "True": true, "False": false, "...": brine.Ellipsis} {
		if rest, ok := strings.CutPrefix(s, word); ok {
			return v, rest, nil
		}
	}
	switch {
	case s == "":
		return nil, "", fmt.Errorf("a Python literal is missing")
	case s[0] == '\'' || s[0] == '"':
		return parseQuoted(s)
	case len(s) > 1 && s[0] == 'b' && (s[1] == '\'' || s[1] == '"'):
		text, rest, err := parseQuoted(s[1:])
		return []byte(text), rest, err
	case s[0] == '(':
		return parseTuple(s[1:])
	}
	end := strings.IndexAny(s, ",) ")
	if end < 0 {
		end = len(s)
	}
	word := strings.ReplaceAll(s[:end], "_", "")
	if n, ok := new(big.Int).SetString(word, 0); ok {
		return intForm(n), s[end:], nil
	}
	if f, err := strconv.ParseFloat(word, 64); err == nil && !strings.ContainsAny(word, "xXpP") {
		return f, s[end:], nil
	}
	return nil, "", fmt.Errorf("%q is no Python literal that can be a default", s)
}

func parseQuoted(s string) (text, rest string, err error) {
	quote, in := s[0], s[1:]
	var b []byte
	for len(in) > 0 {
		if in[0] == quote {
			return string(b), in[1:], nil
		}
		r, multibyte, tail, err := strconv.UnquoteChar(in, quote)
		if err != nil {
			return "", "", fmt.Errorf("bad escape in %s", s)
		}
		if multibyte {
			b = utf8.AppendRune(b, r)
		} else {
			b = append(b, byte(r))
		}
		in = tail
	}
	return "", "", fmt.Errorf("%s is not closed", s)
}

func parseTuple(s string) (v any, rest string, err error) {
	t := brine.Tuple{}
	for {
		s = strings.TrimSpace(s)
		if tail, ok := strings.CutPrefix(s, ")"); ok {
			return t, tail, nil
		}
		var item any
		if item, s, err = parseLiteral(s); err != nil {
			return nil, "", err
		}
		t = append(t, item)
		s = strings.TrimSpace(s)
		if tail, ok := strings.CutPrefix(s, ","); ok {
			s = tail
		} else if !strings.HasPrefix(s, ")") || len(t) == 1 {
			return nil, "", fmt.Errorf("bad tuple")
		}
	}
}

func isIdentifier(s string) bool {
	for i, r := range s {
		letter := r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= utf8.RuneSelf
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return s != ""
}

// signature is the parameter list as Python writes it.
func signature(ps []param, self string) string {
	var b strings.Builder
	b.WriteByte('(')
	if self != "" {
		b.WriteString(self)
	}
	last := positionalOnly
	for i := range ps {
		p := &ps[i]
		if b.Len() > 1 {
			b.WriteString(", ")
		}
		if last == positionalOnly && p.kind > positionalOnly && i > 0 {
			b.WriteString("/, ")
		}
		if p.kind == keywordOnly && last < varPositional {
			b.WriteString("*, ")
		}
		switch last = p.kind; p.kind {
		case varPositional:
			b.WriteByte('*')
		case varKeyword:
			b.WriteString("**")
		}
		b.WriteString(p.name)
		switch {
		case p.def.IsValid():
			b.WriteString("=" + p.lit)
		case p.may:
			b.WriteString("=...")
		}
	}
	if last == positionalOnly && len(ps) > 0 {
		b.WriteString(", /")
	}
	b.WriteByte(')')
	return b.String()
}

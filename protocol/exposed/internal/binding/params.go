package binding

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/netref"
)

// Kind says how a parameter is given, as inspect.Parameter.kind does.
type Kind uint8

// The kinds, in the order in which parameters of them are declared.
const (
	PositionalOnly Kind = iota
	PositionalOrKeyword
	VarPositional // *args
	KeywordOnly
	VarKeyword // **kw
)

// Param is one parameter in the Python sense.
type Param struct {
	Name string
	Kind Kind

	index    int           // of the Go parameter that takes the argument
	field    []int         // where in that Go parameter, a struct, the argument goes; nil if it is the whole
	typ      reflect.Type  // of the Go parameter, or of its field
	def      reflect.Value // the default, invalid if there is none
	literal  string        // the default as declared
	optional bool          // may be left out without a default: the struct or its field keeps its zero value
}

// Required reports whether the parameter has to be given.
func (p *Param) Required() bool { return !p.def.IsValid() && !p.optional }

// Default returns the default; ok is false if there is none that is declared.
func (p *Param) Default() (v any, ok bool) {
	if !p.def.IsValid() {
		return nil, false
	}
	return p.def.Interface(), true
}

// takesKeyword reports whether the parameter is given by its name.
func (p *Param) takesKeyword() bool { return p.Kind == PositionalOrKeyword || p.Kind == KeywordOnly }

var keywordsType = reflect.TypeFor[[]netref.Keyword]()

// declare matches declared parameters with the Go ones, whose types are given; types[i] is that of the Go parameter
// first+i. The last Go parameter may be left undeclared if it is a struct that receives keywords.
func declare(decl []string, types []reflect.Type, first int) ([]Param, error) {
	var ps []Param
	kind := PositionalOrKeyword
	next := 0
	take := func(what string) (Param, error) {
		if next == len(types) {
			return Param{}, fmt.Errorf("no Go parameter is left for %q", what)
		}
		next++
		return Param{index: first + next - 1, typ: types[next-1]}, nil
	}
	seen := map[string]bool{}
	for _, d := range decl {
		name, lit, hasDefault := strings.Cut(d, "=")
		name, lit = strings.TrimSpace(name), strings.TrimSpace(lit)
		switch {
		case name == "/":
			if kind != PositionalOrKeyword || len(ps) == 0 {
				return nil, fmt.Errorf("misplaced %q", d)
			}
			for i := range ps {
				ps[i].Kind = PositionalOnly
			}
			continue
		case name == "*":
			if kind != PositionalOrKeyword {
				return nil, fmt.Errorf("misplaced %q", d)
			}
			kind = KeywordOnly
			continue
		}
		p, err := take(d)
		if err != nil {
			return nil, err
		}
		p.Kind, p.Name = kind, name
		switch {
		case strings.HasPrefix(name, "**"):
			p.Kind, p.Name, kind = VarKeyword, name[2:], VarKeyword
			if p.typ != keywordsType && !(p.typ.Kind() == reflect.Map && p.typ.Key().Kind() == reflect.String) {
				return nil, fmt.Errorf("%q needs a []netref.Keyword or a map with string keys, not %v", d, p.typ)
			}
		case kind == VarKeyword:
			return nil, fmt.Errorf("%q after **", d)
		case strings.HasPrefix(name, "*"):
			if kind != PositionalOrKeyword || p.typ.Kind() != reflect.Slice {
				return nil, fmt.Errorf("%q needs a slice and a place before keyword-only parameters", d)
			}
			p.Kind, p.Name, kind = VarPositional, name[1:], KeywordOnly
		}
		if !pyvalue.IsIdentifier(p.Name) || seen[p.Name] {
			return nil, fmt.Errorf("%q is no parameter name, or occurs twice", d)
		}
		seen[p.Name] = true
		if hasDefault {
			if p.Kind == VarPositional || p.Kind == VarKeyword {
				return nil, fmt.Errorf("%q cannot have a default", d)
			}
			if p.def, err = defaultValue(lit, p.typ); err != nil {
				return nil, fmt.Errorf("%q: %w", d, err)
			}
			p.literal = lit
		} else if p.Kind <= PositionalOrKeyword && len(ps) > 0 && ps[len(ps)-1].def.IsValid() {
			return nil, fmt.Errorf("%q has no default and follows one that has", d)
		}
		ps = append(ps, p)
	}
	if next == len(types)-1 && keywordStruct(types[next]) {
		fields, err := structParams(first+next, types[next])
		if err != nil {
			return nil, err
		}
		if fields[0].Kind < kind {
			return nil, fmt.Errorf("field %q is positional, and follows parameters that are not", fields[0].Name)
		}
		if fields[0].Kind == PositionalOrKeyword && fields[0].Required() && len(ps) > 0 && !ps[len(ps)-1].Required() {
			return nil, fmt.Errorf("field %q has no default and follows one that has", fields[0].Name)
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
func implicit(types []reflect.Type, first int, variadic bool) ([]Param, error) {
	var ps []Param
	for i, t := range types {
		p := Param{Name: "arg" + strconv.Itoa(i+1), index: first + i, typ: t}
		last := i == len(types)-1
		switch {
		case last && t == keywordsType:
			p.Kind, p.Name = VarKeyword, "kwargs"
		case last && variadic:
			p.Kind, p.Name = VarPositional, "args"
		case last && keywordStruct(t):
			fields, err := structParams(p.index, t)
			if err != nil {
				return nil, err
			}
			if fields[0].Kind == KeywordOnly { // or else the fields take the place of the struct
				p.optional = true
				ps = append(ps, p)
			}
			return append(ps, fields...), nil
		}
		ps = append(ps, p)
	}
	return ps, nil
}

// keywordStruct reports whether a final parameter of type t takes keywords, which one of a registered class does not.
func keywordStruct(t reflect.Type) bool { return netref.KeywordStruct(t) && !model.Registered(t) }

// structParams makes keyword-only parameters of the struct's fields, or such as are given by position, too, of those
// whose rpyc tag says ",positional", which come first. The tag default holds the default as a Python literal; a field
// without one keeps its zero value unless its rpyc tag says ",required".
func structParams(index int, t reflect.Type) ([]Param, error) {
	var ps []Param
	for _, field := range netref.Fields(t) {
		f := t.FieldByIndex(field.Index)
		p := Param{
			Name: field.Name, Kind: KeywordOnly, index: index, field: field.Index, typ: f.Type,
			optional: !slices.Contains(field.Options, "required"),
		}
		if lit, ok := f.Tag.Lookup("default"); ok {
			def, err := defaultValue(lit, f.Type)
			if err != nil {
				return nil, fmt.Errorf("field %s: default %q: %w", f.Name, lit, err)
			}
			p.def, p.literal = def, lit
		}
		if slices.Contains(field.Options, "positional") {
			p.Kind = PositionalOrKeyword
			if p.Required() && slices.ContainsFunc(ps, func(q Param) bool { return q.Kind == p.Kind && !q.Required() }) {
				return nil, fmt.Errorf("field %s: no default, and follows one that has", f.Name)
			}
		}
		ps = append(ps, p)
	}
	slices.SortStableFunc(ps, func(a, b Param) int { return int(a.Kind) - int(b.Kind) })
	return ps, nil
}

func defaultValue(lit string, t reflect.Type) (reflect.Value, error) {
	v, rest, err := pyvalue.ScanLiteral(lit)
	if err == nil && strings.TrimSpace(rest) != "" {
		err = fmt.Errorf("unexpected %q", rest)
	}
	if err != nil {
		return reflect.Value{}, err
	}
	def := reflect.New(t).Elem()
	return def, netref.Assign(context.Background(), def, v)
}

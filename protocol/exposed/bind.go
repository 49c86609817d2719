package exposed

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

type rawCursor = brine.Cursor

// bind puts the arguments into the frame's slots.
func (p *plan) bind(ctx context.Context, f *frame, a *Args) error {
	if p.simple && a.noKeywords() {
		done, err := p.bindSimple(ctx, f, a)
		if done || err != nil {
			return err
		}
	}
	pos, err := a.Positional()
	if err != nil {
		return err
	}
	kw, err := a.Keywords()
	if err != nil {
		return err
	}
	return p.bindAll(ctx, f, pos, kw)
}

// bindSimple is for the common case: positional parameters only, and as many arguments as fit. It reports false if
// the case is another one.
func (p *plan) bindSimple(ctx context.Context, f *frame, a *Args) (bool, error) {
	if a.rawPos == nil {
		n := len(a.pos)
		if n < p.needed || n > p.npos {
			return false, nil
		}
		for i, v := range a.pos {
			if err := p.assign(ctx, f, i, v); err != nil {
				return false, err
			}
		}
		return true, p.defaults(f, n)
	}
	f.raw = a.cursor(a.rawPos)
	if f.raw.Kind() != brine.KindTuple {
		return false, nil
	}
	n, err := f.raw.Tuple()
	if err != nil || n < p.needed || n > p.npos {
		return false, err
	}
	for i := range n {
		q := &p.params[i]
		if netref.AssignPlain(f.slots[q.slot], &f.raw) {
			continue
		}
		if err := netref.AssignRaw(ctx, f.in[q.slot], &f.raw); err != nil {
			return false, p.misfit(err, q, i, nil)
		}
	}
	return true, p.defaults(f, n)
}

func (p *plan) defaults(f *frame, from int) error {
	for i := from; i < p.npos; i++ {
		if q := &p.params[i]; q.def.IsValid() {
			f.in[q.slot].Set(q.def)
		}
	}
	return nil
}

func (p *plan) assign(ctx context.Context, f *frame, i int, v any) error {
	q := &p.params[i]
	dst := f.in[q.slot]
	if q.field != nil {
		dst = dst.FieldByIndex(q.field)
	}
	if v == nil && p.operator && dst.Kind() == reflect.Pointer {
		return misfitError{} // None is no operand, although Go would take nil
	}
	if err := netref.Assign(ctx, dst, v); err != nil {
		return p.misfit(err, q, i, v)
	}
	return nil
}

// bindAll follows CPython's order, so that of several mistakes the same one is reported.
func (p *plan) bindAll(ctx context.Context, f *frame, pos []any, kw []netref.Keyword) error {
	if !p.declared && len(kw) > 0 && p.keywordless() {
		return vinegar.TypeError.Errorf("%s() takes no keyword arguments", p.title())
	}
	values := make([]any, len(p.params))
	given := make([]bool, len(p.params))
	for i := 0; i < len(pos) && i < p.npos; i++ {
		values[i], given[i] = pos[i], true
	}
	extra, rest := -1, -1
	for i := range p.params {
		switch p.params[i].kind {
		case varPositional:
			extra = i
		case varKeyword:
			rest = i
		}
	}
	var unknown []netref.Keyword
	for _, k := range kw {
		i := p.named(k.Name)
		switch {
		case i < 0 && k.Name == p.self && !p.selfOnlyByPosition():
			return vinegar.TypeError.Errorf("%s() got multiple values for argument '%s'", p.title(), k.Name)
		case i < 0 && rest >= 0:
			unknown = append(unknown, k)
		case i < 0:
			return p.unexpected(k.Name, kw)
		case given[i]:
			return vinegar.TypeError.Errorf("%s() got multiple values for argument '%s'", p.title(), k.Name)
		default:
			values[i], given[i] = k.Value, true
		}
	}
	if len(pos) > p.npos && extra < 0 {
		return p.tooMany(len(pos), given)
	}
	if err := p.missing(given); err != nil {
		return err
	}
	if extra >= 0 {
		more := brine.Tuple{}
		if len(pos) > p.npos {
			more = append(more, pos[p.npos:]...)
		}
		values[extra], given[extra] = more, true
	}
	for i := range p.params {
		q := &p.params[i]
		switch {
		case q.kind == varKeyword:
			if err := p.assignRest(ctx, f, q, unknown); err != nil {
				return err
			}
		case given[i]:
			if err := p.assign(ctx, f, i, values[i]); err != nil {
				return err
			}
		case q.def.IsValid():
			dst := f.in[q.slot]
			if q.field != nil {
				dst = dst.FieldByIndex(q.field)
			}
			dst.Set(q.def)
		}
	}
	return nil
}

func (p *plan) assignRest(ctx context.Context, f *frame, q *param, kw []netref.Keyword) error {
	dst := f.in[q.slot]
	if q.typ == keywordsType {
		dst.Set(reflect.ValueOf(kw))
		return nil
	}
	m := reflect.MakeMapWithSize(q.typ, len(kw))
	for _, k := range kw {
		v := reflect.New(q.typ.Elem()).Elem()
		if err := netref.Assign(ctx, v, k.Value); err != nil {
			return p.misfit(err, &param{name: k.Name, typ: q.typ.Elem()}, 0, k.Value)
		}
		m.SetMapIndex(reflect.ValueOf(k.Name).Convert(q.typ.Key()), v)
	}
	dst.Set(m)
	return nil
}

// keywordless reports whether no parameter can be given by keyword.
func (p *plan) keywordless() bool {
	for i := range p.params {
		if k := p.params[i].kind; k != positionalOnly && k != varPositional {
			return false
		}
	}
	return true
}

// named finds the parameter that a keyword names, -1 if there is none.
func (p *plan) named(name string) int {
	for i := range p.params {
		q := &p.params[i]
		if q.name == name && (q.kind == positionalOrKeyword || q.kind == keywordOnly) {
			return i
		}
	}
	return -1
}

// selfOnlyByPosition reports whether "self" is before a "/".
func (p *plan) selfOnlyByPosition() bool {
	return p.self == "" || len(p.params) > 0 && p.params[0].kind == positionalOnly
}

func (p *plan) unexpected(name string, kw []netref.Keyword) error {
	var wrong []string
	if p.self != "" && p.selfOnlyByPosition() && index(kw, p.self) >= 0 {
		wrong = append(wrong, p.self)
	}
	for i := range p.params {
		q := &p.params[i]
		if q.kind == positionalOnly && p.declared && index(kw, q.name) >= 0 {
			wrong = append(wrong, q.name)
		}
	}
	if len(wrong) > 0 {
		return vinegar.TypeError.Errorf("%s() got some positional-only arguments passed as keyword arguments: '%s'",
			p.title(), strings.Join(wrong, ", "))
	}
	return vinegar.TypeError.Errorf("%s() got an unexpected keyword argument '%s'", p.title(), name)
}

func (p *plan) tooMany(n int, given []bool) error {
	keywordOnlyGiven := 0
	for i := range p.params {
		if p.params[i].kind == keywordOnly && given[i] {
			keywordOnlyGiven++
		}
	}
	least, most := p.needed, p.npos
	if p.self != "" { // CPython counts the object too
		n, least, most = n+1, least+1, most+1
	}
	takes, s := fmt.Sprint(most), plural(most)
	if least != most {
		takes, s = fmt.Sprintf("from %d to %d", least, most), "s"
	}
	were, also := "were", ""
	if n == 1 {
		were = "was"
	}
	if keywordOnlyGiven > 0 {
		were = "were"
		also = fmt.Sprintf(" positional argument%s (and %d keyword-only argument%s)",
			plural(n), keywordOnlyGiven, plural(keywordOnlyGiven))
	}
	return vinegar.TypeError.Errorf("%s() takes %s positional argument%s but %d%s %s given", p.title(), takes, s, n, also, were)
}

func (p *plan) missing(given []bool) error {
	for _, kind := range []struct {
		name string
		is   func(paramKind) bool
	}{
		{"positional", func(k paramKind) bool { return k <= positionalOrKeyword }},
		{"keyword-only", func(k paramKind) bool { return k == keywordOnly }},
	} {
		var names []string
		for i := range p.params {
			if q := &p.params[i]; kind.is(q.kind) && !given[i] && q.required() {
				names = append(names, "'"+q.name+"'")
			}
		}
		if n := len(names); n > 0 {
			return vinegar.TypeError.Errorf("%s() missing %d required %s argument%s: %s",
				p.title(), n, kind.name, plural(n), enumerate(names))
		}
	}
	return nil
}

// enumerate writes a list as CPython's messages do.
func enumerate(names []string) string {
	switch n := len(names); n {
	case 1:
		return names[0]
	case 2:
		return names[0] + " and " + names[1]
	default:
		return strings.Join(names[:n-1], ", ") + ", and " + names[n-1]
	}
}

// misfitError marks an argument whose type does not fit its parameter.
type misfitError struct{ exc *vinegar.Error }

func (m misfitError) Error() string { return m.exc.Error() }

// misfit turns a failed conversion into the exception that CPython's own functions raise for a wrong argument.
// Failures of the connection or of the peer pass through.
func (p *plan) misfit(err error, q *param, i int, v any) error {
	var ce *netref.ConvertError
	if !errors.As(err, &ce) {
		return err
	}
	which := fmt.Sprintf("argument '%s'", q.name)
	if !p.declared && q.kind == positionalOnly {
		which = fmt.Sprintf("argument %d", i+1)
	}
	if q.kind == varPositional {
		which = "arguments"
	}
	if ce.Path != "" {
		which += " at " + ce.Path
	}
	if ce.Reason == "out of range" {
		return vinegar.OverflowError.Errorf("%s() %s: %s out of range for Go type %v", p.title(), which, ce.From, ce.To)
	}
	from := strings.TrimPrefix(ce.From, "builtins.")
	if ce.Path == "" && strings.HasPrefix(from, "Go ") { // an object of ours that came back
		from = TypeName(v)
	}
	if ce.Reason != "" {
		return misfitError{vinegar.TypeError.Errorf("%s() %s must be %s, not %s (%s)",
			p.title(), which, wanted(ce.To), from, ce.Reason)}
	}
	return misfitError{vinegar.TypeError.Errorf("%s() %s must be %s, not %s", p.title(), which, wanted(ce.To), from)}
}

// notFitting is what a call returns whose arguments could not be bound.
func notFitting(p *plan, err error) (any, error) {
	if m, ok := err.(misfitError); ok {
		if p.operator {
			return brine.NotImplemented, nil
		}
		return nil, m.exc
	}
	return nil, err
}

// wanted names a Go type as the Python type that fits it.
func wanted(t reflect.Type) string {
	switch k := t.Kind(); {
	case t == durationType:
		return "a number of seconds"
	case t == reflect.PointerTo(bigIntType), k >= reflect.Int && k <= reflect.Uintptr:
		return "int"
	case k == reflect.Bool:
		return "bool"
	case k == reflect.Float32 || k == reflect.Float64:
		return "float"
	case k == reflect.Complex64 || k == reflect.Complex128:
		return "complex"
	case k == reflect.String:
		return "str"
	case k == reflect.Slice && t.Elem().Kind() == reflect.Uint8:
		return "bytes"
	case k == reflect.Slice:
		return "a sequence"
	case k == reflect.Array:
		return fmt.Sprintf("a sequence of %d items", t.Len())
	case k == reflect.Map:
		return "a mapping"
	case k == reflect.Func:
		return "callable"
	case k == reflect.Interface:
		return t.Name()
	}
	return bareName(classOfType(t).Name())
}

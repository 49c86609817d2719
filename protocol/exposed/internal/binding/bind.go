package binding

import (
	"context"
	"reflect"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/netref"
)

// bind converts the arguments into the buffer's variables.
func (p *Plan) bind(ctx context.Context, b *argBuffer, a *Args) error {
	if p.simple && a.HasNoKeywords() {
		done, err := p.bindSimple(ctx, b, a)
		if done || err != nil {
			return err
		}
	}
	pos, kw, err := a.Both()
	if err != nil {
		return err
	}
	return p.bindAll(ctx, b, a, pos, kw)
}

// bindSimple is for the common case: positional parameters only, and as many arguments as fit. It reports false if
// the case is another one.
func (p *Plan) bindSimple(ctx context.Context, b *argBuffer, a *Args) (bool, error) {
	if a.rawPos == nil {
		n := len(a.pos)
		if n < p.required || n > p.positional {
			return false, nil
		}
		for i, v := range a.pos {
			if err := p.assign(ctx, b, i, v); err != nil {
				return false, err
			}
			a.bound(v, p.params[i].typ)
		}
		p.setDefaults(b, n)
		return true, nil
	}
	b.cursor = a.cursor(a.rawPos)
	if b.cursor.Kind() != brine.KindTuple {
		return false, nil
	}
	n, err := b.cursor.Tuple()
	if err != nil || n < p.required || n > p.positional {
		return false, err
	}
	for i := range n {
		q := &p.params[i]
		if pyvalue.Decode(b.pointers[q.index], &b.cursor) {
			continue
		}
		if err := netref.AssignRaw(ctx, b.in[q.index], &b.cursor); err != nil {
			return false, p.misfit(err, q, i, nil)
		}
	}
	p.setDefaults(b, n)
	return true, nil
}

// setDefaults gives the positional parameters from the given one on their defaults.
func (p *Plan) setDefaults(b *argBuffer, from int) {
	for i := from; i < p.positional; i++ {
		if q := &p.params[i]; q.def.IsValid() {
			b.in[q.index].Set(q.def)
		}
	}
}

// variable is where the argument for the parameter goes.
func (b *argBuffer) variable(q *Param) reflect.Value {
	if q.field != nil {
		return b.in[q.index].FieldByIndex(q.field)
	}
	return b.in[q.index]
}

// assign converts v into the variable of the parameter i.
func (p *Plan) assign(ctx context.Context, b *argBuffer, i int, v any) error {
	q := &p.params[i]
	dst := b.variable(q)
	if v == nil && p.operator && dst.Kind() == reflect.Pointer {
		return misfitError{} // None is no operand, although Go would take nil
	}
	if err := netref.Assign(ctx, dst, v); err != nil {
		return p.misfit(err, q, i, v)
	}
	return nil
}

// bindAll follows CPython's order, so that of several mistakes the same one is reported.
func (p *Plan) bindAll(ctx context.Context, b *argBuffer, a *Args, pos []any, kw []netref.Keyword) error {
	if !p.declared && len(kw) > 0 && p.takesNoKeywords() {
		return p.noKeywordArguments()
	}
	values := make([]any, len(p.params))
	given := make([]bool, len(p.params))
	for i := 0; i < len(pos) && i < p.positional; i++ {
		values[i], given[i] = pos[i], true
	}
	unknown, err := p.matchKeywords(ctx, kw, values, given)
	if err != nil {
		return err
	}
	rest := p.paramOf(VarPositional)
	if len(pos) > p.positional && rest < 0 {
		return p.tooManyPositional(len(pos), given)
	}
	if err := p.missingArguments(given); err != nil {
		return err
	}
	if rest >= 0 {
		more := brine.Tuple{}
		if len(pos) > p.positional {
			more = append(more, pos[p.positional:]...)
		}
		values[rest], given[rest] = more, true
	}
	for i := range p.params {
		q := &p.params[i]
		switch {
		case q.Kind == VarKeyword:
			if err := p.assignUnknown(ctx, b, q, unknown); err != nil {
				return err
			}
		case given[i]:
			if err := p.assign(ctx, b, i, values[i]); err != nil {
				return err
			}
			a.bound(values[i], q.typ)
		case q.def.IsValid():
			b.variable(q).Set(q.def)
		}
	}
	return nil
}

// matchKeywords enters keyword arguments for the parameters that they name into values and given. It returns those that
// name none, which **kwargs takes.
func (p *Plan) matchKeywords(ctx context.Context, kw []netref.Keyword, values []any, given []bool) (
	unknown []netref.Keyword, err error,
) {
	takesUnknown := p.paramOf(VarKeyword) >= 0
	for n, k := range kw {
		if err := stillWanted(ctx, n); err != nil {
			return nil, err
		}
		i := p.paramNamed(k.Name)
		switch {
		case i < 0 && k.Name == p.self && !p.selfOnlyByPosition():
			return nil, p.multipleValues(k.Name)
		case i < 0 && takesUnknown:
			unknown = append(unknown, k)
		case i < 0:
			return nil, p.unexpectedKeyword(k.Name, kw)
		case given[i]:
			return nil, p.multipleValues(k.Name)
		default:
			values[i], given[i] = k.Value, true
		}
	}
	return unknown, nil
}

// stillWanted is called in loops over what a peer sent, with the number of the round: it fails when the context of the
// call has ended, because the connection has.
func stillWanted(ctx context.Context, n int) error {
	if n&1023 == 1023 && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return nil
}

// assignUnknown converts the keywords that name no parameter into the variable of **kwargs.
func (p *Plan) assignUnknown(ctx context.Context, b *argBuffer, q *Param, kw []netref.Keyword) error {
	dst := b.in[q.index]
	if q.typ == keywordsType {
		dst.Set(reflect.ValueOf(kw))
		return nil
	}
	m := reflect.MakeMapWithSize(q.typ, len(kw))
	for n, k := range kw {
		if err := stillWanted(ctx, n); err != nil {
			return err
		}
		v := reflect.New(q.typ.Elem()).Elem()
		if err := netref.Assign(ctx, v, k.Value); err != nil {
			return p.misfit(err, &Param{Name: k.Name, typ: q.typ.Elem()}, 0, k.Value)
		}
		m.SetMapIndex(reflect.ValueOf(k.Name).Convert(q.typ.Key()), v)
	}
	dst.Set(m)
	return nil
}

// takesNoKeywords reports whether no parameter can be given by keyword.
func (p *Plan) takesNoKeywords() bool {
	for i := range p.params {
		if k := p.params[i].Kind; k != PositionalOnly && k != VarPositional {
			return false
		}
	}
	return true
}

// paramNamed finds the parameter that a keyword names, -1 if there is none.
func (p *Plan) paramNamed(name string) int {
	for i := range p.params {
		if q := &p.params[i]; q.Name == name && q.takesKeyword() {
			return i
		}
	}
	return -1
}

// paramOf finds the parameter of a kind of which there is one at most, -1 if there is none.
func (p *Plan) paramOf(kind Kind) int {
	for i := range p.params {
		if p.params[i].Kind == kind {
			return i
		}
	}
	return -1
}

// selfOnlyByPosition reports whether "self" is before a "/".
func (p *Plan) selfOnlyByPosition() bool {
	return p.self == "" || len(p.params) > 0 && p.params[0].Kind == PositionalOnly
}

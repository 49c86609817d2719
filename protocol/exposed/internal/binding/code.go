package binding

import (
	"slices"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
)

// The bits of co_flags that say what a function takes.
const (
	codeVarArgs     = 0x04
	codeVarKeywords = 0x08
)

// Count counts the parameters of the kinds from first to last, the object included.
func (p *Plan) Count(first, last Kind) int {
	n := 0
	for _, q := range p.Params() {
		if q.Kind >= first && q.Kind <= last {
			n++
		}
	}
	if p.Self() != "" && first == PositionalOnly {
		n++
	}
	return n
}

// CountPositionalOnly is co_posonlyargcount: the object alone is positional-only in no signature.
func (p *Plan) CountPositionalOnly() int {
	if n := p.Count(PositionalOnly, PositionalOnly); n > 1 || p.Self() == "" {
		return n
	}
	return 0
}

// Defaults are those of positional parameters, which are the last ones of them.
func (p *Plan) Defaults() (defaults brine.Tuple) {
	for _, q := range p.Params() {
		if q.Kind <= PositionalOrKeyword && !q.Required() {
			defaults = append(defaults, q.shownDefault())
		}
	}
	return defaults
}

// KeywordDefaults are those of keyword-only parameters.
func (p *Plan) KeywordDefaults() (defaults []netref.Keyword) {
	for _, q := range p.Params() {
		if q.Kind == KeywordOnly && !q.Required() {
			defaults = append(defaults, netref.Keyword{Name: q.Name, Value: q.shownDefault()})
		}
	}
	return defaults
}

// shownDefault is the default for peers to look at: Ellipsis for a field that keeps its zero value.
func (p *Param) shownDefault() any {
	if v, ok := p.Default(); ok {
		return v
	}
	return brine.Ellipsis
}

// VarNames lists the parameters in CPython's order: *args and **kwargs come last.
func (p *Plan) VarNames() brine.Tuple {
	names := brine.Tuple{}
	if self := p.Self(); self != "" {
		names = append(names, self)
	}
	for _, kinds := range [][]Kind{
		{PositionalOnly, PositionalOrKeyword}, {KeywordOnly},
		{VarPositional}, {VarKeyword},
	} {
		for _, q := range p.Params() {
			if slices.Contains(kinds, q.Kind) {
				names = append(names, q.Name)
			}
		}
	}
	return names
}

// CodeFlags is co_flags: what the function takes.
func (p *Plan) CodeFlags() int {
	flags := 0x03 // optimised, with locals of its own
	for _, q := range p.Params() {
		switch q.Kind {
		case VarPositional:
			flags |= codeVarArgs
		case VarKeyword:
			flags |= codeVarKeywords
		}
	}
	return flags
}

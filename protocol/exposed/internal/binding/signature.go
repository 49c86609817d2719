package binding

import "strings"

// signature is the parameter list as Python writes it.
func signature(ps []Param, self string) string {
	var b strings.Builder
	b.WriteByte('(')
	if self != "" {
		b.WriteString(self)
	}
	last := PositionalOnly
	for i := range ps {
		p := &ps[i]
		if b.Len() > 1 {
			b.WriteString(", ")
		}
		if last == PositionalOnly && p.Kind > PositionalOnly && i > 0 {
			b.WriteString("/, ")
		}
		if p.Kind == KeywordOnly && last < VarPositional {
			b.WriteString("*, ")
		}
		switch last = p.Kind; p.Kind {
		case VarPositional:
			b.WriteByte('*')
		case VarKeyword:
			b.WriteString("**")
		}
		b.WriteString(p.Name)
		switch {
		case p.def.IsValid():
			b.WriteString("=" + p.literal)
		case p.optional:
			b.WriteString("=...")
		}
	}
	if last == PositionalOnly && len(ps) > 0 {
		b.WriteString(", /")
	}
	b.WriteByte(')')
	return b.String()
}

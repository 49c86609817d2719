package script

import (
	"go.starlark.net/syntax"

	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// signs are the binary operators that become calls.
var signs = map[syntax.Token]string{
	syntax.PLUS: "+", syntax.MINUS: "-", syntax.STAR: "*", syntax.SLASH: "/", syntax.SLASHSLASH: "//", syntax.PERCENT: "%",
	syntax.AMP: "&", syntax.PIPE: "|", syntax.CIRCUMFLEX: "^", syntax.LTLT: "<<", syntax.GTGT: ">>",
	syntax.EQL: "==", syntax.NEQ: "!=", syntax.LT: "<", syntax.LE: "<=", syntax.GT: ">", syntax.GE: ">=", syntax.IN: "in", syntax.NOT_IN: "not in",
}

func (r *rewriter) exprs(list []syntax.Expr, s scope) []syntax.Expr {
	for i := range list {
		list[i] = r.expr(list[i], s)
	}
	return list
}

// maxDepth bounds how deep expressions are nested: the parser's positions take time by the square of it.
const maxDepth = 1000

// tooLong reports whether a chain such as a + b + c …, which is nested to the left, is longer than maxDepth.
func tooLong(e syntax.Expr) bool {
	for range maxDepth {
		switch x := e.(type) {
		case *syntax.BinaryExpr:
			e = x.X
		case *syntax.DotExpr:
			e = x.X
		case *syntax.CallExpr:
			e = x.Fn
		case *syntax.IndexExpr:
			e = x.X
		case *syntax.SliceExpr:
			e = x.X
		default:
			return false
		}
	}
	return true
}

func (r *rewriter) expr(e syntax.Expr, s scope) syntax.Expr {
	if r.depth++; r.err == nil && (r.depth > maxDepth || tooLong(e)) {
		r.err = vinegar.RecursionError.New("maximum recursion depth exceeded during compilation")
	}
	defer func() { r.depth-- }()
	if r.err != nil {
		return e
	}
	switch x := e.(type) {
	case *syntax.Ident:
		switch {
		case x.Name == "None" || x.Name == "True" || x.Name == "False" || internal[x.Name] || s.local[x.Name]:
			return x
		}
		return global(x.Name, x)
	case *syntax.ParenExpr:
		return r.expr(x.X, s)
	case *syntax.CallExpr:
		x.Fn = r.expr(x.Fn, s)
		for i, a := range x.Args {
			x.Args[i] = r.argument(a, s)
		}
	case *syntax.DotExpr:
		return call(attrCall, x, r.expr(x.X, s), text(x.Name.Name, x))
	case *syntax.IndexExpr:
		return call(itemCall, x, r.expr(x.X, s), r.expr(x.Y, s))
	case *syntax.SliceExpr:
		return call(itemCall, x, r.expr(x.X, s), r.slice(x, s))
	case *syntax.ListExpr:
		return call(listCall, x, tuple(x, r.exprs(x.List, s)))
	case *syntax.TupleExpr:
		x.List = r.exprs(x.List, s)
	case *syntax.DictExpr:
		pairs := make([]syntax.Expr, len(x.List))
		for i, entry := range x.List {
			d := entry.(*syntax.DictEntry)
			pairs[i] = tuple(d, []syntax.Expr{r.expr(d.Key, s), r.expr(d.Value, s)})
		}
		return call(dictCall, x, tuple(x, pairs))
	case *syntax.Comprehension:
		return r.comprehension(x, s)
	case *syntax.CondExpr:
		x.Cond, x.True, x.False = r.expr(x.Cond, s), r.expr(x.True, s), r.expr(x.False, s)
	case *syntax.LambdaExpr:
		// Starlark wants an expression for a body; the depth is checked where the body calls.
		body := []syntax.Stmt{&syntax.ReturnStmt{Result: x.Body}}
		params, out := r.function(x.Params, body, s, x)
		x.Params = params
		result := out[len(out)-1].(*syntax.ReturnStmt).Result
		if len(out) == 3 {
			r.fail(x, "** in the parameters of a lambda is not supported: eval and execute run Starlark, not Python")
		}
		x.Body = &syntax.IndexExpr{X: tuple(x, []syntax.Expr{call(enterCall, x), result}), Y: number(1, x)}
	case *syntax.UnaryExpr:
		if x.Op == syntax.NOT {
			x.X = r.expr(x.X, s)
			return x
		}
		return call(unaryCall, x, text(x.Op.String(), x), r.expr(x.X, s))
	case *syntax.BinaryExpr:
		return r.binary(x, s)
	case *syntax.Literal:
	default:
		r.fail(e, "invalid syntax")
	}
	return e
}

func number(n int64, at syntax.Node) syntax.Expr {
	start, _ := at.Span()
	return &syntax.Literal{Token: syntax.INT, TokenPos: start, Raw: "0", Value: n}
}

func (r *rewriter) argument(a syntax.Expr, s scope) syntax.Expr {
	switch x := a.(type) {
	case *syntax.BinaryExpr:
		if x.Op == syntax.EQ {
			x.Y = r.expr(x.Y, s)
			return x
		}
	case *syntax.UnaryExpr:
		switch x.Op {
		case syntax.STAR:
			x.X = call(iterCall, x.X, r.expr(x.X, s))
			return x
		case syntax.STARSTAR:
			x.X = call(kwCall, x.X, r.expr(x.X, s))
			return x
		}
	}
	return r.expr(a, s)
}

// slice makes the slice object of x[lo:hi:step].
func (r *rewriter) slice(x *syntax.SliceExpr, s scope) syntax.Expr {
	var parts []syntax.Expr
	for _, p := range []syntax.Expr{x.Lo, x.Hi, x.Step} {
		if p == nil {
			parts = append(parts, ident("None", x))
		} else {
			parts = append(parts, r.expr(p, s))
		}
	}
	return call(sliceCall, x, parts...)
}

func (r *rewriter) comprehension(x *syntax.Comprehension, s scope) syntax.Expr {
	inside := s
	for _, c := range x.Clauses {
		switch c := c.(type) {
		case *syntax.ForClause:
			c.X = call(iterCall, c.X, r.expr(c.X, inside))
			names := map[string]bool{}
			bound(c.Vars, names)
			for n := range names {
				inside = inside.with(n)
			}
			c.Vars = r.target(c.Vars, inside)
		case *syntax.IfClause:
			c.Cond = r.expr(c.Cond, inside)
		}
	}
	if d, ok := x.Body.(*syntax.DictEntry); ok {
		x.Curly = false
		x.Body = tuple(d, []syntax.Expr{r.expr(d.Key, inside), r.expr(d.Value, inside)})
		return call(dictCall, x, x)
	}
	x.Body = r.expr(x.Body, inside)
	return call(listCall, x, x)
}

func (r *rewriter) binary(x *syntax.BinaryExpr, s scope) syntax.Expr {
	switch x.Op {
	case syntax.AND, syntax.OR:
		x.X, x.Y = r.expr(x.X, s), r.expr(x.Y, s)
		return x
	case syntax.IN, syntax.NOT_IN:
		if y, ok := unmark(x.Y); ok {
			sign := "is"
			if x.Op == syntax.NOT_IN {
				sign = "is not"
			}
			return call(opCall, x, text(sign, x), r.expr(x.X, s), r.expr(y, s))
		}
	}
	sign, ok := signs[x.Op]
	if !ok {
		r.fail(x, "invalid syntax")
	}
	return call(opCall, x, text(sign, x), r.expr(x.X, s), r.expr(x.Y, s))
}

// unmark finds the mark that prepare has put before the right side of "is" and takes it away.
func unmark(e syntax.Expr) (syntax.Expr, bool) {
	b, ok := e.(*syntax.BinaryExpr)
	if !ok || b.Op != syntax.PIPE {
		return e, false
	}
	if id, ok := b.X.(*syntax.Ident); ok && id.Name == isMark {
		return b.Y, true
	}
	if x, ok := unmark(b.X); ok {
		b.X = x
		return b, true
	}
	return e, false
}

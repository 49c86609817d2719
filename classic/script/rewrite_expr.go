package script

import (
	"go.starlark.net/syntax"

	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

func (r *rewriter) exprs(list []syntax.Expr, s scope) []syntax.Expr {
	for i := range list {
		list[i] = r.expr(list[i], s)
	}
	return list
}

// maxDepth bounds how deep expressions are nested.
const maxDepth = 1000

// tooLong reports whether a chain such as a or b or c …, which is nested to the left, is longer than maxDepth.
func tooLong(e syntax.Expr) bool {
	for range maxDepth {
		switch x := e.(type) {
		case *syntax.BinaryExpr:
			e = x.X
		default:
			return false
		}
	}
	return true
}

func (r *rewriter) expr(e syntax.Expr, s scope) syntax.Expr {
	if r.depth++; r.err == nil && (r.depth > 2*maxDepth || tooLong(e)) {
		r.err = vinegar.RecursionError.New("maximum recursion depth exceeded during compilation")
	}
	defer func() { r.depth-- }()
	if r.err != nil {
		return e
	}
	switch x := e.(type) {
	case *syntax.Ident:
		if reserved[x.Name] {
			return x
		}
		return s.variableOf(x.Name, x)
	case *syntax.ParenExpr:
		return r.expr(x.X, s)
	case *syntax.CallExpr:
		return r.call(x, s)
	case *syntax.DotExpr:
		return call(attrCall, x, r.expr(x.X, s), text(x.Name.Name, x))
	case *syntax.IndexExpr:
		return call(itemCall, x, r.expr(x.X, s), r.expr(x.Y, s))
	case *syntax.SliceExpr:
		return call(itemCall, x, r.expr(x.X, s), r.slice(x, s))
	case *syntax.ListExpr:
		return call(listCall, x, tupleOf(x, r.exprs(x.List, s)))
	case *syntax.TupleExpr:
		return call(tupleCall, x, tupleOf(x, r.exprs(x.List, s)))
	case *syntax.DictExpr:
		pairs := make([]syntax.Expr, len(x.List))
		for i, entry := range x.List {
			d := entry.(*syntax.DictEntry)
			pairs[i] = tupleOf(d, []syntax.Expr{r.expr(d.Key, s), r.expr(d.Value, s)})
		}
		return call(dictCall, x, tupleOf(x, pairs))
	case *syntax.Comprehension:
		return r.comprehension(x, s)
	case *syntax.CondExpr:
		x.Cond, x.True, x.False = r.truth(x.Cond, s), r.expr(x.True, s), r.expr(x.False, s)
	case *syntax.LambdaExpr:
		return r.lambda(x, s)
	case *syntax.UnaryExpr: // not
		x.X = r.truth(x.X, s)
	case *syntax.BinaryExpr: // and, or
		name := bothCall
		if x.Op == syntax.OR {
			name = eitherCall
		}
		return call(name, x, r.expr(x.X, s), r.thunkOf(r.expr(x.Y, s), x))
	case *syntax.Literal:
	default:
		r.fail(e, "invalid syntax")
	}
	return e
}

// thunkOf is a function that computes an expression later.
func (r *rewriter) thunkOf(e syntax.Expr, at syntax.Node) syntax.Expr {
	start, _ := at.Span()
	return &syntax.LambdaExpr{Lambda: start, Body: e}
}

// truth rewrites a condition, whose value is a bool of Starlark's.
func (r *rewriter) truth(e syntax.Expr, s scope) syntax.Expr {
	switch x := unparen(e).(type) {
	case *syntax.BinaryExpr:
		if !tooLong(x) {
			if r.depth++; r.depth > 2*maxDepth {
				break
			}
			x.X, x.Y = r.truth(x.X, s), r.truth(x.Y, s)
			r.depth--
			return x
		}
	case *syntax.UnaryExpr:
		if x.Op == syntax.NOT {
			return r.expr(x, s)
		}
	}
	return call(truthCall, e, r.expr(e, s))
}

// call rewrites a call, among them those that the parser makes of what Starlark lacks.
func (r *rewriter) call(x *syntax.CallExpr, s scope) syntax.Expr {
	switch markOf(x) {
	case "":
		x.Fn = r.expr(x.Fn, s)
		for i, a := range x.Args {
			x.Args[i] = r.argument(a, s)
		}
		return x
	case thunkMark:
		return r.thunkOf(r.expr(x.Args[0], s), x)
	case starMark:
		r.fail(x, "can't use starred expression here")
		return x
	case tupleStarCall, listStarCall:
		return r.starred(x, s)
	case walrusCall:
		name := x.Args[0].(*syntax.Literal).Value.(string)
		store, local := s.local[name]
		if !local {
			store = nsName
		} else if store == "" {
			r.fail(x, "assignment expression cannot rebind comprehension iteration variable '"+name+"'")
		}
		return call(walrusCall, x, ident(store, x), x.Args[0], r.expr(x.Args[1], s))
	case yieldCall:
		if !s.function {
			r.fail(x, "'yield' outside function")
		}
	case yieldFromCall:
		if !s.function {
			r.fail(x, "'yield' outside function")
		}
		return call(yieldFromCall, x, call(iterCall, x, r.expr(x.Args[0], s)))
	case genCall:
		l := x.Args[1].(*syntax.LambdaExpr)
		source := call(iterCall, x, r.expr(x.Args[0], s))
		l.Body = r.expr(l.Body, s.with("", itemName))
		return call(genCall, x, source, l)
	case setCall:
		if c, ok := x.Args[0].(*syntax.Comprehension); ok {
			return call(setCall, x, r.clauses(c, s))
		}
		if t, ok := x.Args[0].(*syntax.TupleExpr); ok {
			return call(setCall, x, r.expr(t, s))
		}
		if markOf(x.Args[0]) == tupleStarCall {
			return call(setCall, x, r.starred(x.Args[0].(*syntax.CallExpr), s))
		}
		return call(setCall, x, tupleOf(x, []syntax.Expr{r.expr(x.Args[0], s)}))
	}
	x.Args = r.exprs(x.Args, s)
	return x
}

// starred makes liststar@((False, a), (True, b)) of [a, *b].
func (r *rewriter) starred(x *syntax.CallExpr, s scope) syntax.Expr {
	parts := make([]syntax.Expr, len(x.Args))
	for i, a := range x.Args {
		flag := "False"
		if isStarred(a) {
			flag = "True"
			a = a.(*syntax.CallExpr).Args[0]
		}
		parts[i] = tupleOf(x, []syntax.Expr{ident(flag, x), r.expr(a, s)})
	}
	return call(markOf(x), x, parts...)
}

func (r *rewriter) argument(a syntax.Expr, s scope) syntax.Expr {
	switch x := a.(type) {
	case *syntax.BinaryExpr:
		if x.Op == syntax.EQ {
			x.Y = r.expr(x.Y, s)
			return x
		}
	case *syntax.UnaryExpr:
		if x.Op == syntax.STAR || x.Op == syntax.STARSTAR {
			x.X = r.expr(x.X, s)
			return x
		}
	}
	return r.expr(a, s)
}

// lambda rewrites a lambda, of which Starlark wants the body to be an expression: what a def would have statements for
// are arguments of a lambda in it.
func (r *rewriter) lambda(x *syntax.LambdaExpr, s scope) syntax.Expr {
	start, _ := x.Span()
	params, out := r.function(x.Params, []syntax.Stmt{&syntax.ReturnStmt{Return: start, Result: x.Body}}, s, x)
	x.Params = params
	last, ok := out[len(out)-1].(*syntax.ReturnStmt)
	if !ok || markOf(last.Result) == coroutine {
		r.fail(x, "yield in a lambda is not supported: eval and execute run Starlark, not Python")
		return x
	}
	body := last.Result
	for i := len(out) - 2; i >= 0; i-- {
		switch st := out[i].(type) {
		case *syntax.ExprStmt:
			body = &syntax.IndexExpr{X: tupleOf(x, []syntax.Expr{st.X, body}), Lbrack: start, Y: number(1, x), Rbrack: start}
		case *syntax.AssignStmt:
			inner := &syntax.LambdaExpr{Lambda: start, Params: []syntax.Expr{ident(st.LHS.(*syntax.Ident).Name, x)}, Body: body}
			body = &syntax.CallExpr{Fn: inner, Lparen: start, Args: []syntax.Expr{st.RHS}, Rparen: start}
		}
	}
	x.Body = body
	return call(funcCall, x, x)
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
	name := listCall
	if x.Curly {
		name = dictCall
	}
	return call(name, x, r.clauses(x, s))
}

// clauses rewrites a comprehension to one of Starlark's that makes a list; pairs for a dict.
func (r *rewriter) clauses(x *syntax.Comprehension, s scope) syntax.Expr {
	inside := s
	for _, c := range x.Clauses {
		switch c := c.(type) {
		case *syntax.ForClause:
			c.X = call(iterCall, c.X, r.expr(c.X, inside))
			names := newBindings()
			names.target(c.Vars)
			for n := range names.names {
				inside = inside.with("", n)
			}
			c.Vars = r.loopVars(c)
		case *syntax.IfClause:
			c.Cond = r.truth(c.Cond, inside)
		}
	}
	if d, ok := x.Body.(*syntax.DictEntry); ok {
		x.Curly = false
		x.Body = tupleOf(d, []syntax.Expr{r.expr(d.Key, inside), r.expr(d.Value, inside)})
		return x
	}
	x.Body = r.expr(x.Body, inside)
	return x
}

// loopVars are the variables of a comprehension. Starlark unpacks them, from what the iterator has made a tuple of.
func (r *rewriter) loopVars(c *syntax.ForClause) syntax.Expr {
	var names func(e syntax.Expr) syntax.Expr
	names = func(e syntax.Expr) syntax.Expr {
		switch x := unparen(e).(type) {
		case *syntax.Ident:
			return x
		case *syntax.TupleExpr:
			for i := range x.List {
				x.List[i] = names(x.List[i])
			}
			return x
		case *syntax.ListExpr:
			return names(&syntax.TupleExpr{Lparen: x.Lbrack, List: x.List, Rparen: x.Rbrack})
		}
		r.fail(e, "this target of a comprehension is not supported: eval and execute run Starlark, not Python")
		return e
	}
	vars := names(c.Vars)
	if shape := shapeOf(vars, c); shape != nil {
		c.X.(*syntax.CallExpr).Args = append(c.X.(*syntax.CallExpr).Args, shape)
	}
	return vars
}

// shapeOf tells iter@ how items are to be unpacked: nil for a single variable, a tuple of shapes, None for those that
// are one.
func shapeOf(e syntax.Expr, at syntax.Node) syntax.Expr {
	t, ok := e.(*syntax.TupleExpr)
	if !ok {
		return nil
	}
	parts := make([]syntax.Expr, len(t.List))
	for i, x := range t.List {
		if parts[i] = shapeOf(x, at); parts[i] == nil {
			parts[i] = ident("None", at)
		}
	}
	return tupleOf(at, parts)
}

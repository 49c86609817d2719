package script

import (
	"maps"

	"go.starlark.net/syntax"
)

// The rewriter gives Starlark Python's meaning: a name that is not local to a function is looked up in the namespace
// when it is used, operators and displays become calls of the functions in ops.go, which have Python's semantics. Control flow,
// functions and their local variables remain Starlark's.
//
// Names of the functions that rewritten code calls. No program can contain them: they are no identifiers of Python.
const (
	nsName      = "ns@"
	opCall      = "op@"
	inplaceCall = "inplace@"
	unaryCall   = "unary@"
	itemCall    = "item@"
	sliceCall   = "slice@"
	attrCall    = "attr@"
	setItemCall = "setitem@"
	setAttrCall = "setattr@"
	augItemCall = "augitem@"
	augAttrCall = "augattr@"
	iterCall    = "iter@"
	listCall    = "list@"
	dictCall    = "dict@"
	kwCall      = "kwargs@"
	enterCall   = "enter@"
	delNameCall = "delname@"
	delItemCall = "delitem@"
	delAttrCall = "delattr@"
	isMark      = "__Is"
	globalCall  = "__Global"
	delCall     = "__Del"
	raiseCall   = "__Raise"
	assertCall  = "__Assert"
	importCall  = "__Import"
	fromCall    = "__From"
	starCall    = "__Star"
)

var internal = map[string]bool{raiseCall: true, assertCall: true, importCall: true, fromCall: true, starCall: true}

// scope knows the names that are local: nil at the top level, where all are the namespace's.
type scope struct {
	local    map[string]bool
	function bool
}

func (s scope) with(names ...string) scope {
	local := maps.Clone(s.local)
	if local == nil {
		local = map[string]bool{}
	}
	for _, n := range names {
		local[n] = true
	}
	return scope{local, s.function}
}

// rewriter collects the first error.
type rewriter struct {
	err   error
	depth int // of the expression
}

func (r *rewriter) fail(at syntax.Node, text string) {
	if r.err == nil {
		start, _ := at.Span()
		r.err = syntaxError(text, int(start.Line), int(start.Col), "")
	}
}

func ident(name string, at syntax.Node) *syntax.Ident {
	start, _ := at.Span()
	return &syntax.Ident{Name: name, NamePos: start}
}

func call(name string, at syntax.Node, args ...syntax.Expr) syntax.Expr {
	start, end := at.Span()
	return &syntax.CallExpr{Fn: ident(name, at), Lparen: start, Args: args, Rparen: end}
}

func text(s string, at syntax.Node) syntax.Expr {
	start, _ := at.Span()
	return &syntax.Literal{Token: syntax.STRING, TokenPos: start, Raw: `""`, Value: s}
}

func tuple(at syntax.Node, items []syntax.Expr) syntax.Expr {
	start, end := at.Span()
	return &syntax.TupleExpr{Lparen: start, List: items, Rparen: end}
}

// global is the namespace's item of that name.
func global(name string, at syntax.Node) syntax.Expr {
	start, end := at.Span()
	return &syntax.IndexExpr{X: ident(nsName, at), Lbrack: start, Y: text(name, at), Rbrack: end}
}

func (r *rewriter) block(stmts []syntax.Stmt, s scope) []syntax.Stmt {
	var out []syntax.Stmt
	for _, st := range stmts {
		out = append(out, r.stmt(st, s)...)
	}
	return out
}

func (r *rewriter) stmt(st syntax.Stmt, s scope) []syntax.Stmt {
	switch x := st.(type) {
	case *syntax.ExprStmt:
		if c, ok := x.X.(*syntax.CallExpr); ok {
			if id, ok := c.Fn.(*syntax.Ident); ok && id.Name == globalCall {
				return nil // seen by locals
			} else if ok && id.Name == delCall {
				return r.del(c.Args, s)
			}
		}
		x.X = r.expr(x.X, s)
	case *syntax.AssignStmt:
		return r.assign(x, s)
	case *syntax.DefStmt:
		name := x.Name.Name
		x.Params, x.Body = r.function(x.Params, x.Body, s, x)
		if s.local[name] {
			return []syntax.Stmt{x}
		}
		return []syntax.Stmt{x, &syntax.AssignStmt{Op: syntax.EQ, OpPos: x.Def, LHS: global(name, x), RHS: ident(name, x)}}
	case *syntax.IfStmt:
		x.Cond = r.expr(x.Cond, s)
		x.True, x.False = r.body(x.True, s, x), r.block(x.False, s)
	case *syntax.ForStmt:
		x.X = call(iterCall, x.X, r.expr(x.X, s))
		x.Vars = r.target(x.Vars, s)
		x.Body = r.body(x.Body, s, x)
	case *syntax.WhileStmt:
		x.Cond = r.expr(x.Cond, s)
		x.Body = r.body(x.Body, s, x)
	case *syntax.ReturnStmt:
		if !s.function {
			r.fail(x, "'return' outside function")
		}
		if x.Result != nil {
			x.Result = r.expr(x.Result, s)
		}
	case *syntax.LoadStmt:
		r.fail(x, "invalid syntax")
	}
	return []syntax.Stmt{st}
}

// body is a block that must not be empty.
func (r *rewriter) body(stmts []syntax.Stmt, s scope, at syntax.Node) []syntax.Stmt {
	out := r.block(stmts, s)
	if len(out) == 0 {
		start, _ := at.Span()
		out = []syntax.Stmt{&syntax.BranchStmt{Token: syntax.PASS, TokenPos: start}}
	}
	return out
}

func (r *rewriter) del(args []syntax.Expr, s scope) []syntax.Stmt {
	var out []syntax.Stmt
	add := func(e syntax.Expr) { out = append(out, &syntax.ExprStmt{X: e}) }
	for _, a := range args {
		for p, ok := a.(*syntax.ParenExpr); ok; p, ok = a.(*syntax.ParenExpr) {
			a = p.X
		}
		switch x := a.(type) {
		case *syntax.TupleExpr:
			out = append(out, r.del(x.List, s)...)
		case *syntax.Ident:
			if s.local[x.Name] {
				r.fail(x, "deleting a local variable is not supported: eval and execute run Starlark, not Python")
			}
			add(call(delNameCall, x, text(x.Name, x)))
		case *syntax.IndexExpr:
			add(call(delItemCall, x, r.expr(x.X, s), r.expr(x.Y, s)))
		case *syntax.SliceExpr:
			add(call(delItemCall, x, r.expr(x.X, s), r.slice(x, s)))
		case *syntax.DotExpr:
			add(call(delAttrCall, x, r.expr(x.X, s), text(x.Name.Name, x)))
		default:
			r.fail(a, "cannot delete expression")
		}
	}
	return out
}

// operators are the signs of augmented assignments.
var augmented = map[syntax.Token]string{
	syntax.PLUS_EQ: "+", syntax.MINUS_EQ: "-", syntax.STAR_EQ: "*", syntax.SLASH_EQ: "/", syntax.SLASHSLASH_EQ: "//", syntax.PERCENT_EQ: "%",
	syntax.AMP_EQ: "&", syntax.PIPE_EQ: "|", syntax.CIRCUMFLEX_EQ: "^", syntax.LTLT_EQ: "<<", syntax.GTGT_EQ: ">>",
}

func (r *rewriter) assign(x *syntax.AssignStmt, s scope) []syntax.Stmt {
	value := r.expr(x.RHS, s)
	target := x.LHS
	for p, ok := target.(*syntax.ParenExpr); ok; p, ok = target.(*syntax.ParenExpr) {
		target = p.X
	}
	do := func(e syntax.Expr) []syntax.Stmt { return []syntax.Stmt{&syntax.ExprStmt{X: e}} }
	sign, isAugmented := augmented[x.Op]
	switch t := target.(type) {
	case *syntax.IndexExpr:
		if isAugmented {
			return do(call(augItemCall, x, r.expr(t.X, s), r.expr(t.Y, s), text(sign, x), value))
		}
		return do(call(setItemCall, x, value, r.expr(t.X, s), r.expr(t.Y, s)))
	case *syntax.SliceExpr:
		if isAugmented {
			return do(call(augItemCall, x, r.expr(t.X, s), r.slice(t, s), text(sign, x), value))
		}
		return do(call(setItemCall, x, value, r.expr(t.X, s), r.slice(t, s)))
	case *syntax.DotExpr:
		if isAugmented {
			return do(call(augAttrCall, x, r.expr(t.X, s), text(t.Name.Name, t), text(sign, x), value))
		}
		return do(call(setAttrCall, x, value, r.expr(t.X, s), text(t.Name.Name, t)))
	case *syntax.Ident:
		if isAugmented {
			value = call(inplaceCall, x, text(sign, x), r.expr(ident(t.Name, t), s), value)
		}
	case *syntax.TupleExpr, *syntax.ListExpr:
		if isAugmented {
			r.fail(x, "'tuple' is an illegal expression for augmented assignment")
		}
		value = call(iterCall, x.RHS, value)
	default:
		r.fail(x.LHS, "cannot assign to expression here. Maybe you meant '==' instead of '='?")
	}
	x.Op, x.LHS, x.RHS = syntax.EQ, r.target(target, s), value
	return []syntax.Stmt{x}
}

// target rewrites what is assigned to.
func (r *rewriter) target(e syntax.Expr, s scope) syntax.Expr {
	switch x := e.(type) {
	case *syntax.Ident:
		if s.local[x.Name] {
			return x
		}
		return global(x.Name, x)
	case *syntax.ParenExpr:
		return r.target(x.X, s)
	case *syntax.TupleExpr:
		for i := range x.List {
			x.List[i] = r.target(x.List[i], s)
		}
	case *syntax.ListExpr:
		for i := range x.List {
			x.List[i] = r.target(x.List[i], s)
		}
	case *syntax.IndexExpr:
		x.X, x.Y = r.expr(x.X, s), r.expr(x.Y, s)
	case *syntax.DotExpr:
		x.X = r.expr(x.X, s)
	default:
		r.fail(e, "cannot assign to expression")
	}
	return e
}

// function rewrites the parameters and body of a def or lambda in the scope s.
func (r *rewriter) function(params []syntax.Expr, body []syntax.Stmt, s scope, at syntax.Node) ([]syntax.Expr, []syntax.Stmt) {
	var names []string
	kwargs := ""
	for _, p := range params {
		switch x := p.(type) {
		case *syntax.Ident:
			names = append(names, x.Name)
		case *syntax.BinaryExpr:
			names = append(names, x.X.(*syntax.Ident).Name)
			x.Y = r.expr(x.Y, s)
		case *syntax.UnaryExpr:
			if id, ok := x.X.(*syntax.Ident); ok {
				names = append(names, id.Name)
				if x.Op == syntax.STARSTAR {
					kwargs = id.Name
				}
			}
		}
	}
	found := map[string]bool{}
	globals := map[string]bool{}
	locals(body, found, globals)
	inside := s.with(names...)
	inside.function = true
	for n := range found {
		inside.local[n] = true
	}
	for n := range globals {
		delete(inside.local, n)
	}
	out := []syntax.Stmt{&syntax.ExprStmt{X: call(enterCall, at)}}
	if kwargs != "" { // a dict of Python's
		out = append(out, &syntax.AssignStmt{Op: syntax.EQ, LHS: ident(kwargs, at), RHS: call(dictCall, at, ident(kwargs, at))})
	}
	return params, append(out, r.block(body, inside)...)
}

// locals collects the names that statements bind, without those of nested functions, and those declared global.
func locals(stmts []syntax.Stmt, found, globals map[string]bool) {
	for _, st := range stmts {
		switch x := st.(type) {
		case *syntax.AssignStmt:
			bound(x.LHS, found)
		case *syntax.DefStmt:
			found[x.Name.Name] = true
		case *syntax.IfStmt:
			locals(x.True, found, globals)
			locals(x.False, found, globals)
		case *syntax.ForStmt:
			bound(x.Vars, found)
			locals(x.Body, found, globals)
		case *syntax.WhileStmt:
			locals(x.Body, found, globals)
		case *syntax.ExprStmt:
			if c, ok := x.X.(*syntax.CallExpr); ok {
				if id, ok := c.Fn.(*syntax.Ident); ok && id.Name == globalCall {
					for _, a := range c.Args {
						if l, ok := a.(*syntax.Literal); ok {
							globals[l.Value.(string)] = true
						}
					}
				}
			}
		}
	}
}

func bound(e syntax.Expr, found map[string]bool) {
	switch x := e.(type) {
	case *syntax.Ident:
		found[x.Name] = true
	case *syntax.ParenExpr:
		bound(x.X, found)
	case *syntax.TupleExpr:
		for _, i := range x.List {
			bound(i, found)
		}
	case *syntax.ListExpr:
		for _, i := range x.List {
			bound(i, found)
		}
	}
}

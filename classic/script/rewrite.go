package script

import (
	"maps"

	"go.starlark.net/syntax"
)

// The rewriter gives Starlark Python's meaning: a name that is not local to a function is looked up in the namespace
// when it is used, operators and displays become calls of the functions in ops.go, which have Python's semantics. Plain
// control flow, functions and their local variables remain Starlark's.
//
// Names of functions that the parser and the rewriter call. No program can contain them: they are no identifiers of
// Python.
const (
	nsName      = "ns@"
	opCall      = "op@"
	chainCall   = "chain@"
	inplaceCall = "inplace@"
	unaryCall   = "unary@"
	truthCall   = "truth@"
	bothCall    = "and@"
	eitherCall  = "or@"
	itemCall    = "item@"
	sliceCall   = "slice@"
	attrCall    = "attr@"
	setItemCall = "setitem@"
	setAttrCall = "setattr@"
	augItemCall = "augitem@"
	augAttrCall = "augattr@"
	iterCall    = "iter@"
	checkCall   = "check@"
	unpackCall  = "unpack@"
	listCall    = "list@"
	tupleCall   = "tuple@"
	dictCall    = "dict@"
	setCall     = "set@"
	mergeCall   = "merge@"
	kwCall      = "kwargs@"
	complexCall = "complex@"
	joinCall    = "join@"
	formatCall  = "format@"
	enterCall   = "enter@"
	storeCall   = "store@"
	funcCall    = "function@"
	showCall    = "show@"
	genCall     = "gen@"
	yieldCall   = "yield@"
	coroutine   = "coroutine@"
	tryCall     = "try@"
	withCall    = "with@"
	signalCall  = "signal@"
	isSignal    = "issignal@"
	signalValue = "signalvalue@"
	delNameCall = "delname@"
	delItemCall = "delitem@"
	delAttrCall = "delattr@"
	raiseCall   = "raise@"
	assertCall  = "assert@"
	importCall  = "import@"
	fromCall    = "from@"
	starCall    = "importstar@"
	itemName    = "item@1"

	// What follows is the parser's, and nothing of it is left when the rewriter has finished.
	starMark        = "star@"
	tupleStarCall   = "tuplestar@"
	listStarCall    = "liststar@"
	walrusCall      = "walrus@"
	yieldFromCall   = "yieldfrom@"
	globalCall      = "global@"
	nonlocalCall    = "nonlocal@"
	delCall         = "del@"
	chainAssignCall = "assign@"
	tryMark         = "trying@"
	exceptMark      = "except@"
	elseMark        = "else@"
	finallyMark     = "finally@"
	withMark        = "within@"
	thunkMark       = "thunk@"
	loopElseMark    = "loopelse@"
)

// scope is a place in a program.
type scope struct {
	// local has the names that are local: by the variable that holds the object with them all if try, with, yield
	// or an inner function have to reach them, or "" for a variable of Starlark's. nil at the top level.
	local    map[string]string
	function bool
	store    string // where this function has its names, "" if in variables
	flow     flow
}

// flow says what break, continue and return mean at a place.
type flow struct {
	loop    bool     // a loop of this function is around it
	outside bool     // one is around the try statement whose block this function is
	signals *signals // of the innermost try or with statement whose block is a function of its own
	broke   string   // the variable that tells the else of the innermost loop that it was left
}

// signals are what a block can end with.
type signals struct{ returns, breaks, continues bool }

func (s scope) with(store string, names ...string) scope {
	local := maps.Clone(s.local)
	if local == nil {
		local = map[string]string{}
	}
	for _, n := range names {
		local[n] = store
	}
	s.local = local
	return s
}

func (s scope) looping(broke string) scope {
	s.flow.loop, s.flow.broke = true, broke
	return s
}

// rewriter collects the first error.
type rewriter struct {
	err   error
	depth int  // of the expression
	made  int  // variables
	show  bool // what expressions are that are statements
}

func (r *rewriter) fail(at syntax.Node, text string) {
	if r.err == nil {
		start, _ := at.Span()
		r.err = syntaxError(text, int(start.Line), int(start.Col), "")
	}
}

// variable makes a name that no program has.
func (r *rewriter) variable(what string) string {
	r.made++
	return what + "@" + itoa(r.made)
}

func ident(name string, at syntax.Node) *syntax.Ident {
	start, _ := at.Span()
	return &syntax.Ident{Name: name, NamePos: start}
}

func call(name string, at syntax.Node, args ...syntax.Expr) syntax.Expr {
	start, _ := at.Span()
	return &syntax.CallExpr{Fn: ident(name, at), Lparen: start, Args: args, Rparen: start}
}

func text(s string, at syntax.Node) syntax.Expr {
	start, _ := at.Span()
	return &syntax.Literal{Token: syntax.STRING, TokenPos: start, Raw: `""`, Value: s}
}

func number(n int64, at syntax.Node) syntax.Expr {
	start, _ := at.Span()
	return &syntax.Literal{Token: syntax.INT, TokenPos: start, Raw: "0", Value: n}
}

func tupleOf(at syntax.Node, items []syntax.Expr) syntax.Expr {
	start, _ := at.Span()
	return &syntax.TupleExpr{Lparen: start, List: items, Rparen: start}
}

func set(name string, value syntax.Expr, at syntax.Node) syntax.Stmt {
	start, _ := at.Span()
	return &syntax.AssignStmt{Op: syntax.EQ, OpPos: start, LHS: ident(name, at), RHS: value}
}

func branch(token syntax.Token, at syntax.Node) syntax.Stmt {
	start, _ := at.Span()
	return &syntax.BranchStmt{Token: token, TokenPos: start}
}

// item is name's item in the namespace or in the object with a function's names.
func item(store, name string, at syntax.Node) syntax.Expr {
	start, _ := at.Span()
	return &syntax.IndexExpr{X: ident(store, at), Lbrack: start, Y: text(name, at), Rbrack: start}
}

// variableOf is the expression that name stands for: read, or assigned to.
func (s scope) variableOf(name string, at syntax.Node) syntax.Expr {
	store, local := s.local[name]
	switch {
	case !local:
		return item(nsName, name, at)
	case store != "":
		return item(store, name, at)
	}
	return ident(name, at)
}

func (r *rewriter) block(stmts []syntax.Stmt, s scope) []syntax.Stmt {
	var out []syntax.Stmt
	for _, st := range stmts {
		out = append(out, r.stmt(st, s)...)
	}
	return out
}

// body is a block that must not be empty.
func (r *rewriter) body(stmts []syntax.Stmt, s scope, at syntax.Node) []syntax.Stmt {
	out := r.block(stmts, s)
	if len(out) == 0 {
		out = []syntax.Stmt{branch(syntax.PASS, at)}
	}
	return out
}

func do(e syntax.Expr) syntax.Stmt { return &syntax.ExprStmt{X: e} }

func (r *rewriter) stmt(st syntax.Stmt, s scope) []syntax.Stmt {
	switch x := st.(type) {
	case *syntax.ExprStmt:
		switch markOf(x.X) {
		case nonlocalCall:
			if !s.function {
				r.fail(x, "nonlocal declaration not allowed at module level")
			}
			return nil // seen by bindings
		case globalCall:
			return nil
		case delCall:
			return r.del(x.X.(*syntax.CallExpr).Args, s)
		case chainAssignCall:
			args := x.X.(*syntax.CallExpr).Args
			v := r.variable("value")
			out := []syntax.Stmt{set(v, r.expr(args[0], s), x)}
			for _, target := range args[1:] {
				out = append(out, r.assignTo(target, ident(v, x), s)...)
			}
			return out
		}
		if x.X = r.expr(x.X, s); r.show && !s.function {
			x.X = call(showCall, x, x.X)
		}
	case *syntax.AssignStmt:
		return r.assign(x, s)
	case *syntax.DefStmt:
		return r.def(x, s)
	case *syntax.IfStmt:
		switch markOf(x.Cond) {
		case tryMark:
			return r.try(x, s)
		case withMark:
			return r.withStatement(x, s)
		case loopElseMark:
			v := r.variable("broke")
			out := append([]syntax.Stmt{set(v, ident("False", x), x)}, r.loop(x.True[0], s, v)...)
			start, _ := x.Span()
			not := &syntax.UnaryExpr{OpPos: start, Op: syntax.NOT, X: ident(v, x)}
			return append(out, &syntax.IfStmt{If: start, Cond: not, True: r.body(x.False, s, x)})
		}
		x.Cond = r.truth(x.Cond, s)
		x.True, x.False = r.body(x.True, s, x), r.block(x.False, s)
	case *syntax.ForStmt, *syntax.WhileStmt:
		return r.loop(st, s, "")
	case *syntax.BranchStmt:
		return r.branch(x, s)
	case *syntax.ReturnStmt:
		return r.returns(x, s)
	}
	return []syntax.Stmt{st}
}

// loop rewrites a for or while statement. broke is the variable to set before it is left by break.
func (r *rewriter) loop(st syntax.Stmt, s scope, broke string) []syntax.Stmt {
	inside := s.looping(broke)
	switch x := st.(type) {
	case *syntax.WhileStmt:
		x.Cond = r.truth(x.Cond, s)
		x.Body = r.body(x.Body, inside, x)
		return []syntax.Stmt{x}
	case *syntax.ForStmt:
		x.X = call(iterCall, x.X, r.expr(x.X, s))
		var before []syntax.Stmt
		if id, ok := x.Vars.(*syntax.Ident); ok && !reserved[id.Name] {
			x.Vars = s.variableOf(id.Name, id)
		} else {
			v := r.variable("value")
			before = r.assignTo(x.Vars, ident(v, x), s)
			x.Vars = ident(v, x)
		}
		x.Body = append(before, r.body(x.Body, inside, x)...)
		return []syntax.Stmt{x, do(call(checkCall, x))}
	}
	return nil
}

func (r *rewriter) del(args []syntax.Expr, s scope) []syntax.Stmt {
	var out []syntax.Stmt
	for _, a := range args {
		switch x := unparen(a).(type) {
		case *syntax.TupleExpr:
			out = append(out, r.del(x.List, s)...)
		case *syntax.ListExpr:
			out = append(out, r.del(x.List, s)...)
		case *syntax.Ident:
			store, local := s.local[x.Name]
			if !local {
				store = nsName
			} else if store == "" { // functions that delete have a store
				r.fail(x, "cannot delete this variable")
			}
			out = append(out, do(call(delNameCall, x, ident(store, x), text(x.Name, x))))
		case *syntax.IndexExpr:
			out = append(out, do(call(delItemCall, x, r.expr(x.X, s), r.expr(x.Y, s))))
		case *syntax.SliceExpr:
			out = append(out, do(call(delItemCall, x, r.expr(x.X, s), r.slice(x, s))))
		case *syntax.DotExpr:
			out = append(out, do(call(delAttrCall, x, r.expr(x.X, s), text(x.Name.Name, x))))
		default:
			r.fail(a, "cannot delete expression")
		}
	}
	return out
}

func unparen(e syntax.Expr) syntax.Expr {
	for p, ok := e.(*syntax.ParenExpr); ok; p, ok = e.(*syntax.ParenExpr) {
		e = p.X
	}
	return e
}

// augmented are the operators of augmented assignments.
var augmented = map[syntax.Token]string{
	syntax.PLUS_EQ: "+", syntax.MINUS_EQ: "-", syntax.STAR_EQ: "*", syntax.SLASH_EQ: "/", syntax.SLASHSLASH_EQ: "//",
	syntax.PERCENT_EQ: "%",
	syntax.AMP_EQ:     "&", syntax.PIPE_EQ: "|", syntax.CIRCUMFLEX_EQ: "^", syntax.LTLT_EQ: "<<", syntax.GTGT_EQ: ">>",
	powerAssign: "**",
}

func (r *rewriter) assign(x *syntax.AssignStmt, s scope) []syntax.Stmt {
	sign, isAugmented := augmented[x.Op]
	target := unparen(x.LHS)
	if !isAugmented {
		value := r.expr(x.RHS, s)
		if needsVariable(target) {
			v := r.variable("value")
			return append([]syntax.Stmt{set(v, value, x)}, r.assignTo(target, ident(v, x), s)...)
		}
		return r.assignTo(target, value, s)
	}
	value := func() syntax.Expr { return r.expr(x.RHS, s) }
	switch t := target.(type) {
	case *syntax.IndexExpr:
		return []syntax.Stmt{do(call(augItemCall, x, r.expr(t.X, s), r.expr(t.Y, s), text(sign, x), value()))}
	case *syntax.SliceExpr:
		return []syntax.Stmt{do(call(augItemCall, x, r.expr(t.X, s), r.slice(t, s), text(sign, x), value()))}
	case *syntax.DotExpr:
		return []syntax.Stmt{do(call(augAttrCall, x, r.expr(t.X, s), text(t.Name.Name, t), text(sign, x), value()))}
	case *syntax.Ident:
		return r.assignTo(t, call(inplaceCall, x, text(sign, x), r.expr(ident(t.Name, t), s), value()), s)
	}
	r.fail(x, "'tuple' is an illegal expression for augmented assignment")
	return nil
}

// needsVariable: the value is computed before the target, which is not so if it becomes an argument of a call.
func needsVariable(target syntax.Expr) bool {
	switch target.(type) {
	case *syntax.Ident:
		return false
	}
	return true
}

// reserved are names that mean the same everywhere.
var reserved = map[string]bool{"None": true, "True": true, "False": true}

// assignTo assigns an expression, which has been rewritten and is used once, to a target.
func (r *rewriter) assignTo(target, value syntax.Expr, s scope) []syntax.Stmt {
	switch t := unparen(target).(type) {
	case *syntax.Ident:
		if reserved[t.Name] {
			r.fail(t, "cannot assign to "+t.Name)
		}
		start, _ := t.Span()
		return []syntax.Stmt{&syntax.AssignStmt{Op: syntax.EQ, OpPos: start, LHS: s.variableOf(t.Name, t), RHS: value}}
	case *syntax.IndexExpr:
		return []syntax.Stmt{do(call(setItemCall, t, value, r.expr(t.X, s), r.expr(t.Y, s)))}
	case *syntax.SliceExpr:
		return []syntax.Stmt{do(call(setItemCall, t, value, r.expr(t.X, s), r.slice(t, s)))}
	case *syntax.DotExpr:
		return []syntax.Stmt{do(call(setAttrCall, t, value, r.expr(t.X, s), text(t.Name.Name, t)))}
	case *syntax.TupleExpr:
		return r.unpack(t, t.List, value, s)
	case *syntax.ListExpr:
		return r.unpack(t, t.List, value, s)
	case *syntax.CallExpr:
		if name := markOf(t); name == tupleStarCall || name == listStarCall {
			return r.unpack(t, t.Args, value, s)
		} else if name == starMark {
			r.fail(t, "starred assignment target must be in a list or tuple")
		}
		r.fail(t, "cannot assign to function call here. Maybe you meant '==' instead of '='?")
	case *syntax.Literal:
		r.fail(t, "cannot assign to literal here. Maybe you meant '==' instead of '='?")
	default:
		r.fail(target, "cannot assign to expression here. Maybe you meant '==' instead of '='?")
	}
	return nil
}

// unpack assigns the items of a value to targets, one of which may be starred.
func (r *rewriter) unpack(at syntax.Node, targets []syntax.Expr, value syntax.Expr, s scope) (out []syntax.Stmt) {
	star := int64(-1)
	vars := make([]syntax.Expr, len(targets))
	for i, t := range targets {
		if isStarred(t) {
			if star >= 0 {
				r.fail(t, "multiple starred expressions in assignment")
			}
			star = int64(i)
			t = t.(*syntax.CallExpr).Args[0]
		}
		v := r.variable("value")
		vars[i] = ident(v, at)
		out = append(out, r.assignTo(t, ident(v, at), s)...)
	}
	all := call(unpackCall, at, value, number(int64(len(targets)), at), number(star, at))
	if len(targets) == 0 {
		return []syntax.Stmt{do(all)}
	}
	start, _ := at.Span()
	return append([]syntax.Stmt{&syntax.AssignStmt{Op: syntax.EQ, OpPos: start, LHS: tupleOf(at, vars), RHS: all}}, out...)
}

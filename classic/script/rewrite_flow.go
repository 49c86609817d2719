package script

import (
	"go.starlark.net/syntax"
)

// The blocks of try and with statements become functions, which the functions try@ and with@ call. What such a block
// leaves by return, break or continue it returns as a signal, which the statement passes on. Local variables of
// functions that have such statements are kept in an object, so that the blocks can assign to them.

// def rewrites a function and binds its name.
func (r *rewriter) def(x *syntax.DefStmt, s scope) []syntax.Stmt {
	name := x.Name.Name
	x.Params, x.Body = r.function(x.Params, x.Body, s, x)
	return append([]syntax.Stmt{x}, r.assignTo(ident(name, x), call(funcCall, x, ident(name, x)), s)...)
}

// function rewrites the parameters and body of a def or lambda in the scope s.
func (r *rewriter) function(params []syntax.Expr, body []syntax.Stmt, s scope,
	at syntax.Node) ([]syntax.Expr, []syntax.Stmt) {
	var names []string
	args, kwargs := "", ""
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
				} else {
					args = id.Name
				}
			}
		}
	}
	found := newBindings()
	found.block(body)
	inside := s
	inside.flow, inside.store, inside.function = flow{}, "", true
	if found.stored {
		inside.store = r.variable("store")
	}
	inside = inside.with(inside.store, names...)
	for n := range found.names {
		inside.local[n] = inside.store
	}
	for n := range found.globals {
		delete(inside.local, n)
	}
	for n := range found.nonlocals {
		store, ok := s.local[n]
		if !ok || store == "" {
			r.fail(at, "no binding for nonlocal '"+n+"' found")
		}
		inside.local[n] = store
	}
	var out []syntax.Stmt
	if len(body) > 0 {
		if e, ok := body[0].(*syntax.ExprStmt); ok {
			if l, ok := e.X.(*syntax.Literal); ok && l.Token == syntax.STRING { // the documentation
				out = append(out, e)
				body = body[1:]
			}
		}
	}
	out = append(out, do(call(enterCall, at)))
	if args != "" { // a tuple of Python's
		out = append(out, set(args, call(tupleCall, at, ident(args, at)), at))
	}
	if kwargs != "" { // a dict of Python's
		out = append(out, set(kwargs, call(dictCall, at, ident(kwargs, at)), at))
	}
	if inside.store != "" {
		var pairs []syntax.Expr
		for _, n := range names {
			pairs = append(pairs, tupleOf(at, []syntax.Expr{text(n, at), ident(n, at)}))
		}
		out = append(out, set(inside.store, call(storeCall, at, pairs...), at))
	}
	if found.yields {
		name := r.variable("body")
		start, _ := at.Span()
		def := &syntax.DefStmt{Def: start, Name: ident(name, at), Body: r.body(body, inside, at)}
		return params, append(out, def, &syntax.ReturnStmt{Return: start, Result: call(coroutine, at, ident(name, at))})
	}
	return params, append(out, r.block(body, inside)...)
}

// thunk makes a function of a block of a try or with statement.
func (r *rewriter) thunk(what string, stmts []syntax.Stmt, before []syntax.Stmt, s scope, sig *signals, at syntax.Node,
	params ...syntax.Expr) (syntax.Stmt, syntax.Expr) {
	inside := s
	inside.flow = flow{outside: s.flow.loop || s.flow.outside, signals: sig}
	name := r.variable(what)
	start, _ := at.Span()
	body := append(before, r.body(stmts, inside, at)...)
	return &syntax.DefStmt{Def: start, Name: ident(name, at), Params: params, Body: body}, ident(name, at)
}

// stored makes sure that blocks can assign to the variables of the function that they are in.
func (r *rewriter) stored(s scope, at syntax.Node) {
	if s.function && s.store == "" {
		r.fail(at, "this statement is not supported here: eval and execute run Starlark, not Python")
	}
}

func (r *rewriter) try(x *syntax.IfStmt, s scope) []syntax.Stmt {
	r.stored(s, x)
	sig := new(signals)
	var out []syntax.Stmt
	add := func(st syntax.Stmt, e syntax.Expr) syntax.Expr {
		out = append(out, st)
		return e
	}
	none := func() syntax.Expr { return ident("None", x) }
	body := add(r.thunk("try", x.True, nil, s, sig, x))
	var handlers []syntax.Expr
	orElse, final := none(), none()
	for _, st := range x.False {
		part := st.(*syntax.IfStmt)
		cond := part.Cond.(*syntax.CallExpr)
		switch markOf(cond) {
		case elseMark:
			orElse = add(r.thunk("else", part.True, nil, s, sig, part))
		case finallyMark:
			final = add(r.thunk("finally", part.True, nil, s, sig, part))
		case exceptMark:
			class := none()
			if len(cond.Args) > 0 {
				start, _ := part.Span()
				class = &syntax.LambdaExpr{Lambda: start, Body: r.expr(cond.Args[0], s)}
			}
			exc := r.variable("exception")
			var before []syntax.Stmt
			name := none()
			if len(cond.Args) > 1 {
				id := cond.Args[1].(*syntax.Ident)
				before = r.assignTo(id, ident(exc, part), s)
				store := nsName
				if _, local := s.local[id.Name]; local {
					store = s.local[id.Name]
				}
				name = tupleOf(part, []syntax.Expr{ident(store, part), text(id.Name, part)})
			}
			handler := add(r.thunk("except", part.True, before, s, sig, part, ident(exc, part)))
			handlers = append(handlers, tupleOf(part, []syntax.Expr{class, handler, name}))
		}
	}
	return append(out, r.signalled(call(tryCall, x, body, tupleOf(x, handlers), orElse, final), s, sig, x)...)
}

func (r *rewriter) withStatement(x *syntax.IfStmt, s scope) []syntax.Stmt {
	r.stored(s, x)
	sig := new(signals)
	cond := x.Cond.(*syntax.CallExpr)
	manager := r.variable("manager")
	value := r.variable("value")
	out := []syntax.Stmt{set(manager, r.expr(cond.Args[0], s), x)}
	var before []syntax.Stmt
	if len(cond.Args) > 1 {
		before = r.assignTo(cond.Args[1], ident(value, x), s)
	}
	def, body := r.thunk("with", x.True, before, s, sig, x, ident(value, x))
	out = append(out, def)
	return append(out, r.signalled(call(withCall, x, ident(manager, x), body), s, sig, x)...)
}

// signalled does what a block has signalled.
func (r *rewriter) signalled(e syntax.Expr, s scope, sig *signals, at syntax.Node) []syntax.Stmt {
	if !sig.returns && !sig.breaks && !sig.continues {
		return []syntax.Stmt{do(e)}
	}
	v := r.variable("signal")
	out := []syntax.Stmt{set(v, e, at)}
	start, _ := at.Span()
	when := func(kind string, then []syntax.Stmt) {
		out = append(out, &syntax.IfStmt{If: start, Cond: call(isSignal, at, ident(v, at), text(kind, at)), True: then})
	}
	if sig.returns {
		when("return", r.leave(call(signalValue, at, ident(v, at)), s, at))
	}
	if sig.breaks {
		when("break", r.branch(branch(syntax.BREAK, at).(*syntax.BranchStmt), s))
	}
	if sig.continues {
		when("continue", r.branch(branch(syntax.CONTINUE, at).(*syntax.BranchStmt), s))
	}
	return out
}

func (r *rewriter) returns(x *syntax.ReturnStmt, s scope) []syntax.Stmt {
	if !s.function {
		r.fail(x, "'return' outside function")
	}
	value := syntax.Expr(ident("None", x))
	if x.Result != nil {
		value = r.expr(x.Result, s)
	}
	return r.leave(value, s, x)
}

// leave returns a value from the function, or from the block that is a function of its own.
func (r *rewriter) leave(value syntax.Expr, s scope, at syntax.Node) []syntax.Stmt {
	start, _ := at.Span()
	if s.flow.signals != nil {
		s.flow.signals.returns = true
		value = call(signalCall, at, text("return", at), value)
	}
	return []syntax.Stmt{&syntax.ReturnStmt{Return: start, Result: value}}
}

func (r *rewriter) branch(x *syntax.BranchStmt, s scope) []syntax.Stmt {
	if x.Token == syntax.PASS {
		return []syntax.Stmt{x}
	}
	isBreak := x.Token == syntax.BREAK
	switch {
	case s.flow.loop:
		if isBreak && s.flow.broke != "" {
			return []syntax.Stmt{set(s.flow.broke, ident("True", x), x), x}
		}
		return []syntax.Stmt{x}
	case s.flow.outside:
		kind := "continue"
		if isBreak {
			kind = "break"
			s.flow.signals.breaks = true
		} else {
			s.flow.signals.continues = true
		}
		start, _ := x.Span()
		return []syntax.Stmt{&syntax.ReturnStmt{Return: start, Result: call(signalCall, x, text(kind, x), ident("None", x))}}
	case isBreak:
		r.fail(x, "'break' outside loop")
	default:
		r.fail(x, "'continue' not properly in loop")
	}
	return nil
}

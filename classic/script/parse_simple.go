package script

import (
	"strings"

	"go.starlark.net/syntax"
)

// simple is a statement without a block. It may become several.
func (p *parser) simple() []syntax.Stmt {
	t := p.tok
	if t.kind != keywordToken {
		return p.assignment()
	}
	one := func(e syntax.Expr) []syntax.Stmt { return []syntax.Stmt{p.do(e)} }
	ends := func() bool { return p.tok.kind == newlineToken || p.tok.kind == endToken || p.tok.is(";") }
	switch t.text {
	case "pass", "break", "continue":
		p.next()
		kind := map[string]syntax.Token{"pass": syntax.PASS, "break": syntax.BREAK, "continue": syntax.CONTINUE}[t.text]
		return []syntax.Stmt{&syntax.BranchStmt{Token: kind, TokenPos: p.pos(t)}}
	case "return":
		p.next()
		s := &syntax.ReturnStmt{Return: p.pos(t)}
		if !ends() {
			s.Result = p.testList()
		}
		return []syntax.Stmt{s}
	case "raise":
		p.next()
		if ends() {
			return one(p.call(raiseCall, t))
		}
		args := []syntax.Expr{p.test()}
		if p.accept("from") {
			args = append(args, p.test())
		}
		return one(p.call(raiseCall, t, args...))
	case "assert":
		p.next()
		args := []syntax.Expr{p.test()}
		if p.accept(",") {
			args = append(args, p.call(thunkMark, t, p.test()))
		}
		return one(p.call(assertCall, t, args...))
	case "del":
		p.next()
		e := p.testList()
		if tuple, ok := e.(*syntax.TupleExpr); ok {
			return one(p.call(delCall, t, tuple.List...))
		}
		return one(p.call(delCall, t, e))
	case "global", "nonlocal":
		p.next()
		name := globalCall
		if t.text == "nonlocal" {
			name = nonlocalCall
		}
		var args []syntax.Expr
		for {
			args = append(args, p.text(p.name().Name, t))
			if !p.accept(",") {
				return one(p.call(name, t, args...))
			}
		}
	case "import":
		p.next()
		return p.importStatement(t)
	case "from":
		p.next()
		return p.fromStatement(t)
	}
	return p.assignment()
}

func (p *parser) bind(name string, t token, value syntax.Expr) syntax.Stmt {
	return &syntax.AssignStmt{OpPos: p.pos(t), Op: syntax.EQ, LHS: &syntax.Ident{Name: name, NamePos: p.pos(t)},
		RHS: value}
}

func (p *parser) importStatement(t token) (out []syntax.Stmt) {
	for {
		name := p.dotted()
		top := "True"
		target, _, _ := strings.Cut(name, ".")
		if p.accept("as") {
			target, top = p.name().Name, "False"
		}
		out = append(out, p.bind(target, t, p.call(importCall, t, p.text(name, t),
			&syntax.Ident{Name: top, NamePos: p.pos(t)})))
		if !p.accept(",") {
			return out
		}
	}
}

func (p *parser) fromStatement(t token) (out []syntax.Stmt) {
	if p.tok.is(".") || p.tok.is("...") {
		p.fail("attempted relative import with no known parent package")
	}
	module := p.dotted()
	p.expect("import")
	if p.accept("*") {
		return []syntax.Stmt{p.do(p.call(starCall, t, p.text(module, t)))}
	}
	paren := p.accept("(")
	for {
		name := p.name().Name
		target := name
		if p.accept("as") {
			target = p.name().Name
		}
		out = append(out, p.bind(target, t, p.call(fromCall, t, p.text(module, t), p.text(name, t))))
		if !p.accept(",") || paren && p.tok.is(")") {
			break
		}
	}
	if paren {
		p.expect(")")
	}
	return out
}

var augmentedTokens = map[string]syntax.Token{
	"+=": syntax.PLUS_EQ, "-=": syntax.MINUS_EQ, "*=": syntax.STAR_EQ, "/=": syntax.SLASH_EQ, "//=": syntax.SLASHSLASH_EQ,
	"%=": syntax.PERCENT_EQ,
	"&=": syntax.AMP_EQ, "|=": syntax.PIPE_EQ, "^=": syntax.CIRCUMFLEX_EQ, "<<=": syntax.LTLT_EQ, ">>=": syntax.GTGT_EQ,
	"**=": powerAssign,
}

// powerAssign stands for **=, which Starlark has no token for.
const powerAssign = syntax.Token(-1)

// assignment is an expression, or an assignment of one kind or another.
func (p *parser) assignment() []syntax.Stmt {
	t := p.tok
	first := p.starList()
	op := p.tok
	switch {
	case op.is("="):
		list := []syntax.Expr{first}
		for p.accept("=") {
			if len(list) > maxDepth {
				p.tooDeep()
			}
			if p.tok.is("yield") {
				list = append(list, p.yield())
			} else {
				list = append(list, p.starList())
			}
		}
		value := list[len(list)-1]
		if len(list) == 2 {
			return []syntax.Stmt{&syntax.AssignStmt{OpPos: p.pos(op), Op: syntax.EQ, LHS: first, RHS: value}}
		}
		// a = b = value
		return []syntax.Stmt{p.do(p.call(chainAssignCall, t, append([]syntax.Expr{value}, list[:len(list)-1]...)...))}
	case op.is(":"):
		p.next()
		p.test()
		switch first.(type) {
		case *syntax.Ident, *syntax.DotExpr, *syntax.IndexExpr:
		default:
			p.failAt(t, "illegal target for annotation")
		}
		if !p.accept("=") {
			return []syntax.Stmt{&syntax.BranchStmt{Token: syntax.PASS, TokenPos: p.pos(t)}}
		}
		return []syntax.Stmt{&syntax.AssignStmt{OpPos: p.pos(op), Op: syntax.EQ, LHS: first, RHS: p.testList()}}
	case op.kind == operatorToken && augmentedTokens[op.text] != 0:
		p.next()
		value := p.testList
		if p.tok.is("yield") {
			value = p.yield
		}
		return []syntax.Stmt{&syntax.AssignStmt{OpPos: p.pos(op), Op: augmentedTokens[op.text], LHS: first, RHS: value()}}
	case op.is(":="), op.is("@="):
		p.fail("invalid syntax")
	case op.kind == stringToken || op.kind == nameToken || op.kind == numberToken:
		if id, ok := first.(*syntax.Ident); ok && (id.Name == "print" || id.Name == "exec") {
			p.failAt(t, "Missing parentheses in call to '"+id.Name+"'. Did you mean "+id.Name+"(...)?")
		}
	}
	if c, ok := first.(*syntax.CallExpr); ok {
		if id, ok := c.Fn.(*syntax.Ident); ok && id.Name == starMark {
			p.failAt(t, "can't use starred expression here")
		}
	}
	return []syntax.Stmt{p.do(first)}
}

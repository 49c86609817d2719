package script

import (
	"go.starlark.net/syntax"
)

// arguments are those of a call. Starlark takes one *args, at the end: with more, or with positional arguments after
// it, they are put together to one.
func (p *parser) arguments(t token, fn syntax.Expr) syntax.Expr {
	c := &syntax.CallExpr{Fn: fn, Lparen: p.pos(t)}
	var positional, keywords, doubles []syntax.Expr
	stars, seen := 0, map[string]bool{}
	for !p.tok.is(")") {
		a := p.tok
		switch {
		case p.accept("**"):
			doubles = append(doubles, p.test())
		case p.accept("*"):
			positional = append(positional, p.call(starMark, a, p.test()))
			stars++
		case a.kind == nameToken && p.peek().is("="):
			name := p.name()
			eq := p.expect("=")
			if seen[name.Name] {
				p.failAt(a, "keyword argument repeated: "+name.Name)
			}
			seen[name.Name] = true
			keywords = append(keywords, &syntax.BinaryExpr{X: name, OpPos: p.pos(eq), Op: syntax.EQ, Y: p.test()})
		default:
			if len(doubles) > 0 {
				p.fail("positional argument follows keyword argument unpacking")
			}
			if len(keywords) > 0 {
				p.fail("positional argument follows keyword argument")
			}
			e := p.namedTest()
			if p.tok.is("for") || p.tok.is("async") {
				e = p.generator(a, e)
				if len(positional) > 0 || !p.tok.is(")") {
					p.failAt(a, "Generator expression must be parenthesized")
				}
			}
			positional = append(positional, e)
		}
		if !p.tok.is(")") && !p.accept(",") {
			p.fail("invalid syntax. Perhaps you forgot a comma?")
		}
	}
	c.Rparen = p.pos(p.expect(")"))
	if stars > 0 {
		positional = []syntax.Expr{&syntax.UnaryExpr{OpPos: p.pos(t), Op: syntax.STAR,
			X: p.call(tupleStarCall, t, positional...)}}
		c.Args = append(keywords, positional...)
	} else {
		c.Args = append(positional, keywords...)
	}
	if len(doubles) > 0 {
		c.Args = append(c.Args, &syntax.UnaryExpr{OpPos: p.pos(t), Op: syntax.STARSTAR,
			X: p.call(kwCall, t, append([]syntax.Expr{p.text(calledName(fn), t)}, doubles...)...)})
	}
	return c
}

// calledName is how an error calls the function of a call: f() for f(…).
func calledName(fn syntax.Expr) string {
	switch x := fn.(type) {
	case *syntax.Ident:
		return x.Name + "() "
	case *syntax.DotExpr:
		return x.Name.Name + "() "
	}
	return ""
}

func (p *parser) atom() syntax.Expr {
	defer p.enter()()
	t := p.tok
	switch t.kind {
	case nameToken:
		return p.name()
	case numberToken:
		p.next()
		return p.number(t)
	case stringToken:
		return p.strings()
	case keywordToken:
		switch t.text {
		case "None", "True", "False":
			p.next()
			return &syntax.Ident{Name: t.text, NamePos: p.pos(t)}
		case "yield":
			p.fail("invalid syntax")
		}
	case operatorToken:
		switch t.text {
		case "(":
			return p.paren()
		case "[":
			return p.list()
		case "{":
			return p.braces()
		case "...":
			p.next()
			return &syntax.Ident{Name: "Ellipsis", NamePos: p.pos(t)}
		}
	case indentToken:
		p.fail("unexpected indent")
	}
	p.fail("invalid syntax")
	return nil
}

func (p *parser) paren() syntax.Expr {
	t := p.expect("(")
	if end := p.tok; p.accept(")") {
		return &syntax.TupleExpr{Lparen: p.pos(t), Rparen: p.pos(end)}
	}
	if p.tok.is("yield") {
		e := p.yield()
		p.expect(")")
		return e
	}
	e := p.starOrTest()
	if p.tok.is("for") || p.tok.is("async") {
		e = p.generator(t, e)
	} else if p.tok.is(",") {
		e = p.items(t, e, ")")
	} else if isStarred(e) {
		p.failAt(t, "cannot use starred expression here")
	}
	p.closing(")")
	return &syntax.ParenExpr{Lparen: p.pos(t), X: e, Rparen: p.pos(t)}
}

// closing takes a closing bracket.
func (p *parser) closing(bracket string) {
	if !p.accept(bracket) {
		p.fail("invalid syntax. Perhaps you forgot a comma?")
	}
}

// items are what follows the first item of a display, to its closing bracket.
func (p *parser) items(t token, first syntax.Expr, end string) syntax.Expr {
	list := []syntax.Expr{first}
	for p.accept(",") {
		if p.tok.is(end) {
			break
		}
		list = append(list, p.starOrTest())
	}
	return p.tuple(t, list)
}

func (p *parser) list() syntax.Expr {
	t := p.expect("[")
	if end := p.tok; p.accept("]") {
		return &syntax.ListExpr{Lbrack: p.pos(t), Rbrack: p.pos(end)}
	}
	first := p.starOrTest()
	if p.tok.is("for") || p.tok.is("async") {
		c := &syntax.Comprehension{Lbrack: p.pos(t), Body: first, Clauses: p.clauses(), Rbrack: p.pos(t)}
		p.closing("]")
		return c
	}
	items := p.items(t, first, "]")
	p.closing("]")
	if tuple, ok := items.(*syntax.TupleExpr); ok {
		return &syntax.ListExpr{Lbrack: p.pos(t), List: tuple.List, Rbrack: p.pos(t)}
	}
	return p.call(listStarCall, t, items.(*syntax.CallExpr).Args...)
}

// braces are a dict or a set.
func (p *parser) braces() syntax.Expr {
	t := p.expect("{")
	if end := p.tok; p.accept("}") {
		return &syntax.DictExpr{Lbrace: p.pos(t), Rbrace: p.pos(end)}
	}
	if p.tok.is("**") {
		return p.dict(t, nil)
	}
	first := p.starOrTest()
	if p.tok.is(":") {
		return p.dict(t, first)
	}
	if p.tok.is("for") || p.tok.is("async") {
		c := &syntax.Comprehension{Lbrack: p.pos(t), Body: first, Clauses: p.clauses(), Rbrack: p.pos(t)}
		p.closing("}")
		return p.call(setCall, t, c)
	}
	items := p.items(t, first, "}")
	p.closing("}")
	return p.call(setCall, t, items)
}

// dict is a dict of which the first key has been read, if it is not nil. With ** it becomes a call of kwCall's kind
// with parts.
func (p *parser) dict(t token, key syntax.Expr) syntax.Expr {
	entry := func() *syntax.DictEntry {
		if key == nil {
			key = p.test()
		}
		e := &syntax.DictEntry{Key: key, Colon: p.pos(p.tok)}
		p.expect(":")
		e.Value = p.test()
		key = nil
		return e
	}
	d := &syntax.DictExpr{Lbrace: p.pos(t), Rbrace: p.pos(t)}
	var parts []syntax.Expr
	flush := func() {
		if len(d.List) > 0 {
			parts = append(parts, d)
			d = &syntax.DictExpr{Lbrace: p.pos(t), Rbrace: p.pos(t)}
		}
	}
	for first := true; first || !p.tok.is("}"); first = false {
		if key == nil && p.accept("**") {
			flush()
			parts = append(parts, p.binary(bitOr))
		} else {
			e := entry()
			if first && (p.tok.is("for") || p.tok.is("async")) {
				c := &syntax.Comprehension{Curly: true, Lbrack: p.pos(t), Body: e, Clauses: p.clauses(), Rbrack: p.pos(t)}
				p.closing("}")
				return c
			}
			d.List = append(d.List, e)
		}
		if !p.tok.is("}") && !p.accept(",") {
			p.fail("invalid syntax. Perhaps you forgot a comma?")
		}
	}
	p.closing("}")
	if len(parts) == 0 {
		return d
	}
	flush()
	return p.call(mergeCall, t, parts...)
}

// clauses are those of a comprehension.
func (p *parser) clauses() (out []syntax.Node) {
	for {
		t := p.tok
		switch {
		case t.is("async"):
			p.lacks("'async' is")
		case p.accept("for"):
			c := &syntax.ForClause{For: p.pos(t), Vars: p.targets(), In: p.pos(p.tok)}
			p.expect("in")
			c.X = p.or()
			out = append(out, c)
		case p.accept("if"):
			c := &syntax.IfClause{If: p.pos(t), Cond: p.condition()}
			out = append(out, c)
		default:
			return out
		}
		if len(out) > maxDepth/10 {
			p.fail("too many clauses")
		}
	}
}

// condition is what may stand behind the if of a comprehension: no conditional expression, of which the else would be
// missing.
func (p *parser) condition() syntax.Expr {
	if t := p.tok; t.kind == nameToken && p.peek().is(":=") {
		return p.namedTest()
	}
	if p.tok.is("lambda") {
		return p.test()
	}
	return p.or()
}

// generator makes gen@(source, lambda item: [body for vars in (item,) …]) of a generator expression: what it yields for
// one item of its source is computed at once, its source is asked when the generator is.
func (p *parser) generator(t token, body syntax.Expr) syntax.Expr {
	clauses := p.clauses()
	first := clauses[0].(*syntax.ForClause)
	at := p.pos(t)
	source := first.X
	item := func() *syntax.Ident { return &syntax.Ident{Name: itemName, NamePos: at} }
	first.X = &syntax.TupleExpr{Lparen: at, List: []syntax.Expr{item()}, Rparen: at}
	c := &syntax.Comprehension{Lbrack: at, Body: body, Clauses: clauses, Rbrack: at}
	return p.call(genCall, t, source, &syntax.LambdaExpr{Lambda: at, Params: []syntax.Expr{item()}, Body: c})
}

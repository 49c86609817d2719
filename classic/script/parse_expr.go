package script

import (
	"go.starlark.net/syntax"
)

// startsExpression reports whether the token can begin an expression.
func (p *parser) startsExpression() bool {
	t := p.tok
	switch t.kind {
	case nameToken, numberToken, stringToken:
		return true
	case keywordToken:
		switch t.text {
		case "None", "True", "False", "not", "lambda", "await":
			return true
		}
	case operatorToken:
		switch t.text {
		case "(", "[", "{", "-", "+", "~", "...", "*":
			return true
		}
	}
	return false
}

// commas is a list of what item reads, a tuple if there is a comma.
func (p *parser) commas(item func() syntax.Expr) syntax.Expr {
	t := p.tok
	first := item()
	if !p.tok.is(",") {
		return first
	}
	list := []syntax.Expr{first}
	for p.accept(",") {
		if !p.startsExpression() {
			break
		}
		list = append(list, item())
	}
	return p.tuple(t, list)
}

func (p *parser) tuple(t token, list []syntax.Expr) syntax.Expr {
	for _, e := range list {
		if isStarred(e) {
			return p.call(tupleStarCall, t, list...)
		}
	}
	return &syntax.TupleExpr{Lparen: p.pos(t), List: list, Rparen: p.pos(t)}
}

// testList is a value, or several with commas.
func (p *parser) testList() syntax.Expr {
	if p.tok.is("yield") {
		return p.yield()
	}
	return p.commas(p.starOrTest)
}

// starList is a testList that may be a target, too.
func (p *parser) starList() syntax.Expr { return p.testList() }

// starOrTest is a test, or *test, which becomes a call of starMark.
func (p *parser) starOrTest() syntax.Expr {
	t := p.tok
	if p.accept("*") {
		return p.call(starMark, t, p.binary(bitOr))
	}
	return p.namedTest()
}

func isStarred(e syntax.Expr) bool { return markOf(e) == starMark }

// markOf is the name of the function that e calls, if it is one of those that programs cannot write.
func markOf(e syntax.Expr) string {
	if c, ok := e.(*syntax.CallExpr); ok {
		if id, ok := c.Fn.(*syntax.Ident); ok && id.Name[len(id.Name)-1] == '@' {
			return id.Name
		}
	}
	return ""
}

func (p *parser) yield() syntax.Expr {
	t := p.expect("yield")
	if p.tok.is("from") {
		p.next()
		return p.call(yieldFromCall, t, p.test())
	}
	if !p.startsExpression() {
		return p.call(yieldCall, t, &syntax.Ident{Name: "None", NamePos: p.pos(t)})
	}
	return p.call(yieldCall, t, p.testList())
}

// namedTest is a test, or name := test.
func (p *parser) namedTest() syntax.Expr {
	if t := p.tok; t.kind == nameToken && p.peek().is(":=") {
		p.next()
		p.next()
		return p.call(walrusCall, t, p.text(t.text, t), p.test())
	}
	return p.test()
}

func (p *parser) test() syntax.Expr {
	defer p.enter()()
	t := p.tok
	if t.is("lambda") {
		p.next()
		l := &syntax.LambdaExpr{Lambda: p.pos(t), Params: p.params(":", false)}
		p.expect(":")
		l.Body = p.test()
		return l
	}
	e := p.or()
	if p.tok.is("if") {
		c := &syntax.CondExpr{If: p.pos(p.tok), True: e}
		p.next()
		c.Cond = p.or()
		c.ElsePos = p.pos(p.tok)
		if !p.tok.is("else") {
			p.fail("expected 'else' after 'if' expression")
		}
		p.next()
		c.False = p.test()
		return c
	}
	return e
}

func (p *parser) or() syntax.Expr {
	e := p.and()
	for t := p.tok; p.accept("or"); t = p.tok {
		e = &syntax.BinaryExpr{X: e, OpPos: p.pos(t), Op: syntax.OR, Y: p.and()}
	}
	return e
}

func (p *parser) and() syntax.Expr {
	e := p.not()
	for t := p.tok; p.accept("and"); t = p.tok {
		e = &syntax.BinaryExpr{X: e, OpPos: p.pos(t), Op: syntax.AND, Y: p.not()}
	}
	return e
}

func (p *parser) not() syntax.Expr {
	defer p.enter()()
	if t := p.tok; p.accept("not") {
		return &syntax.UnaryExpr{OpPos: p.pos(t), Op: syntax.NOT, X: p.not()}
	}
	return p.comparison()
}

// comparisonSign takes a comparison operator.
func (p *parser) comparisonSign() (string, bool) {
	t := p.tok
	switch {
	case t.is("not"):
		if !p.peek().is("in") {
			return "", false
		}
		p.next()
		p.next()
		return "not in", true
	case t.is("is"):
		p.next()
		if p.accept("not") {
			return "is not", true
		}
		return "is", true
	case t.is("<"), t.is(">"), t.is("<="), t.is(">="), t.is("=="), t.is("!="), t.is("in"):
		p.next()
		return t.text, true
	}
	return "", false
}

// comparison becomes a call of the operator's function; a < b < c one of chain@, which gets
// b and c as functions, because c is not computed if a < b is false.
func (p *parser) comparison() syntax.Expr {
	t := p.tok
	e := p.binary(bitOr)
	at := p.tok
	sign, ok := p.comparisonSign()
	if !ok {
		return e
	}
	second := p.binary(bitOr)
	next := p.tok
	more, ok := p.comparisonSign()
	if !ok {
		return p.call(opCall, at, p.text(sign, at), e, second)
	}
	thunk := func(e syntax.Expr) syntax.Expr { return p.call(thunkMark, t, e) }
	args := []syntax.Expr{e, p.text(sign, at), thunk(second)}
	for ok {
		args = append(args, p.text(more, next), thunk(p.binary(bitOr)))
		next = p.tok
		more, ok = p.comparisonSign()
	}
	return p.call(chainCall, at, args...)
}

// levels are the binary operators by how strongly they bind, the weakest first.
var levels = [][]string{{"|"}, {"^"}, {"&"}, {"<<", ">>"}, {"+", "-"}, {"*", "/", "//", "%", "@"}}

const bitOr = 0

func (p *parser) binary(level int) syntax.Expr {
	if level == len(levels) {
		return p.factor()
	}
	e := p.binary(level + 1)
	for n := 0; ; n++ {
		t := p.tok
		found := false
		for _, sign := range levels[level] {
			found = found || t.is(sign)
		}
		if !found {
			return e
		}
		if t.text == "@" {
			p.lacks("the operator @ is")
		}
		if n > maxDepth {
			p.tooDeep()
		}
		p.next()
		e = p.call(opCall, t, p.text(t.text, t), e, p.binary(level+1))
	}
}

func (p *parser) factor() syntax.Expr {
	defer p.enter()()
	t := p.tok
	if t.is("-") || t.is("+") || t.is("~") {
		p.next()
		x := p.factor()
		if l, ok := x.(*syntax.Literal); ok && t.text == "-" && !p.tok.is("**") { // -5 is a constant
			if n, ok := l.Value.(int64); ok && n > 0 {
				return &syntax.Literal{Token: syntax.INT, TokenPos: l.TokenPos, Raw: "0", Value: -n}
			}
		}
		return p.call(unaryCall, t, p.text(t.text, t), x)
	}
	e := p.primary()
	if at := p.tok; p.accept("**") {
		return p.call(opCall, at, p.text("**", at), e, p.factor())
	}
	return e
}

func (p *parser) primary() syntax.Expr {
	if p.tok.is("await") {
		p.lacks("'await' is")
	}
	e := p.atom()
	for n := 0; ; n++ {
		if n > maxDepth {
			p.tooDeep()
		}
		t := p.tok
		switch {
		case p.accept("."):
			name := p.name()
			e = &syntax.DotExpr{X: e, Dot: p.pos(t), NamePos: name.NamePos, Name: name}
		case p.accept("("):
			e = p.arguments(t, e)
		case p.accept("["):
			e = p.subscript(t, e)
		default:
			return e
		}
	}
}

func (p *parser) subscript(t token, e syntax.Expr) syntax.Expr {
	item := func() (key syntax.Expr, slice *syntax.SliceExpr) {
		if !p.tok.is(":") {
			key = p.starOrTest()
			if !p.tok.is(":") {
				return key, nil
			}
		}
		slice = &syntax.SliceExpr{X: e, Lbrack: p.pos(t), Lo: key}
		p.expect(":")
		if !p.tok.is(":") && !p.tok.is("]") && !p.tok.is(",") {
			slice.Hi = p.test()
		}
		if p.accept(":") && !p.tok.is("]") && !p.tok.is(",") {
			slice.Step = p.test()
		}
		slice.Rbrack = p.pos(p.tok)
		return nil, slice
	}
	if p.tok.is("]") {
		p.fail("invalid syntax. Perhaps you forgot a comma?")
	}
	key, slice := item()
	if p.tok.is(",") {
		if slice != nil {
			p.lacks("several slices in one subscript are")
		}
		list := []syntax.Expr{key}
		for p.accept(",") && !p.tok.is("]") {
			key, slice = item()
			if slice != nil {
				p.lacks("several slices in one subscript are")
			}
			list = append(list, key)
		}
		key = p.tuple(t, list)
	}
	end := p.expect("]")
	if slice != nil {
		return slice
	}
	return &syntax.IndexExpr{X: e, Lbrack: p.pos(t), Y: key, Rbrack: p.pos(end)}
}

// target is what is assigned to; targets are several with commas.
func (p *parser) target() syntax.Expr {
	t := p.tok
	if p.accept("*") {
		return p.call(starMark, t, p.primary())
	}
	return p.primary()
}

func (p *parser) targets() syntax.Expr { return p.commas(p.target) }

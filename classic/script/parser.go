package script

import (
	"slices"
	"strings"

	"go.starlark.net/syntax"

	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// parser reads Python and makes Starlark's syntax tree of it. What Starlark has no nodes for becomes calls of functions
// whose names end in an @, which no program can write; the rewriter knows them. Statements with blocks of their own
// become an IfStmt whose condition is such a call.
type parser struct {
	src    string
	tokens []token
	at     int
	tok    token // tokens[at]
	depth  int
}

const fileName = "<string>"

var filePath = fileName

// parseFile reads statements.
func parseFile(src string) (stmts []syntax.Stmt, err error) {
	defer catchSyntax(&err)
	return newParser(src).file(), nil
}

func (p *parser) file() (stmts []syntax.Stmt) {
	for p.tok.kind != endToken {
		if p.tok.kind == indentToken {
			p.fail("unexpected indent")
		}
		stmts = append(stmts, p.statement()...)
	}
	return stmts
}

// parseExpression reads an expression that is all of the text.
func parseExpression(src string) (e syntax.Expr, err error) {
	defer catchSyntax(&err)
	p := newParser(src)
	e = p.testList()
	if p.tok.kind == newlineToken {
		p.next()
	}
	if p.tok.kind != endToken {
		p.fail("invalid syntax")
	}
	return e, nil
}

func newParser(src string) *parser {
	tokens := tokenize(src)
	return &parser{src: src, tokens: tokens, tok: tokens[0]}
}

func (p *parser) next() {
	if p.at < len(p.tokens)-1 {
		p.at++
	}
	p.tok = p.tokens[p.at]
}

func (p *parser) peek() token { return p.tokens[min(p.at+1, len(p.tokens)-1)] }

func (p *parser) fail(text string) { p.failAt(p.tok, text) }

func (p *parser) failAt(t token, text string) {
	panic(failure{syntaxError(text, t.line, t.col, p.src), t == p.tok && p.over()})
}

// over reports whether nothing is left but the ends of blocks.
func (p *parser) over() bool {
	return !slices.ContainsFunc(p.tokens[p.at:], func(t token) bool { return t.kind != dedentToken && t.kind != endToken })
}

// lacks says that Python has it and this has not.
func (p *parser) lacks(what string) {
	p.fail(what + " not supported: eval and execute run Starlark, not Python")
}

// accept takes the token if it is that operator or keyword.
func (p *parser) accept(text string) bool {
	if p.tok.is(text) {
		p.next()
		return true
	}
	return false
}

func (p *parser) expect(text string) token {
	t := p.tok
	if !p.accept(text) {
		if text == ":" {
			p.fail("expected ':'")
		}
		p.fail("invalid syntax")
	}
	return t
}

func (p *parser) name() *syntax.Ident {
	t := p.tok
	if t.kind != nameToken {
		p.fail("invalid syntax")
	}
	p.next()
	return &syntax.Ident{Name: t.text, NamePos: p.pos(t)}
}

func (p *parser) pos(t token) syntax.Position {
	return syntax.MakePosition(&filePath, int32(t.line), int32(t.col))
}

func (p *parser) call(name string, t token, args ...syntax.Expr) *syntax.CallExpr {
	at := p.pos(t)
	return &syntax.CallExpr{Fn: &syntax.Ident{Name: name, NamePos: at}, Lparen: at, Args: args, Rparen: at}
}

func (p *parser) text(s string, t token) *syntax.Literal {
	return &syntax.Literal{Token: syntax.STRING, TokenPos: p.pos(t), Raw: `""`, Value: s}
}

func (p *parser) do(e syntax.Expr) syntax.Stmt { return &syntax.ExprStmt{X: e} }

func (p *parser) mark(name string, t token, body, other []syntax.Stmt, args ...syntax.Expr) *syntax.IfStmt {
	return &syntax.IfStmt{If: p.pos(t), Cond: p.call(name, t, args...), True: body, ElsePos: p.pos(t), False: other}
}

// enter bounds how deep the parser calls itself.
func (p *parser) enter() func() {
	if p.depth++; p.depth > maxDepth {
		p.tooDeep()
	}
	return func() { p.depth-- }
}

func (p *parser) tooDeep() {
	panic(failure{err: vinegar.RecursionError.New("maximum recursion depth exceeded during compilation")})
}

func (p *parser) statement() []syntax.Stmt {
	defer p.enter()()
	t := p.tok
	if t.kind == keywordToken {
		switch t.text {
		case "if":
			return []syntax.Stmt{p.ifStatement()}
		case "while":
			p.next()
			cond := p.namedTest()
			loop := &syntax.WhileStmt{While: p.pos(t), Cond: cond, Body: p.block()}
			return p.loopElse(t, loop)
		case "for":
			p.next()
			vars := p.targets()
			p.expect("in")
			x := p.testList()
			loop := &syntax.ForStmt{For: p.pos(t), Vars: vars, X: x, Body: p.block()}
			return p.loopElse(t, loop)
		case "try":
			return []syntax.Stmt{p.try()}
		case "with":
			return []syntax.Stmt{p.with()}
		case "def":
			return []syntax.Stmt{p.def()}
		case "class", "async":
			p.lacks("'" + t.text + "' is")
		}
	}
	if t.is("@") {
		return p.decorated()
	}
	var out []syntax.Stmt
	for {
		out = append(out, p.simple()...)
		if p.accept(";") && p.tok.kind != newlineToken && p.tok.kind != endToken {
			continue
		}
		break
	}
	if p.tok.kind != newlineToken && p.tok.kind != endToken {
		p.fail("invalid syntax")
	}
	p.next()
	return out
}

// block is a colon and what belongs to it.
func (p *parser) block() []syntax.Stmt {
	p.expect(":")
	if p.tok.kind != newlineToken {
		if k := p.tok.text; p.tok.kind == keywordToken && (k == "if" || k == "for" || k == "while" || k == "try" ||
			k == "with" || k == "def" || k == "class") {
			p.fail("invalid syntax")
		}
		return p.statement()
	}
	p.next()
	if p.tok.kind != indentToken {
		p.fail("expected an indented block")
	}
	p.next()
	var out []syntax.Stmt
	for p.tok.kind != dedentToken && p.tok.kind != endToken {
		if p.tok.kind == indentToken {
			p.fail("unexpected indent")
		}
		out = append(out, p.statement()...)
	}
	p.next()
	return out
}

func (p *parser) ifStatement() syntax.Stmt {
	defer p.enter()()
	t := p.tok
	p.next()
	s := &syntax.IfStmt{If: p.pos(t), Cond: p.namedTest(), True: p.block()}
	s.ElsePos = p.pos(p.tok)
	switch {
	case p.tok.is("elif"):
		s.False = []syntax.Stmt{p.ifStatement()}
	case p.accept("else"):
		s.False = p.block()
	}
	return s
}

func (p *parser) loopElse(t token, loop syntax.Stmt) []syntax.Stmt {
	if !p.accept("else") {
		return []syntax.Stmt{loop}
	}
	return []syntax.Stmt{p.mark(loopElseMark, t, []syntax.Stmt{loop}, p.block())}
}

// try becomes if try@(): body else: one if for each of except@(type, name), else@() and finally@().
func (p *parser) try() syntax.Stmt {
	t := p.tok
	p.next()
	body := p.block()
	var parts []syntax.Stmt
	bare := false
	for p.tok.is("except") {
		e := p.tok
		p.next()
		if bare {
			p.failAt(e, "default 'except:' must be last")
		}
		var args []syntax.Expr
		if p.tok.is("*") {
			p.lacks("'except*' is")
		}
		if bare = p.tok.is(":"); !bare {
			args = append(args, p.test())
			if p.accept("as") {
				args = append(args, p.name())
			}
		}
		parts = append(parts, p.mark(exceptMark, e, p.block(), nil, args...))
	}
	e := p.tok
	if len(parts) > 0 && p.accept("else") {
		parts = append(parts, p.mark(elseMark, e, p.block(), nil))
	}
	e = p.tok
	if p.accept("finally") {
		parts = append(parts, p.mark(finallyMark, e, p.block(), nil))
	}
	if len(parts) == 0 {
		p.fail("expected 'except' or 'finally' block")
	}
	return p.mark(tryMark, t, body, parts)
}

// with becomes if with@(manager, target): body, one in the other if there are several.
func (p *parser) with() syntax.Stmt {
	t := p.tok
	p.next()
	paren := false
	if p.tok.is("(") { // with (a as b, c as d):
		depth, as := 0, false
		i := p.at
		for ; i < len(p.tokens); i++ {
			x := p.tokens[i]
			switch {
			case x.is("("), x.is("["), x.is("{"):
				depth++
			case x.is(")"), x.is("]"), x.is("}"):
				depth--
			case depth == 1 && x.is("as"):
				as = true
			}
			if depth == 0 {
				break
			}
		}
		paren = as && i+1 < len(p.tokens) && p.tokens[i+1].is(":")
	}
	if paren {
		p.next()
	}
	var items [][]syntax.Expr
	for {
		item := []syntax.Expr{p.test()}
		if p.accept("as") {
			item = append(item, p.target())
		}
		items = append(items, item)
		if !p.accept(",") || paren && p.tok.is(")") {
			break
		}
	}
	if paren {
		p.expect(")")
	}
	body := p.block()
	for i := len(items) - 1; i >= 0; i-- {
		body = []syntax.Stmt{p.mark(withMark, t, body, nil, items[i]...)}
	}
	return body[0]
}

func (p *parser) def() syntax.Stmt {
	t := p.tok
	p.next()
	d := &syntax.DefStmt{Def: p.pos(t), Name: p.name(), Lparen: p.pos(p.tok)}
	p.expect("(")
	d.Params = p.params(")", true)
	d.Rparen = p.pos(p.tok)
	p.expect(")")
	if p.accept("->") {
		p.test()
	}
	d.Body = p.block()
	return d
}

// params are the parameters of a def or lambda. Annotations are read and forgotten.
func (p *parser) params(end string, annotated bool) (out []syntax.Expr) {
	seen := map[string]bool{}
	defaults, star := false, false
	for !p.tok.is(end) {
		t := p.tok
		var param syntax.Expr
		switch {
		case p.accept("/"):
			p.failAt(t, "positional-only parameters are not supported: eval and execute run Starlark, not Python")
		case p.accept("*"):
			if star {
				p.failAt(t, "* argument may appear only once")
			}
			star = true
			u := &syntax.UnaryExpr{OpPos: p.pos(t), Op: syntax.STAR}
			if p.tok.kind == nameToken {
				u.X = p.param(seen, annotated)
			}
			param = u
		case p.accept("**"):
			param = &syntax.UnaryExpr{OpPos: p.pos(t), Op: syntax.STARSTAR, X: p.param(seen, annotated)}
			p.accept(",")
			if !p.tok.is(end) {
				p.fail("arguments cannot follow var-keyword argument")
			}
		default:
			id := p.param(seen, annotated)
			param = id
			if eq := p.tok; p.accept("=") {
				defaults = true
				param = &syntax.BinaryExpr{X: id, OpPos: p.pos(eq), Op: syntax.EQ, Y: p.test()}
			} else if defaults && !star {
				p.failAt(t, "non-default argument follows default argument")
			}
		}
		out = append(out, param)
		if !p.tok.is(end) {
			p.expect(",")
		}
	}
	return out
}

func (p *parser) param(seen map[string]bool, annotated bool) *syntax.Ident {
	t := p.tok
	id := p.name()
	if seen[id.Name] {
		p.failAt(t, "duplicate argument '"+id.Name+"' in function definition")
	}
	seen[id.Name] = true
	if annotated && p.accept(":") {
		p.test()
	}
	return id
}

// decorated is a def with decorators: name = decorator(name) after it.
func (p *parser) decorated() []syntax.Stmt {
	var decorators []syntax.Expr
	var tokens []token
	for p.tok.is("@") {
		tokens = append(tokens, p.tok)
		p.next()
		decorators = append(decorators, p.namedTest())
		if p.tok.kind != newlineToken {
			p.fail("invalid syntax")
		}
		p.next()
	}
	if !p.tok.is("def") {
		p.lacks("decorating anything but a def is")
	}
	d := p.def().(*syntax.DefStmt)
	out := []syntax.Stmt{d}
	for i := len(decorators) - 1; i >= 0; i-- {
		at := p.pos(tokens[i])
		id := func() *syntax.Ident { return &syntax.Ident{Name: d.Name.Name, NamePos: at} }
		made := &syntax.CallExpr{Fn: decorators[i], Lparen: at, Args: []syntax.Expr{id()}, Rparen: at}
		out = append(out, &syntax.AssignStmt{OpPos: at, Op: syntax.EQ, LHS: id(), RHS: made})
	}
	return out
}

// dotted is the name of a module.
func (p *parser) dotted() string {
	var parts []string
	for {
		parts = append(parts, p.name().Name)
		if !p.accept(".") {
			return strings.Join(parts, ".")
		}
	}
}

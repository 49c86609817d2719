package conform

import (
	"errors"
	"fmt"
	"math/big"

	"go.starlark.net/syntax"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// program runs the statements of a row of the tables, which are Python in look: each name, call, item and operator is
// the request that RPyC's proxies send for it.
type program struct {
	peer *peer
	vars map[string]any
	root any
}

// mistake is a fault of the table and not of the peer.
type mistake struct{ text string }

func (m *mistake) Error() string { return "the check itself is wrong: " + m.text }

func wrong(format string, args ...any) error { return &mistake{fmt.Sprintf(format, args...)} }

// run runs all statements and returns the value of the last.
func (g *program) run(stmts []syntax.Stmt) (v any, err error) {
	for _, s := range stmts {
		switch s := s.(type) {
		case *syntax.ExprStmt:
			v, err = g.eval(s.X)
		case *syntax.AssignStmt:
			name, ok := s.LHS.(*syntax.Ident)
			if !ok || s.Op != syntax.EQ {
				return nil, wrong("only names are assigned to")
			}
			if v, err = g.eval(s.RHS); err == nil {
				g.vars[name.Name] = v
			}
		default:
			return nil, wrong("statement %T", s)
		}
		if err != nil {
			return nil, err
		}
	}
	return v, nil
}

func (g *program) eval(e syntax.Expr) (any, error) {
	switch e := e.(type) {
	case *syntax.Ident:
		return g.name(e.Name)
	case *syntax.Literal:
		return literal(e)
	case *syntax.ParenExpr:
		return g.eval(e.X)
	case *syntax.TupleExpr:
		return g.all(e.List)
	case *syntax.UnaryExpr:
		return g.unary(e)
	case *syntax.BinaryExpr:
		both, err := g.all([]syntax.Expr{e.X, e.Y})
		if err != nil {
			return nil, err
		}
		return g.binary(e.Op, both[0], both[1])
	case *syntax.DotExpr:
		o, err := g.eval(e.X)
		if err != nil {
			return nil, err
		}
		return g.peer.ask(wire.HandleGetAttr, o, e.Name.Name)
	case *syntax.IndexExpr:
		both, err := g.all([]syntax.Expr{e.X, e.Y})
		if err != nil {
			return nil, err
		}
		if t, ok := both[0].(brine.Tuple); ok {
			return member(t, both[1])
		}
		return g.method(both[0], "__getitem__", both[1])
	case *syntax.CallExpr:
		return g.call(e)
	}
	return nil, wrong("expression %T", e)
}

func (g *program) all(list []syntax.Expr) (brine.Tuple, error) {
	out := make(brine.Tuple, len(list))
	for i, e := range list {
		var err error
		if out[i], err = g.eval(e); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func member(t brine.Tuple, i any) (any, error) {
	n, ok := i.(int64)
	if !ok || n < 0 || n >= int64(len(t)) {
		return nil, fmt.Errorf("the answer %s has no member %v", short(t), i)
	}
	return t[n], nil
}

// literal makes a plain value of what the parser has read.
func literal(e *syntax.Literal) (any, error) {
	switch v := e.Value.(type) {
	case string:
		if e.Token == syntax.BYTES {
			return []byte(v), nil
		}
		return v, nil
	case int64, float64:
		return v, nil
	case *big.Int:
		return pyvalue.IntValue(v), nil
	}
	return nil, wrong("literal %s", e.Raw)
}

var constants = map[string]any{
	"None": nil, "True": true, "False": false, "Ellipsis": brine.Ellipsis, "NotImplemented": brine.NotImplemented,
}

// name is a constant, a variable, one of our objects, or else an attribute of the root object.
func (g *program) name(name string) (any, error) {
	if v, ok := constants[name]; ok {
		return v, nil
	}
	if v, ok := g.vars[name]; ok {
		return v, nil
	}
	if f, ok := ours[name]; ok {
		o := f(g.peer)
		g.vars[name] = o
		return o, nil
	}
	root, err := g.rootObject()
	if err != nil || name == "root" {
		return root, err
	}
	return g.peer.ask(wire.HandleGetAttr, root, name)
}

func (g *program) rootObject() (any, error) {
	if g.root != nil {
		return g.root, nil
	}
	root, err := g.peer.ask(wire.HandleGetRoot)
	if err != nil {
		return nil, err
	}
	if _, ok := root.(theirs); !ok {
		return nil, fmt.Errorf("the root is no object: %s", short(root))
	}
	g.root = root
	return root, nil
}

func (g *program) unary(e *syntax.UnaryExpr) (any, error) {
	v, err := g.eval(e.X)
	if err != nil {
		return nil, err
	}
	if e.Op != syntax.MINUS {
		return nil, wrong("operator %v", e.Op)
	}
	if n := pyvalue.NumberOf(v); n.Kind != pyvalue.NotNumber {
		return pyvalue.Negate(n), nil
	}
	return g.method(v, "__neg__")
}

var operators = map[syntax.Token]string{
	syntax.PLUS: "__add__", syntax.MINUS: "__sub__", syntax.STAR: "__mul__", syntax.SLASH: "__truediv__",
	syntax.PERCENT: "__mod__", syntax.SLASHSLASH: "__floordiv__",
}

var comparisons = map[syntax.Token]string{
	syntax.EQL: "__eq__", syntax.NEQ: "__ne__", syntax.LT: "__lt__", syntax.LE: "__le__", syntax.GT: "__gt__",
	syntax.GE: "__ge__",
}

func (g *program) binary(op syntax.Token, a, b any) (any, error) {
	if name := comparisons[op]; name != "" {
		return g.peer.ask(wire.HandleCmp, a, b, name)
	}
	if name := operators[op]; name != "" {
		return g.method(a, name, b)
	}
	if op == syntax.IN {
		return g.method(b, "__contains__", a)
	}
	return nil, wrong("operator %v", op)
}

// method calls a special method of the peer's object, by one request or two as the family has it.
func (g *program) method(o any, name string, args ...any) (any, error) {
	return g.peer.method(o, name, args, brine.Tuple{})
}

func (p *peer) method(o any, name string, args brine.Tuple, kwargs brine.Tuple) (any, error) {
	if args == nil {
		args = brine.Tuple{}
	}
	if p.dialect != wire.FamilyE {
		return p.ask(wire.HandleCallAttr, o, name, args, kwargs)
	}
	f, err := p.ask(wire.HandleGetAttr, o, name)
	if err != nil {
		return nil, err
	}
	return p.ask(wire.HandleCall, f, args, kwargs)
}

// call calls a function of this language, or else the peer's.
func (g *program) call(e *syntax.CallExpr) (any, error) {
	var args []syntax.Expr
	kwargs := brine.Tuple{}
	for _, a := range e.Args {
		if b, ok := a.(*syntax.BinaryExpr); ok && b.Op == syntax.EQ {
			v, err := g.eval(b.Y)
			if err != nil {
				return nil, err
			}
			kwargs = append(kwargs, brine.Tuple{b.X.(*syntax.Ident).Name, v})
			continue
		}
		args = append(args, a)
	}
	id, isName := e.Fn.(*syntax.Ident)
	if isName && id.Name == "caught" && len(args) == 1 {
		return g.caught(args[0])
	}
	if isName && builtins[id.Name].f != nil {
		b := builtins[id.Name]
		values, err := g.all(args)
		if err != nil {
			return nil, err
		}
		if len(values) < b.least || len(values) > max(b.least, b.most) {
			return nil, wrong("%s() with %d arguments", id.Name, len(values))
		}
		return b.f(g, values)
	}
	f, err := g.eval(e.Fn)
	if err != nil {
		return nil, err
	}
	values, err := g.all(args)
	if err != nil {
		return nil, err
	}
	return g.peer.ask(wire.HandleCall, f, values, kwargs)
}

// caught evaluates an expression and returns the class of the exception that it must have raised.
func (g *program) caught(e syntax.Expr) (any, error) {
	v, err := g.eval(e)
	var r *raised
	if errors.As(err, &r) {
		return r.class(), nil
	}
	if err == nil {
		err = fmt.Errorf("has raised nothing: %s", short(v))
	}
	return nil, err
}

package script

import (
	"go.starlark.net/syntax"
)

// bindings are the names that a function binds, without those of functions in it.
type bindings struct {
	names, globals, nonlocals map[string]bool
	yields                    bool
	// stored: there is a statement whose blocks are functions of their own, or a function in it that may bind its names.
	stored bool
	// reaches: it or a function in it binds names of the functions around it.
	reaches bool
}

func newBindings() *bindings {
	return &bindings{names: map[string]bool{}, globals: map[string]bool{}, nonlocals: map[string]bool{}}
}

func (b *bindings) block(stmts []syntax.Stmt) {
	for _, st := range stmts {
		b.stmt(st)
	}
}

func (b *bindings) stmt(st syntax.Stmt) {
	switch x := st.(type) {
	case *syntax.AssignStmt:
		b.target(x.LHS)
		b.expr(x.LHS)
		b.expr(x.RHS)
	case *syntax.DefStmt:
		b.names[x.Name.Name] = true
		inner := newBindings()
		inner.block(x.Body)
		b.stored = b.stored || inner.reaches
		b.reaches = b.reaches || inner.reaches
		for _, p := range x.Params {
			if d, ok := p.(*syntax.BinaryExpr); ok {
				b.expr(d.Y)
			}
		}
	case *syntax.IfStmt:
		b.expr(x.Cond)
		b.block(x.True)
		b.block(x.False)
		switch markOf(x.Cond) {
		case tryMark:
			b.stored = true
		case exceptMark:
			if args := x.Cond.(*syntax.CallExpr).Args; len(args) > 1 {
				b.target(args[1])
			}
		case withMark:
			b.stored = true
			if args := x.Cond.(*syntax.CallExpr).Args; len(args) > 1 {
				b.target(args[1])
			}
		}
	case *syntax.ForStmt:
		b.target(x.Vars)
		b.expr(x.X)
		b.block(x.Body)
	case *syntax.WhileStmt:
		b.expr(x.Cond)
		b.block(x.Body)
	case *syntax.ReturnStmt:
		if x.Result != nil {
			b.expr(x.Result)
		}
	case *syntax.ExprStmt:
		c, _ := x.X.(*syntax.CallExpr)
		switch markOf(x.X) {
		case globalCall:
			for _, a := range c.Args {
				b.globals[a.(*syntax.Literal).Value.(string)] = true
			}
			return
		case nonlocalCall:
			for _, a := range c.Args {
				b.nonlocals[a.(*syntax.Literal).Value.(string)] = true
			}
			b.reaches = true
			return
		case delCall:
			for _, a := range c.Args {
				if id, ok := unparen(a).(*syntax.Ident); ok {
					b.names[id.Name] = true
					b.stored = true
				}
			}
		case chainAssignCall:
			for _, a := range c.Args[1:] {
				b.target(a)
			}
		}
		b.expr(x.X)
	}
}

func (b *bindings) target(e syntax.Expr) {
	switch x := unparen(e).(type) {
	case *syntax.Ident:
		b.names[x.Name] = true
	case *syntax.TupleExpr:
		for _, i := range x.List {
			b.target(i)
		}
	case *syntax.ListExpr:
		for _, i := range x.List {
			b.target(i)
		}
	case *syntax.CallExpr:
		switch markOf(x) {
		case starMark, tupleStarCall, listStarCall:
			for _, a := range x.Args {
				b.target(a)
			}
		}
	}
}

// expr looks for := and yield, which are in expressions.
func (b *bindings) expr(e syntax.Expr) {
	if e == nil {
		return
	}
	syntax.Walk(e, func(n syntax.Node) bool {
		switch x := n.(type) {
		case *syntax.LambdaExpr:
			return len(x.Params) == 1 && isItem(x.Params[0]) // that of a generator expression binds names around it
		case *syntax.CallExpr:
			switch markOf(x) {
			case walrusCall:
				b.names[x.Args[0].(*syntax.Literal).Value.(string)] = true
				b.stored = true
			case yieldCall, yieldFromCall:
				b.yields, b.stored = true, true
			}
		}
		return true
	})
}

func isItem(e syntax.Expr) bool {
	id, ok := e.(*syntax.Ident)
	return ok && id.Name == itemName
}

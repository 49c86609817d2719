package main

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"go.starlark.net/syntax"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/brine/pyvalue"
	"github.com/gorpyc/gorpyc/netref"
)

// parseArg reads an argument: a Python literal, or else a str. What begins like a text, bytes or a container has to be
// one.
func parseArg(text string) (any, error) {
	trimmed := strings.TrimSpace(text)
	v, err := pyvalue.ParseLiteral(trimmed)
	if err == nil {
		return v, nil
	}
	for _, start := range []string{"'", `"`, "b'", `b"`, "r'", `r"`, "[", "(", "{"} {
		if strings.HasPrefix(trimmed, start) {
			return nil, usage("%s is no Python literal: %s", text, err)
		}
	}
	return text, nil
}

// syntaxText leaves the position out, which means nothing on one line.
func syntaxText(err error) string {
	var s syntax.Error
	if errors.As(err, &s) {
		return s.Msg
	}
	return err.Error()
}

func parseArgs(texts, keywords []string) ([]any, error) {
	var args []any
	for _, text := range texts {
		v, err := parseArg(text)
		if err != nil {
			return nil, err
		}
		args = append(args, v)
	}
	for _, text := range keywords {
		name, value, found := strings.Cut(text, "=")
		if !found || name == "" {
			return nil, usage("--kw %s: want NAME=VALUE", text)
		}
		v, err := parseArg(value)
		if err != nil {
			return nil, err
		}
		args = append(args, netref.Kw(name, v))
	}
	return args, nil
}

// evaluate gives the value of an expression. What is no literal is left to other.
func evaluate(e syntax.Expr, other func(syntax.Expr) (any, error)) (any, error) {
	switch e := e.(type) {
	case *syntax.Literal:
		if s, ok := e.Value.(string); ok && e.Token == syntax.BYTES {
			return []byte(s), nil
		}
		return e.Value, nil
	case *syntax.ParenExpr:
		return evaluate(e.X, other)
	case *syntax.UnaryExpr:
		return negated(e, other)
	case *syntax.Ident:
		switch e.Name {
		case "None":
			return nil, nil
		case "True", "False":
			return e.Name == "True", nil
		}
	case *syntax.TupleExpr:
		t := brine.Tuple{}
		items, err := all(e.List, other)
		return append(t, items...), err
	case *syntax.ListExpr:
		return all(e.List, other)
	case *syntax.DictExpr:
		d := map[any]any{}
		for _, entry := range e.List {
			pair := entry.(*syntax.DictEntry)
			k, err := evaluate(pair.Key, other)
			if err != nil {
				return nil, err
			}
			if k != nil && !reflect.TypeOf(k).Comparable() {
				return nil, fmt.Errorf("a dict's keys can be numbers and texts here")
			}
			if d[k], err = evaluate(pair.Value, other); err != nil {
				return nil, err
			}
		}
		return d, nil
	}
	return other(e)
}

func all(list []syntax.Expr, other func(syntax.Expr) (any, error)) ([]any, error) {
	items := make([]any, 0, len(list))
	for _, e := range list {
		v, err := evaluate(e, other)
		if err != nil {
			return nil, err
		}
		items = append(items, v)
	}
	return items, nil
}

func negated(e *syntax.UnaryExpr, other func(syntax.Expr) (any, error)) (any, error) {
	if e.Op != syntax.MINUS && e.Op != syntax.PLUS || e.X == nil {
		return other(e)
	}
	v, err := evaluate(e.X, other)
	n := pyvalue.NumberOf(v)
	switch {
	case err != nil:
		return nil, err
	case n.Kind == pyvalue.NotNumber:
		return other(e)
	case e.Op == syntax.MINUS:
		return pyvalue.Negate(n), nil
	}
	return v, nil
}

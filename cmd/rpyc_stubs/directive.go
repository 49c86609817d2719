package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/brine/pyvalue"
)

// directive is a line "//rpyc:name text" of a doc comment.
type directive struct {
	name, text string
	pos        token.Pos
}

// The directives there are, and what they may stand at.
var known = map[string]string{
	"service": "type", "alias": "type", "class": "type", "name": "any", "expose": "type",
	"params": "func", "default": "func", "kwonly": "func", "posonly": "func", "returns": "func",
	"omit": "any",
}

// directives collects those of doc comments. where is "type", "func" or "field".
func (s *source) directives(where string, docs ...*ast.CommentGroup) ([]directive, []error) {
	var ds []directive
	var errs []error
	for _, doc := range docs {
		if doc == nil {
			continue
		}
		for _, c := range doc.List {
			text, ok := strings.CutPrefix(c.Text, "//rpyc:")
			if !ok {
				continue
			}
			name, rest, _ := strings.Cut(text, " ")
			name = strings.TrimSpace(name)
			switch known[name] {
			case "any", where:
				ds = append(ds, directive{name, strings.TrimSpace(rest), c.Pos()})
			case "":
				errs = append(errs, s.at(c.Pos(), "no directive is called rpyc:%s", name))
			default:
				errs = append(errs, s.at(c.Pos(), "rpyc:%s does not belong to a %s", name, where))
			}
		}
	}
	return ds, errs
}

// splitList splits at commas that are outside of quotes and parentheses, and trims the parts.
func splitList(text string) ([]string, error) {
	var parts []string
	depth, start := 0, 0
	quote := rune(0)
	escaped := false
	for i, r := range text {
		switch {
		case escaped:
			escaped = false
		case quote != 0:
			if r == '\\' {
				escaped = true
			} else if r == quote {
				quote = 0
			}
		case r == '\'' || r == '"':
			quote = r
		case r == '(':
			depth++
		case r == ')':
			depth--
		case r == ',' && depth == 0:
			parts = append(parts, strings.TrimSpace(text[start:i]))
			start = i + 1
		}
		if depth < 0 {
			return nil, fmt.Errorf("unexpected ) in %s", text)
		}
	}
	if quote != 0 || depth != 0 {
		return nil, fmt.Errorf("%s is not closed", text)
	}
	if last := strings.TrimSpace(text[start:]); last != "" || len(parts) > 0 {
		parts = append(parts, last)
	}
	return parts, nil
}

// literalKind tells the Python type of a literal that can be a default; package exposed reads the same ones.
func literalKind(lit string) (string, error) {
	v, rest, err := pyvalue.ScanLiteral(lit)
	if err != nil || strings.TrimSpace(rest) != "" {
		return "", fmt.Errorf("%s is no Python literal that can be a default: None, True, False, a number, "+
			"a str, bytes or a tuple", lit)
	}
	switch v {
	case nil:
		return "None", nil
	case brine.Ellipsis:
		return "...", nil
	}
	return pyvalue.TypeName(v), nil
}

// fits reports whether a default of a kind can be a parameter of type t.
func fits(kind string, t types.Type) bool {
	t = types.Unalias(t)
	switch u := t.Underlying().(type) {
	case *types.Interface:
		return true
	case *types.Pointer:
		return kind == "None" || isNamed(t, "math/big", "Int") && kind == "int" || fits(kind, u.Elem())
	case *types.Slice:
		if isByte(u.Elem()) {
			return kind == "None" || kind == "bytes"
		}
		return kind == "None" || kind == "tuple"
	case *types.Array:
		return kind == "tuple"
	case *types.Map, *types.Signature, *types.Chan:
		return kind == "None"
	case *types.Basic:
		switch i := u.Info(); {
		case i&types.IsBoolean != 0:
			return kind == "bool"
		case i&types.IsString != 0:
			return kind == "str"
		case i&types.IsInteger != 0:
			return kind == "int" || kind == "bool" || kind == "float" && isNamed(t, "time", "Duration")
		default:
			return kind == "int" || kind == "bool" || kind == "float"
		}
	}
	return false
}

func isByte(t types.Type) bool {
	b, ok := types.Unalias(t).Underlying().(*types.Basic)
	return ok && b.Kind() == types.Uint8
}

// isNamed reports whether t is, or points to, the named type of a package.
func isNamed(t types.Type, path, name string) bool {
	n := namedOf(t)
	return n != nil && n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == path && n.Obj().Name() == name
}

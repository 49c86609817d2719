package script

import (
	"errors"
	"regexp"
	"strings"

	"go.starlark.net/resolve"
	"go.starlark.net/starlark"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// syntaxError is Python's SyntaxError at a place in the program, with the line if it is known.
func syntaxError(text string, line, column int, source string) error {
	var shown any
	if all := strings.Split(source, "\n"); source != "" && line >= 1 && line <= len(all) {
		shown = all[line-1]
	}
	var offset any
	if column > 0 {
		offset = int64(column)
	}
	class := vinegar.SyntaxError
	if strings.HasPrefix(text, "unindent") || strings.HasPrefix(text, "unexpected indent") ||
		strings.HasPrefix(text, "expected an indented") {
		class = vinegar.IndentationError
	}
	return class.New(text, brine.Tuple{"<string>", int64(line), offset, shown})
}

// Starlark's own errors, and Python's words for them.
var translations = []struct {
	pattern *regexp.Regexp
	class   *vinegar.Class
	text    string
}{
	{regexp.MustCompile(`^local variable (\S+) referenced before assignment$`), vinegar.UnboundLocalError,
		"cannot access local variable '$1' where it is not associated with a value"},
	{regexp.MustCompile(`^invalid call of non-function \((\w+)\)$`), vinegar.TypeError, "'$1' object is not callable"},
	{regexp.MustCompile(`^too many values to unpack \(got -?\d+, want (\d+)\)$`), vinegar.ValueError,
		"too many values to unpack (expected $1)"},
	{regexp.MustCompile(`^too few values to unpack \(got (\d+), want (\d+)\)$`), vinegar.ValueError,
		"not enough values to unpack (expected $2, got $1)"},
	{regexp.MustCompile(`^function (\S+) accepts no arguments \(1 given\)$`), vinegar.TypeError,
		"$1() takes 0 positional arguments but 1 was given"},
	{regexp.MustCompile(`^function (\S+) accepts no arguments \((\d+) given\)$`), vinegar.TypeError,
		"$1() takes 0 positional arguments but $2 were given"},
	{regexp.MustCompile(`^function (\S+) accepts 1 positional argument \((\d+) given\)$`), vinegar.TypeError,
		"$1() takes 1 positional argument but $2 were given"},
	{regexp.MustCompile(`^function (\S+) accepts (\d+) positional arguments? \((\d+) given\)$`), vinegar.TypeError,
		"$1() takes $2 positional arguments but $3 were given"},
	{regexp.MustCompile(`^function (\S+) accepts at most (\d+) positional arguments? \((\d+) given\)$`), vinegar.TypeError,
		"$1() takes at most $2 positional arguments but $3 were given"},
	{regexp.MustCompile(`^function (\S+) got multiple values for parameter "?(\w+)"?$`), vinegar.TypeError,
		"$1() got multiple values for argument '$2'"},
	{regexp.MustCompile(`^function (\S+) got an unexpected keyword argument "?(\w+)"?$`), vinegar.TypeError,
		"$1() got an unexpected keyword argument '$2'"},
	{regexp.MustCompile(`^function (\S+) missing 1 argument \((\w+)\)$`), vinegar.TypeError,
		"$1() missing 1 required positional argument: '$2'"},
}

// pythonError makes an exception of what Starlark reports: the exception that a helper raised, or Python's for an error
// of Starlark's own.
func pythonError(err error) error {
	var e *vinegar.Error
	if errors.As(err, &e) {
		return e
	}
	var list resolve.ErrorList
	if errors.As(err, &list) && len(list) > 0 {
		text := list[0].Msg
		switch {
		case strings.Contains(text, "return statement not within"):
			text = "'return' outside function"
		case strings.Contains(text, "break not in a loop"):
			text = "'break' outside loop"
		case strings.Contains(text, "continue not in a loop"):
			text = "'continue' not properly in loop"
		}
		return syntaxError(text, int(list[0].Pos.Line), int(list[0].Pos.Col), "")
	}
	text := err.Error()
	var ee *starlark.EvalError
	if errors.As(err, &ee) {
		if cause := ee.Unwrap(); cause != nil {
			var re *starlark.EvalError
			if !errors.As(cause, &re) {
				text = cause.Error()
			}
		} else {
			text = ee.Msg
		}
		var other interface{ Is(error) bool }
		if errors.As(ee.Unwrap(), &other) {
			return vinegar.FromError(ee.Unwrap())
		}
	}
	for _, t := range translations {
		if m := t.pattern.FindStringSubmatchIndex(text); m != nil {
			return t.class.New(string(t.pattern.ExpandString(nil, t.text, text, m)))
		}
	}
	return vinegar.FromError(err)
}

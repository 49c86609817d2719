//go:build !unix

package main

import (
	"context"
	"fmt"
	"io"

	"github.com/gorpyc/gorpyc/protocol/exposed"
)

// localBuiltins are the classes of Python's builtins and a few of its functions: the others come with the classic
// server's modules, which are for Unix.
func localBuiltins(out, _ io.Writer) func(name string) (any, bool) {
	functions := map[string]any{
		"len":  exposed.Func(exposed.Len, "obj", "/").Named("len"),
		"repr": exposed.Func(exposed.Repr, "obj", "/").Named("repr"),
		"print": exposed.Func(func(ctx context.Context, args ...any) error {
			for i, arg := range args {
				text, err := exposed.Str(ctx, arg)
				if err != nil {
					return err
				}
				if i > 0 {
					text = " " + text
				}
				if _, err := fmt.Fprint(out, text); err != nil {
					return err
				}
			}
			_, err := fmt.Fprintln(out)
			return err
		}, "*args").Named("print"),
	}
	return func(name string) (any, bool) {
		if f, ok := functions[name]; ok {
			return f, true
		}
		return exposed.Builtin(name)
	}
}

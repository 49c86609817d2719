//go:build unix

package main

import (
	"context"
	"io"

	"github.com/gorpyc/gorpyc/classic/modules"
	"github.com/gorpyc/gorpyc/protocol/exposed"
)

// localBuiltins are Python's builtins, without those that open files or run programs.
func localBuiltins(out, errs io.Writer) func(name string) (any, bool) {
	in := modules.NewInterpreter(&modules.Options{Stdout: out, Stderr: errs, Allow: func(string) bool { return false }})
	m, err := in.Import("builtins")
	return func(name string) (any, bool) {
		if err != nil {
			return nil, false
		}
		v, err := exposed.GetAttr(context.Background(), exposed.Unrestricted(), m, name)
		return v, err == nil
	}
}

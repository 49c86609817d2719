package main

import (
	"context"
	"strings"

	"github.com/gorpyc/gorpyc/classic"
	"github.com/gorpyc/gorpyc/cmd/internal/inspect"
	"github.com/gorpyc/gorpyc/netref"
)

// signature finds out how a method is called: by the first line of its documentation, if that says so; from a classic
// server by inspect.signature; and otherwise by what that reads, where the service opens it. "(…)" says that it does
// not tell.
func (s *session) signature(ctx context.Context, o *netref.Object, m member) string {
	const unknown = "(…)"
	line, _, _ := strings.Cut(m.Doc, "\n")
	if text, ok := strings.CutPrefix(line, m.Name); ok && strings.HasPrefix(text, "(") {
		return text
	}
	f, err := netref.Get[*netref.Object](ctx, o, m.Name)
	if err != nil || f == nil {
		return unknown
	}
	if s.classic != nil {
		if sig, err := classic.Call[*netref.Object](ctx, s.classic, "inspect.signature", f); err == nil {
			if text, err := sig.Str(ctx); err == nil {
				return text
			}
		}
	}
	if sig, _, err := inspect.SignatureOf(ctx, f); err == nil && sig != nil {
		return sig.String()
	}
	return unknown
}

// function makes a method of a member that INSPECT does not know as one, such as the functions of a module, which a
// classic server tells.
func (s *session) function(ctx context.Context, o *netref.Object, m *member) {
	if s.classic == nil || m.Method {
		return
	}
	f, err := netref.Get[*netref.Object](ctx, o, m.Name)
	if err != nil || f == nil {
		return
	}
	if m.Method, err = classic.Call[bool](ctx, s.classic, "builtins.callable", f); err == nil && m.Method {
		m.Doc, _ = f.Doc(ctx)
		m.Doc = strings.TrimSpace(m.Doc)
	}
}

//go:build unix

package modules

import (
	"context"
	"unicode/utf8"

	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// textOf takes text: a str, or the bytes that a peer with Python 2 has for one.
func textOf(ctx context.Context, v any) (string, bool) {
	switch x := v.(type) {
	case string:
		return x, true
	case []byte:
		if c := protocol.FromContext(ctx); c != nil && c.Dialect().Python2() && utf8.Valid(x) {
			return string(x), true
		}
	}
	return "", false
}

// builtinOpen is open as clients call it.
func (in *Interpreter) builtinOpen(ctx context.Context, name, mode any, buffering int, encoding, errs, newline any,
	closefd bool, opener any) (any, error) {
	m, ok := textOf(ctx, mode)
	if !ok {
		return nil, vinegar.TypeError.Errorf("open() argument 'mode' must be str, not %s", exposed.TypeName(mode))
	}
	var options [3]*string
	for i, v := range []any{encoding, errs, newline} {
		if v == nil {
			continue
		}
		s, ok := textOf(ctx, v)
		if !ok {
			return nil, vinegar.TypeError.Errorf("open() argument '%s' must be str or None, not %s",
				[]string{"encoding", "errors", "newline"}[i], exposed.TypeName(v))
		}
		options[i] = &s
	}
	return in.openFile(ctx, name, m, buffering, options[0], options[1], options[2], closefd, opener)
}

package script

import (
	"context"
	"strings"

	"github.com/gorpyc/gorpyc/protocol/exposed"
)

// Interactive carries out what has been typed at a prompt, as code.InteractiveInterpreter.runsource does. more says
// that it is not complete, and nothing has been done; as at Python's prompt a statement with a block is complete at an
// empty line. show gets the values of expressions that are statements, unless they are None. The limits are those of a
// program of its own, whoever calls it.
func (e *Evaluator) Interactive(ctx context.Context, source string, globals *exposed.Dict,
	show func(ctx context.Context, v any) error) (more bool, err error) {
	if err := e.check(source); err != nil {
		return false, err
	}
	block, cut, err := readInput(source)
	switch {
	case cut || err == nil && block && !strings.HasSuffix(source, "\n"):
		return true, nil
	case err != nil:
		return false, err
	}
	if outer, ok := ctx.Value(runKey{}).(*run); ok {
		ctx = context.WithValue(ctx, ownKey{}, outer)
	}
	return false, e.exec(ctx, source, globals, show)
}

// readInput reads statements and tells whether the first has a block, and if they cannot be read, whether only the end
// is missing.
func readInput(source string) (block, cut bool, err error) {
	defer func() {
		if p := recover(); p != nil {
			f := failed(p)
			cut, err = f.cut, f.err
		}
	}()
	p := newParser(source)
	first := p.tok
	p.file()
	return blockWords[first.text] && first.kind != nameToken, false, nil
}

var blockWords = map[string]bool{"if": true, "while": true, "for": true, "try": true, "with": true,
	"def": true, "@": true}

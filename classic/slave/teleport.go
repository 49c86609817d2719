//go:build unix

package slave

import (
	"context"
	"fmt"
	"reflect"
	"strings"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/classic"
	"github.com/gorpyc/gorpyc/classic/modules"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// teleport_function sends the bytecode of a function, which only the same CPython can run. But it says where the
// function's source is, and the client of a classic server is itself one that can be asked: for the source, and for
// what its Python compiles it to, which has to be what was sent.

// sourceOf is evaluated by the client, with a file, a line and a name. It gives the text of the function, its code, and
// where its body begins; None where no def is found there. The whole file is compiled, because what a function is
// compiled to depends on what the file imports.
const sourceOf = `(lambda lines, first, name, ast: ([
	(text, c.co_code, c.co_names, c.co_varnames, tuple(x for x in c.co_consts if not hasattr(x, "co_code")), b.lineno, b.col_offset)
	for text in [__import__("textwrap").dedent("".join(__import__("inspect").getblock(lines[first - 1:])))]
	for n in ast.parse(text).body[:1] if type(n) is ast.FunctionDef
	for b in n.body[:1]
	for codes in [[compile("".join(lines), "teleported", "exec", 0, True)]]
	for c in codes if not codes.extend(x for x in c.co_consts if hasattr(x, "co_code")) and (c.co_firstlineno, c.co_name) == (first, name)
	] or [None])[0])(__import__("linecache").getlines(%s), %d, %s, __import__("ast"))`

// codeObject is what is needed of an exported code object.
type codeObject struct {
	args, posOnly, kwOnly, flags, line int
	code                               []byte
	names, vars, consts                brine.Tuple
	file, name                         string
}

const (
	hasVarArgs   = 0x04
	hasVarKw     = 0x08
	coroutine    = 0x80 | 0x200
	codeMagic    = "MAg1c J0hNNzo0hn ZqhuBP17LQk8"
	defaultsName = "__teleported_defaults__"
)

// parseCode reads the fields of a code object of Python 3.6 to 3.13.
func parseCode(t brine.Tuple) (*codeObject, error) {
	c := new(codeObject)
	var qualname any
	var skip any // nlocals, stacksize, line tables
	into := map[int][]any{
		15: {&c.args, &c.kwOnly, &skip, &skip, &c.flags, &c.code, &c.consts, &c.names, &c.vars, &c.file, &c.name, &c.line},
		16: {&c.args, &c.posOnly, &c.kwOnly, &skip, &skip, &c.flags, &c.code, &c.consts, &c.names, &c.vars, &c.file,
			&c.name, &c.line},
		18: {&c.args, &c.posOnly, &c.kwOnly, &skip, &skip, &c.flags, &c.code, &c.consts, &c.names, &c.vars, &c.file, &c.name,
			&qualname, &c.line},
	}[len(t)]
	if into == nil {
		return nil, vinegar.TypeError.Errorf("a code object of %d fields", len(t))
	}
	for i, dst := range into {
		ok := true
		switch d := dst.(type) {
		case *int:
			var n int64
			n, ok = t[i].(int64)
			*d, ok = int(n), ok && n >= 0 && n < 1<<31
		case *string:
			*d, ok = t[i].(string)
		case *[]byte:
			*d, ok = t[i].([]byte)
		case *brine.Tuple:
			*d, ok = t[i].(brine.Tuple)
		}
		if !ok {
			return nil, vinegar.TypeError.Errorf("field %d of a code object is of type %s", i, exposed.TypeName(t[i]))
		}
	}
	if c.posOnly > c.args || c.parameters() > len(c.vars) || c.line < 1 {
		return nil, vinegar.ValueError.New("a code object that contradicts itself")
	}
	return c, nil
}

// parameters is how many of the variables are parameters.
func (c *codeObject) parameters() int {
	n := c.args + c.kwOnly
	if c.flags&hasVarArgs != 0 {
		n++
	}
	if c.flags&hasVarKw != 0 {
		n++
	}
	return n
}

// constants are those that are no code objects.
func (c *codeObject) constants() brine.Tuple {
	own := brine.Tuple{}
	for _, v := range c.consts {
		if t, ok := v.(brine.Tuple); ok && len(t) == 2 && t[0] == codeMagic {
			continue
		} else if ok && (len(t) == 15 || len(t) == 16 || len(t) == 18) {
			if _, err := parseCode(t); err == nil {
				continue
			}
		}
		own = append(own, v)
	}
	return own
}

func (s *Service) newTeleportation() any {
	m := modules.New("rpyc.utils.teleportation", "")
	if s.deny {
		return m
	}
	m.Def("import_function", s.importFunction, "functup", "globals=None", "def_=True")
	return m
}

// importFunction is rpyc.utils.teleportation.import_function.
func (s *Service) importFunction(ctx context.Context, exported, globals, define any) (any, error) {
	f, err := classic.ParseFunction(exported)
	if err != nil {
		return nil, vinegar.TypeError.New(err.Error())
	}
	code, err := parseCode(f.Code)
	if err != nil {
		return nil, err
	}
	def, err := exposed.Truth(ctx, define)
	if err != nil {
		return nil, err
	}
	space, err := s.globals(ctx, globals)
	if err != nil {
		return nil, err
	}
	header, prologue, defaults, err := code.header(f)
	if err != nil {
		return nil, err
	}
	text, err := s.bodyOf(ctx, f.Name, code, prologue)
	if err != nil {
		return nil, err
	}
	// The defaults are those that the function has at the client; what the source says of them may be names of the
	// client's.
	restore := []func() error{}
	for name, value := range map[string]any{defaultsName: defaults, code.name: nil} {
		old, had, err := space.Get(ctx, name)
		if err != nil {
			return nil, err
		}
		restore = append(restore, func() error {
			if had {
				return space.Set(ctx, name, old)
			}
			_, err := space.Delete(ctx, name)
			return err
		})
		if err := space.Set(ctx, name, value); err != nil {
			return nil, err
		}
	}
	err = s.eval.Exec(ctx, header+text, space)
	made, _, getErr := space.Get(ctx, code.name)
	for _, undo := range restore {
		if err := undo(); err != nil {
			return nil, err
		}
	}
	if err != nil {
		return nil, err
	}
	if getErr == nil && def {
		getErr = space.Set(ctx, f.Name, made)
	}
	return made, getErr
}

// globals is the dict that the function sees: one of the server's, or a copy of the client's.
func (s *Service) globals(ctx context.Context, v any) (*exposed.Dict, error) {
	switch d := v.(type) {
	case nil:
		return s.namespace, nil
	case *exposed.Dict:
		return d, nil
	case *netref.Object:
		items, err := netref.As[map[string]any](ctx, d)
		if err != nil {
			return nil, err
		}
		own := exposed.NewDict()
		for name, value := range items {
			if err := own.Set(ctx, name, value); err != nil {
				return nil, err
			}
		}
		return own, nil
	}
	return nil, vinegar.TypeError.Errorf("arg 2 (globals) must be dict, not %s", exposed.TypeName(v))
}

// bodyOf is the body of the function, as a block or as what stands behind the colon.
func (s *Service) bodyOf(ctx context.Context, name string, code *codeObject, prologue string) (string, error) {
	refuse := func(format string, a ...any) error {
		return vinegar.NotImplementedError.Errorf("%s() cannot be teleported: this server has no Python to run its "+
			"bytecode; %s",
			name, fmt.Sprintf(format, a...))
	}
	if code.flags&coroutine != 0 {
		return "", refuse("it runs no coroutines")
	}
	conn := protocol.FromContext(ctx)
	if conn == nil {
		return "", refuse("it knows nobody to ask for its source")
	}
	v, err := netref.Call[any](ctx, conn.Root(), "eval", fmt.Sprintf(sourceOf, vinegar.Repr(code.file), code.line,
		vinegar.Repr(code.name)))
	if err != nil {
		return "", refuse("its source cannot be had from %s, line %d, of the client: %v", code.file, code.line, err)
	}
	t, ok := v.(brine.Tuple)
	if !ok || len(t) != 7 {
		return "", refuse("the client has no source of it: no def is at %s, line %d", code.file, code.line)
	}
	same := brine.Tuple{code.code, code.names, code.vars, code.constants()}
	if !reflect.DeepEqual(same, t[1:5]) {
		return "", refuse("what is now at %s, line %d, of the client is something else", code.file, code.line)
	}
	text, ok1 := t[0].(string)
	line, ok2 := t[5].(int64)
	column, ok3 := t[6].(int64)
	lines := strings.SplitAfter(text, "\n")
	if !ok1 || !ok2 || !ok3 || line < 1 || int(line) > len(lines) || column < 0 || int(column) > len(lines[line-1]) {
		return "", refuse("the client has no source of it")
	}
	first := lines[line-1]
	rest := strings.Join(lines[line:], "")
	before := first[:column]
	if strings.TrimLeft(before, " \t") != "" { // on the line of the def
		return " " + prologue + first[column:] + rest, nil
	}
	return "\n" + before + prologue + first[column:] + rest, nil
}

// header is the line of the def, made of the code object, what the body begins with, and the values of the defaults.
// Parameters that are positional only, for which the language has no form, go by a name that callers do not know.
func (c *codeObject) header(f *classic.Function) (def, prologue string, defaults brine.Tuple, err error) {
	param := func(name any, value any, has bool) string {
		text := fmt.Sprint(name)
		if has {
			text += fmt.Sprintf("=%s[%d]", defaultsName, len(defaults))
			defaults = append(defaults, value)
		}
		return text
	}
	positional, _ := f.Defaults.(brine.Tuple)
	if len(positional) > c.args {
		return "", "", nil, vinegar.ValueError.New("more defaults than parameters")
	}
	var list []string
	for i, name := range c.vars[:c.args] {
		at := i - (c.args - len(positional))
		var value any
		if at >= 0 {
			value = positional[at]
		}
		if i < c.posOnly {
			own := name
			name = fmt.Sprint("__positional_only_", name)
			prologue += fmt.Sprintf("%s = %s; ", own, name)
		}
		list = append(list, param(name, value, at >= 0))
	}
	next := c.args + c.kwOnly
	if c.flags&hasVarArgs != 0 {
		list = append(list, "*"+fmt.Sprint(c.vars[next]))
		next++
	} else if c.kwOnly > 0 {
		list = append(list, "*")
	}
	keyword := map[any]any{}
	pairs, _ := f.KeywordDefaults.(brine.Tuple)
	for _, p := range pairs {
		pair, ok := p.(brine.Tuple)
		if !ok || len(pair) != 2 {
			return "", "", nil, vinegar.TypeError.New("defaults of keyword-only parameters that are no pairs")
		}
		name, ok := pair[0].(string)
		if !ok {
			return "", "", nil, vinegar.TypeError.New("keywords must be strings")
		}
		keyword[name] = pair[1]
	}
	for _, name := range c.vars[c.args : c.args+c.kwOnly] {
		var value any
		_, isText := name.(string)
		has := false
		if isText {
			value, has = keyword[name]
		}
		list = append(list, param(name, value, has))
	}
	if c.flags&hasVarKw != 0 {
		list = append(list, "**"+fmt.Sprint(c.vars[next]))
	}
	return "def " + c.name + "(" + strings.Join(list, ", ") + "):", prologue, defaults, nil
}

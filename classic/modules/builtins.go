//go:build unix

package modules

import (
	"context"
	"hash/maphash"
	"strings"
	"unicode/utf8"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/classic/internal/pytypes"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// types are the classes of builtins besides the exceptions.
var types = []string{"object", "type", "int", "float", "complex", "bool", "str", "bytes", "tuple", "frozenset", "slice",
	"list", "dict", "set"}

// exceptions are the exceptions of CPython 3.11.
var exceptions = strings.Fields(`ArithmeticError AssertionError AttributeError BaseException BaseExceptionGroup BlockingIOError BrokenPipeError
	BufferError BytesWarning ChildProcessError ConnectionAbortedError ConnectionError ConnectionRefusedError ConnectionResetError
	DeprecationWarning EOFError EncodingWarning EnvironmentError Exception ExceptionGroup FileExistsError FileNotFoundError
	FloatingPointError FutureWarning GeneratorExit IOError ImportError ImportWarning IndentationError IndexError InterruptedError
	IsADirectoryError KeyError KeyboardInterrupt LookupError MemoryError ModuleNotFoundError NameError NotADirectoryError
	NotImplementedError OSError OverflowError PendingDeprecationWarning PermissionError ProcessLookupError RecursionError ReferenceError
	ResourceWarning RuntimeError RuntimeWarning StopAsyncIteration StopIteration SyntaxError SyntaxWarning SystemError SystemExit
	TabError TimeoutError TypeError UnboundLocalError UnicodeDecodeError UnicodeEncodeError UnicodeError UnicodeTranslateError
	UnicodeWarning UserWarning ValueError Warning ZeroDivisionError`)

func newBuiltins(in *Interpreter) *Module {
	m := New("builtins", "Built-in functions, exceptions, and other objects.")
	for _, name := range append(append([]string{}, types...), exceptions...) {
		m.Set(name, pytypes.Class(name))
	}
	m.Const("True", true, "False", false, "None", nil, "Ellipsis", brine.Ellipsis, "NotImplemented", brine.NotImplemented,
		"__debug__", true)
	defineAttributes(m)
	defineValues(m)
	defineIteration(m)
	defineTextFunctions(m)
	m.Def("print", in.print, "*args", "sep=' '", "end='\\n'", "file=None", "flush=False")
	m.Def("__import__", func(ctx context.Context, name string, globals, locals, fromlist any, level int) (any, error) {
		v, err := in.Import(name)
		if err != nil {
			return nil, err
		}
		if from, _ := exposed.Truth(ctx, fromlist); from {
			return v, nil
		}
		top, _, _ := strings.Cut(name, ".")
		return in.Import(top)
	}, "name", "globals=None", "locals=None", "fromlist=()", "level=0")
	if !in.allowed("builtins") {
		return m
	}
	m.Set("open", exposed.Func(in.builtinOpen, openParams...).Named("open").Builtin().
		Doc("Open file and return a stream.  Raise OSError upon failure."))
	m.Def("input", in.input, "prompt=''", "/")
	m.Const("exit", &quitter{"exit"}, "quit", &quitter{"quit"})
	if ev := in.opts.Evaluator; ev != nil {
		m.Def("globals", ev.Globals).Def("locals", ev.Globals)
		m.Def("eval", func(ctx context.Context, source string, globals *exposed.Dict) (any, error) {
			return ev.Eval(ctx, source, globals)
		}, "source", "globals=None", "/")
		m.Def("exec", func(ctx context.Context, source string, globals *exposed.Dict) error {
			return ev.Exec(ctx, source, globals)
		}, "source", "globals=None", "/")
	}
	return m
}

// quitter is what exit and quit are. It ends a program, and not the server, by an exception.
type quitter struct{ name string }

var _ = exposed.Register[quitter](exposed.ClassOptions{
	Name: "_sitebuiltins.Quitter",
	Hidden: map[string]any{
		"__call__": exposed.Func(func(_ *quitter, code any) error { return vinegar.SystemExit.New(code) }, "code=None"),
		"__repr__": func(q *quitter) string { return "Use " + q.name + "() or Ctrl-D (i.e. EOF) to exit" },
	},
})

// defineAttributes adds what looks at objects and their attributes.
func defineAttributes(m *Module) {
	m.Def("getattr", func(ctx context.Context, v any, name any, missing ...any) (any, error) {
		if _, ok := name.(string); !ok {
			return nil, vinegar.TypeError.Errorf("attribute name must be string, not '%s'", exposed.TypeName(name))
		}
		r, err := exposed.GetAttr(ctx, everything, v, name)
		if err != nil && len(missing) > 0 && isA(err, vinegar.AttributeError) {
			return missing[0], nil
		}
		return r, err
	})
	m.Def("hasattr", func(ctx context.Context, v any, name any) (bool, error) {
		if _, ok := name.(string); !ok {
			return false, vinegar.TypeError.Errorf("attribute name must be string, not '%s'", exposed.TypeName(name))
		}
		_, err := exposed.GetAttr(ctx, everything, v, name)
		if err != nil && isA(err, vinegar.AttributeError) {
			return false, nil
		}
		return err == nil, err
	})
	m.Def("setattr", func(ctx context.Context, v, name, value any) error {
		return exposed.SetAttr(ctx, everything, v, name, value)
	})
	m.Def("delattr", func(ctx context.Context, v, name any) error { return exposed.DelAttr(ctx, everything, v, name) })
	m.Def("dir", func(ctx context.Context, v any) (*exposed.List, error) {
		l := exposed.NewList()
		names, err := exposed.Dir(ctx, nil, v)
		if err != nil {
			return nil, err
		}
		for _, n := range names {
			l.Append(n)
		}
		return l, nil
	}, "object", "/")
	m.Def("id", identity, "obj", "/")
	m.Def("hash", exposed.Hash, "obj", "/")
	m.Def("callable", callable, "obj", "/")
	m.Def("isinstance", func(ctx context.Context, v, class any) (bool, error) {
		return isInstance(ctx, v, class, "isinstance")
	})
	m.Def("issubclass", func(ctx context.Context, v, class any) (bool, error) {
		c, ok := classOf(v)
		if !ok {
			return false, vinegar.TypeError.New("issubclass() arg 1 must be a class")
		}
		return anyClass(ctx, class, "issubclass", func(of *exposed.Class) bool { return c.IsSubclass(of) })
	})
	m.Def("vars", func(ctx context.Context, v any) (any, error) {
		r, err := exposed.GetAttr(ctx, everything, v, "__dict__")
		if err != nil {
			return nil, vinegar.TypeError.New("vars() argument must have __dict__ attribute")
		}
		return r, nil
	}, "object", "/")
}

func callable(ctx context.Context, v any) bool {
	_, err := exposed.GetAttr(ctx, everything, v, "__call__")
	return err == nil
}

func isA(err error, class *vinegar.Class) bool {
	return vinegar.FromError(err).Is(class)
}

func classOf(v any) (*exposed.Class, bool) {
	form, _ := exposed.ByValue(v)
	c, ok := form.(*exposed.Class)
	return c, ok
}

func isInstance(ctx context.Context, v, class any, what string) (bool, error) {
	if o, ok := class.(*netref.Object); ok && o.IsClass() { // a class of the client's
		r, err := o.CallMethod(ctx, "__instancecheck__", v)
		if err != nil {
			return false, err
		}
		return exposed.Truth(ctx, r)
	}
	if o, ok := v.(*netref.Object); ok {
		return anyClass(ctx, class, what,
			func(c *exposed.Class) bool { return c.Name() == o.ClassName() || c.Name() == "builtins.object" })
	}
	return anyClass(ctx, class, what, func(c *exposed.Class) bool { return exposed.ClassOf(normal(v)).IsSubclass(c) })
}

func normal(v any) any {
	form, _ := exposed.ByValue(v)
	return form
}

func anyClass(ctx context.Context, class any, what string, test func(*exposed.Class) bool) (bool, error) {
	if c, ok := classOf(class); ok {
		return test(c), nil
	}
	if t, ok := class.(brine.Tuple); ok {
		ctx, err := exposed.Descend(ctx, " in __"+strings.TrimPrefix(what, "is")+"check__")
		if err != nil {
			return false, err
		}
		for _, c := range t {
			if ok, err := anyClass(ctx, c, what, test); ok || err != nil {
				return ok, err
			}
		}
		return false, nil
	}
	if what == "isinstance" {
		return false, vinegar.TypeError.New("isinstance() arg 2 must be a type, a tuple of types, or a union")
	}
	return false, vinegar.TypeError.New("issubclass() arg 2 must be a class, a tuple of classes, or a union")
}

// identity is id(): the number in references for classes, the hash of what identifies an object for others.
func identity(ctx context.Context, v any) (any, error) {
	v = normal(v)
	if c, ok := v.(*exposed.Class); ok {
		return c.ID(), nil
	}
	if key, ok := exposed.Identity(v); ok {
		return int64(maphash.Comparable(idSeed, key) >> 1), nil
	}
	return exposed.Hash(ctx, v)
}

var idSeed = maphash.MakeSeed()

// print is builtins.print. The text goes to sys.stdout in one piece.
func (in *Interpreter) print(ctx context.Context, args []any, sep, end any, file any, flush bool) error {
	glue := func(v any, missing, name string) (string, error) {
		switch s := v.(type) {
		case nil:
			return missing, nil
		case string:
			return s, nil
		}
		return "", vinegar.TypeError.Errorf("%s must be None or a string, not %s", name, exposed.TypeName(v))
	}
	between, err := glue(sep, " ", "sep")
	if err != nil {
		return err
	}
	last, err := glue(end, "\n", "end")
	if err != nil {
		return err
	}
	var b strings.Builder
	for i, a := range args {
		if i > 0 {
			b.WriteString(between)
		}
		s, err := exposed.Str(ctx, a)
		if err != nil {
			return err
		}
		b.WriteString(s)
	}
	b.WriteString(last)
	if file == nil {
		if file, _ = in.must("sys").Get("stdout"); file == nil {
			return nil
		}
	}
	if _, err := exposed.CallAttr(ctx, everything, file, "write", exposed.NewArgs([]any{b.String()}, nil)); err != nil {
		return err
	}
	if flush {
		_, err = exposed.CallAttr(ctx, everything, file, "flush", &exposed.Args{})
	}
	return err
}

// input is builtins.input.
func (in *Interpreter) input(ctx context.Context, prompt any) (string, error) {
	if err := in.print(ctx, []any{prompt}, nil, "", nil, true); err != nil {
		return "", err
	}
	stdin, _ := in.must("sys").Get("stdin")
	r, err := exposed.CallAttr(ctx, everything, stdin, "readline", &exposed.Args{})
	if err != nil {
		return "", err
	}
	line, ok := r.(string)
	switch {
	case !ok:
		return "", vinegar.TypeError.New("object.readline() returned non-string")
	case line == "":
		return "", vinegar.EOFError.New("EOF when reading a line")
	}
	return strings.TrimSuffix(line, "\n"), nil
}

// defineTextFunctions adds what makes text of things.
func defineTextFunctions(m *Module) {
	m.Def("repr", exposed.Repr, "obj", "/")
	m.Def("ascii", func(ctx context.Context, v any) (string, error) { return pytypes.Convert(ctx, v, 'a') }, "obj", "/")
	m.Def("format", func(ctx context.Context, v, spec any) (string, error) {
		s, ok := spec.(string)
		if !ok {
			return "", vinegar.TypeError.Errorf("format() argument 2 must be str, not %s", exposed.TypeName(spec))
		}
		return pytypes.Format(ctx, v, s)
	}, "value", "format_spec=''", "/")
	m.Def("chr", func(n int64) (string, error) {
		if n < 0 || n > utf8.MaxRune {
			return "", vinegar.ValueError.New("chr() arg not in range(0x110000)")
		}
		if n >= 0xd800 && n < 0xe000 {
			return "", vinegar.ValueError.New("surrogates are not supported by this server")
		}
		return string(rune(n)), nil
	}, "i", "/")
	m.Def("ord", func(v any) (int64, error) {
		switch x := v.(type) {
		case string:
			if n := utf8.RuneCountInString(x); n != 1 {
				return 0, vinegar.TypeError.Errorf("ord() expected a character, but string of length %d found", n)
			}
			r, _ := utf8.DecodeRuneInString(x)
			return int64(r), nil
		case []byte:
			if len(x) != 1 {
				return 0, vinegar.TypeError.Errorf("ord() expected a character, but string of length %d found", len(x))
			}
			return int64(x[0]), nil
		}
		return 0, vinegar.TypeError.Errorf("ord() expected string of length 1, but %s found", exposed.TypeName(v))
	}, "c", "/")
	for name, base := range map[string]int{"hex": 16, "oct": 8, "bin": 2} {
		prefix := map[int]string{16: "0x", 8: "0o", 2: "0b"}[base]
		m.Def(name, func(ctx context.Context, v any) (string, error) {
			b, err := pytypes.Index(ctx, v)
			if err != nil {
				return "", err
			}
			if b.Sign() < 0 {
				return "-" + prefix + b.Text(base)[1:], nil
			}
			return prefix + b.Text(base), nil
		}, "number", "/")
	}
}

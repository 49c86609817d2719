package classic

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// definition finds the functions that a source text defines at its outermost level.
var definition = regexp.MustCompile(`(?m)^(?:async[ \t]+)?def[ \t]+([^\W\d]\w*)[ \t]*\(`)

// Teleport defines a Python function at the server (conn.teleport) from its source, a def statement with any
// decorators, imports and helpers before it, and returns a handle on it. The last function defined is meant. It is
// defined in the connection's namespace, where Eval and Execute find it by its name. The source may be indented as a
// whole. Python's own teleport_function sends bytecode; see [Function] for that.
func (c *Conn) Teleport(ctx context.Context, source string) (*netref.Object, error) {
	source = dedent(source)
	defs := definition.FindAllStringSubmatch(source, -1)
	if len(defs) == 0 {
		return nil, errors.New("classic: the source defines no function")
	}
	if err := c.Execute(ctx, source); err != nil {
		return nil, err
	}
	ns, err := c.Namespace(ctx)
	if err != nil {
		return nil, err
	}
	return netref.Item[*netref.Object](ctx, ns, defs[len(defs)-1][1])
}

// dedent takes away the white space that all lines begin with.
func dedent(s string) string {
	lines := strings.Split(s, "\n")
	margin, found := "", false
	for _, l := range lines {
		rest := strings.TrimLeft(l, " \t")
		if rest == "" {
			continue
		}
		indent := l[:len(l)-len(rest)]
		if !found {
			margin, found = indent, true
		}
		for !strings.HasPrefix(indent, margin) {
			margin = margin[:len(margin)-1]
		}
	}
	for i, l := range lines {
		lines[i] = strings.TrimPrefix(l, margin)
		if strings.TrimLeft(l, " \t") == "" {
			lines[i] = ""
		}
	}
	return strings.Join(lines, "\n")
}

// Function is a Python function in the form in which RPyC teleports it (rpyc.utils.teleportation): its bytecode and
// what belongs to it. Go cannot run it, but can keep it and pass it on to a server that runs the same version of
// Python.
type Function struct {
	// Name and Module are its __name__ and __module__; one that was made by exec has no module.
	Name, Module string
	// Defaults and KeywordDefaults are the defaults of its parameters: nil, or a brine.Tuple of values; of keyword-only
	// ones one of (name, value) pairs.
	Defaults, KeywordDefaults any
	// Code is the code object's fields.
	Code brine.Tuple
	// Python is the version whose bytecode it is, such as [3 11]; nil if that is not known.
	Python []int
}

// ErrBytecode is matched by the error of a function whose bytecode is another Python version's.
var ErrBytecode = errors.New("classic: the bytecode is that of another version of Python")

// ParseFunction reads what rpyc.utils.teleportation.export_function returns, which is also what teleport_function calls
// import_function with: a tuple of name, module, defaults, keyword defaults (from RPyC 5.0 on) and code.
func ParseFunction(v any) (*Function, error) {
	t, ok := v.(brine.Tuple)
	if !ok || len(t) != 4 && len(t) != 5 {
		return nil, errors.New("classic: not an exported function")
	}
	f := &Function{Defaults: t[2]}
	var ok1, ok2, ok3 bool
	f.Name, ok1 = t[0].(string)
	if f.Module, ok2 = t[1].(string); t[1] == nil {
		ok2 = true
	}
	f.Code, ok3 = t[len(t)-1].(brine.Tuple)
	if len(t) == 5 {
		f.KeywordDefaults = t[3]
	}
	if !ok1 || !ok2 || !ok3 || len(f.Code) < 14 || !brine.Dumpable(t) {
		return nil, errors.New("classic: not an exported function")
	}
	return f, nil
}

// Export has the server export a function of its own. A function with a closure, or with constants or defaults that do
// not go by value, is a TypeError.
func (c *Conn) Export(ctx context.Context, function *netref.Object) (*Function, error) {
	v, err := Call[any](ctx, c, "rpyc.utils.teleportation.export_function", function)
	if err != nil {
		return nil, err
	}
	f, err := ParseFunction(v)
	if err != nil {
		return nil, err
	}
	version, err := c.Python(ctx)
	if err != nil {
		return nil, err
	}
	f.Python = version[:2]
	return f, nil
}

// Import makes a function at the server of one that was exported elsewhere, defines it in the connection's namespace
// and returns a handle on it. Bytecode of another version of Python, which can crash the server, is refused with an
// error that matches [ErrBytecode]; if the function does not say whose it is, the caller has to know.
func (c *Conn) Import(ctx context.Context, f *Function) (*netref.Object, error) {
	version, err := c.Python(ctx)
	if err != nil {
		return nil, err
	}
	if len(f.Python) >= 2 && (f.Python[0] != version[0] || f.Python[1] != version[1]) {
		return nil, fmt.Errorf("%w: %d.%d, and the server runs %d.%d", ErrBytecode, f.Python[0], f.Python[1],
			version[0], version[1])
	}
	ns, err := c.Namespace(ctx)
	if err != nil {
		return nil, err
	}
	release, err := c.rpyc(ctx)
	if err != nil {
		return nil, err
	}
	t := f.tuple()[:3]
	if release >= 5 {
		t = append(t, f.KeywordDefaults)
	} else if f.KeywordDefaults != nil {
		return nil, fmt.Errorf("classic: RPyC %d cannot import functions with defaults of keyword-only parameters", release)
	}
	return Call[*netref.Object](ctx, c, "rpyc.utils.teleportation.import_function", append(t, f.Code), ns, true)
}

// rpyc is the major version of the server's RPyC.
func (c *Conn) rpyc(ctx context.Context) (int, error) {
	m, err := c.Module(ctx, "rpyc.version")
	if err != nil {
		return 0, err
	}
	v, err := m.Get(ctx, "version_string")
	if errors.Is(err, vinegar.AttributeError) {
		v, err = m.Get(ctx, "__version__")
	}
	if err != nil {
		return 0, err
	}
	if b, ok := v.([]byte); ok { // from Python 2
		v = string(b)
	}
	major, _, _ := strings.Cut(fmt.Sprint(v), ".")
	n, err := strconv.Atoi(major)
	if err != nil {
		return 0, fmt.Errorf("classic: the server's RPyC has the version %v", v)
	}
	return n, nil
}

// tuple is what export_function returns in RPyC 5.0 and later.
func (f *Function) tuple() brine.Tuple {
	var module any
	if f.Module != "" {
		module = f.Module
	}
	return brine.Tuple{f.Name, module, f.Defaults, f.KeywordDefaults, f.Code}
}

// MarshalBinary makes bytes of the function, to be stored.
func (f *Function) MarshalBinary() ([]byte, error) {
	var version any
	if len(f.Python) >= 2 {
		version = brine.Tuple{int64(f.Python[0]), int64(f.Python[1])}
	}
	return brine.Marshal(append(f.tuple(), version))
}

// UnmarshalBinary reads what [Function.MarshalBinary] has made.
func (f *Function) UnmarshalBinary(data []byte) error {
	v, err := brine.Unmarshal(data)
	if err != nil {
		return err
	}
	t, ok := v.(brine.Tuple)
	if !ok || len(t) != 6 {
		return errors.New("classic: not a stored function")
	}
	read, err := ParseFunction(t[:5])
	if err != nil {
		return err
	}
	if version, ok := t[5].(brine.Tuple); ok && len(version) == 2 {
		major, ok1 := version[0].(int64)
		minor, ok2 := version[1].(int64)
		if !ok1 || !ok2 {
			return errors.New("classic: not a stored function")
		}
		read.Python = []int{int(major), int(minor)}
	}
	*f = *read
	return nil
}

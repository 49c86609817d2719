package pickle

import (
	"errors"
	"slices"

	"github.com/nlpodyssey/gopickle/types"
)

// modules are the names that protocols 0 to 2 have for modules of Python 3 (_compat_pickle), and private ones for
// public ones.
var modules = map[string]string{
	"__builtin__": "builtins", "exceptions": "builtins", "copy_reg": "copyreg", "cPickle": "pickle", "_pickle": "pickle",
	"cdecimal": "decimal", "_decimal": "decimal", "UserDict": "collections", "UserList": "collections",
	"numpy._core.multiarray": "numpy.core.multiarray", "numpy._core.numeric": "numpy.core.numeric",
}

// names3 are the names of Python 3 for builtins that have others in Python 2.
var names3 = map[string]string{"xrange": "range", "unicode": "str", "long": "int", "unichr": "chr"}

func (c *classNode) python3() Class { return c.Class.python3() }

func (c Class) python3() Class {
	if m, ok := modules[c.Module]; ok {
		c.Module = m
	}
	if n, ok := names3[c.Name]; ok && c.Module == "builtins" {
		c.Name = n
	}
	return c
}

// call is an object that is about to be made a value of.
type call struct {
	r     *resolver
	node  *callNode
	depth int
	size  int64
	class Class
	new   bool
	nodes []any // of the arguments
	args  []any // their values
}

// errForm is what a maker says of arguments it does not know; the object is then kept as it is.
var errForm = errors.New("unknown form")

// object makes a value of an object: a known one, or an *Object.
func (r *resolver) object(n *callNode, depth int) (any, int64, error) {
	c := &call{r: r, node: n, depth: depth, size: 1, class: n.class.python3(), new: n.new}
	c.nodes = c.rewrite()
	c.args = make([]any, len(c.nodes))
	size, err := r.fill(c.args, c.nodes, depth)
	if err != nil {
		return nil, 0, err
	}
	c.size = size
	if make, ok := makers[c.class]; ok && n.kwargs == nil {
		v, err := make(c)
		if !errors.Is(err, errForm) {
			return v, c.size, err
		}
	}
	v, err := c.unknown()
	return v, c.size, err
}

// rewrite undoes the helper functions through which protocols 0 to 3 make objects, and returns the nodes of the
// arguments of the class.
func (c *call) rewrite() []any {
	args := c.node.args
	if c.class.Module != "copyreg" || len(args) == 0 {
		return args
	}
	class, ok := asClass(args[0])
	if !ok {
		return args
	}
	switch {
	case c.class.Name == "__newobj__":
		args, c.new = args[1:], true
	case c.class.Name == "_reconstructor" && len(args) == 3:
		base, ok := asClass(args[1])
		if !ok {
			return args
		}
		args, c.new = c.based(base.python3(), args[2]), true
	default:
		return args
	}
	c.class = class.python3()
	return args
}

// based returns the arguments for an object of a class that is derived from base, and adds to the object what is in
// state.
func (c *call) based(base Class, state any) []any {
	if base.Module != "builtins" {
		return []any{state}
	}
	switch s := state.(type) {
	case nil:
		if base.Name == "object" {
			return nil
		}
	case *types.List:
		if base.Name == "list" {
			c.node.items = append(slices.Clip(*s), c.node.items...)
			return nil
		}
	case *types.Dict:
		if base.Name == "dict" {
			c.node.pairs = append(slices.Clip(*s), c.node.pairs...)
			return nil
		}
	case *types.Tuple:
		if base.Name == "tuple" {
			return *s
		}
	}
	return []any{state}
}

// unknown keeps what the pickle says.
func (c *call) unknown() (any, error) {
	o := &Object{Class: c.class, New: c.new, Args: c.args}
	c.r.early(c.node, o)
	n := c.node
	if n.kwargs != nil {
		v, err := c.value(n.kwargs)
		if err != nil {
			return nil, err
		}
		kw, ok := v.(*Dict)
		if !ok {
			return nil, errors.New("keyword arguments that are no dict")
		}
		if kw.Len() > 0 {
			o.Kwargs = kw
		}
	}
	var err error
	if o.Items, err = c.items(); err != nil {
		return nil, err
	}
	if len(n.pairs) > 0 {
		if o.Pairs, err = c.pairs(new(Dict)); err != nil {
			return nil, err
		}
	}
	o.State, err = c.state()
	return o, err
}

func (c *call) value(node any) (any, error) {
	v, size, err := c.r.value(node, c.depth)
	c.size = add(c.size, size)
	return v, err
}

// state returns what was given to __setstate__, nil if nothing was.
func (c *call) state() (any, error) {
	if !c.node.hasState {
		return nil, nil
	}
	return c.value(c.node.state)
}

// items returns what was appended.
func (c *call) items() ([]any, error) {
	if len(c.node.items) == 0 {
		return nil, nil
	}
	items := make([]any, len(c.node.items))
	size, err := c.r.fill(items, c.node.items, c.depth)
	c.size = add(c.size, size)
	return items, err
}

// pairs adds to d what was set.
func (c *call) pairs(d *Dict) (*Dict, error) {
	size, err := c.r.fillDict(d, c.node.pairs, c.depth)
	c.size = add(c.size, size)
	return d, err
}

// bare reports whether nothing was done to the object after it was made.
func (c *call) bare() bool {
	return !c.node.hasState && len(c.node.items) == 0 && len(c.node.pairs) == 0
}

// list returns the nodes in the i-th argument, which has to be a list or a tuple, and known.
func (c *call) list(i int) ([]any, bool) {
	switch n := c.nodes[i].(type) {
	case *types.List:
		return *n, true
	case *types.Tuple:
		return *n, true
	}
	return nil, false
}

// str returns the i-th argument if it is text.
func (c *call) str(i int) (string, bool) {
	if i >= len(c.args) {
		return "", false
	}
	s, ok := c.args[i].(string)
	return s, ok
}

// bytes returns the i-th argument if it is bytes, or what Python 2 had in place of them.
func (c *call) bytes(i int) ([]byte, bool) {
	if i >= len(c.args) {
		return nil, false
	}
	switch b := c.args[i].(type) {
	case []byte:
		return b, true
	case ByteArray:
		return b, true
	case string: // a str of Python 2 that happens to be ASCII, or text that stands for Latin-1
		return c.latin1(b)
	}
	return nil, false
}

// ints returns all arguments from the i-th on if they are integers.
func (c *call) ints(i int) ([]int64, bool) {
	out := make([]int64, 0, 8)
	for ; i < len(c.args); i++ {
		n, ok := c.args[i].(int64)
		if !ok {
			return nil, false
		}
		out = append(out, n)
	}
	return out, true
}

// latin1 is the function of that name as long as the pickle does not make it convert the same text for ever.
func (c *call) latin1(s string) ([]byte, bool) {
	if c.r.spend(len(s)) != nil {
		return nil, false
	}
	return latin1(s)
}

// latin1 returns the bytes whose code points are the text's.
func latin1(s string) ([]byte, bool) {
	b := make([]byte, 0, len(s))
	for _, r := range s {
		if r > 0xff {
			return nil, false
		}
		b = append(b, byte(r))
	}
	return b, true
}

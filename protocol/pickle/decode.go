package pickle

import (
	"bytes"
	"errors"
	"fmt"

	gopickle "github.com/nlpodyssey/gopickle/pickle"
	"github.com/nlpodyssey/gopickle/types"
)

// Unmarshal returns the value of a pickle of protocol 0 to 5, in the Go forms of the package's table (pickle.loads).
// Nothing is looked up or executed, whatever the pickle says. Bytes after the pickle's end are ignored. The errors are
// *[DecodeError]. The result shares no memory with data. Default limits apply; see [Decoder].
func Unmarshal(data []byte) (any, error) { return new(Decoder).Decode(data) }

// Decoder reads pickles with other limits than the default ones. The zero value is ready to use; it may be used by
// several goroutines as long as its fields do not change.
type Decoder struct {
	Limits Limits
	// Alias lets long byte strings and the contents of arrays share the memory of the pickle, which must then never
	// change.
	Alias bool
	// Exact keeps apart what Python keeps apart although Go has one type for it: numpy's scalars stay an *Array without
	// dimensions, and times have neither names of zones nor [Naive], as if they had been read from texts.
	Exact bool
}

// Decode is [Unmarshal] under the decoder's limits.
func (d *Decoder) Decode(data []byte) (any, error) {
	keys := newKeyNumbers()
	r := &resolver{
		limit: d.Limits.withDefaults(), alias: d.Alias, exact: d.Exact,
		done: map[any]resolved{}, numbers: map[any]int{}, keys: keys, interner: keys.interner,
		copied: 64<<20 + 4*int64(len(data)),
	}
	v, size, err := r.load(data, 0)
	if err == nil && size > int64(r.limit.Expanded) {
		err = &DecodeError{Offset: -1, Err: limit("values of a pickle with what is shared counted everywhere", size,
			r.limit.Expanded)}
	}
	if err != nil {
		return nil, err
	}
	return v, nil
}

// load reads one pickle, which may be inside another one.
func (r *resolver) load(data []byte, depth int) (any, int64, error) {
	s := scanner{data: data, limit: r.limit, alias: r.alias && depth == 0}
	if err := s.scan(); err != nil {
		return nil, 0, err
	}
	root, err := build(&s)
	if err != nil {
		return nil, 0, &DecodeError{Offset: -1, Err: err}
	}
	v, size, err := r.value(root, depth)
	var de *DecodeError // of a pickle inside this one
	if err != nil && !errors.As(err, &de) {
		err = &DecodeError{Offset: -1, Err: err}
	}
	return v, size, err
}

// build has gopickle carry out the normal form, which leaves a graph of its containers, literals and nodes.
func build(s *scanner) (root any, err error) {
	defer func() {
		// The normal form has been checked, but what kind of value an opcode finds on the stack has not.
		if p := recover(); p != nil {
			root, err = nil, fmt.Errorf("malformed: %v", p)
		}
	}()
	u := gopickle.NewUnpickler(bytes.NewReader(s.out))
	u.PersistentLoad = s.persistent
	u.FindClass = func(_, name string) (any, error) { // of INST alone, see scanner.global
		i := 0
		if _, err := fmt.Sscan(name, &i); err != nil {
			return nil, err
		}
		return s.literals[i], nil
	}
	return u.Load()
}

// persistent gives what a BINPERSID of the normal form stands for.
func (s *scanner) persistent(id any) (any, error) {
	switch x := id.(type) {
	case int:
		if x == newSet {
			return new(setNode), nil
		}
		return s.literals[x], nil
	case *types.Tuple:
		switch x.Len() {
		case 1:
			return &setNode{items: *x.Get(0).(*types.Tuple), frozen: true}, nil
		case 2:
			module, ok1 := text(x.Get(0))
			name, ok2 := text(x.Get(1))
			if !ok1 || !ok2 || len(module)+len(name) > maxName {
				return nil, errName
			}
			return &classNode{Class{module, name}}, nil
		case 3:
			args, ok1 := x.Get(1).(*types.Tuple)
			class, ok2 := asClass(x.Get(0))
			if !ok1 || !ok2 {
				return nil, errors.New("a new object without a class or a tuple of arguments")
			}
			return &callNode{class: class.Class, args: *args, kwargs: x.Get(2), new: true}, nil
		}
	}
	return nil, errors.New("malformed")
}

// maxName is how long the name of a class and its module may be.
const maxName = 4096

var errName = errors.New("the name of a class is not text, or too long")

// text returns a string, long or short.
func text(v any) (string, bool) {
	if l, ok := v.(*longLiteral); ok {
		v = l.value
	}
	s, ok := v.(string)
	return s, ok
}

// A longLiteral is a value that is worth being kept in one place.
type longLiteral struct {
	value  any
	number int // see resolver.number; -1 if nobody has asked
}

// setNode is a set or frozenset with members as the pickle has them.
type setNode struct {
	items  []any
	frozen bool
}

// Add is called by gopickle.
func (s *setNode) Add(v any) { s.items = append(s.items, v) }

// classNode is a class or a function that a pickle names.
type classNode struct{ Class }

// memberNode is what a class has under a name: a class or a function if it is called, and else most likely a member of
// an Enum.
type memberNode struct {
	classNode
	of   Class
	name string
}

// asClass returns the class or function that a node names.
func asClass(node any) (*classNode, bool) {
	if m, ok := node.(*memberNode); ok {
		return &m.classNode, true
	}
	c, ok := node.(*classNode)
	return c, ok
}

// Call is called by gopickle for objects made by a call.
func (c *classNode) Call(args ...any) (any, error) {
	if c.python3() == (Class{"builtins", "getattr"}) && len(args) == 2 {
		outer, ok := asClass(args[0])
		name, isText := text(args[1])
		if ok && isText && len(outer.Name)+len(name) < maxName {
			return &memberNode{classNode{Class{outer.Module, outer.Name + "." + name}}, outer.Class, name}, nil
		}
	}
	return &callNode{class: c.Class, args: args}, nil
}

// PyNew is called by gopickle for objects made by their class's __new__.
func (c *classNode) PyNew(args ...any) (any, error) {
	return &callNode{class: c.Class, args: args, new: true}, nil
}

// callNode is an object: what it was made of, and what was done to it afterwards.
type callNode struct {
	class    Class
	args     []any
	kwargs   any
	new      bool              // by __new__
	items    []any             // appended
	pairs    []types.DictEntry // set
	state    any
	hasState bool
}

// Append is called by gopickle for list-like objects.
func (n *callNode) Append(v any) { n.items = append(n.items, v) }

// Add is called by gopickle for set-like objects.
func (n *callNode) Add(v any) { n.items = append(n.items, v) }

// Set is called by gopickle for dict-like objects.
func (n *callNode) Set(k, v any) { n.pairs = append(n.pairs, types.DictEntry{Key: k, Value: v}) }

// PySetState is called by gopickle for BUILD.
func (n *callNode) PySetState(state any) error {
	n.state, n.hasState = state, true
	return nil
}

var (
	_ types.SetAdder        = (*setNode)(nil)
	_ types.Callable        = (*classNode)(nil)
	_ types.PyNewable       = (*classNode)(nil)
	_ types.ListAppender    = (*callNode)(nil)
	_ types.SetAdder        = (*callNode)(nil)
	_ types.DictSetter      = (*callNode)(nil)
	_ types.PyStateSettable = (*callNode)(nil)
)

package pickle

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/nlpodyssey/gopickle/types"
)

// resolver makes values of the graph that gopickle leaves. Every node is looked at once, however many places it has.
type resolver struct {
	limit    Limits
	alias    bool
	exact    bool
	done     map[any]resolved // by node
	numbers  map[any]int      // by node: of values that are keys or members
	keys     *keyNumbers
	interner *brine.Interner // that of keys
	// copied is how many bytes calls may still copy: a call can name a long text that is in the memo, and there can be
	// many of them.
	copied int64
	zones  map[string]*time.Location // by name, nil if there is none
}

// resolved is the value of a node.
type resolved struct {
	value any
	size  int64 // how many values it is with everything in it
	open  bool  // it is being made
}

var (
	errRing   = errors.New("an object that contains itself where that cannot be")
	errDoomed = errors.New("malformed")
)

// value returns the value of a node, and how many values that is.
func (r *resolver) value(node any, depth int) (any, int64, error) {
	switch n := node.(type) {
	case nil, bool, int64, float64, string, []byte:
		return n, 1, nil
	case int:
		return int64(n), 1, nil
	case *longLiteral:
		return n.value, 1, nil
	case *classNode:
		switch c := n.python3(); c {
		case Class{"builtins", "Ellipsis"}:
			return brine.Ellipsis, 1, nil
		case Class{"builtins", "NotImplemented"}:
			return brine.NotImplemented, 1, nil
		default:
			return c, 1, nil
		}
	}
	if !container(node) {
		return node, 1, nil // a *big.Int
	}
	if d, ok := r.done[node]; ok {
		if d.open && d.value == nil {
			return nil, 0, errRing
		}
		return d.value, d.size, nil
	}
	if depth >= r.limit.Depth {
		return nil, 0, limit("nesting depth", depth+1, r.limit.Depth)
	}
	r.done[node] = resolved{open: true, size: 1}
	v, size, err := r.make(node, depth+1)
	if err != nil {
		return nil, 0, err
	}
	r.done[node] = resolved{value: v, size: size}
	return v, size, nil
}

func container(node any) bool {
	switch node.(type) {
	case *types.Tuple, *types.List, *types.Dict, *setNode, *callNode, *memberNode:
		return true
	}
	return false
}

// early says what a node will be, for what is inside it and refers to it.
func (r *resolver) early(node, v any) { r.done[node] = resolved{value: v, size: 1, open: true} }

func (r *resolver) make(node any, depth int) (any, int64, error) {
	switch n := node.(type) {
	case *memberNode:
		return &Object{Class: n.of.python3(), Member: n.name}, 1, nil
	case *types.Tuple:
		t := make(brine.Tuple, n.Len())
		r.early(node, t)
		size, err := r.fill(t, *n, depth)
		return t, size, err
	case *types.List:
		l := make([]any, n.Len())
		r.early(node, l)
		size, err := r.fill(l, *n, depth)
		return l, size, err
	case *types.Dict:
		d := new(Dict)
		r.early(node, d)
		size, err := r.fillDict(d, *n, depth)
		return d, size, err
	case *setNode:
		items, size, err := r.members(n.items, depth)
		if n.frozen {
			return brine.FrozenSet(items), size, err
		}
		return Set(items), size, err
	case *callNode:
		return r.object(n, depth)
	}
	return nil, 0, errDoomed
}

// fill makes the values of nodes into items.
func (r *resolver) fill(items, nodes []any, depth int) (int64, error) {
	size := int64(1)
	for i, n := range nodes {
		v, s, err := r.value(n, depth)
		if err != nil {
			return 0, err
		}
		items[i] = v
		size = add(size, s)
	}
	return size, nil
}

func (r *resolver) fillDict(d *Dict, pairs []types.DictEntry, depth int) (int64, error) {
	size := int64(1)
	d.numbers = r.keys
	for _, p := range pairs {
		k, s, err := r.value(p.Key, depth)
		if err != nil {
			return 0, err
		}
		indexed, err := r.key(p.Key, k, depth)
		if err != nil {
			return 0, err
		}
		v, t, err := r.value(p.Value, depth)
		if err != nil {
			return 0, err
		}
		d.put(indexed, k, v)
		size = add(add(size, s), t)
	}
	return size, nil
}

// members returns the values of nodes without those that equal an earlier one.
func (r *resolver) members(nodes []any, depth int) ([]any, int64, error) {
	items, ids := make([]any, len(nodes)), make([]int, len(nodes))
	size, err := r.fill(items, nodes, depth)
	if err != nil {
		return nil, 0, err
	}
	for i, n := range nodes {
		if ids[i], err = r.number(n, depth); err != nil {
			return nil, 0, err
		}
	}
	items, _ = r.interner.Distinct(items, ids)
	return items, size, nil
}

// key returns the form under which a key is in the index of a Dict, see keyNumbers.key.
func (r *resolver) key(node, v any, depth int) (any, error) {
	if !container(node) {
		if key, ok := directKey(v); ok {
			return key, nil
		}
	}
	n, err := r.number(node, depth)
	if err != nil {
		return nil, err
	}
	if key, ok := directKey(v); ok { // an object that turned out to be a number
		return key, nil
	}
	return numbered(n), nil
}

// number numbers what a node stands for so that equal values have equal numbers. The values have been made.
func (r *resolver) number(node any, depth int) (int, error) {
	switch n := node.(type) {
	case *longLiteral:
		if n.number < 0 {
			if _, ok := n.value.(ByteArray); ok {
				return 0, unhashable("bytearray")
			}
			n.number = r.interner.Scalar(n.value)
		}
		return n.number, nil
	case int:
		return r.interner.Scalar(int64(n)), nil
	case *types.List:
		return 0, unhashable("list")
	case *types.Dict:
		return 0, unhashable("dict")
	}
	if !container(node) {
		v, _, err := r.value(node, depth)
		if err != nil {
			return 0, err
		}
		return r.keys.of(v, depth)
	}
	if id, ok := r.numbers[node]; ok {
		return id, nil
	}
	if depth >= r.limit.Depth {
		return 0, limit("nesting depth", depth+1, r.limit.Depth)
	}
	id, err := r.containerNumber(node, depth+1)
	if err == nil {
		r.numbers[node] = id
	}
	return id, err
}

func (r *resolver) containerNumber(node any, depth int) (int, error) {
	var nodes []any
	switch n := node.(type) {
	case *types.Tuple:
		nodes = *n
	case *setNode:
		if !n.frozen {
			return 0, unhashable("set")
		}
		nodes = n.items
	default:
		d := r.done[node]
		if d.open {
			return 0, errRing
		}
		return r.keys.of(d.value, depth)
	}
	ids := make([]int, len(nodes))
	for i, n := range nodes {
		var err error
		if ids[i], err = r.number(n, depth); err != nil {
			return 0, err
		}
	}
	if _, ok := node.(*types.Tuple); ok {
		return r.interner.Tuple(ids), nil
	}
	_, ids = r.interner.Distinct(make([]any, len(ids)), ids)
	return r.interner.Set(ids), nil
}

// spend takes n bytes that a call copies from what may be copied.
func (r *resolver) spend(n int) error {
	if r.copied -= int64(n); r.copied < 0 {
		return errors.New("the pickle copies the same data too often")
	}
	return nil
}

func add(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

func unhashable(what string) error { return fmt.Errorf("unhashable type: '%s'", what) }

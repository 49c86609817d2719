package conform

import (
	"errors"
	"fmt"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// builtin is a function of the tables' language.
type builtin struct {
	least, most int // arguments
	f           func(g *program, args brine.Tuple) (any, error)
}

// request is a builtin that sends a request with its arguments.
func requesting(h wire.Handler, least, most int) builtin {
	return builtin{least, most, func(g *program, args brine.Tuple) (any, error) { return g.peer.ask(h, args...) }}
}

func calling(method string, least, most int) builtin {
	return builtin{least, most, func(g *program, args brine.Tuple) (any, error) {
		return g.method(args[0], method, args[1:]...)
	}}
}

var builtins map[string]builtin

func init() {
	builtins = map[string]builtin{
		// Requests, by the names that Python has for what they do.
		"ping": requesting(wire.HandlePing, 1, 1), "getroot": requesting(wire.HandleGetRoot, 0, 0),
		"getattr": requesting(wire.HandleGetAttr, 2, 2), "setattr": requesting(wire.HandleSetAttr, 3, 3),
		"delattr": requesting(wire.HandleDelAttr, 2, 2), "repr": requesting(wire.HandleRepr, 1, 1),
		"str": requesting(wire.HandleStr, 1, 1), "hash": requesting(wire.HandleHash, 1, 1),
		"dir": requesting(wire.HandleDir, 1, 1), "cmp": requesting(wire.HandleCmp, 2, 3),
		"pickle": requesting(wire.HandlePickle, 2, 2), "buffiter": requesting(wire.HandleBuffIter, 2, 2),
		"slicing": requesting(wire.HandleOldSlicing, 6, 6), "callraw": requesting(wire.HandleCall, 1, 3),
		"len": calling("__len__", 1, 1), "iter": calling("__iter__", 1, 1), "next": calling("__next__", 1, 1),
		"bool":    {1, 1, truth},
		"format":  calling("__format__", 2, 2),
		"int":     calling("__int__", 1, 1),
		"float":   calling("__float__", 1, 1),
		"index":   calling("__index__", 1, 1),
		"enter":   calling("__enter__", 1, 1),
		"rmul":    calling("__rmul__", 2, 2),
		"setitem": calling("__setitem__", 3, 3), "delitem": calling("__delitem__", 2, 2),
		"iadd":       calling("__iadd__", 2, 2),
		"callattr":   {2, 9, callattr},
		"leave":      {2, 2, leave},
		"inspect":    {1, 1, inspect},
		"method_doc": {2, 2, methodDoc},
		"isinstance": {2, 2, isInstance},
		"drop":       {1, 2, drop},
		"items":      {1, 1, items},
		"request":    {1, 9, func(g *program, a brine.Tuple) (any, error) { return g.peer.ask(handlerOf(a[0]), a[1:]...) }},
		// What an answer is.
		"name":    {1, 1, func(_ *program, a brine.Tuple) (any, error) { return nameOf(a[0]), nil }},
		"same":    {2, 2, func(_ *program, a brine.Tuple) (any, error) { return equal(a[0], a[1]), nil }},
		"classid": {1, 1, func(_ *program, a brine.Tuple) (any, error) { return part(a[0], 1) }},
		"objid":   {1, 1, func(_ *program, a brine.Tuple) (any, error) { return part(a[0], 2) }},
		"rebuilt": {3, 3, rebuilt},
		"given":   {1, 1, func(_ *program, a brine.Tuple) (any, error) { return a[0].(*object).given, nil }},
		"kind":    {1, 1, func(_ *program, a brine.Tuple) (any, error) { return typeName(a[0]), nil }},
		// Values that have no literal.
		"complex": {2, 2, makeComplex},
		"slice": {3, 3, func(_ *program, a brine.Tuple) (any, error) {
			return brine.Slice{Start: a[0], Stop: a[1], Step: a[2]}, nil
		}},
		"frozenset": {0, 9, func(_ *program, a brine.Tuple) (any, error) { return brine.FrozenSet(a), nil }},
		"times":     {2, 2, times},
		"power":     {2, 3, power},
		"special":   {1, 1, specialFloat},
		"span":      {2, 2, span},
		"text":      {1, 9, text},
	}
}

func handlerOf(v any) wire.Handler {
	n, _ := v.(int64)
	return wire.Handler(n)
}

func callattr(g *program, a brine.Tuple) (any, error) {
	name, ok := a[1].(string)
	if !ok {
		return nil, wrong("callattr needs a name")
	}
	return g.method(a[0], name, a[2:]...)
}

// truth is bool(): the class's method, its length, or else true, as a proxy decides it.
func truth(g *program, a brine.Tuple) (any, error) {
	if g.peer.dialect == wire.FamilyE {
		return g.peer.ask(wire.HandleBool, a[0])
	}
	return g.method(a[0], "__bool__")
}

// leave ends a with block: normally if its second argument is None, and else by an exception.
func leave(g *program, a brine.Tuple) (any, error) {
	exc := a[1]
	if exc != nil && g.peer.dialect == wire.FamilyE {
		exc = brine.Tuple{brine.Tuple{"builtins", "ValueError"}, brine.Tuple{"inside"}, brine.Tuple{}, clientText}
	}
	return g.peer.ask(wire.HandleCtxExit, a[0], exc)
}

func inspect(g *program, a brine.Tuple) (any, error) {
	pairs, err := describe(g, a[0])
	if err != nil {
		return nil, err
	}
	names := brine.Tuple{}
	for _, pair := range pairs {
		names = append(names, item(pair, 0))
	}
	return names, nil
}

// describe asks for the methods of an object and looks at the form of the answer.
func describe(g *program, o any) (brine.Tuple, error) {
	r, ok := o.(theirs)
	if !ok {
		return nil, fmt.Errorf("no object: %s", short(o))
	}
	v, err := g.peer.ask(wire.HandleInspect, r.pack)
	if err != nil {
		return nil, err
	}
	pairs, ok := v.(brine.Tuple)
	for _, pair := range pairs {
		_, named := item(pair, 0).(string)
		_, text := item(pair, 1).(string)
		if t, isPair := pair.(brine.Tuple); !isPair || len(t) != 2 || !named || !text && t[1] != nil {
			ok = false
		}
	}
	if !ok {
		return nil, fmt.Errorf("INSPECT is not answered with (name, doc) pairs: %s", short(v))
	}
	return pairs, nil
}

func methodDoc(g *program, a brine.Tuple) (any, error) {
	pairs, err := describe(g, a[0])
	for _, pair := range pairs {
		if item(pair, 0) == a[1] {
			return item(pair, 1), nil
		}
	}
	if err == nil {
		err = fmt.Errorf("INSPECT does not list %v", a[1])
	}
	return nil, err
}

func isInstance(g *program, a brine.Tuple) (any, error) {
	o, ok := a[0].(theirs)
	if !ok {
		return nil, fmt.Errorf("no object: %s", short(a[0]))
	}
	return g.peer.ask(wire.HandleInstanceCheck, a[1], o.pack)
}

// drop gives references back: one, or as many as the second argument says.
func drop(g *program, a brine.Tuple) (any, error) {
	var n any = int64(1)
	if len(a) == 2 {
		n = a[1]
	}
	if r, ok := a[0].(theirs); ok && g.peer.dialect == wire.FamilyE {
		return g.peer.ask(wire.HandleDel, r.pack, n)
	}
	return g.peer.ask(wire.HandleDel, a[0], n)
}

const maxItems = 100_000

// items takes an iterable of the peer's to its end, one request an item.
func items(g *program, a brine.Tuple) (any, error) {
	it, err := g.method(a[0], "__iter__")
	if err != nil {
		return nil, err
	}
	for out := (brine.Tuple{}); len(out) < maxItems; {
		v, err := g.method(it, "__next__")
		var r *raised
		if errors.As(err, &r) && r.name == "StopIteration" {
			if !r.stop {
				return nil, errors.New("StopIteration is not sent in its short form")
			}
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return nil, errors.New("an iterator without end")
}

func nameOf(v any) any {
	if r, ok := v.(theirs); ok {
		return r.name()
	}
	return "no reference: " + short(v)
}

func part(v any, i int) (any, error) {
	r, ok := v.(theirs)
	if !ok {
		return nil, fmt.Errorf("no object: %s", short(v))
	}
	return r.pack[i], nil
}

// rebuilt is a reference with other ids, which the peer has not given: the amounts are added to them.
func rebuilt(_ *program, a brine.Tuple) (any, error) {
	r, ok := a[0].(theirs)
	if !ok {
		return nil, fmt.Errorf("no object: %s", short(a[0]))
	}
	pack := append(brine.Tuple{}, r.pack...)
	for i := 1; i <= 2; i++ {
		n, isInt := pack[i].(int64)
		more, _ := a[i].(int64)
		if !isInt {
			return nil, fmt.Errorf("an id is no int64: %s", short(pack))
		}
		pack[i] = n + more
	}
	return theirs{pack}, nil
}

package conform

import (
	"errors"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// ours are the objects of this side that the tables name.
var ours = map[string]func(p *peer) *object{
	"our_list":        ourList,
	"our_thing":       ourThing,
	"our_function":    ourFunction,
	"our_failure":     ourFailure,
	"our_nested":      ourNested,
	"our_context":     func(p *peer) *object { return ourContext(p, false) },
	"our_suppressing": func(p *peer) *object { return ourContext(p, true) },
	"our_nothing":     func(p *peer) *object { return answering(p, "nothing", nil) },
	"our_value_error": func(p *peer) *object { return answering(p, nil, fail("ValueError", "bad", int64(1))) },
	"our_key_error":   func(p *peer) *object { return answering(p, nil, fail("KeyError", "k")) },
	"our_stop":        func(p *peer) *object { return answering(p, nil, fail("StopIteration")) },
	"our_bouncer":     ourBouncer,
	"our_probed":      ourList,
	"our_writable":    ourWritable,
}

// ourList is the list [1, 'two', 3].
func ourList(p *peer) *object { return p.list(int64(1), "two", int64(3)) }

func (p *peer) list(members ...any) *object {
	o := p.object("builtins.list")
	method := func(f func(args brine.Tuple) (any, error)) *object {
		m := p.object("builtins.method-wrapper")
		m.call = func(_ *peer, args brine.Tuple, _ brine.Tuple) (any, error) { return f(args) }
		return m
	}
	o.attrs["__len__"] = method(func(brine.Tuple) (any, error) { return int64(len(members)), nil })
	o.attrs["__getitem__"] = method(func(args brine.Tuple) (any, error) {
		n, ok := item(args, 0).(int64)
		if !ok || n < 0 || int(n) >= len(members) {
			return nil, fail("IndexError", "list index out of range")
		}
		return members[n], nil
	})
	o.attrs["__iter__"] = method(func(brine.Tuple) (any, error) {
		it := p.object("builtins.list_iterator")
		next := 0
		it.attrs["__next__"] = method(func(brine.Tuple) (any, error) {
			if next++; next > len(members) {
				return nil, fail("StopIteration")
			}
			return members[next-1], nil
		})
		it.answer = func(h wire.Handler, args []any) (any, error) {
			n, _ := item(brine.Tuple(args), 1).(int64)
			if h != wire.HandleBuffIter || n < 1 {
				return common(it, h, args)
			}
			rest := members[min(next, len(members)):]
			rest = rest[:min(int(n), len(rest))]
			next += len(rest)
			return brine.Tuple(rest), nil
		}
		it.attrs["__iter__"] = method(func(brine.Tuple) (any, error) { return it, nil })
		return it, nil
	})
	o.attrs["__contains__"] = method(func(args brine.Tuple) (any, error) {
		for _, m := range members {
			if equal(m, item(args, 0)) {
				return true, nil
			}
		}
		return false, nil
	})
	o.answer = func(h wire.Handler, args []any) (any, error) {
		switch h {
		case wire.HandleRepr, wire.HandleStr:
			return show(brine.Tuple(members)), nil
		case wire.HandleBuffIter:
			return brine.Tuple(members), nil
		}
		return common(o, h, args)
	}
	return o
}

// ourThing has a text for everything.
func ourThing(p *peer) *object {
	o := p.object("conform.Thing")
	o.answer = func(h wire.Handler, args []any) (any, error) {
		switch h {
		case wire.HandleRepr:
			return "<our thing>", nil
		case wire.HandleStr:
			return "our thing", nil
		case wire.HandleHash:
			return int64(4711), nil
		}
		return common(o, h, args)
	}
	o.attrs["colour"] = "blue"
	return o
}

// ourFunction returns its arguments.
func ourFunction(p *peer) *object {
	return p.function(func(_ *peer, args brine.Tuple, kwargs brine.Tuple) (any, error) {
		if kwargs == nil {
			kwargs = brine.Tuple{}
		}
		return brine.Tuple{args, kwargs}, nil
	})
}

// ourFailure raises the exception that it is told.
func ourFailure(p *peer) *object {
	return p.function(func(_ *peer, args brine.Tuple, _ brine.Tuple) (any, error) {
		class, _ := item(args, 0).(string)
		if class == "" {
			return nil, errors.New("a class is missing")
		}
		return nil, fail(class, args[1:]...)
	})
}

// ourNested has the peer call it again, one less each time.
func ourNested(p *peer) *object {
	var f *object
	f = p.function(func(p *peer, args brine.Tuple, _ brine.Tuple) (any, error) {
		n, _ := item(args, 0).(int64)
		if n == 0 {
			return int64(0), nil
		}
		v, err := p.ask(wire.HandleCall, f, tuple(n-1), tuple())
		if err != nil {
			return nil, err
		}
		below, _ := v.(int64)
		return below + 1, nil
	})
	return f
}

// ourContext is a context manager, which suppresses exceptions if it is told so.
func ourContext(p *peer, suppress bool) *object {
	o := p.object("conform.Context")
	f := p.function(func(*peer, brine.Tuple, brine.Tuple) (any, error) { return "entered", nil })
	out := p.function(func(*peer, brine.Tuple, brine.Tuple) (any, error) { return suppress, nil })
	o.attrs["__enter__"], o.attrs["__exit__"] = f, out
	o.answer = func(h wire.Handler, args []any) (any, error) {
		if h == wire.HandleCtxExit {
			return suppress, nil
		}
		return nil, fail("AttributeError", "cannot access that")
	}
	return o
}

// answering is a function that always does the same.
func answering(p *peer, v any, err error) *object {
	return p.function(func(*peer, brine.Tuple, brine.Tuple) (any, error) { return v, err })
}

// ourBouncer has the reference service's pingpong call it again, one less each time.
func ourBouncer(p *peer) *object {
	var f *object
	f = p.function(func(p *peer, args brine.Tuple, _ brine.Tuple) (any, error) {
		root, err := p.ask(wire.HandleGetRoot)
		if err != nil {
			return nil, err
		}
		pingpong, err := p.ask(wire.HandleGetAttr, root, "pingpong")
		if err != nil {
			return nil, err
		}
		return p.ask(wire.HandleCall, pingpong, tuple(f, item(args, 0)), tuple())
	})
	return f
}

// ourWritable takes any attribute.
func ourWritable(p *peer) *object {
	o := p.object("conform.Writable")
	o.answer = func(h wire.Handler, args []any) (any, error) {
		name, _ := item(brine.Tuple(args), 1).(string)
		if h != wire.HandleSetAttr || len(args) != 3 {
			return nil, fail("AttributeError", "cannot access that")
		}
		o.attrs[name] = args[2]
		return nil, nil
	}
	return o
}

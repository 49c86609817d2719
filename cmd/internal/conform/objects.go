package conform

import (
	"errors"
	"fmt"
	"strings"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// object is one of ours, which the peer is given.
type object struct {
	pack     brine.Tuple
	given    int64   // how often the peer was given it
	returned int64   // how often it has given it back
	instance *object // of a class
	attrs    map[string]any
	call     func(p *peer, args brine.Tuple, kwargs brine.Tuple) (any, error)
	// answer is asked for all other operations on the object.
	answer func(h wire.Handler, args []any) (any, error)
}

// failure is an exception that this side answers with.
type failure struct {
	class string
	args  brine.Tuple
	attrs brine.Tuple
}

func (f *failure) Error() string { return f.class + vinegar.Repr(f.args) }

func fail(class string, args ...any) error { return &failure{class: class, args: args} }

// object makes an object of a class of this name. Those of Python's own are taken by the peer for what they say.
func (p *peer) object(name string) *object {
	p.nextID += 2
	o := &object{pack: brine.Tuple{name, p.nextID, p.nextID + 1}, attrs: map[string]any{}}
	if p.dialect == wire.FamilyE { // which asks for the class of each object
		class := &object{pack: brine.Tuple{name, p.nextID, int64(0), int64(2)}, instance: o}
		p.objects[key(class.pack)] = class
		o.pack = append(o.pack, int64(3))
	}
	p.objects[key(o.pack)] = o
	return o
}

// function makes a function of ours.
func (p *peer) function(f func(p *peer, args brine.Tuple, kwargs brine.Tuple) (any, error)) *object {
	o := p.object("builtins.function")
	o.call = f
	return o
}

// key is a value as a key of a map.
func key(v any) string {
	b, err := brine.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}

// box gives a value its label.
func (p *peer) box(v any) brine.Tuple {
	switch v := v.(type) {
	case *object:
		v.given++
		return brine.Tuple{int64(wire.LabelRemoteRef), v.pack}
	case theirs:
		return brine.Tuple{int64(wire.LabelLocalRef), v.pack}
	case as:
		return brine.Tuple(v)
	case brine.Tuple:
		if !brine.Dumpable(v) {
			return brine.Tuple{int64(wire.LabelTuple), p.boxAll(v)}
		}
	}
	return brine.Tuple{int64(wire.LabelValue), v}
}

// as is a value that a check has boxed itself.
type as brine.Tuple

func (p *peer) boxAll(values []any) brine.Tuple {
	out := make(brine.Tuple, len(values))
	for i, v := range values {
		out[i] = p.box(v)
	}
	return out
}

// boxArgs boxes the arguments of a request: as values if all are, as the peers do.
func (p *peer) boxArgs(args []any) brine.Tuple {
	if args == nil {
		args = []any{}
	}
	if brine.Dumpable(brine.Tuple(args)) {
		return brine.Tuple{int64(wire.LabelValue), brine.Tuple(args)}
	}
	return brine.Tuple{int64(wire.LabelTuple), p.boxAll(args)}
}

// unbox is what a boxed value of the peer's means, and looks at its form.
func (p *peer) unbox(v any) (any, error) {
	pair, _ := v.(brine.Tuple)
	label, ok := item(v, 0).(int64)
	if len(pair) != 2 || !ok {
		p.observe("boxing.label", "no label: "+short(v))
		return nil, fmt.Errorf("no boxed value: %s", short(v))
	}
	switch wire.Label(label) {
	case wire.LabelValue:
		return pair[1], nil
	case wire.LabelTuple:
		items, ok := pair[1].(brine.Tuple)
		if !ok {
			p.observe("boxing.label", "label 2 without a tuple: "+short(v))
			return nil, fmt.Errorf("no tuple: %s", short(v))
		}
		out := make(brine.Tuple, len(items))
		plain := true
		for i, it := range items {
			var err error
			if out[i], err = p.unbox(it); err != nil {
				return nil, err
			}
			plain = plain && brine.Dumpable(out[i])
		}
		if plain {
			p.observe("boxing.byvalue", "a tuple of plain values is sent item by item: "+short(v))
		}
		return out, nil
	case wire.LabelLocalRef:
		if o := p.objects[key(pair[1])]; o != nil {
			return o, nil
		}
		p.observe("boxing.identity", "a reference to an object of ours is not the one that was given: "+short(v))
		return nil, fmt.Errorf("no object of ours: %s", short(v))
	case wire.LabelRemoteRef:
		pack, _ := pair[1].(brine.Tuple)
		members := 3 // a peer that does not know the family yet sends the fourth of family E, which the others leave out
		if p.dialect == wire.FamilyE {
			members = 4
		}
		_, text := item(pack, 0).(string)
		if len(pack) < 3 || len(pack) > 4 || !text {
			p.observe("boxing.reference", fmt.Sprintf("a reference is not of the form (name, class, instance): %s", short(v)))
			return nil, fmt.Errorf("no reference: %s", short(v))
		}
		return theirs{pack[:min(len(pack), members)]}, nil
	}
	p.observe("boxing.label", fmt.Sprintf("label %d", label))
	return nil, fmt.Errorf("unknown label: %s", short(v))
}

// serve answers a request of the peer's.
func (p *peer) serve(m message) error {
	v, err := p.serveBody(m.body)
	if err == nil {
		return p.send(p.encode(wire.Reply, m.seq, p.box(v)))
	}
	var f *failure
	var r *raised
	switch {
	case errors.As(err, &f) && f.class == "StopIteration":
		return p.send(p.encode(wire.Exception, m.seq, int64(1)))
	case errors.As(err, &f):
	case errors.As(err, &r): // it has come through us
		f = &failure{class: r.name, args: r.args}
	default:
		f = &failure{class: "RuntimeError", args: brine.Tuple{err.Error()}}
	}
	module, name := "builtins", f.class
	if i := strings.LastIndex(name, "."); i >= 0 {
		module, name = name[:i], name[i+1:]
	}
	attrs := f.attrs
	if attrs == nil {
		attrs = brine.Tuple{}
	}
	payload := tuple(tuple(module, name), f.args, attrs, clientText+f.Error())
	return p.send(p.encode(wire.Exception, m.seq, payload))
}

// clientText begins the traceback of what this side raises.
const clientText = "Traceback (most recent call last):\n  File \"conform\", line 1, in callback\n"

func (p *peer) serveBody(body any) (any, error) {
	n, ok := item(body, 0).(int64)
	if !ok {
		p.observe("messages.form", "a request without a handler: "+short(body))
		return nil, fail("TypeError", "no handler")
	}
	h := wire.Handler(n)
	boxed := item(body, 1)
	unboxed, err := p.unbox(boxed)
	if err != nil {
		return nil, fail("ValueError", err.Error())
	}
	args, _ := unboxed.(brine.Tuple)
	p.requests = append(p.requests, h)
	switch h {
	case wire.HandlePing:
		return item(args, 0), nil
	case wire.HandleGetRoot:
		return p.root(), nil
	case wire.HandleClose:
		_ = p.stream.Close()
		return nil, nil
	case wire.HandleDel:
		return nil, p.taken(args)
	case wire.HandleInspect, wire.HandleType:
		return p.described(h, item(args, 0))
	}
	o, ok := item(args, 0).(*object)
	if !ok {
		return nil, fail("TypeError", "no object of ours")
	}
	return p.operate(o, h, args)
}

func (p *peer) root() *object {
	if o := p.objects["root"]; o != nil {
		return o
	}
	o := p.object("rpyc.core.service.VoidService")
	p.objects["root"] = o
	return o
}

// taken counts what the peer gives back.
func (p *peer) taken(args brine.Tuple) error {
	o, _ := item(args, 0).(*object)
	if o == nil { // family E names it by value
		o = p.objects[key(item(args, 0))]
	}
	n, isInt := item(args, 1).(int64)
	if len(args) == 1 {
		n, isInt = 1, true
	}
	if o == nil || !isInt || n < 1 {
		p.observe("references.del", "an odd DEL: "+short(args))
		return fail("KeyError", "no such object")
	}
	o.returned += n
	if o.returned > o.given {
		p.observe("references.count", fmt.Sprintf("%v was given %d times and is given back %d times", o.pack[0], o.given,
			o.returned))
	}
	return nil
}

// described answers INSPECT and TYPE, whose object comes as a value.
func (p *peer) described(h wire.Handler, pack any) (any, error) {
	o := p.objects[key(pack)]
	if o == nil {
		return nil, fail("KeyError", short(pack))
	}
	if h == wire.HandleType {
		return as{int64(wire.LabelRemoteRef), brine.Tuple{o.pack[0], o.pack[1], int64(0), int64(2)}}, nil
	}
	if o.instance != nil {
		o = o.instance
	}
	pairs := brine.Tuple{}
	for name := range o.attrs {
		pairs = append(pairs, brine.Tuple{name, nil})
	}
	if o.call != nil {
		pairs = append(pairs, brine.Tuple{"__call__", nil})
	}
	return pairs, nil
}

// operate does what the peer asks of an object.
func (p *peer) operate(o *object, h wire.Handler, args brine.Tuple) (any, error) {
	name, _ := item(args, 1).(string)
	switch {
	case h == wire.HandleCall && o.call != nil:
		positional, _ := item(args, 1).(brine.Tuple)
		kwargs, _ := item(args, 2).(brine.Tuple)
		return o.call(p, positional, kwargs)
	case h == wire.HandleGetAttr:
		if v, ok := o.attrs[name]; ok {
			return v, nil
		}
		return nil, fail("AttributeError", "cannot access '"+name+"'")
	case h == wire.HandleCallAttr && o.attrs[name] != nil:
		if f, ok := o.attrs[name].(*object); ok && f.call != nil {
			positional, _ := item(args, 2).(brine.Tuple)
			return f.call(p, positional, nil)
		}
	}
	if o.answer != nil {
		return o.answer(h, args)
	}
	return common(o, h, args)
}

// common is what every object can do: say what it is, and whether it is another one.
func common(o *object, h wire.Handler, args brine.Tuple) (any, error) {
	switch {
	case h == wire.HandleHash:
		return o.pack[1], nil
	case h == wire.HandleRepr || h == wire.HandleStr:
		return fmt.Sprintf("<our %v>", o.pack[0]), nil
	case h == wire.HandleDir:
		return brine.Tuple{}, nil
	case h == wire.HandleCmp && item(args, 2) == "__eq__":
		return args[1] == any(o), nil
	case h == wire.HandleCmp && item(args, 2) == "__ne__":
		return args[1] != any(o), nil
	case h == wire.HandleBool:
		return true, nil
	}
	return nil, fail("AttributeError", fmt.Sprintf("cannot access operation %v", h))
}

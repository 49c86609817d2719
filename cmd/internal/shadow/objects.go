package shadow

import (
	"strings"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/talk"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// describe finds out what a request is about: the object, how that was come by, and the attribute's name.
func (w *watcher) describe(x *exchange, boxed any) {
	args, _ := talk.Item(boxed, 1).(brine.Tuple)
	plain := talk.Item(boxed, 0) == any(int64(wire.LabelValue))
	first := talk.Item(args, 0)
	if !plain {
		first = talk.Item(first, 1)
	}
	second := talk.Item(args, 1)
	if !plain {
		second = talk.Item(second, 1)
	}
	x.target = refKey(first)
	class, _ := talk.Item(first, 0).(string)
	x.builtin = strings.HasPrefix(class, "builtins.")
	p := w.pairs[x.target]
	switch x.handler {
	case wire.HandleGetAttr, wire.HandleSetAttr, wire.HandleDelAttr, wire.HandleCallAttr:
		switch name := second.(type) {
		case string:
			x.name = name
		case []byte:
			x.name = string(name)
		}
		x.name = strings.TrimPrefix(x.name, exposed.DefaultPrefix)
	}
	switch x.handler {
	case wire.HandleGetRoot:
		x.path = "root"
	case wire.HandleGetAttr:
		x.path = attribute(p, x.name)
	case wire.HandleCall:
		x.path = p.path + "()"
	case wire.HandleCallAttr:
		x.path = attribute(p, x.name) + "()"
	default:
		x.path = strings.ToLower(x.handler.String()) + "(" + p.path + ")"
	}
	x.path = shortened(x.path)
}

func attribute(p pair, name string) string {
	if p.root {
		return name
	}
	return p.path + "." + name
}

const maxPath = 60

// shortened keeps a path, which may go on for ever, within bounds.
func shortened(path string) string {
	if len(path) <= maxPath {
		return path
	}
	return path[:maxPath/2] + "…" + path[len(path)-maxPath/2:]
}

// changing are special methods that change their object.
var changing = []string{"__set", "__del", "__i", "__call__", "__exit__", "__enter__", "__next__", "next"}

func changes(name string) bool {
	switch name {
	case "__iter__", "__int__", "__index__", "__invert__", "__init__":
		return false
	}
	for _, c := range changing {
		if strings.HasPrefix(name, c) {
			return true
		}
	}
	return false
}

// permitted tells why a request must not be said to the other server; "" if it may.
func (w *watcher) permitted(x *exchange) string {
	p, known := w.pairs[x.target]
	if x.handler == wire.HandleGetRoot {
		return ""
	}
	if (x.handler == wire.HandleGetAttr || x.handler == wire.HandleCallAttr) && p.root && !w.proxy.sampled() {
		return notSampled
	}
	if w.proxy.All {
		return ""
	}
	switch x.handler {
	case wire.HandleSetAttr, wire.HandleDelAttr:
		return notSafe
	case wire.HandleGetAttr:
		if p.root && !w.proxy.safe(x.name) && !strings.HasPrefix(x.name, "__") {
			return notSafe
		}
	case wire.HandleCallAttr:
		special := strings.HasPrefix(x.name, "__")
		if special && changes(x.name) && !p.ofSafe() || !special && !w.proxy.safe(x.name) {
			return notSafe
		}
	case wire.HandleCall:
		if known && p.method != "" && !w.proxy.safe(p.method) && (!strings.HasPrefix(p.method, "__") || changes(p.method)) {
			return notSafe
		}
		if known && p.method == "" {
			return notSafe // a class, or a function that was returned
		}
	}
	return ""
}

// ofSafe tells whether an object was made by a call, so that it is this client's own: iterating over it harms nobody.
func (p pair) ofSafe() bool { return strings.HasSuffix(p.path, "()") }

// translated puts the other server's objects in the places of the answering one's. It reports false if one of them has
// no counterpart.
func (w *watcher) translated(h wire.Handler, boxed any) (any, bool) {
	byValue := h == wire.HandleInspect || h == wire.HandleInstanceCheck || h == wire.HandleType ||
		h == wire.HandleSubclassCheck
	return w.translate(boxed, byValue)
}

func (w *watcher) translate(boxed any, byValue bool) (any, bool) {
	label, _ := talk.Item(boxed, 0).(int64)
	value := talk.Item(boxed, 1)
	switch wire.Label(label) {
	case wire.LabelTuple:
		items, _ := value.(brine.Tuple)
		out := make(brine.Tuple, len(items))
		for i, it := range items {
			var ok bool
			if out[i], ok = w.translate(it, byValue); !ok {
				return nil, false
			}
		}
		return brine.Tuple{label, out}, true
	case wire.LabelLocalRef:
		other, ok := w.counterpart(value)
		return brine.Tuple{label, other}, ok
	case wire.LabelValue:
		if byValue {
			other, ok := w.anywhere(value)
			return brine.Tuple{label, other}, ok
		}
	}
	return boxed, true
}

// counterpart is the other server's reference to an object, with as many members as the client uses.
func (w *watcher) counterpart(pack any) (any, bool) {
	p, ok := w.pairs[refKey(pack)]
	members, _ := pack.(brine.Tuple)
	return p.other[:min(len(members), len(p.other))], ok
}

// anywhere puts counterparts wherever in a value there is a reference, which has at least three members and begins with
// a name.
func (w *watcher) anywhere(v any) (any, bool) {
	items, ok := v.(brine.Tuple)
	if !ok {
		return v, true
	}
	if _, named := talk.Item(items, 0).(string); named && len(items) >= 3 && talk.IsInt(items[1]) && talk.IsInt(items[2]) {
		return w.counterpart(items)
	}
	out := make(brine.Tuple, len(items))
	for i, it := range items {
		if out[i], ok = w.anywhere(it); !ok {
			return nil, false
		}
	}
	return out, true
}

// release gives the other server's object back when the client has given back all of the answering one's.
func (w *watcher) release(m talk.Message) {
	boxed := talk.Item(m.Body, 1)
	args, _ := talk.Item(boxed, 1).(brine.Tuple)
	pack, count := talk.Item(args, 0), talk.Item(args, 1)
	tuples := talk.Item(boxed, 0) == any(int64(wire.LabelTuple))
	if tuples {
		pack, count = talk.Item(pack, 1), talk.Item(count, 1)
	}
	n, ok := count.(int64)
	if len(args) == 1 {
		n, ok = 1, true
	}
	key := refKey(pack)
	p, known := w.pairs[key]
	if !ok || !known {
		return
	}
	if p.answering -= n; p.answering > 0 {
		w.pairs[key] = p
		return
	}
	delete(w.pairs, key)
	delete(w.others, refKey(p.other))
	if p.named == 0 {
		return
	}
	other, _ := w.counterpartOf(p, pack)
	body := brine.Tuple{int64(wire.LabelValue), brine.Tuple{other, p.named}}
	if tuples {
		body = brine.Tuple{int64(wire.LabelTuple), brine.Tuple{brine.Tuple{int64(wire.LabelLocalRef), other},
			brine.Tuple{int64(wire.LabelValue), p.named}}}
	}
	w.seq++ // nobody waits for the answer
	_ = w.send(talk.Message{Dialect: m.Dialect, Kind: wire.Request, Seq: wire.Num(w.seq),
		Body: brine.Tuple{int64(wire.HandleDel), body}})
}

func (w *watcher) counterpartOf(p pair, pack any) (brine.Tuple, bool) {
	members, ok := pack.(brine.Tuple)
	return p.other[:min(len(members), len(p.other))], ok
}

// countNames counts the references in an answer that is not compared.
func (w *watcher) countNames(m talk.Message) {
	if m.Kind == wire.Reply {
		w.named(m.Body, nil, nil)
	}
}

// named counts how often the answering server has named the objects in a boxed value. With the other server's value
// beside it, which is of the same form, objects are paired.
func (w *watcher) named(answering, other any, x *exchange) {
	label, _ := talk.Item(answering, 0).(int64)
	same := other != nil && talk.Item(other, 0) == talk.Item(answering, 0)
	a, b := talk.Item(answering, 1), talk.Item(other, 1)
	switch wire.Label(label) {
	case wire.LabelTuple:
		items, _ := a.(brine.Tuple)
		for i := range items {
			var beside any
			if same {
				beside = talk.Item(b, i)
			}
			w.named(items[i], beside, x)
		}
	case wire.LabelRemoteRef:
		w.namedObject(refKey(a), b, same && x != nil, x)
	}
}

func (w *watcher) namedObject(key string, other any, paired bool, x *exchange) {
	p, known := w.pairs[key]
	pack, ok := other.(brine.Tuple)
	if !known && (!paired || !ok) {
		return
	}
	p.answering++
	if paired && ok {
		otherKey := refKey(pack)
		before, taken := w.others[otherKey]
		switch {
		case !known && !taken:
			p.other, p.path, p.root = pack, x.path, x.handler == wire.HandleGetRoot
			if x.handler == wire.HandleGetAttr {
				p.method = x.name
			}
			w.others[otherKey] = key
			p.named = 1
		case known && refKey(p.other) == otherKey:
			p.named++
		case known:
			w.differ(x, identity, "an object that was there", "another")
		case before != key:
			w.differ(x, identity, "a new object", "one that was there")
			return
		}
	}
	w.pairs[key] = p
}

// refKey is a reference as a key: by its first three members, which all families have.
func refKey(pack any) string {
	t, ok := pack.(brine.Tuple)
	if !ok {
		return talk.Key(pack)
	}
	return talk.Key(t[:min(len(t), 3)])
}

package talk

import (
	"slices"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// Translation makes of the messages that one end of a recorded conversation has sent those that it would send today:
// with the ids, the numbers of requests and the threads that the other end has given in the place of those recorded.
// It belongs to one goroutine.
type Translation struct {
	ids     map[string]any // by the encoding of what was recorded
	calls   map[wire.Seq]wire.Seq
	threads map[uint64]uint64
	thread  uint64 // of the client's, which it has spoken by last
	bare    bool   // the target of an operation may be a bare number
}

// NewTranslation makes a Translation that has learned nothing yet.
func NewTranslation() *Translation {
	return &Translation{ids: map[string]any{}, calls: map[wire.Seq]wire.Seq{}, threads: map[uint64]uint64{}}
}

// Learn takes what the other end has said now as what it had said then, and reports whether it can be that: an answer
// to the same request, or a request for the same operation.
func (t *Translation) Learn(was, now []byte) bool {
	a, b := Of(was), Of(now)
	if a.Dialect == nil || b.Dialect == nil {
		return a.Dialect == b.Dialect
	}
	if a.Kind == wire.Request {
		if b.Kind != wire.Request || a.Handler != b.Handler {
			return false
		}
		t.calls[a.Seq] = b.Seq
		t.compare(Item(a.Body, 1), Item(b.Body, 1))
	} else {
		if b.Kind == wire.Request || a.Seq != b.Seq {
			return false
		}
		if a.Kind == wire.Reply && b.Kind == wire.Reply {
			t.compare(a.Body, b.Body)
		}
	}
	t.threads[a.Threads.Sender] = b.Threads.Sender
	return true
}

// Same tells whether a message says what another has said when it was recorded: of other objects of its sender's maybe,
// but of the same classes.
func (t *Translation) Same(was, now []byte) bool {
	a, b := Of(was), Of(now)
	if a.Dialect == nil || b.Dialect == nil {
		return a.Dialect == b.Dialect
	}
	if a.Kind != b.Kind || a.Kind != wire.Request && a.Seq != b.Seq {
		return false
	}
	switch a.Kind {
	case wire.Request:
		return Key(Item(a.Body, 0)) == Key(Item(b.Body, 0)) && sameBoxed(Item(a.Body, 1), Item(b.Body, 1))
	case wire.Exception:
		return Key(Item(a.Body, 0)) == Key(Item(b.Body, 0)) && Key(Item(a.Body, 1)) == Key(Item(b.Body, 1))
	}
	return sameBoxed(a.Body, b.Body)
}

func sameBoxed(was, now any) bool {
	if Key(Item(was, 0)) != Key(Item(now, 0)) {
		return false
	}
	label, _ := Item(was, 0).(int64)
	was, now = Item(was, 1), Item(now, 1)
	switch wire.Label(label) {
	case wire.LabelTuple:
		a, _ := was.(brine.Tuple)
		b, _ := now.(brine.Tuple)
		return slices.EqualFunc(a, b, sameBoxed)
	case wire.LabelRemoteRef:
		return Key(Item(was, 0)) == Key(Item(now, 0)) // its name; the ids are new
	}
	return Key(was) == Key(now)
}

// compare learns the ids in a boxed value.
func (t *Translation) compare(was, now any) {
	label, ok := Item(was, 0).(int64)
	if !ok || Item(now, 0) != label {
		return
	}
	was, now = Item(was, 1), Item(now, 1)
	switch wire.Label(label) {
	case wire.LabelTuple:
		a, _ := was.(brine.Tuple)
		for i := range a {
			t.compare(a[i], Item(now, i))
		}
	case wire.LabelRemoteRef:
		t.ids[Key(was)] = now
		if IsInt(Item(was, 0)) { // an old release describes the object by its number, and then uses that alone
			t.bare = true
			t.ids[Key(Item(was, 0))] = Item(now, 0)
		}
	}
}

// Translate gives the message to send; nil for the answer to a DEL, which is answered when it comes.
func (t *Translation) Translate(was []byte) []byte {
	m := Of(was)
	if m.Dialect == nil {
		return was
	}
	t.thread = m.Threads.Sender
	m.Threads.Recipient = t.threads[m.Threads.Recipient]
	if m.Kind == wire.Request {
		args := Item(m.Body, 1)
		switch {
		case t.bare && m.Handler.HasTarget():
			args = t.target(args)
		case m.Handler == wire.HandleInspect || m.Handler == wire.HandleInstanceCheck: // which have ids as values
			args = t.anywhere(args)
		}
		m.Body = brine.Tuple{Item(m.Body, 0), t.boxed(args)}
	} else {
		seq, ok := t.calls[m.Seq]
		if !ok {
			return nil
		}
		m.Seq = seq
		if m.Kind == wire.Reply {
			m.Body = t.boxed(m.Body)
		}
	}
	out, err := m.Append()
	if err != nil {
		return was
	}
	return out
}

// boxed puts ids of today into a boxed value.
func (t *Translation) boxed(v any) any {
	pair, ok := v.(brine.Tuple)
	if !ok || len(pair) != 2 {
		return v
	}
	label, _ := pair[0].(int64)
	switch wire.Label(label) {
	case wire.LabelTuple:
		items, _ := pair[1].(brine.Tuple)
		out := make(brine.Tuple, len(items))
		for i := range items {
			out[i] = t.boxed(items[i])
		}
		return brine.Tuple{pair[0], out}
	case wire.LabelLocalRef:
		return brine.Tuple{pair[0], t.id(pair[1])}
	}
	return v
}

// anywhere puts ids of today wherever in a value there is one.
func (t *Translation) anywhere(v any) any {
	if now, ok := t.ids[Key(v)]; ok {
		return now
	}
	items, ok := v.(brine.Tuple)
	if !ok {
		return v
	}
	out := make(brine.Tuple, len(items))
	for i := range items {
		out[i] = t.anywhere(items[i])
	}
	return out
}

// target puts the id of today in the place of the first of boxed arguments, if that is a bare number.
func (t *Translation) target(args any) any {
	label := Item(args, 0)
	items, ok := Item(args, 1).(brine.Tuple)
	if !ok || len(items) == 0 {
		return args
	}
	items = append(brine.Tuple{}, items...)
	if first, boxed := items[0].(brine.Tuple); boxed && len(first) == 2 && IsInt(first[1]) {
		items[0] = brine.Tuple{first[0], t.id(first[1])}
	} else if !boxed {
		items[0] = t.id(items[0])
	}
	return brine.Tuple{label, items}
}

func (t *Translation) id(was any) any {
	if now, ok := t.ids[Key(was)]; ok {
		return now
	}
	return was
}

// None answers a request with None.
func (t *Translation) None(m Message) []byte {
	answer := Message{Dialect: m.Dialect, Kind: wire.Reply, Seq: m.Seq,
		Body:    brine.Tuple{int64(wire.LabelValue), nil},
		Threads: wire.Threads{Sender: t.thread, Recipient: m.Threads.Sender}}
	if m.Threads.Recipient != 0 {
		answer.Threads.Sender = m.Threads.Recipient
	}
	b, _ := answer.Append() // None can be encoded
	return b
}

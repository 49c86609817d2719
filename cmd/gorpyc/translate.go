package main

import (
	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/cmd/internal/talk"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// translation makes of the messages that a client has sent those that it would send today: with the ids, the numbers
// of requests and the threads that the server has given in the place of those recorded.
type translation struct {
	ids     map[string]any // by the encoding of what was recorded
	calls   map[wire.Seq]wire.Seq
	threads map[uint64]uint64
	thread  uint64 // of the client's, which it has spoken by last
	bare    bool   // the target of an operation may be a bare number
}

func newTranslation() *translation {
	return &translation{ids: map[string]any{}, calls: map[wire.Seq]wire.Seq{}, threads: map[uint64]uint64{}}
}

// learn takes what the server has said now as what it had said then, and reports whether it can be that: an answer to
// the same request, or a request for the same operation.
func (t *translation) learn(was, now []byte) bool {
	a, b := talk.Of(was), talk.Of(now)
	if a.Dialect == nil || b.Dialect == nil {
		return a.Dialect == b.Dialect
	}
	if a.Kind == wire.Request {
		if b.Kind != wire.Request || a.Handler != b.Handler {
			return false
		}
		t.calls[a.Seq] = b.Seq
		t.compare(talk.Item(a.Body, 1), talk.Item(b.Body, 1))
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

// compare learns the ids in a boxed value.
func (t *translation) compare(was, now any) {
	label, ok := talk.Item(was, 0).(int64)
	if !ok || talk.Item(now, 0) != label {
		return
	}
	was, now = talk.Item(was, 1), talk.Item(now, 1)
	switch wire.Label(label) {
	case wire.LabelTuple:
		a, _ := was.(brine.Tuple)
		for i := range a {
			t.compare(a[i], talk.Item(now, i))
		}
	case wire.LabelRemoteRef:
		t.ids[talk.Key(was)] = now
		if talk.IsInt(talk.Item(was, 0)) { // an old release describes the object by its number, and then uses that alone
			t.bare = true
			t.ids[talk.Key(talk.Item(was, 0))] = talk.Item(now, 0)
		}
	}
}

// translate gives the message to send; nil for the answer to a DEL, which is answered when it comes.
func (t *translation) translate(was []byte) []byte {
	m := talk.Of(was)
	if m.Dialect == nil {
		return was
	}
	t.thread = m.Threads.Sender
	m.Threads.Recipient = t.threads[m.Threads.Recipient]
	if m.Kind == wire.Request {
		args := talk.Item(m.Body, 1)
		switch {
		case t.bare && m.Handler.HasTarget():
			args = t.target(args)
		case m.Handler == wire.HandleInspect || m.Handler == wire.HandleInstanceCheck: // which have ids as values
			args = t.anywhere(args)
		}
		m.Body = brine.Tuple{talk.Item(m.Body, 0), t.boxed(args)}
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
func (t *translation) boxed(v any) any {
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
func (t *translation) anywhere(v any) any {
	if now, ok := t.ids[talk.Key(v)]; ok {
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
func (t *translation) target(args any) any {
	label := talk.Item(args, 0)
	items, ok := talk.Item(args, 1).(brine.Tuple)
	if !ok || len(items) == 0 {
		return args
	}
	items = append(brine.Tuple{}, items...)
	if first, boxed := items[0].(brine.Tuple); boxed && len(first) == 2 && talk.IsInt(first[1]) {
		items[0] = brine.Tuple{first[0], t.id(first[1])}
	} else if !boxed {
		items[0] = t.id(items[0])
	}
	return brine.Tuple{label, items}
}

func (t *translation) id(was any) any {
	if now, ok := t.ids[talk.Key(was)]; ok {
		return now
	}
	return was
}

// none answers a request with None.
func (t *translation) none(m talk.Message) []byte {
	answer := talk.Message{Dialect: m.Dialect, Kind: wire.Reply, Seq: m.Seq,
		Body:    brine.Tuple{int64(wire.LabelValue), nil},
		Threads: wire.Threads{Sender: t.thread, Recipient: m.Threads.Sender}}
	if m.Threads.Recipient != 0 {
		answer.Threads.Sender = m.Threads.Recipient
	}
	b, _ := answer.Append() // None can be encoded
	return b
}

package main

import (
	"fmt"
	"math/big"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// message is a message taken apart as far as a replay has to look into it.
type message struct {
	dialect *wire.Dialect // nil for what is no message; nothing else is set then
	threads wire.Threads
	kind    wire.Kind
	seq     wire.Seq
	handler wire.Handler // of a request
	body    any
}

func messageOf(payload []byte) message {
	d, err := wire.Detect(payload)
	if err != nil {
		return message{}
	}
	kind, seq, c, err := d.ReadHeader(payload)
	if err != nil {
		return message{}
	}
	m := message{dialect: d, kind: kind, seq: seq, threads: d.ReadThreads(payload)}
	if m.body, err = c.Value(); err != nil {
		return message{}
	}
	if pair, ok := m.body.(brine.Tuple); ok && kind == wire.Request && len(pair) == 2 {
		n, _ := pair[0].(int64)
		m.handler = wire.Handler(n)
	}
	return m
}

func (m message) is(k wire.Kind, h wire.Handler) bool { return m.kind == k && m.handler == h }

// append puts a message together again.
func (m message) append() ([]byte, error) {
	b := m.dialect.AppendThreads(nil, m.threads)
	return brine.Append(m.dialect.AppendHeader(b, m.kind, m.seq), m.body)
}

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
	a, b := messageOf(was), messageOf(now)
	if a.dialect == nil || b.dialect == nil {
		return a.dialect == b.dialect
	}
	if a.kind == wire.Request {
		if b.kind != wire.Request || a.handler != b.handler {
			return false
		}
		t.calls[a.seq] = b.seq
		t.compare(item(a.body, 1), item(b.body, 1))
	} else {
		if b.kind == wire.Request || a.seq != b.seq {
			return false
		}
		if a.kind == wire.Reply && b.kind == wire.Reply {
			t.compare(a.body, b.body)
		}
	}
	t.threads[a.threads.Sender] = b.threads.Sender
	return true
}

// compare learns the ids in a boxed value.
func (t *translation) compare(was, now any) {
	label, ok := item(was, 0).(int64)
	if !ok || item(now, 0) != label {
		return
	}
	was, now = item(was, 1), item(now, 1)
	switch wire.Label(label) {
	case wire.LabelTuple:
		a, _ := was.(brine.Tuple)
		for i := range a {
			t.compare(a[i], item(now, i))
		}
	case wire.LabelRemoteRef:
		t.ids[idKey(was)] = now
		if isInt(item(was, 0)) { // an old release describes the object by its number, and then uses that alone
			t.bare = true
			t.ids[idKey(item(was, 0))] = item(now, 0)
		}
	}
}

// translate gives the message to send; nil for the answer to a DEL, which is answered when it comes.
func (t *translation) translate(was []byte) []byte {
	m := messageOf(was)
	if m.dialect == nil {
		return was
	}
	t.thread = m.threads.Sender
	m.threads.Recipient = t.threads[m.threads.Recipient]
	if m.kind == wire.Request {
		args := item(m.body, 1)
		switch {
		case t.bare && m.handler.HasTarget():
			args = t.target(args)
		case m.handler == wire.HandleInspect || m.handler == wire.HandleInstanceCheck: // which have ids as values
			args = t.anywhere(args)
		}
		m.body = brine.Tuple{item(m.body, 0), t.boxed(args)}
	} else {
		seq, ok := t.calls[m.seq]
		if !ok {
			return nil
		}
		m.seq = seq
		if m.kind == wire.Reply {
			m.body = t.boxed(m.body)
		}
	}
	out, err := m.append()
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
	if now, ok := t.ids[idKey(v)]; ok {
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
	label := item(args, 0)
	items, ok := item(args, 1).(brine.Tuple)
	if !ok || len(items) == 0 {
		return args
	}
	items = append(brine.Tuple{}, items...)
	if first, boxed := items[0].(brine.Tuple); boxed && len(first) == 2 && isInt(first[1]) {
		items[0] = brine.Tuple{first[0], t.id(first[1])}
	} else if !boxed {
		items[0] = t.id(items[0])
	}
	return brine.Tuple{label, items}
}

func (t *translation) id(was any) any {
	if now, ok := t.ids[idKey(was)]; ok {
		return now
	}
	return was
}

// none answers a request with None.
func (t *translation) none(m message) []byte {
	answer := message{dialect: m.dialect, kind: wire.Reply, seq: m.seq, body: brine.Tuple{int64(wire.LabelValue), nil},
		threads: wire.Threads{Sender: t.thread, Recipient: m.threads.Sender}}
	if m.threads.Recipient != 0 {
		answer.threads.Sender = m.threads.Recipient
	}
	b, _ := answer.append() // None can be encoded
	return b
}

// item gives a tuple's member; nil if there is none.
func item(v any, i int) any {
	if t, ok := v.(brine.Tuple); ok && i < len(t) {
		return t[i]
	}
	return nil
}

func isInt(v any) bool {
	switch v.(type) {
	case int64, *big.Int:
		return true
	}
	return false
}

func idKey(v any) string {
	b, err := brine.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}

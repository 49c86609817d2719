// Package talk takes RPyC's messages apart and puts them together, reads what gorpyc tap has recorded, and says either
// part of it again, with today's ids in the place of those recorded. It is for programs that listen in, and for tests.
package talk

import (
	"fmt"
	"math/big"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// Message is a message taken apart.
type Message struct {
	Dialect *wire.Dialect // nil for what is no message; nothing else is set then
	Threads wire.Threads
	Kind    wire.Kind
	Seq     wire.Seq
	Handler wire.Handler // of a request
	Body    any
	Trailer []byte // metadata behind the body, as it is
}

// Of takes a payload apart.
func Of(payload []byte) Message {
	d, err := wire.Detect(payload)
	if err != nil {
		return Message{}
	}
	return In(d, payload)
}

// In takes a payload of a dialect apart.
func In(d *wire.Dialect, payload []byte) Message {
	kind, seq, c, err := d.ReadHeader(payload)
	if err != nil {
		return Message{}
	}
	m := Message{Dialect: d, Kind: kind, Seq: seq, Threads: d.ReadThreads(payload)}
	if m.Body, err = c.Value(); err != nil {
		return Message{}
	}
	if _, ok := d.ReadTrailer(payload, nil); ok {
		m.Trailer = payload[len(payload)-c.Len():]
	}
	if pair, ok := m.Body.(brine.Tuple); ok && kind == wire.Request && len(pair) == 2 {
		n, _ := pair[0].(int64)
		m.Handler = wire.Handler(n)
	}
	return m
}

// Is tells whether it is a message of this kind for this operation.
func (m Message) Is(k wire.Kind, h wire.Handler) bool { return m.Kind == k && m.Handler == h }

// Append puts the message together again.
func (m Message) Append() ([]byte, error) {
	b := m.Dialect.AppendThreads(nil, m.Threads)
	b, err := brine.Append(m.Dialect.AppendHeader(b, m.Kind, m.Seq), m.Body)
	return append(b, m.Trailer...), err
}

// Item is a member of a tuple; nil if there is none.
func Item(v any, i int) any {
	if t, ok := v.(brine.Tuple); ok && i < len(t) {
		return t[i]
	}
	return nil
}

// IsInt tells whether a value is an int of Python's.
func IsInt(v any) bool {
	switch v.(type) {
	case int64, *big.Int:
		return true
	}
	return false
}

// Key is a value as the key of a map: its encoding.
func Key(v any) string {
	b, err := brine.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(b)
}

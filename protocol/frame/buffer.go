package frame

import (
	"sync"
	"sync/atomic"
)

// pooledMax is the largest payload that lives in pooled memory. A larger one gets
// memory of its own, so one big message does not cost memory for ever.
const pooledMax = 64 << 10

// Buffer is a received payload. It is a value, so that receiving a message costs no
// allocation for it. The zero value is no payload.
//
// A short payload is left where it was read: in a block of the [Reader], which
// reads into another one until it has been released. To hold on to a buffer
// for longer than it takes to handle a message, see [Buffer.Detach].
type Buffer struct {
	// Payload is not empty but in the zero value. It must not be used after Release.
	Payload []byte

	block *block // of a reader, nil if the memory is the buffer's
	store *store // nil if not pooled
	use   uint32 // which use of the store this is
	owned bool
}

// block is memory that a reader reads into.
type block struct {
	mem  []byte
	lent atomic.Int32 // buffers that have not been released
}

// lend returns a buffer whose payload is the given part of the block.
func (k *block) lend(payload []byte) Buffer {
	k.lent.Add(1)
	return Buffer{Payload: payload, block: k}
}

// Detach returns part, a part of the payload, in a place that does not hinder the reader: in memory of the buffer's
// own, to which it is moved if it stands in the reader's. The rest of the payload may be gone then.
func (b *Buffer) Detach(part []byte) []byte {
	if b.block == nil {
		return part
	}
	s := newStore(len(part))
	own := newBuffer(s, copy(s.mem, part))
	b.Release()
	*b = own
	return own.Payload
}

// Owned reports whether the memory belongs to the holder of the buffer for good:
// it is never reused, so decoded values may share it. It is the case for
// payloads above 64 KiB.
func (b *Buffer) Owned() bool { return b.owned }

// Release gives the memory back for reuse, unless it is owned, and sets
// Payload to nil. Calling it again does nothing, but only one of several copies of
// a Buffer may be released. Not calling it costs nothing but the reuse.
func (b *Buffer) Release() {
	b.Payload = nil
	if k := b.block; k != nil {
		b.block = nil
		k.lent.Add(-1)
		return
	}
	if s := b.store; s != nil && s.use.CompareAndSwap(b.use, b.use+1) {
		s.put()
	}
}

// store is memory that is used again and again.
type store struct {
	mem   []byte
	class int
	use   atomic.Uint32 // counts how often it was given back
}

// classes are the sizes that are pooled. Nearly all messages fit the smallest.
var classes = [...]int{512, 4 << 10, pooledMax}

var stores [len(classes)]sync.Pool

// newStore returns memory for n bytes, at most pooledMax.
func newStore(n int) *store {
	class := 0
	for n > classes[class] {
		class++
	}
	if s, ok := stores[class].Get().(*store); ok {
		return s
	}
	return &store{mem: make([]byte, classes[class]), class: class}
}

// free gives back a store that no Buffer stands for.
func (s *store) free() {
	s.use.Add(1)
	s.put()
}

func (s *store) put() { stores[s.class].Put(s) }

// newBuffer returns a buffer whose payload is the first n bytes of s.
func newBuffer(s *store, n int) Buffer {
	return Buffer{Payload: s.mem[:n:n], store: s, use: s.use.Load()}
}

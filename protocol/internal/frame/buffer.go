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
type Buffer struct {
	// Payload is not empty but in the zero value. It must not be used after Release.
	Payload []byte

	store *store // nil if not pooled
	use   uint32 // which use of the store this is
	owned bool
}

// Owned reports whether the memory belongs to the holder of the buffer for good:
// it is never reused, so decoded values may share it. It is the case for
// payloads above 64 KiB.
func (b *Buffer) Owned() bool { return b.owned }

// Release gives the memory back for reuse, unless it is owned, and sets
// Payload to nil. Calling it again does nothing, neither on the same Buffer nor on
// a copy of it, even if the memory has gone to another buffer meanwhile. Not
// calling it costs nothing but the reuse.
func (b *Buffer) Release() {
	b.Payload = nil
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

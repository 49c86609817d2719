package frame

import (
	"math/bits"
	"sync"
)

// Memory for long frames is used again: what is written until it has been written, what is read until all of it is
// there. It is in classes of one and an eighth times the powers of two, because values of 2^k bytes are common, and are
// a little longer with what stands around them. The garbage collector empties the pool, so memory for long frames is
// kept for as long as there are some.

const (
	smallestPooled = 17 // 2^17 and an eighth, in bytes
	largestPooled  = 27 // 128 MiB and 16 MiB
)

var longStores [largestPooled - smallestPooled + 1]sync.Pool // of *[]byte

// classSize is the length of the memory in a class.
func classSize(class int) int { return 9 << (class + smallestPooled - 3) }

// classFor returns the class for n bytes; one that there is not if they are too many.
func classFor(n int) int {
	ninths := (max(n, 1) + 8) / 9
	return max(bits.Len(uint(ninths-1))-(smallestPooled-3), 0)
}

// NewLong returns an empty slice with room for n bytes, whose memory [FreeLong] takes back.
func NewLong(n int) []byte {
	class := classFor(n)
	if class >= len(longStores) {
		return make([]byte, 0, n)
	}
	if b, ok := longStores[class].Get().(*[]byte); ok {
		return (*b)[:0]
	}
	return make([]byte, 0, classSize(class))
}

// FreeLong takes back the memory of a slice that NewLong has returned, or of one with the same beginning. Nothing may
// use it afterwards. Other slices are left alone.
func FreeLong(b []byte) {
	if class := classFor(cap(b)); class < len(longStores) && cap(b) == classSize(class) {
		kept := b[:0]
		longStores[class].Put(&kept)
	}
}

// Extend returns b with room for n bytes more, moved to memory of NewLong's if there is too little.
func Extend(b []byte, n int) []byte {
	if n <= pooledMax || cap(b)-len(b) >= n {
		return b
	}
	return append(NewLong(len(b)+n), b...)
}

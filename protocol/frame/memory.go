package frame

import (
	"strings"
	"unsafe"
)

// uncleared returns n bytes in whose place anything may stand. They are all to be written before anybody reads them.
// Clearing memory takes a good part of the time in which it can be filled from the network.
func uncleared(n int) []byte {
	var b strings.Builder // as in no other type of the standard library, its memory is not cleared
	b.Grow(n)
	_ = b.WriteByte(0)
	return unsafe.Slice(unsafe.StringData(b.String()), n)
}

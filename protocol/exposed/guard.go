package exposed

import (
	"sync"
	"unsafe"
)

// guards synchronise what peers do to plain Go slices, maps and fields: two connections that write the same map would
// otherwise end the process. They are held for single reads and writes only, never while other code runs.
var guards [64]sync.RWMutex

func guard(p unsafe.Pointer) *sync.RWMutex {
	h := uintptr(p) >> 4
	return &guards[(h^h>>6^h>>12)%uintptr(len(guards))]
}

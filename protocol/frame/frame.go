// Package frame cuts a byte stream into RPyC's frames and back: the counterpart
// of rpyc.core.channel.
//
//	+---------------+--------+--------------+------+
//	| length uint32 | flag 1 | body[length] | 0x0A |
//	+---------------+--------+--------------+------+
//
// The length is big-endian and counts the body only. Flag 0 means that the body
// is the payload, any other flag that it is a zlib stream of the payload. The
// trailing byte is always written as a newline and never looked at on receipt. A
// frame without payload carries no message and is skipped: peers may use
// it to keep a connection alive.
//
// No other package knows this layout. The package knows nothing about what a payload holds.
package frame

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

const (
	headerSize = 5
	trailer    = "\n"

	flagPlain = 0
	flagZlib  = 1 // what is written; every flag but 0 is read as this
)

// DefaultMax is the default of both fields of [Limits]: a value of 64 MiB, and 64 KiB for what stands around it and for
// what zlib adds to data that it cannot compress. RPyC itself has no limit but the length field's.
const DefaultMax = 64<<20 + 64<<10

// Limits bounds what a peer can make a [Reader] hold in memory. A zero or negative
// field means [DefaultMax]; there is no way to say "unlimited".
type Limits struct {
	MaxFrame    int64 // bytes of a body as it travels
	MaxInflated int64 // bytes of a payload after decompression
}

func (l Limits) withDefaults() Limits {
	if l.MaxFrame <= 0 {
		l.MaxFrame = DefaultMax
	}
	if l.MaxInflated <= 0 {
		l.MaxInflated = DefaultMax
	}
	l.MaxFrame = min(l.MaxFrame, math.MaxInt-headerSize)
	l.MaxInflated = min(l.MaxInflated, math.MaxInt-1)
	return l
}

// CorruptError tells that a body flagged as compressed is no valid zlib stream.
// It does not wrap the cause: io.ErrUnexpectedEOF would read as if the
// connection had been cut.
type CorruptError struct {
	Cause error
}

// Error implements error.
func (e *CorruptError) Error() string {
	return fmt.Sprintf("frame: compressed body: %v", e.Cause)
}

// Start returns what the beginning of a stream shows of the first frame's payload; nothing if that is compressed or
// empty, or if too little of the frame is there.
func Start(stream []byte) []byte {
	if len(stream) <= headerSize || stream[4] != flagPlain || binary.BigEndian.Uint32(stream) == 0 {
		return nil
	}
	return stream[headerSize:]
}

var errBadRead = errors.New("frame: reader returned an impossible count")

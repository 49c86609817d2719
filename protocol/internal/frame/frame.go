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
// The package knows nothing about what a payload holds.
package frame

import (
	"errors"
	"fmt"
	"math"
)

const (
	headerSize = 5
	newline    = '\n'

	flagPlain = 0
	flagZlib  = 1 // what is written; every flag but 0 is read as this
)

// DefaultMax is the default of both fields of [Limits]: 1 GiB. RPyC itself has no
// limit but the length field's, and peers do send values of 100 MiB.
const DefaultMax = 1 << 30

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

// LimitError tells that a frame is larger than a limit allows, or when writing
// than the length field can say.
type LimitError struct {
	What  string // "frame length" or "inflated length"
	Got   int64  // claimed length; for an inflated one, how far it was followed
	Limit int64
}

// Error implements error.
func (e *LimitError) Error() string {
	return fmt.Sprintf("frame: %s: %d exceeds the limit of %d", e.What, e.Got, e.Limit)
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

var errBadRead = errors.New("frame: reader returned an impossible count")

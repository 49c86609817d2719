//go:build !linux

package protocol

import "time"

// havePulse tells that waiting for a beat costs others nothing: it would not here.
const havePulse = false

// newSource makes a source that beats once in every period.
func newSource(period time.Duration) source { return ticker{time.NewTicker(period)} }

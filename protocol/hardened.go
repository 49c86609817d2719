package protocol

import "time"

// Hardened is a configuration for peers that nobody vouches for, with every limit and timeout set: messages of 1 MiB,
// small limits for all that a peer can pile up, and timeouts of seconds. Peers get neither tracebacks nor the version.
// It is meant to be changed where an application needs more; SECURITY.md says what else belongs to a server on the
// Internet.
func Hardened() *Config {
	return &Config{
		HideTraceback: true,
		HideVersion:   true,
		Timeout:       10 * time.Second,
		CloseTimeout:  time.Second,
		FirstTimeout:  10 * time.Second,
		IdleTimeout:   2 * time.Minute,
		StallTimeout:  10 * time.Second,
		Limits: Limits{
			Frame:       1 << 20,
			Inflated:    1 << 20,
			Decoded:     8 << 20,
			Queued:      256,
			QueuedBytes: 4 << 20,
			Running:     64,
			Exports:     4096,
			Containers:  16 << 20,
			Answer:      4 << 20,
			Unread:      1 << 20,
		},
	}
}

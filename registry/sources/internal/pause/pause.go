// Package pause waits between the questions that a source of addresses asks.
package pause

import (
	"context"
	"time"
)

// For waits for d, not at all if that is negative. It returns the context's error if ctx ends before.
func For(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

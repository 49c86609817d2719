// Package pause waits. It is for the packages of this module: no promise of compatibility is made for it.
package pause

import (
	"context"
	"time"
)

// For waits for d, not at all if that is negative. It returns the cause if ctx ends before.
func For(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

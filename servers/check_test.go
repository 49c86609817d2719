package servers

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// TestChecks: one that hangs, panics, or is none neither hides what the others say nor is begun twice.
func TestChecks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		hung, begun := make(chan struct{}), 0
		s := &Server{Checks: map[string]func(context.Context) error{
			"disk":  func(context.Context) error { panic("full") },
			"lock":  func(context.Context) error { begun++; <-hung; return nil },
			"none":  nil,
			"ready": func(context.Context) error { return nil },
			"ill":   func(context.Context) error { return errors.New("no") },
		}}
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		require.Contains(t, s.failing(gone), "lock: no answer: context canceled")
		synctest.Wait()
		for range 2 {
			before := time.Now()
			reasons := s.failing(t.Context())
			require.Equal(t, checkTimeout, time.Since(before))
			require.Len(t, reasons, 4)
			require.Equal(t, []string{"disk: panic: full", "ill: no", "lock: no answer: context deadline exceeded"}, reasons[:3])
			require.Contains(t, reasons[3], "none: panic: ")
		}
		require.Equal(t, 1, begun)
		close(hung)
		synctest.Wait()
		require.Len(t, s.failing(t.Context()), 3)
		require.Equal(t, 2, begun)
	})
}

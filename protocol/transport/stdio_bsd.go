//go:build unix && !linux

package transport

import (
	"fmt"
	"syscall"
)

// replace makes the descriptor to stand for what from does.
func replace(from uintptr, to int) error {
	if err := syscall.Dup2(int(from), to); err != nil {
		return fmt.Errorf("transport: dup2: %w", err)
	}
	return nil
}

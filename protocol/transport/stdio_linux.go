package transport

import (
	"fmt"
	"syscall"
)

// replace makes the descriptor to stand for what from does.
func replace(from uintptr, to int) error {
	if err := syscall.Dup3(int(from), to, 0); err != nil { // not all architectures have dup2
		return fmt.Errorf("transport: dup3: %w", err)
	}
	return nil
}

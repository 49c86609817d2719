//go:build !unix

package protocol

import "time"

// processTime is not known here.
func processTime() time.Duration { return -1 }

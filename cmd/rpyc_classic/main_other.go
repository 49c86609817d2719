//go:build !unix

// Command rpyc_classic serves classic mode. It needs a POSIX system.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "rpyc_classic: this program needs a POSIX system")
	os.Exit(1)
}

//go:build !unix

package transport

import "os"

// takeStdio hides the standard files from Go code; others are not kept from using them.
func takeStdio() (in, out *os.File, err error) {
	in, out = os.Stdin, os.Stdout
	quietStdio()
	return in, out, nil
}

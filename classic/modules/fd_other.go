//go:build !unix

package modules

import "github.com/gorpyc/gorpyc/protocol/vinegar"

// openFD makes a file of a descriptor that is open.
func openFD(int, bool, any) (rawFile, error) {
	return nil, vinegar.NotImplementedError.New("file descriptors cannot be opened on this system")
}

//go:build unix

package modules

import (
	"os"
	"syscall"

	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// openFD makes a file of a descriptor that is open.
func openFD(fd int, closefd bool, name any) (rawFile, error) {
	var st syscall.Stat_t
	if fd < 0 {
		return nil, vinegar.ValueError.New("negative file descriptor")
	}
	if err := syscall.Fstat(fd, &st); err != nil {
		return nil, fileError(err, name)
	}
	if st.Mode&syscall.S_IFMT == syscall.S_IFDIR {
		return nil, vinegar.IsADirectoryError.New(int64(21), "Is a directory", name)
	}
	if closefd {
		return osFile{os.NewFile(uintptr(fd), "fd")}, nil
	}
	own, err := syscall.Dup(fd) // an os.File closes its descriptor when nobody has it any more
	if err != nil {
		return nil, err
	}
	syscall.CloseOnExec(own)
	return borrowed{osFile{os.NewFile(uintptr(own), "fd")}, fd}, nil
}

// borrowed is a file that reports another descriptor than its own.
type borrowed struct {
	osFile
	fd int
}

// Fd is the descriptor.
func (b borrowed) Fd() (int, error) { return b.fd, nil }

package transport

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
)

// ErrNotActivated is returned by [Activated] in a process that was given no sockets.
var ErrNotActivated = errors.New("transport: no listening sockets were passed to this process")

// Activated returns the listening sockets that systemd, or systemd-socket-activate,
// has passed to the process (LISTEN_FDS), in the order of the unit's ListenStream
// lines. The connections they accept are wrapped as [Wrap] says. It takes the
// sockets over and removes the variables from the environment, so that it can be
// called once. Sockets that are no listening ones are an error.
func Activated() ([]net.Listener, error) {
	const firstFD = 3
	pid, fds := os.Getenv("LISTEN_PID"), os.Getenv("LISTEN_FDS")
	if fds == "" || pid != strconv.Itoa(os.Getpid()) {
		return nil, ErrNotActivated
	}
	n, err := strconv.Atoi(fds)
	if err != nil || n < 1 {
		return nil, fmt.Errorf("transport: LISTEN_FDS is %q, not a number of sockets", fds)
	}
	names := strings.Split(os.Getenv("LISTEN_FDNAMES"), ":")
	for _, name := range []string{"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"} {
		_ = os.Unsetenv(name)
	}
	var ls []net.Listener
	for i := range n {
		name := "socket"
		if i < len(names) && names[i] != "" {
			name = names[i]
		}
		f := os.NewFile(uintptr(firstFD+i), name)
		l, err := net.FileListener(f)
		_ = f.Close()
		if err != nil {
			for _, l := range ls {
				_ = l.Close()
			}
			return nil, fmt.Errorf("transport: socket %d (%s) of the activation: %w", i, name, err)
		}
		ls = append(ls, WrapListener(l))
	}
	return ls, nil
}

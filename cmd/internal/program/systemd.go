package program

import (
	"net"
	"os"
)

// Notify tells systemd how far the program is ("READY=1", "STOPPING=1"), if it was started by a unit of Type=notify.
func Notify(state string) {
	path := os.Getenv("NOTIFY_SOCKET")
	if path == "" {
		return
	}
	c, err := net.Dial("unixgram", path)
	if err != nil {
		return
	}
	_, _ = c.Write([]byte(state))
	_ = c.Close()
}

//go:build !linux

package transport

// extras needs nothing here.
type extras struct{}

func (c *tcpConn) init() {}

// QuickAck does nothing: only Linux lets a program ask for it.
func (c *tcpConn) QuickAck() {}

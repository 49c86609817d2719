//go:build !linux

package transport

type quickAck struct{}

func (c *tcpConn) initQuickAck() {}

// QuickAck does nothing: only Linux lets a program ask for it.
func (c *tcpConn) QuickAck() {}

package protocol

import (
	"time"

	"github.com/gorpyc/gorpyc/protocol/wire"
)

// Close ends the connection in order (Connection.close): what has been sent so far is delivered, the peer is told, and
// its hanging up is waited for, at most Config.CloseTimeout. Handlers that run are not waited for: see [Conn.Done].
// Close may be called by a handler, whose own request is then not answered. Closing a connection that has ended does
// nothing.
func (c *Conn) Close() error {
	l := c.lock()
	l.closing = true
	l.unlock()
	if c.dialect.Load() != nil {
		// The peer may not even read what it is told.
		timer := time.AfterFunc(c.cfg.CloseTimeout, func() { c.die(ErrClosed) })
		defer timer.Stop()
		// The answer is the end of the stream; a peer that answers otherwise has finished, too.
		if r, err := c.Start(c.base, wire.HandleClose); err == nil {
			c.passRole(true) // a handler may be closing its own connection
			<-r.Done()
		}
	}
	c.die(ErrClosed)
	return nil
}

// CloseNow ends the connection without telling the peer. It does not block.
func (c *Conn) CloseNow() error {
	c.die(ErrClosed)
	return nil
}

// closeAsked is called when the peer's CLOSE arrives. The request is carried out in turn, as everything the peer asks
// for; but a peer that waits for the stream to end is not made to wait for a handler that takes long.
func (c *Conn) closeAsked(seq wire.Seq) {
	if seq == wire.Num(lastSeq) { // all that the peer has begun is answered: see Shutdown
		l := c.lock()
		l.gone = true
		l.unlock()
		c.leave()
	}
	l := c.lock()
	defer l.unlock()
	if l.closeTimer == nil && !l.broken { // a peer may say it twice
		l.closeTimer = time.AfterFunc(c.cfg.CloseTimeout, func() { c.die(ErrClosed) })
	}
}

package servers

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"github.com/gorpyc/gorpyc/protocol/transport"
)

// errHandled says that a connection was served, by Handle, and has ended.
var errHandled = errors.New("rpyc: served")

// handled is a stream that Handle serves.
type handled interface {
	io.ReadWriteCloser
	// endInput has Read return io.EOF from now on, as if the peer had nothing more to say.
	endInput()
}

// handledConn is one of the network: a deadline ends a Read that is under way.
type handledConn struct {
	net.Conn
	ending atomic.Bool
}

func (h *handledConn) Read(p []byte) (int, error) {
	n, err := h.Conn.Read(p)
	if err != nil && h.ending.Load() {
		err = io.EOF
	}
	return n, err
}

// QuickAck implements transport.QuickAcker, for those connections that do.
func (h *handledConn) QuickAck() {
	if q, ok := h.Conn.(transport.QuickAcker); ok {
		q.QuickAck()
	}
}

func (h *handledConn) endInput() {
	h.ending.Store(true)
	if h.SetReadDeadline(time.Unix(1, 0)) != nil {
		_ = h.Close()
	}
}

// handledStream is any other, whose Read nothing ends but closing.
type handledStream struct{ io.ReadWriteCloser }

func (h handledStream) endInput() { _ = h.Close() }

// handle has Handle serve an authenticated stream. conn is the connection that it was made of, nil if there is none.
func (s *Server) handle(ctx context.Context, conn net.Conn, stream io.ReadWriteCloser, log *slog.Logger,
	credentials any, gone func()) error {
	if credentials != nil {
		log = log.With("credentials", loggable(credentials))
	}
	var h handled = handledStream{stream}
	if c, ok := stream.(net.Conn); ok {
		h = &handledConn{Conn: c}
	}
	defer gone()
	defer func() { _ = stream.Close() }()
	if !s.addHandled(h, conn) {
		return ErrServerClosed
	}
	defer s.removeHandled(h)
	log.Info("welcome")
	if err := hook(func() error { return s.Handle(ctx, h, credentials) }); err != nil {
		log.Error("goodbye", "error", err)
		return err
	}
	log.Info("goodbye")
	return errHandled
}

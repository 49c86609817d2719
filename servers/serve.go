package servers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"runtime/debug"
	"slices"
	"syscall"
	"time"

	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/transport"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
)

// defaultAuthTimeout bounds authentication unless Server.AuthTimeout says otherwise.
const defaultAuthTimeout = 10 * time.Second

// ListenAndServe listens on the address and serves until the server is closed or ctx ends. network is "tcp" (IPv4 and
// IPv6), "tcp4", "tcp6" or "unix"; transport.ListenWith has more choices, whose listener is for [Server.Serve]. It
// returns [ErrServerClosed], the context's cause, or what made listening impossible. As with net/http, it returns as
// soon as Shutdown or Close begins: a program that wants requests to finish waits for Shutdown to return.
func (s *Server) ListenAndServe(ctx context.Context, network, addr string) error {
	if Forked() {
		return s.serveAsWorker(ctx)
	}
	l, err := transport.Listen(ctx, network, addr)
	if err != nil {
		return err
	}
	return s.Serve(ctx, l)
}

// Serve accepts connections on l, which it closes in the end, until the server is closed or ctx ends. It may be called
// for several listeners. The end of ctx ends the connections, too, abruptly and without waiting for handlers;
// [Server.Shutdown] is the way to an orderly end. The values of ctx are visible to handlers.
//
// A failure to accept that may pass is logged, and accepting goes on after a pause. If it is for want of descriptors,
// connections that have been idle for longest are closed first. Every other one is returned, and the connections there
// are go on.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	if Forked() {
		if l != nil {
			_ = l.Close()
		}
		return s.serveAsWorker(ctx)
	}
	s.init()
	if err := protocol.CheckService(s.Service); err != nil {
		_ = l.Close()
		return err
	}
	if s.Mode == Forking {
		err := canFork()
		if err == nil {
			err = s.rehearse()
		}
		if err != nil {
			_ = l.Close()
			return err
		}
	}
	if !s.addListener(l) {
		_ = l.Close()
		return ErrServerClosed
	}
	defer s.removeListener(l)
	stop := context.AfterFunc(ctx, func() { s.removeListener(l) })
	defer stop()
	log := s.log().With("addr", l.Addr().String())
	log.Info("server started")
	defer log.Info("server has terminated")
	defer s.announce(ctx, l)()
	defer s.feedWatchdog()()
	s.notify(notifyReady)
	var pause time.Duration
	for s.room(ctx) {
		stream, err := l.Accept()
		if err == nil {
			pause = 0
			s.accept(ctx, stream)
			if s.Mode == OneShot {
				s.removeListener(l)
				select {
				case <-s.closing:
				case <-ctx.Done():
				}
				break
			}
			continue
		}
		if s.WhenFull == Queue {
			s.leave() // the place room has taken
		}
		if ctx.Err() != nil || s.isClosed() {
			break
		}
		if !passing(err) {
			return fmt.Errorf("rpyc: accept: %w", err)
		}
		if outOfFiles(err) && s.makeRoom(log) {
			continue
		}
		pause = min(max(2*pause, 5*time.Millisecond), time.Second)
		log.Warn("accept failed", "error", err, "retry", pause)
		if !sleep(ctx, pause, s.closing) {
			break
		}
	}
	if !s.isClosed() && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return ErrServerClosed
}

// defaultFirstTimeout bounds the time until a client's first message unless Config.FirstTimeout says otherwise. RPyC's
// clients send nothing until they are used, which may be a while after they have connected.
const defaultFirstTimeout = 5 * time.Minute

// makeRoom closes those connections that have been idle for longest, a few at a time, because no descriptors are left
// to accept others. It reports whether there were any.
func (s *Server) makeRoom(log *slog.Logger) bool {
	type quiet struct {
		c     *protocol.Conn
		since time.Time
	}
	var idle []quiet
	for _, c := range s.Clients() {
		if since, ok := c.IdleSince(); ok && c.Err() == nil {
			idle = append(idle, quiet{c, since})
		}
	}
	slices.SortFunc(idle, func(a, b quiet) int { return a.since.Compare(b.since) })
	for _, q := range idle[:min(len(idle), 1+len(idle)/64)] {
		log.Warn("closed because no descriptors are left", "peer", peerName(q.c), "idle", time.Since(q.since))
		_ = q.c.CloseNow()
	}
	return len(idle) > 0
}

// outOfFiles reports whether the process or the system has no descriptors left.
func outOfFiles(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}

// passing reports whether accepting may succeed later: the process or the system is out of something for a while, or
// one client went away before it was accepted.
func passing(err error) bool {
	for _, passing := range []error{
		syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED,
		syscall.ECONNRESET, syscall.EINTR,
		syscall.EAGAIN, syscall.EPERM, syscall.EPROTO, syscall.ENETDOWN, syscall.ENETUNREACH, syscall.EHOSTUNREACH,
	} {
		if errors.Is(err, passing) {
			return true
		}
	}
	var timeout net.Error
	return errors.As(err, &timeout) && timeout.Timeout()
}

// room waits until one more connection may be served, if they queue, and takes its place. It is false if the server
// ends.
func (s *Server) room(ctx context.Context) bool {
	if s.slots != nil && s.WhenFull == Queue {
		select {
		case s.slots <- struct{}{}:
		case <-s.closing:
			return false
		case <-ctx.Done():
			return false
		}
		if ctx.Err() != nil || s.isClosed() {
			s.leave()
			return false
		}
	}
	return ctx.Err() == nil && !s.isClosed()
}

// full takes a place for a connection that was accepted, if they are refused; true if there is none.
func (s *Server) full() bool {
	if s.slots == nil || s.WhenFull == Queue {
		return false
	}
	select {
	case s.slots <- struct{}{}:
		return false
	default:
		return true
	}
}

// leave gives a place back.
func (s *Server) leave() {
	if s.slots != nil {
		<-s.slots
	}
}

// accept has a connection that was accepted served.
func (s *Server) accept(ctx context.Context, stream net.Conn) {
	log := s.peerLog(stream)
	log.Info("accepted")
	stream = transport.Wrap(stream)
	switch {
	case s.full():
		log.Warn("refused", "reason", "too many connections", "limit", s.MaxConns)
		_ = stream.Close()
		return
	case s.Mode == Forking:
		s.fork(ctx, stream, log)
		return
	case !s.addWaiting(stream):
		_ = stream.Close()
		s.leave()
		return
	}
	go func() {
		if c := s.admit(ctx, stream, log); c == nil && s.Mode == OneShot {
			_ = s.Close()
		}
	}()
}

// hook calls a func of the program's. A panic of it is an error of one connection, which must not end the others.
func hook(f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = vinegar.FromPanic(p, debug.Stack())
		}
	}()
	return f()
}

// admit authenticates the peer and begins to serve it. It returns nil if the peer was turned away.
func (s *Server) admit(ctx context.Context, stream net.Conn, log *slog.Logger) *protocol.Conn {
	defer s.removeWaiting(stream)
	if s.OnAccept != nil {
		if err := hook(func() error { return s.OnAccept(stream) }); err != nil {
			log.Info("refused", "reason", err)
			_ = stream.Close()
			s.leave()
			return nil
		}
	}
	if s.HTTPProbe && s.Mode != OneShot && s.answerProbe(ctx, stream) {
		s.leave()
		return nil
	}
	c, _ := s.meet(ctx, stream, log, s.leave)
	return c
}

// meet authenticates the peer and makes the connection. gone is called once: when it has failed, or the connection has
// ended.
func (s *Server) meet(ctx context.Context, stream net.Conn, log *slog.Logger, gone func()) (*protocol.Conn, error) {
	secure, credentials, err := s.authenticate(ctx, stream)
	if err != nil {
		log.Info("failed to authenticate, rejecting connection", "reason", err)
		gone()
		return nil, err
	}
	return s.connect(ctx, stream, secure, log, credentials, gone)
}

// connect makes the connection of an authenticated stream, which is made of raw if that is not nil. gone is as for
// meet.
func (s *Server) connect(ctx context.Context, raw net.Conn, stream io.ReadWriteCloser, log *slog.Logger,
	credentials any, gone func()) (*protocol.Conn, error) {
	if s.Authenticator != nil {
		log.Info("authenticated successfully")
	}
	if s.Handle != nil {
		return nil, s.handle(ctx, raw, stream, log, credentials, gone)
	}
	o := s.beginOpening(raw, stream)
	if o == nil {
		_ = stream.Close()
		gone()
		return nil, ErrServerClosed
	}
	var c *protocol.Conn
	err := hook(func() (err error) {
		c, err = protocol.NewConn(ctx, stream, s.service(), s.config(raw, credentials))
		return err
	})
	s.opened(o, c)
	if err != nil {
		log.Warn("refused", "reason", err)
		_ = stream.Close()
		gone()
		return nil, err
	}
	if id := c.Identity(); id != nil {
		log = log.With("identity", id.String())
	} else if credentials != nil {
		log = log.With("credentials", loggable(credentials))
	}
	log.Info("welcome")
	if s.OnServe != nil {
		if err = hook(func() error { return s.OnServe(c) }); err != nil {
			log.Info("refused", "reason", err)
			_ = c.CloseNow()
		}
	}
	c.AfterDone(func() {
		if log.Enabled(ctx, slog.LevelInfo) {
			if r := c.Peer().Release(); r != "" {
				log = log.With("release", r)
			}
			log.Info("goodbye")
		}
		if s.OnGone != nil {
			if err := hook(func() error { s.OnGone(c); return nil }); err != nil {
				log.Error("OnGone has failed", "error", err)
			}
		}
		s.removeConn(c)
		gone()
		if s.Mode == OneShot {
			s.stop()
		}
	})
	if err != nil {
		return nil, err
	}
	return c, nil
}

// ServeConn serves one peer over a stream there is already, and returns when the connection has ended: a pipe, an SSH
// channel, what transport.Stdio returns. A stream that is a net.Conn is authenticated as those that were accepted; one
// that is not is trusted, and must not be given to a server with an Authenticator. It returns nil after an orderly end
// and the reason for any other. Shutdown and Close end it, too; the end of ctx ends it at once.
func (s *Server) ServeConn(ctx context.Context, stream io.ReadWriteCloser) error {
	s.init()
	var c *protocol.Conn
	var err error
	if conn, ok := stream.(net.Conn); ok {
		if !s.addWaiting(conn) {
			_ = conn.Close()
			return ErrServerClosed
		}
		c, err = s.meet(ctx, conn, s.peerLog(conn), func() {})
		s.removeWaiting(conn)
	} else {
		if s.Authenticator != nil {
			_ = stream.Close()
			return errors.New("rpyc: a stream that is no network connection cannot be authenticated")
		}
		c, err = s.connect(ctx, nil, stream, s.log().With("peer", "pipe"), nil, func() {})
	}
	switch {
	case errors.Is(err, errHandled):
		return nil
	case err != nil:
		return err
	}
	<-c.Done()
	if err := c.Err(); !orderly(err) {
		return err
	}
	return nil
}

// orderly reports whether a connection has ended as connections do: one side closed it, or the peer went away between
// two messages.
func orderly(err error) bool {
	var closed *protocol.ClosedError
	return errors.As(err, &closed) && (closed.Cause == io.EOF || closed.Cause == protocol.ErrClosed)
}

// ServeStdio serves the peer at the other end of the standard input and output, as programs do that inetd or systemd
// start for each connection, or that a peer has started (rpyc_classic.py -m stdio, connect_stdpipes). See
// transport.Stdio for what becomes of os.Stdin and os.Stdout, and [Server.ServeConn] for the rest.
func (s *Server) ServeStdio(ctx context.Context) error {
	stream, err := transport.Stdio()
	if err != nil {
		return err
	}
	return s.ServeConn(ctx, stream)
}

package registry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/gorpyc/gorpyc/protocol/transport/pause"
)

// ErrServerClosed is returned by the Serve methods after Shutdown or Close.
var ErrServerClosed = errors.New("registry: server closed")

// Server is a registry (rpyc.utils.registry.UDPRegistryServer and TCPRegistryServer in one). The zero value is ready to
// serve. The fields must not be changed once it serves; the methods are safe for concurrent use. It may serve several
// sockets, UDP and TCP, out of one table.
//
// Upstream's log lines are logged too: requests at level Debug, comings and goings at Info, what was not answered at
// Warn, at most one line of a kind per second.
type Server struct {
	// AllowListing lets clients ask for the names of all services (allow_listing).
	AllowListing bool
	// Timeout is how long a registration lives without being renewed (pruning_timeout); 0 means [DefaultTimeout].
	Timeout time.Duration
	// Limits bounds what peers can make the registry hold and do.
	Limits Limits
	// Advertise says under which addresses services are shown to clients that cannot use the registered ones.
	Advertise []Advertise
	// StateFile is where the registrations are kept for the next start, "" for nowhere. The file is replaced as a whole,
	// soon after a change and when the server is closed. If it cannot be understood it is set aside and the registry
	// begins empty. If it cannot be written, the registry does not serve: see [Server.Open]. It is not used with a Store.
	StateFile string
	// Secret, if not empty, is needed to register and unregister: requests that are not signed with it are not answered.
	// Everybody may ask who offers what; who has the secret, too, gets signed answers. It is an extension of ours, which
	// RPyC's registrars do not know: see [UDPClient.Secret]. Messages are not encrypted.
	Secret []byte
	// Store keeps the registrations; nil means a [Memory] with the Timeout and Limits above.
	Store Store
	// OnServiceAdded is called when an endpoint begins to offer a service, but not when it renews its registration
	// (on_service_added). OnServiceRemoved is called when it is unregistered or expires (on_service_removed). They are
	// called one at a time, in order, in a goroutine of their own; a panic is logged. While one takes its time, up to
	// 65,536 events wait.
	OnServiceAdded, OnServiceRemoved func(name string, ep Endpoint)
	// Logger is told what happens; nil is silent.
	Logger *slog.Logger

	init, ending sync.Once
	counters
	limits     Limits
	store      Store
	advertiser *advertiser
	limiter    *limiter
	signatures signatures
	events     *events
	state      *stateFile
	stateErr   error // why the state file cannot be kept
	started    time.Time
	warnings   warnings

	mu      sync.Mutex
	sockets map[interface{ Close() error }]struct{}
	conns   connCount
	closed  bool
	busy    sync.WaitGroup // TCP connections
}

// start prepares the server when it is first used.
func (s *Server) start() {
	s.init.Do(func() {
		s.started = time.Now()
		s.limits = s.Limits.orDefault()
		s.advertiser = newAdvertiser(s.Advertise)
		s.limiter = newLimiter(s.limits.Rate)
		s.store = s.Store
		if s.store == nil {
			m := NewMemory(s.Timeout, s.Limits)
			s.store = m
			if s.StateFile != "" {
				s.state, s.stateErr = openState(s.StateFile, m, s.log())
			}
		}
		s.events = newEvents(s)
	})
}

// Open prepares the server: it reads the state file, and returns an error if that could not be written. Serving does
// so, too; Open is for programs that want to know before they tell anybody that they serve.
func (s *Server) Open() error {
	s.start()
	return s.stateErr
}

// ListenAndServe listens on an address and serves it until the server is closed or ctx ends. network is "udp", "udp4",
// "udp6", "tcp", "tcp4" or "tcp6". It returns [ErrServerClosed], the context's cause, or what made listening
// impossible.
func (s *Server) ListenAndServe(ctx context.Context, network, addr string) error {
	if strings.HasPrefix(network, "udp") {
		c, err := ListenUDP(ctx, network, addr)
		if err != nil {
			return err
		}
		return s.ServeUDP(ctx, c)
	}
	l, err := new(net.ListenConfig).Listen(ctx, network, addr)
	if err != nil {
		return fmt.Errorf("registry: %w", err)
	}
	return s.ServeTCP(ctx, l)
}

// add notes a socket that is to be served. If the server cannot serve, add closes the socket and says why.
func (s *Server) add(socket interface{ Close() error }) error {
	err := s.Open()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		err = ErrServerClosed
	}
	if err != nil {
		_ = socket.Close()
		return err
	}
	if s.sockets == nil {
		s.sockets = make(map[interface{ Close() error }]struct{})
	}
	s.sockets[socket] = struct{}{}
	return nil
}

func (s *Server) remove(socket interface{ Close() error }) {
	_ = socket.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sockets, socket)
}

// goOn logs an error of a socket and waits before the socket is used again. It returns why that is not to be: the
// socket is closed, or ctx has ended.
func (s *Server) goOn(ctx context.Context, err error, what string, wait time.Duration) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	s.mu.Lock()
	closed := s.closed
	s.mu.Unlock()
	switch {
	case closed:
		return ErrServerClosed
	case errors.Is(err, net.ErrClosed):
		return fmt.Errorf("registry: %w", err)
	}
	s.log().Warn(what, "error", err)
	return pause.For(ctx, wait)
}

// Shutdown closes the sockets, lets the TCP requests under way be answered until ctx ends, has the hooks called for
// what has happened, and writes the state file. It returns the context's cause if that came first, and what went wrong
// with the file.
func (s *Server) Shutdown(ctx context.Context) error {
	answered := s.stop()
	var err error
	select {
	case <-answered:
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	return errors.Join(err, s.finish(ctx, answered))
}

// Close is Shutdown without waiting for anybody. A hook may still be running when it returns.
func (s *Server) Close() error {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return s.finish(ctx, s.stop())
}

// stop closes the sockets and the connections that no answer is being made for. The channel is closed when the others
// have ended.
func (s *Server) stop() <-chan struct{} {
	s.start()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	for socket := range s.sockets {
		_ = socket.Close()
	}
	s.conns.closeIdle()
	answered := make(chan struct{})
	go func() {
		s.busy.Wait()
		close(answered)
	}()
	return answered
}

// finish ends what is left of the connections, the events and the table, once.
func (s *Server) finish(ctx context.Context, answered <-chan struct{}) (err error) {
	s.mu.Lock()
	s.conns.closeAll()
	s.mu.Unlock()
	<-answered
	s.ending.Do(func() {
		s.events.close(ctx)
		if s.state != nil {
			err = s.state.close()
		}
		if m, ok := s.store.(*Memory); ok && s.Store == nil {
			_ = m.Close()
		}
	})
	return err
}

// Registrations calls yield with all registrations until it returns false.
func (s *Server) Registrations(yield func(Registration) bool) {
	s.start()
	s.store.Registrations(yield)
}

// Recent returns the latest comings and goings, at most 256, the latest last.
func (s *Server) Recent() []Event {
	s.start()
	return s.events.recentOnes()
}

func (s *Server) log() *slog.Logger {
	if s.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return s.Logger
}

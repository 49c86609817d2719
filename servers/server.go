package servers

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/registry"
)

// ErrServerClosed is returned by Serve and ListenAndServe after Shutdown or Close, and by a one-shot server that has
// served its client.
var ErrServerClosed = errors.New("rpyc: server closed")

// Mode is a way of serving.
type Mode int

const (
	// Threaded serves each connection on goroutines of its own (ThreadedServer, GeventServer). It is the default.
	Threaded Mode = iota
	// Pool has a fixed number of workers run the requests of all connections (ThreadPoolServer): see Server.Workers.
	Pool
	// Forking serves each connection in a process of its own (ForkingServer): see Server.Name. It needs a Unix system.
	Forking
	// OneShot serves one connection and closes the server when that has ended (OneShotServer).
	OneShot
)

// Full says what happens to a connection or request when there is no room for it.
type Full int

const (
	// Queue has it wait until there is room.
	Queue Full = iota
	// Refuse turns it away: a connection is closed, a request is answered with a BlockingIOError.
	Refuse
)

// Server serves a service to every peer that connects (rpyc.utils.server.Server). The zero value serves a service that
// has nothing. The fields must not be changed once the server is serving; the methods are safe for concurrent use. A
// panic of one of its funcs ends the connection that it was called for.
type Server struct {
	// Service is the root object all connections share. nil is one without names of its own (VoidService).
	Service any
	// NewService makes a root object for each connection; it is used instead of Service if it is set.
	NewService func() any
	// Name is the service's name in logs, and tells the forking servers of a program apart. "" means the first of
	// Aliases.
	Name string
	// Aliases are the names under which the service is registered. nil means those that the service tells the peer: see
	// exposed.ServiceAliases. With NewService and without Aliases, one more service is made in order to ask.
	Aliases []string
	// Registrar, if not nil, is told once a minute where the server is, under its aliases, and in the end that it is
	// gone (registrar, auto_register): see registry.Announce. &registry.UDPClient{} is RPyC's default, which
	// broadcasts.
	Registrar registry.Registrar
	// Config is the configuration of the connections; nil means RPyC's defaults, but for FirstTimeout, of which 0 means
	// 5 minutes here and a negative value never. IdleTimeout and StallTimeout in it are what keeps clients that fall
	// silent later from being served for ever; protocol.Hardened is for clients nobody vouches for.
	Config *protocol.Config

	// ConfigFor, if not nil, gives the configuration of one connection in place of Config, by the client's address and by
	// what the Authenticator has returned. nil means Config. It is called by several goroutines at once. conn is nil for
	// a stream that is no network connection; it must not be read or written.
	ConfigFor func(conn net.Conn, credentials any) *protocol.Config

	// Mode is how connections are served.
	Mode Mode
	// Workers is how many requests a [Pool] runs at the same time; 0 means 20 (nbThreads). A handler that waits for its
	// peer is not counted.
	Workers int
	// Batch is how many requests of a connection that are queued a worker of a [Pool] runs before it turns to others; 0
	// means 10 (requestBatchSize).
	Batch int
	// WhenBusy says what happens to requests that come while all workers of a [Pool] are busy. RPyC queues them.
	WhenBusy Full
	// MaxConns is how many connections are served at the same time, authentication included; 0 means no limit.
	MaxConns int
	// WhenFull says what happens to connections above MaxConns: they wait, in the listener's backlog, or are closed at
	// once.
	WhenFull Full

	// Budget bounds what the peers of all connections can make the process hold together; zero fields mean the defaults
	// of protocol.BudgetLimits. Config.Budget, if it is set, is used in its place. It does not count across the
	// processes of a [Forking] server.
	Budget protocol.BudgetLimits

	// Authenticator checks peers before they are served, and may replace the stream, as TLS does; nil lets everybody
	// in.
	Authenticator Authenticator
	// AuthTimeout bounds the authentication; 0 means 10 s, negative no limit.
	AuthTimeout time.Duration
	// OnAccept, if not nil, is called with each connection that was accepted, before it is authenticated, on a
	// goroutine of its own. An error refuses it. It may not read or write.
	OnAccept func(c net.Conn) error
	// OnServe, if not nil, is called with each connection that is about to be served, after the service's OnConnect. An
	// error closes it.
	OnServe func(c *protocol.Conn) error
	// Handle, if not nil, serves the stream of each connection in place of RPyC's protocol, for instance by passing it
	// on to another process; the server accepts, counts, authenticates, registers and logs. credentials is what the
	// Authenticator has returned. The connection ends when Handle returns. Shutdown ends the stream's input, so that
	// what is under way can be answered, or closes a stream that is no net.Conn, and waits; Close closes the stream.
	// OnServe and OnGone are not called.
	Handle func(ctx context.Context, stream io.ReadWriteCloser, credentials any) error
	// OnGone, if not nil, is called when a connection that was served has ended, after the service's OnDisconnect.
	OnGone func(c *protocol.Conn)
	// Checks are what the server needs to be ready, by name, such as a database: see [Server.Health]. They are called at
	// the same time, each not again before it has returned, with a context that ends after 5 s; who asks is then told that
	// there was no answer. A panic is a failure.
	Checks map[string]func(ctx context.Context) error
	// DrainDelay is how long Shutdown goes on accepting when the server has become one that is not ready and has
	// unregistered, so that load balancers and clients have noticed before connections are refused. 0 means not at all.
	DrainDelay time.Duration
	// HTTPProbe has the server answer HTTP on its own port as well, for orchestrators that can ask no other: GET or HEAD
	// /healthz and /readyz as [Server.Health] does, without reasons, before TLS and authentication. A client that has sent
	// nothing is served 0.2 s later. It needs a Unix system, and does nothing in the modes [Forking] and [OneShot].
	HTTPProbe bool
	// Systemd has the server tell systemd, if that has asked for it (Type=notify, WatchdogSec=), when it accepts
	// connections, that it shuts down, and that it is alive. It is for programs that have one server.
	Systemd bool
	// Logger is told of connections coming and going, at level Info; nil is silent. The connections log to it, too,
	// unless Config has a logger. The messages are RPyC's: "server started", "accepted", "welcome", "goodbye", and so
	// on.
	Logger *slog.Logger

	once    sync.Once // of what init makes
	workers *protocol.Workers
	budget  *protocol.Budget
	slots   chan struct{} // holds a token for each connection, if MaxConns is set
	names   sync.Once     // of aliases
	aliases []string
	// announced counts the goroutines that talk to the registry.
	announced sync.WaitGroup
	probes    probes
	checking  map[string]*check // those of Checks that run

	mu        sync.Mutex
	listeners map[net.Listener]struct{}
	waiting   map[net.Conn]struct{} // accepted and not authenticated yet
	opening   map[*opening]struct{} // authenticated, and not in conns yet
	conns     map[*protocol.Conn]struct{}
	handled   map[handled]struct{} // those of Handle
	forked    map[*worker]struct{}
	leaving   bool            // Shutdown has begun
	parting   context.Context // ended when leaving is set
	part      context.CancelFunc
	closed    bool
	closing   chan struct{}   // closed when closed is set
	grace     context.Context // ended when connections are not to be ended in order any more
	endGrace  context.CancelCauseFunc
	ended     chan struct{} // made when somebody waits; closed when the last connection has ended
}

// ServiceAliases are the names under which the service is registered (Service.get_service_aliases): Aliases, or those
// the service has.
func (s *Server) ServiceAliases() []string {
	s.names.Do(func() {
		s.aliases = s.Aliases
		if len(s.aliases) > 0 {
			return
		}
		service := s.service()
		if service == nil {
			service = protocol.VoidService{}
		}
		s.aliases = exposed.ServiceAliases(service)
	})
	return s.aliases
}

// ServiceName is the service's name in logs (Service.get_service_name): Name, or the first alias.
func (s *Server) ServiceName() string {
	if s.Name != "" {
		return s.Name
	}
	return s.ServiceAliases()[0]
}

// Clients returns the connections that are being served. Those that a [Forking] server serves in other processes are
// not among them.
func (s *Server) Clients() []*protocol.Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	cs := make([]*protocol.Conn, 0, len(s.conns))
	for c := range s.conns {
		cs = append(cs, c)
	}
	return cs
}

// init makes what the fields describe.
func (s *Server) init() {
	s.once.Do(func() {
		if s.Mode == Pool {
			s.workers = protocol.NewWorkers(s.Workers, s.Batch, s.WhenBusy == Refuse)
		}
		s.budget = protocol.NewBudget(s.Budget)
		if s.MaxConns > 0 {
			s.slots = make(chan struct{}, s.MaxConns)
		}
		s.mu.Lock()
		s.stopping()
		s.mu.Unlock()
	})
}

func (s *Server) service() any {
	if s.NewService != nil {
		return s.NewService()
	}
	return s.Service
}

// Addr is the address that the server listens on, of one of its listeners if there are several; nil before it serves
// and after it was closed. With port 0 it tells the port that the system has chosen.
func (s *Server) Addr() net.Addr {
	s.mu.Lock()
	defer s.mu.Unlock()
	for l := range s.listeners {
		return l.Addr()
	}
	return nil
}

// Done is closed when the server was closed and its last connection has ended.
func (s *Server) Done() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended == nil {
		s.ended = make(chan struct{})
		s.maybeEnded()
	}
	return s.ended
}

// config is the configuration of one connection. conn may be nil.
func (s *Server) config(conn net.Conn, credentials any) *protocol.Config {
	with := s.Config
	if s.ConfigFor != nil {
		if c := s.ConfigFor(conn, credentials); c != nil {
			with = c
		}
	}
	var cfg protocol.Config
	if with != nil {
		cfg = *with
	}
	if credentials != nil {
		cfg.Credentials = credentials
	}
	if cfg.Logger == nil {
		cfg.Logger = s.Logger
	}
	if cfg.FirstTimeout == 0 {
		cfg.FirstTimeout = defaultFirstTimeout
	}
	if cfg.Budget == nil {
		cfg.Budget = s.budget
	}
	if s.workers != nil {
		cfg.Workers = s.workers
	}
	return &cfg
}

func (s *Server) log() *slog.Logger {
	if s.Logger == nil {
		return silent
	}
	return s.Logger.With("service", s.ServiceName())
}

var silent = slog.New(slog.DiscardHandler)

// peerLog is the log for what is to be said about a connection. The peer's name is not made where nobody would see it.
func (s *Server) peerLog(c net.Conn) *slog.Logger {
	if s.Logger == nil {
		return silent
	}
	return s.log().With("peer", peerName(c))
}

func peerName(c interface{ RemoteAddr() net.Addr }) string {
	if a := c.RemoteAddr(); a != nil {
		if name := a.String(); name != "" && name != "@" {
			return name
		}
	}
	if l, ok := c.(interface{ LocalAddr() net.Addr }); ok && l.LocalAddr() != nil {
		return l.LocalAddr().Network()
	}
	return "unknown"
}

func sleep(ctx context.Context, d time.Duration, closing <-chan struct{}) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
	case <-closing:
	}
	return false
}

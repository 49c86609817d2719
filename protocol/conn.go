package protocol

import (
	"context"
	"io"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/frame"
	"github.com/gorpyc/gorpyc/protocol/transport"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// Who owns what, for those who change this package (doc.go has the words):
//
//   - The holder of the reader role (role.go, reader.go) owns the frame reader and the table of names. It resolves
//     references, applies DEL and matches answers to calls in the order of arrival. It runs none of the user's code,
//     never waits for the peer and holds the lock for moments only.
//   - A handler runs while its request has a turn (turns.go), on any goroutine: often on the one that has read the
//     request, after it has given the reader role up.
//   - The stream is written to by one sender at a time, which takes along what others send meanwhile (outbox.go).
//   - Everything else is in state, which is reachable only through locked (state.go). The end of each locked section
//     decides whether the connection is finished. Nothing under the lock calls the user's code or blocks.
//
// Locks are taken in the order state, outbox; most code holds one at a time.

// Conn is one conversation between two peers (rpyc.core.protocol.Connection). It is symmetric: either side may ask at
// any time, whichever connected. Requests of the peer are served from the moment the connection is made. A Conn is safe
// for concurrent use.
type Conn struct {
	cfg    Config
	number int64 // of a connection that was given no name
	stream io.ReadWriteCloser
	out    outbox
	trace  *tracer
	meta   *metadata // nil if Config.Metadata is off
	root   *netref.Object
	local  any
	made   atomic.Pointer[any] // by local, if that is a LazyRoot

	since    time.Time
	identity *Identity
	peerIsGo atomic.Bool

	base   context.Context // parent of the handlers' contexts, ended when the stream is gone
	cancel context.CancelCauseFunc
	done   chan struct{} // closed when everything has ended

	leaveParent func() bool // undoes that the end of the context given to NewConn ends the connection; nil if it cannot

	reader     role
	frames     *frame.Reader             // for the holder of the reader role, as are the next seven
	early      []frame.Buffer            // messages read before the dialect was known
	guessed    bool                      // the peer may turn out to speak another family, see settle
	admitted   bool                      // the peer's family is one of Config.Families
	echoes     bool                      // the peer names objects of ours as if they were its own
	oddForm    bool                      // a request in an unknown form has been logged
	names      wire.Names                // names that the peer has used
	quickAck   transport.QuickAcker      // the stream, if it can acknowledge at once what TCP has received; otherwise nil
	keeper     *keeper                   // nil unless the configuration asks for one
	crowded    atomic.Bool               // many requests are queued
	spareSpace atomic.Pointer[workspace] // of the last message, for the next; nil while it is in use

	connecting atomic.Bool  // OnConnect is running
	first      atomic.Int32 // who has said something first: nobody, peerFirst or weFirst
	dialect    atomic.Pointer[wire.Dialect]
	pickles    atomic.Int32  // what is known of whether the peer allows them, see requester.Pickles
	dialectSet chan struct{} // closed when dialect is set

	seq     atomic.Int64 // of the next request of ours
	rootSeq atomic.Int64 // of our request for the root
	calls   sync.Pool    // of *call

	mu     sync.Mutex
	state  state
	readOn sync.Cond // signalled when the reader may have reason to read on
}

var connNumber atomic.Int64

// NewConn makes a connection of a stream and begins to serve the peer. root is the object the peer gets as its root,
// nil for one that has nothing (VoidService). If root implements [Connecter], it is called before the first request is
// served, and its error, if any, returned.
//
// ctx is the parent of the handlers' contexts: its values are visible in them, its end ends them, and the connection
// with them.
//
// The stream is closed when the connection ends; Close must make a blocked Read and Write return. Streams that carry
// records, such as TLS, get each frame in a Write of its own.
func NewConn(ctx context.Context, stream io.ReadWriteCloser, root any, cfg *Config) (*Conn, error) {
	if err := CheckService(root); err != nil {
		return nil, err
	}
	c := newConn(ctx, stream, root, cfg)
	if err := c.open(nil); err != nil {
		return nil, err
	}
	return c, nil
}

// newConn makes a connection that does not read yet. The caller holds the reader role.
func newConn(ctx context.Context, stream io.ReadWriteCloser, root any, cfg *Config) *Conn {
	if root == nil {
		root = VoidService{}
	}
	exposed.MarkService(root)
	c := &Conn{cfg: cfg.clone(), stream: stream, local: root, done: make(chan struct{}), dialectSet: make(chan struct{}),
		since: time.Now()}
	c.identity = c.identify()
	if c.cfg.Name == "" {
		c.number = connNumber.Add(1)
	}
	c.base, c.cancel = context.WithCancelCause(exposed.WithBudget(ctx, c.cfg.containers()))
	c.readOn.L = &c.mu
	c.calls.New = newCall
	c.frames = frame.NewReader(stream, c.cfg.frameLimits())
	if c.keeperPeriod() > 0 {
		c.keeper = new(keeper)
		c.frames.Observe()
	}
	c.out.init(c)
	c.quickAck, _ = stream.(transport.QuickAcker)
	if c.cfg.Dialect != nil {
		c.setDialect(c.cfg.Dialect)
	}
	if c.cfg.Trace != nil {
		c.trace = &tracer{w: c.cfg.Trace, p: wire.Dumper{Codecs: c.cfg.Codecs}}
	}
	if c.meta = newMetadata(c.cfg.Metadata); c.meta != nil {
		c.state.served = make(map[int64]*served)
	}
	c.root = netref.NewRoot((*requester)(c))
	c.state.init(c.cfg.Concurrency)
	pulsed := havePulse && overDescriptor(stream)
	c.reader.alarm.init(pulsed, (*watchAlarm)(c))
	c.state.expiry.alarm.init(pulsed, (*expiryAlarm)(c))
	c.reader.state.Store(taken)
	c.reader.noteCalm()
	if ctx.Done() != nil {
		c.leaveParent = context.AfterFunc(ctx, func() { c.die(context.Cause(ctx)) })
	}
	return c
}

// abort ends a connection that has not begun to read: its root object has not been told of it, or does not want it.
func (c *Conn) abort(cause error) {
	l := c.lock()
	l.unopened = true
	l.unlock()
	c.die(cause)
	c.reader.state.Store(over)
	c.stopReading()
}

// begin is the first goroutine of a connection.
func (c *Conn) begin() {
	c.startKeeper()
	came := c.awaitFirst()
	if c.dialect.Load() != nil {
		if c.cfg.FirstTimeout > 0 && len(c.early) == 0 {
			_, _ = c.frames.Peek() // what it returns comes again with the first read
		}
		came()
	} else {
		err := c.checkGreeting()
		came()
		if err == nil {
			err = c.peerBegins()
		}
		if err != nil {
			c.die(err)
			c.reader.state.Store(over)
			c.stopReading()
			return
		}
	}
	c.serve(nil)
}

// Root is the peer's root object, its service (conn.root). The Dial functions have asked the peer for it; on a
// connection that was accepted, the handle asks when it is first used.
func (c *Conn) Root() *netref.Object { return c.root }

// Local is our own root object, as given to [NewConn].
func (c *Conn) Local() any { return c.local }

// Name is the connection's name in logs.
func (c *Conn) Name() string {
	if c.number > 0 {
		return "conn" + strconv.FormatInt(c.number, 10)
	}
	return c.cfg.Name
}

// Dialect is the protocol family in use; nil before the peer's first message if it was not set.
func (c *Conn) Dialect() *wire.Dialect {
	if d := c.dialect.Load(); d != nil {
		return d.Shown()
	}
	return nil
}

// Stream is the stream the connection was made of. It is not to be read or written.
func (c *Conn) Stream() io.ReadWriteCloser { return c.stream }

// RemoteAddr is the peer's network address, nil if the stream has none.
func (c *Conn) RemoteAddr() net.Addr {
	if a, ok := c.stream.(interface{ RemoteAddr() net.Addr }); ok {
		return a.RemoteAddr()
	}
	return nil
}

// log is the logger for what is to be said about the connection.
func (c *Conn) log() *slog.Logger {
	as := append([]slog.Attr{slog.String("conn", c.Name())}, c.Peer().LogAttrs()...)
	return slog.New(c.cfg.Logger.Handler().WithAttrs(as))
}

// Done is closed when the connection has ended and all that served it has returned: no handler runs any more, and
// OnDisconnect has returned.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Err is nil while the connection stands, then a *[ClosedError] that says why it ended.
func (c *Conn) Err() error {
	l := c.lock()
	defer l.unlock()
	if l.broken {
		return &ClosedError{Cause: l.cause}
	}
	return nil
}

// Ping asks the peer for an echo and returns how long it took (Connection.ping). ctx without a deadline means RPyC's
// 3 s.
func (c *Conn) Ping(ctx context.Context) (time.Duration, error) {
	ctx, cancel := bounded(ctx, 3*time.Second)
	defer cancel()
	const data = "abcdefghijklmnopqrstuvwxyz"
	start := time.Now()
	var echo string
	if err := c.Request(ctx, &echo, wire.HandlePing, data); err != nil {
		return 0, err
	}
	if echo != data {
		return 0, &PingError{}
	}
	return time.Since(start), nil
}

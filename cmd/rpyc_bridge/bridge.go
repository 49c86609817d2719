package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
	"github.com/gorpyc/gorpyc/registry"
	"github.com/gorpyc/gorpyc/servers"
	"github.com/gorpyc/gorpyc/servers/access"
)

// bridge takes clients at one address and has a connection to the service for each.
type bridge struct {
	listen      address
	to          []address
	dialect     *wire.Dialect // of the service; nil finds out
	bindThreads bool
	tls, toTLS  *tls.Config
	register    bool
	names       []string
	registrar   registry.Registrar // knows services, and is told of this bridge if register is set
	allow       []string
	readOnly    bool
	allowPickle bool
	denyClassic bool
	metadata    bool
	maxConns    int
	idleTimeout time.Duration
	secret      servers.Authenticator // asks clients for a token or a key; nil asks for nothing
	policy      *access.Enforcer      // nil if there is none
	policyFile  string
	audit       string // which requests are logged: "", "denied" or "all"

	log    *slog.Logger
	server servers.Server
	next   atomic.Uint64 // which of to is tried first
	// Counters, for /metrics.
	clients, failed, refused atomic.Int64

	mu     sync.Mutex
	relays map[*protocol.Conn]*relay // by the client's connection
}

// prepare makes the server.
func (b *bridge) prepare(log *slog.Logger) {
	b.log = log.With("listen", b.listen.String())
	b.relays = map[*protocol.Conn]*relay{}
	b.server = servers.Server{
		Service: protocol.LazyRoot(func(ctx context.Context) (any, error) {
			return b.relay(protocol.FromContext(ctx)).service(ctx)
		}),
		Aliases: b.names, Name: "bridge", Logger: log, MaxConns: b.maxConns,
		Config: b.clientConfig(),
		OnServe: func(c *protocol.Conn) error { // a service may have something to say before it is asked
			r := b.relay(c)
			go func() { _, _ = r.connect() }()
			return nil
		},
		OnGone: b.forget,
	}
	var checks []servers.Authenticator
	if b.tls != nil {
		checks = append(checks, servers.TLS(b.tls))
	}
	if b.secret != nil {
		checks = append(checks, b.secret)
	}
	if len(checks) > 0 {
		b.server.Authenticator = servers.Chain(checks...)
	}
}

// clientConfig is that of the clients' connections.
func (b *bridge) clientConfig() *protocol.Config {
	cfg := b.config(b.check)
	cfg.IdleTimeout = b.idleTimeout
	if b.policy != nil {
		cfg = b.policy.Config(cfg)
	}
	if b.audit != "" {
		audit := access.Audit{Logger: b.log, DeniedOnly: b.audit == "denied"}
		cfg.Hooks = protocol.JoinHooks(cfg.Hooks, audit.Hooks())
	}
	return cfg
}

// config is that of a connection: whatever the one end has is open to the other, as far as the end's own rules allow
// it, and check. How long a call may take is for the ends to say.
func (b *bridge) config(check func(context.Context, exposed.Use, any, string) error) *protocol.Config {
	cfg := &protocol.Config{
		Access: *exposed.Unrestricted(), AllowPickle: b.allowPickle, Timeout: -1, SendKeyboardInterrupt: true,
		Logger: b.log,
	}
	cfg.Access.Guard = check
	if b.metadata {
		cfg.Metadata = protocol.MetadataNegotiated
		cfg.Hooks.Serve = []protocol.ServeHook{passOn{}}
	}
	return cfg
}

// passOn has all metadata of a request go on to the other end. By itself a handler's calls take over the trace, the
// deadline and the cancellation only.
type passOn struct{}

// ServeBegin implements protocol.ServeHook.
func (passOn) ServeBegin(ctx context.Context, _ *protocol.RequestInfo) context.Context {
	m, ok := protocol.MetadataFrom(ctx)
	if !ok {
		return ctx
	}
	return protocol.WithMetadata(ctx, m)
}

// ServeEnd implements protocol.ServeHook.
func (passOn) ServeEnd(context.Context, *protocol.RequestInfo) {}

// relay is that of a client's connection. The first request of the client may come before OnServe, and its last one may
// still ask here when forget has been called: then the relay is over, and nobody keeps it.
func (b *bridge) relay(c *protocol.Conn) *relay {
	b.mu.Lock()
	defer b.mu.Unlock()
	if r := b.relays[c]; r != nil {
		return r
	}
	r := &relay{b: b, client: c}
	select {
	case <-c.Done():
		r.over = true
	default:
		b.relays[c] = r
		b.clients.Add(1)
	}
	return r
}

// forget ends the relay of a client that has gone.
func (b *bridge) forget(c *protocol.Conn) {
	b.mu.Lock()
	r := b.relays[c]
	delete(b.relays, c)
	b.mu.Unlock()
	if r != nil {
		r.end()
	}
}

// dial connects to one of the services. root is what it gets as its client's.
func (b *bridge) dial(ctx context.Context, root any) (*protocol.Conn, error) {
	cfg := b.config(b.checkBack)
	cfg.Dialect, cfg.BindThreads = b.dialect, b.bindThreads
	d := protocol.Dialer{Root: root, Config: cfg}
	d.TLS = b.toTLS
	addrs, err := b.addresses(ctx)
	if err != nil {
		return nil, err
	}
	first := int((b.next.Add(1) - 1) % uint64(len(addrs)))
	var errs []error
	for i := range addrs {
		a := addrs[(first+i)%len(addrs)]
		c, err := d.Dial(ctx, a.network, a.addr)
		if err == nil {
			return c, nil
		}
		errs = append(errs, fmt.Errorf("%v: %w", a, err))
	}
	return nil, errors.Join(errs...)
}

// addresses are those of the services, with the names looked up.
func (b *bridge) addresses(ctx context.Context) ([]address, error) {
	var all []address
	var errs []error
	for _, a := range b.to {
		if a.network != byName {
			all = append(all, a)
			continue
		}
		found, err := protocol.Discover(ctx, a.addr, &protocol.Discovery{Registrar: b.registrar})
		if err != nil {
			errs = append(errs, err)
		}
		for _, ep := range found {
			all = append(all, address{"tcp", net.JoinHostPort(ep.Host, fmt.Sprint(ep.Port))})
		}
	}
	if len(all) == 0 {
		return nil, errors.Join(errs...)
	}
	return all, nil
}

// relay is one client's connection and the one to the service that belongs to it.
type relay struct {
	b      *bridge
	client *protocol.Conn

	mu   sync.Mutex     // held while connecting
	up   *protocol.Conn // nil before
	over bool           // the client has gone
}

// service is the root object that the client gets.
func (r *relay) service(ctx context.Context) (any, error) {
	up, err := r.connect()
	if err != nil {
		return nil, vinegar.ConnectionError.New("rpyc_bridge: the service cannot be reached: " + err.Error())
	}
	if r.b.denyClassic && isClassic(ctx, up.Root()) {
		r.b.refused.Add(1)
		return nil, vinegar.PermissionError.New("rpyc_bridge: services in classic mode are not passed on")
	}
	return up.Root(), nil
}

// clientRoot is the root object that the service gets of its client.
func (r *relay) clientRoot(ctx context.Context) (any, error) {
	root := r.client.Root()
	if r.b.denyClassic && isClassic(ctx, root) {
		r.b.refused.Add(1)
		return nil, vinegar.PermissionError.New("rpyc_bridge: clients in classic mode are not passed on")
	}
	return root, nil
}

// isClassic tells by a method that every SlaveService has.
func isClassic(ctx context.Context, root *netref.Object) bool {
	v, err := root.Get(ctx, "getmodule")
	if o, ok := v.(*netref.Object); ok {
		o.Release()
	}
	return err == nil
}

// connect connects to the service, if that has not been done.
func (r *relay) connect() (*protocol.Conn, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.over:
		return nil, protocol.ErrClosed
	case r.up != nil:
		return r.up, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), dialTimeout)
	defer cancel()
	r.client.AfterDone(cancel) // nobody waits for the service any more
	up, err := r.b.dial(ctx, protocol.LazyRoot(r.clientRoot))
	if err != nil {
		r.b.failed.Add(1)
		r.b.log.Warn("service not reached", "client", r.client.Name(), "error", err)
		return nil, err
	}
	r.up = up
	up.AfterDone(func() { r.serviceGone(up) })
	r.b.log.Info("service reached", "client", r.client.Name(), "service", fmt.Sprint(up.RemoteAddr()),
		"family", up.Dialect().String())
	return up, nil
}

// dialTimeout bounds all attempts to reach the service for a client.
const dialTimeout = 20 * time.Second

// lastAnswers bounds what may still be sent to a client whose service has gone: the failures of its calls.
const lastAnswers = time.Second

// serviceGone ends the client's connection, as the service would have by ending itself.
func (r *relay) serviceGone(up *protocol.Conn) {
	r.b.log.Info("service gone", "client", r.client.Name(), "reason", up.Err())
	ctx, cancel := context.WithTimeout(context.Background(), lastAnswers)
	defer cancel()
	_ = r.client.Shutdown(ctx)
}

// end closes the connection to the service, once the client has gone.
func (r *relay) end() {
	r.mu.Lock()
	r.over = true
	up := r.up
	r.mu.Unlock()
	if up != nil {
		_ = up.Close()
	}
}

// heldByService is how many of the client's objects the service holds.
func (r *relay) heldByService() int {
	if !r.mu.TryLock() { // it is being connected to
		return 0
	}
	defer r.mu.Unlock()
	if r.up == nil {
		return 0
	}
	return r.up.Exported()
}

package main

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strconv"
	"sync"

	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/exposed"
	"github.com/gorpyc/gorpyc/protocol/transport"
	"github.com/gorpyc/gorpyc/servers"
)

// server is one of the suite's servers. Its configuration can be changed for the connections to come, so every
// configuration has a servers.Server of its own and all of them take connections from one listener.
type server struct {
	listener net.Listener
	mode     servers.Mode
	auth     servers.Authenticator
	service  func() any
	enforce  func(*protocol.Config) // what a service demands of its connections

	mu      sync.Mutex
	current chan net.Conn
	all     []*servers.Server
	done    bool
	cancel  context.CancelFunc
	ctx     context.Context
}

// modes are the ways of serving by the names the tests' side has for them.
var modes = map[string]servers.Mode{"threaded": servers.Threaded, "pool": servers.Pool, "oneshot": servers.OneShot}

// serve opens a server.
func (c *control) serve(r *request) (any, error) {
	newService := services[r.Service]
	if newService == nil {
		return nil, fmt.Errorf("there is no Go form of the service %q", r.Service)
	}
	mode, ok := modes[r.Kind]
	if !ok {
		return nil, fmt.Errorf("there is no kind of server %q", r.Kind)
	}
	s := &server{mode: mode, service: func() any { return newService(c) }}
	answer := map[string]any{}
	if r.Instance != "" {
		v := c.instance(r.Instance)
		if v == nil {
			v = newService(c)
			c.mu.Lock()
			c.instances[r.Instance] = v
			c.mu.Unlock()
		}
		s.service = func() any { return v }
		if st, ok := v.(stateful); ok {
			names := []string{}
			for n := range st.state() {
				names = append(names, n)
			}
			slices.Sort(names)
			answer["state"] = names
		}
	}
	if e, ok := newService(c).(interface{ enforce(*protocol.Config) }); ok {
		s.enforce = e.enforce
	}
	network, addr := "tcp", net.JoinHostPort(r.Host, strconv.Itoa(r.Port))
	if r.Path != "" {
		network, addr = "unix", r.Path
	}
	if r.TLS != nil {
		cfg, err := r.TLS.config()
		if err != nil {
			return nil, err
		}
		s.auth = servers.TLS(cfg)
	}
	s.ctx, s.cancel = context.WithCancel(c.ctx)
	l, err := transport.Listen(s.ctx, network, addr)
	if err != nil {
		return nil, err
	}
	s.listener = l
	if err := s.configure(r.Config); err != nil {
		return nil, err
	}
	go s.accept()
	c.mu.Lock()
	defer c.mu.Unlock()
	n := len(c.servers) + 1
	c.servers[n] = s
	answer["server"] = n
	if a, ok := l.Addr().(*net.TCPAddr); ok {
		answer["port"] = a.Port
	}
	return answer, nil
}

// accept hands connections to the server of the latest configuration.
func (s *server) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		oneShot := s.mode == servers.OneShot
		if oneShot { // the next ones are refused while this one is served
			_ = s.listener.Close()
		}
		s.mu.Lock()
		to := s.current
		s.mu.Unlock()
		select {
		case to <- conn:
		case <-s.ctx.Done():
			_ = conn.Close()
		}
		if oneShot {
			return
		}
	}
}

// configure starts a servers.Server for connections with a new configuration.
func (s *server) configure(python map[string]any) error {
	cfg := configOf(python)
	if s.enforce != nil {
		s.enforce(cfg)
	}
	srv := &servers.Server{NewService: s.service, Config: cfg, Mode: s.mode, Authenticator: s.auth}
	conns := make(chan net.Conn)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.current, s.all = conns, append(s.all, srv)
	go func() { // ends with s.ctx, or with the only connection
		_ = srv.Serve(s.ctx, &handed{Listener: s.listener, conns: conns, ctx: s.ctx})
		if s.mode == servers.OneShot {
			s.end()
		}
	}()
	return nil
}

// handed is a listener that is handed its connections.
type handed struct {
	net.Listener
	conns chan net.Conn
	ctx   context.Context
}

func (h *handed) Accept() (net.Conn, error) {
	select {
	case c := <-h.conns:
		return c, nil
	case <-h.ctx.Done():
		return nil, net.ErrClosed
	}
}

func (h *handed) Close() error { return nil }

func (s *server) clients() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, srv := range s.all {
		n += len(srv.Clients())
	}
	return n
}

// end notes that the only connection of the server has ended.
func (s *server) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.done = true
}

// closed reports whether the server takes no more connections: for one of a single connection, that it has ended.
func (s *server) closed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.done
}

func (s *server) close() {
	s.mu.Lock()
	s.done = true
	all := s.all
	s.mu.Unlock()
	_ = s.listener.Close()
	s.cancel()
	for _, srv := range all {
		_ = srv.Close()
	}
}

// configOf is a protocol_config of RPyC's as ours. What is left out there is RPyC's default here as well.
func configOf(python map[string]any) *protocol.Config {
	on := func(name string, byDefault bool) bool {
		if v, ok := python[name].(bool); ok {
			return v
		}
		return byDefault
	}
	prefix, given := python["exposed_prefix"].(string)
	return &protocol.Config{
		Access: exposed.Policy{
			DenyGet: !on("allow_getattr", true), AllowSet: on("allow_setattr", false), AllowDel: on("allow_delattr", false),
			AllowAll: on("allow_all_attrs", false), AllowPublic: on("allow_public_attrs", false),
			DenySafe: !on("allow_safe_attrs", true), DenyExposed: !on("allow_exposed_attrs", true),
			Prefix: prefix, NoPrefix: given && prefix == "",
		},
		HideTraceback: !on("include_local_traceback", true),
		HideVersion:   !on("include_local_version", true),
	}
}

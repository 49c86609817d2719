package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/gorpyc/gorpyc/cmd/internal/program"
	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/transport"
	"github.com/gorpyc/gorpyc/registry"
	"github.com/gorpyc/gorpyc/servers"
	"github.com/gorpyc/gorpyc/servers/access"
)

// serve runs the bridges until ctx ends.
func (s *settings) serve(ctx context.Context, stdout io.Writer) error {
	out, err := program.OpenLog(s.logFile)
	if err != nil {
		return err
	}
	defer out.Close()
	log := s.log.Logger(out)
	hangup, reload := make(chan os.Signal, 1), make(chan os.Signal, 1)
	for _, ch := range []chan os.Signal{hangup, reload} {
		signal.Notify(ch, syscall.SIGHUP)
		defer signal.Stop(ch)
	}

	var sockets []net.Listener
	defer func() {
		for _, l := range sockets {
			_ = l.Close()
		}
	}()
	for _, b := range s.bridges {
		b.prepare(log)
		l, err := transport.Listen(ctx, b.listen.network, b.listen.addr)
		if err != nil {
			return err
		}
		sockets = append(sockets, l)
	}
	ended := make(chan error, len(sockets)+1)
	web, err := s.serveHTTP(ctx, ended)
	if err != nil {
		return err
	}
	defer web.Close()
	for i, b := range s.bridges {
		b.announce(ctx)
		go func() {
			if err := b.server.Serve(context.Background(), sockets[i]); !errors.Is(err, servers.ErrServerClosed) {
				ended <- err
			}
		}()
	}
	if s.ready {
		for _, l := range sockets {
			ready(stdout, l.Addr())
		}
		if web.addr != nil {
			ready(stdout, web.addr)
		}
	}
	go s.reloadPolicies(ctx, reload)
	err = program.Wait(ctx, log, out, hangup, ended)
	return errors.Join(err, s.shutdown())
}

// reloadPolicies reads the policies again at each signal, until ctx ends. One that cannot be used changes nothing.
func (s *settings) reloadPolicies(ctx context.Context, signals <-chan os.Signal) {
	for {
		select {
		case <-signals:
		case <-ctx.Done():
			return
		}
		for _, b := range s.bridges {
			if b.policy == nil {
				continue
			}
			policy, err := access.Load(b.policyFile)
			if err == nil {
				err = b.policy.Replace(policy)
			}
			if err != nil {
				b.log.Error("policy not read again", "error", err)
			} else {
				b.log.Info("policy read again", "file", b.policyFile)
			}
		}
	}
}

func ready(stdout io.Writer, a net.Addr) {
	host, port, err := net.SplitHostPort(a.String())
	if err != nil {
		host, port = a.String(), "0"
	}
	fmt.Fprintln(stdout, "READY", host, port)
}

// shutdown ends the bridges in order, for as long as --drain allows.
func (s *settings) shutdown() error {
	ctx, cancel := context.WithTimeout(context.Background(), s.drain)
	defer cancel()
	errs := make([]error, len(s.bridges))
	var all sync.WaitGroup
	for i, b := range s.bridges {
		all.Go(func() {
			if errs[i] = b.server.Shutdown(ctx); errs[i] != nil {
				errs[i] = fmt.Errorf("clients of %v had to be cut off: %w", b.listen, errors.Join(errs[i], b.server.Close()))
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// announce has the server tell the registry, under the names that the service has unless others were given.
func (b *bridge) announce(ctx context.Context) {
	if !b.register {
		return
	}
	b.server.Registrar = b.registrar
	if len(b.names) > 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	names, err := b.serviceNames(ctx)
	if err != nil {
		b.log.Error("not registered: the service does not tell its names; give them with --name", "error", err)
		b.server.Registrar = nil
		return
	}
	b.server.Aliases = names
}

func (b *bridge) serviceNames(ctx context.Context) ([]string, error) {
	c, err := b.dial(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	names, err := netref.Call[[]string](ctx, c.Root(), "get_service_aliases")
	if err == nil && len(names) == 0 {
		err = registry.ErrNoAnswer
	}
	return names, err
}

// website answers /healthz and /metrics.
type website struct {
	http.Server
	addr net.Addr
}

func (s *settings) serveHTTP(ctx context.Context, ended chan<- error) (*website, error) {
	w := &website{}
	if s.http == "" {
		return w, nil
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", s.http)
	if err != nil {
		return nil, err
	}
	w.addr = l.Addr()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", s.healthz)
	mux.HandleFunc("GET /metrics", s.metrics)
	w.Handler, w.ReadHeaderTimeout, w.WriteTimeout, w.MaxHeaderBytes = mux, 5*time.Second, 30*time.Second, 1<<14
	go func() {
		if err := w.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			ended <- err
		}
	}()
	return w, nil
}

// healthz tells whether each bridge's service can be reached at all: 200 if so, 503 if not.
func (s *settings) healthz(w http.ResponseWriter, r *http.Request) {
	type state struct {
		Listen  string `json:"listen"`
		Clients int    `json:"clients"`
		Error   string `json:"error,omitempty"`
	}
	status := http.StatusOK
	states := make([]state, len(s.bridges))
	for i, b := range s.bridges {
		states[i] = state{Listen: b.listen.String(), Clients: len(b.server.Clients())}
		if err := b.reach(r.Context()); err != nil {
			status, states[i].Error = http.StatusServiceUnavailable, err.Error()
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(states)
}

// reach opens and closes a connection to one of the services, in which nothing is said.
func (b *bridge) reach(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	addrs, err := b.addresses(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, a := range addrs {
		c, err := new(net.Dialer).DialContext(ctx, a.network, a.addr)
		if err == nil {
			return c.Close()
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// metrics writes Prometheus' text format.
func (s *settings) metrics(w http.ResponseWriter, _ *http.Request) {
	var text strings.Builder
	family := func(name, kind, help string, value func(*bridge) int64) {
		fmt.Fprintf(&text, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
		for _, b := range s.bridges {
			fmt.Fprintf(&text, "%s{listen=%q} %d\n", name, b.listen.String(), value(b))
		}
	}
	family("rpyc_bridge_clients", "gauge", "Clients that are connected.", func(b *bridge) int64 {
		return int64(len(b.server.Clients()))
	})
	family("rpyc_bridge_clients_total", "counter", "Clients that have connected.", func(b *bridge) int64 {
		return b.clients.Load()
	})
	family("rpyc_bridge_service_failures_total", "counter", "Times that the service could not be reached.",
		func(b *bridge) int64 { return b.failed.Load() })
	family("rpyc_bridge_refused_total", "counter", "Requests that the policy has refused.", func(b *bridge) int64 {
		return b.refused.Load()
	})
	objects := func(count func(*relay) int) func(*bridge) int64 {
		return func(b *bridge) (n int64) {
			b.mu.Lock()
			defer b.mu.Unlock()
			for _, r := range b.relays {
				n += int64(count(r))
			}
			return n
		}
	}
	family("rpyc_bridge_service_objects", "gauge", "Objects of services that clients hold.",
		objects(func(r *relay) int { return r.client.Exported() }))
	family("rpyc_bridge_client_objects", "gauge", "Objects of clients that services hold.",
		objects((*relay).heldByService))
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_, _ = io.WriteString(w, text.String())
}

package registry

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"time"

	"github.com/gorpyc/gorpyc/brine"
)

// TCPClient asks one registry over TCP (rpyc.utils.registry.TCPRegistryClient), which works across routers. Fields must
// not be changed while it is in use.
type TCPClient struct {
	// Addr is the registry's address; without a port it is [Port], "" is the own host.
	Addr string
	// Network is "tcp", "tcp4" or "tcp6", which says what a host name is to be resolved to; "" means "tcp".
	Network string
	// Interface is the address or name of the network interface to connect from; "" leaves that to the server's listening
	// address, when registering, and to the routing table.
	Interface string
	// Timeout bounds the whole exchange; 0 means 2 s.
	Timeout time.Duration
	// Python2 makes requests that registries running on Python 2 understand.
	Python2 bool
	// Secret, if not empty, signs requests, for a registry that has the same [Server.Secret]; other registries ignore
	// signatures. Discover and List then accept signed answers only, so that nobody else can answer in the registry's
	// place. The clocks of both hosts may differ by a minute.
	Secret []byte
	// Logger is told what upstream's registrar logs; nil is silent.
	Logger *slog.Logger
}

var _ Registrar = (*TCPClient)(nil)

// maxAnswer bounds an answer over TCP in bytes.
const maxAnswer = 1 << 20

// errConnect says that the registry was not reached at all.
var errConnect = errors.New("registry")

// Discover implements [Registrar].
func (c *TCPClient) Discover(ctx context.Context, name string) ([]Endpoint, error) {
	var found []Endpoint
	err := c.exchange(ctx, discoverCall(name, &found), Endpoint{})
	return found, err
}

// List implements [Registrar].
func (c *TCPClient) List(ctx context.Context, host string) ([]string, error) {
	var names []string
	err := c.exchange(ctx, listCall(host, &names), Endpoint{})
	if err == nil && names == nil {
		err = ErrListingDisabled
	}
	return names, err
}

// Register implements [Registrar].
func (c *TCPClient) Register(ctx context.Context, names []string, ep Endpoint) error {
	log, addr := logger(c.Logger), c.addr()
	log.Info("registering on " + addr)
	err := c.exchange(ctx, registerCall(names, ep), ep)
	switch {
	case err == nil:
		log.Info("registry " + addr + " acknowledged")
	case errors.Is(err, errConnect):
		log.Warn("could not connect to registry", "error", err)
	case err == ErrNoAnswer: //nolint:errorlint // what it wraps otherwise is a corrupt answer
		log.Warn("registry did not acknowledge")
	default:
		log.Warn("received corrupted data from registry", "error", err)
	}
	return err
}

// Unregister implements [Registrar]. It waits for the answer.
func (c *TCPClient) Unregister(ctx context.Context, ep Endpoint) error {
	log := logger(c.Logger)
	log.Info("unregistering from " + c.addr())
	err := c.exchange(ctx, unregisterCall(ep), ep)
	if errors.Is(err, errConnect) {
		log.Warn("could not connect to registry", "error", err)
	}
	return err
}

func (c *TCPClient) addr() string { return withPort(c.Addr, "localhost") }

func (c *TCPClient) exchange(ctx context.Context, call *call, ep Endpoint) error {
	timeout := c.Timeout
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	conn, err := c.dial(ctx, ep)
	if err != nil {
		return fmt.Errorf("%w: %w", errConnect, err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	request, check := call.request(c.Python2, c.Secret)
	if _, err := conn.Write(request); err != nil {
		return fmt.Errorf("%w: %w", errConnect, err)
	}
	var data []byte
	buf := make([]byte, 4096)
	for {
		n, err := conn.Read(buf)
		data = append(data, buf[:n]...)
		cur := brine.NewCursor(data)
		if cur.Skip() == nil && (len(c.Secret) == 0 || cur.Skip() == nil || err != nil) { // a signature comes with it, or not
			break
		}
		switch {
		case ctx.Err() != nil && !errors.Is(context.Cause(ctx), context.DeadlineExceeded):
			return context.Cause(ctx)
		case errors.Is(err, os.ErrDeadlineExceeded):
			return ErrNoAnswer
		case err == io.EOF || err == nil && len(data) > maxAnswer:
			return fmt.Errorf("%w: %d bytes that are no answer", ErrNoAnswer, len(data))
		case err != nil:
			return fmt.Errorf("%w: %w", ErrNoAnswer, err)
		}
	}
	if err := check(data); err != nil {
		return fmt.Errorf("%w: it is not usable: %w", ErrNoAnswer, err)
	}
	return nil
}

// dial connects, from the interface chosen if there is one.
func (c *TCPClient) dial(ctx context.Context, ep Endpoint) (net.Conn, error) {
	network := c.Network
	if network == "" {
		network = "tcp"
	}
	var errs []error
	for _, n := range families(network, c.Interface != "" || ep.Host != "") {
		ip, err := localAddr(ep, c.Interface, n != "tcp6")
		if err != nil {
			errs = append(errs, err)
			continue
		}
		d := net.Dialer{}
		if ip != nil {
			d.LocalAddr = &net.TCPAddr{IP: ip}
		}
		conn, err := d.DialContext(ctx, n, c.addr())
		if err == nil {
			return conn, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

// families returns the networks to try: where a local address is chosen, each family has its own.
func families(network string, chosen bool) []string {
	if network == "tcp" && chosen {
		return []string{"tcp4", "tcp6"}
	}
	return []string{network}
}

package registry

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"strconv"
	"time"

	"github.com/gorpyc/gorpyc/brine"
)

// Registrar is a client of a registry (rpyc.utils.registry.RegistryClient): [UDPClient], [TCPClient] and [Multi]. The
// methods are bounded by the registrar's timeout as well as by ctx, and safe for concurrent use.
type Registrar interface {
	// Discover asks who offers a service, under any of its names in upper or lower case. The endpoint that was renewed
	// least recently comes first. Nobody is no error; [ErrNoAnswer] says that no registry has answered.
	Discover(ctx context.Context, name string) ([]Endpoint, error)
	// List asks for the names of all services, or of those that a host offers if host is not "". If the registry does not
	// allow it the error is [ErrListingDisabled].
	List(ctx context.Context, host string) ([]string, error)
	// Register tells that a server offers services under these names, and waits for the answer. The host of ep is the
	// local address to send from, which is the one that the registry notes; "" leaves it to the routing table.
	Register(ctx context.Context, names []string, ep Endpoint) error
	// Unregister tells that a server no longer offers anything. ep must be what it was registered with. Over UDP nothing
	// says whether the registry has heard of it.
	Unregister(ctx context.Context, ep Endpoint) error
}

var (
	// ErrNoAnswer says that no registry has answered in time.
	ErrNoAnswer = errors.New("registry: no answer")
	// ErrListingDisabled says that the registry does not tell which services there are.
	ErrListingDisabled = errors.New("registry: listing is disabled")
)

// defaultTimeout is what RPyC's registrars wait for an answer.
const defaultTimeout = 2 * time.Second

// call is one request and what its answer has to be.
type call struct {
	command command
	n       int
	args    func(form, []byte) []byte
	// accept takes an answer, or says what is wrong with it.
	accept func(v any) error
}

func (c *call) encode(python2 bool) []byte {
	f := form(python2)
	return f.appendRequest(nil, c.command, c.n, func(b []byte) []byte { return c.args(f, b) })
}

// request returns the request, signed if there is a secret, and what checks an answer to it and takes it.
func (c *call) request(python2 bool, secret []byte) (data []byte, check func(answer []byte) error) {
	data = c.encode(python2)
	accept := func(answer []byte) error {
		v, err := brine.Unmarshal(answer)
		if err == nil {
			err = c.accept(v)
		}
		return err
	}
	if len(secret) == 0 {
		return data, accept
	}
	at := requestClock.next()
	data, sum := sign(secret, at, nil, data)
	return data, func(answer []byte) error {
		answer, sig := signed(answer)
		known := sig.at == at && sig.valid(secret, sum, answer)
		if !known && (sig.sum != nil || c.command == query || c.command == listing) {
			return errors.New("registry: the answer is not signed with the secret")
		}
		return accept(answer)
	}
}

func discoverCall(name string, found *[]Endpoint) *call {
	return &call{
		command: query, n: 1,
		args:   func(f form, b []byte) []byte { return f.append(b, name) },
		accept: func(v any) (err error) { *found, err = parseEndpoints(v); return err },
	}
}

func listCall(host string, names *[]string) *call {
	return &call{
		command: listing, n: 1,
		args: func(f form, b []byte) []byte {
			b = brine.AppendTupleHeader(b, 1)
			if host == "" {
				return brine.AppendNone(b)
			}
			return f.append(b, host)
		},
		accept: func(v any) (err error) { *names, err = parseNames(v); return err },
	}
}

func registerCall(names []string, ep Endpoint) *call {
	return &call{
		command: register, n: 2,
		args: func(f form, b []byte) []byte {
			b = brine.AppendTupleHeader(b, len(names))
			for _, name := range names {
				b = f.append(b, name)
			}
			return f.appendPort(b, ep)
		},
		accept: acceptOK,
	}
}

func unregisterCall(ep Endpoint) *call {
	return &call{
		command: unregister, n: 1,
		args:   func(f form, b []byte) []byte { return f.appendPort(b, ep) },
		accept: acceptOK,
	}
}

func acceptOK(v any) error {
	if text, ok := bytesForm.text(v); !ok || text != "OK" {
		return errors.New("registry: the answer is not OK")
	}
	return nil
}

// withPort completes an address that may lack its port, or everything.
func withPort(addr, host string) string {
	if addr == "" {
		return net.JoinHostPort(host, strconv.Itoa(Port))
	}
	if _, _, err := net.SplitHostPort(addr); err == nil {
		return addr
	}
	if len(addr) > 1 && addr[0] == '[' && addr[len(addr)-1] == ']' {
		addr = addr[1 : len(addr)-1]
	}
	return net.JoinHostPort(addr, strconv.Itoa(Port))
}

// localAddr returns the address of this host to send from: ep's host or the interface chosen, which may be an address
// or an interface's name. nil leaves it to the routing table.
func localAddr(ep Endpoint, chosen string, ipv4 bool) (net.IP, error) {
	fits := func(ip net.IP) bool { return (ip.To4() != nil) == ipv4 && !ip.IsUnspecified() }
	if chosen == "" {
		// Where the server listens is no use if the registry is reached over the other family.
		if ip := net.ParseIP(ep.Host); ip != nil && fits(ip) {
			return ip, nil
		}
		return nil, nil
	}
	if ip := net.ParseIP(chosen); ip != nil {
		return ip, nil
	}
	i, err := net.InterfaceByName(chosen)
	if err != nil {
		return nil, err
	}
	addrs, err := i.Addrs()
	if err != nil {
		return nil, err
	}
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && fits(n.IP) {
			return n.IP, nil
		}
	}
	return nil, &net.AddrError{Err: "no address of the family wanted", Addr: chosen}
}

func logger(l *slog.Logger) *slog.Logger {
	if l == nil {
		return slog.New(slog.DiscardHandler)
	}
	return l
}

package protocol

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"github.com/gorpyc/gorpyc/registry"
)

// Discovery says where services are looked for, and how to connect to what is found. nil and the zero value ask the
// registries of the local network by a broadcast, as RPyC does. It can be used any number of times.
type Discovery struct {
	// Registrar asks the registry; nil means &registry.UDPClient{}, which broadcasts and waits for 2 s.
	Registrar registry.Registrar
	// Host limits what is found to the servers on one host, a name or an address; "" is any host.
	Host string
	// Dialer says how [DialByService] connects; nil connects as [Dial] does.
	Dialer *Dialer
}

func (d *Discovery) registrar() registry.Registrar {
	if d == nil || d.Registrar == nil {
		return &registry.UDPClient{}
	}
	return d.Registrar
}

// DiscoveryError says that a service was not found, or cannot be reached (rpyc.utils.factory.DiscoveryError).
type DiscoveryError struct {
	// Service is the name that was looked for, Host the host it was to be on, or "".
	Service, Host string
	// Endpoints are those that were found and that nobody could connect to.
	Endpoints []registry.Endpoint
	// Err is why: what connecting failed with, registry.ErrNoAnswer, or nil if the registry says that nobody offers the
	// service.
	Err error
}

// Error implements error.
func (e *DiscoveryError) Error() string {
	var text string
	switch {
	case len(e.Endpoints) > 0:
		addrs := make([]string, len(e.Endpoints))
		for i, ep := range e.Endpoints {
			addrs[i] = ep.String()
		}
		text = "rpyc: all services are down: " + strings.Join(addrs, ", ")
	case e.Host != "":
		text = fmt.Sprintf("rpyc: no servers exposing %q were found on %s", e.Service, e.Host)
	default:
		text = fmt.Sprintf("rpyc: no servers exposing %q were found", e.Service)
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap gives the cause.
func (e *DiscoveryError) Unwrap() error { return e.Err }

// ForbiddenError says that the registry does not list its services (rpyc.utils.factory.ForbiddenError). It wraps
// registry.ErrListingDisabled.
type ForbiddenError struct{}

// Error implements error.
func (*ForbiddenError) Error() string { return "rpyc: the registry doesn't allow listing" }

// Unwrap gives registry.ErrListingDisabled.
func (*ForbiddenError) Unwrap() error { return registry.ErrListingDisabled }

// Discover finds out who offers a service (rpyc.discover): it asks the registry for the name, or one of its aliases, in
// upper or lower case. The server that renewed its registration least recently comes first. There is at least one, or
// the error is a *[DiscoveryError].
func Discover(ctx context.Context, name string, d *Discovery) ([]registry.Endpoint, error) {
	eps, err := d.registrar().Discover(ctx, name)
	if err != nil || len(eps) == 0 {
		return nil, &DiscoveryError{Service: name, Err: err}
	}
	if d == nil || d.Host == "" {
		return eps, nil
	}
	addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", d.Host)
	if err != nil {
		return nil, &DiscoveryError{Service: name, Host: d.Host, Err: err}
	}
	var there []registry.Endpoint
	for _, ep := range eps {
		if onHost(ep, d.Host, addrs) {
			there = append(there, ep)
		}
	}
	if len(there) == 0 {
		return nil, &DiscoveryError{Service: name, Host: d.Host}
	}
	return there, nil
}

// onHost reports whether an endpoint is on a host of this name and these addresses.
func onHost(ep registry.Endpoint, host string, addrs []netip.Addr) bool {
	if strings.EqualFold(ep.Host, host) {
		return true
	}
	at, err := netip.ParseAddr(ep.Host)
	if err != nil {
		return false
	}
	for _, a := range addrs {
		if a.Unmap() == at.Unmap() {
			return true
		}
	}
	return false
}

// ListServices returns the names of all services (rpyc.list_services), or of those on Discovery.Host. If the registry
// does not allow it the error is a *[ForbiddenError].
func ListServices(ctx context.Context, d *Discovery) ([]string, error) {
	var host string
	if d != nil {
		host = d.Host
	}
	names, err := d.registrar().List(ctx, host)
	if errors.Is(err, registry.ErrListingDisabled) {
		return nil, &ForbiddenError{}
	}
	return names, err
}

// DialByService connects to a server that offers a service, the first one that can be reached
// (rpyc.connect_by_service). If there is none the error is a *[DiscoveryError].
//
// A server on a Unix socket is connected to if it is on this host.
func DialByService(ctx context.Context, name string, d *Discovery) (*Conn, error) {
	eps, err := Discover(ctx, name, d)
	if err != nil {
		return nil, err
	}
	dialer := &Dialer{}
	if d != nil && d.Dialer != nil {
		dialer = d.Dialer
	}
	down := &DiscoveryError{Service: name, Endpoints: eps}
	var failures []error
	for _, ep := range eps {
		if !ep.Reachable() {
			failures = append(failures, fmt.Errorf("%s is a Unix socket of another host", ep))
			continue
		}
		c, err := dialer.Dial(ctx, ep.Network(), ep.Addr())
		if err == nil {
			return c, nil
		}
		failures = append(failures, err)
		if ctx.Err() != nil {
			break
		}
	}
	down.Err = errors.Join(failures...)
	return nil, down
}

package sources

import (
	"context"
	"time"

	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/registry"
)

// Registry asks RPyC's registry who offers a service, as protocol.Discover does, again and again.
type Registry struct {
	// Registrar asks the registry; nil means &registry.UDPClient{}, which broadcasts.
	Registrar registry.Registrar
	// Name is the service's name, in upper or lower case.
	Name string
	// Every is how often the registry is asked; 0 means 10 s. A registry forgets a server that has ended without telling
	// it after four minutes; connections end sooner.
	Every time.Duration
}

var _ protocol.Source = (*Registry)(nil)

// Watch implements protocol.Source. No answer is a failure; that nobody offers the service is none. Unix sockets of
// other hosts are left out.
func (r *Registry) Watch(ctx context.Context, update func([]protocol.Address)) error {
	registrar := r.Registrar
	if registrar == nil {
		registrar = &registry.UDPClient{}
	}
	return poll(ctx, update, func() ([]protocol.Address, time.Duration, error) {
		endpoints, err := registrar.Discover(ctx, r.Name)
		var addrs []protocol.Address
		for _, ep := range endpoints {
			if ep.Reachable() {
				addrs = append(addrs, protocol.Address{Network: ep.Network(), Addr: ep.Addr()})
			}
		}
		return addrs, or(r.Every, 10*time.Second), err
	})
}

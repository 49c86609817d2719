package sources

import (
	"cmp"
	"context"
	"errors"
	"strconv"
	"strings"
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
	// Details asks for weights, priorities, zones and names, too, which servers tell whose Registrar is a
	// registry.Details.
	Details bool
}

var _ protocol.Source = (*Registry)(nil)

// Watch implements protocol.Source. No answer is a failure; that nobody offers the service is none. Unix sockets of
// other hosts are left out.
func (r *Registry) Watch(ctx context.Context, update func([]protocol.Address)) error {
	if r.Name == "" {
		return errors.New("sources: Registry needs a Name")
	}
	registrar := r.Registrar
	if registrar == nil {
		registrar = &registry.UDPClient{}
	}
	return poll(ctx, update, func() ([]protocol.Address, time.Duration, error) {
		endpoints, err := registrar.Discover(ctx, r.Name)
		var details map[registry.Endpoint]protocol.Address
		if r.Details && len(endpoints) > 0 && err == nil {
			details, err = askDetails(ctx, registrar, r.Name)
		}
		var addrs []protocol.Address
		for _, ep := range endpoints {
			if ep.Reachable() {
				a := details[ep]
				a.Network, a.Addr = ep.Network(), ep.Addr()
				addrs = append(addrs, a)
			}
		}
		return addrs, cmp.Or(r.Every, 10*time.Second), err
	})
}

// askDetails returns what the registry has been told of servers beside where they are. What cannot be understood is
// passed over: anybody can tell it. Of several texts the one that was renewed last counts.
func askDetails(ctx context.Context, r registry.Registrar, name string) (
	map[registry.Endpoint]protocol.Address, error) {
	texts, err := r.Discover(ctx, name+registry.DetailsSuffix)
	details := map[registry.Endpoint]protocol.Address{}
	for _, t := range texts {
		words := strings.Fields(t.Path)
		if len(words) == 0 {
			continue
		}
		ep := registry.Endpoint{Host: t.Host, Path: words[0]}
		if port, err := strconv.Atoi(words[0]); err == nil {
			ep = registry.Endpoint{Host: t.Host, Port: port}
		}
		var a protocol.Address
		if parseDetails(&a, words[1:]) == nil {
			details[ep] = a
		}
	}
	return details, err
}

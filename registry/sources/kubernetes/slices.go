package kubernetes

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"

	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/registry/sources/internal/web"
)

// slice is an EndpointSlice of discovery.k8s.io/v1, as far as it matters.
type slice struct {
	Metadata    metadata        `json:"metadata"`
	AddressType string          `json:"addressType"` // IPv4, IPv6 or FQDN
	Endpoints   json.RawMessage `json:"endpoints"`   // a list of endpoint
	Ports       json.RawMessage `json:"ports"`       // a list of port
}

type port struct {
	Name *string `json:"name"`
	Port *int    `json:"port"`
}

type metadata struct {
	Name            string `json:"name"`
	ResourceVersion string `json:"resourceVersion"`
	Continue        string `json:"continue"`
}

type endpoint struct {
	Addresses  []string `json:"addresses"` // which mean the same; the first is used
	Conditions struct {
		Ready *bool `json:"ready"` // nil means yes
	} `json:"conditions"`
	Zone *string `json:"zone"`
}

type sliceList struct {
	Metadata metadata        `json:"metadata"`
	Items    json.RawMessage `json:"items"` // a list of slice
}

// event is one of a watch. Its object is a slice, or a Status if the type is ERROR.
type event struct {
	Type   string `json:"type"`
	Object struct {
		slice
		Code    int    `json:"code"`
		Message string `json:"message"`
	} `json:"object"`
}

// events reads those of a watch, each of which is bounded.
type events struct {
	limit *io.LimitedReader
	json  *json.Decoder
}

func newEvents(body io.Reader) *events {
	limit := &io.LimitedReader{R: body}
	return &events{limit, json.NewDecoder(limit)}
}

// next returns nil at the end of the stream.
func (s *events) next() (*event, error) {
	s.limit.N = web.MaxBody
	e := &event{}
	err := s.json.Decode(e)
	switch {
	case err == nil:
		return e, nil
	case s.limit.N == 0:
		return nil, fmt.Errorf("kubernetes: an event is longer than %d bytes", web.MaxBody)
	case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
		return nil, nil
	}
	return nil, fmt.Errorf("kubernetes: %w", err)
}

// known are the slices there are, by their names, as far as they matter. What is kept is bounded, whatever the server
// says: by the addresses that a protocol.Client looks at, and by the length that Kubernetes has for names.
type known struct {
	byName map[string]part
	addrs  int // of all
}

// part is what a slice adds to the addresses.
type part struct {
	kind  string // one of kinds
	addrs []protocol.Address
}

// kinds are the types of addresses, the preferred first.
var kinds = []string{"IPv4", "IPv6", "FQDN"}

const (
	maxSlices    = 10_000
	maxAddresses = 10_000
	maxName      = 253
)

// full reports whether no other slice would be kept.
func (all *known) full() bool { return len(all.byName) >= maxSlices || all.addrs >= maxAddresses }

func (all *known) remove(name string) {
	all.addrs -= len(all.byName[name].addrs)
	delete(all.byName, name)
}

// put takes in a slice, in place of the one of that name.
func (all *known) put(s *slice, w *watcher) error {
	name := s.Metadata.Name
	all.remove(name)
	i := slices.Index(kinds, s.AddressType)
	if i < 0 || all.full() || len(name) > maxName {
		return nil
	}
	addrs, err := s.addresses(w, maxAddresses-all.addrs)
	if err != nil {
		return err
	}
	if all.byName == nil {
		all.byName = map[string]part{}
	}
	all.byName[name] = part{kinds[i], addrs}
	all.addrs += len(addrs)
	return nil
}

// tell passes on the addresses, if they have changed.
func (w *watcher) tell() {
	addrs := w.slices.addresses("IPv4")
	if six := w.slices.addresses("IPv6"); len(addrs) == 0 || w.IPv6 && len(six) > 0 {
		addrs = six
	}
	if len(addrs) == 0 {
		addrs = w.slices.addresses("FQDN")
	}
	slices.SortFunc(addrs, func(a, b protocol.Address) int { return cmp.Compare(a.Addr, b.Addr) })
	if !w.told || !slices.Equal(addrs, w.last) {
		w.update(addrs)
		w.told, w.last = true, addrs
	}
}

// addresses are those of one type.
func (all *known) addresses(kind string) (addrs []protocol.Address) {
	for _, p := range all.byName {
		if p.kind == kind {
			addrs = append(addrs, p.addrs...)
		}
	}
	return addrs
}

// addresses are those of the slice's endpoints that are ready, up to a number.
func (s *slice) addresses(w *watcher, most int) (addrs []protocol.Address, err error) {
	port, err := s.port(w.Port)
	if err != nil || port == 0 {
		return nil, err
	}
	server := w.Service + "." + w.namespace + ".svc"
	err = web.Each(s.Endpoints, func(e *endpoint) error {
		if len(addrs) == most || len(e.Addresses) == 0 || len(e.Addresses[0]) > maxName ||
			e.Conditions.Ready != nil && !*e.Conditions.Ready {
			return nil
		}
		a := protocol.Address{Addr: net.JoinHostPort(e.Addresses[0], strconv.Itoa(port)), ServerName: server}
		if e.Zone != nil && len(*e.Zone) <= maxName {
			a.Zone = *e.Zone
		}
		addrs = append(addrs, a)
		return nil
	})
	return addrs, err
}

// port is the slice's port of this name, the first if it is ""; 0 if there is none.
func (s *slice) port(name string) (number int, err error) {
	err = web.Each(s.Ports, func(p *port) error {
		if number == 0 && p.Port != nil && (name == "" || p.Name != nil && *p.Name == name) {
			number = *p.Port
		}
		return nil
	})
	return number, err
}

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
	Metadata    metadata   `json:"metadata"`
	AddressType string     `json:"addressType"` // IPv4, IPv6 or FQDN
	Endpoints   []endpoint `json:"endpoints"`
	Ports       []struct {
		Name *string `json:"name"`
		Port *int    `json:"port"`
	} `json:"ports"`
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
	Metadata metadata `json:"metadata"`
	Items    []slice  `json:"items"`
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

// tell passes on the addresses, if they have changed.
func (w *watcher) tell() {
	addrs := w.addresses("IPv4")
	if six := w.addresses("IPv6"); len(addrs) == 0 || w.IPv6 && len(six) > 0 {
		addrs = six
	}
	if len(addrs) == 0 {
		addrs = w.addresses("FQDN")
	}
	slices.SortFunc(addrs, func(a, b protocol.Address) int { return cmp.Compare(a.Addr, b.Addr) })
	if !w.told || !slices.Equal(addrs, w.known) {
		w.update(addrs)
		w.told, w.known = true, addrs
	}
}

// addresses are those of one type.
func (w *watcher) addresses(kind string) (addrs []protocol.Address) {
	for _, s := range w.slices {
		port := s.port(w.Port)
		if s.AddressType != kind || port == 0 {
			continue
		}
		for _, e := range s.Endpoints {
			if len(e.Addresses) == 0 || e.Conditions.Ready != nil && !*e.Conditions.Ready {
				continue
			}
			a := protocol.Address{Addr: net.JoinHostPort(e.Addresses[0], strconv.Itoa(port)),
				ServerName: w.Service + "." + w.namespace + ".svc"}
			if e.Zone != nil {
				a.Zone = *e.Zone
			}
			addrs = append(addrs, a)
		}
	}
	return addrs
}

// port is the slice's port of this name, the first if it is ""; 0 if there is none.
func (s *slice) port(name string) int {
	for _, p := range s.Ports {
		if p.Port != nil && (name == "" || p.Name != nil && *p.Name == name) {
			return *p.Port
		}
	}
	return 0
}

// Package consul has a source of addresses for a protocol.Client: the instances of a service that Consul knows. It
// speaks Consul's HTTP interface by itself.
package consul

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/transport/pause"
	"github.com/gorpyc/gorpyc/registry/sources/internal/web"
)

// Source watches a service by blocking queries. An instance is a server while none of its checks, or of its node's, is
// critical; its weight is Consul's for its state, passing or warning. Its zone is the Locality of the instance or the
// node, or else what their Meta has for "zone".
type Source struct {
	// Service is the service's name.
	Service string
	// Tag is one that instances must have; "" any.
	Tag string
	// Datacenter is the one to ask for; "" means the agent's.
	Datacenter string
	// Server is the agent, "http://host:port"; "" means what the environment variable CONSUL_HTTP_ADDR says, with or
	// without the scheme, or http://127.0.0.1:8500.
	Server string
	// Token is the ACL token; "" means that of the variable CONSUL_HTTP_TOKEN, if there is one.
	Token string
	// Client makes the requests; nil means http.DefaultClient. It must not bound the time of a request below 6 minutes.
	Client *http.Client
}

var _ protocol.Source = (*Source)(nil)

const (
	// wait is how long Consul holds an answer back while nothing changes; it adds a sixteenth at most.
	wait = 5 * time.Minute
	// patience is how long an answer is waited for.
	patience = wait + wait/16 + 10*time.Second
	// pace is the shortest time between two questions, for a service that changes all the time.
	pace = 200 * time.Millisecond
)

// Watch implements protocol.Source.
func (s *Source) Watch(ctx context.Context, update func([]protocol.Address)) error {
	if s.Service == "" {
		return errors.New("consul: no Service")
	}
	var index uint64
	for {
		began := time.Now()
		addrs, now, err := s.ask(ctx, index)
		if ctx.Err() != nil { // which shows in many ways
			return ctx.Err()
		}
		if err != nil {
			return err
		}
		if now != index {
			update(addrs)
		}
		if now < index { // Consul has been set up anew
			now = 0
		}
		index = now
		if err := pause.For(ctx, pace-time.Since(began)); err != nil {
			return err
		}
	}
}

// ask returns the servers and the index of this answer: when it differs from the one given, or after a while.
func (s *Source) ask(ctx context.Context, index uint64) ([]protocol.Address, uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	header := http.Header{}
	if token := cmp.Or(s.Token, os.Getenv("CONSUL_HTTP_TOKEN")); token != "" {
		header.Set("X-Consul-Token", token)
	}
	client := s.Client
	if client == nil {
		client = http.DefaultClient
	}
	resp, err := web.Get(ctx, client, s.url(index), header)
	if err != nil {
		return nil, 0, fmt.Errorf("consul: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	now, err := strconv.ParseUint(resp.Header.Get("X-Consul-Index"), 10, 64)
	if err != nil || now == 0 {
		return nil, 0, errors.New("consul: an answer without an index, which is none of Consul's")
	}
	text, err := web.Read(resp.Body)
	var addrs []protocol.Address
	if err == nil {
		err = web.Each(text, func(i *instance) error {
			if a := i.address(); a.Addr != "" {
				addrs = append(addrs, a)
			}
			return nil
		})
	}
	if err != nil {
		return nil, 0, fmt.Errorf("consul: %w", err)
	}
	return addrs, now, nil
}

func (s *Source) server() string {
	server := cmp.Or(s.Server, os.Getenv("CONSUL_HTTP_ADDR"), "http://127.0.0.1:8500")
	server = strings.TrimSuffix(server, "/")
	if !strings.Contains(server, "://") {
		server = "http://" + server
	}
	return server
}

func (s *Source) url(index uint64) string {
	query := url.Values{}
	if index > 0 {
		query.Set("index", strconv.FormatUint(index, 10))
		query.Set("wait", wait.String())
	}
	if s.Tag != "" {
		query.Set("tag", s.Tag)
	}
	if s.Datacenter != "" {
		query.Set("dc", s.Datacenter)
	}
	return s.server() + "/v1/health/service/" + url.PathEscape(s.Service) + "?" + query.Encode()
}

// instance is what Consul says of one.
type instance struct {
	Node struct {
		Address  string
		Meta     map[string]string
		Locality locality
	}
	Service struct {
		Address  string
		Port     int
		Meta     map[string]string
		Locality locality
		Weights  *struct{ Passing, Warning int }
	}
	Checks []struct{ Status string }
}

type locality struct{ Zone string }

// address is where the instance is; empty if it is to get no calls.
func (i *instance) address() (a protocol.Address) {
	warning := false
	for _, c := range i.Checks {
		switch c.Status {
		case "passing":
		case "warning":
			warning = true
		default:
			return a
		}
	}
	host := cmp.Or(i.Service.Address, i.Node.Address)
	if host == "" || i.Service.Port == 0 {
		return a
	}
	if w := i.Service.Weights; w != nil {
		a.Weight = w.Passing
		if warning {
			a.Weight = w.Warning
		}
		if a.Weight == 0 {
			return a
		}
	}
	a.Addr = net.JoinHostPort(host, strconv.Itoa(i.Service.Port))
	a.Zone = cmp.Or(i.Service.Locality.Zone, i.Node.Locality.Zone, i.Service.Meta["zone"], i.Node.Meta["zone"])
	return a
}

package registry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"time"

	"github.com/gorpyc/gorpyc/brine"
	"github.com/gorpyc/gorpyc/brine/pyvalue"
)

// handle answers one request: it appends the answer to b, or returns nil if there is none. at is the address at which
// the client reached the registry, if known.
func (s *Server) handle(t transport, b []byte, client, at netip.Addr, data []byte) []byte {
	now := time.Since(s.started)
	if !s.limiter.allow(client, now) {
		s.reject(overRate, now, client, nil)
		return nil
	}
	if len(s.Secret) == 0 {
		return s.handleMessage(t, b, client, at, data, true)
	}
	message, sig := signed(data)
	trusted := sig.valid(s.Secret, nil, message) && s.signatures.fresh(sig, client, time.Now())
	if len(message) > MaxDatagram { // as if the datagram had been cut short
		message = message[:MaxDatagram]
	}
	reply := s.handleMessage(t, b, client, at, message, trusted)
	if trusted && reply != nil {
		reply, _ = sign(s.Secret, sig.at, sig.sum, reply)
	}
	return reply
}

// handleMessage is handle for a message without its signature. Only one that is trusted may change what is registered.
func (s *Server) handleMessage(t transport, b []byte, client, at netip.Addr, data []byte, trusted bool) []byte {
	now := time.Since(s.started)
	if name, f, ok := parseQuery(data); ok {
		s.requests[t][0].Add(1) // query
		return s.answerQuery(b, f, client, at, name)
	}
	r, err := parseRequest(data)
	if err == nil && !trusted && (r.command == register || r.command == unregister) {
		s.reject(badSignature, now, client, fmt.Errorf("%s without a valid signature", r.command))
		return nil
	}
	if err != nil {
		why := badMessage
		switch {
		case errors.Is(err, errMagic):
			why = badMagic
		case errors.Is(err, errCommand):
			why = badCommand
		}
		s.reject(why, now, client, err)
		return nil
	}
	out, err := s.answer(t, b, r, client, at)
	if err != nil {
		why := badArguments
		if limit := new(LimitError); errors.As(err, &limit) {
			why = overLimit
		} else if errors.Is(err, errStore) {
			why = storeFailed
		}
		s.reject(why, now, client, fmt.Errorf("%s: %w", r.command, err))
		return nil
	}
	s.count(t, r.command)
	return out
}

// reject counts a request that is not answered, and says so in the log.
func (s *Server) reject(why reject, now time.Duration, client netip.Addr, err error) {
	s.rejects[why].Add(1)
	if !s.warnings.due(why, now) {
		return
	}
	switch why {
	case overRate:
		s.log().Warn("too many requests", "peer", client)
	case overConns:
		s.log().Warn("too many connections", "peer", client)
	case badSignature:
		s.log().Warn("not signed with the secret", "peer", client, "error", err)
	case badMagic:
		s.log().Warn("invalid magic", "peer", client, "error", err)
	case badCommand:
		s.log().Warn("unknown command", "peer", client, "error", err)
	case badArguments, overLimit, storeFailed:
		s.log().Warn("error executing function", "peer", client, "error", err)
	default:
		s.log().Debug("not a request", "peer", client, "error", err)
	}
}

var errStore = errors.New("the store failed")

// parseQuery reads the request that is by far the most frequent, in its usual form and without a decoded value in
// between.
func parseQuery(data []byte) (name []byte, f form, ok bool) {
	c := brine.NewCursor(data)
	if n, err := c.Tuple(); err != nil || n != 3 {
		return nil, f, false
	}
	text := c.StringBytes
	if c.Kind() == brine.KindBytes {
		f, text = bytesForm, c.Bytes
	}
	if m, err := text(); err != nil || string(m) != magic {
		return nil, f, false
	}
	if m, err := text(); err != nil || string(m) != string(query) {
		return nil, f, false
	}
	if n, err := c.Tuple(); err != nil || n != 1 {
		return nil, f, false
	}
	if name, err := text(); err == nil {
		return name, f, true
	}
	return nil, f, false
}

// answer carries out a request. An error means that there is no answer.
func (s *Server) answer(t transport, b []byte, r request, client, at netip.Addr) ([]byte, error) {
	want := 1
	if r.command == register {
		want = 2
	}
	if len(r.args) != want {
		return nil, fmt.Errorf("%d arguments, not %d", len(r.args), want)
	}
	switch r.command {
	case query:
		name, ok := r.args[0].([]byte)
		if !ok {
			text, ok := r.args[0].(string)
			if !ok {
				return nil, fmt.Errorf("the name is a %T", r.args[0])
			}
			name = []byte(text)
		} else if r.form == textForm {
			return brine.AppendTupleHeader(b, 0), nil // bytes are no text: no service has such a name
		}
		return s.answerQuery(b, r.form, client, at, name), nil
	case register:
		return s.answerRegister(b, r, client)
	case unregister:
		// Who has another idea of a port cannot have registered it.
		if ep, err := r.form.port(r.args[0], addrText(client)); err == nil {
			s.debug("unregistering", "endpoint", ep)
			if err := s.store.Unregister(context.Background(), ep); err != nil {
				return nil, fmt.Errorf("%w: %w", errStore, err)
			}
		}
		return r.form.append(b, "OK"), nil
	}
	return s.answerList(t, b, r, client, at)
}

func (s *Server) answerRegister(b []byte, r request, client netip.Addr) ([]byte, error) {
	items, ok := r.form.items(r.args[0])
	if !ok {
		return nil, fmt.Errorf("the names are a %T", r.args[0])
	}
	names := make([]string, 0, len(items))
	for _, item := range items {
		name, ok := r.form.text(item)
		if !ok {
			return nil, fmt.Errorf("a name is a %T", item)
		}
		names = append(names, Upper(name))
	}
	ep, err := r.form.port(r.args[1], addrText(client))
	if err != nil {
		return nil, err
	}
	s.debug("registering", "endpoint", ep, "services", names)
	if len(names) > 0 {
		limit := new(LimitError)
		if err := s.store.Register(context.Background(), names, ep); errors.As(err, &limit) {
			return nil, err
		} else if err != nil {
			return nil, fmt.Errorf("%w: %w", errStore, err)
		}
	}
	return r.form.append(b, "OK"), nil
}

func (s *Server) answerList(t transport, b []byte, r request, client, at netip.Addr) ([]byte, error) {
	if !s.AllowListing {
		s.debug("listing is disabled")
		return brine.AppendNone(b), nil
	}
	// The filter is the first item of what was sent; of a text, its first character.
	filter, ok := r.form.items(r.args[0])
	if !ok || len(filter) == 0 {
		return nil, fmt.Errorf("the filter is a %T", r.args[0])
	}
	var hosts []string
	if host, ok := r.form.text(filter[0]); ok && host != "" {
		hosts = s.registeredAs(host, client, at)
	} else if truth, _ := pyvalue.Truth(filter[0]); !ok && truth {
		return brine.AppendTupleHeader(b, 0), nil // no host is equal to it
	}
	limit := MaxDatagram
	if t == udp {
		limit = MaxList
	}
	names := s.store.Names(hosts, limit)
	body, n := make([]byte, 0, MaxDatagram), 0
	for _, name := range names {
		next := r.form.append(body, name)
		if len(next) > limit-tupleHeader {
			break
		}
		body, n = next, n+1
	}
	if n < len(names) {
		s.truncated.Add(1)
	}
	s.debug("replying", "services", n)
	return append(brine.AppendTupleHeader(b, n), body...), nil
}

// registeredAs returns the hosts that the client knows as host: that one, and those that are shown to it under that
// name.
func (s *Server) registeredAs(host string, client, at netip.Addr) []string {
	hosts := []string{}
	add := func(own string) {
		if !slices.Contains(hosts, own) && s.advertiser.show(own, client, at) == host {
			hosts = append(hosts, own)
		}
	}
	add(host)
	for i, r := range s.advertiser.rules {
		switch {
		case i == 0:
			add("127.0.0.1")
			add("::1")
		case r.To != host:
		case r.From.IsSingleIP():
			add(r.From.Addr().String())
		default:
			for reg := range s.store.Registrations {
				add(reg.Endpoint.Host)
			}
		}
	}
	return hosts
}

// tupleHeader is the length of the longest header of a tuple.
const tupleHeader = 5

// answers are the encoded answers to queries for a listing, as clients see them to whom all addresses are shown as they
// are.
type answers struct {
	owner *Server
	rules uint64 // which rules of owner's are about some endpoint
	reply [2][]byte
	short bool
}

func (s *Server) answerQuery(b []byte, f form, client, at netip.Addr, name []byte) []byte {
	l := s.store.Lookup(Upper(string(name)))
	if l == nil {
		s.debug("no such service", "service", name)
		return brine.AppendTupleHeader(b, 0)
	}
	a := l.answers.Load()
	if a == nil || a.owner != s {
		a = &answers{owner: s, rules: s.advertiser.matching(l.servers)}
		var short bool
		a.reply[0], a.short = appendListing(nil, textForm, l, nil)
		a.reply[1], short = appendListing(nil, bytesForm, l, nil)
		a.short = a.short || short
		l.answers.Store(a)
	}
	s.debug("replying", "service", name, "servers", len(l.servers))
	if a.rules == 0 || s.advertiser.plain(a.rules, client) {
		if a.short {
			s.truncated.Add(1)
		}
		i := 0
		if f == bytesForm {
			i = 1
		}
		return append(b, a.reply[i]...)
	}
	b, short := appendListing(b, f, l, func(host string) string { return s.advertiser.show(host, client, at) })
	if short {
		s.truncated.Add(1)
	}
	return b
}

// appendListing appends as much of a listing as an answer has room for.
func appendListing(b []byte, f form, l *Listing, show func(string) string) (out []byte, short bool) {
	body, n := make([]byte, 0, MaxDatagram), 0
	for _, ep := range l.servers {
		if show != nil {
			ep.Host = show(ep.Host)
		}
		next := f.appendEndpoint(body, ep)
		if len(next) > MaxDatagram-tupleHeader {
			break
		}
		body, n = next, n+1
	}
	return append(brine.AppendTupleHeader(b, n), body...), l.more || n < len(l.servers)
}

func (s *Server) debug(what string, args ...any) {
	if s.Logger != nil && s.Logger.Enabled(context.Background(), slog.LevelDebug) {
		s.Logger.Debug(what, args...)
	}
}

package sources

import (
	"context"
	"encoding/binary"
	"net"
	"sync"
	"time"
)

// ttls reads along with the answers of name servers, whose TTLs net.Resolver keeps to itself. What they mean otherwise
// is left to the resolver.
type ttls struct {
	mu    sync.Mutex
	least time.Duration
	known bool
}

// dialer connects to name servers for a resolver; server, if it is not "", is asked in place of the one that the
// resolver has chosen.
func (t *ttls) dialer(server string) func(ctx context.Context, network, addr string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		if server != "" {
			addr = server
		}
		c, err := (&net.Dialer{}).DialContext(ctx, network, addr)
		switch c := c.(type) {
		case *net.UDPConn: // the resolver looks whether it is a packet connection
			return &overheardPackets{c, t}, nil
		case nil:
			return nil, err
		}
		return &overheardStream{Conn: c, ttls: t}, err
	}
}

// shortest returns how long all answers are good; false if none has said so.
func (t *ttls) shortest() (time.Duration, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.least, t.known
}

func (t *ttls) note(message []byte) {
	ttl, ok := answerTTL(message)
	if !ok {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.known || ttl < t.least {
		t.least, t.known = ttl, true
	}
}

// overheardPackets is a connection of datagrams to a name server.
type overheardPackets struct {
	*net.UDPConn
	ttls *ttls
}

func (c *overheardPackets) Read(p []byte) (int, error) {
	n, err := c.UDPConn.Read(p)
	c.ttls.note(p[:n])
	return n, err
}

// overheardStream is one over TCP, where a message follows its length in two bytes.
type overheardStream struct {
	net.Conn
	ttls *ttls
	read []byte // of the message that is being read; it cannot get longer than one
}

func (c *overheardStream) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.read = append(c.read, p[:n]...)
	for len(c.read) >= 2 {
		end := 2 + int(binary.BigEndian.Uint16(c.read))
		if len(c.read) < end {
			break
		}
		c.ttls.note(c.read[2:end])
		c.read = c.read[end:]
	}
	return n, err
}

// answerTTL returns the least TTL of the answers in a message of a name server (RFC 1035, 4.1); false if it has none or
// is malformed.
func answerTTL(m []byte) (least time.Duration, ok bool) {
	const header, questionRest, recordRest = 12, 4, 10
	if len(m) < header || m[2]&0x80 == 0 || m[3]&0x0f != 0 { // no response, or one that says that it failed
		return 0, false
	}
	questions, answers := binary.BigEndian.Uint16(m[4:]), binary.BigEndian.Uint16(m[6:])
	at := header
	for range questions {
		if at = skipName(m, at); at < 0 {
			return 0, false
		}
		at += questionRest
	}
	for range answers {
		if at = skipName(m, at); at < 0 || at+recordRest > len(m) {
			return 0, false
		}
		seconds := binary.BigEndian.Uint32(m[at+4:])
		if seconds > 1<<31-1 { // which is to be taken for 0 (RFC 2181, 8)
			seconds = 0
		}
		if ttl := time.Duration(seconds) * time.Second; !ok || ttl < least {
			least, ok = ttl, true
		}
		at += recordRest + int(binary.BigEndian.Uint16(m[at+8:]))
	}
	return least, ok
}

// skipName returns where the name that begins at a position ends, -1 if it does not.
func skipName(m []byte, at int) int {
	for at < len(m) {
		switch n := int(m[at]); {
		case n == 0:
			return at + 1
		case n >= 0xc0: // a pointer ends it
			return at + 2
		case n > 63:
			return -1
		default:
			at += 1 + n
		}
	}
	return -1
}

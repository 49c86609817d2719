package registry

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"net/netip"
	"sync"
	"time"

	"github.com/gorpyc/gorpyc/brine"
)

// An extension of ours: behind a message may stand a signature, the tuple ("RPYC-SIGNATURE", TIME, MAC). RPyC's
// registries and registrars read the first value of a datagram and ignore it. TIME is in nanoseconds since 1970, no two
// requests of a registrar have the same. MAC is the HMAC-SHA256, with the secret as its key, of the word "request" or
// "answer", TIME in 8 bytes, and the message; of an answer, the request's MAC comes before the message, so that an old
// answer is not taken for a new one.

const (
	signatureName = "RPYC-SIGNATURE"
	// maxSignature is the most bytes that a signature takes.
	maxSignature = 80
	// signatureAge is how old a request may be, and how far the clocks of the two hosts may differ.
	signatureAge = time.Minute
	// maxSignatures bounds the requests that are remembered, so that they are not taken twice.
	maxSignatures = 1 << 16
)

// mac returns the MAC of a message; of is that of the request, for an answer.
func mac(secret []byte, at int64, of, message []byte) []byte {
	h := hmac.New(sha256.New, secret)
	word := "request"
	if of != nil {
		word = "answer"
	}
	h.Write([]byte(word))
	h.Write(binary.BigEndian.AppendUint64(nil, uint64(at)))
	h.Write(of)
	h.Write(message)
	return h.Sum(nil)
}

// sign appends a signature to a message, and returns its MAC too.
func sign(secret []byte, at int64, of, message []byte) (signed, sum []byte) {
	sum = mac(secret, at, of, message)
	b := brine.AppendTupleHeader(message[:len(message):len(message)], 3)
	b = brine.AppendInt(brine.AppendBytes(b, []byte(signatureName)), at)
	return brine.AppendBytes(b, sum), sum
}

// signature is what stands behind a message.
type signature struct {
	at  int64
	sum []byte
}

// signed splits data into a message and its signature, whose sum is nil if there is none.
func signed(data []byte) (message []byte, s signature) {
	c := brine.NewCursor(data)
	if c.Skip() != nil {
		return data, s
	}
	message = data[:c.Offset()]
	if n, err := c.Tuple(); err != nil || n != 3 {
		return message, s
	}
	if name, err := c.Bytes(); err != nil || string(name) != signatureName {
		return message, s
	}
	at, err := c.Int64()
	if err != nil {
		return message, s
	}
	if sum, err := c.Bytes(); err == nil {
		s = signature{at, sum}
	}
	return message, s
}

// valid reports whether the signature is that of the message.
func (s signature) valid(secret, of, message []byte) bool {
	return s.sum != nil && hmac.Equal(s.sum, mac(secret, s.at, of, message))
}

// signatureSize is how many bytes a signature may add to a message.
func (s *Server) signatureSize() int {
	if len(s.Secret) == 0 {
		return 0
	}
	return maxSignature
}

// signatures are the requests of late, so that one that somebody has recorded is not taken again. The host that sent it
// may repeat it: that is what happens when an answer was lost.
type signatures struct {
	mu       sync.Mutex
	newer    map[[sha256.Size]byte]netip.Addr
	older    map[[sha256.Size]byte]netip.Addr
	replaced time.Time
}

// fresh notes a valid request and reports whether it is new enough and was not sent by another host.
func (m *signatures) fresh(s signature, from netip.Addr, now time.Time) bool {
	if age := now.Sub(time.Unix(0, s.at)); age > signatureAge || age < -signatureAge {
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.newer == nil || now.Sub(m.replaced) > 2*signatureAge {
		m.older, m.newer, m.replaced = m.newer, make(map[[sha256.Size]byte]netip.Addr), now
	}
	key := [sha256.Size]byte(s.sum)
	for _, seen := range []map[[sha256.Size]byte]netip.Addr{m.newer, m.older} {
		if by, ok := seen[key]; ok {
			return by == from
		}
	}
	if len(m.newer) >= maxSignatures {
		return false
	}
	m.newer[key] = from
	return true
}

// clock gives the times of requests, which all differ.
type clock struct {
	mu   sync.Mutex
	last int64
}

func (c *clock) next() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now().UnixNano()
	if behind := c.last - now; behind >= 0 && behind < int64(time.Second) { // more, and the clock was set back
		now = c.last + 1
	}
	c.last = now
	return now
}

// requestClock is one for all registrars of the process.
var requestClock clock

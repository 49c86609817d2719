package sources_test

import (
	"encoding/binary"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// nameServer answers questions over UDP and TCP on one port.
type nameServer struct {
	addr string

	mu      sync.Mutex
	records map[string][]record // by "name. TYPE"
	rcodes  map[string]byte
	counts  map[string]int
}

type record struct {
	ttl  uint32
	data []byte
}

// srv is the record of a service, with a TTL of 0.
func srv(ttl uint32, priority, weight, port uint16, target string) record {
	var b []byte
	for _, n := range []uint16{priority, weight, port} {
		b = binary.BigEndian.AppendUint16(b, n)
	}
	for _, label := range strings.Split(strings.TrimSuffix(target, "."), ".") {
		b = append(append(b, byte(len(label))), label...)
	}
	return record{ttl, append(b, 0)}
}

func newNameServer(t *testing.T) *nameServer {
	s := &nameServer{records: map[string][]record{}, rcodes: map[string]byte{}, counts: map[string]int{}}
	var done sync.WaitGroup
	var l net.Listener
	var c net.PacketConn
	for { // the same port for both
		var err error
		l, err = net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		if c, err = net.ListenPacket("udp", l.Addr().String()); err == nil {
			break
		}
		_ = l.Close()
	}
	s.addr = l.Addr().String()
	done.Go(func() {
		b := make([]byte, 2000)
		for {
			n, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			answer, question := s.answer(b[:n])
			if len(answer) > 512 {
				answer = answer[:question]
				answer[2] |= 2 // truncated
				clear(answer[6:12])
			}
			_, _ = c.WriteTo(answer, from)
		}
	})
	done.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			done.Go(func() {
				defer c.Close()
				for {
					var head [2]byte
					if _, err := io.ReadFull(c, head[:]); err != nil {
						return
					}
					b := make([]byte, binary.BigEndian.Uint16(head[:]))
					if _, err := io.ReadFull(c, b); err != nil {
						return
					}
					answer, _ := s.answer(b)
					_, _ = c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...))
				}
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		_ = c.Close()
		done.Wait()
	})
	return s
}

func (s *nameServer) set(question string, records ...record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records[question] = records
}

func (s *nameServer) fail(question string, rcode byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rcodes[question] = rcode
}

func (s *nameServer) asked(question string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts[question]
}

// answer answers one question (RFC 1035, 4.1). end is where the question ends in the answer.
func (s *nameServer) answer(q []byte) (m []byte, end int) {
	at, name := 12, ""
	for q[at] != 0 {
		n := int(q[at])
		name += string(q[at+1:at+1+n]) + "."
		at += 1 + n
	}
	kind := binary.BigEndian.Uint16(q[at+1:])
	question := name + " " + map[uint16]string{1: "A", 28: "AAAA", 33: "SRV"}[kind]
	s.mu.Lock()
	defer s.mu.Unlock()
	s.counts[question]++
	records := s.records[question]
	end = at + 5
	m = append(m, q[:end]...)
	m[2], m[3] = 0x85, s.rcodes[question] // an authoritative response
	binary.BigEndian.PutUint16(m[6:], uint16(len(records)))
	clear(m[8:12])
	if m[3] != 0 {
		clear(m[6:8])
		return m, end
	}
	for _, r := range records {
		m = append(m, 0xc0, 12) // the name in the question
		m = binary.BigEndian.AppendUint16(m, kind)
		m = binary.BigEndian.AppendUint16(m, 1)
		m = binary.BigEndian.AppendUint32(m, r.ttl)
		m = binary.BigEndian.AppendUint16(m, uint16(len(r.data)))
		m = append(m, r.data...)
	}
	return m, end
}

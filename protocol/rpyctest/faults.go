package rpyctest

import (
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/gorpyc/gorpyc/protocol"
	"github.com/gorpyc/gorpyc/protocol/transport"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// Faults are what is wrong with a stream. Directions are those of what the first end of a Pair writes; what the second
// writes arrives as it is. The zero value is a perfect stream.
type Faults struct {
	// Delay is how long each write takes to arrive.
	Delay time.Duration
	// Split says that each byte arrives by itself.
	Split bool
	// CutAfter ends the stream when so many bytes have passed; 0 never does.
	CutAfter int
	// CorruptAt inverts the byte that comes after so many others; 0 does not.
	CorruptAt int
	// StallAfter lets nothing arrive after so many bytes, though writing goes on; 0 never does.
	StallAfter int
}

// ErrCut is what writing fails with once a stream has been cut.
var ErrCut = errors.New("rpyctest: the stream was cut")

// Pair makes two connections that are each other's peers, over a stream in memory with faults: the first has rootA as
// its local root, the second rootB. Both end with the test.
func Pair(t testing.TB, rootA, rootB any, f Faults, cfg *protocol.Config) (a, b *protocol.Conn) {
	t.Helper()
	var with protocol.Config
	if cfg != nil {
		with = *cfg
	}
	if with.Dialect == nil {
		with.Dialect = wire.FamilyD
	}
	sa, sb := transport.Pipe()
	faulty := &faultyStream{ReadWriteCloser: sa, faults: f, closed: make(chan struct{})}
	a, err := protocol.NewConn(context.Background(), faulty, rootA, &with)
	if err != nil {
		t.Fatalf("rpyctest: %v", err)
	}
	b, err = protocol.NewConn(context.Background(), sb, rootB, &with)
	if err != nil {
		t.Fatalf("rpyctest: %v", err)
	}
	t.Cleanup(func() {
		for _, c := range []*protocol.Conn{a, b} {
			_ = c.CloseNow()
			<-c.Done()
		}
	})
	return a, b
}

// faultyStream is one end of a stream whose writes meet with faults.
type faultyStream struct {
	io.ReadWriteCloser
	faults Faults
	once   sync.Once
	closed chan struct{} // closed by Close

	mu     sync.Mutex
	passed int
}

func (s *faultyStream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d := s.faults.Delay; d > 0 {
		select {
		case <-time.After(d):
		case <-s.closed:
			return 0, io.ErrClosedPipe
		}
	}
	step := len(p)
	if s.faults.Split {
		step = 1
	}
	for done := 0; done < len(p); {
		part := append([]byte{}, p[done:min(done+step, len(p))]...)
		cut, stall := false, false
		if n := s.faults.CutAfter; n > 0 && s.passed+len(part) > n {
			part, cut = part[:max(n-s.passed, 0)], true
		}
		if n := s.faults.StallAfter; n > 0 && s.passed+len(part) > n {
			part, stall = part[:max(n-s.passed, 0)], true
		}
		if n := s.faults.CorruptAt; n > 0 && s.passed <= n && n < s.passed+len(part) {
			part[n-s.passed] ^= 0xff
		}
		n, err := s.ReadWriteCloser.Write(part)
		s.passed += n
		done += n
		switch {
		case err != nil:
			return done, err
		case cut:
			_ = s.ReadWriteCloser.Close()
			return done, ErrCut
		case stall:
			return len(p), nil
		}
	}
	return len(p), nil
}

// Close ends the stream, and what is stalled in it.
func (s *faultyStream) Close() error {
	s.once.Do(func() { close(s.closed) })
	return s.ReadWriteCloser.Close()
}

package main

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// proxy passes connections on to a server, and spoils some: it delays, splits, cuts, resets, half-closes and stalls
// them at any byte. It changes no byte. What happens to a connection follows from the seed and the connection's number.
type proxy struct {
	l      net.Listener
	target atomic.Pointer[string]
	seed   uint64
	number atomic.Uint64

	mu     sync.Mutex
	open   map[net.Conn]struct{}
	did    map[string]int
	closed bool
	wg     sync.WaitGroup
}

func newProxy(seed uint64, target string) (*proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{l: l, seed: seed, open: map[net.Conn]struct{}{}, did: map[string]int{}}
	p.target.Store(&target)
	p.wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			p.wg.Go(func() { p.pass(c.(*net.TCPConn)) })
		}
	})
	return p, nil
}

func (p *proxy) addr() string { return p.l.Addr().String() }

func (p *proxy) close() {
	_ = p.l.Close()
	p.mu.Lock()
	p.closed = true
	for c := range p.open {
		_ = c.Close()
	}
	p.mu.Unlock()
	p.wg.Wait()
}

func (p *proxy) keep(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		_ = c.Close()
		return false
	}
	p.open[c] = struct{}{}
	return true
}

// fates are what can happen to a connection, at some byte of one direction.
var fates = []string{"nothing", "delay", "split", "cut", "reset", "half-close", "stall"}

// fate is what is to happen in one direction.
type fate struct {
	what  string
	after int64 // bytes
	rand  *rand.Rand
}

func (p *proxy) pass(client *net.TCPConn) {
	r := rand.New(rand.NewPCG(p.seed, p.number.Add(1)))
	if !p.keep(client) {
		return
	}
	conn, err := net.Dial("tcp", *p.target.Load())
	if err != nil {
		_ = client.Close() // the server is being started again
		return
	}
	server := conn.(*net.TCPConn)
	if !p.keep(server) {
		return
	}
	what := fates[r.IntN(len(fates))]
	p.mu.Lock()
	p.did[what]++
	p.mu.Unlock()
	at := int64(r.IntN(1 << (4 + r.IntN(16))))
	there, back := fate{"nothing", 0, rand.New(rand.NewPCG(r.Uint64(), 1))}, fate{"nothing", 0,
		rand.New(rand.NewPCG(r.Uint64(), 2))}
	switch {
	case what == "delay" || what == "split":
		there.what, back.what = what, what
	case r.IntN(2) == 0:
		there.what, there.after = what, at
	default:
		back.what, back.after = what, at
	}
	var wg sync.WaitGroup
	wg.Go(func() { there.pump(server, client) })
	wg.Go(func() { back.pump(client, server) })
	wg.Wait()
	for _, c := range []net.Conn{client, server} {
		_ = c.Close()
		p.mu.Lock()
		delete(p.open, c)
		p.mu.Unlock()
	}
}

// pump copies one direction until its end, or until something happens to it.
func (f *fate) pump(to, from *net.TCPConn) {
	buf := make([]byte, 32<<10)
	passed := int64(0)
	for {
		size := len(buf)
		if f.what == "split" {
			size = 1 + f.rand.IntN(700)
		}
		n, err := from.Read(buf[:size])
		last := f.what != "nothing" && f.what != "delay" && f.what != "split" && passed+int64(n) >= f.after
		if last {
			n = int(max(f.after-passed, 0))
		}
		if f.what == "delay" {
			time.Sleep(time.Duration(f.rand.IntN(20)) * time.Millisecond)
		}
		if _, werr := to.Write(buf[:n]); werr != nil {
			_ = from.Close()
			return
		}
		passed += int64(n)
		switch {
		case last:
			f.happen(to, from)
			return
		case err == io.EOF:
			_ = to.CloseWrite()
			return
		case err != nil:
			_ = to.Close()
			return
		}
	}
}

func (f *fate) happen(to, from *net.TCPConn) {
	switch f.what {
	case "reset":
		_, _ = to.SetLinger(0), from.SetLinger(0)
	case "half-close":
		_ = to.CloseWrite()
		_, _ = io.Copy(io.Discard, from)
		return
	case "stall":
		time.Sleep(time.Duration(f.rand.IntN(5000)) * time.Millisecond)
	}
	_, _ = to.Close(), from.Close()
}

// report says what happened to how many connections.
func (p *proxy) report() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	text := ""
	for _, what := range fates {
		if n := p.did[what]; n > 0 {
			text += fmt.Sprintf(" %s %d", what, n)
		}
	}
	return text
}

package fleet

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/gorpyc/gorpyc/registry"
)

const (
	pingsAtOnce = 32
	maxPinged   = 5000
)

// pinger connects to all endpoints now and then. A nil one knows nothing.
type pinger struct {
	cancel context.CancelFunc
	done   chan struct{}

	mu    sync.Mutex
	known map[registry.Endpoint]bool
}

func startPinger(source Source, interval, timeout time.Duration) *pinger {
	ctx, cancel := context.WithCancel(context.Background())
	p := &pinger{cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(p.done)
		for {
			p.round(ctx, source, timeout)
			select {
			case <-time.After(interval):
			case <-ctx.Done():
				return
			}
		}
	}()
	return p
}

func (p *pinger) close() {
	if p != nil {
		p.cancel()
		<-p.done
	}
}

func (p *pinger) reachable(ep registry.Endpoint) *bool {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if ok, known := p.known[ep]; known {
		return &ok
	}
	return nil
}

// round connects to every endpoint once. Results show as they come, and the old ones are kept until then.
func (p *pinger) round(ctx context.Context, source Source, timeout time.Duration) {
	eps := make(map[registry.Endpoint]struct{})
	for r := range source.Registrations {
		if eps[r.Endpoint] = struct{}{}; len(eps) >= maxPinged {
			break
		}
	}
	p.mu.Lock()
	before := p.known
	p.known = make(map[registry.Endpoint]bool, len(eps))
	for ep := range eps {
		if ok, known := before[ep]; known {
			p.known[ep] = ok
		}
	}
	p.mu.Unlock()
	var wg sync.WaitGroup
	room := make(chan struct{}, pingsAtOnce)
	for ep := range eps {
		if a, err := netip.ParseAddr(ep.Host); ep.Path != "" && (err != nil || !a.IsLoopback()) {
			continue // a path on another machine
		}
		room <- struct{}{}
		wg.Go(func() {
			defer func() { <-room }()
			d := net.Dialer{Timeout: timeout}
			c, err := d.DialContext(ctx, ep.Network(), ep.Addr())
			if err == nil {
				_ = c.Close()
			}
			if ctx.Err() != nil {
				return
			}
			p.mu.Lock()
			p.known[ep] = err == nil
			p.mu.Unlock()
		})
	}
	wg.Wait()
}

// Package shadow compares two servers under the traffic of real clients: one answers, the other is asked the same a
// little later, and what differs is reported. It works on messages, which pass unchanged: clients see one server.
package shadow

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"path"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorpyc/gorpyc/protocol/exposed"
)

// Options of a Proxy. The server that has answered so far is called the old one, the one that is to take its place the
// new one.
type Options struct {
	// Old and New open streams to the servers.
	Old, New func(ctx context.Context) (net.Conn, error)
	// Safe are patterns (path.Match) of the names of methods that may be called twice, once at each server, without the
	// prefix "exposed_". All says that all may.
	Safe []string
	All  bool
	// Sample is the share of calls that are compared, from 0 to 1; 0 is all of them.
	Sample float64
	// Ignore are patterns of names of methods whose answers are not compared, as they always differ.
	Ignore []string
	// Same are names of classes of the old server's that stand for others of the new one's.
	Same map[string]string
	// Redact leaves values out of the report.
	Redact bool
	// Queue is how many messages of a client may wait to be said to the other server; beyond it requests are dropped
	// from the comparison. The default is 10,000; messages of 64 MiB together are the limit, too.
	Queue int
	// Memory is how many bytes the messages of all clients that wait so may have together; beyond it requests are
	// dropped, too. The default is 256 MiB.
	Memory int64
	// Patience is how long the other server may take for an answer before it is given up for this client. The default is
	// 30 s.
	Patience time.Duration
}

const (
	defaultQueue    = 10_000
	defaultPatience = 30 * time.Second
	defaultMemory   = 256 << 20
	queueBytes      = 64 << 20
	acceptPause     = 50 * time.Millisecond
)

// Proxy passes clients on to a server and watches what the other one would have said. It is safe for concurrent use.
type Proxy struct {
	Options
	Report  *Report
	percent atomic.Int64
	queued  atomic.Int64 // bytes in all queues
}

// New makes a proxy; percent of its clients are answered by the new server.
func New(o Options, percent int) *Proxy {
	if o.Queue <= 0 {
		o.Queue = defaultQueue
	}
	if o.Memory <= 0 {
		o.Memory = defaultMemory
	}
	if o.Patience <= 0 {
		o.Patience = defaultPatience
	}
	p := &Proxy{Options: o, Report: newReport()}
	p.SetPercent(percent)
	return p
}

// SetPercent sets how many in a hundred of the clients that connect from now on are answered by the new server.
func (p *Proxy) SetPercent(n int) { p.percent.Store(int64(min(max(n, 0), 100))) }

// Percent is what SetPercent has set.
func (p *Proxy) Percent() int { return int(p.percent.Load()) }

// Serve serves clients until the listener is closed or ctx ends, and then waits for their ends. Other errors of the
// listener pass: clients depend on the proxy.
func (p *Proxy) Serve(ctx context.Context, l net.Listener) error {
	defer context.AfterFunc(ctx, func() { _ = l.Close() })()
	var all sync.WaitGroup
	defer all.Wait()
	for {
		client, err := l.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return nil
			}
			p.Report.count(notAccepted) // no descriptors are left, for example, or the client has gone
			select {
			case <-time.After(acceptPause):
			case <-ctx.Done():
				return nil
			}
			continue
		}
		all.Go(func() { p.serve(ctx, client) })
	}
}

// serve is one client's conversation.
func (p *Proxy) serve(ctx context.Context, client net.Conn) {
	defer client.Close()
	byNew := rand.IntN(100) < p.Percent() //nolint:gosec // a share of clients, no secret
	answering, err := p.first(ctx, &byNew)
	if err != nil {
		p.Report.count(unanswered)
		return
	}
	defer answering.Close()
	defer context.AfterFunc(ctx, func() {
		_ = client.Close()
		_ = answering.Close()
	})()
	p.Report.count(connections)
	other := p.New
	if byNew {
		p.Report.count(connectionsByNew)
		other = p.Old
	}
	q := newQueue(p)
	watching := make(chan struct{})
	go func() {
		defer close(watching)
		defer p.recovered(q)
		w := &watcher{proxy: p, queue: q, byNew: byNew}
		w.run(ctx, other)
	}()
	var both sync.WaitGroup
	both.Go(func() { p.pump(q, true, client, answering) })
	both.Go(func() { p.pump(q, false, answering, client) })
	both.Wait()
	q.end()
	<-watching
}

// recovered ends the watching of a client in which a fault has shown. The client goes on.
func (p *Proxy) recovered(q *queue) {
	if fault := recover(); fault != nil {
		p.Report.count(failed)
		p.Report.fault(fmt.Sprintf("%v\n%s", fault, debug.Stack()))
	}
	q.close()
}

// first opens the stream to the server that answers. If the new one cannot be reached, the old one answers.
func (p *Proxy) first(ctx context.Context, byNew *bool) (net.Conn, error) {
	if *byNew {
		c, err := p.New(ctx)
		if err == nil {
			return c, nil
		}
		p.Report.count(fellBack)
		*byNew = false
	}
	return p.Old(ctx)
}

// safe tells whether a method may be called at both servers.
func (p *Proxy) safe(name string) bool { return p.All || matches(p.Safe, name) }

func matches(patterns []string, name string) bool {
	name = strings.TrimPrefix(name, exposed.DefaultPrefix)
	for _, pattern := range patterns {
		if ok, _ := path.Match(pattern, name); ok {
			return true
		}
	}
	return false
}

func (p *Proxy) sampled() bool {
	return p.Sample <= 0 || p.Sample >= 1 || rand.Float64() < p.Sample //nolint:gosec // a sample, no secret
}

// pump copies one direction, frame by frame. A frame is queued before it is passed on, so that no answer stands before
// what it answers. What is no frame is passed on unseen.
func (p *Proxy) pump(q *queue, fromClient bool, from io.Reader, to net.Conn) {
	in := bufio.NewReaderSize(from, 1<<16)
	for {
		n, err := lengthOf(in)
		if err != nil {
			break
		}
		e := event{fromClient: fromClient, at: time.Now()}
		if n > maxCompared {
			_, e.message.Kind, e.message.Seq = peekHead(in, n)
			e.long = true
		} else if e.raw, err = readRaw(in, n); err != nil {
			break
		}
		if !q.add(e) {
			p.Report.count(dropped)
		}
		if e.long {
			_, err = io.CopyN(to, in, n)
		} else {
			_, err = to.Write(e.raw)
		}
		if err != nil {
			break
		}
	}
	q.hangup(fromClient)
	_, _ = io.Copy(to, in)
	if w, ok := to.(interface{ CloseWrite() error }); ok {
		_ = w.CloseWrite()
	} else {
		_ = to.Close()
	}
}

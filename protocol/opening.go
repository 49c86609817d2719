package protocol

import (
	"context"
	"errors"
	"runtime/debug"
	"time"

	"github.com/gorpyc/gorpyc/netref"
	"github.com/gorpyc/gorpyc/protocol/vinegar"
	"github.com/gorpyc/gorpyc/protocol/wire"
)

// The root object's OnConnect runs as if the peer had asked for it first: it has a turn, which it gives up while it
// waits for the peer, and nothing that the peer asks for begins while it has that. RPyC calls on_connect before it
// reads, and reads while that waits for an answer.

// open begins to read and calls the root object's OnConnect. asked, if not nil, waits for the answer to what was asked
// when the stream was opened. After an error the connection is at its end.
func (c *Conn) open(asked func() error) (err error) {
	connect := c.onConnect()
	if connect == nil {
		c.tellOpened()
		go c.begin()
		if asked != nil {
			err = asked()
		}
		if err != nil {
			_ = c.CloseNow()
		}
		return err
	}
	in := &incoming{c: c}
	l := c.lock()
	in.lane = &l.turns.single
	in.lane.requests++
	in.lane.freeTurns--
	l.begin(in)
	l.turns.opening = in
	l.unlock()
	go c.begin()
	err = errors.New("rpyc: OnConnect has ended its goroutine")
	defer func() { c.opened(in, err) }()
	if asked != nil {
		if e := asked(); e != nil {
			err = e
			return err
		}
	}
	c.connecting.Store(true)
	err = connect()
	return err
}

// opened ends the turn of OnConnect, which has returned err.
func (c *Conn) opened(in *incoming, err error) {
	c.connecting.Store(false)
	if err == nil {
		c.tellOpened()
	} else {
		l := c.lock()
		l.unopened = true
		l.unlock()
		c.die(err)
	}
	next := c.finishRequest(in)
	l := c.lock()
	l.turns.opening = nil
	if next != nil {
		l.run(next)
	}
	l.beginHeld()
	l.unlock()
}

// root answers GETROOT: by answer, unless another peer has to be asked for the root object.
func (in *incoming) root(answer func(*incoming, any, error)) {
	switch root := in.c.local.(type) {
	case *netref.Object:
		in.forgetArgs()
		go in.answer(root, nil, sendNow)
	case LazyRoot:
		in.forgetArgs()
		go func() {
			v, err := root.make(in.c)
			in.answer(v, err, sendNow)
		}()
	default:
		answer(in, root, nil)
	}
}

// runHeld answers a request of those that holdsBack is about.
func (in *incoming) runHeld() {
	if in.h == wire.HandleGetRoot {
		in.root((*incoming).answerNow)
		return
	}
	v, err := in.value(0)
	in.answerNow(v, err)
}

// answerNow answers on a goroutine that may wait for the peer to read.
func (in *incoming) answerNow(v any, err error) {
	in.forgetArgs()
	in.answer(v, err, sendNow)
}

// held reports whether no request may begin, because OnConnect has not returned and does not wait for the peer.
func (t *turns) held() bool { return t.opening != nil && t.opening.hasTurn }

// holdsBack is held for those requests that need no turn otherwise.
func (c *Conn) holdsBack() bool {
	l := c.lock()
	defer l.unlock()
	return l.turns.held()
}

// beginHeld begins the requests for which there were turns while they were held back.
func (l locked) beginHeld() {
	t := &l.turns
	l.beginQueued(&t.single)
	for _, n := range t.lanes {
		l.beginQueued(n)
	}
}

func (l locked) beginQueued(n *lane) {
	for n.freeTurns > 0 {
		in := l.beginNext(n)
		if in == nil {
			return
		}
		n.freeTurns--
		l.run(in)
	}
}

// onConnect returns a call of the root object's OnConnect; nil if it has none.
func (c *Conn) onConnect() func() error {
	var call func() error
	switch s := c.local.(type) {
	case Connecter:
		call = func() error { return s.OnConnect(c) }
	case interface{ OnConnect(c *Conn) }:
		call = func() error { s.OnConnect(c); return nil }
	default:
		return nil
	}
	return func() (err error) {
		defer func() {
			if p := recover(); p != nil { // of one connection, which must not end a server
				err = vinegar.FromPanic(p, debug.Stack())
			}
		}()
		return call()
	}
}

// The values of Conn.first.
const (
	peerFirst int32 = 1 + iota // what the peer has said tells its family
	weFirst                    // its family was guessed, because this side had something to ask
)

// silentPeer is how long a request of ours waits for a peer that was not told what to say and has said nothing. A peer
// of an old release, which would not understand the request, has mostly begun by then.
const silentPeer = 500 * time.Millisecond

// waitDialect returns the dialect. A side that was not told it waits for the peer's first message; if none comes, as
// from a client that connects in order to be called, it takes the peer for one of the newest release.
func (c *Conn) waitDialect(ctx context.Context) (*wire.Dialect, error) {
	if d := c.dialect.Load(); d != nil {
		return d, nil
	}
	ctx, cancel := bounded(ctx, c.cfg.Timeout)
	defer cancel()
	silent := time.NewTimer(silentPeer)
	defer silent.Stop()
	for {
		select {
		case <-c.dialectSet:
			return c.dialect.Load(), nil
		case <-silent.C:
			if c.first.CompareAndSwap(0, weFirst) {
				c.guessed = true
				c.setDialect(c.likeliest())
			}
		case <-ctx.Done():
			return nil, ended(ctx)
		case <-c.base.Done():
			return nil, context.Cause(c.base)
		}
	}
}

// likeliest is the family to try with a peer that has said nothing: what its host has spoken last, or the newest.
func (c *Conn) likeliest() *wire.Dialect {
	d := clients.last(clientHost(c.RemoteAddr()))
	if d == nil || !c.cfg.speaks(d) {
		forms, err := c.cfg.attempts(nil)
		if err != nil || len(forms) == 0 {
			return wire.FamilyD.Unsettled()
		}
		d = forms[0]
	}
	if c.cfg.BindThreads {
		if bound := d.BindThreads(); bound != nil {
			return bound
		}
	}
	return d.Unsettled()
}

// peerBegins is called when the peer's first message is there, of whose family nothing was told. It finds out which of
// the older ones it is, if it is one. If the family was guessed meanwhile, the peer must have understood.
func (c *Conn) peerBegins() error {
	if c.first.CompareAndSwap(0, peerFirst) {
		if c.olderFamily() {
			return c.surveyClient()
		}
		return nil
	}
	<-c.dialectSet
	first, _ := c.frames.Peek() // the error comes again with the next read
	return checkFamily(first, c.dialect.Load())
}

package protocol

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync/atomic"
	"time"

	"github.com/gorpyc/gorpyc/protocol/wire"
)

// MetadataMode says whether what is no argument of a call travels beside it: [Metadata], for how long the caller waits,
// and that it has given up. RPyC has nothing like it. Package wire documents the form, which every release ignores.
//
// With it, the remaining time of a call ([Conn.Request] with a context that has a deadline, or the default timeout)
// becomes the deadline of the context of the handler at the peer, and what that calls in its turn takes over what is
// left. If a caller gives up, because its context ends or by netref.AsyncResult.Abandon, the peer is told, and its
// handler's context ends at once, with [ErrGivenUp] as the cause. A request that is given up, or whose deadline passes,
// before its turn has come is answered by a CancelledError or TimeoutError and not carried out. A handler's context
// whose Done nobody has asked for before the answer loses the deadline with the answer.
type MetadataMode uint8

const (
	// MetadataOff sends nothing and reads nothing: messages are those of RPyC.
	MetadataOff MetadataMode = iota
	// MetadataNegotiated says so in the request for the peer's root, by seven bytes behind it, and sends metadata to peers
	// that have said the same.
	MetadataNegotiated
	// MetadataAlways sends metadata from the first message on, to peers that may not read it, too.
	MetadataAlways
)

// Metadata travels beside a request. All of it is optional. It may take 8 KiB in all ([wire.MaxTrailer]), its form
// included; a request with more fails with a *[LimitError], and one whose texts a peer would not take, with a
// *wire.FormError.
type Metadata struct {
	// TraceParent and TraceState are the headers of W3C Trace Context, printable ASCII. Calls that a handler makes with
	// its context take them over unless they have others.
	TraceParent, TraceState string
	// Token is a credential, UTF-8. The handler's own calls do not take it over, since they may be to somebody else.
	Token string
	// Pairs are what programs have agreed on, UTF-8; names have 1 to 255 bytes. They are not taken over.
	Pairs map[string]string
}

// ErrGivenUp is the cause (context.Cause) for which the context of a handler ends when the caller has given the request
// up. It matches context.Canceled.
var ErrGivenUp = fmt.Errorf("rpyc: the caller has given the request up: %w", context.Canceled)

type metadataKey struct{}

// WithMetadata returns a context whose requests carry m, where [Config.Metadata] allows it. What is empty in m stays as
// it is in ctx; pairs are added to those of ctx.
func WithMetadata(ctx context.Context, m Metadata) context.Context {
	all, _ := ctx.Value(metadataKey{}).(*Metadata)
	if all == nil {
		all = &Metadata{}
	}
	sum := *all
	for _, f := range []struct {
		to   *string
		from string
	}{{&sum.TraceParent, m.TraceParent}, {&sum.TraceState, m.TraceState}, {&sum.Token, m.Token}} {
		if f.from != "" {
			*f.to = f.from
		}
	}
	if m.TraceParent != "" {
		sum.TraceState = m.TraceState // which belongs to it
	}
	if len(m.Pairs) > 0 {
		sum.Pairs = maps.Clone(m.Pairs)
		for name, value := range all.Pairs {
			if _, replaced := m.Pairs[name]; !replaced {
				sum.Pairs[name] = value
			}
		}
	}
	return context.WithValue(ctx, metadataKey{}, &sum)
}

// MetadataFrom returns what came with the request whose handler has the context ctx, or one derived from it; false if
// nothing came or ctx is no handler's. It must not be changed.
func MetadataFrom(ctx context.Context) (m Metadata, ok bool) {
	if s := servedOf(ctx); s != nil {
		m = Metadata{TraceParent: s.came.TraceParent, TraceState: s.came.TraceState, Token: s.came.Token, Pairs: s.came.Pairs}
	}
	return m, m.TraceParent != "" || m.TraceState != "" || m.Token != "" || len(m.Pairs) > 0
}

// metadata is what a connection knows of metadata. Conn has none if it is off.
type metadata struct {
	always bool
	known  atomic.Bool // the peer reads trailers
	told   atomic.Bool // a trailer has been sent, so that the peer knows the same of us

	came *wire.Trailer // of the message that is being received, if it had one; the reader's
}

func newMetadata(mode MetadataMode) *metadata {
	if mode == MetadataOff {
		return nil
	}
	return &metadata{always: mode == MetadataAlways}
}

// sends reports whether messages of ours may carry trailers.
func (m *metadata) sends() bool { return m != nil && (m.always || m.known.Load()) }

// append appends the trailer of a request, if it is to have one. sync says that the answer is waited for.
func (c *Conn) appendMetadata(ctx context.Context, b []byte, h wire.Handler, sync bool) ([]byte, error) {
	m := c.meta
	if m == nil || !m.sends() && h != wire.HandleGetRoot || h == wire.HandleClose {
		return b, nil
	}
	var t wire.Trailer
	if m.sends() {
		c.fillTrailer(ctx, &t, sync)
	}
	if t.IsEmpty() && m.told.Load() {
		return b, nil
	}
	b, err := wire.AppendTrailer(b, &t)
	if err == nil && m.sends() {
		m.told.Store(true)
	}
	return b, err
}

func (c *Conn) fillTrailer(ctx context.Context, t *wire.Trailer, sync bool) {
	if out, _ := ctx.Value(metadataKey{}).(*Metadata); out != nil {
		t.TraceParent, t.TraceState, t.Token, t.Pairs = out.TraceParent, out.TraceState, out.Token, out.Pairs
	}
	if s := servedOf(ctx); s != nil && t.TraceParent == "" {
		t.TraceParent, t.TraceState = s.came.TraceParent, s.came.TraceState
	}
	if !sync {
		return // nothing bounds the time until the answer
	}
	if deadline, ok := ctx.Deadline(); ok {
		t.Bounded, t.Remaining = true, max(time.Until(deadline), 0)
	} else if c.cfg.Timeout > 0 {
		t.Bounded, t.Remaining = true, c.cfg.Timeout
	}
}

// greetBack appends the empty trailer that tells the peer that its own has been read, to whatever message comes next.
func (c *Conn) greetBack(b []byte) []byte {
	if m := c.meta; m == nil || !m.known.Load() || m.told.Swap(true) {
		return b
	}
	b, _ = wire.AppendTrailer(b, &wire.Trailer{}) // an empty one cannot be too long
	return b
}

// takeMetadata reads the trailer of a message that has come.
func (c *Conn) takeMetadata(d *wire.Dialect, payload []byte) {
	m := c.meta
	if m == nil {
		return
	}
	m.came = nil
	t, ok := d.ReadTrailer(payload, c.cfg.Codecs)
	if !ok {
		return
	}
	m.known.Store(true)
	m.came = &t
	for _, n := range t.Cancels {
		l := c.lock()
		s := l.served[n]
		l.unlock()
		if s != nil {
			s.giveUp(ErrGivenUp)
		}
	}
}

// noteMetadata has a request of a peer that may give it up be found by its number while it is under way. A later one of
// the same number, which no peer makes unless it wants to, takes the place of the earlier.
func (l locked) noteMetadata(in *incoming) {
	if m := l.c.meta; m.known.Load() && in.dropped == nil {
		in.meta = newServed(l.c, m.came)
		if in.seq.IsNum() && !l.broken {
			l.served[in.seq.N] = in.meta
		}
	}
}

// forgetMetadata is called when the request has been answered.
func (l locked) forgetMetadata(in *incoming) {
	if l.served[in.seq.N] == in.meta {
		delete(l.served, in.seq.N)
	}
	in.meta.finish()
}

// sendCancel tells the peer that the answers to requests of ours, of a part of a batch at most, are not waited for any
// more. In the modes that do not wait it does not block. The PING that carries it is answered by every release.
func (c *Conn) sendCancel(mode sendMode, seqs ...int64) {
	if !c.meta.sends() || len(seqs) == 0 {
		return
	}
	d := c.dialect.Load()
	m := boxer{ctx: c.base, c: c, d: d}
	c.meta.told.Store(true)
	c.tell(mode, d, c.seq.Add(1)-1, wire.HandlePing, func(b []byte) ([]byte, error) {
		b, err := m.args(b, []any{nil})
		if err != nil {
			return b, err
		}
		return wire.AppendTrailer(b, &wire.Trailer{Cancels: seqs})
	})
}

// overdue is the error for a request that is not begun any more, nil if it may be.
func (s *served) overdue() error {
	err := s.use(false).Err()
	if err == nil {
		return nil
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("the caller's time ran out before the request was begun: %w", err)
	}
	return fmt.Errorf("the request was given up before it was begun: %w", err)
}
